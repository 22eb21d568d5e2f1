from components.core.conversation import Conversation
from components.page import drawer
from components.protocol.prices import Cost
from components.protocol.usage import Usage


def test_each_pane_has_a_tab() -> None:
    html = drawer.tabs(["sound"])

    assert 'role="tab" id="tab-sound" aria-controls="sound"' in html
    assert "route" not in html


def test_what_the_server_says_of_a_direct_call_is_escaped() -> None:
    assert "&lt;b&gt;" in drawer.direct_seen(Conversation(notice="<b>"))


def test_of_a_direct_call_is_told_what_is_known_of_time_and_money() -> None:
    used = Conversation(usage=Usage(input_text=1000, output_audio=234))
    unknown, known = drawer.direct_seen(used), drawer.direct_seen(used, 1.234, Cost(0.0032))

    assert ">1,234<" in unknown
    assert "Cost" not in unknown
    assert ">1.23 s<" in known
    assert ">$0.0032<" in known
    assert ">$1.50<" in drawer.direct_seen(used, cost=Cost(1.5))
    assert ">at least $0.0200<" in drawer.direct_seen(used, cost=Cost(0.02, unknown=1))
