"""Plain classifiers that a network has to beat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

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


class Bags:
    """Which words, and which runs of words up to a length, occur in a text.

    texts : those whose words are known. longest : 1 for words only, 2 for pairs as well.
    """

    def __init__(self, texts: Sequence[Words], longest: int) -> None:
        self.longest = longest
        found = dict.fromkeys(run for words in texts for run in self._runs(words))
        self.numbers = {run: i for i, run in enumerate(found)}

    def of(self, texts: Sequence[Words]) -> Array:
        """Return 1 for each known run that occurs in a text and 0 for the others, (n, D)."""
        bags = np.zeros((len(texts), len(self.numbers)))
        for row, words in zip(bags, texts, strict=True):
            row[[self.numbers[run] for run in self._runs(words) if run in self.numbers]] = 1.0
        return bags

    def _runs(self, words: Words) -> list[tuple[str, ...]]:
        return [
            tuple(words[i : i + n]) for n in range(1, self.longest + 1) for i in range(len(words) - n + 1)
        ]


def judge_by_words(
    texts: Sequence[Words], verdicts: Indices, asked: Sequence[Words], longest: int
) -> Indices:
    """Return naive Bayes' verdict, 0 or 1, on each text (m,), from its words and not from their order.

    longest : 1 for words only, 2 for pairs of neighbours as well. One is added to every count.
    """
    bags = Bags(texts, longest)
    known = bags.of(texts)
    counts = np.array([known[verdicts == verdict].sum(axis=0) for verdict in (0, 1)]) + 1.0
    logs = np.log(counts / counts.sum(axis=1, keepdims=True))
    chances = np.log(np.bincount(verdicts, minlength=2) / len(verdicts))
    found: Indices = (bags.of(asked) @ logs.T + chances).argmax(axis=1)
    return found


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
