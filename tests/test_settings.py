"""Every variable: what it means, what it refuses, and which of its sources wins."""

import ast
import os
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values

from components import settings
from components.protocol.wishes import NAMES
from components.settings import (
    DEFAULT_INSTRUCTIONS,
    OPENAI_BASE_URL,
    VISITOR_SETTINGS,
    VOICES,
    ChatModel,
    Settings,
    SettingsError,
    TurnCredentials,
    load,
)
from tests.readme import README, table, with_table

NO_FILE = Path("there-is-no-such-file")
KEY = {"OPENAI_API_KEY": "sk-test"}
ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / ".env.example"


def of(*argv, **environ):
    return load(argv, environ, NO_FILE)


def problems_of(*argv, dotenv=NO_FILE, **environ):
    with pytest.raises(SettingsError) as refusal:
        load(argv, environ, dotenv)
    assert str(refusal.value) == "\n".join(refusal.value.problems)
    return refusal.value.problems


@pytest.fixture
def dotenv(tmp_path):
    def write(content):
        path = tmp_path / ".env"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_nothing_set_means_practice_mode_on_this_machine_alone():
    assert of() == Settings(practice=True, base_url="", model="practice-engine")
    assert not of().reachable


def test_a_key_means_openai_with_the_defaults_of_the_contract():
    with_key = of(**KEY)

    assert with_key == Settings(practice=False, api_key="sk-test")
    assert (with_key.base_url, with_key.model, with_key.voice) == (
        "https://api.openai.com/v1",
        "gpt-realtime-2.1",
        "marin",
    )
    assert with_key.turn_detection == "server_vad"
    assert with_key.transcription_model == "gpt-transcribe"
    assert (with_key.max_calls, with_key.max_call_seconds) == (10, 0)
    assert (with_key.max_idle_seconds, with_key.max_call_cost) == (600, 0.0)
    assert (with_key.max_starts_per_minute, with_key.rate_limit_storage) == (20, "memory://")
    assert (with_key.trace, with_key.login, with_key.turn) == (None, None, None)
    assert with_key.direct_route == "auto"


def test_visitors_may_change_everything_on_this_machine_and_little_in_public():
    assert load([], {}, NO_FILE).visitors_may == VISITOR_SETTINGS
    assert load(["--share"], {}, NO_FILE).visitors_may == ("voice", "language")
    open_to_all = load(["--share"], {"VISITOR_SETTINGS": "all"}, NO_FILE)
    assert open_to_all.visitors_may == VISITOR_SETTINGS


def test_everything_that_can_be_tuned_has_a_name():
    assert (*NAMES, "events", "record") == VISITOR_SETTINGS


