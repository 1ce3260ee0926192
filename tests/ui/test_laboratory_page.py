"""The laboratory through the shell: by key, asserting values."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment, gradient_flow, lyapunov_exponents, state_jacobians
from rnnviz.analysis.by_length import LengthResult
from rnnviz.analysis.spectrum import spectrum
from rnnviz.analysis.sweeps import seed_run
from rnnviz.experiment.fitting import changed, nearest
from rnnviz.experiment.links import to_params
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import number, percent, plain
from rnnviz.ui.instruments.outcome import FIRST, LENGTHS
from rnnviz.ui.laboratory import DRAWN
from tests.visitor import Tab, Watching, train_here

SHELL = Path(__file__).parents[2] / "rnnviz" / "ui" / "shell.py"
LABORATORY = SHELL.parents[2] / "pages" / "laboratory.py"
INSTRUMENTS = ("compare", "causes", "contributions", "spectrum", "directions", "lyapunov", "training")


def open_laboratory(e: Experiment) -> AppTest:
    tab = AppTest.from_file(str(SHELL), default_timeout=30)
    tab.session_state["more"] = True  # all settings are unfolded
    for name, value in to_params(e).items():
        tab.query_params[name] = value
    tab.run()
    tab.switch_page(str(LABORATORY))
    return look(tab)


def look(tab: AppTest) -> AppTest:
    tab.run()
    assert [error.message for error in tab.exception] == []
    return tab


def choose(tab: AppTest, instrument: str) -> AppTest:
    tab.button_group(key="instrument").set_value(instrument)
    return look(tab)


def params(tab: AppTest) -> dict[str, str]:
    return {name: v[0] if isinstance(v, list) else v for name, v in tab.query_params.items()}


def figure(tab: AppTest, name: str) -> dict[str, Any]:
    sent = [json.loads(e.proto.bytes) for e in tab.get("bidi_component") if e.proto.bytes]
    return {f["name"]: f for f in sent}[f"lab_{name}"]


def values_of(trace: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(trace["y"]["bdata"]))


def header(tab: AppTest) -> str:
    return next(str(h.proto.body) for h in tab.get("html") if "class='story'" in str(h.proto.body))


def said(tab: AppTest) -> str:
    """The instrument's text, without the marks of subscripts."""
    notes = [str(h.proto.body) for h in tab.get("html") if "class='note" in str(h.proto.body)]
    return " ".join([m.value for m in tab.markdown] + notes).replace("<sub>", "_").replace("</sub>", "")


@pytest.mark.parametrize(
    "e",
    [
        Experiment(seq_len=30),
        Experiment(task="echo", topology="many-to-many", seq_len=12, delay=3, layers=2),
        Experiment(seq_len=12, hidden_size=2, activation="sigmoid", init="identity"),
        Experiment(seq_len=12, init="scaled-gaussian", gain=0.0),
        Experiment(seq_len=40, init="scaled-gaussian", gain=10.0, activation="relu"),
        Experiment(task="echo", topology="many-to-many", seq_len=12, delay=3, layers=2, cell="lstm"),
        Experiment(seq_len=12, cell="gru"),
        Experiment(seq_len=12, cell="lru", layers=2),
    ],
    ids=["plain", "many outputs", "sigmoid identity", "gain 0", "gain 10", "lstm", "gru", "lru"],
)
def test_every_instrument_answers_every_experiment(e: Experiment) -> None:
    tab = open_laboratory(e)
    assert params(tab) == to_params(e), "the experiment comes along to another page"
    for instrument in INSTRUMENTS:
        text = said(choose(tab, instrument))
        sentences = (
            "How to read this.",
            "factor per step",
            "to break down",
            "Not trained yet",
            "gates",
            "overflowed",
        )
        explained = any(sentence in text for sentence in sentences)
        assert explained or "See Compare instead" in text or "no gradient of it" in text, instrument
        assert "nan" not in text.lower(), instrument
    assert params(tab) == to_params(e) | {"instrument": INSTRUMENTS[-1]}, "no instrument changes it"


