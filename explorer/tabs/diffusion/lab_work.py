"""What the forward lab and the three guidances keep: pictures and runs of each page, and answers that many pages share.

Everything is bounded, and what belongs to a page goes when it is closed.
"""

import logging
import secrets
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from explorer import uploads
from explorer.answers import Answers, Places
from explorer.tabs.diffusion import classifier, decoders, forward, guidances, models

log = logging.getLogger("explorer")

PICTURES, RUNS, PAGES = 8, 4, 120  # kept of a page, of a page, and in all
ANSWERS, ANSWERS_EACH = 64, 8  # of the forward lab, about faces and about a page's own pictures: up to 0.5 MB each
GONE = "This picture is no longer here; please bring it again."

COMPARING = 3  # comparisons that run at once, in threads of their own; others wait their turn
COMPUTING, LINE = 3, 3  # answers of the forward lab that are computed at once, and that wait: each holds one of limits.WORKERS
PATIENCE = 8.0  # seconds that one of them waits


def model():
    """The model that ships: its noise, its classifier and its labels belong together."""
    return models.load("")


_places = Places(COMPUTING, LINE, PATIENCE)


# ---- Pages --------------------------------------------------------------------------------------------------------------


class Page:
    """One page's own pictures (id -> pixels), answers about them, and comparisons (id -> Comparison), the oldest first."""

    def __init__(self):
        self.lock = threading.Lock()
        self.pictures: OrderedDict[str, np.ndarray] = OrderedDict()
        self.answers = Answers(ANSWERS_EACH, _places)
        self.runs: OrderedDict[str, Comparison] = OrderedDict()

    @property
    def worth(self) -> int:
        """0 where nothing would be lost with it, 2 where a comparison is on its way."""
        if any(run.state == "running" for run in list(self.runs.values())):
            return 2
        return int(bool(self.pictures or self.runs))


_pages: OrderedDict[str, Page] = OrderedDict()
_lock = threading.Lock()


def known(session: str) -> Page | None:
    """The page of that session, None where it has brought nothing and run nothing: to ask makes no page."""
    with _lock:
        if session in _pages:
            _pages.move_to_end(session)
        return _pages.get(session)


def page(session: str) -> Page:
    """The same for one that brings something: it is made. Of too many the one of least worth goes, the longest unseen first."""
    with _lock:
        others, gone = [name for name in _pages if name != session], []
        if len(others) >= PAGES:
            gone = [_pages.pop(min(others, key=lambda name: _pages[name].worth))]
        found = _pages.setdefault(session, Page())
        _pages.move_to_end(session)
    for old in gone:
        _stop(old)
    return found


def left(session: str) -> None:
    """A page was closed: its pictures and runs go."""
    with _lock:
        old = _pages.pop(session, None)
    if old:
        _stop(old)


def _stop(old: Page) -> None:
    with old.lock:
        for run in old.runs.values():
            run.stop()


def keep(session: str, data: bytes) -> dict:
    """An image file: {picture: its name here, note}. Raises uploads.BadImage."""
    picture = uploads.read_image(data, 64)
    mine, name = page(session), secrets.token_hex(6)
    with mine.lock:
        mine.pictures[name] = np.array(picture.pixels)
        while len(mine.pictures) > PICTURES:
            mine.pictures.popitem(last=False)
    return {"picture": "upload:" + name, "note": picture.note}


def pixels(session: str, name: str) -> tuple[np.ndarray, str]:
    """The picture that a page calls "face:12", "upload:..." or "run:...", and its caption. Raises ValueError."""
    kind, _, key = str(name).partition(":")
    if kind == "face" and key.isascii() and key.isdecimal() and len(key) < 8:
        return forward.face(int(key))
    if kind == "upload":
        mine = known(session)
        found = mine and mine.pictures.get(key)
        if found is None:
            raise ValueError(GONE)
        return found, ""
    if kind == "run":
        return _of_run(session, key)
    raise ValueError("A picture is face: and a number, upload: and its name, or run: and its name.")


