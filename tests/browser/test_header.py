"""The header and the frame of every page: it stands still, reaches everything, and fits every window."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rnnviz.ui.catalogue import ENTRIES, MOVED
from tests.browser.conftest import PLACED, SETTLED, choose, expect_no_scroll_bar, press_key, wait_until
from tests.browser.test_story import AXE, DRAWN, MAIN, barriers, open_page

IN_THE_HEADER = (
    ".st-key-brand a, [data-testid=stTopNavLink], [data-testid=stMainMenuButton], "
    ".st-key-tools button:not(.st-key-take_home button)"
)
"""What every page has in common; the playground adds a button."""

PLACES = f"""[...document.querySelectorAll('{IN_THE_HEADER}')].map(node => {{
    const box = node.getBoundingClientRect();
    return [Math.round(box.x), Math.round(box.width), Math.round(box.right)];
}})"""
Places = list[list[int]]

TABS = [entry.tab for entry in ENTRIES.values() if entry.tab]
PARTS = 2 + len(TABS) + 2  # brand, theme, tabs, glossary, projector


def places_in_the_header(page: Page) -> Places:
    """Where the parts of the header are, once the page is there: left, width and right."""
    wait_until(page, SETTLED)  # what belongs to the page before has gone
    expect(page.locator(IN_THE_HEADER)).to_have_count(PARTS)
    page.wait_for_timeout(300)
    places: Places = page.evaluate(PLACES)
    return places


def assert_side_by_side(places: Places, width: int) -> None:
    edges = sorted((left, right) for left, _, right in places)
    assert all(a[1] <= b[0] for a, b in pairwise(edges)), "nothing lies over another"
    assert edges[-1][1] <= width


def test_the_story_leads_from_page_to_page_below_a_header_that_stands_still(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 720})
    open_page(page, server, "")
    page.get_by_role("link", name="Learn step by step").click()
    places: Places = []
    for entry in list(ENTRIES.values())[1:]:
        wait_until(page, f"location.pathname === '/{entry.path}'")
        expect(page).to_have_title(f"{entry.title} · rnnviz")
        if entry.name != "glossary":  # whose header needs no button for it
            seen = places_in_the_header(page)
            if not places:
                places = seen
                assert_side_by_side(places, 1024)
            assert seen == places, entry.name
        wait_until(page, SETTLED)  # the link of the page before has gone
        page.locator(".st-key-way_on a").click()
    wait_until(page, "location.pathname === '/'")


def test_the_header_stands_still_from_tab_to_tab(server: str, page: Page) -> None:
    open_page(page, server, "why")
    places = places_in_the_header(page)
    assert_side_by_side(places, 1280)
    for entry in [entry for entry in ENTRIES.values() if entry.tab][1:]:
        page.get_by_test_id("stTopNavLink").filter(has_text=entry.tab).click()
        wait_until(page, f"location.pathname === '/{entry.path}'")
        assert places_in_the_header(page) == places, entry.name


def test_six_tabs_and_learn_has_a_numbered_path(server: str, page: Page) -> None:
    open_page(page, server, "")
    expect(page.get_by_test_id("stTopNavLink")).to_contain_text(TABS)
    page.get_by_test_id("stTopNavLink").filter(has_text="Learn").click()
    expect(page.locator(".st-key-path a p")).to_have_text(
        ["1 Why", "2 How", "3 Types", "4 Problems", "5 Cures"]
    )
    page.locator(".st-key-path_types a").click()
    wait_until(page, "location.pathname === '/types'")
    expect(page.locator(".st-key-path_here a p")).to_have_text("3 Types")
    page.locator(".st-key-brand a").click()
    wait_until(page, "location.pathname === '/'")


@pytest.mark.parametrize(
    "link", [".st-key-brand a", ".st-key-way_on a", "[data-testid=stTopNavLink][href*='lessons']"]
)
def test_a_link_is_obeyed_even_if_the_page_asks_for_a_rerun_just_after(
    server: str, page: Page, link: str
) -> None:
    open_page(page, server, "playground")
    wait_until(page, "!!(window.rnnvizChannel?.rerun.ask && window.rnnvizTurning)")
    expect(page.locator(link)).to_be_visible()
    page.evaluate(
        """link => {
            document.querySelector(link).click();
            for (let tries = 0; tries < 3; ++tries) rnnvizChannel.rerun.ask(`test${tries}`);
        }""",
        link,
    )
    wait_until(page, "location.pathname !== '/playground'")
    wait_until(page, SETTLED)
    page.wait_for_timeout(500)
    assert page.evaluate("location.pathname !== '/playground'")


@pytest.mark.parametrize(
    ("link", "path"),
    [(".st-key-way_on a", "/cures"), ("[data-testid=stTopNavLink][href*='lessons']", "/lessons")],
)
def test_a_link_is_obeyed_even_if_the_page_has_asked_for_a_rerun_just_before(
    server: str, page: Page, link: str, path: str
) -> None:
    """Streamlit sends what was asked a moment later, and that would be after the link's request."""
    open_page(page, server, "problems")
    wait_until(page, "!!(window.rnnvizChannel?.rerun.ask && window.rnnvizAsk)")
    expect(page.locator(link)).to_be_visible()
    page.evaluate("link => { rnnvizChannel.rerun.ask('test'); document.querySelector(link).click(); }", link)
    wait_until(page, f"location.pathname === '{path}'")
    wait_until(page, SETTLED)
    page.wait_for_timeout(500)
    assert page.evaluate("location.pathname") == path


