"""DecayFactors, contributions and spectrum against the engine's own gradients and closed forms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz import Experiment, decay_factors, gradient_contributions, gradient_flow, spectrum, train
from rnnviz.analysis.gradient_flow import probe_batch
from rnnviz.figures import DARK, LIGHT, Theme
from rnnviz.figures.curves import Curve, curves_spec, decay_factors_spec
from rnnviz.figures.matrices import contributions_spec, spectrum_spec
from rnnviz.figures.training_history import over_training_spec
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.network import output_gradient
from rnnviz.ui.instruments.quick import fate

ECHO = Experiment(task="echo", topology="many-to-many", seq_len=24, delay=4)
CASES = {
    "many-to-one": Experiment(seq_len=30),
    "many-to-many": ECHO,
    "one-to-many": Experiment(task="waves", topology="one-to-many", seq_len=24),
    "sequence-to-sequence": Experiment(task="copy", topology="sequence-to-sequence", seq_len=12),
    "two layers": Experiment(task="echo", topology="many-to-many", seq_len=12, delay=2, layers=2),
    "ReLU": Experiment(task="adding", seq_len=12, activation="relu", init="he"),
    "sigmoid identity": Experiment(seq_len=12, activation="sigmoid", init="identity"),
    "H = 2": Experiment(seq_len=12, hidden_size=2),
}
GATED = {
    "LSTM": Experiment(task="echo", topology="many-to-many", seq_len=12, delay=2, layers=2, cell="lstm"),
    "GRU": Experiment(seq_len=12, cell="gru"),
}
themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


# Contributions to the gradient of W_hh


@pytest.mark.parametrize("name", [*CASES, *GATED])
def test_the_contributions_add_up_to_the_gradient(name: str) -> None:
    e = (CASES | GATED)[name]
    items = gradient_contributions(e)
    gradients = e.network().loss_and_gradients(e.init(e.rng("weights")), probe_batch(e)).gradients
    np.testing.assert_allclose(items.total, gradients.layers[-1].W_hh, rtol=0, atol=1e-12)
    assert items.share.sum() == pytest.approx(1.0, abs=1e-12)


def test_without_recurrence_there_is_nothing_to_itemise() -> None:
    items = gradient_contributions(replace(ECHO, cell="feed-forward"))
    assert not items.size.any()
    assert not items.share.any()


def test_no_output_asks_anything_of_later_steps() -> None:
    items = gradient_contributions(ECHO)
    later = np.arange(1, ECHO.seq_len + 1) > items.outputs[:, None]
    assert np.all(items.size[later] == 0)
    assert np.all(items.share[later] == 0)
    assert np.all(items.size[~later][1:] >= 0)


def test_one_item_is_the_gradient_of_one_loss_through_one_step() -> None:
    """Central difference: only the use of W_hh at step t is changed, only the loss of output k is read."""
    e, k, t, nudge = ECHO, 15, 9, 1e-6
    batch, params = probe_batch(e), e.init(e.rng("weights"))
    layer, size = params.layers[0], gradient_contributions(e).size
    direction = np.random.default_rng(0).standard_normal(layer.W_hh.shape)

    def loss_of_output(amount: float) -> float:
        h = np.zeros((batch.inputs.shape[1], e.hidden_size))
        for step in range(1, k + 1):
            W_hh = layer.W_hh + amount * direction if step == t else layer.W_hh
            h = np.tanh(batch.inputs[step - 1] @ layer.W_xh + h @ W_hh + layer.b_h)
        y = h @ params.W_hy + params.b_y
        chances = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
        return float(
            -np.log(chances[np.arange(len(y)), batch.targets[k - 1]]).mean() / len(batch.write_steps)
        )

    slope = (loss_of_output(nudge) - loss_of_output(-nudge)) / (2 * nudge)
    row = int(np.flatnonzero(gradient_contributions(e).outputs == k)[0])
    assert abs(slope) <= size[row, t - 1] * np.linalg.norm(direction), "Cauchy-Schwarz"
    # the directional derivative along the item is its squared norm
    item = _item(e, k, t)
    direction = item / np.linalg.norm(item)
    slope = (loss_of_output(nudge) - loss_of_output(-nudge)) / (2 * nudge)
    assert slope == pytest.approx(size[row, t - 1], rel=1e-5)


def _item(e: Experiment, k: int, t: int) -> np.ndarray:
    """D_kt of a one-layer tanh network, written out."""
    network, batch = e.network(), probe_batch(e)
    params = e.init(e.rng("weights"))
    outputs, (trace,) = network.forward(params, batch.inputs)
    _, dL_dy = output_gradient(outputs, batch)
    h, W_hh = trace.hidden, params.layers[0].W_hh
    error = dL_dy[int(np.flatnonzero(batch.write_steps == k - 1)[0])] @ params.W_hy.T
    for step in range(k, t, -1):
        error = (error * (1 - h[step] ** 2)) @ W_hh.T
    return h[t - 1].T @ (error * (1 - h[t] ** 2))


def test_a_single_step_has_an_empty_triangle() -> None:
    items = gradient_contributions(Experiment(task="digits", topology="one-to-one", seq_len=1))
    assert np.all(items.size == 0)
    assert np.all(items.share == 0)


# DecayFactors


@pytest.mark.parametrize("name", [name for name in CASES if name != "two layers"])
def test_the_two_causes_multiply_to_the_factor_per_step(name: str) -> None:
    e = CASES[name]
    parts, last = decay_factors(e), gradient_flow(e).per_output[-1]
    np.testing.assert_allclose(
        parts.slope_factor * parts.recurrent_factor, last[:-1] / last[1:], rtol=1e-9, equal_nan=True
    )


def test_an_orthogonal_matrix_never_shrinks_anything() -> None:
    np.testing.assert_allclose(decay_factors(Experiment(seq_len=40)).recurrent_factor, 1.0, rtol=1e-12)


def test_a_linear_network_loses_nothing_to_slopes() -> None:
    parts = decay_factors(Experiment(seq_len=20, activation="linear", init="scaled-gaussian"))
    np.testing.assert_allclose(parts.slope_factor, 1.0, rtol=1e-12)
    assert np.all(parts.saturated == 0)


def test_large_inputs_saturate_tanh() -> None:
    assert decay_factors(Experiment(noise=2.0, init="scaled-gaussian", gain=3.0)).saturated.mean() > 0.3
    assert decay_factors(Experiment(noise=0.0)).saturated.mean() == 0


# Spectrum


def test_spectrum_of_known_matrices() -> None:
    rotation = np.array([[0.0, -2.0], [2.0, 0.0]])
    found = spectrum(rotation)
    assert found.rho == pytest.approx(2.0)
    assert found.sigma_max == pytest.approx(2.0)
    assert sorted(found.eigenvalues.imag) == pytest.approx([-2.0, 2.0])
    shear = spectrum(np.array([[0.5, 10.0], [0.0, 0.5]]))
    assert shear.rho == pytest.approx(0.5)
    assert shear.sigma_max > 10.0, "rho below 1 does not keep a gradient from growing first"


def test_the_two_bounds_use_the_slope_of_the_activation() -> None:
    W_hh = 3.9 * np.eye(3)
    assert spectrum(W_hh, "sigmoid").surely_vanishes, "3.9 / 4 < 1"
    assert spectrum(W_hh, "tanh").can_explode
    for W in (np.eye(5), Experiment().init(np.random.default_rng(0)).layers[0].W_hh):
        at_bound = spectrum(W)
        assert not at_bound.surely_vanishes
        assert not at_bound.can_explode


@pytest.mark.parametrize(
    ("W_hh", "message"),
    [(np.zeros((2, 3)), r"square matrix \(H, H\); got shape \(2, 3\)"), (np.full((2, 2), np.nan), "finite")],
)
def test_what_has_no_spectrum_gets_a_sentence(W_hh: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spectrum(W_hh)


def test_sigma_below_the_bound_makes_every_gradient_vanish() -> None:
    """Sufficient, whatever the input: the error never grows from one step to the one before."""
    e = Experiment(seq_len=30, init="orthogonal", gain=0.95, noise=1.0)
    last = gradient_flow(e).per_output[-1]
    assert spectrum(e.init(e.rng("weights")).layers[0].W_hh).surely_vanishes
    assert np.all(last[:-1] <= 0.95 * last[1:] * (1 + 1e-12))


# Figures


@themes
@pytest.mark.parametrize("name", CASES)
def test_every_instrument_draws_what_it_measured(name: str, theme: Theme) -> None:
    e = CASES[name]
    flow, items, parts = gradient_flow(e), gradient_contributions(e), decay_factors(e)
    params = train(e, 3).params
    drawn = contributions_spec(items, flow, theme)
    go.Figure(drawn)
    traces = {trace["name"]: trace for trace in drawn["data"]}
    size, share = traces["size"], traces["share"]
    used = np.arange(1, e.seq_len + 1) <= items.outputs[:, None]
    positive = used & (items.size > 0)
    if len(items.outputs) == 1:
        np.testing.assert_array_equal(size["y"][positive[0]], items.size[positive])
        np.testing.assert_array_equal(share["y"], items.share[0])
        assert list(traces["exactly 0"]["x"]) == [1.0], "h_0 = 0"
    else:
        np.testing.assert_array_equal(np.isnan(share["z"]), ~used)
        np.testing.assert_array_equal(share["z"][used], items.share[used])
        np.testing.assert_allclose(10.0 ** size["z"][positive], items.size[positive])
    assert len(traces["error left"]["x"]) == len(flow.lag_profile)
    both = decay_factors_spec(parts, theme)
    go.Figure(both)
    (product,) = (trace for trace in both["data"] if trace["name"].startswith("both"))
    np.testing.assert_allclose(product["y"], parts.slope_factor * parts.recurrent_factor)
    now, before = (spectrum(p.layers[-1].W_hh, e.activation) for p in (params, e.init(e.rng("weights"))))
    assert len(go.Figure(spectrum_spec(now, before, theme)).data) == 4
    assert len(go.Figure(spectrum_spec(now, None, theme)).data) == 2


@themes
def test_curves_keep_what_a_log_axis_cannot_hold(theme: Theme) -> None:
    values = np.array([0.0, 1e-3, np.inf, 1.0, np.nan])
    spec = curves_spec([Curve("mine", values, "main"), Curve("theory", values[::-1], "theory")], theme)
    go.Figure(spec)
    mine, nothing, overflow = spec["data"][:3]
    assert nothing["name"] == "exactly 0"
    assert list(nothing["x"]) == [1.0]
    assert overflow["name"] == "overflow"
    assert list(overflow["x"]) == [3.0]
    assert np.isnan(mine["y"][[0, 2, 4]]).all()
    assert mine["mode"] == "lines+markers", "its two points stand alone: a line would show neither"
    named = [trace["name"] for trace in spec["data"] if trace["showlegend"]]
    assert sorted(named) == ["exactly 0", "mine", "overflow", "theory"], "each kind of mark is named once"


def test_without_such_marks_the_legend_does_not_name_them() -> None:
    spec = curves_spec([Curve("mine", np.array([1e-3, 1e-2, 1.0]), "main")])
    assert [trace["name"] for trace in spec["data"]] == ["mine"]
    assert spec["data"][0]["mode"] == "lines"


def test_a_factor_that_stands_alone_is_a_dot_and_an_empty_panel_says_so() -> None:
    e = Experiment(seq_len=12, init="scaled-gaussian", gain=0.0)
    spec = decay_factors_spec(decay_factors(e))
    traces = {trace["name"]: trace for trace in spec["data"]}
    through, both = (
        next(t for name, t in traces.items() if name.startswith(n)) for n in ("through W", "both")
    )
    assert [both["y"][-1], through["y"][-1]] == [0.0, 0.0]
    assert np.isnan(both["y"][:-1]).all(), "0 / 0"
    assert both["mode"] == "lines+markers"
    assert "no unit is saturated" in words_of(spec)
    saturated = Experiment(noise=2.0, init="scaled-gaussian", gain=3.0)
    assert "no unit is saturated" not in words_of(decay_factors_spec(decay_factors(saturated)))


def test_a_relu_that_passes_nothing_is_off_not_saturated() -> None:
    e = Experiment(activation="relu", init="scaled-gaussian", gain=0.0)
    spec = decay_factors_spec(decay_factors(e), blocked=ACTIVATIONS["relu"].blocked)
    assert "units that are off" in [trace["name"] for trace in spec["data"]]
    assert "saturated" not in str(spec)


def test_at_the_bound_only_slopes_shrink_a_gradient_if_all_singular_values_are_there() -> None:
    rotation, shear = np.eye(2)[::-1], np.diag([1.0, 0.5])
    assert "only where slopes are below γ" in fate(spectrum(rotation))
    assert "smaller singular values shrink it" in fate(spectrum(shear))
    shrunk = np.array([0.0, 1.0]) @ np.linalg.matrix_power(shear, 20)
    assert np.linalg.norm(shrunk) < 1e-6, "linear, slope 1: it vanishes without any slope's help"


def test_below_the_bound_a_gradient_vanishes_in_the_limit_only() -> None:
    below = Experiment(seq_len=20, init="orthogonal", gain=0.95)
    W_hh = below.init(below.rng("weights")).layers[0].W_hh
    assert spectrum(W_hh).surely_vanishes
    assert "in the limit" in fate(spectrum(W_hh))
    assert gradient_flow(below).verdict == "healthy"
    assert gradient_flow(below.replace(seq_len=200)).verdict == "vanishing"


def test_near_rest_the_spectral_radius_decides_nearly_alone() -> None:
    e = Experiment(seq_len=100, noise=0.0, init="scaled-gaussian", gain=0.9)
    params = e.init(e.rng("weights"))
    params.layers[0].W_xh[:] *= 0.01
    curve = gradient_flow(e, params).per_output[-1]
    factor = (curve[10] / curve[90]) ** (1 / 80)
    assert factor == pytest.approx(spectrum(params.layers[0].W_hh).rho, rel=0.02)


def words_of(spec: dict[str, Any]) -> str:
    """The text in a figure, without markup."""
    return re.sub("<[^>]*>", "", " | ".join(note["text"] for note in spec["layout"]["annotations"]))


@themes
def test_the_panels_of_the_triangle_say_what_their_colours_mean(theme: Theme) -> None:
    said = words_of(contributions_spec(gradient_contributions(ECHO), gradient_flow(ECHO), theme))
    assert "10−8 ■■■■■■■ 108" in said
    assert "−10% ■■■■■■■ +10%" in said
    e = Experiment(seq_len=20)
    alone = words_of(contributions_spec(gradient_contributions(e), gradient_flow(e), theme))
    assert "■" not in alone, "lines and bars have axes"


@pytest.mark.parametrize(("activation", "bound"), [("tanh", "1"), ("sigmoid", "4")])
def test_the_spectrum_names_its_bound_beside_the_panel(activation: str, bound: str) -> None:
    """Not on it: an orthogonal matrix has all its dots on the line."""
    spec = spectrum_spec(spectrum(np.eye(8), activation))
    assert f"bound 1/γ = {bound}" in words_of(spec)
    assert all(note["y"] == 1.0 and note["yref"] == "paper" for note in spec["layout"]["annotations"])


@themes
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_a_run_is_shown_from_its_first_step_to_its_last(theme: Theme, clip_norm: float | None) -> None:
    run = train(Experiment(seq_len=8, clip_norm=clip_norm), 30)
    curves = run.state.history.curves()
    spec = over_training_spec(curves, run.history, clip_norm, theme)
    go.Figure(spec)
    traces = {trace["name"]: trace for trace in spec["data"] if np.size(trace["x"])}
    np.testing.assert_allclose(10.0 ** traces["||∂L/∂h<sub>t</sub>||"]["z"], curves.to_numpy().T)
    np.testing.assert_array_equal(traces["before clipping"]["y"], run.history["grad_norm"])
    lines = spec["layout"].get("shapes", [])
    assert [line["y0"] for line in lines] == ([] if clip_norm is None else [clip_norm])
    assert ("after clipping" in traces) == (clip_norm is not None)
    if clip_norm is not None:
        np.testing.assert_array_equal(traces["after clipping"]["y"], run.history["clipped_grad_norm"])
    assert "overflow" not in words_of(spec)


def test_a_run_that_broke_off_is_shown_up_to_there_with_marks_where_numbers_overflowed() -> None:
    e = Experiment(
        task="sine", topology="many-to-many", seq_len=40, activation="relu", init="scaled-gaussian",
        gain=2.0, optimizer="sgd", learning_rate=0.1, clip_norm=None,
    )  # fmt: skip
    run = train(e, 10)
    curves, norms = run.state.history.curves(), run.history["grad_norm"].to_numpy()
    assert not np.isfinite(norms[-1])
    spec = over_training_spec(curves, run.history, None)
    go.Figure(spec)
    heat, line, cells, beyond, nothing = spec["data"]
    assert not np.isnan(heat["z"]).any(), "what overflowed has the strongest colour, not none"
    assert len(cells["x"]) == (~np.isfinite(curves.to_numpy())).sum() > 0
    assert "× overflow" in words_of(spec)
    assert "markers" in line["mode"], "a single finite norm would be no line"
    finite = norms[np.isfinite(norms)]
    assert np.isfinite(line["y"]).sum() == len(finite) > 0
    low, high = spec["layout"]["yaxis2"]["range"]
    assert low < np.log10(finite.min())
    assert np.log10(finite.max()) < high - 0.5, "below the mark of what overflowed"
    np.testing.assert_array_equal(beyond["x"], run.history["step"][~np.isfinite(norms)])
    assert len(nothing["x"]) == 0
    assert spec["layout"]["xaxis"]["dtick"] == 1, "no half steps"
