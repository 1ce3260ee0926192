"""Text from a network, letter by letter, and how well it knows a text: bits per character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices
from rnnviz.model.losses import cross_entropy, softmax
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import one_hot
from rnnviz.tasks.text import Characters


def characters_of(e: Experiment) -> Characters:
    """Return the task of an experiment on text.

    Raises
    ------
    ValueError
        If it is another task.
    """
    task = TASKS[e.task]
    if not isinstance(task, Characters):
        raise ValueError(f"text needs the task characters; got {e.task!r}.")
    return task


@dataclass(frozen=True, eq=False)
class Letter:
    """One sampled letter: its number, and the probability of every letter (A,) that it was drawn from."""

    number: int
    probabilities: Array


class Writer:
    """A network that reads a text once, and then writes on letter by letter, carrying its state along.

    e, params : the experiment (a task on text) and weights. text : the numbers of the letters to read first,
    at least one; with what was written since, they are ``text`` afterwards too.

    Raises
    ------
    ValueError
        If the experiment is of another task, or there is nothing to read.
    """

    def __init__(self, e: Experiment, params: Params, text: Sequence[int]) -> None:
        if not len(text):
            raise ValueError("A writer needs at least one letter to begin with; got none.")
        self.params = params
        self.text = list(text)
        self._size = len(characters_of(e).alphabet(e))
        self._feedback, self._network = e.feedback, e.network()
        inputs = _read_as_written(e, np.asarray(text), self._size)
        outputs, traces = self._network.forward(params, inputs)
        self._logits: Array = outputs[-1, 0].copy()
        self._states = [tuple(array[-1].copy() for array in trace.states) for trace in traces]

    def probabilities(self, temperature: float) -> Array:
        """Return how likely every letter is to come next, (A,).

        The logits are divided by the temperature: below 1 likely letters become likelier still, at 0 the
        likeliest one is certain.

        Raises
        ------
        ValueError
            If the temperature is negative.
        """
        if temperature < 0.0:
            raise ValueError(f"temperature must be 0 or more; got {temperature}.")
        if temperature == 0.0:
            return np.eye(self._size)[self._logits.argmax()]
        return softmax(self._logits / temperature)

    def write(self, temperature: float, rng: np.random.Generator) -> Letter:
        """Draw the next letter and read it: one step of the network."""
        probabilities = self.probabilities(temperature)
        number = int(rng.choice(self._size, p=probabilities))
        letter = np.eye(self._size)[number]
        x = np.concatenate([letter, letter]) if self._feedback else letter
        outputs, self._states = self._network.step(self.params, x[None], self._states)
        self._logits = outputs[0]
        self.text.append(number)
        return Letter(number, probabilities)


def _read_as_written(e: Experiment, codes: Indices, size: int) -> Array:
    """Return letters (n,) as inputs (n, 1, I); with feedback each is also what was written a step before."""
    inputs = one_hot(codes, size)[:, None, :]
    if not e.feedback:
        return inputs
    fed = np.zeros_like(inputs)
    fed[1:] = inputs[1:]
    return np.concatenate([inputs, fed], axis=2)


def bits_per_character(e: Experiment, params: Params) -> float:
    """Return the network's mean surprise at a character of the held-out text, in bits.

    The held-out text is read in one go, each character given all of those before it.
    """
    task = characters_of(e)
    codes, size = task.parts(e)[1], len(task.alphabet(e))
    inputs = _read_as_written(e, codes[:-1], size)
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = e.network().forward(params, inputs)[0]
        return cross_entropy(outputs, codes[1:, None])[0] / float(np.log(2.0))


def uniform_bits(e: Experiment) -> float:
    """Return the surprise of whoever knows only the alphabet: log2 of its size."""
    return float(np.log2(len(characters_of(e).alphabet(e))))
