"""How fast things are: `python -m bench.<name>` prints a table.

Variants alternate in one run and are compared as ratios, because a figure from a busy machine says little by itself.
Nothing here is a test: a test that measures time fails on a busy day.
"""
