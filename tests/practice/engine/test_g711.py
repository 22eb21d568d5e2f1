"""Telephone sound, held against FFmpeg's own codecs and against the sound that went in."""

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from components.audio import decode, encode
from components.practice.engine.g711 import LEVELS, PCM, PCMA, PCMU, decoder, encoder
from components.practice.engine.outputs import Detect
from tests.practice.drive import Drive, Outputs

CODECS = {PCMU: "pcm_mulaw", PCMA: "pcm_alaw"}
LATE = 48
"""Samples at 24 kHz: both filters."""


def ffmpegs(format_type: str, coded: bytes) -> NDArray[np.int16]:
    """The samples that FFmpeg makes of these bytes."""
    context = av.CodecContext.create(CODECS[format_type], "r")
    context.sample_rate, context.layout = 8000, "mono"  # type: ignore[attr-defined]
    [frame] = context.decode(av.Packet(coded))  # type: ignore[attr-defined]
    return np.asarray(frame.to_ndarray()[0], np.int16)


def sine(hertz: float, length_ms: int = 200) -> bytes:
    at = np.arange(24 * length_ms) / 24_000
    return (10_000 * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()


def samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


@pytest.mark.parametrize("format_type", [PCMU, PCMA])
def test_every_byte_stands_for_what_ffmpeg_makes_of_it(format_type: str) -> None:
    assert (LEVELS[format_type] == ffmpegs(format_type, bytes(range(256)))).all()


@pytest.mark.parametrize("format_type", [PCMU, PCMA])
@pytest.mark.parametrize("hertz", [200, 1000, 2500])
def test_a_voice_comes_back_as_it_went(format_type: str, hertz: float) -> None:
    pcm = sine(hertz)

    coded = encoder(format_type)(pcm)
    back = samples(decoder(format_type)(coded))

    assert (len(coded), len(back)) == (8 * 200, 24 * 200)
    error = back[LATE:] - samples(pcm)[:-LATE]
    assert 20 * np.log10(np.std(samples(pcm)) / np.std(error[240:])) > 25


@pytest.mark.parametrize("format_type", [PCMU, PCMA])
def test_what_a_telephone_cannot_carry_does_not_come_back_as_another_tone(format_type: str) -> None:
    back = samples(decoder(format_type)(encoder(format_type)(sine(5500))))

    assert np.std(back[480:]) < 0.01 * np.std(samples(sine(5500)))


@pytest.mark.parametrize("format_type", [PCM, PCMU, PCMA])
@pytest.mark.parametrize("piece", [2, 14, 320, 962])
def test_pieces_give_the_same_as_the_whole(format_type: str, piece: int) -> None:
    pcm = sine(700)
    encode_one, decode_one = encoder(format_type), decoder(format_type)

    coded = b"".join(encode_one(pcm[at : at + piece]) for at in range(0, len(pcm), piece))
    back = b"".join(decode_one(coded[at : at + piece]) for at in range(0, len(coded), piece))

    assert coded == encoder(format_type)(pcm)
    assert back == decoder(format_type)(coded)


def telephone(format_type: str) -> Drive:
    drive = Drive()
    coded = {"format": {"type": format_type}}
    updated = drive.update(audio={"input": coded, "output": coded})
    session = updated.event("session.updated")["session"]["audio"]
    assert (session["input"]["format"], session["output"]["format"]) == (coded["format"],) * 2
    return drive


@pytest.mark.parametrize("format_type", [PCMU, PCMA])
def test_a_call_by_telephone_is_heard_and_answered_in_its_format(format_type: str) -> None:
    drive = telephone(format_type)
    coded = encoder(format_type)(sine(700, 40))

    heard = b"".join(
        drive.send("input_audio_buffer.append", audio=encode(half)).one(Detect).pcm
        for half in (coded[:160], coded[160:])
    )
    drive.type("Hello.")
    answer = drive.say(drive.think(drive.send("response.create")), "Good day.")

    assert heard == decoder(format_type)(coded)
    deltas = [e["delta"] for e in answer.events if e["type"] == "response.output_audio.delta"]
    assert [len(decode(delta)) for delta in deltas] == [1600, 1600]
    shown = answer.event("response.done")["response"]["audio"]["output"]["format"]
    assert shown == {"type": format_type}


@pytest.mark.parametrize(("role", "kind"), [("user", "input_audio"), ("assistant", "output_audio")])
def test_an_items_sound_comes_and_goes_in_the_sessions_format(role: str, kind: str) -> None:
    drive = telephone(PCMU)
    part = {"type": kind, "audio": encode(encoder(PCMU)(sine(700)))}
    item = {"id": "i1", "type": "message", "role": role, "content": [part]}

    drive.send("conversation.item.create", item=item)
    kept: Outputs = drive.send("conversation.item.retrieve", item_id="i1")

    [content] = kept.event("conversation.item.retrieved")["item"]["content"]
    assert len(decode(content["audio"])) == 1600


def test_one_response_may_be_spoken_in_another_format() -> None:
    drive = Drive()
    drive.type("Hello.")
    wanted = {"audio": {"output": {"format": {"type": PCMA}}}}

    answer = drive.say(drive.think(drive.send("response.create", response=wanted)), "Day.")

    assert len(decode(answer.event("response.output_audio.delta")["delta"])) == 1600


def test_an_append_is_limited_by_the_sound_in_it() -> None:
    drive = telephone(PCMU)

    refused = drive.send("input_audio_buffer.append", audio=encode(bytes(3 * 1024 * 1024)))

    assert refused.error["param"] == "audio"


def test_no_sound_stays_no_sound_and_changes_nothing() -> None:
    encode_one, pcm = encoder(PCMU), sine(700)

    assert encode_one(b"") + encode_one(pcm[:100]) + encode_one(b"") == encoder(PCMU)(pcm[:100])
    assert decoder(PCMU)(b"") == b""
