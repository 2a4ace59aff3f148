"""The judge: reads the ten attributes of an avatar face, trained on the corpus alone; every image model is measured with it."""
