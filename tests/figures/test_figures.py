"""Figures show what the arrays hold: tested by their traces, not by pixels."""

from __future__ import annotations

import colorsys
import re
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz import PRESETS, TASKS, TOPOLOGIES, Experiment, Snapshot, start, take_snapshot, train
from rnnviz.experiment.fitting import nearest
from rnnviz.figures import (
    DARK,
    LIGHT,
    THEMES,
    Answers,
    Progress,
    Theme,
    Timeline,
    answers,
    answers_spec,
    gates,
    progress,
    progress_spec,
    timeline,
    timeline_spec,
)
from rnnviz.figures.progress import axis_end
from rnnviz.figures.theme import mix
from rnnviz.figures.timeline import (
    CEILINGS,
    FLOORS,
    GRADIENT_RANGE,
    LABELLED_STEPS,
    LANE,
    RIBBON_BINS,
    change_in_words,
    gradient_span,
    strength,
)
from rnnviz.model.arrays import Array
from rnnviz.tasks.base import MARKS

Spec = dict[str, Any]
TASK_OF = {
    "one-to-one": {"task": "digits"},
    "one-to-many": {"task": "waves"},
    "many-to-one": {"task": "recall"},
    "many-to-many": {"task": "characters"},
    "sequence-to-sequence": {"task": "copy", "items": 2},
}
LENGTHS = {"one-to-one": (1,), "one-to-many": (7, 50, 200), "many-to-one": (1, 5, 50, 200)}
SHAPES = [
    pytest.param(topology, T, layers, id=f"{topology}-T{T}-{layers}")
    for topology in TOPOLOGIES
    for T in LENGTHS.get(topology, (5, 50, 200))
    for layers in (1, 3)
]


def experiment(topology: str, T: int, **changes: Any) -> Experiment:
    wanted: dict[str, Any] = {"topology": topology, "seq_len": T, "hidden_size": 8}
    return Experiment(**wanted | TASK_OF[topology] | changes)


def of_task(task: str, **changes: Any) -> Experiment:
    wanted = {"task": task, "topology": TASKS[task].fits[0]}
    return replace(nearest(wanted, first={"task"})[0], **changes)


@cache
def before_training(e: Experiment) -> Snapshot:
    return take_snapshot(e, start(e).params, 0)


@cache
def after_training(e: Experiment, steps: int = 10) -> Snapshot:
    run = train(e, steps)
    return take_snapshot(e, run.params, run.state.step)


def view_of(e: Experiment, **changes: Any) -> Timeline:
    return replace(Timeline.of(e, before_training(e)), **changes)


def answers_of(e: Experiment) -> Answers:
    return Answers.of(e, before_training(e))


def progress_of(e: Experiment, **changes: Any) -> Progress:
    """Forty made-up steps of a run."""
    steps = np.arange(0.0, 40.0)
    made_up = {"steps": steps, "loss": np.exp(-steps / 10), "metric": steps / 40}
    return replace(Progress.of(e, start(e)), **made_up | changes)


def named(spec: Spec, name: str) -> Spec:
    """The one trace of that name."""
    (trace,) = [trace for trace in spec["data"] if trace["name"] == name]
    return dict(trace)


def names(spec: Spec) -> list[str]:
    return [trace["name"] for trace in spec["data"]]


def edges(trace: Spec) -> Array:
    """The edges that one trace draws, (n, 4): x0, y0, x1, y1."""
    x, y = np.asarray(trace["x"], float), np.asarray(trace["y"], float)
    ends = np.column_stack([x[:-1], y[:-1], x[1:], y[1:]])
    drawn = ends[np.isfinite(ends).all(axis=1)]
    return drawn[(drawn[:, :2] != drawn[:, 2:]).any(axis=1)]  # joined ones meet in the same point


def words(spec: Spec) -> str:
    """All annotations, without markup."""
    texts = [note["text"] for note in spec["layout"]["annotations"]]
    return " | ".join(re.sub(r"<[^>]+>", "", text) for text in texts)


# Row 1: the unrolled graph


@pytest.mark.parametrize(("topology", "T", "layers"), SHAPES)
def test_there_is_a_node_where_a_step_reads_and_where_it_writes(topology: str, T: int, layers: int) -> None:
    view = view_of(experiment(topology, T, layers=layers))
    spec = timeline_spec(view)
    np.testing.assert_array_equal(named(spec, "input x")["x"], 1 + np.flatnonzero(view.masks.reads))
    np.testing.assert_array_equal(named(spec, "output y")["x"], 1 + np.flatnonzero(view.masks.writes))
    heights = set()
    for layer in range(layers):
        row = named(spec, f"hidden h, layer {layer + 1}")
        np.testing.assert_array_equal(row["x"], np.arange(1, T + 1))
        heights |= set(row["y"])
    assert len(heights) == layers


@pytest.mark.parametrize(("topology", "T", "layers"), SHAPES)
def test_edges_go_up_only_where_something_is_read_or_written(topology: str, T: int, layers: int) -> None:
    view = view_of(experiment(topology, T, layers=layers))
    spec = timeline_spec(view)
    top = named(spec, f"hidden h, layer {layers}")["y"][0]
    inputs, outputs = named(spec, "input x")["y"], named(spec, "output y")["y"]
    reading, writing = edges(named(spec, "A = W_xh")), edges(named(spec, "C = W_hy"))
    for drawn, mask in ((reading, view.masks.reads), (writing, view.masks.writes)):
        np.testing.assert_array_equal(drawn[:, 0], 1 + np.flatnonzero(mask))
        np.testing.assert_array_equal(drawn[:, 0], drawn[:, 2])
    np.testing.assert_array_equal(reading[:, [1, 3]], np.column_stack([inputs, np.ones_like(inputs)]))
    np.testing.assert_array_equal(writing[:, [1, 3]], np.column_stack([np.full(len(outputs), top), outputs]))
    between = [edges(trace) for trace in spec["data"] if trace["name"] == "between layers"]
    assert [len(drawn) for drawn in between] == [T] * (layers - 1)


