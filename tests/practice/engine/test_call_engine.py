"""The engine of a call: its sound is played, not sent."""

from typing import Any

from components.audio import BYTES_PER_MS
from components.practice.engine import input_buffer
from components.practice.engine.call_engine import CallEngine
from components.practice.engine.outputs import Detect
from tests.practice.drive import HOP_MS, Drive, Outputs, audio


class Call(Drive):
    """As `Drive`, with a call's engine."""

    def __init__(self, **settings: Any) -> None:
        self.now = 0.0
        self.engine: CallEngine = CallEngine("practice-engine", hop_ms=HOP_MS, **settings)
        self.opened = Outputs(self.engine.open(self.now))

    def play(self, frames: int) -> Outputs:
        """So many frames; what was said about them."""
        outputs = []
        for _ in range(frames):
            outputs += self.engine.frame()[1]
        return Outputs(outputs)


VAD = {"type": "server_vad", "silence_duration_ms": 500}


def test_sound_is_played_and_bracketed() -> None:
    call = Call()
    call.turn_detection(VAD)
    item_id, outputs = call.answered_turn("One two three.")
    response_id = outputs.event("response.done")["response"]["id"]

    assert "response.output_audio.delta" not in outputs.types
    assert "response.output_audio_transcript.delta" in outputs.types
    assert call.play(1).event("output_audio_buffer.started")["response_id"] == response_id
    assert call.play(29).types == []
    assert call.play(1).event("output_audio_buffer.stopped")["response_id"] == response_id
    assert call.play(1).types == []
    assert item_id


def test_barge_in_truncates_by_itself() -> None:
    call = Call()
    call.turn_detection(VAD)
    item_id, _ = call.answered_turn("One two three.")
    call.play(20)
    outputs = call.user_sounds(200, 0.9)

    truncated = outputs.event("conversation.item.truncated")
    assert (truncated["item_id"], truncated["audio_end_ms"]) == (item_id, 400)
    assert outputs.types.index("input_audio_buffer.speech_started") < outputs.types.index(
        "output_audio_buffer.cleared"
    )
    item = call.send("conversation.item.retrieve", item_id=item_id)
    content = item.event("conversation.item.retrieved")["item"]["content"]
    assert content[0]["transcript"] == "One two "


def test_barge_in_cancels_what_is_still_generated() -> None:
    call = Call()
    call.turn_detection(VAD)
    response_id = call.think(call.spoken_turn())
    call.engine.say(response_id, "One two three.", call.now)
    call.sound(response_id, "One two")
    call.play(5)
    outputs = call.user_sounds(200, 0.9)

    assert outputs.event("response.done")["response"]["status"] == "cancelled"
    assert outputs.event("conversation.item.truncated")["audio_end_ms"] == 100
    assert call.play(1).types == []


def test_barge_in_may_be_the_clients_business() -> None:
    call = Call()
    call.turn_detection({**VAD, "interrupt_response": False})
    call.answered_turn()
    call.play(1)

    assert "output_audio_buffer.cleared" not in call.user_sounds(200, 0.9).types


def test_speech_over_silence_clears_nothing() -> None:
    call = Call()
    call.turn_detection(VAD)

    assert "output_audio_buffer.cleared" not in call.user_sounds(200, 0.9).types


def test_the_client_may_clear_the_output() -> None:
    call = Call()
    call.turn_detection(VAD)
    call.answered_turn()
    call.play(1)
    outputs = call.send("output_audio_buffer.clear")

    assert outputs.types == ["conversation.item.truncated", "output_audio_buffer.cleared"]


def test_an_item_that_is_gone_is_not_truncated() -> None:
    call = Call()
    call.turn_detection(VAD)
    item_id, _ = call.answered_turn()
    call.play(1)
    call.send("conversation.item.delete", item_id=item_id)

    assert call.send("output_audio_buffer.clear").types == ["output_audio_buffer.cleared"]


def test_the_microphone_is_judged() -> None:
    call = Call()
    pcm = bytes(20 * BYTES_PER_MS)

    (detect,) = call.engine.microphone(pcm)
    assert isinstance(detect, Detect)
    assert detect.pcm == pcm


def test_a_microphone_that_nobody_commits_fills_no_memory() -> None:
    call = Call()
    call.turn_detection(None)
    for _ in range(3):
        call.send("input_audio_buffer.append", audio=audio(input_buffer.MAX_BUFFER_MS // 3))
    outputs = Outputs(call.engine.microphone(bytes(20 * BYTES_PER_MS)))

    assert "input_audio_buffer.cleared" in outputs.types
