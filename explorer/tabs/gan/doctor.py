"""What is wrong with a run, in plain words, with a remedy. A pure function of what was measured; knows no nets.

The page measures a few times per second, so readings may be one round apart or thousands: what is said of a course speaks
of the rounds that the readings span. Distances are sliced Wasserstein, in units of a plot that is 2 wide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from statistics import fmean, median
from typing import Any

import numpy as np

from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import toy

NEAR, FAR = 0.03, 0.08  # distances below which fakes look like the data, and above which they clearly do not
LOST, FAINT = 0.05, 0.3  # of its own share of the data: a mode with less is lost (as in metrics.py), or has but a few fakes
SURE, GUESSING = 0.97, 0.60  # accuracies of a D that has won, and of one that does little better than chance
SILENT = 1e-7  # a gradient norm of G that moves nothing
PATIENCE = 400  # rounds before a lack of progress is worth a word
SWEEP = 0.3  # of a plot that is 2 wide: more than the fakes of a sound run ever move as one
BRIEF = 100  # rounds for which a mode may be without fakes before it is called lost
AWAY = 5.0  # a distance at which fakes are far outside the plot
CRITICS = ("wgan", "wgan_gp")  # their scores are no verdicts
LOG = ("non_saturating", "minimax")
RANK = {"error": 0, "warn": 1, "note": 2, "good": 3}


@dataclass(frozen=True)
class Reading:
    """What was measured at one moment: means of the rounds just before it (see state.Trace), and metrics.Metrics.

    diverged_at: the round by which the weights ran away, where that is why the run now halts.
    """

    step: int
    d_loss: float = nan
    g_loss: float = nan
    real_acc: float = nan
    fake_acc: float = nan
    d_norm: float = nan
    g_norm: float = nan
    penalty: float = nan
    kl: float = nan
    js: float = nan
    sw: float = nan
    modes_covered: int = 0
    modes_total: int = 0
    high_quality: float = nan
    shares: tuple[float, ...] = ()
    middle: tuple[float, float] = (nan, nan)
    diverged_at: int | None = None

    @property
    def accuracy(self) -> float:
        return (self.real_acc + self.fake_acc) / 2


@dataclass(frozen=True)
class Finding:
    """level: good, note, warn or error. remedy: a button's label, "" for none; changes: what it sets."""

    id: str
    level: str
    sentence: str
    remedy: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


def examine(readings: Sequence[Reading], settings: Settings) -> list[Finding]:
    """What can be said of a run after these readings, the most important first. Always something, once there is a reading."""
    course = _course(readings)
    if not course:
        return []
    if course[-1].diverged_at is not None:
        return [diverged(course, settings)]
    found = {finding.id: finding for rule in RULES if (finding := rule(course, settings))}
    for cause, effects in EXPLAINS.items():
        if cause in found:
            found = {id: finding for id, finding in found.items() if id not in effects}
    return sorted(found.values() or [nothing_else(course)], key=lambda finding: RANK[finding.level])


def _course(readings: Sequence[Reading]) -> list[Reading]:
    """One reading per round, ascending; of those at the same round the newest."""
    latest: dict[int, Reading] = {}
    for reading in readings:
        latest[reading.step] = reading
    last = readings[-1].step if readings else 0
    return [latest[step] for step in sorted(latest) if step <= last]


# ---- What is wrong -----------------------------------------------------------------------------------------------------------


def diverged(course: list[Reading], s: Settings) -> Finding:
    now = course[-1]
    sentence = f"Diverged: by round {now.diverged_at:,} the weights had run away. Restored the state of round {now.step:,}."
    high = [net for net in "dg" if _lr(s, net) > _usual(s, net)]
    if high:
        changes = {f"{net}_lr": _usual(s, net) for net in high}
        rates = " and ".join(f"{net.upper()} {changes[f'{net}_lr']:g}" for net in high)
        return Finding("diverged", "error", sentence, f"Lower the learning rate: {rates}", changes)
    changes = {f"{net}_lr": max(1e-6, _lr(s, net) / 10) for net in "dg"}
    return Finding("diverged", "error", sentence, "Divide both learning rates by 10", changes)


