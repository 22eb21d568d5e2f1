"""Why a request goes no further: a status, and one sentence that says what to do."""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response


class Refusal(Exception):  # noqa: N818
    """The answer to a request that goes no further."""

    def __init__(self, status: int, code: str, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        # Gradio's page shows `detail`.
        body = {"error": {"code": code, "message": sentence}, "detail": sentence}
        self.response: Response = JSONResponse(body, status, headers)


def foreign_name() -> Refusal:
    """For a request that calls a page of this machine by the name of another."""
    sentence = (
        "Only its own machine may open this page, as localhost; a proxy before it must be named in "
        "FORWARDED_ALLOW_IPS."
    )
    return Refusal(403, "forbidden_host", sentence)


def too_long() -> Refusal:
    """For a body that is longer than its limit; it is not read to its end."""
    return Refusal(413, "too_long", "The request is too long.")


def too_many(what: str) -> Refusal:
    """For what a visitor does too often; `what` is plural."""
    sentence = f"Too many {what} came from here. Wait a minute, then try again."
    return Refusal(429, "too_many_requests", sentence, **{"Retry-After": "60"})


def login_needed(request: Request, path: str) -> Refusal:
    """For a visitor without login: a page leads to the login, all else is refused.

    `path` is without the root path.
    """
    refusal = Refusal(401, "login_required", "Log in to the page of this app first.")
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        refusal.response = RedirectResponse("../" * (path.count("/") - 1) or "./", 303)
    return refusal