def test_a_single_step_is_explained() -> None:
    tab = open_laboratory(Experiment(task="digits", topology="one-to-one", seq_len=1))
    for instrument in ("compare", "causes", "contributions", "directions", "lyapunov", "seeds"):
        assert "A single step" in said(choose(tab, instrument))
    assert "does not use W_hh" in said(choose(tab, "contributions"))
    assert "How to read this." in said(choose(tab, "spectrum"))


def test_without_recurrence_there_is_no_matrix_to_look_at() -> None:
    tab = open_laboratory(Experiment(seq_len=8, cell="feed-forward"))
    assert "no W_hh" in said(choose(tab, "contributions"))
    assert "no W_hh" in said(choose(tab, "spectrum"))
    for instrument in ("directions", "lyapunov"):
        assert "the state at one step does not depend on the one before" in said(choose(tab, instrument))
    assert "Before step 8 the error is exactly zero" in said(choose(tab, "causes"))


@pytest.mark.parametrize(("cell", "title"), [("lstm", "LSTM"), ("gru", "GRU")])
def test_what_does_not_apply_to_gates_is_said_in_a_sentence(cell: str, title: str) -> None:
    tab = open_laboratory(Experiment(seq_len=8, cell=cell))
    assert f"no theory line for {title}" in said(choose(tab, "compare"))
    assert [t["name"] for t in figure(tab, "compare")["data"] if t.get("name") == "theory"] == []
    assert f"{title}: the error does not go through one activation" in said(choose(tab, "causes"))
    assert f"{title}: no single matrix carries the state" in said(choose(tab, "spectrum"))
    items = choose(tab, "contributions")
    assert "How to read this." in said(items)
    assert r"\frac{\partial L}{\partial(h_{t-1}W_{hh})}" in items.latex[0].value
    assert r"\varphi'" not in items.latex[0].value, "no single activation"
    matrices = {"LSTM": 4, "GRU": 3}[title]
    note = f"{title}: Wₕₕ is {matrices} matrices side by side"
    assert any(caption.value.startswith(note) for caption in items.caption)
    several = choose(
        open_laboratory(Experiment(task="echo", topology="many-to-many", seq_len=8, delay=3, cell=cell)),
        "contributions",
    )
    assert r"\frac{\partial L_k}{\partial(h_{t-1}W_{hh})}" in several.latex[0].value


def test_directions_show_what_the_norm_hides() -> None:
    e = Experiment(seq_len=50, init="glorot")
    tab = choose(open_laboratory(e), "directions")
    found, flow = state_jacobians(e), gradient_flow(e)
    assert flow.verdict == "healthy"
    text = said(tab)
    assert f"**{found.within[0]} of 32** lie within a hundredth of the largest" in text
    assert "(healthy) follows the largest and does not show the others" in text
    assert rf"={found.within[0]}\ \text{{of}}\ 32" in tab.latex[0].value
    drawn = {trace["name"]: trace for trace in figure(tab, "directions")["data"]}
    np.testing.assert_array_equal(values_of(drawn["largest"]), found.powers[:, 0])
    np.testing.assert_array_equal(values_of(drawn["norm"]), flow.per_output[-1])
    kept = said(choose(open_laboratory(e.replace(init="orthogonal")), "directions"))
    assert "(healthy) speaks for most of them" in kept
    off = said(choose(open_laboratory(e.replace(init="scaled-gaussian", gain=0.0)), "directions"))
    assert "At step 1 all are exactly 0" in off


