"""A training taken home and brought back: its model as this repository ships models, and the Python that trains it again."""

import io
import json
import tempfile
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import safetensors.torch
import torch

from explorer.tabs.vae import training_zip
from explorer.tabs.vae.training_data import Pictures
from explorer.tabs.vae.training_run import network, title
from explorer.tabs.vae.training_settings import STEPS, Settings, checked
from explorer.training import card

LICENCES = {
    "digits": "UCI digits, CC BY 4.0",
    "avatars": "rendered by explorer/corpus; see assets/corpus",
    "fashion": "Fashion-MNIST, MIT",
    "upload": "the pictures of whoever brought them",
}
FILES = "model.safetensors", "card.json"
CARD_BYTES = 100_000
NOT_OURS = "This is no model that was saved here; choose the ZIP that “Save model” gave you."
OTHERS = "These are not the pictures that this model was trained on; bring the same ZIP, then open it."
DAMAGED = "This model is damaged, or its card was changed: they do not fit together. Save it again."


@dataclass(frozen=True, eq=False)
class Saved:
    """A model as it was saved: what it was asked for, its weights, and for how long it was trained."""

    settings: Settings
    weights: dict[str, torch.Tensor]
    steps: int
    seconds: float
    brought: list[float] | None = None  # the `print_of` a visitor's own pictures

    def check(self, data: Pictures) -> None:
        """Raises ValueError for other pictures than those of the training: what is said to be held out would not be."""
        if self.brought is not None and not all(abs(a - b) < 1 for a, b in zip(self.brought, print_of(data), strict=True)):
            raise ValueError(OTHERS)


def print_of(data: Pictures) -> list[float]:
    """How many pictures to train on and held out, and the mean red, green and blue of both: decoders differ by less."""
    return [len(data.train), len(data.held), *(round(float(v), 2) for x in (data.train, data.held) for v in x.mean((0, 1, 2)))]


def zipped(run) -> bytes:
    """model.safetensors and card.json. Raises ValueError before the first step."""
    training = run.training
    if training is None or not training.run.step:
        raise ValueError("This training has not begun yet.")
    s, last = run.settings, training.film.moments[-1]
    facts = {
        "title": title(s, training.run.step),
        "config": vars(training.run.ema.model.config),
        "settings": s.told,
        "data": {"name": s.data, "train": len(training.data.train), "val": len(training.data.held), "licence": LICENCES[s.data]}
        | ({"print": print_of(training.data)} if s.data == "upload" else {}),
        "steps": training.run.step,
        "minutes": round(training.run.seconds / 60, 2),
        "seed": s.seed,
        "metrics": {name: None if value is None else round(value, 3) for name, value in last.losses.items()},
        "axes": [{"kl": round(k, 3), "effect": "", "share": 0.0} for k in last.kl],
        "command": "trained on the page",
    }
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        card.publish(Path(folder), training.run.ema.model.state_dict(), facts)
        for name in FILES:
            archive.write(Path(folder) / name, name)
    return out.getvalue()


def opened(data: bytes) -> Saved:
    """What `zipped` wrote, or this repository's files of the same form. Nothing in it is believed: every number is checked
    against what a page may ask for, every tensor against the net of those numbers. Raises ValueError with one sentence."""
    try:
        found = {Path(one.filename).name: one for one in training_zip.opened(data)}
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            weights, told = (training_zip.bytes_of(archive, found[name]) for name in FILES)
    except (ValueError, KeyError):
        raise ValueError(NOT_OURS) from None
    if not weights or not 0 < len(told) <= CARD_BYTES:
        raise ValueError(NOT_OURS)
    try:
        said = json.loads(told)
        given, steps, minutes = said["settings"], said["steps"], said["minutes"]
        brought = said["data"]["print"] if given.get("data") == "upload" else None
        tensors = safetensors.torch.load(weights)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, safetensors.SafetensorError):
        raise ValueError(NOT_OURS) from None
    settings = checked(given)
    if type(steps) is not int or not 0 < steps <= 6 * STEPS[1]:
        raise ValueError(DAMAGED)
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 0 <= minutes <= 60 * 24:
        raise ValueError(DAMAGED)
    if brought is not None and not (
        isinstance(brought, list) and len(brought) == 8 and all(isinstance(v, (int, float)) and 0 <= v <= 1e6 for v in brought)
    ):
        raise ValueError(DAMAGED)
    wanted = network(settings).state_dict()
    if {name: one.shape for name, one in tensors.items()} != {name: one.shape for name, one in wanted.items()}:
        raise ValueError(DAMAGED)
    if not all(one.is_floating_point() and bool(one.isfinite().all()) for one in tensors.values()):
        raise ValueError(DAMAGED)
    return Saved(settings, {name: one.float() for name, one in tensors.items()}, steps, 60.0 * minutes, brought)


def script(run) -> str:
    """Runs from this repository's root; same settings, same pictures, same weights."""
    s, usual = run.settings.told, Settings().told
    changed = {f.name: s[f.name] for f in fields(Settings) if s[f.name] != usual[f.name]}
    if "size" in changed:
        changed["widths"] = s["widths"]
    goals = run.training.goals if run.training else [run.settings.steps]
    brought = run.settings.data == "upload"
    opener, data = "open_set", "open_set(settings.data, settings.size)"
    if brought:
        opener, data = "of_visitor", 'of_visitor(training_zip.read(Path("pictures.zip").read_bytes()).pixels)'
    if run.saved:
        begin = [
            f'saved = training_save.opened(Path("vae-{run.settings.data}.zip").read_bytes())', "settings = saved.settings",
            f"training = Training(settings, {data})", "training.take_up(saved.weights, saved.steps, saved.seconds)",
        ]  # fmt: skip
        goals = goals[1:]
    else:
        begin = [f"settings = checked({changed})", f"training = Training(settings, {data})"]
    needs = [name for name, wanted in (("training_save", run.saved), ("training_zip", brought)) if wanted]
    lines = [
        f"# {'Opens' if run.saved else 'Trains'} the model of this page again. Run it in the repository's folder.",
        *(["from pathlib import Path", ""] if needs else []),
        "from PIL import Image",
        "",
        "from explorer import export",
        *([f"from explorer.tabs.vae import {', '.join(needs)}"] if needs else []),
        f"from explorer.tabs.vae.training_data import {opener}",
        "from explorer.tabs.vae.training_run import Training",
        *([] if run.saved else ["from explorer.tabs.vae.training_settings import checked"]),
        "",
        *begin,
        f"for goal in {goals}:",
        "    training.goal = goal",
        "    for progress in training.steps():",
        "        if progress.step % 100 == 0:",
        "            print(progress)",
        "",
        "vae = training.finished()",
        "print(vae.facts)",
        'pictures = vae.decode(vae.sample(49, seed=0, source="prior"))',
        'Image.fromarray(export.grid(pictures, 7)).save("samples.png")',
    ]
    return "\n".join(lines) + "\n"
