"""``rnnviz sweep``: in how many of several seeds the task is solved."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import click
import pandas as pd

from rnnviz.analysis.shares import Share
from rnnviz.analysis.sweeps import SeedRun, TrainingShares, seed_parts, seed_run
from rnnviz.command_line import results
from rnnviz.command_line.settings import ExperimentCommand, as_told, in_a_line
from rnnviz.experiment import Experiment
from rnnviz.training.executor import new_sweep_pool
from rnnviz.training.sweep import Sweep

OUTCOMES = {"solved": "Solved", "solved_at_end": "Solved at the end", "diverged": "Diverged"}

MOST_SEEDS = 10_000


def measure(parts: list[tuple[Experiment, int]]) -> tuple[list[SeedRun | None], bool]:
    """Train all parts on all cores; return what there is of each, and whether Ctrl-C ended it early.

    Raises
    ------
    click.ClickException
        If a part failed.
    """
    pool, news = new_sweep_pool(patient=True), threading.Event()
    sweep = None
    try:
        with results.progress(len(parts), "Training") as bar:
            sweep = Sweep(seed_run, parts, pool, changed=news.set)
            while sweep.running:
                news.wait(timeout=1.0)
                news.clear()
                bar.update(sweep.done - bar.pos)
            bar.update(sweep.done - bar.pos)
    except KeyboardInterrupt:
        return [None] * len(parts) if sweep is None else list(sweep.results), True
    finally:
        if sweep is not None:
            sweep.cancel()
        pool.close()
    if sweep.problem is not None:
        raise click.ClickException(f"the training failed: {sweep.problem}")
    return list(sweep.results), False


def table(parts: list[tuple[Experiment, int]], runs: list[SeedRun | None]) -> pd.DataFrame:
    """Return a row for each seed that is done."""
    done = [(e.seed, run) for (e, _), run in zip(parts, runs, strict=True) if run is not None]
    return pd.DataFrame(
        {
            "seed": [seed for seed, _ in done],
            "updates": [int(run.steps[-1]) for _, run in done],
            "metric": [float(run.metric[-1]) for _, run in done],
            "solved_at": pd.array([run.solved_at for _, run in done], dtype="Int64"),
            "solved_at_end": [run.solved_at_end for _, run in done],
            "diverged": [run.diverged for _, run in done],
        }
    )


def _told(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {"count": share.count, "share": share.value, "low": low, "high": high}


@click.command(cls=ExperimentCommand, short_help="Train with several seeds; print the share that succeeds.")
@click.option(
    "--seeds", type=click.IntRange(1, MOST_SEEDS), default=20, show_default=True, help="Seeds to train."
)
@results.updates(1, 300)
@results.as_json
@results.out(results.TABLES, "Write a row for each seed as .csv or .json.")
def sweep(e: Experiment, seeds: int, updates: int, as_json: bool, out: Path | None) -> int:
    """Train with several seeds on all cores and print the share that solves the task.

    The seeds follow each other from --seed on; the interval is Wilson's, of 95%. Ctrl-C ends the sweep early
    and keeps the seeds that are done.
    """
    parts = [(part, updates) for part in seed_parts(e, seeds)]
    runs, interrupted = measure(parts)
    done = [run for run in runs if run is not None]
    shares = TrainingShares.of(done) if done else None
    if as_json:
        told = {name: shares and _told(getattr(shares, name)) for name in OUTCOMES}
        counts = {"updates": updates, "seeds": len(done), "seeds_asked": seeds, "partial": interrupted}
        results.write_json({"experiment": as_told(e), **counts, **told})
    else:
        lines = [f"{title:17}  {getattr(shares, name)}" for name, title in OUTCOMES.items() if shares]
        partial = [f"Partial result: {len(done)} of {seeds} seeds."] if interrupted else []
        click.echo("\n".join([f"{in_a_line(e)} and on, {updates:,} updates", *lines, *partial]))
    results.save(table(parts, runs), out)
    return results.INTERRUPTED if interrupted else results.DONE
