"""Real handwritten digits: the task with a single step."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.tasks.base import Task
from rnnviz.tasks.settings import Settings

HELD_OUT = 360
"""Number of held-out images, taken from the end of the data set."""


@cache
def digits() -> tuple[Array, Indices]:
    """Return images (1797, 64) scaled to [0, 1] and labels (1797,) (see data/README.md)."""
    with np.load(Path(__file__).parent / "data" / "digits.npz") as data:
        return data["images"] / 16.0, data["labels"].astype(np.int64)


class Digits(Task):
    """Name the digit on an 8x8 image (UCI optical recognition of handwritten digits)."""

    name = "digits"
    title = "Digits"
    summary = "One 8×8 image of a handwritten digit goes in, its name comes out. One step, no memory."
    fits = ("one-to-one",)
    usual_length = 1
    goal = 0.9
    guess = "guessing among ten digits"
    level = "chance"
    form = "image"

    @property
    def limits(self) -> str:
        """One image, one answer."""
        return "topology 'one-to-one' (a single step)"

    def sizes(self, e: Settings) -> tuple[int, int]:
        """64 pixels in, 10 digits out."""
        return 64, 10

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return a single step as the only length."""
        return 1, 1

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw images from the training part, with replacement."""
        images, labels = digits()
        chosen = rng.integers(len(labels) - HELD_OUT, size=size)
        return self.as_batch(e, images[chosen][None], labels[chosen][None])

    def draw_held_out(self, e: Settings, rng: np.random.Generator) -> Batch:
        """Take all held-out images, in an order that depends on the seed."""
        images, labels = digits()
        order = len(labels) - HELD_OUT + rng.permutation(HELD_OUT)
        return self.as_batch(e, images[order][None], labels[order][None])

    def chance(self, e: Settings) -> float:
        """One digit in ten."""
        return 0.1

    def chance_loss(self, e: Settings) -> float:
        """The cross-entropy of a uniform guess: ln 10."""
        return float(np.log(10.0))
