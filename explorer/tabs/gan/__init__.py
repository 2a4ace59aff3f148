"""The GAN tab: two small networks against each other, on points in a plane."""

from explorer.tab import Tab

TAB = Tab(
    title="GAN",
    order=20,
    learns="How a generator learns from nothing but a discriminator's objections, and the ways in which it goes wrong.",
)
