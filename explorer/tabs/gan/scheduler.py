"""Who trains when: one thread that gives every desk its share of one core. Knows desks and clocks, no page and no network.

Each desk that plays gets a slice in turn, so that one at full speed holds up another by one slice, not by its whole
appetite. A desk that nobody looks at gets little, and one that was left gets nothing.
"""

import logging
import threading
import time
from collections.abc import Callable

from explorer import limits
from explorer.tabs.gan.desk import Desk

log = logging.getLogger("explorer")

LONG, SHORT = 0.008, 0.002  # seconds of a slice, when one desk trains and when very many do
ROUND = 0.060  # seconds in which everyone shall have had a turn
HIDDEN = 0.1  # share of a slice for a desk that nobody looks at
MEASURE_EVERY = 0.5  # seconds between two measurements of a desk, at least
MEASURE_SHARE = 0.2  # of the time, for measurements of all desks together


class Seat:
    """A desk and what the scheduler knows of it."""

    def __init__(self, desk: Desk, now: float):
        self.desk = desk
        self.viewers = 0  # pages that look at it at this moment
        self.seen = now  # when someone last did
        self.last = now  # when it last trained
        self.due = 0.0  # rounds that a limited speed still owes it
        self.cost = 1e-8  # seconds of a unit of Settings.work, as measured
        self.rest = now  # until when it waits, having taken more than its slice
        self.measured = now
        self.trained = 0  # rounds since the rate was taken
        self.rate_at = now