def untrained(course: list[Reading], s: Settings) -> Finding | None:
    if course[-1].step == 0 and (course[-1].sw > NEAR or not isfinite(course[-1].sw)):
        return Finding("untrained", "note", "Not trained yet: the fakes are noise, bent by random weights.")


def idle(course: list[Reading], s: Settings) -> Finding | None:
    """A player that cannot move."""
    if s.k_g == s.k_d == 0:
        return Finding("idle", "warn", "Nothing trains: both players have 0 updates per round.", "1 update for each per round",
                       {"k_d": 1, "k_g": 1})  # fmt: skip
    if s.k_g == 0:
        return Finding("idle", "warn", "G stands still: it has 0 updates per round, so the fakes stay where they are.",
                       "Give G 1 update per round", {"k_g": 1})  # fmt: skip
    if s.k_d == 0:
        return Finding("idle", "warn", "D stands still: it has 0 updates per round, and G chases a map that is out of date.",
                       "Give D 1 update per round", {"k_d": 1})  # fmt: skip
    if s.g_lr < 0.02 * _usual(s, "g") and course[-1].sw > FAR:
        return Finding("idle", "warn", f"G hardly moves: with {_name(s.g_opt)} a learning rate of {s.g_lr:g} is tiny.",
                       f"Set G's learning rate to {_usual(s, 'g'):g}", {"g_lr": _usual(s, "g")})  # fmt: skip


def d_wins(course: list[Reading], s: Settings) -> Finding | None:
    now = course[-1]
    if s.loss in CRITICS or not (now.real_acc > SURE and now.fake_acc > SURE) or now.sw < NEAR:
        return None
    sentence = f"D wins: its accuracy is {now.accuracy:.2f} and G's gradient {_small(now.g_norm)}."
    if s.loss == "minimax":
        sentence += " log(1 - D(G(z))) is flat where D is sure."
        return Finding("d_wins", "warn", sentence, "Use the non-saturating loss", {"loss": "non_saturating"})
    return Finding("d_wins", "warn", sentence, *_hold_back_d(s))


def silent(course: list[Reading], s: Settings) -> Finding | None:
    """No gradient at all, whatever D says."""
    now = course[-1]
    if not (now.g_norm < SILENT and now.sw > FAR and s.k_g):
        return None
    sentence = f"G gets no gradient ({_small(now.g_norm)}): nothing that it does changes what D says."
    dead = [f"{net}_act" for net in "dg" if getattr(s, f"{net}_act") == "relu"]
    if dead:
        return Finding("silent", "warn", sentence + " Its or D's ReLUs may all be off.", "Use leaky ReLUs",
                       dict.fromkeys(dead, "leaky_relu"))  # fmt: skip
    return Finding("silent", "warn", sentence, *_hold_back_d(s))


def d_weak(course: list[Reading], s: Settings) -> Finding | None:
    """D guesses although it should not have to."""
    now, past = course[-1], _since(course, PATIENCE)
    if past is None or s.k_d == 0 or not (now.accuracy < GUESSING and min(r.sw for r in past) > FAR):
        return None
    if now.sw < 0.8 * past[0].sw or not all(r.accuracy < GUESSING + 0.05 for r in past if isfinite(r.accuracy)):
        return None
    sentence = f"D is too weak: it guesses (accuracy {now.accuracy:.2f}) although the fakes are {now.sw:.2f} away from the data."
    return Finding("d_weak", "warn", sentence, *_help_d(s))


