"""``rnnviz flow``: how much of the error reaches each step."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pandas as pd

from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.command_line import results
from rnnviz.command_line.settings import ExperimentCommand, as_told, in_a_line
from rnnviz.experiment import Experiment
from rnnviz.model.network import cut_rows, farthest_row


def table(flow: GradientFlow) -> pd.DataFrame:
    """Return ||dL/dh_t|| over time: one row per step, of the last output's loss and of the whole loss."""
    steps = np.arange(1, len(flow.total) + 1)
    return pd.DataFrame({"t": steps, "last_output": flow.per_output[-1], "whole_loss": flow.total})


def in_words(e: Experiment, flow: GradientFlow, when: str) -> str:
    """Return the gradient as lines of text; the whole loss only where several steps write."""
    several = len(flow.outputs) > 1
    rows = [f"{'t':>4}  {'||dL/dh_t||':>12}" + f"  {'whole loss':>12}" * several]
    for t, (alone, whole) in enumerate(zip(flow.per_output[-1], flow.total, strict=True), start=1):
        rows.append(f"{t:4}  {alone:12.3e}" + f"  {whole:12.3e}" * several)
    told = f"{flow.verdict.capitalize()}: {_change(e, flow)}."
    return "\n".join([f"{in_a_line(e)}; {when}", told, *rows])


def _change(e: Experiment, flow: GradientFlow) -> str:
    """Return what becomes of the last output's gradient on its way back, as far as it is not cut."""
    last = int(flow.outputs[-1])
    first = farthest_row(last - 1, cut_rows(e.seq_len, e.truncate)) + 1
    if first == last:
        return f"the gradient reaches step {last} alone"
    for step in (last, first):
        if flow.per_output[-1, step - 1] == 0:
            return f"0 at step {step}"
    if not np.isfinite(flow.decades):
        return f"overflowed between step {last} and step {first}"
    size = f"{abs(flow.decades):.1f}"
    change = "smaller" if flow.decades < 0 else "larger"
    return f"{size} powers of ten {change} at step {first} than at step {last}"


@click.command(cls=ExperimentCommand, short_help="Print the gradient at each step.")
@results.updates(0, 0)
@results.as_json
@results.out(results.TABLES, "Write the curve as .csv or .json.")
def flow(e: Experiment, updates: int, as_json: bool, out: Path | None) -> int:
    """Print the gradient ||dL/dh_t|| at each step, before or after training.

    Where several steps write, the first column is of the last output's loss alone.
    """
    state, interrupted = results.trained(e, updates)
    measured = gradient_flow(e, state.params)
    curve = table(measured)
    if as_json:
        results.write_json(
            {
                "experiment": as_told(e),
                "updates": state.step,
                "verdict": measured.verdict,
                "decades": measured.decades,
                **{str(name): column.to_numpy() for name, column in curve.items()},
                "interrupted": interrupted,
            }
        )
    else:
        click.echo(in_words(e, measured, f"updates: {results.count(state.step, updates)}"))
    results.save(curve, out)
    if state.divergence:
        click.echo(str(state.divergence), err=True)
    return results.exit_code(state, interrupted)
