"""Colours that can be read, and formulas that carry them."""

import re

import pytest

from explorer import palette

TEXT = [name for name in palette.LIGHT if name.startswith("sym-")] + ["ink", "muted", "focus", "warn", "error", "good"]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours as WCAG 2 defines it, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_of_black_on_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("mode", ["LIGHT", "DARK"])
@pytest.mark.parametrize("background", ["paper", "panel", "sunk"])
@pytest.mark.parametrize("name", TEXT)
def test_text_reads_on_every_background(mode, background, name):
    colours = getattr(palette, mode)
    assert contrast(colours[name], colours[background]) >= 4.5


@pytest.mark.parametrize("mode", ["LIGHT", "DARK"])
def test_buttons_and_outlines_read(mode):
    colours = getattr(palette, mode)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["line-strong"], colours["panel"]) >= 3, "the outline of a control"
    assert contrast(colours["accent"], colours["panel"]) >= 3


def test_modes_have_the_same_names_and_css_carries_them():
    assert set(palette.LIGHT) == set(palette.DARK)
    css = palette.css()
    for name in palette.LIGHT:
        assert f"--{name}: {palette.LIGHT[name]};" in css and f"--{name}: {palette.DARK[name]};" in css


def test_symbols_differ_except_real_and_generated_data():
    names = ["x", "mu", "sigma", "eps", "z", "xhat", "loss", "prior"]
    for mode in (palette.LIGHT, palette.DARK):
        assert len({mode[f"sym-{name}"] for name in names}) == len(names)
        assert mode["sym-real"] == mode["sym-x"] and mode["sym-fake"] == mode["sym-xhat"]


def test_a_formula_is_painted():
    mu = palette.LIGHT["sym-mu"]
    assert palette.paint(r"a mean $\mu_i$") == rf"a mean ${{\textcolor{{{mu}}}{{\mu}}}}_i$"


def test_painting_only_adds_colour():
    text = (
        r"Draw $z = \mu + \sigma\odot\varepsilon$; $$\hat{x} = f(\hat x),\ \max_x \mathcal{L}(x, z_t) \text{ for x}"
        r" \mathrm{exz} \exp \begin{matrix} x \\ z \end{matrix}$$ and `$x$`, x and z in prose." + "\n```\n$$x$$\n```"
    )
    painted = palette.paint(text)
    assert re.sub(r"\{\\textcolor\{#\w{6}\}\{((?:[^{}]|\{[^{}]*\})*)\}\}", r"\1", painted) == text
    assert painted.count(palette.LIGHT["sym-xhat"]) == 2
    assert painted.count(palette.LIGHT["sym-z"]) == 3, "z, z_t and the matrix; not exz, not the prose"
    assert painted.count(palette.LIGHT["sym-x"]) == 3, "max_x, L(x, and the matrix; not the text, not the code"
