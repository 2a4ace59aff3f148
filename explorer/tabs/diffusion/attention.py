"""Where the picture reads the prompt: cross-attention per layer, step and word, without any state in the UNet.

Every call brings a dict of its own as `cross_attention_kwargs={"store": store}` and finds in it, per layer, the probabilities
(rows, positions, tokens), the mean over the heads. So runs of several visitors may share one UNet and even one call. A
`Store` can do more: keep the maps small, and let one row attend where another does (Hertz et al. 2022, "Prompt-to-Prompt").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import AttnProcessor2_0

SIDE = 32  # maps of more than 32x32 positions are not kept at full size in a Store: Stable Diffusion has 64x64 and 128x128


@dataclass(frozen=True)
class Borrow:
    """Row `row` attends where row `source` of the same call does: the swap of Prompt-to-Prompt.

    `tokens` (T, T) says which share of a source token's attention each of the row's own tokens gets; None means the same
    places. `selves`: whether the picture's attention to itself is taken over too.
    """

    row: int
    source: int
    tokens: torch.Tensor | None = None
    selves: bool = False


class Store(dict):
    """A dict for one call that can ask for more than maps. `latent` is the latent's (height, width), to pool maps in."""

    def __init__(self, latent: tuple[int, int] | None = None, side: int = SIDE, borrow: Sequence[Borrow] = ()):
        super().__init__()
        self.latent, self.side, self.borrow = latent, side, tuple(borrow)

    def put(self, name: str, maps: torch.Tensor) -> None:
        if self.latent:
            maps = pooled(maps, grid(maps.shape[1], self.latent), self.side)
        self[name] = maps


class SelfAttention(AttnProcessor2_0):
    """diffusers' own; it names `store` because diffusers warns of every argument that a processor does not name."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, store=None):
        borrow = [one for one in getattr(store, "borrow", ()) if one.selves]
        if borrow and hidden_states.ndim == 3 and encoder_hidden_states is None and attention_mask is None:
            return _attend(attn, hidden_states, hidden_states, None, borrow)[0]
        return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, temb)


class CrossAttention(AttnProcessor2_0):
    """diffusers' own, by a kernel that keeps no probabilities; with a store, the softmax written out."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, store=None):
        if store is None or encoder_hidden_states is None or hidden_states.ndim != 3:
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
        out, p = _attend(attn, hidden_states, encoder_hidden_states, attention_mask, getattr(store, "borrow", ()))
        getattr(store, "put", store.__setitem__)(self.name, p.detach().float().mean(1))
        return out


def _attend(attn, hidden, context, mask, borrow):
    """softmax(q kᵀ / √d) v with the probabilities (rows, heads, positions, tokens) at hand, as AttnProcessor2_0 does it."""
    rows, length, _ = context.shape
    residual = hidden
    if attn.group_norm is not None:
        hidden = attn.group_norm(hidden.transpose(1, 2)).transpose(1, 2)
        context = hidden if context is residual else context
    if context is not hidden and attn.norm_cross:
        context = attn.norm_encoder_hidden_states(context)
    q, k, v = (f(x).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
               for f, x in ((attn.to_q, hidden), (attn.to_k, context), (attn.to_v, context)))  # fmt: skip
    q = q if attn.norm_q is None else attn.norm_q(q)
    k = k if attn.norm_k is None else attn.norm_k(k)
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + attn.prepare_attention_mask(mask, length, rows).view(rows, attn.heads, -1, length)
    p = scores.float().softmax(-1).to(v.dtype)
    for one in borrow:
        taken = p[one.source]
        if one.tokens is not None and context is not hidden:
            taken = taken @ one.tokens.to(taken)
        p = torch.cat([p[: one.row], taken[None], p[one.row + 1 :]])
    out = (p @ v).transpose(1, 2).flatten(2)
    out = attn.to_out[1](attn.to_out[0](out))
    if attn.residual_connection:
        out = out + residual
    return out / attn.rescale_output_factor, p


