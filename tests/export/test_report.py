"""A report holds the run's own numbers, in a file that fetches nothing and runs nothing foreign."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

from rnnviz import CELLS, PRESETS, TASKS, Experiment, advance, gradient_flow, start, take_snapshot, train
from rnnviz.experiment.fitting import nearest
from rnnviz.experiment.links import from_params
from rnnviz.export.report import BROKEN, MOST_BYTES, MOST_FRAMES, report
from rnnviz.figures.theme import DARK, LIGHT, Theme
from rnnviz.training.keyframes import Keyframes
from tests.plain_rnn import Array

SMALL = Experiment(seq_len=6, hidden_size=5, batch_size=4)


def kept(e: Experiment, updates: int, chunk: int = 25) -> Keyframes:
    """The kept states of a run of so many updates."""
    state = start(e)
    frames = Keyframes(state)
    while state.step < updates and not state.divergence:
        state = advance(e, state, steps=min(chunk, updates - state.step))
        frames.keep(state)
    return frames


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def states_of(data: dict[str, Any]) -> Array:
    """Hidden states (frames, layers, T, H) as the browser shows them."""
    levels = np.frombuffer(base64.b64decode(data["states"]), np.uint8)
    shape = len(data["frames"]), data["layers"], data["T"], data["H"]
    return np.asarray(levels.reshape(shape) / ((BROKEN - 1) / 2) - 1)


class Reader(HTMLParser):
    """Collects the texts of a page's elements and all that could fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.opened and data.strip():
            self.texts.append((self.opened[-1][0], data.strip()))


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_the_frames_are_the_run_s_own_states(cell: str, layers: int) -> None:
    e = SMALL.replace(
        cell=cell, layers=layers, init=CELLS[cell].inits[0], activation=CELLS[cell].activations[0]
    )
    data = data_of(report(e, kept(e, 40), most_frames=5))
    assert [frame["step"] for frame in data["frames"]] == [0, 10, 20, 30, 40]
    for frame, states in zip(data["frames"], states_of(data), strict=True):
        params = train(e, frame["step"]).params
        probe = TASKS[e.task].sample(e, e.rng("probe"), 16)
        traces = e.network().forward(params, probe.inputs)[1]
        for layer, trace in zip(states, traces, strict=True):
            np.testing.assert_allclose(layer, np.clip(trace.hidden[1:, 0], -1, 1), atol=0.51 / 127)
        top = gradient_flow(e, params).total  # only the last step writes
        shown = np.array(frame["gradient"][-1], float)
        np.testing.assert_array_equal(np.isnan(shown), top == 0)
        np.testing.assert_allclose(shown[top > 0], np.log10(top[top > 0]), atol=6e-4)


def test_loss_and_metric_are_those_of_the_history() -> None:
    frames = kept(SMALL, 130)
    shown, columns = data_of(report(SMALL, frames, 2))["history"], frames.newest.history.columns
    for name in ("step", "loss", "metric"):
        expected = [value if np.isfinite(value) else None for value in columns[name].tolist()]
        assert shown[name][:-1] == pytest.approx(expected, rel=1e-5)
    assert (shown["step"][-1], shown["loss"][-1]) == (130, None)


def test_a_retuned_run_is_retraced_with_what_was_in_force() -> None:
    slow = SMALL.replace(learning_rate=1e-5)
    state = advance(SMALL, start(SMALL), steps=20)
    frames = Keyframes(start(SMALL))
    frames.keep(advance(slow, state, steps=20))
    page = report(slow, frames, 3)
    probe = TASKS[SMALL.task].sample(SMALL, SMALL.rng("probe"), 16)
    hidden = SMALL.network().forward(state.params, probe.inputs)[1][0].hidden[1:, 0]
    np.testing.assert_allclose(states_of(data_of(page))[1, 0], hidden, atol=0.51 / 127)
    cells = [text for tag, text in read(page).texts if tag in ("th", "td")]
    assert cells[-4:] == [
        "At the start of the run",
        "learning rate 0.003, clipping 1",
        "Changed after 20 updates",
        "learning rate 1e-05, clipping 1",
    ]


def test_a_run_without_updates_and_one_of_a_single_step_have_a_report() -> None:
    assert len(data_of(report(SMALL, Keyframes(start(SMALL))))["frames"]) == 1
    single = nearest({"topology": "one-to-one"}, first={"topology"})[0]
    assert "no gradient through time" in report(single, kept(single, 3))


def test_a_diverged_run_says_where_it_diverged() -> None:
    e = PRESETS["exploding"].experiment
    frames = kept(e, 300)
    page = report(e, frames)
    assert f"The run diverged. {frames.newest.divergence}" in page
    assert data_of(page)["beyond"]  # ReLU
    assert not data_of(report(SMALL, kept(SMALL, 1)))["beyond"]


def test_the_largest_report_is_below_8_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.training.loop.held_out_metric", lambda *_: 0.5)  # it takes a second each time
    e = Experiment(seq_len=200, hidden_size=128, layers=3, batch_size=1, cell="feed-forward")
    first = take_snapshot(e, start(e).params, 0)  # others are as large
    monkeypatch.setattr(
        "rnnviz.export.report.take_snapshot", lambda e, params, step: replace(first, step=step)
    )
    page = report(e, kept(e, 60, chunk=60))
    assert MOST_BYTES < len(page.encode()) < 8_000_000
    assert 30 <= len(data_of(page)["frames"]) <= MOST_FRAMES


def test_the_link_opens_the_experiment() -> None:
    e = SMALL.replace(cell="lstm", init="forget-1")
    link = next(text for tag, text in read(report(e, kept(e, 2))).texts if tag == "code")
    assert from_params(dict(parse_qsl(link.removeprefix("?")))).experiment == e


def test_a_text_of_your_own_is_shown_as_text() -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)> $js ${data} &amp;"
    e = nearest({"task": "characters", "corpus": "own", "text": hostile, "seq_len": 4}, first={"task"})[0]
    page = report(e, kept(e, 1))
    reader = read(page)
    assert ("td", hostile) in reader.texts
    assert [tag for tag, _ in reader.opened].count("script") == 2
    assert "img" not in [tag for tag, _ in reader.opened]
    data_of(page)


def test_nothing_is_fetched() -> None:
    page = report(SMALL, kept(SMALL, 2))
    for tag, attributes in read(page).opened:
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page


def test_a_report_needs_two_frames() -> None:
    with pytest.raises(ValueError, match="most_frames must be 2 or more; got 1"):
        report(SMALL, Keyframes(start(SMALL)), most_frames=1)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_colours_are_those_of_the_figures(theme: Theme) -> None:
    page = report(SMALL, Keyframes(start(SMALL)))
    declared = re.findall(r"--(\w+): (#[^;]*);", page)
    names = ("paper", "panel", "ink", "faint", "grid", "hidden", "loss", "metric", "bad", "good")
    for name in names:
        assert (name, getattr(theme, name)) in declared
    assert ("state", " ".join(colour for _, colour in theme.state)) in declared
