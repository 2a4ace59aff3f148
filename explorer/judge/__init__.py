"""The judge reads the ten attributes of an avatar face; every image model is measured with it."""