@pytest.mark.parametrize(("topology", "T", "layers"), SHAPES)
def test_the_ribbon_is_the_gradient_that_crosses_each_edge(topology: str, T: int, layers: int) -> None:
    e = experiment(topology, T, layers=layers)
    spec, shot = timeline_spec(view_of(e)), before_training(e)
    bins = [named(spec, f"B = W_hh, bin {number}") for number in range(RIBBON_BINS + 1)]
    low, high = GRADIENT_RANGE
    last_output = e.masks.write_steps[-1]
    for layer in range(layers):
        height = named(spec, f"hidden h, layer {layer + 1}")["y"][0] + (LANE if T >= 50 else 0.0)
        drawn: dict[int, int] = {}
        for number, trace in enumerate(bins):
            for x0, y0, x1, y1 in edges(trace):
                if y0 == height:
                    assert (x1, y1) == (x0 + 1, y0)
                    assert drawn.setdefault(int(x0), number) == number, "an edge is drawn twice"
        assert sorted(drawn) == list(range(1, T)), "every edge, once"
        for t, number in drawn.items():
            arriving = np.log10(shot.last[layer][t - 1]) if t - 1 <= last_output else -np.inf
            expected = RIBBON_BINS * (np.clip(arriving, low, high) - low) / (high - low)
            assert abs(number - expected) <= 0.5 + 1e-9, f"edge {t} -> {t + 1} of layer {layer}"


def test_a_stronger_gradient_is_a_wider_and_darker_ribbon() -> None:
    spec = timeline_spec(view_of(Experiment()))
    bins = [named(spec, f"B = W_hh, bin {number}")["line"] for number in range(RIBBON_BINS + 1)]
    assert all(weak["width"] < strong["width"] for weak, strong in pairwise(bins))
    assert [line["color"] for line in bins] == [mix(LIGHT.gradient, i / 16) for i in range(17)]


def look_of_size(size: float, T: int) -> tuple[str, float]:
    """Colour and width of the ribbon where all gradients have one size."""
    e = Experiment(seq_len=T, hidden_size=8)
    same = (np.full(T, size),)
    spec = timeline_spec(view_of(e, snapshot=replace(before_training(e), last=same, total=same)))
    (line,) = [t["line"] for t in spec["data"] if t["name"].startswith("B = W_hh, bin") and len(t["x"])]
    return line["color"], line["width"]


@pytest.mark.parametrize("T", [20, 50, 200])
def test_an_explosion_to_ten_to_the_two_looks_unlike_one_to_ten_to_the_eight(T: int) -> None:
    looks = [look_of_size(size, T) for size in (1.0, 1e2, 1e5, 1e8)]
    for (weak, narrow), (strong, wide) in pairwise(looks):
        assert wide - narrow > 1.5, "pixels"
        assert abs(lightness(weak) - lightness(strong)) > 6.0
    (weak, narrow), (strong, wide) = looks[1], looks[3]
    assert wide > 1.4 * narrow
    assert abs(lightness(weak) - lightness(strong)) > 25.0


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("T", [50, 200])
def test_between_many_units_the_ribbon_has_a_lane_of_its_own(T: int, layers: int) -> None:
    spec = timeline_spec(view_of(experiment("many-to-many", T, layers=layers)))
    low, high = spec["layout"]["yaxis"]["range"]
    bottom, top = spec["layout"]["yaxis"]["domain"]
    pixels = 320.0 * (top - bottom) / (high - low)  # a unit of height, at 1280 x 720
    nodes = [t for t in spec["data"] if t["name"].startswith(("hidden h", "output y"))]
    for trace in (t for t in spec["data"] if t["name"].startswith("B = W_hh, bin")):
        for height in set(np.asarray(trace["y"])[np.isfinite(trace["y"])]):
            for node in nodes:
                room = pixels * abs(node["y"][0] - height) - node["marker"]["size"] / 2
                assert room >= trace["line"]["width"] / 2, f"{trace['name']} touches {node['name']}"
    arrows = edges(named(spec, "B = W_hh"))
    assert {row[1] for row in arrows} == {node["y"][0] for node in nodes if node["name"][0] == "h"}
    assert len(arrows) == layers * (T - 1)


def test_a_feed_forward_network_has_neither_ribbon_nor_lane() -> None:
    e = Experiment(seq_len=50, cell="feed-forward")
    spec = timeline_spec(view_of(e))
    assert not [t for t in spec["data"] if t["name"].startswith("B = W_hh") and len(t["x"])]
    assert "gradient 10" not in words(spec)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("brief", [False, True])
@pytest.mark.parametrize("T", [20, 100])
def test_the_key_to_the_gradient_is_that_of_the_ribbon(T: int, brief: bool, theme: Theme) -> None:
    spec = timeline_spec(replace(view_of(Experiment(seq_len=T)), brief=brief), theme)
    (key,) = [note["text"] for note in spec["layout"]["annotations"] if "gradient 10" in note["text"]]
    colours = re.findall(r"color:(#[0-9a-f]{6})'>■", key[key.index("gradient 10") :])
    ribbon = [named(spec, f"B = W_hh, bin {number}")["line"]["color"] for number in range(RIBBON_BINS + 1)]
    assert colours == ribbon[::2], "a square for every second power of ten"
    assert "gradient 10⁻⁸ " in re.sub("<.*?>", "", key)
    assert key.endswith(" 10⁸")
    assert strength(np.array([1e-8, 1e8])).tolist() == [0.0, 1.0]


