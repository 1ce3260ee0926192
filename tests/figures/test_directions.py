"""The figures of singular values over time and of Lyapunov exponents, by the data that they draw."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz import Experiment, figures, gradient_flow, lyapunov_exponents, state_jacobians, train
from rnnviz.analysis.jacobians import StateJacobians
from rnnviz.analysis.lyapunov import LyapunovExponents
from rnnviz.figures import DARK, LIGHT, Theme
from rnnviz.figures.directions import DEEPEST, directions_spec, lyapunov_spec, power_text

CASES = {
    "glorot": Experiment(seq_len=50, init="glorot"),
    "LSTM": Experiment(seq_len=30, cell="lstm"),
    "LRU": Experiment(seq_len=30, cell="lru"),
    "ReLU": Experiment(seq_len=30, activation="relu", init="he"),
    "gain 0": Experiment(seq_len=8, init="scaled-gaussian", gain=0.0),
    "T = 200": Experiment(seq_len=200, init="small-normal"),
    "many outputs": Experiment(task="echo", topology="many-to-many", seq_len=12, delay=3, layers=2),
    "two steps": Experiment(seq_len=2),
}
themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def traces_of(spec: dict[str, Any]) -> dict[str, Any]:
    return {trace["name"]: trace for trace in spec["data"]}


def words_of(spec: dict[str, Any]) -> str:
    return re.sub("<[^>]*>", "", " | ".join(note["text"] for note in spec["layout"]["annotations"]))


@themes
@pytest.mark.parametrize("name", CASES)
def test_directions_draw_what_was_measured(name: str, theme: Theme) -> None:
    e = CASES[name]
    found, norm = state_jacobians(e), gradient_flow(e).per_output[-1]
    spec = directions_spec(found, norm, theme)
    assert go.Figure(spec).to_json() == figures.directions(found, norm, theme).to_json()
    traces = traces_of(spec)
    there = np.isfinite(found.powers[:, 0])
    np.testing.assert_array_equal(traces["largest"]["y"][there], found.powers[there, 0])
    np.testing.assert_array_equal(traces["directions left"]["y"], found.within)
    assert f"how many of {found.powers.shape[1]} lie within it" in words_of(spec)
    low, high = spec["layout"]["yaxis"]["range"]
    assert found.powers.max() < high
    assert np.all(found.powers[there, 0] > low), "the largest is within the panel"
    fan = traces["each singular value"]["y"].reshape(found.powers.shape[1] - 1, -1)[:, :-1].T
    seen = found.powers[:, 1:] >= low
    np.testing.assert_array_equal(fan[seen], found.powers[:, 1:][seen])
    drawn = traces["norm"]["y"][norm > 0]
    np.testing.assert_array_equal(drawn, norm[norm > 0])
    assert traces["norm"]["xaxis"] == "x3"


def test_the_band_of_two_decades_keeps_its_width() -> None:
    deep = directions_spec(state_jacobians(CASES["LSTM"]), np.ones(30))
    low, high = deep["layout"]["yaxis"]["range"]
    assert high - low < DEEPEST + 15, "though singular values go down to 1e-90"
    traces = traces_of(deep)
    band = traces["within a hundredth"]["y"] - traces["band, lower end"]["y"]
    np.testing.assert_allclose(band, 2.0)


def test_where_nothing_gets_back_a_mark_says_so() -> None:
    found = state_jacobians(CASES["gain 0"])
    traces = traces_of(directions_spec(found, gradient_flow(CASES["gain 0"]).per_output[-1]))
    assert list(traces["exactly 0"]["x"]) == [1, 2, 3, 4, 5, 6, 7]
    assert np.isnan(traces["largest"]["y"][:-1]).all()


def test_powers_of_ten_beyond_floating_point_can_be_written() -> None:
    assert [power_text(p) for p in (-2.0, -330.4, -np.inf)] == ["0.010", "10⁻³³⁰", "0"]
    beyond = StateJacobians(np.array([1, 2]), np.array([[-400.0, -500.0], [0.0, 0.0]]))
    assert (
        "10⁻⁴⁰⁰, median 10⁻⁴⁵⁰" in traces_of(directions_spec(beyond, np.ones(2)))["largest"]["customdata"][0]
    )


@themes
@pytest.mark.parametrize("name", CASES)
def test_lyapunov_exponents_are_drawn_sorted_about_zero(name: str, theme: Theme) -> None:
    e = CASES[name]
    now = lyapunov_exponents(e, train(e, 2).params, steps=40, transient=10)
    before = lyapunov_exponents(e, steps=40, transient=10)
    spec = lyapunov_spec(now, before, theme)
    assert go.Figure(spec).to_json() == figures.lyapunov(now, before, theme).to_json()
    traces = traces_of(spec)
    low, high = spec["layout"]["yaxis"]["range"]
    assert low < 0.0 < high, "the line at zero is seen"
    for title, found in (("now", now), ("before training", before)):
        there = np.isfinite(found.exponents)
        np.testing.assert_array_equal(traces[title]["y"], found.exponents[there])
        np.testing.assert_array_equal(traces[title]["error_y"]["array"], found.error[there])
        assert (f"−∞, {title}" in traces) == (not there.all())
        assert np.all((traces[title]["y"] > low) & (traces[title]["y"] < high))
    assert spec["layout"]["showlegend"]
    assert not lyapunov_spec(now)["layout"]["showlegend"]


def test_an_exponent_of_minus_infinity_has_a_mark_and_a_key() -> None:
    found = LyapunovExponents(np.array([0.5, -np.inf]), np.array([0.1, 0.0]), 500, 2)
    spec = lyapunov_spec(found)
    assert list(traces_of(spec)["−∞, now"]["x"]) == [2]
    assert "▼ −∞" in words_of(spec)
    assert "0.500 ± 0.10: ×1.65 a step" in traces_of(spec)["now"]["customdata"][0]
    assert "∞" not in words_of(lyapunov_spec(LyapunovExponents(found.exponents[:1], found.error[:1], 500, 1)))
