"""Curve tasks: waves to generate and waves to predict."""

from __future__ import annotations

import numpy as np

from rnnviz.model.batch import Batch
from rnnviz.model.losses import LOSSES
from rnnviz.tasks.base import MAX_LENGTH, SQUARED_ERROR, Task, one_hot
from rnnviz.tasks.settings import Settings


class CurveTask(Task):
    """One real-valued output at every step, with squared error."""

    loss = LOSSES["squared-error"]
    metric = SQUARED_ERROR
    form = "series"

    def sizes(self, e: Settings) -> tuple[int, int]:
        """One value in, one value out."""
        return 1, 1

    def chance_loss(self, e: Settings) -> float:
        """Equal to the metric."""
        return self.chance(e)


class Waves(CurveTask):
    """Generate one of three sine waves; the code is read only once."""

    name = "waves"
    title = "Waves"
    summary = "A code at the first step, then zeros: draw 1, 2 or 3 full waves, as the code says."
    fits = ("one-to-many",)
    usual_length = 24
    goal = 1e-3
    guess = "a flat line at 0"
    codes = 3

    def sizes(self, e: Settings) -> tuple[int, int]:
        """Inputs: the code, one-hot. Output: the value of the wave."""
        return self.codes, 1

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths above two: with fewer points the three waves cannot be distinguished."""
        return 2 * self.codes + 1, MAX_LENGTH

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw codes; the target of code c is sin(2 pi c t / T) at t = 1..T."""
        code = rng.integers(self.codes, size=size)
        inputs = np.zeros((e.seq_len, size, self.codes))
        inputs[0] = one_hot(code, self.codes)
        phase = 2.0 * np.pi * np.arange(1, e.seq_len + 1)[:, None] / e.seq_len
        return self.as_batch(e, inputs, np.sin(phase * (code + 1.0))[:, :, None])

    def variety(self, e: Settings) -> float:
        """One sequence per code: training and measuring use the same ones."""
        return self.codes

    def chance(self, e: Settings) -> float:
        """1 / 2: the mean square of full sine waves."""
        return 0.5

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Show the code."""
        return [str(1 + int(batch.inputs[0, sample, : self.codes].argmax()))] + [""] * (e.seq_len - 1)


class Sine(CurveTask):
    """Predict the next value of a sine of unknown frequency and phase."""

    name = "sine"
    title = "Sine"
    summary = "The input is a sine wave of unknown frequency. At every step: what is its next value?"
    fits = ("many-to-many",)
    usual_length = 40
    goal = 0.012
    guess = "always answering 0"
    frequencies = (0.2, 0.6)
    """Radians per step."""

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths of two steps or more."""
        return 2, MAX_LENGTH

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw sin(w t + p) with w from U[0.2, 0.6] and p from U[0, 2 pi]."""
        frequency = rng.uniform(*self.frequencies, size)
        values = np.sin(np.arange(e.seq_len + 1)[:, None] * frequency + rng.uniform(0.0, 2.0 * np.pi, size))
        return self.as_batch(e, values[:-1, :, None], values[1:, :, None])

    def chance(self, e: Settings) -> float:
        """1 / 2: the mean square of a sine with a random phase."""
        return 0.5
