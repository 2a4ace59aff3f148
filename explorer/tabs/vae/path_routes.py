"""The routes of the part "paths", below `vae/paths/`."""

from starlette.routing import Route


def routes() -> list[Route]:
    return []
