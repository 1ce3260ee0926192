"""Text from a network, letter by letter, and how well it knows a text: bits per character."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices
from rnnviz.model.losses import cross_entropy, softmax
from rnnviz.model.network import Network, Params
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


def next_letter(
    e: Experiment, params: Params, before: Indices, temperature: float, rng: np.random.Generator
) -> Letter:
    """Draw the letter that follows letters (n,), n >= 1.

    The network reads all of them from an empty memory. Its logits are divided by the temperature: below 1
    likely letters become likelier still, at 0 the likeliest one is always taken.

    Raises
    ------
    ValueError
        If there is nothing to read, or the temperature is negative.
    """
    if len(before) == 0 or temperature < 0.0:
        raise ValueError(
            f"next_letter needs letters to read and a temperature of 0 or more; "
            f"got {len(before)} letters and {temperature}."
        )
    size = len(characters_of(e).alphabet(e))
    logits = _logits(e, params, before, size)
    cold = temperature == 0.0
    probabilities = np.eye(size)[logits.argmax()] if cold else softmax(logits / temperature)
    return Letter(int(rng.choice(size, p=probabilities)), probabilities)


def _logits(e: Experiment, params: Params, before: Indices, size: int) -> Array:
    inputs = one_hot(np.asarray(before), size)[:, None, :]
    if e.feedback:  # what was written a step before is what is read now
        fed = np.zeros_like(inputs)
        fed[1:] = inputs[1:]
        inputs = np.concatenate([inputs, fed], axis=2)
    outputs: Array = Network(e).forward(params, inputs)[0][-1, 0]
    return outputs


def bits_per_character(e: Experiment, params: Params) -> float:
    """Return the network's mean surprise at a character of the held-out text, in bits.

    The held-out text is read in one go, each character given all of those before it.
    """
    task = characters_of(e)
    codes, size = task.parts(e)[1], len(task.alphabet(e))
    inputs = one_hot(codes[:-1], size)[:, None, :]
    if e.feedback:
        fed = np.zeros_like(inputs)
        fed[1:] = inputs[1:]
        inputs = np.concatenate([inputs, fed], axis=2)
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = Network(e).forward(params, inputs)[0]
        return cross_entropy(outputs, codes[1:, None])[0] / float(np.log(2.0))


def uniform_bits(e: Experiment) -> float:
    """Return the surprise of whoever knows only the alphabet: log2 of its size."""
    return float(np.log2(len(characters_of(e).alphabet(e))))


def bigram_bits(e: Experiment) -> float:
    """Return the held-out surprise of counts of letter pairs in the training text, each count plus one."""
    task = characters_of(e)
    training, held_out = task.parts(e)
    size = len(task.alphabet(e))
    counts = np.ones((size, size))
    np.add.at(counts, (training[:-1], training[1:]), 1.0)
    probability = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log2(probability[held_out[:-1], held_out[1:]]).mean())
