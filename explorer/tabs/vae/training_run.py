"""One training on the page: the house's loop over a small VAE, its film, and the model that comes of it. Knows no page."""

import copy
import hashlib
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import torch

from explorer import device, pixels
from explorer.tabs.vae import engine
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.objective import KL_ONLY, negative_elbo
from explorer.tabs.vae.training_data import Pictures
from explorer.tabs.vae.training_film import COLUMNS, Film, Moment, points, sprite
from explorer.tabs.vae.training_settings import SETS, Settings
from explorer.training.loop import Progress, Run, fit

JUDGED = 96  # held-out pictures whose losses are the curve
BOARD = {32: 7, 64: 5}  # pictures a side of the board
WARMUP = 20  # steps of a slowly rising learning rate: a training of seconds has no hundred to spare


def network(settings: Settings) -> vae.Vae:
    """Random weights that only the seed decides, whoever else trains at the same time (as torch draws them by itself)."""
    net = vae.Vae(vae.Config(settings.size, settings.dims, settings.widths))
    rng = torch.Generator().manual_seed(settings.seed)
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
                bound = layer.weight[0].numel() ** -0.5
                layer.weight.uniform_(-bound, bound, generator=rng)
                layer.bias.uniform_(-bound, bound, generator=rng)
    return net


class Training:
    """A training that can be left after any step and taken up again. Same settings and pictures, same weights."""

    def __init__(self, settings: Settings, data: Pictures):
        self.settings, self.data, self.goal = settings, data, settings.steps
        self.goals = [settings.steps]  # a training that came to its end may be given another
        self._device = device.choose().torch
        net = network(settings).to(self._device, memory_format=torch.channels_last)
        self.run = Run(net, settings.told, lr=settings.lr, seed=settings.seed)
        self.film = Film()
        self.dims = (0, 1)  # of the map
        self._train = torch.from_numpy(data.train)
        self._said: list[dict[str, torch.Tensor]] = []  # the losses since the moment before
        self._rate = 0.0

        # What the film shows at each moment, the same all along.
        rng = torch.Generator().manual_seed(settings.seed)
        self._held = pixels.to_tensor(data.held, self._device).contiguous(memory_format=torch.channels_last)
        self.shown = _various(data)
        self._eps = torch.randn(min(JUDGED, len(data.held)), settings.dims, generator=rng).to(self._device)
        side = BOARD[settings.size]
        if settings.dims == 2:
            quantiles = torch.tensor([NormalDist().inv_cdf((i + 0.5) / side) for i in range(side)])
            board = torch.stack([quantiles.repeat(side), quantiles.flip(0).repeat_interleave(side)], 1)
        else:
            board = torch.randn(side * side, settings.dims, generator=rng)
        self._board = board.to(self._device)

    @property
    def done(self) -> bool:
        return self.run.step >= self.goal

    def further(self, steps: int) -> None:
        """Another budget after the first is used up; the learning rate falls anew from where the cosine of both is."""
        self.goal = self.run.step + steps
        self.goals = [*self.goals, self.goal]

    def take_up(self, weights: dict[str, torch.Tensor], steps: int, seconds: float) -> None:
        """Goes on from a model that was saved: its weights are the average's and the net's; Adam's moments begin anew."""
        for net in (self.run.model, self.run.ema.model):
            net.load_state_dict(weights)
        self.run.step, self.run.seconds = steps, seconds
        self.goal, self.goals = steps, [steps]

    def steps(self) -> Iterator[Progress]:
        """To the goal, with moments for the film on the way. Raises FloatingPointError where the loss runs away."""
        if self.film.due(self.run.step):
            self.film.take(self.moment)
        for progress in fit(
            self.run, len(self._train), self._loss, batch_size=self.settings.batch, steps=self.goal, warmup=WARMUP
        ):
            self._rate = progress.rate
            if self.film.due(self.run.step):
                self.film.take(self.moment)
            yield progress

    def close(self) -> None:
        """The last moment of a stretch belongs to the film."""
        if not self.film.moments or self.film.moments[-1].step != self.run.step:
            self.film.take(self.moment)

    def _loss(self, net, indices: torch.Tensor, rng: torch.Generator):
        x = self._train[indices].to(self._device).permute(0, 3, 1, 2)  # a channels_last view, so nothing is moved
        x = x.float().div_(127.5).sub_(1)
        eps = torch.randn((len(x), self.settings.dims), generator=rng).to(self._device)
        loss, parts = negative_elbo(net, x, eps, self.settings.sigma, self.settings.beta)
        self._said.append(parts)
        return loss, parts

    @torch.inference_mode()
    def moment(self, number: int) -> Moment:
        """What the averaged weights make of the held-out pictures, in one pass of the encoder and one of the decoder."""
        net = self.run.ema.model
        mu, logvar = net.encode(self._held)
        judged = len(self._eps)
        z = vae.reparametrize(mu[:judged], logvar[:judged], self._eps)
        out = net.decode(torch.cat([z, mu[self.shown], self._board]))
        kl = vae.kl(mu, logvar).mean(0)
        self._choose(kl)
        said, self._said = self._said, []
        losses: dict[str, float | None] = {
            name: float(torch.stack([one[name] for one in said]).mean()) if said else None for name in ("reconstruction", "kl")
        }
        losses["held_reconstruction"] = float(vae.nll(self._held[:judged], out[:judged], self.settings.sigma).mean())
        losses["held_kl"] = float(vae.kl(mu[:judged], logvar[:judged]).sum(1).mean())
        scale, packed = points(mu[:, list(self.dims)].cpu().numpy())
        return Moment(
            number, self.run.step, self.run.seconds, self._rate, losses, kl.tolist(), self.dims, scale, packed,
            sprite(pixels.to_uint8(out[judged:])),
        )  # fmt: skip

    def _choose(self, kl: torch.Tensor) -> None:
        """The map shows the two dimensions that hold most; it turns to another only where that holds clearly more."""
        if self.settings.dims == 2:
            return
        held = kl.clone()
        held[list(self.dims)] *= 1.25
        best = held.topk(2).indices.tolist()
        if set(best) != set(self.dims):
            self.dims = tuple(sorted(best))

    def finished(self) -> engine.Vae:
        """The model as it is now, for all parts of the tab."""
        net, s = copy.deepcopy(self.run.ema.model), self.settings
        with torch.inference_mode():
            reach = float(net.encode(self._held)[0].abs().max())
        digest = hashlib.sha256(b"".join(p.detach().cpu().numpy().tobytes() for p in net.parameters())).hexdigest()
        facts = {"title": title(s, self.run.step), "beta": s.beta, "version": digest[:8]}
        card = {"settings": s.told, "steps": self.run.step, "seconds": round(self.run.seconds, 1)}
        far = min(100.0, max(engine.FAR, 1.5 * reach))  # without the KL codes lie far out
        return engine.Vae(net, self.data.source, np.full((s.size, s.size), s.sigma, np.float32), facts, card=card, far=far)


def _various(data: Pictures) -> list[int]:
    """COLUMNS held-out pictures, of different kinds where these are known; repeated where there are fewer."""
    kinds = data.labels[:, 0] if data.labels.shape[1] else np.arange(len(data.held))
    first = np.sort(np.unique(kinds, return_index=True)[1])
    order = [*first, *(i for i in range(len(data.held)) if i not in first)]
    return [int(i) for i in np.resize(order[:COLUMNS], COLUMNS)]


def title(settings: Settings, steps: int) -> str:
    """What a model trained here is called: "Digits, 2 numbers, β = 1, 800 steps"."""
    objective = "KL only" if settings.beta == KL_ONLY else f"β = {settings.beta:g}" if settings.beta else "reconstruction only"
    return f"{SETS[settings.data][0]}, {settings.dims} numbers, {objective}, {steps:,} steps"