def test_a_button_is_obeyed_though_a_part_of_the_page_has_asked_just_before(server: str, page: Page) -> None:
    """Streamlit would send both at once, as a request for that part of the page alone."""
    open_page(page, server, "problems")
    wait_until(page, f"{SETTLED} && !!(window.rnnvizChannel?.fragments.size && window.rnnvizAsk)")
    expect(page.locator(".st-key-projector button")).to_be_visible()  # Streamlit brings it a moment later
    page.evaluate(
        """() => {
            for (const part of rnnvizChannel.fragments.values()) part.rerun.ask('test');
            document.querySelector('.st-key-projector button').click();
        }"""
    )
    wait_until(page, "location.search.includes('projector=true')", seconds=10)
    expect(page.locator(".stAppHeader")).to_be_hidden()


def test_back_can_be_pressed_twice_at_once(server: str, page: Page) -> None:
    """Streamlit would write the page between into the history once it begins, and cut off the way forward."""
    open_page(page, server, "types")
    for path in ("problems", "cures"):
        page.locator(f".st-key-path_{path} a").click()
        wait_until(page, f"location.pathname === '/{path}'")
        wait_until(page, SETTLED)
    wait_until(page, "!!window.rnnvizTurning")
    page.evaluate(
        """() => {
            addEventListener('popstate', () => {
                history.back();  // takes place at once, but is noticed after the page between has begun
                for (const start = performance.now(); performance.now() < start + 500; );
            }, { once: true });
            history.back();
        }"""
    )
    wait_until(page, f"location.pathname === '/types' && {SETTLED}")
    page.wait_for_timeout(1000)
    assert page.evaluate("location.pathname") == "/types"
    expect(page.locator(".st-key-path_here a p")).to_have_text("3 Types")
    for _ in range(4):  # through the bare addresses of the two links
        page.go_forward()
        page.wait_for_timeout(200)
        wait_until(page, SETTLED)
    assert page.evaluate("location.pathname") == "/cures"


def test_while_a_new_page_is_drawn_no_part_of_the_old_one_is_rerun(
    server: str, server_log: Path, page: Page
) -> None:
    """Such a rerun could leave the new page without its last elements."""
    open_page(page, server, "problems")
    before = server_log.stat().st_size
    following = "document.querySelector('.st-key-way_on a')"
    wait_until(page, f"!!(window.rnnvizTurning && window.rnnvizChannel?.fragments.size && {following})")
    page.evaluate(
        f"""() => {{
            const parts = [...rnnvizChannel.fragments.values()];
            const push = history.pushState.bind(history);
            history.pushState = (...entry) => {{ // when the new page begins
                push(...entry);
                history.pushState = push;
                for (const part of parts) part.rerun.ask('test');
            }};
            {following}.click();
        }}"""
    )
    wait_until(page, "location.pathname === '/cures'")
    expect(page.get_by_role("heading", level=1)).to_contain_text("What helps against what")
    expect(page.locator(".st-key-way_on a")).to_be_visible()
    page.wait_for_timeout(300)
    assert b"fragment" not in server_log.read_bytes()[before:]


