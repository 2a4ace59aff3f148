"""Trains a run, by whichever engine serves it best. All that the rest of the lab needs to know of training."""

from explorer.tabs.gan import fast, reference
from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import State, Trace


def advance(settings: Settings, state: State, rounds: int, what: str = "both", by: str = "") -> Trace:
    """Trains for so many rounds, in the state given, and says what each round was like.

    what: "both" for whole rounds; "d" or "g" for one update of that player each. No setting makes it raise: a run that
    diverges has weights that are no numbers, and goes on. `by` keeps to one engine, for as long as it is there.
    """
    if (by or name(settings)) == "numba":
        return fast.advance(settings, state, rounds, what)
    return reference.advance([(settings, state)], rounds, what)[0]


def name(settings: Settings) -> str:
    """The engine that such a run would use now: "numba" or "torch"."""
    return "numba" if fast.ready() and fast.covers(settings) else "torch"


def state(settings: Settings) -> str:
    """For the page: the name, or "starting" while the fast engine is on its way."""
    return "starting" if fast.coming() and fast.covers(settings) else name(settings)


def warm(wait: bool = False) -> None:
    """Makes the fast engine ready, in the background. Until then, and without numba, torch serves."""
    fast.warm(wait)
