"""What the jobs reach over twenty seeds: `python -m tests.benchmarks.applications [job ...]`.

Trains every job with its own settings in one process on one thread, measures it on held-out data, and prints
a table: the median with its 95% interval, the range of all seeds, the plain methods, the aim where there is
one, and the seconds that training took.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, replace

from rnnviz.applications.catalogue import APPLICATIONS, Score
from rnnviz.training.loop import train

SEEDS = 20

INTERVAL = slice(5, 15)
"""Of 20 sorted values the sixth and the fifteenth enclose the median with 96% certainty."""


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
    values = sorted(score.value for score in scores)
    first = scores[0]
    likely = values[INTERVAL]
    median, low, high, least, most = (
        first.write(v) for v in (statistics.median(values), likely[0], likely[-1], values[0], values[-1])
    )
    reached = median if least == most else f"{median} ({low} to {high}; all {least} to {most})"
    rivals = {name: [score.others[name] for score in scores if name in score.others] for name in first.others}
    others = "; ".join(f"{name} {first.write(statistics.median(found))}" for name, found in rivals.items())
    aim = AIMS.get(job) or AIMS.get(variant)
    wanted = f"{aim.share:.0%} in {aim.seconds:.0f} s" if aim else ""
    title = f"{APPLICATIONS[job].title}: {APPLICATIONS[job].variants[variant].title}"
    return f"| {title} | {reached} | {others} | {wanted} | {statistics.median(seconds):.1f} s |"


def main() -> None:
    print("| job | held out: median (its 95% interval; all twenty seeds) | plain methods | aim | training |")
    print("|---|---|---|---|---|")
    for job in sys.argv[1:] or APPLICATIONS:
        for variant in APPLICATIONS[job].variants:
            print(row(job, variant), flush=True)


if __name__ == "__main__":
    main()