def test_the_ribbon_can_follow_the_whole_loss() -> None:
    e = replace(PRESETS["echo"].experiment, init="small-normal")
    alone, whole = (timeline_spec(view_of(e, whole_loss=switch)) for switch in (False, True))
    weakest = "B = W_hh, bin 0"
    assert len(edges(named(alone, weakest))) > 10, "one output's error dies"
    assert (edges(named(whole, weakest))[:, 0] < e.delay).all(), "each output renews the whole loss"


def test_a_gradient_that_overflowed_is_the_strongest_ribbon() -> None:
    """Not the weakest, as beyond the last output, where there is no gradient."""
    e = Experiment(seq_len=7)
    shot, masks = before_training(e), replace(e.masks, writes=np.arange(7) == 4)
    last = (np.array([np.nan, np.inf, 1e300, 0.0, 1e-20, np.nan, np.nan]),)
    spec = timeline_spec(view_of(e, snapshot=replace(shot, last=last, total=last), masks=masks))
    strongest, weakest = (edges(named(spec, f"B = W_hh, bin {number}"))[:, 0] for number in (RIBBON_BINS, 0))
    np.testing.assert_array_equal(strongest, [1, 2, 3])
    np.testing.assert_array_equal(weakest, [4, 5, 6])


def test_an_exact_zero_stays_one_beside_a_last_output_of_zero() -> None:
    """0/0 is no overflow: a loss of exactly zero has a zero gradient."""
    e = Experiment(seq_len=4)
    nothing = replace(before_training(e), last=(np.zeros(4),), total=(np.zeros(4),))
    spec = timeline_spec(view_of(e, snapshot=nothing, relative=True))
    np.testing.assert_array_equal(edges(named(spec, "B = W_hh, bin 0"))[:, 0], [1, 2, 3])
    np.testing.assert_array_equal(named(spec, "exactly 0")["x"], [1, 2, 3, 4])


def test_feedback_leads_from_each_output_to_the_next_step() -> None:
    e = of_task("sine", seq_len=12, feedback=True)
    fed = edges(named(timeline_spec(view_of(e)), "output fed back"))
    np.testing.assert_array_equal(fed[:, 0], np.arange(1, 12))
    np.testing.assert_array_equal(fed[:, 2], np.arange(2, 13))
    assert "output fed back" not in names(timeline_spec(view_of(replace(e, feedback=False))))


def test_letters_stand_in_the_nodes_while_there_is_room() -> None:
    short, long = (
        timeline_spec(view_of(Experiment(seq_len=T))) for T in (LABELLED_STEPS, LABELLED_STEPS + 1)
    )
    assert named(short, "input x")["mode"] == "markers+text"
    assert named(short, "input x")["text"][0] in MARKS[:4]
    assert named(long, "input x")["mode"] == "markers"
    assert named(long, "input x")["hovertext"][0] in MARKS[:4]


def test_the_three_matrices_are_named_beside_their_edges() -> None:
    def beside(spec: Spec) -> str:
        return " ".join(re.sub(r"<[^>]+>", "", text) for text in spec["layout"]["yaxis"]["ticktext"])

    many, single = timeline_spec(view_of(Experiment())), timeline_spec(view_of(Experiment(seq_len=1)))
    assert all(name in beside(many) for name in ("A = Wxh", "B = Whh", "C = Why"))
    assert "always through the same B" in words(many)
    assert "always through the same gates" in words(timeline_spec(view_of(Experiment(cell="lstm"))))
    assert "B = Whh" not in beside(single), "a single step has no recurrence"


def test_a_cut_is_a_gap_in_the_ribbon_with_a_mark() -> None:
    e = Experiment(seq_len=25, truncate=10, layers=2)
    spec = timeline_spec(view_of(e))
    ribbon = [edges(trace) for trace in spec["data"] if trace["name"].startswith("B = W_hh, bin")]
    starts = np.concatenate(ribbon)[:, 0]
    assert sorted(set(range(1, 25)) - set(starts)) == [5, 15], "steps 1 to 5, 6 to 15, 16 to 25"
    marks = edges(named(spec, "cut"))
    assert len(marks) == 2 * 2 * 2, "two strokes at each cut of each layer"
    assert set(np.rint((marks[:, 0] + marks[:, 2]) / 2 - 0.5)) == {5, 15}
    assert "cut every 10 steps" in words(spec)
    assert "// cut" in words(spec)


def test_what_truncation_cuts_off_is_not_called_vanishing() -> None:
    spec = timeline_spec(view_of(Experiment(seq_len=20, truncate=10)))
    assert "healthy" in words(spec)
    assert "at step 11, cut every 10 steps" in words(spec)
    assert "exactly 0" not in words(spec)
    assert list(named(spec, "exactly 0: cut off")["x"]) == list(range(1, 11))
    assert not len(named(spec, "exactly 0")["x"])


def test_with_a_cut_at_every_step_there_is_no_verdict() -> None:
    told = words(timeline_spec(view_of(Experiment(seq_len=20, truncate=1))))
    assert "cut at every step: no error reaches an earlier step" in told
    assert "healthy" not in told


@pytest.mark.parametrize(
    "changes", [{"truncate": None}, {"truncate": 20}, {"truncate": 5, "cell": "feed-forward"}]
)
def test_a_timeline_without_cuts_has_no_marks(changes: dict[str, Any]) -> None:
    spec = timeline_spec(view_of(Experiment(seq_len=20, **changes)))
    assert "cut" not in names(spec)
    assert "cut" not in words(spec)


# Row 2: the hidden states


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_heatmap_is_the_hidden_states_of_the_chosen_layer(layer: int) -> None:
    e = Experiment(layers=3)
    heat = named(timeline_spec(view_of(e, layer=layer)), "hidden state")
    np.testing.assert_allclose(heat["z"], before_training(e).hidden[layer].T, rtol=1e-6)
    assert np.shape(heat["z"]) == (e.hidden_size, e.seq_len)
    assert (heat["zmin"], heat["zmax"]) == (-1, 1), "the colour of a state must not depend on the others"
    np.testing.assert_array_equal(heat["x"], np.arange(1, e.seq_len + 1))
    np.testing.assert_array_equal(heat["y"], np.arange(1, e.hidden_size + 1))


