"""The pane in which a call is tuned: a field for each setting that visitors may change.

Rule: what visitors may not change is not on the page, neither its field nor its value. The values
come from the app when a call begins (settings.js); what stands here is how they are asked for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

from components.protocol.options import SessionOptions
from components.protocol.wishes import shown
from components.settings import VOICES, Settings


@dataclass(frozen=True, slots=True)
class Field:
    """How one setting is asked for."""

    label: str
    kind: str
    """`choice`, `text`, `words` (several lines) or `number`."""
    choices: Mapping[str, str] | None = None
    """Of a choice: the values, and what they are called. Of a text: what is proposed."""
    bounds: tuple[float, float, float] = (0, 1, 1)
    """Of a number: the least, the most, the step."""
    hint: str = ""


MODELS: Final = (
    *("gpt-realtime-2.1", "gpt-realtime-2.1-mini"),
    *("gpt-realtime-2", "gpt-realtime-1.5"),
)
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "ja", "zh")
"""Those that are proposed; others can be written."""


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


GROUPS: Final[Mapping[str, Mapping[str, Field]]] = {
    "Assistant": {
        "instructions": Field("Instructions", "words", hint="Who it is, and how it speaks."),
        "voice": Field("Voice", "text", _same(*VOICES)),
        "speed": Field("Speed", "number", bounds=(0.25, 1.5, 0.05)),
        "first_word": Field(
            "Who speaks first", "choice", {"user": "you", "assistant": "the assistant"}
        ),
        "model": Field(
            "Model",
            "text",
            _same(
                "gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2", "gpt-realtime-1.5"
            ),
        ),
        "effort": Field(
            "Reasoning",
            "choice",
            _same("minimal", "low", "medium", "high", "xhigh"),
            hint="For models that reason: more is better, and later.",
        ),
        "longest_answer": Field("Longest answer, in tokens", "number", bounds=(1, 4096, 1)),
        "retention": Field(
            "Kept of a long conversation",
            "number",
            bounds=(0.1, 1, 0.05),
            hint="The share that stays when the model's memory is full.",
        ),
    },
    "Turns": {
        "turn_detection": Field(
            "Your turn ends",
            "choice",
            {
                "server_vad": "when you fall silent",
                "semantic_vad": "when you have said what you wanted",
                "push_to_talk": "when you release the talk button",
            },
        ),
        "vad_silence_ms": Field("Silence that ends it, in ms", "number", bounds=(100, 10_000, 50)),
        "vad_threshold": Field("How loud a voice is, 0 to 1", "number", bounds=(0, 1, 0.05)),
        "vad_padding_ms": Field("Sound kept from before, in ms", "number", bounds=(0, 5_000, 50)),
        "vad_idle_ms": Field(
            "The assistant speaks up after, in ms",
            "number",
            bounds=(5_000, 30_000, 500),
            hint="Of silence; empty: never.",
        ),
        "eagerness": Field(
            "How soon it takes the word",
            "choice",
            _same("auto", "low", "medium", "high"),
            hint="Where the end is judged by what you have said.",
        ),
    },
    "Hearing": {
        "language": Field(
            "You speak",
            "text",
            _same("en", "de", "fr", "es", "it", "pt", "ja", "zh"),
            hint="Two letters.",
        ),
        "keywords": Field("Words it should know", "text", hint="With commas between them."),
        "transcription_model": Field(
            "Transcription",
            "text",
            _same("gpt-transcribe", "gpt-realtime-whisper", "gpt-4o-mini-transcribe", "whisper-1"),
            hint="Empty: your words are not written down.",
        ),
        "noise_reduction": Field(
            "Your microphone is",
            "choice",
            {"far_field": "on the desk", "near_field": "near your mouth", "": "left as it is"},
        ),
    },
}

EXAMPLES: Final[Mapping[str, str]] = {
    "Language partner": "You are a patient language partner. Speak the user's language slowly, in "
    "short sentences, and correct one mistake at a time, kindly.",
    "Interviewer": "You are a friendly job interviewer. Ask one question at a time, listen, and "
    "ask further where an answer stays vague. After five questions say what was good.",
    "Storyteller": "You tell bedtime stories to a child of five. Stop every few sentences and ask "
    "what should happen next. Nothing is frightening.",
}
"""Instructions to begin with."""


def pane(options: SessionOptions, allowed: Collection[str]) -> str:
    """The HTML of the pane; empty if visitors may change nothing."""
    values = shown(options)
    groups = []
    for title, fields in GROUPS.items():
        inner = "".join(
            _field(name, field, values[name]) for name, field in fields.items() if name in allowed
        )
        if inner:
            groups.append(f"<fieldset><legend>{title}</legend>{inner}</fieldset>")
    if not groups:
        return ""
    return f'<form class="rv-settings" id="settings-form">{"".join(groups)}</form>{_FOOT}'


def own_key(settings: Settings) -> str:
    """The field for a visitor's own key; none where no key is of use. It has no name, by which it
    would be a setting, and be kept."""
    if settings.practice:
        return ""
    return _OWN_KEY.format(host=escape(urlsplit(settings.base_url).hostname or ""))


def _field(name: str, field: Field, value: Any) -> str:
    told = f'<small id="told-{name}" class="rv-told" aria-live="polite"></small>'
    hint = f"<small>{escape(field.hint)}</small>" if field.hint else ""
    control = _control(name, field, "" if value is None else str(value))
    label = f'<label for="set-{name}">{field.label}</label>'
    return f'<div class="rv-setting" data-setting="{name}">{label}{control}{hint}{told}</div>'


def _control(name: str, field: Field, value: str) -> str:
    about = f'id="set-{name}" name="{name}" aria-describedby="told-{name}"'
    shown = escape(value, quote=True)
    match field.kind:
        case "words":
            return f'{_examples()}<textarea {about} rows="5" maxlength="16000">{shown}</textarea>'
        case "choice":
            options = "".join(
                f'<option value="{escape(choice, quote=True)}"{" selected" * (choice == value)}>'
                f"{escape(title)}</option>"
                for choice, title in (field.choices or {}).items()
            )
            return f"<select {about}>{options}</select>"
        case "number":
            least, most, step = field.bounds
            limits = f'min="{least}" max="{most}" step="{step}"'
            return f'<input type="number" {about} {limits} value="{shown}">'
    proposed = "".join(f'<option value="{escape(each)}">' for each in field.choices or ())
    listed = f'<datalist id="list-{name}">{proposed}</datalist>' if proposed else ""
    refers = f' list="list-{name}"' if proposed else ""
    return f'<input type="text" {about}{refers} value="{shown}" autocomplete="off">{listed}'


def _examples() -> str:
    options = "".join(
        f'<option value="{escape(words, quote=True)}">{escape(name)}</option>'
        for name, words in EXAMPLES.items()
    )
    return (
        '<select id="settings-example" aria-label="Examples of instructions">'
        f'<option value="">Begin with an example…</option>{options}</select>'
    )


_OWN_KEY: Final = """\
<div class="rv-settings rv-own-key"><fieldset>
  <legend>Your own key</legend>
  <div class="rv-setting"><label for="own-key">API key</label>
    <input type="password" id="own-key" maxlength="400" autocomplete="off" spellcheck="false"
      aria-describedby="told-own-key own-key-hint">
    <small id="told-own-key" class="rv-told" aria-live="polite"></small>
    <small id="own-key-hint">For the next call only, which it pays for. It goes to {host} by way of
      this app's server, and is kept nowhere.</small></div>
</fieldset></div>
"""

_FOOT: Final = """\
<div class="rv-settings-foot">
  <button type="button" id="settings-link">Copy as link</button>
  <button type="button" id="settings-env">Copy as .env</button>
  <button type="button" id="settings-reset">Reset</button>
</div>
"""
