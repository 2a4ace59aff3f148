"""Byte-pair merges for a vocabulary of our own, in the file format that open_clip's SimpleTokenizer reads.

The tokenizer of the published models has 49,408 pieces; their table alone would be twice as large as our whole model.
Here every word of the captions is one piece, and any other word falls into smaller ones, down to its letters.
"""

import gzip
from collections.abc import Iterable
from pathlib import Path

END = "</w>"  # marks the last piece of a word, as in Sennrich et al. 2016, section 3.2


def merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs to be joined, best first, after which each of these words is one piece.

    A word is cut with the pairs that exist so far, and what is left of it is joined from the left by new ones. New pairs rank
    behind all others, so no word that is already whole is cut differently.
    """
    ranks: dict[tuple[str, str], int] = {}
    for word in dict.fromkeys(words):
        while len(pieces := _cut(word, ranks)) > 1:
            ranks[pieces[0], pieces[1]] = len(ranks)
    return list(ranks)


def _cut(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    pieces = [*word[:-1], word[-1] + END]
    while known := [(ranks[pair], i) for i, pair in enumerate(zip(pieces, pieces[1:])) if pair in ranks]:
        i = min(known)[1]
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
    return pieces


def write(path: Path, pairs: list[tuple[str, str]]) -> None:
    """The file: gzip, a header line, a pair a line. No newline at its end: it would become one more piece."""
    lines = ["#version: generative-explorer", *map(" ".join, pairs)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
