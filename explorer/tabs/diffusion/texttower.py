"""The text encoder opened: tokens in, a matrix of real numbers out, and whether it is the very tower of the CLIP tab."""

import base64
from functools import lru_cache

import torch

from explorer.tabs.diffusion import prompts

BYTES = 4_000_000  # of a matrix on the wire; SDXL's has 77 x 2048 numbers, 0.6 MB


@torch.no_grad()
def told(model, prompt: str, other: str = "") -> dict:
    """{tokens: [{text, kind}], width, states, parameters, layers, heads, same, other}: what the UNet reads for a prompt.

    `states` are tokens x width float32 in base64, little endian. `kind` is start, word, end or padding. With `other` its tokens
    and matrix come too, as `other: {tokens, states}`. Raises ValueError where the model's text is not a matrix of its own.
    """
    out = _matrix(model, prompt)
    encoders = model.text_encoders
    config = encoders[0].config
    return {
        **out, "prompt": prompt, "parameters": [sum(p.numel() for p in one.parameters()) for one in encoders],
        "layers": config.num_hidden_layers, "heads": config.num_attention_heads, "vocabulary": config.vocab_size,
        "same": same_as_clip(model), "other": _matrix(model, other) | {"prompt": other} if other else None,
    }  # fmt: skip


def _matrix(model, prompt: str) -> dict:
    states = model.encode_prompt(prompt[: prompts.CHARACTERS]).states[0].float().cpu().contiguous()
    return {"tokens": tokens(model, prompt, len(states)), "width": states.shape[1],
            "states": base64.b64encode(states.numpy().astype("<f4").tobytes()).decode()}  # fmt: skip


def tokens(model, prompt: str, length: int) -> list[dict]:
    """Each place of the context: {text, kind, word}. `word` numbers the words, so that a page can join their pieces."""
    found = prompts.inside(prompts.words(model.tokenizer, prompt[: prompts.CHARACTERS]), length - 2)
    out = [{"text": "start", "kind": "start", "word": None}]
    for number, word in enumerate(found):
        out += [{"text": piece, "kind": "word", "word": number} for piece in word.pieces]
    out.append({"text": "end", "kind": "end", "word": None})
    while len(out) < length:
        out.append({"text": "pad", "kind": "padding", "word": None})
    return out[:length]


def same_as_clip(model) -> float | None:
    """The largest difference between this text encoder's weights and those of the CLIP tab's text tower; None for other models.

    Weights that were rounded to float16 on the way differ by half a unit in the eleventh binary digit at most.
    """
    return _difference(model) if model.family == "mini" else None


@lru_cache(1)
def _difference(model) -> float | None:
    from explorer.assets import Missing
    from explorer.clip import folder, tower

    try:
        clip = tower.text_model(folder.load(folder.shipped()))
    except Missing:
        return None
    theirs, ours = clip.state_dict(), model.text_encoder.state_dict()
    if {n: t.shape for n, t in theirs.items()} != {n: t.shape for n, t in ours.items()}:
        return None
    return max(float((theirs[name].float() - ours[name].float().cpu()).abs().max()) for name in theirs)
