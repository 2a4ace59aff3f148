"""What an avatar can look like: ten factors, the names of their values, and the colours.

Every option here was looked at in 64x64 pixels and kept only if it reads there. A value must be visible in every
combination, so nobody is bald (hair colour), no fringe covers the brows, and the sunglasses are see-through (eyes).
Knows nothing about drawing.
"""

from __future__ import annotations

FACTORS: dict[str, tuple[str, ...]] = {
    "hair": (
        "cropped", "short", "curly", "tufted", "frizzy", "bun", "bob",
        "long", "afro", "headband", "flowers", "dreadlocks", "wavy", "swept",
    ),
    "hair colour": ("black", "brown", "red", "blonde", "silver", "pink", "blue"),
    "skin": ("pale", "light", "tan", "brown", "dark"),
    "eyes": ("calm", "wide", "happy", "winking", "squinting"),
    "brows": ("level", "raised", "angry", "worried"),
    "mouth": ("smile", "sad", "serious", "tongue", "grimace", "shouting"),
    "glasses": ("none", "round", "square", "sunglasses"),
    "beard": ("none", "moustache", "full"),
    "shirt": ("red", "blue", "green", "yellow", "white", "black"),
    "background": ("blue", "green", "yellow", "pink", "purple", "grey", "white"),
}

# Fill colours of the four factors that are colours: hair stands out from every skin (a beard must show on each), and
# the pale backgrounds stand out from the saturated shirts.
COLOURS: dict[str, dict[str, str]] = {
    "hair colour": {
        "black": "#1d191c", "brown": "#4a2a1a", "red": "#d02818", "blonde": "#e8c15a",
        "silver": "#c9c9d2", "pink": "#f2619b", "blue": "#2f6fdb",
    },
    "skin": {"pale": "#ffdbb4", "light": "#edb98a", "tan": "#d08b5b", "brown": "#ae5d29", "dark": "#845744"},
    "shirt": {
        "red": "#e23b3b", "blue": "#2757c4", "green": "#2f9e4f",
        "yellow": "#f4c91f", "white": "#fafafa", "black": "#22262b",
    },
    "background": {
        "blue": "#8fd0ff", "green": "#a5e3b4", "yellow": "#ffe98a", "pink": "#ffc2d1",
        "purple": "#c6b3f5", "grey": "#8d95a1", "white": "#f3f1ec",
    },
}

# Pairs that no training, validation or test face shows; every face of the split "compose" shows at least one.
# Within a group all first values differ and all second values differ: `splits.py` needs that.
HELD_OUT: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("hair colour", "shirt"): (("pink", "green"), ("blue", "yellow")),
    ("hair", "background"): (("afro", "purple"), ("bob", "yellow")),
}

NAMES: tuple[str, ...] = tuple(FACTORS)


def column(factor: str) -> int:
    """The position of a factor in an attributes row."""
    return NAMES.index(factor)


def value(factor: str, name: str) -> int:
    """The number of a value, e.g. value("shirt", "red") == 0."""
    return FACTORS[factor].index(name)
