"""What the tour says is so: of many seeds, of the networks that it shows, and of the factors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product

import numpy as np
import pytest

from rnnviz import TASKS, take_snapshot
from rnnviz.analysis.decay_factors import decay_factors
from rnnviz.analysis.shares import Share
from rnnviz.figures.contest import moved_apart
from rnnviz.figures.theme import DARK, LIGHT
from rnnviz.figures.tour import Decay, Strip, decay_spec, strip_spec
from rnnviz.tasks.memory import SYMBOLS
from rnnviz.teaching import tour
from rnnviz.teaching.lessons.outcome import Outcome
from rnnviz.teaching.tour import CANDIDATES, FIRST_SEED, LSTM, ORTHOGONAL, RECORDS, SMALL, UPDATES
from tests.ahead import TrainedAhead
from tests.fresh_seeds import FRESH, assert_agree

CHECKED = [name for name, record in RECORDS.items() if record.updates == UPDATES]
"""The others are the same runs, longer; `python -m tests.benchmarks.tour` makes them again."""

RUNS = TrainedAhead(
    [
        *((candidate.experiment, UPDATES, False) for candidate in CANDIDATES.values()),
        *((RECORDS[name].experiment.replace(seed=FRESH[0]), UPDATES, False) for name in CHECKED),
    ]
)


@pytest.fixture(scope="module", autouse=True)
def _stop_the_pool() -> Iterator[None]:
    yield
    RUNS.end()


# Many seeds


@pytest.mark.parametrize("name", CHECKED)
def test_fresh_seeds_agree_with_the_record(name: str) -> None:
    e = RECORDS[name].experiment

    def learns(seed: int) -> bool:
        return RUNS(e.replace(seed=seed), UPDATES).state.solved_at is not None

    assert_agree(learns, RECORDS[name].learned)


def test_every_record_has_seeds_enough_and_none_that_was_chosen() -> None:
    for record in RECORDS.values():
        assert record.learned.seeds >= 20
        assert record.experiment.seed not in range(FIRST_SEED, FIRST_SEED + record.learned.seeds)
        assert not set(FRESH) & set(range(FIRST_SEED, FIRST_SEED + record.learned.seeds))


def test_a_record_that_became_false_would_be_seen() -> None:
    with pytest.raises(AssertionError, match="0 of 3: fewer"):
        assert_agree(lambda seed: False, Share(60, 60))
    with pytest.raises(AssertionError, match="3 of 3: more"):
        assert_agree(lambda seed: True, Share(0, 20))


def test_the_networks_differ_as_clearly_as_the_tour_says() -> None:
    cured = RECORDS["orthogonal"].learned.interval[0]
    assert all(RECORDS[name].learned.interval[1] < cured for name in ("small", "lstm", "lstm-patient"))
    assert RECORDS["lstm-short"].learned.interval[0] > RECORDS["lstm"].learned.interval[1]


# The networks that a visitor sees


@pytest.mark.parametrize(("name", "setting"), [("orthogonal", "init"), ("lstm", "cell")])
def test_each_network_differs_from_the_first_in_one_setting(name: str, setting: str) -> None:
    first, other = asdict(SMALL.experiment), asdict(CANDIDATES[name].experiment)
    assert [key for key in first if first[key] != other[key]] == [setting]


def seen(name: str) -> Outcome:
    e = CANDIDATES[name].experiment
    run = RUNS(e, UPDATES)
    before = take_snapshot(e, e.init(e.rng("weights")), 0)
    return Outcome(e, run.state, before, take_snapshot(e, run.params, UPDATES))


@pytest.mark.parametrize("name", ["small", "lstm"])
def test_a_network_that_fails_is_guessing(name: str) -> None:
    outcome = seen(name)
    assert outcome.state.solved_at is None
    assert abs(outcome.state.metric - 0.25) < 0.08, "four standard errors on 512 sequences"
    text = tour.told(CANDIDATES[name], outcome)
    assert f"after {UPDATES} updates {outcome.state.metric:.0%} " in text
    assert "guessing gives 25%" in text
    assert "{" not in text


def test_the_cured_one_is_solved_and_stays_so() -> None:
    outcome = seen("orthogonal")
    assert outcome.state.metric >= TASKS["recall"].goal
    assert tour.told(ORTHOGONAL, outcome).startswith(f"Solved: {outcome.state.metric:.0%}")


def test_the_step_that_hardly_any_error_reaches_is_named() -> None:
    last = seen("small").before.last[-1]
    step = int(re.search(r"reached step (\d+), and only", tour.told(SMALL, seen("small")))[1])  # type: ignore[index]
    assert last[step - 1] < last[-1] / 1000 <= last[step], "the step after it is reached by more"
    assert tour.hardly_any(np.ones(5)) == 0


def test_the_texts_name_the_experiments_own_numbers() -> None:
    e = SMALL.experiment
    assert f"T = {e.seq_len} steps" in tour.QUESTION_TITLE
    assert f"At step {e.seq_len} " in tour.QUESTION
    assert f"{e.hidden_size} hidden units" in tour.QUESTION
    assert f"standard deviation {e.init(e.rng('weights')).layers[0].W_hh.std():.2f}" in tour.QUESTION
    assert SYMBOLS.of(e) == 4
    assert "One of four symbols" in tour.QUESTION
    assert f"{e.seq_len - 1} times" in tour.WHY_TITLE
    assert f"{e.seq_len - 1} times" in tour.why()
    assert f"Over {RECORDS['lstm-short'].experiment.seq_len} steps" in LSTM.told
    assert f"{RECORDS['lstm-patient'].updates:,} updates" in LSTM.told
    assert f"Over {e.seq_len} even" in LSTM.told


# The factors


@pytest.mark.parametrize("name", ["small", "orthogonal"])
def test_the_factors_of_all_steps_multiply_to_what_arrives(name: str) -> None:
    e = CANDIDATES[name].experiment
    parts = decay_factors(e)
    arrives = np.prod(parts.slope_factor * parts.recurrent_factor)
    assert tour.factor_of(e).left == pytest.approx(arrives, rel=1e-9)
    assert tour.share_left(e)[0] == pytest.approx(arrives, rel=1e-9)


def test_the_factors_are_what_theory_says() -> None:
    """|v W^T| = |v| for an orthogonal W; about 0.01 sqrt(H) |v| for independent N(0, 0.01^2)."""
    assert tour.kept_by_matrix(ORTHOGONAL.experiment) == pytest.approx(1.0, abs=1e-12)
    H = SMALL.experiment.hidden_size
    assert tour.factor_of(SMALL.experiment).mean == pytest.approx(0.01 * np.sqrt(H), rel=0.1)


def test_each_step_of_the_lstm_keeps_what_its_forget_gate_lets_through() -> None:
    gate = tour.forget_gate(LSTM.experiment)
    assert gate == pytest.approx(0.5, abs=0.01), "the logistic function of a sum near 0"
    left = tour.share_left(LSTM.experiment)[:-1]
    np.testing.assert_allclose(left[:-1] / left[1:], gate, rtol=0.05)


def test_a_forget_bias_of_one_lets_far_more_of_the_error_arrive_with_every_seed() -> None:
    logistic = 1.0 / (1.0 + np.exp(-tour.OPEN_BIAS))
    assert tour.forget_gate(LSTM.experiment, tour.OPEN_BIAS) == pytest.approx(logistic, abs=0.01)
    for seed in range(FIRST_SEED, FIRST_SEED + 20):
        e = LSTM.experiment.replace(seed=seed)
        without, opened = tour.share_left(e)[0], tour.arrives_with_bias(e, tour.OPEN_BIAS)
        wider = np.log10(logistic / 0.5) * (e.seq_len - 2)  # the first step back does not pass the gate
        assert np.log10(opened / without) == pytest.approx(wider, abs=0.3)


# The pictures


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_strip_draws_every_edge_once_and_wider_where_more_arrives(theme: object) -> None:
    share = np.logspace(-12, 0, 20)
    spec = strip_spec(Strip("one", "#123456", "shrinks", share), theme)  # type: ignore[arg-type]
    edges = [trace for trace in spec["data"] if trace["name"].startswith("edges")]
    width = {}
    for trace in edges:
        for start, end, _ in np.reshape(trace["x"], (-1, 3)):
            assert end == start + 1
            assert start not in width
            width[start] = trace["line"]["width"]
    widths = [width[t] for t in range(1, 20)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_the_decay_is_drawn_as_it_was_measured() -> None:
    share = tour.share_left(SMALL.experiment)
    spec = decay_spec([Decay("one", {"color": "#123456", "width": 2, "dash": "dash"}, share, "told")])
    np.testing.assert_array_equal(spec["data"][0]["y"], share)
    low, high = spec["layout"]["yaxis"]["range"]
    assert low <= np.log10(share.min()) < 0 < high


GAP, TOP = 0.17, 1.08


@pytest.mark.parametrize(
    "wanted", [(0.25, 1.0, 0.26), (0.25, 0.25, 0.25), (1.08, 1.0, 1.05), (0.0, 0.5, 0.02)]
)
def test_labels_are_moved_apart_and_no_further_than_needed(wanted: tuple[float, ...]) -> None:
    found = moved_apart(np.array(wanted), GAP, TOP)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(found[order]) >= GAP - 1e-12).all()
    assert found.min() >= 0.0
    assert found.max() <= TOP + 1e-12
    grid = np.arange(0.0, TOP + 1e-9, 0.04)
    target = np.array(wanted)[order]
    nearest = min(
        sum((np.array(at) - target) ** 2)
        for at in product(grid, repeat=3)
        if at[1] - at[0] >= GAP and at[2] - at[1] >= GAP
    )
    assert sum((found - np.array(wanted)) ** 2) <= nearest + 1e-9
