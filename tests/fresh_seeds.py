"""Whether runs of fresh seeds agree with a recorded share."""

from __future__ import annotations

from math import comb

from rnnviz.analysis.shares import Share

FRESH = range(2000, 2003)
"""Seeds that nobody has recorded, nor used to choose an experiment."""

RARE = 0.005
"""Fresh seeds as far from the recorded share as this probability allows are taken for another share."""


def assert_agree(kept: list[bool], recorded: Share) -> None:
    """Fail if so few, or so many, of the fresh seeds are rare at either end of the recorded interval."""
    (low, high), (count, seeds) = recorded.interval, (sum(kept), len(kept))
    assert _tails(count, seeds, low)[0] > RARE, f"{count} of {seeds}: fewer than {recorded}"
    assert _tails(count, seeds, high)[1] > RARE, f"{count} of {seeds}: more than {recorded}"


def _tails(count: int, seeds: int, p: float) -> tuple[float, float]:
    """P(X <= count) and P(X >= count) of a binomial count with probability p."""
    weights = [comb(seeds, k) * p**k * (1 - p) ** (seeds - k) for k in range(seeds + 1)]
    return sum(weights[: count + 1]), sum(weights[count:])
