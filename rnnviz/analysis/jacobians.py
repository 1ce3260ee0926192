"""The Jacobian of a layer's last state with respect to an earlier one, ds_T/ds_t: all its singular values.

The norm of a gradient follows the largest of them. The others tell in how many directions of the state an
error still gets back to step t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.analysis.gradient_flow import VERDICT_DECADES, probe_batch
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices, norms
from rnnviz.model.batch import Batch
from rnnviz.model.cells import Cell, LayerWeights, Trace, Workspace
from rnnviz.model.network import Network, Params

ROUNDING = float(np.finfo(float).eps)

WINDOW = 250.0
"""Powers of ten that one singular value decomposition covers; floating point ends at some 300."""

PASSES = 3
"""Steps of the QR algorithm before the decomposition; one is enough but for the first steps of an LSTM."""

OVERFLOWED = "The states overflowed, so they have no finite Jacobian."


@dataclass(frozen=True, eq=False)
class StateJacobians:
    """The singular values of ds_T/ds_t, s being the whole state of one layer.

    steps : (n,), the steps t, ascending, the last one being T.
    powers : (n, S), log10 of the singular values at these steps, descending; 0 at T, -inf for an exact zero.
    """

    steps: Indices
    powers: Array

    @property
    def singular_values(self) -> Array:
        """The singular values (n, S), descending; 0 below what floating point can hold."""
        with np.errstate(under="ignore", over="ignore"):
            return np.asarray(10.0**self.powers)

    @property
    def within(self) -> Indices:
        """How many directions lie within two powers of ten of the largest, (n,); 0 if that is 0."""
        largest = self.powers[:, :1]
        return np.asarray((np.isfinite(largest) & (self.powers >= largest - VERDICT_DECADES)).sum(axis=1))


@dataclass(frozen=True, eq=False)
class LayerPath:
    """One layer's way back through time for a single sequence; the states of other layers are held.

    carried : which entries of ``Cell.state`` the next step reads, see ``carried_by``. size : their numbers S.
    """

    cell: Cell
    weights: LayerWeights
    trace: Trace
    carried: tuple[int, ...]

    @property
    def size(self) -> int:
        """The size S of the carried state."""
        return len(self.carried) * int(self.trace.hidden.shape[-1])

    def back(self, t: int, columns: Array) -> Array:
        """Return (ds_{t+1}/ds_t)^T ``columns`` for errors (S, k) of row ``t`` of the trace's steps."""
        H = self.trace.hidden.shape[-1]
        parts = columns.T.reshape(columns.shape[1], len(self.carried), 1, H)
        nothing = np.zeros_like(parts[:, 0])
        errors = tuple(
            parts[:, self.carried.index(i)] if i in self.carried else nothing
            for i in range(len(self.cell.state))
        )
        earlier = self.cell.vjp_step(self.weights, self.trace, t, errors).earlier
        return np.concatenate([earlier[i][:, 0] for i in self.carried], axis=-1).T


def carried_by(cell: Cell) -> tuple[int, ...]:
    """Return which entries of ``Cell.state`` the next step reads: all, but of an LRU its memory only."""
    if cell.matrices == 0 and len(cell.parts) > 1:
        return tuple(i for i in range(len(cell.state)) if i not in cell.parts["h"])
    return tuple(range(len(cell.state)))


