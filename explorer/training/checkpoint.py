"""A run on disk: weights, averaged weights, optimiser and random state in one safetensors file, replaced atomically.

No pickle: every tensor has a name, every number goes into the file's text header. A kill at any moment leaves the
file before or the file after, never half of one.
"""

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def save(path: Path, run) -> None:
    """Writes a `loop.Run` so that `load` continues as if nothing had happened."""
    tensors = {f"model.{k}": v for k, v in run.model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in run.ema.model.state_dict().items()}
    tensors |= {
        f"optimizer.{index}.{k}": v
        for index, state in run.optimizer.state_dict()["state"].items()
        for k, v in state.items()
    }
    tensors["generator"] = run.generator.get_state()
    header = {"step": run.step, "seconds": run.seconds, "settings": run.settings}
    write(path, {k: v.contiguous() for k, v in tensors.items()}, {"run": json.dumps(header)})


def load(path: Path, run) -> None:
    """Fills a fresh `loop.Run` of the same settings from a file that `save` wrote.

    Raises ValueError with one sentence where the settings differ: continuing would mix two experiments.
    """
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["run"])
        tensors = {k: file.get_tensor(k) for k in file.keys()}
    differing = [k for k in run.settings | header["settings"] if run.settings.get(k) != header["settings"].get(k)]
    if differing:
        raise ValueError(f"{path} was begun with another {', '.join(differing)}; start anew with --fresh.")

    run.model.load_state_dict(_under("model.", tensors))
    run.ema.model.load_state_dict(_under("ema.", tensors))
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _under("optimizer.", tensors).items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    run.optimizer.load_state_dict({**run.optimizer.state_dict(), "state": state})
    run.generator.set_state(tensors["generator"])
    run.step, run.seconds = header["step"], header["seconds"]


def write(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    """Writes a safetensors file beside its place, flushes it to the disk, and moves it there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({k: v.detach().cpu() for k, v in tensors.items()}, partial, metadata)
    with open(partial, "rb") as file:
        os.fsync(file.fileno())
    partial.chmod(0o644)  # save_file leaves 0600, which a container's other user cannot read
    partial.replace(path)


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
