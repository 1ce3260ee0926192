"""Every scenario keeps its promise; over many seeds: test_measured.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from rnnviz import PRESETS, TASKS, TOPOLOGIES, Experiment, Preset, Run, gradient_flow, start, train
from rnnviz.ui.run_panel import SPEEDS
from tests.ahead import TrainedAhead

SEEDS = range(5)
AT_FIRST = {
    "short-memory": "healthy",
    "vanishing": "vanishing",
    "orthogonal": "healthy",
    "exploding": "exploding",
    "clipping": "exploding",
    "adding": "healthy",
    "echo": "healthy",
    "no-memory": "healthy",
    "reverse": "healthy",
}
"""What the timeline says of a scenario before it trains, where the scenario is about that."""


RUNS = TrainedAhead(
    (preset.experiment, preset.steps, preset.outcome == "solved") for preset in PRESETS.values()
)


@pytest.fixture(scope="module", autouse=True)
def _stop_the_pool() -> Iterator[None]:
    yield
    RUNS.end()


def verdicts(preset: Preset) -> list[str]:
    return [gradient_flow(replace(preset.experiment, seed=seed)).verdict for seed in SEEDS]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_the_run_that_opens_keeps_the_promise(preset: Preset) -> None:
    run = RUNS(preset.experiment, preset.steps, preset.outcome == "solved")
    assert preset.kept_by(run), f"metric {run.metric:.3g} after {run.state.step} steps; {run.divergence}"


@pytest.mark.parametrize(("name", "verdict"), AT_FIRST.items())
def test_the_first_picture_shows_what_the_scenario_is_about(name: str, verdict: str) -> None:
    assert verdicts(PRESETS[name]) == [verdict] * len(SEEDS)


def test_the_key_is_the_name() -> None:
    assert all(name == preset.name for name, preset in PRESETS.items())


def test_every_topology_has_a_scenario() -> None:
    assert {preset.experiment.topology for preset in PRESETS.values()} == set(TOPOLOGIES)


def test_no_two_scenarios_are_the_same_experiment() -> None:
    assert len({preset.experiment for preset in PRESETS.values()}) == len(PRESETS)
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_scenario_can_be_shown(preset: Preset) -> None:
    assert preset.outcome in ("solved", "stuck", "diverged")
    assert preset.speed in SPEEDS.values()
    assert re.fullmatch(r"[A-Z].*[.]", preset.promise), "a promise is a sentence"
    assert len(preset.promise) <= 120, "it must fit on one line beside its title"
    assert preset.experiment.seed == 0


# What the promises say


def test_the_numbers_in_the_promises_are_those_of_the_experiments() -> None:
    e = {name: preset.experiment for name, preset in PRESETS.items()}
    facts = {
        "short-memory": ("Five steps", e["short-memory"].seq_len == 5),
        "vanishing": ("fifty steps", e["vanishing"].seq_len == 50),
        "orthogonal": ("fifty steps", e["orthogonal"].seq_len == 50),
        "exploding": ("ReLU with gain 2", (e["exploding"].activation, e["exploding"].gain) == ("relu", 2.0)),
        "clipping": ("clipped at 1", e["clipping"].clip_norm == 1.0),
        "adding": ("Two marked numbers", e["adding"].init == "identity"),
        "echo": ("ten steps", e["echo"].delay == 10),
        "waves": ("one, two or three waves", e["waves"].task == "waves"),
        "no-memory": ("a single step", e["no-memory"].seq_len == 1),
        "reverse": ("Three symbols", e["reverse"].items == 3),
    }
    assert set(facts) == set(PRESETS)
    for name, (words, true) in facts.items():
        assert words in PRESETS[name].promise
        assert true, f"{name!r} promises {words!r}"


def differences(a: Experiment, b: Experiment) -> set[str]:
    return {name for name, value in vars(a).items() if value != vars(b)[name]}


@pytest.mark.parametrize(
    ("name", "other", "what"),
    [
        ("orthogonal", "vanishing", {"init"}),
        ("orthogonal", "short-memory", {"seq_len"}),
        ("clipping", "exploding", {"clip_norm"}),
    ],
)
def test_a_rescue_changes_one_thing_only(name: str, other: str, what: set[str]) -> None:
    assert differences(PRESETS[name].experiment, PRESETS[other].experiment) == what


@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_updates_without_clipping_are_enough_to_overflow(seed: int) -> None:
    assert "one or two updates" in PRESETS["exploding"].promise
    run = train(replace(PRESETS["exploding"].experiment, seed=seed), 5)
    assert run.divergence is not None
    assert 1 <= run.divergence.step <= 2


def test_a_scenarios_record_says_what_was_measured() -> None:
    solved, diverged = PRESETS["orthogonal"], PRESETS["exploding"]
    assert solved.measured is not None
    assert f"within 300 updates: {solved.measured.solved}" in solved.record
    assert f"at the end: {solved.measured.solved_at_end}." in solved.record
    assert "after 1 update in" in diverged.record


# How a promise is judged


def test_a_promise_that_was_not_kept_is_seen() -> None:
    def judged(preset: str, run: Run) -> bool:
        return PRESETS[preset].kept_by(run)

    untrained = Run(PRESETS["orthogonal"].experiment, start(PRESETS["orthogonal"].experiment))
    solved = train(PRESETS["short-memory"].experiment, 300, until_solved=True)
    diverged = train(PRESETS["exploding"].experiment, 5)
    assert not judged("orthogonal", untrained)
    assert not judged("exploding", untrained)
    assert not judged("vanishing", solved)
    assert not judged("exploding", solved)
    assert not judged("clipping", diverged)
    assert not judged("vanishing", diverged)
    assert np.isnan(diverged.metric) or not TASKS["sine"].metric.reached(diverged.metric, TASKS["sine"].goal)