@pytest.mark.parametrize(
    ("argv", "environ", "practice"),
    [
        ([], {}, True),
        ([], {"OPENAI_API_KEY": ""}, True),
        ([], {"OPENAI_API_KEY": "  "}, True),
        ([], {"OPENAI_API_KEY": "sk-1"}, False),
        ([], {"REALTIME_BASE_URL": "ws://127.0.0.1:8765/v1"}, False),
        ([], {"REALTIME_BASE_URL": "practice"}, True),
        ([], {"REALTIME_BASE_URL": "practice", "OPENAI_API_KEY": "sk-1"}, True),
        (["--practice"], {"OPENAI_API_KEY": "sk-1"}, True),
        (["--practice"], {"REALTIME_BASE_URL": "wss://example.org/v1"}, True),
    ],
)
def test_practice_mode(argv, environ, practice):
    found = load(argv, environ, NO_FILE)

    assert found.practice is practice
    if practice:
        assert (found.api_key, found.base_url, found.model) == ("", "", "practice-engine")


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("REALTIME_BASE_URL", "http://localhost:8080/v1", "base_url", "http://localhost:8080/v1"),
        ("REALTIME_BASE_URL", "wss://h/v1/realtime?a=b", "base_url", "wss://h/v1/realtime?a=b"),
        ("REALTIME_BASE_URL", "WSS://[::1]:9/v1", "base_url", "WSS://[::1]:9/v1"),
        ("REALTIME_MODEL", " my deployment ", "model", "my deployment"),
        ("REALTIME_VOICE", "voice_68.a-b:c", "voice", "voice_68.a-b:c"),
        ("REALTIME_INSTRUCTIONS", "Sprich Deutsch.", "instructions", "Sprich Deutsch."),
        ("REALTIME_TURN_DETECTION", "semantic_vad", "turn_detection", "semantic_vad"),
        ("REALTIME_TURN_DETECTION", "push_to_talk", "turn_detection", "push_to_talk"),
        ("REALTIME_TRANSCRIPTION_MODEL", "whisper-1", "transcription_model", "whisper-1"),
        ("REALTIME_TRANSCRIPTION_MODEL", "off", "transcription_model", None),
        ("REALTIME_TRACE", "call.jsonl", "trace", Path("call.jsonl")),
        ("MAX_CALLS", "1", "max_calls", 1),
        ("MAX_CALLS", "1000", "max_calls", 1000),
        ("MAX_CALLS_PER_VISITOR", "0", "max_calls_per_visitor", 0),
        ("MAX_CALLS_PER_VISITOR", "3", "max_calls_per_visitor", 3),
        ("MAX_CALL_SECONDS", "0", "max_call_seconds", 0),
        ("MAX_CALL_SECONDS", "86400", "max_call_seconds", 86_400),
        ("MAX_IDLE_SECONDS", "0", "max_idle_seconds", 0),
        ("MAX_IDLE_SECONDS", "90", "max_idle_seconds", 90),
        ("MAX_CALL_COST", "2", "max_call_cost", 2.0),
        ("MAX_CALL_COST", "0.05", "max_call_cost", 0.05),
        ("MAX_CALL_COST", "1000", "max_call_cost", 1000.0),
        ("MAX_STARTS_PER_MINUTE", "1", "max_starts_per_minute", 1),
        ("MAX_STARTS_PER_MINUTE", "10000", "max_starts_per_minute", 10_000),
        ("VISITOR_SETTINGS", "none", "visitor_settings", ()),
        ("VISITOR_SETTINGS", "all", "visitor_settings", VISITOR_SETTINGS),
        ("VISITOR_SETTINGS", "voice, events", "visitor_settings", ("voice", "events")),
        ("RATE_LIMIT_STORAGE", "redis://h", "rate_limit_storage", "redis://h"),
        ("RATE_LIMIT_STORAGE", "rediss://:p@h:1/2", "rate_limit_storage", "rediss://:p@h:1/2"),
        ("DIRECT_ROUTE", "on", "direct_route", "on"),
        ("DIRECT_ROUTE", "off", "direct_route", "off"),
        ("ICE_PRIVATE", "off", "ice_private", "off"),
        ("DIRECT_ORIGINS", "https://a.example", "direct_origins", ("https://a.example",)),
        ("FORWARDED_ALLOW_IPS", "::1, 10.0.0.0/8,", "proxies", ("::1", "10.0.0.0/8")),
        (
            "DIRECT_ORIGINS",
            "https://A.example/ , http://b:8080,",
            "direct_origins",
            ("https://a.example", "http://b:8080"),
        ),
        ("GRADIO_SERVER_NAME", "0.0.0.0", "host", "0.0.0.0"),
        ("GRADIO_SERVER_NAME", "::", "host", "[::]"),
        ("GRADIO_SERVER_NAME", "[::1]", "host", "[::1]"),
        ("GRADIO_SERVER_PORT", "8080", "port", 8080),
        ("GRADIO_SHARE", "True", "share", True),
        ("GRADIO_SHARE", "1", "share", True),
        ("GRADIO_SHARE", "0", "share", False),
        ("HF_TOKEN", "hf_1", "turn", TurnCredentials("huggingface", "", "hf_1")),
    ],
)
def test_a_variable_sets_its_field_and_no_other(name, text, field, value):
    base = of(**KEY)

    assert of(**KEY, **{name: text}) == replace(base, **{field: value})
    assert of(**KEY, **{name: " "}) == base  # empty is not set


