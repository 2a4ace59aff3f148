"""What a run's attention looked at: words, layers, and each word's share of every place, step by step. Numbers in, bytes out."""

import numpy as np
import torch

from explorer import corpus
from explorer.tabs.diffusion import attention, prompts

MEAN = "mean"  # of all layers
UNKEPT = "This run kept no attention; run it again to see what its words looked at."


def words(run) -> list[prompts.Word]:
    """What the run's conditional half read, word by word; in explicit conditioning its labels, which stand where words do."""
    settings, model = run.settings, run.model
    if settings.mode == "labels":
        chosen = dict(settings.labels)
        named = [(place, f"{factor}: {chosen[factor]}") for place, factor in enumerate(corpus.FACTORS) if factor in chosen]
        return [prompts.Word(text, (0, 0), (text,), (), (place,)) for place, text in named]
    if settings.mode != "text":
        return []
    found = prompts.words(model.tokenizer, settings.prompt[: prompts.CHARACTERS])
    return prompts.inside(found, prompts.room(model.tokenizer, model.context))


def told(run) -> dict:
    """{run, steps, first, words: [{text, pieces, tokens, spoken, swap}], layers: [{name, title, size}], mass: {layer: [share]}}.

    `mass` is the part of all attention that falls on the words, step by step; the rest falls on start, end and padding.
    `first` is the first step that read this prompt: a branch may have begun with another. Raises ValueError with one sentence.
    """
    found, steps = words(run), run.steps[:]
    kept = next((step.maps for step in steps if step.maps), None)
    if not kept:
        raise ValueError(UNKEPT)
    if not found:
        raise ValueError("This run read no words, so there is nothing to look at; give it a prompt.")
    first = len(steps) - len(own(run))
    swaps = prompts.swaps(found) if run.settings.mode == "text" else {}
    names = [MEAN, *kept]
    mass = {name: [] for name in names}
    for step in steps:
        for name in names:
            maps = _maps(step, name)
            mass[name].append(None if maps is None else float(attention.word_maps(maps, _tokens(found))[1].mean()))
    return {
        "run": run.id, "steps": len(steps), "first": first, "prompt": run.settings.prompt, "mode": run.settings.mode,
        "words": [
            {"text": word.text, "pieces": word.pieces, "tokens": word.tokens, "spoken": word.spoken, "swap": swaps.get(i)}
            for i, word in enumerate(found)
        ],
        "layers": [{"name": MEAN, "title": f"mean of {len(kept)} layers", "size": _size(_maps_of(kept, MEAN))}]
        + [{"name": name, "title": title, "size": _size(kept[name])} for name, title in titles(list(kept)).items()],
        "mass": mass,
        "timesteps": [step.timestep for step in steps],
    }  # fmt: skip


def shares(run, layer: str = MEAN) -> np.ndarray:
    """(steps + 1, words, h, w) uint8: 255 is all of what the words get at that place. The last frame is the mean over the steps.

    Steps that read another prompt are empty. Raises ValueError with one sentence.
    """
    found, steps = words(run), run.steps[:]
    if not found or not steps:
        raise ValueError(UNKEPT)
    tokens, first = _tokens(found), len(steps) - len(own(run))
    out, total = [], 0
    for i, step in enumerate(steps):
        maps = _maps(step, layer)
        if maps is None:
            raise ValueError(UNKEPT)
        if i < first:
            out.append(None)
            continue
        out.append(attention.word_maps(maps, tokens)[0])
        total = total + maps
    mean = attention.word_maps(total, tokens)[0]
    frames = torch.stack([torch.zeros_like(mean) if one is None else one for one in out] + [mean])
    return quantised(frames)


def quantised(shares: torch.Tensor) -> np.ndarray:
    """Shares in [0, 1] -> uint8."""
    return (shares * 255).round().clamp(0, 255).byte().numpy()


def titles(names: list[str]) -> dict[str, str]:
    """Names of layers -> how they are called on the page: "down 1", "mid", "up 2b", "down 3a, 4" for a deep one."""
    several = {}
    for name in names:
        block, number, *_ = _parts(name)
        several.setdefault((block, number), set()).add(_parts(name)[2:3])
    out = {}
    for name in names:
        block, number, which, depth = _parts(name)
        deep = sum(_parts(other)[:3] == (block, number, which) for other in names) > 1
        letter = chr(97 + which) if len(several[block, number]) > 1 else ""
        place = block if block == "mid" else f"{block} {number + 1}{letter}"
        out[name] = place + (f", {depth + 1}" if deep else "")
    return out


def _parts(name: str) -> tuple[str, int, int, int]:
    """down_blocks.0.attentions.1.3 -> ("down", 0, 1, 3)"""
    block, *rest = name.split("_")[0], *name.split(".")[1:]
    numbers = [int(part) for part in rest if part.isdigit()]
    return (block, 0, *numbers) if block == "mid" else (block, *numbers)


def own(run) -> list:
    """The last steps of a run that read one and the same prompt: all of them, but for a branch."""
    out = []
    for step in reversed(run.steps[:]):
        if out and _said(step.settings) != _said(out[0].settings):
            break
        out.append(step)
    return out[::-1]


def _said(settings) -> tuple:
    return settings.mode, settings.prompt, settings.labels


def _maps(step, layer: str) -> torch.Tensor | None:
    if not step.maps:
        return None
    if layer != MEAN and layer not in step.maps:
        raise ValueError("This model has no such attention layer.")
    return _maps_of(step.maps, layer)


def _maps_of(maps: dict, layer: str) -> torch.Tensor:
    return attention.mean({name: one.float() for name, one in maps.items()}) if layer == MEAN else maps[layer].float()


def _tokens(found) -> list[tuple[int, ...]]:
    return [word.tokens for word in found]


def _size(maps: torch.Tensor) -> list[int]:
    return list(maps.shape[-2:])
