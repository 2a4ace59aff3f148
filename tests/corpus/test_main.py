"""python -m explorer.corpus: files that can be read back, and errors of one sentence."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from explorer import corpus
from explorer.corpus.__main__ import main


@pytest.fixture
def failing(capsys):
    """Runs the command line and returns what it said on the error stream, which must be one line."""

    def run(*words) -> str:
        assert main([str(word) for word in words]) != 0
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "Traceback" not in said
        return said

    return run


def test_export_can_be_read_back(tmp_path, capsys):
    folder = tmp_path / "faces"
    assert main(["export", "120", str(folder), "--split", "compose", "--seed", "5"]) == 0
    assert "Wrote 120 faces" in capsys.readouterr().out
    images, rows = corpus.batch("compose", 0, 120, seed=5)

    with open(folder / "attributes.csv", newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    captions = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(table) == len(captions) == len(list(folder.glob("*.png"))) == 120

    for line, words, image, row in zip(table, captions, images, rows, strict=True):
        name = line.pop("file_name")
        assert [corpus.FACTORS[factor].index(text) for factor, text in line.items()] == row.tolist()
        assert words == {"file_name": name, "text": corpus.caption(row, 5)}
        assert (np.asarray(Image.open(folder / name)) == image).all()


def test_a_folder_in_use_is_refused_unless_forced(tmp_path, failing):
    (tmp_path / "mine.txt").write_text("keep")
    assert "not empty" in failing("export", 3, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt"]

    assert main(["export", "3", str(tmp_path), "--force"]) == 0
    assert (tmp_path / "mine.txt").read_text() == "keep" and (tmp_path / "000002.png").exists()


def test_errors_are_one_sentence(tmp_path, failing):
    file = tmp_path / "file"
    file.touch()
    assert "is a file" in failing("export", 3, file)
    assert "faces to export, not 0" in failing("export", 0, tmp_path / "a")
    assert "faces to export, not -4" in failing("export", "-4", tmp_path / "a")
    assert "faces to export" in failing("export", 10**9, tmp_path / "a")
    assert "Could not write" in failing("export", 3, file / "below")
    assert "not sheet.exe" in failing("sheet", "--out", tmp_path / "sheet.exe")
    assert "Could not write" in failing("sheet", "--out", tmp_path / "nowhere" / "sheet.png")
    assert not (tmp_path / "a").exists()


def test_the_sheet_shows_every_option(tmp_path):
    out = tmp_path / "sheet.png"
    assert main(["sheet", "--out", str(out)]) == 0
    with Image.open(out) as page:
        rows = len(corpus.FACTORS) + 3
        assert page.height == rows * 142 and page.width == 84 + 14 * 128
