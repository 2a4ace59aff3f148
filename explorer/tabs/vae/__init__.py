"""The VAE tab: faces from a few dozen numbers."""

from explorer.tab import Tab

TAB = Tab(
    title="VAE",
    order=10,
    learns="How an autoencoder with a regular latent space turns a face into a few numbers, and those numbers into faces.",
    models={"vae/avatars": "python -m explorer.tabs.vae.train"},
)