def test_a_space_is_open_to_everybody_with_bounds_on_what_a_call_may_cost():
    space = of(**KEY, SPACE_ID="someone/something")

    bounds = {"max_call_seconds": 600, "max_call_cost": 0.5, "max_visitor_cost": 2}
    assert space == replace(of(**KEY), on_space=True, host="0.0.0.0", port=7860, **bounds)
    assert space.visitors_may == ("voice", "language")
    assert not space.direct
    assert not space.private_candidates


def test_on_a_space_the_bounds_can_be_lifted_by_a_value_but_not_by_an_empty_one():
    space = {**KEY, "SPACE_ID": "someone/something"}

    assert of(**space, MAX_CALL_COST="0", MAX_CALL_SECONDS="60").max_call_cost == 0
    assert of(**space, MAX_CALL_COST="0", MAX_CALL_SECONDS="60").max_call_seconds == 60
    assert of(**space, MAX_CALL_COST=" ").max_call_cost == 0.5
    assert of(**{**space, "SPACE_ID": ""}).max_call_cost == 0


@pytest.mark.parametrize("voice", VOICES)
def test_practice_mode_speaks_the_ten_voices(voice):
    assert of(REALTIME_VOICE=voice).voice == voice


@pytest.mark.parametrize(
    ("environ", "turn"),
    [
        (
            {"TURN_URL": "turn:h:3478?transport=tcp", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "c"},
            TurnCredentials("static", "u", "c", "turn:h:3478?transport=tcp"),
        ),
        (
            {"TURN_URL": "turns:[::1]:5349", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "c d"},
            TurnCredentials("static", "u", "c d", "turns:[::1]:5349"),
        ),
        (
            {"CLOUDFLARE_TURN_KEY_ID": "i", "CLOUDFLARE_TURN_KEY_API_TOKEN": "t"},
            TurnCredentials("cloudflare", "i", "t"),
        ),
        (
            {"TWILIO_ACCOUNT_SID": "i", "TWILIO_AUTH_TOKEN": "t"},
            TurnCredentials("twilio", "i", "t"),
        ),
    ],
)
def test_turn_comes_from_the_most_explicit_source(environ, turn):
    everything_later = {"HF_TOKEN": "hf_1"}
    if turn.provider == "static":
        everything_later |= {"TWILIO_ACCOUNT_SID": "x", "TWILIO_AUTH_TOKEN": "y"}

    assert of(**environ).turn == turn
    assert of(**environ, **everything_later).turn == turn


def test_the_login_is_a_pair():
    assert of(APP_USERNAME="ann", APP_PASSWORD="pass word").login == ("ann", "pass word")


def test_off_keeps_the_practice_server_from_looking_for_a_chat_model():
    assert of().looks_for_chat_model
    off = of(PRACTICE_LLM_BASE_URL="off")

    assert (off.chat_model, off.looks_for_chat_model) == (None, False)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1:1/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://192.168.1.5/v1", False),
        ("https://localhost.example/v1", False),
    ],
)
def test_a_chat_model_knows_whether_it_is_on_this_machine(url, here):
    chat_model = of(PRACTICE_LLM_BASE_URL=url).chat_model

    assert chat_model.is_here is here


def test_a_chat_model_thinks_for_the_practice_server():
    assert of(PRACTICE_LLM_MODEL="x", PRACTICE_LLM_API_KEY="y").chat_model is None
    assert of(PRACTICE_LLM_BASE_URL="http://127.0.0.1:11434/v1").chat_model == ChatModel(
        "http://127.0.0.1:11434/v1", "llama3.2"
    )
    assert of(
        PRACTICE_LLM_BASE_URL="https://h/v1", PRACTICE_LLM_MODEL="m", PRACTICE_LLM_API_KEY="k"
    ).chat_model == ChatModel("https://h/v1", "m", "k")


