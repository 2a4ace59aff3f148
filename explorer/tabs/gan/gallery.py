"""Five ways in which GANs fail, each as settings that fail for certain, and what cures it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """settings, cure: changes from the defaults, and from those settings; both runs start at round 0 with the same seed.

    rounds: after so many it shows clearly, and the cure is seen to work; see: what to look at.
    """

    title: str
    settings: dict
    rounds: int
    see: str
    cure: dict
    cure_title: str
    why: str


_ADAM = {"g_opt": "adam", "d_opt": "adam", "g_lr": 0.003, "d_lr": 0.003, "g_width": 32, "d_width": 32, "k_d": 1}

FAILURES: dict[str, Failure] = {
    name: Failure(title, {"data": "ring8", **_ADAM}, 2000, "", {"r1": 0.1}, "Add R1", "")
    for name, title in {"collapse": "Mode collapse", "oscillation": "Oscillation", "vanishing": "Vanishing gradient",
                        "divergence": "Divergence", "imbalance": "An imbalance"}.items()
}  # fmt: skip
