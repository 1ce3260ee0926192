"""Instruments that take seconds: they run in the worker pool with partial results, and can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.analysis.bench import Bench
from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.analysis.mean_field import critical_gain
from rnnviz.analysis.sweeps import (
    SeedBand,
    SeedRun,
    TrainingShares,
    phase_parts,
    phase_row,
    seed_parts,
    seed_run,
)
from rnnviz.experiment import Experiment
from rnnviz.figures.curves import seeds_spec
from rnnviz.figures.phase import inside, phase_spec
from rnnviz.figures.seed_runs import seed_runs_spec
from rnnviz.model.arrays import Array
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import number, plain
from rnnviz.training.sweep import Sweep
from rnnviz.ui.channel import follow
from rnnviz.ui.instruments.reading import Reading, present, uncut
from rnnviz.ui.notes import note
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme
from rnnviz.ui.widgets import one_of

SEEDS_HEIGHT, BORDER_HEIGHT = 394, 348
CHOICE_HEIGHT = 46
"""Pixels of the choice above the figure of the seeds."""

UPDATES = 300
"""Updates of each seed, unless a scenario says how many it needs."""

ONE_STEP = "A single step: with every seed the whole error arrives. Choose a type with many steps."
SEEDS, PHASE_SEEDS, GRID = 20, 5, 24
NO_VERDICT_YET = f"No verdict before all {SEEDS} seeds are measured."
GAINS = np.linspace(0.1, 3.0, GRID).round(3)
LENGTHS = np.linspace(4, 100, GRID).round()
STRENGTHS = np.linspace(0.0, 2.0, GRID).round(3)
BAR_HEIGHT = 36
"""Pixels of the progress bar, and of the line that replaces it when the sweep is done."""


@dataclass(frozen=True)
class Measurement:
    """A measurement that takes seconds.

    name : of the instrument. key : what is measured. function, parts : see ``Sweep``. noun : for the parts.
    read : returns the reading of the results so far. height : pixels of the figure.
    """

    name: str
    key: Hashable
    function: Callable[[Any], Any]
    parts: Callable[[], Sequence[Any]]
    read: Callable[[list[Any]], Reading | str]
    height: int
    noun: str = "seeds"


def show_measurement(session: Session, what: Measurement) -> None:
    """Show results as they arrive, with the progress and a cancel button."""

    @st.fragment(key=f"sweep_{what.name}")
    def part() -> None:
        sweep = session.sweeps.open(what.key, what.function, what.parts)
        version = sweep.version
        _progress(session, what, sweep)
        present(what.read(sweep.results), what.name, what.height)
        follow(session.screen, what.name, sweep, version)

    part()


def _progress(session: Session, what: Measurement, sweep: Sweep) -> None:
    """Show a sweep's progress and the button to cancel or restart it."""
    with st.container(height=BAR_HEIGHT, border=False, key="sweep_progress"):
        if not sweep.running and not sweep.cancelled:
            st.caption(f"All {len(sweep.parts)} {what.noun} measured.")
            return
        bar, button = st.columns([0.87, 0.13], vertical_alignment="center")
        done = f"{sweep.done} of {len(sweep.parts)} {what.noun}"
        if sweep.problem:
            bar.progress(sweep.progress, f"Stopped at {done}: {sweep.problem}")
        else:
            bar.progress(sweep.progress, f"Cancelled at {done}" if sweep.cancelled else f"Measuring: {done}")
        if sweep.cancelled:
            button.button("Start again", on_click=session.sweeps.forget, args=(what.key,), key="again")
        else:
            button.button("Cancel", on_click=sweep.cancel, key="cancel")


def trains_seeds() -> bool:
    """Return whether the visitor has chosen to train the seeds."""
    return st.session_state.get("seeds_of") == "training"