def test_the_whole_state_is_named() -> None:
    def named(**settings: Any) -> str:
        tab = choose(open_laboratory(Experiment(seq_len=6, **settings)), "directions")
        return next(caption.value for caption in tab.caption if "probe sequence" in caption.value)

    assert named().startswith("s: h; of one probe sequence")
    assert named(cell="lstm").startswith("s: (h, c);")
    assert named(cell="lru", layers=2).startswith("s: the complex memory of the top layer, those below held;")


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (Experiment(seq_len=20, init="glorot"), "All are negative"),
        (Experiment(seq_len=20, init="scaled-gaussian", gain=3.0), "With bounded states this is chaos, of"),
        (Experiment(seq_len=20, activation="linear"), "The largest is 0 within its error"),
        (Experiment(seq_len=20, activation="linear", gain=1.1), "errors grow going back, by ×1.10 a step."),
        (Experiment(seq_len=20, init="scaled-gaussian", gain=0.0), "All are −∞"),
        (Experiment(seq_len=20, activation="linear", gain=10.0), "The states overflowed"),
        (Experiment(seq_len=20, cell="lstm", hidden_size=40), "Shown: the 64 largest of 80."),
    ],
    ids=["glorot", "chaos", "rotation", "linear growth", "gain 0", "overflow", "large"],
)
def test_lyapunov_exponents_are_read_by_their_sign(e: Experiment, text: str) -> None:
    shown = said(choose(open_laboratory(e), "lyapunov"))
    assert text in shown
    assert ("chaos" in shown) == ("chaos" in text), "not where states grow without bound"


def test_after_training_lyapunov_shows_before_and_now() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=10)), "lyapunov")
    run = tab.session_state["session"].run
    before = lyapunov_exponents(run.experiment)
    train_here(run, 5)
    drawn = {trace["name"]: trace for trace in figure(look(tab), "lyapunov")["data"]}
    now = lyapunov_exponents(run.experiment, run.state.params)
    np.testing.assert_array_equal(values_of(drawn["before training"]), before.exponents)
    np.testing.assert_array_equal(values_of(drawn["now"]), now.exponents)


def test_the_phase_diagram_says_on_what_input_it_measures() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=8)), "border")
    assert "A single layer on random input" in header(tab)


def test_seeds_are_measured_while_somebody_watches_and_none_before() -> None:
    e = Experiment(seq_len=8, init="pytorch")
    tab = choose(open_laboratory(e), "seeds")
    sweep = tab.session_state["session"].sweeps.get(("seeds", replace(e, learning_rate=1e-3, clip_norm=None)))
    assert (sweep.done, sweep.under_way) == (0, 0)
    assert "this seed" in [trace["name"] for trace in figure(tab, "seeds")["data"]], "it needs no worker"
    assert "No verdict before all 20 seeds are measured." in said(tab)
    assert "Of 1 seed" not in said(tab)
    screen = tab.session_state["session"].screen
    assert screen.live
    screen.take(Watching(screen))
    screen.resume()
    assert len(sweep.wait()) == 20
    assert "Of 20 seeds: " in said(look(tab))
    assert [caption.value for caption in tab.caption if "All" in caption.value] == ["All 20 seeds measured."]
    drawn = {trace["name"]: trace for trace in figure(tab, "seeds")["data"]}
    np.testing.assert_array_equal(values_of(drawn["this seed"]), gradient_flow(e).per_output[-1])


def test_seeds_are_trained_and_their_share_comes_with_an_interval() -> None:
    e = Experiment(seq_len=5)
    tab = choose(open_laboratory(e), "seeds")
    tab.button_group(key="seeds_of").set_value("training")
    look(tab)
    sweep = tab.session_state["session"].sweeps.get(("training of seeds", e, 300))
    assert "Training 20 seeds for 300 updates each" in said(tab)
    run = seed_run((e, 300))
    sweep.results[:19] = [run] * 19
    assert "Solved at least" not in said(look(tab))
    assert "No verdict before all 20 seeds are measured." in said(tab)
    sweep.results[19] = run
    assert "Solved at least once: 20 of 20 seeds (95% interval 84% to 100%)" in said(look(tab))


