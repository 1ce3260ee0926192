"""Figures as files: SVG, a page that works without a network, and the numbers as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import BrowserContext, Page

from rnnviz import Experiment, gradient_flow
from rnnviz.experiment.links import to_params
from tests.browser.conftest import SETTLED, console_errors, wait_until

E = Experiment(seq_len=12)
FIGURES = "[...document.querySelectorAll('.live-figure[data-draws]')]"


def saved(page: Page, server: str, figure: str, button: str, folder: Path, e: Experiment = E) -> Path:
    """Press a button of a figure's bar; return the file."""
    page.goto(f"{server}/playground?{urlencode(to_params(e))}")
    wait_until(page, f"{FIGURES}.length === 3 && {SETTLED}")
    place = page.locator(f".st-key-{figure} .live-figure")
    place.hover()
    with page.expect_download() as download:
        place.locator(f"[data-title^='{button}']").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_figure_is_saved_as_svg(server: str, page: Page, tmp_path: Path) -> None:
    path = saved(page, server, "timeline", "Download plot as an SVG", tmp_path)
    assert path.name == "timeline.svg"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "time step" in text


def test_the_numbers_of_a_figure_are_those_of_the_library_and_nothing_else(
    server: str, page: Page, tmp_path: Path
) -> None:
    e = replace(E, truncate=5)
    path = saved(page, server, "timeline", "Download the plot", tmp_path, e)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    expected = gradient_flow(e).total
    curves = {row["curve"] for row in rows if not row["value"]}
    found = [
        {int(row["x"]): float(row["y"]) for row in rows if row["curve"] == name and row["y"]}
        for name in curves
    ]
    zeros = {int(row["x"]): row["y"] for row in rows if row["curve"] == "exactly 0: cut off"}
    assert zeros == {t: "0" for t in range(1, e.seq_len + 1) if expected[t - 1] == 0.0} != {}
    reached = {t: expected[t - 1] for t in range(1, e.seq_len + 1) if expected[t - 1]}
    assert any(y.keys() == reached.keys() and np.allclose([*y.values()], [*reached.values()]) for y in found)
    assert sum(bool(row["value"]) for row in rows) == e.seq_len * e.hidden_size, "the states"
    assert not curves & {"A = W_xh", "input x", "cut"}, "what is only drawn"


def test_a_figure_is_a_page_that_works_without_a_network(
    server: str, page: Page, profile: BrowserContext, tmp_path: Path
) -> None:
    path = saved(page, server, "progress", "Download plot as a page", tmp_path)
    profile.set_offline(True)
    try:
        with console_errors(page) as errors:
            page.goto(path.as_uri())
            wait_until(page, "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length > 0")
            page.wait_for_timeout(300)
        assert errors == []
        assert page.title() == "progress"
        assert "held-out accuracy" in page.inner_text("#figure")
    finally:
        profile.set_offline(False)
