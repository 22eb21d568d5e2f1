"""What the page names to the browser before it could find out."""

from components.page.early import early_links


def test_the_links_name_the_component_what_it_brings_and_the_start_of_gradio():
    links = early_links().split(", ")
    assert all(link.startswith("<") and link.endswith(">; rel=modulepreload") for link in links)
    names = [link.partition(">")[0].rpartition("/")[2] for link in links]
    assert names[0] == "index.js"
    assert [name.partition("-")[0] for name in names[1:]] == ["index", "Blocks"]
