"""A picture is worth N tokens: its patches, where they say they are, and what the class token attends to.

Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", section 3.1 and figure 7. The pass is made with the tower's own modules,
asked for their weights; nothing shared is changed, so visitors do not meet in it. Its vector is open_clip's.
"""

import base64
import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from explorer.tabs.clip_search import faces, relevance

ORDERS = 16  # of the patches, seeds 0 to 15: one order alone may be a lucky one
OTHERS = 64  # captions among which the text's rank is taken
COMBINATIONS = ("plain", "shuffled", "zeroed", "both")
NOTE = "This tower does not cut a picture into patches that attend to each other, so there are no tokens to look at."


@torch.inference_mode()
def tokens(model, picture: Image.Image, given: dict) -> dict:
    """{text, shuffle: seed or none, zero_positions} -> what becomes of the picture's patches in the tower.

    {has, side, layers, heads, patch, size, cls, cls_max, cls_self, chance, positions, patches_norm, order, picture, score,
    score_plain, words, orders, of, note}. `cls` is the attention of the class token on the patches, layer after layer and head
    after head, as bytes in base64: 255 is `cls_max` of that map. `positions`: the cosine of every two position embeddings, as
    bytes: c = byte / 127.5 - 1. order[i] is the patch that stands at place i. `words`: the score in all four combinations of
    shuffling and zeroing, and its rank among the captions of 64 faces; where nothing is shuffled, "shuffled" is of seed 0.
    `orders`: {of, mean, sd, low, high} of the score over 16 orders, of seeds 0 to 15. A tower without patches gives {has: False,
    score_plain, note}. Raises ValueError for an empty text or another seed.
    """
    face = faces.number(given.get("ref"))
    text = faces.words(given, "text", faces.caption(face) if face is not None else "a face")
    shuffled, zeroed = given.get("shuffle") is not None, bool(given.get("zero_positions"))
    seed = faces.asked(given, "shuffle", 0, 0, 2**31) if shuffled else 0

    visual, query = model.clip.model.visual, model.texts([text])[0]
    x = model.pixels([picture])
    if not relevance.readable(visual):
        score = float(model.images([picture])[0] @ query)
        return {"has": False, "score": score, "score_plain": score, "note": NOTE}

    # All four combinations, two to a pass.
    side = visual.grid_size[0]
    order = _order(seed, side)
    both = torch.cat([x, rearranged(x, order, side)])
    passes = [forward(visual, embedded(visual, both, zero)) for zero in (False, True)]
    scores = [float(F.normalize(vectors[i].float(), dim=0).cpu().numpy() @ query) for vectors, _ in passes for i in (0, 1)]
    many = torch.cat([rearranged(x, _order(i, side), side) for i in range(ORDERS)])
    spread = F.normalize(model.clip.model.encode_image(many).float(), dim=-1).cpu().numpy() @ query
    others = model.texts([faces.caption(i) for i in range(OTHERS)])
    ranks = [_rank(vectors[i], others, score) for (vectors, _), i, score in zip(_twice(passes), (0, 1, 0, 1), scores)]

    place = int(shuffled)
    attention = torch.stack([layer[place] for layer in passes[zeroed][1]]).float().cpu().numpy()  # (layers, heads, L, L)
    row = attention[:, :, 0] if visual.pool_type == "tok" else attention[:, :, 1:].mean(2)
    most = row[..., 1:].max(-1)
    positions = F.normalize(visual.positional_embedding[1:].float(), dim=-1).cpu().numpy()
    norms = visual.conv1(both[place : place + 1]).flatten(2).float().norm(dim=1)[0]
    return {
        "has": True, "side": side, "layers": row.shape[0], "heads": row.shape[1], "patch": visual.patch_size[0],
        "size": x.shape[-1], "cls": _bytes(row[..., 1:] / np.maximum(most[..., None], 1e-12) * 255),
        "cls_max": np.round(most.astype(float), 6).tolist(), "cls_self": np.round(row[..., 0].astype(float), 6).tolist(),
        "chance": 1 / (side * side + 1), "positions": _bytes((positions @ positions.T + 1) * 127.5),
        "patches_norm": np.round(norms.cpu().numpy().astype(float), 4).tolist(),
        "order": (order if shuffled else np.arange(side * side)).tolist(), "picture": _png(visual, both[place]),
        "score": scores[2 * zeroed + place], "score_plain": scores[0], "text": text, "of": OTHERS + 1,
        "words": [dict(name=name, score=s, rank=r) for name, s, r in zip(COMBINATIONS, scores, ranks)],
        "orders": {"of": ORDERS, "mean": float(spread.mean()), "sd": float(spread.std(ddof=1)), "low": float(spread.min()),
                   "high": float(spread.max())},
        "note": "" if visual.pool_type == "tok" else "This tower has no class token; its patches' mean is shown instead.",
    }  # fmt: skip


def rearranged(x: torch.Tensor, order: np.ndarray, side: int) -> torch.Tensor:
    """Pictures (B, 3, S, S) cut into side x side patches, of which number order[i] comes to place i."""
    batch, channels, size, _ = x.shape
    p = size // side
    patches = x.view(batch, channels, side, p, side, p).permute(0, 2, 4, 1, 3, 5).reshape(batch, side * side, channels, p, p)
    patches = patches[:, torch.from_numpy(order).to(x.device)].view(batch, side, side, channels, p, p)
    return patches.permute(0, 3, 1, 4, 2, 5).reshape(x.shape)


def embedded(visual: nn.Module, x: torch.Tensor, zero_positions: bool = False) -> torch.Tensor:
    """Pictures (B, 3, S, S) -> tokens (B, 1 + side², C) as they enter the first layer, the class token first."""
    if not zero_positions:
        return visual._embeds(x)
    patches = visual.conv1(x).flatten(2).transpose(1, 2)
    first = visual.class_embedding.to(patches.dtype).expand(len(x), 1, -1)
    return visual.ln_pre(torch.cat([first, patches], 1))


def forward(visual: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Tokens (B, L, C) -> vectors (B, D), not normalised, and the attention of each layer (B, heads, L, L)."""
    seen = []
    for block in visual.transformer.resblocks:
        h = block.ln_1(x)
        attention, weights = block.attn(h, h, h, need_weights=True, average_attn_weights=False)
        seen.append(weights)
        x = x + block.ls_1(attention)
        x = x + block.ls_2(block.mlp(block.ln_2(x)))
    pooled, _ = visual._pool(x)
    return (pooled if visual.proj is None else pooled @ visual.proj), seen


def _order(seed: int, side: int) -> np.ndarray:
    """order[i] is the patch that comes to place i, always the same for a seed."""
    return np.random.default_rng(seed).permutation(side * side)


def _twice(passes):
    return [one for one in passes for _ in (0, 1)]


def _rank(vector: torch.Tensor, others: np.ndarray, score: float) -> int:
    """1 is best: captions of other faces that score higher than the text, and one."""
    return 1 + int((others @ F.normalize(vector.float(), dim=0).cpu().numpy() > score + 1e-6).sum())


def _bytes(values: np.ndarray) -> str:
    return base64.b64encode(np.rint(values).clip(0, 255).astype(np.uint8).tobytes()).decode()


def _png(visual: nn.Module, x: torch.Tensor) -> str:
    """What the tower sees, (3, S, S) normalised, as a PNG in base64."""
    cfg = getattr(visual, "preprocess_cfg", {})
    mean, std = (torch.tensor(cfg.get(key, (0.5,) * 3)).view(3, 1, 1) for key in ("mean", "std"))
    shown = (x.float().cpu() * std + mean).mul(255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(shown).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
