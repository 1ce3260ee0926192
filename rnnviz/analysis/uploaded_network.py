"""Gradient flow in a recurrent network that was trained elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.decay_factors import decay_factors
from rnnviz.analysis.driven import error_at_last_step, states_as_outputs
from rnnviz.analysis.gradient_flow import PROBE_SAMPLES, gradient_flow, probe, verdict
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array, norms
from rnnviz.model.cells import VanillaWeights
from rnnviz.model.network import Network

SEQ_LENS, INPUT_STDS = (2, 200), (0.0, 100.0)
"""Bounds of the arguments of ``uploaded_flow``."""


@dataclass(frozen=True, eq=False)
class UploadedNetwork:
    """A recurrent network that was trained elsewhere, lowest layer first.

    source : the library whose array names the file uses. ignored : names of unused arrays, shortened.
    """

    layers: tuple[VanillaWeights, ...]
    source: str = "rnnviz names"
    ignored: tuple[str, ...] = ()

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
        """The number of weights and biases; PyTorch's two biases of a layer count as one."""
        return sum(layer.W_xh.size + layer.W_hh.size + layer.b_h.size for layer in self.layers)


@dataclass(frozen=True, eq=False)
class UploadedFlow:
    """The gradient flow in an uploaded network.

    curve : (T,), ||dL/dh_t|| of one layer, mean over the sequences; inf or NaN where numbers overflowed.
    decades : log10(curve[0] / curve[-1]), -inf if the gradient at step 1 is zero.
    verdict : "vanishing", "healthy" or "exploding", by gradient_flow.VERDICT_DECADES.
    slope_factor : factor of the error per step due to the slopes phi'(a_t), geometric mean over t = 2..T.
    saturated : share of units with phi'(a_t) < decay_factors.SATURATED, over all steps and sequences.
    """

    curve: Array
    decades: float
    verdict: str
    slope_factor: float
    saturated: float

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

    delta_t = (delta_{t+1} * phi'(a_{t+1})) W_hh^T (Pascanu et al. 2013, eq. 5), and in lower layers
    + (delta_t * phi'(a_t)) W_xh^T of the layer above.

    activation : a name of ACTIVATIONS; weight files do not contain it. seq_len : T. input_std : standard
    deviation of every input channel. layer : whose curve, 0 the lowest; the error always enters the top one.
    batch : sequences B that the norms (never the gradients) are averaged over. seed : of inputs and errors.

    Raises
    ------
    ValueError
        If an argument is out of bounds.
    """
    _check_choices(network, activation, seq_len, input_std, layer)
    rng = np.random.default_rng(seed)
    error = rng.standard_normal((batch, network.hidden_size))
    layers, inputs = _driven(network, rng, seq_len, batch, input_std)
    seen = probe(
        Network(
            input_size=inputs.shape[-1],
            hidden_size=network.hidden_size,
            output_size=network.hidden_size,
            num_layers=network.depth,
            activation=activation,
        ),
        states_as_outputs(*layers, hidden_size=network.hidden_size),
        error_at_last_step(inputs, error / norms(error)[:, None]),
    )
    flow, factors = gradient_flow(seen, layer=layer), decay_factors(seen, layer=layer)
    curve, through = flow.per_output[-1], factors.slope_factor[np.isfinite(factors.slope_factor)]
    with np.errstate(divide="ignore"):  # the gradient may be zero
        slope_factor = float(np.exp(np.log(through).mean())) if through.size else np.nan
    decades = -np.inf if curve[0] == 0.0 else flow.decades
    return UploadedFlow(
        curve,
        decades,
        verdict(decades),
        slope_factor=slope_factor,
        saturated=float(factors.saturated.mean()),
    )


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
) -> tuple[tuple[VanillaWeights, ...], Array]:
    """Draw inputs N(0, input_std^2) for the lowest layer; return the layers and the inputs (T, B, I).

    With more channels than units, only as many channels z as units are drawn: with W_xh = Q R, x W_xh has
    the same distribution as z R.
    """
    lowest, *others = network.layers
    if network.input_size > len(lowest.W_hh):
        reduced = np.asarray(np.linalg.qr(lowest.W_xh, mode="r"), float)
        lowest = VanillaWeights(reduced, lowest.W_hh, lowest.b_h)
    return (lowest, *others), input_std * rng.standard_normal((T, B, len(lowest.W_xh)))
