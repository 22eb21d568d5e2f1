"""Starts the parts in their order, and stops them in the reverse one."""

import logging
import os
import signal
import sys
import threading
import time
import warnings
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, Final

from starlette.middleware import Middleware

from components.access.files import raise_limit
from components.access.guard import Guard
from components.access.proxies import named_proxies
from components.access.rates import Rates
from components.access.repeats import BoundedHandler
from components.access.server import limited_server
from components.bridge.calls import Calls, key_of
from components.bridge.images import image_routes
from components.bridge.routes import inspection_routes, recording_routes
from components.bridge.trying import trying_routes
from components.core.places import Places
from components.direct.routes import direct_routes
from components.direct.sideband import Sidebands
from components.heap import keep_what_is_there
from components.media.ice import browser_configuration, server_configuration
from components.operating.draining import drain
from components.operating.json_lines import JsonLines
from components.operating.metrics import Metrics
from components.operating.routes import operating_routes, public_paths
from components.operating.sharing import ShareError, end_links, public_link
from components.page import saved
from components.page.early import early_tags
from components.page.layout import Header, build, shown_components
from components.page.missing import remember_missing
from components.page.news import News, look_less
from components.page.weight import Weight
from components.practice.server.process import PracticeProcess, start_process
from components.protocol.options import Refused
from components.protocol.prices import has_price, surcharge_at
from components.recording.folder import sweep
from components.replicas.replicas import replicas_of
from components.settings import Settings

log = logging.getLogger(__name__)

MOST_SESSIONS: Final = 500
"""Session states that Gradio keeps, at 28 KB each; anybody can make one up, and ours are empty."""
LOGIN_MESSAGE: Final = "After ten attempts, wait a minute."
CLOSING: Final = "The app is being stopped. Start again when it is back."
GOODBYE_S: Final = 1.0
"""All bridged calls together have so long to end, and then all direct ones."""
SLICE_S: Final = 0.5
CLOSE_LIMIT_S: Final = 1
"""The web server waits so long for requests that are under way."""
END_LIMIT_S: Final = 2.0
"""After the goodbyes, whatever still hangs."""
_ENDS: Final = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""The last of them is not known to Windows."""


class LaunchError(Exception):
    """The page cannot be served; the text is a sentence for the user."""


def launch(settings: Settings) -> None:
    """Serve until interrupted; `PracticeError` or `LaunchError` if that cannot begin."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", handlers=[BoundedHandler()])
    if settings.log_format == "json":
        logging.getLogger().handlers[0].setFormatter(JsonLines())
        logging.captureWarnings(True)
    logging.getLogger("components").setLevel(logging.INFO)
    # Gradio 5 announces the name that Gradio 6 gives this parameter; fastrtc keeps us on 5.
    warnings.filterwarnings("ignore", "The 'show_api' parameter", DeprecationWarning)
    practice = None
    with ExitStack() as stack:
        if settings.practice:
            ice = server_configuration(settings)
            practice = start_process(settings, ice_servers=ice["iceServers"])
            stack.callback(practice.stop)
            settings = replace(settings, base_url=practice.base_url)
            parts = practice.parts.items()
            log.info("practice server: %s", ", ".join(f"{k} {v or '-'}" for k, v in parts))
        _serve(settings, practice)


