"""What the settings ask of a session."""

from components.protocol.options import session_update
from components.settings import Settings
from components.tools import definitions
from components.upstream.configuration import session_options
from tests.wire import validate_client_event


def test_a_session_is_asked_for_what_the_settings_say_and_for_the_functions():
    settings = Settings(
        practice=False,
        voice="cedar",
        instructions="Be brief.",
        turn_detection="semantic_vad",
    )
    options = session_options(settings)

    assert (options.model, options.voice) == (settings.model, "cedar")
    assert options.instructions == "Be brief."
    assert options.turn_detection == "semantic_vad"
    assert list(options.tools) == definitions()
    validate_client_event(session_update(options, "settings_1"))
