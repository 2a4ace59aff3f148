"""Every file and folder that breaks other search engines, row by row: what becomes of it in an index here."""

import io
import os
import struct
import sys
import threading
import tracemalloc
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from explorer.index import open_index
from explorer.tabs.clip_search import files
from explorer.tabs.clip_search.indexer import index_folder
from explorer.tabs.clip_search.library import Library
from tests.tabs.clip_search.eyes import Eyes

LINUX = sys.platform.startswith("linux")


def scene(width=320, height=240) -> Image.Image:
    """Four quarters in four colours and a disc: whatever is turned, cut off or recoloured is found out."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for x, y, colour in ((0, 0, "red"), (1, 0, "lime"), (0, 1, "blue"), (1, 1, "yellow")):
        draw.rectangle((x * width // 2, y * height // 2, (x + 1) * width // 2, (y + 1) * height // 2), fill=colour)
    return picture


def saved(image: Image.Image, kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photograph() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    return saved(Image.fromarray(noise).resize((800, 600), Image.Resampling.BICUBIC), "JPEG", quality=92)


def bomb(width: int, height: int) -> bytes:
    """A whole PNG of one grey, `width` x `height`, in some kilobytes."""
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))  # noqa: E731
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\0" * (width // 8 + 1)) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(scene().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)


def sixteen_bits() -> bytes:
    ramp = np.tile(np.linspace(0, 65535, 64).astype("<u2"), (48, 1))
    return saved(Image.frombytes("I;16", (64, 48), ramp.tobytes()))


def hidden_colours() -> bytes:
    image = scene().convert("RGBA")
    image.paste((10, 0, 90, 0), (0, 0, 160, 240))
    return saved(image)


def overwritten() -> bytes:
    data = bytearray(saved(Image.new("RGB", (320, 240), (120, 121, 122)), "JPEG"))
    return bytes(data)


def damaged_header(data: bytes) -> bytes:
    return data[:300] + b"\0" * 2048 + data[2348:]


def strip(width: int, height: int) -> bytes:
    return saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


@pytest.fixture
def index():
    made = open_index(":memory:", Eyes.dim, Eyes.fingerprint)
    yield made
    made.close()


def run(folder, index, model=None):
    return [*index_folder(folder, index, model or Eyes())][-1]


def only(folder, index, name, data: bytes):
    """The one row that a file becomes, beside a good file that must never suffer."""
    (folder / "good.png").write_bytes(saved(scene()))
    (folder / name).write_bytes(data)
    end = run(folder, index)
    assert end.done == end.found == 2 and index.get([files.number(b"good.png")])[0] is not None
    return index.get([files.number(os.fsencode(name))])[0]


def reason(index, name: str) -> str:
    return {file.path: file.error for file in index.files()}[os.fsencode(name)]


def looks_like(item, image: Image.Image) -> float:
    return float(item.vector @ Eyes().images([image])[0])


# --- Files that are pictures after all ---

PICTURES = {
    "EXIF rotation is undone": ("a.jpg", rotated, scene(), {"width": 320, "height": 240}, "Turned upright"),
    "16 bits are scaled": ("a.png", sixteen_bits, None, {"width": 64, "height": 48}, ""),
    "what is transparent is white": ("a.png", hidden_colours, None, {}, ""),
    "a palette": ("a.png", lambda: saved(scene().quantize(16)), scene(), {}, ""),
    "a grey picture with alpha": ("a.png", lambda: saved(scene().convert("LA")), scene().convert("L").convert("RGB"), {}, ""),
    "CMYK": ("a.jpg", lambda: saved(scene().convert("CMYK"), "JPEG", quality=95), scene(), {}, ""),
    "a PNG that is called .jpg": ("a.jpg", lambda: saved(scene()), scene(), {}, ""),
    "a WebP that is called .png": ("a.png", lambda: saved(scene(), "WEBP", lossless=True), scene(), {}, ""),
    "a strip of 1 x 9000": ("a.png", lambda: strip(1, 9000), None, {"width": 1, "height": 9000}, ""),
    "a strip of 9000 x 1": ("a.png", lambda: strip(9000, 1), None, {"width": 9000, "height": 1}, ""),
    "an animation": (
        "a.gif", lambda: saved(scene(), "GIF", save_all=True, append_images=[scene().rotate(180)]), scene(), {}, "first frame",
    ),
    "upper-case suffix": ("A.JPG", lambda: saved(scene(), "JPEG", quality=95), scene(), {}, ""),
    "AVIF": ("a.avif", lambda: saved(scene(), "AVIF", quality=95), scene(), {}, ""),
    "TIFF": ("a.tif", lambda: saved(scene(), "TIFF"), scene(), {}, ""),
    "one pixel beside others": ("a.png", lambda: saved(scene(2, 2)), scene(2, 2), {"width": 2, "height": 2}, ""),
}  # fmt: skip


@pytest.mark.parametrize("row", PICTURES)
def test_what_can_be_shown_is_indexed(folder, index, row):
    name, make, truth, facts, note = PICTURES[row]
    item = only(folder, index, name, make())
    assert item is not None, reason(index, name)
    assert {key: item.payload[key] for key in facts} == facts and note in item.payload["note"]
    assert item.payload["damaged"] is False
    if truth is not None:
        assert looks_like(item, truth) > 0.99


def test_sixteen_bits_keep_their_range(folder, index):
    item = only(folder, index, "a.png", sixteen_bits())
    grey = Image.fromarray(np.tile(np.linspace(0, 255, 64).round().astype(np.uint8), (48, 1))).convert("RGB")
    assert looks_like(item, grey) > 0.999  # cut off at 255 it would be white


def test_hidden_colours_do_not_count(folder, index):
    item = only(folder, index, "a.png", hidden_colours())
    shown = scene()
    shown.paste("white", (0, 0, 160, 240))
    assert looks_like(item, shown) > 0.99


def test_heic_is_read_where_its_package_is_installed(folder, index):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    item = only(folder, index, "IMG_1.HEIC", saved(scene(), "HEIF", quality=90))
    assert item.payload["width"] == 320 and looks_like(item, scene()) > 0.98


def test_a_strip_is_padded_before_it_reaches_the_model(folder, index, tmp_path):
    """open_clip's "shortest side to 224" would make 224 x 2,016,000 pixels of it."""
    from explorer.tabs.clip_search import models

    (folder / "a.png").write_bytes(strip(1, 9000))
    model = models.load()
    index = open_index(":memory:", model.dim, model.fingerprint)
    tracemalloc.start()
    run(folder, index, model)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert index.count() == 1 and peak < 50_000_000


