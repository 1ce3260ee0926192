"""The first three minutes as a newcomer meets them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Locator, Page, expect

from rnnviz.experiment.links import to_params
from rnnviz.teaching.tour import RIGHT, SMALL, STAGES, UPDATES
from tests.browser.conftest import SETTLED, expect_no_scroll_bar, press_key, wait_until
from tests.browser.test_story import AXE, MAIN, assert_readable_in_the_dark, barriers, open_page

DRAWN = "document.querySelectorAll('.live-figure[data-draws]').length"
CUT = """[...document.querySelectorAll('.live-figure text')].filter(text => {
    const own = text.getBoundingClientRect();
    const frame = text.closest('svg').getBoundingClientRect();
    return own.width > 0 && (own.right > frame.right + 1 || own.left < frame.left - 1);
}).map(text => text.textContent)"""
"""JavaScript: the words of figures that stick out at a side."""

HIDDEN_BUTTONS = """[...document.querySelectorAll('[class*="st-key-tour_"] button')].filter(button => {
    const { top, bottom } = button.getBoundingClientRect();
    return top < 0 || bottom > innerHeight;
}).length"""


def button(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} button")


def begin(page: Page, server: str, **params: str) -> None:
    open_page(page, server, "", **params)
    wait_until(page, f"{DRAWN} === 1")
    expect(page.locator("[data-testid=stMain] button[data-testid$=-primary]")).to_have_count(1)
    button(page, "tour_start").click()
    expect(page.locator(".cover")).to_be_visible()


def on(page: Page, stage: str, figures: int) -> None:
    """Turn to a stage whose network, if it has one, has trained to its end."""
    button(page, "tour_on").click()
    expect_stage(page, stage, figures)


def expect_stage(page: Page, stage: str, figures: int) -> None:
    expect(page.locator(".stage")).to_have_text(f"{STAGES.index(stage) + 1} of {len(STAGES)}")
    wait_until(page, SETTLED)  # the button of the stage before has gone
    following = "tour_again" if stage == "on" else "tour_on"
    expect(button(page, following)).to_be_visible(timeout=60_000)
    wait_until(page, f"{DRAWN} === {figures}")


def assert_fits(page: Page) -> None:
    expect_no_scroll_bar(page)
    assert page.evaluate(f"{MAIN}.scrollWidth") <= 1280
    assert page.evaluate(HIDDEN_BUTTONS) == 0
    assert page.evaluate(CUT) == []


def assert_the_back_row_sees_every_stage_on_the_way_back(page: Page) -> None:
    press_key(page, "l")
    wait_until(page, "location.search.includes('projector=true')")
    expect_stage(page, "on", figures=0)
    assert_fits(page)
    for stage, figures in (("lstm", 4), ("why", 1), ("cure", 3), ("question", 2)):
        button(page, "tour_back").click()
        expect_stage(page, stage, figures)
        assert_fits(page)


def assert_at(shown: Locator, x: float, y: float) -> None:
    box = shown.bounding_box()
    assert box is not None
    assert abs(box["x"] - x) <= 1
    assert abs(box["y"] - y) <= 1


def assert_open_to_all(page: Page) -> None:
    """No serious barrier."""
    page.evaluate(AXE)
    assert barriers(page) == {}


def test_a_newcomer_predicts_sees_it_fail_cures_it_and_knows_why(server: str, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    begin(page, server, projector="true")
    assert page.evaluate(DRAWN) == 0, "nothing is shown before the commitment"
    assert_fits(page)
    press_key(page, "l")
    wait_until(page, f"!location.search.includes('projector') && {SETTLED}")
    assert_fits(page)
    assert_open_to_all(page)
    button(page, "tour_answer_0").focus()
    page.keyboard.press("Enter")
    button(page, "tour_skip").click()
    expect_stage(page, "question", figures=2)
    expect(page.locator(".given")).to_contain_text("✗ Wrong.")
    expect(page.locator(".why")).to_contain_text(f"after {UPDATES} updates")
    assert_fits(page)
    assert_open_to_all(page)
    place = button(page, "tour_on").bounding_box()
    on(page, "cure", figures=3)
    expect(page.locator(".why")).to_contain_text("Solved: 100%")
    labels = page.evaluate("[...document.querySelectorAll('.live-figure')].map(figure => figure.ariaLabel)")
    assert "Orthogonal W_hh 100%" in labels[-1]
    tops = [
        page.locator(f".st-key-tour_strip_{name} .live-figure").bounding_box()["y"]  # type: ignore[index]
        for name in ("small", "orthogonal")
    ]
    assert tops[0] < tops[1], "one above the other"
    assert_fits(page)
    assert place is not None
    assert_at(button(page, "tour_on"), place["x"], place["y"])
    on(page, "why", figures=1)
    assert_at(button(page, "tour_on"), place["x"], place["y"])
    assert_fits(page)
    on(page, "lstm", figures=4)
    expect(page.locator(".why")).to_contain_text("forget gate")
    assert_at(button(page, "tour_on"), place["x"], place["y"])
    assert_fits(page)
    assert_open_to_all(page)
    button(page, "tour_back").click()
    expect_stage(page, "why", figures=1)
    on(page, "lstm", figures=4)
    on(page, "on", figures=0)
    below = "document.elementFromPoint({x}, {y}).closest('a, button')"
    assert page.evaluate(below.format(x=place["x"] + 20, y=place["y"] + 10)) is None, (
        "a second click on the same spot leads nowhere"
    )
    assert_fits(page)
    end = page.url
    assert_the_back_row_sees_every_stage_on_the_way_back(page)
    page.goto(end)
    expect_stage(page, "on", figures=0)
    assert_open_to_all(page)
    page.get_by_role("link", name="Playground: make this network learn").click()
    wait_until(page, "location.pathname === '/playground'")
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    assert dict(parse_qsl(urlsplit(page.url).query)) == to_params(SMALL.experiment)


def test_on_a_phone_nothing_sticks_out_and_a_picture_ends_where_its_scrolling_ends(
    server: str, page: Page
) -> None:
    page.emulate_media(reduced_motion="reduce")  # colours change at once
    page.set_viewport_size({"width": 390, "height": 844})
    begin(page, server)
    button(page, f"tour_answer_{RIGHT}").click()
    button(page, "tour_skip").click()
    expect_stage(page, "question", figures=2)
    expect(page.locator(".given")).to_contain_text("✓ Right.")
    assert page.evaluate(f"{MAIN}.scrollWidth") <= 390
    empty = page.evaluate("""(() => {
        const frame = document.querySelector('.st-key-tour_strip_small .live-figure-window');
        frame.scrollLeft = 10000;
        const figure = frame.querySelector('.live-figure').getBoundingClientRect();
        return frame.getBoundingClientRect().right - figure.right;
    })()""")
    assert abs(empty) <= 2
    on(page, "cure", figures=3)
    assert page.evaluate(f"{MAIN}.scrollWidth") <= 390
    top = button(page, "tour_on").bounding_box()
    assert top is not None
    assert top["y"] < 844, "the way on needs no scrolling"
    page.evaluate(AXE)
    assert_readable_in_the_dark(page)


def test_the_logo_always_leads_home_and_the_tour_goes_on_from_there(server: str, page: Page) -> None:
    open_page(page, server, "", tour="why")
    expect_stage(page, "why", figures=1)
    page.locator(".st-key-brand button").click()
    expect(button(page, "tour_start")).to_contain_text(f"Continue the tour (3 of {len(STAGES)})")
    wait_until(page, "!location.search.includes('tour=')")
    button(page, "tour_start").click()
    expect_stage(page, "why", figures=1)
    page.get_by_test_id("stTopNavLink").filter(has_text="Lessons").click()
    wait_until(page, f"location.pathname === '/lessons' && {SETTLED}")
    page.locator(".st-key-brand a").click()
    expect(button(page, "tour_start")).to_contain_text("Continue the tour")
