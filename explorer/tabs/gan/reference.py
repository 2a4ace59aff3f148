"""The reference engine: torch autograd, any loss, any device, and many runs as one batch.

Runs of one architecture and batch size advance together: their weights are (R, out, in) tensors, and everything else may
differ from row to row. Each row's numbers depend on that row alone. It says what is right; fast.py says it faster.
Points and units are (R, units, B), the batch last: as matrix products this is several times faster than (R, B, units).
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from explorer.tabs.gan import feed, losses
from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import BLOCK, State, Trace, data

TINY = 1e-12  # smallest length that is divided by, and below the penalty's root
Net = list[tuple[torch.Tensor, torch.Tensor]]  # W (R, out, in), b (R, out, 1) of each layer


def advance(
    runs: Sequence[tuple[Settings, State]], rounds: int, what: str = "both", device: str | torch.device = "cpu"
) -> list[Trace]:
    """Trains every run for so many rounds, in its state, and says what each of its rounds was like.

    what: "both" for whole rounds of k_d updates of D and then k_g of G; "d" or "g" for one update of one player each.
    """
    groups: dict[tuple, list[int]] = {}
    for place, (settings, _) in enumerate(runs):
        groups.setdefault(shape(settings), []).append(place)
    traces: list[Trace | None] = [None] * len(runs)
    for places in groups.values():
        batch = Batch([runs[place] for place in places], device)
        for place, trace in zip(places, batch.advance(rounds, what)):
            traces[place] = trace
    return traces


def shape(s: Settings) -> tuple:
    """What runs must have in common to be rows of one batch."""
    return s.g_sizes, s.d_sizes, s.g_act, s.d_act, s.g_out, s.batch


# ---- Nets -------------------------------------------------------------------------------------------------------------------

ACTIVATIONS = {"relu": F.relu, "leaky_relu": lambda a: F.leaky_relu(a, 0.2), "tanh": torch.tanh, "silu": F.silu}


def net(vectors: torch.Tensor, sizes: tuple[int, ...]) -> Net:
    """(R, weights) -> the layers, as views of it."""
    out, at = [], 0
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        end = at + fan_in * fan_out
        out.append((vectors[:, at:end].unflatten(1, (fan_out, fan_in)), vectors[:, end : end + fan_out, None]))
        at = end + fan_out
    return out


def forward(layers: Net, act: str, x: torch.Tensor) -> torch.Tensor:
    """(R, in, B) -> (R, out, B), the output layer linear."""
    for w, b in layers[:-1]:
        x = ACTIVATIONS[act](torch.baddbmm(b, w, x))
    w, b = layers[-1]
    return torch.baddbmm(b, w, x)


def normalise(x: torch.Tensor) -> torch.Tensor:
    """(R, n) -> rows of length 1."""
    return x / x.norm(dim=1, keepdim=True).clamp_min(TINY)


# ---- Losses, per row: (R, B) logits -> (R,). Sums, so that slopes are whole numbers that add up exactly: the gradient of ------
# ---- a critic's output bias is 0, and rounding made something of it that Adam would blow up. ----------------------------------


def d_loss(loss: str, real: torch.Tensor, fake: torch.Tensor, smoothing: torch.Tensor) -> torch.Tensor:
    if loss in losses.LOG:
        return (F.softplus(-real) + smoothing * real).sum(1) + F.softplus(fake).sum(1)
    if loss == "least_squares":
        return (real - 1).square().sum(1) / 2 + fake.square().sum(1) / 2
    if loss == "hinge":
        return F.relu(1 - real).sum(1) + F.relu(1 + fake).sum(1)
    return fake.sum(1) - real.sum(1)


def g_loss(loss: str, fake: torch.Tensor) -> torch.Tensor:
    if loss == "non_saturating":
        return F.softplus(-fake).sum(1)
    if loss == "minimax":
        return -F.softplus(fake).sum(1)
    if loss == "least_squares":
        return (fake - 1).square().sum(1) / 2
    return -fake.sum(1)


def slopes(layers: Net, act: str, x: torch.Tensor) -> torch.Tensor:
    """The gradient of D's logit at each point, itself differentiable: (R, 2, B) -> (R, 2, B)."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(forward(layers, act, x).sum(), x, create_graph=True)[0]