def test_a_run_that_ends_before_the_new_page_begins_does_not_end_the_turn(server: str, page: Page) -> None:
    """It was asked for just before the click. A part of the old page would ask for another one then."""
    open_page(page, server, "problems")
    following = "document.querySelector('.st-key-way_on a')"
    wait_until(page, f"!!(window.rnnvizTurning && window.rnnvizChannel?.fragments.size && {following})")
    wait_until(page, SETTLED)
    turning = page.evaluate(
        f"""async () => {{
            const parts = [...rnnvizChannel.fragments.values()];
            const app = document.querySelector('[data-testid=stApp]');
            {following}.click();
            for (const state of ['running', 'notRunning']) {{ // what that run does to the page
                app.dataset.testScriptState = state;
                await Promise.resolve();
            }}
            const turning = rnnvizTurning();
            for (const part of parts) part.rerun.ask('test');
            return turning;
        }}"""
    )
    assert turning
    wait_until(page, "location.pathname === '/cures'")
    expect(page.locator(".st-key-way_on a")).to_be_visible()
    wait_until(page, "!rnnvizTurning()")


def test_the_turn_ends_also_if_the_new_page_is_drawn_at_one_blow(server: str, page: Page) -> None:
    """As in a browser that was busy meanwhile: the page is never marked as being drawn."""
    open_page(page, server, "problems")
    wait_until(page, "!!window.rnnvizTurning")
    page.evaluate("document.querySelector('[data-testid=stApp]').setAttribute = () => {}")
    page.locator(".st-key-way_on a").click()
    wait_until(page, "location.pathname === '/cures'")
    wait_until(page, "!rnnvizTurning()", seconds=5)


@pytest.mark.parametrize("path", MOVED)
def test_an_earlier_address_opens_the_page_that_it_named(server: str, page: Page, path: str) -> None:
    page.goto(f"{server}/{path}?T=12&job=sentiment")
    wait_until(page, f"location.pathname === '/{ENTRIES[MOVED[path]].path}'")
    wait_until(page, "location.search.includes('T=12')")
    wait_until(page, SETTLED)
    if path == "applications":
        expect(page.get_by_role("radio", name="Sentiment", exact=True)).to_be_checked()


def test_the_glossary_opens_over_the_page_and_is_searched_by_typing(server: str, page: Page) -> None:
    open_page(page, server, "playground")
    wait_until(page, DRAWN)
    page.get_by_role("button", name="Glossary").click()
    search = page.get_by_placeholder("Search: gradient")
    expect(search).to_be_focused()
    page.keyboard.type("rho")
    terms = page.locator(".st-key-drawer_terms .term")
    expect(terms.first).to_contain_text("spectral radius")
    page.evaluate(AXE)
    assert barriers(page) == {}
    page.keyboard.press("Escape")
    expect(search).to_have_count(0)
    expect(page.locator(".st-key-timeline .live-figure")).to_be_visible()


def test_a_chosen_theme_stays_when_another_page_is_loaded(server: str, page: Page) -> None:
    open_page(page, server, "why")
    page.get_by_test_id("stMainMenuButton").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    scheme = "getComputedStyle(document.querySelector('.stApp')).colorScheme"
    wait_until(page, f"{scheme} === 'dark'")
    wait_until(page, "localStorage.length >= 11")
    page.keyboard.press("Escape")
    open_page(page, server, "teach")
    assert page.evaluate(scheme) == "dark"


def test_what_is_open_is_in_the_address_and_back_opens_what_was(server: str, page: Page) -> None:
    open_page(page, server, "laboratory", instrument="causes")
    drawn = "document.querySelector('.st-key-lab_{} .live-figure')?.dataset.draws > 0"
    wait_until(page, drawn.format("causes"))
    page.get_by_role("radio", name="Spectrum", exact=True).click()
    wait_until(page, drawn.format("spectrum"))
    wait_until(page, "location.search.includes('instrument=spectrum')")
    page.go_back()
    wait_until(page, drawn.format("causes"))
    page.get_by_test_id("stTopNavLink").filter(has_text="Teach").click()
    wait_until(page, "location.pathname === '/teach' && !location.search.includes('instrument')")
    wait_until(page, SETTLED)
    page.get_by_test_id("stTopNavLink").filter(has_text="Laboratory").click()
    wait_until(page, drawn.format("causes"))


