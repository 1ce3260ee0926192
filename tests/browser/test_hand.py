"""Sliders under the hand, keys beside them, and scenarios that open exactly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz import PRESETS, Experiment
from rnnviz.experiment.links import to_params
from tests.browser.conftest import SETTLED, both_themes, choose, console_errors, use_theme, wait_until

PARAMS = "Object.fromEntries(new URL(location).searchParams)"
STEP = "Number(document.querySelector('.numbers b')?.textContent.replace(',', ''))"

TITLE = "document.querySelector('.story b')?.textContent"


def label(figure: str) -> str:
    """JavaScript: what a figure says to screen readers, "" before it is drawn."""
    node = f"document.querySelector('.st-key-{figure} .live-figure[data-draws]')"
    return f"({node}?.getAttribute('aria-label') ?? '')"


def open_page(page: Page, server: str, path: str, figure: str, **params: str) -> None:
    page.goto(f"{server}/{path}?{urlencode(params)}")
    wait_until(page, f"{label(figure)} !== '' && window.rnnvizHand?.places.has('page')")


@contextmanager
def held(page: Page, slider: Locator) -> Iterator[None]:
    """Hold a slider's thumb with the mouse."""
    thumb = slider.evaluate("""input => {
        const box = input.closest('div[style*="translate(-50%"]').getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    }""")
    page.mouse.move(*thumb)
    page.mouse.down()
    page.evaluate("([x, y]) => window.thumb = {x, y}", thumb)
    yield
    page.mouse.up()


def drag(page: Page, by: int) -> None:
    """Move the thumb that is held, by some pixels from where it was taken."""
    thumb = page.evaluate("window.thumb")
    page.mouse.move(thumb["x"] + by, thumb["y"])


@pytest.mark.parametrize(
    ("path", "view", "name", "figure"),
    [
        ("", {}, "Try it: scale the recurrent weights", "home"),
        ("how", {"view": "by-hand"}, "What is computed", "by_hand"),
        ("problems", {}, "Gain g of Wₕₕ", "problem_vanishing"),
        ("laboratory", {"instrument": "cliff"}, "Start at b", "lab_cliff"),
    ],
)
def test_a_picture_follows_the_slider_before_it_is_released(
    server: str, page: Page, path: str, view: dict[str, str], name: str, figure: str
) -> None:
    open_page(page, server, path, figure, **view)
    slider = page.get_by_role("slider", name=name).first
    begun = slider.input_value()
    first = before = page.evaluate(label(figure))
    away = 60
    with held(page, slider):
        for by in (away, 2 * away):
            drag(page, by)
            wait_until(page, f"{label(figure)} !== {before!r}")
            before = page.evaluate(label(figure))
            value = slider.input_value()
            assert value != begun
        drag(page, 0)
        wait_until(page, f"{label(figure)} === {first!r}")
        expect(slider).to_have_value(begun)
        drag(page, 2 * away)
        wait_until(page, f"{label(figure)} === {before!r}")
    wait_until(page, SETTLED)
    expect(slider).to_have_value(value)
    assert page.evaluate(label(figure)) == before


def test_a_picture_follows_although_a_part_of_the_page_asks_at_the_same_moment(
    server: str, page: Page
) -> None:
    """Streamlit would send both at once, as a request for that part of the page alone."""
    open_page(page, server, "problems", "problem_vanishing")
    wait_until(page, f"{SETTLED} && !!(window.rnnvizChannel?.fragments.size && window.rnnvizAsk)")
    before = page.evaluate(label("problem_vanishing"))
    page.evaluate(
        """() => {
            const from = Number(document.querySelector('.st-key-gain_vanishing input').value);
            for (const part of rnnvizChannel.fragments.values()) part.rerun.ask('test');
            rnnvizHand.places.get('page').ask({ key: 'gain_vanishing', from, to: from + 0.1 });
        }"""
    )
    wait_until(page, f"{label('problem_vanishing')} !== {before!r}", seconds=10)


DATA = "JSON.stringify(rnnvizFigures.home.message.data)"


