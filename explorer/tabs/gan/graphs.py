"""The reference's batched step on a GPU as CUDA graphs: a whole update is launched at once, not kernel by kernel.

A step of nets this small costs a GPU next to nothing; what costs is asking for its hundred kernels one after the other. A
graph records them once, with the memory they use, and replays them. So everything that changes between updates must lie
where it lay: weights, memories and ticks are written in place, and draws are copied into fixed tensors.
See https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from explorer.tabs.gan import reference
from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import State, Trace

WARM_UPS = 3  # updates before the recording, in which libraries allocate what they need once


class Graphed:
    """Runs of one shape and equal k_d, k_g on a GPU, whose updates are replayed. `advance` writes into their states."""

    def __init__(self, runs: Sequence[tuple[Settings, State]], device: str | torch.device = "cuda"):
        first = runs[0][0]
        if any((reference.shape(s), s.k_d, s.k_g) != (reference.shape(first), first.k_d, first.k_g) for s, _ in runs):
            raise ValueError("Runs of one graph have one shape, and the same updates per round.")
        self.batch = reference.Batch(runs, device)
        self.rows = self.batch.rows([True] * len(runs))
        self.k = {"d": first.k_d, "g": first.k_g}
        self.recorded: dict[str, tuple] = {}  # "d" or "g" -> its graph, its inputs and what it tells

    def advance(self, rounds: int) -> list[Trace]:
        """As reference.advance, of whole rounds."""
        batch, told = self.batch, {"d": [], "g": []}
        for _ in range(rounds):
            for who, feed in (("d", batch.d_feed), ("g", batch.g_feed)):
                for _ in range(self.k[who]):
                    told[who].append(self._update(who, feed(self.rows)))
        for state in batch.states:
            state.rounds += rounds
        batch.save()

        columns = {}
        for who, names in (("d", batch.TOLD[:5]), ("g", batch.TOLD[5:])):
            means = np.full((rounds, len(batch.states), len(names)), np.nan, np.float32)
            if told[who]:
                found = torch.stack(told[who]).double().cpu().numpy()
                means = found.reshape(rounds, self.k[who], *found.shape[1:]).mean(1).astype(np.float32)
            columns |= {name: means[:, :, i] for i, name in enumerate(names)}
        return [
            Trace(**{name: np.ascontiguousarray(columns[name][:, row]) for name in Trace.NAMES})
            for row in range(len(batch.states))
        ]

    def _update(self, who: str, draws: list[torch.Tensor | None]) -> torch.Tensor:
        if who not in self.recorded:
            self.recorded[who] = self._record(who, draws)
        graph, inputs, out = self.recorded[who]
        for place, values in zip(inputs, draws):
            if place is not None:
                place.copy_(values)
        graph.replay()
        return out.clone()  # the next replay overwrites it

    def _record(self, who: str, draws: list[torch.Tensor | None]) -> tuple:
        update: Callable = {"d": self.batch.d_update, "g": self.batch.g_update}[who]
        inputs = [None if values is None else values.clone() for values in draws]
        kept = [tensor.clone() for tensor in self._state()]

        # Warm-ups train, so the state is put back after them; the recording itself computes nothing.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                update(self.rows, *inputs)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            out = update(self.rows, *inputs)
        for tensor, before in zip(self._state(), kept):
            tensor.copy_(before)
        return graph, inputs, out

    def _state(self) -> list[torch.Tensor]:
        b = self.batch
        return [*b.w.values(), *b.memory.values(), *b.ticks.values(), b.ema, b.u]
