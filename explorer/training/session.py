"""One training from the command line: its arguments, its progress line, its checkpoints, and a clean way to stop."""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import torch

from explorer import device
from explorer.training import checkpoint
from explorer.training.loop import Progress, Run


def arguments(description: str, minutes: float) -> argparse.ArgumentParser:
    """A parser with what every training takes; `minutes` is the default budget."""
    parser = argparse.ArgumentParser(description=description)
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, help=f"stop after so many minutes of training (default {minutes:g})")
    budget.add_argument("--steps", type=int, help="stop after so many steps instead")
    parser.add_argument("--out", type=Path, help="folder for the finished model (default: under assets/)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for unfinished runs (default runs/)")
    parser.add_argument("--fresh", action="store_true", help="forget an unfinished run and begin anew")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=device.NAMES, default="auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's own choice)")
    parser.set_defaults(default_minutes=minutes)
    return parser


def begin(
    parser: argparse.ArgumentParser, argv: list[str] | None
) -> tuple[argparse.Namespace, dict[str, float | int | None], device.Device]:
    """The arguments, the budget as keyword arguments for `loop.fit`, and the device; seeds, and sets the threads.

    A device that this computer lacks ends the program as any wrong argument does.
    """
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    if args.steps is None and args.minutes is None:
        args.minutes = args.default_minutes
    try:
        where = device.choose(args.device)
    except ValueError as error:
        parser.error(str(error))
    return args, {"steps": args.steps, "minutes": args.minutes}, where


def resume(run: Run, path: Path, fresh: bool) -> None:
    """Continues the run at `path` if there is one and it was begun with the same settings."""
    if fresh:
        path.unlink(missing_ok=True)
    elif path.exists():
        checkpoint.load(path, run)
        print(f"Continuing at step {run.step:,} ({run.seconds / 60:.1f} minutes so far).")


def follow(run: Run, progress: Iterable[Progress], path: Path, every: float = 60.0) -> bool:
    """Trains to the end, with a line of progress and a checkpoint each minute. True when it got there.

    Ctrl+C or a termination signal stops after the step in hand; the run is saved and the same command continues it.
    """
    asked: list[int] = []
    before = {s: signal.signal(s, lambda number, _frame: asked.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    shown = saved = time.monotonic()
    live = sys.stdout.isatty()
    news = None
    try:
        for news in progress:
            now = time.monotonic()
            if now - shown > (0.5 if live else 30):
                print(f"\r{news}    " if live else news, end="" if live else "\n", flush=True)
                shown = now
            if now - saved > every:
                checkpoint.save(path, run)
                saved = time.monotonic()
            if asked:
                break
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    checkpoint.save(path, run)
    if news:
        print(f"\r{news}" if live else news, flush=True)
    if asked:
        print(f"Stopped and saved at step {run.step:,}; the same command continues.")
    return not asked


def forget(path: Path) -> None:
    """Removes a run that has become a model, and its folder if that held nothing else."""
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def forget_folder(folder: Path) -> None:
    """The same for a run that keeps more than one file."""
    shutil.rmtree(folder)
