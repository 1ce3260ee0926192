"""The interval of a share is Wilson's, and exact at its ends."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import pytest

from rnnviz.analysis.shares import Share


@pytest.mark.parametrize(("count", "seeds"), [(0, 1), (1, 1), (0, 20), (7, 20), (20, 20), (97, 100)])
def test_the_score_test_just_accepts_both_ends(count: int, seeds: int) -> None:
    """Wilson's interval holds the shares from which the measured one is at most z standard errors away."""
    z = NormalDist().inv_cdf(0.975)
    low, high = Share(count, seeds).interval
    for end, trivial in ((low, count == 0), (high, count == seeds)):
        if not trivial:
            assert abs(count / seeds - end) == pytest.approx(z * sqrt(end * (1 - end) / seeds), rel=1e-5)
    assert low <= count / seeds <= high


def test_none_and_all_are_exact() -> None:
    for seeds in range(1, 501):
        assert Share(0, seeds).interval[0] == 0.0
        assert Share(seeds, seeds).interval[1] == 1.0
