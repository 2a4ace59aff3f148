"""What each stage of the training left behind: its steps, minutes and figures, beside its weights."""

import json
from pathlib import Path

FILE = "stages.json"


def note(folder: Path, name: str, run, **figures) -> None:
    """Writes down that a stage is done, how long it took, with which settings, and its figures."""
    told = done(folder)
    told[name] = {"steps": run.step, "minutes": round(run.seconds / 60, 1), "settings": run.settings, **figures}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(told, indent=2, default=str) + "\n", encoding="utf-8")


def done(folder: Path) -> dict:
    """The stages that are done, by name."""
    file = folder / FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
