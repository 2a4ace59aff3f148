"""A run as a file and back: a safetensors file with the settings in its header. Never a pickle.

A file comes from anywhere, so nothing in it is believed: settings are checked, vectors must fit them.
"""

import dataclasses
import json

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

from explorer import toy2d
from explorer.tabs.gan.config import Settings, changes, check
from explorer.tabs.gan.state import State, start

VECTORS = [field.name for field in dataclasses.fields(State) if field.type is np.ndarray]
COUNTERS = [field.name for field in dataclasses.fields(State) if field.type is int]
NOT_OURS = "This file is not a run saved by this lab; it ends in .safetensors."


def dump(settings: Settings, state: State) -> bytes:
    """The file's bytes: about a kilobyte per hundred weights."""
    counters = {name: getattr(state, name) for name in COUNTERS}
    about = {"run": json.dumps({"settings": changes(settings), "counters": counters})}
    return write_tensors({name: getattr(state, name) for name in VECTORS}, metadata=about)


def load(data: bytes) -> tuple[Settings, State]:
    """(settings, state) of such a file. Raises ValueError with one sentence for any other."""
    try:
        tensors = read_tensors(data)
        about = json.loads(_header(data)["__metadata__"]["run"])
        settings = check(about["settings"], data=toy2d.TOYS)
        counters = {name: int(about["counters"][name]) for name in COUNTERS}
    except (json.JSONDecodeError, UnicodeDecodeError, SafetensorError, LookupError, TypeError, AttributeError, ArithmeticError):
        raise ValueError(NOT_OURS) from None
    except RecursionError:
        raise ValueError(NOT_OURS) from None

    state = start(settings)
    for name in VECTORS:
        vector = tensors.get(name)
        if vector is None or vector.shape != getattr(state, name).shape or vector.dtype != np.float32:
            raise ValueError("The weights in this file do not fit its settings.")
        setattr(state, name, np.ascontiguousarray(vector))
    sound = all(np.isfinite(getattr(state, name)).all() for name in VECTORS) and state.finite()
    if not sound or not all(0 <= value < 2**40 for value in counters.values()):
        raise ValueError("The numbers in this file make no run that could go on.")
    return settings, dataclasses.replace(state, **counters)


def _header(data: bytes) -> dict:
    """The JSON in front of the tensors, whose length the first eight bytes give."""
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
