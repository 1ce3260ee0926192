"""Image captioning: read an image at the first step, then write its name letter by letter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.tasks.base import MAX_LENGTH
from rnnviz.tasks.digits import HELD_OUT, digits
from rnnviz.tasks.numerals import LANGUAGES
from rnnviz.tasks.options import NOISE, Menu, Option, by_name
from rnnviz.tasks.settings import Settings
from rnnviz.tasks.spelling import END, WritingTask

PIXELS = 64

LANGUAGE = Option(
    "language",
    "Language",
    "name",
    names={name: language.title for name, language in LANGUAGES.items()},
    default="english",
    control=Menu(),
)


class Captions(WritingTask):
    """Spell the name of the handwritten digit on an 8x8 image (data: see Digits)."""

    name = "captions"
    title = "Captions"
    summary = "An 8×8 image of a digit goes in once. Then: spell its name, one character a step."
    fits = ("one-to-many",)
    usual_length = 7
    goal = 0.98
    guess = "always the most frequent character"
    options = by_name(LANGUAGE, NOISE)

    @property
    def limits(self) -> str:
        """The longest name needs one step per letter and one for END."""
        return "task 'captions' (a step a letter, and one for the end)"

    def names(self, e: Settings) -> list[str]:
        """Return the ten names."""
        return ["".join(LANGUAGES[LANGUAGE.of(e)].say(n)) for n in range(10)]

    def signs(self, e: Settings) -> tuple[str, ...]:
        """Return END and the letters that occur."""
        return (END, *sorted(set("".join(self.names(e)))))

    def sizes(self, e: Settings) -> tuple[int, int]:
        """64 pixels in; END and the letters out."""
        return PIXELS, len(self.signs(e))

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths that hold the longest name and END."""
        return 1 + max(map(len, self.names(e))), MAX_LENGTH

    def wanted(self, e: Settings, held_out: bool) -> list[Sequence[str]]:
        """Return the names of all images."""
        names, labels = self.names(e), digits()[1]
        return [names[label] for label in (labels[-HELD_OUT:] if held_out else labels[:-HELD_OUT])]

    def inputs(self, e: Settings, images: Array) -> Array:
        """Return images (B, 64) in [0, 1] as network inputs (T, B, 64): the whole image at the first step."""
        read = np.zeros((e.seq_len, len(images), PIXELS))
        read[0] = images
        return read

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw images from the training part, with replacement, and add noise to every pixel."""
        batch = self._batch(e, rng.integers(len(digits()[1]) - HELD_OUT, size=size))
        batch.inputs[0] += NOISE.of(e) * rng.standard_normal((size, PIXELS))
        return batch

    def draw_held_out(self, e: Settings, rng: np.random.Generator) -> Batch:
        """Take all held-out images, in an order that depends on the seed."""
        return self._batch(e, len(digits()[1]) - HELD_OUT + rng.permutation(HELD_OUT))

    def _batch(self, e: Settings, chosen: Indices) -> Batch:
        images, labels = digits()
        names = self.names(e)
        return self.as_batch(
            e, self.inputs(e, images[chosen]), self.spelled(e, [names[label] for label in labels[chosen]])
        )

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Mark the first step, which reads the image."""
        return ["▦"] + [""] * (e.seq_len - 1)
