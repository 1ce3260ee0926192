"""Instruments that take seconds: they run in the worker pool, show what there is, and can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.arrays import Array
from rnnviz.bench import Bench
from rnnviz.executor import local_pool
from rnnviz.experiment import Experiment
from rnnviz.figures.curves import seeds_spec
from rnnviz.figures.phase import phase_spec
from rnnviz.gradient_flow import gradient_flow
from rnnviz.mean_field import critical_gain
from rnnviz.sweeps import SeedBand, Sweep, phase_parts, phase_row, seed_parts
from rnnviz.ui.instruments.reading import FIGURE_HEIGHT, Reading, present
from rnnviz.ui.style import theme
from rnnviz.ui.visit import Visit

TICK_SECONDS = 0.25
KEPT_SWEEPS = 8
SEEDS, PHASE_SEEDS, GRID = 20, 5, 24
GAINS = np.linspace(0.1, 3.0, GRID).round(3)
LENGTHS = np.linspace(4, 100, GRID).round()
STRENGTHS = np.linspace(0.0, 2.0, GRID).round(3)
BAR_HEIGHT = 72
"""Pixels of the progress bar and of the switch above a phase diagram, taken from its height."""


def _sweep(
    visit: Visit, key: Hashable, function: Callable[[Any], Any], parts: Callable[[], Sequence[Any]]
) -> Sweep:
    """Return the sweep of this key: the one that runs or was kept, or a new one; older work gives way."""
    if key not in visit.sweeps:
        for other in visit.sweeps.values():
            other.cancel()
        kept = [(k, s) for k, s in visit.sweeps.items() if not s.cancelled]
        visit.sweeps = dict(kept[1 - KEPT_SWEEPS :])
        visit.sweeps[key] = Sweep(function, parts(), local_pool())
    return visit.sweeps[key]


def _follow(
    visit: Visit, key: Hashable, sweep: Sweep, name: str, read: Callable[[list[Any]], Reading | str]
) -> None:
    """Show a sweep's results as they come, with its progress and a way to stop it."""
    running = sweep.running

    @st.fragment(run_every=TICK_SECONDS if running else None, key=f"sweep_{name}")
    def part() -> None:
        if visit.sweeps.get(key) is not sweep:  # "Start again": the page begins a new one
            st.rerun()
        _progress(visit, key, sweep)
        present(read(sweep.results), name, FIGURE_HEIGHT - BAR_HEIGHT)
        if running and not sweep.running:
            st.rerun()

    part()


def _progress(visit: Visit, key: Hashable, sweep: Sweep) -> None:
    """Show how far a sweep is, and the button that stops it or begins again."""
    with st.container(height=40, border=False, key="sweep_progress"):
        if not sweep.running and not sweep.cancelled:
            st.caption(f"All {len(sweep.parts)} parts measured.")
            return
        bar, button = st.columns([0.87, 0.13], vertical_alignment="center")
        done = f"{sweep.progress:.0%} of {len(sweep.parts)} parts"
        bar.progress(sweep.progress, f"Cancelled at {done}" if sweep.cancelled else f"Measuring: {done}")
        if sweep.cancelled:
            button.button("Start again", on_click=visit.forget_sweep, args=(key,), key="again")
        else:
            button.button("Cancel", on_click=sweep.cancel, key="cancel")


def seeds(visit: Visit) -> None:
    """Median and band over twenty seeds at initialisation, and the verdict as a share of them."""
    e = replace(visit.experiment, learning_rate=1e-3, clip_norm=None)  # neither matters before training
    key = ("seeds", e)
    sweep = _sweep(visit, key, gradient_flow, lambda: seed_parts(e, SEEDS))

    def read(flows: list[Any]) -> Reading | str:
        there = [flow for flow in flows if flow is not None]
        return _seed_reading(e, SeedBand.of(there)) if there else "Measuring the first seeds."

    _follow(visit, key, sweep, "seeds", read)


