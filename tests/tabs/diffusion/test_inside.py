"""A run opened: maps, a swapped word, the UNet, the text tower, the decoder and the table, each against the network itself."""

import base64
import copy
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer.tabs.diffusion import attention, decoding, inside, runs, sampler, swapping, table, texttower, unetmap

PROMPT = "a face with red hair wearing a blue shirt"


def made(model, **settings):
    run = runs.Run(model, sampler.Settings(**{"prompt": PROMPT, "steps": 6, "guidance_scale": 3.0, "seed": 5, **settings}))
    run.work()
    assert run.state == "done", run.error
    return run


@pytest.fixture(scope="module")
def run(tiny_model):
    return made(tiny_model)


@pytest.fixture(scope="module")
def words(run):
    return [word.text for word in inside.words(run)]


# ---- Attention --------------------------------------------------------------------------------------------------------------


def test_shares_are_those_of_the_recorded_maps(run, words):
    told = inside.told(run)
    assert [word["text"] for word in told["words"]] == words == PROMPT.split()
    assert [layer["name"] for layer in told["layers"]] == ["mean", *attention.layers(run.model.unet)]
    for layer in told["layers"]:
        shares = inside.shares(run, layer["name"])
        assert shares.shape == (7, len(words), *layer["size"]) and shares.dtype == np.uint8
        np.testing.assert_allclose(shares.sum(1), 255, atol=len(words) / 2 + 1e-6)  # but for rounding, 100 % at each place
    name = told["layers"][1]["name"]
    maps = run.steps[2].maps[name]
    expected = maps[4] / maps[1 : 1 + len(words)].sum(0)
    np.testing.assert_allclose(inside.shares(run, name)[2, 3] / 255, expected, atol=0.5 / 255 + 1e-6)
    assert told["mass"][name][2] == pytest.approx(float(maps[1 : 1 + len(words)].sum(0).mean()), abs=1e-6)


def test_an_unknown_layer_and_a_run_without_words_are_said_in_a_sentence(run, tiny_model):
    with pytest.raises(ValueError, match="no such attention layer"):
        inside.shares(run, "down_blocks.9")
    with pytest.raises(ValueError, match="read no words"):
        inside.told(made(tiny_model, prompt="", steps=1))


def test_labels_stand_where_words_do(mini):
    run = made(mini, mode="labels", labels=(("shirt", "red"), ("hair", "afro")), steps=2)
    told = inside.told(run)
    assert [(word["text"], word["tokens"]) for word in told["words"]] == [("hair: afro", (0,)), ("shirt: red", (8,))]
    assert inside.shares(run).shape[1] == 2


def test_layers_are_called_by_their_place():
    names = ["down_blocks.0.attentions.0.0", "mid_block.attentions.0.0", "mid_block.attentions.0.1", "up_blocks.1.attentions.0.0",
             "up_blocks.1.attentions.1.0"]  # fmt: skip
    assert list(inside.titles(names).values()) == ["down 1", "mid, 1", "mid, 2", "up 2a", "up 2b"]


# ---- A word swapped ---------------------------------------------------------------------------------------------------------


