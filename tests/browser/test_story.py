"""The telling pages as people meet them: by mouse, by keyboard alone, from the back row, by screen reader."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from rnnviz import PRESETS, Experiment
from rnnviz.experiment.links import to_params
from rnnviz.teaching.cures import CURES, PROBLEMS
from rnnviz.ui.catalogue import ENTRIES
from tests.browser.conftest import (
    PLACED,
    SETTLED,
    STYLED,
    expect_no_scroll_bar,
    press_key,
    use_theme,
    wait_until,
)

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PATHS = [entry.path for name, entry in ENTRIES.items() if name != "real_data"]
MAIN = "document.querySelector('[data-testid=stMain]')"
DRAWN = "[...document.querySelectorAll('.live-figure')].every(figure => figure.dataset.draws > 0)"


def barriers(page: Page, colours_only: bool = False) -> dict[str, str]:
    """What axe-core finds serious or critical: the rule and the first element that breaks it.

    colours_only : only the rule on contrast, which alone depends on the theme.
    """
    rules = ", runOnly: ['color-contrast']" if colours_only else ""
    found = page.evaluate(f"axe.run({{resultTypes: ['violations']{rules}}})")["violations"]
    return {v["id"]: v["nodes"][0]["html"] for v in found if v["impact"] in ("serious", "critical")}


def open_page(page: Page, server: str, path: str, **params: str) -> None:
    page.goto(f"{server}/{path}?{urlencode(params)}")
    expect(page).to_have_title(re.compile(".+ · rnnviz"))
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"\w"))
    wait_until(page, STYLED)
    wait_until(page, SETTLED)


def turn(page: Page, theme: str) -> None:
    """Let the visitor's system turn light or dark, and the page with it."""
    use_theme(page, theme)
    wait_until(page, f"getComputedStyle(document.querySelector('.stApp')).colorScheme === '{theme}'")


def assert_readable_in_the_dark(page: Page) -> None:
    """Enough contrast also after the visitor's system has turned dark."""
    turn(page, "dark")
    page.wait_for_timeout(500)  # the page learns of the other theme, and runs once more
    wait_until(page, SETTLED)
    assert barriers(page, colours_only=True) == {}


