"""Every knob of the program: read from flags, the environment and `.env`, checked in one place.

Rule: a flag beats the environment, the environment beats `.env`, an empty value counts as not set
(and an empty variable hides the one in `.env`, so that a key can be left out for one run).
All problems are collected and reported together, each naming its variable, what it got and what it
may be; a secret's value is never part of a message or a `repr`.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from components.environment import (
    HTTP,
    Environment,
    bracketed,
    is_url,
    one_of,
    read_dotenv,
    with_defaults_of_a_space,
    without_secrets,
)

TurnDetection = Literal["server_vad", "semantic_vad", "push_to_talk"]
Choice = Literal["auto", "on", "off"]
"""`auto` decides by who can open the page."""
LogFormat = Literal["text", "json"]
PracticePart = Literal["auto", "small"]

OPENAI_BASE_URL: Final = "https://api.openai.com/v1"
PRACTICE_MODEL: Final = "practice-engine"
MEMORY: Final = "memory://"
VOICES: Final = (
    *("alloy", "ash", "ballad", "cedar", "coral"),
    *("echo", "marin", "sage", "shimmer", "verse"),
)
"""The voices that the API had in November 2026. The practice server speaks these and no others."""

DEFAULT_INSTRUCTIONS: Final = (
    "You are a friendly voice assistant. Answer in one to three short spoken sentences, in the "
    "language of the user. If you did not understand, say so and ask."
)


class SettingsError(Exception):
    """The settings cannot be used; `problems` holds one sentence for each bad one."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class TurnCredentials:
    """Where TURN servers come from: a provider's account, or one fixed server."""

    provider: Literal["static", "cloudflare", "twilio", "huggingface"]
    user: str
    """User name, account or key id; empty for Hugging Face."""
    secret: str = field(repr=False)
    url: str = ""
    """`turn:` or `turns:` address of a fixed server."""


VISITOR_SETTINGS: Final = (
    *("model", "voice", "instructions", "turn_detection", "vad_threshold", "vad_padding_ms"),
    *("vad_silence_ms", "vad_idle_ms", "eagerness", "noise_reduction", "transcription_model"),
    *("language", "keywords", "speed", "effort", "longest_answer", "retention"),
    *("first_word", "tools", "events", "record"),
)
"""What an owner may leave to visitors; `events` is to see what passes between app and model,
`record` to keep the sound of a call."""
PUBLIC_SETTINGS: Final = ("voice", "language")


@dataclass(frozen=True)
class ChatModel:
    """An OpenAI-compatible chat endpoint that thinks for the practice server."""

    base_url: str = field(repr=False)
    """May hold credentials, as every address."""
    model: str
    api_key: str = field(repr=False, default="")

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")


