"""A film as a file that other programs open: GIF, MP4, a strip of pictures. Knows no page and no model."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from explorer import limits

SIZE = 512  # pixels along the longer side: 64-pixel frames are too small for a slide
GIF_SIZE = 320  # a GIF of 33 such faces has 1 to 2 MB, which can be mailed
FASTEST = 50  # frames per second: GIFs count hundredths, and browsers slow down what is shorter than two of them


@dataclass(frozen=True)
class Kind:
    """One kind of file: how a page names it, and how frames become its bytes."""

    name: str
    suffix: str
    media: str
    write: Callable[..., bytes]  # (frames, *, fps, size, loop, pingpong)


@cache
def kinds() -> dict[str, Kind]:
    """Those that are possible on this host, by name."""
    possible = [Kind("gif", ".gif", "image/gif", gif)]
    if h264():
        possible.append(Kind("mp4", ".mp4", "video/mp4", mp4))
    possible.append(Kind("strip", ".png", "image/png", lambda frames, size=None, **_: png_strip(frames, size=size)))
    return {kind.name: kind for kind in possible}


def formats() -> list[str]:
    """The names of the kinds that are possible on this host, such as ["gif", "mp4", "strip"]."""
    return list(kinds())


def kind(name: str) -> Kind:
    """The kind of that name. Raises ValueError with the ones there are."""
    if name in kinds():
        return kinds()[name]
    if name == "mp4":
        raise ValueError("This host cannot write MP4: it has no H.264 encoder (pip install av brings one).")
    raise ValueError(f"A film can be had as {', '.join(kinds())}; not as {name[:20]!r}.")


@cache
def h264() -> bool:
    """Whether PyAV is here, with the only encoder whose films phones and slide programs all play."""
    try:
        import av
    except ImportError:
        return False
    return "libx264" in av.codecs_available


# --- Files ---


def gif(frames: np.ndarray, fps=16.0, size: int | None = None, loop=True, pingpong=False, smooth=True) -> bytes:
    """(F, H, W, 3) uint8 -> an animated GIF, endless if `loop`, there and back if `pingpong`.

    `size` is the longer side in pixels; `smooth` enlarges by Lanczos, else by copying pixels.
    Raises ValueError for frames, rates and sizes that make no film.
    """
    order = _order(len(_checked(frames, fps)), pingpong)

    # A palette for each frame: a morph has more colours than 256. No dithering, whose grain crawls from frame to frame,
    # is further from the picture by 3 dB, and makes the file half as large again.
    small, frames = _rgb(frames), enlarge(_rgb(frames), size or GIF_SIZE, smooth)
    pairs = zip(small, frames, strict=True)
    indexed = [Image.fromarray(large).quantize(palette=_palette(frame), dither=0) for frame, large in pairs]
    indexed = [indexed[i] for i in order]
    file = io.BytesIO()
    indexed[0].save(
        file, "GIF", save_all=True, append_images=indexed[1:], duration=max(20, 10 * round(100 / fps)),
        disposal=1, optimize=False, **({"loop": 0} if loop else {}),
    )  # fmt: skip
    return file.getvalue()


def mp4(frames: np.ndarray, fps=16.0, size: int | None = None, loop=True, pingpong=False, smooth=True) -> bytes:
    """The same as an H.264 film in an MP4. An MP4 cannot loop by itself, so `loop` changes nothing.

    Raises ValueError as `gif` does, and where the encoder is not here.
    """
    if not h264():
        kind("mp4")
    import av

    order = _order(len(_checked(frames, fps)), pingpong)
    frames = _even(enlarge(_rgb(frames), size, smooth))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=round(fps))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"  # the only layout that every phone and slide program decodes
        stream.options = {"crf": "14", "preset": "medium"}
        # Players guess the colours of small films as they please, so say them: BT.709, 16 to 235.
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1
        context.color_range = 1
        for i in order:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frames[i]), format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1, interpolation="LANCZOS")
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))
    return file.getvalue()


def png_strip(frames: np.ndarray, columns: int | None = None, size: int | None = None, smooth=True) -> bytes:
    """(F, H, W, C) uint8 -> all frames in one PNG, in rows of `columns`, up to 11 without. `size` is a frame's."""
    frames = enlarge(_rgb(_checked(frames)), size or max(128, *np.shape(frames)[1:3]), smooth)
    return png(grid(frames, columns or _columns(len(frames))))


def png(image: np.ndarray, effort: int = 6) -> bytes:
    """(H, W, C) uint8, C 1, 3 or 4 -> a PNG of the same pixels; `effort` is zlib's, 1 to 9."""
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG", compress_level=effort)
    return file.getvalue()


# --- Frames ---


def grid(frames: np.ndarray, columns: int) -> np.ndarray:
    """(F, H, W, C) -> (rows H, columns W, C): the frames in rows, empty places black."""
    count, height, width, channels = frames.shape
    rows = math.ceil(count / columns)
    places = np.zeros((rows * columns, height, width, channels), frames.dtype)
    places[:count] = frames
    places = places.reshape(rows, columns, height, width, channels)
    return places.swapaxes(1, 2).reshape(rows * height, columns * width, channels)


def enlarge(frames: np.ndarray, size: int | None, smooth: bool = True) -> np.ndarray:
    """(F, H, W, C) -> frames whose longer side has `size` pixels (512 without), never fewer than they have."""
    height, width = frames.shape[1:3]
    size = max(height, width, SIZE if size is None else size)
    if size > max(limits.EXPORT_SIZE, height, width):
        raise ValueError(f"A film can be exported with up to {limits.EXPORT_SIZE} pixels a side.")
    if size == max(height, width):
        return frames
    scale = size / max(height, width)
    shape = (round(width * scale), round(height * scale))
    how = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    return np.stack([np.asarray(Image.fromarray(frame).resize(shape, how)) for frame in frames])


def _checked(frames: np.ndarray, fps: float = 16) -> np.ndarray:
    if not isinstance(frames, np.ndarray) or frames.ndim != 4 or frames.dtype != np.uint8 or 0 in frames.shape:
        raise ValueError("A film is made of pictures of 8-bit pixels, all of one size.")
    if not 1 <= fps <= FASTEST:
        raise ValueError(f"A film can have 1 to {FASTEST} frames per second.")
    return frames


def _order(count: int, pingpong: bool) -> list[int]:
    """The frames as they are played. The way back repeats neither end, so that a loop does not stutter."""
    order = [*range(count), *(range(count - 2, 0, -1) if pingpong else ())]
    if len(order) > limits.EXPORT_FRAMES:
        raise ValueError(f"A film can be exported with up to {limits.EXPORT_FRAMES} frames.")
    return order


def _rgb(frames: np.ndarray) -> np.ndarray:
    return np.repeat(frames, 3, axis=-1) if frames.shape[-1] == 1 else frames[..., :3]


def _palette(frame: np.ndarray) -> Image.Image:
    """The 256 colours of one small frame, a picture whose palette counts."""
    return Image.fromarray(np.ascontiguousarray(frame)).quantize(256, Image.Quantize.MEDIANCUT, kmeans=1)


def _even(frames: np.ndarray) -> np.ndarray:
    """With the last row and column repeated where needed: yuv420p halves both sides."""
    return np.pad(frames, ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)), mode="edge")


def _columns(count: int) -> int:
    """Rows of equal length where possible, none longer than 11: 33 frames make three rows."""
    rows = math.ceil(count / 11)
    return math.ceil(count / rows)