def test_states_that_overflowed_are_marked() -> None:
    shot = before_training(Experiment(seq_len=6))
    states = shot.hidden[0].copy()
    states[3, 2], states[4:] = 1e300, np.inf
    spec = timeline_spec(view_of(Experiment(seq_len=6), snapshot=replace(shot, hidden=(states,))))
    heat = named(spec, "hidden state")
    marks = [trace for trace in spec["data"] if trace["name"] == "overflow" and trace["yaxis"] == "y2"]
    np.testing.assert_array_equal(marks[0]["x"], [5, 6])
    assert np.isfinite(heat["z"][:, :4]).all(), "huge states are drawn, at the end of the scale"
    assert np.isnan(heat["z"][:, 4:]).all()


# Row 3: the gradient


@pytest.mark.parametrize(("topology", "T", "layers"), SHAPES)
def test_the_curve_is_the_gradient_up_to_the_last_output(topology: str, T: int, layers: int) -> None:
    e = experiment(topology, T, layers=layers)
    final, shot = e.masks.write_steps[-1], before_training(e)
    for layer in range(layers):
        spec = timeline_spec(view_of(e, layer=layer))
        several = len(e.masks.write_steps) > 1
        assert ("whole loss" in names(spec)) is True
        assert ("last output alone" in names(spec)) is several
        drawn = {
            name: named(spec, name)["y"]
            for name in ("whole loss", "last output alone")
            if name in names(spec)
        }
        for name, y in drawn.items():
            values = (shot.total if name == "whole loss" else shot.last)[layer].copy()
            values[final + 1 :] = np.nan
            np.testing.assert_array_equal(y, np.where(values > 0, values, np.nan))


@pytest.mark.parametrize("preset", ["vanishing", "orthogonal", "exploding", "echo"])
def test_the_axis_ends_at_fixed_powers_of_ten(preset: str) -> None:
    spec = timeline_spec(view_of(PRESETS[preset].experiment))
    gradient = spec["layout"]["yaxis3"]
    assert gradient["type"] == "log"
    low, high = gradient["range"]
    assert low in FLOORS
    assert high in CEILINGS
    seen = np.concatenate([t["y"] for t in spec["data"] if t.get("yaxis") == "y3" and "lines" in t["mode"]])
    seen = np.log10(seen[np.isfinite(seen)])
    assert low <= seen.min()
    assert seen.max() <= high
    assert (low == FLOORS[0]) or seen.min() < FLOORS[FLOORS.index(low) - 1], "no wider than needed"
    assert (high == CEILINGS[0]) or seen.max() > CEILINGS[CEILINGS.index(high) - 1]


def test_the_axis_is_the_same_before_and_after_a_few_updates() -> None:
    e = Experiment()
    before, after = (view_of(e, snapshot=s) for s in (before_training(e), after_training(e)))
    assert timeline_spec(before)["layout"]["yaxis3"] == timeline_spec(after)["layout"]["yaxis3"]


def test_the_axis_can_be_held_still() -> None:
    spec = timeline_spec(view_of(Experiment()), span=(-64, 8))
    assert spec["layout"]["yaxis3"]["range"] == [-64, 8]


@pytest.mark.parametrize(
    ("values", "span"),
    [
        ([1.0], (-8, 2)),
        ([1e-8, 1e2], (-8, 2)),
        ([1e-9, 101.0], (-16, 8)),
        ([1e-200], (-256, 2)),
        ([5e-324], (FLOORS[-1], 2)),
        ([1e300], (-8, 308)),
        ([0.0, np.nan, np.inf], (-8, 2)),
        ([], (-8, 2)),
    ],
)
def test_the_axis_holds_every_value_that_a_log_axis_can_hold(
    values: list[float], span: tuple[int, int]
) -> None:
    assert gradient_span(np.array(values)) == span


def test_exact_zeros_stand_at_the_floor() -> None:
    """Two units with weights of 0.01 lose nearly two powers of ten a step: too many for 199 steps back."""
    e = Experiment(seq_len=200, init="small-normal", hidden_size=2)
    curve = before_training(e).last[0]
    zeros = 1 + np.flatnonzero(curve == 0)
    assert len(zeros), "float64 ends at 5e-324"
    spec = timeline_spec(view_of(e))
    marks = named(spec, "exactly 0")
    np.testing.assert_array_equal(marks["x"], zeros)
    low, high = spec["layout"]["yaxis3"]["range"]
    places = (np.log10(marks["y"]) - low) / (high - low)
    assert ((places > 0.04) & (places < 0.1)).all(), "near the floor, and not cut off by it"
    assert "▼ exactly 0" in words(spec)
    line = named(spec, "whole loss")
    assert np.isnan(line["y"][zeros - 1]).all(), "zeros on a log axis would break the line"
    assert np.isfinite(line["y"][zeros[-1] :]).all()


def test_gradients_that_overflowed_stand_at_the_ceiling() -> None:
    e = PRESETS["exploding"].experiment
    shot = after_training(e)
    broken = 1 + np.flatnonzero(~np.isfinite(shot.last[0]))
    assert len(broken)
    spec = timeline_spec(view_of(e, snapshot=shot))
    (marks,) = [t for t in spec["data"] if t["name"] == "overflow" and t["yaxis"] == "y3"]
    np.testing.assert_array_equal(marks["x"], broken)
    low, high = spec["layout"]["yaxis3"]["range"]
    places = (high - np.log10(marks["y"])) / (high - low)
    assert ((places > 0.04) & (places < 0.1)).all(), "near the ceiling, and not cut off by it"
    assert "× overflow (inf)" in words(spec)
    assert go.Figure(spec).to_json()


