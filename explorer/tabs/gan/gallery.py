"""Five ways in which GANs fail, each with what cures it. Settings only: whoever trains them sees the same.

Found by experiment and tried with seeds 1 to 6 in both engines: all are cured, and all fail but seed 3 of the vanishing
gradient (and, in torch, of the divergence, which it only comes close to). It is the settings that fail, not the luck.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """settings: changes from the defaults. cure: changes from those; the cured run begins at round 0 with the same seed.

    rounds: by then the failure shows. cured: by then the cured run has what the failed one has lost.
    see: what to look at; why: what happens, and why the cure helps.
    """

    title: str
    settings: dict
    rounds: int
    see: str
    cure: dict
    cure_title: str
    cured: int
    why: str


_ADAM = {"g_opt": "adam", "d_opt": "adam", "g_width": 32, "d_width": 32, "d_act": "leaky_relu", "k_d": 1}

FAILURES: dict[str, Failure] = {
    "collapse": Failure(
        title="Mode collapse",
        settings={**_ADAM, "data": "ring8", "g_width": 16, "d_width": 16, "g_lr": 0.002, "d_lr": 0.002, "k_g": 10, "seed": 6},
        rounds=1000,
        see="All fakes gather in one clump, which runs from mode to mode. Six or more of the eight modes have none at any time.",
        cure={"k_g": 1},
        cure_title="One step of G per round",
        cured=2500,
        why="G takes ten steps for one of D. In that time it moves all fakes to the place that D likes best just now; D learns "
        "to reject that place, and G moves on. Nothing asks it to be in two places at once. After one step each, D sees the "
        "fakes while they are still spread out, and they stay so.",
    ),
    "oscillation": Failure(
        title="Oscillation",
        settings={**_ADAM, "data": "ring8", "g_lr": 0.005, "d_lr": 0.005, "beta1": 0.9},
        rounds=1500,
        see="The fakes swing through the plot, the distance to the data goes up and down with them, and nothing settles.",
        cure={"beta1": 0.5},
        cure_title="A short memory: beta 1 of 0.5",
        cured=3000,
        why="With beta 1 at 0.9 Adam averages over some ten gradients. That helps where the target stands still. Here it moves "
        "with the opponent, so both players run on in directions that were right ten steps ago, and past each other again and "
        "again. To remember two steps is enough.",
    ),
    "vanishing": Failure(
        title="Vanishing gradient",
        settings={"data": "line", "noise": "uniform1", "loss": "minimax", "g_width": 8, "g_lr": 0.003, "k_d": 5,
                  "d_opt": "adam", "d_lr": 0.01, "d_width": 32, "d_act": "leaky_relu"},
        rounds=600,
        see="The fakes stop where they are, away from the line. D's accuracy is 1.00, and G's gradient falls below a thousandth.",
        cure={"loss": "non_saturating"},
        cure_title="The non-saturating loss",
        cured=1500,
        why="D takes five quick steps for one of G and soon knows every fake. There log(1 - D(G(z))) is flat: the worse the "
        "fakes, the smaller the gradient. The other loss, -log D(G(z)), is steepest just there, and nothing else has to change. "
        "One seed in six gets past D before it is too late. Adam for G would hide the trouble, as it rescales gradients.",
    ),
    "divergence": Failure(
        title="Divergence",
        settings={"data": "gaussians", "g_width": 16, "d_width": 16, "g_act": "silu", "d_act": "leaky_relu",
                  "g_lr": 1.0, "d_lr": 1.0},
        rounds=100,
        see="After some dozens of rounds losses and gradients shoot up, and soon the weights are no numbers any more. The lab "
        "goes back to the last round that was sound.",
        cure={"g_lr": 0.1, "d_lr": 0.1},
        cure_title="A tenth of the learning rates",
        cured=1500,
        why="A step of this size jumps over the valley and lands higher on the other side, where the slope is steeper and the "
        "next step longer still. Once that has begun it takes a few rounds. At a tenth of the rates the same run learns.",
    ),
    "imbalance": Failure(
        title="Rare modes get lost",
        settings={**_ADAM, "data": "imbalanced", "g_act": "silu", "g_lr": 0.001, "d_lr": 0.001, "k_d": 3},
        rounds=2000,
        see="At first most of the five blobs have fakes. Then the rare ones lose theirs, one after the other, while the share of "
        "good fakes rises: quality without variety.",
        cure={"r1": 0.1},
        cure_title="Add R1",
        cured=2000,
        why="The blobs have 60, 25, 10, 4 and 1 % of the data. D sees the rarest one or two times in a batch. It grows steep "
        "where most of the data are, and fakes slide over to the common blobs. R1 charges D for its slope at real points, so it "
        "stays flat enough there for fakes to remain where they are right.",
    ),
}  # fmt: skip
