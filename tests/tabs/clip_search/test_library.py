"""The collections of a host: the bundled faces, folders below its roots, a visitor's own; and jobs that all can see."""

import io
import json
import threading
import time

import numpy as np
import pytest
from PIL import Image

from explorer import corpus, limits
from explorer.tabs.clip_search import jobs, library, uploaded
from explorer.tabs.clip_search.indexer import Progress
from explorer.tabs.clip_search.library import BUNDLED, MINE, Library
from tests.tabs.clip_search.eyes import Eyes

FACES = 96  # instead of 2,000


@pytest.fixture(autouse=True)
def few_faces(monkeypatch):
    monkeypatch.setattr(library, "FACES", FACES)


def picture(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8))


def data(seed: int) -> bytes:
    out = io.BytesIO()
    picture(seed).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def root(tmp_path):
    place = tmp_path / "my pictures"
    (place / "holiday" / "2024").mkdir(parents=True)
    for i in range(12):
        picture(i).save(place / ("holiday/2024" if i % 2 else "") / f"{i}.png")
    return place


@pytest.fixture
def shelf(root, tmp_path):
    made = Library([root], tmp_path / "data")
    yield made
    made.close()


def built(shelf, model=None, path="") -> str:
    job = shelf.act("build", "s", model or Eyes(), root=shelf.roots()[0]["id"], path=path)
    assert shelf.jobs.get(job["collection"]).ended.wait(30)
    return job["collection"]


# --- The bundled faces ---


def test_the_faces_are_indexed_at_their_first_use_and_kept(tmp_path):
    first = Library([], tmp_path)
    faces = first.get(BUNDLED, "s", Eyes(), wait=60)
    assert faces.index.count() == FACES and faces.id == BUNDLED and not faces.temporary and faces.model == Eyes.fingerprint
    item = faces.index.get([93])[0]
    row = corpus.attributes([93], split="test")[0]
    assert {f"attr.{factor}": value for factor, value in corpus.describe(row).items()}.items() <= item.payload.items()
    assert item.payload["caption"] == corpus.caption(row, 93)
    pixels, _ = corpus.batch("test", 93, 1)
    assert np.array_equal(np.asarray(faces.picture(93)), pixels[0])
    assert faces.index.search(Eyes().images(pixels)[0], 1)[0][0] == 93
    assert faces.index.count([("attr.shirt", "==", "red")]) == sum(corpus.attributes(range(FACES), split="test")[:, 8] == 0)
    first.close()

    class Blind(Eyes):
        def images(self, images):
            raise AssertionError("it was kept")

    again = Library([], tmp_path)
    assert again.get(BUNDLED, "other", Blind()).index.count() == FACES
    assert again.collections("s") == [
        {"id": BUNDLED, "title": "Bundled faces", "count": FACES, "temporary": False, "root": "", "path": "", "building": False,
         "models": None}
    ]  # fmt: skip
    with pytest.raises(ValueError):
        again.get(BUNDLED, "s", Blind()).picture(FACES)
    again.close()


def test_two_models_have_their_own_faces_and_nobody_waits_longer_than_asked(tmp_path):
    gate = threading.Event()

    class Slow(Eyes):
        fingerprint = "5105105105105105"

        def images(self, images):
            gate.wait(30)
            return super().images(images)

    shelf = Library([], tmp_path)
    slow = shelf.get(BUNDLED, "s", Slow(), wait=0)
    assert slow.index.count() < FACES and slow.job["state"] in ("scanning", "running") and shelf.collections("s")[0]["building"]
    gate.set()
    assert shelf.get(BUNDLED, "s", Slow(), wait=60).index.count() == FACES
    assert shelf.get(BUNDLED, "s", Eyes(), wait=60).index is not slow.index
    shelf.close()


def test_a_broken_cache_of_faces_is_made_again(tmp_path):
    place = tmp_path / BUNDLED / f"{Eyes.fingerprint}-{library.FACES_VERSION}.sqlite"
    place.parent.mkdir()
    place.write_bytes(b"broken" * 1000)
    shelf = Library([], tmp_path)
    assert shelf.get(BUNDLED, "s", Eyes(), wait=60).index.count() == FACES
    shelf.close()


# --- Folders ---


