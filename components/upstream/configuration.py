"""What the settings of this app ask of a session with a Realtime server.

Rule: every route asks for the same, but for what it cannot have.
"""

from components.protocol.options import SessionOptions
from components.settings import Settings
from components.tools import definitions


def session_options(settings: Settings) -> SessionOptions:
    """With the functions of `tools.py`: for a session in which this app can run them."""
    functions = tuple(definitions())
    return SessionOptions(
        model=settings.model,
        voice=settings.voice,
        instructions=settings.instructions,
        turn_detection=settings.turn_detection,
        transcription_model=settings.transcription_model,
        tools=functions,
        functions=functions,
    )