def r1_penalty(layers: Net, act: str, real: torch.Tensor) -> torch.Tensor:
    """The sum of |grad D|² / 2 at the reals, per row. Mescheder et al. 2018."""
    return slopes(layers, act, real).square().sum((1, 2)) / 2


def gradient_penalty(layers: Net, act: str, between: torch.Tensor) -> torch.Tensor:
    """The sum of (|grad D| - 1)² at points between reals and fakes, per row. Gulrajani et al. 2017."""
    length = (slopes(layers, act, between).square().sum(1) + TINY).sqrt()
    return (length - 1).square().sum(1)


# ---- Optimisers, as in torch.optim ------------------------------------------------------------------------------------------


def optimise(name: str, w, gradient, memory, lr, beta1, ticks) -> tuple[torch.Tensor, torch.Tensor]:
    """New weights (R, n) and memory (R, 2, n). lr and beta1 are (R, 1); ticks, (R, 1) float64, counts this update too."""
    m, v = memory[:, 0], memory[:, 1]
    if name == "sgd":
        return w - lr * gradient, memory
    if name == "momentum":
        m = 0.9 * m + gradient
        return w - lr * m, torch.stack((m, v), 1)
    if name == "rmsprop":
        v = 0.99 * v + 0.01 * gradient * gradient
        return w - lr * gradient / (v.sqrt() + 1e-8), torch.stack((m, v), 1)
    m = beta1 * m + (1 - beta1) * gradient
    v = 0.999 * v + 0.001 * gradient * gradient
    # In double precision: 1 - 0.999 has but four digits in float32.
    step = (lr.double() / (1 - beta1.double() ** ticks)).float()
    root = (1 - 0.999**ticks).sqrt().float()
    return w - step * m / (v.sqrt() / root + 1e-8), torch.stack((m, v), 1)


# ---- Runs as rows -----------------------------------------------------------------------------------------------------------


class Rows:
    """Some rows of a batch that take an update together, and their settings as tensors."""

    def __init__(self, settings: Sequence[Settings], rows: list[int], device):
        chosen = [settings[row] for row in rows]
        self.settings, self.places = chosen, rows
        self.index = slice(None) if len(rows) == len(settings) else torch.tensor(rows, device=device)

        def column(values) -> torch.Tensor:
            return torch.tensor([float(value) for value in values], device=device)[:, None]

        def where(kinds) -> dict:  # kind -> the rows of this kind; all of them as a slice, which costs nothing
            kinds = list(kinds)
            found = {kind: [i for i, other in enumerate(kinds) if other == kind] for kind in dict.fromkeys(kinds)}
            every = len(found) == 1
            return {kind: slice(None) if every else torch.tensor(at, device=device) for kind, at in found.items()}

        self.smoothing, self.beta1 = column(s.smoothing for s in chosen), column(s.beta1 for s in chosen)
        self.lr = {"d": column(s.d_lr for s in chosen), "g": column(s.g_lr for s in chosen)}
        self.optimizers = {"d": where(s.d_opt for s in chosen), "g": where(s.g_opt for s in chosen)}
        self.losses = where(s.loss for s in chosen)
        self.ema = column(s.ema for s in chosen)
        self.jitter = column(s.instance_noise for s in chosen)[:, :, None] if any(s.instance_noise for s in chosen) else None
        self.r1 = column(s.r1 for s in chosen)[:, 0]
        self.r1_rows = where(s.r1 > 0 for s in chosen).get(True)
        self.gp = column(s.gp for s in chosen)[:, 0]
        self.gp_rows = where(s.loss == "wgan_gp" for s in chosen).get(True)
        self.spectral = torch.tensor([s.spectral for s in chosen], device=device)[:, None]
        self.any_spectral = any(s.spectral for s in chosen)
        self.clip = column(s.clip if s.loss == "wgan" else np.inf for s in chosen)
        self.any_clip = any(s.loss == "wgan" for s in chosen)
        self.blocks: dict[str, tuple[list[int], list]] = {}  # "d" or "g" -> the numbers and tensors of the rows' blocks