def _seed_reading(e: Experiment, band: SeedBand) -> Reading:
    shares = {verdict: band.share(verdict) for verdict in ("vanishing", "healthy", "exploding")}
    words = ", ".join(f"**{share:.0%} {verdict}**" for verdict, share in shares.items() if share)
    low, median, high = (float(np.quantile(band.decades, q, method="nearest")) for q in (0.0, 0.5, 1.0))
    how = (
        f"Of {len(band.verdicts)} seeds: {words}. The line is the median, the darker band the middle half, "
        "the paler one all seeds. Where the band is wide, a single run proves nothing; orthogonal matrices "
        "and wide networks make it narrow."
    )
    formula = (
        r"\begin{aligned} \log_{10}\frac{\|\varepsilon_{1}\|}{\|\varepsilon_{k}\|}:\quad"
        rf"&\text{{median }}{_decades(median)} \\ &\text{{from }}{_decades(low)}\text{{ to }}{_decades(high)}"
        r"\end{aligned}"
    )
    table = pd.DataFrame(band.curves.T, columns=[f"seed_{k}" for k in range(len(band.curves))])
    table.insert(0, "t", np.arange(1, e.seq_len + 1))
    label = f"Gradient over {len(band.verdicts)} seeds: median {median:.1f} decades, {low:.1f} to {high:.1f}"
    return Reading(seeds_spec(band, gradient_flow(e).itemised[-1], theme()), label, how, formula, table)


def _decades(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else (r"-\infty" if value < 0 else r"\infty")


def phase(visit: Visit) -> None:
    """Decades over gain and sequence length, or gain and input strength, with the theory's border."""
    e = visit.experiment
    names = {"input_std": "gain × input strength", "seq_len": "gain × T"}
    across = st.segmented_control(
        "Across",
        list(names),
        format_func=names.__getitem__,
        default="input_std",
        required=True,
        key="across",
        label_visibility="collapsed",
    )
    across = across or "input_std"
    values = LENGTHS if across == "seq_len" else STRENGTHS
    base = Bench(activation=e.activation, hidden_size=e.hidden_size)
    key = ("phase", across, base)
    sweep = _sweep(visit, key, phase_row, lambda: phase_parts(base, GAINS, across, values, PHASE_SEEDS))

    def read(rows: list[Any]) -> Reading:
        decades = np.array([np.full(len(values), np.nan) if row is None else row for row in rows])
        return _phase_reading(base, decades, across, values)

    _follow(visit, key, sweep, "phase", read)


def _phase_reading(base: Bench, decades: Array, across: str, values: Array) -> Reading:
    silence = across == "seq_len"
    critical = np.array([critical_gain(0.0 if silence else s, base.activation) for s in values])
    inputs = "silence" if silence else f"random inputs, T = {base.seq_len}"
    how = (
        f"One layer on the bench: H = {base.hidden_size}, {base.activation}, Gaussian W_hh, first a push, "
        f"then {inputs}: median of {PHASE_SEEDS} seeds. Blue loses gradient, orange gains it. "
        "The dashed border assumes infinite width and fresh weights at every step. Ours is finite with one "
        "W_hh for all steps: in silence, and in linear layers, that moves the border."
    )
    ends = rf"{critical[0]:.3f}" + ("" if silence else rf"\ \text{{to}}\ {critical[-1]:.3f}")
    formula = rf"\chi = g^2\,\mathbb E\,\varphi'(\sqrt{{q^*}}z)^2 = 1 \ \text{{ at }}\ g_c = {ends}"
    grid, other = np.meshgrid(GAINS, values, indexing="ij")
    table = pd.DataFrame({"gain": grid.ravel(), across: other.ravel(), "decades": decades.ravel()})
    what = "sequence length" if silence else "input strength"
    label = f"Decades that the gradient loses or gains before training, over gain and {what}"
    return Reading(phase_spec(decades, GAINS, values, across, critical, theme()), label, how, formula, table)
