"""Series of measurements to forecast: real ones, a simulated one, and the user's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.tasks.base import ABSOLUTE_ERROR, HELD_OUT_SAMPLES, MAX_LENGTH
from rnnviz.tasks.options import Menu, Option, Slider, by_name
from rnnviz.tasks.settings import Settings
from rnnviz.tasks.signals import CurveTask

if TYPE_CHECKING:
    import pandas as pd

DATA = Path(__file__).parent / "data"

HELD_OUT_SHARE = 0.25
"""Share of a user series, at its end, that is held out."""

VALIDATION_SHARE = 0.25
"""Share of the values before the split, at their end, on which settings are chosen."""

MIN_VALUES, MAX_VALUES = 30, 100_000

GROWTH = 2.0
"""A positive series whose largest value is this many times its smallest is forecast in relative changes."""

LEAST_SPREAD = 0.1
"""Changes whose spread is below this share of their size (steady growth) are scaled by their size."""


class Scale(NamedTuple):
    """The scale on which a series is forecast: there, back, and its least value."""

    there: Callable[[Array], Array]
    back: Callable[[Array], Array]
    least: float = -np.inf


PLAIN = Scale(np.asarray, np.asarray)
ROOT = Scale(np.sqrt, np.square, least=0.0)
LOG = Scale(np.log, np.exp)


class Encoding(NamedTuple):
    """What a network sees of a series: its values on a scale, or their differences.

    differences : how often the step from the value before is taken, 0 or 1.
    seasonal : whether the value of one season ago is subtracted as well.
    """

    scale: Scale
    differences: int
    seasonal: bool = False


ENCODINGS = {
    "level": Encoding(PLAIN, 0),
    "root": Encoding(ROOT, 0),
    "change": Encoding(PLAIN, 1),
    "root-change": Encoding(ROOT, 1),
    "log-change": Encoding(LOG, 1),
    "seasonal-change": Encoding(PLAIN, 1, seasonal=True),
    "seasonal-log-change": Encoding(LOG, 1, seasonal=True),
}
"""The encodings by name."""


@dataclass(frozen=True, eq=False)
class Series:
    """Values in time order, and how they are encoded for a network.

    values : (n,), in ``unit``. times : (n,), positions on the time axis, for instance years.
    held_out : row number of the first value that is never trained on.
    season : steps after which the series roughly repeats, 0 for none.
    sees : the name of an encoding: "level" (the value), "root" (its square root), "change" (from the value
        before) or "log-change" (of its logarithm); "seasonal-": less the same change one season ago.
    scale : the value that the network sees as 1, from training values only; keeps its inputs near 1.
    """

    title: str
    unit: str
    values: Array
    times: Array
    held_out: int
    season: int
    sees: str
    scale: float

    @cached_property
    def weights(self) -> Array:
        """Weights (k + 1,) whose sum over a value and the k before it is the difference that is seen."""
        encoding, weights = ENCODINGS[self.sees], np.ones(1)
        for lag in [1] * encoding.differences + [self.season] * encoding.seasonal:
            weights = np.convolve(weights, [1.0, *[0.0] * (lag - 1), -1.0])
        return weights

    @property
    def unknown(self) -> int:
        """Number of first rows without a difference, because nothing is known before them."""
        return len(self.weights) - 1

    def seen(self) -> Array:
        """Return the series as the network sees it, (n,); unknown differences are 0."""
        return self._seen

    @cached_property
    def _seen(self) -> Array:
        seen = np.convolve(self.scaled, self.weights)[: len(self.values)] / self.scale
        seen[: self.unknown] = 0.0
        return seen

    @cached_property
    def scaled(self) -> Array:
        """The values on the encoding's scale, (n,)."""
        return ENCODINGS[self.sees].scale.there(self.values)

    @cached_property
    def base(self) -> Array:
        """What each value would be on the encoding's scale if its difference were 0, (n + 1,).

        Row t depends on values before t alone; the last row is that of the first value to come.
        """
        without = np.concatenate([[0.0], -self.weights[1:]])
        return np.convolve(np.append(self.scaled, 0.0), without)[: len(self.values) + 1]

    def forecast(self, base: Array, outputs: Array) -> Array:
        """Turn a network's outputs into values in ``unit``, given the rows of ``base`` (same shape)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return ENCODINGS[self.sees].scale.back(self.place(base, outputs))

    def place(self, base: Array, outputs: Array) -> Array:
        """Return where outputs lie on the encoding's scale."""
        return np.maximum(base + self.scale * outputs, ENCODINGS[self.sees].scale.least)

    def encoded(self, sees: str) -> Series:
        """Return the series in another encoding, scaled by its training values."""
        plain = replace(self, sees=sees, scale=1.0)
        known = plain.seen()[plain.unknown : self.held_out]
        spread, size = float(known.std()), float(np.sqrt(np.mean(known * known)))
        return replace(plain, scale=(spread if spread >= LEAST_SPREAD * size else size) or 1.0)

    def validation(self) -> Series:
        """Return the part before the split as a series of its own, with its last quarter held out."""
        end = self.held_out
        return replace(
            self, values=self.values[:end], times=self.times[:end], held_out=end - int(VALIDATION_SHARE * end)
        )


