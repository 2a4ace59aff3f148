"""Who trains when: a few seats for all pages, a line before them, and what each page keeps. Knows no network and no page's looks.

A training is heavy, so few run at once, each for so long at most; the rest wait and are told their place.
"""

import atexit
import logging
import os
import queue
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future

import numpy as np

from explorer import limits
from explorer.tabs.vae import models, training_data, training_save, training_zip
from explorer.tabs.vae.training_data import Pictures, Stopped
from explorer.tabs.vae.training_film import Film
from explorer.tabs.vae.training_run import Training, title
from explorer.tabs.vae.training_save import Saved
from explorer.tabs.vae.training_settings import Settings, checked
from explorer.training.data import Unavailable
from explorer.turns import Full

log = logging.getLogger("explorer")

RUNS = models.OWN_EACH  # kept of a page, each with its model
PAGES = 80  # that keep any
KEPT_BYTES = 600_000_000  # of pictures, films and nets of all pages
WAITING = 24  # trainings in the line: the last of them waits about twelve minutes
LATELY = 300  # seconds for which a page that holds something is safe from newcomers: a lecturer talks for so long
GONE = "This training is no longer here; train it again."
LONG = "Too many trainings wait at this moment; try again in a few minutes."
CROWDED = "This host keeps as many trainings as it can at this moment; delete one of yours or try again in a few minutes."
FULL = f"A page keeps {RUNS} trainings; delete one first."
BROKE = "The training broke off; the host's log says why."
OWN_FIRST = "This model was trained on pictures of your own: choose “Your pictures”, bring their ZIP first, then open it."
EXAMPLE = "own-example"  # the first view's training: one for all pages
UP = "Its {} seconds are up; go on where others do not wait."


class Run:
    """One training of a page: where it is in its life, and what came of it. Anyone may read it at any time."""

    def __init__(self, session: str, name: str, settings: Settings, data: Pictures | None, saved: Saved | None = None):
        self.session, self.name, self.settings, self.data = session, name, settings, data
        self.saved = saved  # the file that it was opened from
        self.state, self.note = "waiting", ""  # waiting, opening, running, stopped, done, failed
        self.training: Training | None = None
        self.kept = False  # whether its model may be chosen
        self.left = 0.0  # seconds, as the loop guesses
        self._wanted = threading.Event()
        self._turn: Future | None = None

    @property
    def live(self) -> bool:
        return self.state in ("waiting", "opening", "running")

    @property
    def film(self) -> Film | None:
        return self.training and self.training.film

    @property
    def size(self) -> int:
        """Bytes of its film and of four copies of its net (weights, average, and Adam's two); not of its pictures."""
        if self.training is None:
            return 0
        return self.training.film.size + 16 * sum(p.numel() for p in self.training.run.model.parameters())

    def go(self) -> None:
        """Into the line."""
        with _lock:
            self.state, self.note = "waiting", ""
            self._wanted.set()
            _line.append(self)
            self._turn = _seats.submit(self._work)

    def stop(self) -> None:
        """It ends after the step that it is at; one that waits leaves the line."""
        with _lock:
            self._wanted.clear()
            if self._turn is not None and self._turn.cancel():
                _leave(self)
                self.state = "stopped"

    def wait(self, seconds: float) -> None:
        """Until it has come to rest, for tests and scripts."""
        if self._turn is not None and not self._turn.cancelled():
            self._turn.result(seconds)

    def _work(self) -> None:
        _leave(self)
        state = "stopped"
        try:
            if not self._wanted.is_set():
                return
            self.state = "opening"
            if self.training is None:
                data = self.data or training_data.open_set(self.settings.data, self.settings.size, self._progress)
                training = Training(self.settings, data)
                if self.saved:
                    training.take_up(self.saved.weights, self.saved.steps, self.saved.seconds)
                self.training = training
            self.state = "running"
            state = self._train()
        except Stopped:
            pass
        except (ValueError, Unavailable) as problem:
            state, self.note = "failed", str(problem)
        except FloatingPointError:
            state, self.note = "failed", "The loss ran away; choose a lower learning rate."
        except Exception:
            log.exception("training %s", self.name)
            state, self.note = "failed", BROKE
        finally:
            self.state = state  # last: who sees it finds all the rest

    def _train(self) -> str:
        training, until = self.training, time.monotonic() + limits.TRAINING_SECONDS
        for progress in training.steps():
            self.left = progress.left
            if not self._wanted.is_set():
                break
            if time.monotonic() > until and not training.done and self.session != models.SHARED:
                self.note = UP.format(limits.TRAINING_SECONDS)
                break
        training.close()
        if training.run.step:
            vae = training.finished()
            with _lock:  # not for a page that is closed meanwhile, nor for a run that was deleted
                if self.name in (_shared if self.session == models.SHARED else _pages.get(self.session, _nobody)).runs:
                    models.keep(self.session, vae, self.name)
                    self.kept = True
        return "done" if training.done else "stopped"

    def _progress(self, done: int, total: int) -> None:
        self.note = f"Making its pictures: {done:,} of {total:,}."
        if not self._wanted.is_set():
            raise Stopped

    @property
    def told(self) -> dict:
        """What the page shows of it, without its film."""
        training = self.training
        return {
            "run": self.name, "state": self.state, "note": self.note, "settings": self.settings.told, "kept": self.kept,
            "saved": self.saved.steps if self.saved else 0,
            "title": title(self.settings, training.run.step if training else 0),
            "step": training.run.step if training else 0, "goal": training.goal if training else self.settings.steps,
            "left": round(self.left, 1) if self.state == "running" else None,
            "seconds": round(training.run.seconds, 2) if training else 0,
            "place": place(self), "newest": training.film.moments[-1].number if training and training.film.moments else -1,
        }  # fmt: skip

    def facts(self) -> dict:
        """What stays the same all along: labels of the map's points, their meaning, the size of the net."""
        if self.training is None:
            raise ValueError("This training has not begun yet.")
        data, net = self.training.data, self.training.run.model
        return {
            "labels": data.labels.tolist(), "factors": {name: list(values) for name, values in data.factors.items()},
            "shown": self.training.shown, "train": len(data.train), "held": len(data.held), "size": data.size,
            "parameters": sum(p.numel() for p in net.parameters()),
        }  # fmt: skip


