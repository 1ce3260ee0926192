"""What every task gives: sequences to read, answers to write, and what guessing would score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.model.losses import LOSSES, Loss
from rnnviz.tasks.settings import Settings
from rnnviz.tasks.topology import TOPOLOGIES, Masks

HELD_OUT_SAMPLES = 512
"""Sequences on which a metric is measured; none of them is ever trained on where the data allow it."""

MAX_LENGTH = 200
"""The longest sequence that any task makes."""


@dataclass(frozen=True)
class Metric:
    """How success is measured on held-out data: in which unit, and whether more is better."""

    name: str
    title: str
    higher_is_better: bool

    def reached(self, value: float, goal: float) -> bool:
        """Tell whether ``value`` is at least as good as ``goal``."""
        return value >= goal if self.higher_is_better else value <= goal


ACCURACY = Metric("accuracy", "accuracy", higher_is_better=True)
SQUARED_ERROR = Metric("mse", "mean squared error", higher_is_better=False)
ABSOLUTE_ERROR = Metric("mae", "mean absolute error", higher_is_better=False)


class Task(ABC):
    """One problem to learn. Subclasses are stateless: every choice comes with the Experiment.

    name, title, summary : its key, its name on screen, and one sentence that says what is asked.
    fits : topologies that it can be run in, the usual one first.
    usual_length : a good sequence length to begin with.
    options : names of the Settings fields that only some tasks read.
    metric, goal : how success is measured, and when the task counts as solved.
    guess : what the chance level stands for, in words.
    limits : names whatever bounds the sequence length, for error messages.
    form : how an answer is best shown: "classes", "series", "image" or "text".
    scale, unit : factor from the network's values to the data's own units, and their name.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    fits: ClassVar[tuple[str, ...]]
    usual_length: ClassVar[int]
    loss: ClassVar[Loss] = LOSSES["cross-entropy"]
    metric: ClassVar[Metric] = ACCURACY
    goal: ClassVar[float]
    guess: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()
    form: ClassVar[str] = "classes"
    scale: ClassVar[float] = 1.0
    unit: ClassVar[str] = "value"

    @property
    def limits(self) -> str:
        """What bounds the sequence length, in words."""
        return f"task {self.name!r}"

    @abstractmethod
    def sizes(self, e: Settings) -> tuple[int, int]:
        """Return the number of input and of output channels (I, O), without feedback."""

    @abstractmethod
    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw ``size`` sequences, without feedback channels."""

    @abstractmethod
    def chance(self, e: Settings) -> float:
        """Return the metric of a guess that does not look at the sequence."""

    @abstractmethod
    def chance_loss(self, e: Settings) -> float:
        """Return the loss of that guess."""

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return the shortest and the longest possible seq_len under the other choices."""
        return 1, MAX_LENGTH

    def masks(self, e: Settings) -> Masks:
        """Return which steps read and which write, (T,) each."""
        return TOPOLOGIES[e.topology].masks(e.seq_len)

    def input_size(self, e: Settings) -> int:
        """Return the number of input channels I, feedback included."""
        inputs, outputs = self.sizes(e)
        return inputs + outputs * e.feedback

    def as_batch(self, e: Settings, inputs: Array, targets: Array | Indices) -> Batch:
        """Return sequences and their answers as a batch with this task's steps and loss."""
        return Batch(inputs, targets, self.masks(e).writes, self.loss)

    def sample(self, e: Settings, rng: np.random.Generator, size: int | None = None) -> Batch:
        """Draw a training batch of ``size`` sequences (default: the experiment's batch size)."""
        return self._with_feedback(e, self.draw(e, rng, size or e.batch_size))

    def held_out(self, e: Settings) -> Batch:
        """Return the sequences on which the metric is measured; the same ones at every call."""
        return self._with_feedback(e, self.draw_held_out(e, e.rng("held-out")))

    def measured_on(self, e: Settings) -> str:
        """Return what the metric is measured on, in a word."""
        return "held-out"

    def draw_held_out(self, e: Settings, rng: np.random.Generator) -> Batch:
        """Draw the held-out sequences; tasks with a fixed data set override this."""
        return self.draw(e, rng, HELD_OUT_SAMPLES)

    def score(self, e: Settings, outputs: Array, batch: Batch) -> float:
        """Return the metric of ``outputs`` (T, B, O)."""
        answers, targets = outputs[batch.written], batch.targets[batch.written]
        if self.metric is ACCURACY:
            return float(np.mean(np.argmax(answers, axis=-1) == targets))
        error = answers - targets
        return float(np.mean(error * error if self.metric is SQUARED_ERROR else np.abs(error)))

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Return one short label a step for what ``sample`` reads there ("" where there is nothing)."""
        return [""] * e.seq_len

    def output_label(self, e: Settings, answer: int) -> str:
        """Return the name of output class ``answer``."""
        return str(answer)

    def _with_feedback(self, e: Settings, batch: Batch) -> Batch:
        if not e.feedback:
            return batch
        return replace(batch, inputs=np.concatenate([batch.inputs, self.teacher(e, batch)], axis=2))

    def teacher(self, e: Settings, batch: Batch) -> Array:
        """Return y*_{t-1} at step t, shape (T, B, O): zero where step t - 1 writes nothing."""
        written = self.masks(e).writes[:-1]
        previous = np.zeros((e.seq_len, batch.inputs.shape[1], self.sizes(e)[1]))
        previous[1:][written] = self.loss.as_output(batch.targets[:-1][written], previous.shape[-1])
        return previous


def one_hot(classes: Indices, size: int) -> Array:
    """Return vectors of length ``size`` with a 1 at each class; the new axis is the last."""
    return np.eye(size)[classes]


LETTERS = "ABCDEFGH"
"""Names of the symbols in tasks that speak of symbols."""
