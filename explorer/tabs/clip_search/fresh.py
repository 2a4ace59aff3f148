"""A visitor trains a small CLIP, about a second per request: numbers in, numbers out. Knows nothing of pages.

One training at a time for each visitor. On the host a few compute at once and the others are told to wait, in short calls, so
that none holds a thread for long; runs that nobody has asked for in a while make room for new ones.
"""

import math
import os
import threading
import time
from collections import OrderedDict

import numpy as np

from explorer.tabs.clip_search import smallest
from explorer.tabs.clip_search.faces import asked

SLICE = 0.9  # seconds of training in one answer
PATIENCE = 0.5  # seconds that a request waits for a place, as it holds up others; then its answer says that nothing was trained
PLACES = max(1, min(4, (os.cpu_count() or 2) // 2))  # trained at once: the other cores answer everybody else
RUNS = 40  # in memory: 3 MB each
IDLE = 60.0  # seconds after which a run may have to make room
POINTS = 200  # of a curve that a page draws
STEPS = 2000  # in one request, and in all 20,000: enough for any of it
LAST_STEP = 20_000
BATCHES = (4, 16, 64)
PAIRS = 6400  # that each of these sees
STRETCH = 320  # pairs between two measurements: 80, 20 and 5 steps
FULL = "Too many people are training at this moment; please try again in a minute."
WAITING = "The host is training for others at this moment; your turn comes."

_places = threading.Semaphore(PLACES)
_guard = threading.Lock()
_alive: "OrderedDict[Trainings, float]" = OrderedDict()  # visitor's desk -> when it was last used, longest ago first


class Trainings:
    """What one visitor trains: a single run, and the comparison of batch sizes. What begins anew takes the place of the old."""

    def __init__(self):
        self.lock = threading.Lock()
        self.run: smallest.Run | None = None
        self.comparison: Comparison | None = None

    def close(self) -> None:
        """Frees what is in memory; the page begins anew."""
        with _guard:
            _alive.pop(self, None)
        self.run = self.comparison = None


class Comparison:
    """The same net from the same seed with batches of 4, 16 and 64, each on equally many pairs, in turn."""

    def __init__(self, seed: int):
        self.seed, self.done = seed, False
        self.runs = [smallest.Run(seed, batch) for batch in BATCHES]
        self.seen = [[0] for _ in self.runs]
        self.loss: list[list[float | None]] = [[None] for _ in self.runs]
        for run in self.runs:
            run.measure()
        self._steps = self._all()

    def _all(self):
        for end in range(STRETCH, PAIRS + 1, STRETCH):
            for i in reversed(range(len(self.runs))):  # the large batch first: it is the quickest
                run = self.runs[i]
                losses = []
                for loss in run.train(end // run.batch - run.step):
                    losses.append(loss)
                    yield
                run.measure()
                self.seen[i].append(end)
                self.loss[i].append(_finite(float(np.mean(losses))))
        self.done = True
        for run in self.runs:
            run.free()

    def advance(self, seconds: float) -> None:
        began = time.perf_counter()
        for _ in self._steps:
            if time.perf_counter() - began > seconds:
                return

    @property
    def progress(self) -> float:
        return sum(run.step * run.batch for run in self.runs) / (PAIRS * len(self.runs))


def command(desk: Trainings, given: dict) -> dict:
    """{action: start | step | state | stop, n, batch, lr, seed, temperature} -> the run as it stands.

    {step, batch, lr, seed, temperature, learned, did, left, loss, floor, cos, captions, faces, recall, chance, recalls, params,
    took, images_per_s, running, say}; {step: None} where there is no run. "start" makes a new net and trains nothing; "step"
    trains at most n steps and about one second; "stop" and "state" only tell, as nothing is trained between requests. Raises
    ValueError for settings out of range, and where the host is full.
    """
    action = _action(given, ("start", "step", "state", "stop"))
    n = asked(given, "n", 10, 0, STEPS)
    seed = asked(given, "seed", 0, 0, 2**31)
    tau = given.get("temperature")
    with desk.lock:
        run = desk.run
        if run is None and action in ("state", "stop"):
            return {"step": None, "running": False, "say": ""}

        if action in ("start", "step"):
            # Where a step names no setting, the run's own stays.
            old = run if run and action == "step" else None
            batch = asked(given, "batch", old.batch if old else 64, 2, 128)
            lr = asked(given, "lr", float(old.lr if old else 1e-3), 1e-5, 1e-2)
            if tau is None and old and "temperature" not in given:
                tau = old.tau
            tau = None if tau is None else asked({"temperature": tau}, "temperature", 1.0, 0.01, 1)
            _seat(desk)
            desk.comparison = None
            if old is None:
                run = desk.run = smallest.Run(seed, batch, lr, tau)
            elif (batch, lr, tau) != (run.batch, run.lr, run.tau):
                run.set(batch, lr, tau)
        did, took, say = _slice(run, n) if action == "step" else (0, 0.0, "")
        return _told(run, did, n if action == "step" else 0, took, say)


def _slice(run: smallest.Run, n: int) -> tuple[int, float, str]:
    """Steps that were made, in how many seconds, and what there is to say."""
    n = min(n, LAST_STEP - run.step)
    if n <= 0:
        return 0, 0.0, f"This training ends at {LAST_STEP:,} steps." if run.step >= LAST_STEP else ""
    if not _places.acquire(timeout=PATIENCE):
        return 0, 0.0, WAITING
    try:
        did, began = 0, time.perf_counter()
        for loss in run.train(n):
            did += 1
            if not math.isfinite(loss):
                return did, time.perf_counter() - began, "The loss is no number any more; start anew with a lower learning rate."
            if time.perf_counter() - began > SLICE:
                break
        return did, time.perf_counter() - began, ""
    finally:
        _places.release()


def _told(run: smallest.Run, did: int, n: int, took: float, say: str) -> dict:
    cos = run.measure()
    shown = cos[: smallest.SHOWN, : smallest.SHOWN].astype(float)
    left = max(0, min(n - did, LAST_STEP - run.step))
    return {
        "step": run.step, "batch": run.batch, "lr": run.lr, "seed": run.seed, "temperature": _finite(run.temperature),
        "learned": run.tau is None, "did": did, "left": left, "running": left > 0,
        "loss": _thinned([{"step": i + 1, "loss": _finite(round(loss, 4))} for i, loss in enumerate(run.losses)]),
        "floor": math.log(run.batch), "cos": [[_finite(v) for v in row] for row in np.round(shown, 4).tolist()],
        "captions": smallest.held_captions()[: smallest.SHOWN], "faces": list(range(smallest.SHOWN)),
        "recall": {name: run.recalls[-1][name] for name in ("i2t", "t2i")} | {"of": smallest.HELD}, "chance": 1 / smallest.HELD,
        "recalls": _thinned(run.recalls), "params": run.params, "took": round(1000 * took, 1),
        "images_per_s": round(did * run.batch / took, 1) if took else None, "say": say,
    }  # fmt: skip


def compare(desk: Trainings, given: dict) -> dict:
    """{seed, action: start | step | stop} -> the comparison after about one more second of training.

    {runs: [{batch, steps, of_steps, seen, recall, loss, floor, seconds}], pairs, done, progress, chance, say}. Recall is the mean
    of both directions among 64 held-out pairs. Raises ValueError for another action or seed, and where the host is full.
    """
    action, seed = _action(given, ("step", "start", "stop")), asked(given, "seed", 0, 0, 2**31)
    with desk.lock:
        if action == "stop":
            desk.comparison = None
            return {"runs": [], "pairs": PAIRS, "done": False, "progress": 0.0, "chance": 1 / smallest.HELD, "say": ""}
        _seat(desk)
        comparison, say = desk.comparison, ""
        if comparison is None or action == "start" or comparison.seed != seed:
            comparison = desk.comparison = Comparison(seed)
        if not comparison.done:
            if _places.acquire(timeout=PATIENCE):
                try:
                    comparison.advance(SLICE)
                finally:
                    _places.release()
            else:
                say = WAITING
        runs = [
            {
                "batch": run.batch, "steps": run.step, "of_steps": PAIRS // run.batch, "seen": seen, "loss": loss,
                "recall": [(r["i2t"] + r["t2i"]) / 2 for r in run.recalls], "floor": math.log(run.batch),
                "seconds": round(run.seconds, 2),
            }
            for run, seen, loss in zip(comparison.runs, comparison.seen, comparison.loss)
        ]  # fmt: skip
        return {
            "runs": runs, "pairs": PAIRS, "done": comparison.done, "progress": comparison.progress,
            "chance": 1 / smallest.HELD, "say": say,
        }  # fmt: skip


def _seat(desk: Trainings) -> None:
    """Keeps a place in memory for this visitor; one that was long not used makes room. Raises ValueError where none is."""
    now = time.monotonic()
    with _guard:
        if desk not in _alive and len(_alive) >= RUNS:
            oldest, used = next(iter(_alive.items()))
            if now - used < IDLE:
                raise ValueError(FULL)
            del _alive[oldest]
            oldest.run = oldest.comparison = None
        _alive[desk] = now
        _alive.move_to_end(desk)


def _action(given: dict, known: tuple[str, ...]) -> str:
    action = given.get("action") or "step"
    if action not in known:
        raise ValueError(f"action is one of {', '.join(known)}.")
    return action


def _finite(value: float) -> float | None:
    """None for what JSON cannot say: a training with too high a learning rate ends in such numbers."""
    return value if math.isfinite(value) else None


def _thinned(points: list[dict]) -> list[dict]:
    """At most 200 of them, the first and the last among these."""
    if len(points) <= POINTS:
        return points
    return [points[i] for i in np.linspace(0, len(points) - 1, POINTS).round().astype(int)]
