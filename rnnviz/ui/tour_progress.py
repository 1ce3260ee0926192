"""Where a visitor is in the tour; kept in the session only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TourProgress:
    """Progress in the tour.

    at : the stage that was open last, one of ``teaching.tour.STAGES``; "" before the tour.
    given : index of the answer; None before.
    """

    at: str = ""
    given: int | None = None
