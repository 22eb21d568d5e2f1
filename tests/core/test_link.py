"""How far the session with the server is, what it is asked for, and when it is renewed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.conversation import Connection
from components.core.link import (
    CREATED_LIMIT_S,
    RENEW_AFTER_S,
    RENEW_BEFORE_S,
    SAYS_NOTHING,
    SHORTEST_SESSION_S,
    TRANSITIONS,
    UPDATED_LIMIT_S,
    Link,
    State,
    Step,
)
from components.core.liveness import DEAF, LOUD_FRAMES, NO_REACTION, NOT_ANSWERED, PATIENCE_S
from components.core.outputs import Complain, Reconnect, Renew, Send
from components.core.retries import MOST_TRIES
from components.protocol.errors import ServerError
from components.protocol.events import ErrorEvent, Other, SessionCreated, SessionUpdated
from components.protocol.failures import Severity
from components.protocol.options import Refused, session_update
from tests.dialogue import FRAME, UNIX_S, only, options
from tests.wire import validate_client_event

CREATED = SessionCreated(None, "")
LOUD = b"\x00\x40" * (len(FRAME) // 2)
UPDATED = SessionUpdated(None, interrupts=True)


class Wire:
    """A link, its clock, and the server's lines by hand."""

    def __init__(self, refused=None, **changes):
        self.link = Link(options(**changes), chance=lambda: 1.0, refused=refused or Refused())
        self.now = 100.0

    def opened(self):
        return self.link.opened(self.now, UNIX_S + self.now)

    def receive(self, event):
        return self.link.receive(event, self.now)

    def ready(self):
        """The session stands; the update that it was asked for."""
        update = sent(self.opened())
        assert self.receive(CREATED) == []
        assert self.receive(UPDATED) == []
        assert self.link.ready
        return update

    def refuse(self, event=None, param="", message="No.", code=""):
        event_id = event["event_id"] if event else ""
        error = ServerError(code, "invalid_request_error", message, param, event_id)
        return self.link.refuses(ErrorEvent(error))

    def change(self, **changes):
        return self.link.change(options(**changes))


def sent(outputs):
    """The one event that is sent, judged by the SDK."""
    output = only(outputs)
    assert isinstance(output, Send)
    validate_client_event(output.event)
    return output.event


def complaint(outputs):
    output = only(outputs)
    assert isinstance(output, Complain)
    return output


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


# Changes.


def test_a_change_is_sent_as_what_has_changed_and_is_in_force_when_confirmed():
    wire = Wire()
    wire.ready()

    event = sent(wire.change(voice="cedar", instructions="Be brief."))

    assert event["session"] == {
        "type": "realtime",
        "instructions": "Be brief.",
        "audio": {"output": {"voice": "cedar"}},
    }
    assert wire.link.options == options()
    assert wire.receive(UPDATED) == []
    assert wire.link.options == options(voice="cedar", instructions="Be brief.")


def test_a_change_of_nothing_sends_nothing():
    wire = Wire()
    wire.ready()

    assert wire.change() == []


def test_a_refused_change_is_told_and_the_old_value_stays():
    wire = Wire()
    wire.ready()
    event = sent(wire.change(voice="nobody"))

    told = complaint(wire.refuse(event, "session.audio.output.voice", "No such voice."))

    assert told.failure.severity is Severity.NOTICE, "the call goes on"
    assert told.instead == "The server refuses the change. The server reports: No such voice."
    assert wire.link.options == options()
    assert wire.change() == [], "nobody wants the refused value any more"
    assert wire.link.ready


def test_of_two_changes_the_first_may_be_refused_and_the_second_confirmed():
    wire = Wire()
    wire.ready()
    first = sent(wire.change(voice="nobody"))
    second = sent(wire.change(voice="nobody", instructions="Be brief."))
    assert second["session"] == {"type": "realtime", "instructions": "Be brief."}

    complaint(wire.refuse(first))
    wire.receive(UPDATED)

    assert wire.link.options == options(instructions="Be brief.")
    assert wire.change(instructions="Be brief.") == []


def test_what_is_asked_for_again_meanwhile_is_not_taken_back():
    wire = Wire()
    wire.ready()
    first = sent(wire.change(voice="nobody"))
    second = sent(wire.change(voice="cedar"))
    assert second["session"] == {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}

    complaint(wire.refuse(first))
    assert wire.change(voice="cedar") == [], "it is on its way"
    wire.receive(UPDATED)

    assert wire.link.options == options(voice="cedar")


def test_changes_are_confirmed_in_their_order():
    wire = Wire()
    wire.ready()
    wire.change(voice="cedar")
    wire.change(voice="cedar", instructions="Be brief.")

    wire.receive(UPDATED)
    assert wire.link.options == options(voice="cedar")

    wire.receive(UPDATED)
    assert wire.link.options == options(voice="cedar", instructions="Be brief.")


def test_an_update_that_nobody_asked_for_confirms_nothing():
    wire = Wire()
    wire.ready()

    assert wire.receive(UPDATED) == []
    assert wire.link.options == options()


def test_a_change_before_the_session_is_ready_waits_for_it():
    wire = Wire()
    assert wire.change(voice="cedar") == []
    assert sent(wire.opened()) == session_update(options(voice="cedar"), "settings_1")
    assert wire.change(voice="cedar", instructions="Be brief.") == []

    event = sent(wire.receive(UPDATED))

    assert event["session"] == {"type": "realtime", "instructions": "Be brief."}
    assert wire.link.options == options(voice="cedar")
    wire.receive(UPDATED)
    assert wire.link.options == options(voice="cedar", instructions="Be brief.")


