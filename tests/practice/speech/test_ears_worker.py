import pytest

pytest.importorskip("pocketsphinx")

from components.practice.speech.ears_worker import Recogniser
from components.practice.speech.resample import Resampler
from tests.practice.speech_samples import record, require_flite

pytestmark = pytest.mark.integration

FRAME = 640


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.fixture(scope="module")
def pcm(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Somebody asks for the time; 16 kHz."""
    require_flite()
    said = record(tmp_path_factory.mktemp("speech"), "what time is it", "slt")
    return Resampler(24_000, 16_000).feed(said)


def feed(recogniser: Recogniser, pcm: bytes) -> None:
    for start in range(0, len(pcm), FRAME):
        recogniser.feed(pcm[start : start + FRAME])


def test_the_first_utterance_gives_words_and_a_mean(recogniser: Recogniser, pcm: bytes) -> None:
    recogniser.begin("")
    feed(recogniser, pcm)
    words, mean = recogniser.end()

    assert words == "what time is it"
    assert len(mean.split(",")) == 13


def test_the_mean_is_of_use_for_the_next_utterance(recogniser: Recogniser, pcm: bytes) -> None:
    recogniser.begin("")
    feed(recogniser, pcm)
    _, mean = recogniser.end()
    recogniser.begin(mean)
    feed(recogniser, pcm)

    assert recogniser.end()[0] == "what time is it"


def test_a_short_first_utterance_is_decoded_at_its_end(recogniser: Recogniser, pcm: bytes) -> None:
    recogniser.begin("")
    recogniser.feed(pcm[: 2 * 16_000])
    words, _ = recogniser.end()
    assert words.startswith("what")


def test_nothing_is_recognised_outside_an_utterance(recogniser: Recogniser, pcm: bytes) -> None:
    recogniser.feed(pcm)
    assert recogniser.end() == ("", "")
    recogniser.begin("")
    assert recogniser.end() == ("", "")


def test_a_cancelled_utterance_leaves_nothing_behind(recogniser: Recogniser, pcm: bytes) -> None:
    for mean in ("", "49,0,0,0,0,0,0,0,0,0,0,0,0"):
        recogniser.begin(mean)
        recogniser.feed(pcm)
        recogniser.cancel()
        assert recogniser.end() == ("", "")


def test_a_new_utterance_ends_the_old_one(recogniser: Recogniser, pcm: bytes) -> None:
    recogniser.begin("")
    recogniser.feed(pcm)
    recogniser.begin("")
    feed(recogniser, pcm)
    assert recogniser.end()[0] == "what time is it"
