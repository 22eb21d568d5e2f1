"""The whole app in Chromium, with its practice server: spoken to, interrupted, hung up."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from components.practice.brain.number_words import words as in_words
from tests.browser.steps import ALL_CLOSED, HEARS_SOUND, settle, state_of
from tests.running import practice_server, running_app

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]

Visit = Callable[..., Page]
LIMIT_MS = 25_000
INTERJECTION = "thank you very much, that is enough for now"
"""Long, because the echo canceller swallows the beginning of what is said over a voice."""

FALLS_SILENT = """async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const audio = document.querySelector("#call audio");
  context.createMediaStreamSource(audio.srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  for (let quiet = 0; quiet < 10; ) {
    await new Promise(requestAnimationFrame);
    analyser.getFloatTimeDomainData(samples);
    quiet = samples.some((sample) => Math.abs(sample) > 0.01) ? 0 : quiet + 1;
  }
  return context.close().then(() => true);
}"""

WITHOUT_DELETED = """(message) => {
  const copy = message.cloneNode(true);
  for (const unheard of copy.querySelectorAll("del, details")) unheard.remove();
  return copy.textContent;
}"""

TRICK = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> hello"

CUT = """() => {
  const pc = window.witness.peers.at(-1);
  for (const [name, value] of [["connectionState", "failed"], ["iceConnectionState", "failed"]]) {
    Object.defineProperty(pc, name, { configurable: true, get: () => value });
    pc.dispatchEvent(new Event(name.toLowerCase() + "change"));
    delete pc[name];
  }
}"""
"""What a page sees of a connection that is lost."""


def bubbles(page, role):
    return page.locator(f"#transcript .{role}.message")


def figure(page, name):
    return page.locator(f'#figures [data-figure="{name}"]')


def begin(page):
    page.click("#start")
    state_of(page, "connection").to_have_text("Connected", timeout=LIMIT_MS)


def test_a_first_visit_loads_less_than_600_kb(practice, quiet):
    context = quiet.new_context()
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(practice, wait_until="networkidle")
    expect(page.locator("#start")).to_be_enabled()
    context.close()
    assert 100_000 < sum(sizes) < 600_000


def test_spoken_question_is_written_down_and_answered_aloud(practice, says, visit: Visit):
    page = visit(practice, using=says(2.0, "what time is it", 30.0))
    expect(page.locator("#transcript")).to_contain_text("Start call")
    begin(page)

    state_of(page, "user").to_have_text("Speaking", timeout=LIMIT_MS)
    state_of(page, "user").to_have_text("Listening", timeout=LIMIT_MS)
    state_of(page, "assistant").to_have_text("Speaking", timeout=LIMIT_MS)
    assert page.evaluate(HEARS_SOUND)
    expect(bubbles(page, "user")).to_have_text(["What time is it?"], timeout=LIMIT_MS)
    expect(bubbles(page, "bot")).to_contain_text(["It is"], timeout=LIMIT_MS)
    expect(figure(page, "buffer")).to_have_text(re.compile(r"^\d+ ms$"))
    state_of(page, "assistant").to_have_text("Idle", timeout=LIMIT_MS)

    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)


def test_speaking_over_the_assistant_stops_it_and_marks_what_was_cut(practice, says, visit: Visit):
    page = visit(practice, using=says(8.0, INTERJECTION, 30.0))
    begin(page)
    page.fill("#say", "count to thirty")  # whose sound nobody has to make out
    page.press("#say", "Enter")
    state_of(page, "assistant").to_have_text("Speaking", timeout=LIMIT_MS)
    state_of(page, "user").to_have_text("Speaking", timeout=LIMIT_MS)
    assert page.evaluate(FALLS_SILENT)

    counted = bubbles(page, "bot").first
    expect(counted).to_contain_text("1, 2, 3,", timeout=LIMIT_MS)
    expect(counted).to_contain_text("interrupted")
    # What had come by then and was not heard; on a slow machine that is not all of it.
    expect(counted.locator("s, del")).to_have_text(re.compile(r"\d, \d"))
    expect(bubbles(page, "user")).to_have_count(2, timeout=LIMIT_MS)
    expect(bubbles(page, "user").first).to_have_text("count to thirty")


def test_the_tour_reacts_to_speech_and_tells_where_it_was_stopped(practice, says, visit: Visit):
    page = visit(practice, using=says(7.0, "the quick brown fox", 12.0, INTERJECTION, 60.0))
    expect(page.locator(".rv-who")).to_have_text(
        "Practice server · offline, approximate"
        " · PocketSphinx hears, eSpeak speaks, fixed rules answer"
    )
    page.get_by_text("Take the tour").click()

    answers = bubbles(page, "bot")
    expect(answers).to_contain_text(["Say anything."], timeout=LIMIT_MS)
    expect(answers.nth(1)).to_contain_text(re.compile(r"I heard you for \d"), timeout=LIMIT_MS)
    expect(answers.nth(2)).to_contain_text("Now type something.", timeout=LIMIT_MS)
    stopped = re.search(r"stopped me at ([\w-]+);", answers.nth(2).inner_text())
    heard = page.evaluate(WITHOUT_DELETED, answers.nth(1).element_handle())
    assert stopped is not None
    assert stopped[1] == in_words(int(re.findall(r"(\d+),", heard)[-1])), heard

    page.fill("#say", "lorem ipsum")
    page.press("#say", "Enter")
    expect(answers.nth(3)).to_contain_text("I read it at once.", timeout=LIMIT_MS)


def test_typed_line_is_answered_and_the_next_call_goes_on_from_there(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet)
    lines, answers = [], []
    for line, answer in (("what is 12 + 30?", "42"), ("how much is 2 times 4?", "8")):
        begin(page)
        page.fill("#say", line)
        page.press("#say", "Enter")

        lines.append(line)
        answers.append(answer)
        expect(bubbles(page, "user")).to_have_text(lines, timeout=LIMIT_MS)
        expect(bubbles(page, "bot")).to_contain_text(answers, timeout=LIMIT_MS)
        page.click("#start")
        settle(page, "ended")


def test_interrupt_button_stops_the_answer(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet)
    begin(page)
    page.fill("#say", "count to thirty")
    page.click("#send")
    assert page.evaluate(HEARS_SOUND)
    page.click("#interrupt")

    assert page.evaluate(FALLS_SILENT)
    expect(bubbles(page, "bot").first).to_contain_text("interrupted")


def test_three_visitors_talk_at_once_and_see_their_own_words_only(practice, quiet, visit: Visit):
    pages = [visit(practice, using=quiet) for _ in range(3)]
    for page in pages:
        page.click("#start")
    for page in pages:
        state_of(page, "connection").to_have_text("Connected", timeout=LIMIT_MS)
    for number, page in enumerate(pages):
        page.fill("#say", f"what is {number} + 100?")
        page.press("#say", "Enter")

    for number, page in enumerate(pages):
        own = f"what is {number} + 100?"
        expect(bubbles(page, "user")).to_have_text([own], timeout=LIMIT_MS)
        expect(bubbles(page, "bot")).to_contain_text([str(100 + number)], timeout=LIMIT_MS)
        expect(bubbles(page, "bot")).to_have_count(1)


def test_call_survives_a_lost_connection_and_goes_on(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet)
    begin(page)
    page.fill("#say", "what is 12 + 30?")
    page.press("#say", "Enter")
    expect(bubbles(page, "bot")).to_contain_text(["42"], timeout=LIMIT_MS)

    page.evaluate(CUT)
    page.wait_for_function("window.witness.peers.length === 2", timeout=LIMIT_MS)
    state_of(page, "connection").to_have_text("Connected", timeout=LIMIT_MS)

    page.fill("#say", "how much is 2 times 4?")
    page.press("#say", "Enter")
    assert page.evaluate(HEARS_SOUND)
    expect(bubbles(page, "bot")).to_contain_text(["42", "8"], timeout=LIMIT_MS)
    expect(bubbles(page, "user")).to_have_text(["what is 12 + 30?", "how much is 2 times 4?"])
    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)


def test_transcript_survives_a_cut_network(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet)
    begin(page)
    page.fill("#say", "what is 12 + 30?")
    page.press("#say", "Enter")
    expect(bubbles(page, "bot")).to_contain_text(["42"], timeout=LIMIT_MS)

    page.context.set_offline(True)
    page.evaluate(CUT)
    expect(page.locator("#notice")).to_contain_text("tries to get it back")
    page.context.set_offline(False)
    state_of(page, "connection").to_have_text("Connected", timeout=LIMIT_MS)

    page.fill("#say", "how much is 2 times 4?")
    page.press("#say", "Enter")
    expect(bubbles(page, "bot")).to_contain_text(["42", "8"], timeout=LIMIT_MS)
    expect(page.locator(".toast-body")).to_have_count(0)


def test_what_was_said_is_there_after_a_reload_until_it_is_forgotten(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet)
    begin(page)
    page.fill("#say", TRICK)
    page.press("#say", "Enter")
    expect(bubbles(page, "user")).to_have_text([TRICK], timeout=LIMIT_MS)
    state_of(page, "assistant").to_have_text("Speaking", timeout=LIMIT_MS)
    page.click("#start")
    settle(page, "ended")

    other = page.context.new_page()
    other.goto(practice)
    page.reload()
    expect(bubbles(page, "user")).to_have_text([TRICK], timeout=LIMIT_MS)
    expect(bubbles(other, "user")).to_have_count(0)
    expect(page.locator("#transcript .rv-empty")).to_have_count(0)
    begin(page)
    expect(bubbles(page, "user")).to_have_text([TRICK])
    page.fill("#say", "what is 12 + 30?")
    page.press("#say", "Enter")
    expect(bubbles(page, "user")).to_have_text([TRICK, "what is 12 + 30?"], timeout=LIMIT_MS)
    page.click("#start")
    settle(page, "ended")

    page.click("#new-conversation")
    expect(bubbles(page, "user")).to_have_count(0)
    begin(page)
    expect(bubbles(page, "user")).to_have_count(0)
    assert page.evaluate("window.hacked") is None


def test_wrong_key_is_told_and_the_practice_server_does_not_stand_in(tmp_path, quiet, visit: Visit):
    with (
        practice_server("--key", "right") as base_url,
        running_app(tmp_path, REALTIME_BASE_URL=base_url, OPENAI_API_KEY="sk-wrong-key") as url,
    ):
        page = visit(url, using=quiet)
        for _ in range(2):
            page.click("#start")
            state_of(page, "connection").to_have_text("Failed", timeout=LIMIT_MS)
            expect(page.locator("#notice")).to_contain_text("Check OPENAI_API_KEY")
            settle(page, "failed")

        assert "sk-wrong-key" not in page.content()
        assert "sk-wrong-key" not in (tmp_path / "app.log").read_text()
