"""What the figures show of a network at one training step: probe sequences, states and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradient_flow import decades_between, probe, verdict
from rnnviz.analysis.spectrum import spectrum
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices
from rnnviz.model.cells import Cell, State, Trace
from rnnviz.model.network import Params
from rnnviz.training.updates import gradient_curve


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Measurements of a network between two updates; T steps, H units, O outputs, N probe sequences.

    step : updates made so far.
    hidden : one (T, H) per layer, the states h_1..h_T of the first probe sequence.
    others : for each layer, what else its units hold over that sequence, (T, H) by name: further states
        ("c"; of complex ones the modulus, "|s|") and gates.
    total : one (T,) per layer, ||dL/dh_t|| of the whole loss, mean over the probe sequences; of cells
        whose state has more arrays (h, c), of all together.
    last : one (T,) per layer, the same for the loss of the last output alone; equal to ``total`` where
        only one step writes.
    last_parts : for each layer of cells whose state has several parts, ``last`` of each part alone by symbol.
    inputs : (T, N, I); targets : (T, N) or (T, N, O); outputs : (T, N, O), free-running under feedback.
    decades, verdict : of the last output's gradient in each layer (see GradientFlow).
    spectral_radius, sigma_max : of the recurrent matrix in each layer; NaN if the cell has no single one, or
        if its weights overflowed.
    parameters : number of trainable weights.
    """

    step: int
    hidden: tuple[Array, ...]
    total: tuple[Array, ...]
    last: tuple[Array, ...]
    inputs: Array
    targets: Array | Indices
    outputs: Array
    decades: tuple[float, ...]
    verdict: tuple[str, ...]
    spectral_radius: tuple[float, ...]
    sigma_max: tuple[float, ...]
    parameters: int
    others: tuple[dict[str, Array], ...] = ()
    last_parts: tuple[dict[str, Array], ...] = ()


def take_snapshot(e: Experiment, params: Params, step: int) -> Snapshot:
    """Measure a network on the experiment's probe sequences; gradients are cut where it truncates them."""
    seen = probe(e, params)
    cell, batch, outputs = seen.network.cell, seen.batch, seen.outputs
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        of_total = of_last = seen.state_errors(seen.dL_dy)
        total = last = _curves(of_total)
        if len(batch.write_steps) > 1:
            of_last = seen.state_errors(seen.last_alone)
            last = _curves(of_last)
        if e.feedback:
            outputs = e.answers(seen.network, params, batch)
    decades = tuple(
        decades_between(curve[seen.first_reached], curve[batch.write_steps[-1]]) for curve in last
    )
    matrices = [cell.recurrent_matrix(layer) for layer in params.layers]
    radii, sigmas = zip(*map(_rho_and_sigma_max, matrices), strict=True)
    return Snapshot(
        step=step,
        hidden=tuple(trace.hidden[1:, 0].copy() for trace in seen.traces),
        total=total,
        last=last,
        inputs=batch.inputs,
        targets=batch.targets,
        outputs=outputs,
        decades=decades,
        verdict=tuple(verdict(d) for d in decades),
        spectral_radius=radii,
        sigma_max=sigmas,
        parameters=params.count,
        others=tuple(_others(cell, trace) for trace in seen.traces),
        last_parts=tuple(_parts(cell, errors) for errors in of_last),
    )


def _curves(errors: Sequence[State]) -> tuple[Array, ...]:
    return tuple(gradient_curve(*states) for states in errors)


def _parts(cell: Cell, errors: State) -> dict[str, Array]:
    """Return the gradient's size over time for each part of the state; empty if there is only one."""
    if len(cell.parts) == 1:
        return {}
    return {name: gradient_curve(*(errors[i] for i in part)) for name, part in cell.parts.items()}


def _others(cell: Cell, trace: Trace) -> dict[str, Array]:
    """Return what the units hold besides h over the first sequence."""
    found = {}
    for name, part in list(cell.parts.items())[1:]:
        values = [trace.states[i][1:, 0] for i in part]
        found[name if len(part) == 1 else f"|{name}|"] = (
            values[0].copy() if len(part) == 1 else np.sqrt(sum(v * v for v in values))
        )
    return found | {f"{name} gate": gate[:, 0].copy() for name, gate in cell.gates(trace).items()}


def _rho_and_sigma_max(W_hh: Array | None) -> tuple[float, float]:
    """Return the spectral radius and the largest singular value, NaN where there are none."""
    if W_hh is None or not np.isfinite(W_hh).all():
        return np.nan, np.nan
    found = spectrum(W_hh)
    return found.rho, found.sigma_max
