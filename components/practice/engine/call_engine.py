"""The engine of a WebRTC call: its sound goes to a playout buffer instead of into events.

Rule: what was played is known here, so a barge-in truncates the item without being asked, and the
`output_audio_buffer` events bracket the sound and not its generation.
"""

from contextlib import suppress
from typing import Any

from components.audio import decode
from components.practice.engine.engine import Engine, counting_ids
from components.practice.engine.g711 import Coder
from components.practice.engine.outputs import Event, NewId, Outbox, Output
from components.practice.engine.playout import Place, Playout
from components.practice.engine.schema import RefusedError


class _CallOutbox(Outbox):
    """Puts the sound where it is played from."""

    def __init__(self, new_id: NewId, playout: Playout) -> None:
        super().__init__(new_id)
        self._playout = playout

    def encoder(self, _format_type: str) -> Coder:
        """None: a track has a codec of its own."""
        return bytes

    def emit(self, type_: str, **fields: Any) -> None:
        if type_ == "response.output_audio.delta":
            place = Place(fields["response_id"], fields["item_id"], fields["content_index"])
            self._playout.add(place, decode(fields["delta"]))
            return
        if type_ == "response.done":
            self._playout.finish(fields["response"]["id"])
        super().emit(type_, **fields)


class CallEngine(Engine):
    """As `Engine`; the microphone comes by `microphone`, the sound goes by `frame`."""

    def __init__(self, model: str, *, new_id: NewId | None = None, **settings: Any) -> None:
        self._playout = Playout()
        outbox = _CallOutbox(new_id or counting_ids(), self._playout)
        super().__init__(model, outbox=outbox, **settings)

    def microphone(self, pcm: bytes) -> list[Output]:
        """More sound of the caller. Nobody can tell a track to wait: a full buffer is emptied."""
        try:
            self._input_buffer.append(pcm)
        except RefusedError:
            self._input_buffer.clear()
        return self._outbox.drain()

    def frame(self) -> tuple[bytes | None, list[Output]]:
        """The 20 ms to play now, None for silence; and what there is to say about it."""
        before = self._playout.playing
        pcm = self._playout.take()
        after = self._playout.playing
        if before != after:
            self._announce("stopped", before)
            self._announce("started", after)
        return pcm, self._outbox.drain()

    def _barge_in(self, now: float) -> None:
        super()._barge_in(now)
        if self.session["audio"]["input"]["turn_detection"]["interrupt_response"]:
            self._cut()

    def _output_clear(self, _event: Event, _now: float) -> None:
        self._cut()

    def _cut(self) -> None:
        response_id, cuts = self._playout.cut()
        for cut in cuts:
            # An answer beside the conversation has no item in it, and one may have been deleted.
            with suppress(RefusedError):
                address: dict[str, Any] = {
                    "item_id": cut.place.item_id,
                    "content_index": cut.place.content_index,
                    "audio_end_ms": cut.played_ms,
                }
                self._conversation.truncate(**address)
                self._outbox.emit("conversation.item.truncated", **address)
        self._announce("cleared", response_id)

    def _announce(self, change: str, response_id: str | None) -> None:
        if response_id is not None:
            self._outbox.emit(f"output_audio_buffer.{change}", response_id=response_id)
