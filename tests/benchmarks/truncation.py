"""What is learned with truncated BPTT, over 20 seeds: `python -m tests.benchmarks.truncation`.

Recall over 20 steps: the symbol stands at step 1, and the only error enters at step 20. The README says what
was found.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnnviz import Experiment
from rnnviz.analysis.shares import Share
from rnnviz.analysis.sweeps import SeedRun, seed_run
from rnnviz.training.executor import sweep_pool
from rnnviz.training.sweep import Sweep

FIRST_SEED, SEEDS, UPDATES = 1000, 20, 300
"""Seeds for which no experiment was chosen."""

BLOCKS = (None, 20, 10, 5)

GRU, VANILLA = Experiment(cell="gru"), Experiment()

SOLVED = {
    ("gru", None): Share(20, SEEDS),
    ("gru", 20): Share(20, SEEDS),
    ("gru", 10): Share(0, SEEDS),
    ("gru", 5): Share(0, SEEDS),
    ("vanilla", None): Share(20, SEEDS),
    ("vanilla", 20): Share(20, SEEDS),
    ("vanilla", 10): Share(20, SEEDS),
    ("vanilla", 5): Share(20, SEEDS),
}
"""What was found, by cell and truncation."""


def parts(e: Experiment, truncate: int | None, seeds: Iterable[int]) -> list[tuple[Experiment, int]]:
    """Return the runs of an experiment with this truncation."""
    return [(e.replace(truncate=truncate, seed=seed), UPDATES) for seed in seeds]


def main() -> None:
    """Train with every seed and print how many solved the task, and the accuracy at the end."""
    for e in (GRU, VANILLA):
        for truncate in BLOCKS:
            work = parts(e, truncate, range(FIRST_SEED, FIRST_SEED + SEEDS))
            runs: list[SeedRun] = list(Sweep(seed_run, work, sweep_pool()).wait())
            solved = [run.solved_at for run in runs if run.solved_at is not None]
            after = f", after {np.median(solved):.0f} updates" if solved else ""
            low, middle, high = np.quantile([run.metric[-1] for run in runs], (0.0, 0.5, 1.0))
            print(
                f"{e.cell:8} cut every {truncate or '-':>2}: solved {Share(len(solved), SEEDS)}{after}; "
                f"at the end {middle:.0%} ({low:.0%} to {high:.0%})",
                flush=True,
            )


if __name__ == "__main__":
    main()
