"""A visitor's desk: up to four runs side by side, what is done with them, and the way back. Knows no page, no clock.

Commands are plain dictionaries from the page. What cannot be done is one sentence, and changes nothing.
"""

import threading
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer import toy2d
from explorer.assets import Missing
from explorer.tabs.gan import engine, gallery, packing, presets, save, view
from explorer.tabs.gan.config import LIVE, Settings, changes, check, restarts
from explorer.tabs.gan.run import Run

LANES = 4
KEPT = 24  # moments of a run's past that undo keeps
KEPT_BYTES = 20_000_000  # of all that undo keeps
UNDO = 12  # states of the desk that can be brought back
SPEEDS = (1, 10, 60, 300, 1000, 0)  # rounds per second; 0 is as fast as it goes


class Desk:
    """The runs of one visitor. Whoever reads or changes them holds `lock`."""

    def __init__(self):
        self.lock = threading.RLock()
        self.lanes = [_trained("gaussians")]
        self.playing, self.speed = False, 60.0
        self.look = {"ideal": False, "ema": False}
        self.failure: str | None = None  # which of the gallery is on the desk, and whether its cure was given
        self.cured = False
        self.version = 0  # grows with every change but the rounds themselves
        self.moved = 0  # grows whenever there is something new to see
        self.measured = 0  # grows with every measurement
        self.rate = 0.0  # rounds per second, as it was of late
        self.frames = 25  # pictures per second that the page can draw
        self._past: list[tuple] = []
        self._future: list[tuple] = []
        self.measure()

    # ---- Commands -----------------------------------------------------------------------------------------------------

    def do(self, what: str, given: Mapping[str, Any]) -> str | None:
        """Runs a command; perhaps says a sentence. Raises ValueError with one where it cannot be done."""
        command = getattr(self, f"_do_{what}", None) if what.isidentifier() else None
        if command is None:
            raise ValueError(f"There is no command called {what[:30]!r}.")
        with self.lock:
            said = command(given)
            self.version += 1
            self.moved += 1
            return said

    def _do_state(self, given):
        pass

    def _do_open(self, given):
        """Other runs in place of these: what a link, a picked data set or a first visit asks for."""
        asked = given.get("lanes") or [{}]
        if not isinstance(asked, list) or len(asked) > LANES or not all(isinstance(lane, dict) for lane in asked):
            raise ValueError(f"A desk has one to {LANES} runs.")
        lanes = [self._opened(lane) for lane in asked]
        if self.version:  # a first visit has nothing to go back to
            self._remember()
        self.lanes, self.failure = lanes, None
        self.measure()

    def _opened(self, lane: Mapping) -> Run:
        """A run as asked for: from round 0, or trained where there is such a model and nothing else was changed."""
        asked = _settings(lane.get("settings", {}))
        if lane.get("trained"):
            preset, whole = presets.PRESETS.get(asked.data), lane.get("settings") or {}
            if preset and not set(whole) - {"data"}:
                try:
                    return _trained(asked.data)
                except Missing:
                    return Run(_settings({"data": asked.data, **preset.settings}))
        return Run(asked)

    def _do_set(self, given):
        new = given.get("changes")
        if not isinstance(new, dict) or not new:
            raise ValueError("There is nothing to set.")
        lanes = self._which(given.get("lane"))
        wanted = [_settings(new, self.lanes[i].settings) for i in lanes]
        if all(self.lanes[i].settings == settings for i, settings in zip(lanes, wanted)):
            return None
        self._remember()
        restarted = [name for i, settings in zip(lanes, wanted) for name in restarts(self.lanes[i].settings, settings)]
        for i, settings in zip(lanes, wanted):
            self.lanes[i] = self.lanes[i].change(settings)
        if restarted and len(self.lanes) > 1:  # side by side they stay comparable only from the same start
            self.lanes = [Run(lane.settings) for lane in self.lanes]
        self.measure()
        return "This starts again from round 0; undo brings the old run back." if restarted else None

    def _do_play(self, given):
        halted = [lane.halted for lane in self.lanes]
        if all(halted):
            raise ValueError(halted[0])
        self.playing = True

    def _do_pause(self, given):
        self.playing = False

    def _do_speed(self, given):
        self.speed = _number(given.get("speed"), 0, 1_000_000, "The speed")

    def _do_frames(self, given):
        self.frames = _number(given.get("frames"), 1, 30, "The rate of pictures")

    def _do_step(self, given):
        what = given.get("what", "both")
        if what not in ("d", "g", "both"):
            raise ValueError("A step is one of D, of G, or of both.")
        self.playing = False
        for lane in self.lanes:
            lane.step(what, bool(given.get("round")))
        self.measure()
        return next((lane.halted for lane in self.lanes if lane.halted), None)

    def _do_reset(self, given):
        self._remember()
        self.lanes = [Run(lane.settings) for lane in self.lanes]
        self.measure()

    def _do_undo(self, given):
        self._swap(self._past, self._future, "There is nothing to undo.")

    def _do_redo(self, given):
        self._swap(self._future, self._past, "There is nothing to redo.")

    def _do_branch(self, given):
        """Goes on from an earlier round: in place of the run, or beside it, perhaps with other settings."""
        (i,) = self._which(given.get("lane", 0))
        rounds = int(_number(given.get("step"), 0, 10**7, "The round"))
        branch = self.lanes[i].branch(rounds)
        if given.get("changes"):
            settings = _settings(given["changes"], branch.settings)
            again = restarts(branch.settings, settings)
            if again:
                raise ValueError(f"A run cannot branch into another {again[0].replace('_', ' ')}; add a run instead.")
            branch = branch.change(settings)
        branch.mark(f"Branched from run {_name(i)} at round {branch.rounds:,}.")
        if given.get("as_new") and len(self.lanes) >= LANES:
            raise ValueError(f"At most {LANES} runs fit side by side; remove one first.")
        self._remember()
        self.playing = False
        self.lanes = [*self.lanes, branch] if given.get("as_new") else [*self.lanes[:i], branch, *self.lanes[i + 1 :]]
        self.measure()

    def _do_add(self, given):
        """One more run, as the first but for some settings; all of them start again from the same seed."""
        if len(self.lanes) >= LANES:
            raise ValueError(f"At most {LANES} runs fit side by side; remove one first.")
        settings = _settings(given.get("changes") or {}, self.lanes[0].settings)
        self._remember()
        self.lanes = [*(Run(lane.settings) for lane in self.lanes), Run(settings)]
        self.measure()

    def _do_remove(self, given):
        (i,) = self._which(given.get("lane"))
        if len(self.lanes) == 1:
            raise ValueError("The last run stays.")
        self._remember()
        self.lanes = [lane for j, lane in enumerate(self.lanes) if j != i]

    def _do_failure(self, given):
        failure = gallery.FAILURES.get(str(given.get("name")))
        if failure is None:
            raise ValueError("There is no such failure in the gallery.")
        self._remember()
        self.lanes, self.failure, self.cured = [Run(_settings(failure.settings))], given["name"], False
        self.measure()

    def _do_cure(self, given):
        if self.failure is None:
            raise ValueError("Choose a failure first; then it can be cured.")
        failure = gallery.FAILURES[self.failure]
        self._remember()
        self.lanes, self.cured = [Run(_settings({**failure.settings, **failure.cure}))], True
        self.measure()

    def _do_remedy(self, given):
        (i,) = self._which(given.get("lane", 0))
        finding = next((found for found in self.lanes[i].findings if found.id == given.get("id") and found.remedy), None)
        if finding is None:
            raise ValueError("This advice is out of date; the run has gone on.")
        if not finding.changes:
            return None
        return self._do_set({"lane": i, "changes": finding.changes})

    def _do_look(self, given):
        self.look |= {name: bool(given[name]) for name in self.look if name in given}
        self.measure()

    # ---- Undo ---------------------------------------------------------------------------------------------------------

    def _moment(self) -> tuple:
        return [lane.fork(KEPT) for lane in self.lanes], self.failure, self.cured

    def _remember(self) -> None:
        self._past = [*self._past[-UNDO + 1 :], self._moment()]
        self._future = []
        while len(self._past) > 1 and sum(lane.size for lanes, *_ in self._past for lane in lanes) > KEPT_BYTES:
            del self._past[0]

    def _swap(self, source: list, target: list, sentence: str) -> None:
        if not source:
            raise ValueError(sentence)
        target.append(self._moment())
        self.lanes, self.failure, self.cured = source.pop()
        self.playing = False
        self.measure()

    # ---- What there is to see -----------------------------------------------------------------------------------------

    def _which(self, lane) -> list[int]:
        if lane is None:
            return list(range(len(self.lanes)))
        if isinstance(lane, bool) or not isinstance(lane, int) or not 0 <= lane < len(self.lanes):
            raise ValueError("There is no such run on this desk.")
        return [lane]

    def measure(self) -> None:
        """Brings metrics, findings and the best D up to the runs' current moments."""
        for lane in self.lanes:
            lane.measure(self.look["ema"], self.look["ideal"])
        self.measured += 1

    def adopt(self, run: Run) -> None:
        """Puts a loaded run on the desk."""
        with self.lock:
            self._remember()
            self.lanes, self.failure, self.playing = [run], None, False
            self.measure()
            self.version, self.moved = self.version + 1, self.moved + 1

    @property
    def engine(self) -> str:
        """What trains the first run, or would: "numba", "torch", or "starting" while it stands and the fast one is on its way."""
        first = self.lanes[0]
        return first.engine or engine.state(first.settings)

    def told(self) -> dict:
        """The desk in words and numbers, as the page wants it."""
        return {
            "version": self.version, "playing": self.playing, "speed": self.speed, "look": dict(self.look),
            "engine": self.engine,
            "lanes": [self._lane(i, lane) for i, lane in enumerate(self.lanes)],
            "undo": len(self._past), "redo": len(self._future), "failure": self.failure, "cured": self.cured,
        }  # fmt: skip

    def _lane(self, i: int, lane: Run) -> dict:
        return {
            "lane": i, "name": _name(i), "settings": vars(lane.settings), "changes": changes(lane.settings),
            "scene": scene_id(lane.settings), "step": lane.rounds, "origin": lane.origin, "steps": lane.steps,
            "events": [{"step": step, "what": what} for step, what in lane.events],
            "halted": lane.halted, "undo": len(self._past), "redo": len(self._future),
        }  # fmt: skip

    def notes(self) -> dict:
        """What the doctor says of each run, and how its fakes share out over the modes."""
        lanes = list(enumerate(self.lanes))
        return {
            "notes": {str(i): [_finding(found) for found in lane.findings] for i, lane in lanes},
            "shares": {str(i): [round(float(s), 4) if s == s else None for s in _shares(lane)] for i, lane in lanes},
        }

    def message(self, told: Mapping | None = None, fps: int = 0) -> bytes:
        """The newest moment of every run, for the stream."""
        averaged = self.look["ema"]
        lanes = list(self.lanes)
        blocks = [frame(i, lane, averaged, {"rounds_per_second": self.rate}) for i, lane in enumerate(lanes)]
        return packing.message(blocks, told, fps)

    def past(self, lane: int, rounds: int) -> bytes:
        """An earlier moment of a run as a message of its own."""
        (i,) = self._which(lane)
        with self.lock:
            snapshot = self.lanes[i].at(rounds)
            numbers = self.lanes[i].curve.until(snapshot.state.rounds).last()
        shown = view.look(snapshot.settings, snapshot.state, self.look["ema"])
        numbers |= {name: getattr(snapshot.state, name) for name in ("d_updates", "g_updates")}
        return packing.message([packing.block(i, shown, numbers | {"step": snapshot.state.rounds})])


