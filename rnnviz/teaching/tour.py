"""The tour on the home page: three networks on one task, with the texts and what is recorded of them.

The counts over seeds were printed by ``python -m tests.benchmarks.tour``; a test compares them with runs of
further seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from rnnviz.analysis.decay_factors import decay_factors
from rnnviz.analysis.gradient_flow import gradient_flow, probe
from rnnviz.analysis.shares import Share
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.model.network import Params
from rnnviz.teaching.lessons.outcome import Outcome, size
from rnnviz.teaching.measured import MEASURED

STAGES = ("question", "cure", "why", "lstm", "on")
"""The stages of the tour in their order, by the names that addresses have for them."""

UPDATES = 200
"""Updates of each network: three times as many as the slowest of the recorded orthogonal ones needed."""

FIRST_SEED = 1000
"""The recorded seeds start here: none of them was used to choose the experiments."""

HARDLY_ANY = 1e-3
"""A share of the error below which the text says that hardly any is left."""


OPEN_BIAS = 1.0
"""A usual initial bias of the forget gate (Jozefowicz et al. 2015); the app's LSTM has 0."""


@dataclass(frozen=True)
class Record:
    """How many seeds reached the task's goal within a number of updates."""

    experiment: Experiment
    learned: Share
    updates: int = UPDATES


@dataclass(frozen=True)
class Candidate:
    """One of the networks.

    name : its key. title : its name in sentences; short : beside its curve. record : of many seeds.
    told : what happened, when the run has ended; names in braces are those of ``words``.
    """

    name: str
    title: str
    short: str
    record: Record
    told: str

    @property
    def experiment(self) -> Experiment:
        """The experiment that the visitor sees."""
        return self.record.experiment


_SMALL = Experiment(task="recall", topology="many-to-one", seq_len=50, init="small-normal")
_LSTM = replace(_SMALL, cell="lstm")

RECORDS = {
    "small": Record(_SMALL, Share(0, 60)),
    "orthogonal": Record(replace(_SMALL, init="orthogonal"), Share(60, 60)),
    "lstm": Record(_LSTM, Share(0, 20)),
    "lstm-patient": Record(_LSTM, Share(0, 20), updates=1000),
    "lstm-short": Record(replace(_LSTM, seq_len=10), Share(34, 40)),
}
"""Everything that the texts say of many seeds."""

CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            "small",
            "Small normal W_hh",
            "Small normal",
            RECORDS["small"],
            "It fails: after {steps} updates {metric} of its answers are right, and guessing gives {chance}. "
            "The ribbon shows why. Before training, less than a thousandth of the error at step {T} reached "
            "step {hardly_any}, and only {arrives} of it reached step 1, where the symbol was. Training "
            "made that {arrives_after}: still far too little to learn from.",
        ),
        Candidate(
            "orthogonal",
            "Orthogonal W_hh",
            "Orthogonal",
            RECORDS["orthogonal"],
            "Solved: {metric} after {steps} updates; {goal} was reached after {solved_at}. Before training, "
            "{arrives} of the error at step {T} reached step 1; with training that became {arrives_after}.",
        ),
        Candidate(
            "lstm",
            "LSTM, small normal weights",
            "LSTM",
            RECORDS["lstm"],
            "Not yet: after {steps} updates {metric} of its answers are right, and guessing gives {chance}. "
            "Its memory passes through a forget gate at every step. Before training that gate is half "
            "open ({gate}), so each step back keeps about half of the error, and {arrives} of it reaches "
            "step 1: far more than without gates, and still too little. (A forget-gate bias of {bias}, a "
            "common choice, opens the gate to {open_gate}; then {arrives_open} reaches step 1.) Over 10 "
            "steps the same LSTM usually learns ({short}). Over 50 even 1,000 updates were too few "
            "({patient}).",
        ),
    )
}
"""The networks in the order of the tour. Each differs from the first in one setting."""

SMALL, ORTHOGONAL, LSTM = CANDIDATES.values()

# ---------------------------------------------------------------- the texts

TITLE = "See how a network remembers, and why it forgets"
IDEA = (
    "A recurrent network learns from an error that travels back through the same weights at every step. "
    "Where the ribbon is thin, hardly any of it arrives."
)

QUESTION_TITLE = "Will it learn to remember over T = 50 steps?"
QUESTION = (
    "One of four symbols is shown at step 1. Then comes noise. At step 50 the network must name the symbol. "
    "It has 32 hidden units, very small recurrent weights (normal, standard deviation 0.01), and gets "
    f"{UPDATES} updates."
)
ANSWERS = (
    "Yes, there is only one symbol to keep",
    "Partly, it will do better than guessing",
    "No, it will still be guessing",
)
RIGHT = 2
"""Index of the right answer."""

EXPLAINED = {
    "hidden units": "h_t",
    "recurrent weights": "B = W_hh",
    "∂L/∂h_t": "∂L/∂h_t",
    "slope of tanh": "φ′",
    "forget gate": "gates",
}
"""What the texts say, and the glossary's term for it; the first of each in a text is explained on hover."""

CURE_TITLE = "One change: an orthogonal W_hh"
CURE = (
    "The same network, task and seed. Only the initial W_hh is different: an orthogonal matrix turns a "
    "vector and keeps its length."
)