@dataclass(frozen=True)
class Settings:
    """What the shells need to know, complete and checked; every default stands here alone.

    What stands under a field is its row in the README's table: the variables, and what they mean.
    """

    practice: bool
    """Talk to our own offline server instead of `base_url`."""
    api_key: str = field(repr=False, default="")
    """`OPENAI_API_KEY`: the key; without it and without a base URL: practice mode"""
    base_url: str = field(repr=False, default=OPENAI_BASE_URL)
    """`REALTIME_BASE_URL`: http(s) or ws(s), with or without `/realtime`; `practice` forces
    practice mode"""
    model: str = "gpt-realtime-2.1"
    """`REALTIME_MODEL`: any name the server knows"""
    voice: str = "marin"
    """`REALTIME_VOICE`: any name the server knows"""
    instructions: str = DEFAULT_INSTRUCTIONS
    """`REALTIME_INSTRUCTIONS`: the system prompt"""
    turn_detection: TurnDetection = "server_vad"
    """`REALTIME_TURN_DETECTION`: `server_vad`, `semantic_vad` or `push_to_talk`"""
    transcription_model: str | None = "gpt-transcribe"
    """`REALTIME_TRANSCRIPTION_MODEL`: `off` for none; falls back when refused"""
    trace: Path | None = None
    """`REALTIME_TRACE`: a file: the events of calls in the page and of watched direct calls, both
    ways, as JSON lines without audio and keys; what the microphone sends is left out, and a call
    writes 256 MB at most"""
    max_calls: int = 10
    """`MAX_CALLS`: calls at the same time, in the page and direct ones together; a direct call by
    token is counted for the 30 s in which it can begin"""
    max_calls_per_visitor: int = 0
    """`MAX_CALLS_PER_VISITOR`: how many of them one address may have; 0 means half of them, or all
    while nobody but this machine can open the page"""
    max_call_seconds: int = 0
    """`MAX_CALL_SECONDS`: length of a call; 0 means no limit"""
    max_idle_seconds: int = 600
    """`MAX_IDLE_SECONDS`: a call in which nobody speaks for so long is asked, then ended; 0 means
    never"""
    max_call_cost: float = 0.0
    """`MAX_CALL_COST`: US dollars at which a call ends, where the model's price is known; 0 means
    no limit"""
    max_visitor_cost: float = 0.0
    """`MAX_VISITOR_COST`: US dollars that one visitor may cost within a day, where the model's
    price is known; 0 means no limit"""
    max_starts_per_minute: int = 20
    """`MAX_STARTS_PER_MINUTE`: calls that one visitor may begin in a minute"""
    replica_storage: str = field(repr=False, default=MEMORY)  # may hold a password
    """`REPLICA_STORAGE`: what several replicas share: places, starts, what visitors have cost, and
    for half an hour, encrypted, what was said; `redis://host:6379` (`pip install redis`)"""
    rate_limit_storage: str = field(repr=False, default=MEMORY)  # may hold a password
    """`RATE_LIMIT_STORAGE`: where starts are counted; without it `REPLICA_STORAGE`"""
    login: tuple[str, str] | None = field(repr=False, default=None)
    """`APP_USERNAME`, `APP_PASSWORD`: login for the page and everything else"""
    direct_route: Choice = "auto"
    """`DIRECT_ROUTE`: whether browsers may talk to the model themselves: `on`, `off`, or `auto`,
    only while nobody but this machine can open the page"""
    direct_origins: tuple[str, ...] = ()
    """`DIRECT_ORIGINS`: pages of other hosts that may use the voice button, such as
    `https://example.org`, separated by commas"""
    visitor_settings: tuple[str, ...] | None = None
    """`VISITOR_SETTINGS`: what visitors may change of their calls, by names (`model`, `voice`,
    `instructions`, `turn_detection`, `speed`, …); `tools`: whether they may switch and try
    functions and add MCP servers; `events`: whether they may look into them; `record`: whether
    they may record them; `all`, `none`. Without it: all on your machine, `voice,language` in
    public"""
    turn: TurnCredentials | None = None
    """`HF_TOKEN`, `CLOUDFLARE_TURN_KEY_ID`, `CLOUDFLARE_TURN_KEY_API_TOKEN`, `TWILIO_ACCOUNT_SID`,
    `TWILIO_AUTH_TOKEN`, `TURN_URL`, `TURN_USERNAME`, `TURN_CREDENTIAL`: TURN servers, for callers
    from outside: of Hugging Face, of Cloudflare, of Twilio, or one of your own"""
    ice_private: Choice = "auto"
    """`ICE_PRIVATE`: whether visitors may name addresses of private networks for their sound:
    `on`, `off`, or `auto`, unless the page is on a Gradio link or a Space"""
    chat_model: ChatModel | None = None
    """`PRACTICE_LLM_BASE_URL`, `PRACTICE_LLM_MODEL`, `PRACTICE_LLM_API_KEY`: an OpenAI-compatible
    chat endpoint that thinks for the practice server; without one, the newest model of an Ollama
    at `localhost:11434` does; `off`: nobody is looked for"""
    looks_for_chat_model: bool = True
    """Whether the practice server looks for an Ollama on this machine, if it is told of none."""
    local: bool = False
    """Whether the practice server does not begin without its neural ears and voice."""
    practice_ears: PracticePart = "auto"
    """`PRACTICE_EARS`: the practice server's ears: `auto` takes the neural ones where
    `requirements-local.txt` is installed, `small` never does"""
    practice_ears_model: str = ""
    """`PRACTICE_EARS_MODEL`: another Whisper model: what `python -m components.practice fetch NAME`
    has brought (`small`), by its name, or a folder with its weights"""
    practice_voice: PracticePart = "auto"
    """`PRACTICE_VOICE`: the same for its voice"""
    practice_voice_model: str = ""
    """`PRACTICE_VOICE_MODEL`: another voice for Piper: what `python -m components.practice fetch
    NAME` has brought (`de_DE-thorsten-medium`), by its name, or a folder"""
    proxies: tuple[str, ...] = ()
    """`FORWARDED_ALLOW_IPS`: proxies whose `X-Forwarded-For` is believed: addresses or networks,
    such as `10.0.0.0/8`, separated by commas; a Space and a public link need none"""
    metrics_token: str = field(repr=False, default="")
    """`METRICS_TOKEN`: opens `/metrics` to who shows it (`Authorization: Bearer …`); without it
    `/metrics` is there only while nobody but this machine can open the page"""
    drain_seconds: int = 0
    """`DRAIN_SECONDS`: when the system asks the app to end (SIGTERM), calls under way may go on for
    so long, and no new ones begin; a second signal ends them"""
    log_format: LogFormat = "text"
    """`LOG_FORMAT`: `text`, or `json`: each line of the log is an object"""
    host: str = "127.0.0.1"
    """A name or an address; one of IPv6 in brackets, as Gradio takes it."""
    port: int | None = None
    """None lets Gradio take the first free port from 7860."""
    share: bool = False
    on_space: bool = False
    root_path: str = ""
    """Where a proxy shows the page; Gradio reads it itself."""
    doctor: bool = False
    """Examine the app instead of running it."""
    as_json: bool = False
    """Tell what the examination has found as JSON."""
    gradio_variables: Mapping[str, str] = field(default_factory=dict)
    """`GRADIO_*` found in `.env` only; Gradio reads these itself, from the environment."""

    @property
    def reachable(self) -> bool:
        """Whether other machines can open the page, so that media needs STUN or TURN."""
        by_proxy = bool(self.on_space or self.proxies or self.root_path)
        return self.share or by_proxy or not _is_loopback(self.host)

    @property
    def calls_per_visitor(self) -> int:
        """Of `max_calls`: half of them, unless it is set; all where everybody is this machine."""
        usual = ceil(self.max_calls / 2) if self.reachable else self.max_calls
        return self.max_calls_per_visitor or usual

    @property
    def visitors_may(self) -> tuple[str, ...]:
        """The names of `VISITOR_SETTINGS` that hold."""
        if self.visitor_settings is not None:
            return self.visitor_settings
        return PUBLIC_SETTINGS if self.reachable else VISITOR_SETTINGS

    @property
    def direct(self) -> bool:
        """Whether browsers may talk to the Realtime server themselves."""
        return self.direct_route == "on" or (self.direct_route == "auto" and not self.reachable)

    @property
    def private_candidates(self) -> bool:
        """Whether packets may go to private addresses that visitors name: not on the internet."""
        if self.ice_private == "auto":
            return not (self.share or self.on_space)
        return self.ice_private == "on"


