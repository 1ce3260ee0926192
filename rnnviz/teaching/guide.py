"""The teacher's guide as data: a 45-minute lesson plan and common misconceptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part of the lesson plan: minutes, page, what to do, and what students will see."""

    minutes: int
    page: str
    do: str
    see: str


PLAN = (
    Part(5, "why", "Let the class guess, then play Recall.", "Without a loop: chance. With it: 100%."),
    Part(
        7,
        "how",
        "Unfold the loop; step through one pass by hand.",
        "One set of weights, used T times; their number does not grow with T.",
    ),
    Part(
        5, "types", "Find an everyday task for each type.", "They differ only in which steps read and write."
    ),
    Part(
        8,
        "problems",
        "Move both gains; ask where the border is.",
        "Powers of ten, not percentages; overflow after one or two updates.",
    ),
    Part(
        12,
        "lessons",
        "Everyone commits to an answer before each run.",
        "T = 5 is easy; T = 50 with tiny weights stays at chance; with orthogonal ones nearly every run "
        "learns.",
    ),
    Part(
        6,
        "laboratory",
        "Compare, then Causes, then Seeds, for settings of the class's choice.",
        "Both the slopes and W_hh matter; one seed proves nothing.",
    ),
    Part(2, "glossary", "Close with the symbols; share the link.", "Everyone can continue at home."),
)


@dataclass(frozen=True)
class Misconception:
    """Common misconceptions and the answers to them."""

    claim: str
    answer: str


MISCONCEPTIONS = (
    Misconception(
        "A spectral radius above 1 means exploding.",
        "True of a linear network over many steps, and nearly so of tanh while the states are close to 0. "
        "But slopes below 1 can win: with strong input, a tanh network still vanishes at a radius of 1.5.",
    ),
    Misconception(
        "Clipping cures vanishing.",
        "Clipping shortens long gradients. It does not restore what has vanished.",
    ),
    Misconception(
        "The gradient is healthy: the total is large.",
        "Where every step writes, each adds new error. Look at one output alone: its error may vanish within "
        "a few steps.",
    ),
    Misconception(
        "The gradient got small, so it vanished.",
        "Not necessarily: perhaps the loss simply became small. Switch on “Relative to the last step”: what "
        "counts is the share of the output's error that is left at step 1.",
    ),
    Misconception(
        "Each time step has its own weights.",
        "The unrolled picture shows the same A, B and C again and again. Their gradient is the sum over all "
        "steps.",
    ),
    Misconception(
        "It worked with my seed.",
        "Try twenty: a first estimate, not a proof. Without input, the gradient at step 1 of tanh networks "
        "with gain 3 and H = 32 ranges over more than twenty powers of ten.",
    ),
)
