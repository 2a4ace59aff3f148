// A short script that computes what a view shows. Run in the repository's root.

function pythonOf(lab, view, settings) {
  const { part } = lab;
  const upload = part.picture.startsWith("upload:");
  const numbers = (values) => "[" + values.map((v) => +v.toFixed(6)).join(", ") + "]";
  const own = part.model.name.startsWith("own-");
  const lines = [
    "import numpy as np",
    "",
    "from explorer.tabs.vae import elbo, elbo_bound, models, reparam, spectrum",
    "",
    own ? "# This model lives on the page it was trained on only; keep its name there, or take a shipped one." : null,
    `vae = models.get(${JSON.stringify(own ? "faces" : part.model.name)})`,
    upload ? "# Your own picture: a square of the model's size, RGB." : null,
    upload ? "from PIL import Image" : null,
    upload ? 'image = np.array(Image.open("picture.png").convert("RGB").resize((vae.size, vae.size)))' : `image = vae.gallery().images[${part.picture.split(":")[1]}]`,
    "q = elbo.encoded(vae, image)",
  ];
  if (lab.edited && !own) lines.push(`q = elbo.Posterior(np.array(${numbers(lab.q.mu)}), np.array(${numbers(lab.q.sigma)}))`);
  lines.push("", ...PYTHON[view](lab, settings));
  return lines.filter((line) => line !== null).join("\n") + "\n";
}

const PYTHON = {
  bill: (lab) => [
    `bill = elbo.bill(vae, image, q, samples=${lab.samples}, seed=${lab.seed})`,
    'print("constant", bill.constant, "squared errors", bill.squared.mean(), "KL", q.kl.sum())',
    'print("ELBO", bill.elbo, "+-", bill.error, "nats")',
    "for dim in np.argsort(-q.kl):",
    '    print(dim, q.kl[dim], vae.axes[dim]["effect"])',
  ],
  bound: (lab, { count }) => [
    `logs = np.concatenate(list(elbo_bound.log_weights(vae, image, q, ${count}, seed=${lab.seed})))`,
    "for bound in elbo_bound.bounds(logs):",
    '    print(bound.k, bound.value, "+-", bound.error, "draws that count", bound.effective)',
  ],
  board: (lab, { mu, sigma, eps, z, of }) => [
    `mu, sigma, eps = ${mu}, ${sigma}, ${eps}`,
    `print("z", mu + sigma * eps)  # ${z}`,
    "at = q.mu.copy()",
    `at[${lab.dim}] = mu`,
    of === "square" ? "f = reparam.square" : `f = reparam.likelihood(vae, image, at, ${lab.dim})`,
    `draws = reparam.joined(list(reparam.draws(f, mu, sigma, 512, seed=${lab.seed})))`,
    'print("truth", reparam.truth(f, mu, sigma))',
    "for way, told in reparam.summary(draws, sigma).items():",
    "    print(way, told)",
  ],
  decoder: (lab, { seed }) => [
    `x, mean, noise, sigma = elbo.density(vae, image, q.mu, seed=${seed})`,
    "sample = np.clip((mean + sigma * noise + 1) * 127.5, 0, 255).round().astype(np.uint8).transpose(1, 2, 0)",
    'print("squared errors at mu", (((x - mean) / sigma) ** 2).sum() / 2, "nats", sample.shape)',
  ],
  blur: () => [
    "grey = spectrum.luminance(image[None])",
    "soft = spectrum.luminance(vae.decode(q.mu[None].astype(np.float32)))",
    "before, after = spectrum.of(grey).rings, spectrum.of(soft).rings",
    'print("half of the power is lost from", spectrum.half(before, after), "cycles per picture on")',
    "for cycles, (a, b) in enumerate(zip(before, after), 1):",
    "    print(cycles, a, b, b / a)",
  ],
};