def test_flags_beat_the_environment_and_the_environment_beats_the_file(dotenv, tmp_path):
    flags = ["--host", "::1", "--port", "7999", "--share", "--trace", str(tmp_path / "flag")]
    environ = {
        "GRADIO_SERVER_NAME": "10.0.0.1",
        "GRADIO_SERVER_PORT": "8001",
        "GRADIO_SHARE": "false",
        "REALTIME_TRACE": str(tmp_path / "environment"),
        "REALTIME_MODEL": "environment",
        **KEY,
    }
    file = dotenv(
        "GRADIO_SERVER_NAME=10.0.0.2\nGRADIO_SERVER_PORT=8002\nREALTIME_TRACE=file\n"
        "REALTIME_MODEL=file\nREALTIME_VOICE=ash\n"
    )

    from_flags = load(flags, environ, file)
    from_environment = load([], environ, file)
    from_file = load([], KEY, file)

    assert (from_flags.host, from_flags.port, from_flags.share) == ("[::1]", 7999, True)
    assert from_flags.trace == tmp_path / "flag"
    assert (from_environment.host, from_environment.port) == ("10.0.0.1", 8001)
    assert from_environment.trace == tmp_path / "environment"
    assert not from_environment.share
    assert (from_environment.model, from_environment.voice) == ("environment", "ash")
    assert (from_file.host, from_file.port, from_file.model) == ("10.0.0.2", 8002, "file")
    assert from_file.trace == Path("file")


def test_an_empty_variable_hides_the_one_in_the_file(dotenv):
    """`OPENAI_API_KEY= python app.py` leaves the key out for one run."""
    file = dotenv("OPENAI_API_KEY=sk-file\nMAX_CALLS=3\n")

    assert not load([], {}, file).practice
    assert load([], {"OPENAI_API_KEY": "", "MAX_CALLS": ""}, file) == of()


@pytest.mark.parametrize(
    ("argv", "environ", "reachable"),
    [
        ([], {}, False),
        (["--host", "localhost"], {}, False),
        (["--host", "::1"], {}, False),
        (["--host", "[::1]"], {}, False),
        (["--host", "::"], {}, True),
        (["--host", "127.8.8.8"], {}, False),
        (["--host", "0.0.0.0"], {}, True),
        (["--host", "studio.local"], {}, True),
        (["--share"], {}, True),
        ([], {"SPACE_ID": "a/b"}, True),
        ([], {"FORWARDED_ALLOW_IPS": "127.0.0.1"}, True),
        ([], {"GRADIO_ROOT_PATH": "https://voice.example"}, True),
        ([], {"GRADIO_ROOT_PATH": "/voice"}, True),
    ],
)
def test_who_can_open_the_page(argv, environ, reachable):
    assert load(argv, environ, NO_FILE).reachable is reachable


@pytest.mark.parametrize(
    ("environ", "direct"),
    [
        ({}, True),
        ({"DIRECT_ROUTE": "off"}, False),
        ({"GRADIO_SHARE": "1"}, False),
        ({"GRADIO_SHARE": "1", "DIRECT_ROUTE": "on"}, True),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, False),
    ],
)
def test_browsers_talk_directly_only_from_this_machine_unless_told(environ, direct):
    assert of(**environ).direct is direct


def test_an_origin_is_no_place_for_a_password():
    (problem,) = problems_of(DIRECT_ORIGINS="https://me:pw@shop.example")

    assert "pw" not in problem


def test_gradio_s_own_variables_in_the_file_are_handed_on(dotenv):
    file = dotenv(
        "GRADIO_ROOT_PATH=/voice\nGRADIO_TEMP_DIR=/file\nGRADIO_SERVER_PORT=\nREALTIME_MODEL=m\n"
    )

    found = load([], {"GRADIO_TEMP_DIR": "/environment", **KEY}, file)

    assert found.gradio_variables == {"GRADIO_ROOT_PATH": "/voice"}


