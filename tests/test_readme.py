"""The README keeps its promises: its tree is the tree, its commands exist, its front matter is what a Space reads."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tree(text: str) -> dict[str, str]:
    """The files of the block that begins with "explorer/": path -> phrase. Two spaces a level; names share a phrase by commas."""
    block = re.search(r"```\n(explorer/\n.*?)```", text, re.DOTALL)[1]
    found, folders = {}, []
    for line in block.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names, _, phrase = line.strip().partition("  ")
        for name in names.split(", "):
            if name.endswith("/"):
                folders[depth:] = [name]
            else:
                found["".join(folders[:depth]) + name] = phrase.strip()
    return found


def test_the_tree_names_every_file_and_no_other():
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "explorer").rglob("*")
        if path.is_file() and path.suffix != ".pyi" and "__pycache__" not in path.parts
    }
    named = set(tree(README))
    assert named - files == set(), "named in the README, but not there"
    assert files - named == set(), "there, but not named in the README"


def test_every_file_has_a_phrase():
    assert [path for path, phrase in tree(README).items() if not phrase] == []


def test_a_missing_or_extra_file_would_be_noticed():
    assert tree("```\nexplorer/\n  a.py, b.js  does things\n  in/\n    c.py    more\n  d.py  end\n```") == {
        "explorer/a.py": "does things", "explorer/b.js": "does things", "explorer/in/c.py": "more", "explorer/d.py": "end",
    }  # fmt: skip


COMMANDS = set(re.findall(r"python -m ((?:explorer|bench)\.[\w.]+)", README)) - {"explorer.tabs.mixtures.train"}


@pytest.mark.parametrize("module", sorted(COMMANDS))
def test_every_command_can_be_run(module):
    found = importlib.util.find_spec(module)
    assert found, f"there is no module {module}"
    if found.submodule_search_locations:
        assert importlib.util.find_spec(f"{module}.__main__"), f"{module} has no __main__"


def test_every_trainer_and_bench_is_in_the_readme():
    trainers = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "explorer").rglob("train.py")]
    benches = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "bench").glob("*.py") if path.stem != "__init__"]
    for path in trainers + benches:
        assert f"`python -m {'.'.join(path.parts)}`" in README
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for path in trainers:
        assert f"-m {'.'.join(path.parts)}" in makefile


def test_every_picture_and_link_is_there():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_the_front_matter_is_what_a_space_reads():
    front = dict(line.split(": ", 1) for line in README.split("---\n")[1].splitlines())
    pinned = re.search(r"^gradio==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert front["sdk"] == "gradio" and front["sdk_version"] == pinned
    assert (ROOT / front["app_file"]).is_file() and front["license"] == "mit"
    assert front["python_version"] == '"3.11"' and len(front["short_description"]) <= 60
    assert {front["colorFrom"], front["colorTo"]} <= {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def test_the_version_is_said_once():
    from explorer import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__


def test_make_has_the_targets_that_the_readme_names():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)`?(?=[\s`])", README)) <= targets | {"sure"}
    assert {"run", "test", "bench", "train", "lint"} <= targets