# --- Files that are none, and say why ---

NONE = {
    "empty": ("a.jpg", b"", "empty"),
    "a text called .jpg": ("a.jpg", b"<- a holiday picture should be here", "is a text"),
    "a web page called .png": ("a.png", b"<!doctype html><p>404</p>", "is a web page"),
    "400 megapixels in 50 kB": ("a.png", lambda: bomb(20_000, 20_000), "megapixels"),
    "60 megapixels of PNG": ("a.png", lambda: bomb(10_000, 6_000), "60 megapixels"),
    "all of one colour": ("a.jpg", overwritten, "one colour, or its file is damaged"),
    "half a header": ("a.png", b"\x89PNG\r\n\x1a\n", "no picture, or a damaged one"),
    "random bytes": ("a.webp", bytes(range(256)) * 9, "no picture, or a damaged one"),
    "a pickle": ("a.png", b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01K\x02K\x03e.", "never opened"),
    "an SVG called .png": ("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
}


@pytest.mark.parametrize("row", NONE)
def test_what_is_no_picture_is_an_error_with_a_reason(folder, index, row):
    name, data, why = NONE[row]
    assert only(folder, index, name, data() if callable(data) else data) is None
    said = reason(index, name)
    assert why in said and said.endswith(".") and "\n" not in said and str(folder) not in said


def test_a_truncated_jpeg_is_marked_damaged_and_the_visitor_decides(folder, index):
    whole = photograph()
    item = only(folder, index, "a.jpg", whole[: len(whole) * 2 // 3])
    assert item.payload["damaged"] is True and "damaged" in item.payload["note"]
    assert index.count([("damaged", "==", False)]) == 1


def test_a_jpeg_overwritten_with_zeros_is_damaged_or_refused(folder, index):
    """Decoders read on without a word: what is left is almost one colour."""
    data = photograph()
    for name, broken in (("a.jpg", damaged_header(data)), ("b.jpg", data[:700] + b"\0" * (len(data) - 700))):
        (folder / name).write_bytes(broken)
    end = run(folder, index)
    for file in index.files():
        if file.status == "ok":
            continue
        assert "damaged" in file.error
    assert end.done == 2 and end.errors >= 1


def test_damaged_files_beside_whole_ones_do_not_change_them(folder, index):
    """Pillow's leniency is a switch of the whole process; in threads it must not leak."""
    data = photograph()
    for i in range(24):
        (folder / f"{i:02d}.jpg").write_bytes(data if i % 3 else data[: len(data) // 2 + i])
    run(folder, index)
    marks = {item.payload["name"]: item.payload["damaged"] for item in index.get(index.ids())}
    assert marks == {f"{i:02d}.jpg": i % 3 == 0 for i in range(24)}


def test_a_12_megapixel_jpeg_is_decoded_at_a_fraction(folder, index, monkeypatch):
    sizes = []

    class Watching(Eyes):
        size = 64

        def images(self, images):
            sizes.extend(image.size for image in images)
            return super().images(images)

    (folder / "a.jpg").write_bytes(saved(scene(4000, 3000), "JPEG", quality=90))
    run(folder, index, Watching())
    assert sizes == [(500, 375)]
    item = index.get(index.ids())[0]
    assert (item.payload["width"], item.payload["height"]) == (4000, 3000) and looks_like(item, scene()) > 0.999


def test_a_file_beyond_all_measure_is_not_read(folder, index):
    with open(folder / "a.png", "wb") as file:
        file.truncate(files.MOST_BYTES + 1)
    run(folder, index)
    assert "at most 200 are read" in reason(index, "a.png")


# --- Names ---

NAMES = ["Größe.png", unicodedata.normalize("NFD", "Größe façade.png"), "😀 🏳️‍🌈.png", "写真.png", "a'b\"c;--.png",
         "-rf.png", "a b  c.png", "%2e%2e.png", "x" * 200 + ".png", "ÅÄÖ.PNG", "line\nbreak.png", "שלום.png"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_found_again(folder, index, name):
    item = only(folder, index, name, photograph())
    assert item.payload["name"] == unicodedata.normalize("NFC", name)
    assert index.count([("name", "==", name)]) == 1
    assert run(folder, index).new == 0  # recognised at the second look


@pytest.mark.skipif(not LINUX, reason="other systems have no such names")
def test_a_name_that_is_no_text(folder, index, tmp_path):
    raw = b"caf\xe9 \xff.png"
    below = os.path.join(os.fsencode(folder), b"dir\xe9")  # noqa: PTH118
    os.mkdir(below)  # noqa: PTH102
    for place in (os.fsencode(folder), below):
        with open(os.path.join(place, raw), "wb") as file:  # noqa: PTH118
            file.write(photograph())
    library = Library([folder], tmp_path / "data")
    root = library.roots()[0]["id"]
    job = library.act("build", "s", Eyes(), root=root, path="")
    assert library.jobs.get(job["collection"]).ended.wait(30)
    collection = library.get(job["collection"], "s", Eyes())
    items = collection.index.get(collection.index.ids())
    assert sorted(item.payload["path"] for item in items) == ["caf\ufffd \ufffd.png", "dir\ufffd/caf\ufffd \ufffd.png"]
    assert {item.payload["raw"] for item in items} == {raw, b"dir\xe9/" + raw}
    assert all(collection.picture(item.id).size == (800, 600) or collection.picture(item.id).width >= 128 for item in items)
    # The page can go there by what it was shown.
    shown = library.browse(root)["folders"][0]
    assert shown["name"] == "dir\ufffd" and library.browse(root, shown["path"])["pictures"] == 1
    str(library.collections("s")).encode(), str(library.errors(job["collection"], "s")).encode()
    library.close()


def test_names_in_either_form_name_one_folder(folder, index, tmp_path):
    (folder / unicodedata.normalize("NFD", "Größe")).mkdir()
    library = Library([folder], None)
    root = library.roots()[0]["id"]
    for form in ("NFC", "NFD"):
        assert library.browse(root, unicodedata.normalize(form, "Größe"))["pictures"] == 0
    library.close()


# --- Places ---


@pytest.fixture
def outside(tmp_path):
    place = tmp_path / "outside"
    place.mkdir()
    (place / "secret.png").write_bytes(photograph())
    return place


def test_links_are_not_followed(folder, index, outside):
    (folder / "in.png").write_bytes(photograph())
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "out").symlink_to(outside, target_is_directory=True)
    (folder / "secret.png").symlink_to(outside / "secret.png")
    (folder / "nowhere.png").symlink_to("/nowhere.png")
    (folder / "self.png").symlink_to("self.png")
    end = run(folder, index)
    assert end.found == 1 and [item.payload["path"] for item in index.get(index.ids())] == ["in.png"]


@pytest.mark.parametrize("name", [".hidden", "@eaDir", "node_modules", ".git", "#recycle"])
def test_folders_that_nobody_means_are_left_out(folder, index, name):
    (folder / name).mkdir()
    (folder / name / "a.png").write_bytes(photograph())
    (folder / ".thumb.png").write_bytes(photograph())
    (folder / "a.png").write_bytes(photograph())
    assert run(folder, index).found == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_does_not_hold_anyone_up(folder, index):
    os.mkfifo(folder / "a.png")
    (folder / "b.png").write_bytes(photograph())
    assert run(folder, index).found == 1


@pytest.mark.parametrize(
    "path",
    ["..", "../outside", "a/../../outside", "/etc", "out", "out/deeper", "a/./../..", "..\\outside", "a\0b", ".hidden", "no"],
)  # fmt: skip
def test_a_path_outside_the_roots_is_refused(folder, outside, path):
    (folder / "a").mkdir()
    (folder / ".hidden").mkdir()
    (folder / "out").symlink_to(outside, target_is_directory=True)
    library = Library([folder], None)
    root = library.roots()[0]["id"]
    for what in (lambda: library.browse(root, path), lambda: library.act("build", "s", Eyes(), root=root, path=path)):
        with pytest.raises(ValueError) as problem:
            what()
        assert str(problem.value).endswith(".") and str(outside.parent) not in str(problem.value)
    library.close()


def test_a_file_that_became_a_link_is_not_shown(folder, outside, tmp_path):
    """Between indexing and showing, somebody who can write there puts a link in its place, or in that of its folder."""
    (folder / "a").mkdir()
    (folder / "a" / "b.png").write_bytes(photograph())
    library = Library([folder], None)
    job = library.act("build", "s", Eyes(), root=library.roots()[0]["id"], path="")
    assert library.jobs.get(job["collection"]).ended.wait(30)
    collection = library.get(job["collection"], "s", Eyes())
    item = int(collection.index.ids()[0])
    assert collection.picture(item).mode == "RGB"
    (folder / "a" / "b.png").unlink()
    (folder / "a" / "b.png").symlink_to(outside / "secret.png")
    with pytest.raises(ValueError, match="not below"):
        collection.picture(item)
    (folder / "a" / "b.png").unlink()
    (folder / "a").rmdir()
    (outside / "b.png").write_bytes(photograph())
    (folder / "a").symlink_to(outside, target_is_directory=True)
    with pytest.raises(ValueError, match="not below"):
        collection.picture(item)
    (folder / "a").unlink()
    with pytest.raises(ValueError, match="gone"):
        collection.picture(item)
    library.close()


def test_without_roots_nothing_of_the_host_can_be_reached():
    library = Library([], None)
    assert library.roots() == []
    with pytest.raises(ValueError, match="--image-roots"):
        library.browse("", "")
    library.close()


# --- Beside pictures, and over time ---


def test_txt_captions_do_not_crash_and_are_found(folder, index):
    (folder / "a.png").write_bytes(photograph())
    (folder / "a.txt").write_text("a photograph of noise", encoding="utf-8")
    (folder / "lonely.txt").write_text("a caption without a picture")
    (folder / "b.png").write_bytes(saved(scene()))  # a picture without a caption
    (folder / "b.json").write_bytes(b"\xff\xfe not json")
    (folder / "c.png").write_bytes(saved(scene(100, 200)))
    (folder / "c.txt").write_bytes(b"caf\xe9 in Latin-1")
    assert run(folder, index).errors == 0 and index.count() == 3
    assert index.count([("caption", "has", "photograph noise")]) == 1 and index.count([("caption", "==", "")]) == 1


def test_another_model_has_an_index_of_its_own(folder, tmp_path):
    class Others(Eyes):
        fingerprint, dim = "fedcba9876543210", 48

    (folder / "a.png").write_bytes(photograph())
    library = Library([folder], tmp_path / "data")
    root = library.roots()[0]["id"]
    name = library.act("build", "s", Eyes(), root=root, path="")["collection"]
    assert library.jobs.get(name).ended.wait(30)
    with pytest.raises(ValueError, match="not indexed with this model"):
        library.get(name, "s", Others())
    library.act("build", "s", Others(), collection=name)
    assert library.jobs.get(name).ended.wait(30)
    assert library.get(name, "s", Others()).index.count() == library.get(name, "s", Eyes()).index.count() == 1
    with pytest.raises(ValueError, match="another model"):
        open_index(next((tmp_path / "data" / name).glob("0123*.sqlite")), 48, Others.fingerprint)
    library.close()


def test_adding_while_searching(folder, index):
    for i in range(60):
        noise = np.random.default_rng(i).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.png")
    stop, wrong = threading.Event(), []
    q = np.random.default_rng(0).normal(size=Eyes.dim)

    def search():
        while not stop.is_set():
            before = index.count()
            found = index.search(q, 100)
            if len(found) < before or any(item is None for item in index.get([i for i, _ in found])):
                wrong.append(found)

    thread = threading.Thread(target=search)
    thread.start()
    for _ in index_folder(folder, index, Eyes(), batch=4):
        pass
    stop.set()
    thread.join()
    assert not wrong and index.count() == 60


def test_files_that_vanish_while_they_are_indexed(folder, index):
    for i in range(200):
        noise = np.random.default_rng(i).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{i:03d}.png")
    steps = index_folder(folder, index, Eyes(), batch=4, workers=1)
    next(steps)
    for path in sorted(folder.iterdir())[150:]:
        path.unlink()
    *_, end = steps
    assert end.done == 200 and end.errors == 50 and index.count() == 150
    assert run(folder, index).deleted == 50 and not [file for file in index.files() if file.status == "error"]


def test_paths_never_name_the_host(folder, tmp_path):
    (folder / "a.png").write_bytes(photograph())
    (folder / "b.png").write_bytes(b"")
    library = Library([folder], tmp_path / "data")
    job = library.act("build", "s", Eyes(), root=library.roots()[0]["id"], path="")
    assert library.jobs.get(job["collection"]).ended.wait(30)
    root, name = library.roots()[0]["id"], job["collection"]
    index = library.get(name, "s", Eyes()).index
    said = [library.collections("s"), library.roots(), library.browse(root), library.job(name, "s"), library.errors(name, "s")]
    said += [item.payload for item in index.get(index.ids())]
    assert str(Path(folder).parent) not in repr(said)
    library.close()
