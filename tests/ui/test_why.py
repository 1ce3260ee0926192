"""Who can do what without a memory: the outcomes, their picture, and the page that shows both live."""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

from rnnviz import TASKS, Experiment, start, take_snapshot, train
from rnnviz.experiment.links import from_params
from rnnviz.figures import DARK, LIGHT, Theme
from rnnviz.figures.contest import LABEL_GAP, Contest, Trained, contest, contest_spec
from rnnviz.figures.contest_pictures import record
from rnnviz.figures.unrolled import Unrolled, unrolled, unrolled_spec
from rnnviz.teaching.contest import ROUNDS, RUNNERS, STEPS, parity_bound
from rnnviz.teaching.measured import FIRST_SEED, MEASURED
from rnnviz.teaching.measured import SEEDS as SEEDS_MEASURED
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_registry import RunKey
from tests.ahead import TrainedAhead
from tests.visitor import Tab, drawn_by_a_worker, train_here

SEEDS = range(3)
themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


RUNS = TrainedAhead(
    (replace(chosen.runner(cell), seed=seed), STEPS, False)
    for chosen in ROUNDS.values()
    for seed in SEEDS
    for cell in RUNNERS
)


def metrics(task: str, seed: int) -> dict[str, float]:
    """Both networks' held-out metric at the end of a round."""
    chosen = ROUNDS[task]
    return {cell: RUNS(replace(chosen.runner(cell), seed=seed), STEPS).metric for cell in RUNNERS}


# The outcomes that the page speaks of


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("task", ["recall", "echo"])
def test_without_memory_a_symbol_of_the_past_is_a_guess(task: str, seed: int) -> None:
    reached = metrics(task, seed)
    assert reached["feed-forward"] == pytest.approx(0.25, abs=0.05)
    assert reached["vanilla"] == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_without_memory_parity_stays_at_its_bound(seed: int) -> None:
    reached = metrics("parity", seed)
    assert reached["feed-forward"] == pytest.approx(9 / 16, abs=0.02), "two and a half standard errors"
    assert reached["vanilla"] > 0.97


@pytest.mark.parametrize("seed", SEEDS)
def test_without_memory_next_year_is_like_this_year(seed: int) -> None:
    reached = metrics("sunspots", seed)
    naive = TASKS["sunspots"].chance(ROUNDS["sunspots"].experiment)
    assert reached["feed-forward"] == pytest.approx(naive, rel=0.03)
    assert reached["vanilla"] < 0.75 * naive


@pytest.mark.parametrize("seed", SEEDS)
def test_without_memory_one_letter_follows_the_first(seed: int) -> None:
    reached, bound = metrics("captions", seed), ROUNDS["captions"].bound
    assert bound is not None
    assert bound - 0.05 < reached["feed-forward"] <= bound
    assert reached["vanilla"] > 0.9
    e = ROUNDS["captions"].runner("feed-forward")
    answers = take_snapshot(e, train(e, 50).params, 50).outputs[1:].argmax(axis=-1)
    assert len(set(answers.ravel().tolist())) == 1


def test_no_caption_without_memory_exceeds_the_bound() -> None:
    """Every letter after the first step, for every held-out image; the first is right at most."""
    e = ROUNDS["captions"].experiment
    targets = TASKS["captions"].held_out(e).targets
    shares = [
        np.vstack([targets[:1] == targets[:1], targets[1:] == letter]).mean()
        for letter in range(targets.max() + 1)
    ]
    assert max(shares) == ROUNDS["captions"].bound


@pytest.mark.parametrize("seed", SEEDS)
def test_a_memory_does_not_improve_a_forecast_from_last_years_growth(seed: int) -> None:
    reached = metrics("series", seed)
    assert reached["vanilla"] > 0.97 * reached["feed-forward"]
    assert reached["feed-forward"] < 0.5 * TASKS["series"].chance(ROUNDS["series"].experiment)


@pytest.mark.parametrize("seed", SEEDS)
def test_where_there_is_no_past_both_are_the_same_network(seed: int) -> None:
    reached = metrics("digits", seed)
    assert reached["feed-forward"] == reached["vanilla"]
    assert reached["vanilla"] >= 0.9
    e = replace(ROUNDS["digits"].experiment, seed=seed)
    first, trained = e.init(e.rng("weights")), train(e, 50).params
    np.testing.assert_array_equal(trained.layers[0].W_hh, first.layers[0].W_hh, "W_hh is never used")


