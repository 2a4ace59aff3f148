"""What belongs to one page: pictures it brought along, and what its lessons keep."""

import io

import numpy as np
import pytest
from PIL import Image

from explorer import uploads
from explorer.tabs.clip_search.visitors import PICTURES, SIDE, Visitor, Visitors


def file(width=40, height=30, seed=0, kind="PNG"):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind)
    return data.getvalue(), pixels


def test_a_picture_comes_back_as_it_was():
    visitor = Visitor()
    data, pixels = file()
    kept = visitor.keep(data)
    assert (kept["width"], kept["height"], kept["note"]) == (40, 30, "")
    assert np.array_equal(np.asarray(visitor.picture(kept["picture"])), pixels)


def test_a_large_picture_is_kept_small():
    visitor = Visitor()
    kept = visitor.keep(file(1600, 800)[0])
    assert visitor.picture(kept["picture"]).size == (SIDE, SIDE // 2)


def test_a_stream_of_pictures_keeps_its_newest_and_drives_out_no_other():
    visitor = Visitor()
    first = visitor.keep(file()[0])["picture"]
    names = [visitor.keep(file(seed=seed)[0], "live")["picture"] for seed in range(PICTURES + 2)]
    assert len(set(names)) == PICTURES + 2
    assert visitor.picture(first) and visitor.picture(names[-1])
    with pytest.raises(ValueError, match="no longer here"):
        visitor.picture(names[-2])


def test_old_pictures_go_and_names_are_never_given_twice():
    visitor = Visitor()
    names = [visitor.keep(file(seed=seed)[0])["picture"] for seed in range(PICTURES + 2)]
    assert len(set(names)) == PICTURES + 2
    for gone in names[:2]:
        with pytest.raises(ValueError, match="no longer here"):
            visitor.picture(gone)
    visitor.picture(names[2])


@pytest.mark.parametrize("data", [b"", b"no picture", file()[0][:60]])
def test_what_is_no_picture(data):
    with pytest.raises(uploads.BadImage):
        Visitor().keep(data)


def test_a_picture_of_one_colour():
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "PNG")
    with pytest.raises(uploads.BadImage, match="all of one colour"):
        Visitor().keep(data.getvalue())


class Part:
    closed = False

    def close(self):
        self.closed = True


def test_a_page_that_closes_frees_its_parts():
    visitors = Visitors()
    part = visitors.get("one-page").part("training", Part)
    assert visitors.get("one-page").part("training", Part) is part
    visitors.leave("one-page")
    visitors.leave("one-page")
    assert part.closed and visitors.get("one-page").part("training", Part) is not part


def test_the_longest_unseen_makes_room():
    visitors = Visitors(most=2)
    first, second = (visitors.get(name).part("training", Part) for name in ("page-1", "page-2"))
    visitors.get("page-1")
    visitors.get("page-3")
    assert second.closed and not first.closed


def test_two_streams_keep_the_newest_of_each():
    visitor = Visitor()
    for seed in range(0, 2 * PICTURES, 2):
        live, drawn = visitor.keep(file(seed=seed)[0], "live"), visitor.keep(file(seed=seed + 1)[0], "sketch")
        assert visitor.picture(live["picture"]) and visitor.picture(drawn["picture"])
    assert len(visitor._pictures) == 2
    for n in range(3 * PICTURES):  # names of streams do not gather
        visitor.keep(file(seed=n)[0], f"stream {n}")
    assert len(visitor._slots) <= PICTURES + 1