# ---- Seats --------------------------------------------------------------------------------------------------------------


def _humble() -> None:
    """Those who only look at pictures go before those who train (Linux keeps this per thread)."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)
    except (AttributeError, OSError):
        pass


class Workers:
    """Threads that take work in the order in which it came. Unlike a pool's they do not hold up the end of the process."""

    def __init__(self, count: int, name: str):
        self._todo: queue.SimpleQueue = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{i}", daemon=True) for i in range(count)]
        self._begin = threading.Lock()

    def submit(self, work: Callable) -> Future:
        with self._begin:
            for thread in self._threads:
                if thread.ident is None:  # never started; nobody may ever train
                    thread.start()
        turn: Future = Future()
        self._todo.put((turn, work))
        return turn

    def end(self, until: float) -> None:
        """Nothing new is taken up; waits for what is under way, but not beyond that moment of `time.monotonic`."""
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        _humble()
        while (task := self._todo.get()) is not None:
            turn, work = task
            if turn.set_running_or_notify_cancel():
                try:
                    turn.set_result(work())
                except BaseException as problem:
                    turn.set_exception(problem)
            del task, turn, work  # an idle thread holds no pictures


_seats = Workers(limits.TRAININGS, "vae-training")
_reading = Workers(1, "vae-zip")
_line: list[Run] = []
_lock = threading.RLock()


def _leave(run: Run) -> None:
    with _lock:
        if run in _line:
            _line.remove(run)


def place(run: Run) -> int:
    """1 for who is next, 0 for who does not wait."""
    with _lock:
        return _line.index(run) + 1 if run in _line else 0


# ---- Pages --------------------------------------------------------------------------------------------------------------


