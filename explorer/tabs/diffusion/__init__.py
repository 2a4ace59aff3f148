"""The diffusion tab: a small Stable Diffusion with every step open."""

from explorer.tab import Tab

TAB = Tab(
    title="Diffusion",
    order=30,
    learns="How noise becomes a picture step by step, what the network predicts at each, and how guidance steers it.",
    models={"diffusion/avatars": "python -m explorer.tabs.diffusion.train"},
)
