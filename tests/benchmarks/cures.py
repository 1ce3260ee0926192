"""What helps against which problem, over 20 seeds: `python -m tests.benchmarks.cures [problem ...]`.

Trains each problem with each cure and writes rnnviz/teaching/cures.json, with the seeds and the versions.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from rnnviz import Experiment, gradient_flow
from rnnviz.analysis.sweeps import SeedRun, seed_run
from rnnviz.teaching.cures import CURES, FILE, FIRST_SEED, PROBLEMS, SEEDS, settings_of, treated
from rnnviz.training.executor import sweep_pool
from rnnviz.training.sweep import Sweep


def measure(part: tuple[Experiment, int]) -> tuple[SeedRun, float]:
    """Train one seed; return what became of it, and the decades that its gradient lost before."""
    return seed_run(part), gradient_flow(part[0]).decades


def record(e: Experiment, seen: list[tuple[SeedRun, float]]) -> dict[str, Any]:
    """Return the outcomes of one cell of the table as they are stored."""
    runs, decades = [run for run, _ in seen], [size for _, size in seen]
    solved = [run.solved_at for run in runs if run.solved_at is not None]
    return {
        "settings": settings_of(e),
        "seeds": len(runs),
        "solved": len(solved),
        "solved_at_end": sum(run.solved_at_end for run in runs),
        "diverged": sum(run.diverged for run in runs),
        "solved_after": statistics.median_low(solved) if solved else None,
        "decades": round(float(np.median(np.nan_to_num(decades, nan=400.0, posinf=400.0, neginf=-400.0))), 2),
    }


def main(names: list[str]) -> None:
    """Measure, write the file after each cell, and print a table."""
    if unknown := set(names) - set(PROBLEMS):
        raise SystemExit(f"Unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(PROBLEMS)}.")
    told = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {"cells": {}}
    told |= {"first_seed": FIRST_SEED, "python": platform.python_version(), "numpy": np.__version__}
    for name, problem in PROBLEMS.items():
        if names and name not in names:
            continue
        row = told["cells"].setdefault(name, {})
        for cure in CURES:
            e = treated(problem, cure)
            if (kept := row.get(cure)) and kept["settings"] == settings_of(e) and not names:
                continue
            parts = [(replace(e, seed=FIRST_SEED + k), problem.updates) for k in range(SEEDS)]
            row[cure] = record(e, Sweep(measure, parts, sweep_pool()).wait())
            told["cells"][name] = {c: row[c] for c in CURES if c in row}
            FILE.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
            print(
                f"{name:12} {cure:14} {row[cure]['solved']:3} of {SEEDS}, {row[cure]['decades']}", flush=True
            )


if __name__ == "__main__":
    main(sys.argv[1:])
