"""Character-level text prediction."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rnnviz.model.arrays import Indices
from rnnviz.model.batch import Batch
from rnnviz.tasks.base import HELD_OUT_SAMPLES, MAX_LENGTH, Task, one_hot
from rnnviz.tasks.corpora import CORPORA, MAX_CHARACTERS, MIN_CHARACTERS, check_text, corpus
from rnnviz.tasks.options import Menu, Option, PasteBox, by_name
from rnnviz.tasks.settings import Settings

HELD_OUT_SHARE = 0.15
"""Share of a text, at its end, that is held out."""

CORPUS = Option("corpus", "Text", "name", names=CORPORA, default="elements", control=Menu(unlisted=("own",)))
TEXT = Option(
    "text",
    "Your own text",
    "text",
    default="",
    control=PasteBox(f"Paste {MIN_CHARACTERS} to {MAX_CHARACTERS:,} characters", "Learn this text"),
    only_if=(CORPUS, "own"),
    validate=check_text,
)


class Characters(Task):
    """Predict the next character (after Karpathy's min-char-rnn, 2015)."""

    name = "characters"
    title = "Characters"
    summary = "A text goes in letter by letter. At every step: which character comes next?"
    fits = ("many-to-many",)
    usual_length = 16
    goal = 0.97
    guess = "always the most frequent character"
    options = by_name(CORPUS, TEXT)
    form = "text"

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths of two characters or more."""
        return 2, MAX_LENGTH

    def alphabet(self, e: Settings) -> str:
        """Return the characters that occur, in order of their code."""
        return _alphabet(self.text(e))

    def text(self, e: Settings) -> str:
        """Return the chosen text."""
        return corpus(CORPUS.of(e), TEXT.of(e))

    def sizes(self, e: Settings) -> tuple[int, int]:
        """Return one channel per character, in and out."""
        size = len(self.alphabet(e))
        return size, size

    def parts(self, e: Settings) -> tuple[Indices, Indices]:
        """Return the training part and the held-out part of the text, as character indices.

        A text too short to split is measured on itself, and repeated if it is shorter than a
        sequence.
        """
        alphabet = self.alphabet(e)
        codes = np.array([alphabet.index(c) for c in self.text(e)], np.int64)
        kept = int(len(codes) * HELD_OUT_SHARE)
        if kept > e.seq_len:
            return codes[:-kept], codes[-kept:]
        codes = np.tile(codes, 1 + (e.seq_len + 1) // len(codes))
        return codes, codes

    def measured_on(self, e: Settings) -> str:
        """Return "same-text" for a text too short to split."""
        training, held_out = self.parts(e)
        return "same-text" if training is held_out else super().measured_on(e)

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw windows at random positions in the training part."""
        return self._windows(e, self.parts(e)[0], rng, size)

    def draw_held_out(self, e: Settings, rng: np.random.Generator) -> Batch:
        """Draw windows at random positions in the held-out part."""
        return self._windows(e, self.parts(e)[1], rng, HELD_OUT_SAMPLES)

    def _windows(self, e: Settings, codes: Indices, rng: np.random.Generator, size: int) -> Batch:
        starts = rng.integers(len(codes) - e.seq_len, size=size)
        windows = codes[np.arange(e.seq_len + 1)[:, None] + starts]
        return self.as_batch(e, one_hot(windows[:-1], self.sizes(e)[0]), windows[1:])

    def _frequencies(self, e: Settings) -> np.ndarray:
        training, _ = self.parts(e)
        return np.bincount(training, minlength=self.sizes(e)[0]) / len(training)

    def chance(self, e: Settings) -> float:
        """Return the accuracy of always predicting the most frequent training character."""
        _, held_out = self.parts(e)
        return float(np.mean(held_out == np.argmax(self._frequencies(e))))

    def chance_loss(self, e: Settings) -> float:
        """Return the unigram entropy of the training characters, in nats."""
        frequencies = self._frequencies(e)
        present = frequencies[frequencies > 0]
        return float(-(present * np.log(present)).sum())

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Show the characters."""
        size = self.sizes(e)[0]
        return [self.output_label(e, int(row[:size].argmax())) for row in batch.inputs[:, sample]]

    def output_label(self, e: Settings, answer: int) -> str:
        """Return the character itself, or a visible sign for spaces and line ends."""
        character = self.alphabet(e)[answer]
        return {" ": "␣", "\n": "⏎", "\t": "⇥"}.get(character, character)


@lru_cache(maxsize=16)
def _alphabet(text: str) -> str:
    """Return the characters of a text, in order of their code; a page asks for each letter that it shows."""
    return "".join(sorted(set(text)))
