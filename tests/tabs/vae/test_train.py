"""The training script from end to end, two steps of it, and what it says when it cannot."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from explorer.tabs.vae import engine, objective, train


def run(tmp_path, *more):
    small = ["--limit", "300", "--latent-dim", "6", "--widths", "8", "8", "8", "16"]
    return train.main([*small, "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "vae" / "avatars"), *more])


def test_two_steps_give_a_model_that_the_engine_loads(tmp_path, monkeypatch):
    assert run(tmp_path, "--steps", "2") == 0
    folder = tmp_path / "vae" / "avatars"
    card = json.loads((folder / "card.json").read_text())
    assert card["steps"] == 2 and card["config"]["latent_dim"] == 6 and card["data"]["name"] == "avatars"
    assert card["command"].startswith("python -m explorer.tabs.vae.train") and card["seed"] == 0
    assert set(card["metrics"]) >= {"psnr_db", "kl_nats", "attributes_val", "attributes_compose", "certainty"}
    assert len(card["axes"]) == 6
    assert Image.open(folder / "sheet.png").size == (16 * 64, 7 * 64)
    assert not (tmp_path / "runs" / "vae-avatars" / "run.safetensors").exists()

    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    own = engine.load.__wrapped__()
    assert own.decode(own.sample(2, 0)).shape == (2, 64, 64, 3)


def test_digits_need_no_network_and_no_judge(tmp_path):
    out = str(tmp_path / "digits")
    assert train.main(["--data", "digits", "--steps", "2", "--runs", str(tmp_path), "--out", out]) == 0
    assert json.loads((tmp_path / "digits" / "card.json").read_text())["config"]["size"] == 32


def test_what_cannot_be_had_is_one_sentence(tmp_path, capsys):
    for data in ("nothing", f"folder:{tmp_path}/gone"):
        assert run(tmp_path, "--steps", "1", "--data", data) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_stopping_loses_nothing_and_the_same_command_continues(tmp_path):
    command = [sys.executable, "-u", "-m", "explorer.tabs.vae.train", "--limit", "64", "--latent-dim", "4"]
    command += ["--widths", "8", "8", "8", "8", "--batch-size", "4", "--minutes", "10", "--threads", "1"]
    command += ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert "Training on 64 pictures" in child.stdout.readline()
    time.sleep(1)  # some steps pass; how many does not matter
    child.send_signal(signal.SIGTERM)
    rest = child.communicate(timeout=60)[0]
    assert child.returncode == 130 and "Stopped and saved at step" in rest
    stopped_at = int(rest.split("Stopped and saved at step ")[1].split(";")[0].replace(",", ""))

    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert f"Continuing at step {stopped_at:,}" in child.stdout.readline()
    os.kill(child.pid, signal.SIGTERM)
    child.communicate(timeout=60)


def test_the_face_counts_more_for_avatars_only():
    weight = objective.precision(64, "avatars")
    assert weight.max() == 4 and weight.min() == 1
    assert (objective.precision(32, "digits") == 1).all()
    with pytest.raises(SystemExit):
        train.main(["--minutes", "1", "--steps", "1"])
