"""A training taken home: its model as this repository ships models, and the Python that trains it again."""

import io
import tempfile
import zipfile
from dataclasses import fields
from pathlib import Path

from explorer.tabs.vae.training_run import title
from explorer.tabs.vae.training_settings import Settings
from explorer.training import card

LICENCES = {
    "digits": "UCI digits, CC BY 4.0",
    "avatars": "rendered by explorer/corpus; see assets/corpus",
    "fashion": "Fashion-MNIST, MIT",
    "upload": "the pictures of whoever brought them",
}


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
        "data": {"name": s.data, "train": len(training.data.train), "val": len(training.data.held), "licence": LICENCES[s.data]},
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
        for name in ("model.safetensors", "card.json"):
            archive.write(Path(folder) / name, name)
    return out.getvalue()


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
    lines = [
        "# Trains the model of this page again. Run it in the repository's folder.",
        *(["from pathlib import Path", ""] if brought else []),
        "from PIL import Image",
        "",
        "from explorer import export",
        *(["from explorer.tabs.vae import training_zip"] if brought else []),
        f"from explorer.tabs.vae.training_data import {opener}",
        "from explorer.tabs.vae.training_run import Training",
        "from explorer.tabs.vae.training_settings import checked",
        "",
        f"settings = checked({changed})",
        f"training = Training(settings, {data})",
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