def _in_changes(
    title: str, unit: str, values: Array, times: Array, held_out: int, season: int, sees: str = ""
) -> Series:
    """Return a series encoded as changes, by default relative ones if it is positive and grows a lot."""
    relative = bool(values.min() > 0.0 and values.max() >= GROWTH * values.min())
    plain = Series(title, unit, values, times, held_out, season, "change", 1.0)
    return plain.encoded(sees or ("log-change" if relative else "change"))


def as_array(numbers: Any) -> Array:
    """Return numbers as a float64 array."""
    return np.asarray(numbers, np.float64)


@cache
def sunspots() -> pd.Series:
    """Return the yearly mean sunspot number, 1700 to 2008, indexed by year (see data/README.md)."""
    import pandas as pd

    return pd.read_csv(DATA / "sunspots.csv", index_col="year")["sunspots"]


@cache
def sunspot_series() -> Series:
    """Return the sunspots; from 1940 on they are held out. Their cycle is about eleven years."""
    years = sunspots().index.to_numpy()
    held_out = int(np.searchsorted(years, Sunspots.first_held_out_year))
    values = sunspots().to_numpy(float)
    return Series("Sunspots", "sunspot number", values, as_array(years), held_out, 11, "root", Sunspots.scale)


@cache
def airline_series() -> Series:
    """Return monthly international airline passengers, 1949 to 1960 (see data/README.md)."""
    import pandas as pd

    table = pd.read_csv(DATA / "airline.csv")
    months = 1949.0 + np.arange(len(table)) / 12.0
    values = table["passengers"].to_numpy(float)
    return _in_changes(
        "Airline passengers",
        "thousand passengers",
        values,
        as_array(months),
        len(table) - 36,
        12,
        "seasonal-log-change",
    )


@cache
def stock_series() -> Series:
    """Return a simulated price: each day's relative change is drawn independently from N(0, 1%).

    The past tells nothing about tomorrow's change, so no forecast can beat the last price.
    """
    days = 600
    changes = 0.01 * np.random.default_rng(1900).standard_normal(days)
    values = 100.0 * np.exp(np.cumsum(changes) - changes[0])
    scale = float(np.diff(np.log(values[:400])).std())
    return Series(
        "A simulated stock price", "price", values, as_array(1 + np.arange(days)), 400, 0, "log-change", scale
    )


@lru_cache(maxsize=8)
def own_series(data: str) -> Series:
    """Return the user's series from its numbers, separated by spaces."""
    values = np.array(data.split(), float)
    held_out = len(values) - int(HELD_OUT_SHARE * len(values))
    rows = as_array(1 + np.arange(len(values)))
    return _in_changes("Your series", "value", values, rows, held_out, 0)


def to_data(values: Array) -> str:
    """Return values as text, the form in which an experiment stores them."""
    return " ".join(format(value, ".10g") for value in values)


def check_data(data: str) -> None:
    """Check a user series.

    Raises
    ------
    ValueError
        If it is too short or too long, contains anything but finite numbers, or is constant.
    """
    parts = data.split()
    if not MIN_VALUES <= len(parts) <= MAX_VALUES:
        raise ValueError(
            f"data must have between {MIN_VALUES} and {MAX_VALUES:,} numbers; got {len(parts):,}. "
            "Choose a series of that length."
        )
    try:
        values = np.array(parts, float)
    except ValueError:
        raise ValueError("data must be numbers separated by blanks; got something else in between.") from None
    if not np.isfinite(values).all() or np.abs(values).max() > 1e12:
        raise ValueError("data must be finite numbers below 1e12 in size; got others among them.")
    known = values[: len(values) - int(HELD_OUT_SHARE * len(values))]
    if np.ptp(known) <= 1e-9 * np.abs(known).max():
        raise ValueError(
            f"data must change within its first {len(known)} values; got {known[0]:g} throughout. "
            "There is nothing to learn from a constant."
        )


SERIES = Option(
    "series",
    "Series",
    "name",
    names={
        "airline": "Airline passengers",
        "stock": "A simulated stock price",
        "own": "Your own series",
    },
    default="airline",
    control=Menu(unlisted=("own",)),
)
OWN_SERIES = Option(
    "data",
    "Your own series",
    "text",
    default="",
    control=None,  # uploaded as a file
    only_if=(SERIES, "own"),
    validate=check_data,
    noun="series",
)


JITTER = Option(
    "jitter",
    "Noise added in training",
    "number",
    low=0.0,
    high=2.0,
    default=0.0,
    control=Slider(step=0.05),
)
"""Noise on every input, so that a short series is not learned by heart."""


