"""python -m explorer.corpus: a contact sheet of the avatars, or the avatars as files."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from .export import export
from .sheet import sheet
from .splits import SPLITS


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m explorer.corpus", description="The avatar corpus: look at it, or take it elsewhere."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    look = commands.add_parser("sheet", help="draw every option of every factor, and some faces, on one picture")
    look.add_argument("--out", type=Path, default=Path("avatars.png"), help="file to write (default: %(default)s)")

    take = commands.add_parser("export", help="write N faces as PNG files with captions and attributes")
    take.add_argument("count", type=int, metavar="N", help="how many faces")
    take.add_argument("folder", type=Path, metavar="DIR", help="where to; made if it is not there")
    take.add_argument("--split", choices=SPLITS, default="train", help="default: %(default)s")
    for command in (look, take):
        command.add_argument("--seed", type=int, default=0, help="another seed is another corpus (default: 0)")
    take.add_argument("--force", action="store_true", help="write even into a folder that is not empty")

    args = parser.parse_args(argv)
    try:
        if args.command == "sheet":
            if args.out.suffix.lower() not in (".png", ".jpg", ".webp"):
                raise ValueError(f"A sheet can be a .png, .jpg or .webp file, not {args.out.name}.")
            sheet(seed=args.seed).save(args.out)
            print(f"Wrote {args.out}")
        else:
            _follow(export(args.folder, args.count, args.split, args.seed, args.force), args.count, args.folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        place = f"Could not write {error.filename}: {error.strerror}." if error.filename else error
        print(place, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; what was written so far is whole.", file=sys.stderr)
        return 130
    return 0


def _follow(written, count: int, folder: Path) -> None:
    """One line of progress, redrawn in a terminal and left out elsewhere."""
    began = time.monotonic()
    for done in written:
        rate = done / max(time.monotonic() - began, 1e-6)
        if sys.stdout.isatty():
            left = (count - done) / rate
            print(f"\r{done:,} of {count:,} faces, {rate:,.0f}/s, {left:.0f} s left ", end="", flush=True)
    line = f"Wrote {count:,} faces to {folder} ({rate:,.0f}/s)"
    print(f"\r{line:60}" if sys.stdout.isatty() else line)


if __name__ == "__main__":
    sys.exit(main())
