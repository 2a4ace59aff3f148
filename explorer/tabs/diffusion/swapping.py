"""Swap a word and see: the same noise with another word, freely or with the first picture's attention (Prompt-to-Prompt).

Hertz et al. 2022: where a word is painted is decided by attention. If the new run attends, in its first steps, where the old
one did, the face stays and only what the word says changes. Both ways are rows of the same calls.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from explorer.tabs.diffusion import attention, decoders, inside, prompts, sampler, unetmap

WORDS = 60  # letters of a word that is put in


@dataclass(frozen=True)
class Swap:
    """Both runs, step by step. Maps are shares as inside.shares gives them, mean over layers: (steps + 1, words, h, w) uint8."""

    prompt: str
    before: list[prompts.Word]
    after: list[prompts.Word]
    word: int  # its number among the words, in both
    held: int  # steps that attended where the old run did
    steps: list  # of the new run: Steps with maps
    maps: np.ndarray
    films: np.ndarray | None  # (2 n, H, W, 3): x0 of the old run's steps, then the new one's
    pictures: np.ndarray  # (2, H, W, 3): the results


@torch.no_grad()
def swap(run, word: int, other: str, hold: float = 0.0, selves: bool = True) -> Swap:
    """The last stretch of a run again, with `other` in the place of word number `word`.

    `hold` is the share of its steps in which the new run attends where the old one did; `selves`: to itself too, for the
    first half of these. Raises ValueError with one sentence.
    """
    model, settings = run.model, _settings(run)
    before, other = _checked(run, word, other, hold)
    prompt = prompts.replaced(settings.prompt, before[word], other)
    after = prompts.inside(prompts.words(model.tokenizer, prompt), prompts.room(model.tokenizer, model.context))
    moved = _places(before, after, word)
    tokens = attention.swap_tokens(model.context, before[word].tokens, moved)

    old = [step for step in inside.own(run) if step.settings == settings]
    new = replace(settings, prompt=prompt)
    uncond, cond = sampler.contexts(model, new)
    _, source = sampler.contexts(model, settings)
    held = round(hold * len(old))
    start = old[0].start
    generator = torch.Generator()
    generator.set_state(start.generator_state)
    x, history, plan, made = start.x, start.history, start.plan, []
    with model.bus.ride():
        for n, theirs in enumerate(old):
            k, size = theirs.index, tuple(x.shape[-2:])
            seen, rows = x * plan.scale(k), [uncond, cond]
            stack, borrow = [seen, seen], []
            if n < held:  # the old run comes along as a third row, and the second attends where it does
                stack, rows = [*stack, theirs.x * plan.scale(k)], [*rows, source]
                borrow = [attention.Borrow(1, 2, tokens, selves and n < held / 2)]
            store = attention.Store(size, borrow=borrow)
            added = None if cond.added is None else {key: torch.cat([p.added[key] for p in rows]) for key in cond.added}
            eps = model.predict(torch.cat(stack), plan.knots[k].t, [p.states for p in rows], store, added)[:2]
            guided = sampler.recombine(eps[:1], eps[1:], new.guidance_scale)
            done = plan.step(guided, k, x, new.eta, generator, history)
            maps = attention.of_row(store, 1, size)
            made.append(replace(theirs, x=x, eps_uncond=eps[:1], eps_cond=eps[1:], eps=guided, x0=done.x0, x_next=done.x_next,
                                noise=done.noise, terms=(), maps=maps, settings=new))  # fmt: skip
            x, history = done.x_next, done.history

    last = old[-1]
    results = torch.cat([last.x_next * last.scale_next, x * last.scale_next])
    films = None
    if unetmap.small(model):
        films = decoders.decode(model, torch.cat([step.x0 for step in (*old, *made)]), "tiny")
    return Swap(prompt, before, after, word, held, made, shares(made, after), films, decoders.decode(model, results))


def shares(steps, words) -> np.ndarray:
    """As inside.shares, of steps at hand, mean over layers."""
    tokens, kept = [word.tokens for word in words], [inside._maps_of(step.maps, inside.MEAN) for step in steps]
    frames = [attention.word_maps(maps, tokens)[0] for maps in (*kept, sum(kept))]
    return inside.quantised(torch.stack(frames))


def _settings(run):
    """The settings of the last stretch of a run, with all that a run fills in."""
    if not len(run.steps):
        raise ValueError("This run has made no step yet.")
    return run.steps[len(run.steps) - 1].settings


def _checked(run, word: int, other: str, hold: float):
    if run.settings.mode != "text":
        raise ValueError("A word can be swapped in a run that was told by text.")
    if not unetmap.small(run.model) and run.model.device.type == "cpu":
        raise ValueError("On this host a second run of so large a model takes too long; change the prompt and run it as usual.")
    found = inside.words(run)
    if not isinstance(word, int) or isinstance(word, bool) or not 0 <= word < len(found):
        raise ValueError("Choose a word of the prompt first.")
    other = " ".join(str(other).split())
    if not other or len(other) > WORDS:
        raise ValueError(f"Type a word to put in its place, of at most {WORDS} letters.")
    if other.lower() == found[word].text.lower():
        raise ValueError("This is the word that is there already; choose another.")
    if not isinstance(hold, int | float) or not 0 <= hold <= 1:
        raise ValueError("The share of steps that keep the first picture's attention is a number from 0 to 1.")
    return found, other


def _places(before, after, word: int) -> tuple[int, ...]:
    """Where the new word's pieces stand. It may be several words: "round glasses" for "sunglasses"."""
    first = before[word].tokens[0]
    more = sum(len(w.tokens) for w in after) - sum(len(w.tokens) for w in before)
    return tuple(range(first, max(first + 1, first + len(before[word].tokens) + more)))