def frame(i: int, lane: Run, averaged: bool, more: Mapping[str, float]) -> bytes:
    """A run's current moment as a lane's block."""
    flags = packing.AVERAGED * bool(averaged and lane.settings.ema) | packing.DIVERGED * (lane.diverged_at is not None)
    shown = view.look(lane.settings, lane.shown, averaged)
    return packing.block(i, shown, lane.numbers() | more, lane.ideal, flags)


def scene_id(settings: Settings) -> str:
    """The same for runs that share their real points and their noise."""
    points = f"{zlib.crc32(settings.points.encode()):08x}" if settings.points else ""
    return f"{settings.data}{points}-{settings.noise}-{settings.seed}"


def _trained(data: str) -> Run:
    """The shipped run of a data set, or an untrained one where it is missing."""
    try:
        settings, state = presets.load(data)
    except Missing:
        return Run(_settings({"data": data, **presets.PRESETS[data].settings}))
    return Run(settings, state.copy(), "trained")


def _settings(values: Any, base: Settings | None = None) -> Settings:
    return check(values, base, data=toy2d.TOYS)


def _number(value: Any, low: float, high: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{what} is a number from {low:g} to {high:,}.")
    return float(value)


def _name(i: int) -> str:
    return "ABCD"[i]


def _finding(found) -> dict:
    live = set(found.changes) <= LIVE
    return {"id": found.id, "level": found.level, "sentence": found.sentence, "remedy": found.remedy, "live": live}


def _shares(lane: Run) -> np.ndarray:
    shares = lane.metrics.shares if lane.metrics is not None else None
    return np.zeros(0) if shares is None else np.asarray(shares)


def load(data: bytes) -> Run:
    """A run from a saved file. Raises ValueError with a sentence."""
    settings, state = save.load(data)
    return Run(settings, state, "loaded")


