"""Diffusion models for the tests: the one that ships, and tiny ones of every family in folders of their own."""

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("tiny_diffusion", Path(__file__).parent / "tiny.py")
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_models():
    """tiny.py: sd(), sdxl() and FAMILIES, which build pipelines."""
    return tiny


@pytest.fixture(scope="session")
def tiny_sd(tmp_path_factory):
    """The folder of a tiny StableDiffusionPipeline with random weights: latents 4x8x8, pictures 32x32, 16 tokens."""
    folder = tmp_path_factory.mktemp("diffusion") / "tiny-sd"
    tiny.sd().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_sd):
    """That folder, loaded as a model of the tab."""
    from explorer.tabs.diffusion import models

    return models.open_model(tiny_sd)


@pytest.fixture(scope="session")
def mini():
    """The trained model that ships."""
    from explorer.tabs.diffusion import models

    return models.load("")
