"""Which of the things that the user should know is shown, as there is room for one sentence.

Rule: each subject says one thing at a time and takes back only its own. The most urgent is shown;
what it covered shows again once it is withdrawn.
"""

from enum import IntEnum


class Subject(IntEnum):
    """What a sentence is about, the most urgent first."""

    ENDING = 0
    """The call is about to end."""
    COMPLAINT = 1
    """The server has refused or failed something."""
    SERVER = 2
    """The server does not react."""
    MICROPHONE = 3
    HINT = 4


class Notices:
    """Told by subject, read as one sentence."""

    def __init__(self) -> None:
        self._sentences: dict[Subject, str] = {}
        self.sentence = ""
        """What to show; empty if there is nothing to say."""

    def tell(self, subject: Subject, sentence: str) -> None:
        """What there is to say on a subject now; nothing, if it is empty."""
        if self._sentences.get(subject, "") != sentence:  # asked for with every frame
            self._sentences[subject] = sentence
            self.sentence = next((said for _, said in sorted(self._sentences.items()) if said), "")

    def clear(self) -> None:
        """Nothing said so far holds any more."""
        self._sentences.clear()
        self.sentence = ""
