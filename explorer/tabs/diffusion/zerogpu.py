"""ZeroGPU Spaces, where a GPU is lent for one call of one function: here, a whole run. Elsewhere this file does nothing.

The function runs in a forked process: what goes in and comes out is pickled, so a model goes in by its name.
"""

import os
from collections.abc import Iterator
from functools import cache

SECONDS = 20, 0.2  # of a run: to begin with, and per step. What is declared counts against the visitor's quota


def here() -> bool:
    """Whether this is a ZeroGPU Space with its `spaces` package, which must be imported before torch touches CUDA."""
    if not os.environ.get("SPACES_ZERO_GPU"):
        return False
    try:
        import spaces
    except ImportError:
        return False
    return hasattr(spaces, "GPU")


def film(name: str, settings, image=None, start=None, keep: bool = True) -> Iterator:
    """The steps of a run of the model of that name, all in one turn of the GPU."""
    return _entry()(name, settings, image, start, keep)


def seconds(name: str, settings, *_rest) -> int:
    """How long a run is declared to take."""
    return int(SECONDS[0] + SECONDS[1] * settings.steps)


def _film(name: str, settings, image, start, keep) -> Iterator:
    from explorer.tabs.diffusion import models, sampler

    yield from sampler.film(models.load(name), settings, image, start, keep)


@cache
def _entry():
    import spaces

    return spaces.GPU(duration=seconds)(_film)
