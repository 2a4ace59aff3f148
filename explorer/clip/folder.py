"""A CLIP model as a folder in open_clip's `local-dir:` layout: ours, one of the host's, or one of the Hub's.

    open_clip_config.json         {"model_cfg": ..., "preprocess_cfg": ...}
    open_clip_model.safetensors   weights
    bpe.txt.gz                    merges, where the vocabulary is not the published one

Only such a folder brings its own mean and standard deviation: a model given by name and file would silently be fed with
OpenAI's. Weights are read from safetensors alone, never from a pickle.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from explorer import assets

CONFIG, WEIGHTS, MERGES = "open_clip_config.json", "open_clip_model.safetensors", "bpe.txt.gz"
SHIPPED = "clip/avatars"
MADE_BY = "python -m explorer.clip.train"


class BadModel(ValueError):
    """Not a CLIP model that can be loaded. Its text is one sentence."""


@dataclass(frozen=True)
class Clip:
    """A model with all that its numbers depend on. Frozen, so it can be shared.

    `preprocess` takes an RGB picture to (3, size, size), `tokenize` a list of texts to (N, context) ids: both are open_clip's.
    """

    model: nn.Module
    preprocess: Callable[[Image.Image], torch.Tensor]
    tokenize: Callable[[list[str]], torch.Tensor]
    config: dict
    fingerprint: str  # of config, preprocessing and weights: an index made with another one cannot be searched
    size: int  # of its pictures, in pixels
    context: int  # of its texts, in tokens, start and end included
    dim: int
    source: str


def shipped() -> Path:
    """The folder of the model that ships. Raises assets.Missing."""
    return assets.weights(SHIPPED, MADE_BY).parent


def load(source: str | Path, device: str | torch.device = "cpu", precision: str = "fp32") -> Clip:
    """The model in a folder, or of that name on the Hub ("org/name", as open_clip publishes them), ready to encode.

    `precision` is open_clip's: "bf16" halves memory and time on a GPU. Raises BadModel with one sentence.
    """
    import open_clip

    folder = Path(source).expanduser() if Path(source).expanduser().is_dir() else download(str(source))
    folder = folder.resolve()
    config = _config(folder)
    if not (folder / WEIGHTS).is_file():
        pickles = [*folder.glob("*.bin"), *folder.glob("*.pt")]
        why = "only as a pickle, which is never opened here" if pickles else "not at all"
        raise BadModel(f"The CLIP model {source} has its weights {why}; it needs {WEIGHTS}.")
    own = {"bpe_path": str(folder / MERGES)} if (folder / MERGES).is_file() else {}
    try:
        # strict: a missing key would otherwise leave random weights behind.
        model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}", precision=precision, device=device)
        tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}", **own)
    except Exception as problem:  # whatever open_clip, timm or transformers raise for a broken folder
        raise BadModel(f"The CLIP model {source} cannot be loaded: {_first_line(problem)}") from problem

    model.eval().requires_grad_(False)
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for path in (folder / WEIGHTS, folder / MERGES):
        digest.update(assets.sha256(path).encode() if path.is_file() else b"-")
    cfg = config["model_cfg"]
    context = int(getattr(tokenizer, "context_length", 0) or cfg["text_cfg"].get("context_length", 77))
    size, dim = _side(model, cfg), int(cfg["embed_dim"])
    return Clip(model, preprocess, tokenizer, config, digest.hexdigest()[:16], size, context, dim, str(source))


def download(name: str) -> Path:
    """A model of the Hub as a folder: from the cache where it is there, else over the network."""
    from huggingface_hub import snapshot_download

    name = name.removeprefix("hf-hub:")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise BadModel(f"There is no CLIP model called {name}.")
    wanted = ["*.json", WEIGHTS, "*.txt", "*.model", MERGES]
    for offline in (True, False):
        try:
            folder = Path(snapshot_download(name, allow_patterns=wanted, local_files_only=offline))
            if (folder / WEIGHTS).is_file():
                return folder
        except Exception as problem:  # no network, no such model, no permission: one sentence for all
            if not offline:
                why = "is not on this computer, and the Hub could not be asked for it"
                raise BadModel(f"The CLIP model {name} {why}.") from problem
    raise BadModel(f"The CLIP model {name} has no {WEIGHTS} on the Hub.")


def write(folder: Path, model_cfg: dict, pairs: list[tuple[str, str]]) -> None:
    """Everything of a folder but the weights, for pictures in [-1, 1] and a vocabulary of these merges."""
    from explorer.clip import vocabulary

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary.write(folder / MERGES, pairs)
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
    text = json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess}, indent=2)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def _config(folder: Path) -> dict:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        # open_clip passes over a configuration that lacks one of these without a word.
        missing = {"embed_dim", "vision_cfg", "text_cfg"} - config["model_cfg"].keys()
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise BadModel(f"The folder {folder.name} holds no CLIP model: its {CONFIG} is missing or cannot be read.") from None
    if missing:
        raise BadModel(f"The folder {folder.name} holds no CLIP model: its {CONFIG} lacks {', '.join(sorted(missing))}.")
    return config


def _side(model: nn.Module, cfg: dict) -> int:
    size = getattr(model.visual, "image_size", None) or cfg["vision_cfg"].get("image_size", 224)
    return int(size if isinstance(size, int) else size[0])


def _first_line(problem: Exception) -> str:
    text = (str(problem).strip() or type(problem).__name__).splitlines()[0]
    return text[:160].rstrip(".") + "."
