"""Success against the sequence length: what is trained, and how it is summed up."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import Experiment, gradient_flow, train
from rnnviz.analysis.by_length import LengthResult, by_length, by_length_parts, length_result
from rnnviz.figures.by_length import by_length_spec
from rnnviz.figures.theme import DARK, LIGHT

CHOICES = {"simple": {"cell": "vanilla", "init": "pytorch"}, "gated": {"cell": "lstm", "init": "chrono"}}


def test_short_sequences_come_first_and_all_choices_take_turns() -> None:
    parts = by_length_parts(Experiment(seed=5), CHOICES, (4, 8, 500), seeds=2, updates=7)
    assert [(p.length, p.choice, p.experiment.seed) for p in parts] == [
        (T, name, seed) for T in (4, 8) for seed in (5, 6) for name in CHOICES
    ]
    assert all(p.experiment.seq_len == p.length and p.updates == 7 for p in parts)
    assert {p.experiment.cell for p in parts if p.choice == "gated"} == {"lstm"}


def test_one_result_is_the_training_and_the_gradient_before_it() -> None:
    (part,) = by_length_parts(Experiment(hidden_size=8), {"simple": CHOICES["simple"]}, (6,), 1, 40)
    found = length_result(part)
    run = train(part.experiment, 40, until_solved=True)
    assert found.metric == run.metric
    assert found.solved == (run.state.solved_at is not None)
    assert found.decades == gradient_flow(part.experiment).decades


def test_results_are_summed_up_by_choice_and_length() -> None:
    results = [
        LengthResult("a", 10, -1.0, 0.5, False),
        LengthResult("b", 10, -9.0, 0.2, False),
        LengthResult("a", 5, 0.0, 1.0, True),
        None,
        LengthResult("a", 10, -3.0, 0.9, True),
        LengthResult("a", 10, -np.inf, np.nan, False),
    ]
    a, b = by_length(results)
    assert (a.name, b.name) == ("a", "b")
    np.testing.assert_array_equal(a.lengths, [5, 10])
    np.testing.assert_array_equal(a.decades, [0.0, -3.0])
    np.testing.assert_allclose(a.metric[1], [1.0, 0.5])
    assert [(share.count, share.seeds) for share in a.solved] == [(1, 1), (1, 3)]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("task", ["recall", "adding"])
def test_the_figure_has_both_panels_for_every_choice(task: str, theme: object) -> None:
    e = Experiment(task=task, seq_len=20)
    metric = 0.3 if task == "recall" else 0.1
    rows = by_length([LengthResult(n, T, -T, metric, T < 10) for n in ("a", "b") for T in (5, 10, 40)])
    spec = by_length_spec(e, rows, (5, 10, 40), theme)  # type: ignore[arg-type]
    for name in ("a", "b"):
        upper, lower = (trace for trace in spec["data"] if trace["name"] == name)
        np.testing.assert_array_equal(upper["y"], [metric] * 3)
        np.testing.assert_array_equal(lower["y"], [-5.0, -10.0, -20.0])
