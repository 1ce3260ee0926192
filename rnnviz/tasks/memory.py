"""Synthetic memory tasks: an input must be used at a later step."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from rnnviz.model.arrays import Indices
from rnnviz.model.batch import Batch
from rnnviz.model.losses import LOSSES
from rnnviz.tasks.base import MARKS, MAX_LENGTH, SQUARED_ERROR, Task, one_hot
from rnnviz.tasks.options import NOISE, NumberBox, Option, by_name
from rnnviz.tasks.settings import Settings
from rnnviz.tasks.topology import TOPOLOGIES, Masks

SYMBOLS = Option("symbols", "Different symbols", "integer", low=2, high=8, default=4, control=NumberBox())
DELAY = Option("delay", "Delay d", "integer", low=0, high=150, default=5, control=NumberBox(), shrinks=True)
ITEMS = Option(
    "items", "Items to remember n", "integer", low=1, high=20, default=3, control=NumberBox(), shrinks=True
)


class SymbolTask(Task):
    """Symbols in as one-hot vectors, symbols out; a guess is right with probability 1 / ``symbols``."""

    goal = 0.99
    guess = "guessing among the symbols"
    level = "chance"
    options = by_name(SYMBOLS)

    def sizes(self, e: Settings) -> tuple[int, int]:
        """Return one channel per symbol, in and out."""
        K = SYMBOLS.of(e)
        return K, K

    def chance(self, e: Settings) -> float:
        """1 / K: every symbol is equally likely."""
        return 1.0 / SYMBOLS.of(e)

    def chance_loss(self, e: Settings) -> float:
        """The cross-entropy of a uniform guess: ln K."""
        return float(np.log(SYMBOLS.of(e)))

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Name the symbol where one is shown."""
        rows = batch.inputs[:, sample, : SYMBOLS.of(e)]
        return [MARKS[row.argmax()] if row.max() > 0.5 else "" for row in rows]

    def output_label(self, e: Settings, answer: int) -> str:
        """Return the symbol's shape."""
        return MARKS[answer]


class Recall(SymbolTask):
    """Name the first symbol after a stretch of noise (after Hochreiter & Schmidhuber 1997)."""

    name = "recall"
    title = "Recall"
    summary = "One symbol at the first step, then only noise. At the end: which symbol was it?"
    fits = ("many-to-one",)
    usual_length = 20
    options = by_name(SYMBOLS, NOISE)

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw symbols for the first step; later steps are noise N(0, noise²) on every channel."""
        K = SYMBOLS.of(e)
        symbol = rng.integers(K, size=size)
        inputs = rng.standard_normal((e.seq_len, size, K))
        inputs *= NOISE.of(e)
        inputs[0] = one_hot(symbol, K)
        targets = np.zeros((e.seq_len, size), np.int64)
        targets[-1] = symbol
        return self.as_batch(e, inputs, targets)

    def variety(self, e: Settings) -> float:
        """Without noise one sequence per symbol."""
        return np.inf if NOISE.of(e) else SYMBOLS.of(e)

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Name the symbol of the first step; the rest is noise."""
        return [MARKS[int(batch.targets[-1, sample])]] + [""] * (e.seq_len - 1)


