"""What q would be if it were fitted to one picture alone. What the encoder misses by is the amortisation gap (Cremer et al. 2018,
1801.03558)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from explorer.tabs.vae import elbo
from explorer.tabs.vae import model as vae_model
from explorer.tabs.vae.engine import Vae

STEPS = 80
SAMPLES = 6  # draws of a step's gradient
RATE = 0.05  # of Adam, for mu in units of the first sigma and for log sigma; it falls to zero as a half cosine


@dataclass(frozen=True)
class Step:
    """q after a step, and the ELBO as the step's few draws saw it before."""

    posterior: elbo.Posterior
    elbo: float


def settle(vae: Vae, image: np.ndarray, q: elbo.Posterior, steps: int = STEPS, seed: int = 0) -> Iterator[Step]:
    """Climbs the ELBO of one picture from `q` by the reparametrised gradient; the decoder stays as it is."""
    if not 1 <= steps <= 1000:
        raise ValueError("A q settles in 1 to 1000 steps.")
    x, sigma, device = elbo.subject(vae, image)
    rng, level = torch.Generator().manual_seed(seed), elbo.constant(vae)
    start, unit = (torch.from_numpy(part).float().to(device) for part in (q.mu, q.sigma))
    with torch.enable_grad():
        shift, log_sigma = torch.zeros_like(start, requires_grad=True), unit.log().requires_grad_()
        climber = torch.optim.Adam([shift, log_sigma], lr=RATE, betas=(0.8, 0.95))
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(climber, steps)
    for _ in range(steps):
        with torch.enable_grad():
            mu, logvar = start + unit * shift, 2 * log_sigma
            eps = torch.randn(SAMPLES, vae.dims, generator=rng).to(device)
            cost = elbo.halves(x, vae.net.decode(vae_model.reparametrize(mu, logvar, eps)), sigma).mean()
            loss = cost + vae_model.kl(mu, logvar).sum()
            climber.zero_grad()
            loss.backward()
            climber.step()
            slower.step()
        with torch.no_grad():
            shift.copy_((start + unit * shift).clamp(-vae.far, vae.far).sub(start).div(unit))
            log_sigma.clamp_(*np.log(elbo.SIGMAS).tolist())
            now = ((start + unit * shift).cpu().double().numpy(), log_sigma.exp().cpu().double().numpy())
        yield Step(elbo.Posterior(*now), level - float(loss.detach()))
