"""All settings of a run in one frozen, validated dataclass; the only place with defaults."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.batch import Batch
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.network import Network, Params
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS
from rnnviz.tasks.corpora import CORPORA, check_text
from rnnviz.tasks.numerals import LANGUAGES
from rnnviz.tasks.series import SERIES, check_data
from rnnviz.tasks.topology import TOPOLOGIES, Masks


@dataclass(frozen=True)
class Choice:
    """What a field of Experiment accepts: its name in a URL and its kind and bounds.

    kind : "name" (one of ``names``), "integer", "number", "switch" or "text".
    optional : None is accepted as well (written "none" in a URL).
    """

    url: str
    title: str
    kind: str
    low: float = -math.inf
    high: float = math.inf
    names: Collection[str] = ()
    optional: bool = False

    @property
    def expected(self) -> str:
        """The accepted values in words."""
        if self.kind == "name":
            return "one of " + ", ".join(self.names)
        if self.kind == "switch":
            return "true or false"
        if self.kind == "text":
            return "text"
        article = "a whole number" if self.kind == "integer" else "a number"
        return f"{article} between {self.low:g} and {self.high:g}" + (" or none" if self.optional else "")

    def check(self, name: str, value: Any) -> Any:
        """Return ``value`` as a plain Python value of this kind.

        Raises
        ------
        ValueError
            If the value has another type or lies outside the bounds.
        """
        if value is None and self.optional:
            return None
        clean = self._plain(value)
        if clean is None or (self.kind in ("integer", "number") and not self.low <= clean <= self.high):
            raise ValueError(f"{name} must be {self.expected}; got {shorten(value)}.")
        return clean

    def _plain(self, value: Any) -> Any:
        """Return the value as a plain Python type, or None if it is of the wrong kind."""
        switch = isinstance(value, (bool, np.bool_))
        if self.kind == "switch":
            return bool(value) if switch else None
        if self.kind in ("name", "text"):
            known = isinstance(value, str) and (self.kind == "text" or value in self.names)
            return str(value) if known else None
        # numpy registers timedelta64 as an integer type
        if switch or isinstance(value, np.timedelta64) or not isinstance(value, Real):
            return None
        if self.kind == "integer":
            return int(value) if isinstance(value, Integral) else None
        try:
            return float(value) + 0.0  # -0.0 passes a lower bound of 0; it becomes 0.0
        except OverflowError:  # out of every bound
            return None


def shorten(value: Any, length: int = 40) -> str:
    """Return the repr of a value, cut to ``length`` characters."""
    try:
        text = repr(value[: length + 1] if isinstance(value, str) else value)
    except ValueError:  # Python converts no integer of more than 4300 digits to text
        text = f"a number of more than {length} digits"
    return text if len(text) <= length else text[: length - 1] + "…"


def _choice(default: Any, url: str, title: str, kind: str, **bounds: Any) -> Any:
    return field(default=default, metadata={"choice": Choice(url, title, kind, **bounds)})


@dataclass(frozen=True)
class Experiment:
    """All settings of one run; equal experiments give equal runs.

    Raises
    ------
    ValueError
        If a field is out of its bounds, or if fields do not fit together (a task with a topology
        it does not support, a delay longer than the sequence, ...).
    """

    topology: str = _choice("many-to-one", "topology", "Topology", "name", names=TOPOLOGIES)
    task: str = _choice("recall", "task", "Task", "name", names=TASKS)
    seq_len: int = _choice(20, "T", "Sequence length T", "integer", low=1, high=200)
    hidden_size: int = _choice(32, "H", "Hidden units H", "integer", low=2, high=128)
    layers: int = _choice(1, "layers", "Layers", "integer", low=1, high=3)
    cell: str = _choice("vanilla", "cell", "Cell", "name", names=CELLS)
    activation: str = _choice("tanh", "activation", "Activation", "name", names=ACTIVATIONS)
    init: Any = _choice("orthogonal", "init", "Initialisation of W_hh", "name", names=INITIALIZERS)  # noqa: RUF009 - see InitialWeights
    gain: float = _choice(1.0, "gain", "Gain g", "number", low=0.0, high=10.0)
    optimizer: str = _choice("adam", "optimizer", "Optimiser", "name", names=OPTIMIZERS)
    learning_rate: float = _choice(3e-3, "lr", "Learning rate", "number", low=1e-6, high=10.0)
    clip_norm: float | None = _choice(
        1.0, "clip", "Clip the gradient's norm at", "number", low=1e-3, high=1e3, optional=True
    )
    batch_size: int = _choice(32, "batch", "Batch size", "integer", low=1, high=256)
    seed: int = _choice(0, "seed", "Seed", "integer", low=0, high=2**31 - 1)
    feedback: bool = _choice(False, "feedback", "Feed the output back into the network", "switch")
    # task-specific options; Task.options lists those that a task reads
    symbols: int = _choice(4, "symbols", "Different symbols", "integer", low=2, high=8)
    noise: float = _choice(0.1, "noise", "Distractor noise", "number", low=0.0, high=2.0)
    delay: int = _choice(5, "delay", "Delay d", "integer", low=0, high=150)
    items: int = _choice(3, "items", "Items to remember n", "integer", low=1, high=20)
    corpus: str = _choice("elements", "corpus", "Text", "name", names=CORPORA)
    text: str = _choice("", "text", "Your own text", "text")
    series: str = _choice("airline", "series", "Series", "name", names=SERIES)
    data: str = _choice("", "data", "Your own series", "text")
    language: str = _choice("english", "language", "Language", "name", names=LANGUAGES)
    target: str = _choice("french", "target", "Translate into", "name", names=("french", "german"))

    def __post_init__(self) -> None:
        for name, choice in choices().items():
            object.__setattr__(self, name, choice.check(name, vars(self)[name]))
        self._check_fit()

    def _check_fit(self) -> None:
        task, topology = TASKS[self.task], TOPOLOGIES[self.topology]
        if "data" in task.options and self.series == "own":
            check_data(self.data)
        if self.topology not in task.fits:
            raise ValueError(
                f"task {self.task!r} fits topology {' or '.join(task.fits)}; got {self.topology!r}."
            )
        low, high = task.lengths(self)
        if not low <= self.seq_len <= high:
            span = f"{low}" if low == high else f"between {low} and {high}"
            raise ValueError(f"seq_len must be {span} for {task.limits}; got {self.seq_len}.")
        if self.feedback and not topology.can_feed_back:
            raise ValueError(
                f"feedback needs an output before the last step; topology {self.topology!r} has none. "
                "Choose feedback=False."
            )
        if "text" in task.options and self.corpus == "own":
            check_text(self.text)
        if self.activation != "tanh" and CELLS[self.cell].gate_names:
            raise ValueError(
                f"activation must be 'tanh' for cell {self.cell!r}, whose gates have their own; "
                f"got {self.activation!r}."
            )

    def network(self) -> Network:
        """Return the network that is trained; it holds no weights."""
        task = TASKS[self.task]
        return Network(
            cell=self.cell,
            input_size=task.input_size(self),
            hidden_size=self.hidden_size,
            output_size=task.sizes(self)[1],
            num_layers=self.layers,
            activation=self.activation,
        )

    @property
    def masks(self) -> Masks:
        """Return which steps read and which write, (T,) each."""
        return TASKS[self.task].masks(self)

    def sample(self, rng: np.random.Generator, size: int | None = None) -> Batch:
        """Draw a training batch of ``size`` sequences (default: ``batch_size``)."""
        return TASKS[self.task].sample(self, rng, size)

    def answers(self, network: Network, params: Params, batch: Batch) -> Array:
        """Return the outputs (T, B, O) at inference: with ``feedback`` the network reads its own outputs."""
        if self.feedback:
            return network.rollout(params, batch.inputs, batch.writes, batch.loss.decide)
        return network.forward(params, batch.inputs)[0]

    def rng(self, stream: str) -> np.random.Generator:
        """Return the generator for one purpose: "weights", "training", "held-out" or "probe"."""
        return np.random.default_rng([self.seed, ("weights", "training", "held-out", "probe").index(stream)])


class InitialWeights(str):
    """The name of an initialisation; calling it draws the experiment's initial weights.

    ``Experiment.init`` is both: ``e.init == "orthogonal"`` and ``e.init(e.rng("weights"))``.
    """

    __slots__ = ("_experiment",)
    _experiment: Experiment

    def __call__(self, rng: np.random.Generator) -> Params:
        """Draw the weights of ``Experiment.network``."""
        e = self._experiment
        return e.network().init(rng, str(self), e.gain)


class _Init:
    """The descriptor behind ``Experiment.init``; what is stored, compared and pickled is the plain name."""

    def __init__(self, default: str) -> None:
        self._default = default

    def __get__(self, e: Experiment | None, owner: type) -> str:
        if e is None:
            return self._default
        name = InitialWeights(e.__dict__["init"])
        name._experiment = e
        return name

    def __set__(self, e: Experiment, name: str) -> None:
        e.__dict__["init"] = name


Experiment.init = _Init(Experiment.init)


@cache
def choices() -> dict[str, Choice]:
    """Return what every field of Experiment accepts, by field name."""
    return {f.name: f.metadata["choice"] for f in fields(Experiment)}