def leaving(course: list[Reading], s: Settings) -> Finding | None:
    """On the way out, before the numbers are none."""
    now = course[-1]
    if now.sw > AWAY and now.step:
        lower = {f"{net}_lr": max(1e-6, _lr(s, net) / 10) for net in "dg"}
        return Finding("leaving", "warn", f"The fakes leave the plot: they are {now.sw:,.0f} away from the data.",
                       "Divide both learning rates by 10", lower)  # fmt: skip


def collapse(course: list[Reading], s: Settings) -> Finding | None:
    """Half the data or more has no fakes, and what there is looks real: variety is lost, not quality."""
    now, total = course[-1], course[-1].modes_total
    past = _since(course, PATIENCE / 2)
    if past is None or now.sw < NEAR:
        return None
    if total > 2 and now.modes_covered <= total / 2 and now.high_quality > 0.5:
        good = f"{now.high_quality:.0%} of the fakes are good"
        sentence = f"Mode collapse: {good}, but all of these are in {now.modes_covered} of {total} modes."
        return Finding("collapse", "warn", sentence, *_more_variety(s, now))
    most = max(r.modes_covered for r in past)
    visited = {int(np.argmax(r.shares)) for r in past if r.shares and max(r.shares) > 0.25}
    if total > 3 and most <= total / 4 and visited and now.sw > FAR:
        where = f"at mode {_list(visited)}" if len(visited) == 1 else f"at modes {_list(sorted(visited))} in turn"
        sentence = f"Mode collapse: the fakes sit in one clump, {where}. No look found more than {most} of {total} modes."
        return Finding("collapse", "warn", sentence, *_more_variety(s, now))
    if total == 0 and now.high_quality > 0.6 and now.sw > FAR and now.js > 0.35:
        sentence = f"Mode collapse: {now.high_quality:.0%} of the fakes look real, but they cover a part of the data only."
        return Finding("collapse", "warn", sentence, *_more_variety(s, now))


def lost(course: list[Reading], s: Settings) -> Finding | None:
    """Modes without fakes that had some before, and since when. Those that come and go within a few looks do not count."""
    now = course[-1]
    gone = {}
    for i in _without(now, s):
        since = _gone_since(course, i, s)
        if since is not None and now.step - since >= BRIEF and sum(r.step >= since for r in course) >= 3:
            gone[i] = since
    if not gone:
        return None
    if len(gone) == 1:
        ((i, since),) = gone.items()
        sentence = f"Mode {i + 1} lost since round {since:,}."
    elif len(gone) <= 6:
        sentence = f"Modes {_list(gone)} lost, the last one since round {max(gone.values()):,}."
    else:
        sentence = f"{len(gone)} of {now.modes_total} modes lost, the last one since round {max(gone.values()):,}."
    if _fall(course):
        return Finding("lost", "note", sentence + " The rest still gets better.")
    return Finding("lost", "warn", sentence, *_more_variety(s, now))


def missing(course: list[Reading], s: Settings) -> Finding | None:
    """Modes that no reading has seen, where no other is missing."""
    now, never = course[-1], _without(course[-1], s)
    if not never or now.step < PATIENCE / 2 or any(_gone_since(course, i, s) is not None for i in never):
        return None
    sentence = f"Found {now.modes_covered} of {now.modes_total} modes"
    sentence += f"; mode{'s' * (len(never) > 1)} {_list(never)} not yet." if len(never) < 6 else " so far."
    past = _since(course, PATIENCE)
    if past and now.modes_covered <= past[0].modes_covered and now.sw > 0.9 * past[0].sw:
        return Finding("missing", "warn", sentence, *_more_variety(s, now))
    return Finding("missing", "note", sentence)


def faint(course: list[Reading], s: Settings) -> Finding | None:
    now = course[-1]
    weights = toy(s).weights
    if weights is None or now.sw > FAR or len(now.shares) != len(weights):
        return None
    few = [i for i, (share, w) in enumerate(zip(now.shares, weights)) if LOST * w <= share < FAINT * w]
    if few:
        i = min(few, key=lambda i: now.shares[i] / weights[i])
        sentence = f"Mode {i + 1} gets {now.shares[i]:.1%} of the fakes, where {weights[i]:.1%} would be right."
        return Finding("faint", "note", sentence)


