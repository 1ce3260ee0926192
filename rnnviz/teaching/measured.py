"""The outcomes of every lesson's step, every scenario and every round of the page Why over many seeds.

``measured.json`` is written by ``python -m tests.benchmarks.claims``. A test compares its settings with
those of the lessons, scenarios and rounds, and its counts with runs of further seeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnviz.analysis.shares import Share

FILE = Path(__file__).with_name("measured.json")
FIRST_SEED, SEEDS = 1000, 100
"""Seeds that were measured: none for which an experiment was chosen or a claim adjusted."""


@dataclass(frozen=True)
class Measured:
    """The outcomes of one experiment over SEEDS seeds.

    settings : the experiment as URL parameters, without its seed. updates : made in each run.
    claims : what was claimed of each run.
    kept : runs that met all claims. solved : runs that reached the task's goal at least once.
    solved_at_end : runs whose last measurement reaches it.
    solved_after : median number of updates until solved, of the runs that were; None if none was.
    diverged : number of runs that diverged, by updates made before.
    """

    settings: Mapping[str, str]
    updates: int
    claims: Mapping[str, Any]
    kept: Share
    solved: Share
    solved_at_end: Share
    solved_after: int | None
    diverged: Mapping[int, int]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Measured:
        """Read the outcomes from their JSON object."""
        shares = {name: Share(data[name], data["seeds"]) for name in ("kept", "solved", "solved_at_end")}
        diverged = {int(updates): count for updates, count in data["diverged"].items()}
        return cls(
            data["settings"],
            data["updates"],
            data["claims"],
            **shares,
            solved_after=data["solved_after"],
            diverged=diverged,
        )

    def words(self) -> dict[str, str]:
        """Return the values for the names in braces, as text."""
        seeds = self.kept.seeds
        return {
            "seeds": str(seeds),
            "seeds_kept": str(self.kept),
            "seeds_solved": str(self.solved),
            "seeds_solved_at_end": str(self.solved_at_end),
            "seeds_reached": self._reached(),
            "seeds_solved_after": "no number of" if self.solved_after is None else f"{self.solved_after:,}",
            "seeds_diverged": str(Share(sum(self.diverged.values()), seeds)),
            "diverged_after": _listed(
                [
                    f"after {updates} {'update' if updates == 1 else 'updates'} in {count}"
                    for updates, count in sorted(self.diverged.items())
                ]
            ),
        }

    def _reached(self) -> str:
        """Return how many seeds solved the task, and how many of them still did at the end."""
        seeds, end = self.solved.seeds, self.solved_at_end.count
        reached = str(self.solved).replace(f"{seeds} of {seeds} seeds", f"All {seeds} seeds")
        still = "all" if end == self.solved.count else str(end)
        return f"{reached} solved it, and {still} still did at the end"


WORDS = (
    "seeds",
    "seeds_kept",
    "seeds_solved",
    "seeds_solved_at_end",
    "seeds_reached",
    "seeds_solved_after",
    "seeds_diverged",
    "diverged_after",
)
"""Names that texts may put into braces; lessons/README.md explains each."""


NOT_MEASURED = dict.fromkeys(WORDS, "(not measured yet)")
"""Stands in the text of a lesson that is being written."""


def _listed(phrases: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(phrases[:-1]), *phrases[-1:]]))


def read_measured(file: Path = FILE) -> dict[str, Measured]:
    """Return the outcomes by name: "lesson/step", "scenario/name" or "why/task/cell"; empty if none is."""
    if not file.exists():
        return {}
    return {name: Measured.read(data) for name, data in json.loads(file.read_text(encoding="utf-8")).items()}


MEASURED = read_measured()
"""The outcomes that the file has."""