def load(argv: Sequence[str], environ: Mapping[str, str], dotenv: Path) -> Settings:
    """The settings of a run; `SettingsError` lists everything that is wrong with them.

    `argv` is without the program's name. A `.env` that does not exist is fine. `--help` and unknown
    flags exit through `argparse`, with status 0 and 2.
    """
    flags = _parser().parse_args(argv)
    problems: list[str] = []
    from_file = read_dotenv(dotenv, problems)
    reader = _Reader(with_defaults_of_a_space({**from_file, **environ}), problems)
    settings = _settings(flags, reader, from_file, environ)
    if problems:
        raise SettingsError(problems)
    return settings


def _settings(
    flags: argparse.Namespace,
    read: "_Reader",
    from_file: Mapping[str, str],
    environ: Mapping[str, str],
) -> Settings:
    base_url = read.text("REALTIME_BASE_URL", "")
    api_key = read.secret("OPENAI_API_KEY")
    replica_storage = read.storage("REPLICA_STORAGE", Settings.replica_storage)
    practice = flags.practice or flags.local or base_url == "practice" or not (base_url or api_key)
    return Settings(
        practice=practice,
        api_key="" if practice else api_key,
        base_url="" if practice else read.url("REALTIME_BASE_URL", Settings.base_url, _REALTIME),
        model=PRACTICE_MODEL if practice else read.text("REALTIME_MODEL", Settings.model),
        voice=read.voice("REALTIME_VOICE", Settings.voice, practice),
        instructions=read.text("REALTIME_INSTRUCTIONS", Settings.instructions),
        turn_detection=read.choice(
            "REALTIME_TURN_DETECTION", _TURN_DETECTIONS, Settings.turn_detection
        ),
        transcription_model=read.unless_off(
            "REALTIME_TRANSCRIPTION_MODEL", Settings.transcription_model
        ),
        trace=read.file("REALTIME_TRACE", flags.trace),
        max_calls=read.number("MAX_CALLS", Settings.max_calls, least=1, most=1000),
        max_calls_per_visitor=read.number(
            "MAX_CALLS_PER_VISITOR", Settings.max_calls_per_visitor, least=0, most=1000
        ),
        max_call_seconds=read.number(
            "MAX_CALL_SECONDS", Settings.max_call_seconds, least=0, most=86_400
        ),
        max_idle_seconds=read.number(
            "MAX_IDLE_SECONDS", Settings.max_idle_seconds, least=0, most=86_400
        ),
        max_call_cost=read.dollars("MAX_CALL_COST", Settings.max_call_cost, most=1000),
        max_visitor_cost=read.dollars("MAX_VISITOR_COST", Settings.max_visitor_cost, most=1000),
        max_starts_per_minute=read.number(
            "MAX_STARTS_PER_MINUTE", Settings.max_starts_per_minute, least=1, most=10_000
        ),
        rate_limit_storage=read.storage("RATE_LIMIT_STORAGE", replica_storage),
        replica_storage=replica_storage,
        login=read.pair("APP_USERNAME", "APP_PASSWORD"),
        direct_route=read.choice("DIRECT_ROUTE", _CHOICES, Settings.direct_route),
        direct_origins=read.origins("DIRECT_ORIGINS"),
        visitor_settings=read.names("VISITOR_SETTINGS", VISITOR_SETTINGS),
        turn=_turn(read),
        ice_private=read.choice("ICE_PRIVATE", _CHOICES, Settings.ice_private),
        chat_model=_chat_model(read),
        looks_for_chat_model=read.text("PRACTICE_LLM_BASE_URL", "") != "off",
        local=flags.local,
        practice_ears=read.choice("PRACTICE_EARS", _PRACTICE_PARTS, Settings.practice_ears),
        practice_ears_model=read.text("PRACTICE_EARS_MODEL", ""),
        practice_voice=read.choice("PRACTICE_VOICE", _PRACTICE_PARTS, Settings.practice_voice),
        practice_voice_model=read.text("PRACTICE_VOICE_MODEL", ""),
        metrics_token=read.secret("METRICS_TOKEN"),
        drain_seconds=read.number("DRAIN_SECONDS", Settings.drain_seconds, least=0, most=86_400),
        log_format=read.choice("LOG_FORMAT", _LOG_FORMATS, Settings.log_format),
        host=bracketed(flags.host or read.text("GRADIO_SERVER_NAME", Settings.host)),
        port=flags.port or read.number("GRADIO_SERVER_PORT", 0, least=1, most=65_535) or None,
        share=flags.share or read.switch("GRADIO_SHARE"),
        on_space=bool(read.text("SPACE_ID", "")),
        proxies=read.networks("FORWARDED_ALLOW_IPS"),
        root_path=read.text("GRADIO_ROOT_PATH", ""),
        doctor=flags.doctor,
        as_json=flags.json,
        gradio_variables={
            name: value
            for name, value in from_file.items()
            if name.startswith("GRADIO_") and name not in environ and value.strip()
        },
    )


