"""Home, the two problems, the teacher's page and the glossary, through the shell, without a browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import PRESETS, Experiment, gradient_flow, train
from rnnviz.analysis.bench import Bench, decades, over_seeds
from rnnviz.analysis.gradient_flow import probe
from rnnviz.analysis.spectrum import spectrum
from rnnviz.experiment.links import from_params, of_view, to_params
from rnnviz.teaching.glossary import GROUPS, TERMS, explain, with_indices
from rnnviz.teaching.guide import PLAN
from rnnviz.teaching.lessons import LESSONS
from rnnviz.ui import run_view
from rnnviz.ui.catalogue import ENTRIES, after
from rnnviz.ui.glossary import search
from rnnviz.ui.problems import (
    EXPLODING,
    UPDATES,
    VANISHING,
    Consequence,
    Problem,
    arrival,
    consequence,
    half_way,
    idea,
    tell,
)
from rnnviz.ui.sweep_registry import SweepRegistry
from rnnviz.ui.teach import is_local
from rnnviz.ui.views import HIDEABLE, read_view
from tests.ui.test_sweep_registry import HandExecutor
from tests.visitor import Watching, turn_to

SHELL = Path(__file__).parents[2] / "rnnviz" / "ui" / "shell.py"


def open_page(name: str, **params: str) -> AppTest:
    tab = AppTest.from_file(str(SHELL), default_timeout=30)
    turn_to(tab, name)
    for key, value in params.items():
        tab.query_params[key] = value
    return look(tab)


def look(tab: AppTest) -> AppTest:
    tab.run()
    assert [error.message for error in tab.exception] == []
    return tab


def figures(tab: AppTest) -> dict[str, dict[str, Any]]:
    sent = [json.loads(e.proto.bytes) for e in tab.get("bidi_component") if e.proto.bytes]
    return {figure["name"]: figure for figure in sent}


def said(tab: AppTest) -> str:
    return unescape(" ".join([str(h.proto.body) for h in tab.get("html")] + [m.value for m in tab.markdown]))


# The path from page to page


def test_pages_follow_each_other_to_the_end() -> None:
    seen = ["home"]
    while (following := after(seen[-1]).name) not in seen:
        seen.append(following)
    assert (seen, following) == (list(ENTRIES), "home")
    assert {file.stem for file in (SHELL.parents[2] / "pages").glob("*.py")} == set(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_page_keeps_the_experiment_and_the_view_in_its_url(name: str) -> None:
    e = Experiment(seq_len=12, seed=5)
    tab = open_page(name, **to_params(e), projector="true", hide="run")
    params = {key: v[0] if isinstance(v, list) else v for key, v in tab.query_params.items()}
    assert params == to_params(e) | {"projector": "true", "hide": "run"}


# Home


def test_the_living_picture_answers_to_its_slider() -> None:
    tab = open_page("home")
    assert "vanishing" in figures(tab)["home"]["label"]
    tab.slider(key="home_gain").set_value(3.0)
    look(tab)
    assert "gain 3" in figures(tab)["home"]["label"]
    assert "vanishing" not in figures(tab)["home"]["label"]


def test_every_scenario_has_a_card_with_its_promise() -> None:
    text = said(open_page("home"))
    for preset in PRESETS.values():
        assert with_indices(preset.promise) in text
    assert text.count("class='ribbon'") == len(PRESETS)


# The two problems


def test_both_problems_show_the_librarys_gradients() -> None:
    tab = open_page("problems")
    tab.select_slider(key="problem_T").set_value(20)
    tab.slider(key="gain_vanishing").set_value(0.5)
    look(tab)
    drawn = figures(tab)
    flow = gradient_flow(replace(VANISHING.base, seq_len=20, gain=0.5))
    assert f"{flow.decades:.1f} powers of ten over 19 steps" in drawn["problem_vanishing"]["label"]


def test_the_consequences_arrive_from_the_workers() -> None:
    tab = open_page("problems")
    screen = tab.session_state["session"].screen
    screen.take(Watching(screen))
    deadline = time.monotonic() + 60
    while "After 300 updates" not in said(tab) or "Huge updates" not in said(tab):
        assert time.monotonic() < deadline, said(tab)
        time.sleep(0.2)
        look(tab)
    assert "It learns nothing from far back." in said(tab)


class Losing(Executor):
    """An executor whose workers die, until it has others."""

    others: Executor | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.others:
            return self.others.submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        future.set_exception(ChildProcessError("A worker <died>."))
        return future


def test_consequences_that_cannot_be_measured_are_said_in_a_line_and_can_be_tried_again() -> None:
    tab = open_page("problems")
    session = tab.session_state["session"]
    losing = Losing()
    session.screen.take(Watching(session.screen))
    session.sweeps = SweepRegistry(session.screen, losing)
    look(look(tab))
    assert "Training stopped: A worker <died>." in said(tab)
    assert "Training it" not in said(tab)
    losing.others = hand = HandExecutor()
    tab.button(key="problem_again").click()
    look(tab)
    assert "Training stopped" not in said(tab)
    assert "Training it for 300 updates" in said(tab)
    assert hand.begun, "it is measured again"


def test_a_consequence_is_what_training_did() -> None:
    e = replace(VANISHING.base, gain=0.3)
    result, run = consequence(e), train(e, UPDATES)
    assert (result.steps, result.metric, result.broke_off) == (UPDATES, run.metric, "")
    assert result.largest == run.history["grad_norm"].max()
    assert "accuracy" in tell(e, result)
    assert result.moved == pytest.approx(0.020, abs=0.001), "not tiny: a healthy network's is smaller"
    assert consequence(PRESETS["orthogonal"].experiment).moved < result.moved
    broken = consequence(EXPLODING.base)
    assert broken.broke_off.startswith("After 1 update")
    assert np.isfinite(broken.largest)


def test_the_long_range_part_is_the_gradients_own() -> None:
    """The sum over early and late steps, written out for tanh and one output."""
    e = replace(VANISHING.base, seq_len=12, gain=1.0)
    seen = probe(e)
    h, eps = seen.traces[0].hidden, seen.state_errors(seen.dL_dy)[0][0]
    terms = np.array([h[t].T @ (eps[t] * (1 - h[t + 1] ** 2)) for t in range(12)])
    whole, early = terms.sum(axis=0), terms[: 11 - half_way(e)].sum(axis=0)
    share = float(np.sum(early * whole) / np.sum(whole * whole))
    assert 0.01 < share < 1
    assert consequence(e).long_range == pytest.approx(share)


def test_both_pages_give_the_same_largest_gradient_and_number_of_steps() -> None:
    e = EXPLODING.base
    told = tell(e, consequence(e))
    why = run_view._why(e, train(e, UPDATES).state.history.columns, gradient_flow(e).decades)
    (largest,) = re.findall(r"The largest gradient before that: ((?:\d(?:\.\d)?·)?10[⁰¹²³⁴⁵⁶⁷⁸⁹]+)\.", told)
    assert f"weights had norm {largest} (" in why
    assert "over 39 steps" in why


@pytest.mark.parametrize(("problem", "gain", "length"), [(VANISHING, 0.3, 50), (EXPLODING, 1.0, 100)])
def test_the_factor_a_step_is_the_gradients_own(problem: Problem, gain: float, length: int) -> None:
    flow = gradient_flow(replace(problem.base, gain=gain, seq_len=length))
    size = flow.per_output[-1]
    factor = (size[0] / size[-1]) ** (1 / (length - 1))
    assert f"multiplies the error by {factor:.2g} on average" in idea(flow.decades, length - 1, flow.verdict)


def test_shares_read_as_people_write_them() -> None:
    told = [arrival(np.log10(part)) for part in (2.5e-4, 0.0025, 0.3, 1.5, 4e7)]
    reaches = "of the last output's error reaches step 1."
    grown = "times as large when it reaches step 1."
    assert told == [
        f"Only 2.5·10⁻⁴ {reaches}",
        f"Only 0.2% {reaches}",
        f"30.0% {reaches}",
        f"The last output's error is 1.5 {grown}",
        f"The last output's error is 4·10⁷ {grown}",
    ]
    assert arrival(-np.inf) == f"None {reaches}"
    for overflowed in (np.inf, np.nan):
        assert arrival(overflowed) == "The last output's error overflows before it reaches step 1."


def test_the_words_follow_the_outcome() -> None:
    e, learned = Experiment(seq_len=5), Consequence(300, 1.0, 2.0, "", 0.02, 0.3)
    assert "It learns." in tell(e, learned)
    assert "It learns anyway." in tell(replace(e, init="small-normal"), learned)
    assert "Before training, 30% of the gradient of W<sub>hh</sub> came from" in tell(e, learned)
    assert "Before training, only 2·10⁻⁹ of the gradient" in tell(e, replace(learned, long_range=2e-9))
    assert "Training it for 300 updates" in tell(e, None)


@pytest.mark.parametrize("length", [5, 100])
@pytest.mark.parametrize("problem", [VANISHING, EXPLODING], ids=lambda problem: problem.name)
def test_the_ends_of_both_sliders_are_legal(problem: Any, length: int) -> None:
    for gain in problem.gains:
        assert len(gradient_flow(replace(problem.base, seq_len=length, gain=gain)).total) == length


# The scenarios on the home page


def test_a_card_says_how_many_seeds_kept_the_promise_and_to_the_end_if_fewer() -> None:
    text = said(open_page("home"))
    for name, preset in PRESETS.items():
        counts = preset.measured
        assert counts is not None
        kept, end = counts.kept.count, counts.solved_at_end.count
        words = {"solved": "solved it", "stuck": "ended at chance", "diverged": "diverged"}[preset.outcome]
        later = f", {end} still at the end" if preset.outcome == "solved" and end < kept else ""
        assert f">{kept} of {counts.kept.seeds} seeds {words}{later}<" in text, name


# The teacher's page


def address(tab: AppTest) -> tuple[str, dict[str, str]]:
    parts = urlsplit(tab.code[0].value)
    return parts.path, dict(parse_qsl(parts.query))


def test_the_link_carries_page_experiment_seed_and_view() -> None:
    tab = open_page("teach")
    tab.selectbox(key="link_page").set_value("laboratory")
    tab.selectbox(key="link_start").set_value("vanishing")
    look(tab)
    tab.number_input(key="link_seed_vanishing").set_value(7)
    tab.multiselect(key="link_hidden").set_value(["run", "start"])
    tab.toggle(key="link_projector").set_value(True)
    path, params = address(look(tab))
    assert path == "/laboratory"
    view, unclear = read_view(params)
    assert (view.projector, view.hidden, unclear) == (True, frozenset({"run", "start"}), [])
    own = {name: value for name, value in params.items() if not of_view(name)}
    opened = from_params(own).experiment
    assert opened.seed == 7
    assert to_params(opened) | {"seed": ""} == to_params(PRESETS["vanishing"].experiment) | {"seed": ""}


def test_a_lesson_opens_on_the_lessons_page() -> None:
    if not LESSONS:
        pytest.skip("there are no lessons")
    tab = open_page("teach")
    tab.selectbox(key="link_lesson").set_value(next(iter(LESSONS)))
    path, params = address(look(tab))
    assert path == "/lessons"
    assert params["lesson"] == next(iter(LESSONS))


def test_the_worksheet_asks_about_the_updates_of_the_chosen_scenario() -> None:
    tab = open_page("teach")
    for name, preset in PRESETS.items():
        tab.selectbox(key="link_start").set_value(name)
        look(tab)
        assert tab.selectbox(key=f"sheet_updates_{preset.steps}").value == preset.steps
    assert [button.label for button in tab.get("download_button")] == ["Worksheet (.html)", "Worksheet (.md)"]
    tab.selectbox(key="link_lesson").set_value(next(iter(LESSONS)))
    assert not look(tab).get("download_button"), "a lesson has its own"


@pytest.mark.parametrize("group", HIDEABLE)
def test_a_hidden_control_is_gone_and_every_result_is_still_there(group: str) -> None:
    everything = open_page("playground")
    tab = open_page("playground", hide=group)
    missing = {"scenario": "scenario", "problem": "choose_task", "start": "choose_init"} | {
        "learning": "choose_learning_rate", "network": "choose_hidden_size", "run": "reset",
    }  # fmt: skip
    kinds = ("selectbox", "select_slider", "number_input", "button")
    keys = {widget.key for kind in kinds for widget in tab.get(kind)}
    assert missing[group] not in keys
    assert "play" in keys
    assert set(figures(tab)) == set(figures(everything))


def test_the_plan_fills_a_class_of_45_minutes() -> None:
    assert sum(part.minutes for part in PLAN) == 45
    assert {part.page for part in PLAN} <= set(ENTRIES)
    tab = open_page("teach")
    tab.button_group(key="teach").set_value("45-minute lesson plan")
    assert len(look(tab).table[0].value) == len(PLAN)
    tab.button_group(key="teach").set_value("What students get wrong")
    assert "spectral radius" in said(look(tab))


def test_what_students_are_told_is_true() -> None:
    driven = Experiment(seq_len=50, init="orthogonal", gain=1.5, noise=2.0)
    W_hh = driven.init(driven.rng("weights")).layers[0].W_hh
    assert spectrum(W_hh).rho == pytest.approx(1.5)
    assert gradient_flow(driven).verdict == "vanishing", "a radius of 1.5, and still it vanishes"
    silent = [decades(bench) for bench in over_seeds(Bench(gain=3.0), 20)]
    assert np.ptp(silent) > 20, "one seed proves nothing"


# The glossary


def test_every_group_shows_all_its_terms() -> None:
    tab = open_page("glossary")
    for group in GROUPS:
        tab.button_group(key="glossary_group").set_value(group)
        text = said(look(tab))
        for term in TERMS.values():
            entry = with_indices(f"<b>{term.symbol}</b> · {term.name}<br>{term.meaning}")
            assert (entry in text) == (term.group == group)


def test_search_knows_greek_letters_by_their_names() -> None:
    assert [term.symbol for term in search("rho")][:1] == ["ρ"]
    assert any(term.name == "clipping threshold" for term in search("clip"))
    tab = open_page("glossary")
    tab.text_input(key="search").set_value("zzz")
    assert "No symbol or word" in said(look(tab))


def test_indices_stand_lower_and_hints_are_one_line() -> None:
    assert with_indices("A = W_xh of h_t") == "A = W<sub>xh</sub> of h<sub>t</sub>"
    assert explain("ρ").startswith("spectral radius: ")
    e = Experiment()
    I, H, O = 4, e.hidden_size, 4  # noqa: E741
    assert e.init(e.rng("weights")).count == I * H + H**2 + H + H * O + O, "the formula of P"


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://127.0.0.1:8501/lessons?T=5", True),
        ("http://localhost:8501/", True),
        ("http://[::1]:8501/", True),
        ("https://rnnviz.example.org/lessons", False),
        ("http://192.168.0.7:8501/", False),
    ],
)
def test_a_link_that_only_this_computer_can_open_is_known(address: str, local: bool) -> None:
    assert is_local(address) is local