class Upload:
    """A ZIP that is being read, and the pictures that came of it."""

    def __init__(self, data: bytes):
        self.state, self.note, self.done, self.total, self.pictures = "reading", "", 0, 0, None
        self._data, self._stopped = data, threading.Event()

    def start(self) -> None:
        self._turn = _reading.submit(self._work)

    def stop(self) -> None:
        self._stopped.set()
        if self._turn.cancel():
            self._data, self.state = b"", "stopped"

    def _work(self) -> None:
        state = "stopped"
        try:
            brought = training_zip.read(self._data, self._progress)
            self.pictures, self.note = training_data.of_visitor(brought.pixels), brought.note
            state = "ready"
        except Stopped:
            self.note = ""
        except ValueError as problem:
            state, self.note = "failed", str(problem)
        except Exception:
            log.exception("a ZIP of pictures")
            state, self.note = "failed", "This ZIP could not be read; the host's log says why."
        finally:
            self._data = b""
            self.state = state

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stopped.is_set():
            raise Stopped

    @property
    def size(self) -> int:
        """Bytes of the ZIP; not of its pictures, which trainings may hold too."""
        return len(self._data)

    @property
    def told(self) -> dict:
        found = self.pictures
        count = len(found.train) + len(found.held) if found else 0
        return {"state": self.state, "note": self.note, "done": self.done, "total": self.total, "count": count}


class Page:
    """One page's trainings, the oldest first, and the pictures that it brought."""

    def __init__(self):
        self.runs: OrderedDict[str, Run] = OrderedDict()
        self.upload: Upload | None = None
        self.seen = time.monotonic()

    @property
    def size(self) -> int:
        return sum(run.size for run in self.runs.values()) + (self.upload.size if self.upload else 0)

    @property
    def data(self) -> list[Pictures]:
        """The pictures that it brought, those of a ZIP that it let go of included where a training still holds them."""
        brought = [run.data for run in self.runs.values()] + [self.upload.pictures if self.upload else None]
        return [data for data in brought if data is not None]

    @property
    def safe(self) -> bool:
        """Whether it holds something that somebody may be looking at."""
        live = any(run.live for run in self.runs.values()) or (self.upload and self.upload.state == "reading")
        return bool(live or ((self.runs or self.upload) and time.monotonic() - self.seen < LATELY))

    def close(self) -> None:
        for run in self.runs.values():
            run.stop()
        if self.upload:
            self.upload.stop()


_pages: OrderedDict[str, Page] = OrderedDict()
_shared, _nobody = Page(), Page()  # one holds the example


def kept_bytes(pages: Iterable[Page]) -> int:
    """Of all that they hold; pictures that several trainings share count once."""
    pages = list(pages)
    return sum(page.size for page in pages) + sum({id(data): data.bytes for page in pages for data in page.data}.values())


def known(session: str) -> Page | None:
    with _lock:
        if found := _pages.get(session):
            found.seen = time.monotonic()
        return found


def page(session: str) -> Page:
    """The page of that session, made where there is none.

    Of too many those go that hold nothing, then those that were longest without news; where nobody can go, raises Full.
    """
    with _lock:
        while (session not in _pages and len(_pages) >= PAGES) or kept_bytes(_pages.values()) > KEPT_BYTES:
            idle = [name for name, one in _pages.items() if name != session and not one.safe]
            if not idle:
                raise Full(CROWDED)
            gone = min(idle, key=lambda name: (bool(_pages[name].runs or _pages[name].upload), _pages[name].seen))
            old = _pages.pop(gone)
            old.close()
            for run in old.runs:
                models.forget(gone, run)
        found = _pages.setdefault(session, Page())
        found.seen = time.monotonic()
        return found


def left(session: str) -> None:
    """A page was closed: its trainings stop, and all of it goes."""
    with _lock:
        old = _pages.pop(session, None)
        if old:
            models.left(session)
    if old:
        old.close()


def runs(session: str) -> list[Run]:
    mine = known(session)
    return [*_shared.runs.values(), *(mine.runs.values() if mine else ())]


def run(session: str, name) -> Run:
    """Raises ValueError for one that is not this page's."""
    found = next((one for one in runs(session) if one.name == name), None)
    if found is None:
        raise ValueError(GONE)
    return found


# ---- What a page asks for -----------------------------------------------------------------------------------------------


