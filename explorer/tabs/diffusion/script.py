"""A run as Python of one's own, with diffusers alone."""


def script(run) -> str:
    """The script that paints the run's picture."""
    raise ValueError("This run cannot be had as Python yet.")