class Batch:
    """Runs of one shape, as tensors with one row each. `advance` writes them back into their states."""

    def __init__(self, runs: Sequence[tuple[Settings, State]], device="cpu"):
        self.settings, self.states = [list(part) for part in zip(*runs)]
        self.device, first = device, self.settings[0]
        self.g_sizes, self.d_sizes, self.g_act, self.d_act, self.g_out, self.size = shape(first)
        self.reals = [data(s) for s in self.settings]

        def stacked(name: str) -> torch.Tensor:
            return torch.from_numpy(np.stack([getattr(state, name) for state in self.states])).to(device)

        self.w = {"d": stacked("d"), "g": stacked("g")}
        self.memory = {"d": stacked("d_memory"), "g": stacked("g_memory")}
        self.ema, self.u = stacked("ema"), stacked("u")
        self.ticks = {
            who: torch.tensor([getattr(s, f"{who}_ticks") for s in self.states], dtype=torch.float64, device=device)[:, None]
            for who in "dg"
        }
        self._rows: dict[tuple[int, ...], Rows] = {}

    def advance(self, rounds: int, what: str = "both") -> list[Trace]:
        if not rounds:
            return [Trace(*np.empty((len(Trace.NAMES), 0), np.float32)) for _ in self.states]
        k_d = [s.k_d if what == "both" else int(what == "d") for s in self.settings]
        k_g = [s.k_g if what == "both" else int(what == "g") for s in self.settings]
        told = []  # (round, rows, first column, (rows, columns) values)
        for round_ in range(rounds):
            for j in range(max(k_d)):
                rows = self.rows(k > j for k in k_d)
                told.append((round_, rows.places, slice(0, 5), self.d_update(rows, *self.d_feed(rows))))
            for j in range(max(k_g)):
                rows = self.rows(k > j for k in k_g)
                told.append((round_, rows.places, slice(5, 7), self.g_update(rows, *self.g_feed(rows))))
            if what == "both":
                for state in self.states:
                    state.rounds += 1
        self.save()

        sums = np.zeros((rounds, len(self.states), 7))
        for round_, places, columns, values in told:
            sums[round_, places, columns] += values.cpu().numpy()
        counts = np.concatenate([np.repeat(np.array(k)[:, None], n, 1) for k, n in ((k_d, 5), (k_g, 2))], 1)
        with np.errstate(all="ignore"):
            means = (sums / counts).astype(np.float32)  # no update: 0 / 0, which is NaN
        order = [self.TOLD.index(name) for name in Trace.NAMES]
        return [Trace(*np.ascontiguousarray(means[:, row, order].T)) for row in range(len(self.states))]

    TOLD = ("d_loss", "real_acc", "fake_acc", "d_norm", "penalty", "g_loss", "g_norm")

    def rows(self, chosen) -> Rows:
        places = tuple(i for i, take in enumerate(chosen) if take)
        if places not in self._rows:
            self._rows[places] = Rows(self.settings, list(places), self.device)
        return self._rows[places]

    def save(self) -> None:
        """Writes the rows back into the states."""
        arrays = {"g": self.w["g"], "d": self.w["d"], "g_memory": self.memory["g"], "d_memory": self.memory["d"]}
        arrays |= {"ema": self.ema, "u": self.u}
        for name, tensor in arrays.items():
            for state, row in zip(self.states, tensor.cpu().numpy()):
                setattr(state, name, row.copy())

    # -- What an update is fed. A block of draws of all rows is put together at once. --

    def d_feed(self, rows: Rows) -> list[torch.Tensor | None]:
        """reals (R, 2, B), z (R, noise_dim, B), mix (R, 1, B) and jitter (R, 2, 2, B) of the next update of D."""
        return self._feed("d", rows, self._d_block)

    def g_feed(self, rows: Rows) -> list[torch.Tensor | None]:
        """z (R, noise_dim, B) and jitter (R, 2, B) of the next update of G."""
        return self._feed("g", rows, self._g_block)

    def _feed(self, who: str, rows: Rows, block) -> list[torch.Tensor | None]:
        states = [self.states[place] for place in rows.places]
        counts = [getattr(state, f"{who}_updates") for state in states]
        numbers = [count // BLOCK for count in counts]
        if rows.blocks.get(who, (None,))[0] != numbers:
            parts = zip(*(block(place, number) for place, number in zip(rows.places, numbers)))
            rows.blocks[who] = numbers, [self._stacked(part) for part in parts]
        for state, count in zip(states, counts):
            setattr(state, f"{who}_updates", count + 1)
            setattr(state, f"{who}_ticks", getattr(state, f"{who}_ticks") + 1)

        at = [count % BLOCK for count in counts]
        if len(set(at)) == 1:
            return [None if part is None else part[:, at[0]] for part in rows.blocks[who][1]]
        each = torch.arange(len(at), device=self.device), torch.tensor(at, device=self.device)
        return [None if part is None else part[each] for part in rows.blocks[who][1]]

    def _d_block(self, place: int, number: int) -> tuple:
        s = self.settings[place]
        block = feed.d_block(s, number)
        mix = None if block.mix is None else block.mix[..., None]
        return self.reals[place][block.index], block.z, mix, block.jitter

    def _g_block(self, place: int, number: int) -> tuple:
        block = feed.g_block(self.settings[place], number)
        return block.z, block.jitter

    def _stacked(self, parts: tuple[np.ndarray | None, ...]) -> torch.Tensor | None:
        """Arrays (..., B, n), one a row, as (R, ..., n, B): zeros for those of rows that need none, None if none does."""
        if not (some := [part for part in parts if part is not None]):
            return None
        whole = np.stack([np.zeros_like(some[0]) if part is None else part for part in parts])
        return torch.from_numpy(np.ascontiguousarray(whole.swapaxes(-1, -2))).to(self.device)

    # -- One update of the rows. What is told stays on the device: asking for a number would wait for it. --

    def d_update(self, rows: Rows, reals, z, mix=None, jitter=None) -> torch.Tensor:
        """One update of D. Returns loss, accuracy on reals and on fakes, gradient norm and penalty: (R, 5)."""
        with torch.no_grad():
            fakes = self.generate(net(self.w["g"][rows.index], self.g_sizes), z)
            if rows.jitter is not None:
                reals, fakes = reals + rows.jitter * jitter[:, 0], fakes + rows.jitter * jitter[:, 1]
            if rows.any_spectral:
                self.power_iteration(rows)

        leaves = leaf(net(self.w["d"][rows.index], self.d_sizes))
        d = self.normalised(rows, leaves)
        l_real, l_fake = forward(d, self.d_act, torch.cat((reals, fakes), 2))[:, 0].split(self.size, 1)
        loss = by_kind(rows.losses, lambda loss, at: d_loss(loss, l_real[at], l_fake[at], rows.smoothing[at]), len(reals))

        penalty = torch.zeros_like(loss)
        if (at := rows.gp_rows) is not None:
            between = mix[at] * reals[at] + (1 - mix[at]) * fakes[at]
            value = rows.gp[at] * gradient_penalty([(w[at], b[at]) for w, b in d], self.d_act, between)
            penalty = put(penalty, at, value)
        if (at := rows.r1_rows) is not None:
            value = rows.r1[at] * r1_penalty([(w[at], b[at]) for w, b in d], self.d_act, reals[at])
            penalty = put(penalty, at, value)

        gradient = gradients(loss + penalty, leaves) / self.size
        self.step("d", rows, gradient)
        if rows.any_clip:
            self.w["d"][rows.index] = self.w["d"][rows.index].clamp(-rows.clip, rows.clip)

        with torch.no_grad():
            middle = by_kind(rows.losses, lambda loss, at: middles(loss, l_real[at], l_fake[at]), len(reals))[:, None]
            real_acc, fake_acc = (l_real > middle).float().mean(1), (l_fake <= middle).float().mean(1)
            return torch.stack((loss / self.size, real_acc, fake_acc, gradient.norm(dim=1), penalty / self.size), 1).detach()

    def g_update(self, rows: Rows, z, jitter=None) -> torch.Tensor:
        """One update of G. Returns loss and gradient norm: (R, 2)."""
        leaves = leaf(net(self.w["g"][rows.index], self.g_sizes))
        fakes = self.generate(leaves, z)
        if rows.jitter is not None:
            fakes = fakes + rows.jitter * jitter
        with torch.no_grad():
            d = self.normalised(rows, net(self.w["d"][rows.index], self.d_sizes))
        logits = forward(d, self.d_act, fakes)[:, 0]
        loss = by_kind(rows.losses, lambda loss, at: g_loss(loss, logits[at]), len(z))

        gradient = gradients(loss, leaves) / self.size
        self.step("g", rows, gradient)
        w = self.w["g"][rows.index]
        self.ema[rows.index] = torch.where(rows.ema > 0, rows.ema * self.ema[rows.index] + (1 - rows.ema) * w, w)
        return torch.stack((loss / self.size, gradient.norm(dim=1)), 1).detach()

    def generate(self, g: Net, z: torch.Tensor) -> torch.Tensor:
        fakes = forward(g, self.g_act, z)
        return torch.tanh(fakes) if self.g_out == "tanh" else fakes

    def step(self, who: str, rows: Rows, gradient: torch.Tensor) -> None:
        w, memory, ticks = self.w[who], self.memory[who], self.ticks[who]
        ticks[rows.index] += 1
        new_w, new_memory = w[rows.index].clone(), memory[rows.index].clone()
        for name, at in rows.optimizers[who].items():
            now = (new_w[at], gradient[at], new_memory[at], rows.lr[who][at], rows.beta1[at], ticks[rows.index][at])
            new_w[at], new_memory[at] = optimise(name, *now)
        w[rows.index], memory[rows.index] = new_w, new_memory

    # -- Spectral norm (Miyato et al. 2018): sigma = u'Wv with v = normalise(W'u); u and v are constants for gradients --

    def power_iteration(self, rows: Rows) -> None:
        u, parts = self.u[rows.index], []
        sizes = self.d_sizes[1:]
        for (w, _), old in zip(net(self.w["d"][rows.index], self.d_sizes), u.split(sizes, 1)):
            v = normalise((old[:, None] @ w)[:, 0])
            parts.append(torch.where(rows.spectral, normalise((w @ v[:, :, None])[:, :, 0]), old))
        self.u[rows.index] = torch.cat(parts, 1)

    def normalised(self, rows: Rows, layers: Net) -> Net:
        """D's layers, each W divided by its sigma in the rows that want it."""
        if not rows.any_spectral:
            return layers
        out = []
        for (w, b), u in zip(layers, self.u[rows.index].split(self.d_sizes[1:], 1)):
            v = normalise((u[:, None] @ w.detach())[:, 0])
            sigma = (u[:, None] @ w @ v[:, :, None]).clamp_min(TINY)
            out.append((w / torch.where(rows.spectral[:, :, None], sigma, 1.0), b))
        return out


def leaf(layers: Net) -> Net:
    """Layers of their own that gradients can be asked for."""
    return [tuple(part.detach().requires_grad_() for part in layer) for layer in layers]


def gradients(loss: torch.Tensor, leaves: Net) -> torch.Tensor:
    """(R,) losses -> (R, weights), each row's own gradient, since no row's loss knows the others."""
    found = torch.autograd.grad(loss.sum(), [part for layer in leaves for part in layer])
    return torch.cat([part.flatten(1) for part in found], 1)


def by_kind(kinds: dict, value, rows: int) -> torch.Tensor:
    """value(kind, its rows) of each kind, put together as (rows,)."""
    if len(kinds) == 1:
        ((kind, at),) = kinds.items()
        return value(kind, at)
    out = [(at, value(kind, at)) for kind, at in kinds.items()]
    whole = torch.zeros(rows, device=out[0][1].device)
    for at, part in out:
        whole = whole.index_put((at,), part)
    return whole


def put(whole: torch.Tensor, at, part: torch.Tensor) -> torch.Tensor:
    """`part` added to some rows; differentiable."""
    return whole + part if isinstance(at, slice) else whole.index_add(0, at, part)


def middles(loss: str, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The logit above which a point counts as judged real, per row."""
    if loss in losses.CRITICS:
        return (real.mean(1) + fake.mean(1)) / 2
    return torch.full_like(real[:, 0], losses.middle(loss))
