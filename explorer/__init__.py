"""Generative Explorer: families of generative models, trained, stepped, steered and measured in a browser."""

__version__ = "0.1.0"