def test_a_free_swap_is_the_run_with_the_other_prompt(run, words):
    done = swapping.swap(run, words.index("red"), "green", hold=0.0)
    other = made(run.model, prompt=PROMPT.replace("red", "green"))
    assert done.prompt == other.settings.prompt
    for mine, theirs in zip(done.steps, other.steps[:], strict=True):
        torch.testing.assert_close(mine.x_next, theirs.x_next, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(done.maps.astype(int), inside.shares(other).astype(int), atol=1)


@pytest.mark.parametrize("scheduler", ["euler_a", "dpmpp_2m"])
def test_schedulers_with_noise_and_with_memory_are_followed(tiny_model, scheduler):
    run = made(tiny_model, scheduler=scheduler, steps=4)
    done = swapping.swap(run, 3, "green")
    other = made(tiny_model, scheduler=scheduler, steps=4, prompt=done.prompt)
    torch.testing.assert_close(done.steps[-1].x_next, other.steps[3].x_next, atol=1e-4, rtol=1e-4)


def test_held_steps_attend_where_the_first_run_did(run, words):
    word = words.index("red")
    done = swapping.swap(run, word, "green", hold=0.5, selves=False)
    assert done.held == 3
    first = inside.shares(run)
    same = np.abs(done.maps.astype(int) - first.astype(int)).max((1, 2, 3))
    assert (same[:3] <= 1).all() and same[3:6].max() > 1


def test_a_word_may_become_two_and_a_branch_keeps_its_first_steps(tiny_model, run, words):
    done = swapping.swap(run, words.index("red"), "blue green", hold=1.0)
    assert len(done.after) == len(done.before) + 1
    asked = sampler.Settings(prompt="green hair", steps=6, guidance_scale=3.0, seed=5)
    branch = runs.Run(tiny_model, asked, branch=run.leave(4))
    branch.work()
    assert inside.told(branch)["first"] == 4 and not inside.shares(branch)[:4].any()
    assert len(swapping.swap(branch, 0, "red").steps) == 2


def test_what_cannot_be_swapped_is_said(run, words):
    bad = ((99, "red", "Choose a word"), (True, "a", "Choose a word"), (3, " ", "Type a word"), (3, "RED", "there already"))
    for word, other, sentence in bad:
        with pytest.raises(ValueError, match=sentence):
            swapping.swap(run, word, other)
    with pytest.raises(ValueError, match="from 0 to 1"):
        swapping.swap(run, 3, "green", hold=None)


# ---- The UNet ---------------------------------------------------------------------------------------------------------------


def test_the_repeated_call_says_what_the_run_recorded(run):
    for index in (0, 5):
        told, eps, x0 = unetmap.called(run, index, None)
        assert told["error"] < 1e-5
        torch.testing.assert_close(x0[:1], run.steps[index].x0, atol=1e-3, rtol=1e-3)


def test_activations_are_those_of_the_block(run):
    """Against a call of the UNet's own parts, by hand."""
    told, *_ = unetmap.called(run, 2, [])
    node = told["nodes"][0]
    step, unet = run.steps[2], run.model.unet
    with torch.no_grad():
        out = unet.conv_in(step.x * step.scale)[0]
    assert node["shape"] == list(out.shape)
    assert node["rms"] == pytest.approx(float(out.square().mean().sqrt()), rel=1e-5)
    maps = np.frombuffer(base64.b64decode(node["maps"]), np.uint8).reshape(-1, *node["size"]) / 255
    low, high = np.array(node["low"])[:, None, None], np.array(node["high"])[:, None, None]
    shown = low + maps * (high - low)
    np.testing.assert_allclose(shown[0], out.mean(0), atol=float((high - low)[0, 0, 0]) / 255)
    np.testing.assert_allclose(shown[1], out[node["channels"][0]], atol=float((high - low)[1, 0, 0]) / 255)


def test_a_skip_that_is_off_reads_zeros(run):
    """Against the UNet with the last skip's half of the up block's weights taken out."""
    found = unetmap.skips(run.model.unet)
    told, eps, _ = unetmap.called(run, 3, [0])
    target = found[0].target
    unet = copy.deepcopy(run.model.unet)
    resnet = unet.up_blocks[target].resnets[-1]  # reads conv_in's skip, after its own channels
    own = resnet.norm1.num_channels - unet.conv_in.out_channels
    hook = resnet.register_forward_pre_hook(lambda _, args: (torch.cat([args[0][:, :own], 0 * args[0][:, own:]], 1), *args[1:]))
    step = run.steps[3]
    uncond, cond = sampler.contexts(run.model, step.settings)
    x = (step.x * step.scale).expand(2, -1, -1, -1)
    with torch.no_grad():
        halves = unet(x, step.timestep, torch.cat([uncond.states, cond.states])).sample
    hook.remove()
    expected = sampler.recombine(*halves.chunk(2), 3.0)
    torch.testing.assert_close(eps[1:], expected, atol=1e-4, rtol=1e-3)
    assert told["variants"][1]["change"] > 1e-3


def test_looking_leaves_no_hook_on_the_shared_network(run):
    unetmap.called(run, 1, None)
    decoding.told(run, 1)
    for module in [*run.model.unet.modules(), *run.model.vae.modules()]:
        assert not module._forward_hooks and not module._forward_pre_hooks


def test_skips_are_all_that_the_way_up_reads(run, mini):
    for model in (run.model, mini):
        found = unetmap.skips(model.unet)
        assert [skip.number for skip in found] == list(range(sum(len(block.resnets) for block in model.unet.up_blocks)))
        modules = dict(model.unet.named_modules())
        assert all(skip.source in modules for skip in found)


def test_bad_steps_and_skips_are_said(run):
    with pytest.raises(ValueError, match="steps 0 to 5"):
        unetmap.look(run, 6)
    with pytest.raises(ValueError, match="skip connections 0 to"):
        unetmap.look(run, 0, [77])


# ---- The text tower, the decoder, the table ---------------------------------------------------------------------------------


def test_the_matrix_is_what_the_unet_reads(mini):
    told = texttower.told(mini, "a face with red hair", other="a face with red shirt")
    states, other = (np.frombuffer(base64.b64decode(one["states"]), "<f4").reshape(48, 128) for one in (told, told["other"]))
    np.testing.assert_array_equal(states, mini.encode_prompt("a face with red hair").states[0])
    np.testing.assert_allclose(states[:5], other[:5], atol=1e-5)  # causal: the first other word is the fifth
    assert np.abs(states[5] - other[5]).max() > 0.1
    kinds = [token["kind"] for token in told["tokens"]]
    assert kinds == ["start"] + ["word"] * 5 + ["end"] + ["padding"] * 41


def test_our_text_encoder_is_the_clip_tabs_tower(mini, tiny_model):
    assert texttower.same_as_clip(mini) < 2e-3  # float16's rounding of weights up to 4
    assert texttower.same_as_clip(tiny_model) is None


def test_the_decoders_last_stage_is_the_picture(run):
    told = decoding.told(run, 5)
    step, vae = run.steps[5], run.model.vae
    with torch.no_grad():
        picture = vae.decode(step.x0 / vae.config.scaling_factor).sample[0]
    last = told["nodes"][-1]
    assert last["shape"] == list(picture.shape)
    assert last["rms"] == pytest.approx(float(picture.square().mean().sqrt()), rel=1e-4)
    assert told["numbers"] == [step.x0.numel(), picture.numel()]


def test_published_models_are_counted_without_their_weights():
    """The figures of the model cards: 859.5 M and 2,567.5 M in the UNets, 16 and 70 cross-attention layers."""
    sd, xl = (table.published(name) for name in table.PUBLISHED)
    assert sd["parameters"]["unet"] == 859_520_964 and xl["parameters"]["unet"] == 2_567_463_684
    assert (sd["layers"], xl["layers"]) == (16, 70) and (sd["context"], xl["context"]) == (768, 2048)
    assert [level["transformers"] for level in xl["levels"]] == [0, 2, 10]
    assert sd["parameters"]["vae"] == xl["parameters"]["vae"] == 83_653_863
    assert sd["parameters"]["text"][0][1] == 123_060_480 and xl["parameters"]["text"][1][1] == 694_659_840
    assert sd["ratio"] == xl["ratio"] == 48
    assert 0.75e12 < sd["flops"]["unet"] < 0.85e12 and 2.4e12 < sd["flops"]["decode"] < 2.6e12


def test_a_loaded_model_is_counted_as_it_is(mini):
    column = table.of_model(mini)
    assert column["parameters"]["unet"] == sum(p.numel() for p in mini.unet.parameters())
    assert column["layers"] == len(attention.layers(mini.unet)) == 7
    assert column["latent"] == mini.latent and column["ratio"] == 48


def test_a_column_is_counted_once_however_many_ask_at_the_same_time(mini, monkeypatch):
    counted, together, real = [], threading.Barrier(4), table.column
    monkeypatch.setattr(table, "_published", {})
    monkeypatch.setattr(table, "_models", weakref.WeakKeyDictionary())
    monkeypatch.setattr(table, "column", lambda name, *parts: counted.append(name) or real(name, *parts))

    def ask(_):
        together.wait(60)
        return table.published("Stable Diffusion 1.5"), table.of_model(mini)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(ask, range(4)))
    assert sorted(counted) == ["Stable Diffusion 1.5", "This model"] and all(one == told[0] for one in told)


def test_flops_of_a_convolution_are_those_of_its_formula():
    with torch.device("meta"):
        layer, x = torch.nn.Conv2d(3, 8, 3, padding=1), torch.empty(1, 3, 10, 10)
    assert table._counted(lambda: layer(x)) == 2 * 8 * 3 * 9 * 100
