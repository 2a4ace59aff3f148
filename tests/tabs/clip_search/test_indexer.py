"""Indexing a folder: what changes, what stays, and what a kill at any moment leaves behind."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from explorer.index import open_index
from explorer.index.qdrant import QdrantIndex
from explorer.tabs.clip_search import files, indexer
from explorer.tabs.clip_search.indexer import index_folder
from tests.tabs.clip_search.eyes import Eyes

ROOT = Path(__file__).parents[3]


def picture(seed: int, size=(24, 18)) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def fill(folder: Path, n: int, first: int = 0) -> None:
    for i in range(first, first + n):
        place = folder / ("" if i % 3 else f"sub {i % 7}")
        place.mkdir(parents=True, exist_ok=True)
        picture(i).save(place / f"{i:05d}.{'png' if i % 2 else 'webp'}")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


@pytest.fixture(params=["sqlite", "qdrant"])
def index(request, tmp_path):
    made = open_index(tmp_path / "a.sqlite", Eyes.dim, Eyes.fingerprint, server="") if request.param == "sqlite" else None
    made = made or QdrantIndex("a", Eyes.dim, Eyes.fingerprint)
    yield made
    made.close()


def run(folder, index, model=None, **options):
    """The last Progress of a whole run."""
    return [*index_folder(folder, index, model or Eyes(), **options)][-1]


def paths(index) -> list[str]:
    return sorted(item.payload["path"] for item in index.get(index.ids()))


def content(index) -> dict:
    """Everything an index says, but where which row lies."""
    return {item.id: (item.vector.tobytes(), sorted(item.payload.items(), key=str)) for item in index.get(index.ids())}


class Counting(Eyes):
    """How many pictures the model saw."""

    seen = 0

    def images(self, images):
        self.seen += len(images)
        return super().images(images)


def test_a_folder_and_all_below(folder, index):
    fill(folder, 30)
    end = run(folder, index)
    assert (end.state, end.found, end.done, end.new, end.errors, end.left) == ("done", 30, 30, 30, 0, 0)
    assert index.count() == 30 and index.count([("folder", "prefix", "sub 3")]) > 0
    one = index.get([files.number(b"00001.png")])[0]
    stat = (folder / "00001.png").stat()
    assert np.allclose(one.vector, Eyes().images([picture(1)])[0], atol=1e-3)
    want = {
        "name": "00001.png", "path": "00001.png", "folder": "", "bytes": stat.st_size, "mtime": stat.st_mtime, "width": 24,
        "height": 18, "orientation": "landscape", "caption": "", "damaged": False, "note": "", "raw": b"00001.png",
        "mtime_ns": stat.st_mtime_ns, "hash": files.digest((folder / "00001.png").read_bytes()),
    }  # fmt: skip
    assert one.payload == want


def test_a_second_run_encodes_nothing(folder, index):
    fill(folder, 20)
    run(folder, index)
    before, model = content(index), Counting()
    end = run(folder, index, model)
    assert (end.done, end.new, end.changed, end.moved, end.deleted, model.seen) == (20, 0, 0, 0, 0, 0)
    assert content(index) == before


def test_new_changed_renamed_moved_and_deleted_files_are_told_by_content(folder, index):
    fill(folder, 20)
    run(folder, index)
    old = {p.name: index.get([files.number(os.fsencode(p.relative_to(folder)))])[0] for p in folder.rglob("*.*")}
    picture(900).save(folder / "new.png")
    picture(901, (40, 50)).save(folder / "00001.png")
    (folder / "00005.png").rename(folder / "renamed.png")
    (folder / "elsewhere").mkdir()
    (folder / "00007.png").rename(folder / "elsewhere" / "00007.png")
    (folder / "00011.png").unlink()
    (folder / "00013.png").touch()  # another time, the same content

    model = Counting()
    end = run(folder, index, model)
    assert (end.new, end.changed, end.moved, end.deleted, end.errors, end.done) == (1, 1, 2, 1, 0, 20)
    assert model.seen == 2  # of all that happened, only two pictures are new to the model
    now = paths(index)
    assert "renamed.png" in now and "elsewhere/00007.png" in now and not {"00005.png", "00007.png", "00011.png"} & set(now)
    moved = index.get([files.number(b"elsewhere/00007.png")])[0]
    assert np.array_equal(moved.vector, old["00007.png"].vector) and moved.payload["folder"] == "elsewhere"
    assert index.get([files.number(b"00001.png")])[0].payload["orientation"] == "portrait"
    assert [end.done, end.new, end.changed] == [20, 1, 1] and run(folder, index, model).new == 0 and model.seen == 2


def test_two_files_of_one_content_are_two_rows_and_one_look(folder, index):
    picture(1).save(folder / "a.png")
    run(folder, index)
    shutil.copy(folder / "a.png", folder / "b.png")
    model = Counting()
    assert run(folder, index, model).new == 1 and model.seen == 0
    assert paths(index) == ["a.png", "b.png"]


def test_captions_beside_pictures(folder, index):
    fill(folder, 6)
    (folder / "00001.txt").write_text("  A red\n face ", encoding="utf-8")
    said = {"description": "blue hair", "attributes": {"shirt": "green", "age": 4.0, "hat": False, "x": None}}
    (folder / "00002.webp.json").write_text(json.dumps(said))
    (folder / "metadata.jsonl").write_text('{"file_name": "00004.webp", "text": "from a table"}\nnot json\n')
    (folder / "00005.json").write_text("{broken")
    run(folder, index)
    caption = lambda name: index.get([files.number(name)])[0].payload["caption"]  # noqa: E731
    assert [caption(name) for name in (b"00001.png", b"00002.webp", b"00004.webp", b"00005.png")] == [
        "A red face", "blue hair", "from a table", "",
    ]  # fmt: skip
    assert index.count([("attr.shirt", "==", "green"), ("attr.age", "in", ["4"]), ("attr.hat", "==", "false")]) == 1
    assert index.attributes() == ["attr.age", "attr.hat", "attr.shirt"]

    model = Counting()
    (folder / "00001.txt").write_text("changed", encoding="utf-8")
    later = (folder / "00001.txt").stat().st_mtime_ns + 5_000_000_000
    os.utime(folder / "00001.txt", ns=(later, later))
    end = run(folder, index, model)
    assert caption(b"00001.png") == "changed" and model.seen == 0 and end.changed == 0


def test_errors_are_kept_tried_again_on_request_and_when_the_file_changes(folder, index):
    fill(folder, 5)
    (folder / "bad.jpg").write_text("no picture at all")
    (folder / "empty.png").touch()
    end = run(folder, index)
    assert (end.new, end.errors, end.done) == (5, 2, 7)
    bad = {file.path: file.error for file in index.files() if file.status == "error"}
    assert set(bad) == {b"bad.jpg", b"empty.png"} and "is a text" in bad[b"bad.jpg"] and "empty" in bad[b"empty.png"]

    again = run(folder, index)
    assert (again.errors, again.done, again.new) == (2, 7, 0)
    picture(77).save(folder / "empty.png")
    assert run(folder, index).errors == 1
    assert run(folder, index, retry=True).errors == 1 and index.count() == 6
    (folder / "bad.jpg").unlink()
    assert run(folder, index).deleted == 1 and all(file.status == "ok" for file in index.files())


def test_parts_together_are_the_whole(folder, index, tmp_path):
    fill(folder, 40)
    parts = [run(folder, index, shard=(i, 3)) for i in (1, 2, 3)]
    assert sum(part.found for part in parts) == 40 and all(part.found for part in parts)
    other = open_index(":memory:", Eyes.dim, Eyes.fingerprint)
    run(folder, other)
    assert {i: v[0] for i, v in content(index).items()} == {i: v[0] for i, v in content(other).items()}
    (folder / "00001.png").unlink()
    assert sum(run(folder, index, shard=(i, 3)).deleted for i in (1, 2, 3)) == 1


def test_a_disk_that_is_missing_deletes_nothing(folder, index):
    fill(folder, 5)
    run(folder, index)
    away = folder.with_name("away")
    folder.rename(away)
    with pytest.raises(ValueError, match="is not there now"):
        run(folder, index)
    folder.mkdir()
    for shard in (None, (1, 2)):
        with pytest.raises(ValueError, match="nothing is lost"):
            run(folder, index, shard=shard)
    assert index.count() == 5


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the rights of a POSIX system")
def test_a_folder_that_cannot_be_read_keeps_what_is_known(folder, index, monkeypatch):
    fill(folder, 12)
    run(folder, index)
    scandir = os.scandir

    def refusing(path):
        if os.fsencode(path).endswith(b"sub 3"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    end = run(folder, index)
    assert end.deleted == 0 and index.count() == 12 and "sub 3 could not be read" in end.say


def test_stopping_in_the_middle_keeps_what_was_committed(folder, index):
    fill(folder, 60)
    steps = index_folder(folder, index, Eyes(), batch=8)
    while (now := next(steps)).done < 20:
        pass
    steps.close()
    assert index.count() == now.done
    model = Counting()
    assert run(folder, index, model).done == 60 and model.seen == 60 - now.done


def test_a_vector_of_nothing_is_an_error_of_its_file(folder, index):
    class Blind(Eyes):
        def images(self, images):
            out = super().images(images)
            out[0] = np.nan
            return out

    fill(folder, 3)
    end = run(folder, index, Blind(), workers=1)
    assert end.errors >= 1 and end.done == 3 and index.count() == 3 - end.errors


def test_times_that_no_index_holds_stop_nothing(folder, index, monkeypatch):
    """Some disks give a time of year 2500 or 1600; not every file system takes one, so the listing gives them."""
    fill(folder, 4)
    held = files.ENDS_NS
    odd = {b"00001.png": 2**64, b"00002.webp": -(2**65)}
    scandir = os.scandir

    class Entry:
        def __init__(self, entry):
            self.name, self._entry = entry.name, entry

        def stat(self, **how):
            status = self._entry.stat(**how)
            ns = odd.get(self.name, status.st_mtime_ns)
            return SimpleNamespace(st_mode=status.st_mode, st_size=status.st_size, st_mtime_ns=ns, st_mtime=ns / 1e9)

    @contextmanager
    def listed(place):
        with scandir(place) as entries:
            yield [Entry(entry) for entry in entries]

    monkeypatch.setattr(os, "scandir", listed)
    assert run(folder, index).new == 4 and index.count() == 4
    assert {file.path: file.mtime_ns for file in index.files() if file.path in odd} == {
        b"00001.png": held, b"00002.webp": -held,
    }  # fmt: skip
    years = {datetime.fromtimestamp(item.payload["mtime"], UTC).year for item in index.get([files.number(path) for path in odd])}
    assert years == {1677, 2262}
    model = Counting()
    assert run(folder, index, model).changed == 0 and model.seen == 0


def test_a_row_that_the_index_refuses_is_an_error_of_its_file(folder, index, monkeypatch):
    fill(folder, 6)
    made = indexer._Run._payload

    def odd(self, entry, content, facts):
        payload = made(self, entry, content, facts)
        return payload | ({"note": "x", "width": object()} if entry.path == b"00001.png" else {})

    monkeypatch.setattr(indexer._Run, "_payload", odd)
    end = run(folder, index)
    assert (end.state, end.new, end.errors, end.done, index.count()) == ("done", 5, 1, 6, 5)
    bad, = (file for file in index.files() if file.status == "error")
    assert bad.path == b"00001.png" and bad.error.startswith("The index cannot hold")
    monkeypatch.setattr(indexer._Run, "_payload", made)
    assert run(folder, index, retry=True).errors == 0 and index.count() == 6


WORK = """
import sys
from explorer.index import open_index
from explorer.tabs.clip_search.indexer import index_folder
from tests.tabs.clip_search.eyes import Eyes
index = open_index(sys.argv[2], Eyes.dim, Eyes.fingerprint, server="")
known = set()
for progress in index_folder(sys.argv[1], index, Eyes(), batch=8):
    new = set(index.ids().tolist()) - known
    known |= new
    print("done" if progress.state == "done" else "step", *sorted(new), flush=True)
