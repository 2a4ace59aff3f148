"""What every tab promises, and that a new folder is a new tab."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import app
from explorer import tab

ROOT = Path(__file__).parent.parent
TABS = tab.discover()


@pytest.mark.parametrize("name", TABS)
def test_a_tab_introduces_itself(name):
    facts = TABS[name]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert 0 < len(facts.title) <= 20, "the title is a label in a row of tabs"
    assert facts.learns.endswith(".") and facts.learns.count(". ") == 0, "learns is one sentence"
    assert facts.learns[0].isupper() and len(facts.learns) < 200
    for model, command in facts.models.items():
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", model)
        assert command.startswith("python -m explorer."), "a visitor copies the command as it is"


def test_orders_are_unique_and_sorted():
    orders = [facts.order for facts in TABS.values()]
    assert orders == sorted(set(orders))


@pytest.mark.parametrize("name", TABS)
def test_the_text_beside_the_picture(name):
    text = (tab.FOLDER / name / "explain.md").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", "", text, flags=re.DOTALL)
    assert not re.search(r"</?[a-zA-Z][^>]*>", prose), "explain.md is Markdown, without HTML"
    assert "$" not in prose, "a dollar sign without its partner"
    assert len(prose.split()) >= 60, "a few paragraphs at least"


@pytest.mark.parametrize("name", TABS)
def test_ui_builds_and_warms_without_arguments(name):
    tree = ast.parse((tab.FOLDER / name / "ui.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert "build" in functions
    for wanted in {"build", "warm"} & set(functions):
        arguments = functions[wanted].args
        assert len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs) == len(
            arguments.defaults + [default for default in arguments.kw_defaults if default]
        )


def test_finding_the_tabs_loads_neither_torch_nor_gradio():
    assert _loaded("from explorer.tab import discover; discover()", "torch", "gradio", "numpy") == []


def test_building_the_page_loads_no_torch():
    assert _loaded("import app; app.build()", "torch", "torchvision", "sklearn", "diffusers", "open_clip") == []


def test_the_routes_of_tabs_share_one_prefix():
    _, routes = app.build()
    paths = [route.path for route in routes]
    assert all(path.startswith("/gradio_api/x/") for path in paths)
    assert len(paths) == len(set(paths))


NEW_TAB = {
    "__init__.py": 'from explorer.tab import Tab\nTAB = Tab("Mixtures", 30, "How clouds of points share them out.")\n',
    "explain.md": "Points $x$ and their clouds $\\mu$.",
    "words.py": 'GREETING = "a greeting from a new tab"\n',
    "ui.py": """
import gradio as gr
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from .words import GREETING

def build():
    gr.Markdown(GREETING)
    return [Route("/gradio_api/x/mixtures/hello", lambda request: PlainTextResponse(GREETING))]
""",
}


def test_a_new_folder_is_a_new_tab(tmp_path):
    _write(tmp_path / "mixtures", NEW_TAB)

    assert {name: facts.title for name, facts in tab.discover(tmp_path).items()} == {"mixtures": "Mixtures"}
    demo, routes = app.build(folder=tmp_path)
    page = str(demo.get_config_file())
    assert "a greeting from a new tab" in page and "How clouds of points share them out." in page
    assert "/gradio_api/x/mixtures/hello" in [route.path for route in routes]


def test_order_decides_and_a_folder_without_a_tab_is_none(tmp_path):
    for name, order in (("later", 20), ("sooner", 10)):
        _write(tmp_path / name, {"__init__.py": f'from explorer.tab import Tab\nTAB = Tab("T", {order}, "It.")\n'})
    (tmp_path / "__pycache__").mkdir()
    assert list(tab.discover(tmp_path)) == ["sooner", "later"]


def test_a_tab_without_its_model_says_the_command_and_the_others_work(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    _write(tmp_path / "mixtures", NEW_TAB)
    init = (
        "from explorer.tab import Tab\n"
        'TAB = Tab("Absent", 40, "What is absent.", {"absent/one": "python -m explorer.tabs.absent.train"})\n'
    )
    _write(tmp_path / "absent", {"__init__.py": init, "ui.py": "raise RuntimeError('never imported')"})

    page = str(app.build(folder=tmp_path)[0].get_config_file())
    assert "The model absent/one is not here" in page and "<code>python -m explorer.tabs.absent.train</code>" in page
    assert "a greeting from a new tab" in page


def test_a_tab_that_cannot_be_built_says_so_and_the_others_work(tmp_path, caplog):
    _write(tmp_path / "mixtures", NEW_TAB)
    broken = NEW_TAB | {
        "__init__.py": 'from explorer.tab import Tab\nTAB = Tab("Broken", 40, "What breaks.")\n',
        "ui.py": "import gradio as gr\ndef build():\n    gr.Markdown('half of it')\n    raise OSError('the secret reason')",
    }
    _write(tmp_path / "broken", broken)

    demo, _ = app.build(folder=tmp_path)
    page = str(demo.get_config_file())
    assert "This tab cannot be opened" in page and "a greeting from a new tab" in page
    assert "the secret reason" not in page and "the secret reason" in caplog.text
    half = next(part for part in demo.blocks.values() if getattr(part, "value", None) == "half of it")
    assert half.parent.visible is False


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _loaded(code: str, *modules: str) -> list[str]:
    """Which of these modules a fresh Python has loaded after this code."""
    check = f"{code}\nimport sys; print(*(m for m in {modules!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()
