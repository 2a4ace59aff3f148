// What is on the page as a short program that does the same.

function worldsPython({ models, z, shares, manifold, picture }) {
  const list = (values) => "[" + values.map((v) => +v.toFixed(4)).join(", ") + "]";
  const points = models.map((name, i) => `    "${name}": ${list(z[i])},`).join("\n");
  const of = /^point:(\d+)$/.exec(picture) ? `vae.source.batch(${+picture.slice(6) + 1})[0][-1:]` : /^gallery:(\d+)$/.test(picture) ? `vae.gallery().images[${+picture.slice(8)}:][:1]` : "vae.gallery().images[:1]  # the page showed your own picture";
  return `# Run from the repository's root.
import numpy as np
from PIL import Image

from explorer import export
from explorer.tabs.vae import models, world_boards

# The pointer: where each world decodes.
points = {
${points}
}
for name, z in points.items():
    vae = models.get(name)
    Image.fromarray(vae.decode(np.array([z]))[0]).save(f"{name}-pointer.png")

    # The chosen picture: its posterior, and the picture painted again from mu.
    picture = ${of}
    code = vae.encode(picture)
    Image.fromarray(vae.decode(code.mu)[0]).save(f"{name}-again.png")
    print(name, "mu", code.mu[0], "sigma", code.sigma[0], "KL", code.kl.sum().round(2), "nats")

    # Holes: the share of draws from the prior that are far from every code.
    codes, labels = world_boards.codes(vae)
    draws = np.random.default_rng(0).standard_normal((2000, 2))
    print(name, "holes", world_boards.empty(draws, codes, near=${shares}).mean())

# The data manifold: pictures at equal shares of a part of the prior (x0, x1, y0, y1).
grid = world_boards.manifold(models.get("${manifold.model}"), (${manifold.rect.join(", ")}), ${manifold.count})
Image.fromarray(export.grid(grid, ${manifold.count})).save("manifold.png")
`;
}