def install(unet) -> None:
    """Gives `unet` these processors, once, before it is shared. Its numbers stay what they were."""
    if any(isinstance(one, CrossAttention) for one in unet.attn_processors.values()):
        return
    names = unet.attn_processors
    unet.set_attn_processor({n: CrossAttention(short(n)) if ".attn2." in n else SelfAttention() for n in names})


def layers(unet) -> list[str]:
    """The cross-attention layers in the order in which a call passes them: down, mid, up."""
    found = [one.name for one in unet.attn_processors.values() if isinstance(one, CrossAttention)]
    return sorted(found, key=lambda name: ("down", "mid", "up").index(name.split("_")[0]))  # stable: the rest is in order


def short(name: str) -> str:
    """down_blocks.0.attentions.1.transformer_blocks.0.attn2.processor -> down_blocks.0.attentions.1.0"""
    return name.replace(".transformer_blocks", "").split(".attn")[0]


def grid(positions: int, latent: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a layer's map: each level of the UNet halves the latent, rounding up."""
    h, w = latent
    while h * w > positions:
        h, w = -(-h // 2), -(-w // 2)
    if h * w != positions:
        raise ValueError(f"No level of a latent of {latent[0]}x{latent[1]} has {positions} positions.")
    return h, w


def pooled(maps: torch.Tensor, size: tuple[int, int], side: int) -> torch.Tensor:
    """Maps (rows, positions, tokens) of height and width `size`, halved until neither is above `side`."""
    h, w = size
    while max(h, w) > side and h % 2 == 0 and w % 2 == 0:
        maps = maps.unflatten(1, (h // 2, 2, w // 2, 2)).mean((2, 4)).flatten(1, 2)
        h, w = h // 2, w // 2
    return maps


def of_row(store: dict, row: int, latent: tuple[int, int]) -> dict[str, torch.Tensor]:
    """One row of a call: per layer (tokens, h, w) on the CPU, each position's shares summing to 1 over the tokens."""
    out = {}
    for name, maps in store.items():
        h, w = grid(maps.shape[1], latent)
        out[name] = maps[row].T.reshape(-1, h, w).cpu()
    return out


# --- From tokens to words ---


def mean(maps: dict[str, torch.Tensor], size: tuple[int, int] | None = None) -> torch.Tensor:
    """The mean over layers (tokens, h, w), each brought to the same size first: that of the largest."""
    size = size or max((tuple(one.shape[1:]) for one in maps.values()), key=lambda s: s[0] * s[1])
    return torch.stack([enlarged(one, size) for one in maps.values()]).mean(0)


def enlarged(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(tokens, h, w) -> (tokens, H, W), bilinear; shares that sum to 1 still do."""
    return maps if tuple(maps.shape[1:]) == tuple(size) else F.interpolate(maps[None], size=size, mode="bilinear")[0]


def word_maps(maps: torch.Tensor, words: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """(tokens, h, w) and the tokens of each word -> each word's share (words, h, w), and what all words get together (h, w).

    The start token and the padding take most of the attention, so as in DAAM (Tang et al. 2023) shares are of what the words
    get: at each place they sum to 1 over the words. The pieces of a word are summed (DAAM takes their mean).
    """
    parts = torch.stack([maps[list(tokens)].sum(0) for tokens in words]) if len(words) else maps[:0]
    total = parts.sum(0)
    return parts / total.clamp(min=1e-12), total


def swap_tokens(length: int, before: Sequence[int], after: Sequence[int]) -> torch.Tensor:
    """(T, T) for `Borrow`: a word at the places `before` becomes a word at the places `after`; what follows moves along.

    The attention of the old word is spread evenly over the pieces of the new; beyond the end the last place repeats.
    """
    out = torch.zeros(length, length)
    move = len(after) - len(before)
    for source in range(length):
        if source in before:
            for place in after:
                out[source, place] = 1 / len(after)
            continue
        place = source if source < before[0] else source + move
        out[source, min(place, length - 1)] = 1
    return out
