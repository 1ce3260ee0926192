"""Gradient flow in a recurrent network that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from rnnviz.analysis.decay_factors import decay_factors
from rnnviz.analysis.driven import error_at_last_step, states_as_outputs
from rnnviz.analysis.gradient_flow import PROBE_SAMPLES, Probe, gradient_flow, probe, verdict
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array, norms
from rnnviz.model.cells import GRUWeights, LayerWeights, LSTMWeights, VanillaWeights
from rnnviz.model.network import Network

SEQ_LENS, INPUT_STDS = (2, 200), (0.0, 100.0)
"""Bounds of the arguments of ``uploaded_flow``."""

CELL_OF: dict[type, str] = {VanillaWeights: "vanilla", LSTMWeights: "lstm", GRUWeights: "gru"}
"""The cells that are understood, by the type of their weights."""

CARRYING_GATES = {"lstm": "forget", "gru": "update"}
"""The gate by which a unit's own memory (c of an LSTM, h of a GRU) is multiplied at each step."""


@dataclass(frozen=True, eq=False)
class UploadedNetwork:
    """A simple RNN, LSTM or GRU that was trained elsewhere, lowest layer first.

    source : the library whose array names the file uses. ignored : names of unused arrays, shortened.

    Raises
    ------
    ValueError
        If the layers are of another cell, or of different ones.
    """

    layers: tuple[LayerWeights, ...]
    source: str = "rnnviz names"
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kinds = {type(layer) for layer in self.layers}
        if len(kinds) != 1 or not kinds <= set(CELL_OF):
            expected = " or ".join(kind.__name__ for kind in CELL_OF)
            got = " and ".join(sorted(kind.__name__ for kind in kinds)) or "none"
            raise ValueError(f"layers must all be {expected}; got {got}.")

    @property
    def cell(self) -> str:
        """The name of its cell: "vanilla", "lstm" or "gru"."""
        return CELL_OF[type(self.layers[0])]

    @property
    def gated(self) -> bool:
        """Whether it is an LSTM or a GRU."""
        return self.cell in CARRYING_GATES

    @property
    def input_size(self) -> int:
        """I, the input channels of the lowest layer."""
        return self.layers[0].W_xh.shape[0]

    @property
    def hidden_size(self) -> int:
        """H, the units of the top layer."""
        return self.layers[-1].W_hh.shape[0]

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.layers)

    @property
    def parameters(self) -> int:
        """The number of weights and biases; two biases of PyTorch that are added up count as one."""
        return sum(getattr(layer, f.name).size for layer in self.layers for f in fields(layer))


@dataclass(frozen=True, eq=False)
class UploadedFlow:
    """The gradient flow in an uploaded network.

    curve : (T,), ||dL/dh_t|| of one layer (of an LSTM, of h and c together), mean over the sequences; inf or
        NaN where numbers overflowed.
    decades : log10(curve[0] / curve[-1]), -inf if the gradient at step 1 is zero.
    verdict : "vanishing", "healthy" or "exploding", by gradient_flow.VERDICT_DECADES.
    slope_factor : of a simple RNN, factor of the error per step due to the slopes phi'(a_t), geometric mean
        over t = 2..T.
    saturated : of a simple RNN, share of units with phi'(a_t) < decay_factors.SATURATED, over all steps and
        sequences.
    gates : of a gated cell, each gate's value by name, (T,), mean over units and sequences.
    kept : of a gated cell, (H,), the factor per step along each unit's own memory: its forget gate (LSTM) or
        update gate (GRU), geometric mean over t = 2..T and the sequences.
    """

    curve: Array
    decades: float
    verdict: str
    slope_factor: float = np.nan
    saturated: float = np.nan
    gates: Mapping[str, Array] = field(default_factory=dict)
    kept: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def factor(self) -> float:
        """Factor of the gradient per step back, geometric mean over the T - 1 steps."""
        with np.errstate(over="ignore"):
            return float(np.float64(10.0) ** (self.decades / (len(self.curve) - 1)))


