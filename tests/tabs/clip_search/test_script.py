"""The script of a search: run on a folder of faces, it ranks them as the search does."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from explorer import corpus
from explorer.clip import folder
from explorer.index import open_index
from explorer.tabs.clip_search import script, search

FACES = 12


@pytest.fixture(scope="module")
def faces(tmp_path_factory, avatars):
    """Rendered faces as files, and as an index under the model that ships."""
    place = tmp_path_factory.mktemp("faces")
    pixels = corpus.render(np.arange(corpus.SPLITS["test"].start, corpus.SPLITS["test"].start + FACES))
    for n, image in enumerate(pixels):
        Image.fromarray(image).save(place / f"{n:02}.png")
    index = open_index(":memory:", avatars.dim, "test", server="")
    index.upsert(range(FACES), avatars.images(pixels), [{"name": f"{n:02}.png"} for n in range(FACES)])
    return SimpleNamespace(place=place, index=index)


def text(words, weight=1.0):
    return {"kind": "text", "text": words, "weight": weight}


QUERIES = [
    {"terms": [text("red hair"), text("a blue shirt", 0.5), text("glasses", -0.7)], "template": ["{}", "a face with {}"]},
    {"terms": [text("a 'sad' face"), text("a \"beard\"\\", 2)], "balanced": False, "template": "someone with {}", "least": True},
]


@pytest.mark.slow  # each imports PyTorch anew
@pytest.mark.parametrize("request_", QUERIES)
def test_it_ranks_a_folder_as_the_search_does(tmp_path, avatars, faces, request_):
    program = tmp_path / "clip_search.py"
    program.write_text(script.script(request_), encoding="utf-8")
    command = [sys.executable, program, faces.place, folder.shipped()]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert run.returncode == 0, run.stderr
    printed = [line.split("  ") for line in run.stdout.splitlines()]
    hits = search.search(avatars, faces, request_)["hits"]
    assert [path[-6:] for _, path in printed] == [hit["title"] for hit in hits]
    # Indexes keep vectors in half precision.
    assert [float(score) for score, _ in printed] == pytest.approx([hit["score"] for hit in hits], abs=2e-3)


def test_pictures_of_the_query_are_files_to_be_put_in_place():
    terms = [text("red hair"), {"kind": "image", "ref": {"item": 3}, "weight": -1}, {"kind": "image", "ref": {"face": 3}}]
    told = script.script({"terms": terms, "where": [["width", ">=", 3]], "likes": [1]})
    assert "('image', 'picture-1.png', -1.0)," in told and "'picture-2.png'" in told and "put your files here" in told
    assert "# Not in this script: the filters, the liked pictures." in told
    compile(told, "script", "exec")


def test_words_are_words_whatever_they_hold():
    """A text can leave neither its line nor its quotes."""
    sneaky = "'''\"\"\"\\\nraise SystemExit(7) # \u2028 {} \x00"
    told = script.script({"terms": [text(sneaky)], "template": "it''s {}"})
    values = {}
    exec(told[told.index("MODEL =") : told.index("ENDINGS")], values)
    assert values["TERMS"] == [("text", " ".join(sneaky.split()), 1.0)] and values["TEMPLATES"] == ["it''s {}"]


@pytest.mark.parametrize("given, said", [({}, "Write what"), ({"terms": [text(" ")]}, "Write what"),
                                         ({"terms": [text("a")], "model": "/etc"}, "no CLIP model")])  # fmt: skip
def test_what_has_no_script(given, said):
    with pytest.raises(ValueError, match=said):
        script.script(given)