def test_nothing_is_marked_after_the_last_output() -> None:
    shot = before_training(Experiment(seq_len=6))
    masks = replace(Experiment(seq_len=6).masks, writes=np.arange(6) == 2)
    last = (np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0]),)
    spec = timeline_spec(
        view_of(Experiment(seq_len=6), snapshot=replace(shot, last=last, total=last), masks=masks)
    )
    np.testing.assert_array_equal(named(spec, "exactly 0")["x"], [2])


def test_the_ghost_is_the_curve_before_training() -> None:
    e = Experiment()
    spec = timeline_spec(view_of(e, snapshot=after_training(e), initial=before_training(e)))
    np.testing.assert_array_equal(named(spec, "before training")["y"], before_training(e).last[0])
    assert not np.array_equal(named(spec, "whole loss")["y"], before_training(e).last[0])
    assert "before training" in words(spec)
    assert "before training" not in names(timeline_spec(view_of(e)))


@pytest.mark.parametrize("task", ["recall", "echo", "copy", "digits"])
def test_the_relative_curve_is_1_at_the_last_output(task: str) -> None:
    e = of_task(task)
    final = e.masks.write_steps[-1]
    view = view_of(e, snapshot=after_training(e), initial=before_training(e), relative=True)
    spec = timeline_spec(view)
    for name in {"before training", "whole loss", "last output alone"} & set(names(spec)):
        assert named(spec, name)["y"][final] == 1.0
    assert "relative" in spec["layout"]["yaxis3"]["title"]["text"]


def test_relative_to_a_gradient_of_zero_is_no_error() -> None:
    shot = before_training(Experiment(seq_len=4))
    zero = replace(shot, last=(np.zeros(4),), total=(np.zeros(4),))
    spec = timeline_spec(view_of(Experiment(seq_len=4), snapshot=zero, relative=True))
    assert np.isnan(named(spec, "whole loss")["y"]).all()


def test_the_curve_wears_the_colours_of_the_ribbon() -> None:
    spec = timeline_spec(view_of(PRESETS["vanishing"].experiment))
    curve = named(spec, "whole loss")
    assert curve["marker"]["colorscale"] == LIGHT.gradient
    assert (curve["marker"]["cmin"], curve["marker"]["cmax"]) == (0, 1)
    np.testing.assert_array_equal(curve["marker"]["color"], strength(curve["y"]))


@pytest.mark.parametrize(
    ("value", "position"),
    [
        (1e-8, 0.0),
        (1e-4, 0.25),
        (1.0, 0.5),
        (1e2, 0.625),
        (1e8, 1.0),
        (0.0, 0.0),
        (1e-300, 0.0),
        (1e300, 1.0),
        (np.inf, 1.0),
        (np.nan, 1.0),
    ],
)
def test_strength_is_a_place_on_one_fixed_scale(value: float, position: float) -> None:
    np.testing.assert_allclose(strength(np.array([value])), [position], atol=1e-12)


# The rows together


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_rows_share_one_time_axis(topology: str) -> None:
    e = of_task(next(name for name, task in TASKS.items() if topology in task.fits), topology=topology)
    spec = timeline_spec(view_of(e))
    layout = spec["layout"]
    assert {trace.get("xaxis", "x") for trace in spec["data"]} == {"x"}
    assert {trace.get("yaxis", "y") for trace in spec["data"]} == {"y", "y2", "y3"}
    assert (layout["hovermode"], layout["hoversubplots"]) == ("x unified", "axis")
    low, high = layout["xaxis"]["range"]
    assert low < 1
    assert e.seq_len < high
    assert all(t == int(t) and 1 <= t <= e.seq_len for t in layout["xaxis"]["tickvals"])
    rows = sorted(layout[axis]["domain"] for axis in ("yaxis", "yaxis2", "yaxis3"))
    assert rows[0][0] == 0.0
    assert rows[-1][1] == 1.0
    assert all(below[1] < above[0] + 1e-9 for below, above in pairwise(rows)), "rows must not overlap"


def test_hovering_a_column_names_the_step() -> None:
    assert (
        timeline_spec(view_of(Experiment()))["layout"]["xaxis"]["unifiedhovertitle"]["text"]
        == "<b>t = %{x}</b>"
    )


@pytest.mark.parametrize(
    ("preset", "fate"), [("vanishing", "vanishing"), ("orthogonal", "healthy"), ("exploding", "exploding")]
)
def test_the_headline_says_what_became_of_the_gradient_and_which_way_it_goes(preset: str, fate: str) -> None:
    text = words(timeline_spec(view_of(PRESETS[preset].experiment)))
    assert f"{fate}: " in text
    assert "travels back" in text


@given(st.integers(0, 10**7))
def test_the_axis_of_training_steps_is_mostly_full(step: int) -> None:
    end = axis_end(step)
    assert end >= max(step, 50)
    assert step >= 0.74 * end or end == 50


def test_the_axis_of_training_steps_seldom_grows() -> None:
    assert len({axis_end(step) for step in range(5000)}) <= 22


@pytest.mark.parametrize("task", TASKS)
def test_no_text_of_a_figure_is_empty(task: str) -> None:
    """Once a text was empty, plotly.js never again writes one in its place."""
    e = nearest({"task": task}, first={"task": task})[0]
    traces = [*timeline_spec(view_of(e))["data"], *answers_spec(answers_of(e))["data"]]
    assert [t["name"] for t in traces if t.get("text") is not None and "" in list(t["text"])] == []


def test_a_narrow_picture_says_the_same_in_fewer_words() -> None:
    for preset in (PRESETS["vanishing"], PRESETS["echo"]):
        wide = view_of(preset.experiment)
        long, short = (words(timeline_spec(replace(wide, brief=brief))) for brief in (False, True))
        assert "travels back" not in short
        assert "◀" in short
        assert "at step 1" in short
        assert len(short) < len(long)


