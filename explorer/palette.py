"""The colours: one per symbol, for equations, plots and controls alike, each in a light and a dark version."""

import re

# Names are those of the CSS custom properties, without the dashes. Every text colour reads at 4.5:1 or better
# on both backgrounds of its mode, which a test computes.
LIGHT = {
    "paper": "#faf9f6", "panel": "#ffffff", "sunk": "#f1efe9",
    "ink": "#1c1e23", "muted": "#595e68", "line": "#dedbd3", "line-strong": "#8a8c91",
    "accent": "#26292f", "on-accent": "#ffffff", "focus": "#1d5fd6",
    "warn": "#8f4a00", "error": "#b3261e", "good": "#1b6e46",
    "sym-x": "#0f609b", "sym-mu": "#b1420d", "sym-sigma": "#7b3fb5", "sym-eps": "#5f646d",
    "sym-z": "#0a7355", "sym-xhat": "#b01f68", "sym-loss": "#b3261e", "sym-prior": "#4f6410",
}  # fmt: skip
DARK = {
    "paper": "#121418", "panel": "#1a1d23", "sunk": "#0c0e11",
    "ink": "#eceae5", "muted": "#a6abb5", "line": "#31353d", "line-strong": "#7d838e",
    "accent": "#e9e6df", "on-accent": "#16181c", "focus": "#8ab6ff",
    "warn": "#f2b36b", "error": "#ff9a90", "good": "#74d3a3",
    "sym-x": "#7fbcf5", "sym-mu": "#ff9f66", "sym-sigma": "#c9a2ff", "sym-eps": "#b3b8c1",
    "sym-z": "#56d3ab", "sym-xhat": "#ff8abf", "sym-loss": "#ff9a90", "sym-prior": "#bcd06a",
}  # fmt: skip

# Real data are x and generated data are x hat, whatever the model: so they share their colours.
for _mode in (LIGHT, DARK):
    _mode["sym-real"], _mode["sym-fake"] = _mode["sym-x"], _mode["sym-xhat"]

# What an equation may call a symbol, to the symbol's name in the palette.
SYMBOLS = {
    r"\mu": "mu", r"\sigma": "sigma", r"\Sigma": "sigma", r"\varepsilon": "eps", r"\epsilon": "eps",
    "z": "z", "x": "x", r"\hat x": "xhat", r"\mathcal L": "loss",
}  # fmt: skip


def css() -> str:
    """Both modes as CSS custom properties, .sym-mu and its like for controls, and equations that follow the mode."""
    light = " ".join(f"--{name}: {value};" for name, value in LIGHT.items())
    dark = " ".join(f"--{name}: {value};" for name, value in DARK.items())
    symbols = [name for name in LIGHT if name.startswith("sym-")]
    carriers = "\n".join(f".{name} {{ --sym: var(--{name}); }}" for name in symbols)

    # KaTeX writes the light colour of \textcolor into each element's style, where a browser spells it rgb(r, g, b).
    equations = "\n".join(
        f'.katex [style*="{_rgb(LIGHT[name])}"] {{ color: var(--{name}) !important; }}' for name in symbols
    )
    return f":root {{ color-scheme: light; {light} }}\n.dark {{ color-scheme: dark; {dark} }}\n{carriers}\n{equations}\n"


def _rgb(colour: str) -> str:
    """#0f609b -> rgb(15, 96, 155)"""
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


_MATHS = re.compile(r"(\$\$.+?\$\$|(?<![\\$])\$(?!\s)[^$\n]+?(?<!\s)\$)", re.DOTALL)
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_TOKEN = re.compile(
    r"\\(?:text|mathrm|operatorname|textcolor\{[^}]*\}|label|tag|begin|end)\*?\s*\{[^{}]*\}"  # words, not symbols
    r"|\\hat\s*\{\s*x\s*\}|\\hat\s+x|\\mathcal\s*\{\s*L\s*\}|\\mathcal\s+L"
    r"|\\[a-zA-Z]+|\\.|[a-zA-Z]+|."
    , re.DOTALL)  # fmt: skip


def paint(markdown: str) -> str:
    r"""A text with its formulas ($..$ and $$..$$) coloured: `$\mu$` becomes `${\textcolor{#b1420d}{\mu}}$`."""
    parts = _CODE.split(markdown)
    parts[::2] = [_MATHS.sub(lambda found: _TOKEN.sub(_painted, found[0]), part) for part in parts[::2]]
    return "".join(parts)


def _painted(token: re.Match) -> str:
    """One token of a formula, in its symbol's colour if it has one. A run of letters, as in `xz`, is a product."""
    text = token[0]
    if text.isalpha() and text.isascii():
        return "".join(_coloured(letter, letter) for letter in text)
    plain = re.sub(r"\s*\{\s*(\w)\s*\}$", r" \1", text)
    return _coloured(plain, text)


def _coloured(symbol: str, text: str) -> str:
    symbol = re.sub(r"\s+", " ", symbol)
    if symbol not in SYMBOLS:
        return text
    # The outer braces make it one atom, so that it may stand as a subscript.
    return rf"{{\textcolor{{{LIGHT['sym-' + SYMBOLS[symbol]]}}}{{{text}}}}}"