def seeds(session: Session) -> None:
    """Show twenty seeds: the gradient before training, or what becomes of training."""
    views = {"start": "Gradient before training", "training": "Success of training"}
    shown = one_of("Of each seed", views, views.__getitem__, key="seeds_of")
    if shown == "training":
        _training_of_seeds(session)
    else:
        _gradient_of_seeds(session)


def _training_of_seeds(session: Session) -> None:
    """Train twenty seeds and show their metrics and the shares that succeeded."""
    e = session.experiment
    updates = session.preset.steps if session.preset else UPDATES

    def parts() -> list[tuple[Experiment, int]]:
        return [(part, updates) for part in seed_parts(e, SEEDS)]

    def read(runs: list[Any]) -> Reading | str:
        done = [run for run in runs if run is not None]
        if not done:
            return f"Training {SEEDS} seeds for {updates:,} updates each …"
        return _training_reading(e, done, updates)

    key = ("training of seeds", e, updates)
    show_measurement(
        session, Measurement("seed_runs", key, seed_run, parts, read, SEEDS_HEIGHT - CHOICE_HEIGHT)
    )


def _training_reading(e: Experiment, runs: list[SeedRun], updates: int) -> Reading:
    shares, task = TrainingShares.of(runs), TASKS[e.task]
    told = [f"**Solved at least once: {shares.solved}.** Still solved at the end: {shares.solved_at_end}."]
    if shares.diverged.count:
        told.append(f"Diverged: {shares.diverged}.")
    told.append("The interval shows where the share over all possible seeds plausibly lies.")
    complete = len(runs) == SEEDS
    counted = " ".join(told) if complete else NO_VERDICT_YET
    how = f"{counted} Each line is one seed over {updates:,} updates."
    low, high = shares.solved.interval
    formula = rf"\hat p = \tfrac{{{shares.solved.count if complete else '?'}}}{{{SEEDS}}}"
    if complete:
        formula += rf",\quad p \in [{low:.2f},\ {high:.2f}]\ \text{{(Wilson, 95\%)}}"
    table = pd.concat(
        [pd.DataFrame({"run": n, "step": run.steps, "metric": run.metric}) for n, run in enumerate(runs)]
    )
    label = f"{task.metric.title} of {len(runs)} seeds over {updates:,} updates"
    label += f"; solved: {shares.solved}" if complete else ""
    return Reading(seed_runs_spec(e, runs, updates, theme()), label, how, formula, table)


def _gradient_of_seeds(session: Session) -> None:
    """Show the gradient's median and band over twenty seeds at initialisation, and the verdicts."""
    # none of these matters before training
    e = replace(session.experiment, learning_rate=1e-3, clip_norm=None, truncate=None)
    if e.seq_len == 1:
        note(ONE_STEP)
        return

    def read(flows: list[Any]) -> Reading:
        own = flows[0] or gradient_flow(e)  # so that there is a picture from the beginning
        others = [flow for flow in flows[1:] if flow is not None]
        reading = _seed_reading(own, SeedBand.of([own, *others]))
        return replace(reading, how=f"{reading.how} {uncut(session.experiment)}")

    parts = partial(seed_parts, e, SEEDS)
    height = SEEDS_HEIGHT - CHOICE_HEIGHT
    show_measurement(session, Measurement("seeds", ("seeds", e), gradient_flow, parts, read, height))


