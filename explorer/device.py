"""Which device computes, in which precision, and why: decided once, here."""

import os
from dataclasses import dataclass

import torch

NAMES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """A device, the floating type that suits it, and the reason for both in words for the page."""

    name: str
    dtype: str
    reason: str

    @property
    def torch(self) -> torch.device:
        return torch.device(self.name)


def choose(name: str | None = None) -> Device:
    """The device to use: the one that is named (or $EXPLORER_DEVICE), else the best that is there.

    Raises ValueError with one sentence where the named one does not exist.
    """
    name = (name or os.environ.get("EXPLORER_DEVICE") or "auto").lower()
    if name not in NAMES:
        raise ValueError(f"There is no device called {name!r}; choose one of {', '.join(NAMES)}.")

    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not here.get(name, True):
        raise ValueError(f"The device {name} was asked for, but this computer has none that torch can use.")
    if name == "auto":
        name = next(best for best in ("cuda", "mps", "cpu") if here[best])
        why = "the fastest device here" if name != "cpu" else "no GPU was found; these models are small enough for it"
    else:
        why = "chosen by the host"

    # The small models are measured in float32: bfloat16 halves their speed on a CPU and gains nothing on a GPU.
    if name == "cuda":
        return Device(name, "float32", f"{torch.cuda.get_device_name()}: {why}")
    if name == "mps":
        return Device(name, "float32", f"Apple GPU: {why}")
    threads = torch.get_num_threads()
    return Device(name, "float32", f"CPU, {threads} thread{'s' * (threads > 1)}: {why}")
