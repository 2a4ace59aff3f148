"""Long work of this part, each piece once for all who ask: matrices, rows, drift curves. Pages look in until it is done."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from explorer.tabs.vae import attribute_effects, attribute_stack
from explorer.tabs.vae.attribute_stack import Edit
from explorer.tabs.vae.engine import Vae

KEPT, WAITING = 160, 40  # answers kept; pieces that may wait at once
BUSY = "Too many edits are being measured at once; try again in a moment."


class Job:
    """One piece of work. `work()` yields how many steps are done, at last the answer."""

    def __init__(self, total: int, work: Callable[[], Iterator]):
        self.total, self.done, self.answer, self.error = total, 0, None, None
        self.askers: set[str] = set()
        self.stopped = False
        self.over = threading.Event()
        self._work: Callable[[], Iterator] | None = work

    def run(self) -> None:
        try:
            for step in () if self.stopped else self._work():
                if self.stopped:
                    break
                if isinstance(step, int):
                    self.done = step
                else:
                    self.answer = step
        except ValueError as problem:
            self.error = problem.with_traceback(None)  # whose frames would keep the model
        except Exception as error:
            self.error = error
        self._work = None  # it holds the model, which may be one of a page that is closed
        self.over.set()
        self.askers.clear()

    def told(self) -> dict:
        """{state: "busy" or "done", done, total, answer}. Raises what went wrong."""
        if self.error:
            raise self.error
        state = "done" if self.answer is not None else "busy"
        return {"state": state, "done": self.done, "total": self.total, "answer": self.answer}


_jobs: OrderedDict[tuple, Job] = OrderedDict()
_lock = threading.Lock()
_shared = ThreadPoolExecutor(1, "vae-matrices")  # for everybody
_asked = ThreadPoolExecutor(1, "vae-effects")  # a visitor's own question, not behind those


def _job(key: tuple, session: str, pool: ThreadPoolExecutor, total: int, work: Callable[[], Iterator]) -> Job:
    with _lock:
        _leave(session, key[0], but=key)
        job = _jobs.get(key)
        if job is not None and job.error:
            return _jobs.pop(key)  # what went wrong is told once; who asks again begins anew
        if job is None or job.stopped:
            if sum(not one.over.is_set() for one in _jobs.values()) >= WAITING:
                raise ValueError(BUSY)
            job = _jobs[key] = Job(total, work)
            pool.submit(job.run)
        if not job.over.is_set():
            job.askers.add(session)
        _jobs.move_to_end(key)
        over = [key for key, one in _jobs.items() if one.over.is_set()]
        for old in over[: max(0, len(_jobs) - KEPT)]:
            _jobs.pop(old)
        return job


def _leave(session: str, kind: str | None = None, but: tuple = ()) -> None:
    """A page asks for another one of a kind, or is closed: what it alone waits for is not done. Matrices of what ships are
    everybody's."""
    for key, job in list(_jobs.items()):
        if key == but or kind not in (None, key[0]):
            continue
        job.askers.discard(session)
        if key[0] != "matrix" and not job.askers and not job.over.is_set():
            job.stopped = True
            _jobs.pop(key)


def matrix(vae: Vae, session: str, method: str, own: bool = False) -> Job:
    """All usual edits on held-out pictures: a list of rows. Of a model of a page's own, only while that page wants it."""
    edits = attribute_effects.usual(dict(vae.source.factors), method)

    def work():
        rows, done = [], 0
        for edit in edits:
            try:
                for step in attribute_effects.row(vae, "", edit):
                    if isinstance(step, int):
                        yield done + step
                    else:
                        rows.append(step.told())
            except ValueError as problem:  # a world in which all codes are one has no direction
                rows.append({"edit": edit.text, "error": str(problem)})
            done += attribute_effects.FACES
            yield done
        yield rows

    key = ("own matrix" if own else "matrix", id(vae), vae.facts["version"], method)
    return _job(key, session, _shared, len(edits) * attribute_effects.FACES, work)


def row(vae: Vae, session: str, edit: Edit) -> Job:
    """One edit on held-out pictures."""

    def work():
        for step in attribute_effects.row(vae, session, edit):
            yield step if isinstance(step, int) else step.told()

    key = ("row", id(vae), vae.facts["version"], _whose(session, edit), edit)
    return _job(key, session, _asked, attribute_effects.FACES, work)


def kept(vae: Vae, session: str, edit: Edit) -> Job:
    """The same edit as it is, and with what it is to keep kept in each of the ways: {how: row or {error}}."""
    plain = Edit(edit.factor, edit.before, edit.after, edit.method)
    ways = [plain, *(Edit(edit.factor, edit.before, edit.after, edit.method, edit.keep, how) for how in attribute_stack.WAYS)]

    def work():
        told, done = {}, 0
        for one in ways:
            try:
                for step in attribute_effects.row(vae, session, one):
                    if isinstance(step, int):
                        yield done + step
                    else:
                        told[one.how or "plain"] = step.told()
            except ValueError as problem:
                told[one.how or "plain"] = {"edit": one.text, "error": str(problem)}
            done += attribute_effects.FACES
        yield told

    key = ("kept", id(vae), vae.facts["version"], _whose(session, edit), plain, edit.keep)
    return _job(key, session, _asked, len(ways) * attribute_effects.FACES, work)


def drift(vae: Vae, session: str, edit: Edit) -> Job:
    """The curves of an edit over its dose."""
    key = ("drift", id(vae), vae.facts["version"], _whose(session, edit), edit.bare)
    return _job(key, session, _asked, len(attribute_effects.DRIFT), lambda: attribute_effects.drift(vae, session, edit))


def _whose(session: str, edit: Edit) -> str:
    """An edit of one's own pictures is its page's, every other one everybody's."""
    return session if edit.factor == attribute_stack.OWN else ""


def stop(session: str) -> None:
    """The visitor does not want to wait."""
    with _lock:
        _leave(session)


def left(session: str) -> None:
    stop(session)
