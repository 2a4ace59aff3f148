"""Attributes -> sentences: a small grammar of some seventy words, in four phrasings.

What a caption names is there, and at detail 1 it names all that is there. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from . import numbers
from .factors import FACTORS, column

_STREAM = 4  # of numbers.bits
_COUNTS = [len(names) for names in FACTORS.values()]

# Styles that are no adjective of "hair"; {} is the colour's place.
_HAIR = {
    "bun": "{} hair in a bun", "bob": "a {} bob", "afro": "a {} afro", "dreadlocks": "{} dreadlocks",
    "headband": "{} hair with a headband", "flowers": "{} hair with flowers",
}
_MOUTH = {"smile": "a smile", "tongue": "tongue out", "grimace": "a grimace"}
_GLASSES = {"none": "no glasses", "sunglasses": "sunglasses"}
_BEARD = {"none": "no beard", "moustache": "a moustache", "full": "a beard"}


def describe(attributes_row) -> dict[str, str]:
    """Factor -> the name of its value, e.g. {"hair": "short", "hair colour": "red", ...}."""
    return {factor: names[int(number)] for (factor, names), number in zip(FACTORS.items(), attributes_row, strict=True)}


def caption(attributes_row, seed: int = 0, detail: float = 1.0, naming: Iterable[str] = ()) -> str:
    """One sentence about a face, in lower case without a full stop; the same for the same arguments.

    `detail` is the share of the ten attributes that may be named, in 0..1; the seed chooses which, the phrasing and
    the order. What a face has not (glasses, a beard) is sometimes named too: "no glasses". The factors in `naming` are
    named in any case, before all others.
    Raises ValueError for a share outside 0..1 and for a factor that does not exist.
    """
    kept, dice = _stated(attributes_row, seed, detail, naming)
    traits, worn, behind = _traits(kept), _worn(kept), _behind(kept)
    phrasing = dice[12] % 4
    if phrasing:
        traits, worn = _shuffled(traits, dice[13:]), _shuffled(worn, dice[24:])

    if phrasing == 3:
        tags = [part.removeprefix("on ").removeprefix("a ").removeprefix("an ") for part in traits + worn + behind]
        return ", ".join(_shuffled(tags, dice[::-1])) or "a face"
    with_ = [f"with {_listed(traits)}"] if traits else []
    wearing = [f"wearing {_listed(worn)}"] if worn else []
    if phrasing == 0:
        return " ".join(["a face", ", ".join(with_ + wearing + behind)]).strip()
    if phrasing == 1:
        return " ".join(["a portrait", *behind, ", ".join(with_ + wearing)]).strip()
    return " ".join(["someone", ", ".join(wearing + with_ + behind)]).strip()


def stated(attributes_row, seed: int = 0, detail: float = 1.0, naming: Iterable[str] = ()) -> dict[str, str]:
    """What `caption` says with the same arguments: factor -> value. It fits every face that has these values."""
    return _stated(attributes_row, seed, detail, naming)[0]


def _stated(attributes_row, seed: int, detail: float, naming: Iterable[str]) -> tuple[dict[str, str], list[int]]:
    """What is said, and the dice that decide how."""
    if not 0 <= detail <= 1:
        raise ValueError(f"The detail of a caption is a share between 0 and 1, not {detail}.")
    wanted = {column(factor) for factor in naming}
    row = [int(number) for number in attributes_row]
    dice = numbers.bits(seed, [np.ravel_multi_index(row, _COUNTS)], _STREAM, 32)[0].tolist()

    # Keep some attributes; drop most of the absent ones.
    order = sorted(range(len(row)), key=lambda i: (i not in wanted, dice[i]))
    named = set(order[: max(round(detail * len(row)), len(wanted))])
    kept = {factor: name for i, (factor, name) in enumerate(describe(row).items()) if i in named}
    for factor, die in (("glasses", dice[10]), ("beard", dice[11])):
        if kept.get(factor) == "none" and die % 3 and column(factor) not in wanted:
            del kept[factor]
    return kept, dice


def _traits(kept: dict[str, str]) -> list[str]:
    style, colour = kept.get("hair", ""), kept.get("hair colour", "")
    parts = []
    if style or colour:
        phrase = _HAIR.get(style, f"{style} {{}} hair").format(colour)
        parts.append(" ".join(phrase.split()).replace("a afro", "an afro"))
    if "beard" in kept:
        parts.append(_BEARD[kept["beard"]])
    parts += [f"{kept[factor]} {factor}" for factor in ("skin", "eyes", "brows") if factor in kept]
    if "mouth" in kept:
        parts.append(_MOUTH.get(kept["mouth"], f"a {kept['mouth']} mouth"))
    if kept.get("glasses") == "none":
        parts.append(_GLASSES["none"])
    return parts


def _worn(kept: dict[str, str]) -> list[str]:
    parts = [f"a {kept['shirt']} shirt"] if "shirt" in kept else []
    if kept.get("glasses", "none") != "none":
        parts.append(_GLASSES.get(kept["glasses"], f"{kept['glasses']} glasses"))
    return parts


def _behind(kept: dict[str, str]) -> list[str]:
    return [f"on a {kept['background']} background"] if "background" in kept else []


def _shuffled(parts: list[str], dice: list[int]) -> list[str]:
    """In the order of their dice."""
    return [part for _, part in sorted(zip(dice, parts, strict=False))]


def _listed(parts: list[str]) -> str:
    """a; a and b; a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
