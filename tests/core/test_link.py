"""How far the session with the server is, what it is asked for, and when it is given up."""

import pytest

from components.core.conversation import Connection
from components.core.link import (
    CREATED_LIMIT_S,
    SAYS_NOTHING,
    TRANSITIONS,
    UPDATED_LIMIT_S,
    State,
    Step,
)
from components.core.liveness import DEAF, LOUD_FRAMES, NO_REACTION, NOT_ANSWERED, PATIENCE_S
from components.core.outputs import Reconnect, Send
from components.core.retries import MOST_TRIES
from components.protocol.events import Other, SessionUpdated
from components.protocol.failures import Severity
from components.protocol.options import Refused, session_update
from tests.dialogue import FRAME, only, options
from tests.link import CREATED, UPDATED, Wire, complaint, sent

LOUD = b"\x00\x40" * (len(FRAME) // 2)


# The table.

DO = {
    Step.CONNECT: lambda wire: wire.link.connect(),
    Step.OPENED: lambda wire: wire.opened(),
    Step.GREETED: lambda wire: wire.receive(CREATED),
    Step.CONFIRMED: lambda wire: wire.receive(UPDATED),
    Step.BROKEN: lambda wire: wire.link.broken(),
    Step.END: lambda wire: wire.link.end(Connection.ENDED),
}
PATHS = {
    State.IDLE: [],
    State.CONNECTING: [Step.CONNECT],
    State.GREETING: [Step.OPENED],
    State.CONFIGURING: [Step.OPENED, Step.GREETED],
    State.READY: [Step.OPENED, Step.GREETED, Step.CONFIRMED],
    State.LOST: [Step.OPENED, Step.CONFIRMED, Step.BROKEN],
    State.OVER: [Step.END],
}


def wire_in(state):
    wire = Wire()
    for step in PATHS[state]:
        DO[step](wire)
    assert wire.link.state is state
    return wire


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", State)
def test_a_step_leads_where_the_table_says_and_any_other_changes_nothing(state, step):
    wire = wire_in(state)
    link = wire.link
    before = (link.state, link.connection, link.options, link.ready, link.over, link.may_reconnect)

    outputs = DO[step](wire)

    if step in TRANSITIONS[state]:
        assert link.state is TRANSITIONS[state][step]
    else:
        assert not outputs
        assert before == (
            *(link.state, link.connection, link.options),
            *(link.ready, link.over, link.may_reconnect),
        )
        assert link.tick(wire.now) == []


def test_the_table_knows_every_state():
    assert set(TRANSITIONS) == set(State)


def test_the_connection_is_called_by_what_the_user_notices():
    """A renewal is not noticed: the call is connected all the while."""
    wire = Wire()
    said = [wire.link.connection]
    for step in [
        *(Step.CONNECT, Step.OPENED, Step.GREETED, Step.CONFIRMED),
        *(Step.OPENED, Step.GREETED, Step.CONFIRMED),
        *(Step.BROKEN, Step.BROKEN, Step.OPENED, Step.CONFIRMED, Step.END),
    ]:
        DO[step](wire)
        said.append(wire.link.connection)

    assert said == [
        Connection.IDLE,
        *[Connection.CONNECTING] * 3,
        *[Connection.CONNECTED] * 4,
        *[Connection.RECONNECTING] * 3,
        Connection.CONNECTED,
        Connection.ENDED,
    ]


def test_other_events_change_nothing():
    wire = Wire()
    wire.opened()

    assert wire.receive(Other("ping")) == []
    assert wire.link.state is State.GREETING


# The settings of a session.


def test_settings_go_out_as_soon_as_the_socket_stands():
    wire = Wire()

    assert sent(wire.opened()) == session_update(options(), "settings_1")
    assert wire.receive(CREATED) == []
    assert wire.receive(UPDATED) == []
    assert wire.link.options == options()


def test_a_server_that_greets_nobody_may_confirm_all_the_same():
    wire = Wire()
    wire.opened()

    assert wire.receive(UPDATED) == []
    assert wire.link.ready


@pytest.mark.parametrize("names_the_event", [True, False])
@pytest.mark.parametrize("greeted", [True, False])
def test_refused_settings_give_way_until_the_server_takes_them(greeted, names_the_event):
    wire = Wire()
    update = sent(wire.opened())
    if greeted:
        wire.receive(CREATED)
    for param in ("session.audio.input.transcription.model", "session.truncation"):
        update = sent(wire.refuse(update if names_the_event else None, param))

    relaxed = options(transcription_model="gpt-realtime-whisper", retention_ratio=False)
    assert update == session_update(relaxed, "settings_3")
    assert wire.link.options == relaxed
    wire.receive(UPDATED)
    assert wire.link.ready
    assert wire.link.options == relaxed


def test_what_gave_way_late_is_not_asked_for_in_the_next_call_either():
    """The call has begun without an answer to its settings, as the server is slow."""
    refused = Refused()
    wire = Wire(refused)
    update = sent(wire.opened())
    wire.receive(CREATED)
    wire.link.tick(wire.now + UPDATED_LIMIT_S)
    assert wire.link.ready
    assert sent(wire.refuse(update, "session.audio.input.noise_reduction"))
    assert sent(Wire(refused).opened()) == session_update(options(), "settings_1")

    wire.receive(UPDATED)

    relaxed = options(noise_reduction=None)
    assert sent(Wire(refused).opened()) == session_update(relaxed, "settings_1")


def test_what_gave_way_is_not_asked_for_in_the_next_call():
    refused = Refused()
    wire = Wire(refused)
    wire.refuse(sent(wire.opened()), "session.audio.input.noise_reduction")
    assert sent(Wire(refused).opened()) == session_update(options(), "settings_1")

    wire.receive(UPDATED)

    relaxed = options(noise_reduction=None)
    assert sent(Wire(refused).opened()) == session_update(relaxed, "settings_1")
    other = options(model="gpt-realtime-2")
    assert (
        sent(Wire(refused, model="gpt-realtime-2").opened())["session"]
        == (session_update(other, "e")["session"])
    )


def test_settings_that_cannot_give_way_end_the_call_with_the_words_of_the_server():
    wire = Wire()

    failure = complaint(
        wire.refuse(sent(wire.opened()), "session.audio.output.voice", "No such voice.")
    ).failure

    assert failure.severity is Severity.PERMANENT
    assert failure.sentence == (
        "The server refuses the settings. The server reports: No such voice."
    )


@pytest.mark.parametrize("was_ready", [False, True])
@pytest.mark.parametrize("changed", [False, True])
def test_a_server_that_refuses_everything_is_not_asked_for_ever(was_ready, changed):
    wire = Wire()
    if was_ready:
        wire.ready()
        if changed:
            wire.change(voice="cedar")
        wire.link.broken()
    outputs, times = wire.opened(), 0
    while isinstance(only(outputs), Send):
        outputs, times = wire.refuse(sent(outputs)), times + 1
        assert times < 20

    assert complaint(outputs).failure.severity is Severity.PERMANENT


def test_an_error_that_is_not_about_the_settings_is_left_to_others():
    wire = Wire()
    first = sent(wire.opened())

    assert wire.refuse({"event_id": "say_1"}) is None
    assert wire.refuse(code="insufficient_quota") is None
    update = sent(wire.refuse(first, "session.truncation"))
    assert wire.refuse(first) is None, "it was answered already"
    wire.receive(UPDATED)
    assert wire.refuse(update) is None
    assert wire.refuse() is None, "of a ready session, this could be about anything"


# The server's part in turns.


def test_whether_the_server_interrupts_is_its_own_word():
    wire = Wire()
    assert wire.link.interrupts
    wire.opened()

    wire.receive(SessionUpdated(None, interrupts=False))
    assert not wire.link.interrupts

    wire.receive(SessionUpdated(None, interrupts=True))
    assert wire.link.interrupts
    assert not Wire(turn_detection="push_to_talk").link.interrupts


# Silence.


def test_a_server_that_never_speaks_is_no_realtime_api():
    wire = Wire()
    wire.opened()
    assert wire.link.tick(wire.now + CREATED_LIMIT_S - 0.01) == []

    failure = complaint(wire.link.tick(wire.now + CREATED_LIMIT_S)).failure

    assert (failure.severity, failure.sentence) == (Severity.PERMANENT, SAYS_NOTHING)


def test_a_session_that_was_ready_once_is_taken_up_again_after_silence():
    wire = Wire()
    wire.ready()
    wire.link.broken()
    wire.opened()

    assert wire.link.tick(wire.now + CREATED_LIMIT_S) == [Reconnect(0.75)]
    assert wire.link.state is State.LOST
    assert wire.link.tick(wire.now + 10 * CREATED_LIMIT_S) == []


def test_a_server_that_greets_and_does_not_confirm_is_taken_at_its_word():
    wire = Wire()
    wire.opened()
    wire.now += 5
    wire.receive(CREATED)
    wire.receive(CREATED)
    assert wire.link.tick(wire.now + UPDATED_LIMIT_S - 0.01) == []
    assert not wire.link.ready

    assert wire.link.tick(wire.now + UPDATED_LIMIT_S) == []

    assert wire.link.ready
    assert wire.link.tick(wire.now + 2 * CREATED_LIMIT_S) == []


def test_a_late_refusal_is_heeded_by_a_session_that_was_taken_for_ready():
    wire = Wire()
    update = sent(wire.opened())
    wire.receive(CREATED)
    wire.link.tick(wire.now + UPDATED_LIMIT_S)
    assert wire.link.ready

    update = sent(wire.refuse(update, "session.truncation"))

    without = options(retention_ratio=False)
    assert update["session"] == session_update(without, "e")["session"]
    assert wire.link.options == without
    assert wire.receive(UPDATED) == []
    assert wire.link.options == options(retention_ratio=False)


def test_a_session_whose_settings_were_never_confirmed_is_not_ended_by_any_error():
    wire = Wire()
    wire.opened()
    wire.receive(CREATED)
    wire.link.tick(wire.now + UPDATED_LIMIT_S)

    assert wire.refuse() is None
    assert wire.link.options == options()


def test_only_a_session_that_was_ready_is_taken_up_again_and_not_for_ever():
    wire = Wire()
    assert not wire.link.may_reconnect
    wire.opened()
    assert not wire.link.may_reconnect
    wire.receive(UPDATED)
    assert wire.link.may_reconnect

    pauses = []
    while wire.link.may_reconnect:
        pauses.append(only(wire.link.broken()).pause_s)

    assert len(pauses) == MOST_TRIES
    assert pauses == sorted(pauses)
    assert not wire.link.over


def test_a_session_that_held_has_its_tries_back():
    wire = Wire()
    wire.ready()
    wire.link.broken()
    wire.opened()
    wire.receive(UPDATED)
    wire.link.tick(wire.now + 60)

    assert wire.link.broken() == [Reconnect(0.375)]


def test_a_call_that_is_over_is_not_taken_up_again():
    wire = Wire()
    wire.ready()
    wire.link.end(Connection.FAILED)

    assert wire.link.over
    assert not wire.link.may_reconnect
    assert wire.link.connection is Connection.FAILED


def test_a_server_that_does_not_answer_the_settings_is_told_of():
    wire = Wire()
    wire.opened()

    assert wire.link.silence(wire.now + PATIENCE_S - 0.01) == ""
    assert wire.link.silence(wire.now + PATIENCE_S) == NOT_ANSWERED
    wire.link.reacted()
    assert wire.link.silence(wire.now + PATIENCE_S) == ""


def test_a_server_that_does_not_react_to_words_is_told_of_until_the_session_breaks():
    wire = Wire()
    wire.ready()
    wire.link.reacted()
    wire.link.asked(wire.now)

    assert wire.link.silence(wire.now + PATIENCE_S) == NO_REACTION
    wire.link.broken()
    assert wire.link.silence(wire.now + PATIENCE_S) == ""


def test_a_server_that_does_not_notice_speech_is_told_of():
    wire = Wire()
    wire.ready()
    wire.link.reacted()
    wire.link.listen(FRAME)
    for _ in range(LOUD_FRAMES):
        wire.link.listen(LOUD)

    assert wire.link.silence(wire.now) == DEAF