@pytest.mark.parametrize("task", ROUNDS)
def test_the_two_differ_by_the_recurrent_weights_and_nothing_else(task: str) -> None:
    plain, recurrent = (ROUNDS[task].runner(cell) for cell in ("feed-forward", "vanilla"))
    assert replace(plain, cell="vanilla") == recurrent
    counts = [e.init(e.rng("weights")).count for e in (plain, recurrent)]
    assert counts[1] - counts[0] == recurrent.hidden_size**2


@pytest.mark.parametrize("T", [1, 2, 5, 8])
def test_no_answer_from_the_newest_bit_alone_exceeds_the_bound(T: int) -> None:
    """Every rule that maps a bit to an answer, over every sequence of T bits."""
    sequences = np.array(list(itertools.product((0, 1), repeat=T)))
    odd = sequences.cumsum(axis=1) % 2
    best = max(
        float(np.mean(np.array(rule)[sequences] == odd)) for rule in itertools.product((0, 1), repeat=2)
    )
    assert best == pytest.approx(parity_bound(T))


def test_the_words_name_the_experiments_own_numbers() -> None:
    recall, echo, parity = (ROUNDS[task] for task in ("recall", "echo", "parity"))
    assert f"must be named at step {recall.experiment.seq_len}." in recall.needs
    assert f"At step {recall.experiment.seq_len} " in recall.finding
    assert (echo.experiment.delay, "three steps later" in echo.needs) == (3, True)
    assert parity.bound == parity_bound(parity.experiment.seq_len) == 9 / 16
    assert f"9/16 = {parity.bound:.0%}" in parity.finding


# The unrolled networks


def seen(e: Experiment, **look: Any) -> Unrolled:
    return Unrolled.of(e, take_snapshot(e, start(e).params, 0), **look)


def named(spec: dict[str, Any], name: str) -> dict[str, Any]:
    (trace,) = [trace for trace in spec["data"] if trace["name"] == name]
    return dict(trace)


@themes
@pytest.mark.parametrize("task", ROUNDS)
def test_only_the_recurrent_network_has_edges_in_time(task: str, theme: Theme) -> None:
    plain, recurrent = (
        unrolled_spec(seen(ROUNDS[task].runner(c)), theme) for c in ("feed-forward", "vanilla")
    )
    T = ROUNDS[task].experiment.seq_len
    assert len(named(plain, "remembers, done")["x"]) == 0
    drawn = np.reshape(named(recurrent, "remembers, done")["x"], (-1, 4))
    np.testing.assert_array_equal(drawn[:, 0], np.arange(1, T))
    np.testing.assert_array_equal(drawn[:, 2], np.arange(2, T + 1))
    for spec in (plain, recurrent):
        for name in ("reads, done", "writes, done"):
            x = np.reshape(named(spec, name)["x"], (-1, 4))
            np.testing.assert_array_equal(x[:, 0], x[:, 2])


@pytest.mark.parametrize("task", ["recall", "echo", "parity", "digits"])
def test_answers_are_the_networks_own_and_are_marked_rightly(task: str) -> None:
    e = ROUNDS[task].runner("vanilla")
    snapshot = take_snapshot(e, train(e, 60).params, 60)
    view = Unrolled.of(e, snapshot)
    shown = [re.sub(r"<[^>]+>", "", note["text"]) for note in unrolled_spec(view)["layout"]["annotations"]]
    writes = TASKS[e.task].masks(e).write_steps
    answers, targets = snapshot.outputs[writes, 0].argmax(axis=1), snapshot.targets[writes, 0]
    for answer, target, text in zip(answers, targets, shown, strict=False):
        assert text.startswith(TASKS[task].output_label(e, int(answer)))
        assert text.endswith("✓" if answer == target else "✗")


def test_curves_have_no_right_or_wrong() -> None:
    assert seen(ROUNDS["sunspots"].experiment).answers == []


# The chart


def race(task: str, metrics_: tuple[float, float], **changes: Any) -> Contest:
    chosen = ROUNDS[task]
    accuracy = TASKS[task].metric.higher_is_better
    trained = [
        Trained(name, np.array([0.0, 500.0]), np.array([0.3, metric]), STEPS)
        for name, metric in zip(RUNNERS.values(), metrics_, strict=True)
    ]
    made = Contest(
        trained,
        STEPS,
        "held-out",
        accuracy,
        TASKS[task].chance(chosen.experiment),
        "guess",
        TASKS[task].level,
        chosen.bound,
    )
    return replace(made, **changes)


