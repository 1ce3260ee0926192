"""The itemised triangle: what the loss of output k asks of W_hh through its use at step t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradient_flow import Probe, probe
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices
from rnnviz.model.network import Params
from rnnviz.tasks.base import Batch


@dataclass(frozen=True, eq=False)
class Triangle:
    """The gradient of the top layer's W_hh, item by item: dW_hh = sum_k sum_{t<=k} C_{k,t}.

    outputs : (K,), the steps k (1-based) that write.
    size : (K, T), ||C_{k,t}||_F, zero where t > k.
    share : (K, T), <C_{k,t}, dW_hh> / ||dW_hh||_F^2; signed, they sum to 1 (all zero if dW_hh is).
    total : (H, H), the sum of all C_{k,t}, which is dW_hh.
    """

    outputs: Indices
    size: Array
    share: Array
    total: Array


def triangle(e: Experiment, params: Params | None = None, batch: Batch | None = None) -> Triangle:
    """Return every output's part in the gradient of the top layer's W_hh.

    C_{k,t} = h_{t-1}^T (eps_{k,t} * phi'(a_t)), with eps_{k,t} = dL_k/dh_t (Pascanu et al. 2013, eq. 4).
    params, batch : see ``gradient_flow.probe``.
    """
    seen = probe(e, params, batch)
    before = seen.traces[-1].hidden[:-1] * seen.network.cell.recurrent  # without a loop, no W_hh is used
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        errors = _errors_before_activation(seen)  # (K, T, B, H)
        total = np.einsum("tbi,tbj->ij", before, errors.sum(axis=0), optimize=True)
        size, share = _measure(before, errors, total)
    return Triangle(seen.network.steps + 1, size, share, total)


def _errors_before_activation(seen: Probe) -> Array:
    """Return eps_{k,t} * phi'(a_t) of the top layer, (K, T, B, H)."""
    network, params, hidden = seen.network, seen.params, seen.traces[-1].hidden
    T, (B, H), K = len(hidden) - 1, hidden.shape[1:], len(network.steps)
    slopes = network.cell.activation.slope(hidden[1:], np.empty_like(hidden[1:]))
    through = np.zeros((K, T, B, H))
    error = np.zeros((K, B, H))
    for t in reversed(range(T)):
        first = int(np.searchsorted(network.steps, t))  # outputs at t or later
        if first < K and network.steps[first] == t:
            error[first] += seen.dL_dy[first] @ params.W_hy.T
        through[first:, t] = error[first:] * slopes[t]
        error[first:] = through[first:, t] @ params.layers[-1].W_hh.T
    return through


def _measure(before: Array, errors: Array, total: Array) -> tuple[Array, Array]:
    """Return ||C_{k,t}|| and its signed share of ``total``, (K, T) each, one time step at once."""
    K, T = errors.shape[:2]
    size, share = np.zeros((K, T)), np.zeros((K, T))
    for t in range(T):
        items = before[t].T @ errors[:, t]  # (K, H, H)
        size[:, t] = np.linalg.norm(items, axis=(1, 2))
        share[:, t] = np.einsum("kij,ij->k", items, total)
    square = np.sum(total * total)
    return size, share / square if square > 0 else share
