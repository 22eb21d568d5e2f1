"""Nothing happens any more in a call that is over."""

import pytest

from components.core.outputs import Hangup
from tests.dialogue import FRAME, Call


@pytest.fixture
def call():
    return Call().ready()


@pytest.mark.parametrize(
    "act",
    [
        lambda call: call.session.interrupt(call.now),
        lambda call: call.session.mute(True, call.now),
        lambda call: call.session.change(call.session.agreement.confirmed, call.now),
        lambda call: call.session.push_to_talk(True, call.now),
        lambda call: call.session.microphone(FRAME, call.now),
    ],
)
def test_nothing_is_done_in_a_call_that_is_over(call, act):
    call.do(call.session.hang_up(call.now, "Good night."))

    assert act(call) == []
    assert call.conversation.notice == "Good night."


def test_call_that_is_over_stays_so(call):
    call.do(call.session.hang_up(call.now))

    assert call.session.hang_up(call.now) == [Hangup()]
    assert call.lost() == [Hangup()]
    assert call.connected() == [Hangup()]