def test_the_newest_measurement_counts_although_no_update_follows_it() -> None:
    e = ROUNDS["recall"].runner("vanilla")
    state = train(e, 100).state
    trained = Trained.of("recurrent", state)
    assert trained.steps[[0, -1]].tolist() == [0, 100]
    assert trained.metric[-1] == trained.newest == state.metric
    assert trained.step == 100
    assert len(set(trained.steps)) == len(trained.steps)
    nothing = Trained.of("recurrent", start(e))
    assert len(nothing.steps) == len(nothing.metric) == 0


@themes
@pytest.mark.parametrize("task", ROUNDS)
def test_chance_and_bound_are_drawn_where_they_are(task: str, theme: Theme) -> None:
    view = race(task, (0.3, 0.9))
    spec = contest_spec(view, theme)
    assert set(named(spec, TASKS[task].level)["y"]) == {view.chance}
    bounds = [trace["y"][0] for trace in spec["data"] if trace["name"] == "bound"]
    assert bounds == ([view.bound] if task in ("parity", "captions") else [])
    contest(view, theme)


@pytest.mark.parametrize("task", ROUNDS)
def test_only_guessing_is_called_chance(task: str) -> None:
    guess = TASKS[task].guess
    view = replace(race(task, (0.3, 0.9)), guess=guess)
    texts = [note["text"] for note in contest_spec(view)["layout"]["annotations"]]
    called = [text.split(":")[0] for text in texts if text.endswith(guess)]
    assert called == ["chance" if guess.startswith("guessing") else "baseline"]


@pytest.mark.parametrize("task", ROUNDS)
def test_the_outcome_ends_with_the_shares_of_other_seeds(task: str) -> None:
    chosen, view = ROUNDS[task], race(task, (0.3, 0.9))
    told = record(chosen, view)
    for cell, claims in chosen.claims.items():
        measured = MEASURED[f"why/{task}/{cell}"]
        assert measured.claims == claims
        share = "all" if measured.kept.count == SEEDS_MEASURED else f"{measured.kept.count} of"
        assert f"with {share} {SEEDS_MEASURED}" in told.lower()
        assert view.in_words(next(iter(claims.values()))) in told
    assert "other seeds" in told
    assert chosen.experiment.seed not in range(FIRST_SEED, FIRST_SEED + SEEDS_MEASURED)


@pytest.mark.parametrize("values", [(0.25, 1.0), (0.9, 0.9), (0.99, 1.0), (0.0, 0.01), (1.0, 0.2)])
def test_labels_at_the_end_name_both_and_do_not_touch(values: tuple[float, float]) -> None:
    notes = contest_spec(race("recall", values))["layout"]["annotations"][-2:]
    texts = [re.sub(r"<[^>]+>", "", note["text"]) for note in notes]
    assert texts == [f"{n} {v:.0%}" for n, v in zip(RUNNERS.values(), values, strict=True)]
    heights = sorted(note["y"] for note in notes)
    assert heights[1] - heights[0] >= LABEL_GAP


def test_curves_are_told_apart_without_colour() -> None:
    spec = contest_spec(race("recall", (0.25, 1.0)))
    dashes = {trace["line"]["dash"] for trace in spec["data"]}
    assert len(dashes) == len(spec["data"])


def test_before_training_there_is_only_chance() -> None:
    e = ROUNDS["recall"].experiment
    waiting = [Trained.of(name, start(e)) for name in RUNNERS.values()]
    spec = contest_spec(race("recall", (0.0, 0.0), trained=waiting))
    assert len(spec["layout"]["annotations"]) == 2, "the heading and chance"


def test_the_pictures_are_plotly_figures() -> None:
    assert unrolled(seen(ROUNDS["recall"].experiment)).data
    assert contest(race("parity", (0.57, 1.0))).data


# The page


@pytest.fixture(scope="module", autouse=True)
def _stop_the_pool() -> Iterator[None]:
    yield
    RUNS.end()


