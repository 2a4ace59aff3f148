"""The layers against the rasteriser itself, where it is installed (requirements-dev.txt)."""

import json

import numpy as np
import pytest

from explorer import corpus
from explorer.assets import sha256
from explorer.corpus import canvas, layers
from explorer.corpus.factors import COLOURS


def test_the_card_belongs_to_the_layers():
    card = json.loads(canvas.LAYERS.with_name("card.json").read_text(encoding="utf-8"))
    assert card["sha256"] == sha256(canvas.LAYERS)
    assert card["factors"] == {name: list(values) for name, values in corpus.FACTORS.items()}
    assert "Pablo Stanley" in card["art"] and "personal and commercial use" in card["licence"]


def test_rebuilding_gives_the_layers_that_ship():
    pytest.importorskip("resvg_py")
    rebuilt = layers.build()
    with np.load(canvas.LAYERS, allow_pickle=False) as shipped:
        assert set(shipped) == set(rebuilt)
        for name in shipped:
            assert (shipped[name] == rebuilt[name]).all(), name


def test_layers_agree_with_drawing_in_one_piece():
    """Stacked and coloured here, or drawn as one SVG with these colours by resvg: the same picture within rounding."""
    pytest.importorskip("resvg_py")
    import python_avatars

    art = layers.Path(python_avatars.__file__).parent / "avatar_parts"
    names = {"skin": ("skin", "tan"), "hair": ("hair colour", "red"), "shirt": ("shirt", "green")}
    colours = {part: COLOURS[factor][name] for part, (factor, name) in names.items()}
    parts = [
        layers._body(art, colours["skin"]),
        layers._part(art, "clothes", "shirt_crew_neck", colours["shirt"]),
        layers._part(art, "eyes", "surprised", ""),
        layers._part(art, "top/hair", "dreads", colours["hair"]),
        layers._part(art, "mouth", "tongue", ""),
        layers._part(art, "accessories", "round", ""),
        layers._part(art, "eyebrows", "angry", ""),
    ]
    parts = [part.replace("path-", f"path{i}-").replace("mask-", f"mask{i}-") for i, part in enumerate(parts)]
    drawn = layers._rasterise("".join(parts))

    stacked = np.zeros((canvas.CANVAS, canvas.CANVAS), np.uint64)
    for key, colour in [
        (("skin", "body"), "skin"),
        (("shirt", "crew"), "shirt"),
        (("eyes", "wide"), None),
        (("hair", "dreadlocks"), "hair"),
        (("mouth", "tongue"), None),
        (("glasses", "round"), None),
        (("brows", "angry"), None),
    ]:
        r, g, b = (int(colours[colour][i : i + 2], 16) for i in (1, 3, 5)) if colour else (0, 0, 0)
        canvas._layers()[key].over(stacked, np.uint64(r | g << 16 | b << 32))
    pixels = np.stack([stacked >> np.uint64(16 * lane) & np.uint64(255) for lane in range(3)], -1).astype(float)

    difference = np.abs(pixels - drawn[..., :3] * 255)
    assert difference.mean() < 1.5 and np.quantile(difference, 0.99) < 12
