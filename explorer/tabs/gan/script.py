"""A run as a plain PyTorch script that anyone can read, run and change: nn.Sequential, torch.optim, none of our code.

It holds only what its settings use, and draws its chance as state.py does, so it trains the very same run from round 0.
"""

import inspect
import textwrap

import numpy as np

from explorer import toy2d
from explorer.tabs.gan import state
from explorer.tabs.gan.config import DATA_SIZE, OWN, Settings, changes, unpack_points

ACTIVATIONS = {"relu": "nn.ReLU()", "leaky_relu": "nn.LeakyReLU(0.2)", "tanh": "nn.Tanh()", "silu": "nn.SiLU()"}
D_LOSSES = {
    "least_squares": "((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2",
    "wgan": "fake.mean() - real.mean()",
    "wgan_gp": "fake.mean() - real.mean()",
    "hinge": "F.relu(1 - real).mean() + F.relu(1 + fake).mean()",
}
G_LOSSES = {
    "non_saturating": "F.softplus(-fake).mean()  # -log D(G(z)), of the logit",
    "minimax": "-F.softplus(fake).mean()  # log(1 - D(G(z))), of the logit",
    "least_squares": "((fake - 1) ** 2).mean() / 2",
    "wgan": "-fake.mean()",
    "wgan_gp": "-fake.mean()",
    "hinge": "-fake.mean()",
}


def script(settings: Settings) -> str:
    """The source of the script. `python it.py --rounds 100 --out weights.npz` saves the flat vectors g and d, and ema."""
    s = settings
    parts = [_data(s), _chance(s), _nets(s), _penalty(s), _training(s), _tail(s)]
    body = "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"
    imports = ["import argparse", "import copy" if s.ema else "", "\nimport numpy as np\nimport torch"]
    imports += ["import torch.nn.functional as F" if "F." in body else "", "from torch import nn"]
    return f'''"""A GAN in two dimensions in plain PyTorch, as Generative Explorer trains it, from the same random numbers.

    python gan.py --rounds 1000 --out weights.npz

Needs torch and numpy.{_unusual(s)}
"""

{chr(10).join(filter(None, imports))}

torch.set_num_threads(1)  # nets this small are slower on several
SEED, BATCH = {s.seed}, {s.batch}


{body}'''


def _unusual(s: Settings) -> str:
    named = [f"{name} = {value}" for name, value in changes(s).items() if name not in ("points", "seed")]
    lines = textwrap.wrap("Settings other than the usual: " + ", ".join(named) + ".", 120) if named else []
    return "".join("\n" + line for line in lines)


def _data(s: Settings) -> str:
    own = s.data == OWN
    source = inspect.getsource(toy2d.sample_cloud if own else toy2d.TOYS[s.data].sample).strip()
    if not own:
        return f"# ---- Data ----\n\n\n{source}\n\n\ndata = {toy2d.TOYS[s.data].sample.__name__}" + _drawn("")
    whole = np.round((unpack_points(s.points).ravel() + 1) * 32767.5).astype(int)
    lines = textwrap.fill(", ".join(map(str, whole)), 120, initial_indent="    ", subsequent_indent="    ")
    points = f"# Your points as pairs of whole numbers: 0 is -1 and 65535 is 1.\npoints = np.array([\n{lines},\n], np.uint16)"
    points += "\npoints = (points.reshape(-1, 2) / 32767.5 - 1).astype(np.float32)"
    return f"# ---- Data ----\n\n\n{source}\n\n\n{points}\ndata = sample_cloud" + _drawn(f", points, {toy2d.CLOUD_SD}")


def _drawn(more: str) -> str:
    return f"({DATA_SIZE}, np.random.default_rng([SEED, {state.DATA}]){more})  # (N, 2) in about [-1, 1]"


def _chance(s: Settings) -> str:
    n, dim = f"{state.BLOCK} * BATCH", s.noise_dim
    noise = f"rng.standard_normal(({n}, {dim}), np.float32)"
    if s.noise.startswith("uniform"):
        noise = f"(rng.random(({n}, {dim}), np.float32) * 2 - 1)"
    lines = [
        "# ---- Chance: each use has a stream of its own, drawn for 64 updates at a time ----",
        "",
        "",
        "def draws(stream, draw):",
        '    """Yields what one update after the other is given."""',
        "    block = 0",
        "    while True:",
        "        yield from draw(np.random.default_rng([SEED, stream, block]))",
        "        block += 1",
        "",
        "",
        "def noise(rng):",
        f"    return torch.from_numpy({noise}.reshape({state.BLOCK}, BATCH, {dim}))",
        "",
        "",
        f"batches = draws({state.BATCH}, lambda rng: rng.integers(0, len(data), {n}, dtype=np.int32)"
        f".reshape({state.BLOCK}, BATCH))",
        f"d_noise, g_noise = draws({state.NOISE_D}, noise), draws({state.NOISE_G}, noise)",
    ]
    if s.loss == "wgan_gp":
        draw = f"torch.from_numpy(rng.random({n}, np.float32).reshape({state.BLOCK}, BATCH, 1))"
        lines.append(f"mixes = draws({state.MIX}, lambda rng: {draw})")
    if s.instance_noise:
        for who, stream, shape in (("d", state.INSTANCE_D, "2, BATCH, 2"), ("g", state.INSTANCE_G, "BATCH, 2")):
            draw = f"torch.from_numpy(rng.standard_normal(({state.BLOCK}, {shape}), np.float32))"
            lines.append(f"{who}_jitter = draws({stream}, lambda rng: {draw})")
    return "\n".join(lines)


