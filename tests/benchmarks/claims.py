"""The outcomes of lessons and scenarios over 100 seeds: `python -m tests.benchmarks.claims [name ...]`.

Trains every step of the lessons, every scenario and every round of the page Why whose recorded outcomes are
missing or of other settings (or those named, such as `luck/3` or `scenario/echo`) and writes
rnnviz/teaching/measured.json.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rnnviz.teaching.measured import FILE, FIRST_SEED, MEASURED, SEEDS
from rnnviz.training.executor import sweep_pool
from rnnviz.training.sweep import Sweep
from tests.trials import TRIALS, Trial


@dataclass(frozen=True)
class Facts:
    """What became of one run; solved, diverged : after how many updates, None if it did not happen."""

    kept: bool
    solved: int | None
    solved_at_end: bool
    diverged: int | None


def observe(part: tuple[Trial, int]) -> Facts:
    """Train a trial with one seed."""
    trial, seed = part
    seen = trial.seen(seed)
    divergence = seen.state.divergence
    return Facts(
        not seen.broken(trial.claims),
        seen.state.solved_at,
        seen.solved_at_end,
        divergence.step if divergence else None,
    )


def record(trial: Trial, facts: Iterable[Facts]) -> dict[str, Any]:
    """Return the outcomes of a trial as they are stored."""
    seen = list(facts)
    return {
        "settings": trial.settings,
        "updates": trial.updates,
        "claims": dict(trial.claims),
        "seeds": len(seen),
        "kept": sum(run.kept for run in seen),
        "solved": len(solved := [run.solved for run in seen if run.solved is not None]),
        "solved_at_end": sum(run.solved_at_end for run in seen),
        "solved_after": statistics.median_low(solved) if solved else None,
        "diverged": dict(sorted(Counter(run.diverged for run in seen if run.diverged is not None).items())),
    }


def up_to_date(trial: Trial) -> bool:
    """Return whether the recorded outcomes are those of a trial's settings."""
    kept = MEASURED.get(trial.name)
    now = trial.settings, trial.updates, trial.claims
    return kept is not None and (kept.settings, kept.updates, kept.claims) == now


def save(records: dict[str, dict[str, Any]]) -> None:
    """Write the records in the order of the trials, one per line."""
    lines = [f"{json.dumps(name)}: {json.dumps(records[name])}" for name in TRIALS if name in records]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main(names: list[str]) -> None:
    """Measure, write the file after each trial, and print a table."""
    if unknown := set(names) - set(TRIALS):
        raise SystemExit(f"Unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(TRIALS)}.")
    records = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for name, trial in TRIALS.items():
        if name in names or (not names and not up_to_date(trial)):
            parts = [(trial, FIRST_SEED + k) for k in range(SEEDS)]
            records[name] = record(trial, Sweep(observe, parts, sweep_pool()).wait())
            save(records)
        if name in records:
            r = records[name]
            told = f"kept {r['kept']:3}, solved {r['solved']:3}, at the end {r['solved_at_end']:3}"
            print(f"{name:24} {told}, diverged after {r['diverged']}, of {r['seeds']}")


if __name__ == "__main__":
    main(sys.argv[1:])
