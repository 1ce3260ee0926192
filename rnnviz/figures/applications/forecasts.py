"""Forecasts of a series by a network, against the baselines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.applications.catalogue import scores_of_forecasts
from rnnviz.applications.forecast import NetworkForecasts, naive, seasonal_naive, series_of
from rnnviz.figures.applications.answer import Answer
from rnnviz.figures.forecast import Forecasts, forecast_spec
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.model.arrays import Array
from rnnviz.tasks.series import Series


@dataclass(frozen=True)
class ChosenSeries:
    """The question how a series goes on.

    season : of the seasonal baseline, 0 for none. unit : of the values.
    row_names : of the rows that the figure names (``named_rows``); None where their times are numbers.
    """

    season: int
    unit: str
    row_names: tuple[str, ...] | None = None

    def __call__(self, now: Moment, theme: Theme) -> Answer:
        """Return the forecasts of the held-out part and of the future; measured : ``NetworkForecasts``."""
        made: NetworkForecasts = now.measured
        s, ahead = series_of(now.experiment), made.ahead
        truth = s.values[s.held_out :][: len(ahead)]
        baseline, name = _better_baseline(s, self.season, truth)
        view = Forecasts(
            s, ahead, made.free, made.future, baseline, name, unit=self.unit, row_names=self.row_names
        )
        error = float(np.mean(np.abs(ahead - truth)))
        gain = 1.0 - error / float(np.mean(np.abs(baseline - truth)))
        better = f"{gain:.0%} better" if gain >= 0 else f"{-gain:.0%} worse"
        return Answer(
            forecast_spec(view, theme),
            f"{s.title}: measured, split, and forecasts of the part never seen; off by {error:.3g} {s.unit}",
            f"One step ahead: off by <b>{error:.3g}</b> on average, <b>{better}</b> than “{name}”",
            scores_of_forecasts(now.experiment, made, self.season),
        )


def _better_baseline(s: Series, season: int, truth: Array) -> tuple[Array, str]:
    """Return the better baseline on the held-out part, and its name."""
    last = naive(s)
    if season:
        seasonal = seasonal_naive(s, season)
        if np.abs(seasonal - truth).mean() < np.abs(last - truth).mean():
            return seasonal, "like one season ago"
    return last, "like the last value"
