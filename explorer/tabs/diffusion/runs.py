"""The runs of everyone who is here: each in a thread of its own, every step kept, as a tree for each page. Knows no page.

A run's first frames may be another's: a branch from step k begins with the k steps of its parent, as they are.
"""

import dataclasses
import logging
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from explorer import limits
from explorer.tabs.diffusion import asked, frames, guidance, models, pictures, sampler
from explorer.tabs.diffusion.models import Model
from explorer.tabs.diffusion.sampler import Settings, Start, Step

log = logging.getLogger("explorer")

RUNNING = 16  # in all; the rest waits for its turn. As many share a call of the UNet with profit.
SPARE = 8  # of these, which only pages take that run nothing yet: a whole comparison still fits beside them into one call
KEPT = 32  # runs of one page: a tree that one can still look through
BYTES_EACH = 256_000_000  # of one page's runs: all of ours, or five of Stable Diffusion's, most of it attention maps
BYTES_ALL = 2_000_000_000  # of all pages' runs
LARGE = 16_384  # numbers in a latent from which steps are packed, as many as Stable Diffusion's have
TENSORS = ("x", "eps_uncond", "eps_cond", "eps", "x0", "x_next", "noise")
GONE = "This run is no longer here; run it again."


class Film(Sequence):
    """The steps of a run, kept small and given out as they were made; their terms are left out, for terms.py makes them again."""

    def __init__(self, steps: Sequence[Step] = (), sizes: Sequence[int] = ()):
        self._kept, self._sizes = list(steps), list(sizes)  # a step's bytes are there before the step is

    def append(self, step: Step) -> None:
        step = _packed(dataclasses.replace(step, terms=()))
        self._sizes.append(_bytes(step))
        self._kept.append(step)

    def first(self, count: int) -> "Film":
        """A film that begins with the same steps; they are shared, not copied."""
        return Film(self._kept[:count], self._sizes[:count])

    def sizes(self, start: int = 0) -> dict[int, int]:
        """The bytes of each step from `start` on, by the step's identity: films may share steps."""
        return dict(zip(map(id, self._kept[start:]), self._sizes[start:]))

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index):
        return [_unpacked(step) for step in self._kept[index]] if isinstance(index, slice) else _unpacked(self._kept[index])


def _packed(step: Step) -> Step:
    """A large step in half the memory, and its attention maps in a quarter: shares of 0 to 1 as the squares of bytes."""
    if step.x.numel() < LARGE:
        return step
    maps = step.maps and {name: one.sqrt().mul(255).round().byte() for name, one in step.maps.items()}
    return dataclasses.replace(_mapped(step, torch.Tensor.half), maps=maps)


def _unpacked(step: Step) -> Step:
    if step.x.dtype == torch.float32:
        return step
    maps = step.maps and {name: (one.float() / 255).square() for name, one in step.maps.items()}
    return dataclasses.replace(_mapped(step, torch.Tensor.float), maps=maps)


def _mapped(step: Step, change: Callable) -> Step:
    """The step with every tensor but its maps changed, each once: many occur in two places."""
    done = {}

    def new(tensor):
        return tensor if tensor is None else done.setdefault(id(tensor), change(tensor))

    history = step.start.history
    history = dataclasses.replace(history, past=tuple(map(new, history.past)), sample=new(history.sample))
    start = dataclasses.replace(step.start, x=new(step.start.x), history=history)
    return dataclasses.replace(step, **{name: new(getattr(step, name)) for name in TENSORS}, start=start)


def _bytes(step: Step) -> int:
    """Of all that only this step holds: its x and what it hands on belong to the step before, or to the next."""
    parts = [*(getattr(step, name) for name in TENSORS if name != "x"), step.start.generator_state, *(step.maps or {}).values()]
    return sum(part.numel() * part.element_size() for part in parts if part is not None)


@dataclass(frozen=True)
class Branch:
    """Where a run leaves another: before its step `at`, with the frames up to there."""

    parent: str
    at: int
    start: Start
    steps: Film
    chain: tuple  # of (first index, Settings), see Run


