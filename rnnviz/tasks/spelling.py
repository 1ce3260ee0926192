"""The base class of captions and translation: texts written one sign per step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.tasks.base import Task
from rnnviz.tasks.settings import Settings

END = "·"
"""Written after the last sign and at all remaining steps."""


class WritingTask(Task):
    """Write a sequence of signs (letters or words), then END until the last step."""

    @abstractmethod
    def signs(self, e: Settings) -> tuple[str, ...]:
        """Return what can be written, END first."""

    @abstractmethod
    def wanted(self, e: Settings, held_out: bool) -> list[Sequence[str]]:
        """Return all texts of the held-out or the training part, without END."""

    def writing_steps(self, e: Settings) -> int:
        """Return how many steps write."""
        return len(self.masks(e).write_steps)

    def spelled(self, e: Settings, texts: Sequence[Sequence[str]]) -> Indices:
        """Return texts as sign indices (T, B), END after each; zero at steps that do not write."""
        number = {sign: i for i, sign in enumerate(self.signs(e))}
        written = np.zeros((e.seq_len, len(texts)), np.int64)
        first = e.seq_len - self.writing_steps(e)
        for b, text in enumerate(texts):
            written[first : first + len(text), b] = [number[sign] for sign in text]
        return written

    def read_off(self, e: Settings, outputs: Array) -> list[list[str]]:
        """Return the texts that outputs (T, B, O) spell: the most likely signs up to the first END."""
        signs, answers = self.signs(e), outputs[self.masks(e).write_steps].argmax(axis=-1)
        texts = [[signs[i] for i in column] for column in answers.T]
        return [text[: text.index(END)] if END in text else text for text in texts]

    def exact_match(self, e: Settings, outputs: Array, targets: Indices) -> float:
        """Return the share of sequences written without any mistake."""
        steps = self.masks(e).write_steps
        return float(np.mean((outputs[steps].argmax(axis=-1) == targets[steps]).all(axis=0)))

    def output_label(self, e: Settings, answer: int) -> str:
        """Return the sign itself."""
        return self.signs(e)[answer]

    def chance(self, e: Settings) -> float:
        """Return the share of held-out steps at which the most frequent training sign is right."""
        return float(self._frequencies(e, held_out=True)[np.argmax(self._frequencies(e, held_out=False))])

    def chance_loss(self, e: Settings) -> float:
        """Return the unigram entropy of the training signs, in nats."""
        shares = self._frequencies(e, held_out=False)
        present = shares[shares > 0]
        return float(-(present * np.log(present)).sum())

    def _frequencies(self, e: Settings, held_out: bool) -> Array:
        written = self.spelled(e, self.wanted(e, held_out))[self.masks(e).write_steps]
        return np.bincount(written.ravel(), minlength=len(self.signs(e))) / written.size
