"""What is sent first, and what is not sent at all."""

from components.upstream.outbox import (
    MOST_AUDIO,
    MOST_AUDIO_CHARACTERS,
    MOST_CHARACTERS,
    Outbox,
)


def everything_in(outbox):
    texts = []
    while (text := outbox.take()) is not None:
        texts.append(text)
    return texts


def test_events_and_sound_leave_in_the_order_they_came():
    outbox = Outbox()
    outbox.add("clear")
    outbox.add_audio("a1")
    outbox.add_audio("a2")
    outbox.add("commit")

    assert everything_in(outbox) == ["clear", "a1", "a2", "commit"]


def test_nothing_waits_in_an_empty_outbox():
    outbox = Outbox()
    assert not outbox
    assert outbox.take() is None

    outbox.add("clear")
    assert outbox


def test_only_the_newest_sound_waits_but_every_event_does():
    outbox = Outbox()
    outbox.add("first")
    for n in range(MOST_AUDIO):
        outbox.add_audio(f"early {n}")
    outbox.add("between")
    for n in range(MOST_AUDIO):
        outbox.add_audio(f"late {n}")
    outbox.add("last")

    late = [f"late {n}" for n in range(MOST_AUDIO)]
    assert everything_in(outbox) == ["first", "between", *late, "last"]


def test_what_has_left_makes_room_again():
    outbox = Outbox()
    for _ in range(3):
        for n in range(MOST_AUDIO):
            outbox.add_audio(str(n))
        assert everything_in(outbox) == [str(n) for n in range(MOST_AUDIO)]


def test_outbox_is_full_of_events_but_never_of_sound():
    outbox = Outbox()
    for _ in range(2 * MOST_AUDIO):
        outbox.add_audio("x" * (MOST_CHARACTERS // 50))
    outbox.add("x" * MOST_CHARACTERS)
    assert not outbox.full

    outbox.add("x")
    assert outbox.full

    everything_in(outbox)
    assert not outbox.full


def test_sound_that_waits_is_bounded_in_its_length_too():
    outbox = Outbox()
    outbox.add("event")
    for n in range(MOST_AUDIO):
        outbox.add_audio(f"{n} {'x' * (MOST_AUDIO_CHARACTERS // 10)}")
    waiting = everything_in(outbox)

    assert sum(map(len, waiting)) <= MOST_AUDIO_CHARACTERS
    assert [text.split()[0] for text in waiting] == ["event", *(str(n) for n in range(91, 100))]
    assert everything_in(outbox) == []


def test_a_frame_that_is_too_long_by_itself_is_not_taken():
    outbox = Outbox()
    outbox.add_audio("x" * (MOST_AUDIO_CHARACTERS + 1))

    assert outbox.take() is None
