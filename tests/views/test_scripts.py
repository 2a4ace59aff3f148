"""The scripts, style sheets and templates of every view, without a browser."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from explorer import views

ALL = [importlib.import_module(f"explorer.views.{found.name}") for found in pkgutil.iter_modules(views.__path__) if found.ispkg]
MANY = [view for view in ALL if hasattr(view, "SCRIPTS")]  # made of several scripts


def named(view) -> str:
    return view.__name__.rpartition(".")[2]


@pytest.mark.parametrize("view", MANY, ids=named)
def test_the_scripts_share_one_scope_so_no_name_is_declared_twice(view):
    found = {}
    for name in view.SCRIPTS:
        text = (view.HERE / name).read_text(encoding="utf-8")
        for declared in re.findall(r"^(?:async )?(?:function\*?|const|let|class) +(\w+)", text, re.MULTILINE):
            assert declared not in found, f"{declared} is in {name} and in {found[declared]}"
            found[declared] = name


@pytest.mark.parametrize("view", MANY, ids=named)
def test_every_script_and_style_sheet_of_the_folder_is_used(view):
    folder = {path.name for path in view.HERE.iterdir()}
    own = {name for name in (*view.SCRIPTS, *view.STYLES) if "/" not in name}  # what views share stands elsewhere
    page = {"page.css"} & folder  # what cannot stand in a scoped rule
    assert {name for name in folder if name.endswith((".js", ".css"))} == own | page


@pytest.mark.parametrize("view", ALL, ids=named)
def test_what_the_page_is_told_of_the_template_holds_no_script(view):
    for template in view.HERE.glob("*.html"):
        assert "${" not in template.read_text(encoding="utf-8")


def test_what_views_share_is_used_by_two_at_least():
    here = Path(views.__file__).parent
    named = [set(re.findall(r'"\.\./([\w-]+\.\w+)"', path.read_text(encoding="utf-8"))) for path in here.glob("*/__init__.py")]
    for path in here.iterdir():
        if path.suffix in (".js", ".css"):
            assert sum(path.name in names for names in named) > 1, path.name
