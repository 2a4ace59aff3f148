"""Every ugly file of which people complain elsewhere, made here, and what becomes of it."""

import io
import pickle
import struct
import threading
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFile

from explorer import limits, uploads
from explorer.uploads import BadImage, read_image


def scene(width=300, height=300) -> Image.Image:
    """Four quarters in four colours: whoever turns, crops or recolours it is found out."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for x, y, colour in ((0, 0, "red"), (1, 0, "lime"), (0, 1, "blue"), (1, 1, "yellow")):
        draw.rectangle((x * width // 2, y * height // 2, (x + 1) * width // 2, (y + 1) * height // 2), fill=colour)
    return picture


QUARTERS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]


def quarters(pixels) -> list[tuple[int, int, int]]:
    return [tuple(int(v) for v in pixels[y, x]) for y, x in ((16, 16), (16, 48), (48, 16), (48, 48))]


def file(image: Image.Image, kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
def test_every_common_kind_is_read_by_its_content(kind):
    picture = read_image(file(scene(), kind))

    assert picture.pixels.shape == (64, 64, 3) and picture.pixels.dtype == np.uint8
    assert np.abs(np.array(quarters(picture.pixels)) - QUARTERS).max() <= 8
    assert picture.note == ""


def test_another_size_is_possible_and_small_pictures_are_enlarged():
    assert read_image(file(scene(20, 20)), size=128).pixels.shape == (128, 128, 3)


def test_64_pixels_come_through_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(read_image(file(Image.fromarray(pixels))).pixels, pixels)


@pytest.mark.parametrize("tag", range(1, 9))
def test_exif_turns_are_undone(tag):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transpose that makes the file as a camera would
    stored = scene() if tag == 1 else scene().transpose(undo[tag])
    exif = Image.Exif()
    exif[0x0112] = tag
    picture = read_image(file(stored, "JPEG", quality=95, exif=exif))

    assert np.abs(np.array(quarters(picture.pixels)) - QUARTERS).max() <= 8
    assert ("Turned upright" in picture.note) == (tag != 1)


def test_broken_exif_is_no_reason_to_refuse():
    assert read_image(file(scene(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).pixels.any()


def test_what_is_transparent_is_white_whatever_colour_hides_below():
    hidden = scene().convert("RGBA")
    hidden.paste((10, 0, 90, 0), (0, 0, 150, 300))
    pixels = read_image(file(hidden)).pixels

    assert quarters(pixels) == [(255, 255, 255), QUARTERS[1], (255, 255, 255), QUARTERS[3]]


def test_half_transparent_is_half_white():
    glass = Image.new("RGBA", (64, 64), (0, 0, 0, 128))
    glass.paste((0, 0, 0, 255), (0, 0, 32, 64))
    assert abs(int(read_image(file(glass)).pixels[32, 50, 0]) - 127) <= 1


def test_transparent_palette_grey_and_one_bit():
    palette = Image.new("P", (64, 64), 0)
    palette.putpalette([255, 0, 255, 0, 0, 255])
    palette.paste(1, (0, 0, 32, 64))
    pixels = read_image(file(palette, "PNG", transparency=0)).pixels
    assert tuple(pixels[32, 10]) == (0, 0, 255) and tuple(pixels[32, 50]) == (255, 255, 255)

    grey = Image.new("LA", (64, 64), (0, 255))
    grey.paste((0, 0), (0, 0, 32, 64))
    pixels = read_image(file(grey)).pixels
    assert tuple(pixels[32, 10]) == (255, 255, 255) and tuple(pixels[32, 50]) == (0, 0, 0)

    bits = Image.new("1", (64, 64), 1)
    bits.paste(0, (0, 0, 32, 64))
    pixels = read_image(file(bits)).pixels
    assert tuple(pixels[32, 10]) == (0, 0, 0) and tuple(pixels[32, 50]) == (255, 255, 255)


def test_a_large_palette_is_averaged_not_sampled():
    """Resizing indices instead of colours takes the nearest pixel: a fine pattern turns into noise."""
    checks = Image.fromarray((np.indices((512, 512)).sum(0) % 2).astype(np.uint8))
    checks.putpalette([0, 0, 0, 255, 255, 255])
    checks = checks.convert("P")
    checks.paste(0, (0, 0, 256, 512))
    assert abs(int(read_image(file(checks)).pixels[32, 48, 0]) - 127) <= 3


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bits_are_scaled_not_cut_off(order):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(order), (64, 1))
    mode = "I;16" if order == "<u2" else "I;16B"
    kind = "PNG" if order == "<u2" else "TIFF"
    pixels = read_image(file(Image.frombytes(mode, (64, 64), ramp.tobytes()), kind)).pixels

    assert np.abs(pixels[0, :, 0].astype(float) - np.linspace(0, 255, 64)).max() <= 1


@pytest.mark.parametrize("low, high", [(0, 1), (0, 255), (-3, 5), (0, 40000)])
def test_pictures_of_floats_keep_their_range(low, high):
    ramp = np.tile(np.linspace(low, high, 64, dtype=np.float32), (64, 1))
    ramp[0, 0] = np.nan
    pixels = read_image(file(Image.fromarray(ramp), "TIFF")).pixels

    assert pixels[5, 0].max() == 0 and pixels[5, -1].min() == 255


def test_thirty_two_bit_integers_are_scaled():
    ramp = np.tile(np.linspace(0, 1_000_000, 64).astype(np.int32), (64, 1))
    pixels = read_image(file(Image.fromarray(ramp), "TIFF")).pixels
    assert pixels[0, 0].max() == 0 and pixels[0, -1].min() == 255


def test_cmyk_becomes_rgb():
    pixels = read_image(file(scene().convert("CMYK"), "JPEG", quality=95)).pixels
    assert np.abs(np.array(quarters(pixels)) - QUARTERS).max() <= 12


def test_an_animation_gives_its_first_frame():
    first, second = scene(), scene().transpose(Image.Transpose.ROTATE_180)
    for kind in ("GIF", "WEBP", "PNG"):
        picture = read_image(file(first, kind, save_all=True, append_images=[second], duration=100))
        assert np.abs(np.array(quarters(picture.pixels)) - QUARTERS).max() <= 8
        assert picture.note == "The first frame of an animation."
    pages = read_image(file(first, "TIFF", save_all=True, append_images=[second]))
    assert pages.note == "The first page of several."


def test_a_phones_portrait_with_a_second_view_is_no_animation():
    picture = read_image(file(scene(), "MPO", save_all=True, append_images=[scene()]))
    assert picture.note == ""


def test_the_middle_square_of_a_wide_picture():
    wide = Image.new("RGB", (600, 300), "black")
    wide.paste(scene(), (150, 0))
    picture = read_image(file(wide))
    assert quarters(picture.pixels) == QUARTERS and picture.note == "Cropped to the middle square."


@pytest.mark.parametrize("shape", [(9000, 10), (10, 9000), (1, 9000), (3000, 1)])
def test_a_strip_is_shown_whole(shape):
    strip = Image.fromarray(np.random.default_rng(0).integers(0, 80, (shape[1], shape[0], 3), dtype=np.uint8))
    picture = read_image(file(strip))
    assert "Long and narrow" in picture.note
    assert tuple(picture.pixels[0, 0]) == (255, 255, 255) and picture.pixels[31:33, 31:33].min() < 128


def photograph(width=1200, height=900) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (height // 20, width // 20, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_shown_as_far_as_it_goes_and_named(kind):
    whole = file(photograph(), kind)
    try:
        picture = read_image(whole[: len(whole) * 2 // 3])
    except BadImage as problem:
        assert kind == "WEBP" and "damaged" in str(problem)  # whose decoder gives all or nothing
        return
    assert "damaged" in picture.note
    assert np.abs(picture.pixels[:24].astype(float) - read_image(whole).pixels[:24]).mean() < 3


def test_leniency_is_over_when_the_file_is():
    whole = file(photograph(), "JPEG")
    read_image(whole[: len(whole) // 2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_whole_file_beside_a_damaged_one_is_not_called_damaged():
    """Pillow's leniency is a switch of the process; two visitors at once must not share it."""
    whole = file(photograph(), "JPEG")
    broken, notes = whole[: len(whole) // 2], []
    threads = [
        threading.Thread(target=lambda i=i: notes.append((i % 2, read_image((whole, broken)[i % 2]).note)))
        for i in range(8)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(notes) == 8 and all(("damaged" in note) == bool(odd) for odd, note in notes)


def test_a_file_overwritten_in_its_middle_is_refused_or_named():
    data = bytearray(file(photograph(), "PNG"))
    data[2000:4000] = b"\0" * 2000
    try:
        assert "damaged" in read_image(bytes(data)).note
    except BadImage as problem:
        assert "damaged" in str(problem)


def test_many_decode_at_once_and_damage_does_not_leak():
    """Strict and lenient decoding in many threads: every whole file is whole, every broken one is marked."""
    whole = file(photograph(), "JPEG")
    broken, found = whole[: len(whole) * 3 // 4], {}
    expected = np.asarray(uploads.decode(whole, 64).image)

    def work(i):
        decoded = uploads.decode(broken if i % 4 == 0 else whole, 64)
        found[i] = decoded.damaged, np.array_equal(np.asarray(decoded.image), expected)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(32)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found == {i: (True, False) if i % 4 == 0 else (False, True) for i in range(32)}
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_memory_for_decoding_is_shared_out():
    memory, at_once, most = uploads._Memory(10), [0], [0]

    def work(megapixels):
        with memory.held(megapixels):
            at_once[0] += min(megapixels, 10)
            most[0] = max(most[0], at_once[0])
            threading.Event().wait(0.001)
            at_once[0] -= min(megapixels, 10)

    threads = [threading.Thread(target=work, args=(size,)) for size in [4, 4, 4, 50, 1, 9, 4, 10, 3] * 4]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert most[0] <= 10 and memory._free == 10


@pytest.mark.parametrize("tag", range(1, 9))
def test_a_whole_picture_is_upright_too(tag):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    wide = scene(400, 240)
    stored = wide if tag == 1 else wide.transpose(undo[tag])
    exif = Image.Exif()
    exif[0x0112] = tag
    decoded = uploads.decode(file(stored, "JPEG", quality=95, exif=exif), 300)
    assert (decoded.width, decoded.height) == decoded.image.size == (400, 240) and decoded.image.mode == "RGB"
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(wide)).mean() < 3
    assert ("Turned upright" in decoded.note) == (tag != 1)


def test_a_whole_picture_is_no_larger_than_it_must_be():
    large = file(scene(4000, 3000), "JPEG")
    for at_least, size in ((64, (500, 375)), (224, (1000, 750)), (512, (2000, 1500)), (5000, (4000, 3000))):
        image, note = uploads.open_picture(large, at_least)
        assert image.size == size and note == ""
    assert uploads.open_picture(file(scene(4000, 3000)), 64)[0].size == (364, 273)  # a PNG, decoded whole, then averaged
    assert uploads.open_picture(file(scene(90, 30)), 64)[0].size == (90, 30)


def test_what_is_transparent_is_white_in_a_whole_picture():
    hidden = scene(2000, 2000).convert("RGBA")
    hidden.paste((10, 0, 90, 0), (0, 0, 1000, 2000))
    image, _ = uploads.open_picture(file(hidden), 64)
    assert image.mode == "RGB" and image.getpixel((10, 10)) == (255, 255, 255)


def test_pictures_of_one_colour():
    assert uploads.flat(Image.new("RGB", (300, 20), (9, 200, 3))) and not uploads.flat(scene())
    assert uploads.open_picture(file(Image.new("RGB", (300, 200), "red")), 64)[0].size == (300, 200)


def test_photographs_of_phones_where_their_package_is_installed():
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    picture = read_image(file(scene(), "HEIF", quality=95))
    assert np.abs(np.array(quarters(picture.pixels)) - QUARTERS).max() <= 12 and picture.note == ""


@pytest.mark.parametrize("colour", ["white", "#808080", "#ff0000"])
def test_one_colour_is_no_picture(colour):
    with pytest.raises(BadImage, match="all of one colour"):
        read_image(file(Image.new("RGB", (200, 200), colour)))
    almost = np.random.default_rng(0).integers(119, 122, (64, 64, 3), dtype=np.uint8)
    with pytest.raises(BadImage, match="all of one colour"):
        read_image(file(Image.fromarray(almost)))


@pytest.mark.parametrize("size", [(20000, 20000), (8000, 7000), (60000, 10)])
def test_a_bomb_is_refused_by_its_header(size):
    tracemalloc.start()
    with pytest.raises(BadImage, match="too large"):
        read_image(png_of_size(*size))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_the_sentence_for_a_large_picture_says_how_large():
    with pytest.raises(BadImage, match="8000 x 7000 = 56 megapixels"):
        read_image(png_of_size(8000, 7000))


def test_a_large_photograph_is_decoded_at_a_fraction_of_its_size(monkeypatch):
    sizes = []
    original = Image.Image.resize

    def resize(self, *args, **options):
        sizes.append(self.size)
        return original(self, *args, **options)

    monkeypatch.setattr(Image.Image, "resize", resize)
    large = Image.new("RGB", (6000, 8500), "white")  # 51 megapixels
    large.paste("navy", (0, 0, 3000, 8500))
    picture = read_image(file(large, "JPEG"))

    assert sizes == [(750, 1063)]
    assert picture.pixels[32, 10, 2] > 100 > picture.pixels[32, 10, 0] and picture.pixels[32, 50].min() > 250

    with pytest.raises(BadImage, match="too large"):  # a progressive JPEG is held whole
        read_image(file(large, "JPEG", progressive=True))


def test_too_many_bytes():
    with pytest.raises(BadImage, match="larger than 20 MB"):
        read_image(b"\xff\xd8" + b"\0" * limits.UPLOAD_BYTES)


@pytest.mark.parametrize(
    "data, what",
    [
        (b"", "empty"),
        (b"just some words, saved as photo.jpg", "a text"),
        ("Größe und façade".encode(), "a text"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg></svg>', "an SVG drawing"),
        (b"<!doctype html><p>404</p>", "a web page"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "a film"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript file"),
        (b"PK\x03\x04" + b"\0" * 40, "an archive"),
        (pickle.dumps({"weights": [1, 2, 3]}), "a Python pickle, which is never opened here"),
        (bytes(range(128, 256)) * 9, "no picture"),
        (b"\x89PNG\r\n\x1a\n", "no picture"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "no picture|damaged"),
    ],
)
def test_what_is_no_picture_is_named(data, what):
    with pytest.raises(BadImage, match=what) as caught:
        read_image(data)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 160


def test_no_ghostscript_is_ever_started():
    assert "EPS" not in uploads.FORMATS


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_random_damage_never_escapes_as_anything_else(kind):
    rng = np.random.default_rng(1)
    whole = np.frombuffer(file(photograph(120, 90), kind), np.uint8)
    for _ in range(60):
        data = whole.copy()
        data[rng.integers(0, len(data), 12)] = rng.integers(0, 256, 12)
        try:
            assert read_image(data[: rng.integers(1, len(data) + 1)].tobytes()).pixels.shape == (64, 64, 3)
        except BadImage as problem:
            assert str(problem)
