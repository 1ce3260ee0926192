"""The laboratory through the shell: by key, asserting values."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment, gradient_flow
from rnnviz.links import to_params
from rnnviz.ui.live_run import advance_and_observe

SHELL = Path(__file__).parents[1] / "rnnviz" / "ui" / "shell.py"
INSTRUMENTS = ("curve", "why", "triangle", "spectrum", "training")


def open_laboratory(e: Experiment) -> AppTest:
    tab = AppTest.from_file(str(SHELL), default_timeout=30)
    for name, value in to_params(e).items():
        tab.query_params[name] = value
    tab.run()
    tab.switch_page(str(SHELL.parents[2] / "pages" / "laboratory.py"))
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


def said(tab: AppTest) -> str:
    return " ".join([m.value for m in tab.markdown] + [m.value for m in tab.info])


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize(
    "e",
    [
        Experiment(seq_len=30),
        Experiment(task="echo", topology="many-to-many", seq_len=12, delay=3, layers=2),
        Experiment(seq_len=12, hidden_size=2, activation="sigmoid", init="identity"),
        Experiment(seq_len=12, init="scaled-gaussian", gain=0.0),
        Experiment(seq_len=40, init="scaled-gaussian", gain=10.0, activation="relu"),
    ],
    ids=["plain", "many outputs", "sigmoid identity", "gain 0", "gain 10"],
)
def test_every_instrument_answers_every_experiment(e: Experiment, instrument: str) -> None:
    tab = choose(open_laboratory(e), instrument)
    assert params(tab) == to_params(e), "the experiment comes along to another page"
    text = said(tab)
    sentences = ("How to read this.", "factor per step", "no finite gradient", "Nothing was trained")
    assert any(sentence in text for sentence in sentences)
    assert "nan" not in text.lower()


def test_a_single_step_is_explained() -> None:
    tab = choose(open_laboratory(Experiment(task="digits", topology="one-to-one", seq_len=1)), "why")
    assert "A single step" in said(tab)
    assert "single step does not use it" in said(choose(tab, "triangle"))
    choose(tab, "curve")
    choose(tab, "spectrum")


def test_the_curve_is_the_librarys() -> None:
    e = Experiment(seq_len=25, init="pytorch")
    drawn = {trace["name"]: trace for trace in figure(open_laboratory(e), "curve")["data"]}
    np.testing.assert_array_equal(values_of(drawn["PyTorch default"]), gradient_flow(e).itemised[-1])
    assert "theory" in drawn
    assert "Orthogonal" in drawn


def test_a_diverged_run_leaves_the_laboratory_standing() -> None:
    e = Experiment(
        task="sine", topology="many-to-many", seq_len=40, activation="relu", init="scaled-gaussian",
        gain=2.0, optimizer="sgd", learning_rate=0.1, clip_norm=None,
    )  # fmt: skip
    tab = open_laboratory(e)
    run = tab.session_state["visit"].run
    from rnnviz.training import advance

    state = advance(e, run.state, steps=5)
    assert state.divergence is not None
    run._newest = state, run.initial
    for instrument in INSTRUMENTS:
        text = said(choose(tab, instrument))
        assert "How to read this." in text or "overflowed" in text


def test_after_training_the_spectrum_shows_before_and_now() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=10)), "spectrum")
    assert {trace["name"] for trace in figure(tab, "spectrum")["data"]} == {"now"}
    run = tab.session_state["visit"].run
    from rnnviz.training import advance

    run._newest = advance(run.experiment, run.state, steps=5), run.initial
    assert {t["name"] for t in figure(look(tab), "spectrum")["data"]} == {"now", "before training"}
    assert f"after {run.state.step} training steps" in " ".join(str(h.proto.body) for h in tab.get("html"))


def test_the_curve_shows_a_run_before_during_and_after_training() -> None:
    tab = open_laboratory(Experiment(seq_len=10))
    run = tab.session_state["visit"].run
    for _ in range(20):
        run._newest = advance_and_observe(run.experiment, run.state, None, 2)
        run._remember(run._newest[1])
    drawn = {trace["name"]: trace for trace in figure(look(tab), "curve")["data"]}
    assert {"Orthogonal, now", "before training", "step 4", "step 16", "theory"} == set(drawn)
    before = gradient_flow(run.experiment).total
    np.testing.assert_allclose(values_of(drawn["before training"]), before, rtol=1e-12)
    np.testing.assert_array_equal(values_of(drawn["step 16"]), run.album[16])
    assert not np.array_equal(run.album[16], run.album[4])


def test_where_several_steps_write_the_whole_loss_stands_beside_each_output() -> None:
    e = Experiment(task="echo", topology="many-to-many", seq_len=12, delay=3, init="small-normal")
    drawn = {trace["name"]: trace for trace in figure(open_laboratory(e), "curve")["data"]}
    flow = gradient_flow(e)
    assert drawn["whole loss, now"].get("xaxis", "x") == "x"
    assert drawn["Small normal"]["xaxis"] == drawn["each output"]["xaxis"] == "x2"
    np.testing.assert_array_equal(values_of(drawn["whole loss, now"]), flow.total)
    fan = values_of(drawn["each output"]).reshape(len(flow.outputs), e.seq_len + 1)[:, :-1]
    positive = flow.itemised > 0
    np.testing.assert_array_equal(fan[positive], flow.itemised[positive])
    assert np.isnan(fan[~positive]).all()


def test_the_cliff_stands_by_itself() -> None:
    tab = choose(open_laboratory(Experiment(seq_len=5)), "cliff")
    assert "thrown 39.1 far" in said(tab)
    tab.slider(key="cliff_w").set_value(4.4)
    tab.slider(key="cliff_b").set_value(-1.8)
    assert "never meets the wall" in said(look(tab))


@pytest.mark.parametrize("gain", ["1e6", "nan", "-1", "inf"])
def test_an_impossible_gain_is_named_and_left_out(gain: str) -> None:
    tab = AppTest.from_file(str(SHELL), default_timeout=30)
    tab.query_params["init"], tab.query_params["gain"] = "scaled-gaussian", gain
    look(tab)
    shown = " ".join(str(h.proto.body) for h in tab.get("html"))
    assert f"gain={gain} (expected a number between 0 and 10)" in shown
