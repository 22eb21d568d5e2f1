"""Realtime Voice UI: `python app.py` opens a page to speak with a realtime voice model."""

import logging
import os
import sys
import warnings
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from components.call import Call
from components.media import browser_configuration, server_configuration
from components.page.layout import build
from components.practice.process import PracticeError, start_process
from components.settings import Settings, SettingsError, load


def main() -> int:
    """Run until interrupted; 2 if the settings cannot be used, 1 if something else is missing."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("components").setLevel(logging.INFO)
    try:
        settings = load(sys.argv[1:], os.environ, Path(".env"))
    except SettingsError as error:
        return _refuse(2, *error.problems)
    os.environ.update(settings.gradio_variables)
    try:
        run(settings)
    except PracticeError as error:
        return _refuse(1, str(error))
    except OSError as error:
        if settings.port is None or "port" not in str(error):
            raise
        return _refuse(
            2, f"Port {settings.port} is in use. Choose another with --port or GRADIO_SERVER_PORT."
        )
    return 0


def run(settings: Settings) -> None:
    """Practice server if there is no key, page, launch; everything is stopped on the way out."""
    # Gradio 5 announces the name that Gradio 6 gives this parameter; fastrtc keeps us on 5.
    warnings.filterwarnings("ignore", "The 'show_api' parameter", DeprecationWarning)
    with ExitStack() as stack:
        if settings.practice:
            practice = start_process(settings)
            stack.callback(practice.stop)
            settings = replace(settings, base_url=practice.base_url)
        demo = build(
            settings,
            Call(settings),
            rtc_configuration=browser_configuration(settings),
            server_rtc_configuration=server_configuration(settings),
        )
        demo.launch(
            server_name=settings.host,
            server_port=settings.port,
            share=settings.share,
            auth=settings.login,
            show_api=False,
            # Rendered by a Node server, the page would not wait for our scripts.
            ssr_mode=False,
        )


def _refuse(status: int, *sentences: str) -> int:
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