def test_a_cancelled_measurement_says_so_and_starts_again() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=8)), "border")
    tab.button(key="cancel").click()
    look(tab).button(key="again").click()
    assert look(tab).button(key="cancel").label == "Cancel"


@pytest.mark.parametrize(
    ("e", "shown"),
    [
        (Experiment(seq_len=12), "An orthogonal Wₕₕ of gain 1 preserves every length"),
        (Experiment(seq_len=12, gain=0.9), ""),
        (Experiment(seq_len=12, init="pytorch"), ""),
        (
            Experiment(seq_len=12, init="scaled-gaussian", gain=0.0),
            "Before step 12 the error is exactly zero: the factor there is 0.",
        ),
    ],
    ids=["orthogonal", "gain 0.9", "PyTorch", "gain 0"],
)
def test_why_says_only_what_is_true_of_this_matrix(e: Experiment, shown: str) -> None:
    text = said(choose(open_laboratory(e), "causes"))
    assert shown in text
    assert ("preserves every length" in text) == ("preserves every length" in shown)


def test_of_a_single_output_no_rows_are_told() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=12)), "contributions")
    assert "the only output, at t = 12" in said(tab)
    assert "Row k" not in said(tab)
    many = Experiment(task="echo", topology="many-to-many", seq_len=12, delay=3)
    text = said(choose(open_laboratory(many), "contributions"))
    assert "column 1 is exactly 0, because h₀ = 0" in text


def test_what_an_instrument_looks_at_is_said_once() -> None:
    tab = open_laboratory(Experiment(seq_len=8))
    assert "Weights before training." in header(tab)
    assert "Weights" not in header(choose(tab, "training")), "that nothing was trained is said below"
    assert "only activation and H" in header(choose(tab, "border"))
    assert "a single unit" in header(choose(tab, "cliff"))


def test_a_border_beyond_the_phase_diagram_is_told() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=8, activation="sigmoid", init="glorot")), "border")
    assert "The theory's border, at g = 10.1 to 10.5, lies outside this picture." in said(tab)
    tab = choose(open_laboratory(Experiment(seq_len=8)), "border")
    assert "The dashed border" in said(tab)


def test_the_curve_is_the_librarys() -> None:
    e = Experiment(seq_len=25, init="pytorch")
    drawn = {trace["name"]: trace for trace in figure(open_laboratory(e), "compare")["data"]}
    np.testing.assert_array_equal(values_of(drawn["PyTorch default"]), gradient_flow(e).per_output[-1])
    assert "theory" in drawn
    assert "Orthogonal" in drawn


def test_a_diverged_run_leaves_the_laboratory_standing() -> None:
    e = Experiment(
        task="sine", topology="many-to-many", seq_len=40, activation="relu", init="scaled-gaussian",
        gain=2.0, optimizer="sgd", learning_rate=0.1, clip_norm=None,
    )  # fmt: skip
    tab = open_laboratory(e)
    run = tab.session_state["session"].run
    from rnnviz.training.loop import advance

    state = advance(e, run.state, steps=5)
    assert state.divergence is not None
    run._newest = state, run.initial
    texts = {instrument: said(choose(tab, instrument)) for instrument in INSTRUMENTS}
    assert all("How to read this." in text or "overflowed" in text for text in texts.values())
    assert "The numbers left the range of floating point: × marks where." in texts["compare"]
    assert "healthy" not in texts["compare"]
    assert "The numbers overflowed" in texts["contributions"]
    assert "The unit circle is too small to see here." in texts["spectrum"]
    assert re.search(r"σₘₐₓ = \d\.\d+·10\S+, ", texts["spectrum"]), "a power of ten, not seven digits"
    assert "Clipping is off." in texts["training"]
    formulas = " ".join(latex.value for latex in choose(tab, "training").latex)
    assert "clipping is off" in formulas
    assert "theta" not in formulas


