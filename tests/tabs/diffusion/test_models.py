"""Every family against diffusers' own pipeline, and folders in which something is wrong."""

import json
import shutil
import threading

import pytest
import torch

from explorer.assets import Missing
from explorer.tabs.diffusion import families, models
from explorer.tabs.diffusion.models import BadModel
from explorer.tabs.diffusion.sampler import Settings, contexts, denoise

FAMILIES = ("sd1", "sd2", "turbo", "sdxl", "sdxl-turbo")


@pytest.fixture(scope="module")
def folders(tiny_models, tmp_path_factory):
    """A folder of each family."""
    root = tmp_path_factory.mktemp("families")
    for name, build in tiny_models.FAMILIES.items():
        build().save_pretrained(root / name)
    return root


@pytest.fixture
def copied(folders, tmp_path):
    """copied(family) -> a folder that the test may break."""
    return lambda name="sd1": shutil.copytree(folders / name, tmp_path / name)


def own_pipeline(folder):
    import diffusers

    name = json.loads((folder / "model_index.json").read_text())["_class_name"]
    pipe = getattr(diffusers, name).from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize("negative", ["", "glasses"])
@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_paints_what_its_pipeline_paints(folders, name, negative):
    """With the defaults of the family; for the turbo models those are diffusers' own: guidance_scale 0."""
    model = models.open_model(folders / name)
    assert model.family == name and model.latent == (4, 8, 8) and model.size == 32 and model.context == 16
    turbo = "turbo" in name
    settings = Settings(prompt="a face with red hair", negative=negative, steps=model.steps if turbo else 5, seed=7,
                        scheduler=model.scheduler, guidance_scale=model.guidance_scale)  # fmt: skip
    *_, last = denoise(model, settings)

    pipe = own_pipeline(folders / name)
    if type(pipe.scheduler).__name__ != type(last.start.plan.scheduler).__name__:
        pipe.scheduler = type(last.start.plan.scheduler).from_config(last.start.plan.scheduler.config)
    theirs = pipe(
        settings.prompt, negative_prompt=negative or None, num_inference_steps=settings.steps, output_type="latent",
        guidance_scale=0.0 if turbo else settings.guidance_scale, generator=torch.Generator().manual_seed(7),
    ).images  # fmt: skip
    assert float((last.x_next - theirs).abs().max()) < 1e-3


def test_sdxl_is_told_zeros_where_nothing_is_unwanted(folders):
    model = models.open_model(folders / "sdxl")
    uncond, cond = contexts(model, Settings(prompt="red hair"))
    assert not uncond.states.any() and not uncond.added["text_embeds"].any()
    assert cond.states.shape == (1, 16, 56) and cond.added["text_embeds"].shape == (1, 24)
    uncond, _ = contexts(model, Settings(prompt="red hair", negative="glasses"))
    assert uncond.states.any() and uncond.added["text_embeds"].any()


def test_prompts_are_encoded_once(tiny_model):
    assert tiny_model.encode_prompt("a red shirt") is tiny_model.encode_prompt("a red shirt")


def test_v_becomes_noise(mini):
    """v = sqrt(abar) eps - sqrt(1 - abar) x0 and x = sqrt(abar) x0 + sqrt(1 - abar) eps give eps back."""
    generator = torch.Generator().manual_seed(0)
    x0, eps = (torch.randn(3, 4, 8, 8, generator=generator) for _ in range(2))
    t = torch.tensor([1.0, 500.0, 981.0])
    abar = mini.levels(t).view(-1, 1, 1, 1).float()
    x, v = abar.sqrt() * x0 + (1 - abar).sqrt() * eps, abar.sqrt() * eps - (1 - abar).sqrt() * x0
    assert mini.prediction == "v_prediction" and torch.allclose(mini.to_eps(v, x, t), eps, atol=1e-5)


def test_rows_of_one_call_have_their_own_times_and_texts(mini):
    generator = torch.Generator().manual_seed(0)
    x, times = torch.randn(3, 4, 8, 8, generator=generator), [961.0, 321.0, 41.0]
    prompts = [mini.encode_prompt(text).states for text in ("red hair", "", "sunglasses")]
    together = mini.predict(x, times, prompts)
    for k in range(3):
        alone = mini.predict(x[k : k + 1], times[k], prompts[k])
        assert float((together[k] - alone[0]).abs().max()) < 1e-3


