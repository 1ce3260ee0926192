"""A network small enough to compute by hand: every number of one forward and backward pass, in order.

Letters as in the figures: A = W_xh, B = W_hh, C = W_hy. Biases are zero, as at the start of every training.
Axes: T steps, I inputs, H hidden, O outputs; there is a single sequence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Mask
from rnnviz.model.batch import Batch
from rnnviz.model.cells import VanillaWeights
from rnnviz.model.network import Params, output_gradient
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import one_hot
from rnnviz.tasks.memory import SYMBOLS

EXPERIMENT = Experiment(task="recall", seq_len=4, hidden_size=3, symbols=2, noise=0.5, init="glorot", seed=19)
"""Recall of one of two symbols. With this seed no weight is zero, and the error shrinks at every step."""

T = EXPERIMENT.seq_len
LIMIT, PITCH = 2.0, 0.1
"""Weights and inputs changed by hand range from -LIMIT to LIMIT, in steps of PITCH."""

DIGITS = {"A": 1, "B": 1, "C": 1, "x": 1, "a": 2, "h": 2, "y": 2, "p": 2}
"""Decimals shown for each array; three for all others, since gradients are small."""


class Entry(NamedTuple):
    """A number that can be changed by hand: in A, B, C or x, at a row and a column (0-based)."""

    letter: str
    row: int
    column: int


class Stop(NamedTuple):
    """One computation of the walkthrough.

    kind : "state" (h_t), "answer" (y), "loss", "error" (dL/dy), "back" (delta_t) or "sum" (a gradient).
    letter : the matrix whose gradient is summed.
    """

    kind: str
    t: int = 0
    letter: str = ""


STOPS = (
    *(Stop("state", t) for t in range(1, T + 1)),
    Stop("answer", T),
    Stop("loss", T),
    Stop("error", T),
    *(Stop("back", t) for t in range(T, 0, -1)),
    *(Stop("sum", letter=letter) for letter in "CBA"),
)
"""All computations in order: forward, then backward."""


@dataclass(frozen=True, eq=False)
class Given:
    """The weights, the inputs and the target.

    A : (I, H). B : (H, H). C : (H, O). x : (T, I). target : index of the right class, 0-based.
    """

    A: Array
    B: Array
    C: Array
    x: Array
    target: int

    @property
    def params(self) -> Params:
        """The weights as network parameters, biases zero."""
        (H, O) = self.C.shape  # noqa: E741
        return Params((VanillaWeights(self.A, self.B, np.zeros(H)),), self.C, np.zeros(O))

    @property
    def batch(self) -> Batch:
        """The sequence as a batch of one."""
        targets = np.zeros((T, 1), np.int64)
        targets[-1] = self.target
        return TASKS[EXPERIMENT.task].as_batch(EXPERIMENT, self.x[:, None, :], targets)

    def value(self, entry: Entry) -> float:
        """Return the number at ``entry``."""
        return float(getattr(self, entry.letter)[entry.row, entry.column])

    def changed(self, entry: Entry, value: float) -> Given:
        """Return a copy with the number at ``entry`` set to ``value``."""
        array = getattr(self, entry.letter).copy()
        array[entry.row, entry.column] = value
        return replace(self, **{entry.letter: array})


@cache
def original() -> Given:
    """Return the initial weights and the sequence of EXPERIMENT, rounded to one decimal."""
    e = EXPERIMENT
    params, batch = e.init(e.rng("weights")), e.sample(e.rng("training"), 1)
    layer = params.layers[0]
    A, B, C, x = (w.round(1) + 0.0 for w in (layer.W_xh, layer.W_hh, params.W_hy, batch.inputs[:, 0]))
    return Given(A, B, C, x, int(batch.targets[-1, 0]))


def entries() -> list[Entry]:
    """Return every number that can be changed by hand."""
    given = original()
    shapes = {letter: getattr(given, letter).shape for letter in "ABCx"}
    return [
        Entry(letter, row, column) for letter, shape in shapes.items() for row, column in np.ndindex(shape)
    ]


@dataclass(frozen=True, eq=False)
class Walk:
    """Every number of one forward and backward pass.

    A, B, C, x : as in ``Given``. a : (T, H), pre-activations. h : (T + 1, H), h[0] = 0. y, p : (O,), the last
    output and its softmax. L : (1,), the loss. G : (O,) = dL/dy. delta, alpha : (T, H), dL/dh_t and dL/da_t,
    row t - 1 for step t. dA, dB, dC : the gradient of each matrix, in its shape.
    """

    target: int
    A: Array
    B: Array
    C: Array
    x: Array
    a: Array
    h: Array
    y: Array
    p: Array
    L: Array
    G: Array
    delta: Array
    alpha: Array
    dA: Array
    dB: Array
    dC: Array

    @classmethod
    def of(cls, given: Given) -> Walk:
        """Compute every number from the weights and inputs."""
        network = EXPERIMENT.network()
        done = network.loss_and_gradients(given.params, given.batch)
        h, delta, y = done.hidden[0][:, 0], done.hidden_gradients[0][:, 0], done.outputs[-1, 0]
        _, dL_dy = output_gradient(done.outputs, given.batch)
        G = dL_dy[0, 0]
        slope = 1.0 - h[1:] ** 2  # tanh'
        layer = done.gradients.layers[0]
        return cls(
            **vars(given),
            a=given.x @ given.A + h[:-1] @ given.B,
            h=h,
            y=y,
            p=G + wanted(given.target),  # dL/dy = p - y*
            L=np.array([done.loss]),
            G=G,
            delta=delta,
            alpha=delta * slope,
            dA=layer.W_xh,
            dB=layer.W_hh,
            dC=done.gradients.W_hy,
        )

    def shares(self, letter: str) -> Array:
        """Return each step's contribution to a matrix's gradient, (T, rows, columns)."""
        if letter == "C":
            nothing = np.zeros((T - 1, *self.C.shape))  # only the last step writes
            return np.concatenate([nothing, np.outer(self.h[-1], self.G)[None]])
        source = self.x if letter == "A" else self.h[:-1]
        return source[:, :, None] * self.alpha[:, None, :]

    def differs(self, other: Walk) -> dict[str, Mask]:
        """Return masks of the numbers that differ from those of another pass, by name."""
        names = [name for name in vars(self) if name != "target"]
        # the last bits may differ even where nothing changed
        return {name: ~np.isclose(getattr(self, name), getattr(other, name), 1e-12, 1e-15) for name in names}


def wanted(target: int) -> Array:
    """Return the one-hot target y* (O,)."""
    return one_hot(np.array(target), SYMBOLS.of(EXPERIMENT))


def written(value: float, digits: int = 3) -> str:
    """Return a number as text: "−0.52"; a tiny one as "2e−5", never as zero."""
    shown = f"{value:.{digits}f}"
    if float(shown) == 0.0:
        shown = f"{value:.0e}".replace("e-0", "e-") if abs(value) > 1e-12 else shown.lstrip("-")
    return shown.replace("-", "−")


# ---------------------------------------------------------------- shared or separate weights


@dataclass(frozen=True)
class Sizes:
    """Sizes of a layer: inputs I, hidden units H, outputs O; and whether y is fed back in."""

    inputs: int
    hidden: int
    outputs: int
    feedback: bool = False

    @property
    def read(self) -> int:
        """Number of inputs of a step, including the fed-back output if there is one."""
        return self.inputs + self.outputs * self.feedback

    @property
    def layer(self) -> Params:
        """Zero parameters of one step."""
        I, H, O = self.read, self.hidden, self.outputs  # noqa: E741
        inner = VanillaWeights(np.zeros((I, H)), np.zeros((H, H)), np.zeros(H))
        return Params((inner,), np.zeros((H, O)), np.zeros(O))

    @property
    def shared(self) -> int:
        """Number of parameters if all steps share them."""
        return self.layer.count

    def separate(self, steps: int) -> int:
        """Return the number of parameters if every step has separate weights."""
        return sum(self.layer.count for _ in range(steps))
