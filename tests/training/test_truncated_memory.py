"""What a network learns of a symbol from before the cut: fresh seeds agree with the counts in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz import Experiment
from rnnviz.analysis.sweeps import seed_run
from tests.benchmarks.truncation import FIRST_SEED, GRU, SEEDS, SOLVED, VANILLA, parts
from tests.fresh_seeds import FRESH, assert_agree


@pytest.mark.parametrize("truncate", [20, 10])
@pytest.mark.parametrize("e", [GRU, VANILLA], ids=lambda e: e.cell)
def test_fresh_seeds_agree_with_what_was_found(e: Experiment, truncate: int) -> None:

    def solves(seed: int) -> bool:
        (part,) = parts(e, truncate, [seed])
        return seed_run(part).solved_at is not None

    assert_agree(solves, SOLVED[e.cell, truncate])


def test_no_seed_was_chosen_for_its_outcome() -> None:
    assert not set(FRESH) & set(range(FIRST_SEED, FIRST_SEED + SEEDS))
    assert GRU.seed not in range(FIRST_SEED, FIRST_SEED + SEEDS)


def test_the_readme_says_what_was_found() -> None:
    told = " ".join((Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").split())
    assert SOLVED["gru", None] == SOLVED["gru", 20] == SOLVED["vanilla", 20]
    gru, vanilla = SOLVED["gru", 10], SOLVED["vanilla", 10]
    assert f"a GRU solves Recall (T = 20) with {SOLVED['gru', None].count} of {SEEDS} seeds" in told
    assert f"cut every 10 steps with {gru.count}" in told
    assert f"An orthogonal simple RNN, cut alike, solves it with {vanilla.count} of {SEEDS}" in told
