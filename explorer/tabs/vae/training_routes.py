"""The routes of the part "train", below `vae/train/`."""

from starlette.routing import Route


def routes() -> list[Route]:
    return []
