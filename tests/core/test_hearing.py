"""Words follow their sound."""

from components.audio import FRAME_MS
from components.core.conversation import Conversation, interrupt
from components.core.hearing import Hearing
from components.core.transcript import reduce
from components.protocol.events import AudioDelta, TranscriptDelta
from components.protocol.reading import server_event

TEXT = "One two three four."


class Reply:
    """A reply whose words and sound a test lets come as it likes."""

    def __init__(self):
        self.hearing = Hearing()
        self.conversation = Conversation()
        self.now = 0.0

    def words(self, words, kind="delta", item_id="a1"):
        name = "delta" if kind == "delta" else "transcript"
        self.reduce(f"response.output_audio_transcript.{kind}", item_id=item_id, **{name: words})

    def reduce(self, type_, **fields):
        event = server_event({"type": type_, **fields})
        self.conversation = reduce(self.conversation, event)
        self.hearing.receive(event, self.conversation)

    def sound(self, ms):
        self.hearing.receive(AudioDelta("r1", "a1", 0, bytes(48 * ms)), self.conversation)

    def play(self, ms):
        for _ in range(ms // FRAME_MS):
            self.hearing.frame(self.now)
            self.now += FRAME_MS / 1000
        self.advance()

    def advance(self):
        self.conversation = self.hearing.advance(self.conversation, self.now)

    @property
    def heard(self):
        message = self.conversation.message("a1")
        assert message is not None
        return message.heard


def test_words_are_heard_with_their_sound():
    reply = Reply()
    reply.words(TEXT)
    reply.sound(1000)
    reply.hearing.finish()
    assert reply.heard == 0

    reply.play(500)
    assert 0 < reply.heard < len(TEXT)

    reply.play(1000)
    assert reply.heard == len(TEXT)


def test_words_whose_sound_is_over_are_heard_at_once():
    reply = Reply()
    reply.sound(100)
    reply.words("One")
    reply.hearing.finish()
    reply.play(300)
    reply.words("One two.", "done")
    reply.advance()

    assert reply.heard == len("One two.")


def test_words_of_an_interrupted_reply_stay_unheard():
    reply = Reply()
    reply.words(TEXT)
    reply.sound(1000)
    reply.conversation = interrupt(reply.conversation, "a1")
    reply.hearing.stop(reply.now)
    reply.play(1000)

    assert reply.heard == 0


def test_deleted_reply_is_forgotten():
    reply = Reply()
    reply.words(TEXT)
    reply.reduce("conversation.item.deleted", item_id="a1")
    reply.advance()

    assert reply.conversation.messages == ()


def test_words_that_come_only_at_the_end_are_not_taken_back():
    reply = Reply()
    reply.sound(1000)
    reply.words(TEXT, "done")
    reply.play(500)

    assert reply.heard is None


def test_words_of_nobody_leave_no_trace():
    reply = Reply()
    reply.words("x", item_id="")
    reply.advance()

    assert reply.conversation == Conversation()
    assert reply.hearing.unheard == frozenset()


def test_words_of_a_message_that_is_not_shown_are_not_waited_for():
    reply = Reply()
    reply.hearing.receive(TranscriptDelta("r1", "a9", 0, "x"), reply.conversation)

    assert reply.hearing.unheard == frozenset()


def test_items_that_still_sound_are_known():
    reply = Reply()
    reply.words(TEXT)
    reply.sound(100)
    reply.hearing.finish()
    assert reply.hearing.unheard == {"a1"}

    reply.play(300)
    assert reply.hearing.unheard == frozenset()


def test_reply_sounds_until_its_sound_is_over():
    reply = Reply()
    assert not reply.hearing.speaking(reply.now)
    assert not reply.hearing.has_sound

    reply.sound(100)
    reply.hearing.finish()
    assert reply.hearing.has_sound

    reply.play(20)
    assert reply.hearing.speaking(reply.now)

    reply.play(1000)
    assert not reply.hearing.has_sound
    assert not reply.hearing.speaking(reply.now)


def test_words_come_later_where_the_browser_holds_the_sound_back():
    heard = []
    for delay_s in (0.0, 0.5):
        reply = Reply()
        reply.hearing.delay(delay_s)
        reply.words(TEXT)
        reply.sound(1000)
        reply.play(600)
        heard.append(reply.heard)

    assert heard[1] < heard[0]
