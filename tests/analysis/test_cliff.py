"""The one-unit network of Pascanu et al. 2013, figure 6: its loss, its walls, and descents on it."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import plotly.graph_objects as go
import pytest
from autograd import grad

from rnnviz.analysis.cliff import B_RANGE, W_RANGE, descend, measure, wall
from rnnviz.figures.cliff import cliff_spec, inside
from rnnviz.figures.theme import DARK, LIGHT, Theme


def plain(place: np.ndarray) -> float:
    """The loss as the paper writes it, for autograd."""
    h = 0.5
    for _ in range(50):
        h = place[0] / (1.0 + anp.exp(-h)) + place[1]
    return (1.0 / (1.0 + anp.exp(-h)) - 0.7) ** 2


@pytest.mark.parametrize(
    "place", [(4.2, -2.05), (5.0, -2.2), (5.0, -2.61), (5.9, -3.4), (0.0, 0.0), (-3.0, 1.0)]
)
def test_loss_and_gradient_agree_with_autograd(place: tuple[float, float]) -> None:
    here, vector = measure(*place), np.array(place)
    assert here.error == pytest.approx(plain(vector), rel=1e-12)
    np.testing.assert_allclose([here.dE_dw, here.dE_db], grad(plain)(vector), rtol=1e-9, atol=1e-15)


def resting_points(w: float, b: float) -> int:
    """How often h = w sigmoid(h) + b has a stable solution."""
    h = np.linspace(-10, 10, 400_001)
    away = w / (1 + np.exp(-h)) + b - h
    return int(np.sum((away[:-1] > 0) & (away[1:] <= 0)))


def test_two_resting_points_exist_only_in_a_band_of_b() -> None:
    assert [resting_points(5.0, b) for b in (-3.4, -2.612, -1.6)] == [1, 2, 1]
    assert [resting_points(3.9, b) for b in (-2.5, -1.95, -1.5)] == [1, 1, 1], "none below w = 4"


@pytest.mark.parametrize(
    ("w", "wall", "steepest"), [(4.5, -2.303, 134), (5.0, -2.612, 5.7e3), (5.5, -2.924, None)]
)
def test_the_walls_stand_where_they_were_measured(w: float, wall: float, steepest: float | None) -> None:
    b = np.linspace(*B_RANGE, 200_001)
    slope = np.abs(measure(w, b).dE_db)
    assert b[np.argmax(slope)] == pytest.approx(wall, abs=6e-4)
    if steepest is not None:
        assert slope.max() == pytest.approx(steepest, rel=0.01)


def test_the_wall_is_found_to_the_last_digit() -> None:
    w = np.array([4.5, 5.0, 5.5, 6.0])
    b = wall(w)
    np.testing.assert_allclose(b[:3], [-2.303, -2.612, -2.924], atol=1.5e-3)
    beside = 1e-7
    below, above = measure(w, b - beside).error, measure(w, b + beside).error
    assert below[3] - above[3] > 0.2, "at w = 6 the loss falls by more than 0.2 within 2e-7"
    assert measure(w, b).norm[3] > 1e6


def test_there_is_no_wall_where_the_unit_has_one_resting_point() -> None:
    b = np.linspace(-3.0, -1.0, 20_001)
    assert np.abs(measure(3.5, b).dE_db).max() < 2.0


def test_plain_descent_is_thrown_off_and_clipped_descent_is_not() -> None:
    free, clipped = descend(5.0, -2.2), descend(5.0, -2.2, clip_norm=0.3)
    assert free.norm.max() > 100
    assert free.longest_step > 10
    assert free.error[-1] == pytest.approx(0.09, abs=1e-3), "far up, where the unit is stuck at 1"
    assert clipped.longest_step <= 0.1 * 0.3 * (1 + 1e-12)
    assert clipped.error.min() < 0.005


def test_a_step_is_the_rate_times_the_gradient() -> None:
    path = descend(4.4, -1.8, learning_rate=0.2, steps=3)
    for n in range(3):
        here = measure(path.w[n], path.b[n])
        assert path.w[n + 1] == pytest.approx(path.w[n] - 0.2 * here.dE_dw, rel=1e-12)
        assert path.b[n + 1] == pytest.approx(path.b[n] - 0.2 * here.dE_db, rel=1e-12)
        assert path.norm[n] == pytest.approx(here.norm)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"w": np.nan}, "w must be a finite number"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"clip_norm": -1.0}, "above 0"),
    ],
)
def test_what_cannot_be_descended_gets_a_sentence(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        descend(**{"w": 5.0, "b": -2.2} | wrong)


def test_the_map_shows_the_wall_without_gaps() -> None:
    """Along the wall every column of the map has a dark point, next to that of the column before."""
    heat = cliff_spec(descend(5.0, -2.2), descend(5.0, -2.2, clip_norm=0.3))["data"][1]
    steep = heat["x"] > 4.8
    rows = heat["z"][:, steep].argmax(axis=0)
    assert np.all(heat["z"][:, steep].max(axis=0) > 3.0), "full colour"
    assert np.all(np.abs(np.diff(rows)) <= 1)


def test_in_three_dimensions_w_runs_to_the_right_as_on_the_map() -> None:
    scene = cliff_spec(descend(5.0, -2.2), descend(5.0, -2.2))["layout"]["scene"]
    assert scene["camera"]["eye"]["y"] < 0, "seen from the front, x runs to the right"
    assert scene["yaxis"]["range"] == [B_RANGE[1], B_RANGE[0]], "whose front is the wall's low side"


def test_the_map_says_where_a_descent_that_leaves_it_lands() -> None:
    free, clipped = descend(5.0, -2.2), descend(5.0, -2.2, clip_norm=0.3)
    (arrow,) = (n for n in cliff_spec(free, clipped)["layout"]["annotations"] if n.get("showarrow"))
    n = inside(free)
    assert arrow["text"] == "jumped to w = 25, b = 31"
    assert [round(free.w[n]), round(free.b[n])] == [25, 31]
    assert arrow["y"] == pytest.approx(B_RANGE[1])
    assert arrow["ax"] < 0 < arrow["ay"], "the text stays on the map"
    calm = descend(4.4, -1.8)
    assert not any(n.get("showarrow") for n in cliff_spec(calm, calm)["layout"]["annotations"])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("start", [(5.0, -2.2), (4.4, -1.8), (4.0, -1.5)])
def test_paths_are_drawn_to_the_edge_of_the_surface(theme: Theme, start: tuple[float, float]) -> None:
    free, clipped = descend(*start), descend(*start, clip_norm=0.3)
    spec = cliff_spec(free, clipped, theme)
    go.Figure(spec)
    surface, above, *paths = spec["data"]
    loss = measure(surface["x"][None, :], surface["y"][:, None]).error
    np.testing.assert_allclose(surface["z"], loss, rtol=1e-6, err_msg="as exact as float32")
    np.testing.assert_array_equal(surface["surfacecolor"], above["z"])
    middle = np.log10(measure(surface["x"][None, :], surface["y"][:, None]).norm)
    assert np.mean(surface["surfacecolor"] >= middle - 0.01) > 0.99, "the steepest place of each cell"
    for path, drawn in zip((free,) * 3 + (clipped,) * 3, paths, strict=True):
        n = inside(path)
        np.testing.assert_array_equal(drawn["x"][:n], path.w[:n])
        np.testing.assert_array_equal(drawn["y"][:n], path.b[:n])
        assert len(drawn["x"]) == n + (0 < n < len(path.w))
        assert np.all((drawn["x"] >= W_RANGE[0] - 1e-9) & (drawn["x"] <= W_RANGE[1] + 1e-9))
        assert np.all((drawn["y"] >= B_RANGE[0] - 1e-9) & (drawn["y"] <= B_RANGE[1] + 1e-9))