def _seed_reading(own: GradientFlow, band: SeedBand) -> Reading:
    shares = {verdict: band.share(verdict) for verdict in ("vanishing", "healthy", "exploding")}
    words = ", ".join(f"**{share:.0%} {verdict}**" for verdict, share in shares.items() if share)
    low, median, high = (float(np.quantile(band.decades, q, method="nearest")) for q in (0.0, 0.5, 1.0))
    count = len(band.verdicts)
    found = f"Of {count} seeds: {words}." if count == SEEDS else NO_VERDICT_YET
    how = (
        f"{found} The line is the median, the darker band "
        "the middle half, the paler one all seeds. Where the band is wide, a single run proves nothing; "
        "orthogonal matrices and wide networks make it narrow."
    )
    middle, least, most = (_decades(value) for value in (median, low, high))
    formula = (
        r"\begin{aligned} \log_{10}\frac{\|\varepsilon_{1}\|}{\|\varepsilon_{k}\|}:\quad"
        rf"&\text{{median }} {_in_tex(middle)} \\ "
        rf"&\text{{from }} {_in_tex(least)} \text{{ to }} {_in_tex(most)} \end{{aligned}}"
    )
    table = pd.DataFrame(band.curves.T, columns=[f"seed_{k}" for k in range(len(band.curves))])
    table.insert(0, "t", np.arange(1, band.curves.shape[1] + 1))
    label = f"Gradient over {count} seeds: median {middle} powers of ten, {least} to {most}"
    letters = "ε_t: the part of ∂L/∂h_t that comes from the last output, at step 1 and at its own step k"
    return Reading(seeds_spec(band, own.per_output[-1], theme()), label, how, formula, table, letters)


def _decades(value: float) -> str:
    return (f"{value:.2f}" if np.isfinite(value) else plain(value)).replace("-", "−")


def _in_tex(text: str) -> str:
    return f"{{{text}}}".replace("−", "-").replace("∞", r"\infty")


def border(session: Session) -> None:
    """Show decades over gain and sequence length, or gain and input strength, with the theory's border."""
    e = session.experiment
    names = {"input_std": "gain × input strength", "seq_len": "gain × T"}
    across = one_of("Across", names, names.__getitem__, key="across")
    values = LENGTHS if across == "seq_len" else STRENGTHS
    base = Bench(activation=e.activation, hidden_size=e.hidden_size)

    def read(rows: list[Any]) -> Reading:
        decades = np.array([np.full(len(values), np.nan) if row is None else row for row in rows])
        return _border_reading(base, decades, across, values)

    key, parts = ("border", across, base), partial(phase_parts, base, GAINS, across, values, PHASE_SEEDS)
    show_measurement(session, Measurement("border", key, phase_row, parts, read, BORDER_HEIGHT, "gains"))


_BORDER = (
    "The dashed border assumes infinite width and fresh weights at every step. This network is finite, "
    "with one W_hh for all steps: without input, or if linear, its border lies elsewhere."
)


def _beyond(critical: Array) -> str:
    """Return a note that the theory's border is outside the drawn gains."""
    ends = dict.fromkeys(plain(gain) for gain in (critical.min(), critical.max()))
    return f"The theory's border, at g = {' to '.join(ends)}, lies outside this picture."


def _border_reading(base: Bench, decades: Array, across: str, values: Array) -> Reading:
    silence = across == "seq_len"
    critical = np.array([critical_gain(0.0 if silence else s, base.activation) for s in values])
    inputs = "no input" if silence else f"random inputs, T\xa0=\xa0{base.seq_len}"
    how = (
        f"H = {base.hidden_size}, {base.activation}, Gaussian W_hh, a random first input, then {inputs}; "
        f"median of {PHASE_SEEDS} seeds. Blue loses gradient, orange gains it. "
    ) + (_BORDER if inside(critical, GAINS).any() else _beyond(critical))
    ends = number(critical[0], 4) + ("" if silence else rf"\ \text{{to}}\ {number(critical[-1], 4)}")
    formula = rf"\chi = g^2\,\mathbb E\,\varphi'(\sqrt{{q^*}}z)^2 = 1 \ \text{{ at }}\ g_c = {ends}"
    grid, other = np.meshgrid(GAINS, values, indexing="ij")
    table = pd.DataFrame({"gain": grid.ravel(), across: other.ravel(), "decades": decades.ravel()})
    what = "sequence length" if silence else "input strength"
    label = f"Powers of ten that the gradient loses or gains before training, over gain and {what}"
    return Reading(phase_spec(decades, GAINS, values, across, critical, theme()), label, how, formula, table)
