"""Two networks side by side through the shell: by key, asserting values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from rnnviz import Experiment
from rnnviz.analysis.sweeps import TrainingShares, seed_parts, seed_run
from rnnviz.experiment.links import to_params
from rnnviz.figures.pair_seeds import outcomes, verdict_in_words
from rnnviz.ui.run_registry import RunKey
from tests.visitor import Tab, train_here

HTML = "<p class='pair-held'>"


def visit(e: Experiment | None = None, **params: str) -> Tab:
    return Tab("side_by_side", **(to_params(e or Experiment(seq_len=8)) | params))


def runs(tab: Tab) -> tuple[Any, Any]:
    a, b = (tab.session.runs[RunKey("pair", name)] for name in ("A", "B"))
    return a, b


def params(tab: Tab) -> dict[str, str]:
    return {n: v if isinstance(v, str) else v[0] for n, v in dict(tab.tab.query_params).items()}


def message(tab: Tab, name: str) -> dict[str, Any]:
    return dict(json.loads(tab.messages[name]))


def held(tab: Tab) -> str:
    (line,) = [text for text in tab.texts if "Held constant" in text]
    return line


def test_b_is_an_lstm_where_nothing_else_is_asked_for() -> None:
    tab = visit()
    a, b = runs(tab)
    assert a.experiment == Experiment(seq_len=8)
    assert b.experiment == replace(a.experiment, cell="lstm")
    assert "cell" not in [name for name in params(tab) if name.startswith("b.")], "the default is left out"
    assert "Recall, T = 8, seed 0, H = 32, Orthogonal, tanh" in held(tab)
    assert "Simple RNN" not in held(tab)


def test_one_link_carries_both() -> None:
    tab = visit(Experiment(seq_len=9, seed=3), **{"b.init": "pytorch", "b.H": "16"})
    a, b = runs(tab)
    assert (a.experiment.seq_len, a.experiment.seed) == (9, 3)
    assert b.experiment == replace(a.experiment, init="pytorch", hidden_size=16)
    assert {n: v for n, v in params(tab).items() if n.startswith("b.")} == {"b.init": "pytorch", "b.H": "16"}


def test_what_cannot_differ_is_said_and_nothing_is_lost() -> None:
    tab = visit(**{"b.task": "adding", "b.T": "9"})
    a, b = runs(tab)
    assert a.experiment == b.experiment
    assert "task (both have the same data)" in held(tab)
    assert "A and B are the same: choose what B changes." in held(tab)


def test_a_change_is_chosen_and_both_start_anew() -> None:
    tab = visit()
    before = runs(tab)
    tab.widget("selectbox", "pair_name_0").set_value("init")
    tab.look()
    assert runs(tab)[1].experiment.init != "orthogonal"
    assert runs(tab)[1].experiment.cell == "vanilla"
    tab.widget("selectbox", "pair_value_0").set_value("pytorch")
    tab.look()
    assert runs(tab)[1].experiment == replace(runs(tab)[0].experiment, init="pytorch")
    assert not set(before) & set(runs(tab))
    assert params(tab)["b.init"] == "pytorch"


def test_a_second_change_is_added_and_removed() -> None:
    tab = visit()
    tab.press("pair_more")
    assert len(tab.session.view.changes) == 2
    tab.widget("selectbox", "pair_name_1").set_value("")
    tab.look()
    assert tab.session.view.changes == (("cell", "lstm"),)


def test_equal_parameters_is_a_switch() -> None:
    tab = visit()
    tab.widget("toggle", "pair_equal").set_value(True)
    tab.look()
    a, b = runs(tab)
    assert abs(b.initial.parameters - a.initial.parameters) < 0.1 * a.initial.parameters
    assert params(tab)["equal"] == "true"
    assert "Hidden units H" in message(tab, "pair_progress")["footer"]


def test_both_are_stepped_and_reset_together_and_the_table_tells_both() -> None:
    tab = visit()
    train_here(runs(tab)[0], 20)
    train_here(runs(tab)[1], 20)
    tab.look()
    a, b = runs(tab)
    footer = message(tab, "pair_progress")["footer"]
    assert f"{a.state.params.count:,}" in footer
    assert f"{b.state.params.count:,}" in footer
    assert "LSTM" in footer
    drawn = {trace["name"] for trace in message(tab, "pair_progress")["data"]}
    assert {"A", "B"} <= drawn
    tab.press("pair_reset")
    assert [run.state.step for run in runs(tab)] == [0, 0]
    assert [list(run.beside) for run in runs(tab)] == [["B"], ["A"]]


def test_both_share_the_range_of_the_gradient_axis() -> None:
    tab = visit(Experiment(seq_len=50, init="small-normal"), **{"b.init": "orthogonal"})
    tab.look()
    ranges = [message(tab, f"pair_timeline_{name}")["layout"]["yaxis3"]["range"] for name in ("A", "B")]
    assert ranges[0] == ranges[1]


def test_swap_lets_them_change_places() -> None:
    tab = visit(Experiment(seq_len=8, init="pytorch"), **{"b.cell": "lstm", "b.init": "chrono"})
    before = [run.experiment for run in runs(tab)]
    tab.press("pair_swap")
    assert [run.experiment for run in runs(tab)] == before[::-1]


def test_the_playgrounds_run_is_another() -> None:
    tab = visit()
    assert tab.session.run not in runs(tab)


def test_what_is_shown_is_in_the_address() -> None:
    tab = visit()
    tab.widget("button_group", "beside").set_value("seeds")
    tab.look()
    assert params(tab)["shown"] == "seeds"
    tab.widget("button_group", "beside").set_value("seed")
    tab.look()
    assert params(tab)["shown"] == "seed"
    assert "Ignored in the link: shown=" in visit(shown="<b>").html


def test_over_seeds_both_are_trained_and_the_verdict_waits_for_all() -> None:
    tab = visit(Experiment(seq_len=5, hidden_size=8), shown="seeds")
    a, b = (run.experiment for run in runs(tab))
    sweep = tab.session.sweeps.get(("pair", a, b, 300))
    assert sweep is not None
    assert [part for part, _ in sweep.parts[:4]] == [a, b, replace(a, seed=1), replace(b, seed=1)]
    one, other = seed_run((a, 40)), seed_run((b, 40))
    sweep.results[:38] = [one, other] * 19
    tab.look()
    assert "No verdict before all 40 runs are done." in " ".join(m.value for m in tab.tab.markdown)
    sweep.results[38:] = [one, other]
    tab.look()
    said = " ".join(m.value for m in tab.tab.markdown)
    assert TrainingShares.of([one] * 20).solved.__str__() in said


def test_the_table_of_outcomes_holds_medians_over_the_seeds_that_reached_the_goal() -> None:
    run = seed_run((Experiment(seq_len=3, hidden_size=4), 5))
    a = [replace(run, solved_at=n, milliseconds=2.0) for n in (10, None, 30, 80)]
    told = outcomes(a, [replace(run, solved_at=None)] * 4, (12, 3456))
    rows = [row.split(" & ") for row in told.split(r" \\ ")[1:]]
    cells = {name: values for name, *values in rows}
    assert cells[r"\text{parameters}"] == ["12", "3{,}456"]
    assert cells[r"\text{reached the goal}"] == ["3/4", "0/4"]
    assert cells[r"\text{updates until then}"] == ["30", r"\text{–}"]
    assert cells[r"\text{seconds until then}"] == ["0.06", r"\text{–}"]


def test_a_difference_is_claimed_only_if_the_intervals_are_apart() -> None:
    run = seed_run((Experiment(seq_len=3, hidden_size=4), 5))
    won, lost = replace(run, solved_at=3), replace(run, solved_at=None)
    assert "A is better" in verdict_in_words([won] * 20, [lost] * 20)
    assert "B is better" in verdict_in_words([lost] * 20, [won] * 20)
    assert "do not tell them apart" in verdict_in_words([won] * 20, [won] * 17 + [lost] * 3)


def test_seeds_take_turns_so_that_both_grow_together() -> None:
    parts = seed_parts(Experiment(), 3)
    assert [part.seed for part in parts] == [0, 1, 2]
    assert np.isfinite(seed_run((replace(parts[0], seq_len=3), 4)).milliseconds)
