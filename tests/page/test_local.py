from gradio.routes import templates

from components.page.local import keep_local, without_foreign_tags


def test_foreign_scripts_and_links_go_and_own_ones_stay() -> None:
    html = (
        '<link rel="preconnect" href="https://fonts.example" />'
        '<script\n src="https://cdn.example/a.js"\n async\n></script>'
        '<script src="./assets/b.js"></script><link href="/manifest.json" />'
    )

    assert without_foreign_tags(html) == (
        '<script src="./assets/b.js"></script><link href="/manifest.json" />'
    )


def test_gradios_templates_keep_their_entry_and_lose_other_hosts() -> None:
    keep_local()
    keep_local()

    for name in ("frontend/index.html", "frontend/share.html"):
        source, *_ = templates.env.loader.get_source(templates.env, name)
        assert "cdnjs" not in source
        assert "fonts.g" not in source
        assert 'type="module"' in source
