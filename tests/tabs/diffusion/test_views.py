"""The scripts and style sheets of the four views, without a browser."""

import re

import pytest

from explorer.views import diffusion_desk, diffusion_inside, diffusion_lab, diffusion_twin

VIEWS = [diffusion_desk, diffusion_inside, diffusion_lab, diffusion_twin]


@pytest.fixture(params=VIEWS, ids=lambda view: view.__name__.rpartition("_")[2])
def view(request):
    return request.param


def test_the_scripts_share_one_scope_so_no_name_is_declared_twice(view):
    found = {}
    for name in view.SCRIPTS:
        text = (view.HERE / name).read_text(encoding="utf-8")
        for declared in re.findall(r"^(?:async )?(?:function\*?|const|let|class) +(\w+)", text, re.MULTILINE):
            assert declared not in found, f"{declared} is in {name} and in {found[declared]}"
            found[declared] = name


def test_every_script_and_style_sheet_of_the_folder_is_used(view):
    folder = {path.name for path in view.HERE.iterdir()}
    own = {name for name in view.SCRIPTS if not name.startswith("../")}  # what views share stands elsewhere
    assert {name for name in folder if name.endswith(".js")} == own
    assert {name for name in folder if name.endswith(".css")} == {*view.STYLES, "page.css"}


def test_what_the_page_is_told_of_the_template_holds_no_script(view):
    for template in view.HERE.glob("*.html"):
        assert "${" not in template.read_text(encoding="utf-8")
