"""CLIP: two encoders, one space. Our small one, how it was trained, and the door to every other in open_clip's format."""
