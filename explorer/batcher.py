"""Many single requests, one call of the model. Knows neither models nor pages.

Whatever arrives while the model is busy goes together into the next call: a lone visitor never waits for company,
and a class shares batches.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary


class MicroBatcher:
    """`await batcher(row)` gives the row's part of `fn(rows)`, which is called in a thread, one call at a time.

    `fn` takes a list of 1 to `most` rows and returns as many results. If it fails for several rows, each is tried
    alone, so that the one who sent a bad row is the only one to get the exception.
    """

    def __init__(self, fn: Callable[[list], Sequence], most: int = 64):
        self._fn = fn
        self._most = most
        # Futures belong to an event loop, and a process may run several apps, each with its own.
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    async def __call__(self, row: Any) -> Any:
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(loop, _Line())
        future = loop.create_future()
        line.waiting.append((row, future))
        if line.worker is None or line.worker.done():
            line.worker = loop.create_task(self._work(line))
        return await future

    async def _work(self, line: "_Line") -> None:
        while line.waiting:
            batch, line.waiting = line.waiting[: self._most], line.waiting[self._most :]
            batch = [(row, future) for row, future in batch if not future.done()]  # without those who left
            if batch:
                await self._serve(batch)

    async def _serve(self, batch: list[tuple[Any, asyncio.Future]]) -> None:
        try:
            results = await asyncio.to_thread(self._fn, [row for row, _ in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"A batch of {len(batch)} rows came back as {len(results)} results.")
        except Exception as problem:
            if len(batch) > 1:
                for one in batch:
                    await self._serve([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(problem)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)


class _Line:
    """Those who wait on one event loop, and the task that serves them."""

    def __init__(self):
        self.waiting: list[tuple[Any, asyncio.Future]] = []
        self.worker: asyncio.Task | None = None