_TURN_DETECTIONS: Final[tuple[TurnDetection, ...]] = get_args(TurnDetection)
_CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)
_PRACTICE_PARTS: Final[tuple[PracticePart, ...]] = get_args(PracticePart)
_LOG_FORMATS: Final[tuple[LogFormat, ...]] = get_args(LogFormat)
_REALTIME: Final = ("http", "https", "ws", "wss")
_REDIS: Final = ("redis", "rediss")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Speak to a realtime voice model from a web page. "
        "Without a key it talks to its own offline practice server.",
        epilog="The settings are environment variables, or lines of .env: see .env.example.",
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--port", type=_port, help="port to listen on (default: first free of 7860…)"
    )
    parser.add_argument("--share", action="store_true", help="make a public Gradio link")
    parser.add_argument("--practice", action="store_true", help="practice mode, even with a key")
    parser.add_argument(
        "--local", action="store_true", help="practice mode, only with its neural ears and voice"
    )
    parser.add_argument(
        "--doctor", action="store_true", help="examine whether calls would work here, and end"
    )
    parser.add_argument("--json", action="store_true", help="what the doctor has found, as JSON")
    parser.add_argument(
        "--trace", metavar="PATH", help="write the events of calls, without audio, as JSONL"
    )
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"is {text!r}, but must be a number from 1 to 65535")
    return int(text)