class Scheduler:
    """All desks of this host, and the thread that trains them.

    `freed(visitor)` hears of every seat that is given up. Shares are counted in seconds that this thread computed (`work`),
    so that nobody pays for a moment in which the machine did something else. Clocks and `start=False` are for tests.
    """

    def __init__(
        self,
        freed: Callable[[str], None] = lambda visitor: None,
        clock: Callable[[], float] = time.perf_counter,
        work: Callable[[], float] = time.thread_time,
        start: bool = True,
    ):
        self._freed, self._clock, self._work_clock, self._seats = freed, clock, work, {}
        self._measuring = 0.010  # seconds that one run's measurement takes
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="gan-training", daemon=True) if start else None
        if self._thread:
            self._thread.start()

    # ---- Seats --------------------------------------------------------------------------------------------------------

    def desk(self, visitor: str, new: Callable[[], Desk] | None = None) -> Desk | None:
        """A visitor's desk; with `new`, one is made where there is none. Raises ValueError where all seats are taken."""
        with self._lock:
            seat = self._seats.get(visitor)
            if seat is not None:
                seat.seen = self._clock()
                return seat.desk
            if new is None:
                return None
        made = new()  # takes a moment, in which the others' streams go on
        with self._lock:
            gone = self._evict() if visitor not in self._seats and len(self._seats) >= limits.SEATS else None
            seat = self._seats.setdefault(visitor, Seat(made, self._clock()))
        if gone:
            self._freed(gone)
        return seat.desk

    def peek(self, visitor: str) -> Desk | None:
        """A visitor's desk, as others may see it."""
        seat = self._seats.get(visitor)
        return seat.desk if seat else None

    def _evict(self) -> str:
        """Frees the seat of whoever has been away for longest, and says whose. Raises ValueError where nobody is away."""
        away = [(seat.seen, visitor) for visitor, seat in self._seats.items() if self._away(seat) > limits.AWAY_SECONDS]
        if not away:
            raise ValueError(f"All {limits.SEATS} seats of the lab are taken; try again in a few minutes.")
        del self._seats[min(away)[1]]
        return min(away)[1]

    def _away(self, seat: Seat) -> float:
        return 0.0 if seat.viewers else self._clock() - seat.seen

    def leave(self, visitor: str) -> None:
        """The page was closed: nothing of it stays."""
        with self._lock:
            self._seats.pop(visitor, None)
        self._freed(visitor)

    def watch(self, visitor: str, by: int) -> None:
        """One more page looks at this desk, or one fewer."""
        with self._lock:
            if seat := self._seats.get(visitor):
                seat.viewers, seat.seen = max(0, seat.viewers + by), self._clock()

    @property
    def viewers(self) -> int:
        return sum(seat.viewers for seat in list(self._seats.values()))

    def wake(self) -> None:
        """Something plays now that did not."""
        self._wake.set()

    # ---- Training -----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            if not self.turn():
                self._wake.wait(timeout=0.02 if self._playing() else 5.0)
                self._wake.clear()

    def _playing(self) -> list[Seat]:
        with self._lock:
            return [seat for seat in self._seats.values() if seat.desk.playing]

    def turn(self) -> bool:
        """Gives every desk that plays one slice. False where there was nothing to do just now."""
        self._sweep()
        playing, busy = self._playing(), False
        for seat in playing:
            slice_ = max(SHORT, min(LONG, ROUND / len(playing))) * (1 if seat.viewers else HIDDEN)
            try:
                if self._clock() < seat.rest:
                    continue
                began = self._work_clock()
                busy |= self._train(seat, slice_)
                over = self._work_clock() - began - slice_  # a round cannot be cut: who has long ones comes less often
                seat.rest = self._clock() + max(0.0, over) * (len(playing) - 1)
                self._measure(seat, len(playing))
            except Exception:  # one visitor's trouble ends neither the thread nor the others' runs
                log.exception("A run failed; its desk is paused.")
                seat.desk.playing = False
                seat.desk.version += 1
        return busy

    def _sweep(self) -> None:
        with self._lock:
            gone = [v for v, seat in self._seats.items() if self._away(seat) > limits.IDLE_SECONDS]
            for visitor in gone:
                del self._seats[visitor]
        for visitor in gone:
            self._freed(visitor)

    def _train(self, seat: Seat, slice_: float) -> bool:
        """One slice. A limited speed gives what is due, and forgets what could not be done in time."""
        desk, now, began = seat.desk, self._clock(), self._work_clock()
        elapsed, seat.last = min(now - seat.last, 0.25), now
        work = sum(lane.work for lane in desk.lanes)
        most = max(1, int(slice_ / (seat.cost * work)))
        if desk.speed:
            seat.due = min(seat.due + desk.speed * elapsed, max(1.0, desk.speed * 0.25))
            rounds = min(int(seat.due), most)
            seat.due -= rounds
        else:
            rounds = most
        if rounds == 0:
            return False

        with desk.lock:
            if not desk.playing:
                return False
            done = [lane.advance(rounds) for lane in desk.lanes]
            desk.moved += 1
            if any(lane.halted for lane in desk.lanes) and any(count < rounds for count in done):
                desk.version += 1
                desk.playing = not all(lane.halted for lane in desk.lanes)
                desk.measure()  # the doctor has something to say, and the last turn of a desk has no other occasion
        spent = self._work_clock() - began
        if max(done):
            seat.cost = 0.7 * seat.cost + 0.3 * spent / (max(done) * work)
        self._rate(seat, max(done))
        return True

    def _rate(self, seat: Seat, rounds: int) -> None:
        seat.trained += rounds
        now = self._clock()
        if now - seat.rate_at > 0.5:
            seat.desk.rate = seat.trained / (now - seat.rate_at)
            seat.trained, seat.rate_at = 0, now

    def _measure(self, seat: Seat, playing: int) -> None:
        """Metrics now and then: seldom enough that all desks' together take a small part of the time."""
        desk, now = seat.desk, self._clock()
        cost = self._measuring * len(desk.lanes)
        if not seat.viewers or now - seat.measured < max(MEASURE_EVERY, playing * cost / MEASURE_SHARE):
            return
        seat.measured, began = now, self._work_clock()
        with desk.lock:
            desk.measure()
        self._measuring = 0.9 * self._measuring + 0.1 * (self._work_clock() - began) / len(desk.lanes)
