"""The settings of a session that the user changes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.link import MOST_UPDATES, TOO_FAST, Agreement
from components.protocol.failures import Severity
from components.protocol.fields import Json
from components.protocol.options import session_update
from tests.dialogue import options
from tests.link import UPDATED, Wire, complaint, sent
from tests.wire import merged


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


def test_a_refusal_that_names_no_event_is_about_the_oldest_change():
    """Else it would be taken for in force when the next one is confirmed."""
    wire = Wire()
    wire.ready()
    wire.change(turn_detection="push_to_talk")
    wire.change(turn_detection="push_to_talk", voice="cedar")

    assert complaint(wire.refuse()).instead.startswith("The server refuses the change.")
    wire.receive(UPDATED)

    assert wire.link.options == options(voice="cedar")


@pytest.mark.parametrize(
    "code", ["conversation_already_has_active_response", "rate_limit_exceeded", "server_error"]
)
def test_what_a_known_code_tells_of_is_no_refusal_of_a_change(code):
    wire = Wire()
    wire.ready()
    wire.change(voice="cedar")

    assert wire.refuse(code=code) is None
    wire.receive(UPDATED)
    assert wire.link.options == options(voice="cedar")


def test_a_refusal_stands_with_its_option_until_that_is_changed_again():
    wire = Wire()
    wire.ready()
    wire.change(voice="nobody", instructions="Be brief.")
    complaint(wire.refuse(param="session.audio.output.voice", message="No such voice."))
    sentence = "The server reports: No such voice."
    assert wire.link.agreement == Agreement(
        options(), options(), {"voice": sentence, "instructions": sentence}
    )

    wire.change(voice="cedar")
    assert wire.link.agreement == Agreement(
        options(), options(voice="cedar"), {"instructions": sentence}
    )
    wire.receive(UPDATED)
    assert wire.link.agreement.confirmed == options(voice="cedar")


def test_changes_that_nobody_answers_do_not_pile_up():
    wire = Wire()
    wire.ready()
    for number in range(MOST_UPDATES):
        sent(wire.change(instructions=f"Be {number}."))

    assert wire.change(instructions="Be quick.") == []
    assert wire.link.agreement.refusals == {"instructions": TOO_FAST}
    assert wire.link.agreement.wanted.instructions == f"Be {MOST_UPDATES - 1}."

    wire.receive(UPDATED)
    sent(wire.change(instructions="Be quick."))
    assert wire.link.agreement.refusals == {}


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


SOME_CHANGES: st.SearchStrategy[dict[str, str | None]] = st.fixed_dictionaries(
    {},
    optional={
        "voice": st.sampled_from(["marin", "cedar"]),
        "turn_detection": st.sampled_from(["server_vad", "semantic_vad", "push_to_talk"]),
        "noise_reduction": st.sampled_from(["far_field", "near_field", None]),
        "transcription_model": st.sampled_from(["gpt-transcribe", "whisper-1", None]),
        "model": st.just("gpt-realtime"),
    },
)


@settings(deadline=None)
@given(st.lists(SOME_CHANGES | st.sampled_from(["confirm", "refuse", "break"]), max_size=20))
def test_what_is_taken_for_in_force_is_what_the_server_has_confirmed(steps):
    """A server that answers every update in order, by its event or without naming it."""
    wire = Wire()
    held = wire.ready()["session"]
    waiting: list[Json] = []
    for step in steps:
        if step == "break":
            wire.link.broken()
            held, waiting = wire.ready()["session"], []
        elif step == "confirm" and waiting:
            held = merged(held, waiting.pop(0)["session"])
            wire.receive(UPDATED)
        elif step == "refuse" and waiting:
            refused = waiting.pop(0)
            complaint(wire.refuse(refused if len(waiting) % 2 else None))
        elif isinstance(step, dict) and (outputs := wire.change(**step)):
            waiting.append(sent(outputs))

    assert session_update(wire.link.options, "e")["session"] == held
