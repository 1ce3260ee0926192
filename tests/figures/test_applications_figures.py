"""Figures of the applications: passages, verdicts, letters and forecasts, read back from their traces."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.figures import DARK, LIGHT, Theme
from rnnviz.figures.forecast import Forecasts, forecast, forecast_spec
from rnnviz.figures.passage import (
    BACK,
    Judged,
    Written,
    judged,
    judged_spec,
    letters,
    letters_spec,
    written,
    written_spec,
)
from rnnviz.model.arrays import Array
from rnnviz.tasks.series import Series, airline_series, sunspot_series

Spec = dict[str, Any]
themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def named(spec: Spec, name: str) -> Spec:
    (trace,) = [trace for trace in spec["data"] if trace["name"] == name]
    return dict(trace)


def plain(text: str) -> str:
    return re.sub(r"<[^>]+>", "", text)


def texts(spec: Spec) -> list[str]:
    return [plain(note["text"]) for note in spec["layout"]["annotations"]]


# What is written

SIGNS = ("·", "a", "b", "c", "d")
PROBABILITIES = np.array(
    [
        [0.02, 0.50, 0.30, 0.10, 0.08],  # reads only
        [0.05, 0.70, 0.15, 0.06, 0.04],  # a
        [0.10, 0.20, 0.15, 0.15, 0.40],  # d, b was wanted
        [0.97, 0.01, 0.01, 0.005, 0.005],  # END
    ]
)


def passage(**changes: Any) -> Written:
    view = Written(
        reads=["forty", "two", BACK, BACK],
        hidden=np.random.default_rng(0).uniform(-1, 1, (4, 6)),
        probabilities=PROBABILITIES,
        writes=np.array([False, True, True, True]),
        signs=SIGNS,
        wanted=["", "a", "b", "·"],
    )
    return replace(view, **changes)


@themes
def test_a_bar_is_as_high_as_the_network_is_sure(theme: Theme) -> None:
    bars = named(written_spec(passage(), theme), "confidence")
    np.testing.assert_array_equal(bars["x"], [2, 3, 4])
    np.testing.assert_array_equal(bars["y"], [0.70, 0.40, 0.97])


@themes
def test_a_wrong_sign_has_a_cross_and_another_colour(theme: Theme) -> None:
    spec = written_spec(passage(), theme)
    assert texts(spec)[1:] == ["a", "d ✗", "·"], "the cross tells it without any colour"
    notes = spec["layout"]["annotations"][1:]
    assert [note["font"]["color"] for note in notes] == [theme.ink, theme.bad, theme.ink]
    assert named(spec, "confidence")["marker"]["color"] == [theme.output, theme.bad, theme.output]
    assert [note["x"] for note in notes] == [2, 3, 4]
    assert [note["y"] for note in notes] == [0.70, 0.40, 0.97]
    assert theme.bad not in (theme.output, theme.ink)


def test_where_nobody_knows_the_answer_nothing_is_wrong() -> None:
    spec = written_spec(passage(wanted=None))
    assert texts(spec)[1:] == ["a", "d", "·"]
    assert set(named(spec, "confidence")["marker"]["color"]) == {LIGHT.output}


@pytest.mark.parametrize("wanted", [["", "a", "d", "·"], ["", "b", "b", "a"]])
def test_crosses_and_colours_always_agree(wanted: list[str]) -> None:
    spec = written_spec(passage(wanted=wanted))
    crossed = ["✗" in text for text in texts(spec)[1:]]
    assert crossed == [said != due for said, due in zip("ad·", wanted[1:], strict=True)]
    assert crossed == [colour == LIGHT.bad for colour in named(spec, "confidence")["marker"]["color"]]


def test_pointing_at_a_bar_names_the_three_likeliest() -> None:
    told = named(written_spec(passage()), "confidence")["hovertext"]
    assert told[0].split("<br>") == ["a: 70.0%", "b: 15.0%", "c: 6.0%"]
    assert [line.split(": ")[0] for line in told[1].split("<br>")][:2] == ["d", "a"]
    assert all(len(lines.split("<br>")) == 3 for lines in told)
    few = written_spec(passage(signs=SIGNS[:2], probabilities=PROBABILITIES[:, :2]))
    assert named(few, "confidence")["hovertext"][0].split("<br>") == ["a: 70.0%", "·: 5.0%"]


@themes
def test_states_stand_below_the_columns_they_belong_to(theme: Theme) -> None:
    view = passage()
    spec = written_spec(view, theme)
    states = named(spec, "hidden state")
    np.testing.assert_allclose(states["z"], view.hidden.T, rtol=1e-6)
    np.testing.assert_array_equal(states["x"], [1, 2, 3, 4])
    np.testing.assert_array_equal(states["y"], np.arange(1, 7))
    assert (states["zmin"], states["zmax"], states["colorscale"]) == (-1, 1, theme.state)
    axis = spec["layout"]["xaxis"]
    assert axis["tickvals"] == [1, 2, 3, 4]
    assert [plain(text) for text in axis["ticktext"]] == ["forty", "two", BACK, BACK]
    (upper, lower) = (spec["layout"][name]["domain"] for name in ("yaxis", "yaxis2"))
    assert lower[1] < upper[0], "one above the other"


def test_nothing_read_is_a_dash_and_feeding_back_is_explained_where_it_happens() -> None:
    spec = written_spec(passage(reads=["image", "", "", ""]))
    assert spec["layout"]["xaxis"]["ticktext"][1:] == ["–"] * 3
    assert BACK not in texts(spec)[0]
    assert BACK in texts(written_spec(passage()))[0]


def test_long_words_stand_aslant() -> None:
    short, long = passage(), passage(reads=["seventy seven of them", "brilliant", BACK, BACK])
    assert written_spec(short)["layout"]["xaxis"]["tickangle"] == 0
    aslant = written_spec(long)["layout"]
    assert aslant["xaxis"]["tickangle"] < 0
    assert aslant["margin"]["b"] > written_spec(short)["layout"]["margin"]["b"]


# Verdicts

READS = ["it", "is", "not", "bad"]
POSITIVE = np.array([0.5, 0.62, 0.04, 0.93])


def verdict(**changes: Any) -> Judged:
    return replace(Judged(READS, np.random.default_rng(1).uniform(-1, 1, (4, 5)), POSITIVE), **changes)


@themes
def test_a_verdict_goes_up_for_praise_and_down_for_blame(theme: Theme) -> None:
    bars = named(judged_spec(verdict(), theme), "verdict")
    assert bars["base"] == 0.5
    np.testing.assert_allclose(bars["base"] + bars["y"], POSITIVE)
    assert [bool(y > 0) for y in bars["y"]] == [False, True, False, True]
    np.testing.assert_array_equal(bars["customdata"], POSITIVE)
    assert bars["marker"]["color"] == theme.output, "the colours of states are for states"


@themes
def test_up_down_and_the_middle_have_names(theme: Theme) -> None:
    spec = judged_spec(verdict(), theme)
    axis = spec["layout"]["yaxis"]
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True)) == {
        0.0: "negative",
        0.5: "undecided",
        1.0: "positive",
    }
    assert axis["range"] == [0.0, 1.0]
    np.testing.assert_array_equal(named(spec, "undecided")["y"], [0.5, 0.5])


def test_before_the_first_word_there_is_no_verdict() -> None:
    bars = named(judged_spec(verdict(reads=["", "", "not", "bad"])), "verdict")
    np.testing.assert_array_equal(bars["x"], [3, 4])
    assert named(judged_spec(verdict(reads=[""] * 4)), "verdict")["x"].size == 0


# The next letter


@themes
@pytest.mark.parametrize("chosen", [None, 2])
def test_the_letter_that_was_drawn_stands_out(theme: Theme, chosen: int | None) -> None:
    signs, shares = ["⏎", "a", "b", "c"], np.array([0.1, 0.5, 0.3, 0.1])
    spec = letters_spec(signs, shares, chosen, theme)
    bars = named(spec, "probability")
    assert bars["x"] == signs
    np.testing.assert_array_equal(bars["y"], shares)
    assert [i for i, colour in enumerate(bars["marker"]["color"]) if colour == theme.output] == (
        [] if chosen is None else [chosen]
    )
    assert spec["layout"]["xaxis"]["type"] == "category", "a text may hold digits: they are no numbers"
    low, high = spec["layout"]["yaxis"]["range"]
    assert low == 0.0
    assert high >= 1.0


# Forecasts


def made(n: int) -> Series:
    values = 10.0 + np.sin(np.arange(n) / 5.0)
    return Series("Your series", "value", values, np.arange(1.0, n + 1), n - n // 4, 0, "change", 0.1)


def view_of(s: Series, ahead: Array | None = None, **changes: Any) -> Forecasts:
    m = min(1000, len(s.values) - s.held_out)
    truth = s.values[s.held_out : s.held_out + m]
    shown = truth + 1.0 if ahead is None else ahead
    free, future = truth[: min(m, 120)] - 1.0, np.full(min(m, 12), s.values.mean())
    last = s.values[s.held_out - 1 : s.held_out - 1 + m]
    return replace(Forecasts(s, shown, free, future, last, "naive forecast", s.unit), **changes)


KNOWN = pytest.mark.parametrize(
    "s", [sunspot_series(), airline_series(), made(30)], ids=["sun", "air", "own"]
)


@themes
@KNOWN
def test_the_split_stands_at_the_first_value_never_seen(s: Series, theme: Theme) -> None:
    layout = forecast_spec(view_of(s), theme)["layout"]
    known, border = layout["shapes"]
    assert (border["type"], border["x0"], border["x1"]) == ("line", s.times[s.held_out], s.times[s.held_out])
    assert (known["type"], known["x1"]) == ("rect", s.times[s.held_out])
    assert known["x0"] < known["x1"], "what was trained on lies before it"
    assert layout["xaxis"]["range"][0] == known["x0"]
    sides = {plain(note["text"]): note for note in layout["annotations"]}
    assert (sides["training part"]["xanchor"], sides["held out"]["xanchor"]) == ("right", "left")
    assert {sides[side]["x"] for side in ("training part", "held out")} == {s.times[s.held_out]}
    assert s.unit in sides


@themes
@KNOWN
def test_every_forecast_begins_at_the_split(s: Series, theme: Theme) -> None:
    view = view_of(s)
    spec = forecast_spec(view, theme)
    for name, values in (
        ("one step ahead", view.ahead),
        ("free-running", view.free),
        ("naive forecast", view.baseline),
    ):
        trace = named(spec, name)
        assert trace["x"][0] == s.times[s.held_out]
        np.testing.assert_array_equal(trace["y"], values)
        np.testing.assert_array_equal(trace["x"], s.times[s.held_out : s.held_out + len(values)])
    measured = named(spec, "measured")
    np.testing.assert_array_equal(measured["y"], s.values[np.searchsorted(s.times, measured["x"])])
    future = named(spec, "the future")
    assert future["x"][0] > s.times[-1]
    assert spec["layout"]["xaxis"]["range"][1] == future["x"][-1]
    np.testing.assert_allclose(np.diff(future["x"]), s.times[-1] - s.times[-2])


def test_lines_are_told_apart_without_colour_and_named_in_order() -> None:
    spec = forecast_spec(view_of(airline_series()))
    looks = {(t["line"]["dash"], t["line"]["width"]) for t in spec["data"] if t["name"] != "the future"}
    assert len(looks) == 4
    legend = texts(spec)[0]
    assert re.findall(r"measured|one step ahead|free-running|naive forecast", legend) == [
        "measured",
        "one step ahead",
        "free-running",
        "naive forecast",
    ]
    assert "the future" in legend


@pytest.mark.parametrize("broken", [np.inf, -np.inf, np.nan, 1e300, -1e300])
def test_numbers_that_overflow_leave_a_gap_and_the_rest_as_it_is(broken: float) -> None:
    s = airline_series()
    whole = view_of(s)
    ahead, free, future = (array.copy() for array in (whole.ahead, whole.free, whole.future))
    ahead[5] = free[7:] = future[:] = broken
    with np.errstate(all="raise"):
        spec = forecast_spec(replace(whole, ahead=ahead, free=free, future=future))
    assert np.isnan(named(spec, "one step ahead")["y"]).tolist() == [i == 5 for i in range(36)]
    assert np.isnan(named(spec, "free-running")["y"]).sum() == 36 - 7
    assert np.isnan(named(spec, "the future")["y"]).all()
    axis = spec["layout"]["yaxis"]["range"]
    near = forecast_spec(replace(whole, free=whole.free[:7], future=np.empty(0)))["layout"]["yaxis"]["range"]
    assert axis == near, "what lies far off does not stretch the axis"
    assert np.isfinite(axis).all()
    assert go.Figure(spec).data


@KNOWN
def test_a_free_forecast_is_not_cut_off_and_words_have_room_of_their_own(s: Series) -> None:
    whole = view_of(s)
    shown = s.values[max(0, s.held_out - int(1.5 * len(whole.ahead))) :]
    size = np.ptp(shown)
    high, low = shown.max() + 0.9 * size, shown.min() - 0.9 * size
    free = whole.free.copy()
    free[3], free[5] = high, low
    bottom, top = forecast_spec(replace(whole, free=free))["layout"]["yaxis"]["range"]
    assert top >= high + 0.1 * size
    assert bottom <= low - 0.1 * size
    bottom, top = forecast_spec(replace(whole, future=np.full(3, high)))["layout"]["yaxis"]["range"]
    assert top >= high + 0.1 * size


def test_a_long_series_sends_few_points_and_shows_the_split() -> None:
    s = made(100_000)
    spec = forecast_spec(view_of(s))
    assert sum(len(trace["x"]) for trace in spec["data"]) <= 5000
    known, border = spec["layout"]["shapes"]
    assert known["x0"] < border["x0"] == s.times[s.held_out] < spec["layout"]["xaxis"]["range"][1]
    for trace in spec["data"]:
        assert trace["x"][-1] <= spec["layout"]["xaxis"]["range"][1]
        assert (np.diff(trace["x"]) > 0).all()
    assert "the future" not in [trace["name"] for trace in spec["data"]], "it lies far off to the right"
    assert "future" not in texts(spec)[0]
    ends = named(spec, "one step ahead")
    assert (ends["x"][0], ends["x"][-1]) == (s.times[s.held_out], s.times[s.held_out + 999])


def test_a_stretch_without_any_change_has_an_axis_of_some_height() -> None:
    for level in (0.0, 5.0, -3.0):
        s = made(40)
        s.values[10:] = level
        low, high = forecast_spec(view_of(s))["layout"]["yaxis"]["range"]
        assert low < level < high


# Plotly accepts them


@themes
def test_plotly_accepts_every_figure(theme: Theme) -> None:
    for figure in (
        written(passage(), theme),
        written(passage(wanted=None), theme),
        judged(verdict(), theme),
        letters(["a", "b"], np.array([0.4, 0.6]), 1, theme),
        letters(["a", "b"], np.array([0.4, 0.6]), theme=theme),
        forecast(view_of(sunspot_series()), theme),
        forecast(view_of(made(5000)), theme),
        go.Figure(written_spec(passage(hidden=np.full((4, 6), np.nan)), theme)),
        go.Figure(judged_spec(verdict(positive=np.full(4, np.nan)), theme)),
    ):
        assert figure.data
        assert figure.layout.paper_bgcolor == theme.paper
        assert figure.to_json()
