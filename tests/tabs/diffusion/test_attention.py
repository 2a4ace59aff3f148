"""Attention maps: the same numbers as diffusers' own processors, per row, without anything shared between calls."""

import threading

import pytest
import torch
from diffusers import UNet2DConditionModel

from explorer.tabs.diffusion import attention

TOKENS, WIDTH = 12, 16


def build():
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=(16, 32), layers_per_block=1, cross_attention_dim=WIDTH, attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=8,
    ).eval()  # fmt: skip


@pytest.fixture(scope="module")
def unets():
    """The same weights twice: diffusers' own processors, and ours."""
    ours = build()
    attention.install(ours)
    return build(), ours


def call(unet, x, t, context, store=None):
    kwargs = {} if store is None else {"cross_attention_kwargs": {"store": store}}
    with torch.no_grad():
        return unet(x, t, context, **kwargs).sample


def inputs(rows, seed=0):
    generator = torch.Generator().manual_seed(seed)
    t = torch.randint(1000, (rows,), generator=generator)
    return torch.randn(rows, 4, 8, 8, generator=generator), t, torch.randn(rows, TOKENS, WIDTH, generator=generator)


def test_output_is_diffusers_own_with_and_without_a_store(unets):
    plain, ours = unets
    given = inputs(3)
    expected = call(plain, *given)
    assert torch.equal(call(ours, *given), expected)
    for store in ({}, attention.Store((8, 8))):
        torch.testing.assert_close(call(ours, *given, store), expected, atol=1e-5, rtol=0)
        assert list(store) and set(store) == set(attention.layers(ours))


def test_maps_are_probabilities_of_the_layer_itself(unets):
    """Against the softmax that diffusers writes out in its oldest processor."""
    _, ours = unets
    x, t, context = inputs(2)
    name, seen = attention.layers(ours)[0], {}
    layer = ours.down_blocks[0].attentions[0].transformer_blocks[0].attn2
    hook = layer.register_forward_pre_hook(lambda _, args, kwargs: seen.update(hidden=args[0], **kwargs), with_kwargs=True)
    store = {}
    call(ours, x, t, context, store)
    hook.remove()
    with torch.no_grad():
        q, k = (layer.head_to_batch_dim(f(y)) for f, y in ((layer.to_q, seen["hidden"]), (layer.to_k, context)))
        expected = layer.get_attention_scores(q, k).unflatten(0, (2, layer.heads)).mean(1)
    torch.testing.assert_close(store[name], expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(store[name].sum(-1), torch.ones(2, 64))


def test_no_call_is_warned_about(unets, caplog):
    call(unets[1], *inputs(1), {})
    assert not caplog.records


def test_two_threads_with_own_dicts_equal_single_runs(unets):
    _, ours = unets
    given = [inputs(1, seed) for seed in (1, 2)]
    alone = [{}, {}]
    for one, store in zip(given, alone):
        call(ours, *one, store)
    together, errors = [[{} for _ in range(5)] for _ in given], []

    def work(who):
        try:
            for store in together[who]:
                call(ours, *given[who], store)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for expected, stores in zip(alone, together):
        for store in stores:
            for name in expected:
                torch.testing.assert_close(store[name], expected[name], atol=1e-6, rtol=0)


def test_a_row_of_a_batch_has_the_maps_of_its_own_call(unets):
    """Several visitors in one call, at different time steps: each slices its own rows."""
    _, ours = unets
    x, t, context = inputs(4)
    store, alone = {}, {}
    call(ours, x, t, context, store)
    call(ours, x[2:3], t[2:3], context[2:3], alone)
    mine, expected = attention.of_row(store, 2, (8, 8)), attention.of_row(alone, 0, (8, 8))
    for name in expected:
        torch.testing.assert_close(mine[name], expected[name], atol=1e-5, rtol=0)
        assert mine[name].shape[0] == TOKENS


def test_a_borrowed_row_attends_where_its_source_does(unets):
    _, ours = unets
    x, t, context = inputs(2)
    store = attention.Store(borrow=[attention.Borrow(row=1, source=0)])
    out = call(ours, x, t, context, store)
    for maps in store.values():
        assert torch.equal(maps[0], maps[1])
    free = call(ours, x, t, context, {})
    torch.testing.assert_close(out[0], free[0], atol=1e-5, rtol=0)  # the source is untouched
    assert (out[1] - free[1]).abs().max() > 1e-4
    same = torch.cat([x[:1]] * 2), torch.cat([t[:1]] * 2), torch.cat([context[:1]] * 2)
    borrow = [attention.Borrow(1, 0, torch.eye(TOKENS), selves=True)]
    torch.testing.assert_close(call(ours, *same, attention.Store(borrow=borrow))[1], free[0], atol=1e-5, rtol=0)


def test_swapped_tokens_move_along():
    """A word of one piece becomes one of two: attention stays a probability, and what follows moves by one."""
    swap = attention.swap_tokens(6, before=(2,), after=(2, 3))
    p = torch.softmax(torch.randn(5, 6, generator=torch.Generator().manual_seed(0)), -1)
    out = p @ swap
    torch.testing.assert_close(out.sum(-1), torch.ones(5))
    torch.testing.assert_close(out[:, 2], p[:, 2] / 2)
    torch.testing.assert_close(out[:, 4], p[:, 3])
    assert torch.equal(attention.swap_tokens(6, (2,), (2,)), torch.eye(6))
    back = p @ attention.swap_tokens(6, (2, 3), (2,))
    torch.testing.assert_close(back[:, 2], p[:, 2] + p[:, 3])
    torch.testing.assert_close(back.sum(-1), torch.ones(5))


def test_words_share_what_words_get():
    maps = torch.softmax(torch.randn(TOKENS, 4, 4, generator=torch.Generator().manual_seed(0)), 0)
    shares, total = attention.word_maps(maps, [(1,), (2, 3), (4,)])
    torch.testing.assert_close(shares.sum(0), torch.ones(4, 4))
    torch.testing.assert_close(shares[1] * total, maps[2] + maps[3])
    torch.testing.assert_close(total, maps[1:5].sum(0))
    none, nothing = attention.word_maps(maps, [])
    assert none.shape == (0, 4, 4) and not nothing.any()


def test_mean_over_layers_stays_a_probability():
    generator = torch.Generator().manual_seed(0)
    maps = {"a": torch.randn(5, 8, 8, generator=generator).softmax(0), "b": torch.randn(5, 4, 4, generator=generator).softmax(0)}
    out = attention.mean(maps)
    assert out.shape == (5, 8, 8)
    torch.testing.assert_close(out.sum(0), torch.ones(8, 8))


def test_large_maps_are_kept_small():
    """Odd sizes round up as the UNet's levels do; pooling keeps each position's shares."""
    assert attention.grid(35, (9, 13)) == (5, 7)
    with pytest.raises(ValueError, match="No level"):
        attention.grid(50, (8, 8))
    store = attention.Store((8, 8), side=4)
    store.put("layer", torch.randn(2, 64, 5).softmax(-1))
    assert store["layer"].shape == (2, 16, 5)
    torch.testing.assert_close(store["layer"].sum(-1), torch.ones(2, 16))
