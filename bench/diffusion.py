"""How fast the diffusion tab is, as ratios in one run: `python -m bench.diffusion`

 run       25 steps with guidance on the bundled model, every tensor and attention map kept, beside its own calls of the UNet and
           beside plain StableDiffusionPipeline.__call__; the first preview; the film of x0 decoded
 guidance  the guidance slider at one step: stored noises put together again, and decoded
 visitors  8 runs at once, whose rows share calls of the UNet, beside the same 8 one after another
 gpu       the UNets of SD 1.5 and SDXL with random weights in bfloat16, compiled or not, and what recording costs (needs a GPU)

Ways take turns, so that a busy moment of the machine meets them all. On a CPU they are timed by the seconds the process
computed, with one thread; on a GPU by the clock.
"""

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable

import app  # noqa: F401  the environment in which the app runs, its thread count above all: the same for every way

GOALS: list[tuple[str, float, str, float]] = []  # name, value, "<=" or ">=", bar
STEPS, VISITORS = 25, 8
PROMPT = "a face with red hair and round glasses on a green background"


def turns_of(ways: dict[str, Callable], turns: int) -> dict[str, list[float]]:
    """Milliseconds of each way, turn by turn; the first turn warms up."""
    import torch

    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    times = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, way in ways.items():
            start = clock()
            way(turn)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn:
                times[name].append(1000 * (clock() - start))
    return times


def table(title: str, times: dict[str, list[float]], base: str) -> None:
    print(f"\n{title:<58}{'median ms':>11}{'least':>9}{'/ base':>9}")
    for name, found in times.items():
        ratio = statistics.median(a / b for a, b in zip(found, times[base]))
        print(f"{name:<58}{statistics.median(found):>11.1f}{min(found):>9.1f}{ratio:>9.2f}")


def ratio(times: dict[str, list[float]], way: str, base: str) -> float:
    """The median of the ratios of one turn each."""
    return statistics.median(a / b for a, b in zip(times[way], times[base]))


