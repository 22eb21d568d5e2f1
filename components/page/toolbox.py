"""The pane of the tools: a switch for each function, a form to try it, and the MCP servers.

Rule: what the model is told of a function stands here as it is told. What came from a server or a
visitor is put in by the browser, as text.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import orjson

from components.protocol.toolbox import APPROVALS, LONGEST_ADDRESS
from components.tools import Tool


def pane(tools: Sequence[Tool]) -> str:
    """The HTML of the pane."""
    functions = "".join(_function(tool) for tool in tools)
    listed = f'<ul class="rv-functions">{functions}</ul>' if functions else _NONE
    return f"{_HEAD}{listed}{_SERVERS}"


def _function(tool: Tool) -> str:
    name = escape(tool.name, quote=True)
    schema = escape(orjson.dumps(tool.parameters, option=orjson.OPT_INDENT_2).decode())
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    fields = "".join(
        _field(tool.name, each, schema_of, required=each in required)
        for each, schema_of in properties.items()
    )
    return f"""\
<li data-function="{name}">
  <label class="rv-switch"><input type="checkbox" role="switch" name="{name}" checked>
    <b>{name}</b></label>
  <p>{escape(tool.description)}</p>
  <details><summary>Schema</summary><pre tabindex="0" role="group"
    aria-label="Schema of {name}">{schema}</pre></details>
  <details><summary>Try it</summary>
    <form data-try="{name}" autocomplete="off">{fields}<button type="submit">Run</button>
      <output aria-live="polite" tabindex="0" hidden></output></form></details>
</li>"""


def _field(function: str, name: str, schema: Mapping[str, Any], *, required: bool) -> str:
    """An argument's field; `data-kind` says how the browser makes JSON of what is written there."""
    kind = _kind(schema)
    described = escape(str(schema.get("description", "")))
    field_id = escape(f"try-{function}-{name}", quote=True)
    about = f'id="{field_id}" name="{escape(name, quote=True)}" data-kind="{kind}"'
    about += " required" if required and kind != "boolean" else ""
    value = _written(schema["default"], kind) if schema.get("default") not in (None, "") else ""
    match kind:
        case "choice":
            schema = next((each for each in schema.get("anyOf", ()) if "enum" in each), schema)
            first = "" if required else '<option value=""></option>'
            options = "".join(
                f"<option{' selected' * (str(each) == value)}>{escape(str(each))}</option>"
                for each in schema["enum"]
            )
            control = f"<select {about}>{first}{options}</select>"
        case "boolean":
            control = f'<input type="checkbox" {about}{" checked" * (value == "true")}>'
        case "integer" | "number":
            step = "1" if kind == "integer" else "any"
            control = f'<input type="number" step="{step}" {about} value="{value}">'
        case "text":
            control = f'<input type="text" {about} value="{escape(value, quote=True)}">'
        case _:
            control = f'<textarea rows="3" {about} placeholder="JSON">{escape(value)}</textarea>'
    label = f'<label for="{field_id}">{escape(name)}</label>'
    hint = f"<small>{described}</small>" if described else ""
    return f'<div class="rv-setting">{label}{control}{hint}</div>'


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(kinds) == 1:  # it may be left out
        return _kind(kinds[0])
    choices = schema.get("enum")
    if isinstance(choices, list) and all(isinstance(each, str) for each in choices):
        return "choice"
    kind = schema.get("type")
    if kind in ("boolean", "integer", "number"):
        return str(kind)
    return "text" if kind == "string" else "json"


def _written(value: Any, kind: str) -> str:
    return str(value) if kind in ("text", "choice") else orjson.dumps(value).decode()


_HEAD: Final = """\
<p>What the assistant may call in your calls through this app. A switch takes effect at once.
  <small id="told-tools" class="rv-told" aria-live="polite"></small></p>
<h2>Functions</h2>
"""
_NONE: Final = "<p>This app has none. Add yours in <code>components/tools.py</code>.</p>"
_ASKED: Final = {"always": "before each call", "never": "never"}
_SERVERS: Final = f"""\
<h2>MCP servers</h2>
<p>The model's own server calls them, so they must be reachable from there. Add only those you
  trust: what they answer, the assistant reads.</p>
<ul class="rv-functions" id="mcp-servers"></ul>
<form id="mcp-form" class="rv-mcp" autocomplete="off">
  <div class="rv-setting"><label for="mcp-label">Label</label>
    <input type="text" id="mcp-label" required maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9_\\-]*"
      title="Letters, digits, - and _"></div>
  <div class="rv-setting"><label for="mcp-url">Address</label>
    <input type="url" id="mcp-url" required maxlength="{LONGEST_ADDRESS}"
      placeholder="https://example.com/mcp"></div>
  <div class="rv-setting"><label for="mcp-approval">Ask me</label>
    <select id="mcp-approval">{
    "".join(f'<option value="{each}">{_ASKED[each]}</option>' for each in APPROVALS)
}</select></div>
  <button type="submit">Add server</button>
</form>
"""