def test_a_folder_becomes_a_collection_that_all_see(shelf):
    name = built(shelf)
    mine = [entry for entry in shelf.collections("someone else") if entry["id"] == name][0]
    assert (mine["title"], mine["count"], mine["path"], mine["building"]) == ("my pictures", 12, "", False)
    assert mine["root"] == shelf.roots()[0]["id"] and mine["models"] == [Eyes.fingerprint]
    collection = shelf.get(name, "t", Eyes())
    found = collection.index.search(Eyes().images([picture(3)])[0], 1)[0][0]
    assert collection.index.get([found])[0].payload["path"] == "holiday/2024/3.png"
    assert np.array_equal(np.asarray(collection.picture(found)), np.asarray(picture(3)))
    assert collection.index.count([("folder", "prefix", "holiday")]) == 6
    assert shelf.job(name, "x") == collection.job and collection.job["state"] == "done" and collection.job["new"] == 12


def test_it_is_there_after_a_restart_and_only_below_the_roots_of_that_day(shelf, root, tmp_path):
    whole, part = built(shelf), built(shelf, path="holiday")
    assert {e["id"]: e["title"] for e in shelf.collections("s")[1:]} == {whole: "my pictures", part: "my pictures/holiday"}
    shelf.close()
    later = Library([root / "holiday"], tmp_path / "data")
    assert {e["id"]: (e["title"], e["count"]) for e in later.collections("s")[1:]} == {part: ("holiday", 6)}
    assert later.get(part, "s", Eyes()).index.count() == 6
    with pytest.raises(ValueError, match="no such collection"):
        later.get(whole, "s", Eyes())
    later.close()


def test_refresh_retry_errors_and_remove(shelf, root):
    for i in range(60):
        (root / f"bad {i:02d}.png").write_text("none")
    name = built(shelf)
    page = shelf.errors(name, "s", 0)
    assert page["total"] == 60 and len(page["errors"]) == library.ERRORS and len(shelf.errors(name, "s", 1)["errors"]) == 10
    assert page["errors"][0]["path"] == "bad 00.png" and page["errors"][0]["retry"] and "is a text" in page["errors"][0]["reason"]
    assert shelf.errors(name, "s", 9)["errors"] == []
    for i in range(60):
        (root / f"bad {i:02d}.png").unlink()
    picture(99).save(root / "new.png")
    shelf.act("refresh", "s", Eyes(), collection=name)
    assert shelf.jobs.get(name).ended.wait(30)
    assert shelf.job(name, "s")["new"] == 1 and shelf.job(name, "s")["deleted"] == 60 and shelf.errors(name, "s")["total"] == 0
    assert shelf.act("retry", "s", Eyes(), collection=name)["collection"] == name
    assert shelf.jobs.get(name).ended.wait(30)

    collection = shelf.get(name, "s", Eyes())
    said = shelf.act("remove", "s", Eyes(), collection=name)
    assert said["state"] == "done" and "its pictures are not" in said["say"]
    assert len(shelf.collections("s")) == 1 and (root / "new.png").exists()
    with pytest.raises(ValueError):
        shelf.get(name, "s", Eyes())
    with pytest.raises(ValueError, match="closed"):
        collection.index.search(np.ones(Eyes.dim))


def test_errors_are_told_after_a_restart(shelf, root, tmp_path):
    (root / "bad.png").write_text("none")
    name = built(shelf)
    shelf.close()
    later = Library([root], tmp_path / "data")
    assert later.errors(name, "s")["total"] == 1
    later.close()


@pytest.mark.parametrize(
    "action, more",
    [("build", {"root": "nowhere"}), ("build", {}), ("fly", {"collection": "?"}), ("remove", {"collection": BUNDLED}),
     ("refresh", {}), ("refresh", {"collection": "no"}), ("remove", {"collection": "../.."}), ("refresh", {"collection": MINE}),
     ("refresh", {"collection": 3}), ("fly", {})],
)  # fmt: skip
def test_what_cannot_be_done_gets_one_sentence(shelf, action, more):
    with pytest.raises(ValueError) as problem:
        shelf.act(action, "s", Eyes(), **more)
    assert str(problem.value).endswith(".") and "\n" not in str(problem.value)


