"""Realtime Voice UI: `python app.py` opens a page to speak with a realtime voice model."""

import os
import sys
from pathlib import Path

from components.doctor.telling import tell_problems
from components.output import protect_output
from components.page.stubs import leave_stubs
from components.settings import Settings, SettingsError, load

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""


def main() -> int:
    """Run until interrupted; 2 if the settings cannot be used, 1 if a part cannot start.

    With `--doctor` examine the app instead; 1 if anything has failed.
    """
    protect_output()
    try:
        settings = load(sys.argv[1:], os.environ, Path(".env"))
    except SettingsError as error:
        if "--doctor" in sys.argv:
            return _examined(error)
        return _refuse(2, *error.problems)
    os.environ.update(settings.gradio_variables)
    leave_stubs()
    if settings.doctor:
        return _examined(settings)

    # Gradio reads its own variables while it is imported: not before they are checked and set.
    from components.launch import LaunchError, launch  # noqa: PLC0415
    from components.practice.server.process import PracticeError  # noqa: PLC0415

    try:
        launch(settings)
    except PracticeError as error:
        return _refuse(1, str(error))
    except LaunchError as error:
        return _refuse(2, str(error))
    except SettingsError as error:  # that shows only when it is tried
        return _refuse(2, *error.problems)
    except KeyboardInterrupt:  # while it starts
        return INTERRUPTED
    return 0


def _examined(what: Settings | SettingsError) -> int:
    """1 if something has failed, 0 if calls would work here."""
    if isinstance(what, SettingsError):
        return tell_problems(what.problems, "--json" in sys.argv)
    from components.doctor.examination import examine  # noqa: PLC0415

    return examine(what)


def _refuse(status: int, *sentences: str) -> int:
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
