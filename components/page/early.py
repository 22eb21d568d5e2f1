"""Names to the browser at once what it would find only after four rounds of loading.

Rule: only files that are there; a file that another release of fastrtc or Gradio names otherwise is
left out, and the page loads it when it finds it. Browsers load few files at a time: first what
Gradio begins with, beside fastrtc's component, which takes as long as all others together.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import fastrtc
import gradio as gr

BEFORE_FASTRTC: Final = 4
"""Files that each wait for the one before it, if they are not named."""
_FRONTEND: Final = Path(gr.__file__).parent / "templates" / "frontend"
_ASSETS: Final = _FRONTEND / "assets"
_ENTRY: Final = re.compile(r'src="\./assets/([\w-]+\.js)"')
_IMPORT: Final = re.compile(r'(?:from|import) ?"\./([\w/-]+\.js)"')
_FILES: Final = re.compile(r"m\.f=(\[[^\]]*\])")
_NAME: Final = re.compile(r'"\./([\w/-]+\.(?:js|css))"')
_LATER: Final = r'import\("\./([\w-]+\.js)"\),__vite__mapDeps\(\[([\d,]*)\]\)'
"""How Gradio's bundle names a module that it loads when it is needed, and what that needs."""
_COMPONENT: Final = r'[,{]"?%s"?:\{[^{}]*component:\(\)=>\w+\(\(\)=>' + _LATER


def early_tags(components: Iterable[str]) -> str:
    """For the page's head; `components` are the names of Gradio's that it shows.

    Addresses are relative, so that they hold behind any root path.
    """
    gradios = [f"assets/{name}" for name in _of_gradio(components)]
    names = [*gradios[:BEFORE_FASTRTC], *_of_fastrtc(), *gradios[BEFORE_FASTRTC:]]
    return "".join(map(_tag, names))


def _tag(name: str) -> str:
    kind = 'rel="modulepreload"' if name.endswith(".js") else 'rel="preload" as="style" crossorigin'
    return f'<link {kind} href="{name}">'


def _of_gradio(components: Iterable[str]) -> list[str]:
    """The files of its start, in the order in which they are needed, then those of components."""
    entries = _ENTRY.findall(_text(_FRONTEND / "index.html"))
    blocks = [path.name for path in sorted(_ASSETS.glob("Blocks-*.js"))]
    found = list(_with_imports([*entries, *blocks], {}))
    bundles = [_text(_ASSETS / name) for name in found if name.startswith("init-")]
    for name in entries:
        found += _named(_LATER, _text(_ASSETS / name))
    found += [path.name for path in sorted(_ASSETS.glob("Blocks-*.css"))]
    for component in sorted(set(components)):
        for bundle in bundles:
            found += _named(_COMPONENT % re.escape(component), bundle)
    return [name for name in dict.fromkeys(found) if (_ASSETS / name).is_file()]


def _with_imports(names: Iterable[str], known: dict[str, None]) -> Iterable[str]:
    """These files and all that they import, each once."""
    for name in names:
        if name not in known:
            known[name] = None
            _with_imports(_IMPORT.findall(_text(_ASSETS / name)), known)
    return known


def _named(pattern: str, bundle: str) -> Iterator[str]:
    """The modules that a bundle names like this, each with the files that it needs."""
    files = _FILES.search(bundle)
    listed = _NAME.findall(files[1]) if files else []
    for name, needed in re.findall(pattern, bundle):
        yield name
        for index in filter(str.isdecimal, needed.split(",")):
            yield from listed[int(index) : int(index) + 1]


def _of_fastrtc() -> list[str]:
    component = fastrtc.WebRTC
    folder = Path(fastrtc.__file__).parent / component.TEMPLATE_DIR / "component"
    under = f"gradio_api/custom_component/{component.get_component_class_id()}/client/component"
    chunks = _IMPORT.findall(_text(folder / "index.js"))
    return [f"{under}/{name}" for name in (*chunks, "index.js") if (folder / name).is_file()]


def _text(path: Path) -> str:
    """Of a file; empty if there is none."""
    return path.read_text("utf-8") if path.is_file() else ""