def test_a_single_step_has_no_fate() -> None:
    text = words(timeline_spec(view_of(experiment("one-to-one", 1))))
    assert "no recurrence" in text
    assert "healthy" not in text


@pytest.mark.parametrize(
    ("decades", "steps", "text"),
    [
        (-0.30103, 49, "2.0 times smaller at step 1"),
        (0.30103, 1, "2.0 times larger at step 1"),
        (-2.5, 19, "316 times smaller at step 1"),
        (-3.9999, 19, "9,998 times smaller at step 1"),
        (-4.5, 49, "31,623 times smaller at step 1"),
        (-6.1, 49, "6.1 powers of ten smaller at step 1"),
        (-60.7, 49, "60.7 powers of ten smaller at step 1"),
        (7.44, 49, "7.4 powers of ten larger at step 1"),
        (-np.inf, 199, "exactly 0 at step 1"),
        (np.inf, 9, "overflowed at step 1"),
        (np.nan, 9, "the numbers overflowed"),
        (0.0, 0, "no earlier step to reach"),
    ],
)
def test_a_change_is_said_as_a_factor_while_it_can_be_pictured(decades: float, steps: int, text: str) -> None:
    assert change_in_words(decades, steps) == text


# Every figure, of every task, in both themes


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("task", TASKS)
def test_every_figure_of_every_task_is_a_valid_plotly_figure(task: str, theme: Theme) -> None:
    e = of_task(task, hidden_size=8)
    view = view_of(e, snapshot=after_training(e, 3), initial=before_training(e))
    figures = (
        (timeline_spec(view, theme), timeline(view, theme)),
        (answers_spec(answers_of(e), theme), answers(answers_of(e), theme)),
        (progress_spec(progress_of(e, solved_at=7), theme), progress(progress_of(e, solved_at=7), theme)),
    )
    for spec, figure in figures:
        assert go.Figure(spec).to_json() == figure.to_json()
        assert figure.layout.paper_bgcolor == theme.paper
        assert not figure.layout.showlegend
    used = set(re.findall(r"#[0-9a-fA-F]{6}", "".join(figure.to_json() for _, figure in figures)))
    other = DARK if theme is LIGHT else LIGHT
    assert not used & (own_colours(other) - own_colours(theme)), "a colour of the other theme"


def own_colours(theme: Theme) -> set[str]:
    return {value for value in vars(theme).values() if isinstance(value, str) and value.startswith("#")}


@pytest.mark.parametrize("preset", ["exploding"])
def test_a_run_that_broke_off_can_still_be_drawn(preset: str) -> None:
    e = PRESETS[preset].experiment
    shot = after_training(e)
    assert go.Figure(timeline_spec(view_of(e, snapshot=shot, initial=before_training(e)))).to_json()
    broken = replace(answers_of(e), outputs=np.full_like(shot.outputs, np.nan))
    assert go.Figure(answers_spec(broken)).to_json()


# Progress


@pytest.mark.parametrize("task", TASKS)
def test_the_level_lines_stand_at_what_a_guess_reaches_and_only_guessing_is_called_chance(task: str) -> None:
    e = of_task(task)
    spec = progress_spec(progress_of(e))
    level = "chance" if TASKS[task].guess.startswith("guessing") else "baseline"
    left, right = (t for t in spec["data"] if t["name"] == level)
    assert (left["xaxis"], right["xaxis"]) == ("x", "x2")
    np.testing.assert_array_equal(left["y"], [TASKS[task].chance_loss(e)] * 2)
    np.testing.assert_array_equal(right["y"], [TASKS[task].chance(e)] * 2)
    assert f"{level}: {TASKS[task].guess}" in words(spec)
    for chance, axis in ((np.log10(left["y"][0]), "yaxis"), (right["y"][0], "yaxis2")):
        low, high = spec["layout"][axis]["range"]
        assert low < chance < high, "a chance line out of sight"


def test_the_lines_are_the_history() -> None:
    run = train(Experiment(seq_len=5), 30)
    columns = run.state.history.columns
    spec = progress_spec(Progress.of(run.experiment, run.state))
    for name, column in (("loss, training batch", "loss"), ("metric, held out", "metric")):
        np.testing.assert_array_equal(named(spec, name)["x"], columns["step"])
        np.testing.assert_array_equal(named(spec, name)["y"], columns[column])
    assert spec["layout"]["yaxis"]["type"] == "log"
    assert spec["layout"]["yaxis2"]["range"][0] == 0.0


def test_events_are_marked_where_they_happened() -> None:
    e = Experiment()
    spec = progress_spec(progress_of(e, broke_off=30, solved_at=10))
    assert {(shape["x0"], shape["x1"]) for shape in spec["layout"]["shapes"]} == {(30, 30), (10, 10)}
    colours = {shape["x0"]: shape["line"]["color"] for shape in spec["layout"]["shapes"]}
    assert colours == {30: LIGHT.bad, 10: LIGHT.good}
    places = {note["text"]: note["x"] for note in spec["layout"]["annotations"]}
    assert (places["diverged"], places["solved"]) == (30, 10)
    quiet = progress_spec(progress_of(e))
    assert not quiet["layout"]["shapes"]
    assert "solved" not in words(quiet)


def test_a_run_that_has_not_begun_can_be_drawn() -> None:
    none = np.empty(0)
    spec = progress_spec(progress_of(Experiment(), steps=none, loss=none, metric=none))
    assert go.Figure(spec).to_json()
    assert spec["layout"]["xaxis"]["range"][1] == 50


@pytest.mark.parametrize("loss", [[np.nan], [np.inf, np.nan], [0.0, 0.0], [1e-300, 1e300]])
def test_a_loss_that_no_axis_can_hold_is_no_error(loss: list[float]) -> None:
    values = np.array(loss)
    spec = progress_spec(progress_of(Experiment(), steps=np.arange(len(loss)), loss=values, metric=values))
    assert np.isfinite(spec["layout"]["yaxis"]["range"]).all()
    assert go.Figure(spec).to_json()


