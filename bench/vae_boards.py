"""From a pointer's move to changed pixels on the maps, boards and films of the VAE tab: `python -m bench.vae_boards`

As bench.vae_latency measures it, in turns with its baseline (a queued gr.Slider and gr.Image), at once and with 80 ms of round
trip added. What is in the page before it is dragged must not care for the wire; the mix of faces is decoded by the server.
"""

import argparse
import sys

from bench.vae_latency import CHROMIUM, FRAME, ROUND_TRIP, WAYS, Way, measured, report

PAGE = "?tab=vae&part="
BOARDS = {
    "map of worlds": Way(
        "app", "#vae-worlds .map", "#vae-worlds .world-picture", '#vae-worlds .part[data-boards="3"]', query=PAGE + "worlds"
    ),
    "board of corners": Way(
        "app", "#vae-paths .board-field", "#vae-paths .board-face", '#vae-paths .part[data-board="ready"]',
        query=PAGE + "paths&p_tool=corners",
    ),
    "strips of paths": Way(
        "app", "#vae-paths .way-film", "#vae-paths .way-now", '#vae-paths .part[data-path="ready"]', query=PAGE + "paths"
    ),
    "strength of an edit": Way(
        "app", "#vae-attributes input[data-edit]", '#vae-attributes [aria-label="The edited picture"]',
        '#vae-attributes .part[data-film="ready"]', query=PAGE + "attributes",
    ),
    "flat map, decoded": Way(
        "app", '#vae-metrics [data-kind="vae"] .map-canvas', '#vae-metrics [data-kind="vae"] .map-decoded',
        '#vae-metrics [data-kind="vae"][data-state="ready"]', '#vae-metrics [data-kind="vae"][data-board="ready"]',
        query=PAGE + "metrics&m_view=maps",
    ),
    "mix of faces": Way(
        "app", "#vae-paths .mix-pad", "#vae-paths .mix-face", '#vae-paths .part[data-mix="ready"]',
        query=PAGE + "paths&p_tool=mix",
    ),
}  # fmt: skip
LOCAL = [name for name in BOARDS if name != "mix of faces"]
GOALS = [
    *((name, 0, "ratio", 0.5) for name in LOCAL),
    *((name, ROUND_TRIP, "ratio", 0.1) for name in LOCAL),
    *((name, added, "p95", 2 * FRAME) for name in LOCAL for added in (0, ROUND_TRIP)),
    ("mix of faces", 0, "ratio", 0.6),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="how often the ways take turns (2)")
    parser.add_argument("--moves", type=int, default=20, help="moves of the pointer in each turn (20)")
    parser.add_argument("--only", nargs="+", choices=list(BOARDS), default=list(BOARDS), help="some of them")
    chosen = parser.parse_args()
    if not CHROMIUM:
        sys.exit("This bench needs Chromium; `make test` says how to install it.")
    ways = {name: BOARDS[name] for name in chosen.only} | {"queued": WAYS["queued"]}
    measured(chosen.rounds, chosen.moves, ways)
    report(ways, [goal for goal in GOALS if goal[0] in ways])


if __name__ == "__main__":
    main()
