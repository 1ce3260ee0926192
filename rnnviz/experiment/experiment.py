"""All settings of a run in one frozen, validated dataclass.

The defaults stand here and, for the options of single tasks, beside those tasks; nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, make_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.batch import Batch
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.network import Network, Params
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS, declared_options
from rnnviz.tasks.choice import Choice
from rnnviz.tasks.topology import TOPOLOGIES, Masks


def _setting(default: Any, *choice: Any, **bounds: Any) -> Any:
    """Return a field; see Choice for the arguments after the default."""
    return _field(default, Choice(*choice, **bounds))


def _field(default: Any, choice: Choice) -> Any:
    return field(default=default, metadata={"choice": choice})


class _Usual(str):
    """A default that stands for what is usual for the cell: the first of its ``inits`` or ``activations``."""

    __slots__ = ()


@dataclass(frozen=True)
class CommonSettings:
    """The settings of every run, whatever its task."""

    topology: str = _setting("many-to-one", "topology", "Topology", "name", names=TOPOLOGIES)
    task: str = _setting("recall", "task", "Task", "name", names=TASKS)
    seq_len: int = _setting(20, "T", "Sequence length T", "integer", low=1, high=200)
    hidden_size: int = _setting(32, "H", "Hidden units H", "integer", low=2, high=128)
    layers: int = _setting(1, "layers", "Layers", "integer", low=1, high=3)
    cell: str = _setting("vanilla", "cell", "Cell", "name", names=CELLS)
    activation: str = _setting(_Usual("tanh"), "activation", "Activation", "name", names=ACTIVATIONS)
    init: Any = _setting(  # noqa: RUF009 - see InitialWeights
        _Usual("orthogonal"), "init", "Initialisation", "name", names=INITIALIZERS
    )
    gain: float = _setting(1.0, "gain", "Gain g", "number", low=0.0, high=10.0)
    optimizer: str = _setting("adam", "optimizer", "Optimiser", "name", names=OPTIMIZERS)
    learning_rate: float = _setting(3e-3, "lr", "Learning rate", "number", low=1e-6, high=10.0)
    clip_norm: float | None = _setting(
        1.0, "clip", "Clip the gradient's norm at", "number", low=1e-3, high=1e3, optional=True
    )
    truncate: int | None = _setting(None, "bptt", "Truncated BPTT", "integer", low=1, high=200, optional=True)
    batch_size: int = _setting(32, "batch", "Batch size", "integer", low=1, high=256)
    seed: int = _setting(0, "seed", "Seed", "integer", low=0, high=2**31 - 1)
    feedback: bool = _setting(False, "feedback", "Feed the output back into the network", "switch")


def _with_options(common: type) -> type:
    """Return a dataclass with one more field for each option that a task declares.

    Raises
    ------
    ValueError
        If an option has the name or the URL parameter of a common setting.
    """
    options = declared_options()
    taken = {name for f in fields(common) for name in (f.name, f.metadata["choice"].url)}
    if clash := sorted(taken & set(options)):
        raise ValueError(f"the name of an option must not be that of a common setting; got {clash}.")
    added = [(o.name, type(o.default), _field(o.default, o)) for o in options.values()]
    return make_dataclass("SettingsWithOptions", added, bases=(common,), frozen=True)


if TYPE_CHECKING:  # options are known at run time only; Option.of reads one with its type
    _SettingsWithOptions = CommonSettings
else:
    _SettingsWithOptions = _with_options(CommonSettings)


@dataclass(frozen=True)
class Experiment(_SettingsWithOptions):
    """All settings of one run; equal experiments give equal runs.

    Its fields are the common settings and the options of all tasks. Defaults of ``init`` and ``activation``
    are what is usual for the cell.

    Raises
    ------
    ValueError
        If a field is out of its bounds, or if fields do not fit together (a task with a topology
        it does not support, a sequence too short for it, ...).
    """

    if TYPE_CHECKING:

        def __init__(self, **settings: Any) -> None: ...

    def __post_init__(self) -> None:
        cell = CELLS[choices()["cell"].check("cell", self.cell)]
        for name, usual in (("activation", cell.activations[0]), ("init", cell.inits[0])):
            if isinstance(vars(self)[name], _Usual):
                object.__setattr__(self, name, usual)
        for name, choice in choices().items():
            object.__setattr__(self, name, choice.check(name, vars(self)[name]))
        self._check_fit()

    def _check_fit(self) -> None:
        task, topology = TASKS[self.task], TOPOLOGIES[self.topology]
        for option in task.options.values():
            option.check_content(self)
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
        cell = CELLS[self.cell]
        for name, value, known in (
            ("activation", self.activation, cell.activations),
            ("init", str(self.init), cell.inits),
        ):
            if value not in known:
                expected = "one of " * (len(known) > 1) + ", ".join(map(repr, known))
                raise ValueError(f"{name} must be {expected} for cell {self.cell!r}; got {value!r}.")

    def replace(self, **changes: Any) -> Experiment:
        """Return a copy with some settings changed, as ``dataclasses.replace`` does."""
        return replace(self, **changes)

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
        return network.outputs(params, batch.inputs)

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
        return e.network().init(rng, str(self), e.gain, e.seq_len)


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
