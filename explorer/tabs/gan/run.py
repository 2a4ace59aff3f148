"""One training run with its whole past: it can go on, go back, branch, and be measured. Knows no page and no visitor.

A run is a function of its settings and of the rounds at which they were changed, nothing else.
"""

import copy
import dataclasses

import numpy as np

from explorer.tabs.gan import engine, metrics, view
from explorer.tabs.gan.config import Settings, restarts
from explorer.tabs.gan.curve import Curve
from explorer.tabs.gan.doctor import Finding, Reading, examine
from explorer.tabs.gan.state import State, Trace, start, toy

SNAPSHOTS = 240  # moments to which one can go back
SNAPSHOT_BYTES = 6_000_000  # of all of them; the largest nets of the lab have 1.4 MB each
LAST_ROUND = 9_999_999  # eight digits are on the page; at full speed this takes minutes, and nothing new happens by then
READINGS = 120  # that the doctor sees
EVENTS = 40
MEASURES = ("kl", "js", "sw", "modes_covered", "high_quality")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """A moment to which one can go back. Nobody changes its state."""

    state: State
    settings: Settings


class Run:
    """A run at its current moment. `origin` says where it comes from: new, trained, branch, loaded."""

    def __init__(self, settings: Settings, state: State | None = None, origin: str = "new"):
        self.settings, self.state, self.origin = settings, state or start(settings), origin
        self.curve, self.measures = Curve(Trace.NAMES), Curve(MEASURES)
        self.readings: list[Reading] = []
        self.findings: list[Finding] = []
        self.events: list[tuple[int, str]] = []  # (round, what happened)
        self.metrics: metrics.Metrics | None = None
        self.measured_at: int | None = None  # the round that `metrics` belongs to
        self.ideal: view.Ideal | None = None
        self.engine = ""  # which one trains it; chosen at the first update, as engines differ in their rounding
        self.halted = ""  # why it does not go on, in one sentence
        self.diverged_at: int | None = None
        self._snapshots: dict[int, Snapshot] = {}
        self._gap = 1  # rounds between snapshots
        self._room = max(6, min(SNAPSHOTS, SNAPSHOT_BYTES // self._size))
        self._keep()
        self.shown = self.state.copy()  # what pictures are made of while the next rounds are being computed

    # ---- Going on -----------------------------------------------------------------------------------------------------

    @property
    def rounds(self) -> int:
        return self.state.rounds

    @property
    def work(self) -> int:
        """What a round costs, in the units of Settings.work."""
        return self.settings.work

    def advance(self, rounds: int) -> int:
        """Trains for so many rounds; returns how many it were. Fewer where the run ends or diverges: then it halts."""
        done = 0
        while done < rounds and not self.halted:
            count = min(rounds - done, self._stretch(), LAST_ROUND - self.rounds)
            if count <= 0:
                self.halted = f"The counter ends at {LAST_ROUND:,} rounds; reset or branch to go on."
                break
            trace = self._train(count, "both")
            if not self.state.finite():
                self._restore()
                break
            self._note(trace)
            done += count
            if self.rounds - self._kept >= self._gap:
                self._keep()
        self.shown = self.state.copy()
        return done

    def _stretch(self) -> int:
        """Rounds that may be trained in one go: one at first, when most happens, then more, as each go has its price."""
        return max(self._gap, 1 + (self.rounds - next(iter(self._snapshots))) // 32)

    def step(self, what: str, ends_round: bool = False) -> None:
        """One update of "d" or of "g", perhaps the last of a round made by single steps, or one round of "both"."""
        if what == "both":
            self.advance(1)
            return
        if self.halted:
            return
        trace = self._train(1, what)
        self.state.rounds += ends_round
        if not self.state.finite():
            self._restore()
        else:
            self._note(trace)
        self.shown = self.state.copy()

    def _train(self, count: int, what: str) -> Trace:
        best = engine.name(self.settings)
        if self.engine == "torch" and best == "numba":  # the fast one got ready meanwhile: worth another rounding, if it is said
            self.mark("The fast engine is ready and goes on from here.")
            self.engine = best
        self.engine = self.engine or best
        return engine.advance(self.settings, self.state, count, what, self.engine)

    def _note(self, trace: Trace) -> None:
        self.curve.add(self.rounds, np.column_stack([getattr(trace, name) for name in Trace.NAMES]))

    def _restore(self) -> None:
        """The numbers have run away: back to the last good moment. It would only happen again, so the run halts."""
        around = self.rounds
        last = self._snapshots[max(self._snapshots)]
        self.state, self.diverged_at = last.state.copy(), around
        self.halted = f"Diverged by round {around:,}: restored the state of round {self.rounds:,}."
        self.mark(self.halted)

    # ---- Settings -----------------------------------------------------------------------------------------------------

    def change(self, settings: Settings) -> "Run":
        """The run under other settings: this one where they can be live, else a new one from round 0."""
        if restarts(self.settings, settings):
            return Run(settings)
        for net in "dg":
            if getattr(settings, f"{net}_opt") != getattr(self.settings, f"{net}_opt"):
                getattr(self.state, f"{net}_memory")[:] = 0
                setattr(self.state, f"{net}_ticks", 0)
        if self.settings.ema == 0 or settings.ema == 0:
            self.state.ema[:] = self.state.g
        what = ", ".join(name for name in vars(settings) if getattr(settings, name) != getattr(self.settings, name))
        self.settings, self.halted, self.diverged_at = settings, "", None
        self.mark(f"Changed: {what}.")
        self._keep()
        self.shown = self.state.copy()
        return self

    def mark(self, what: str) -> None:
        self.events = [*self.events[-EVENTS + 1 :], (self.rounds, what)]

    # ---- The past -----------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        self._snapshots[self.rounds], self._kept = Snapshot(self.state.copy(), self.settings), self.rounds
        if len(self._snapshots) > self._room:
            self._gap *= 2
            kept = self.steps
            self._snapshots = {n: self._snapshots[n] for n in [*kept[:-1:2], kept[-1]]}

    @property
    def _size(self) -> int:
        """Bytes of a snapshot."""
        return 4 * (4 * len(self.state.g) + 3 * len(self.state.d))

    @property
    def size(self) -> int:
        """Bytes of its past, as far as it is not shared."""
        return self._size * len(self._snapshots)

    @property
    def steps(self) -> list[int]:
        """The rounds of the snapshots, ascending."""
        return sorted(self._snapshots)

    def at(self, rounds: int) -> Snapshot:
        """The newest snapshot that is not after this round, or the oldest."""
        steps = self.steps
        return self._snapshots[max((n for n in steps if n <= rounds), default=steps[0])]

    def branch(self, rounds: int) -> "Run":
        """A run that goes on from a snapshot of this one, with its past up to there."""
        snapshot = self.at(rounds)
        at = snapshot.state.rounds
        other = Run(snapshot.settings, snapshot.state.copy(), "branch")
        other._snapshots = {n: s for n, s in self._snapshots.items() if n <= at}
        other._gap, other._kept, other.engine = self._gap, at, self.engine
        other.curve, other.measures = self.curve.until(at), self.measures.until(at)
        other.readings = [reading for reading in self.readings if reading.step <= at]
        other.events = [event for event in self.events if event[0] <= at]
        return other

    def fork(self, moments: int = SNAPSHOTS) -> "Run":
        """The same run at the same moment, to be kept while this one goes on; of its past about so many moments."""
        other = copy.copy(self)  # lists are replaced and not changed, so that both may hold them
        kept = self.steps[:: -(-len(self._snapshots) // moments)]
        other.state, other._snapshots = self.state.copy(), {n: self._snapshots[n] for n in [*kept, self.steps[-1]]}
        other.curve, other.measures = self.curve.until(self.rounds), self.measures.until(self.rounds)
        other.shown = other.state.copy()
        return other

    # ---- What it is like ----------------------------------------------------------------------------------------------

    def measure(self, averaged: bool = False, with_ideal: bool = False) -> None:
        """Metrics from 10,000 fakes, the doctor's findings, and the best D where it is asked for."""
        settings, state = self.settings, self.shown
        many = view.fakes(settings, state, averaged)
        found = metrics.measure(toy(settings), many)
        values = [getattr(found, name) for name in MEASURES]
        if state.rounds != self.measured_at:
            self.measures.add(state.rounds, np.array([values], dtype=float))
        self.metrics, self.measured_at = found, state.rounds
        self.readings = [*self.readings[-READINGS + 1 :], self._reading(found)]
        self.findings = examine(self.readings, settings)
        self.ideal = view.ideal(settings, view.look(settings, state, averaged), many) if with_ideal else None

    def _reading(self, found: metrics.Metrics) -> Reading:
        return Reading(step=self.rounds, diverged_at=self.diverged_at, **self.curve.last(20), **vars(found))

    def numbers(self) -> dict[str, float]:
        """The scalars of a frame, by name."""
        state, out = self.shown, self.curve.last()
        out |= {"step": state.rounds, "d_updates": state.d_updates, "g_updates": state.g_updates}
        if self.metrics is not None:
            out |= {name: value for name, value in vars(self.metrics).items() if np.isscalar(value)}
            out["metrics_step"] = self.measured_at
        return out