def test_a_folder_in_half_precision_alone_loads(tiny_models, tmp_path):
    tiny_models.sd(9).to(dtype=torch.float16).save_pretrained(tmp_path / "half", variant="fp16")
    assert (tmp_path / "half/unet/diffusion_pytorch_model.fp16.safetensors").is_file()
    model = models.open_model(tmp_path / "half")
    assert model.dtype == torch.float32 and next(denoise(model, Settings(steps=2))).x_next.isfinite().all()


def test_a_folder_of_2022_loads(folders, copied):
    """As SD 1.5's: a vocabulary and merges, a scheduler that says little, a safety checker, weights called by older names."""
    from safetensors.torch import load_file, save_file

    folder = copied()
    tokenizer = json.loads((folder / "tokenizer/tokenizer.json").read_text())["model"]
    (folder / "tokenizer/tokenizer.json").unlink()
    (folder / "tokenizer/vocab.json").write_text(json.dumps(tokenizer["vocab"]))
    (folder / "tokenizer/merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, tokenizer["merges"])]))
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 16, "do_lower_case": True}
    config |= {"bos_token": "<|startoftext|>"} | dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    (folder / "tokenizer/tokenizer_config.json").write_text(json.dumps(config))
    (folder / "scheduler/scheduler_config.json").write_text(json.dumps({
        "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1,
        "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True,
        "trained_betas": None, "clip_sample": False,
    }))  # fmt: skip
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (folder / "model_index.json").write_text(json.dumps(index))
    file = folder / "text_encoder/model.safetensors"
    weights = {name if name.startswith("text_model.") else f"text_model.{name}": w for name, w in load_file(file).items()}
    save_file(weights | {"text_model.embeddings.position_ids": torch.arange(16)[None]}, file, metadata={"format": "pt"})

    old, new = models.open_model(folder), models.open_model(folders / "sd1")
    settings = Settings(prompt="a face with a zebra", steps=3)
    assert old.tokenizer("zebra hair").input_ids == new.tokenizer("zebra hair").input_ids
    assert all(torch.equal(a.x_next, b.x_next) for a, b in zip(denoise(old, settings), denoise(new, settings), strict=True))


def test_the_tiny_decoder_of_a_folder_is_found(tiny_models, copied):
    from diffusers import AutoencoderTiny

    folder = copied()
    assert models.open_model(folder).preview is None
    AutoencoderTiny(encoder_block_out_channels=(8,) * 3, decoder_block_out_channels=(8,) * 3, num_encoder_blocks=(1,) * 3,
                    num_decoder_blocks=(1,) * 3).save_pretrained(folder / "preview")  # fmt: skip
    assert models.open_model(folder).preview.decode(torch.zeros(1, 4, 8, 8)).sample.shape == (1, 3, 32, 32)


# --- What is refused, each in one sentence ---


def refused(source) -> str:
    with pytest.raises(BadModel) as problem:
        models.open_model(source)
    said = str(problem.value)
    assert said.endswith(".") and "\n" not in said and "/tmp" not in said and "Traceback" not in said
    return said


