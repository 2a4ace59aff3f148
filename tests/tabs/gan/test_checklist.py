"""The list of what GAN Lab has names a test for every row, and each of them exists."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
LIST = (TESTS.parent / "explorer/tabs/gan/checklist.md").read_text(encoding="utf-8")


def test_every_row_names_tests_that_exist():
    rows = [line for line in LIST.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 35))
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), f"{file}::{test}"
