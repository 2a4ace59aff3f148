"""Where a model is: a folder of the host's, or the one this repository ships. Reads cards, never tensors."""

import hashlib
import json
import os
from pathlib import Path

SHIPPED = Path(__file__).parent.parent / "assets"
WEIGHTS = (  # what weights are called, ours and in the formats of the field
    "model.safetensors", "open_clip_model.safetensors", "unet/diffusion_pytorch_model.safetensors",
)  # fmt: skip


class Missing(Exception):
    """A model is not here, or not whole. Its text is one sentence for the page, with the command that makes it."""

    def __init__(self, model: str, made_by: str = "", problem: str = "is not here"):
        self.model, self.made_by = model, made_by
        remedy = f"; this makes it: {made_by}" if made_by else ""
        super().__init__(f"The model {model} {problem}{remedy}")


def roots() -> list[Path]:
    """Folders that are searched, the host's own ($EXPLORER_MODELS) before the shipped one."""
    own = os.environ.get("EXPLORER_MODELS")
    return [Path(own).expanduser(), SHIPPED] if own else [SHIPPED]


def folder(model: str, made_by: str = "") -> Path:
    """The folder of a model such as "vae/avatars": the first root that holds its card and its weights.

    Raises Missing where none does.
    """
    for root in roots():
        here = root / model
        if (here / "card.json").is_file() and any((here / name).is_file() for name in WEIGHTS):
            return here
    raise Missing(model, made_by)


def card(model: str, made_by: str = "") -> dict:
    """What is known of a model without loading it: config, data, licence, steps, metrics, sha256, command."""
    path = folder(model, made_by) / "card.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise Missing(model, made_by, "has a card.json that cannot be read") from None


def weights(model: str, made_by: str = "") -> Path:
    """The path of a model's weights, once their checksum agrees with the card's; and, where the card names `files`, theirs.

    A half-copied file or a pointer left by a version control system would otherwise fail far from its cause.
    """
    here = folder(model, made_by)
    path = next(here / name for name in WEIGHTS if (here / name).is_file())
    known = card(model, made_by)
    if sha256(path) != known.get("sha256"):
        raise Missing(model, made_by, "has weights that do not match its card")
    for name, checksum in known.get("files", {}).items():
        if not (here / name).is_file() or sha256(here / name) != checksum:
            raise Missing(model, made_by, f"has a file, {name}, that does not match its card")
    return path


def sha256(path: Path) -> str:
    """The hexadecimal checksum of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
