"""The table of cures: measured with today's settings, true of fresh seeds, and each number a door."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from rnnviz import Experiment, train
from rnnviz.experiment.links import from_params
from rnnviz.teaching.cures import CURES, FILE, FIRST_SEED, OUTCOMES, PROBLEMS, SEEDS, settings_of, treated
from rnnviz.ui.cures import in_words
from tests.fresh_seeds import FRESH, assert_agree
from tests.visitor import Tab

CELLS = [(problem, cure) for problem in PROBLEMS for cure in CURES]
SAMPLED = [
    ("remember-50", "none"),
    ("remember-50", "chrono"),
    ("remember-50", "truncate"),
    ("remember-20", "orthogonal"),
    ("add", "none"),
    ("add", "gru"),
    ("explode", "clip"),
]
"""Cells that are measured again; those with the fastest networks and each kind of outcome."""


@pytest.mark.parametrize(("problem", "cure"), CELLS)
def test_every_cell_is_measured_with_the_settings_of_today(problem: str, cure: str) -> None:
    outcome, e = OUTCOMES[problem, cure], treated(PROBLEMS[problem], cure)
    assert outcome.settings == settings_of(e), f"python -m tests.benchmarks.cures {problem}"
    assert outcome.solved.seeds == SEEDS
    assert outcome.solved_at_end.count <= outcome.solved.count
    assert from_params({**outcome.settings, "seed": str(e.seed)}).experiment == e


@pytest.mark.parametrize(("problem", "cure"), SAMPLED)
def test_fresh_seeds_agree(problem: str, cure: str) -> None:
    asked = PROBLEMS[problem]

    def solves(seed: int) -> bool:
        e = replace(treated(asked, cure), seed=seed)
        return train(e, asked.updates, until_solved=True).state.solved_at is not None

    assert_agree(solves, OUTCOMES[problem, cure].solved)


def test_the_file_tells_its_seeds_and_versions() -> None:
    told = json.loads(FILE.read_text(encoding="utf-8"))
    assert told["first_seed"] == FIRST_SEED
    assert {"python", "numpy"} <= set(told)
    assert not set(FRESH) & set(range(FIRST_SEED, FIRST_SEED + SEEDS))


def test_a_treated_problem_is_the_problem_with_only_the_cures_changes() -> None:
    for problem in PROBLEMS.values():
        assert treated(problem, "none") == problem.experiment
        assert treated(problem, "rate").learning_rate == pytest.approx(problem.experiment.learning_rate / 10)
        for cure in CURES:
            e = treated(problem, cure)
            assert (e.task, e.seq_len, e.seed) == (
                problem.experiment.task,
                problem.experiment.seq_len,
                problem.experiment.seed,
            )


def test_every_number_is_a_door_to_its_experiment() -> None:
    tab = Tab("cures", T="33")
    links = [link.proto for link in tab.tab.get("page_link")]
    counts = [link for link in links if " of 20" in link.label]
    assert len(counts) == len(CELLS)
    asked = dict(parse_qsl(counts[0].query_string))
    assert from_params(asked).experiment == treated(PROBLEMS["remember-20"], "none")
    assert tab.session.experiment == Experiment(seq_len=33), "looking changes nothing"


def test_an_outcome_in_words_states_its_interval() -> None:
    told = in_words(OUTCOMES["remember-50", "chrono"])
    assert "95% interval" in told
    assert "Before training, the error at step 1 is" in told
    cut = in_words(OUTCOMES["remember-50", "truncate"])
    assert "Before training, the error at the first step that it reaches is" in cut


def test_truncation_helps_no_memory_and_loses_some() -> None:
    """What the table says of it: the error goes back 10 steps; the state may hold more by chance."""
    assert treated(PROBLEMS["remember-50"], "truncate").truncate == 10
    solved = {(p, c): OUTCOMES[p, c].solved.count for p in PROBLEMS for c in ("none", "truncate")}
    assert 0 < solved["remember-20", "truncate"] < solved["remember-20", "none"]
    assert solved["remember-50", "truncate"] == solved["remember-50", "none"] == 0