class Gated(Eyes):
    """A model that looks at a batch each time it is let."""

    def __init__(self):
        self.turns = threading.Semaphore(0)

    def images(self, images):
        assert self.turns.acquire(timeout=30)
        return super().images(images)


def until(true, what="it"):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def test_pause_resume_and_cancel(shelf, root):
    for i in range(100):
        picture(100 + i).save(root / f"more {i}.png")
    model = Gated()
    name = shelf.act("build", "s", model, root=shelf.roots()[0]["id"], path="")["collection"]
    model.turns.release()
    until(lambda: shelf.job(name, "s")["done"] > 0)
    assert shelf.collections("s")[-1]["building"] is True
    assert shelf.act("pause", "other visitor", model, collection=name)["state"] == "paused"
    for _ in range(50):
        model.turns.release()
    # Whoever is next has the thread to himself, and the paused one rests where it is.
    done = lambda: shelf.job(name, "s")["done"]  # noqa: E731
    assert shelf.get(BUNDLED, "s", Eyes(), wait=60).index.count() == FACES
    at = done()
    assert at < 112 and shelf.job(name, "s")["state"] == "paused"
    assert shelf.get(name, "s", model).index.count() == at  # what is there can be searched meanwhile
    assert shelf.act("resume", "s", model, collection=name)["state"] == "running"
    assert shelf.jobs.get(name).ended.wait(30) and shelf.job(name, "s")["done"] == 112

    for i in range(100):
        picture(300 + i).save(root / f"still more {i}.png")
    model = Gated()
    shelf.act("refresh", "s", model, collection=name)
    model.turns.release()
    until(lambda: done() > 112)
    shelf.act("cancel", "s", model, collection=name)
    for _ in range(50):
        model.turns.release()
    assert shelf.jobs.get(name).ended.wait(30) and shelf.job(name, "s")["state"] == "cancelled"
    kept = shelf.get(name, "s", model).index.count()
    assert 112 < kept < 212
    shelf.act("resume", "s", Eyes(), collection=name)
    assert shelf.jobs.get(name).ended.wait(30) and shelf.get(name, "s", Eyes()).index.count() == 212


def test_building_twice_is_one_job(shelf):
    model, gate = Gated(), shelf.roots()[0]["id"]
    first = shelf.act("build", "a", model, root=gate, path="")
    job = shelf.jobs.get(first["collection"])
    assert shelf.act("build", "b", model, root=gate, path="")["collection"] == first["collection"]
    assert shelf.jobs.get(first["collection"]) is job
    for _ in range(20):
        model.turns.release()
    assert job.ended.wait(30) and job.progress.new == 12


def test_a_job_that_breaks_says_so_and_the_next_one_runs(caplog):
    def broken():
        yield Progress("running", 3, 1)
        raise RuntimeError("secret path /home/x")

    work = jobs.Jobs()
    bad = work.start(jobs.Job("bad", "m", broken))
    good = work.start(jobs.Job("good", "m", lambda: iter([Progress("running", 1, 1)])))
    assert bad.ended.wait(10) and good.ended.wait(10)
    assert bad.as_dict()["state"] == "failed" and "secret" not in bad.as_dict()["say"] and bad.as_dict()["done"] == 1
    assert good.as_dict()["state"] == "done"
    work.close()
    with pytest.raises(ValueError):
        work.start(jobs.Job("late", "m", lambda: iter([])))


def test_the_vectors_of_a_folder_can_live_on_a_server(shelf, monkeypatch):
    monkeypatch.setenv("QDRANT_URL", ":memory:")
    name = built(shelf)
    collection = shelf.get(name, "s", Eyes())
    assert type(collection.index).__name__ == "QdrantIndex" and collection.index.count() == 12
    found = collection.index.search(Eyes().images([picture(3)])[0], 1, [("folder", "prefix", "holiday")])[0][0]
    assert np.array_equal(np.asarray(collection.picture(found)), np.asarray(picture(3)))
    assert shelf.collections("s")[-1]["count"] == 12
    shelf.act("remove", "s", Eyes(), collection=name)
    assert len(shelf.collections("s")) == 1


# --- A visitor's own ---


