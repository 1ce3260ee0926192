"""Plain predictions of the next letter that a network has to beat: smoothed counts of n letters in a row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import lru_cache

import numpy as np

LONGEST = 6
"""The longest run of letters that is counted."""

ADDED = (0.01, 0.1, 1.0)
"""Constants that are tried for adding to every count."""

VALIDATION_SHARE = 0.15
"""Share of the training text, at its end, on which length and smoothing are chosen."""

Codes = tuple[int, ...]
"""The numbers of letters."""

Model = Callable[["Counts", Codes, int], float]
"""The probability of a letter after others, from counts."""


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

    def after(self, before: Codes, n: int) -> Counter[int]:
        """Return how often each letter follows the last n - 1 letters of ``before``."""
        known = len(before) >= n - 1
        return self._following.get(before[len(before) - n + 1 :], Counter()) if known else Counter()


def add_k(n: int, k: float) -> Model:
    """Return the model that counts n letters in a row and adds k to every count."""

    def probability(counts: Counts, before: Codes, letter: int) -> float:
        found = counts.after(before, n)
        return (found[letter] + k) / (found.total() + k * counts.size)

    return probability


def witten_bell(n: int) -> Model:
    """Return the model of Witten and Bell (1991) that counts up to n letters in a row.

    Counts of n letters make room for those of n - 1 in proportion to the number of different letters that
    followed; below single letters all are equally likely.
    """

    def probability(counts: Counts, before: Codes, letter: int) -> float:
        p = 1.0 / counts.size
        for m in range(1, n + 1):
            found = counts.after(before, m)
            if found:
                p = (found[letter] + len(found) * p) / (found.total() + len(found))
        return p

    return probability


def bits(model: Model, counts: Counts, text: Codes) -> float:
    """Return the mean surprise at each letter of a text but the first, given those before it."""
    starts = (max(0, end - LONGEST + 1) for end in range(1, len(text)))
    shares = [model(counts, text[a:b], text[b]) for b, a in enumerate(starts, start=1)]
    return float(-np.log2(shares).mean())


@lru_cache(maxsize=32)
def ngram_bits(training: Codes, held_out: Codes, size: int) -> dict[str, float]:
    """Return the surprise at a held-out text, in bits a letter, by plain method.

    The length n and the constant k are those with the least surprise at the end of the training text.
    """
    kept = max(2, int(VALIDATION_SHARE * len(training)))
    part, counts = Counts(training[:-kept], size), Counts(training, size)
    lengths = range(1, LONGEST + 1)
    families: list[dict[str, Model]] = [
        {f"{n}-grams plus {k:g}": add_k(n, k) for n in lengths for k in ADDED},
        {f"{n}-grams (Witten-Bell)": witten_bell(n) for n in lengths},
    ]
    found = {}
    for models in families:
        chosen_by = {name: bits(model, part, training[-kept:]) for name, model in models.items()}
        name = min(chosen_by, key=chosen_by.__getitem__)
        found[name] = bits(models[name], counts, held_out)
    return found