def _of_run(session: str, key: str) -> tuple[np.ndarray, str]:
    """The last frame of a run of the steps part."""
    from explorer.tabs.diffusion import runs

    run = runs.of(session).get(key)
    if not run.over.is_set() or not len(run.steps):
        raise ValueError("This run has no picture yet; wait for its last step.")
    last = run.steps[len(run.steps) - 1].x_next
    if run.model.name != model().name or last.shape[1:] != model().latent:
        raise ValueError("The forward lab takes pictures of the model that ships, in its own size.")
    return decoders.decode(run.model, last)[0], " ".join(run.settings.prompt.split())[: forward.CAPTION_CHARS]


# ---- Answers of the forward lab -----------------------------------------------------------------------------------------


_shared = Answers(ANSWERS, _places)


def _answered(session: str, name: str, key: tuple, make):
    """An answer about a face is everybody's; one about a page's own picture is the page's and goes with it."""
    if str(name).startswith("face:"):
        mine = _shared
    else:
        if known(session) is None:
            pixels(session, name)  # raises for a picture that is not this page's, before there is a page for it
        mine = page(session).answers
    return mine.get((key[0], name, *key[1:]), make)


def subject(session: str, name: str) -> forward.Subject:
    return _answered(session, name, ("subject",), lambda: forward.subject(model(), *pixels(session, name)))


def guess(session: str, name: str, seed: int, plan: str, caption: str) -> forward.Guess:
    """What the network says to the whole film."""
    what, plan, caption = subject(session, name), forward.schedule(plan), forward.checked(caption)

    def make():
        return forward.guess(model(), what, forward.noises(seed)[0], plan, caption)

    return _answered(session, name, ("guess", seed, plan.name, caption), make)


def film(session: str, name: str, seed: int, plan: str) -> np.ndarray:
    """x_t decoded, (41, 64, 64, 3) uint8."""
    what, plan = subject(session, name), forward.schedule(plan)

    def make():
        x = forward.noisy(what.x0, forward.noises(seed)[0], plan.abar[np.array(forward.FRAMES)])
        return decoders.decode(model(), x)

    return _answered(session, name, ("film", seed, plan.name), make)


def estimates(found: forward.Guess) -> np.ndarray:
    """x0 in one shot, decoded: without caption for all frames, then with it if there is one."""
    eps = [found.untold] + ([found.told] if found.told is not None else [])
    with _places.place():
        return decoders.decode(model(), torch.cat([forward.estimate(found.x, one, found.asked) for one in eps]))


def example(session: str, name: str, plan: str, caption: str, seed: int) -> forward.Guess:
    what, plan, caption = subject(session, name), forward.schedule(plan), forward.checked(caption)

    def make():
        return forward.example(model(), what, plan, caption, seed)

    return _answered(session, name, ("example", plan.name, caption, seed), make)


def example_pictures(found: forward.Guess) -> np.ndarray:
    """x_t and the estimates of x0, decoded: (2 or 3, 64, 64, 3)."""
    with _places.place():
        return decoders.decode(model(), forward.shown(found))


# ---- Three guidances ----------------------------------------------------------------------------------------------------


