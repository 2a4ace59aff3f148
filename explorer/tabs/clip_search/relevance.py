"""Where in a picture a score comes from: four maps over the same grid of patches.

attention   gradient x attention through all layers: Chefer, Gur and Wolf 2021, "Generic Attention-model Explainability",
            section 3.1, equations 5 and 6. What this text finds here. The default.
occlusion   a window is covered and the score taken again (Zeiler and Fergus 2014, section 2.2). Exact, and for any tower.
rollout     attention alone, layer after layer (Abnar and Zuidema 2020, section 3): what the tower looks at, whatever the text.
last        the class token's attention in the last layer.

With our model, on held-out faces (share of maps that point right):
                                                        attention  occlusion  rollout  last    chance
  the highest patch lies on the named hair              1.00       1.00       .18      .80     .49
  ... the named shirt                                   1.00       1.00       .00      .00     .10
  ... on the hair or shirt of a face, not on the other  1.00       1.00       .22      .50     -
  halves of two faces, whichever hair or shirt is named 1.00       .98        .50      .50     .50
  two faces at half their size, hair / shirt            .79 / .51  1.00 / .60 .50      .50     .50
The last line is beyond the model, not the maps: it only saw faces that fill the frame, and knows a shirt by its place. Without
the mirror image (see `explain`) the halves were told apart in .82 of the maps.

The attention of open_clip's own forward pass is outside the autograd graph, and patching the shared blocks would let one
visitor's picture run through another's hooks. So the pass is written out here with the blocks' own weights; it changes nothing.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

METHODS = ("attention", "occlusion", "rollout", "last")
SIDE = 8  # of the grid for towers without patches, or with very many of them: 49 windows
WINDOW = 2  # patches across a covered window; 1 is too little to be missed
BATCH = 64
LARGE = 20_000_000  # weights of a tower


def readable(visual: nn.Module) -> bool:
    """Whether this tower is one whose attention can be written out below: open_clip's own, with plain blocks."""
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    return (
        isinstance(visual, VisionTransformer)
        and visual.attn_pool is None
        and visual.pool_type in ("tok", "avg")
        and all(type(block) is ResidualAttentionBlock for block in visual.transformer.resblocks)
    )


