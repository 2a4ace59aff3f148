"""The routes of the part "elbo", below `vae/elbo/`."""

from starlette.routing import Route


def routes() -> list[Route]:
    return []
