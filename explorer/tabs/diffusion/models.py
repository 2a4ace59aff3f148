"""Diffusion models by name: ours, and one of the host's. A prompt in, the noise out; shared by all visitors and read-only.

The one place where a UNet is called. Knows nothing of steps, schedulers and pages.
"""

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from explorer import device
from explorer.assets import Missing
from explorer.tabs.diffusion import attention, decoders, families, folder, zerogpu
from explorer.tabs.diffusion.bus import Bus, Rows
from explorer.tabs.diffusion.families import BadModel, Parts, Prompt

__all__ = ["OURS", "OWN", "BadModel", "Model", "Prompt", "load", "offered"]

OURS, OWN = "", "own"  # what a page calls the model that ships, and the one that the host named
CHARACTERS = 20_000  # of a prompt that are read at all; no model reads more than some 77 pieces
PROMPTS = 64  # encoded prompts that are kept per model


@dataclass(frozen=True, eq=False)
class Model:
    """A Stable Diffusion, large or small, with everything that a run needs."""

    name: str
    label: str
    parts: Parts = field(repr=False)
    bus: Bus = field(repr=False)
    _prompts: OrderedDict = field(default_factory=OrderedDict, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    family = property(lambda self: self.parts.family.name)
    unet = property(lambda self: self.parts.unet)
    vae = property(lambda self: self.parts.vae)
    preview = property(lambda self: self.parts.preview)
    text_encoder = property(lambda self: self.parts.text_encoders[0])
    tokenizer = property(lambda self: self.parts.tokenizers[0])
    text_encoders = property(lambda self: self.parts.text_encoders)
    tokenizers = property(lambda self: self.parts.tokenizers)
    labels = property(lambda self: self.parts.labels)  # the table of explicit conditioning, or None
    scheduler_config = property(lambda self: self.parts.scheduler_config)
    device = property(lambda self: self.parts.place)
    dtype = property(lambda self: self.parts.dtype)
    folder = property(lambda self: self.parts.folder)
    context = property(lambda self: self.tokenizer.model_max_length)
    steps = property(lambda self: self.parts.family.steps)
    guidance_scale = property(lambda self: self.parts.family.guidance_scale)
    scheduler = property(lambda self: self.parts.family.scheduler)

    @property
    def ratio(self) -> int:
        """Pixels per latent position, along a side."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def latent(self) -> tuple[int, int, int]:
        """Channels, height and width of the latent that this model was made for."""
        side = self.unet.config.sample_size
        height, width = (side, side) if isinstance(side, int) else side
        return self.unet.config.in_channels, height, width

    @property
    def size(self) -> int:
        """The side of the picture that this model was made for, in pixels."""
        return self.latent[1] * self.ratio

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides that the UNet takes without rounding: half to one and a half times its own size, or twice where it is small."""
        unit = self.ratio * 2 ** (len(self.unet.config.block_out_channels) - 1)
        wanted = [self.size * share / 4 for share in (2, 3, 4, 5, 6, 8) if self.size < 512 or share < 8]
        return tuple(sorted({int(side) for side in wanted if side % unit == 0} | {self.size}))

    @property
    def prediction(self) -> str:
        return self.scheduler_config.get("prediction_type", "epsilon")

    def levels(self, t: Tensor) -> Tensor:
        """abar at time steps (n,), between two of them by their sigmas: (n,) float64."""
        low = t.long().clamp(0, len(self.parts.abar) - 1)
        high = (low + 1).clamp(max=len(self.parts.abar) - 1)
        sigmas = ((1 - self.parts.abar) / self.parts.abar).sqrt()
        share = (t.double() - low).clamp(0, 1)
        sigma = (1 - share) * sigmas[low] + share * sigmas[high]
        return torch.where(share == 0, self.parts.abar[low], 1 / (1 + sigma.square()))

    @torch.no_grad()
    def encode_prompt(self, text: str, empty: bool = False) -> Prompt:
        """What the UNet reads for a text. `empty`: as the unconditional half, where SDXL takes zeros for no text."""
        text = str(text)[:CHARACTERS]
        key = text, empty and not text
        with self._guard:
            if key in self._prompts:
                self._prompts.move_to_end(key)
                return self._prompts[key]
        prompt = families.encode(self.parts, text, empty)
        with self._guard:
            self._prompts[key] = prompt
            while len(self._prompts) > PROMPTS:
                self._prompts.popitem(last=False)
        return prompt

    def predict(self, x: Tensor, t, contexts, store: dict | None = None, added: dict | None = None) -> Tensor:
        """The noise in x: (n, 4, h, w) float32 on the CPU.

        x is as noisy as in training (variance preserving), `t` a number or one per row, `contexts` (n, T, d) or a list of
        (1, T, d). A `store` is filled with the attention of these rows; `added` is SDXL's, see Prompt.
        """
        t = torch.as_tensor(t, dtype=torch.float32).reshape(-1).expand(len(x)).contiguous()
        context = torch.cat(list(contexts)) if not isinstance(contexts, Tensor) else contexts
        out = self.bus(Rows(x, t, context, families.added(self, x, added), store))
        return self.to_eps(out, x, t)

    def to_eps(self, out: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """What the model said, as noise. v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho 2022)."""
        if self.prediction == "epsilon":
            return out
        abar = self.levels(t).view(-1, 1, 1, 1)
        signal, noise = abar.sqrt().to(out), (1 - abar).sqrt().to(out)
        if self.prediction == "sample":
            return (x - signal * out) / noise.clamp(min=1e-6)
        return signal * out + noise * x


def open_model(source: str | Path, name: str = OWN, label: str = "") -> Model:
    """A pipeline folder, or a name on the Hub, as a model of this tab. Raises BadModel with one sentence."""
    # On a ZeroGPU Space the GPU is there for a whole run only: small models do without it.
    place = torch.device("cpu") if name == OURS and zerogpu.here() else device.choose().torch
    parts = families.read(source, place, ours=name == OURS)
    attention.install(parts.unet)
    for decoder in (parts.vae, parts.preview):  # here, for later others are using them
        decoders.lay_out(decoder)
    return Model(name, label or Path(str(source)).name, parts, Bus(partial(_call, parts), parts.family.rows, attention.Store))


@torch.no_grad()
def _call(parts: Parts, x: Tensor, t: Tensor, context: Tensor, added: dict | None, store: dict | None) -> Tensor:
    where, dtype = parts.place, parts.dtype  # not the UNet's own `device`, which walks through all its modules
    added = added and {name: value.to(where, dtype) for name, value in added.items()}
    said = parts.unet(
        x.to(where, dtype), t.to(where), encoder_hidden_states=context.to(where, dtype), added_cond_kwargs=added,
        cross_attention_kwargs=None if store is None else {"store": store},
    ).sample  # fmt: skip
    return said.float().cpu()


_lock = threading.Lock()
_locks: dict[str, threading.Lock] = {}  # one per model, so that a download holds up nobody else
_loaded: dict[str, Model] = {}  # by OURS, or by what the host named


def load(source: str = OURS) -> Model:
    """The model of that name, loaded once and shared: ours, or the host's. Raises Missing, or BadModel with one sentence.

    The disk is read at the first call only: a folder that changes later takes no model away from those who use it.
    """
    name = _named(source)
    key = OURS if name == OURS else os.environ["EXPLORER_DIFFUSION"]
    if found := _loaded.get(key):
        return found
    with _lock:
        mine = _locks.setdefault(key, threading.Lock())
    with mine:
        if key not in _loaded:
            place = str(folder.shipped()) if name == OURS else key
            _loaded[key] = open_model(place, name, "Avatars" if name == OURS else "")
        return _loaded[key]


def offered() -> list[dict]:
    """What a page may choose: name, label, family, whether it is there, and if not, one sentence. Loads nothing."""
    out = [{"name": OURS, "label": "Avatars", "family": "mini", "available": True, "sentence": ""}]
    try:
        _whole()
    except Missing as problem:
        out[0].update(available=False, sentence=str(problem))
    source = os.environ.get("EXPLORER_DIFFUSION", "")
    if source:
        family, sentence = (_loaded[source].family, "") if source in _loaded else families.look(source)
        out.append({"name": OWN, "label": Path(source).name, "family": family, "available": not sentence, "sentence": sentence})
    return out


_checked = threading.Event()


def _whole() -> None:
    """Raises Missing where ours is not here. Its checksums are computed until they agree once."""
    if OURS not in _loaded and not _checked.is_set():
        folder.shipped()
        _checked.set()


def _named(source: str) -> str:
    if source in (OURS, None):
        return OURS
    if os.environ.get("EXPLORER_DIFFUSION") and source in (OWN, os.environ["EXPLORER_DIFFUSION"]):
        return OWN
    # No other: a visitor may not make the host download what he likes.
    raise BadModel("There is no diffusion model of that name here; choose one from the menu.")
