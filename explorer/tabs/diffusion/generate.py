"""A picture from settings in one call, for programs: `generate("red hair", seed=3)`."""

import numpy as np
import torch

from explorer.tabs.diffusion import asked, decoders, models, sampler


@torch.no_grad()
def generate(prompt: str = "", *, model: str = "", image: np.ndarray | None = None, **settings) -> np.ndarray:
    """(H, W, 3) uint8. `settings` are those of a run, such as negative, seed, steps, scheduler, guidance_scale, eta; `image`
    (H, W, 3) uint8 is where img2img begins. Raises ValueError with one sentence for settings that no run can have."""
    chosen = models.load(model)
    wanted, _ = asked.read(asked.settings({"prompt": prompt, **settings}, chosen, image is not None), chosen)
    for step in sampler.denoise(chosen, wanted, image=image, attention=False):
        last = step.x_next * step.scale_next
    return decoders.decode(chosen, last)[0]
