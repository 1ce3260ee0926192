"""Small machine translation: number words from English, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.batch import Batch
from rnnviz.tasks.base import MAX_LENGTH, one_hot
from rnnviz.tasks.numerals import LANGUAGES, LARGEST, english
from rnnviz.tasks.options import Menu, Option, by_name
from rnnviz.tasks.settings import Settings
from rnnviz.tasks.spelling import END, WritingTask
from rnnviz.tasks.topology import TOPOLOGIES, Masks

READING_STEPS = 2
"""No English number word below a hundred has more words."""

HELD_OUT_NUMBERS = 15

TARGET = Option(
    "target",
    "Translate into",
    "name",
    names={name: LANGUAGES[name].title for name in ("french", "german")},
    default="french",
    control=Menu(),
)


@cache
def english_words() -> tuple[str, ...]:
    """Return the English words that occur, in order of first occurrence."""
    return tuple(dict.fromkeys(word for n in range(LARGEST + 1) for word in english(n)))


@cache
def held_out_numbers(seed: int) -> tuple[int, ...]:
    """Return the held-out numbers, which depend on the seed.

    Only numbers with tens and units are held out: the numbers up to 20 and the tens stay in training, so
    that every word occurs there. Of two numbers like 72 and 92 at most one is held out, because only they
    show that French has "douze" for "two" after "soixante" and "quatre vingt".
    """
    composed = [n for n in range(21, LARGEST + 1) if n % 10]
    chosen: list[int] = []
    for n in np.random.default_rng([seed, READING_STEPS]).permutation(composed).tolist():
        sibling = {7: n + 20, 9: n - 20}.get(n // 10)
        if sibling not in chosen and len(chosen) < HELD_OUT_NUMBERS:
            chosen.append(n)
    return tuple(sorted(chosen))


class Translation(WritingTask):
    """Translate number words: read all, then write all (sequence to sequence).

    One network reads and writes with the same weights; in Sutskever et al. (2014) the encoder and the decoder
    have their own.
    """

    name = "translation"
    title = "Translation"
    summary = "An English number word goes in, word by word. Then: write it in another language."
    fits = ("sequence-to-sequence",)
    usual_length = 7
    goal = 0.95
    guess = "always the most frequent word"
    options = by_name(TARGET)

    @property
    def limits(self) -> str:
        """Two words are read; the longest translation and END are written."""
        return "task 'translation' (two steps read, then a step a word, and one for the end)"

    def signs(self, e: Settings) -> tuple[str, ...]:
        """Return END and the words of the other language."""
        say = LANGUAGES[TARGET.of(e)].say
        return (END, *dict.fromkeys(word for n in range(LARGEST + 1) for word in say(n)))

    def sizes(self, e: Settings) -> tuple[int, int]:
        """Return one channel per word in both languages."""
        return len(english_words()), len(self.signs(e))

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths that hold two words read and the longest translation and END written."""
        return READING_STEPS + self._longest(e), MAX_LENGTH

    def _longest(self, e: Settings) -> int:
        return 1 + max(len(LANGUAGES[TARGET.of(e)].say(n)) for n in range(LARGEST + 1))

    def masks(self, e: Settings) -> Masks:
        """Return masks in which the last steps write, as many as the longest translation needs."""
        return TOPOLOGIES[e.topology].masks(e.seq_len, written=self._longest(e))

    def numbers(self, e: Settings, held_out: bool) -> list[int]:
        """Return the held-out or the training numbers."""
        kept = held_out_numbers(e.seed)
        return [n for n in range(LARGEST + 1) if (n in kept) == held_out]

    def wanted(self, e: Settings, held_out: bool) -> list[Sequence[str]]:
        """Return all translations."""
        return [LANGUAGES[TARGET.of(e)].say(n) for n in self.numbers(e, held_out)]

    def inputs(self, e: Settings, sentences: Sequence[Sequence[str]]) -> Array:
        """Return English words as network inputs (T, B, I); the last one directly before writing starts."""
        words = english_words()
        read = np.zeros((e.seq_len, len(sentences), len(words)))
        last = e.seq_len - self.writing_steps(e)
        for b, sentence in enumerate(sentences):
            codes = [words.index(word) for word in sentence]
            read[last - len(codes) : last, b] = one_hot(np.array(codes, np.int64), len(words))
        return read

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw numbers from the training part, with replacement."""
        numbers = self.numbers(e, held_out=False)
        return self._batch(e, [numbers[i] for i in rng.integers(len(numbers), size=size)])

    def draw_held_out(self, e: Settings, rng: np.random.Generator) -> Batch:
        """Take all held-out numbers."""
        return self._batch(e, self.numbers(e, held_out=True))

    def _batch(self, e: Settings, numbers: Sequence[int]) -> Batch:
        say = LANGUAGES[TARGET.of(e)].say
        return self.as_batch(
            e, self.inputs(e, [english(n) for n in numbers]), self.spelled(e, [say(n) for n in numbers])
        )

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Show the words."""
        words = english_words()
        rows = batch.inputs[:, sample, : len(words)]
        return [words[int(row.argmax())] if row.any() else "" for row in rows]