@pytest.mark.parametrize(
    "content",
    [
        "OPENAI_API_KEY=sk-file\nREALTIME_VOICE='ash'\n",
        '\ufeffOPENAI_API_KEY=sk-file\r\nexport REALTIME_VOICE="ash"\r\n',
        "# a comment\n\n  OPENAI_API_KEY = sk-file # more\nREALTIME_VOICE=echo\nREALTIME_VOICE=ash",
    ],
    ids=["plain", "windows", "loose"],
)
def test_usual_forms_of_the_file_are_read(dotenv, content):
    found = load([], {}, dotenv(content))

    assert (found.api_key, found.voice) == ("sk-file", "ash")


def test_a_dollar_in_the_file_is_a_dollar(dotenv):
    file = dotenv("REALTIME_INSTRUCTIONS=Say ${HOME} and $5.\n")

    assert load([], {}, file).instructions == "Say ${HOME} and $5."


@pytest.mark.parametrize(
    ("content", "line", "secret"),
    [
        ("MAX_CALLS=3\nOPENAI_API_KEY\n", 2, "OPENAI_API_KEY"),
        ("OPENAI_API_KEY='sk-secret\n", 1, "sk-secret"),
        ("sk-secret\n", 1, "sk-secret"),
        ("OPENAI_API_KEY: sk-secret\n", 1, "sk-secret"),
    ],
)
def test_a_broken_line_of_the_file_is_named_by_number_and_not_shown(dotenv, content, line, secret):
    problems = problems_of(dotenv=dotenv(content))

    assert problems == (
        f".env, line {line}: this is not NAME=value (put a value with spaces or quotes inside "
        "quotes).",
    )
    assert secret not in problems[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"OPENAI_API_KEY=\xff\xfe\x00", "it is not UTF-8 text"),
        ("OPENAI_API_KEY=sk-1\n".encode("utf-16"), "it is not UTF-8 text"),
        (b"GRADIO_ROOT_PATH=/a\0b\n", "it is not text"),
    ],
)
def test_a_binary_file_is_refused(dotenv, content, reason):
    assert problems_of(dotenv=dotenv(content)) == (f".env cannot be read: {reason}.",)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / ".env").mkdir()

    assert problems_of(dotenv=tmp_path / ".env") == (".env cannot be read: Is a directory.",)


def test_a_file_that_leads_to_itself_is_refused(tmp_path):
    (tmp_path / ".env").symlink_to(".env")

    assert problems_of(dotenv=tmp_path / ".env")[0].startswith(".env cannot be read: Too many")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_refused(dotenv):
    file = dotenv("MAX_CALLS=3\n")
    file.chmod(0)

    assert problems_of(dotenv=file) == (".env cannot be read: Permission denied.",)


