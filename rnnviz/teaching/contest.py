"""A feed-forward and a recurrent network compared on the same problems."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.tasks import TASKS

STEPS = 500
"""Updates for each network."""

RUNNERS = {"feed-forward": "Feed-forward", "vanilla": "Recurrent"}
"""The compared cells and their names on screen."""

Limit = tuple[str, float]
"""A side ("at_least" or "at_most") and a metric."""


@dataclass(frozen=True)
class Round:
    """One problem for both networks.

    needs : what has to be remembered, in a sentence or two.
    finding : what the outcome means; tests check it on several seeds.
    experiment : of the recurrent network; see ``runner``.
    without, with_memory : on which side of which metric the feed-forward and the recurrent network end in
        nearly every draw; ``measured`` has the shares.
    further : a link to what to try next, and the settings that differ there.
    bound : the best accuracy possible without memory, where it is better than guessing.
    title : on screen; by default the task's.
    """

    needs: str
    finding: str
    experiment: Experiment
    without: Limit
    with_memory: Limit
    further: tuple[str, dict[str, Any]]
    bound: float | None = None
    title: str = ""

    @property
    def name(self) -> str:
        """The problem's name on screen."""
        return self.title or TASKS[self.experiment.task].title

    @property
    def next_experiment(self) -> Experiment:
        """What to try next with the recurrent network."""
        return replace(self.experiment, **self.further[1])

    @property
    def claims(self) -> dict[str, dict[str, float]]:
        """What is claimed of each network's held-out metric at the end, by cell, as in lessons."""
        limits = zip(RUNNERS, (self.without, self.with_memory), strict=True)
        return {cell: {f"metric_{side}": value} for cell, (side, value) in limits}

    def runner(self, cell: str) -> Experiment:
        """Return the experiment with another cell; nothing else differs."""
        return replace(self.experiment, cell=cell)


def _experiment(task: str, topology: str, seq_len: int, **options: Any) -> Experiment:
    return Experiment(task=task, topology=topology, seq_len=seq_len, learning_rate=5e-3, **options)


def parity_bound(seq_len: int) -> float:
    """Return the best accuracy for parity from the newest bit alone: 1 at t = 1, then 1/2."""
    return (1.0 + 0.5 * (seq_len - 1)) / seq_len


def caption_bound(e: Experiment) -> float:
    """Return the best held-out accuracy for captions without memory.

    Step 1 sees the image. The later steps see nothing, so all of them give the same answer.
    """
    targets = TASKS[e.task].held_out(e).targets
    commonest = np.bincount(targets[1:].ravel()).max()
    return float((targets.shape[1] + commonest) / targets.size)


_captions = _experiment("captions", "one-to-many", 7)

ROUNDS: dict[str, Round] = {
    round_.experiment.task: round_
    for round_ in (
        Round(
            "A symbol is shown at step 1 and must be named at step 5. In between there is only noise.",
            "At step 5 the feed-forward network sees noise, so it can only guess. "
            "The recurrent one kept the symbol in its hidden state.",
            _experiment("recall", "many-to-one", 5),
            without=("at_most", 0.32),
            with_memory=("at_least", 0.99),
            further=("Try next: remember it for 50 steps", {"seq_len": 50}),
        ),
        Round(
            "Every symbol must be repeated three steps later, while new ones keep coming.",
            "The right answer left the input three steps ago. Without a memory it is gone.",
            _experiment("echo", "many-to-many", 20, delay=3),
            without=("at_most", 0.3),
            with_memory=("at_least", 0.99),
            further=("Try next: repeat it ten steps later", {"delay": 10}),
        ),
        Round(
            "Is the number of ones so far odd? Each bit flips the answer or leaves it unchanged.",
            "From the newest bit alone no network can do better than 9/16 = 56% on average: always right at "
            "step 1, half the time at the other seven. The numbers shown are measured on a sample.",
            _experiment("parity", "many-to-many", 8),
            without=("at_most", 0.6),
            with_memory=("at_least", 0.97),
            further=("Try next: count over 20 bits", {"seq_len": 20}),
            bound=parity_bound(8),
        ),
        Round(
            "How many sunspots next year? It depends on whether their number is rising or falling.",
            "This year's number alone does not tell whether it is rising or falling: the feed-forward "
            "network finds nothing better than “next year like this year”.",
            _experiment("sunspots", "many-to-many", 40),
            without=("at_least", 24.0),
            with_memory=("at_most", 19.0),
            further=("Try next: the same with a GRU", {"cell": "gru"}),
        ),
        Round(
            "How many airline passengers next month? The input is this month's growth minus last year's.",
            "Here the input itself looks back a year. What the recurrent network remembers in addition "
            "does not improve its forecast.",
            _experiment("series", "many-to-many", 24, series="airline"),
            without=("at_most", 15.0),
            with_memory=("at_least", 14.0),
            further=("Try next: a simulated stock price", {"series": "stock"}),
            title="Passengers",
        ),
        Round(
            "An image of a digit goes in once, at step 1. Then its name is spelled, one character a step.",
            "After step 1 nothing comes in, so the feed-forward network repeats one character. "
            "The recurrent one remembers what it saw and how far it has spelled.",
            _captions,
            without=("at_most", 0.58),
            with_memory=("at_least", 0.9),
            further=("Try next: spell it in French", {"language": "french"}),
            bound=caption_bound(_captions),
        ),
        Round(
            "One image goes in, one digit comes out. There is nothing to remember.",
            "With a single step there is no past: both are the same network, and the recurrent weights are "
            "never used. Here the feed-forward network is the right tool.",
            _experiment("digits", "one-to-one", 1),
            without=("at_least", 0.85),
            with_memory=("at_least", 0.85),
            further=(
                "Try next: spell the digit's name",
                {"task": "captions", "topology": "one-to-many", "seq_len": 7},
            ),
        ),
    )
}
"""The rounds by task; those that need a memory come first."""
