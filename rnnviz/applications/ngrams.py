"""Plain predictions of the next letter that a network has to beat: smoothed counts of n letters in a row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np

from rnnviz.model.arrays import Array

LONGEST = 6
"""The longest run of letters that is counted."""

ADDED = (0.01, 0.1, 1.0)
"""Constants that are tried for adding to every count."""

VALIDATION_SHARE = 0.15
"""Share of the training text, at its end, on which length and smoothing are chosen."""

Codes = tuple[int, ...]
"""The numbers of letters."""


class Counts:
    """How often each letter follows the letters before it.

    text : the numbers of its letters. size : of the alphabet.
    """

    def __init__(self, text: Codes, size: int) -> None:
        self.size = size
        self._following: dict[Codes, Counter[int]] = defaultdict(Counter)
        for end, letter in enumerate(text):
            for n in range(min(LONGEST - 1, end) + 1):
                self._following[text[end - n : end]][letter] += 1
        self._totals = {before: found.total() for before, found in self._following.items()}

    def after(self, before: Codes, n: int, letter: int) -> tuple[int, int, int]:
        """Return how often a letter, and any, follows the last n - 1 of ``before``, and how many kinds do."""
        known = before[len(before) - n + 1 :]
        if len(before) < n - 1 or known not in self._following:
            return 0, 0, 0
        found = self._following[known]
        return found[letter], self._totals[known], len(found)

    def add_k(self, before: Codes, letter: int, k: float) -> list[float]:
        """Return a letter's probability from counts of 1, 2, ..., ``LONGEST`` letters, each plus k."""
        found = (self.after(before, n, letter) for n in range(1, LONGEST + 1))
        return [(count + k) / (total + k * self.size) for count, total, _ in found]

    def witten_bell(self, before: Codes, letter: int) -> list[float]:
        """Return a letter's probability from counts of up to 1, 2, ..., ``LONGEST`` letters.

        Counts of n letters make room for those of n - 1 in proportion to the number of different letters that
        followed (Witten and Bell 1991); below single letters all are equally likely.
        """
        p, shares = 1.0 / self.size, []
        for n in range(1, LONGEST + 1):
            count, total, kinds = self.after(before, n, letter)
            p = (count + kinds * p) / (total + kinds) if kinds else p
            shares.append(p)
        return shares


Model = Callable[[Counts, Codes, int], list[float]]
"""The probability of a letter after others, by number of letters counted."""

MODELS: dict[str, Model] = {
    **{f"-grams, add-{k:g} smoothing": partial(Counts.add_k, k=k) for k in ADDED},
    "-grams (Witten-Bell)": Counts.witten_bell,
}


def bits(model: Model, counts: Counts, text: Codes) -> Array:
    """Return the mean surprise at each letter of a text but the first, by number of letters counted."""
    starts = (max(0, end - LONGEST + 1) for end in range(1, len(text)))
    shares = [model(counts, text[a:b], text[b]) for b, a in enumerate(starts, start=1)]
    return -np.log2(shares).mean(axis=0)


@lru_cache(maxsize=32)
def ngram_bits(training: Codes, held_out: Codes, size: int) -> dict[str, float]:
    """Return the surprise at a held-out text, in bits a letter, by plain method.

    The length n and the constant k are those with the least surprise at the end of the training text.
    """
    kept = max(2, int(VALIDATION_SHARE * len(training)))
    part, counts = Counts(training[:-kept], size), Counts(training, size)
    tried = {name: bits(model, part, training[-kept:]) for name, model in MODELS.items()}
    added = min((name for name in tried if "add" in name), key=lambda name: tried[name].min())
    reached = {}
    for name in (added, "-grams (Witten-Bell)"):
        n = int(tried[name].argmin())
        reached[f"{n + 1}{name}"] = float(bits(MODELS[name], counts, held_out)[n])
    return reached