NUMBERS = ["abc", "-1", "1.5", "1e3", "0x10", "ten", "٣", "9" * 5000, "1 0", "+5"]
DOLLARS = ["abc", "-1", "1e3", "$5", ".5", "5.", "0,5", "٣", "nan", "inf", "9" * 5000, "1000.01"]
STORAGES = [
    "memory",
    "memory://x",
    "redis",
    "redis://",
    "redis://h:port",
    "redis://h:0",
    "memcached://h:1",
]
BASE_URLS = [
    "api.openai.com/v1",
    "ftp://example.org",
    "https://",
    "https:///v1",
    "http://host:port/v1",
    "http://host:0/v1",
    "http://host:70000/v1",
    "http://[::1/v1",
    "http://my host/v1",
    "http://ho\nst/v1",
    "Practice",
]


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        *(("MAX_CALLS", text, "a whole number from 1 to 1000") for text in [*NUMBERS, "0", "1001"]),
        *(("MAX_CALL_SECONDS", text, "from 0 to 86400") for text in [*NUMBERS, "86401"]),
        *(("MAX_CALLS_PER_VISITOR", text, "from 0 to 1000") for text in [*NUMBERS, "1001"]),
        *(("MAX_IDLE_SECONDS", text, "from 0 to 86400") for text in [*NUMBERS, "86401"]),
        *(("MAX_CALL_COST", text, "US dollars from 0 to 1000") for text in DOLLARS),
        *(("MAX_STARTS_PER_MINUTE", text, "from 1 to 10000") for text in [*NUMBERS, "0", "10001"]),
        *(("RATE_LIMIT_STORAGE", text, "memory:// or an address") for text in STORAGES),
        *(("GRADIO_SERVER_PORT", text, "from 1 to 65535") for text in [*NUMBERS, "0", "65536"]),
        *(("REALTIME_BASE_URL", text, "http://, https://, ws:// or wss://") for text in BASE_URLS),
        ("PRACTICE_LLM_BASE_URL", "ws://localhost:11434/v1", "starts with http:// or https://"),
        ("PRACTICE_LLM_BASE_URL", "localhost:11434", "starts with http:// or https://"),
        ("REALTIME_TURN_DETECTION", "Server_VAD", "server_vad, semantic_vad or push_to_talk"),
        ("DIRECT_ROUTE", "yes", "auto, on or off"),
        ("VISITOR_SETTINGS", "voice,key", "all, none, or some of"),
        ("ICE_PRIVATE", "yes", "auto, on or off"),
        ("DIRECT_ORIGINS", "*", "addresses such as https://example.org"),
        ("FORWARDED_ALLOW_IPS", "*", "addresses or networks such as 10.0.0.0/8"),
        ("FORWARDED_ALLOW_IPS", "proxy.example", "addresses or networks such as 10.0.0.0/8"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.1/8", "addresses or networks such as 10.0.0.0/8"),
        ("DIRECT_ORIGINS", "shop.example", "addresses such as https://example.org"),
        ("DIRECT_ORIGINS", "https://shop.example/path", "addresses such as https://example.org"),
        ("GRADIO_SHARE", "maybe", "true or false"),
        ("REALTIME_VOICE", "two words", "a voice's name without spaces, such as alloy"),
        ("REALTIME_VOICE", "v" * 101, "a voice's name"),
        ("REALTIME_TRACE", "tests", "the path of a file in a folder that exists"),
        ("REALTIME_TRACE", "no/such/folder/t.jsonl", "the path of a file in a folder that exists"),
        ("TURN_URL", "example.org:3478", "an address such as turn:example.org:3478"),
        ("TURN_URL", "stun:example.org", "an address such as turn:example.org:3478"),
        ("TURN_URL", "turn://example.org", "an address such as turn:example.org:3478"),
        ("TURN_URL", "turn:example.org other", "an address such as turn:example.org:3478"),
    ],
)
def test_a_bad_value_is_refused_by_one_sentence_with_all_three(name, text, allowed, monkeypatch):
    """The variable, what it got, what it may be."""
    monkeypatch.chdir(ROOT)
    rest = {"TURN_USERNAME": "u", "TURN_CREDENTIAL": "c"} if name == "TURN_URL" else {}

    problems = problems_of(**KEY, **rest, **{name: text})

    assert len(problems) == 1
    assert problems[0].startswith(f"{name} is {text[:70]!r}"[:75])
    assert allowed in problems[0].partition("but must be")[2]
    assert len(problems[0]) < 300


def test_practice_mode_refuses_a_voice_that_it_does_not_have():
    (problem,) = problems_of(REALTIME_VOICE="nova")

    assert problem == (
        "REALTIME_VOICE is 'nova', but must be in practice mode alloy, ash, ballad, cedar, coral, "
        "echo, marin, sage, shimmer or verse."
    )
    assert of(REALTIME_VOICE="nova", **KEY).voice == "nova"


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"APP_USERNAME": "a"}, "APP_USERNAME is set, but APP_PASSWORD is not"),
        ({"APP_PASSWORD": "a"}, "APP_PASSWORD is set, but APP_USERNAME is not"),
        ({"TURN_CREDENTIAL": "a"}, "TURN_CREDENTIAL is set, but TURN_USERNAME is not"),
        (
            {"TURN_USERNAME": "a", "TURN_CREDENTIAL": "b"},
            "TURN_USERNAME and TURN_CREDENTIAL need TURN_URL as well",
        ),
        ({"TURN_URL": "turn:h"}, "TURN_URL needs TURN_USERNAME and TURN_CREDENTIAL as well"),
        (
            {"TURN_URL": "turn:h", "TURN_USERNAME": "a"},
            "TURN_USERNAME is set, but TURN_CREDENTIAL is not",
        ),
        (
            {"TURN_URL": "turn:h", "TURN_CREDENTIAL": "a"},
            "TURN_CREDENTIAL is set, but TURN_USERNAME is not",
        ),
        (
            {"CLOUDFLARE_TURN_KEY_ID": "a"},
            "CLOUDFLARE_TURN_KEY_ID is set, but CLOUDFLARE_TURN_KEY_API_TOKEN is not",
        ),
        (
            {"TWILIO_AUTH_TOKEN": "a"},
            "TWILIO_AUTH_TOKEN is set, but TWILIO_ACCOUNT_SID is not",
        ),
    ],
)
def test_half_of_what_belongs_together_is_refused(environ, problem):
    (found,) = problems_of(**environ)

    assert found.startswith(problem)