def run(model, turns: int) -> None:
    import torch
    from diffusers import StableDiffusionPipeline

    from explorer.tabs.diffusion import decoders, schedulers
    from explorer.tabs.diffusion.sampler import Settings, denoise

    ddim = schedulers.from_config("ddim", model.scheduler_config)
    pipe = StableDiffusionPipeline(
        vae=model.vae, text_encoder=model.text_encoder, tokenizer=model.tokenizer, unet=model.unet, scheduler=ddim,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    x = torch.randn(2, *model.latent, device=model.device)
    context = torch.cat([model.encode_prompt(text).states for text in ("", PROMPT)]).to(model.device)
    times_of_run = schedulers.make("ddim", model.scheduler_config, STEPS).scheduler.timesteps.to(model.device)

    @torch.no_grad()
    def bare(turn):
        for t in times_of_run:
            model.unet(x, t, encoder_hidden_states=context)

    def settings(turn):
        return Settings(prompt=f"{PROMPT} {turn}", seed=turn, steps=STEPS)  # never the same text: it is encoded every time

    def theirs(turn, kind="latent"):
        pipe(settings(turn).prompt, num_inference_steps=STEPS, guidance_scale=4.0, output_type=kind,
             generator=torch.Generator().manual_seed(turn))  # fmt: skip

    def film(turn, decoder="full"):
        x0 = torch.cat([step.x0 for step in denoise(model, settings(turn))])
        decoders.decode(model, x0, decoder)

    def preview(turn, decoder="rgb"):
        steps = denoise(model, settings(turn))
        decoders.decode(model, next(steps).x0, decoder)
        steps.close()

    def picture(turn):
        *_, last = denoise(model, settings(turn))
        decoders.decode(model, last.x_next)

    decoders.decode(model, torch.zeros(1, *model.latent), "rgb")  # its matrix is fitted once
    ways = {
        "bare calls of the UNet": bare,
        "ours, everything recorded": lambda turn: list(denoise(model, settings(turn))),
        "ours, without attention": lambda turn: list(denoise(model, settings(turn), attention=False)),
        "ours, recorded, and every x0 decoded": film,
        "ours, recorded, and the picture decoded": picture,
        "StableDiffusionPipeline.__call__ to latents": theirs,
        "StableDiffusionPipeline.__call__ to a picture": lambda turn: theirs(turn, "pil"),
        "first preview, linear": preview,
        "first preview, full decoder": lambda turn: preview(turn, "full"),
    }
    times = turns_of(ways, turns)
    table(f"{STEPS} steps with guidance, latents {'x'.join(map(str, model.latent))}", times, "bare calls of the UNet")
    recorded = ratio(times, "ours, everything recorded", "bare calls of the UNet")
    first = STEPS * ratio(times, "first preview, linear", "ours, everything recorded")
    whole = ratio(times, "ours, recorded, and the picture decoded", "StableDiffusionPipeline.__call__ to a picture")
    GOALS.append((f"{STEPS} steps, everything recorded / bare calls of the UNet", recorded, "<=", 1.15))
    GOALS.append(("first preview / one step", first, "<=", 2))
    GOALS.append(("the whole, to a picture / StableDiffusionPipeline.__call__", whole, "<=", 1.15))


def guidance(model, turns: int) -> None:
    import torch

    from explorer.tabs.diffusion import decoders
    from explorer.tabs.diffusion.sampler import Settings, denoise, recombine

    step = list(denoise(model, Settings(prompt=PROMPT, steps=STEPS)))[STEPS // 2]
    plan = step.start.plan

    def x0(w):
        return plan.x0(step.x, recombine(step.eps_uncond, step.eps_cond, w), step.index)

    scales = torch.arange(0, 20.5, 0.5).tolist()

    def slider(kind):
        decoders.decode(model, torch.cat([x0(w) for w in scales]), kind)

    ways = {
        "one decode": lambda turn: decoders.decode(model, step.x0),
        "another guidance scale, to pixels": lambda turn: decoders.decode(model, x0(0.7 * turn)),
        f"all {len(scales)} scales of the slider, to pixels": lambda turn: slider("full"),
        "the same by the linear decoder": lambda turn: slider("rgb"),
    }
    times = turns_of(ways, 3 * turns)
    table("guidance at one step, no UNet", times, "one decode")
    more = statistics.median(b - a for a, b in zip(times["one decode"], times["another guidance scale, to pixels"]))
    GOALS.append(("guidance recombined to pixels, ms more than one decode", more, "<=", 10))


def visitors(model, turns: int) -> None:
    from explorer.tabs.diffusion.sampler import Settings, denoise

    asked = [Settings(prompt=f"{PROMPT} {k}", seed=k, steps=STEPS - k, guidance_scale=1 + k) for k in range(VISITORS)]
    rows = []

    def alone(turn):
        for settings in asked:
            list(denoise(model, settings))

    def together(turn):
        threads = [threading.Thread(target=lambda s=settings: list(denoise(model, s))) for settings in asked]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            rows.append(model.bus.last.rows)
            time.sleep(0.02)

    times = turns_of({"one after another": alone, "at once, in shared calls": together}, max(2, turns // 2))
    table(f"{VISITORS} visitors with {asked[-1].steps} to {STEPS} steps", times, "one after another")
    print(f"rows per call of the UNet: {statistics.median(rows):.0f} (two per visitor)")
    GOALS.append((f"{VISITORS} visitors at once, throughput / one after another",
                  1 / ratio(times, "at once, in shared calls", "one after another"), ">=", 2.5))  # fmt: skip


def gpu(turns: int, compiled: bool) -> None:
    """Random weights: the arithmetic does not care."""
    import torch

    if not torch.cuda.is_available():
        print("\nThe large UNets are measured on a GPU, and torch finds none here.")
        return
    from diffusers import UNet2DConditionModel

    from explorer.tabs.diffusion import attention
    from explorer.tabs.diffusion.table import PUBLISHED

    for name, configs in PUBLISHED.items():
        config, type_of = configs["unet"], torch.bfloat16
        side = config["sample_size"]
        with torch.device("cuda"):
            unet = UNet2DConditionModel(**config).to(type_of).eval().requires_grad_(False)
            x, t = torch.randn(2, 4, side, side, dtype=type_of), torch.full((2,), 500.0)
            context, added = torch.randn(2, 77, config["cross_attention_dim"], dtype=type_of), None
            if "addition_embed_type" in config:
                added = {"text_embeds": torch.randn(2, 1280, dtype=type_of), "time_ids": torch.ones(2, 6)}
        fast = torch.compile(unet, mode="reduce-overhead") if compiled else None

        @torch.no_grad()
        def step(turn, net=unet, keep=False, x=x, t=t, context=context, added=added, side=side):
            store = {"store": attention.Store((side, side))} if keep else None
            said = net(x, t, encoder_hidden_states=context, added_cond_kwargs=added, cross_attention_kwargs=store).sample
            return said.float().cpu()

        ways = {"diffusers' own attention": step}
        plain = turns_of(ways, turns)
        attention.install(unet)
        ways = {"bare": step, "attention recorded": lambda turn, step=step: step(turn, keep=True)}
        if fast is not None:
            ways["compiled, nothing recorded"] = lambda turn, step=step, fast=fast: step(turn, net=fast)
        times = turns_of(ways, turns) | plain
        table(f"{name}, {8 * side} pixels: one step with guidance, bfloat16", times, "bare")
        print(f"steps/s: {1000 / statistics.median(times['bare']):.1f} bare, "
              f"{1000 / statistics.median(times['attention recorded']):.1f} recorded")  # fmt: skip
        del unet, fast
        torch.cuda.empty_cache()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=6, help="how often the ways take turns (6)")
    parser.add_argument("--only", choices=("run", "guidance", "visitors", "gpu"), help="one part alone")
    parser.add_argument("--compile", action="store_true", help="also compile the large UNets, which takes minutes")
    chosen = parser.parse_args()

    import torch

    from explorer.tabs.diffusion import models

    torch.set_num_threads(1)
    model = models.load()
    parts = {
        "run": lambda: run(model, chosen.turns),
        "guidance": lambda: guidance(model, chosen.turns),
        "visitors": lambda: visitors(model, chosen.turns),
        "gpu": lambda: gpu(chosen.turns, chosen.compile),
    }
    for name, part in parts.items():
        if chosen.only in (None, name):
            part()
    print(f"\n{'goal':<84}{'is':>9}")
    for name, value, sign, bar in GOALS:
        good = value <= bar if sign == "<=" else value >= bar
        print(f"{f'{name} {sign} {bar:g}':<84}{value:>9.3f}  {'PASS' if good else 'over' if sign == '<=' else 'under'}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
