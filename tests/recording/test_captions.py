"""When the messages of a recording are heard in it."""

from components.core.conversation import Conversation, Message
from components.recording.captions import aligned
from components.recording.voices import Voice, Voices

BEGUN = 100.0


def said(role, since, until, item_id="m"):
    return Message(item_id, role, since_s=since and BEGUN + since, until_s=until and BEGUN + until)


def times(*messages, user=(), assistant=(), **heard):
    voices = Voices(Voice(onsets=list(user)), Voice(onsets=list(assistant)))
    since = {item_id: BEGUN + moment for item_id, moment in heard.items()}
    found = aligned(Conversation(messages=messages), since, BEGUN, voices)
    return [(round(m.since_s or 0, 3), round(m.until_s or 0, 3)) for m in found.messages]


def test_a_question_begins_with_the_voice_that_the_server_noticed_later():
    assert times(said("user", 5.3, 7.0), user=[1.0, 5.0, 9.0]) == [(5.0, 7.0)]


def test_a_typed_line_keeps_its_time():
    assert times(said("user", 5.3, 5.3), user=[1.0, 9.0]) == [(5.3, 5.3)]


def test_an_answer_begins_with_the_voice_nearest_to_its_first_word():
    assert times(said("assistant", 4.0, 9.0), assistant=[4.0, 5.1, 5.4], m=5.2) == [(5.1, 9.0)]


def test_an_answer_without_a_voice_near_it_begins_with_its_first_word():
    assert times(said("assistant", 4.0, 4.5), assistant=[9.0], m=5.2) == [(5.2, 5.2)]


def test_what_was_never_heard_keeps_the_time_at_which_it_was_shown():
    assert times(said("assistant", 4.0, 5.0), assistant=[4.2]) == [(4.0, 5.0)]


def test_what_was_over_before_is_left_out_and_what_went_on_begins_with_the_recording():
    over, unknown = said("user", -9, -5), said("user", None, None)
    assert times(over, unknown, said("assistant", -2, 3)) == [(0.0, 3.0)]
