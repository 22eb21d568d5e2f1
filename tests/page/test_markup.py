from dataclasses import replace

import pytest

from components.page import markup
from components.settings import ChatModel, Settings, TurnCredentials

OPENAI = Settings(practice=False, api_key="sk-secret")
RULES = {"ears": "PocketSphinx", "voice": "eSpeak", "mind": ""}
NEURAL = {"ears": "Whisper base", "voice": "Piper Joe", "mind": "llama<3>"}
MISSING = {"ears": "", "voice": "", "mind": ""}
PRACTICE = Settings(practice=True, base_url="", model="practice-engine")
TURN = TurnCredentials("huggingface", "", "hf-secret")


def test_the_header_names_model_and_voice() -> None:
    assert "gpt-realtime-2.1 · voice marin<" in markup.header(OPENAI, {})


def test_the_header_names_another_server() -> None:
    settings = Settings(practice=False, base_url="http://user:pw@localhost:8080/v1")

    assert "voice marin · localhost<" in markup.header(settings, {})
    assert "pw" not in markup.header(settings, {})


def test_practice_mode_says_that_it_is_no_model_and_how_to_get_one() -> None:
    assert "fixed rules answer" in markup.header(PRACTICE, RULES)
    assert "OPENAI_API_KEY" in markup.empty_transcript(PRACTICE, RULES)
    assert "OPENAI_API_KEY" not in markup.empty_transcript(OPENAI, {})


@pytest.mark.parametrize(
    ("parts", "url", "named"),
    [
        (
            RULES,
            "",
            "offline, approximate · PocketSphinx hears, eSpeak speaks, fixed rules answer",
        ),
        (MISSING, "", "server · offline · nobody hears, a tone speaks, fixed rules answer"),
        (
            NEURAL,
            "",
            "server · offline · Whisper base hears, Piper Joe speaks, llama&lt;3&gt; answers",
        ),
        (NEURAL, "http://localhost:1/v1", "server · offline · Whisper base hears, Piper Joe"),
        (NEURAL, "https://chat.example/v1", "server · Whisper base hears, Piper Joe speaks"),
        ({**RULES, "mind": "m"}, "https://chat.example/v1", "server · approximate · PocketSphinx"),
    ],
)
def test_practice_mode_names_its_ears_its_voice_and_its_mind(
    parts: dict[str, str], url: str, named: str
) -> None:
    chat_model = ChatModel(url, parts["mind"]) if url else None

    assert markup.header(replace(PRACTICE, chat_model=chat_model), parts).count(named) == 2


def test_the_hint_names_them_too_where_a_narrow_header_is_cut() -> None:
    local = markup.empty_transcript(PRACTICE, NEURAL)
    remote = replace(PRACTICE, chat_model=ChatModel("https://chat.example/v1", "llama<3>"))

    assert "without network: Whisper base hears, Piper Joe speaks, llama&lt;3&gt; ans" in local
    assert "network" not in markup.empty_transcript(remote, NEURAL)


def test_practice_mode_says_what_can_be_asked() -> None:
    assert 'data-say="Count to thirty">Count to thirty, then' in markup.bar(PRACTICE, "", RULES)
    assert "rv-chip" not in markup.bar(OPENAI, "", {})


def test_the_tour_is_offered_where_rules_answer() -> None:
    assert 'data-say="Take the tour" data-spoken>Take the tour<' in markup.bar(PRACTICE, "", RULES)
    assert "tour" not in markup.bar(PRACTICE, "", NEURAL)


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        (OPENAI, False),
        (Settings(practice=True, share=True), True),
        (Settings(practice=True, share=True, turn=TURN), False),
        (Settings(practice=True, on_space=True), True),
        (Settings(practice=True, on_space=True, turn=TURN), False),
    ],
)
def test_without_turn_the_public_page_warns_before_anyone_tries(
    settings: Settings, warned: bool
) -> None:
    assert ("rv-warning" in markup.header(settings, {})) is warned


def test_the_header_shows_where_others_find_the_page() -> None:
    header = markup.header(OPENAI, {}, "https://abc.gradio.live")

    assert '<a href="https://abc.gradio.live">abc.gradio.live</a>' in header
    assert 'title="gpt-realtime-2.1 · voice marin">' in header
    assert "<a " not in markup.header(OPENAI, {})


def test_settings_and_notice_are_escaped() -> None:
    settings = Settings(practice=False, model="<script>")

    assert "<script>" not in markup.header(settings, {})
    assert "<b>&" not in markup.bar(settings, "<b>&", {})


def test_the_talk_button_is_there_for_push_to_talk_alone() -> None:
    pushed = Settings(practice=False, turn_detection="push_to_talk")

    assert "disabled hidden>Hold" in markup.bar(OPENAI, "", {})
    assert "disabled data-always>Hold" in markup.bar(pushed, "", {})
    assert "hold the talk button" in markup.empty_transcript(pushed, {})
    assert "just speak" in markup.empty_transcript(OPENAI, {})


@pytest.mark.parametrize("word", ["dBFS", "buffer", "sideband", "Round trip"])
def test_the_calm_page_names_nothing_that_a_newcomer_does_not_know(word: str) -> None:
    shown = (
        markup.header(PRACTICE, RULES),
        markup.empty_transcript(PRACTICE, RULES),
        markup.signs(),
        markup.bar(PRACTICE, "", RULES),
    )

    assert not any(word in html for html in shown)