def test_an_error_beyond_all_bounds_is_drawn_where_a_browser_can_place_it() -> None:
    e = Experiment(task="sine", topology="many-to-many", seq_len=40)
    values = np.array([0.6, 1e175, np.inf])
    spec = progress_spec(progress_of(e, steps=np.arange(3), loss=values, metric=values))
    drawn = named(spec, "metric, held out")["y"]
    assert drawn[0] == 0.6
    assert spec["layout"]["yaxis2"]["range"][1] < drawn[1] < 1e6, "far above the axis"
    assert np.isnan(drawn[2])


def test_the_loss_axis_holds_still_while_the_loss_stays_near_chance() -> None:
    ranges = {
        tuple(progress_spec(progress_of(Experiment(), loss=np.full(40, level)))["layout"]["yaxis"]["range"])
        for level in (1.38, 0.5, 0.1, 0.02)
    }
    assert len(ranges) == 1


# Answers


@pytest.mark.parametrize(
    ("task", "traces"),
    [
        ("recall", ["answer"]),
        ("parity", ["answer"]),
        ("adding", ["right", "answer"]),
        ("echo", ["probability", "right answer"]),
        ("copy", ["probability", "right answer"]),
        ("reverse", ["probability", "right answer"]),
        ("characters", ["wrong", "target", "output", "input"]),
        ("digits", ["image", "answer"]),
        ("waves", ["target", "output"]),
        ("sine", ["target", "output"]),
        ("sunspots", ["target", "output"]),
        ("series", ["target", "output"]),
        ("captions", ["probability", "right answer"]),
        ("sentiment", ["answer"]),
        ("translation", ["probability", "right answer"]),
    ],
)
def test_each_task_is_answered_in_the_form_that_suits_it(task: str, traces: list[str]) -> None:
    assert names(answers_spec(answers_of(of_task(task)))) == traces


def test_every_task_has_its_form() -> None:
    for name, task in TASKS.items():
        for topology in task.fits:
            e, _ = nearest({"task": name, "topology": topology}, first={"task"})
            assert answers_spec(answers_of(e))["data"], (name, topology)


def test_bars_are_probabilities_and_the_right_one_stands_out() -> None:
    e = of_task("recall")
    view = answers_of(e)
    bars = named(answers_spec(view), "answer")
    logits = view.outputs[-1, 0]
    np.testing.assert_allclose(bars["y"], np.exp(logits) / np.exp(logits).sum())
    right = int(view.targets[-1, 0])
    assert list(bars["x"]) == list(MARKS[:4])
    assert [k for k, colour in enumerate(bars["marker"]["color"]) if colour == LIGHT.output] == [right]
    assert f"right: {MARKS[right]}" in words(answers_spec(view))


def test_probabilities_over_time_are_those_of_the_steps_that_write() -> None:
    e = of_task("echo", delay=4, seq_len=12)
    view, spec = answers_of(e), answers_spec(answers_of(e))
    heat, rings = named(spec, "probability"), named(spec, "right answer")
    np.testing.assert_array_equal(heat["x"], np.arange(5, 13))
    np.testing.assert_allclose(np.sum(heat["z"], axis=0), 1.0)
    np.testing.assert_array_equal(rings["y"], view.targets[4:, 0])
    said = view.outputs[4:, 0].argmax(axis=-1)
    hits = [symbol == "circle-open" for symbol in rings["marker"]["symbol"]]
    assert hits == list(said == view.targets[4:, 0])
    assert list(rings["text"]) == [MARKS[k] for k in said]


def test_letters_stand_under_the_letters_that_they_follow() -> None:
    e = of_task("characters", corpus="hello")
    view, spec = answers_of(e), answers_spec(answers_of(e))
    reads, says, should = (
        [re.sub("</?b>", "", letter) for letter in named(spec, name)["text"]]
        for name in ("input", "output", "target")
    )
    assert should[:-1] == reads[1:], "what comes next is read next"
    assert "".join(reads).replace("␣", " ") in "hello world " * 3
    assert says == [view.names[k] for k in view.outputs[:, 0].argmax(axis=-1)]
    wrong = [t for t, (a, b) in enumerate(zip(says, should, strict=True), start=1) if a != b]
    assert list(named(spec, "wrong")["x"]) == wrong
    assert f"{len(says) - len(wrong)} of {len(says)} right" in words(spec)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e200, -1e308])
def test_answers_that_overflow_are_cut_off_or_left_out(task: str, broken: float) -> None:
    view = answers_of(of_task(task))
    outputs = view.outputs.copy()
    outputs[view.steps[-1]] = broken
    before, spec = answers_spec(view), answers_spec(replace(view, outputs=outputs))
    for axes in ("xaxis", "yaxis"):
        assert spec["layout"][axes].get("range") == before["layout"][axes].get("range")
    drawn = [trace["y"] for trace in spec["data"] if isinstance(trace.get("y"), np.ndarray)]
    assert all(np.abs(y[np.isfinite(y)]).max(initial=0.0) < 1e6 for y in drawn)


@pytest.mark.parametrize("task", ["recall", "echo", "characters", "digits"])
def test_an_answer_that_overflowed_is_never_right(task: str) -> None:
    view = answers_of(of_task(task))
    targets = np.zeros_like(view.targets)  # where argmax puts rows of NaN
    spec = answers_spec(replace(view, outputs=np.full_like(view.outputs, np.nan), targets=targets))
    if task == "echo":
        assert set(named(spec, "right answer")["marker"]["symbol"]) == {"x-thin"}
        assert set(named(spec, "right answer")["text"]) == {"?"}
    elif task == "characters":
        assert "next letter · 0 of" in words(spec)
    else:
        assert spec["layout"]["xaxis2" if task == "digits" else "xaxis"]["title"]["text"].startswith("0 of")


