"""Which paths are passed on, judged by the files that Gradio and fastrtc have."""

from pathlib import Path

import fastrtc
import gradio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.access.admission import door
from components.access.paths import is_plain

FILES = [
    f"/{path.relative_to(folder).as_posix()}"
    for folder in (
        Path(gradio.__file__).parent / "templates" / "frontend",
        Path(fastrtc.__file__).parent / "templates",
    )
    for path in folder.rglob("*")
    if path.is_file()
]


def test_every_file_of_the_page_has_a_plain_path():
    assert len(FILES) > 500
    assert [path for path in FILES if not is_plain(path)] == []


@pytest.mark.parametrize("path", ["/", "/login/", "/gradio_api/component_server/", "/widget.js"])
def test_the_addresses_of_the_app_are_plain(path):
    assert is_plain(path)


@pytest.mark.parametrize(
    "rest",
    [
        *("/windows/win.ini", "//windows/win.ini", "a//b", "\\windows\\win.ini", "..\\x", "a\\b"),
        *("../../etc/passwd", "./x", "..", ".", "img/../../x", ".env", "img/.hidden", "x.", "x. "),
        *("C:/windows/win.ini", "c:win.ini", "x:stream", "x\0.svg", "x\n", "x\x7f", "\u2044x"),
        *("%5cwindows", "%2e%2e/x", "CON", "nul.txt", "img/Aux", "com1", "LPT9.js", "con/x"),
        *(" x", "~/x", "*", "?", "a|b", "x\u202e", "\uff0e\uff0e/x"),
    ],
)
def test_what_a_file_system_may_read_in_another_way_is_not(rest):
    assert door(f"/static/{rest}", ()) == "public"
    assert not is_plain(f"/static/{rest}")


@pytest.mark.parametrize("path", ["", "x", "//", "\\", "http://evil.example/", "*"])
def test_what_is_no_path_is_not_plain(path):
    assert not is_plain(path)


@given(st.text(st.sampled_from("ab./\\:\0 %"), max_size=12))
def test_a_plain_path_has_no_part_that_leads_elsewhere(rest):
    if is_plain(f"/static/{rest}"):
        parts = rest.removesuffix("/").split("/")
        assert not set(rest) & set("\\:\0%")
        assert all(part.strip(". ") == part.strip(" .") != "" for part in parts) or rest in (
            "",
            "/",
        )
        assert not any(part.startswith(".") or part.endswith((".", " ")) for part in parts)


def test_a_path_of_any_length_is_judged_at_once():
    assert not is_plain("/static/" + "a." * 8000)
    assert not is_plain("/static" + "/a" * 8000 + "/.")
