"""Forecasts of a series by a network, against the baselines."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.applications.autoregression import plain_forecasts
from rnnviz.applications.catalogue import Score, scores_of_forecasts
from rnnviz.applications.forecast import NetworkForecasts, series_of
from rnnviz.figures.applications.answer import Answer
from rnnviz.figures.forecast import Forecasts, forecast_spec
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.teaching.numbers import percent


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
        s = series_of(now.experiment)
        scores = scores_of_forecasts(now.experiment, made, self.season)
        first = scores[0]
        baseline = plain_forecasts(s, self.season)[first.rival].ahead
        view = Forecasts(
            s,
            made.ahead,
            made.free,
            made.future,
            baseline,
            first.rival,
            unit=self.unit,
            row_names=self.row_names,
        )
        error = first.write(first.value)
        compared = f", <b>{_compared(first)}</b> “{first.rival}”" if now.state.step else ""
        return Answer(
            forecast_spec(view, theme),
            f"{s.title}: measured, split, and forecasts of the part never seen; off by {error} {s.unit}",
            f"One step ahead: off by <b>{error}</b> on average{compared}",
            scores,
        )


def _compared(score: Score) -> str:
    """Return by how much the network's error is better or worse than the best baseline's."""
    if score.result == "as good":
        return "as good as"
    share = percent(abs(1.0 - score.value / score.others[score.rival]))
    return f"{'less than 1%' if share == '0%' else share} {score.result} than"