def test_after_training_the_spectrum_shows_before_and_now() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=10)), "spectrum")
    assert {trace["name"] for trace in figure(tab, "spectrum")["data"]} == {"now"}
    run = tab.session_state["session"].run
    from rnnviz.training.loop import advance

    run._newest = advance(run.experiment, run.state, steps=5), run.initial
    assert {t["name"] for t in figure(look(tab), "spectrum")["data"]} == {"now", "before training"}
    assert f"after {run.state.step} updates" in " ".join(str(h.proto.body) for h in tab.get("html"))


def test_the_curve_shows_a_run_before_during_and_after_training() -> None:
    tab = open_laboratory(Experiment(seq_len=10))
    run = tab.session_state["session"].run
    for _ in range(20):
        train_here(run, 2)
        run._remember(run._newest[1])
    drawn = {trace["name"]: trace for trace in figure(look(tab), "compare")["data"]}
    assert {"Orthogonal, now", "before training", "update 4", "update 16", "theory"} == set(drawn)
    before = gradient_flow(run.experiment).total
    np.testing.assert_allclose(values_of(drawn["before training"]), before, rtol=1e-12)
    np.testing.assert_array_equal(values_of(drawn["update 16"]), run.album[16])
    assert not np.array_equal(run.album[16], run.album[4])


def test_where_several_steps_write_the_whole_loss_stands_beside_each_output() -> None:
    e = Experiment(task="echo", topology="many-to-many", seq_len=12, delay=3, init="small-normal")
    drawn = {trace["name"]: trace for trace in figure(open_laboratory(e), "compare")["data"]}
    flow = gradient_flow(e)
    assert drawn["whole loss, now"].get("xaxis", "x") == "x"
    assert drawn["Small normal"]["xaxis"] == drawn["each output"]["xaxis"] == "x2"
    np.testing.assert_array_equal(values_of(drawn["whole loss, now"]), flow.total)
    fan = values_of(drawn["each output"]).reshape(len(flow.outputs), e.seq_len + 1)[:, :-1]
    positive = flow.per_output > 0
    np.testing.assert_array_equal(fan[positive], flow.per_output[positive])
    assert np.isnan(fan[~positive]).all()


def test_the_cliff_stands_by_itself() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=5)), "cliff")
    assert "a gradient of 390 there, jumped a distance of 39, and ended at a loss of 0.090." in said(tab)
    assert "no step is longer than 0.03, and the loss ends at 0.0013." in said(tab)
    assert "at most }{390}" in tab.latex[0].value
    tab.slider(key="cliff_w").set_value(4.4)
    tab.slider(key="cliff_b").set_value(-1.8)
    assert "never hits the wall" in said(look(tab))
    assert "The threshold was never reached: both paths are the same." in said(tab)


@pytest.mark.parametrize("gain", ["1e6", "nan", "-1", "inf"])
def test_an_impossible_gain_is_named_and_left_out(gain: str) -> None:
    tab = AppTest.from_file(str(SHELL), default_timeout=30)
    tab.query_params["init"], tab.query_params["gain"] = "scaled-gaussian", gain
    tab.switch_page(str(LABORATORY))
    look(tab)
    shown = " ".join(str(h.proto.body) for h in tab.get("html"))
    assert f"gain={gain} (expected a number between 0 and 10)" in shown


@pytest.mark.parametrize(
    ("value", "digits", "text", "tex"),
    [
        (3.04e-6, 1, "3·10⁻⁶", r"{3\cdot 10^{-6}}"),
        (39.1, 2, "39", "{39}"),
        (0.059, 2, "0.059", "{0.059}"),
        (8995145.555, 4, "8.995·10⁶", r"{8.995\cdot 10^{6}}"),
        (29.0377, 3, "29.0", "{29.0}"),
        (0.99996, 3, "1.00", "{1.00}"),
        (9999.7, 3, "10⁴", "{10^{4}}"),
        (-2.25, 3, "−2.25", "{-2.25}"),
        (0.0, 3, "0", "{0}"),
        (np.inf, 3, "∞", r"{\infty}"),
        (-np.inf, 3, "−∞", r"{-\infty}"),
    ],
)
def test_numbers_are_written_as_a_person_would(value: float, digits: int, text: str, tex: str) -> None:
    assert plain(value, digits) == text
    assert number(value, digits) == tex


