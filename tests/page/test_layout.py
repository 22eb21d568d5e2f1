import gradio as gr

from components.page.layout import HEAD, Header
from components.settings import Settings


async def test_pages_are_loaded_with_who_is_at_the_other_end_by_now_and_the_link() -> None:
    with gr.Blocks() as demo:
        gr.HTML("", padding=False, elem_id=HEAD)
    header = Header(demo, Settings(practice=True, share=True), {"ears": "PocketSphinx"})

    header.link("https://example.gradio.live")
    header.parts({"ears": "PocketSphinx", "voice": "eSpeak", "mind": "late:1b"})

    [head] = [each["props"]["value"] for each in demo.config["components"]]
    assert "late:1b" in head
    assert "example.gradio.live" in head