def forward(visual: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Pictures (B, 3, S, S), preprocessed -> their vectors (B, D), not normalised, and per layer the attention (B, heads, L, L).

    Equal to visual(x); token 0 is the class token. With grad enabled the attention is part of the graph.
    """
    x = visual._embeds(x)  # (B, L, C)
    if torch.is_grad_enabled():  # the weights are frozen: without this there would be no graph
        x = x.detach().requires_grad_()
    seen = []
    for block in visual.transformer.resblocks:
        attention = _attention(block.attn, block.ln_1(x), seen)
        x = x + block.ls_1(attention)
        x = x + block.ls_2(block.mlp(block.ln_2(x)))
    pooled, _ = visual._pool(x)
    return (pooled if visual.proj is None else pooled @ visual.proj), seen


def _attention(m: nn.MultiheadAttention, x: torch.Tensor, seen: list) -> torch.Tensor:
    batch, length, width = x.shape
    q, k, v = F.linear(x, m.in_proj_weight, m.in_proj_bias).view(batch, length, 3, m.num_heads, -1).permute(2, 0, 3, 1, 4)
    seen.append((q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1))
    return m.out_proj((seen[-1] @ v).transpose(1, 2).reshape(batch, length, width))


def explain(model, picture: Image.Image, query: np.ndarray, method: str = "attention") -> dict:
    """A map of one picture for one query vector (D,): {method, side, map, raw, score, took, note}.

    It is the mean of the picture's own map and of that of its mirror image, turned back.
    `map` holds side x side floats in 0..1, rows from the top; `raw` the lowest and the highest value before that scaling;
    `score` the cosine. Where a tower has no attention to read, occlusion is used and `note` says so.
    Raises ValueError for a method that does not exist.
    """
    if method not in METHODS:
        raise ValueError(f"There is no map called {str(method)[:40]}; choose one of {', '.join(METHODS)}.")
    note = ""
    if method != "occlusion" and not model.has_attention:
        method, note = "occlusion", "This model has no attention between patches to read, so parts of the picture were covered."
    start = time.perf_counter()
    x = model.pixels([picture])
    q = torch.from_numpy(np.asarray(query, np.float32)).to(x.device)
    q = q / q.norm().clamp(min=1e-12)
    # A small tower may read a thing in one place, though it is in two. Of the mirrored picture it reads the other.
    maps, scores = MAPS[method](model, torch.cat([x, x.flip(-1)]), q)
    grid = (maps[0] + maps[1].flip(-1)).float().cpu().numpy() / 2
    low, high = float(grid.min()), float(grid.max())
    if method in ("rollout", "last") and not note:
        note = "What the tower looks at; this map is the same for every text."
    return {
        "method": method, "side": grid.shape[0], "map": np.round((grid - low) / max(high - low, 1e-12), 4).ravel().tolist(),
        "raw": [low, high], "score": float(scores[0]), "took": 1000 * (time.perf_counter() - start), "note": note,
    }  # fmt: skip


def chefer(model, x: torch.Tensor, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (B, 3, S, S) and a unit vector (D,) or one each (B, D) -> maps (B, n, n), cosines (B,)."""
    visual = model.clip.model.visual
    with torch.enable_grad():
        vectors, seen = forward(visual, x)
        scores = (F.normalize(vectors.float(), dim=-1) * q).sum(-1)
        gradients = torch.autograd.grad(scores.sum(), seen)
    relevance = torch.eye(seen[0].shape[-1], device=x.device).expand(len(x), -1, -1)
    for attention, gradient in zip(seen, gradients):
        relevance = relevance + (gradient * attention).float().clamp(min=0).mean(1).detach() @ relevance
    return _of_patches(visual, relevance), scores.detach()


@torch.inference_mode()
def rollout(model, x: torch.Tensor, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """As `chefer`, from the attention alone: half of it is the residual's identity."""
    visual = model.clip.model.visual
    vectors, seen = forward(visual, x)
    one = torch.eye(seen[0].shape[-1], device=x.device)
    total = one.expand(len(x), -1, -1)
    for attention in seen:
        total = (attention.float().mean(1) + one) / 2 @ total
    return _of_patches(visual, total), F.normalize(vectors.float(), dim=-1) @ q


@torch.inference_mode()
def last(model, x: torch.Tensor, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """As `chefer`, from the last layer's attention alone."""
    visual = model.clip.model.visual
    vectors, seen = forward(visual, x)
    return _of_patches(visual, seen[-1].float().mean(1)), F.normalize(vectors.float(), dim=-1) @ q


@torch.inference_mode()
def occlusion(model, x: torch.Tensor, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """As `chefer`, for any tower: how far the cosine falls, on average, where a patch is under a window of 2 x 2.

    The window has the mean colour of the picture: a fixed grey is itself something to see, and points worse.
    """
    n = side(model)
    # A large tower takes a second per picture on a CPU: there the windows do not overlap.
    large = x.device.type == "cpu" and sum(p.numel() for p in model.clip.model.visual.parameters()) > LARGE
    windows = _windows(n, WINDOW if large else 1).to(x.device)  # (K, n, n) of 0 and 1
    cell = torch.div(torch.arange(x.shape[-1], device=x.device) * n, x.shape[-1], rounding_mode="floor")  # of each pixel
    encode = model.clip.model.encode_image
    full = (F.normalize(encode(x).float(), dim=-1) * q).sum(-1)  # (B,)

    maps = []
    for b, picture in enumerate(x):
        drops, colour = [], picture.mean((1, 2))[:, None, None]
        for some in windows.split(BATCH):
            under = some[:, cell][:, :, cell][:, None].to(x.dtype)  # (K, 1, S, S)
            covered = picture * (1 - under) + colour * under
            drops.append(full[b] - F.normalize(encode(covered).float(), dim=-1) @ (q if q.ndim == 1 else q[b]))
        maps.append(torch.tensordot(torch.cat(drops), windows, 1) / windows.sum(0))
    return torch.stack(maps), full


def _windows(n: int, step: int = 1) -> torch.Tensor:
    """Places of a window on an n x n grid, so far apart, all of it covered: (K, n, n), 1 where the window lies."""
    places = sorted({*range(0, n - WINDOW + 1, step), n - WINDOW})
    out = torch.zeros(len(places), len(places), n, n)
    for a, i in enumerate(places):
        for b, j in enumerate(places):
            out[a, b, i : i + WINDOW, j : j + WINDOW] = 1
    return out.flatten(0, 1)


MAPS = {"attention": chefer, "occlusion": occlusion, "rollout": rollout, "last": last}


def side(model) -> int:
    """Patches across the grid of `occlusion`: the tower's own where it has few, else 8."""
    grid = getattr(model.clip.model.visual, "grid_size", None)
    return int(grid[0]) if isinstance(grid, tuple) and WINDOW < grid[0] <= SIDE else SIDE


def _of_patches(visual: nn.Module, relevance: torch.Tensor) -> torch.Tensor:
    """(B, L, L) -> (B, n, n): the row of what the picture's vector is read from, without the class token's own column."""
    row = relevance[:, 0, 1:] if visual.pool_type == "tok" else relevance[:, 1:, 1:].mean(1)
    return row.reshape(len(row), *visual.grid_size)
