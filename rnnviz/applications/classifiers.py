"""Plain classifiers that a network has to beat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.losses import softmax

RIDGES = (0.1, 1.0, 10.0)
"""Penalties on squared weights that are tried."""

VALIDATION_SHARE = 0.2
"""Share of the training examples, the last ones, on which the penalty is chosen."""

MOST_UPDATES = 300
LEAST_SLOPE = 1e-4
"""Fitting ends when the slope along every weight is smaller than this, per example."""

Words = Sequence[str]
Run = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Logistic:
    """Multinomial logistic regression; weights (1 + D, K), the first row the constants."""

    weights: Array

    def classify(self, inputs: Array) -> Indices:
        """Return the likeliest class of each input (n, D), (n,)."""
        chosen: Indices = (with_constant(inputs) @ self.weights).argmax(axis=1)
        return chosen


def with_constant(inputs: Array) -> Array:
    """Return inputs (n, D) with a 1 before each, (n, 1 + D)."""
    return np.column_stack([np.ones(len(inputs)), inputs])


def fit_logistic(inputs: Array, classes: Indices, ridge: float) -> Logistic:
    """Return logistic regression fitted to inputs (n, D) and classes (n,), numbered from 0.

    Each update is Newton's, with a fixed bound in place of the curvature (Böhning 1992), and with Nesterov's
    momentum, which starts anew where it leads uphill. The constants are not penalised.
    """
    X, Y = with_constant(inputs), np.eye(classes.max() + 1)[classes]
    penalty = np.full(X.shape[1], ridge)
    penalty[0] = 1e-6  # so that the bound can be inverted
    step = np.linalg.inv(0.5 * X.T @ X + np.diag(penalty))
    weights, ahead, pace = np.zeros((X.shape[1], Y.shape[1])), np.zeros((X.shape[1], Y.shape[1])), 0
    for _ in range(MOST_UPDATES):
        uphill = X.T @ (Y - softmax(X @ ahead)) - penalty[:, None] * ahead
        if np.abs(uphill).max() < LEAST_SLOPE * len(X):
            break
        moved = ahead + step @ uphill
        pace = 0 if (uphill * (moved - weights)).sum() < 0.0 else pace + 1
        ahead = moved + pace / (pace + 3) * (moved - weights)
        weights = moved
    return Logistic(ahead)


def best_logistic(inputs: Array, classes: Indices) -> Logistic:
    """Return logistic regression with the penalty that is best on the last training examples."""
    split = len(inputs) - int(VALIDATION_SHARE * len(inputs))

    def right(ridge: float) -> float:
        found = fit_logistic(inputs[:split], classes[:split], ridge)
        return float((found.classify(inputs[split:]) == classes[split:]).mean())

    return fit_logistic(inputs, classes, max(RIDGES, key=right))


def nearest(inputs: Array, classes: Indices, asked: Array) -> Indices:
    """Return for each question (m, D) the class of the training input (n, D) next to it, (m,)."""
    squares = (inputs * inputs).sum(axis=1) - 2.0 * asked @ inputs.T
    return classes[squares.argmin(axis=1)]


def judge_by_words(
    texts: Sequence[Words], verdicts: Sequence[int], asked: Sequence[Words], longest: int
) -> Indices:
    """Return naive Bayes' verdict, 0 or 1, on each text (m,), from its words and not from their order.

    longest : 1 for words only, 2 for pairs of neighbours as well. One is added to every count.
    """
    counts: tuple[Counter[Run], Counter[Run]] = (Counter(), Counter())
    for words, verdict in zip(texts, verdicts, strict=True):
        counts[verdict].update(_runs(words, longest))
    known = counts[0].keys() | counts[1].keys()
    totals = [counts[verdict].total() + len(known) for verdict in (0, 1)]
    odds = {run: log((counts[1][run] + 1) / totals[1] / (counts[0][run] + 1) * totals[0]) for run in known}
    before = log(sum(verdicts) / (len(verdicts) - sum(verdicts)))
    sums = [before + sum(odds.get(run, 0.0) for run in _runs(words, longest)) for words in asked]
    return (np.array(sums) > 0.0).astype(np.int64)


def _runs(words: Words, longest: int) -> set[Run]:
    """Return all runs of neighbouring words up to a length."""
    return {tuple(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)}


def judge_by_ending(
    texts: Sequence[Words], classes: Sequence[int], asked: Sequence[Words], length: int
) -> Indices:
    """Return the commonest class of the training texts with the same last words, (m,).

    Where the last ``length`` words never ended a training text, one word less is compared, and so on.
    """
    found: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
    for words, verdict in zip(texts, classes, strict=True):
        for n in range(min(length, len(words)) + 1):
            found[tuple(words[len(words) - n :])][verdict] += 1

    def verdict_on(words: Words) -> int:
        ends = (tuple(words[len(words) - n :]) for n in range(min(length, len(words)), -1, -1))
        return found[next(end for end in ends if end in found)].most_common(1)[0][0]

    return np.array([verdict_on(words) for words in asked])
