"""What the session does about errors, lost sockets and servers that mean harm."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.audio import FRAME_BYTES
from components.core.conversation import MOST_CHARACTERS, Assistant, Connection, Status, User
from components.core.intake import (
    GAP_FRAMES,
)
from components.core.link import CREATED_LIMIT_S, RENEW_AFTER_S, RENEW_BEFORE_S, UPDATED_LIMIT_S
from components.core.outputs import Hangup, Renew, RunTool, Show
from components.core.replies import MOST_REPEATS
from components.core.retries import FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_TRIES, STEADY_S
from components.protocol.failures import Failure, Severity
from components.protocol.reading import server_event
from tests.dialogue import FRAME, LOST, UNIX_S, Call, only, reconnect
from tests.hostile_events import events


@pytest.fixture
def call():
    return Call().ready()


@pytest.fixture
def talking(call):
    return call.talk()


@pytest.mark.parametrize(
    "error",
    [
        {"code": "response_cancel_not_active", "message": "Cancellation failed"},
        {"message": "Audio content of 400ms is already shorter than 420ms"},
        {"code": "input_audio_buffer_commit_empty"},
    ],
)
def test_harmless_race_is_not_shown(call, error):
    call.receive("error", error=error)

    assert call.conversation.notice == ""
    assert not any(isinstance(output, Show) for output in call.outputs)


def test_other_error_is_shown_until_the_next_answer(call):
    call.receive("error", error={"code": "odd", "message": "Something odd."})
    assert "Something odd." in call.conversation.notice

    call.receive("response.created", response={"id": "r1"})
    assert call.conversation.notice == ""


@pytest.mark.parametrize("error", [None, "nonsense", {}])
def test_shapeless_error_is_survived(call, error):
    call.receive("error", error=error)

    assert call.conversation.connection is Connection.CONNECTED


def test_permanent_error_ends_the_call(call):
    call.receive("error", error={"code": "insufficient_quota", "message": "…"})

    assert call.conversation.connection is Connection.FAILED
    assert "credit" in call.conversation.notice
    assert isinstance(call.outputs[-1], Hangup)


def test_response_that_fails_for_good_ends_the_call(call):
    details = {"type": "failed", "error": {"code": "insufficient_quota"}}
    call.receive("response.created", response={"id": "r1"})
    call.finish(status="failed", status_details=details)

    assert call.conversation.connection is Connection.FAILED


def test_failed_response_is_reported_and_the_call_goes_on(call):
    call.receive("response.created", response={"id": "r1"})
    call.finish(status="failed", status_details="odd")

    assert call.conversation.connection is Connection.CONNECTED
    assert call.conversation.notice
    assert call.conversation.assistant is Assistant.IDLE


def test_call_that_never_was_up_tells_why_it_failed():
    call = Call()
    call.do(call.session.connecting(call.now))
    call.lost()

    assert call.conversation.connection is Connection.FAILED
    assert call.conversation.notice == LOST.sentence
    assert isinstance(call.outputs[-1], Hangup)


def test_lost_call_is_taken_up_again(talking):
    talking.lost()

    assert talking.conversation.connection is Connection.RECONNECTING
    assert talking.conversation.user is User.LISTENING
    assert talking.message("a1").status is Status.LOST
    assert talking.pauses() == [FIRST_PAUSE_S * 0.75]

    talking.connected()
    talking.receive("session.created", session={})
    talking.receive("session.updated", session={})

    assert talking.conversation.connection is Connection.CONNECTED
    talking.answer("r2", "a2", ms=100)
    assert talking.message("a2").text


def test_pauses_between_tries_grow_and_end():
    call = Call(chance=lambda: 0.0).ready()
    for _ in range(MOST_TRIES):
        call.lost()

    assert call.pauses() == [0.5, 1.0, 2.0, 4.0, LONGEST_PAUSE_S]

    call.lost()

    assert call.conversation.connection is Connection.FAILED
    assert call.conversation.notice == LOST.sentence


def test_successful_try_counts_anew(call):
    call.lost()
    call.connected()
    call.receive("session.updated", session={})
    call.outputs.clear()
    call.now += STEADY_S
    call.do(call.session.tick(call.now))
    call.lost()

    assert call.pauses() == [FIRST_PAUSE_S * 0.75]


def test_new_session_is_told_the_past_and_asked_for_nothing(talking):
    talking.receive("input_audio_buffer.speech_started", item_id="u2")
    talking.receive(
        "conversation.item.input_audio_transcription.completed", item_id="u2", transcript="Wait."
    )
    talking.sent()
    talking.lost()
    talking.connected()
    talking.receive("session.updated", session={})
    update, heard, wait = talking.sent()

    assert update["type"] == "session.update"
    assert heard["item"]["content"] == [{"type": "output_text", "text": "One two"}]
    assert wait["item"]["content"] == [{"type": "input_text", "text": "Wait."}]


def test_sound_during_the_gap_is_kept_only_as_long_as_it_is_fresh(call):
    call.lost()
    frames = [bytes([n, 0]) * 480 for n in range(GAP_FRAMES + 10)]
    for frame in frames:
        call.microphone(frame)
    call.connected()
    call.receive("session.updated", session={})

    assert call.appended() == frames[-GAP_FRAMES:]


def test_line_typed_during_the_gap_is_sent_afterwards(call):
    call.lost()
    call.do(call.session.say("Are you there?", call.now))
    assert call.sent() == []

    call.connected()
    call.receive("session.updated", session={})

    assert call.sent()[-1]["type"] == "response.create"


def test_new_socket_on_which_nothing_comes_is_given_up_for_another(call):
    call.lost()
    call.connected()
    call.outputs.clear()
    call.now += CREATED_LIMIT_S
    call.do(call.session.tick(call.now))

    assert len(call.pauses()) == 1
    assert call.conversation.connection is Connection.RECONNECTING


def test_permanent_loss_is_not_tried_again(call):
    call.lost(Failure(Severity.PERMANENT, "Wrong key."))

    assert call.conversation.connection is Connection.FAILED


def test_expired_session_is_healed_without_a_word(call):
    call.receive("error", error={"code": "session_expired"})

    assert call.conversation.notice == ""
    assert len(call.pauses()) == 1


def test_session_that_expires_before_it_stands_tells_why():
    call = Call()
    call.connected()
    call.receive("error", error={"code": "session_expired"})

    assert "time limit" in call.conversation.notice


def renewals(call):
    return [output for output in call.outputs if isinstance(output, Renew)]


def test_session_is_renewed_before_its_hour_is_over_when_nobody_speaks(call):
    call.now += RENEW_AFTER_S
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    call.do(call.session.tick(call.now))
    assert renewals(call) == []

    call.receive("input_audio_buffer.speech_stopped", item_id="u1")
    call.do(call.session.tick(call.now))
    assert renewals(call) == []

    call.answer(ms=100)
    call.finish()
    call.do(call.session.tick(call.now))
    assert renewals(call) == []

    call.play(20)
    call.do(call.session.tick(call.now))
    assert len(renewals(call)) == 1

    call.connected()
    call.receive("session.updated", session={})
    call.do(call.session.tick(call.now + 1))
    assert len(renewals(call)) == 1
    assert call.conversation.connection is Connection.CONNECTED


@pytest.mark.parametrize("event", ["session.created", "session.updated"])
def test_session_is_renewed_before_the_server_says_it_ends(event):
    call = Call()
    call.do(call.session.connecting(call.now))
    call.connected()
    expiry = {"expires_at": int(UNIX_S + call.now + 1200)}
    for type_ in ("session.created", "session.updated"):
        call.receive(type_, session=expiry if type_ == event else {})

    call.now += 1200 - RENEW_BEFORE_S - 1
    call.do(call.session.tick(call.now))
    assert Renew() not in call.outputs

    call.now += 1
    call.do(call.session.tick(call.now))
    assert call.outputs.count(Renew()) == 1


def test_history_that_comes_back_by_other_ids_appears_once(call):
    call.do(call.session.say("My name is Ada.", call.now))
    call.answer(text="Hello Ada.", ms=100)
    call.finish()
    call.play(50)
    call.lost()
    call.connected()
    call.sent()
    call.receive("session.updated", session={})
    before = [message.text for message in call.conversation.messages]
    previous = None
    for number, event in enumerate(call.sent("conversation.item.create")):
        item = {**event["item"], "id": f"theirs_{number}"}
        call.receive("conversation.item.added", item=item, previous_item_id=previous)
        previous = item["id"]

    assert before == ["My name is Ada.", "Hello Ada.", "reconnected"]
    assert [message.text for message in call.conversation.messages] == before


def test_renewed_session_gets_no_sound_before_it_is_configured(call):
    call.connected()
    call.microphone(b"\5" * FRAME_BYTES)
    assert call.appended() == []

    call.receive("session.updated", session={})
    assert call.appended() == [b"\5" * FRAME_BYTES]


def test_last_complaint_explains_a_vague_loss():
    call = Call()
    call.connected()
    call.receive("error", error={"code": "rate_limit_exceeded"})
    call.lost()

    assert "busy" in call.conversation.notice


def test_clear_loss_is_told_as_it_is(call):
    call.receive("error", error={"code": "rate_limit_exceeded"})
    call.lost(Failure(Severity.PERMANENT, "Wrong key."))

    assert call.conversation.notice == "Wrong key."


def test_nothing_happens_after_the_end(call):
    call.do(call.session.hang_up(call.now, "Time is up."))
    call.outputs.clear()

    call.receive("response.created", response={"id": "r1"})
    call.microphone(FRAME)
    call.do(call.session.say("Hello", call.now))
    call.do(call.session.tick(call.now + 99))
    call.lost()
    call.connected()
    call.do(call.session.interrupt(call.now))

    assert call.sent() == []
    assert call.appended() == []
    assert call.conversation.connection is Connection.ENDED
    assert call.conversation.notice == "Time is up."


def test_marks_show_where_a_session_ended_and_another_began(talking):
    talking.finish()
    talking.play(100)
    reconnect(talking)

    assert [(m.role, m.text) for m in talking.conversation.messages[-2:]] == [
        ("assistant", "One two three four."),
        ("note", "reconnected"),
    ]

    talking.connected()
    talking.receive("session.updated", session={})
    assert [m.text for m in talking.conversation.messages[-1:]] == ["session renewed"]

    talking.answer("r2", "a2", text="More.", previous="a1")
    assert [m.text for m in talking.conversation.messages[-2:]] == ["session renewed", "More."]


def test_mark_waits_for_the_new_session(talking):
    talking.lost()

    assert all(m.role != "note" for m in talking.conversation.messages)


def test_call_in_which_nothing_was_said_needs_no_mark(call):
    reconnect(call)

    assert call.conversation.messages == ()


def test_session_that_is_dropped_again_and_again_is_given_up(call):
    for _ in range(MOST_TRIES):
        reconnect(call)
    call.lost()

    assert call.conversation.connection is Connection.FAILED


def test_refusal_of_the_settings_is_understood_without_an_id():
    call = Call()
    call.connected()
    call.sent()
    call.receive("error", error={"message": "Unknown transcription model."})

    assert only(call.sent("session.update"))


# A server that is busy


def busy(call, response="r1"):
    call.receive("response.created", response={"id": response})
    details = {"type": "failed", "error": {"code": "inference_rate_limit_exceeded"}}
    call.finish(response, status="failed", status_details=details)


def test_answer_is_asked_for_again_when_the_server_has_room(call):
    call.receive("rate_limits.updated", rate_limits=[{"remaining": 0, "reset_seconds": 8}])
    busy(call)
    assert call.conversation.notice == (
        "The server is busy. The answer is asked for again in 8 seconds."
    )
    assert call.sent() == []

    call.now += 7.9
    call.do(call.session.tick(call.now))
    assert call.sent() == []

    call.now += 0.2
    call.do(call.session.tick(call.now))
    assert only(call.sent())["type"] == "response.create"

    call.receive("response.created", response={"id": "r2"})
    assert call.conversation.notice == ""


def test_refused_request_is_made_again_too(call):
    call.do(call.session.say("one", call.now))
    request = only(call.sent("response.create"))["event_id"]
    call.receive("error", error={"type": "rate_limit_error", "event_id": request})
    call.now += 5
    call.do(call.session.tick(call.now))

    assert only(call.sent())["type"] == "response.create"


def test_server_that_stays_busy_is_left_alone(call):
    for number in range(MOST_REPEATS):
        busy(call, f"r{number}")
        call.now += 5
        call.do(call.session.tick(call.now))
        assert len(call.sent("response.create")) == 1
    busy(call, "last")
    call.now += 60
    call.do(call.session.tick(call.now))

    assert call.sent() == []
    assert "Wait a minute" in call.conversation.notice


def test_good_answer_earns_the_repeats_back(call):
    busy(call, "r1")
    busy(call, "r2")
    call.receive("response.created", response={"id": "r3"})
    call.finish("r3")
    busy(call, "r4")

    assert "asked for again" in call.conversation.notice


def test_failure_of_a_reply_that_was_stopped_is_not_repeated(talking):
    talking.do(talking.session.interrupt(talking.now))
    details = {"error": {"code": "inference_rate_limit_exceeded"}}
    talking.finish(status="failed", status_details=details)
    talking.now += 60
    talking.do(talking.session.tick(talking.now))

    assert talking.sent("response.create") == []


# A server that means harm


@settings(deadline=None)
@given(st.lists(events(), max_size=30), st.booleans())
def test_no_event_breaks_the_call(stream, push_to_talk):
    call = Call(turn_detection="push_to_talk" if push_to_talk else "server_vad").ready()
    for event in stream:
        outputs = call.do(call.session.receive(server_event(event), call.now))
        for run in [output for output in outputs if isinstance(output, RunTool)]:
            call.do(call.session.ran(run.call_id, run.arguments, call.now))
        call.now += 0.02
        call.do(call.session.tick(call.now))
        call.session.frame(call.now)
    for output in call.outputs:
        if isinstance(output, Show):
            orjson.dumps([output.conversation.notice, *map(str, output.conversation.messages)])
    assert len(call.conversation.notice) < 1500


def test_delta_of_a_hundred_megabytes_is_cut(call):
    call.receive("response.created", response={"id": "r1"})
    ids = {"response_id": "r1", "item_id": "a1"}
    call.receive("response.output_audio_transcript.delta", delta="x" * 10**8, **ids)
    call.receive("response.output_audio_transcript.delta", delta="x" * 10**8, **ids)

    assert len(call.message("a1").text) == MOST_CHARACTERS


def test_notes_of_absurd_length_are_cut(call):
    call.receive("session.created", session={"practice": {"notes": ["x" * 10**6]}})

    assert len(call.conversation.notice) == 1000


def test_second_greeting_does_not_end_a_call_that_stands(call):
    call.receive("session.created", session={})
    call.now += UPDATED_LIMIT_S + CREATED_LIMIT_S
    call.do(call.session.tick(call.now))

    assert call.conversation.connection is Connection.CONNECTED