def assert_open_to_all_and_fits(page: Page) -> None:
    """No serious barrier in either theme, at most two screens high, and as wide as the screen or a phone."""
    page.emulate_media(reduced_motion="reduce")  # colours change at once
    expect_no_scroll_bar(page, screens=2)
    page.evaluate(AXE)
    assert barriers(page) == {}
    assert_readable_in_the_dark(page)
    for width, height in ((1280, 720), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(150)
        assert page.evaluate(f"{MAIN}.scrollWidth - {MAIN}.clientWidth") <= 1, f"sticks out at {width} pixels"


@pytest.mark.parametrize("path", PATHS)
def test_every_page_fits_and_has_no_serious_barrier(server: str, page: Page, path: str) -> None:
    open_page(page, server, path)
    wait_until(page, DRAWN)
    page.wait_for_timeout(600)  # formulas are set a moment later
    assert_open_to_all_and_fits(page)


def test_a_button_under_the_pointer_is_readable_in_the_dark(server: str, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")  # colours change at once
    open_page(page, server, "")
    wait_until(page, PLACED)
    page.locator(".st-key-tour_start button").hover()
    page.evaluate(AXE)
    assert_readable_in_the_dark(page)


def test_a_card_opens_its_scenario(server: str, page: Page) -> None:
    open_page(page, server, "")
    wait_until(page, PLACED)
    card = page.locator(".st-key-card_vanishing")
    expect(card.get_by_role("link")).to_be_visible()  # Streamlit brings it a moment after the text
    card.click(position={"x": 60, "y": 60})
    wait_until(page, "location.pathname === '/playground' && location.search.includes('small-normal')")
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    params = dict(parse_qsl(urlsplit(page.url).query))
    assert params == to_params(PRESETS["vanishing"].experiment)


def test_a_teachers_link_opens_what_it_says_and_hides_what_it_says(server: str, page: Page) -> None:
    open_page(page, server, "teach", **to_params(Experiment(seq_len=33)))
    page.get_by_role("combobox", name="Hide these controls").click()
    page.get_by_role("option", name="Initialisation and gain").click()
    page.keyboard.press("Escape")
    code = page.get_by_test_id("stCode")
    expect(code).to_contain_text("hide=start")
    page.goto(code.inner_text().replace("\n", "").strip())
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    assert "T=33" in page.url
    expect(page.get_by_text("Initialisation of B")).to_have_count(0)
    expect(page.get_by_role("slider", name="Sequence length T")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


# The projector view


def test_one_key_makes_everything_large_and_hides_the_rest(server: str, page: Page) -> None:
    open_page(page, server, "playground")
    plot = "document.querySelector('.st-key-timeline .live-figure')"
    wait_until(page, f"{plot}?.dataset.draws > 0")
    before = page.evaluate(f"{plot}._fullLayout.font.size")
    press_key(page, "l")
    wait_until(page, "location.search.includes('projector=true')")
    expect(page.locator(".stAppHeader")).to_be_hidden()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    wait_until(page, f"{plot}._fullLayout.font.size >= 1.3 * {before}")
    wait_until(page, "parseFloat(getComputedStyle(document.documentElement).fontSize) >= 18")
    press_key(page, "p")  # its button is out of the way, its key is not
    wait_until(page, "Number(document.querySelector('.numbers b')?.textContent) > 0")
    press_key(page, "p")
    page.wait_for_timeout(1500)  # a busy browser still draws what it was sent
    wait_until(page, SETTLED)
    press_key(page, "l")
    wait_until(page, "!location.search.includes('projector')")
    expect(page.locator(".stAppHeader")).to_be_visible()


def test_a_projector_shows_the_whole_playground(server: str, page: Page) -> None:
    open_page(page, server, "playground", projector="true")
    wait_until(page, f"{DRAWN} && document.querySelectorAll('.live-figure').length === 3")
    for key in ("timeline", "progress", "answers"):
        box = page.locator(f".st-key-{key} .live-figure").bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720


@pytest.mark.parametrize("projector", ["true", ""])
def test_the_whole_table_of_cures_is_on_screen_at_once(server: str, page: Page, projector: str) -> None:
    open_page(page, server, "cures", **({"projector": projector} if projector else {}))
    expect(page.locator("[class*='st-key-cure_']")).to_have_count(len(PROBLEMS) * len(CURES))
    wait_until(page, "document.querySelector('.st-key-cures').getBoundingClientRect().bottom <= 720")


def test_on_a_phone_each_number_of_the_cures_has_the_name_of_its_problem(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, server, "cures")
    expect(page.locator("[class*='st-key-cure_']")).to_have_count(len(PROBLEMS) * len(CURES))
    expect(page.locator(".cures-problem").first).to_be_hidden()
    named = "cells => cells.map(cell => JSON.parse(getComputedStyle(cell, '::before').content))"
    told = page.locator("[class*='st-key-cure_']").evaluate_all(named)
    assert told == [problem.title for problem in PROBLEMS.values()] * len(CURES)


def test_on_a_phone_results_and_doors_of_a_problem_have_its_name(server: str, page: Page) -> None:
    open_page(page, server, "problems")
    names = page.locator(".consequence .whose, .st-key-problem_doors .whose")
    expect(names).to_have_text(["Vanishing: ", "Exploding: ", "Vanishing", "Exploding"])
    expect(names.filter(visible=True)).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(names.filter(visible=True)).to_have_count(4)


def test_a_projector_shows_every_page_of_the_story_at_once(server: str, page: Page) -> None:
    """How, and the lessons: test_how.py and test_lessons.py."""
    for path in ("why", "types", "problems", "laboratory"):
        open_page(page, server, path, projector="true")
        wait_until(page, DRAWN)
        expect_no_scroll_bar(page)
        expect(page.locator(".st-key-way_on a")).to_be_in_viewport()


def test_the_results_of_training_both_problems_arrive_by_themselves(server: str, page: Page) -> None:
    open_page(page, server, "problems")
    results = page.locator(".consequence")
    expect(results.nth(0)).to_contain_text("After 300 updates", timeout=60_000)
    expect(results.nth(1)).to_contain_text("Huge updates", timeout=60_000)
    wait_until(page, DRAWN)
    doors = "document.querySelector('.st-key-problem_doors').getBoundingClientRect().top"
    before = page.evaluate(doors)
    page.get_by_role("slider", name="Gain g of Wₕₕ").first.press("ArrowRight")
    expect(results.nth(0)).to_contain_text("Training it")
    expect(results.nth(0)).to_contain_text("After 300 updates", timeout=60_000)
    assert page.evaluate(doors) == before, "the room for the answer was there"


def test_a_problem_opens_beside_a_network_without_it_over_all_seeds(server: str, page: Page) -> None:
    open_page(page, server, "problems")
    page.get_by_role("link", name="Beside orthogonal weights, over 20 seeds").first.click()
    expect(page.get_by_role("radio", name="20 seeds")).to_be_checked()
    expect(page.get_by_role("combobox", name="B's Initialisation")).to_have_value("Orthogonal")
    expect(page.get_by_text("Ignored in the link")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()


# The keyboard, and less motion


def test_everything_on_home_is_reached_by_tab_and_shows_it(server: str, page: Page) -> None:
    open_page(page, server, "")
    reached, focus = set(), "document.activeElement"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"{focus} === document.body"):  # past the last one, out of the page
            break
        reached.add(page.evaluate(f"{focus}.innerText || {focus}.getAttribute('aria-label') || ''").strip())
        ring = page.evaluate(f"getComputedStyle({focus}).outlineStyle + getComputedStyle({focus}).boxShadow")
        assert ring != "nonenone", page.evaluate(f"{focus}.outerHTML")[:300]
    names = " ".join(reached)
    for wanted in ("Learn step by step", "Train a network yourself", "The gradient vanishes", "Glossary"):
        assert wanted in names


LINK_ON_TOP = """() => {
  const { left, right, top, bottom } = document.querySelector('.st-key-way_on a').getBoundingClientRect();
  const shown = [[left + 9, top + 3], [right - 9, top + 3], [left + 9, bottom - 3], [right - 9, bottom - 3]];
  const inFront = at => document.elementFromPoint(...at)?.closest('.st-key-way_on');
  return bottom <= innerHeight && shown.every(inFront);
}"""
COVERED = """() => {
  const focus = document.activeElement, foot = document.querySelector('.st-key-way_on');
  if (!focus.closest('[data-testid=stSidebarUserContent]') || foot.contains(focus)) return false;
  return focus.getBoundingClientRect().bottom > foot.getBoundingClientRect().top;
}"""
NOTHING_BEHIND = """() => {
  const sidebar = document.querySelector('[data-testid=stSidebarContent]');
  sidebar.scrollTo(0, sidebar.scrollHeight);
  const last = [...sidebar.querySelectorAll('[data-testid=stCheckbox]')].at(-1).getBoundingClientRect();
  return last.bottom <= sidebar.querySelector('.st-key-way_on').getBoundingClientRect().top;
}"""
LONG_SIDEBAR = {"topology": "many-to-many", "task": "echo", "layers": "3"}


@pytest.mark.parametrize("path", ["playground", "laboratory"])
def test_the_way_on_stays_at_the_foot_of_a_sidebar_that_scrolls(server: str, page: Page, path: str) -> None:
    open_page(page, server, path, **LONG_SIDEBAR)
    wait_until(page, DRAWN)
    expect(page.locator(".st-key-way_on a")).to_be_visible()
    sidebar = "document.querySelector('[data-testid=stSidebarContent]')"
    page.get_by_test_id("stSidebar").get_by_text("Network and data").click()
    wait_until(page, f"{sidebar}.scrollHeight > {sidebar}.clientHeight + 200")
    assert page.evaluate(LINK_ON_TOP), "at the top"
    wait_until(page, NOTHING_BEHIND)  # the controls unfold slowly
    assert page.evaluate(LINK_ON_TOP), "at the end"
    for theme in ("light", "dark"):
        turn(page, theme)
        paper, behind = (
            page.evaluate(f"getComputedStyle(document.querySelector('{part}')).backgroundColor")
            for part in ("[data-testid=stSidebar] :has(> .st-key-way_on)", "[data-testid=stSidebar]")
        )
        assert paper == behind, f"what scrolls behind the link does not shine through in {theme}"


def test_what_has_the_focus_in_a_sidebar_is_not_behind_the_way_on(server: str, page: Page) -> None:
    open_page(page, server, "playground", **LONG_SIDEBAR)
    wait_until(page, DRAWN)
    page.get_by_test_id("stSidebar").get_by_text("Network and data").click()
    expect(page.get_by_label("Seed", exact=True)).to_be_visible()
    wait_until(page, "document.getAnimations().every(one => one.playState !== 'running')")  # it opens slowly
    way_on = "document.activeElement.closest('.st-key-way_on')"
    for _ in range(60):
        page.keyboard.press("Tab")
        assert not page.evaluate(COVERED), page.evaluate("document.activeElement.outerHTML")[:300]
        if page.evaluate(f"Boolean({way_on})"):
            break
    else:
        pytest.fail("the link is not reached by Tab")


@pytest.mark.parametrize("path", ["playground", "laboratory"])
def test_on_a_projector_the_way_on_is_whole_and_covers_no_button(server: str, page: Page, path: str) -> None:
    open_page(page, server, path, projector="true")
    wait_until(page, DRAWN)
    expect(page.locator(".st-key-way_on a")).to_be_visible()
    page.mouse.move(600, 300)
    wait_until(page, "getComputedStyle(document.querySelector('.st-key-way_on')).opacity === '1'")
    assert page.evaluate(LINK_ON_TOP)
    link = page.locator(".st-key-way_on a").bounding_box()
    assert link is not None
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        beside = box["x"] + box["width"] <= link["x"] or link["x"] + link["width"] <= box["x"]
        assert beside or box["y"] + box["height"] <= link["y"], button.inner_text()


def test_less_motion_is_respected(server: str, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_page(page, server, "")
    moving = """[...document.querySelectorAll('.stApp *')].filter(node => {
        const { transitionDuration, transitionProperty } = getComputedStyle(node);
        return transitionProperty !== 'none' && transitionDuration.split(', ').some(t => parseFloat(t) > 0);
    }).length"""
    assert page.evaluate(moving) == 0
