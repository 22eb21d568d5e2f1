import pytest

from components.core.conversation import Assistant, Connection, Conversation
from components.page import markup
from components.protocol.prices import Cost
from components.protocol.usage import Usage
from components.settings import ChatModel, Settings, TurnCredentials

OPENAI = Settings(practice=False, api_key="sk-secret")
PRACTICE = Settings(practice=True, base_url="", model="practice-engine")
TURN = TurnCredentials("huggingface", "", "hf-secret")


def test_the_header_names_model_and_voice() -> None:
    assert "gpt-realtime-2.1 · voice marin<" in markup.header(OPENAI)


def test_the_header_names_another_server() -> None:
    settings = Settings(practice=False, base_url="http://user:pw@localhost:8080/v1")

    assert "voice marin · localhost<" in markup.header(settings)
    assert "pw" not in markup.header(settings)


def test_practice_mode_says_that_it_is_approximate() -> None:
    assert "Practice mode: offline, approximate" in markup.header(PRACTICE)
    assert "OPENAI_API_KEY" in markup.header(PRACTICE)


def test_practice_mode_names_the_chat_model() -> None:
    settings = Settings(practice=True, chat_model=ChatModel("http://localhost", "llama<3>"))

    assert "llama&lt;3&gt; writes the answers" in markup.header(settings)


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        (OPENAI, False),
        (Settings(practice=True, share=True), True),
        (Settings(practice=True, share=True, turn=TURN), False),
        (Settings(practice=True, on_space=True), True),
        (Settings(practice=True, on_space=True, turn=TURN), False),
    ],
)
def test_without_turn_the_public_page_warns_before_anyone_tries(
    settings: Settings, warned: bool
) -> None:
    assert ("rv-warning" in markup.header(settings)) is warned


def test_settings_and_notice_are_escaped() -> None:
    settings = Settings(practice=False, model="<script>")

    assert "<script>" not in markup.header(settings)
    assert "<b>&" not in markup.desk(settings, "<b>&")


def test_the_talk_button_is_there_for_push_to_talk_alone() -> None:
    pushed = Settings(practice=False, turn_detection="push_to_talk")

    assert "disabled hidden>Hold to talk" in markup.desk(OPENAI, "")
    assert "disabled>Hold to talk" in markup.desk(pushed, "")
    assert "hold the talk button" in markup.empty_transcript(pushed)
    assert "just speak" in markup.empty_transcript(OPENAI)


def test_a_line_can_be_typed() -> None:
    assert 'id="say"' in markup.composer()


def test_the_direct_tab_holds_the_widget_and_what_the_server_sees() -> None:
    seen = Conversation(connection=Connection.CONNECTED, assistant=Assistant.SPEAKING)

    assert "<voice-call " in markup.direct_call()
    assert 'data-state="connected">Connected<' in markup.direct_states(seen)
    assert 'data-state="speaking">Speaking<' in markup.direct_states(seen)
    assert "&lt;b&gt;" in markup.direct_states(Conversation(notice="<b>"))
    assert "appear here" in markup.direct_empty()


def test_the_direct_tab_tells_what_is_known_of_time_and_money() -> None:
    used = Conversation(usage=Usage(input_text=1000, output_audio=234))
    unknown, known = markup.direct_states(used), markup.direct_states(used, 1.234, Cost(0.0032))

    assert ">1,234<" in unknown
    assert "Cost" not in unknown
    assert ">1.23 s<" in known
    assert ">$0.0032<" in known
    assert ">$1.50<" in markup.direct_states(used, cost=Cost(1.5))
    assert ">at least $0.0200<" in markup.direct_states(used, cost=Cost(0.02, unknown=1))
