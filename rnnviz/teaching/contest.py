"""A feed-forward and a recurrent network on the same problems: who can do what, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rnnviz.experiment import Experiment

STEPS = 500
"""Updates that each network gets."""

RUNNERS = {"feed-forward": "Feed-forward", "vanilla": "Recurrent"}
"""The cells that run against each other, with their names on screen."""


@dataclass(frozen=True)
class Round:
    """One problem that both networks get.

    needs : one sentence on what has to be remembered.
    finding : one sentence on what the outcome means; tests hold it over several seeds.
    experiment : the recurrent network's; see ``runner``.
    bound : the best share of right answers that is possible without memory, where guessing does worse.
    """

    needs: str
    finding: str
    experiment: Experiment
    bound: float | None = None

    def runner(self, cell: str) -> Experiment:
        """Return what a network with this cell is trained on: nothing but the cell differs."""
        return replace(self.experiment, cell=cell)


def _experiment(task: str, topology: str, seq_len: int, **options: Any) -> Experiment:
    return Experiment(task=task, topology=topology, seq_len=seq_len, learning_rate=5e-3, **options)


def parity_bound(seq_len: int) -> float:
    """Return how often the parity so far can be told from the newest bit: always at t = 1, then by luck."""
    return (1.0 + 0.5 * (seq_len - 1)) / seq_len


ROUNDS: dict[str, Round] = {
    round_.experiment.task: round_
    for round_ in (
        Round(
            "A symbol is shown at step 1 and must be named at step 5. In between there is only noise.",
            "At step 5 the feed-forward network sees noise, so it can only guess. "
            "The recurrent one kept the symbol in its hidden state.",
            _experiment("recall", "many-to-one", 5),
        ),
        Round(
            "Every symbol must be repeated three steps later, while new ones keep coming.",
            "The right answer left the input three steps ago. Without a memory it is gone.",
            _experiment("echo", "many-to-many", 20, delay=3),
        ),
        Round(
            "Is the number of ones so far odd? Each bit flips the answer or leaves it unchanged.",
            "From the newest bit alone no network can do better than 9/16 = 56%, apart from luck: "
            "always right at step 1, half the time at the other seven.",
            _experiment("parity", "many-to-many", 8),
            bound=parity_bound(8),
        ),
        Round(
            "How many sunspots next year? It depends on whether their number is rising or falling.",
            "This year's number alone does not tell whether it is rising or falling: the feed-forward "
            "network finds nothing better than “next year like this year”.",
            _experiment("sunspots", "many-to-many", 40),
        ),
        Round(
            "One image goes in, one name comes out. There is nothing to remember.",
            "With a single step there is no past: both are the same network, and the recurrent weights are "
            "never used. Here the feed-forward network is the right tool.",
            _experiment("digits", "one-to-one", 1),
        ),
    )
}
"""The rounds by task, those that need a memory first."""