def test_sums_are_drawn_against_their_truth() -> None:
    view = answers_of(of_task("adding"))
    points = named(answers_spec(view), "answer")
    np.testing.assert_array_equal(points["x"], view.targets[-1, :, 0])
    np.testing.assert_array_equal(points["y"], view.outputs[-1, :, 0])
    diagonal = named(answers_spec(view), "right")
    np.testing.assert_array_equal(diagonal["x"], diagonal["y"])


def test_curves_are_in_the_units_of_the_data() -> None:
    view = answers_of(of_task("sunspots"))
    spec = answers_spec(view)
    np.testing.assert_allclose(named(spec, "target")["y"], 10.0 * view.targets[:, 0, 0])
    np.testing.assert_allclose(named(spec, "output")["y"], 10.0 * view.outputs[:, 0, 0])
    assert "√(sunspot number)" in words(spec)


def test_the_digit_stands_upright() -> None:
    """The first pixel row of the data is the top of the image; a heatmap's first row is its bottom."""
    view = answers_of(of_task("digits"))
    picture = named(answers_spec(view), "image")
    np.testing.assert_array_equal(picture["z"][-1], view.inputs[0, 0, :8])
    np.testing.assert_array_equal(picture["z"][0], view.inputs[0, 0, 56:64])


def test_pasted_text_cannot_bring_markup_into_a_figure() -> None:
    text = "<b>bold</b> & <a href='javascript:alert(1)'>x</a> "
    e = Experiment(task="characters", topology="many-to-many", corpus="own", text=text)
    labels = view_of(e).labels + answers_of(e).names
    assert all(len(label) == 1 for label in labels), "a single character is no markup"


# Themes


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    """Contrast ratio after WCAG 2.2, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_formula_is_the_published_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize(
    "text", ["ink", "faint", "good", "bad", "input", "hidden", "output", "loss", "metric"]
)
def test_text_can_be_read(theme: Theme, text: str) -> None:
    """4.5:1 for text, on paper and on panels (WCAG AA)."""
    for behind in (theme.paper, theme.panel):
        assert contrast(getattr(theme, text), behind) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_lines_can_be_told_from_what_is_behind_them(theme: Theme) -> None:
    """3:1 for graphics (WCAG AA)."""
    for line in ("target", "loss", "metric", "output", "input", "hidden"):
        assert contrast(getattr(theme, line), theme.panel) >= 3.0, line


def lightness(colour: str) -> float:
    """CIE L*, from 0 to 100."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_gradient_scale_gets_steadily_stronger(theme: Theme) -> None:
    """Ordered by lightness alone, so it can be read without seeing colours; away from the background."""
    steps = np.array([lightness(mix(theme.gradient, position)) for position in np.linspace(0, 1, 101)])
    away = steps - lightness(theme.panel)
    assert (np.diff(np.abs(away)) > 0).all()
    assert abs(steps[-1] - steps[0]) > 50


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_state_scale_is_neutral_at_zero_and_strong_at_both_ends(theme: Theme) -> None:
    middle, ends = mix(theme.state, 0.5), (mix(theme.state, 0.0), mix(theme.state, 1.0))
    for end in ends:
        assert abs(lightness(end) - lightness(middle)) > 35
    hues = [colorsys.rgb_to_hsv(*(int(end[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0] * 360 for end in ends]
    assert 180 < hues[0] < 240, "negative is blue"
    assert 10 < hues[1] < 50, "positive is orange"


def test_both_themes_define_every_colour() -> None:
    for field in fields(Theme):
        for theme in THEMES.values():
            value = getattr(theme, field.name)
            if field.name == "name":
                continue
            colours = [value] if isinstance(value, str) else value
            if isinstance(value, list):  # a scale
                colours = [colour for _, colour in value]
            assert all(re.fullmatch("#[0-9A-Fa-f]{6}", colour) for colour in colours), (
                theme.name,
                field.name,
            )


def test_scales_run_from_0_to_1() -> None:
    for theme in THEMES.values():
        for scale in (theme.state, theme.gradient):
            positions = [position for position, _ in scale]
            assert positions == sorted(set(positions))
            assert (positions[0], positions[-1]) == (0.0, 1.0)


def test_mixing_a_scale_goes_through_its_colours() -> None:
    scale = [(0.0, "#000000"), (0.5, "#ffffff"), (1.0, "#ff0000")]
    assert [mix(scale, p) for p in (-1, 0, 0.25, 0.5, 1, 2)] == [
        *("#000000", "#000000", "#808080", "#ffffff", "#ff0000", "#ff0000")
    ]


@pytest.mark.parametrize("theme", THEMES.values())
def test_gates_show_every_mean_over_time_and_the_units_most_open_first(theme: Theme) -> None:
    means = {"input": np.full(5, 0.2), "forget": np.linspace(0.7, 0.9, 5), "output": np.full(5, 0.5)}
    figure = gates(means, np.array([0.3, 0.9, 0.6]), "forget", theme)
    lines = {trace.name: trace for trace in figure.data if trace.mode == "lines"}
    for name, mean in means.items():
        np.testing.assert_array_equal(lines[f"{name} gate"].y, mean)
        np.testing.assert_array_equal(lines[f"{name} gate"].x, [1, 2, 3, 4, 5])
        heading = next(note.text for note in figure.layout.annotations if note.text.startswith("<b>gates"))
        assert re.search(rf"color:{lines[f'{name} gate'].line.color}'>[^<]*{name}", heading)
    assert lines["forget gate"].line.width > lines["input gate"].line.width
    assert len({line.line.dash for line in lines.values()}) == 3, "told apart without colour"
    (units,) = [trace for trace in figure.data if trace.mode == "markers"]
    np.testing.assert_array_equal(units.y, [0.9, 0.6, 0.3])
    assert list(units.customdata) == ["0.900", "0.600", "0.300"]