class _Reader(Environment):
    """Knows what only this program asks for."""

    def storage(self, name: str, default: str) -> str:
        text = self.text(name, default)
        if text != MEMORY and not is_url(text, _REDIS):
            allowed = f"{MEMORY} or an address such as redis://example.org:6379"
            self.reject(name, without_secrets(text), allowed)
            return MEMORY
        return text

    def voice(self, name: str, default: str, practice: bool) -> str:
        """Free text, as new voices appear without notice; but our own server knows just ten."""
        text = self.text(name, default)
        if practice and text not in VOICES:
            self.reject(name, text, f"in practice mode {one_of(VOICES)}")
        elif not re.fullmatch(r"[\w.:-]{1,100}", text):
            self.reject(name, text, f"a voice's name without spaces, such as {one_of(VOICES)}")
        return text

    def turn_server(self) -> TurnCredentials | None:
        """The one fixed server; all three variables or none."""
        user = self.pair("TURN_USERNAME", "TURN_CREDENTIAL")
        url = self.text("TURN_URL", "")
        if url and not re.fullmatch(r"turns?:[^/\s]+", url):
            self.reject("TURN_URL", url, "an address such as turn:example.org:3478")
        if user and not url:
            self.problems.append("TURN_USERNAME and TURN_CREDENTIAL need TURN_URL as well.")
        if url and not self.text("TURN_USERNAME", self.text("TURN_CREDENTIAL", "")):
            self.problems.append("TURN_URL needs TURN_USERNAME and TURN_CREDENTIAL as well.")
        return TurnCredentials("static", *user, url) if user else None


def _turn(read: _Reader) -> TurnCredentials | None:
    """The first provider that is configured, the most explicit first."""
    if server := read.turn_server():
        return server
    if cloudflare := read.keys("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN"):
        return TurnCredentials("cloudflare", *cloudflare)
    if twilio := read.keys("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        return TurnCredentials("twilio", *twilio)
    if token := read.secret("HF_TOKEN"):
        return TurnCredentials("huggingface", "", token)
    return None


def _chat_model(read: _Reader) -> ChatModel | None:
    base_url = read.unless_off("PRACTICE_LLM_BASE_URL", "")
    if not base_url:
        return None
    return ChatModel(
        base_url=read.url("PRACTICE_LLM_BASE_URL", base_url, HTTP),
        model=read.text("PRACTICE_LLM_MODEL", "llama3.2"),
        api_key=read.secret("PRACTICE_LLM_API_KEY"),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
