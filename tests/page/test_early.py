"""What the page names to the browser before it could find out."""

import re

from components.page.early import early_tags

SHOWN = ("chatbot", "row", "html", "state", "none of Gradio's")


def named(*components: str) -> list[str]:
    """The files without what changes with their content, in order."""
    files = re.findall(r'href="([^"]+)"', early_tags(components))
    assert len(set(files)) == len(files)
    return [re.sub(r"-[\w-]{8}\.", ".", file.rpartition("/")[2]) for file in files]


def test_the_page_names_the_start_of_gradio_first_and_the_component_beside_it() -> None:
    names = named(*SHOWN)
    assert names[:4] == ["index.js", "svelte.js", "Blocks.js", "init.js"]
    assert names[4:6] == ["index.js", "index.js"]
    assert "Blocks.css" in names


def test_what_a_component_needs_is_named_for_the_page_that_shows_it() -> None:
    fewer, more = named(), named(*SHOWN)
    assert set(more) > set(fewer)
    assert more.count("Index.js") - fewer.count("Index.js") == 3
    assert more.count("Index.css") - fewer.count("Index.css") == 3


def test_scripts_and_styles_are_named_as_what_they_are_and_without_an_origin() -> None:
    for tag in re.findall("<link[^>]*>", early_tags(SHOWN)):
        script = ".js" in tag
        assert ('rel="modulepreload"' if script else 'rel="preload" as="style" crossorigin') in tag
        assert re.search(r'href="[^/"]', tag)
