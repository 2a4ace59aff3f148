"""The negative ELBO with a dial: beta-VAE (Higgins et al. 2017), and both of its ends.

Beta 0 keeps the reconstruction alone. "KL only" is the limit of an endless beta: next to it the reconstruction weighs
nothing, so the encoder sees the KL term alone and sends every picture to the prior; the decoder, which the KL does not
touch, still does the best it can with a code that says nothing, and paints the mean of all pictures.
"""

import torch

from explorer.tabs.vae import model as vae

KL_ONLY = float("inf")

# Where eyes, brows, glasses and mouth are in a corpus face. They are a fifth of the pixels and most of what one looks at,
# so their Gaussian is narrower: a squared error counts four times there, twice on a two-pixel rim.
FACE = (slice(20, 48), slice(17, 47))


def precision(size: int, data: str) -> torch.Tensor:
    """How often a squared error counts, per pixel: (size, size), all ones but for avatars."""
    weight = torch.ones(size, size)
    if data == "avatars":
        rows, columns = FACE
        weight[rows.start - 2 : rows.stop + 2, columns.start - 2 : columns.stop + 2] = 2
        weight[rows, columns] = 4
    return weight


def negative_elbo(net, x: torch.Tensor, eps: torch.Tensor, sigma, beta: float) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Mean over the batch, in nats: reconstruction + beta KL, and both parts. x (B, 3, S, S) in [-1, 1], eps (B, D).

    The reconstruction is without its constant. `sigma` is the decoder's, a number or one per pixel (S, S).
    """
    mu, logvar = net.encode(x)
    z = vae.reparametrize(mu, logvar, eps)
    kl = vae.kl(mu, logvar).sum(1).mean()
    reconstruction = vae.nll(x, net.decode(z.detach() if beta == KL_ONLY else z), sigma).mean()
    loss = reconstruction + (kl if beta == KL_ONLY else beta * kl)
    return loss, {"reconstruction": reconstruction.detach(), "kl": kl.detach()}
