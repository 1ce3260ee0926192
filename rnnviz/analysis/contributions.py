"""Contributions to the gradient of W_hh, by output k and by step t at which W_hh is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradient_flow import Probe, errors_back_in_time, probe
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices, scaled_norms
from rnnviz.model.batch import Batch
from rnnviz.model.network import Network, Params, readout_errors


@dataclass(frozen=True, eq=False)
class Contributions:
    """The gradient of the top layer's W_hh, term by term: dW_hh = sum_k sum_{t<=k} C_{k,t}.

    outputs : (K,), the steps k (1-based) that write.
    size : (K, T), ||C_{k,t}||_F, zero where t > k.
    share : (K, T), <C_{k,t}, dW_hh> / ||dW_hh||_F^2; signed, they sum to 1 (all zero if dW_hh is).
    total : (H, G H), the sum of all C_{k,t}, which is dW_hh; for a cell with G gates, side by side.
    """

    outputs: Indices
    size: Array
    share: Array
    total: Array

    @property
    def share_by_lag(self) -> Array:
        """The signed shares summed over all outputs by lag k - t, (longest lag + 1,); they sum to 1."""
        lags = self.outputs[:, None] - np.arange(1, self.share.shape[1] + 1)
        return np.array([self.share[lags == lag].sum() for lag in range(int(self.outputs[-1]))])


def gradient_contributions(
    subject: Experiment | Network | Probe, params: Params | None = None, batch: Batch | None = None
) -> Contributions:
    """Return every output's contributions to the gradient of the top layer's W_hh.

    C_{k,t} = h_{t-1}^T (eps_{k,t} * phi'(a_t)), with eps_{k,t} = dL_k/dh_t (Pascanu et al. 2013, eq. 4); in
    other cells h_{t-1}^T times dL_k/d(h_{t-1} W_hh). Where an experiment truncates its gradient, what was cut
    off is zero. subject, params, batch : see ``gradient_flow.probe``.

    Raises
    ------
    ValueError
        If the cell is recurrent, but does not multiply its state by W_hh.
    """
    seen = probe(subject, params, batch)
    if seen.network.cell.recurrent and not seen.network.cell.matrices:
        raise ValueError(
            f"gradient_contributions needs a cell that multiplies its state by W_hh; "
            f"got {seen.network.cell.title}."
        )
    before = seen.traces[-1].hidden[:-1]
    K, T = len(seen.batch.write_steps), len(before)
    size, share = np.zeros((K, T)), np.zeros((K, T))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        total = _whole(seen)
        norm = float(scaled_norms(total.ravel()))
        direction = total / norm if norm > 0 else total
        for t, first, _, back in errors_back_in_time(seen, layer=-1):
            if back.into_recurrent is None:
                continue
            terms = before[t].T @ back.into_recurrent  # (k, H, G H)
            size[first:, t] = np.linalg.norm(terms, axis=(1, 2))
            along = np.einsum("kij,ij->k", terms, direction)
            share[first:, t] = along / norm if norm > 0 else along
    return Contributions(seen.batch.write_steps + 1, size, share, total)


def _whole(seen: Probe) -> Array:
    """Return dL/dW_hh of the top layer, (H, G H); zeros if the cell has none."""
    errors = readout_errors(seen.params, seen.batch, seen.dL_dy)
    gradient = seen.network.backward(seen.params, seen.traces, errors, cuts=seen.cuts)[-1].weights
    return gradient.W_hh if seen.network.cell.matrices else np.zeros((seen.network.hidden_size,) * 2)