SECRETS = [
    "OPENAI_API_KEY",
    "HF_TOKEN",
    "CLOUDFLARE_TURN_KEY_API_TOKEN",
    "TWILIO_AUTH_TOKEN",
    "PRACTICE_LLM_API_KEY",
    "METRICS_TOKEN",
]
PARTNERS = {
    "CLOUDFLARE_TURN_KEY_ID": "i",
    "TWILIO_ACCOUNT_SID": "i",
    "PRACTICE_LLM_BASE_URL": "http://h/v1",
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", ["top secret", "top\nsecret", "topsécret", "top\x7fsecret"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(name, value):
    partner = {
        "CLOUDFLARE_TURN_KEY_API_TOKEN": "CLOUDFLARE_TURN_KEY_ID",
        "TWILIO_AUTH_TOKEN": "TWILIO_ACCOUNT_SID",
        "PRACTICE_LLM_API_KEY": "PRACTICE_LLM_BASE_URL",
    }.get(name)
    environ = {partner: PARTNERS[partner]} if partner else {}

    (problem,) = problems_of(**environ, **{name: value})

    assert problem.startswith(f"{name} holds a character that no key has")
    assert "top" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "htp://user:hunter2@example.org/v1",
        "htp://user:hun/ter2@example.org/v1",
        "htp://example.org/v1?key=hunter2&protocol=realtime",
        "htp://example.org/v1?key=hun@ter2",
        "htp://example.org/v1?key=\nhunter2",
    ],
)
def test_credentials_in_a_refused_address_are_not_shown(url):
    (problem,) = problems_of(REALTIME_BASE_URL=url)

    assert problem.startswith("REALTIME_BASE_URL is 'htp://")
    assert "hun" not in problem
    assert "ter2" not in problem


def test_credentials_in_a_refused_storage_are_not_shown():
    (problem,) = problems_of(RATE_LIMIT_STORAGE="reddis://:hunter2@h")

    assert problem.startswith("RATE_LIMIT_STORAGE is 'reddis://")
    assert "hunter2" not in problem


def test_no_secret_is_in_the_repr_of_the_settings():
    found = [
        of(
            OPENAI_API_KEY="hunter2",
            REALTIME_BASE_URL="wss://a:hunter2@h/v1?key=hunter2",
            APP_USERNAME="ann",
            APP_PASSWORD="hunter2",
            RATE_LIMIT_STORAGE="redis://:hunter2@h",
            PRACTICE_LLM_BASE_URL="https://h/v1?key=hunter2",
            PRACTICE_LLM_API_KEY="hunter2",
            **turn,
        )
        for turn in (
            {"HF_TOKEN": "hunter2"},
            {"TURN_URL": "turn:h", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "hunter2"},
            {"TWILIO_ACCOUNT_SID": "i", "TWILIO_AUTH_TOKEN": "hunter2"},
        )
    ]

    assert all("hunter2" not in repr(each) and "hunter2" not in str(each) for each in found)


