"""What is wrong with a run, in plain words, with a remedy. A pure function of what was measured; knows no nets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from explorer.tabs.gan.config import Settings


@dataclass(frozen=True)
class Reading:
    """What was measured at one moment: means of the rounds just before it (see state.Trace), and metrics.Metrics."""

    step: int
    d_loss: float
    g_loss: float
    real_acc: float
    fake_acc: float
    d_norm: float
    g_norm: float
    penalty: float
    kl: float
    js: float
    sw: float
    modes_covered: int
    modes_total: int
    high_quality: float
    shares: tuple[float, ...]
    diverged_at: int | None = None


@dataclass(frozen=True)
class Finding:
    """level: good, note, warn or error. remedy: a button's label, "" for none; changes: what it sets."""

    id: str
    level: str
    sentence: str
    remedy: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


def examine(readings: Sequence[Reading], settings: Settings) -> list[Finding]:
    """What can be said of a run after these readings, the most important first."""
    return []