def test_a_share_that_rounds_to_nothing_has_no_sign() -> None:
    assert [percent(share) for share in (-0.004, -0.012, 0.31)] == ["0%", "−1%", "31%"]


def controls(tab: AppTest) -> set[str]:
    """The names of the sidebar's controls."""
    kinds = ("selectbox", "slider", "select_slider", "number_input", "toggle", "button_group", "button")
    keys = {str(w.key).split("__")[0] for kind in kinds for w in getattr(tab.sidebar, kind)}
    return {key.removeprefix("choose_") for key in keys}


def test_controls_that_change_nothing_on_an_instrument_are_left_out() -> None:
    tab = open_laboratory(Experiment(seq_len=8, task="echo", topology="many-to-many", layers=2))
    shown = {name: controls(choose(tab, name)) for name in DRAWN}
    assert shown["cliff"] == set()
    assert "This instrument has its own settings, above the figure." in [c.value for c in tab.sidebar.caption]
    assert shown["border"] == {"activation", "hidden_size"}
    assert {name for name in shown if "relative" in shown[name]} == {"compare"}
    assert {name for name in shown if "learning_rate" in shown[name]} == {"training", "outcome"}
    assert {name for name in shown if "truncate" in shown[name]} == {
        "compare",
        "contributions",
        "training",
        "outcome",
    }
    assert {name for name in shown if "seq_len" not in shown[name]} == {
        "spectrum",
        "outcome",
        "border",
        "cliff",
    }
    assert not any({"layer", "whole_loss"} & names for names in shown.values())
    choose(tab, "seeds").button_group(key="seeds_of").set_value("training")
    assert {"learning_rate", "clip_norm", "optimizer", "batch_size"} <= controls(look(tab))


@pytest.mark.parametrize(
    ("instrument", "told"),
    [
        ("compare", "BPTT is cut every 3 steps, counted back from T"),
        ("contributions", "BPTT is cut every 3 steps, counted back from T"),
        ("causes", "Measured without truncating BPTT."),
        ("seeds", "Measured without truncating BPTT."),
    ],
)
def test_an_instrument_says_what_truncation_does_to_it(instrument: str, told: str) -> None:
    for truncate in (3, 8, None):
        tab = choose(open_laboratory(Experiment(seq_len=8, truncate=truncate)), instrument)
        assert (told in " ".join(text.value for text in tab.markdown)) == (truncate == 3)


