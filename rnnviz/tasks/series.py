"""Series of measurements to forecast: real ones, a simulated one, and the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.tasks.base import ABSOLUTE_ERROR, HELD_OUT_SAMPLES, MAX_LENGTH
from rnnviz.tasks.options import Menu, Option, by_name
from rnnviz.tasks.settings import Settings
from rnnviz.tasks.signals import CurveTask

DATA = Path(__file__).parent / "data"

HELD_OUT_SHARE = 0.25
"""Share of a user series, at its end, that is held out."""

MIN_VALUES, MAX_VALUES = 30, 100_000

GROWTH = 2.0
"""A positive series whose largest value is this many times its smallest is forecast in relative changes."""

LEAST_SPREAD = 0.1
"""Changes whose spread is below this share of their size (steady growth) are scaled by their size."""


@dataclass(frozen=True, eq=False)
class Series:
    """Values in time order, and how they are encoded for a network.

    values : (n,), in ``unit``. times : (n,), positions on the time axis, for instance years.
    held_out : row number of the first value that is never trained on.
    season : steps after which the series roughly repeats, 0 for none.
    sees : "level" (the value), "change" (from the value before) or "log-change" (of its logarithm).
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

    def seen(self) -> Array:
        """Return the series as the network sees it, (n,); the first change is unknown and set to 0."""
        return self._seen

    @cached_property
    def _seen(self) -> Array:
        if self.sees == "level":
            return self.values / self.scale
        values = np.log(self.values) if self.sees == "log-change" else self.values
        return np.diff(values, prepend=values[0]) / self.scale

    def forecast(self, before: Array, outputs: Array) -> Array:
        """Turn a network's outputs into values in ``unit``, given the values before them (same shape)."""
        with np.errstate(over="ignore", invalid="ignore"):
            if self.sees == "level":
                return self.scale * outputs
            if self.sees == "change":
                return before + self.scale * outputs
            return before * np.exp(self.scale * outputs)


def _in_changes(title: str, unit: str, values: Array, times: Array, held_out: int, season: int) -> Series:
    """Return a series encoded as changes, relative ones if it is positive and grows a lot (see GROWTH)."""
    relative = bool(values.min() > 0.0 and values.max() >= GROWTH * values.min())
    known = values[:held_out]
    changes = np.diff(np.log(known) if relative else known)
    spread, size = float(changes.std()), float(np.sqrt(np.mean(changes * changes)))
    scale = spread if spread >= LEAST_SPREAD * size else size
    sees = "log-change" if relative else "change"
    return Series(title, unit, values, times, held_out, season, sees, scale or 1.0)


def as_array(numbers: Any) -> Array:
    """Return numbers as a float64 array."""
    return np.asarray(numbers, np.float64)


@cache
def sunspots() -> pd.Series:
    """Return the yearly mean sunspot number, 1700 to 2008, indexed by year (see data/README.md)."""
    return pd.read_csv(DATA / "sunspots.csv", index_col="year")["sunspots"]


@cache
def sunspot_series() -> Series:
    """Return the sunspots; from 1940 on they are held out. Their cycle is about eleven years."""
    years = sunspots().index.to_numpy()
    held_out = int(np.searchsorted(years, Sunspots.first_held_out_year))
    values = sunspots().to_numpy(float)
    return Series(
        "Sunspots", "sunspot number", values, as_array(years), held_out, 11, "level", Sunspots.scale
    )


@cache
def airline_series() -> Series:
    """Return monthly international airline passengers, 1949 to 1960 (see data/README.md)."""
    table = pd.read_csv(DATA / "airline.csv")
    months = 1949.0 + np.arange(len(table)) / 12.0
    values = table["passengers"].to_numpy(float)
    return _in_changes(
        "Airline passengers", "thousand passengers", values, as_array(months), len(table) - 36, 12
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


@dataclass(frozen=True, eq=False)
class SeriesBatch(Batch):
    """Windows of a series.

    newest : (T, B, 1), the newest known value at each step, in the data's unit.
    """

    newest: Array


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
        return 2, min(MAX_LENGTH, len(s.values) - s.held_out - 1, s.held_out - 2)

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw windows from before the held-out part."""
        s = self.series(e)
        first = int(s.sees != "level")  # the first change is unknown
        return self._windows(e, first + rng.integers(s.held_out - first - e.seq_len, size=size))

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
        newest = s.values[rows[:-1]][:, :, None]
        return SeriesBatch(seen[:-1], targets, self.masks(e).writes, self.loss, newest)

    def score(self, e: Settings, outputs: Array, batch: Batch) -> float:
        """Return the mean absolute error in the data's unit."""
        s, steps = self.series(e), batch.written
        newest = batch.newest[steps] if isinstance(batch, SeriesBatch) else np.zeros(())
        truth = np.asarray(batch.targets[steps], float)
        error = s.forecast(newest, outputs[steps]) - s.forecast(newest, truth)
        return float(np.mean(np.abs(error)))

    def chance(self, e: Settings) -> float:
        """Return the mean absolute error of the naive forecast on the held-out windows."""
        batch, steps, s = self._held_out_written(e)
        newest = batch.newest[steps]
        truth = np.asarray(batch.targets[steps], float)
        return float(np.mean(np.abs(s.forecast(newest, truth) - newest)))

    def chance_loss(self, e: Settings) -> float:
        """Return the mean squared error of the naive forecast, in the network's encoding."""
        batch, steps, s = self._held_out_written(e)
        naive = batch.inputs[steps][:, :, :1] if s.sees == "level" else 0.0
        return float(np.mean(np.square(batch.targets[steps] - naive)))

    def _held_out_written(self, e: Settings) -> tuple[SeriesBatch, Indices, Series]:
        return self.draw_held_out(e, e.rng("held-out")), self.masks(e).write_steps, self.series(e)


class Sunspots(SeriesTask):
    """Predict next year's sunspot number from the years before."""

    name = "sunspots"
    title = "Sunspots"
    summary = "The yearly sunspot number since 1700, as measured. At every step: what will next year be?"
    usual_length = 40
    goal = 13.0
    guess = "next year like this year"
    first_held_out_year = 1940
    scale = 100.0  # so that the network sees values near 1
    unit = "sunspot number"

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
    summary = "The input is the change of a series from step to step. At every step: what comes next?"
    usual_length = 24
    goal = 0.0
    options = by_name(SERIES, OWN_SERIES)
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
