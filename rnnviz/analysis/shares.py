"""How many of several seeds had an outcome, with an interval for the share of all seeds."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959964
"""The 97.5% quantile of the normal distribution: a two-sided interval of 95%."""


@dataclass(frozen=True)
class Share:
    """An outcome that ``count`` of ``seeds`` had.

    Raises
    ------
    ValueError
        If there are no seeds, or the count is not between 0 and their number.
    """

    count: int
    seeds: int

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"seeds must be at least 1; got {self.seeds}.")
        if not 0 <= self.count <= self.seeds:
            raise ValueError(f"count must be between 0 and {self.seeds}; got {self.count}.")

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.count / self.seeds

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval for the share of all seeds (Wilson 1927).

        It begins at exactly 0 if no seed had the outcome, and ends at exactly 1 if all had it.
        """
        n, p = self.seeds, self.value
        middle = (p + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
        half = Z_95 / (1 + Z_95**2 / n) * sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n))
        low, high = max(0.0, middle - half), min(1.0, middle + half)
        return 0.0 if self.count == 0 else low, 1.0 if self.count == n else high

    def __str__(self) -> str:
        """Return the share in words: "95 of 100 seeds (95% interval 89% to 98%)"."""
        low, high = self.interval
        return f"{self.count} of {self.seeds} seeds (95% interval {low:.0%} to {high:.0%})"