def test_ones_own_pictures_are_ones_own_and_go(shelf):
    with pytest.raises(ValueError, match="add some first"):
        shelf.get(MINE, "ann", Eyes())
    for i in range(5):
        job = shelf.add("ann", Eyes(), f"C:\\pictures\\{i}.png", data(i))
    assert job == shelf.job(MINE, "ann") and job["done"] == 5 and job["state"] == "done"
    assert shelf.add("ann", Eyes(), "again.png", data(3))["done"] == 5  # the same picture
    mine = shelf.get(MINE, "ann", Eyes())
    assert mine.temporary and mine.id == MINE and mine.index.search(Eyes().images([picture(4)])[0], 1)[0][0] == 4
    assert mine.index.get([4])[0].payload["name"] == "4.png" and mine.picture(4).size == (16, 12)
    assert [e["id"] for e in shelf.collections("ann")] == [BUNDLED, MINE] and shelf.collections("ann")[-1]["temporary"]
    assert [e["id"] for e in shelf.collections("bob")] == [BUNDLED] and shelf.job(MINE, "bob")["done"] == 0
    with pytest.raises(ValueError):
        shelf.get(MINE, "bob", Eyes())

    with pytest.raises(ValueError):
        shelf.add("ann", Eyes(), "notes.png", b"some words")
    assert shelf.errors(MINE, "ann")["errors"][0]["path"] == "notes.png" and shelf.errors(MINE, "bob")["total"] == 0

    shelf.forget("ann")
    shelf.forget("nobody")
    assert [e["id"] for e in shelf.collections("ann")] == [BUNDLED]
    with pytest.raises(ValueError):
        shelf.get(MINE, "ann", Eyes())


def test_ones_own_pictures_under_another_model(shelf):
    class Others(Eyes):
        fingerprint = "fedcba9876543210"

    shelf.add("ann", Eyes(), "0.png", data(0))
    shelf.add("ann", Others(), "1.png", data(1))
    for model in (Eyes(), Others()):
        index = shelf.get(MINE, "ann", model).index
        assert index.count() == 2 and index.search(model.images([picture(0)])[0], 1)[0][0] == 0
    shelf.add("ann", Eyes(), "2.png", data(2))  # after the other model was used
    index = shelf.get(MINE, "ann", Others()).index
    assert index.count() == 3 and index.search(Others().images([picture(2)])[0], 1)[0][0] == 2


def test_pictures_that_are_dropped_while_they_are_opened_leave_nothing_behind(shelf, monkeypatch):
    shelf.add("ann", Eyes(), "0.png", data(0))
    held, index = shelf.get(MINE, "ann", Eyes()), uploaded.Uploaded.index

    def late(self, model, vectors=None):
        if vectors is None:
            shelf.forget("ann")  # the page is closed at this moment
        return index(self, model, vectors)

    monkeypatch.setattr(uploaded.Uploaded, "index", late)
    with pytest.raises(ValueError, match="dropped meanwhile"):
        shelf.get(MINE, "ann", Eyes())
    monkeypatch.setattr(uploaded.Uploaded, "index", index)
    with pytest.raises(ValueError, match="closed meanwhile"):
        held.index.get([0])
    shelf.add("ann", Eyes(), "1.png", data(1))
    assert shelf.get(MINE, "ann", Eyes()).index.get([0])[0].payload["name"] == "1.png"
    assert not shelf._open and not shelf._opening


def test_a_page_closed_during_an_upload_keeps_no_picture(shelf):
    class Slow(Eyes):
        def images(self, images):
            shelf.forget("ann")
            return super().images(images)

    with pytest.raises(ValueError, match="dropped meanwhile"):
        shelf.add("ann", Slow(), "0.png", data(0))
    assert shelf.job(MINE, "ann")["done"] == 0


def test_there_is_an_end_to_it(shelf, monkeypatch):
    monkeypatch.setattr(uploaded, "MOST", 3)
    for i in range(3):
        shelf.add("ann", Eyes(), "a.png", data(i))
    with pytest.raises(ValueError, match="room for 3"):
        shelf.add("ann", Eyes(), "a.png", data(9))


