"""What a tab says of itself, and which tabs there are. Knows neither how they look nor what they compute."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "tabs"


@dataclass(frozen=True)
class Tab:
    """The facts that lists, links and tests need, without loading the tab."""

    title: str
    order: int  # place in the row of tabs, in steps of ten
    learns: str  # one sentence: what a visitor learns here
    models: Mapping[str, str] = field(default_factory=dict)  # model -> the command that makes it


def discover(folder: Path = FOLDER) -> dict[str, Tab]:
    """The tabs of a folder by name, in their order: every subfolder whose __init__.py defines TAB.

    Loads those __init__.py files alone, and so neither torch nor gradio.
    """
    names = [path.parent.name for path in sorted(Path(folder).glob("*/__init__.py"))]
    tabs = {name: _package(Path(folder), name).TAB for name in names}
    return dict(sorted(tabs.items(), key=lambda item: item[1].order))


def module(name: str, part: str, folder: Path = FOLDER):
    """The module `part` of a tab, such as its "ui"."""
    return importlib.import_module(f"{_package(Path(folder), name).__name__}.{part}")


def _package(folder: Path, name: str):
    """The package of a tab. A folder from elsewhere is loaded under a name that hides none of ours."""
    if folder.resolve() == FOLDER.resolve():
        return importlib.import_module(f"explorer.tabs.{name}")

    alias = f"tab_{name}_in_{abs(hash(folder.resolve()))}"
    if alias not in sys.modules:
        file = folder / name / "__init__.py"
        spec = importlib.util.spec_from_file_location(alias, file, submodule_search_locations=[str(file.parent)])
        sys.modules[alias] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[alias])
    return sys.modules[alias]