def test_pickled_weights_are_never_loaded(copied):
    for part, safe, pickled in (
        ("unet", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
        ("text_encoder", "model.safetensors", "pytorch_model.bin"),
    ):
        folder = copied()
        (folder / part / safe).unlink()
        torch.save({"a": torch.zeros(1)}, folder / part / pickled)
        assert "safetensors" in refused(folder)
        shutil.rmtree(folder)


def test_broken_folders(copied, tmp_path):
    def broken(change):
        folder = copied()
        change(folder)
        said = refused(folder)
        shutil.rmtree(folder)
        return said

    def edit(name, **new):
        def change(folder):
            file = folder / name
            file.write_text(json.dumps(json.loads(file.read_text()) | new))

        return change

    weights = "unet/diffusion_pytorch_model.safetensors"
    assert "model_index.json" in broken(lambda folder: (folder / "model_index.json").unlink())
    assert "model_index.json" in broken(lambda folder: (folder / "model_index.json").write_text("{"))
    assert "damaged" in broken(lambda folder: (folder / weights).write_bytes((folder / weights).read_bytes()[:5000]))
    assert "damaged" in broken(lambda folder: (folder / weights).write_text("version https://git-lfs.github.com/spec/v1"))
    assert "FluxPipeline" in broken(edit("model_index.json", _class_name="FluxPipeline"))
    assert "code of its own" in broken(edit("model_index.json", unet=["my_unet", "MyUNet"]))
    assert "4 channels" in broken(edit("unet/config.json", in_channels=9))
    assert "guidance inside" in broken(edit("unet/config.json", time_cond_proj_dim=64))
    assert "sd1" in broken(lambda folder: shutil.rmtree(folder / "vae"))
    assert "no tokenizer" in broken(lambda folder: shutil.rmtree(folder / "tokenizer"))
    assert "lacks" in broken(_without_a_weight)
    assert "fit together" in broken(_another_text_encoder)
    assert "no folder" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "empty is not a diffusers pipeline" in refused(tmp_path / "empty")


def _without_a_weight(folder):
    from safetensors.torch import load_file, save_file

    file = folder / "unet/diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights.pop("conv_in.weight")
    save_file(weights, file)


def _another_text_encoder(folder):
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig.from_pretrained(folder / "text_encoder")
    config.hidden_size, config.intermediate_size = 48, 96
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")


def test_the_hub_out_of_reach_is_one_sentence(monkeypatch):
    monkeypatch.setattr(families, "_online", lambda: False)
    said = "nobody/nothing is not on this computer, and the Hub cannot be reached."
    assert refused("nobody/nothing") == said and families.look("nobody/nothing") == ("", said)


# --- What a page may choose ---


def test_the_menu_and_what_is_behind_it(folders, monkeypatch):
    monkeypatch.delenv("EXPLORER_DIFFUSION", raising=False)
    assert [entry["name"] for entry in models.offered()] == [models.OURS]
    assert models.load("") is models.load("") and models.load("").family == "mini"
    with pytest.raises(BadModel, match="menu"):
        models.load(str(folders / "sd1"))  # only the host may name one

    monkeypatch.setenv("EXPLORER_DIFFUSION", str(folders / "turbo"))
    ours, own = models.offered()
    assert own == {"name": "own", "label": "turbo", "family": "turbo", "available": True, "sentence": ""}
    assert models.load("own").family == "turbo" and models.load("own") is models.load("own")

    monkeypatch.setenv("EXPLORER_DIFFUSION", str(folders))
    assert not models.offered()[1]["available"] and "model_index.json" in models.offered()[1]["sentence"]


def test_a_loaded_model_needs_its_folder_no_more(mini, folders, tmp_path, monkeypatch):
    """Its checksums are not computed again, and a folder that is being replaced takes it from nobody."""

    def gone():
        raise Missing("diffusion/avatars", "train")

    asked = []
    monkeypatch.setattr(models.folder, "shipped", lambda: asked.append(1) or gone())
    monkeypatch.delenv("EXPLORER_DIFFUSION", raising=False)
    assert models.load("") is mini and models.offered()[0]["available"] and not asked
    own = shutil.copytree(folders / "sd1", tmp_path / "sd1")
    monkeypatch.setenv("EXPLORER_DIFFUSION", str(own))
    loaded = models.load("own")
    shutil.rmtree(own)
    assert models.load("own") is loaded and models.offered()[1]["available"]

    monkeypatch.setattr(models, "_loaded", {})
    monkeypatch.setattr(models, "_checked", threading.Event())
    with pytest.raises(Missing):
        models.load("")
    assert "is not here" in models.offered()[0]["sentence"] and len(asked) == 2
    monkeypatch.setattr(models.folder, "shipped", lambda: asked.append(1))
    assert models.offered()[0]["available"] and models.offered()[0]["available"] and len(asked) == 3


# --- ZeroGPU ---


def test_zerogpu_is_one_turn_per_run_and_elsewhere_nothing(tiny_sd, monkeypatch):
    import sys
    import types

    from explorer.tabs.diffusion import zerogpu

    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert not zerogpu.here()

    turns = []

    def gpu(duration):
        def around(fn):
            def turn(*given):
                turns.append(duration(*given))
                yield from fn(*given)

            return turn

        return around

    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setenv("EXPLORER_DIFFUSION", str(tiny_sd))
    zerogpu._entry.cache_clear()
    try:
        assert zerogpu.here()
        steps = list(zerogpu.film("own", Settings(prompt="red hair", steps=3, size=32)))
    finally:
        zerogpu._entry.cache_clear()
    assert len(steps) == 3 and turns == [20]


def test_a_step_survives_the_way_between_processes(tiny_model):
    import pickle

    settings = Settings(prompt="red hair", steps=4, scheduler="pndm")
    steps = list(denoise(tiny_model, settings))
    start = pickle.loads(pickle.dumps(steps[2])).start
    branch = list(denoise(tiny_model, settings, start=start))
    assert all(torch.equal(a.x_next, b.x_next) for a, b in zip(branch, steps[2:], strict=True))