@both_themes
def test_the_first_picture_follows_the_hand_without_a_word_to_the_server(
    server: str, page: Page, theme: str
) -> None:
    use_theme(page, theme)
    open_page(page, server, "", "home")
    wait_until(page, f"!!rnnvizHand.prepared.get('home_gain')?.url.startsWith('pictures/{theme}-page-')")
    wait_until(page, "!!rnnvizHand.prepared.get('home_gain').messages")
    page.evaluate(
        "void (rnnvizHand.places.get('home').ask = asked => { throw new Error(JSON.stringify(asked)); })"
    )
    slider = page.get_by_role("slider", name="Try it")
    before = page.evaluate(label("home"))
    with console_errors(page) as errors, held(page, slider):
        for by in (300, 600, 0, 450):
            drag(page, by)
            wait_until(page, f"{label('home')} !== {before!r}")
            before = page.evaluate(label("home"))
            assert f"gain {float(slider.input_value()):g}:" in before
        under_hand = page.evaluate(DATA)
        expect(page.locator(".st-key-home .painted")).to_have_count(1)
    assert errors == []
    expect(page.locator(".st-key-home .painted")).to_have_count(0)
    wait_until(page, SETTLED)
    page.wait_for_timeout(300)
    assert page.evaluate(DATA) == under_hand, "what the server draws of the released value"
    assert page.evaluate(label("home")) == before


COUNT_ENTRIES = """() => {
  const { pushState } = history;
  window.entries = 0;
  history.pushState = function (...entry) { window.entries++; return pushState.apply(this, entry); };
}"""
"""Counts new entries of the history; a browser keeps only the last fifty, so their number does not tell."""


def test_a_drag_is_one_entry_of_the_history_and_a_run_plays_on(server: str, page: Page) -> None:
    open_page(page, server, "playground", "timeline", **to_params(Experiment(seq_len=20)))
    page.locator(".st-key-play button").click()
    wait_until(page, f"{STEP} > 0")
    page.evaluate(COUNT_ENTRIES)
    address = page.url
    slider = page.get_by_role("slider", name="Sequence length T")
    steps = "document.querySelector('.st-key-timeline .live-figure')._fullLayout.xaxis.range[1]"
    with held(page, slider):
        for by in (20, 40, 60):
            before = page.evaluate(steps)
            drag(page, by)
            wait_until(page, f"{steps} > {before}")
        assert page.url == address
        expect(page.locator(".notice")).to_have_count(0)
    wait_until(page, f"{PARAMS}.T === '{slider.input_value()}'")
    assert page.evaluate("window.entries") == 1
    expect(page.locator(".st-key-play button")).to_contain_text("Pause")
    wait_until(page, f"{STEP} > 0")
    page.go_back()
    wait_until(page, f"{PARAMS}.T === '20' && {steps} < 21")


def test_keys_work_whatever_has_the_focus_unless_text_is_typed(server: str, page: Page) -> None:
    open_page(page, server, "playground", "timeline")
    widgets = (
        page.get_by_role("slider", name="Sequence length T"),
        page.get_by_role("combobox", name="Scenario"),
        page.locator("[class*=st-key-pause_when_solved] input"),
        page.get_by_role("radio", name="n→1"),
    )
    for made, widget in enumerate(widgets, start=1):
        widget.focus()
        page.keyboard.press("s")
        wait_until(page, f"{STEP} === {made}")
    page.get_by_role("combobox", name="Scenario").click()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    page.get_by_text("Network and data").click()
    page.get_by_label("Seed", exact=True).focus()
    page.keyboard.press("n")
    page.get_by_role("slider", name="Sequence length T").focus()
    page.keyboard.press("b")
    wait_until(page, f"{STEP} === 0")
    assert page.evaluate(f"{PARAMS}.seed") == "0", "N was typed into a list and a box"


def test_from_scenario_to_scenario_while_it_runs(server: str, page: Page) -> None:
    """Every pair, and what a browser may report late: tests/ui/test_app.py."""
    first, *others = list(PRESETS)[::2]
    open_page(page, server, "playground", "timeline", **to_params(PRESETS[first].experiment))
    play = page.locator(".st-key-play button")
    scenario = page.get_by_role("combobox", name="Scenario")
    for name in others:
        if "Pause" not in play.inner_text() and play.is_enabled():
            play.click()
        preset = PRESETS[name]
        scenario.click()
        choose(scenario, page.get_by_role("option", name=preset.title, exact=True))
        wait_until(page, f"{TITLE} === '{preset.title}.' && {SETTLED}")
        assert page.evaluate(PARAMS) == to_params(preset.experiment), name
