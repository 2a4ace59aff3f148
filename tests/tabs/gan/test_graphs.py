"""Batched runs as CUDA graphs. On a GPU against the reference; everywhere, what replaying relies on."""

import numpy as np
import pytest
import torch

from explorer.tabs.gan import graphs, reference
from explorer.tabs.gan.config import LOSSES, OPTIMIZERS, check
from explorer.tabs.gan.state import Trace, start

VARIED = [
    {"loss": loss, "d_opt": optimizer, "g_opt": optimizer, "seed": i, "d_lr": 0.005, "g_lr": 0.005}
    for i, (loss, optimizer) in enumerate(zip(LOSSES, [*OPTIMIZERS, "sgd", "adam"]))
]
VARIED[0] |= {"spectral": True, "r1": 0.5}
VARIED[1] |= {"instance_noise": 0.1, "ema": 0.9}


def some() -> list:
    settings = [check({"d_act": "silu", "g_act": "tanh", "batch": 30, **values}) for values in VARIED]
    return [(s, start(s)) for s in settings]


class Again:
    """A graph that is no graph: it does the update anew, and writes what it tells where the recording left it."""

    def __init__(self, update, out):
        self.update, self.out = update, out

    def replay(self):
        self.out.copy_(self.update())


def eager(self, who, draws):
    update = {"d": self.batch.d_update, "g": self.batch.g_update}[who]
    inputs = [None if values is None else values.clone() for values in draws]
    out = torch.empty(len(self.batch.states), {"d": 5, "g": 2}[who])
    return Again(lambda: update(self.rows, *inputs), out), inputs, out


def compared(ours, theirs, mine, its, atol):
    for (_, state), (_, other), trace, truth in zip(ours, theirs, mine, its):
        np.testing.assert_allclose(state.g, other.g, atol=atol)
        np.testing.assert_allclose(state.d, other.d, atol=atol)
        assert (state.rounds, state.d_updates, state.g_ticks) == (other.rounds, other.d_updates, other.g_ticks)
        for name in Trace.NAMES:
            np.testing.assert_allclose(getattr(trace, name), getattr(truth, name), atol=0.04 if "acc" in name else 1e-3)


def test_its_bookkeeping_is_that_of_the_reference(monkeypatch):
    """Without a GPU: updates are done anew where a graph would be replayed, from the same fixed inputs."""
    monkeypatch.setattr(graphs.Graphed, "_record", eager)
    ours, theirs = some(), some()
    graph = graphs.Graphed(ours, "cpu")
    mine = graph.advance(40)
    its = reference.advance(theirs, 40)
    compared(ours, theirs, mine, its, 1e-6)
    assert graph.advance(2)[0].d_loss.shape == (2,)


def test_an_update_leaves_every_tensor_where_it_lay():
    """A graph replays addresses: a tensor that moved would be trained no more."""
    batch = reference.Batch(some())
    rows = batch.rows([True] * len(batch.states))
    tensors = [*batch.w.values(), *batch.memory.values(), *batch.ticks.values(), batch.ema, batch.u]
    before = [(tensor.data_ptr(), tensor.clone()) for tensor in tensors]
    batch.d_update(rows, *batch.d_feed(rows))
    batch.g_update(rows, *batch.g_feed(rows))
    after = [*batch.w.values(), *batch.memory.values(), *batch.ticks.values(), batch.ema, batch.u]
    assert [tensor.data_ptr() for tensor in after] == [place for place, _ in before]
    assert not any(torch.equal(tensor, old) for tensor, (_, old) in zip(after, before))


def test_runs_of_one_graph_do_the_same_updates():
    with pytest.raises(ValueError, match="one shape"):
        graphs.Graphed([(s, start(s)) for s in (check({}), check({"k_d": 3}))], "cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_graphs_train_as_the_reference_does():
    ours, theirs = some(), some()
    graph = graphs.Graphed(ours)
    mine = graph.advance(60)
    its = reference.advance(theirs, 60, device="cuda")
    compared(ours, theirs, mine, its, 1e-4)