class Adding(Task):
    """Add the two marked numbers (Hochreiter & Schmidhuber 1997; Le, Jaitly & Hinton 2015)."""

    name = "adding"
    title = "Adding"
    summary = "A number at every step, two of them marked. At the end: the sum of the marked two."
    fits = ("many-to-one",)
    usual_length = 10
    loss = LOSSES["squared-error"]
    metric = SQUARED_ERROR
    goal = 0.01
    guess = "always answering 1, the mean"
    form = "series"

    def sizes(self, e: Settings) -> tuple[int, int]:
        """Inputs: the number and the mark. Output: the sum."""
        return 2, 1

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths of two steps or more: one mark in each half."""
        return 2, MAX_LENGTH

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw numbers from U[0, 1], with one mark in each half."""
        T, half, samples = e.seq_len, e.seq_len // 2, np.arange(size)
        inputs = np.zeros((T, size, 2))
        inputs[:, :, 0] = rng.uniform(0.0, 1.0, (T, size))
        inputs[rng.integers(0, half, size), samples, 1] = 1.0
        inputs[rng.integers(half, T, size), samples, 1] = 1.0
        targets = np.zeros((T, size, 1))
        targets[-1, :, 0] = (inputs[:, :, 0] * inputs[:, :, 1]).sum(axis=0)
        return self.as_batch(e, inputs, targets)

    def chance(self, e: Settings) -> float:
        """1 / 6: the variance of the sum of two numbers from U[0, 1]."""
        return 1.0 / 6.0

    def chance_loss(self, e: Settings) -> float:
        """Equal to the metric."""
        return self.chance(e)

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Show the marked numbers."""
        return [f"{value:.2f}" if mark else "" for value, mark in batch.inputs[:, sample, :2]]


class Parity(Task):
    """Output whether the number of ones so far is odd."""

    name = "parity"
    title = "Parity"
    summary = "Zeros and ones. Is the number of ones odd? A single slip spoils the answer."
    fits = ("many-to-one", "many-to-many")
    usual_length = 8
    goal = 0.99
    guess = "guessing odd or even"
    level = "chance"

    def variety(self, e: Settings) -> float:
        """2^T: T independent bits."""
        return 2.0**e.seq_len

    def sizes(self, e: Settings) -> tuple[int, int]:
        """Input: the bit. Outputs: even, odd."""
        return 1, 2

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw fair bits; the target at t is the parity of the first t bits."""
        bits = rng.integers(2, size=(e.seq_len, size))
        targets = np.where(self.masks(e).writes[:, None], bits.cumsum(axis=0) % 2, 0)
        return self.as_batch(e, bits[:, :, None].astype(float), targets)

    def chance(self, e: Settings) -> float:
        """1 / 2: with one bit unknown, both parities are equally likely."""
        return 0.5

    def chance_loss(self, e: Settings) -> float:
        """The cross-entropy of a fair coin: ln 2."""
        return float(np.log(2.0))

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Show the bits."""
        return [f"{bit:.0f}" for bit in batch.inputs[:, sample, 0]]

    def output_label(self, e: Settings, answer: int) -> str:
        """Return "even" or "odd"."""
        return ("even", "odd")[answer]


class Echo(SymbolTask):
    """Repeat each symbol d steps later."""

    name = "echo"
    title = "Echo"
    summary = "A new symbol at every step. Repeat each one after a delay."
    fits = ("many-to-many",)
    usual_length = 20
    options = by_name(SYMBOLS, DELAY)

    @property
    def limits(self) -> str:
        """The first answer comes after the delay."""
        return "task 'echo' (the delay is shorter than the sequence)"

    def variety(self, e: Settings) -> float:
        """K^T: T independent symbols."""
        return float(SYMBOLS.of(e)) ** e.seq_len

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths with at least one echo."""
        return DELAY.of(e) + 1, MAX_LENGTH

    def masks(self, e: Settings) -> Masks:
        """Return masks in which the first d steps, with nothing to echo, do not write."""
        masks = super().masks(e)
        return Masks(masks.reads, masks.writes & (np.arange(e.seq_len) >= DELAY.of(e)))

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw independent, equally likely symbols."""
        K, d = SYMBOLS.of(e), DELAY.of(e)
        symbols = rng.integers(K, size=(e.seq_len, size))
        targets = np.zeros_like(symbols)
        targets[d:] = symbols[: e.seq_len - d]
        return self.as_batch(e, one_hot(symbols, K), targets)


class Transcription(SymbolTask):
    """Read n symbols, wait, then write n symbols; the subclass defines which."""

    fits = ("sequence-to-sequence",)
    options = by_name(SYMBOLS, ITEMS)

    @property
    def limits(self) -> str:
        """Reading and writing n items takes 2n steps."""
        return f"task {self.name!r} (n items are read, then n are written)"

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths of 2n steps or more; the rest is waiting time in between."""
        return 2 * ITEMS.of(e), MAX_LENGTH

    def masks(self, e: Settings) -> Masks:
        """Return masks in which the last n steps write, without input."""
        return TOPOLOGIES[e.topology].masks(e.seq_len, written=ITEMS.of(e))

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw independent, equally likely symbols, followed by zero input."""
        K, n = SYMBOLS.of(e), ITEMS.of(e)
        symbols = rng.integers(K, size=(n, size))
        inputs = np.zeros((e.seq_len, size, K))
        inputs[:n] = one_hot(symbols, K)
        targets = np.zeros((e.seq_len, size), np.int64)
        targets[-n:] = self.answer(symbols)
        return self.as_batch(e, inputs, targets)

    def variety(self, e: Settings) -> float:
        """K^n: n independent symbols."""
        return float(SYMBOLS.of(e)) ** ITEMS.of(e)

    @abstractmethod
    def answer(self, symbols: Indices) -> Indices:
        """Return what to write (n, B) for the symbols read (n, B)."""


class Copy(Transcription):
    """Write what was read, in the same order (Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016)."""

    name = "copy"
    title = "Copy"
    summary = "Read a few symbols, wait, then write them in the same order."
    usual_length = 16

    def answer(self, symbols: Indices) -> Indices:
        """Return the symbols in the same order."""
        return symbols


class Reverse(Transcription):
    """Write what was read, last symbol first."""

    name = "reverse"
    title = "Reverse"
    summary = "Read a few symbols, then write them backwards."
    usual_length = 6

    def answer(self, symbols: Indices) -> Indices:
        """Return the symbols in reverse order."""
        return symbols[::-1]
