"""How many seeds learn what the tour shows: `python -m tests.benchmarks.tour [name ...]`.

Prints the counts that rnnviz/teaching/tour.py records, each with its interval.
"""

from __future__ import annotations

import sys

from rnnviz import Experiment, train
from rnnviz.analysis.shares import Share
from rnnviz.teaching.tour import FIRST_SEED, RECORDS, Record
from rnnviz.training.executor import sweep_pool
from rnnviz.training.sweep import Sweep


def learned(part: tuple[Experiment, int]) -> bool:
    """Train one seed; whether it reached the goal."""
    return train(*part).state.solved_at is not None


def measured(record: Record) -> Share:
    """Train all recorded seeds again."""
    seeds = range(FIRST_SEED, FIRST_SEED + record.learned.seeds)
    parts = [(record.experiment.replace(seed=seed), record.updates) for seed in seeds]
    return Share(sum(Sweep(learned, parts, sweep_pool()).wait()), len(parts))


def main(names: list[str]) -> None:
    if unknown := set(names) - set(RECORDS):
        raise SystemExit(f"Unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(RECORDS)}.")
    for name in names or RECORDS:
        print(f"{name:14} {measured(RECORDS[name])}; recorded: {RECORDS[name].learned}")


if __name__ == "__main__":
    main(sys.argv[1:])
