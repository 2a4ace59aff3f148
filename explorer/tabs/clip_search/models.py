"""CLIP models by name: pictures and texts in, unit vectors out. Ours, some of OpenCLIP's, and one of the host's.

Arrays only at this door. Knows nothing of collections, queries and pages.
"""

import os
import socket
import string
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from explorer import device
from explorer.assets import Missing
from explorer.clip import folder, pairs
from explorer.clip.folder import BadModel, Clip

OURS, OWN = "avatars", "own"
BATCH = 64  # pictures or texts per call; the work per picture no longer falls beyond it
TEXTS = 4096  # vectors of texts that are kept: 2 MB at 128 dimensions
CHARACTERS = 1000  # of a text that are read at all; no model reads more than some 77 pieces
LARGE = 2  # real models in memory at once; the one that was asked for least recently goes
ASPECT = 8  # sides of a picture beyond this are padded: "shortest side to 224" would make a strip of 9,000 pixels enormous
ASK_AGAIN = 120  # seconds for which the answer to "can the Hub be reached?" is believed


@dataclass(frozen=True)
class Entry:
    """A model of OpenCLIP that can be chosen. `params` in millions, `gflops` for one picture and one text."""

    hub: str
    label: str
    params: float
    gflops: float
    quality: str
    languages: str = "English"


_CSV = "(open_clip, docs/openclip_results.csv)"

# Parameters and GFLOPs: docs/model_profile.csv of open_clip; MobileCLIP2's counted with torch's flop counter, SigLIP 2's are
# those of SigLIP, whose architecture it shares, with the larger vocabulary's table added.
ENTRIES = (
    Entry(
        "timm/MobileCLIP2-S0-OpenCLIP", "MobileCLIP2 S0", 74.8, 10.8,
        "ImageNet 71.5 %, mean of 38 sets 59.7 % (model card)",
    ),
    Entry("timm/resnet50_clip.openai", "OpenAI ResNet-50", 102.0, 18.2, f"ImageNet 59.8 %, mean of 38 sets 48.1 % {_CSV}"),
    Entry(
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B/32 LAION-2B", 151.3, 14.8,
        f"ImageNet 66.6 %, mean of 38 sets 56.9 % {_CSV}",
    ),
    Entry(
        "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K", "ViT-B/16 DataComp", 149.6, 41.1,
        f"ImageNet 73.5 %, mean of 38 sets 61.5 % {_CSV}",
    ),
    Entry(
        "timm/ViT-B-16-SigLIP2-256", "SigLIP 2 ViT-B/16", 375.2, 57.8,
        "ImageNet 79.1 %, COCO text to image recall@1 53.2 % (arXiv 2502.14786, table 1)", "about 100 languages",
    ),
    Entry(
        "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k", "ViT-B/32 XLM-RoBERTa", 366.1, 105.9,
        f"ImageNet 62.4 %, mean of 38 sets 56.4 % {_CSV}", "about 100 languages",
    ),
    Entry(
        "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K", "ViT-L/14 DataComp", 427.6, 175.3,
        f"ImageNet 79.2 %, mean of 38 sets 66.3 % {_CSV}",
    ),
)  # fmt: skip

_lock = threading.Lock()
_locks: dict[str, threading.Lock] = {}  # one per name, so that a download holds up nobody else
_loaded: "OrderedDict[str, Model]" = OrderedDict()
_hub = {"asked": -1e9, "there": False}


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

    def _normalised(self, images: np.ndarray) -> torch.Tensor:
        cfg = self.clip.model.visual.preprocess_cfg
        mean, std = (torch.tensor(cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
        x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div(255)
        return x.sub(mean).div(std).to(self.device, self.dtype)

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
            return [word for word in words if word and word not in self.words and not word.isdecimal()]
        return [word for word in words if len(word) > 2 and len(tokenizer.encode(word)) >= len(word)]


def menu() -> list[dict]:
    """What can be chosen, ours first: name, label, params (millions), mb, gflops (a picture and a text), quality, languages,
    ready, and why not in one sentence."""
    out = [_ours()]
    own = os.environ.get("EXPLORER_CLIP")
    if own:
        facts = dict.fromkeys(("params", "mb", "gflops"))
        problem = "" if Path(own).expanduser().is_dir() or _cached(own) or _reachable() else _absent(own)
        out.append(dict(
            name=OWN, label=Path(own).name, **facts, quality="chosen by the host", languages="", ready=not problem, why=problem,
        ))  # fmt: skip
    for entry in ENTRIES:
        ready = _cached(entry.hub) or _reachable()
        out.append(dict(
            name=entry.hub, label=entry.label, params=entry.params, mb=round(entry.params * 4), gflops=entry.gflops,
            quality=entry.quality, languages=entry.languages, ready=ready, why="" if ready else _absent(entry.label),
        ))  # fmt: skip
    return out


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
        model = Model(folder.load(source, place, precision), name, label)
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


def _ours() -> dict:
    facts = dict(name=OURS, label="Avatars", languages="English, the words of the captions", params=None, mb=None, gflops=None)
    try:
        path = folder.shipped()
        card = _card(path)
    except (Missing, BadModel, OSError) as problem:
        return facts | dict(quality="", ready=False, why=f"{str(problem).rstrip('.')}.")
    facts["mb"] = round((path / folder.WEIGHTS).stat().st_size / 1e6, 1)
    return facts | card | dict(ready=True, why="")


def _card(path: Path) -> dict:
    """What the card of our model says of its size and quality."""
    import json

    card = json.loads((path / "card.json").read_text(encoding="utf-8"))
    out = {"quality": "the corpus's own faces"}
    recall = card.get("metrics", {}).get("recall at 1, full captions, val", {})
    if recall:
        lowest = 100 * min(recall.values())
        out["quality"] = f"recall@1 of {card.get('data', {}).get('judged on', 'the')} held-out faces {lowest:.1f} % (its card)"
    if card.get("parameters"):
        out["params"] = round(card["parameters"] / 1e6, 2)
        out["gflops"] = _gflops(card["config"])
    return out


def _gflops(cfg: dict) -> float:
    """Of one picture and one text: two per weight and token, and the products of attention."""
    vision, text = cfg["vision_cfg"], cfg["text_cfg"]
    tokens = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    total = 2 * 3 * vision["patch_size"] ** 2 * vision["width"] * (tokens - 1)
    for width, layers, length in (
        (vision["width"], vision["layers"], tokens),
        (text["width"], text["layers"], text["context_length"]),
    ):
        total += layers * (24 * width**2 * length + 4 * width * length**2)
    return round(total / 1e9, 2)


def _absent(label: str) -> str:
    return f"{label} is not on this computer and the Hub cannot be reached; our small model stays."


def _cached(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    try:
        return isinstance(try_to_load_from_cache(name.removeprefix("hf-hub:"), folder.WEIGHTS), str)
    except ValueError:  # not a name that the Hub could have
        return False


def _reachable() -> bool:
    """Whether the Hub answers at all. Asked once in a while and for half a second at most: a page waits for this."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        return False
    with _lock:
        if time.monotonic() - _hub["asked"] > ASK_AGAIN:
            _hub["asked"] = time.monotonic()
            threading.Thread(target=_ask, daemon=True).start()
    _answered.wait(0.5)  # later questions have their answer: the last one, until a newer one comes
    return _hub["there"]


_answered = threading.Event()


def _ask() -> None:
    """A name that cannot be resolved may take long to fail, so this has a thread of its own."""
    try:
        socket.create_connection(("huggingface.co", 443), timeout=2).close()
        _hub["there"] = True
    except OSError:
        _hub["there"] = False
    _answered.set()


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
