"""Who goes next when many want the same few places. Knows visitors by name only.

A place that falls free goes to the visitor who has waited longest since his last turn, so that ten requests of one
visitor delay another's first by one place, not by ten.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Full(Exception):
    """No more may wait; its text is one sentence for the visitor."""


class Turns:
    """At most `most` at once, `each` of them for one visitor; `waiting` more of a visitor's may wait, `line` in all.

    For one event loop only.
    """

    def __init__(self, most: int, each: int, waiting: int, line: int):
        self._free, self._each, self._waiting, self._line = most, each, waiting, line
        self._held: Counter[Hashable] = Counter()
        self._queues: dict[Hashable, deque[asyncio.Future]] = {}  # in the order in which visitors come to their turns

    @asynccontextmanager
    async def turn(self, visitor: Hashable) -> AsyncIterator[bool]:
        """Waits for a place and holds it; True where it had to wait. Raises Full where it may not even wait."""
        waited = not (self._free and self._held[visitor] < self._each)
        if waited:
            await self._wait(visitor)
        else:
            self._take(visitor)
        try:
            yield waited
        finally:
            self._release(visitor)

    async def _wait(self, visitor: Hashable) -> None:
        if len(self._queues.get(visitor, ())) >= self._waiting:
            raise Full("You have asked for too much at once; wait a moment.")
        if sum(map(len, self._queues.values())) >= self._line:
            raise Full("Too many people are asking at this moment; try again shortly.")

        place = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(visitor, deque())
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was given in the very moment of leaving
                self._release(visitor)
            elif place in queue:
                queue.remove(place)
                self._forget(visitor)
            raise

    def _take(self, visitor: Hashable) -> None:
        self._free -= 1
        self._held[visitor] += 1

    def _release(self, visitor: Hashable) -> None:
        self._free += 1
        self._held[visitor] -= 1
        self._forget(visitor)
        while self._free and self._give():
            pass

    def _give(self) -> bool:
        """Gives one place to the first visitor who may have one, and puts him last. False where nobody may."""
        for visitor, queue in self._queues.items():
            while queue and queue[0].done():  # has left, and is about to say so
                queue.popleft()
            if queue and self._held[visitor] < self._each:
                self._queues[visitor] = self._queues.pop(visitor)
                self._take(visitor)
                queue.popleft().set_result(None)
                return True
        return False

    def _forget(self, visitor: Hashable) -> None:
        """Keeps nothing of a visitor who neither holds nor waits."""
        if not self._held[visitor]:
            del self._held[visitor]
            if not self._queues.get(visitor):
                self._queues.pop(visitor, None)