def uploaded_flow(
    network: UploadedNetwork,
    activation: str = "tanh",
    seq_len: int = 50,
    input_std: float = 1.0,
    layer: int = -1,
    batch: int = PROBE_SAMPLES,
    seed: int = 0,
) -> UploadedFlow:
    """Measure the gradient flow for random inputs and a random error of norm 1 at the last step.

    In a simple RNN delta_t = (delta_{t+1} * phi'(a_{t+1})) W_hh^T (Pascanu et al. 2013, eq. 5), and in lower
    layers + (delta_t * phi'(a_t)) W_xh^T of the layer above.

    activation : a name of ACTIVATIONS that the cell can have; weight files do not contain it. seq_len : T.
    input_std : standard deviation of every input channel. layer : whose curve, 0 the lowest; the error always
    enters the top one. batch : sequences B that the norms (never the gradients) are averaged over. seed : of
    inputs and errors.

    Raises
    ------
    ValueError
        If an argument is out of bounds, or the cell does not have the activation.
    """
    _check_choices(network, activation, seq_len, input_std, layer)
    rng = np.random.default_rng(seed)
    error = rng.standard_normal((batch, network.hidden_size))
    layers, inputs = _driven(network, rng, seq_len, batch, input_std)
    seen = probe(
        Network(
            cell=network.cell,
            input_size=inputs.shape[-1],
            hidden_size=network.hidden_size,
            output_size=network.hidden_size,
            num_layers=network.depth,
            activation=activation,
        ),
        states_as_outputs(*layers, hidden_size=network.hidden_size),
        error_at_last_step(inputs, error / norms(error)[:, None]),
    )
    flow = gradient_flow(seen, layer=layer)
    curve = flow.per_output[-1]
    decades = -np.inf if curve[0] == 0.0 else flow.decades
    found = UploadedFlow(curve, decades, verdict(decades))
    return _with_gates(found, network, seen, layer) if network.gated else _with_slopes(found, seen, layer)


def _with_slopes(flow: UploadedFlow, seen: Probe, layer: int) -> UploadedFlow:
    """Add what the activation does to the error in a simple RNN."""
    factors = decay_factors(seen, layer=layer)
    through = factors.slope_factor[np.isfinite(factors.slope_factor)]
    with np.errstate(divide="ignore"):  # the gradient may be zero
        slope_factor = float(np.exp(np.log(through).mean())) if through.size else np.nan
    return replace(flow, slope_factor=slope_factor, saturated=float(factors.saturated.mean()))


def _with_gates(flow: UploadedFlow, network: UploadedNetwork, seen: Probe, layer: int) -> UploadedFlow:
    """Add the gates of an LSTM or a GRU, and what they let through along each unit's own memory."""
    gates = seen.network.cell.gates(seen.traces[layer])
    with np.errstate(divide="ignore"):  # a gate may be closed
        kept = np.exp(np.log(gates[CARRYING_GATES[network.cell]][1:]).mean(axis=(0, 1)))
    return replace(flow, gates={name: gate.mean(axis=(1, 2)) for name, gate in gates.items()}, kept=kept)


def _check_choices(
    network: UploadedNetwork, activation: str, seq_len: int, input_std: float, layer: int
) -> None:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}.")
    for name, value, (low, high) in (
        ("seq_len", seq_len, SEQ_LENS),
        ("input_std", input_std, INPUT_STDS),
        ("layer", layer, (-network.depth, network.depth - 1)),
    ):
        if not low <= value <= high:
            raise ValueError(f"{name} must be between {low:g} and {high:g}; got {value}.")


def _driven(
    network: UploadedNetwork, rng: np.random.Generator, T: int, B: int, input_std: float
) -> tuple[tuple[LayerWeights, ...], Array]:
    """Draw inputs N(0, input_std^2) for the lowest layer; return the layers and the inputs (T, B, I).

    With more channels than columns of W_xh (I, G H), only as many channels z as columns are drawn: with
    W_xh = Q R, x W_xh has the same distribution as z R.
    """
    lowest, *others = network.layers
    if network.input_size > lowest.W_xh.shape[1]:
        lowest = replace(lowest, W_xh=np.asarray(np.linalg.qr(lowest.W_xh, mode="r"), float))
    return (lowest, *others), input_std * rng.standard_normal((T, B, len(lowest.W_xh)))