def example() -> Run:
    """The training of the first view: with the usual settings, once for all pages."""
    with _lock:
        if EXAMPLE not in _shared.runs:
            _shared.runs[EXAMPLE] = Run(models.SHARED, EXAMPLE, checked({}), None)
            _shared.runs[EXAMPLE].go()
        return _shared.runs[EXAMPLE]


def _room(session: str) -> None:
    """Raises Full where the line has no place left; that of the page itself would fall free."""
    if sum(run.session != session for run in _line) >= WAITING:
        raise Full(LONG)


def train(session: str, given: dict) -> Run:
    """Begins a training, or takes its place in the line; the page's running one stops."""
    return _begun(session, checked(given), "Bring a ZIP of pictures first.")


def open_saved(session: str, data: bytes) -> Run:
    """A model that was saved, as a training that has come to its end; what trains meanwhile stops, as for a new one."""
    saved = training_save.opened(data)
    return _begun(session, saved.settings, OWN_FIRST, saved)


def _begun(session: str, settings: Settings, without: str, saved: Saved | None = None) -> Run:
    """`without`: what is said where the page has brought no pictures and the settings want them."""
    if reason := training_data.lacking().get(settings.data):
        raise ValueError(reason)
    with _lock:
        _room(session)
        mine = page(session)
        if len(mine.runs) >= RUNS:
            raise ValueError(FULL)
        data = mine.upload.pictures if settings.data == "upload" and mine.upload else None
        if settings.data == "upload" and data is None:
            raise ValueError(without)
        if saved and data:
            saved.check(data)
        for other in mine.runs.values():
            other.stop()
        made = mine.runs[name] = Run(session, (name := models.OWN + secrets.token_hex(4)), settings, data, saved)
        made.go()
    return made


def go_on(session: str, name, steps: int | None = None) -> Run:
    """Continues one that was stopped, or gives one that came to its end another budget."""
    with _lock:  # asked twice at once, it is taken up once
        found = own(session, name)
        if found.live:
            return found
        if found.state == "failed":
            raise ValueError("This training failed and cannot go on; change a setting and train again.")
        _room(session)
        if found.training and found.training.done:
            if found.training.goal >= 5 * 20_000:
                raise ValueError("This training is long enough.")
            found.training.further(found.settings.steps)
        for other in known(session).runs.values():
            if other is not found:
                other.stop()
        found.go()
    return found


def own(session: str, name) -> Run:
    """One that the page itself began; the example is everybody's. Raises ValueError."""
    if name == EXAMPLE:
        raise ValueError("This example is everybody's; press Train for one of your own.")
    return run(session, name)


def delete(session: str, name) -> None:
    found = own(session, name)
    found.stop()
    with _lock:
        if mine := _pages.get(session):
            mine.runs.pop(name, None)
    models.forget(session, name)


def bring(session: str, data: bytes) -> Upload:
    """A ZIP, judged at once and read in the background. Raises ValueError."""
    training_zip.opened(data)
    made = Upload(data)
    with _lock:
        mine = page(session)
        waiting = sum(1 for p in _pages.values() if p.upload and p.upload.state == "reading")
        if waiting >= limits.TRAINING_UPLOADS:
            raise ValueError("Many ZIPs are being read at this moment; try again shortly.")
        if mine.upload:
            mine.upload.stop()
        mine.upload = made
        made.start()
    return made


def drop(session: str) -> None:
    """The visitor lets go of the ZIP, or of its reading."""
    if (mine := known(session)) and mine.upload:
        mine.upload.stop()
        mine.upload = None


def pictures(session: str, name) -> np.ndarray:
    """(N, S, S, 3): the held-out pictures of a run, in the order of the map's points."""
    found = run(session, name)
    if found.training is None:
        raise ValueError("This training has not begun yet.")
    return found.training.data.held[:1000]


def _end() -> None:
    """The process ends: whoever trains leaves after the step it is at, which torch wants finished; a second at most."""
    with _lock:
        for one in (_shared, *_pages.values()):
            one.close()
    until = time.monotonic() + 1
    for workers in (_seats, _reading):
        workers.end(until)


atexit.register(_end)
