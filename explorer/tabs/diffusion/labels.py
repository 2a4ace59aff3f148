"""Explicit conditioning: attributes in, without any words. The UNet reads a vector per attribute where it reads tokens else.

Dhariwal and Nichol 2021 add a class embedding to the time step's; here it takes the text's place, so one UNet serves both.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from explorer import corpus

UNKNOWN = 0  # the row of the table that says nothing; also what fills a context up


def rows(attributes: np.ndarray, context: int) -> np.ndarray:
    """(N, 10) attribute numbers, -1 where one is left open -> (N, context) rows of the table."""
    first = np.cumsum([1, *(len(values) for values in corpus.FACTORS.values())])[:-1]
    ids = np.full((len(attributes), context), UNKNOWN)
    ids[:, : len(first)] = np.where(attributes < 0, UNKNOWN, attributes + first)
    return ids


def row(chosen: Mapping[str, str]) -> np.ndarray:
    """{"shirt": "red"} -> (1, 10) attribute numbers, -1 for what is not named. Raises ValueError with one sentence."""
    out = np.full((1, len(corpus.FACTORS)), -1)
    for column, (factor, values) in enumerate(corpus.FACTORS.items()):
        if factor in chosen:
            if chosen[factor] not in values:
                raise ValueError(f"There is no {factor} called {chosen[factor]}.")
            out[0, column] = values.index(chosen[factor])
    if unknown := set(chosen) - set(corpus.FACTORS):
        raise ValueError(f"There is no attribute called {sorted(unknown)[0]}.")
    return out


def table(width: int) -> nn.Embedding:
    """An untrained table: a row for each value of each attribute, and one that says nothing."""
    embedding = nn.Embedding(1 + sum(len(values) for values in corpus.FACTORS.values()), width)
    nn.init.normal_(embedding.weight, std=0.95)  # as large as the text tower's states
    return embedding


def context(embedding: nn.Embedding, attributes: np.ndarray, length: int) -> torch.Tensor:
    """(N, length, width): what the UNet reads for these attributes."""
    return embedding(torch.from_numpy(rows(attributes, length)).to(embedding.weight.device))
