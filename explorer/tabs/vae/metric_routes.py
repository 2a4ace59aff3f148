"""The routes of the part "metrics", below `vae/metrics/`."""

from starlette.routing import Route


def routes() -> list[Route]:
    return []