def test_a_click_on_text_draws_no_ring_round_the_page(server: str, page: Page) -> None:
    open_page(page, server, "how")
    page.locator("h1.title").click()
    page.keyboard.press("k")  # a key makes the browser show where the focus is
    wait_until(page, "document.activeElement.matches('main:focus-visible')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "none"
    page.mouse.move(600, 10)  # off the page: who walks by Tab sees the ring
    wait_until(page, "getComputedStyle(document.activeElement).outlineStyle === 'solid'")


def test_no_empty_sidebar_stays_behind(server: str, page: Page) -> None:
    open_page(page, server, "playground")
    wait_until(page, DRAWN)
    for name in ("Lessons", "Teach", "Learn"):
        page.get_by_test_id("stTopNavLink").filter(has_text="Playground").click()
        expect(page.locator("[data-testid=stSidebar] .st-key-scenario")).to_be_visible()
        page.wait_for_timeout(100)  # the page's script is still under way: then Streamlit keeps the sidebar
        page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
        wait_until(page, "location.pathname !== '/playground'")
        wait_until(page, SETTLED)
        page.wait_for_timeout(500)
        assert page.evaluate(f"{MAIN}.getBoundingClientRect().width") == 1280, name


def test_the_buttons_of_the_projector_view_show_while_the_pointer_moves(server: str, page: Page) -> None:
    open_page(page, server, "playground", projector="true")
    wait_until(page, DRAWN)
    shown = "getComputedStyle(document.querySelector('.st-key-run_bar')).opacity"
    page.mouse.move(640, 200)
    page.wait_for_timeout(500)
    wait_until(page, f"{shown} === '0'", seconds=10)
    page.mouse.move(640, 240)
    wait_until(page, f"{shown} === '1'")


BESIDE_ONE_ANOTHER = """(() => {
    const shown = [...document.querySelectorAll(
        '.st-key-run_bar button, .st-key-run_bar label, .st-key-run_bar [data-testid=stSelectbox], ' +
        '.st-key-tools button, .st-key-way_on a, .story > *, .numbers > *, .live-figure text'
    )].map(node => [node.textContent, node.getBoundingClientRect(), node])
        .filter(([, { width, height }]) => width > 1 && height > 1);
    const held = '.st-key-run_bar, .st-key-tools, .st-key-way_on';
    return shown.flatMap(([name, a, node]) => !node.closest(held) ? [] : shown.filter(([, b, other]) =>
        !node.contains(other) && !other.contains(node) && a.left < b.right - 1 && b.left < a.right - 1 &&
        a.top < b.bottom - 1 && b.top < a.bottom - 1).map(([other]) => `${name} over ${other}`));
})()"""


@pytest.mark.parametrize("init", ["orthogonal", "small-normal"])
def test_nothing_is_covered_when_the_buttons_of_the_projector_view_appear(
    server: str, page: Page, init: str
) -> None:
    open_page(page, server, "playground", projector="true", T="50", init=init)
    wait_until(page, DRAWN)
    expect(page.locator(".st-key-way_on a")).to_be_visible()
    page.mouse.move(600, 300)
    page.wait_for_timeout(300)
    assert page.evaluate(BESIDE_ONE_ANOTHER) == []
    expect(page.locator(".story")).to_contain_text("Press P to train")
    expect_no_scroll_bar(page)


def test_a_scenario_is_chosen_in_projector_view(server: str, page: Page) -> None:
    open_page(page, server, "playground", projector="true")
    wait_until(page, DRAWN)
    page.mouse.move(600, 300)
    box = page.locator(".st-key-run_bar .st-key-scenario input")
    box.click()
    choose(box, page.get_by_role("option", name="The gradient vanishes"))
    wait_until(page, "location.search.includes('init=small-normal')")
    expect(page.locator(".story")).to_contain_text("The gradient vanishes.")


def test_after_the_projector_view_the_question_marks_have_their_usual_size(server: str, page: Page) -> None:
    sizes = """[...document.querySelectorAll('[data-testid=stTooltipIcon] svg')]
        .map(icon => icon.getBoundingClientRect().width)"""
    open_page(page, server, "playground")
    wait_until(page, f"{sizes}.length >= 6")
    usual = page.evaluate(sizes)
    open_page(page, server, "playground", projector="true")
    wait_until(page, DRAWN)
    press_key(page, "l")
    wait_until(page, "!location.search.includes('projector')")
    wait_until(page, SETTLED)
    assert page.evaluate(sizes) == usual


def test_what_is_unfolded_in_the_sidebar_is_seen_and_no_name_is_cut(server: str, page: Page) -> None:
    open_page(page, server, "playground")
    wait_until(page, DRAWN)
    expect(page.locator(".st-key-way_on a")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_text("Network and data").click()
    seen = """(() => {
        const details = document.querySelector('[data-testid=stSidebar] details').getBoundingClientRect();
        const foot = document.querySelector('.st-key-way_on').getBoundingClientRect();
        return details.height > 400 && details.bottom <= foot.top && details.top >= 44;
    })()"""
    wait_until(page, seen, seconds=5)
    cut = """[...document.querySelectorAll('[data-testid=stSidebar] details [data-testid=stSelectbox] *')]
        .filter(node => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 1)
        .map(node => node.textContent || node.value)"""
    assert page.evaluate(cut) == []


# Windows


@pytest.mark.parametrize("path", ["", "how", "playground", "laboratory"])
def test_a_large_window_is_filled(server: str, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    open_page(page, server, path)
    wait_until(page, DRAWN)
    page.wait_for_timeout(500)
    box = page.locator(".live-figure").first.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] >= 0.95 * 1920
    lowest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.live-figure, .katex, .counts, .promise')]"
        ".map(node => node.getBoundingClientRect().bottom))"
    )
    assert lowest >= 0.75 * 1080
    cut = """[...document.querySelectorAll('.live-figure-window')].filter(node => {
        const frame = node.closest('[data-testid=stElementContainer]').getBoundingClientRect();
        return node.getBoundingClientRect().bottom > frame.bottom + 1; }).length"""
    assert page.evaluate(cut) == 0, "a figure is cut off"
    page.set_viewport_size({"width": 1280, "height": 720})
    wait_until(page, "document.querySelector('.live-figure').style.transform === ''")


def test_a_phone_opens_at_the_networks_answer_and_says_that_it_scrolls(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, server, "playground")
    wait_until(page, DRAWN)
    scrolled = "document.querySelector('.st-key-timeline .live-figure-window')"
    at_the_end = f"{scrolled}?.scrollLeft + {scrolled}?.clientWidth >= {scrolled}?.scrollWidth - 1"
    wait_until(page, f"{at_the_end} && {scrolled}.scrollLeft > 50")
    expect(page.locator(".st-key-timeline .sideways-hint")).to_be_visible()
    assert page.evaluate(f"{MAIN}.scrollWidth - {MAIN}.clientWidth") <= 1


def test_the_numbers_of_a_narrow_embedded_page_wrap_above_the_whole_figure(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 720})
    page.goto(f"{server}/playground?embed=true")
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    wait_until(page, PLACED)
    numbers, verdict = "document.querySelector('.numbers')", "document.querySelector('.numbers .verdict')"
    wait_until(page, f"{right_of(verdict)} <= {right_of(numbers)}")
    wait_until(page, f"{verdict}.getBoundingClientRect().y > {numbers}.getBoundingClientRect().y + 20")
    part = f"{numbers}.closest('[data-testid=stElementContainer]').getBoundingClientRect().bottom"
    figure = "document.querySelector('.st-key-timeline .live-figure-window').getBoundingClientRect().bottom"
    wait_until(page, f"{figure} <= {part} + 1")


def right_of(element: str) -> str:
    return f"{element}.getBoundingClientRect().right"


def test_an_embedded_page_has_no_navigation_and_stays_embedded(server: str, page: Page) -> None:
    page.goto(f"{server}/playground?embed=true&T=7")
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    wait_until(page, "new URL(location).searchParams.get('T') === '7'")
    for part in (".st-key-brand", ".st-key-tools", ".st-key-way_on"):
        expect(page.locator(part)).to_have_count(0)
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    page.locator(".st-key-step button").click()
    wait_until(page, "document.querySelector('.numbers b').textContent === '1'")
    assert page.evaluate("new URL(location).searchParams.get('embed')") == "true"