def test_a_change_that_waits_survives_a_refusal_of_the_first_settings():
    wire = Wire()
    update = sent(wire.opened())
    wire.change(voice="cedar")

    update = sent(wire.refuse(update, "session.truncation"))

    assert update == session_update(options(voice="cedar", retention_ratio=False), "settings_2")
    assert wire.receive(UPDATED) == []
    assert wire.link.options == options(voice="cedar", retention_ratio=False)


@pytest.mark.parametrize("early", [True, False])
def test_a_change_does_not_ask_again_for_what_was_refused(early):
    """The API refuses a whole update for one bad field: the change would never come about."""
    wire = Wire()
    wire.refuse(sent(wire.opened()), "session.audio.input.transcription.model")
    outputs = wire.change(voice="cedar") if early else wire.receive(UPDATED)
    assert outputs == []

    event = sent(wire.receive(UPDATED) if early else wire.change(voice="cedar"))

    assert event["session"] == {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    wire.receive(UPDATED)
    assert wire.link.options == options(voice="cedar", transcription_model="gpt-realtime-whisper")


def test_a_change_leaves_the_model_as_it_is():
    """It belongs to the socket, and a model that does not reason refuses to be asked for effort."""
    wire = Wire(model="gpt-realtime")
    wire.ready()

    assert wire.change(model="gpt-realtime-2.1") == []
    assert wire.link.options.model == "gpt-realtime"


def test_a_change_that_was_under_way_is_asked_of_the_next_session():
    wire = Wire()
    wire.ready()
    wire.change(voice="cedar")
    wire.link.broken()

    assert sent(wire.opened())["session"] == session_update(options(voice="cedar"), "e")["session"]
    wire.receive(UPDATED)
    assert wire.link.options == options(voice="cedar")


def test_a_change_that_the_next_session_refuses_is_given_up():
    wire = Wire()
    wire.ready()
    wire.change(voice="nobody")
    wire.link.broken()

    update = sent(wire.refuse(sent(wire.opened()), "session.audio.output.voice"))

    assert update["session"] == session_update(options(), "e")["session"]
    assert wire.receive(UPDATED) == []
    assert wire.link.options == options()


def test_answers_to_the_changes_of_a_broken_session_are_not_awaited():
    wire = Wire()
    wire.ready()
    old = sent(wire.change(voice="cedar"))
    wire.link.broken()

    assert wire.refuse(old) is None
    wire.opened()
    assert wire.refuse(old) is None


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


# Renewal.


def renewed_after_s(wire):
    """How long after its opening the session would be renewed."""
    begun, now = wire.now, wire.now
    while not (outputs := wire.link.renew(now)):
        now += 1.0
    assert outputs == [Renew()]
    return now - begun


def expires_in(seconds):
    return UNIX_S + 100.0 + seconds


def test_a_session_is_renewed_before_it_is_an_hour_old_and_once():
    wire = Wire()
    assert wire.link.renew(10**9) == [], "there is no session yet"
    wire.ready()

    assert renewed_after_s(wire) == RENEW_AFTER_S
    assert wire.link.renew(10**9) == []


@pytest.mark.parametrize("event", [SessionCreated, SessionUpdated])
@pytest.mark.parametrize(
    ("expires_at", "after_s"),
    [
        (expires_in(3600), RENEW_AFTER_S),
        (expires_in(7200), RENEW_AFTER_S),
        (expires_in(1800), 1800 - RENEW_BEFORE_S),
        (expires_in(400), 200),
        (expires_in(130), 65),
        (expires_in(100), SHORTEST_SESSION_S),
        (expires_in(1), SHORTEST_SESSION_S),
        (expires_in(0), RENEW_AFTER_S),
        (expires_in(-500), RENEW_AFTER_S),
        (1.0, RENEW_AFTER_S),
        (expires_in(10**11), RENEW_AFTER_S),
        (None, RENEW_AFTER_S),
    ],
)
def test_a_session_is_renewed_before_the_server_ends_it(event, expires_at, after_s):
    wire = Wire()
    wire.opened()
    wire.receive(event(expires_at, False) if event is SessionUpdated else event(expires_at, ""))

    assert renewed_after_s(wire) == after_s


def test_the_end_of_a_session_counts_from_when_it_was_told():
    wire = Wire()
    wire.ready()
    wire.now += 1000
    wire.receive(SessionUpdated(expires_in(1800), interrupts=True))
    wire.now -= 1000

    assert renewed_after_s(wire) == 1800 - RENEW_BEFORE_S


def test_an_end_told_after_the_renewal_begins_no_second_one():
    wire = Wire()
    wire.ready()
    wire.link.renew(wire.now + RENEW_AFTER_S)

    wire.receive(SessionUpdated(expires_in(1), interrupts=True))

    assert wire.link.renew(10**9) == []


def test_a_broken_session_is_not_renewed():
    wire = Wire()
    wire.ready()
    wire.link.broken()

    assert wire.link.renew(10**9) == []


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 1000), max_size=4))
def test_no_server_has_its_sessions_renewed_in_a_loop(ends):
    """Each of these sessions says of itself, again and again, that it ends soon."""
    wire = Wire()
    for end in ends:
        begun = wire.now
        wire.ready()
        while not wire.link.renew(wire.now):
            wire.now += 20
            wire.receive(SessionUpdated(UNIX_S + wire.now + end, interrupts=True))
        assert wire.now - begun >= SHORTEST_SESSION_S
