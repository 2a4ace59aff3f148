"""Flags and environment: what is said when something is wrong, and which of the two wins."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from explorer import cli

ROOT = Path(__file__).parent.parent
NAMES = ["HOST", "PORT", "SHARE", "TABS", "DEVICE", "MODELS"]
MORE = ["IMAGE_ROOTS", "CLIP", "DATA"]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in NAMES + MORE:
        monkeypatch.delenv(f"EXPLORER_{name}", raising=False)
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)


def refused(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.parse(arguments)
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == ""
    assert said.err.count("\n") == 1 and said.err.endswith(".\n") and said.err[0].isupper()
    return said.err


def test_without_flags():
    settings = cli.parse([])
    assert (settings.host, settings.port, settings.share, settings.device) == ("127.0.0.1", 7860, False, "auto")
    assert "vae" in settings.tabs and settings.models == ""


def test_a_flag_wins_over_the_environment(monkeypatch, tmp_path):
    for name, value in zip(NAMES, ["0.0.0.0", "8000", "yes", "vae", "cpu", str(tmp_path)], strict=True):
        monkeypatch.setenv(f"EXPLORER_{name}", value)
    settings = cli.parse([])
    assert (settings.host, settings.port, settings.share) == ("0.0.0.0", 8000, True)
    assert (settings.tabs, settings.device, settings.models) == (("vae",), "cpu", str(tmp_path.resolve()))
    assert cli.parse(["--port", "9000"]).port == 9000


def test_a_space_sets_where_to_listen(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7777")
    assert (cli.parse([]).host, cli.parse([]).port) == ("0.0.0.0", 7777)


@pytest.mark.parametrize("port", ["0", "65536", "high", "-1", ""])
def test_a_port_that_is_none(capsys, monkeypatch, port):
    assert "A port is a number from 1 to 65535" in refused(capsys, f"--port={port}")


def test_an_unknown_tab(capsys):
    assert "there is no tab called 'gun'; the tabs are" in refused(capsys, "--tabs", "vae,gun").lower()


def test_an_unknown_device(capsys):
    assert "auto, cpu, cuda, mps" in refused(capsys, "--device", "tpu")


def test_a_folder_that_is_not_there(capsys, tmp_path):
    assert str(tmp_path / "none") in refused(capsys, "--models", str(tmp_path / "none"))


def test_an_unknown_flag(capsys):
    assert "--prot" in refused(capsys, "--prot", "8000")


def test_help_names_every_flag_and_variable(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.parse(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    for name in NAMES:
        assert f"--{name.lower()}" in text and f"EXPLORER_{name}" in text
    assert max(map(len, text.splitlines())) <= 120


def test_settings_reach_the_engines(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_DEVICE", "")
    monkeypatch.setenv("EXPLORER_MODELS", "")
    cli.parse(["--device", "cpu", "--models", str(tmp_path)]).to_environment()
    assert os.environ["EXPLORER_DEVICE"] == "cpu" and os.environ["EXPLORER_MODELS"] == str(tmp_path.resolve())


def test_addresses_nobody_can_listen_on():
    assert "no address called no.such.host.invalid" in cli.free("no.such.host.invalid", 7860)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "is in use" in cli.free("127.0.0.1", port)
    assert cli.free("127.0.0.1", port) == ""


def test_addresses_that_a_browser_can_open():
    assert cli.addresses("127.0.0.1", 7860) == ["http://127.0.0.1:7860"]
    own, *network = cli.addresses("0.0.0.0", 7860)
    assert own == "http://127.0.0.1:7860" and all("0.0.0.0" not in address for address in network)


def test_the_program_ends_with_one_sentence_when_its_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([sys.executable, "app.py", "--port", port], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"Port {port} is in use, perhaps by another Generative Explorer; choose another with --port.\n"


def test_folders_of_pictures(capsys, monkeypatch, tmp_path):
    (tmp_path / "a b").mkdir()
    assert cli.parse([]).image_roots == () and cli.parse([]).data == ""
    monkeypatch.setenv("EXPLORER_IMAGE_ROOTS", os.pathsep.join([str(tmp_path), str(tmp_path / "a b")]))
    settings = cli.parse(["--data", str(tmp_path / "later")])
    assert settings.image_roots == (str(tmp_path.resolve()), str(tmp_path.resolve() / "a b"))
    monkeypatch.setenv("EXPLORER_DEVICE", "cpu")  # both are put back afterwards
    monkeypatch.setenv("EXPLORER_DATA", "")
    settings.to_environment()
    assert os.environ["EXPLORER_DATA"] == str(tmp_path.resolve() / "later")
    assert "no folder /nowhere to search pictures in" in refused(capsys, "--image-roots", "/nowhere")


@pytest.mark.parametrize("name", ["timm/ViT-B-16-SigLIP2", "hf-hub:timm/ViT-B-16-SigLIP2"])
@pytest.mark.parametrize("kind", ["clip", "diffusion"])
def test_a_model_of_the_hub_or_in_a_folder(tmp_path, kind, name):
    assert getattr(cli.parse([]), kind) == ""
    assert getattr(cli.parse([f"--{kind}", name]), kind) == name
    assert getattr(cli.parse([f"--{kind}", str(tmp_path)]), kind) == str(tmp_path.resolve())


def test_what_is_no_model(capsys):
    assert "No CLIP model is called nowhere" in refused(capsys, "--clip", "nowhere")
    assert "No diffusion model is called nowhere" in refused(capsys, "--diffusion", "nowhere")


def test_the_engines_find_the_models_of_the_host(monkeypatch):
    monkeypatch.delenv("EXPLORER_DIFFUSION", raising=False)
    cli.parse(["--diffusion", "stabilityai/sd-turbo"]).to_environment()
    assert os.environ.pop("EXPLORER_DIFFUSION") == "stabilityai/sd-turbo"
