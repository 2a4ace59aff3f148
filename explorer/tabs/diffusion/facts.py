"""What a page needs to know of a model before it asks for anything: sizes, counts, decoders, schedulers."""

from explorer import corpus
from explorer.tabs.diffusion import asked, decoders, models, sampler, schedulers, sweep

EXAMPLES = (
    "red hair, blue shirt, pink background", "a man with a black beard and sunglasses", "someone with a sad mouth and grey hair",
    "blonde hair and round glasses on a green background", "a winking face with an afro",
)  # fmt: skip


def start(model) -> dict:
    """The answer to the page's first question."""
    channels, height, width = model.latent
    image = [height * model.ratio, width * model.ratio]
    v = model.prediction == "v_prediction"
    return {
        "models": models.offered(),
        "model": {
            "name": model.name, "label": model.label, "family": model.family, "latent": [channels, height, width],
            "image": [*image, 3], "ratio": image[0] * image[1] * 3 / (channels * height * width), "sizes": list(model.sizes),
            "parameters": {
                "unet": parameters(model.unet), "vae": parameters(model.vae),
                "text": sum(map(parameters, model.text_encoders)),
                "preview": parameters(model.preview) if model.preview is not None else 0,
            },
            "context": model.context, "decoders": decoders.kinds(model), "labels": model.labels is not None,
            "device": str(model.device), "prediction": model.prediction,
            "numbers": model.latent[0] * height * width,
        },
        "schedulers": [
            {"name": name, "title": one.title, "eta": one.eta, "stochastic": one.stochastic,
             "about": schedulers.of_output(name, one.about, v), "equation": schedulers.of_output(name, one.equation, v)}
            for name, one in schedulers.NAMES.items()
        ],
        "defaults": asked.plain(sampler.Settings(**asked.defaults(model))),
        "limits": {"steps": sampler.STEPS, "guidance": sampler.GUIDANCE, "strength": asked.STRENGTH, "seed": asked.SEEDS,
                   "prompt_chars": asked.PROMPT_CHARS},
        "examples": list(EXAMPLES),
        "words": {factor: list(values) for factor, values in corpus.FACTORS.items()},
        "sweep": list(sweep.SCALES),
    }  # fmt: skip


def parameters(module) -> int:
    return sum(p.numel() for p in module.parameters())