class Comparison:
    """One run of three ways, in a thread of the pool. Anyone may read `steps` at any time."""

    def __init__(self, settings: guidances.Settings):
        self.id, self.settings = secrets.token_hex(6), settings
        self.steps: list[guidances.Step] = []
        self.state, self.waiting, self.error, self.verdict, self.seconds = "running", True, "", None, 0.0
        self._stopped, self._turn = threading.Event(), None
        self._pictures: dict[tuple, np.ndarray] = {}
        self._decoding = threading.Lock()

    def start(self, pool: ThreadPoolExecutor) -> None:
        self._turn: Future | None = pool.submit(self.work)

    def stop(self) -> None:
        """It ends after the step that it is at; one that still waits for its turn leaves the line."""
        self._stopped.set()
        if self._turn is not None and self._turn.cancel():
            self.state = "stopped"

    def work(self) -> None:
        self.waiting, began = False, time.monotonic()
        state = "error"
        try:
            if self._follow():
                final = np.concatenate([self.pictures(method, "final") for method in guidances.METHODS])
                self.verdict = guidances.verdict(final, self.settings)
                state = "done"
            else:
                state = "stopped"
        except Exception as problem:
            expected = isinstance(problem, ValueError) or type(problem).__name__ == "Missing"
            if not expected:
                log.exception("comparison %s", self.id)
            self.error = str(problem) if expected else "The comparison broke off; the host's log says why."
        finally:
            self.seconds = time.monotonic() - began
            self.state = state  # last: who sees it finds all the rest

    def _follow(self) -> bool:
        """Makes the steps; False where it was stopped, be it before the first."""
        if self._stopped.is_set():
            return False
        steps = guidances.compare(model(), classifier.load(model().folder), self.settings)
        while not self._stopped.is_set():
            step = next(steps, None)
            if step is None:
                return True
            self.steps.append(step)
        return False

    def latents(self, method: str, view: str, count: int) -> torch.Tensor:
        """(count, 4, 8, 8) of one way: x, x0, plain (x0 had there been no push), or final (1, 4, 8, 8)."""
        branches = [step.branches[method] for step in self.steps[:count]]
        if view == "final":
            return branches[-1].x_next
        if view in ("x", "x0"):
            return torch.cat([getattr(branch, view) for branch in branches])
        if view == "plain" and branches[0].plain is not None:
            a = torch.tensor([step.abar for step in self.steps[:count]]).view(-1, 1, 1, 1)
            x, plain = (torch.cat([getattr(branch, name) for branch in branches]) for name in ("x", "plain"))
            return (x - (1 - a).sqrt() * plain) / a.sqrt()
        raise ValueError("This way of guidance has no such view.")

    def pictures(self, method: str, view: str) -> np.ndarray:
        """The same, decoded: (count, 64, 64, 3) uint8. A run that is done decodes each film once."""
        count = len(self.steps)
        if not count:
            raise ValueError("This comparison has no step yet.")
        with self._decoding:
            key = (method, view, count)
            if key not in self._pictures:
                self._pictures = {other: kept for other, kept in self._pictures.items() if other[2] == count}
                self._pictures[key] = decoders.decode(model(), self.latents(method, view, count))
            return self._pictures[key]

    def recombined(self, method: str, index: int, scale: float) -> np.ndarray:
        """x0 of one step with another scale, from the stored predictions, decoded: (1, 64, 64, 3). No UNet is asked."""
        if not 0 <= index < len(self.steps):
            raise ValueError(f"This comparison has steps 0 to {len(self.steps) - 1}.")
        return decoders.decode(model(), guidances.recombined(self.steps[index], method, scale))

    def forget_pictures(self) -> None:
        """What was decoded goes; it can be decoded again."""
        with self._decoding:
            self._pictures = {}

    def push(self, method: str) -> np.ndarray:
        """What the push changes in the estimate of the picture, around middle grey, so scaled that the most is full."""
        difference = self.pictures(method, "x0").astype(np.float32) - self.pictures(method, "plain")
        most = np.abs(difference).max((1, 2, 3), keepdims=True).clip(24)  # or a change that nobody could see would be blown up
        return (127.5 + 127.5 * difference / most).round().astype(np.uint8)


_pool = ThreadPoolExecutor(COMPARING, thread_name_prefix="guidances")


def begin(session: str, given: dict) -> Comparison:
    """Starts a comparison as soon as there is a turn for it; the page's running one stops."""
    settings = guidances.checked(given)
    run, mine = Comparison(settings), page(session)
    with mine.lock:
        others = list(mine.runs.values())
        for other in others:
            other.stop()
        mine.runs[run.id] = run
        while len(mine.runs) > RUNS:
            mine.runs.popitem(last=False)
        run.start(_pool)
    for other in others:
        other.forget_pictures()
    return run


def comparison(session: str, key: str) -> Comparison:
    mine = known(session)
    found = mine and mine.runs.get(str(key))
    if found is None:
        raise ValueError("This comparison is no longer here; run it again.")
    return found
