"""The CLIP tab: pictures and words in one space, searched, explained and trained."""

from explorer.tab import Tab

TAB = Tab(
    title="CLIP",
    order=40,
    learns="How two encoders learn to put a picture and its caption in one place, and what can be found, and fooled, there.",
    models={"clip/avatars": "python -m explorer.clip.train"},
)
