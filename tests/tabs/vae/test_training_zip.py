"""ZIPs of pictures as people have them, and as someone with bad intentions makes them."""

import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from explorer.tabs.vae import training_zip
from explorer.tabs.vae.training_data import Stopped


def picture(seed: int = 0, size: int = 40, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def packed(files: dict[str, bytes], how=zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(ValueError) as told:
        training_zip.read(data)
    assert str(told.value).endswith(".") and "\n" not in str(told.value)
    return str(told.value)


def test_pictures_become_squares_in_the_order_of_the_archive():
    brought = training_zip.read(packed({f"{i}.png": picture(i, 32) for i in range(3)}))
    assert brought.pixels.shape == (3, 32, 32, 3) and brought.pixels.dtype == np.uint8
    assert np.array_equal(brought.pixels[1], np.asarray(Image.open(io.BytesIO(picture(1, 32)))))
    assert "3 pictures" in brought.note and "about 50" in brought.note


def test_what_is_no_picture_is_skipped_and_counted():
    files = {
        "a.png": picture(1),
        "deep/b.jpg": picture(2, kind="JPEG"),
        "notes.txt": b"hello" * 50,
        "inner.zip": packed({"c.png": picture(3)}),
    }
    brought = training_zip.read(packed(files | {"__MACOSX/._a.png": b"x", ".DS_Store": b"y", "Thumbs.db": b"z", "empty/": b""}))
    assert len(brought.pixels) == 2 and "2 files skipped" in brought.note  # a ZIP in a ZIP stays closed


def test_names_are_never_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    brought = training_zip.read(packed({"../../evil.png": picture(1), "/etc/passwd.png": picture(2), "C:\\x.png": picture(3)}))
    assert len(brought.pixels) == 3 and not list(tmp_path.rglob("*"))


def test_an_extension_is_not_believed():
    assert len(training_zip.read(packed({"a.txt": picture(1), "b": picture(2)})).pixels) == 2


def test_a_zip_without_pictures():
    assert "no picture" in refused(packed({"a.txt": b"hello"}))


def test_a_zip_without_files():
    assert "no file" in refused(packed({}))


def test_one_picture_is_too_few():
    assert "two or more" in refused(packed({"a.png": picture()}))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06", picture(), b"\x00" * 1000, packed({"a.png": picture()})[:-30]])
def test_what_is_no_zip(data):
    refused(data)


def test_a_damaged_picture_is_skipped():
    whole = packed({f"{i}.png": picture(i) for i in range(4)}, zipfile.ZIP_STORED)
    at = whole.index(picture(2))
    assert len(training_zip.read(whole[:at] + bytes(200) + whole[at + 200 :]).pixels) == 3  # its checksum is wrong


def test_a_locked_zip_is_told_so():
    data = bytearray(packed({"a.png": picture(1), "b.png": picture(2)}))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag of an encrypted file
    assert "password" in refused(bytes(data))


def test_a_bomb_is_refused_by_its_directory():
    bomb = packed({f"{i}.bmp": bytes(9_000_000) for i in range(60)})
    assert len(bomb) < 1_000_000 and "Unpacked" in refused(bomb)


def test_a_bomb_whose_directory_lies_is_stopped_while_it_is_read(monkeypatch):
    """The directory says ten bytes; what is inflated is bounded by it, and the file is skipped for its checksum."""
    data = bytearray(packed({"a.png": bytes(5_000_000), "b.png": picture(1), "c.png": picture(2)}))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    seen = []
    monkeypatch.setattr(
        training_zip,
        "read_image",
        lambda content, size, true=training_zip.read_image: seen.append(len(content)) or true(content, size),
    )
    assert len(training_zip.read(bytes(data)).pixels) == 2 and max(seen) < 10_000


def test_files_that_share_their_bytes_are_counted_as_they_are_read(monkeypatch):
    monkeypatch.setattr(training_zip, "INFLATED", 20_000)
    monkeypatch.setattr(training_zip, "opened", lambda data: zipfile.ZipFile(io.BytesIO(data)).infolist())
    assert "Unpacked" in refused(packed({f"{i}.png": picture(i) for i in range(9)}))


def test_a_file_larger_than_any_picture_is_not_inflated():
    brought = training_zip.read(packed({"big.bmp": bytes(21_000_000), "a.png": picture(1), "b.png": picture(2)}))
    assert len(brought.pixels) == 2 and "one file skipped" in brought.note


def test_a_file_packed_in_a_way_that_may_ask_for_gigabytes_is_skipped():
    with io.BytesIO(packed({"a.png": picture(1), "b.png": picture(2)})) as out:
        with zipfile.ZipFile(out, "a", zipfile.ZIP_LZMA) as archive:
            archive.writestr("c.png", picture(3))
        assert len(training_zip.read(out.getvalue()).pixels) == 2


def test_an_endless_directory_is_refused_before_it_is_read():
    assert "lists more than" in refused(b"PK\x01\x02" * (training_zip.ENTRIES + 1))


def test_ten_thousand_are_used_and_the_rest_is_named(monkeypatch):
    """With three for ten thousand: decoding so many is no test's business."""
    monkeypatch.setattr(training_zip, "MOST", 3)
    brought = training_zip.read(packed({f"{i}.png": picture(i) for i in range(5)}))
    assert len(brought.pixels) == 3 and "2 files are left out" in brought.note


def test_ten_thousand_pictures_are_read_whole():
    one = picture(1, 4)
    brought = training_zip.read(packed({f"{i}.png": one for i in range(10_000)}, zipfile.ZIP_STORED))
    assert len(brought.pixels) == 10_000 and brought.pixels.nbytes == 10_000 * 32 * 32 * 3


def test_reading_tells_how_far_it_is_and_can_be_stopped():
    seen = []

    def progress(done, total):
        seen.append((done, total))
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        training_zip.read(packed({f"{i}.png": picture(i) for i in range(5)}), progress)
    assert seen == [(0, 5), (1, 5), (2, 5)]


def test_reading_that_takes_too_long_uses_what_it_has(monkeypatch):
    clock = iter([0.0, 1, 2, 3, 1e6, 1e6, 1e6])
    monkeypatch.setattr(training_zip.time, "monotonic", lambda: next(clock))
    brought = training_zip.read(packed({f"{i}.png": picture(i) for i in range(5)}))
    assert len(brought.pixels) == 3 and "2 files are left out" in brought.note
