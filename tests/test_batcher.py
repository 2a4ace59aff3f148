"""Who waits is served together, in order, and nobody pays for another's mistake."""

import asyncio
import threading
import time

import numpy as np
import pytest

from explorer.batcher import MicroBatcher
from explorer.turns import Full, Turns


def test_everyone_gets_his_own():
    async def ask():
        batcher = MicroBatcher(lambda rows: np.stack(rows) * 2)
        return await asyncio.gather(*(batcher(np.full(3, i)) for i in range(200)))

    assert [int(row[0]) for row in asyncio.run(ask())] == list(range(0, 400, 2))


def test_what_waits_while_the_model_is_busy_goes_together_and_never_more_than_most():
    sizes, busy = [], threading.Event()

    def slow(rows):
        sizes.append(len(rows))
        busy.wait(5)
        return rows

    async def ask():
        batcher = MicroBatcher(slow, most=10)
        first = asyncio.create_task(batcher(0))
        while not sizes:
            await asyncio.sleep(0.001)
        rest = [asyncio.create_task(batcher(i)) for i in range(25)]
        await asyncio.sleep(0.01)
        busy.set()
        return await asyncio.gather(first, *rest)

    assert asyncio.run(ask()) == [0, *range(25)]
    assert sizes == [1, 10, 10, 5]


def test_the_event_loop_stays_free():
    async def ask():
        batcher = MicroBatcher(lambda rows: (time.sleep(0.2), rows)[1])
        answer, ticks = asyncio.create_task(batcher(1)), 0
        while not answer.done():
            await asyncio.sleep(0.005)
            ticks += 1
        return ticks

    assert asyncio.run(ask()) > 5


def test_a_bad_row_fails_alone():
    def fussy(rows):
        if 3 in rows:
            raise ValueError("Not three.")
        return rows

    async def ask():
        batcher = MicroBatcher(fussy)
        return await asyncio.gather(*(batcher(i) for i in range(6)), return_exceptions=True)

    answers = asyncio.run(ask())
    assert isinstance(answers[3], ValueError) and answers[:3] + answers[4:] == [0, 1, 2, 4, 5]


def test_it_goes_on_after_a_failure_and_notices_lost_results():
    async def ask():
        batcher = MicroBatcher(lambda rows: rows[1:])
        with pytest.raises(RuntimeError, match="0 results"):
            await batcher(1)
        with pytest.raises(RuntimeError):
            await batcher(2)

    asyncio.run(ask())


def test_those_who_left_are_not_computed():
    seen, busy = [], threading.Event()

    def slow(rows):
        seen.append(list(rows))
        busy.wait(5)
        return rows

    async def ask():
        batcher = MicroBatcher(slow)
        first = asyncio.create_task(batcher("first"))
        while not seen:
            await asyncio.sleep(0.001)
        left, stayed = asyncio.create_task(batcher("left")), asyncio.create_task(batcher("stayed"))
        await asyncio.sleep(0.01)
        left.cancel()
        await asyncio.sleep(0)
        busy.set()
        return await asyncio.gather(first, stayed)

    assert asyncio.run(ask()) == ["first", "stayed"] and seen == [["first"], ["stayed"]]


def test_one_batcher_serves_two_event_loops():
    """Two apps in one process share an engine; a future may only be touched by its own loop."""
    batcher, answers = MicroBatcher(lambda rows: (time.sleep(0.01), rows)[1]), []

    async def ask(i):
        return await asyncio.gather(*(batcher((i, k)) for k in range(50)))

    threads = [threading.Thread(target=lambda i=i: answers.append(asyncio.run(ask(i)))) for i in range(2)]
    [thread.start() for thread in threads]
    [thread.join(10) for thread in threads]
    assert sorted(answers) == [[(i, k) for k in range(50)] for i in range(2)]


# --- Turns ---


def served(turns, visitors, each_takes=0.002):
    """The visitors in the order in which they came to their turns, and the most that were served at once."""
    order, now, most = [], 0, 0

    async def come(visitor):
        nonlocal now, most
        async with turns.turn(visitor):
            now += 1
            most = max(most, now)
            order.append(visitor)
            await asyncio.sleep(each_takes)
            now -= 1

    async def all_come():
        await asyncio.gather(*(come(visitor) for visitor in visitors))

    asyncio.run(all_come())
    return order, most


def test_a_newcomer_does_not_wait_behind_everything_that_another_wants():
    order, most = served(Turns(2, 2, 99, 99), "a" * 20 + "b" * 2)
    assert most == 2
    assert order.index("b") <= 3 and sorted(order) == ["a"] * 20 + ["b"] * 2


def test_nobody_holds_more_than_his_share_even_alone():
    assert served(Turns(10, 3, 99, 99), "a" * 30)[1] == 3
    assert served(Turns(10, 3, 99, 99), "abcdefgh" * 5)[1] == 10


def test_who_wants_too_much_is_refused_and_the_others_are_not():
    async def come():
        turns = Turns(1, 1, 2, 3)
        async with turns.turn("a") as waited:
            assert not waited
            waiting = [asyncio.create_task(turns.turn(name).__aenter__()) for name in "aab"]
            await asyncio.sleep(0)
            with pytest.raises(Full, match="You have asked for too much"):
                await turns.turn("a").__aenter__()
            with pytest.raises(Full, match="Too many people"):
                await turns.turn("c").__aenter__()
        [task.cancel() for task in waiting]

    asyncio.run(come())


def test_who_leaves_the_line_leaves_nothing_behind():
    async def come():
        turns = Turns(1, 1, 9, 9)
        async with turns.turn("a"):
            waiting = [asyncio.create_task(turns.turn(name).__aenter__()) for name in "bcb"]
            await asyncio.sleep(0)
            [task.cancel() for task in waiting]
            await asyncio.sleep(0)
        for _ in range(3):
            async with turns.turn("d") as waited:
                assert not waited
        assert not turns._held and not turns._queues

    asyncio.run(come())


def test_a_place_that_was_given_to_someone_who_just_left_goes_on():
    async def come():
        turns = Turns(1, 1, 9, 9)
        holder = turns.turn("a")
        await holder.__aenter__()
        leaving = asyncio.create_task(turns.turn("b").__aenter__())
        await asyncio.sleep(0)
        await holder.__aexit__(None, None, None)  # gives the place to b ...
        leaving.cancel()  # ... who leaves before he knows
        await asyncio.gather(leaving, return_exceptions=True)
        async with asyncio.timeout(1), turns.turn("c") as waited:
            assert not waited

    asyncio.run(come())
