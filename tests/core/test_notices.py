"""One sentence at a time."""

from components.core.notices import Notices, Subject


def test_nothing_is_said_at_first():
    assert Notices().sentence == ""


def test_most_urgent_is_shown_and_uncovers_the_rest_when_withdrawn():
    notices = Notices()
    notices.tell(Subject.HINT, "Hold the button.")
    notices.tell(Subject.ENDING, "Soon over.")
    notices.tell(Subject.COMPLAINT, "Refused.")
    assert notices.sentence == "Soon over."

    notices.tell(Subject.ENDING, "")
    assert notices.sentence == "Refused."

    notices.tell(Subject.COMPLAINT, "")
    assert notices.sentence == "Hold the button."


def test_a_subject_says_its_newest_sentence():
    notices = Notices()
    notices.tell(Subject.SERVER, "First.")
    notices.tell(Subject.SERVER, "Second.")

    assert notices.sentence == "Second."


def test_cleared_notices_say_nothing():
    notices = Notices()
    notices.tell(Subject.HINT, "Hold the button.")
    notices.clear()

    assert notices.sentence == ""


def test_subjects_are_as_urgent_as_their_order_says():
    notices = Notices()
    for subject in reversed(Subject):
        notices.tell(subject, subject.name)
        assert notices.sentence == subject.name

    for subject in Subject:
        assert notices.sentence == subject.name
        notices.tell(subject, "")
    assert notices.sentence == ""
