"""Whether runs of fresh seeds agree with a recorded share."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

from rnnviz.analysis.shares import Share

FRESH = range(2000, 2003)
"""Seeds that nobody has recorded, nor used to choose an experiment."""

RARE = 0.005
"""Fresh seeds as far from the recorded share as this probability allows are taken for another share."""


def assert_agree(outcome: Callable[[int], bool], recorded: Share) -> None:
    """Fail if so few, or so many, of the fresh seeds are rare at either end of the recorded interval.

    ``outcome`` trains one seed. It is asked only as long as the seeds that are left could still change the
    verdict: where nearly all recorded seeds succeeded, one success is mostly enough.
    """
    count = 0
    for asked, seed in enumerate(FRESH):
        left = len(FRESH) - asked
        if not (_too_few(count, recorded) or _too_many(count + left, recorded)):
            return
        count += outcome(seed)
    assert not _too_few(count, recorded), f"{count} of {len(FRESH)}: fewer than {recorded}"
    assert not _too_many(count, recorded), f"{count} of {len(FRESH)}: more than {recorded}"


def can_be_refuted(recorded: Share) -> bool:
    """Whether the fresh seeds are enough to contradict a share at all; near one half, three are not."""
    return _too_few(0, recorded) or _too_many(len(FRESH), recorded)


def _too_few(count: int, recorded: Share) -> bool:
    return _tail(count, recorded.interval[0]) <= RARE


def _too_many(count: int, recorded: Share) -> bool:
    """As few failures as this are too few."""
    return _tail(len(FRESH) - count, 1 - recorded.interval[1]) <= RARE


def _tail(count: int, p: float) -> float:
    """P(X <= count) of a binomial count of the fresh seeds with probability p."""
    return sum(comb(len(FRESH), k) * p**k * (1 - p) ** (len(FRESH) - k) for k in range(count + 1))