class Visitor(Tab):
    """One visitor of the page."""

    def __init__(self, page: str = "why", **params: str) -> None:
        super().__init__(page, **params)

    def choose(self, task: str) -> None:
        self.widget("button_group", "contest_task").set_value(task)
        self.look()

    def wait(self, condition: Callable[[], bool]) -> None:
        self.look_until(condition, seconds=60)
        self.look()

    @property
    def words(self) -> str:
        """All text of the page and below its figures, without markup."""
        parts = [*self.texts, *[figure["footer"] for figure in self.figures.values()]]
        plain = re.sub(r"<style.*?</style>|<[^>]+>", "", " ".join(parts), flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(plain))

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        return {name: json.loads(message) for name, message in self.messages.items()}

    @property
    def contest(self) -> dict[str, LiveRun]:
        return {cell: self.session.runs[RunKey("contest", cell)] for cell in RUNNERS}

    @property
    def steps(self) -> list[int]:
        return [run.state.step for run in self.contest.values()]


def test_the_page_opens_with_both_networks_before_training() -> None:
    visitor = Visitor()
    assert list(visitor.figures) == ["contest_feed-forward", "contest_vanilla", "contest_progress"]
    assert "sees only the current input" in visitor.words
    assert "292 parameters" in visitor.words
    assert "292 + 32 × 32 = 1,316 parameters" in visitor.words
    assert "Press Play" in visitor.words
    assert not [link for link in visitor.tab.get("page_link") if "Try next" in link.proto.label]
    assert "no step receives the previous state" in visitor.figures["contest_feed-forward"]["label"]
    assert "every step receives the previous state" in visitor.figures["contest_vanilla"]["label"]


@pytest.mark.parametrize("task", ROUNDS)
def test_every_round_is_played_to_its_end_and_says_what_it_means(task: str) -> None:
    visitor = Visitor()
    if task != "recall":
        visitor.choose(task)
    for run in visitor.contest.values():
        run.speed = None  # without a browser there is nothing to watch
    visitor.press("contest_play")
    assert visitor.tab.button(key="contest_play").label in ("Pause", "Play again")
    visitor.wait(lambda: visitor.steps == [STEPS, STEPS])
    assert visitor.tab.button(key="contest_play").label == "Play again"
    for cell, run in visitor.contest.items():
        expected = RUNS(ROUNDS[task].runner(cell), STEPS).metric
        assert run.state.metric == expected
        shown = f"{expected:.0%}" if TASKS[task].metric.higher_is_better else f"{expected:.1f}"
        assert shown in visitor.words
    assert f"After {STEPS} updates" in visitor.words
    assert ROUNDS[task].finding in visitor.words
    further = ROUNDS[task].next_experiment
    (link,) = [link for link in visitor.tab.get("page_link") if "Try next" in link.proto.label]
    assert from_params(dict(parse_qsl(link.proto.query_string))).experiment == further
    assert further != ROUNDS[task].experiment
    drawn = {trace["name"]: trace for trace in visitor.figures["contest_progress"]["data"]}
    for name, run in zip(RUNNERS.values(), visitor.contest.values(), strict=True):
        last = np.frombuffer(base64.b64decode(drawn[name.lower()]["y"]["bdata"]))[-1]
        assert last == run.state.metric


@pytest.mark.parametrize("task", ROUNDS)
def test_a_worker_draws_what_the_page_draws(task: str) -> None:
    visitor = Visitor()
    if task != "recall":
        visitor.choose(task)
    for steps, run in zip((12, 11), visitor.contest.values(), strict=True):
        train_here(run, steps)
    visitor.look()
    plain, recurrent = (drawn_by_a_worker(run) for run in visitor.contest.values())
    assert plain.keys() == {"contest_feed-forward", "contest_progress"}
    assert recurrent.keys() == {"contest_vanilla"}, "only one of them draws both: it never goes back"
    assert plain | recurrent == visitor.messages
    assert "After 11 updates" in visitor.words


def test_when_one_has_ended_the_other_draws_both() -> None:
    visitor = Visitor()
    first, second = visitor.contest.values()
    first.until = 3
    visitor.press("contest_play")
    visitor.wait(lambda: first.ended)
    assert second.playing
    assert list(first.pictures.due(every=True)) == ["contest_feed-forward"]
    assert sorted(second.pictures.due(every=True)) == ["contest_progress", "contest_vanilla"]
    visitor.press("contest_play")


def test_the_outcome_is_told_to_who_cannot_see_it_when_it_is_known() -> None:
    visitor = Visitor()
    assert visitor.figures["contest_progress"]["status"] == ""
    for run in visitor.contest.values():
        train_here(run, STEPS)
    visitor.look()
    told = visitor.figures["contest_progress"]["status"]
    assert told.startswith(f"After {STEPS} updates")
    assert ROUNDS["recall"].finding in told
    assert "With all 100 other seeds" in told