def oscillating(course: list[Reading], s: Settings) -> Finding | None:
    """The distance to the data, or all fakes as one, go to and fro without getting better."""
    past = _since(course, PATIENCE)
    if past is None or len(past) < 8:
        return None
    sw = [r.sw for r in past]
    half, rounds = len(sw) // 2, past[-1].step - past[0].step
    if not all(map(isfinite, sw)) or fmean(sw[half:]) < 0.7 * fmean(sw[:half]) or median(sw) < NEAR:
        return None
    turns, low, high = _swing(sw)
    if turns >= 4 and high > 1.4 * low and high > FAR:
        sentence = f"Oscillating: over {rounds:,} rounds the distance to the data turned {turns} times, to and fro between " \
                   f"{min(sw):.2f} and {max(sw):.2f}."  # fmt: skip
        return Finding("oscillating", "warn", sentence, *_calm(s))
    for axis in (0, 1):
        turns, low, high = _swing([r.middle[axis] for r in past])
        if turns >= 4 and high - low > SWEEP and median(sw) > FAR:
            sentence = f"Oscillating: the fakes swing to and fro as one, by {high - low:.1f} of a plot that is 2 wide; " \
                       f"{turns} turns in {rounds:,} rounds."  # fmt: skip
            return Finding("oscillating", "warn", sentence, *_calm(s))


