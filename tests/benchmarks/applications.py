"""What the jobs reach over five seeds: `python -m tests.benchmarks.applications`.

Trains every job with its own settings in one process on one thread, measures it on held-out data, and prints
a table: median, worst and best seed, the aim where there is one, and the seconds that training took.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace

from rnnviz.applications.catalogue import APPLICATIONS, Score
from rnnviz.training.loop import train

SEEDS = 5


@dataclass(frozen=True)
class Aim:
    """What to reach: a share of right answers, or of a naive forecast's error saved, in seconds."""

    share: float
    seconds: float


AIMS = {
    "captions": Aim(0.90, 60),
    "translation": Aim(0.80, 90),
    "sentiment": Aim(0.95, 30),
    "sunspots": Aim(0.15, 60),
}


def measured(job: str, variant: str) -> tuple[list[Score], list[float]]:
    """Return the first score of each seed, and the seconds of training."""
    chosen, scores, seconds = APPLICATIONS[job].variants[variant], [], []
    for seed in range(SEEDS):
        e = replace(chosen.experiment, seed=seed)
        begun = time.perf_counter()
        run = train(e, chosen.steps)
        seconds.append(time.perf_counter() - begun)
        scores.append(APPLICATIONS[job].measure(e, run.params)[0])
    return scores, seconds


def row(job: str, variant: str) -> str:
    """Return one line of the table."""
    scores, seconds = measured(job, variant)
    values = [score.value for score in scores]
    first = scores[0]
    others = "; ".join(f"{name} {first.write(value)}" for name, value in first.others.items())
    reached = (
        f"{first.write(statistics.median(values))} ({first.write(min(values))} to {first.write(max(values))})"
    )
    if job == "forecasts":
        gains = [1.0 - score.value / score.others["like the last value"] for score in scores]
        reached += f", {statistics.median(gains):+.0%} against naive ({min(gains):+.0%} to {max(gains):+.0%})"
    aim = AIMS.get(job) or AIMS.get(variant)
    wanted = f"{aim.share:.0%} in {aim.seconds:.0f} s" if aim else ""
    title = f"{APPLICATIONS[job].title}: {APPLICATIONS[job].variants[variant].title}"
    return f"| {title} | {reached} | {others} | {wanted} | {statistics.median(seconds):.1f} s |"


def main() -> None:
    print("| job | held out: median (worst and best of five seeds) | baselines | aim | training |")
    print("|---|---|---|---|---|")
    for job, found in APPLICATIONS.items():
        for variant in found.variants:
            print(row(job, variant), flush=True)


if __name__ == "__main__":
    main()
