"""Curves in time: waves to draw, waves and sunspots to predict."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnnviz.arrays import Array, Indices
from rnnviz.losses import LOSSES
from rnnviz.tasks.base import ABSOLUTE_ERROR, MAX_LENGTH, SQUARED_ERROR, Batch, Task, one_hot

if TYPE_CHECKING:
    from rnnviz.experiment import Experiment

DATA = Path(__file__).parent / "data"


class CurveTask(Task):
    """One real value out at every step, judged by squared error."""

    loss = LOSSES["squared-error"]
    metric = SQUARED_ERROR
    form = "series"

    def sizes(self, e: Experiment) -> tuple[int, int]:
        """One value in, one value out."""
        return 1, 1

    def chance_loss(self, e: Experiment) -> float:
        """Equal to the metric."""
        return self.chance(e)


class Waves(CurveTask):
    """Draw one of three sine waves, told only once which."""

    name = "waves"
    title = "Waves"
    summary = "A code at the first step, then silence: draw 1, 2 or 3 full waves, as the code says."
    fits = ("one-to-many",)
    usual_length = 24
    goal = 1e-3
    guess = "a flat line at 0"
    codes = 3

    def sizes(self, e: Experiment) -> tuple[int, int]:
        """In: the code, one-hot. Out: the height of the wave."""
        return self.codes, 1

    def lengths(self, e: Experiment) -> tuple[int, int]:
        """Three waves need more than two points each to be told apart."""
        return 2 * self.codes + 1, MAX_LENGTH

    def draw(self, e: Experiment, rng: np.random.Generator, size: int) -> Batch:
        """Code c asks for sin(2 pi c t / T) at t = 1..T."""
        code = rng.integers(self.codes, size=size)
        inputs = np.zeros((e.seq_len, size, self.codes))
        inputs[0] = one_hot(code, self.codes)
        phase = 2.0 * np.pi * np.arange(1, e.seq_len + 1)[:, None] / e.seq_len
        return Batch(inputs, np.sin(phase * (code + 1.0))[:, :, None])

    def chance(self, e: Experiment) -> float:
        """1 / 2: the mean square of full sine waves."""
        return 0.5

    def input_labels(self, e: Experiment, batch: Batch, sample: int = 0) -> list[str]:
        """Show the code."""
        return [str(1 + int(batch.inputs[0, sample, : self.codes].argmax()))] + [""] * (e.seq_len - 1)


class Sine(CurveTask):
    """Predict the next value of a sine of unknown frequency and phase."""

    name = "sine"
    title = "Sine"
    summary = "A sine of unknown speed goes by. At every step: what is its next value?"
    fits = ("many-to-many",)
    usual_length = 40
    goal = 0.012
    guess = "always answering 0"
    frequencies = (0.2, 0.6)
    """Radians a step."""

    def lengths(self, e: Experiment) -> tuple[int, int]:
        """There is a next value from the second step on."""
        return 2, MAX_LENGTH

    def draw(self, e: Experiment, rng: np.random.Generator, size: int) -> Batch:
        """sin(w t + p) with w from U[0.2, 0.6] and p from U[0, 2 pi]."""
        frequency = rng.uniform(*self.frequencies, size)
        values = np.sin(np.arange(e.seq_len + 1)[:, None] * frequency + rng.uniform(0.0, 2.0 * np.pi, size))
        return Batch(values[:-1, :, None], values[1:, :, None])

    def chance(self, e: Experiment) -> float:
        """1 / 2: the mean square of a sine with a random phase."""
        return 0.5


@cache
def sunspots() -> pd.Series:
    """Return the yearly mean sunspot number, 1700 to 2008, indexed by year (see data/README.md)."""
    return pd.read_csv(DATA / "sunspots.csv", index_col="year")["sunspots"]


class Sunspots(CurveTask):
    """Predict next year's sunspot number from the years before."""

    name = "sunspots"
    title = "Sunspots"
    summary = "The yearly sunspot number since 1700, as measured. At every step: what will next year be?"
    fits = ("many-to-many",)
    usual_length = 40
    metric = ABSOLUTE_ERROR
    goal = 13.0
    guess = "next year like this year"
    first_held_out_year = 1940
    scale = 100.0  # so that the network sees values near 1
    unit = "sunspot number"

    @property
    def limits(self) -> str:
        """A window has to fit into the years that are never trained on."""
        return f"task 'sunspots' (the years from {self.first_held_out_year} on are held out)"

    def lengths(self, e: Experiment) -> tuple[int, int]:
        """At most one step fewer than there are held-out years."""
        return 2, int((sunspots().index >= self.first_held_out_year).sum()) - 1

    def draw(self, e: Experiment, rng: np.random.Generator, size: int) -> Batch:
        """Windows from the years before the held-out ones."""
        past = self._values(held_out=False)
        return self._windows(past, rng.integers(len(past) - e.seq_len, size=size), e.seq_len)

    def draw_held_out(self, e: Experiment, rng: np.random.Generator) -> Batch:
        """Every window of the held-out years."""
        future = self._values(held_out=True)
        return self._windows(future, np.arange(len(future) - e.seq_len), e.seq_len)

    def score(self, e: Experiment, outputs: Array, batch: Batch) -> float:
        """Mean absolute error in sunspot numbers."""
        return super().score(e, outputs, batch) * self.scale

    def chance(self, e: Experiment) -> float:
        """Mean absolute error of the naive forecast on the held-out windows."""
        return self._naive_error(e, lambda error: np.abs(error) * self.scale)

    def chance_loss(self, e: Experiment) -> float:
        """Mean squared error of the naive forecast, in the network's units."""
        return self._naive_error(e, np.square)

    def _naive_error(self, e: Experiment, measure: Callable[[Array], Array]) -> float:
        batch = self.draw_held_out(e, e.rng("held-out"))
        return float(np.mean(measure(batch.inputs - batch.targets)))

    def _values(self, held_out: bool) -> Array:
        series = sunspots()
        chosen = series[(series.index >= self.first_held_out_year) == held_out]
        return chosen.to_numpy(float) / self.scale

    @staticmethod
    def _windows(values: Array, starts: Indices, length: int) -> Batch:
        windows = values[np.arange(length + 1)[:, None] + starts][:, :, None]
        return Batch(windows[:-1], windows[1:])
