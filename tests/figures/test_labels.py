"""Labels inside figures: no line strikes through them, and numbers in hover labels look like all others."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.analysis.decay_factors import decay_factors
from rnnviz.figures.curves import decay_factors_spec
from rnnviz.figures.labels import Panel, Spot, beside_level
from rnnviz.figures.progress import Progress, progress_spec
from rnnviz.figures.theme import LIGHT, Spec
from rnnviz.teaching.numbers import plain, plain_all

FIGURES = Path(__file__).parents[2] / "rnnviz" / "figures"


def panel(*lines: tuple[list[float], list[float]]) -> Panel:
    return Panel((0, 100), (0, 1), 200, 100, [(np.array(x), np.array(y)) for x, y in lines])


def test_a_label_takes_the_first_place_that_no_line_crosses() -> None:
    level = ([0.0, 100.0], [0.25, 0.25])
    spots = beside_level(panel(), 0.25, above=True)
    assert panel(level).label(LIGHT, "chance", spots, 10, LIGHT.faint)["yanchor"] == "bottom"
    noise = ([60.0, 80.0, 100.0], [0.3, 0.31, 0.3])
    assert panel(level, noise).label(LIGHT, "chance", spots, 10, LIGHT.faint)["yanchor"] == "top"
    upright = ([92.0, 92.0], [0.0, 1.0])
    assert panel(level, upright).label(LIGHT, "chance", spots, 10, LIGHT.faint)["xanchor"] == "left"


def test_a_line_that_ends_before_a_label_or_has_a_gap_there_does_not_cross_it() -> None:
    right = Spot(100, 0.5, "right", "middle")
    other = Spot(0, 0.5, "left", "middle")
    gap = ([0.0, 40.0, 90.0, 100.0], [0.5, 0.5, np.nan, 0.9])
    assert panel(gap).label(LIGHT, "text", [other, right], 10, LIGHT.ink)["xanchor"] == "right"


def test_labels_do_not_cover_each_other_and_hide_lines_behind_them() -> None:
    room, spots = panel(), [Spot(0, 0.5, "left", "middle"), Spot(100, 0.5, "right", "middle")]
    first, second = (room.label(LIGHT, name, spots, 10, LIGHT.ink) for name in ("one", "two"))
    assert (first["xanchor"], second["xanchor"]) == ("left", "right")
    assert first["bgcolor"] == LIGHT.panel


def notes(spec: Spec) -> dict[str, Spec]:
    return {note["text"].split(":")[0]: note for note in spec["layout"]["annotations"]}


@pytest.mark.parametrize("accuracy", [True, False])
def test_solved_stands_where_the_metric_does_not_pass(accuracy: bool) -> None:
    steps = np.arange(0.0, 101.0)
    metric = np.where(steps < 4, 0.25, 1.0) if accuracy else np.where(steps < 4, 0.2, 0.01)
    view = Progress(
        steps, metric, metric, 1.0, 0.25, "guessing", "chance", "loss", "metric", accuracy, solved_at=4
    )
    found = notes(progress_spec(view))
    assert found["solved"]["y"] == (0.0 if accuracy else 1.6 * 0.25), "at the bottom, or at the top"
    assert found["solved"]["bgcolor"] == found["chance"]["bgcolor"] == LIGHT.panel


def test_where_both_factors_coincide_with_their_product_all_lines_are_seen() -> None:
    drawn = decay_factors_spec(decay_factors(Experiment(seq_len=8, activation="linear")))["data"]
    lines = [trace for trace in drawn if trace["type"] == "scatter"]
    assert [trace["line"].get("dash", "solid") for trace in lines] == ["solid", "dash", "dot"]
    assert lines[0]["line"]["width"] > 2 * lines[1]["line"]["width"], "the solid one is beneath, and wider"


def test_numbers_in_hover_labels_are_not_in_plotlys_own_notation() -> None:
    own = re.compile(r"%\{+\w+:[^}]*[eg]\}|%\{+[yz]\}+<extra>")
    found = {path.name: own.findall(path.read_text(encoding="utf-8")) for path in FIGURES.rglob("*.py")}
    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_many_numbers_are_written_as_each_alone(digits: int) -> None:
    rng = np.random.default_rng(0)
    values = np.r_[
        rng.choice([-1, 1], 3000) * 10.0 ** rng.uniform(-320, 300, 3000),
        rng.normal(size=3000), 0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 0.9995, 9999.5, 1e4, 0.001,
    ]  # fmt: skip
    table = values.reshape(2, -1)
    expected = [plain(float(value), digits) for value in values]
    assert plain_all(table, digits).ravel().tolist() == expected
    assert plain_all(np.empty(0)).size == 0
