"""Every export is opened again by someone else's reader and compared with what went in."""

import io

import av
import numpy as np
import pytest
from PIL import Image

from explorer import export


def film(count=9, height=64, width=64) -> np.ndarray:
    """A red disc that crosses a blue to green slope: flat parts, edges and a gradient."""
    y, x = np.mgrid[:height, :width]
    slope = np.stack([np.full_like(x, 40), x * 160 // width, 255 - y * 160 // height], -1)
    frames = np.repeat(slope[None].astype(np.uint8), count, 0)
    for i, frame in enumerate(frames):
        frame[(x - width * (i + 0.5) / count) ** 2 + (y - height / 2) ** 2 < (height / 5) ** 2] = (220, 30, 30)
    return frames


def opened(data: bytes) -> list[np.ndarray]:
    image = Image.open(io.BytesIO(data))
    frames = []
    for i in range(image.n_frames):
        image.seek(i)
        frames.append(np.asarray(image.convert("RGB")))
    return frames


def played(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def error(a, b) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("write, read, size, close", [(export.gif, opened, 320, 3), (export.mp4, played, 512, 3)])
def test_what_comes_out_is_what_went_in(write, read, size, close):
    frames = film()
    out = read(write(frames))
    expected = export.enlarge(frames, size)

    assert len(out) == 9 and out[0].shape == (size, size, 3)
    for i in (0, 4, -1):
        assert error(out[i], expected[i]) < close


@pytest.mark.parametrize("write, read", [(export.gif, opened), (export.mp4, played)])
def test_ping_pong_goes_back_without_repeating_its_ends(write, read):
    out = read(write(film(), pingpong=True, size=64))
    assert len(out) == 16
    for i in range(1, 8):
        assert error(out[i], out[-i]) < 4


def test_a_gif_loops_or_not_at_its_rate():
    endless, once = (Image.open(io.BytesIO(export.gif(film(), fps=20, loop=loop))) for loop in (True, False))
    assert endless.info["loop"] == 0 and "loop" not in once.info
    assert endless.info["duration"] == 50


def test_an_mp4_is_what_phones_and_slide_programs_play():
    with av.open(io.BytesIO(export.mp4(film(), fps=12))) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 12 and float(container.duration / 1e6) == pytest.approx(9 / 12, abs=0.01)
        frame = next(container.decode(stream))
        assert (frame.colorspace, frame.color_range) == (1, 1)  # BT.709, and said so


def test_odd_sizes_are_made_even_for_mp4_alone():
    frames = film(3, 51, 33)
    assert played(export.mp4(frames, size=51))[0].shape == (52, 34, 3)
    assert opened(export.gif(frames, size=51))[0].shape == (51, 33, 3)


def test_enlarging_by_copies_keeps_every_pixel():
    frames = film(2)
    assert np.array_equal(export.enlarge(frames, 256, smooth=False)[:, ::4, ::4], frames)
    assert export.enlarge(frames, 128).shape == (2, 128, 128, 3)
    assert export.enlarge(film(2, 32, 64), 128).shape == (2, 64, 128, 3)
    assert export.enlarge(frames, 16) is frames  # never smaller


def test_a_strip_holds_every_frame_exactly():
    frames = film(33)
    strip = np.asarray(Image.open(io.BytesIO(export.png_strip(frames, size=64))))
    assert strip.shape == (3 * 64, 11 * 64, 3)
    assert np.array_equal(strip[64:128, 64:128], frames[12])
    assert np.array_equal(strip[-64:, -64:], frames[32])
    assert Image.open(io.BytesIO(export.png_strip(frames, columns=5))).size == (5 * 128, 7 * 128)


def test_one_picture():
    frame = film(1)[0]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(export.png(frame)))), frame)
    grey = frame[..., :1]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(export.png(grey)))), grey[..., 0])


def test_grey_films_and_still_ones():
    assert played(export.mp4(film()[..., :1], size=64))[0].shape == (64, 64, 3)
    still = np.repeat(film(1), 5, 0)
    data = Image.open(io.BytesIO(export.gif(still, fps=10)))
    assert data.n_frames == 1 or data.n_frames == 5  # a reader may join equal frames, and then shows them longer
    assert opened(export.gif(film(1)))[0].shape == (320, 320, 3)


@pytest.mark.parametrize("write", [export.gif, export.mp4])
@pytest.mark.parametrize(
    "frames, options, sentence",
    [
        (film().astype(float), {}, "8-bit pixels"),
        (film()[0], {}, "8-bit pixels"),
        (film()[:0], {}, "8-bit pixels"),
        (film(), {"fps": 0}, "1 to 50 frames"),
        (film(), {"fps": float("nan")}, "1 to 50 frames"),
        (film(), {"size": 5000}, "up to 768"),
        (np.zeros((300, 8, 8, 3), np.uint8), {}, "up to 256"),
    ],
)
def test_what_makes_no_film(write, frames, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        write(frames, **options)


def test_what_is_possible_here_is_said(monkeypatch):
    assert export.formats() == ["gif", "mp4", "strip"]
    assert export.kind("gif").suffix == ".gif"
    with pytest.raises(ValueError, match="gif, mp4, strip; not as 'webm'"):
        export.kind("webm")

    monkeypatch.setattr(export, "h264", lambda: False)
    export.kinds.cache_clear()
    try:
        assert export.formats() == ["gif", "strip"]
        with pytest.raises(ValueError, match="no H.264 encoder"):
            export.mp4(film())
    finally:
        export.kinds.cache_clear()
