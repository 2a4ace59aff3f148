"""Which CLIP models can be chosen, what they cost, how good their makers found them, and whether they can be had here.

Nothing is loaded for it. Knows nothing of vectors.
"""

import json
import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from explorer.assets import Missing
from explorer.clip import folder

OURS, OWN = "avatars", "own"
ASK_AGAIN = 120  # seconds for which the answer to "can the Hub be reached?" is believed

_lock = threading.Lock()
_answered = threading.Event()
_hub = {"asked": -1e9, "there": False}


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
# Only models that are published with their weights as safetensors; nothing else is opened.
ENTRIES = (
    Entry(
        "timm/MobileCLIP2-S0-OpenCLIP", "MobileCLIP2 S0", 74.8, 10.8,
        "ImageNet 71.5 %, mean of 38 sets 59.7 % (model card)",
    ),
    Entry("timm/resnet50_clip.openai", "OpenAI ResNet-50", 102.0, 18.2, f"ImageNet 59.8 %, mean of 38 sets 48.1 % {_CSV}"),
    Entry(
        "timm/vit_base_patch32_clip_224.openai", "OpenAI ViT-B/32", 151.3, 14.8,
        f"ImageNet 63.3 %, mean of 38 sets 52.5 % {_CSV}",
    ),
    Entry(
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B/32 LAION-2B", 151.3, 14.8,
        f"ImageNet 66.6 %, mean of 38 sets 56.9 % {_CSV}",
    ),
    Entry(
        "timm/vit_base_patch16_clip_224.metaclip_2pt5b", "MetaCLIP ViT-B/16", 149.6, 41.1,
        f"ImageNet 72.1 %, mean of 38 sets 60.4 % {_CSV}",
    ),
    Entry(
        "timm/ViT-B-16-SigLIP2-256", "SigLIP 2 ViT-B/16", 375.2, 57.8,
        "ImageNet 79.1 %, COCO text to image recall@1 53.2 % (arXiv 2502.14786, table 1)", "about 100 languages",
    ),
    Entry(
        "timm/vit_large_patch14_clip_224.metaclip_2pt5b", "MetaCLIP ViT-L/14", 427.6, 175.3,
        f"ImageNet 79.2 %, mean of 38 sets 65.9 % {_CSV}",
    ),
)  # fmt: skip


def menu() -> list[dict]:
    """What can be chosen, ours first: name, label, params (millions), mb, gflops (a picture and a text), quality, languages,
    ready, and why not in one sentence."""
    out = [_ours()]
    own = os.environ.get("EXPLORER_CLIP")
    if own:
        facts = dict.fromkeys(("params", "mb", "gflops"))
        problem = "" if Path(own).expanduser().is_dir() or _cached(own) or _reachable() else _absent(Path(own).name)
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


def _ours() -> dict:
    facts = dict(name=OURS, label="Avatars", languages="English, the words of the captions", params=None, mb=None, gflops=None)
    try:
        path = folder.shipped()
        card = _card(path)
    except (Missing, OSError, ValueError, KeyError) as problem:
        return facts | dict(quality="", ready=False, why=f"{str(problem).rstrip('.')}.")
    facts["mb"] = round((path / folder.WEIGHTS).stat().st_size / 1e6, 1)
    return facts | card | dict(ready=True, why="")


def _card(path: Path) -> dict:
    """What the card of our model says of its size and quality."""
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


def _ask() -> None:
    """A name that cannot be resolved may take long to fail, so this has a thread of its own."""
    try:
        socket.create_connection(("huggingface.co", 443), timeout=2).close()
        _hub["there"] = True
    except OSError:
        _hub["there"] = False
    _answered.set()