@dataclass(frozen=True, eq=False)
class SeriesBatch(Batch):
    """Windows of a series.

    newest, coming : (T, B, 1), the newest known value at each step and the next one, in the data's unit.
    base : (T, B, 1), what the answers add to (see ``Series.base``).
    """

    newest: Array
    coming: Array
    base: Array


class SeriesTask(CurveTask):
    """Forecast the next value of a series, judged in the data's unit on its held-out end."""

    fits = ("many-to-many", "many-to-one")
    metric = ABSOLUTE_ERROR
    guess = "the next value like the last one"

    def series(self, e: Settings) -> Series:
        """Return the series."""
        raise NotImplementedError

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths at which a window and the next value fit into either part of the data."""
        s = self.series(e)
        return 2, min(MAX_LENGTH, len(s.values) - s.held_out - 1, s.held_out - max(s.unknown, 1) - 1)

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw windows from before the held-out part, with noise on every input."""
        s = self.series(e)
        batch = self._windows(e, s.unknown + rng.integers(s.held_out - s.unknown - e.seq_len, size=size))
        if jitter := JITTER.of(e):
            batch.inputs[:] += jitter * rng.standard_normal(batch.inputs.shape)
        return batch

    def draw_held_out(self, e: Settings, rng: np.random.Generator) -> SeriesBatch:
        """Return all windows of the held-out part, or an evenly spaced selection if there are too many."""
        s = self.series(e)
        starts = np.arange(s.held_out, len(s.values) - e.seq_len)
        if len(starts) > HELD_OUT_SAMPLES:
            starts = starts[np.linspace(0, len(starts) - 1, HELD_OUT_SAMPLES).astype(int)]
        return self._windows(e, starts)

    def _windows(self, e: Settings, starts: Indices) -> SeriesBatch:
        s = self.series(e)
        rows = np.arange(e.seq_len + 1)[:, None] + starts
        seen = s.seen()[rows][:, :, None]
        targets = np.where(self.masks(e).writes[:, None, None], seen[1:], 0.0)
        values, base = s.values[rows][:, :, None], s.base[rows[1:]][:, :, None]
        return SeriesBatch(seen[:-1], targets, self.masks(e).writes, self.loss, values[:-1], values[1:], base)

    def score(self, e: Settings, outputs: Array, batch: Batch) -> float:
        """Return the mean absolute error in the data's unit."""
        s, steps = self.series(e), batch.written
        base = batch.base[steps] if isinstance(batch, SeriesBatch) else np.zeros(())
        truth = np.asarray(batch.targets[steps], float)
        error = s.forecast(base, outputs[steps]) - s.forecast(base, truth)
        return float(np.mean(np.abs(error)))

    def chance(self, e: Settings) -> float:
        """Return the mean absolute error of the naive forecast on the held-out windows."""
        batch, steps = self.draw_held_out(e, e.rng("held-out")), self.masks(e).write_steps
        return float(np.mean(np.abs(batch.coming[steps] - batch.newest[steps])))

    def chance_loss(self, e: Settings) -> float:
        """Return the mean squared error of the naive forecast, in the network's encoding."""
        batch, steps, s = self.draw_held_out(e, e.rng("held-out")), self.masks(e).write_steps, self.series(e)
        there = ENCODINGS[s.sees].scale.there
        missed = there(batch.coming[steps]) - there(batch.newest[steps])
        return float(np.mean(np.square(missed / s.scale)))


class Sunspots(SeriesTask):
    """Predict next year's sunspot number from the years before."""

    name = "sunspots"
    title = "Sunspots"
    summary = "The yearly sunspot number since 1700, as measured. At every step: what will next year be?"
    usual_length = 40
    goal = 13.0
    guess = "next year like this year"
    options = by_name(JITTER)
    first_held_out_year = 1940
    scale = 10.0  # so that the network sees values near 1
    unit = "√(sunspot number)"

    @property
    def limits(self) -> str:
        """A window has to fit into the held-out years."""
        return f"task 'sunspots' (the years from {self.first_held_out_year} on are held out)"

    def series(self, e: Settings) -> Series:
        """Return the sunspots."""
        return sunspot_series()


class Forecast(SeriesTask):
    """Forecast the airline's passengers, a stock price, or the user's own series."""

    name = "series"
    title = "Series"
    summary = "The input is how a series changes from step to step. At every step: what comes next?"
    usual_length = 24
    goal = 0.0
    options = by_name(SERIES, OWN_SERIES, JITTER)
    unit = "change, 1 is usual"

    @property
    def limits(self) -> str:
        """A window has to fit into the held-out part."""
        return "task 'series' (a window has to fit into the end that is held out)"

    def series(self, e: Settings) -> Series:
        """Return the chosen series."""
        if SERIES.of(e) == "own":
            return own_series(OWN_SERIES.of(e))
        return airline_series() if SERIES.of(e) == "airline" else stock_series()
