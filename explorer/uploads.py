"""Any picture that a visitor may have, as the square of pixels that a model takes. Knows no page and no model.

Nothing in a file's name is believed, and nothing is decoded before its header has said how large it is.
"""

import functools
import io
import re
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile

from explorer import limits

# Not all that Pillow knows: its EPS reader starts Ghostscript, and the rest nobody has.
FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF", "PPM"]
ADVICE = "please use a PNG, JPEG or WebP picture"

STRIP = 8  # a picture this many times longer than wide is shown whole between margins; of others the middle square
ONE_COLOUR = "This picture is all of one colour, or its file is damaged."
FLAT = 2  # standard deviation, of 255, below which a picture shows nothing: overwritten files decode to such

# Sizes are judged here, by what decoding them costs.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class BadImage(ValueError):
    """Not a picture that can be used. Its text is one sentence for the visitor."""


@dataclass(frozen=True)
class Picture:
    """`pixels` (size, size, 3) uint8, and in `note` what was done to the file, "" for nothing worth a word."""

    pixels: np.ndarray
    note: str


@dataclass(frozen=True)
class Decoded:
    """`image`, upright RGB, possibly smaller than the file's own `width` x `height`; `note` as of a Picture."""

    image: Image.Image
    width: int
    height: int
    damaged: bool
    note: str


def read_image(data: bytes, size: int = 64) -> Picture:
    """The bytes of an image file -> its middle square, upright, on white, reduced by area to size x size RGB.

    Raises BadImage, with one sentence, for what is no picture, too large, beyond repair, or all of one colour.
    """
    with _opened(data, size, limits.UPLOAD_BYTES) as (image, _, turn, damaged, notes):
        pixels, shape_note = _small(lambda: _square(_rgb_ready(image), size), image.mode)
    notes = _all_notes(notes, turn, damaged)
    if turn is not None:
        pixels = pixels.transpose(turn)  # a square turns as the whole picture would, at a fraction of the cost
    if shape_note:
        notes.append(shape_note)

    pixels = np.asarray(pixels)
    if pixels.std(axis=(0, 1)).max() < FLAT:
        raise BadImage(ONE_COLOUR)
    return Picture(pixels, _sentences(notes))


def open_picture(data: bytes, at_least: int) -> tuple[Image.Image, str]:
    """The bytes of an image file -> the whole picture, upright, RGB on white, and a note as of a Picture.

    It is decoded no larger than it must be: its shorter side has twice `at_least` pixels or more, unless the file has
    fewer. Raises BadImage as `read_image` does, but shows a picture of one colour.
    """
    decoded = decode(data, at_least)
    return decoded.image, decoded.note


def decode(data: bytes, at_least: int, most_bytes: int = limits.UPLOAD_BYTES) -> Decoded:
    """As `open_picture`, with what the file says of itself. Any number of threads may do so at once."""
    with _opened(data, at_least, most_bytes) as (image, (width, height), turn, damaged, notes):
        image = _small(lambda: _whole(_rgb_ready(image), at_least), image.mode)
    if turn is not None:
        image = image.transpose(turn)
        if turn in _SIDEWAYS:
            width, height = height, width
    return Decoded(image, width, height, damaged, _sentences(_all_notes(notes, turn, damaged)))


def flat(image: Image.Image) -> bool:
    """Whether a picture shows nothing but one colour, as overwritten files do."""
    small = image.resize((64, 64), Image.Resampling.BOX, reducing_gap=1.0)
    return bool(np.asarray(small).reshape(64 * 64, -1).std(axis=0).max() < FLAT)


def _all_notes(notes: list[str], turn, damaged: bool) -> list[str]:
    if damaged:
        notes.append("The file is damaged; what could be read of it is shown")
    if turn is not None:
        notes.append("Turned upright, as the camera noted")
    return notes


def _sentences(notes: list[str]) -> str:
    return ". ".join(notes) + "." if notes else ""


@contextmanager
def _opened(data: bytes, size: int, most_bytes: int):
    """Decoded, for as long as its memory is granted: (image, the file's width and height, turn, damaged, notes)."""
    data = bytes(data)
    if len(data) > most_bytes:
        raise BadImage(f"This file is larger than {most_bytes // 1_000_000} MB.")
    image = _open(data)
    _check_size(image)
    full = image.size  # draft() changes it
    with _MEMORY.held(_cost(image, size)):
        notes = _leading_notes(image)
        turn = _TURNS.get(_orientation(image))
        image, damaged = _decoded(image, data, size)
        yield image, full, turn, damaged, notes