def plateau(course: list[Reading], s: Settings) -> Finding | None:
    """Neither good nor getting better, and no other rule knows why."""
    past = _since(course, 4 * PATIENCE)
    if past is None or len(past) < 6 or course[-1].sw < NEAR:
        return None
    third = max(1, len(past) // 3)
    before, after = median(r.sw for r in past[:third]), median(r.sw for r in past[-third:])
    if after < 0.9 * before:
        return None
    rounds = past[-1].step - past[0].step
    sentence = f"No progress: the distance has been about {after:.2f} for {rounds:,} rounds."
    return Finding("plateau", "note", sentence, *_push(s, after))


# ---- What is right, and what it means ----------------------------------------------------------------------------------------


def good(course: list[Reading], s: Settings) -> Finding | None:
    """Players circle around the optimum, so it is enough to have been near in one of the last three looks."""
    now = course[-1]
    if not min(r.sw for r in course[-3:]) < NEAR or not now.sw < 2 * NEAR:
        return None
    if now.modes_covered < now.modes_total or now.high_quality < 0.7:
        return None
    if not 1 - GUESSING < now.accuracy < GUESSING:
        modes = f"all {now.modes_total} modes have fakes, " if now.modes_total else ""
        sentence = f"Looks like the data: {modes}{now.high_quality:.0%} of the fakes are good, and the distance is {now.sw:.3f}."
        return Finding("good", "good", sentence)
    sentence = f"At the optimum, or close: D can only guess (accuracy {now.accuracy:.2f}) and the distance is {now.sw:.3f}."
    if s.loss in REST and not s.smoothing:
        sentence += f" Here the losses rest near {REST[s.loss]}: high, and right."
    return Finding("good", "good", sentence)


def learning(course: list[Reading], s: Settings) -> Finding | None:
    fall = _fall(course)
    if fall is None or course[-1].sw < NEAR:
        return None
    rounds, before, after = fall
    sentence = f"Learning: over {rounds:,} rounds the distance to the data fell from {before:.2f} to {after:.2f}."
    return Finding("learning", "good", sentence)


def nothing_else(course: list[Reading]) -> Finding:
    now = course[-1]
    if now.sw < FAR:
        return Finding("near", "note", f"Close: the distance to the data is {now.sw:.3f}. Nothing is wrong that can be seen.")
    return Finding("early", "note", f"The distance to the data is {now.sw:.2f}; too early to say more.")


def loss_says_little(course: list[Reading], s: Settings) -> Finding | None:
    """The lesson of the lectures: curves of losses are flat while the samples get better."""
    past = _since(course, 200)
    if past is None or len(past) < 6 or s.loss in CRITICS:
        return None
    third = max(2, len(past) // 3)
    first, last = past[:third], past[-third:]
    before, after = median(r.sw for r in first), median(r.sw for r in last)
    losses = [(median(getattr(r, name) for r in first), median(getattr(r, name) for r in last)) for name in ("d_loss", "g_loss")]
    if not after < 0.5 * before or not all(isfinite(a) and isfinite(b) and abs(b - a) < 0.1 * abs(a) for a, b in losses):
        return None
    (_, d), (_, g) = losses
    sentence = f"The losses say little: D's stayed near {d:.2f} and G's near {g:.2f} while the distance halved, " \
               f"from {before:.3f} to {after:.3f}."  # fmt: skip
    return Finding("flat_losses", "note", sentence)


RULES: tuple[Callable[[list[Reading], Settings], Finding | None], ...] = (
    untrained, idle, leaving, d_wins, silent, collapse, oscillating, d_weak, lost, missing, faint, plateau, good, learning,
    loss_says_little,
)  # fmt: skip

_EFFECTS = {"lost", "missing", "faint", "plateau", "good", "learning"}
EXPLAINS = {  # a finding, and those that only say the same again
    "idle": _EFFECTS | {"collapse", "d_weak", "silent"},
    "leaving": _EFFECTS | {"collapse", "d_weak", "oscillating"},
    "d_wins": _EFFECTS | {"silent", "collapse"},
    "silent": _EFFECTS | {"collapse", "d_weak"},
    "collapse": _EFFECTS | {"oscillating", "d_weak"},
    "oscillating": _EFFECTS | {"d_weak"},
    "d_weak": _EFFECTS,
    "lost": {"faint", "plateau", "good"},
    "missing": {"plateau"},
    "good": {"learning"},
}
REST = {  # where the losses of D and G are at the optimum
    "non_saturating": "2 ln 2 = 1.386 and ln 2 = 0.693", "minimax": "2 ln 2 = 1.386 and -ln 2 = -0.693",
    "least_squares": "0.25 and 0.125",
}  # fmt: skip


# ---- Remedies: a label, and changes that mean something for the current settings ---------------------------------------------

Remedy = tuple[str, dict[str, Any]]


def _hold_back_d(s: Settings) -> Remedy:
    """D is too strong."""
    if s.k_d > 1:
        return "1 update of D per round", {"k_d": 1, **({"k_g": 1} if s.k_g == 0 else {})}
    if s.d_lr > 2 * s.g_lr and _family(s.d_opt) == _family(s.g_opt):
        return f"D's learning rate as G's: {s.g_lr:g}", {"d_lr": s.g_lr}
    if s.r1 < 0.1:
        return "Add R1: D's slope at the data costs", {"r1": 0.1}
    if s.instance_noise < 0.1:
        return "Add noise to all that D sees: 0.1", {"instance_noise": 0.1}
    return f"Half of D's learning rate: {s.d_lr / 2:g}", {"d_lr": max(1e-6, s.d_lr / 2)}


def _help_d(s: Settings) -> Remedy:
    """D is too weak."""
    if s.r1 > 1:
        return f"Less R1: {s.r1 / 10:g}", {"r1": s.r1 / 10}
    if s.instance_noise > 0.2:
        return "Less noise for D: 0.05", {"instance_noise": 0.05}
    if s.d_lr < 0.3 * _usual(s, "d"):
        return f"D's learning rate: {_usual(s, 'd'):g}", {"d_lr": _usual(s, "d")}
    if s.loss == "wgan" and s.clip < 0.05:
        return "A wider clip: 0.1", {"clip": 0.1}
    if s.d_layers < 2 or s.d_width < 16:
        return "A larger D: 2 layers of 32 neurons", {"d_layers": max(2, s.d_layers), "d_width": max(32, s.d_width)}
    if s.k_g > 1:
        return "1 update of G per round", {"k_g": 1}
    if s.spectral and s.loss in LOG:
        return "No spectral norm: it makes D too smooth here", {"spectral": False}
    if s.d_opt in ("sgd", "momentum"):
        return "Adam for D", {"d_opt": "adam", "d_lr": 0.002}
    return _more_of_d(s)


def _suspect(s: Settings) -> Remedy | None:
    """What is out of the ordinary, and known for making the two run past each other."""
    if s.d_width < 8 or s.d_layers == 0:
        return "A larger D: 2 layers of 32 neurons", {"d_layers": max(2, s.d_layers), "d_width": 32}
    if s.k_g > s.k_d:
        return "More updates of D than of G", {"k_g": 1, "k_d": 2}
    if s.beta1 > 0.6 and "adam" in (s.g_opt, s.d_opt):
        return "Adam's beta 1 of 0.5", {"beta1": 0.5}
    if "momentum" in (s.g_opt, s.d_opt):
        return "RMSprop: no momentum", {"g_opt": "rmsprop", "d_opt": "rmsprop", "g_lr": 0.001, "d_lr": 0.001}
    high = {f"{net}_lr": _usual(s, net) for net in "dg" if _lr(s, net) > 2 * _usual(s, net)}
    if high:
        return "Usual learning rates", high
    if s.loss == "wgan":
        return "WGAN-GP: a penalty in place of the clip", {"loss": "wgan_gp"}
    return None


def _more_variety(s: Settings, now: Reading) -> Remedy:
    """Modes are lost."""
    if s.loss == "minimax":
        return "Use the non-saturating loss", {"loss": "non_saturating"}
    if suspect := _suspect(s):
        return suspect
    if s.g_opt == "sgd" and s.d_opt == "sgd":
        return "Adam for both", {"g_opt": "adam", "d_opt": "adam", "g_lr": 0.002, "d_lr": 0.002}
    if s.r1 < 0.01 and s.loss != "wgan_gp":
        return "Add R1: D's slope at the data costs", {"r1": 0.1}
    if s.g_width < 16 or s.d_width < 16:
        return "Larger nets: 32 neurons per layer", {"g_width": max(32, s.g_width), "d_width": max(32, s.d_width)}
    if s.g_layers < 2 or s.d_layers < 2:
        return "2 hidden layers each", {"g_layers": max(2, s.g_layers), "d_layers": max(2, s.d_layers)}
    weights = toy(s).weights
    rarest = 1.0 if weights is None else min((weights[i] for i in _without(now, s)), default=1.0)
    if rarest * s.batch < 4 and s.batch < 512:
        return f"A larger batch: the rarest mode has {rarest:.0%} of the data", {"batch": 512}
    return _more_of_d(s)


def _more_of_d(s: Settings) -> Remedy:
    if s.k_d < 10:
        return f"{min(10, s.k_d + 2)} updates of D per round", {"k_d": min(10, s.k_d + 2)}
    return "Half of G's learning rate", {"g_lr": max(1e-6, s.g_lr / 2)}


def _calm(s: Settings) -> Remedy:
    """The players chase each other."""
    if suspect := _suspect(s):
        return suspect
    if s.r1 < 0.1 and s.loss != "wgan_gp":
        return "Add R1: D's slope at the data costs", {"r1": 0.1}
    return _slower(s)


def _push(s: Settings, distance: float) -> Remedy:
    """It is stuck. Near the data smaller steps bring it nearer, far from them something else has to change."""
    if distance < FAR:
        return _slower(s)
    if suspect := _suspect(s):
        return suspect
    if "sgd" in (s.g_opt, s.d_opt):
        return "Adam for both", {"g_opt": "adam", "d_opt": "adam", "g_lr": 0.002, "d_lr": 0.002}
    if s.g_width < 32 or s.d_width < 32:
        return "Larger nets: 32 neurons per layer", {"g_width": max(32, s.g_width), "d_width": max(32, s.d_width)}
    return _slower(s)


def _slower(s: Settings) -> Remedy:
    return "Half of both learning rates", {"g_lr": max(1e-6, s.g_lr / 2), "d_lr": max(1e-6, s.d_lr / 2)}


# ---- Small things ------------------------------------------------------------------------------------------------------------

_NAMES = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam", "rmsprop": "RMSprop"}
_USUAL = {"sgd": 0.1, "momentum": 0.02, "adam": 0.002, "rmsprop": 0.001}  # learning rates that work for such small nets


def _name(optimizer: str) -> str:
    return _NAMES[optimizer]


def _lr(s: Settings, net: str) -> float:
    return getattr(s, f"{net}_lr")


def _usual(s: Settings, net: str) -> float:
    return _USUAL[getattr(s, f"{net}_opt")]


def _family(optimizer: str) -> str:
    return "adaptive" if optimizer in ("adam", "rmsprop") else "plain"


def _small(value: float) -> str:
    """0.0000123 -> 1e-5; 0.12 -> 0.12."""
    if not isfinite(value):
        return "unknown"
    if value == 0 or value >= 0.01:
        return f"{value:.2f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _list(indices) -> str:
    """[0, 2, 5] -> "1, 3 and 6"."""
    names = [str(i + 1) for i in indices]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _since(course: list[Reading], rounds: int) -> list[Reading] | None:
    """The newest readings that span at least so many rounds, or half of the course if that is more; None for a short one."""
    if course[-1].step - course[0].step < rounds:
        return None
    begin = min(course[-1].step - rounds, (course[0].step + course[-1].step) / 2)
    first = max(i for i, reading in enumerate(course) if reading.step <= begin)
    return course[first:]


def _fall(course: list[Reading]) -> tuple[int, float, float] | None:
    """(rounds, before, after) where the distance has fallen by a fifth or more; each is the median of a third of the course."""
    past = _since(course, 50)
    if past is None or len(past) < 3:
        return None
    third = max(1, len(past) // 3)
    before, after = median(r.sw for r in past[:third]), median(r.sw for r in past[-third:])
    return (past[-1].step - past[0].step, before, after) if after < 0.8 * before else None


def _without(now: Reading, s: Settings) -> list[int]:
    """The modes that have no fakes to speak of."""
    weights = toy(s).weights
    if weights is None or len(now.shares) != len(weights):
        return []
    return [i for i, (share, weight) in enumerate(zip(now.shares, weights)) if share < LOST * weight]


def _gone_since(course: list[Reading], mode: int, s: Settings) -> int | None:
    """The round of the first reading without a mode that had its fakes before; None where it never had them.

    What untrained noise happens to hit does not count.
    """
    had, since, weight = False, None, toy(s).weights[mode]
    for reading in course:
        share = reading.shares[mode] if len(reading.shares) > mode else 0.0
        if share >= 2 * LOST * weight and reading.step:
            had = True
        if share >= LOST * weight:
            since = None
        elif had and since is None:
            since = reading.step
    return since


def _swing(values: list[float]) -> tuple[int, float, float]:
    """How often a course turns, by more than half of what lies between its lowest and highest tenth; and these two."""
    bottom, top = (float(value) for value in np.quantile(values, [0.1, 0.9]))
    turns, direction, low, high = 0, 0, values[0], values[0]  # low and high since the last turn
    for value in values:
        low, high = min(low, value), max(high, value)
        if direction >= 0 and high - value > (top - bottom) / 2:
            turns, direction, low = turns + (direction > 0), -1, value
        elif direction <= 0 and value - low > (top - bottom) / 2:
            turns, direction, high = turns + (direction < 0), 1, value
    return turns, bottom, top