class Run:
    """One way from noise to a picture. Whoever holds it may read it at any time; only its own thread adds steps."""

    def __init__(self, model: Model, settings: Settings, image: np.ndarray | None = None, branch: Branch | None = None):
        self.id = secrets.token_hex(6)  # never given twice: browsers keep what they have fetched
        self.model, self.settings, self.image, self.branch = model, settings, image, branch
        self.parent, self.first = (branch.parent, branch.at) if branch else (None, 0)
        self.steps = branch.steps.first(branch.at) if branch else Film()
        # Whose settings made the steps from which index on: what a script needs that makes them again.
        self.chain = (*(branch.chain if branch else ()), (self.first, settings))
        self.total = self.first + sampler.count(model, settings, branch.start if branch else None)
        self.state, self.error = "waiting", ""
        self.lock = threading.RLock()  # held while decoding, so that nothing is decoded twice
        self.over, self._stop = threading.Event(), threading.Event()
        self._turn = threading.Lock()  # held where it begins or ends without having begun
        self._rows: list[dict] = []
        self._began, self._seconds = time.monotonic(), 0.0

    def leave(self, at: int) -> Branch:
        """What another run begins with that leaves this one before step `at`. Raises ValueError for a step that is not there."""
        start = self.step(at).start
        return Branch(self.id, at, start, self.steps.first(at), tuple(part for part in self.chain if part[0] < at))

    def again(self, scale: float) -> "Run":
        """The same run with another guidance scale, not started yet."""
        return Run(self.model, dataclasses.replace(self.settings, guidance_scale=scale), self.image, self.branch)

    def work(self) -> None:
        """Makes all steps, in the calling thread; none where it was stopped before."""
        with self._turn:
            if self.over.is_set():
                return
            self._began, self.state = time.monotonic(), "running"
        try:
            begin = {"start": self.branch.start} if self.branch else {"image": self.image}
            self._follow(sampler.denoise(self.model, self.settings, **begin))
            state = "done" if len(self.steps) == self.total else "stopped"
        except ValueError as problem:
            self.error, state = str(problem), "error"
        except Exception as problem:
            log.exception("run %s", self.id)
            self.error, state = f"The run broke off ({type(problem).__name__}); the host's log says why.", "error"
        self._seconds, self.state = time.monotonic() - self._began, state
        self.over.set()

    @torch.no_grad()
    def _follow(self, steps: Iterator[Step]) -> None:
        try:
            for step in steps:
                self.steps.append(step)
                if self._stop.is_set():
                    return
        finally:
            steps.close()

    def stop(self) -> None:
        """Ends after the step that is being made, or at once where none is; the steps so far stay."""
        with self._turn:
            self._stop.set()
            if self.state == "waiting":
                self.state = "stopped"
                self.over.set()

    def step(self, index: int) -> Step:
        """Raises ValueError for a step that is not there."""
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(self.steps):
            made = len(self.steps)
            raise ValueError(f"Of this run steps 0 to {made - 1} are there." if made else "This run has made no step yet.")
        return self.steps[index]

    @property
    def bytes(self) -> int:
        """What it holds beside the steps of its parent."""
        return sum(self.steps.sizes(self.first).values()) + (0 if self.image is None or self.branch else self.image.nbytes)

    def sizes(self) -> dict[int, int]:
        """The bytes of all that it holds, by identity: what runs share is counted once among them."""
        return self.steps.sizes() | ({} if self.image is None else {id(self.image): self.image.nbytes})

    def row(self, index: int) -> dict:
        """The numbers of a step, for pages: computed once."""
        with self.lock:
            while len(self._rows) <= index:
                self._rows.append(_row(len(self._rows), self.steps[len(self._rows)]))
            return self._rows[index]

    def told(self) -> dict:
        """Where it stands. `left` are the seconds that the rest takes at the pace so far; `first` is its own first step."""
        waiting, over, made = self.state == "waiting", self.over.is_set(), len(self.steps)
        seconds = self._seconds if over else 0.0 if waiting else time.monotonic() - self._began
        own = made - self.first
        return {
            "run": self.id, "state": "running" if waiting else self.state, "waiting": waiting, "done": made, "total": self.total,
            "seconds": round(seconds, 3), "left": round(seconds / own * (self.total - made), 3) if own and not over else None,
            "parent": self.parent, "step": self.first if self.parent else None, "first": self.first,
            "settings": asked.plain(self.settings), "model": self.model.name, "picture": self.image is not None,
            **({"error": self.error} if self.error else {}),
        }  # fmt: skip

    def news(self, after: int) -> dict:
        """The same, and the numbers of its steps from `after` on."""
        told = self.told()
        return told | {"steps": [self.row(index) for index in range(after, told["done"])]}