def test_all_problems_are_reported_together(dotenv):
    problems = problems_of(
        dotenv=dotenv("what is this\nMAX_CALLS=many\n"),
        REALTIME_VOICE="nova",
        DIRECT_ROUTE="?",
        APP_USERNAME="ann",
    )

    assert [re.findall(r"^[\w.]+", problem)[0] for problem in problems] == [
        ".env",
        "REALTIME_VOICE",
        "MAX_CALLS",
        "APP_USERNAME",
        "DIRECT_ROUTE",
    ]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "abc", "1.5", "9" * 5000, "", "²"])
def test_a_bad_port_flag_exits_with_status_2(port, capsys):
    with pytest.raises(SystemExit) as exit_:
        of("--port", port)

    assert exit_.value.code == 2
    assert "argument --port" in capsys.readouterr().err


def test_an_unknown_flag_exits_with_status_2(capsys):
    with pytest.raises(SystemExit) as exit_:
        of("--nonsense")

    assert exit_.value.code == 2
    assert "--nonsense" in capsys.readouterr().err


def test_help_names_every_flag_and_exits_with_status_0(capsys):
    with pytest.raises(SystemExit) as exit_:
        of("--help")

    assert exit_.value.code == 0
    text = capsys.readouterr().out
    flags = ("--host", "--port", "--share", "--practice", "--trace", "--doctor", "--json")
    assert all(flag in text for flag in flags)


def test_the_doctor_is_asked_for_by_flags():
    assert (of().doctor, of().as_json) == (False, False)
    asked = of("--doctor", "--json")
    assert (asked.doctor, asked.as_json) == (True, True)


def test_a_bad_trace_flag_is_named_as_the_flag(tmp_path):
    (problem,) = problems_of("--trace", str(tmp_path), REALTIME_TRACE="fine")

    assert problem.startswith("--trace is ")


def variables_that_settings_reads():
    """The names in the text of the module, so that none can be forgotten here."""
    names = {
        node.value
        for node in ast.walk(ast.parse(Path(settings.__file__).read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", node.value)
    }
    return names - {"SPACE_ID"}  # which a Space sets by itself


def uncommented(text):
    return re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE)


def test_the_example_file_names_the_variables_that_are_read_and_no_others():
    text = EXAMPLE.read_text()
    names = re.findall(r"^#([A-Z_]+)=", text, flags=re.MULTILINE)

    assert sorted(names) == sorted(variables_that_settings_reads())
    assert len(names) > 25


def test_the_table_of_the_readme_names_the_same_variables_with_their_defaults(dotenv):
    table = re.findall(r"^\| (`[A-Z].*?) \| (.*?) \|", README.read_text(), flags=re.MULTILINE)
    names = {name: default for names, default in table for name in re.findall("`(.*?)`", names)}
    told = {name: text.strip("`") for name, text in names.items() if text.startswith("`")}
    lines = "".join(f"{name}={text}\n" for name, text in told.items())

    assert {name for name in variables_that_settings_reads() if "GRADIO_" not in name} == set(names)
    assert load([], KEY, dotenv(lines)) == of(**KEY)
    assert len(told) > 10


def test_the_table_of_the_readme_is_what_stands_under_the_fields_of_the_settings():
    text = README.read_text("utf-8")

    assert table() in text
    assert with_table(text) == text, "python -m tests.readme writes it anew"


def test_the_example_file_changes_nothing_as_it_is():
    assert load([], {}, EXAMPLE) == of()


def test_the_values_of_the_example_file_are_the_defaults(dotenv):
    found = load([], KEY, dotenv(uncommented(EXAMPLE.read_text())))

    assert replace(found, gradio_variables={}) == of(**KEY)
    assert (found.instructions, found.base_url) == (DEFAULT_INSTRUCTIONS, OPENAI_BASE_URL)


def test_the_example_file_holds_no_secret():
    values = dotenv_values(stream=StringIO(uncommented(EXAMPLE.read_text())))

    assert not any(
        value
        for name, value in values.items()
        if re.search("KEY|TOKEN|PASSWORD|CREDENTIAL|USER|SID", name)
    )