"""


def test_nothing_acknowledged_is_lost_by_kill_9(folder, tmp_path):
    """The process is killed again and again, at random moments: between batches, in transactions, while it opens the file."""
    fill(folder, 240)
    place, dice = tmp_path / "killed.sqlite", random.Random(5)
    acknowledged, kills = set(), 0
    while True:
        process = subprocess.Popen([sys.executable, "-c", WORK, folder, place], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        ended = False
        for lines, line in enumerate(process.stdout):
            word, *ids = line.split()
            acknowledged |= {int(i) for i in ids}
            ended = word == "done"
            if kills < 6 and lines >= 2 and dice.random() < 0.25:
                # At once, or within the next transaction.
                if dice.random() < 0.7:
                    try:
                        process.wait(dice.random() * 0.02)
                    except subprocess.TimeoutExpired:
                        pass
                break
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        for line in rest.splitlines():  # said before it died, read after
            if line.endswith("\n") or line.split()[:1] in (["step"], ["done"]):
                acknowledged |= {int(i) for i in line.split()[1:-1]}  # the last number may be cut off
        kills += 1

        db = sqlite3.connect(place)
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        there = {i for (i,) in db.execute("select id from item where status = 'ok'")}
        assert acknowledged <= there, "an acknowledged row is gone"
        assert there == {i for (i,) in db.execute("select id from vector")}, "a row without its vector"
        db.close()
        if ended:
            break
    assert kills >= 4

    index = open_index(place, Eyes.dim, Eyes.fingerprint, server="")
    undisturbed = open_index(tmp_path / "whole.sqlite", Eyes.dim, Eyes.fingerprint, server="")
    run(folder, undisturbed)
    assert index.count() == 240 and content(index) == content(undisturbed)
    q = Eyes().images([picture(5)])[0]
    assert index.search(q, 240) == undisturbed.search(q, 240)
    model = Counting()
    assert run(folder, index, model).done == 240 and model.seen == 0


def test_processes_share_the_work(folder, tmp_path):
    """Three at once, each with its part, into one file."""
    fill(folder, 90)
    work = WORK.replace("batch=8", "batch=8, shard=(int(sys.argv[3]), 3)")
    place = tmp_path / "shared.sqlite"
    command = [sys.executable, "-c", work, folder, place]
    processes = [subprocess.Popen([*command, str(i)], cwd=ROOT, stdout=subprocess.DEVNULL) for i in (1, 2, 3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    index, alone = open_index(place, Eyes.dim, Eyes.fingerprint, server=""), open_index(":memory:", Eyes.dim, Eyes.fingerprint)
    run(folder, alone)
    assert content(index) == content(alone) and index.count() == 90
