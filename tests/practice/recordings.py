"""People who speak: recordings that ship in packages, and how many of their words are misheard.

Sentences of Jane Austen, read for LibriVox (public domain), are among the test data of pocketsphinx
5.1.1; as only its source has them, they lie in `austen`. The others come with moonshine-voice.

`python -m tests.practice.recordings` tells how both ears hear them, in quiet and in noise.
"""

import asyncio
import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np

from components.audio import SAMPLE_RATE
from components.practice.server.connection import Ears
from components.practice.speech import ears as small
from components.practice.speech.neural_ears import NeuralEars
from components.practice.speech.transcript import edit_distance
from tests.practice.speech_samples import SILENCE

_HERE: Final = Path(__file__).parent / "austen"
_AUSTEN: Final = {
    "0870": "and mister john dashwood had then leisure to consider how much there might be "
    "prudently in his power to do for them",
    "0880": "he was not an ill disposed young man",
    "0890": "unless to be rather cold hearted and rather selfish is to be ill disposed",
    "0920": "had he married a more a amiable woman he might have been made still more respectable "
    "than he was",
    "0930": "he might even have been made amiable himself",
}
_BECKETT: Final = "ever tried ever failed no matter try again fail again fail better"
_CITIES: Final = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age of "
    "foolishness it was the epoch of belief it was the epoch of incredulity it was the season of "
    "light it was the season of darkness it was the spring of hope it was the winter of despair we "
    "had everything before us we had nothing before us we were all going direct to heaven we were "
    "all going direct the other way in short the period was so far like the present period that "
    "some of its noisiest authorities insisted on its being received for good or for evil in the "
    "superlative degree of comparison only"
)
_PIECE_BYTES: Final = 4800
"""A tenth of a second."""


@dataclass(frozen=True)
class Recording:
    """What somebody says, and where it is heard."""

    path: Path
    words: str

    def pcm(self, above_noise_db: float | None = None) -> bytes:
        """24 kHz, with 300 ms before and 500 ms after it; in pink noise, if one says how soft."""
        samples = _decoded(self.path)
        if above_noise_db is not None:
            samples = samples + _pink(samples, above_noise_db)
        heard = np.clip(samples, -32_768, 32_767).astype(np.int16).tobytes()
        return SILENCE[:14_400] + heard + SILENCE[:24_000]


AUSTEN: Final = [Recording(_HERE / f"{name}.flac", w) for name, w in _AUSTEN.items()]


def of_moonshine(name: str, words: str) -> Recording:
    """A recording of the package, which is found but not run."""
    spec = importlib.util.find_spec("moonshine_voice")
    return Recording(Path(spec.origin or "" if spec else "").parent / "assets" / name, words)


BECKETT: Final = of_moonshine("beckett.wav", _BECKETT)
CITIES: Final = of_moonshine("two_cities.wav", _CITIES)


async def misheard(
    ears: Ears, recordings: list[Recording], above_noise_db: float | None = None
) -> float:
    """Words that are wrong, missing or invented, of those that were said."""
    wrong = said = 0
    utterance = None
    for recording in recordings:
        utterance = ears.listen(utterance)
        pcm = recording.pcm(above_noise_db)
        for start in range(0, len(pcm), _PIECE_BYTES):
            utterance.feed(pcm[start : start + _PIECE_BYTES])
            await asyncio.sleep(0)
        words = plain(recording.words)
        wrong += edit_distance(words, plain(await utterance.transcript(lambda _: None) or ""))
        said += len(words)
    return wrong / said


def plain(text: str) -> list[str]:
    """The words alone."""
    words = re.sub(r"[-—,.;:!?\"“”]", " ", text.lower()).split()
    return ["mister" if word == "mr" else word for word in words]


def _decoded(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)


def _pink(
    samples: np.ndarray[tuple[int], np.dtype[np.float64]], softer_db: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Noise of the same length, so much softer, always the same."""
    spectrum = np.fft.rfft(np.random.default_rng(7).standard_normal(len(samples)))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(samples))
    loudness = np.sqrt(np.mean(samples**2) / np.mean(noise**2))
    return np.asarray(noise * loudness * 10 ** (-softer_db / 20))


async def _tell() -> None:
    neural, pocketsphinx = NeuralEars(), small.Ears(1)
    groups = {"Austen": AUSTEN, "Beckett": [BECKETT], "A Tale of Two Cities": [CITIES]}
    for ears in (neural, pocketsphinx):
        await ears.start()
        for noise in (None, 10.0, 5.0):
            for name, recordings in groups.items():
                share = await misheard(ears, recordings, noise)
                where = "quiet" if noise is None else f"{noise:g} dB over noise"
                sys.stdout.write(f"{ears.name}, {name}, {where}: {share:.1%}\n")
        await ears.close()


if __name__ == "__main__":
    asyncio.run(_tell())