def test_pages_in_use_never_lose_their_pictures_to_others(shelf, monkeypatch):
    monkeypatch.setattr(library, "VISITORS", 2)
    shelf.add("ann", Eyes(), "a.png", data(1))
    shelf.add("bob", Eyes(), "a.png", data(1))
    with pytest.raises(ValueError, match="try again in a few minutes"):
        shelf.add("cid", Eyes(), "a.png", data(1))
    shelf.add("ann", Eyes(), "b.png", data(2))
    shelf._mine["bob"].seen -= limits.IDLE_SECONDS + 1  # a coffee break
    shelf.add("cid", Eyes(), "a.png", data(1))
    assert [len(shelf.collections(who)) for who in ("ann", "bob", "cid")] == [2, 1, 2]


def test_all_visitors_pictures_together_have_a_budget(shelf, monkeypatch):
    shelf.add("ann", Eyes(), "a.png", data(1))
    used = shelf._mine["ann"].bytes
    assert used == sum(map(len, shelf._mine["ann"]._pictures)) > 0
    monkeypatch.setattr(limits, "UPLOADED_BYTES", used + 200)
    shelf.add("bob", Eyes(), "a.png", data(2))
    for who in ("ann", "bob", "cid"):
        with pytest.raises(ValueError, match="all the room"):
            shelf.add(who, Eyes(), "a.png", data(3))
    shelf.forget("bob")
    shelf.add("cid", Eyes(), "a.png", data(3))
    shelf._mine["ann"].seen -= limits.IDLE_SECONDS + 1
    shelf.add("cid", Eyes(), "b.png", data(4))
    assert len(shelf.collections("ann")) == 1 and len(shelf.get(MINE, "cid", Eyes()).pictures) == 2


def test_uploads_at_once(shelf):
    threads = [threading.Thread(target=shelf.add, args=("ann", Eyes(), f"{i}.png", data(i))) for i in range(16)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    mine = shelf.get(MINE, "ann", Eyes())
    names = {item.payload["name"] for item in mine.index.get(range(16))}
    assert mine.index.count() == 16 and names == {f"{i}.png" for i in range(16)}


# --- Where indexes are kept ---


def test_where_indexes_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "new" / "place"))
    assert library.data_folder() == tmp_path / "new" / "place"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "file"))
    assert library.data_folder() is None
    monkeypatch.setenv("EXPLORER_DATA", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert library.data_folder() == tmp_path / ".cache" / "generative-explorer"


def test_without_a_place_everything_works_and_nothing_stays(root):
    shelf = Library([root], None)
    name = built(shelf)
    place = shelf._data
    assert shelf.get(name, "s", Eyes()).index.count() == 12 and place.exists()
    shelf.close()
    assert not place.exists()


def test_notes_that_are_broken_are_passed_over(shelf, root, tmp_path):
    name = built(shelf)
    for i, text in enumerate(["", "[]", "{}", '{"base": 3}', '{"base": "zz"}', json.dumps({"base": b"/etc".hex()})]):
        (tmp_path / "data" / f"x{i}").mkdir()
        (tmp_path / "data" / f"x{i}" / "collection.json").write_text(text)
    assert [e["id"] for e in shelf.collections("s")] == [BUNDLED, name]


def test_the_command_line_makes_what_the_app_shows(shelf, root, tmp_path, monkeypatch, capsys):
    from explorer.tabs.clip_search import index, models

    monkeypatch.setattr(models, "load", lambda name: Eyes())
    monkeypatch.setenv("EXPLORER_DATA", "")
    (root / "bad.png").write_text("none")
    arguments = [str(root), "--data", str(tmp_path / "data")]
    assert index.main([*arguments, "--shard", "1/2"]) in (0, 1) and index.main([*arguments, "--shard", "2/2"]) in (0, 1)
    assert index.main([*arguments, "--retry"]) == 1
    said = capsys.readouterr()
    assert "13 of 13" in said.out and "bad.png: This file is a text" in said.err
    (entry,) = shelf.collections("s")[1:]
    assert entry["count"] == 12 and shelf.get(entry["id"], "s", Eyes()).index.count() == 12
    for wrong in (["/nowhere"], [str(root), "--shard", "3/2"], [str(root), "--shard", "x"], []):
        with pytest.raises(SystemExit) as end:
            index.main(wrong)
        assert end.value.code == 2
