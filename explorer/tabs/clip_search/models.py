"""CLIP models by name: pictures and texts in, unit vectors out. Ours, some of OpenCLIP's, and one of the host's.

Arrays only at this door. Knows nothing of collections, queries and pages.
"""

import os
import string
import threading
from collections import OrderedDict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from explorer import device
from explorer.clip import folder, pairs
from explorer.clip.folder import BadModel, Clip
from explorer.tabs.clip_search.catalogue import ENTRIES, OURS, OWN, menu

__all__ = ["Model", "load", "menu"]

BATCH = 64  # pictures or texts per call; the work per picture no longer falls beyond it
TEXTS = 4096  # vectors of texts that are kept: 2 MB at 128 dimensions
CHARACTERS = 1000  # of a text that are read at all; no model reads more than some 77 pieces
LARGE = 2  # real models in memory at once; the one that was asked for least recently goes
ASPECT = 8  # sides of a picture beyond this are padded: "shortest side to 224" would make a strip of 9,000 pixels enormous

_lock = threading.Lock()
_locks: dict[str, threading.Lock] = {}  # one per name, so that a download holds up nobody else
_loaded: "OrderedDict[str, Model]" = OrderedDict()


class Model:
    """A CLIP model behind arrays. Frozen weights and a cache behind a lock, so visitors can share it."""

    def __init__(self, clip: Clip, name: str = OURS, label: str = ""):
        self.clip, self.name, self.label = clip, name, label or name
        self.dim, self.size, self.context, self.fingerprint = clip.dim, clip.size, clip.context, clip.fingerprint
        net = clip.model
        self.scale = float(net.logit_scale.detach().exp().float().reshape(-1)[0])
        self.bias = float(net.logit_bias.detach().float().reshape(-1)[0]) if net.logit_bias is not None else None
        self.device = net.logit_scale.device
        # Some parts of a model in half precision stay in float32; pictures have the type of the first convolution.
        self.dtype = next((p.dtype for p in net.visual.parameters() if p.ndim == 4), torch.float32)
        self._texts: OrderedDict[str, np.ndarray] = OrderedDict()
        self._guard = threading.Lock()

    @cached_property
    def has_attention(self) -> bool:
        """Whether the picture's way to its vector is attention between patches that can be read and differentiated."""
        from explorer.tabs.clip_search import relevance

        return relevance.readable(self.clip.model.visual)

    @cached_property
    def words(self) -> set[str] | None:
        """The words this model was taught, where its vocabulary is small enough to say so; else None."""
        encoder = getattr(self.clip.tokenize, "encoder", None)
        if encoder is None or len(encoder) > 5000:
            return None
        whole = {piece[:-4] for piece in encoder if piece.endswith("</w>") and piece[:-4].isascii() and piece[:-4].isalpha()}
        # Every single letter is a piece; of these only "a" is a word. And some words were strewn in to be passed over.
        return {word for word in whole if len(word) > 1 or word == "a"} - (set(pairs.NOISE) if self.name == OURS else set())

    # --- pictures ---

    def images(self, images, raw: bool = False) -> np.ndarray:
        """Pictures (a list of PIL images, or (N, H, W, 3) uint8) -> (N, D) float32 of length 1; `raw`: as the tower gives them.

        What open_clip's encode_image(preprocess(picture)) gives.
        """
        parts = [self._encode(self.pixels(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
        vectors = np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)
        return vectors if raw else _unit(vectors)

    def pixels(self, images) -> torch.Tensor:
        """The same pictures as the tower wants them: (N, 3, size, size), resized, cropped and normalised by open_clip."""
        if isinstance(images, np.ndarray):
            if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
                raise ValueError("Pictures must be N x height x width x 3 numbers of 8 bits.")
            if images.shape[1:3] == (self.size, self.size):  # nothing to resize: all at once
                return self._normalised(images)
            images = [Image.fromarray(image) for image in images]
        return torch.stack([self.clip.preprocess(_shown(image, self.size)) for image in images]).to(self.device, self.dtype)

    def sees(self, size: tuple[int, int]) -> str:
        """What it takes of a picture of this (width, height): "all" of it, squashed, its "middle" square, or it "padded"."""
        mode = self.clip.model.visual.preprocess_cfg.get("resize_mode")
        if max(size) > ASPECT * min(size) or mode == "longest":
            return "padded"
        return "all" if mode == "squash" else "middle"

    def _normalised(self, images: np.ndarray) -> torch.Tensor:
        cfg = self.clip.model.visual.preprocess_cfg
        mean, std = (torch.tensor(cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
        x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div(255)
        return x.sub(mean).div(std).to(self.device, self.dtype)

    def encode(self, pixels: torch.Tensor) -> np.ndarray:
        """What `pixels` gave, of one call or several -> (N, D) float32 of length 1."""
        return _unit(self._encode(pixels))

    @torch.inference_mode()
    def _encode(self, x: torch.Tensor) -> np.ndarray:
        return self.clip.model.encode_image(x).float().cpu().numpy()

    # --- texts ---

    def texts(self, texts: list[str], raw: bool = False) -> np.ndarray:
        """Texts -> (N, D) float32 of length 1; `raw`: as the tower gives them. What open_clip's encode_text(tokenize(...)) gives.

        What does not fit into the context is cut off; `truncated` says so.
        """
        texts = [str(text)[:CHARACTERS] for text in texts]
        with self._guard:
            known = {text: self._texts[text] for text in texts if text in self._texts}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            known.update(zip(batch, self._read(batch)))
        with self._guard:
            for text in dict.fromkeys(texts):
                self._texts[text] = known[text]
                self._texts.move_to_end(text)
            while len(self._texts) > TEXTS:
                self._texts.popitem(last=False)
        vectors = np.stack([known[text] for text in texts]) if texts else np.empty((0, self.dim), np.float32)
        return vectors if raw else _unit(vectors)

    @torch.inference_mode()
    def _read(self, texts: list[str]) -> np.ndarray:
        return self.clip.model.encode_text(self.clip.tokenize(texts).to(self.device)).float().cpu().numpy()

    def pieces(self, text: str) -> list[str]:
        """What the tokenizer cuts a text into, without the marks of start and end, whether or not all of it fits."""
        tokenizer, text = self.clip.tokenize, str(text)[:CHARACTERS]
        if hasattr(tokenizer, "encode"):
            return [tokenizer.decode([number]).strip() for number in tokenizer.encode(text)]
        cleaned = tokenizer.clean_fn(text)
        return [piece.replace("▁", "") for piece in tokenizer.tokenizer.tokenize(cleaned)]

    def truncated(self, text: str) -> bool:
        """Whether the end of a text is not read."""
        marks = 2 if hasattr(self.clip.tokenize, "encode") else 1
        return len(str(text)) > CHARACTERS or len(self.pieces(text)) > self.context - marks

    def unknown(self, text: str) -> list[str]:
        """The words of a text that this model never saw and must spell, each once, in their order."""
        tokenizer = self.clip.tokenize
        if not hasattr(tokenizer, "pat"):  # other tokenizers know some piece of every word
            return []
        found = tokenizer.pat.findall(tokenizer.clean_fn(str(text)[:CHARACTERS]))
        words = dict.fromkeys(word.strip(string.punctuation) for word in found)
        if self.words is not None:
            return [word for word in words if word and word not in self.words]
        return [word for word in words if len(word) > 2 and len(tokenizer.encode(word)) >= len(word)]


def load(name: str = OURS) -> Model:
    """The model of that name, loaded once and shared. Raises Missing or ValueError with one sentence."""
    name = name or OURS
    source = _source(name)
    with _lock:
        if name in _loaded:
            _loaded.move_to_end(name)
            return _loaded[name]
        mine = _locks.setdefault(name, threading.Lock())
    with mine:
        with _lock:
            if name in _loaded:
                return _loaded[name]
        place = device.choose().torch
        # bfloat16 halves memory and time on a GPU; on a CPU it doubles the time. Ours is measured in float32.
        precision = "bf16" if place.type == "cuda" and name != OURS else "fp32"
        label = next((entry.label for entry in ENTRIES if entry.hub == name), "Avatars" if name == OURS else Path(source).name)
        try:
            model = Model(folder.load(source, place, precision), name, label)
        except BadModel as problem:
            raise BadModel(str(problem).replace(source, label)) from problem  # a path of the host's is nobody's business
        with _lock:
            _loaded[name] = model
            large = [key for key in _loaded if key != OURS]
            for key in large[:-LARGE]:
                del _loaded[key]
        return model


def _source(name: str) -> str:
    if name == OURS:
        return str(folder.shipped())
    if name == OWN and os.environ.get("EXPLORER_CLIP"):
        return os.environ["EXPLORER_CLIP"]
    if any(entry.hub == name for entry in ENTRIES):  # no other: a visitor may not make the host download what he likes
        return name
    raise ValueError("There is no CLIP model of that name here; choose one from the menu.")


def _shown(image: Image.Image, size: int) -> Image.Image:
    """As it is seen: RGB, on white where it is transparent; a long strip is padded to a square."""
    if image.mode != "RGB":
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    if max(image.size) > ASPECT * min(image.size):
        scale = 2 * size / max(image.size)
        small = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BICUBIC, reducing_gap=2)
        image = Image.new("RGB", (2 * size, 2 * size), "white")
        image.paste(small, ((2 * size - small.width) // 2, (2 * size - small.height) // 2))
    return image


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