# --- What it is ---


@functools.cache
def formats() -> list[str]:
    """FORMATS, and HEIF where the package that reads it is installed."""
    try:
        import pillow_heif
    except ImportError:
        return FORMATS
    pillow_heif.register_heif_opener(thumbnails=False)
    return [*FORMATS, "HEIF"]


_KINDS = [  # how files begin that people send in place of a picture
    (rb"\s*%PDF", "a PDF document"),
    (rb"\s*(<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE svg[^>]*>|\s)*<svg", "an SVG drawing"),
    (rb"\s*(<!DOCTYPE html|<html)", "a web page"),
    (rb".{4}ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", "a HEIC photograph that is damaged or cannot be read here"),
    (rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ", "a film"),
    (rb"8BPS", "a Photoshop file"),
    (rb"%!PS", "a PostScript file"),
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "a JPEG XL picture, which cannot be read here"),
    (rb"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture, which cannot be read here"),
    (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!", "an archive"),
    (rb"\x80[\x02-\x05]", "a Python pickle, which is never opened here"),
    (rb"\x93NUMPY", "a NumPy array"),
]


def _name(data: bytes) -> str:
    """What a file is that Pillow cannot open, in words."""
    for start, name in _KINDS:
        if re.match(start, data[:4096], re.DOTALL | re.IGNORECASE):
            return name
    try:
        text = data[:4096].decode("utf-8", errors="strict" if len(data) <= 4096 else "ignore")
    except UnicodeDecodeError:
        return ""
    printable = sum(c.isprintable() or c.isspace() for c in text)
    return "a text" if text and printable > 0.95 * len(text) else ""


def _open(data: bytes) -> Image.Image:
    """The header, read; no pixel yet."""
    if not data:
        raise BadImage(f"This file is empty; {ADVICE}.")
    try:
        return Image.open(io.BytesIO(data), formats=formats())
    except Image.DecompressionBombError:
        raise BadImage(_too_large(f"more than {2 * Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels")) from None
    except Exception:  # codecs raise whatever they like for broken headers
        name = _name(data)
        raise BadImage(
            f"This file is {name}; {ADVICE}." if name else f"This file is no picture, or a damaged one; {ADVICE}."
        ) from None


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    most = limits.JPEG_MEGAPIXELS if _plain_jpeg(image) else limits.MEGAPIXELS
    if width * height > most * 1e6 or max(width, height) > limits.PIXELS_ACROSS:
        raise BadImage(_too_large(f"{width} x {height} = {width * height / 1e6:.0f} megapixels"))
    if min(width, height) < 1:
        raise BadImage("This picture has no pixels.")


def _too_large(what: str) -> str:
    return f"This picture has {what}, which is too large; a smaller version of it will do."


def _leading_notes(image: Image.Image) -> list[str]:
    # An MPO is a still picture with further views, such as the depth map of a phone.
    if image.format not in ("MPO", "HEIF") and getattr(image, "is_animated", False):
        return ["The first page of several" if image.format == "TIFF" else "The first frame of an animation"]
    return []


# --- Decoding ---


class _Memory:
    """At most so many megapixels in the making at once, in all threads; a larger one than that goes alone."""

    def __init__(self, most: float) -> None:
        self._most, self._free, self._changed = most, most, threading.Condition()

    @contextmanager
    def held(self, megapixels: float):
        cost = min(megapixels, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= cost)
            self._free -= cost
        try:
            yield
        finally:
            with self._changed:
                self._free += cost
                self._changed.notify_all()


class _Leniency:
    """Pillow's leniency with broken files is a switch for the whole process: who needs it waits until nobody else decodes."""

    def __init__(self) -> None:
        self._changed, self._strict, self._lenient = threading.Condition(), 0, 0

    @contextmanager
    def off(self):
        with self._changed:
            self._changed.wait_for(lambda: not self._lenient)
            self._strict += 1
        try:
            yield
        finally:
            with self._changed:
                self._strict -= 1
                self._changed.notify_all()

    @contextmanager
    def on(self):
        with self._changed:
            self._changed.wait_for(lambda: not self._lenient)
            self._lenient = 1
            self._changed.wait_for(lambda: not self._strict)
            ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            yield
        finally:
            with self._changed:
                ImageFile.LOAD_TRUNCATED_IMAGES = False
                self._lenient = 0
                self._changed.notify_all()


_MEMORY, _LENIENCY = _Memory(limits.DECODING_MEGAPIXELS), _Leniency()


def _plain_jpeg(image: Image.Image) -> bool:
    """Decoded at a fraction of its size. A progressive one is held whole in memory all the same."""
    return image.format in ("JPEG", "MPO") and not image.info.get("progressive")


def _cost(image: Image.Image, size: int) -> float:
    width, height = image.size
    eighths = max(1, min(8, width // (2 * size), height // (2 * size))) if _plain_jpeg(image) else 1
    return width * height / 1e6 / eighths**2 * 2


_TURNS = {  # of the EXIF tag Orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_SIDEWAYS = [_TURNS[tag] for tag in (5, 6, 7, 8)]


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:  # a broken tag is no reason to refuse the picture
        return 1


def _decoded(image: Image.Image, data: bytes, size: int) -> tuple[Image.Image, bool]:
    """The pixels, and whether the file was damaged: strictly first, then whatever can be saved."""
    for lenient in (False, True):
        try:
            with _LENIENCY.on() if lenient else _LENIENCY.off():
                image.draft(None, (2 * size, 2 * size))  # a JPEG is decoded at 1/2, 1/4 or 1/8, never below this
                image.load()
            return image, lenient
        except MemoryError:
            raise BadImage(_too_large("more pixels than this host has memory for")) from None
        except Exception:  # whatever a codec raises, the file is at fault
            if not lenient:
                image = _open(data)
    raise BadImage(f"This picture is damaged and cannot be read; {ADVICE}.")


def _small(made, mode: str):
    """What `made` makes of a decoded image of that mode, or one sentence."""
    try:
        return made()
    except (ValueError, OSError):
        raise BadImage(f"This picture's colours ({mode}) cannot be read; {ADVICE}.") from None
    except MemoryError:
        raise BadImage(_too_large("more pixels than this host has memory for")) from None


def _whole(image: Image.Image, at_least: int) -> Image.Image:
    """The whole picture, RGB on white, averaged down by a whole number where it stays four times as large as needed."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    factor = min(image.size) // (4 * at_least)
    return (image.reduce(factor) if factor > 1 else image).convert("RGB")


def _rgb_ready(image: Image.Image) -> Image.Image:
    """A mode that can be resized without loss of meaning: RGBA where anything is transparent, else L or RGB."""
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scales deep grey to 8 bits; Pillow's own conversion would cut everything above 255 off."""
    deep = np.nan_to_num(np.asarray(image).astype(np.float32), nan=0, posinf=0, neginf=0)
    low, high = float(deep.min()), float(deep.max())
    if image.mode.startswith("I;16") or (image.mode == "I" and 255 < high < 65536 and low >= 0):
        low, high = 0, 65535
    elif image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0, 1
    elif low >= 0 and high <= 255:
        low, high = 0, 255
    # What else there is has no white of its own: from its darkest to its brightest.
    scaled = (deep - low) * (255 / max(high - low, 1e-12))
    return Image.fromarray(scaled.round().clip(0, 255).astype(np.uint8))


def _square(image: Image.Image, size: int) -> tuple[Image.Image, str]:
    """The middle square, or an extreme strip whole between margins, at size x size on white."""
    width, height = image.size
    short, long = sorted((width, height))
    if long > STRIP * short:
        scale = size / long
        small = _reduced(image, (max(1, round(width * scale)), max(1, round(height * scale))), (0, 0, width, height))
        square = Image.new("RGB", (size, size), "white")
        square.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
        return square, "Long and narrow, so shown whole between white margins"

    left, top = (width - short) / 2, (height - short) / 2
    square = _reduced(image, (size, size), (left, top, left + short, top + short))
    # A pixel or two are not worth a word.
    return square, "Cropped to the middle square" if long > 1.02 * short + 1 else ""


def _reduced(image: Image.Image, shape: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    """A box of the picture at another size, RGB on white. Averages areas, so that no detail turns into noise."""
    if (image.width, image.height) != shape or box != (0, 0, *shape):
        image = image.resize(shape, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    if image.mode == "RGBA":  # resized with its alpha taken into account, so this order loses nothing
        image = Image.alpha_composite(Image.new("RGBA", shape, "white"), image)
    return image.convert("RGB")
