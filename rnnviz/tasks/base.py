"""The task interface: input sequences, targets, and the score of guessing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.model.losses import LOSSES, Loss
from rnnviz.tasks.options import Option
from rnnviz.tasks.settings import Settings
from rnnviz.tasks.topology import TOPOLOGIES, Masks

HELD_OUT_SAMPLES = 512
"""Sequences on which a metric is measured. They are drawn for that alone; see ``Task.variety``."""

MANY = 1e5
"""A task with fewer different sequences repeats in training what it is measured on."""

MAX_LENGTH = 200
"""The longest sequence of any task."""


@dataclass(frozen=True)
class Metric:
    """A metric on held-out data: its unit, and whether higher is better."""

    name: str
    title: str
    higher_is_better: bool

    def reached(self, value: float, goal: float) -> bool:
        """Return whether ``value`` is at least as good as ``goal``."""
        return value >= goal if self.higher_is_better else value <= goal


ACCURACY = Metric("accuracy", "accuracy", higher_is_better=True)
SQUARED_ERROR = Metric("mse", "mean squared error", higher_is_better=False)
ABSOLUTE_ERROR = Metric("mae", "mean absolute error", higher_is_better=False)


class Task(ABC):
    """A task to learn. Subclasses are stateless: all settings come with the Experiment.

    name, title, summary : its key, its name on screen, and a one-sentence description.
    fits : the supported topologies, the usual one first.
    usual_length : a good initial sequence length.
    options : the settings that it reads and not every task does, by name (see options.by_name).
    metric, goal : the metric, and the value at which the task counts as solved.
    guess : what scores the level to beat, in words. level : that level's name: "chance" for guessing,
        "baseline" for a simple rule.
    limits : what bounds the sequence length, for error messages.
    form : how the figures show answers: "classes", "series", "image" or "text".
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
    level: ClassVar[str] = "baseline"
    options: ClassVar[Mapping[str, Option[Any]]] = {}
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
        """Return the metric of a guess that ignores the sequence."""

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
        """Return inputs and targets as a batch with this task's write steps and loss."""
        return Batch(inputs, targets, self.masks(e).writes, self.loss)

    def sample(self, e: Settings, rng: np.random.Generator, size: int | None = None) -> Batch:
        """Draw a training batch of ``size`` sequences (default: the experiment's batch size)."""
        return self._with_feedback(e, self.draw(e, rng, size or e.batch_size))

    def held_out(self, e: Settings) -> Batch:
        """Return the sequences on which the metric is measured; the same at every call."""
        return self._with_feedback(e, self.draw_held_out(e, e.rng("held-out")))

    def measured_on(self, e: Settings) -> str:
        """Return a word for the data that the metric is measured on."""
        return "held-out" if self.variety(e) >= MANY else "in-sample"

    def variety(self, e: Settings) -> float:
        """Return how many different sequences can be drawn; infinite for real numbers and fixed splits."""
        return np.inf

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
        """Return one short label per step for the input of ``sample`` ("" for no input)."""
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


MARKS = "●▲■◆★▼◐✚"
"""The symbols of the symbol tasks; letters are the names of the weights."""