def layer_path(network: Network, params: Params, inputs: Array, layer: int) -> LayerPath:
    """Run a network over one sequence (T, I); return one layer's way back.

    Raises
    ------
    ValueError
        If the states overflow.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        trace: Any = network.states(params, inputs[:, None], Workspace())[layer]
    if not all(np.isfinite(states).all() for states in trace.states):
        raise ValueError(OVERFLOWED)
    return LayerPath(network.cell, params.layers[layer], trace, carried_by(network.cell))


def state_jacobians(
    subject: Experiment | Network,
    params: Params | None = None,
    batch: Batch | None = None,
    layer: int = -1,
    sequence: int = 0,
    most: int = 1000,
) -> StateJacobians:
    """Return the singular values of ds_T/ds_t, for every t, of one layer and one sequence of the batch.

    s is what the next step reads: h; of an LSTM (h, c), of an LRU the real and imaginary parts of its memory.
    Of several layers only this one's path counts: the states of the others are held. It is one sequence:
    directions differ from sequence to sequence, and a median over them belongs to none.

    Naive products lose what is below 1e-16 of the largest value. Here (ds_T/ds_t)^T = Q D M, with Q
    orthonormal, D a diagonal kept as powers of ten and M well-conditioned. A step back multiplies Q by one
    Jacobian, and a QR decomposition separates the scales again (Loh et al. 1992, "Stable numerical
    simulations of models of interacting electrons"; columns sorted first, as in Tomas et al. 2012). The
    singular values of D M are those of R D with M^T = Q' R, which is triangular and graded: its
    decomposition is accurate for small values too. What is 0 up to rounding in one step is exactly 0.

    subject, params, batch : see ``gradient_flow.probe``. most : at how many steps, evenly spaced; a large
    state takes seconds at all of them.

    Raises
    ------
    ValueError
        If a network comes without weights or without a batch, or if the states overflow.
    """
    if isinstance(subject, Experiment):
        params = subject.init(subject.rng("weights")) if params is None else params
        batch, subject = probe_batch(subject) if batch is None else batch, subject.network()
    if params is None or batch is None:
        raise ValueError("A network needs weights and a batch: pass params and batch, or an Experiment.")
    path = layer_path(subject, params, batch.inputs[:, sequence], layer)
    T, S = len(batch.inputs), path.size
    steps = np.unique(np.linspace(1, T, min(T, max(most, 2))).round().astype(int))
    powers = np.full((len(steps), S), -np.inf)
    powers[-1] = 0.0
    Q, scale, mixed = np.eye(S), np.zeros(S), np.eye(S)
    for t in reversed(range(1, T)):
        columns = path.back(t, Q)
        with np.errstate(divide="ignore"):
            order = np.argsort(-np.log10(norms(columns.T)) - scale, kind="stable")
        Q, C, _ = orthogonalised(columns[:, order])
        scale, mixed = _graded(C, scale[order], mixed[order])
        if not len(scale):
            break
        if t in steps:
            powers[np.searchsorted(steps, t), : len(scale)] = _powers(scale, mixed)
    return StateJacobians(steps, powers)


def orthogonalised(columns: Array) -> tuple[Array, Array, Indices]:
    """Decompose columns (S, k) of numerical rank r into Q C: Q (S, r) orthonormal, C (r, k) upper triangular.

    Also returns the indices (r,) of the columns that Q comes from. Those that lie in the span of the columns
    before them, up to rounding, are left out: behind a unit that is off there is nothing.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    sizes, kept = norms(columns.T), np.arange(columns.shape[1])
    if not np.isfinite(sizes).all():
        raise ValueError(OVERFLOWED)
    kept = kept[sizes > 0.0]
    while True:
        Q, R = np.linalg.qr(columns[:, kept])
        independent = np.abs(np.diag(R)) > ROUNDING * len(columns) * sizes[kept]
        if independent.all():
            break
        kept = kept[independent]
    C = np.where(kept[:, None] > np.arange(columns.shape[1]), 0.0, Q.T @ columns)
    C[:, kept] = R
    return Q, C, kept


def _graded(C: Array, scale: Array, mixed: Array) -> tuple[Array, Array]:
    """Return C D M as D' M', with the largest entry of each row of C D as D' (in powers of ten)."""
    with np.errstate(divide="ignore", under="ignore"):
        sizes = np.log10(np.abs(C)) + scale
        largest = sizes.max(axis=1, initial=-np.inf)
        return largest, (np.sign(C) * 10.0 ** (sizes - largest[:, None])) @ mixed


def _powers(scale: Array, mixed: Array) -> Array:
    """Return the log10 of the singular values of D M, descending; D is given as powers of ten (r,).

    Each pass, M^T = Q R and D M -> R D, is a step of the QR algorithm: D gets closer to the singular values,
    and R D graded well enough for them all to be accurate.
    """
    for _ in range(PASSES):
        order = np.argsort(-scale, kind="stable")
        d, R = scale[order], np.asarray(np.linalg.qr(mixed[order].T).R)
        scale, mixed = _graded(R, d, np.eye(len(d)))
    found, first = [], 0
    while first < len(d):
        end = int(np.searchsorted(-d, WINDOW - d[first], side="right"))
        block = R[first:end, first:end] * 10.0 ** (d[first:end] - d[first])
        with np.errstate(divide="ignore"):
            found.append(d[first] + np.log10(np.linalg.svd(block, compute_uv=False)))
        first = end
    return np.sort(np.concatenate(found))[::-1]