def _row(index: int, step: Step) -> dict:
    norms = {name: round(float(getattr(step, name).norm()), 5) for name in TENSORS if getattr(step, name) is not None}
    return {
        "index": index, "timestep": step.timestep, "abar": step.abar, "sigma": step.sigma, "norms": norms,
        "coefficients": step.coefficients, **guidance.numbers(step),
    }  # fmt: skip


# ---- Pages ---------------------------------------------------------------------------------------------------------------


class Visitor:
    """One page: its runs, oldest first, and the pictures that it brought along."""

    def __init__(self):
        self.seen, self.pictures = time.monotonic(), pictures.Pictures()
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}

    def get(self, name: str) -> Run:
        """Raises ValueError for a run that is not here."""
        run = self._runs.get(str(name))
        if run is None:
            raise ValueError(GONE)
        return run

    def all(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def start(self, runs: list[Run], places: "Places") -> None:
        """Starts them together, and stops what ran until now: a page watches one run, or one comparison, at a time."""
        with self._lock:
            for run in self._runs.values():
                run.stop()
            for run in runs:
                self._runs[run.id] = run
            self.shrink()
        places.add(self, runs)

    def forget(self, name: str) -> None:
        """Drops a run. What branched off it keeps the frames they share."""
        with self._lock:
            run = self._runs.pop(str(name), None)
        if run is None:
            raise ValueError(GONE)
        _drop(run)

    def shrink(self) -> None:
        """Drops the oldest runs that are over while there are too many, or too large ones."""
        with self._lock:
            while len(self._runs) > KEPT or self.bytes > BYTES_EACH:
                oldest = self.oldest()
                if oldest is None:
                    return
                self.forget(oldest.id)

    def oldest(self) -> Run | None:
        """The oldest run that is over and is not the newest of all."""
        return next((run for run in self.all()[:-1] if run.over.is_set()), None)

    @property
    def bytes(self) -> int:
        """What its runs hold, also of parents that are forgotten."""
        runs, sizes = self.all(), {}
        for run in runs:  # all are alive meanwhile, so an identity is one thing's
            sizes |= run.sizes()
        return sum(sizes.values())

    def close(self) -> None:
        with self._lock:
            gone, self._runs = list(self._runs.values()), {}
        for run in gone:
            _drop(run)


def _drop(run: Run) -> None:
    run.stop()
    frames.CACHE.forget(run.id)


class Places:
    """Who runs next, in threads: a place that falls free goes to the page that holds fewest, and of these to the one that was
    served longest ago. A page's second and further runs leave SPARE places to pages that have none."""

    def __init__(self, most: int):
        self._free, self._spare = most, min(SPARE, most // 2)
        self._lock = threading.Lock()
        self._held: Counter = Counter()
        self._queues: dict[Visitor, deque[Run]] = {}  # in the order in which pages were served
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="diffusion")

    def add(self, page: Visitor, runs: list[Run]) -> None:
        with self._lock:
            self._queues.setdefault(page, deque()).extend(runs)
            self._give()

    def _give(self) -> None:
        """Fills the free places as far as they may be filled. Holds the lock."""
        for page, queue in list(self._queues.items()):
            left = deque(run for run in queue if not run.over.is_set())  # others were stopped while they waited
            self._queues[page] = left
            if not left:
                del self._queues[page]
        while self._queues and self._free:
            page = min(self._queues, key=self._held.__getitem__)
            if self._held[page] and self._free <= self._spare:
                return
            queue = self._queues.pop(page)
            run = queue.popleft()
            if queue:
                self._queues[page] = queue  # the last now
            self._free -= 1
            self._held[page] += 1
            self._pool.submit(self._work, page, run)

    def _work(self, page: Visitor, run: Run) -> None:
        try:
            run.work()
        finally:
            with self._lock:
                self._free += 1
                self._held[page] -= 1
                if not self._held[page]:
                    del self._held[page]
                self._give()


class Visitors:
    """All pages that are open, by session; of too many the longest unseen makes room, one without runs first."""

    def __init__(self, running: int = RUNNING):
        self._lock = threading.Lock()
        self._all: dict[str, Visitor] = {}
        self._places = Places(running)

    def of(self, session: str) -> Visitor:
        """The page of that session; a new one where it is not known."""
        with self._lock:
            if session not in self._all and len(self._all) >= limits.SEATS:
                unused = min(self._all, key=lambda name: (bool(self._all[name].bytes), self._all[name].seen))
                self._all.pop(unused).close()
            visitor = self._all.setdefault(session, Visitor())
            visitor.seen = time.monotonic()
            return visitor

    def start(self, session: str, runs: list[Run]) -> None:
        """Starts these runs of a page, and makes room for them among everyone's."""
        self.of(session).start(runs, self._places)
        with self._lock:
            everyone = sorted(self._all.values(), key=lambda visitor: visitor.seen)
        held = {visitor: visitor.bytes for visitor in everyone}
        while sum(held.values()) > BYTES_ALL:
            full = next((visitor for visitor in everyone if visitor.oldest()), None)
            if full is None:
                return
            full.forget(full.oldest().id)
            held[full] = full.bytes

    def left(self, session: str) -> None:
        """A page was closed: its runs end after the step that they are at, and all that it kept is free."""
        with self._lock:
            visitor = self._all.pop(session, None)
        if visitor:
            visitor.close()


_visitors = Visitors()
of, start, left = _visitors.of, _visitors.start, _visitors.left


# ---- What a page asks for ------------------------------------------------------------------------------------------------


def wanted(session: str, given: dict) -> tuple[Run, list[str]]:
    """The run that a command describes, not started yet, and what the model will not understand of it, in sentences.

    {model, settings, picture or face, parent: {run, step}}. Raises ValueError, and Missing, with one sentence.
    """
    page, branch, settings = of(session), given.get("parent"), given.get("settings", {})
    if branch is not None:
        if not isinstance(branch, dict):
            raise ValueError("A branch names the run that it leaves, and the step.")
        parent = page.get(branch.get("run", ""))
        leave = parent.leave(branch.get("step"))
        chosen = asked.settings(settings, parent.model, parent=parent.settings)
        chosen, said = asked.read(chosen, parent.model)
        return Run(parent.model, chosen, parent.image, leave), said

    model, image = models.load(str(given.get("model") or "")), None
    if given.get("face") is not None:
        image = pictures.face(given["face"])
    elif given.get("picture"):
        image = page.pictures.get(given["picture"])
    chosen = asked.settings(settings, model, image is not None)
    chosen, said = asked.read(chosen, model)
    return Run(model, chosen, None if image is None else pictures.square(image, chosen.size or model.size)), said


def compared(session: str, given: dict, most: int) -> list[Run]:
    """The run {run} with each of the guidance {scales}, all started together, so that they share calls of the UNet.

    One that has run its course with its own scale is not run again.
    """
    run, scales = of(session).get(given.get("run", "")), given.get("scales")
    if not isinstance(scales, list) or not 1 <= len(scales) <= most:
        raise ValueError(f"A comparison takes 1 to {most} guidance scales.")
    scales = [asked.scale(scale) for scale in scales]
    out = {scale: run if scale == run.settings.guidance_scale and run.state == "done" else run.again(scale) for scale in scales}
    start(session, [one for one in out.values() if one is not run])
    return list(out.values())
