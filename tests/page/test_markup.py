import pytest

from components.page import markup
from components.settings import ChatModel, Settings, TurnCredentials

OPENAI = Settings(practice=False, api_key="sk-secret")
PRACTICE = Settings(practice=True, base_url="", model="practice-engine")
TURN = TurnCredentials("huggingface", "", "hf-secret")


def test_the_header_names_model_and_voice() -> None:
    assert "gpt-realtime-2.1 · voice marin<" in markup.header(OPENAI)


def test_the_header_names_another_server() -> None:
    settings = Settings(practice=False, base_url="http://user:pw@localhost:8080/v1")

    assert "voice marin · localhost<" in markup.header(settings)
    assert "pw" not in markup.header(settings)


def test_practice_mode_says_that_it_is_no_model_and_how_to_get_one() -> None:
    assert "offline, no AI model" in markup.header(PRACTICE)
    assert "OPENAI_API_KEY" in markup.empty_transcript(PRACTICE)
    assert "OPENAI_API_KEY" not in markup.empty_transcript(OPENAI)


def test_practice_mode_names_the_chat_model_instead() -> None:
    settings = Settings(practice=True, chat_model=ChatModel("http://localhost", "llama<3>"))

    assert "answers by llama&lt;3&gt;<" in markup.header(settings)
    assert "offline" not in markup.header(settings)
    assert "llama&lt;3&gt; writes the answers" in markup.empty_transcript(settings)


def test_practice_mode_says_what_can_be_asked() -> None:
    assert 'data-say="Count to thirty">Count to thirty, then' in markup.bar(PRACTICE, "")
    assert "rv-chip" not in markup.bar(OPENAI, "")


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
    assert ("rv-warning" in markup.header(settings)) is warned


def test_settings_and_notice_are_escaped() -> None:
    settings = Settings(practice=False, model="<script>")

    assert "<script>" not in markup.header(settings)
    assert "<b>&" not in markup.bar(settings, "<b>&")


def test_the_talk_button_is_there_for_push_to_talk_alone() -> None:
    pushed = Settings(practice=False, turn_detection="push_to_talk")

    assert "disabled hidden>Hold" in markup.bar(OPENAI, "")
    assert "disabled data-always>Hold" in markup.bar(pushed, "")
    assert "hold the talk button" in markup.empty_transcript(pushed)
    assert "just speak" in markup.empty_transcript(OPENAI)


@pytest.mark.parametrize("word", ["dBFS", "buffer", "sideband", "Round trip"])
def test_the_calm_page_names_nothing_that_a_newcomer_does_not_know(word: str) -> None:
    shown = (
        markup.header(PRACTICE),
        markup.empty_transcript(PRACTICE),
        markup.signs(),
        markup.bar(PRACTICE, ""),
    )

    assert not any(word in html for html in shown)