WHY_TITLE = "Why? One factor, 49 times"
WHY = (
    "The error at step t is ∂L/∂h_t. On its way back it is multiplied at every step by the slope of tanh and "
    "by W_hh. Small normal weights leave {small} of it. An orthogonal W_hh leaves {orthogonal}: the matrix "
    "itself keeps all of it ({kept_by_matrix}), and only tanh takes a little. This happens 49 times on the "
    "way to step 1."
)

LSTM_TITLE = "And an LSTM?"
LSTM_IDEA = (
    "An LSTM has gates that protect its memory. The same task, the same small normal weights, "
    f"{UPDATES} updates."
)
ON_TITLE = "What you have seen"
FINDINGS = (
    "A network learns only from what its error reaches.",
    "Each step back multiplies the error by a factor. Over many steps, a factor well below 1 leaves nothing.",
    "With a factor near 1 the error arrives, and the same network learns.",
    "An LSTM carries the error only as far as its forget gates are open. With gates that start open for as "
    f"long as the task needs (chrono initialisation), {MEASURED['out-of-the-box/3'].solved} learned it.",
)

# ---------------------------------------------------------------- the numbers


@dataclass(frozen=True)
class Factor:
    """The change of the last output's error per step back, before training.

    steps : number of steps back to step 1. mean : geometric mean of the factors per step.
    """

    steps: int
    mean: float

    @property
    def left(self) -> float:
        """The share of the error that reaches step 1: the mean to the power ``steps``."""
        return self.mean**self.steps

    @property
    def in_digits(self) -> str:
        """The mean as text: three digits after the point, more if the power as printed needs them."""
        texts = (f"{self.mean:.{digits}f}" for digits in range(3, 17))
        return next(text for text in texts if size(float(text) ** self.steps) == size(self.left))


@lru_cache(maxsize=8)
def factor_of(e: Experiment) -> Factor:
    """Measure the factor per step of an untrained network (cached)."""
    steps = int(e.masks.write_steps[-1])
    return Factor(steps, float(10.0 ** (gradient_flow(e).decades / steps)))


@lru_cache(maxsize=4)
def share_left(e: Experiment) -> Array:
    """Return the last output's gradient (T,) before training, as a share of that at step T (cached)."""
    last = gradient_flow(e).per_output[-1]
    return last / last[-1]


@lru_cache(maxsize=4)
def kept_by_matrix(e: Experiment) -> float:
    """Return the geometric mean over steps of the factor of W_hh alone (cached)."""
    return float(np.exp(np.log(decay_factors(e).recurrent_factor).mean()))


@lru_cache(maxsize=4)
def forget_gate(e: Experiment, bias: float = 0.0) -> float:
    """Return the mean of an untrained LSTM's forget gate over steps, sequences and units (cached).

    bias : added to the forget gate's own.
    """
    seen = probe(e, with_forget_bias(e, bias))
    return float(np.mean(seen.network.cell.gates(seen.traces[0])["forget"]))


@lru_cache(maxsize=2)
def arrives_with_bias(e: Experiment, bias: float) -> float:
    """Return the share of the error that reaches step 1 before training with a forget bias (cached)."""
    return float(10.0 ** gradient_flow(e, with_forget_bias(e, bias)).decades)


def with_forget_bias(e: Experiment, bias: float) -> Params:
    """Return an LSTM's initial parameters with a number added to each forget gate's bias."""
    params, H = e.init(e.rng("weights")), e.hidden_size
    (layer,) = params.layers
    added = np.repeat([0.0, bias, 0.0, 0.0], H)  # gates i, f, g, o
    return replace(params, layers=(replace(layer, b=layer.b + added),))


def _gates_in_words(e: Experiment) -> dict[str, str]:
    """Return the names in braces that concern an LSTM's forget gate."""
    return {
        "gate": f"{forget_gate(e):.2f}",
        "bias": f"{OPEN_BIAS:g}",
        "open_gate": f"{forget_gate(e, OPEN_BIAS):.2f}",
        "arrives_open": size(arrives_with_bias(e, OPEN_BIAS)),
    }


def hardly_any(last: Array) -> int:
    """Return the last step that less than HARDLY_ANY of the final error reaches; 0 if there is none.

    last : (T,), the last output's gradient by step.
    """
    below = np.flatnonzero(last < HARDLY_ANY * last[-1])
    return int(below[-1]) + 1 if below.size else 0


def words(outcome: Outcome) -> dict[str, str]:
    """Return the values for the names in braces, as text."""
    e, before = outcome.experiment, outcome.before
    return outcome.words() | {
        "T": str(e.seq_len),
        **(_gates_in_words(e) if e.cell == "lstm" else {}),
        "short": in_short(RECORDS["lstm-short"].learned),
        "patient": in_short(RECORDS["lstm-patient"].learned),
        "arrives": size(10.0 ** before.decades[-1]),
        "arrives_after": size(10.0 ** outcome.after.decades[-1]),
        "hardly_any": str(hardly_any(before.last[-1])),
    }


def told(candidate: Candidate, outcome: Outcome) -> str:
    """Return what happened to a network, with the numbers of its run."""
    return candidate.told.format(**words(outcome))


def why() -> str:
    """Return the factors of the first two networks in a few sentences."""
    small, orthogonal = factor_of(SMALL.experiment), factor_of(ORTHOGONAL.experiment)
    return WHY.format(
        small=small.in_digits,
        orthogonal=orthogonal.in_digits,
        kept_by_matrix=f"{kept_by_matrix(ORTHOGONAL.experiment):.3f}",
    )


def in_short(learned: Share) -> str:
    """Return a share without its interval."""
    return f"{learned.count} of {learned.seeds} seeds"
