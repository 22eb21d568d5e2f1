"""What the guard asks of Gradio's app, which has no public words for it."""

from collections.abc import Sequence

from gradio.routes import App

from components.access.admission import EVENTS


class GradioPage:
    """What the guard asks, of Gradio's app."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def started(self) -> bool:
        return bool(self._app.startup_events_triggered)

    @property
    def needs_login(self) -> bool:
        return self._app.auth is not None

    def knows(self, cookies: dict[str, str]) -> bool:
        name = self._app.cookie_id
        tokens = (cookies.get(f"access-token-{kind}{name}") for kind in ("", "unsecure-"))
        return any(token in self._app.tokens for token in tokens)

    def has(self, component_id: int, name: str) -> bool:
        block = self._app.get_blocks().blocks.get(component_id)
        return bool(getattr(getattr(block, name, None), "_is_server_fn", False))

    def inputs(self, fn_index: int) -> Sequence[bool] | None:
        event = self._app.get_blocks().fns.get(fn_index)
        if event is None or event.api_name not in EVENTS:
            return None
        return [getattr(each, "data_model", None) is not None for each in event.inputs]

    def waits(self, session_hash: str) -> bool:
        return session_hash in self._app.get_blocks()._queue.pending_messages_per_session