def test_why_a_network_cannot_train_is_told() -> None:
    visitor = Visitor()
    next(iter(visitor.contest.values())).problem = "Training stopped: <b>no memory</b>"
    visitor.look()
    assert "Training stopped: <b>no memory</b>" in visitor.words
    assert "<b>no memory</b>" not in visitor.html


def test_pause_goes_on_and_reset_goes_back() -> None:
    visitor = Visitor()
    visitor.press("contest_play")
    visitor.wait(lambda: min(visitor.steps) >= 3)
    visitor.press("contest_play")
    time.sleep(0.3)
    visitor.look()
    paused = visitor.steps
    assert "Press Play" not in visitor.words
    assert ROUNDS["recall"].finding not in visitor.words, "nothing is claimed before the end"
    time.sleep(0.3)
    visitor.look()
    assert visitor.steps == paused
    visitor.press("contest_play")
    visitor.wait(lambda: min(visitor.steps) > max(paused))
    visitor.press("contest_reset")
    assert visitor.steps == [0, 0]
    assert not any(run.playing for run in visitor.contest.values())


def test_play_again_starts_from_the_beginning() -> None:
    visitor = Visitor()
    for run in visitor.contest.values():
        run.until = 5
    visitor.press("contest_play")
    visitor.wait(lambda: visitor.steps == [5, 5])
    visitor.press("contest_play")
    assert max(visitor.steps) < STEPS
    assert all(run.until == STEPS for run in visitor.contest.values())
    assert all(run.playing for run in visitor.contest.values())
    visitor.press("contest_play")


def test_another_problem_pauses_the_one_before() -> None:
    visitor = Visitor()
    visitor.press("contest_play")
    before = list(visitor.contest.values())
    visitor.choose("echo")
    assert not any(run.playing for run in before)
    assert {run.experiment.task for run in visitor.contest.values()} == {"echo"}
    assert visitor.steps == [0, 0]
    assert ROUNDS["echo"].needs in visitor.words


def test_the_contest_leaves_the_visitors_own_experiment_alone() -> None:
    visitor = Visitor(T="33", seed="4")
    visitor.press("contest_play")
    assert visitor.session.experiment == Experiment(seq_len=33, seed=4)
    visitor.press("contest_play")


# A network without recurrence in the playground


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"task": "echo", "T": "12", "delay": "3", "layers": "2"},
        {"task": "digits"},
        {"task": "sine", "T": "30", "feedback": "true"},
    ],
    ids=["recall", "echo", "digits", "sine with feedback"],
)
def test_the_playground_shows_a_network_without_recurrence_as_it_is(params: dict[str, str]) -> None:
    visitor = Visitor("playground", cell="feed-forward", **params)
    assert visitor.session.experiment.cell == "feed-forward"
    visitor.press("step")
    visitor.wait(lambda: not visitor.session.run.playing)
    timeline = visitor.figures["timeline"]
    assert not [trace for trace in timeline["data"] if trace["name"].startswith("B = W_hh")]
    rows = " ".join(timeline["layout"]["yaxis"]["ticktext"])
    assert ">B<" not in rows
    assert "no recurrence" in timeline["layout"]["annotations"][0]["text"]
    assert "ρ" not in timeline["caption"]
    assert "verdict" not in timeline["caption"]
    assert visitor.session.run.state.step == 1


def test_the_playgrounds_curve_without_recurrence_is_exactly_zero_before_the_output() -> None:
    visitor = Visitor("playground", cell="feed-forward", T="7")
    (zeros,) = [t for t in visitor.figures["timeline"]["data"] if t["name"] == "exactly 0"]
    assert np.frombuffer(base64.b64decode(zeros["x"]["bdata"])).tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "instrument",
    ["compare", "causes", "contributions", "spectrum", "directions", "lyapunov", "training"],
)
def test_the_laboratory_stands_without_recurrence(instrument: str) -> None:
    visitor = Visitor("laboratory", cell="feed-forward", T="12")
    visitor.tab.button_group(key="instrument").set_value(instrument)
    visitor.look()
    told = [element.value for element in visitor.tab.markdown] + visitor.notes
    assert told
    assert "nan" not in " ".join(told).lower()
