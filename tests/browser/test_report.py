"""A report opens from a file without a network, and its slider moves all pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rnnviz import Experiment, advance, start
from rnnviz.export.report import report
from rnnviz.training.keyframes import Keyframes
from tests.browser.conftest import both_themes, wait_until

PIXELS = """() => {
  const canvas = document.querySelector('#now canvas');
  return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].join();
}"""
PAPER = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that learns its task."""
    e = Experiment(seq_len=8, hidden_size=12, layers=2)
    state = start(e)
    frames = Keyframes(state)
    for _ in range(4):
        state = advance(e, state, steps=30)
        frames.keep(state)
    path = tmp_path_factory.mktemp("report") / "run.html"
    path.write_text(report(e, frames, most_frames=31), encoding="utf-8")
    return path


@pytest.fixture
def opened(page: Page, file: Path) -> Iterator[Page]:
    page.context.set_offline(True)
    page.goto(file.as_uri())
    yield page
    page.context.set_offline(False)


def shown(page: Page) -> dict[str, str]:
    """What the pictures show: pixels, the gradient's path, and the cursors' paths."""
    cursors = page.locator("#progress .cursor")
    return {
        "heatmap": str(page.evaluate(PIXELS)),
        "gradient": str(page.locator("#now path.gradient").get_attribute("d")),
        "loss": str(cursors.nth(0).get_attribute("d")),
        "metric": str(cursors.nth(1).get_attribute("d")),
        "told": page.locator("#told").inner_text(),
    }


@both_themes
def test_arrow_keys_move_heatmap_gradient_and_cursors(opened: Page) -> None:
    slider = opened.get_by_label("Update", exact=True)
    expect(slider).to_have_value("30")
    last = shown(opened)
    assert last["told"].startswith("After 120 updates: gradient ")
    slider.press("ArrowLeft")
    before_last = shown(opened)
    assert before_last["told"].startswith("After 116 updates: ")
    for name, value in before_last.items():
        assert value != last[name], name
    slider.press("Home")
    assert shown(opened)["told"].startswith("Before training: gradient ")
    slider.press("End")
    assert shown(opened) == last


def test_another_layer_has_other_pictures(opened: Page) -> None:
    top = shown(opened)
    opened.get_by_label("Layer").select_option("1")
    lower = shown(opened)
    assert lower["heatmap"] != top["heatmap"]
    assert lower["gradient"] != top["gradient"]


def test_the_page_follows_the_system_s_theme(opened: Page) -> None:
    paper, pixels = opened.evaluate(PAPER), opened.evaluate(PIXELS)
    opened.emulate_media(color_scheme="dark")
    assert opened.evaluate(PAPER) != paper
    wait_until(opened, f"before => ({PIXELS})() !== before", pixels, seconds=5)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 844})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["dark"], indirect=True)
def test_on_paper_stand_the_first_and_the_last_state_on_white(opened: Page) -> None:
    opened.evaluate("window.seen = []")
    opened.evaluate(f"window.addEventListener('beforeprint', () => window.seen.push({PAPER}))")
    dark = opened.evaluate(PAPER)
    assert opened.pdf(format="A4").startswith(b"%PDF")
    assert opened.evaluate("window.seen") == ["rgb(255, 255, 255)"]
    assert opened.evaluate(PAPER) == dark
    opened.emulate_media(media="print")
    expect(opened.get_by_label("Update", exact=True)).to_be_hidden()
    expect(opened.locator("#first canvas")).to_be_visible()
    expect(opened.locator("#first h3")).to_contain_text("Before training")
    expect(opened.locator("#final h3")).to_contain_text("After 120 updates")
    opened.emulate_media(media="screen")


def test_on_paper_time_steps_stand_below_each_other_and_labels_have_their_size(opened: Page) -> None:
    opened.set_viewport_size({"width": 1280, "height": 720})
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened.emulate_media(media="print")
    for place in ("#first", "#final"):
        states = opened.locator(f"{place} canvas").bounding_box()
        gradient = opened.locator(f"{place} svg rect").bounding_box()
        assert states is not None
        assert gradient is not None
        assert gradient["x"] == pytest.approx(states["x"], abs=1)
        assert gradient["width"] == pytest.approx(states["width"], abs=1)
    scales = opened.locator("svg:visible").evaluate_all("all => all.map(svg => svg.getScreenCTM().a)")
    assert scales == pytest.approx([1.0] * 4, abs=0.01)
    opened.emulate_media(media="screen")


def test_only_a_chart_with_a_dashed_line_explains_one(opened: Page) -> None:
    explained = opened.locator("#first .caption, #final .caption").filter(has_text="dashed: before training")
    expect(explained).to_have_count(1)
    expect(opened.locator("#final .caption", has_text="dashed")).to_have_count(1)
    opened.get_by_label("Update", exact=True).press("Home")
    expect(opened.locator("#now")).not_to_contain_text("dashed")
