"""The shelf as a person uses it: keep a run, go on to another, compare, and open the first one again."""

from __future__ import annotations

import itertools
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from tests.browser.conftest import SETTLED, expect_no_scroll_bar, press_key, wait_until
from tests.browser.test_story import AXE, barriers

STEP = "Number(document.querySelector('.numbers b')?.textContent.replace(',', ''))"
PARAM = "new URL(location).searchParams.get"


def keep_after(page: Page, updates: int) -> None:
    for made in range(1, updates + 1):
        press_key(page, "s")
        wait_until(page, f"{STEP} === {made} && {SETTLED}")
    page.get_by_role("button", name="Keep").first.click()
    expect(page.locator(".story.notice")).to_contain_text("Kept as")


def assert_titles_apart(page: Page, width: int) -> None:
    """In a window of this width, each chart's title ends before the next one begins."""
    window = page.viewport_size
    assert window is not None
    page.set_viewport_size({"width": width, "height": 844})
    wait_until(page, "document.querySelector('.st-key-kept_runs .live-figure-window').clientWidth < 390")
    places = "all => all.map(title => title.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    page.wait_for_timeout(500)  # it is drawn anew
    titles = page.locator(".st-key-kept_runs .annotation-text").evaluate_all(places)
    assert len(titles) == 3
    for (_, end), (beginning, _) in itertools.pairwise(titles):
        assert end < beginning
    page.set_viewport_size(window)


def test_a_kept_run_is_compared_and_opened_again_where_it_was(server: str, page: Page) -> None:
    page.goto(f"{server}/playground?{urlencode(to_params(Experiment(seq_len=6)))}")
    wait_until(page, f"{STEP} === 0 && {SETTLED}")
    keep_after(page, 3)
    page.get_by_role("radio", name="1→n").click()
    wait_until(page, f"{STEP} === 0 && {PARAM}('topology') === 'one-to-many'")
    wait_until(page, SETTLED)
    keep_after(page, 1)
    page.locator(".st-key-way_on a").click()
    page.get_by_role("radio", name="Kept", exact=True).click()
    expect(page.locator(".kept-runs tr")).to_have_count(3)
    wait_until(page, "document.querySelector('.st-key-kept_runs .live-figure')?.dataset.draws > 0")
    expect_no_scroll_bar(page)
    page.evaluate(AXE)
    assert barriers(page) == {}
    assert_titles_apart(page, width=390)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".kept-runs tr")).to_have_count(2)
    expect(page.get_by_label("Run", exact=True)).to_have_value("Run 2")
    expect(page.get_by_label("Name")).to_have_value("Run 2")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".kept-runs tr")).to_have_count(3)
    expect(page.get_by_label("Run", exact=True)).to_have_value("Run 1")
    page.get_by_label("Name").fill("recall, short")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_label("Run", exact=True)).to_have_value("recall, short")
    page.get_by_role("button", name="Open in the playground").click()
    wait_until(page, f"location.pathname === '/playground' && {STEP} === 3")
    wait_until(page, f"{PARAM}('topology') === 'many-to-one' && {PARAM}('T') === '6'")
    press_key(page, "s")
    wait_until(page, f"{STEP} === 4")
