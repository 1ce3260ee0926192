"""A feed-forward and a recurrent network compared on the same problems."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rnnviz.experiment import Experiment

STEPS = 500
"""Updates for each network."""

RUNNERS = {"feed-forward": "Feed-forward", "vanilla": "Recurrent"}
"""The compared cells and their names on screen."""


@dataclass(frozen=True)
class Round:
    """One problem for both networks.

    needs : what has to be remembered, in a sentence or two.
    finding : what the outcome means; tests check it on several seeds.
    experiment : of the recurrent network; see ``runner``.
    bound : the best accuracy possible without memory, where it is better than guessing.
    """

    needs: str
    finding: str
    experiment: Experiment
    bound: float | None = None

    def runner(self, cell: str) -> Experiment:
        """Return the experiment with another cell; nothing else differs."""
        return replace(self.experiment, cell=cell)


def _experiment(task: str, topology: str, seq_len: int, **options: Any) -> Experiment:
    return Experiment(task=task, topology=topology, seq_len=seq_len, learning_rate=5e-3, **options)


def parity_bound(seq_len: int) -> float:
    """Return the best accuracy for parity from the newest bit alone: 1 at t = 1, then 1/2."""
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
"""The rounds by task; those that need a memory come first."""
