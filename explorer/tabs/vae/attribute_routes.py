"""The routes of the part "attributes", below `vae/attributes/`."""

from starlette.routing import Route


def routes() -> list[Route]:
    return []
