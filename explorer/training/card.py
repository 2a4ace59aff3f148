"""A finished model on disk: weights, and beside them a card that says all that is needed to rebuild and to trust it."""

import json
import platform
from pathlib import Path

import torch

from explorer.assets import sha256
from explorer.training import checkpoint


def publish(folder: Path, tensors: dict[str, torch.Tensor], card: dict, file: str = "model.safetensors") -> None:
    """Writes the weights and card.json into `folder`, each atomically, weights first.

    `file` is what the weights are called in a format of the field. The card gains their checksum and size, and the
    versions that made them. A kill between the two leaves weights that disagree with the old card, which
    `assets.weights` refuses by name.
    """
    path = folder / file
    checkpoint.write(path, {k: v.contiguous() for k, v in tensors.items()})
    made = {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]}
    card = card | {"made_with": made, "weights": file, "bytes": path.stat().st_size, "sha256": sha256(path)}

    partial = folder / "card.partial"
    partial.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(folder / "card.json")


def half(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors with float32 rounded to float16: half the size, and what the metrics must be measured with."""
    return {k: v.half() if v.dtype == torch.float32 else v for k, v in tensors.items()}
