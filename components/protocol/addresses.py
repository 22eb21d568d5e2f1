"""Where the Realtime server is, and what authorises a connection to it.

Rule: a key goes to the server of the settings, whichever that is, and with it the name by which
that server may know the visitor for whom it is asked.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit


def realtime_url(base_url: str, model: str) -> str:
    """The WebSocket address of a base URL, whichever of its usual forms it has."""
    parts = urlsplit(base_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path.rstrip("/")
    if not path.endswith("/realtime"):
        path += "/realtime"
    query = parts.query
    if not re.search(r"(^|&)(model|deployment|call_id)=", query):
        query = f"{query}&" * bool(query) + f"model={quote(model, safe='')}"
    return urlunsplit((scheme, parts.netloc, path, query, ""))


def headers(url: str, api_key: str, identifier: str = "") -> Mapping[str, str]:
    """What authorises a connection. Azure takes keys under a name of its own.

    `identifier` names the visitor for whom it is made, as `access.visitor` writes it; empty for
    what no visitor has asked for.
    """
    if not api_key:
        return {}
    visitor = {"OpenAI-Safety-Identifier": identifier} if identifier else {}
    if (urlsplit(url).hostname or "").endswith(".openai.azure.com"):
        return {"api-key": api_key, **visitor}
    return {"Authorization": f"Bearer {api_key}", **visitor}
