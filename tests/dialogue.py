"""A call without a network: its session, its clock, and the server's lines by hand."""

from components.audio import FRAME_BYTES, encode
from components.core.allowance import Limits
from components.core.outputs import Reconnect, Send, SendAudio
from components.core.session import Session
from components.protocol.failures import Failure, Severity
from components.protocol.options import Refused, SessionOptions
from components.protocol.reading import server_event
from tests.wire import validate_client_event

FRAME = bytes(FRAME_BYTES)
UNIX_S = 1_800_000_000.0
"""The calendar's time where the call's own is 0."""
VAD = {"type": "server_vad", "interrupt_response": True, "create_response": True}


def options(**changes):
    return SessionOptions(
        **{
            "model": "gpt-realtime-2.1",
            "voice": "marin",
            "instructions": "Be kind.",
            "turn_detection": "server_vad",
            "transcription_model": "gpt-transcribe",
            **changes,
        }
    )


LOST = Failure(Severity.TRANSIENT, "The connection was lost.")


class Call:
    """A session, its clock, and all it has put out; the SDK judges every event it sends."""

    def __init__(self, *, limits=None, chance=lambda: 1.0, refused=None, past=None, **changes):
        self.session = Session(
            options(**changes),
            limits=limits or Limits(),
            chance=chance,
            refused=refused or Refused(),
            past=past,
        )
        self.now = 100.0
        self.outputs = []

    def do(self, outputs):
        for output in outputs:
            if isinstance(output, Send):
                validate_client_event(output.event)
        self.outputs += outputs
        return outputs

    def receive(self, type_, **fields):
        return self.do(self.session.receive(server_event({"type": type_, **fields}), self.now))

    def connected(self):
        return self.do(self.session.connected(self.now, UNIX_S + self.now))

    def lost(self, failure=LOST):
        return self.do(self.session.lost(failure, self.now))

    def microphone(self, pcm=FRAME):
        return self.do(self.session.microphone(pcm, self.now))

    def ready(self, turn_detection=VAD):
        self.do(self.session.connecting(self.now))
        self.connected()
        self.receive("session.created", session={})
        audio = {"input": {"turn_detection": turn_detection}}
        self.receive("session.updated", session={"audio": audio})
        self.outputs.clear()
        return self

    def answer(self, response="r1", item="a1", ms=1000, text="One two three four.", previous="u1"):
        """A reply arrives, faster than it can be heard, and is not finished."""
        self.receive("response.created", response={"id": response})
        entry = {"id": item, "type": "message", "role": "assistant", "content": []}
        self.receive("response.output_item.added", response_id=response, item=entry)
        self.receive("conversation.item.added", previous_item_id=previous, item=entry)
        ids = {"response_id": response, "item_id": item, "content_index": 0}
        self.receive("response.output_audio_transcript.delta", delta=text, **ids)
        self.receive("response.output_audio.delta", delta=encode(bytes(48 * ms)), **ids)

    def finish(self, response="r1", item="a1", **fields):
        ids = {"response_id": response, "item_id": item, "content_index": 0}
        self.receive("response.output_audio.done", **ids)
        self.receive(
            "response.done",
            response={"id": response, "status": "completed", "output": [], **fields},
        )

    def play(self, frames):
        """The playout clock runs; how many frames had sound."""
        sounded = 0
        for _ in range(frames):
            sounded += self.session.frame(self.now) is not None
            self.now += 0.02
        self.do(self.session.tick(self.now))
        return sounded

    def talk(self):
        """A reply of a second has arrived, of which 400 ms have been played."""
        self.answer()
        self.play(20)
        self.outputs.clear()
        return self

    def pauses(self):
        """Before each new try, in seconds."""
        return [output.pause_s for output in self.outputs if isinstance(output, Reconnect)]

    def sent(self, *types):
        """The events sent since the last time, or those of the types."""
        events = [o.event for o in self.outputs if isinstance(o, Send)]
        self.outputs = [o for o in self.outputs if not isinstance(o, Send)]
        return [e for e in events if not types or e["type"] in types]

    def appended(self):
        return [o.pcm for o in self.outputs if isinstance(o, SendAudio)]

    @property
    def conversation(self):
        return self.session.conversation

    def message(self, item_id):
        return self.conversation.message(item_id)


def only(items):
    [item] = items
    return item


def reconnect(call, failure=LOST):
    """The socket is lost, and another stands."""
    call.lost(failure)
    call.connected()
    call.receive("session.updated", session={})
