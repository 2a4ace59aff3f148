"""Shares of training time, on a clock of our own: no test here waits."""

import threading

import pytest

from explorer import limits
from explorer.tabs.gan.scheduler import Scheduler


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Lane:
    """A run whose rounds take a known time; fair, as the scheduler knows of runs only that they advance."""

    halted = ""

    def __init__(self, clock, cost):
        self.clock, self.cost, self.rounds, self.work = clock, cost, 0, 100_000

    def advance(self, rounds):
        self.rounds += rounds
        self.clock.now += rounds * self.cost
        return rounds


class Desk:
    def __init__(self, clock, cost=1e-4, speed=0, playing=True):
        self.lock, self.lanes = threading.RLock(), [Lane(clock, cost)]
        self.playing, self.speed, self.moved, self.version, self.rate, self.measurements = playing, speed, 0, 0, 0.0, 0

    def measure(self):
        self.measurements += 1
        self.lanes[0].clock.now += 0.010

    @property
    def rounds(self):
        return self.lanes[0].rounds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scheduler(clock):
    return Scheduler(clock=clock, work=clock, start=False)


def seat(scheduler, visitor, desk, viewers=1):
    scheduler.desk(visitor, lambda: desk)
    for _ in range(viewers):
        scheduler.watch(visitor, +1)
    return desk


def run(scheduler, clock, seconds):
    """Turns until so much time has passed; where nothing was to be done a millisecond passes."""
    end = clock.now + seconds
    while clock.now < end:
        if not scheduler.turn():
            clock.now += 1e-3


def test_alone_a_desk_has_the_whole_core(scheduler, clock):
    desk = seat(scheduler, "a", Desk(clock, cost=1e-4))
    run(scheduler, clock, 10)
    assert 95_000 <= desk.rounds <= 100_100, "all but what two measurements a second take"
    assert desk.rate == pytest.approx(10_000, rel=0.05)


def test_equal_shares_of_time_whatever_a_round_costs(scheduler, clock):
    desks = [seat(scheduler, f"v{i}", Desk(clock, cost=1e-5 * 3**i)) for i in range(4)]
    run(scheduler, clock, 20)
    times = [desk.rounds * desk.lanes[0].cost for desk in desks]
    assert max(times) / min(times) < 1.2


def test_full_speed_cannot_starve_a_limited_speed(scheduler, clock):
    greedy = [seat(scheduler, f"g{i}", Desk(clock)) for i in range(20)]
    calm = seat(scheduler, "calm", Desk(clock, speed=60))
    run(scheduler, clock, 10)
    assert calm.rounds == pytest.approx(600, rel=0.05)
    assert min(desk.rounds for desk in greedy) > 0.8 * max(desk.rounds for desk in greedy)


def test_a_hidden_page_gets_little_and_a_closed_one_nothing(scheduler, clock):
    seen, hidden, closed = (seat(scheduler, name, Desk(clock), name == "seen") for name in ("seen", "hidden", "closed"))
    scheduler.leave("closed")
    run(scheduler, clock, 10)
    assert 0.05 < hidden.rounds / seen.rounds < 0.2
    assert closed.rounds == 0


def test_a_speed_is_kept_and_what_was_missed_is_forgotten(scheduler, clock):
    desk = seat(scheduler, "a", Desk(clock, speed=300))
    run(scheduler, clock, 2)
    assert desk.rounds == pytest.approx(600, rel=0.02)
    clock.now += 60  # a laptop that slept
    run(scheduler, clock, 1)
    assert desk.rounds < 600 + 300 + 100


def test_pausing_stops_at_once(scheduler, clock):
    desk = seat(scheduler, "a", Desk(clock))
    run(scheduler, clock, 0.1)
    before, desk.playing = desk.rounds, False
    assert scheduler.turn() is False and desk.rounds == before


def test_measurements_stay_a_small_part_of_the_time(scheduler, clock):
    desks = [seat(scheduler, f"v{i}", Desk(clock)) for i in range(50)]
    run(scheduler, clock, 10)
    assert 1 <= min(d.measurements for d in desks)
    assert sum(d.measurements for d in desks) * 0.010 < 0.25 * 10


def test_seats_end_and_go_to_those_who_are_there(scheduler, clock, monkeypatch):
    monkeypatch.setattr(limits, "SEATS", 2)
    seat(scheduler, "here", Desk(clock))
    seat(scheduler, "away", Desk(clock), viewers=0)
    with pytest.raises(ValueError, match="seats"):
        scheduler.desk("third", lambda: Desk(clock))
    clock.now += limits.AWAY_SECONDS + 1
    assert scheduler.desk("third", lambda: Desk(clock)) is not None
    assert scheduler.desk("away") is None and scheduler.desk("here") is not None


def test_who_is_away_for_long_loses_the_seat(scheduler, clock):
    seat(scheduler, "here", Desk(clock))
    seat(scheduler, "away", Desk(clock), viewers=0)
    clock.now += limits.IDLE_SECONDS + 1
    scheduler.turn()
    assert scheduler.peek("away") is None and scheduler.peek("here") is not None


def test_a_run_that_becomes_heavy_does_not_hold_up_the_others(scheduler, clock):
    """A visitor at full speed with tiny nets chooses the largest ones: the next slice must not be planned by the old price."""
    changed, other = seat(scheduler, "changed", Desk(clock, cost=4e-5)), seat(scheduler, "other", Desk(clock, speed=60))
    run(scheduler, clock, 2)
    changed.lanes[0].cost, changed.lanes[0].work = 0.1, 250_000_000
    before, longest = clock.now, 0.0
    for _ in range(3):
        began = clock.now
        scheduler.turn()
        longest = max(longest, clock.now - began)
    assert changed.rounds and longest < 0.15, "one round, as it cannot be cut"
    rounds, before = other.rounds, clock.now
    run(scheduler, clock, 10)
    assert other.rounds - rounds > 0.5 * 60 * (clock.now - before)


def test_long_rounds_get_no_more_than_their_share(scheduler, clock):
    heavy, light = seat(scheduler, "heavy", Desk(clock, cost=0.1)), seat(scheduler, "light", Desk(clock, cost=1e-4))
    heavy.lanes[0].work = 10**8
    run(scheduler, clock, 30)
    assert heavy.rounds * 0.1 < 0.6 * 30 and light.rounds * 1e-4 > 0.4 * 30


def test_a_run_that_halts_is_measured_once_more(scheduler, clock):
    """Its desk then plays no longer and has no other turn: the doctor must speak now."""
    desk = seat(scheduler, "a", Desk(clock))

    def diverge(rounds):
        desk.lanes[0].halted = "Diverged."
        return 0

    desk.lanes[0].advance = diverge
    before = desk.measurements
    scheduler.turn()
    assert desk.measurements > before and not desk.playing and desk.version


def test_whoever_loses_a_seat_is_named(clock):
    freed = []
    scheduler = Scheduler(freed.append, clock, clock, start=False)
    for name in ("closed", "idle"):
        seat(scheduler, name, Desk(clock), viewers=0)
    scheduler.leave("closed")
    clock.now += limits.IDLE_SECONDS + 1
    scheduler.turn()
    assert freed == ["closed", "idle"]


def test_one_desk_that_breaks_is_paused_and_the_others_go_on(scheduler, clock, caplog):
    broken, fine = seat(scheduler, "broken", Desk(clock)), seat(scheduler, "fine", Desk(clock))
    broken.lanes[0].advance = lambda rounds: 1 / 0
    run(scheduler, clock, 0.1)
    assert not broken.playing and fine.rounds > 0 and "ZeroDivisionError" in caplog.text
