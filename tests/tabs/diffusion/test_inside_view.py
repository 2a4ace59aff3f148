"""The scripts and style sheets of the view "Inside", without a browser."""

import re

from explorer.views import diffusion_inside


def test_the_scripts_share_one_scope_so_no_name_is_declared_twice():
    found = {}
    for name in diffusion_inside.SCRIPTS:
        text = (diffusion_inside.HERE / name).read_text(encoding="utf-8")
        for declared in re.findall(r"^(?:async )?(?:function\*?|const|let|class) +(\w+)", text, re.MULTILINE):
            assert declared not in found, f"{declared} is in {name} and in {found[declared]}"
            found[declared] = name


def test_every_script_and_style_sheet_of_the_folder_is_used():
    folder = {path.name for path in diffusion_inside.HERE.iterdir()}
    assert {name for name in folder if name.endswith(".js")} == set(diffusion_inside.SCRIPTS)
    assert {name for name in folder if name.endswith(".css")} == {*diffusion_inside.STYLES, "page.css"}


def test_what_the_page_is_told_of_the_template_holds_no_script():
    assert "${" not in (diffusion_inside.HERE / "inside.html").read_text(encoding="utf-8")
