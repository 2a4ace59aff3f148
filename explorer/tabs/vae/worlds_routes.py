"""The routes of the part "worlds", below `vae/worlds/`."""

from starlette.routing import Route


def routes() -> list[Route]:
    return []