def _nets(s: Settings) -> str:
    spectral = '''
class Spectral(nn.Linear):
    """A linear layer whose weight is divided by its largest singular value (Miyato et al. 2018)."""

    def __init__(self, n, m):
        super().__init__(n, m)
        self.u = torch.full((m,), m**-0.5)

    @torch.no_grad()
    def power_iteration(self):
        v = F.normalize(self.weight.T @ self.u, dim=0)
        self.u = F.normalize(self.weight @ v, dim=0)

    def forward(self, x):
        v = F.normalize(self.weight.detach().T @ self.u, dim=0)
        return F.linear(x, self.weight / (self.u @ self.weight @ v), self.bias)

'''
    more, out = (", Spectral" if s.spectral else ""), ("G.append(nn.Tanh())\n" if s.g_out == "tanh" else "")
    averaged = "averaged = copy.deepcopy(G)  # its weights follow G's slowly\n" if s.ema else ""
    return f'''# ---- Nets ----

{spectral if s.spectral else ""}
def net(sizes, activation, rng, linear=nn.Linear):
    layers = []
    for n, m in zip(sizes, sizes[1:]):
        layer = linear(n, m)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(rng.standard_normal((m, n)) / n**0.5))
            layer.bias.zero_()
        layers += [layer, activation]
    return nn.Sequential(*layers[:-1])


G = net({list(s.g_sizes)}, {ACTIVATIONS[s.g_act]}, np.random.default_rng([SEED, {state.WEIGHTS_G}]))
{out}D = net({list(s.d_sizes)}, {ACTIVATIONS[s.d_act]}, np.random.default_rng([SEED, {state.WEIGHTS_D}]){more})
g_optimizer = {_optimizer(s.g_opt, "G", s.g_lr, s.beta1)}
d_optimizer = {_optimizer(s.d_opt, "D", s.d_lr, s.beta1)}
{averaged}'''


def _optimizer(name: str, net: str, lr: float, beta1: float) -> str:
    made = {"sgd": ("SGD", ""), "momentum": ("SGD", ", momentum=0.9"), "adam": ("Adam", f", betas=({beta1}, 0.999)")}
    kind, more = made.get(name, ("RMSprop", ""))
    return f"torch.optim.{kind}({net}.parameters(), lr={lr}{more})"


def _penalty(s: Settings) -> str:
    if s.loss != "wgan_gp" and not s.r1:
        return ""
    return '''def slope(x):
    """The gradient of D's logit at each point, itself differentiable."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(D(x).sum(), x, create_graph=True)[0]'''


def _training(s: Settings) -> str:
    d_log = "F.softplus(-real).mean() + F.softplus(fake).mean()  # -log D(x) - log(1 - D(G(z))), of logits"
    if s.smoothing:
        d_log = f"(F.softplus(-real) + {s.smoothing} * real).mean() + F.softplus(fake).mean()  # one-sided smoothing"
    jitter = f"jitter = {s.instance_noise} * next(d_jitter)\nx, fakes = x + jitter[0], fakes + jitter[1]"
    d_lines = [
        "x = torch.from_numpy(data[next(batches)])",
        "with torch.no_grad():",
        "    fakes = G(next(d_noise))",
        jitter if s.instance_noise else "",
        "for layer in D[::2]:\n    layer.power_iteration()" if s.spectral else "",
        "real, fake = D(x), D(fakes)",
        f"d_loss = {D_LOSSES.get(s.loss, d_log)}",
        "penalty = 0" if s.loss == "wgan_gp" or s.r1 else "",
        "mix = next(mixes)\nlength = (slope(mix * x + (1 - mix) * fakes).square().sum(1) + 1e-12).sqrt()\n"
        f"penalty = penalty + {s.gp} * (length - 1).square().mean()" if s.loss == "wgan_gp" else "",
        f"penalty = penalty + {s.r1} / 2 * slope(x).square().sum(1).mean()  # R1" if s.r1 else "",
        "d_optimizer.zero_grad()",
        "(d_loss + penalty).backward()" if s.loss == "wgan_gp" or s.r1 else "d_loss.backward()",
        "d_optimizer.step()",
        f"with torch.no_grad():\n    for p in D.parameters():\n        p.clamp_(-{s.clip}, {s.clip})" if s.loss == "wgan" else "",
    ]  # fmt: skip
    g_lines = [
        "fakes = G(next(g_noise))",
        f"fakes = fakes + {s.instance_noise} * next(g_jitter)" if s.instance_noise else "",
        "fake = D(fakes)",
        f"g_loss = {G_LOSSES[s.loss]}",
        "g_optimizer.zero_grad()",
        "g_loss.backward()",
        "g_optimizer.step()",
        "with torch.no_grad():\n    for slow, p in zip(averaged.parameters(), G.parameters()):\n"
        f"        slow.mul_({s.ema}).add_(p, alpha=1 - {s.ema})" if s.ema else "",
    ]  # fmt: skip
    d_part, g_part = (textwrap.indent("\n".join(filter(None, lines)), " " * 12) for lines in (d_lines, g_lines))
    return f'''# ---- Training ----


def train(rounds):
    d_loss = g_loss = torch.tensor(float("nan"))
    for i in range(1, rounds + 1):
        for _ in range({s.k_d}):
{d_part}
        for _ in range({s.k_g}):
{g_part}
        if i % 10 == 0:
            print(f"round {{i}}: D {{d_loss.item():.4f}}, G {{g_loss.item():.4f}}")'''


def _tail(s: Settings) -> str:
    ema = ", ema=flat(averaged)" if s.ema else ""
    return f'''def flat(net):
    return np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--out")
    chosen = parser.parse_args()
    train(chosen.rounds)
    if chosen.out:
        np.savez(chosen.out, g=flat(G), d=flat(D){ema})'''
