"""The loop, its checkpoints and its averages, on a model small enough to follow by hand."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch
from safetensors import safe_open
from torch import nn

from explorer.training import checkpoint
from explorer.training.ema import Ema
from explorer.training.loop import Progress, Run, fit

POINTS = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))


def new_run(**settings) -> Run:
    torch.manual_seed(0)
    return Run(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)), settings, lr=1e-2, seed=5)


def loss_of(model, indices, generator):
    noisy = POINTS[indices] + 0.1 * torch.randn(len(indices), 3, generator=generator)
    loss = (model(noisy) - POINTS[indices]).square().mean()
    return loss, {"mse": loss.detach()}


def train(run, steps, of=None):
    """Runs until `steps`, with the learning-rate schedule of a run of `of` steps."""
    for _ in fit(run, len(POINTS), loss_of, batch_size=8, steps=of or steps):
        if run.step == steps:
            break
    return run


def equal(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_loss_falls_and_the_news_add_up():
    run = new_run()
    news = list(fit(run, len(POINTS), loss_of, batch_size=8, steps=300))
    assert [p.step for p in news] == list(range(1, 301))
    assert news[-1].loss < news[0].loss / 2
    assert news[-1].loss == pytest.approx(news[-1].parts["mse"])
    assert news[-1].left == 0 and news[9].left > 0


def test_a_run_cut_in_two_ends_like_one_that_was_not(tmp_path):
    whole = train(new_run(), 20)
    train(first := new_run(), 7, of=20)
    checkpoint.save(tmp_path / "run.safetensors", first)
    second = new_run()
    with torch.no_grad():  # whatever it was, the file must replace it
        second.model[0].weight.fill_(9)
    checkpoint.load(tmp_path / "run.safetensors", second)
    assert second.step == 7
    train(second, 20)
    assert equal(whole.model, second.model) and equal(whole.ema.model, second.ema.model)


def test_stopping_between_steps_leaves_a_whole_run():
    run = new_run()
    steps = fit(run, len(POINTS), loss_of, batch_size=8, steps=10)
    next(steps), next(steps)
    steps.close()
    assert run.step == 2
    assert equal(train(run, 10).model, train(new_run(), 10).model)


def test_a_checkpoint_of_another_experiment_is_refused_in_one_sentence(tmp_path):
    checkpoint.save(tmp_path / "run.safetensors", new_run(beta=1.0))
    with pytest.raises(ValueError, match="another beta; start anew with --fresh"):
        checkpoint.load(tmp_path / "run.safetensors", new_run(beta=4.0))


def test_a_checkpoint_is_safetensors_replaced_as_a_whole(tmp_path):
    path = tmp_path / "deep" / "run.safetensors"
    checkpoint.save(path, train(new_run(), 3))
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["run"])["step"] == 3
    assert path.stat().st_mode & 0o777 == 0o644
    # A write that was cut off leaves a .partial behind; the file itself is still the last whole one.
    path.with_suffix(".partial").write_bytes(b"half")
    checkpoint.load(path, run := new_run())
    assert run.step == 3


def test_kill_minus_nine_at_any_moment_leaves_a_readable_checkpoint(tmp_path):
    """A child saves without pause; it is killed without warning, several times, and each time the file loads."""
    script = textwrap.dedent("""
        import sys, pathlib, torch
        from explorer.training import checkpoint
        from explorer.training.loop import Run
        run = Run(torch.nn.Linear(500, 500), {}, seed=5)
        path = pathlib.Path(sys.argv[1])
        while True:
            run.step += 1
            checkpoint.save(path, run)
            print(run.step, flush=True)
    """)
    path = tmp_path / "run.safetensors"
    child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    for _ in range(12):
        acknowledged = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    checkpoint.load(path, run := Run(nn.Linear(500, 500), {}, seed=5))
    assert run.step >= acknowledged


def test_a_budget_is_needed_and_a_loss_that_is_not_finite_ends_the_run():
    with pytest.raises(ValueError, match="budget"):
        next(fit(new_run(), 8, loss_of, batch_size=8))
    bad = fit(new_run(), 8, lambda m, i, g: (m(POINTS[i]).sum() * float("nan"), {}), batch_size=8, steps=5)
    with pytest.raises(FloatingPointError, match="step 1"):
        next(bad)


def test_minutes_are_a_budget_too_and_include_the_time_before_a_pause():
    run = new_run()
    run.seconds = 59.99
    assert len(list(fit(run, len(POINTS), loss_of, batch_size=8, minutes=1))) < 1000
    assert run.seconds >= 60


def test_ema_follows_the_closed_form():
    model = nn.Linear(1, 1, bias=False)
    ema, want = Ema(model, 0.9), model.weight.item()
    for step in range(200):
        with torch.no_grad():
            model.weight.fill_(step)
        ema.update(model, step)
        decay = min(0.9, (1 + step) / (10 + step))
        want = decay * want + (1 - decay) * step
    assert ema.model.weight.item() == pytest.approx(want, rel=1e-5)


def test_the_progress_line_reads_well():
    line = str(Progress(12000, 83.14159, {"reconstruction": 51.2, "kl": 31.9}, 812.4, 720))
    assert line == "step 12,000  loss 83.14 (reconstruction 51.2, kl 31.9)  812 samples/s  12 min left"
