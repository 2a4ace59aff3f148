"""Which engine serves, that the app's start is spared numba, and that its cache can live on any host."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.tabs.gan import engine, fast
from explorer.tabs.gan.config import Settings, check
from explorer.tabs.gan.state import start

ROOT = Path(__file__).parents[3]


def python(code: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_torch_serves_until_the_fast_engine_is_ready_and_then_it_does():
    """In a process of its own, where nothing was warmed. The run goes on across the change."""
    code = """
import sys
from explorer.tabs.gan import engine
from explorer.tabs.gan.config import Settings, check
from explorer.tabs.gan.state import start
s, wide = Settings(), check({"d_width": 100, "d_layers": 5})
state = start(s)
engine.advance(s, state, 2)
print(engine.name(s), "numba" in sys.modules)
engine.warm(wait=True)
engine.advance(s, state, 2)
print(engine.name(s), engine.name(wide), state.rounds, state.finite())
"""
    process = python(code)
    assert process.communicate()[0].split("\n")[:2] == ["torch False", "numba torch 4 True"] and process.returncode == 0


def test_without_numba_torch_serves(monkeypatch):
    monkeypatch.setattr(fast, "_installed", lambda: False)
    engine.warm(wait=True)
    s = Settings()
    state = start(s)
    assert engine.name(s) == "torch"
    assert engine.advance(s, state, 3).d_loss.shape == (3,)


def test_any_engine_gives_the_same_run():
    engine.warm(wait=True)
    s = check({"d_act": "tanh"})
    fast_one, slow_one = start(s), start(s)
    assert engine.name(s) == "numba"
    engine.advance(s, fast_one, 50)
    engine.reference.advance([(s, slow_one)], 50)
    np.testing.assert_allclose(fast_one.g, slow_one.g, atol=1e-5)


def test_where_compiled_code_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "given"))
    assert fast._cache_folder() == tmp_path / "given"

    monkeypatch.delenv("NUMBA_CACHE_DIR")
    source = tmp_path / "source"
    source.mkdir()
    monkeypatch.setattr(fast, "__file__", str(source / "fast.py"))
    assert fast._cache_folder() == source / "__pycache__"

    # A source folder and a home that cannot be written to, as in some containers: a file stands where a folder should be.
    (source / "__pycache__").rmdir()
    (source / "__pycache__").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert fast._cache_folder() == tmp_path / "home" / "generative-explorer"
    (tmp_path / "blocked").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    monkeypatch.setattr(fast.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    folder = fast._cache_folder()
    assert folder.parent == tmp_path / "tmp" and folder.stat().st_mode & 0o077 == 0

    monkeypatch.setattr(fast.tempfile, "gettempdir", lambda: str(tmp_path / "blocked"))
    assert fast._cache_folder() is None


@pytest.mark.slow
def test_two_processes_may_fill_an_empty_cache_at_once(tmp_path):
    code = """
from explorer.tabs.gan import engine
from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import start
engine.warm(wait=True)
s = Settings()
state = start(s)
engine.advance(s, state, 20)
print(engine.name(s), state.g.tobytes().hex())
"""
    both = [python(code, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    third = python(code, NUMBA_CACHE_DIR=str(tmp_path)).communicate()[0]
    assert said[0] == said[1] == third and third.startswith("numba ")
