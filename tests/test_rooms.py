"""Who may import what. Engines compute, the page draws, and what both share is plain."""

import ast
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Every file of the app is in one room. A new file that is named nowhere here is an engine.
UI = (
    "app.py", "explorer/theme.py", "explorer/routes.py", "explorer/views/*", "explorer/tabs/*/ui.py",
    "explorer/tabs/*/*_routes.py",
)  # fmt: skip
PLAIN = (
    "explorer/tab.py", "explorer/cli.py", "explorer/assets.py", "explorer/palette.py", "explorer/limits.py",
    "explorer/uploads.py", "explorer/toy2d.py", "explorer/export.py", "explorer/batcher.py", "explorer/turns.py",
    "explorer/corpus/*", "explorer/index/*", "*/__init__.py",
)  # fmt: skip

DRAWS = {"gradio", "gradio_client", "starlette", "fastapi"}
COMPUTES = {"torch", "torchvision", "diffusers", "open_clip", "transformers"}
FORBIDDEN = {"ui": COMPUTES, "plain": DRAWS | COMPUTES, "engine": DRAWS}


def room(path: str) -> str:
    """The room of a file, by its path from the root: "ui", "plain" or "engine"."""
    file = Path(path)
    if any(_under(file, pattern) for pattern in UI):
        return "ui"
    return "plain" if any(_under(file, pattern) for pattern in PLAIN) else "engine"


def _under(file: Path, pattern: str) -> bool:
    if pattern.endswith("/*"):
        return file.is_relative_to(pattern[:-2])
    return file.match(pattern)


def imports(source: str, package: str) -> list[tuple[str, bool]]:
    """The dotted names a file imports, wherever it does so; True where that is at import time, not in a function."""
    found = []

    def walk(node, outside):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend((alias.name, outside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    parts = package.split(".")
                    base = ".".join(parts[: len(parts) - child.level + 1] + ([base] if base else []))
                found.extend((f"{base}.{alias.name}", outside) for alias in child.names)
            elif isinstance(child, ast.Call) and child.args and isinstance(child.args[0], ast.Constant):
                name = ast.unparse(child.func)
                if name in ("__import__", "import_module", "importlib.import_module"):
                    found.append((str(child.args[0].value), outside))
            walk(child, outside and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))

    walk(ast.parse(source), True)
    return found


def violations(root: Path) -> list[str]:
    """What breaks the rules below `root`, one sentence each."""
    out = []
    files = [*root.glob("app.py"), *sorted((root / "explorer").rglob("*.py"))]
    modules = {_module(file.relative_to(root)): file.relative_to(root).as_posix() for file in files}
    for file in files:
        path = file.relative_to(root)
        package = ".".join(path.parent.parts)
        own = room(path.as_posix())
        for name, at_import in imports(file.read_text(encoding="utf-8"), package):
            if name.split(".")[0] in FORBIDDEN[own]:
                out.append(f"{path} is {own} and imports {name}")

            # A tab knows no other tab.
            mine, theirs = path.parts[2:3] if path.parts[:2] == ("explorer", "tabs") else None, name.split(".")
            if mine and theirs[:2] == ["explorer", "tabs"] and len(theirs) > 2 and theirs[2] != mine[0]:
                out.append(f"{path} imports the tab {theirs[2]}")

            # What is drawn or plain loads no engine when it is imported, and views never do.
            target = modules.get(name) or modules.get(name.rpartition(".")[0])
            if target and own != "engine" and room(target) == "engine":
                if own == "plain" or at_import or path.is_relative_to("explorer/views"):
                    out.append(f"{path} is {own} and imports the engine {target}")
    return out


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_file_keeps_to_its_room():
    assert violations(ROOT) == []


def test_rooms_of_known_files():
    assert room("explorer/tabs/vae/ui.py") == room("explorer/views/film/__init__.py") == room("app.py") == "ui"
    assert room("explorer/tabs/vae/__init__.py") == room("explorer/corpus/factors.py") == "plain"
    assert room("explorer/tabs/vae/engine.py") == room("explorer/tabs/vae/sampler.py") == "engine"


@pytest.mark.parametrize(
    "file, line",
    [
        ("explorer/tabs/vae/ui.py", "import torch"),
        ("explorer/tabs/vae/ui.py", "import torch.nn.functional as F"),
        ("explorer/tabs/vae/ui.py", "from torch import nn"),
        ("explorer/tabs/vae/ui.py", "def late():\n    import torch"),
        ("explorer/tabs/vae/ui.py", 'import importlib\nimportlib.import_module("torch")'),
        ("explorer/tabs/vae/ui.py", '__import__("torch")'),
        ("explorer/tabs/vae/ui.py", "from explorer.tabs.vae import engine"),
        ("explorer/tabs/vae/ui.py", "from . import engine"),
        ("explorer/views/shell/__init__.py", "from torch import nn"),
        ("explorer/views/shell/__init__.py", "def late():\n    from explorer import device"),
        ("app.py", "class Late:\n    import torch"),
        ("explorer/palette.py", "import torch"),
        ("explorer/palette.py", "import gradio as gr"),
        ("explorer/assets.py", "def late():\n    from explorer.device import choose"),
        ("explorer/corpus/__init__.py", "from torch.utils.data import Dataset"),
        ("explorer/tabs/vae/__init__.py", "from gradio import Progress"),
        ("explorer/tabs/vae/engine.py", "from gradio import Progress"),
        ("explorer/tabs/vae/sampler.py", "import gradio"),
        ("explorer/device.py", "from starlette.responses import Response"),
        ("explorer/tabs/vae/engine.py", "from explorer.tabs.gan import engine"),
        ("explorer/tabs/vae/engine.py", "def late():\n    from explorer.tabs import gan"),
        ("explorer/tabs/vae/engine.py", "from ..gan.engine import load"),
    ],
)
def test_a_planted_violation_is_caught(tmp_path, file, line):
    root = tmp_path / "copy"
    shutil.copytree(ROOT / "explorer", root / "explorer", ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    shutil.copy(ROOT / "app.py", root)
    before = violations(root)

    target = root / file
    target.write_text((target.read_text(encoding="utf-8") if target.exists() else "") + f"\n{line}\n", encoding="utf-8")

    new = [found for found in violations(root) if found not in before]
    assert len(new) >= 1 and all(found.startswith(file) for found in new), new


def test_a_file_that_imports_its_own_engine_inside_a_function_is_fine(tmp_path):
    (tmp_path / "explorer/tabs/vae").mkdir(parents=True)
    (tmp_path / "explorer/tabs/vae/engine.py").write_text("import torch\n")
    (tmp_path / "explorer/tabs/vae/ui.py").write_text("import gradio\ndef warm():\n    from . import engine\n")
    assert violations(tmp_path) == []