def _serve(settings: Settings, practice: PracticeProcess | None) -> None:
    """`practice` is the practice server, if it is used."""
    parts = practice.parts if practice else {}
    limits_cost = settings.max_call_cost or settings.max_visitor_cost
    if limits_cost and not settings.practice and not has_price(settings.model):
        log.warning("! no price is known for %s: limits of cost have no effect", settings.model)
    sweep()
    refused = Refused()
    places = Places(settings.max_calls, settings.calls_per_visitor)
    metrics = Metrics(settings.model, surcharge_at(settings.base_url))
    replicas = replicas_of(settings, places)
    calls = Calls(settings, refused, places, saved.files, metrics, replicas)
    rates = Rates(settings.rate_limit_storage)
    sidebands = Sidebands(settings, places, metrics, replicas)
    routes = direct_routes(
        settings, sidebands, rates, refused, places, lambda key: calls.recall(key_of(key)), replicas
    )
    routes += image_routes(calls)
    if "events" in settings.visitors_may:
        routes += inspection_routes(calls)
    if "tools" in settings.visitors_may:
        routes += trying_routes()
    if "record" in settings.visitors_may:
        routes += recording_routes(calls)
    routes += operating_routes(settings, metrics, places)
    guard = Guard(
        rates,
        settings.max_starts_per_minute,
        [route.path for route in routes],
        local=not settings.reachable,
        public=public_paths(settings),
    )
    demo = build(
        settings,
        calls,
        rates,
        rtc_configuration=browser_configuration(settings),
        server_rtc_configuration=server_configuration(settings),
        watching=sidebands if settings.direct else None,
        parts=parts,
    )
    try:
        with limited_server(raise_limit(), named_proxies(settings)):
            demo.launch(
                server_name=settings.host,
                server_port=settings.port,
                share=False,  # which Gradio would explain in five lines if it failed
                quiet=settings.share,
                auth=settings.login,
                auth_message=LOGIN_MESSAGE if settings.login else None,
                # Given here, they are there from the first request.
                app_kwargs={
                    "routes": routes,
                    "lifespan": guard.lifespan,
                    "middleware": [
                        Middleware(Weight, early=early_tags(shown_components(demo))),
                        Middleware(News, demo=demo),
                    ],
                },
                state_session_capacity=MOST_SESSIONS,
                show_api=False,
                # Rendered by a Node server, the page would not wait for our scripts.
                ssr_mode=False,
                # Gradio's own wait knows nothing of calls.
                prevent_thread_lock=True,
            )
    except OSError as error:
        raise LaunchError(_why_not(settings, error)) from error
    remember_missing()
    look_less(demo)
    keep_what_is_there()
    header = Header(demo, settings, parts)
    if practice:
        practice.on_parts = header.parts
        if practice.parts != parts:  # they have changed while the page was built
            header.parts(practice.parts)
    if settings.share and not settings.on_space:  # which is public by itself
        _share(demo, header)
    announce = log.info if settings.log_format == "json" else _announce
    if _wait_for_the_end() == signal.SIGTERM and settings.drain_seconds:
        metrics.draining.set(1)
        drain(places, settings.drain_seconds, _ENDS, announce)
    announce("Ending all calls…")
    calls.say_goodbye(CLOSING, GOODBYE_S)
    sidebands.say_goodbye(GOODBYE_S)
    _end_at_the_latest(END_LIMIT_S)
    end_links()
    demo.server.config.timeout_graceful_shutdown = CLOSE_LIMIT_S
    demo.close(verbose=False)


def _share(demo: Any, header: Header) -> None:
    """Make the public link, print it and show it in the page; or say why there is none."""
    sys.stdout.write(f"* Running on local URL:  {demo.local_url}\n")
    sys.stdout.flush()
    try:
        link = public_link(demo.server_name, demo.server_port)
    except ShareError as error:
        header.link("")
        log.warning("! %s", error)
        return
    header.link(link)
    sys.stdout.write(f"* Running on public URL: {link} (until the app ends, a week at the most)\n")
    sys.stdout.flush()


def _wait_for_the_end() -> int:
    """Until Ctrl-C, or until the system asks the process to end, or its terminal is closed: which
    signal that was.

    Only the first of these counts: one that came while the goodbyes are said would break them off,
    and calls that nobody here sees any more would go on without a limit.
    """
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _end_once)
    try:
        while True:  # a wait without end cannot be interrupted on Windows
            time.sleep(SLICE_S)
    except KeyboardInterrupt as asked:
        return int(asked.args[0]) if asked.args else signal.SIGINT


def _announce(words: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.write(f"{words}\n")
        sys.stderr.flush()


def _end_once(number: int, frame: object) -> None:
    for each in _ENDS:
        signal.signal(each, _go_on)
    raise KeyboardInterrupt(number)


def _go_on(number: int, frame: object) -> None:
    """The end has begun, and does not take long."""


def _end_at_the_latest(limit_s: float) -> None:
    """End this process after so long, if it has not ended by then.

    Python waits for its threads, and nothing wakes one that looks a name up while DNS is down.
    """
    timer = threading.Timer(limit_s, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _why_not(settings: Settings, error: OSError) -> str:
    if settings.port is None:
        return f"No page can be served at {settings.host}: {error}."
    return (
        f"GRADIO_SERVER_PORT (or --port) is {settings.port}, but that port is in use or not "
        f"allowed at {settings.host}. Choose another."
    )