CHANGES: dict[str, Any] = {
    "seq_len": 9, "hidden_size": 12, "layers": 2, "activation": "sigmoid", "init": "small-normal",
    "gain": 0.7, "optimizer": "sgd", "learning_rate": 0.03, "clip_norm": 3.0, "batch_size": 8,
    "seed": 7, "symbols": 3,
    "noise": 0.5, "delay": 2, "items": 2, "jitter": 0.4, "series": "stock", "corpus": "hello",
    "language": "german", "grammar": "reports", "target": "german",
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_control_is_useful_where_it_changes_the_numbers_of_some_task(name: str) -> None:
    flows, matrices = set(), set()
    for task, topology in [(task, topology) for task, t in TASKS.items() for topology in t.fits]:
        e = nearest({"task": task, "topology": topology}, first=("task", "topology"), base=Experiment())[0]
        other = changed(e, **{name: CHANGES[name]})[0]
        flows.add(np.array_equal(gradient_flow(e).per_output, gradient_flow(other).per_output))
        now, then = (spectrum(x.init(x.rng("weights")).layers[-1].W_hh, x.activation) for x in (e, other))
        same = np.array_equal(now.eigenvalues, then.eigenvalues) and now.gamma == then.gamma
        matrices.add(same)
    assert (name in DRAWN["causes"].useful) == (False in flows)
    assert (name in DRAWN["spectrum"].useful) == (False in matrices)


def test_the_laboratory_trains_by_itself_and_keeps_the_speed_of_the_playground() -> None:
    tab = Tab("laboratory", T="5", instrument="training")
    assert [note.split(".")[0] for note in tab.notes] == ["Not trained yet"]
    speed = tab.run.speed
    for steps in (300, 600):
        tab.press("train_here")
        tab.look_until(lambda: not tab.run.playing)
        tab.look()
        assert tab.run.state.step == steps
        assert f"Weights after {steps} updates." in tab.html
    drawn = {trace["name"]: trace for trace in json.loads(tab.messages["lab_training"])["data"]}
    assert np.frombuffer(base64.b64decode(drawn["before clipping"]["y"]["bdata"])).size == 600
    assert tab.run.speed == speed
    tab.run.play()
    assert tab.run.train_to is None, "in the playground it goes on without an end"


def test_training_here_can_be_paused_and_follows_a_change_of_the_experiment() -> None:
    tab = Tab("laboratory", T="30", H="64", instrument="training")
    tab.press("train_here")
    assert tab.tab.button(key="train_here").label == "Pause"
    tab.widget("number_input", "choose_seed").set_value(5)
    tab.look()
    assert (tab.run.experiment.seed, tab.run.train_to, tab.run.playing) == (5, 300, True)
    tab.press("train_here")
    assert not tab.run.playing


def test_a_change_of_settings_during_300_more_updates_starts_a_run_of_300() -> None:
    tab = Tab("laboratory", T="30", H="64", instrument="training")
    tab.press("train_here")
    tab.look_until(lambda: not tab.run.playing)
    tab.look()
    assert tab.tab.button(key="train_here").label == "Train 300 more"
    tab.press("train_here")
    tab.widget("number_input", "choose_seed").set_value(5)
    tab.look()
    assert (tab.run.experiment.seed, tab.run.playing) == (5, True)
    tab.look_until(lambda: not tab.run.playing)
    assert tab.run.state.step == 300


# Outcome


def test_success_against_length_is_measured_in_parts_and_told_when_all_are_done() -> None:
    e = Experiment(hidden_size=4)
    tab = choose(open_laboratory(e), "outcome")
    sweep = tab.session_state["session"].sweeps.get(("outcome", e, FIRST, 300))
    assert len(sweep.parts) == len(LENGTHS) * len(FIRST) * 10
    assert sweep.done == 0, "nobody watches"
    for place, part in enumerate(sweep.parts):
        reached = part.choice != FIRST[0] or part.length <= 20
        sweep.results[place] = LengthResult(part.choice, part.length, -part.length / 5, 1.0, reached)
        if place == 5:
            assert "No verdict before all runs of 10 seeds are done." in said(look(tab))
    told = said(look(tab))
    assert f"{FIRST[0]}: most seeds solve the task up to T = 20." in told
    assert f"{FIRST[1]}: most seeds solve the task at every T." in told


def test_with_no_network_chosen_the_outcome_asks_for_one() -> None:
    tab = choose(open_laboratory(Experiment()), "outcome")
    tab.multiselect(key="outcome_of").set_value([])
    look(tab)
    assert any("Choose up to 3 networks." in str(text.value) for text in tab.get("html"))


def test_a_task_of_a_single_length_has_no_outcome_to_compare() -> None:
    tab = choose(open_laboratory(Experiment(task="digits", topology="one-to-one", seq_len=1)), "outcome")
    assert any("This task has a single length." in str(text.value) for text in tab.get("html"))
