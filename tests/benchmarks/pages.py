"""How soon a page stands: `python -m tests.benchmarks.pages`.

Clicks through all pages of a warm server, three times around, and measures from each click to the
page's first picture (to its title where a page has none), in Chromium at 1280x720. Then changes a weight by
hand, again and again, and measures from the key to the redrawn picture, in turns with a plain page of one
slider and one st.plotly_chart.
"""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import Locator, Page

from rnnviz.ui.catalogue import ENTRIES
from tests.benchmarks.sliders import Slide, keys_to_pictures, ours_and_a_plain_page
from tests.browser.conftest import wait_until

ROUNDS = 3
SECONDS_TO_THE_PICTURE, SECONDS_TO_THE_REDRAW = 1.5, 0.15
WITHOUT_PICTURE = {"lessons", "teach", "glossary"}
REMEMBER = "window.old = new Set(document.querySelectorAll('.live-figure, h1.title'))"


def new(selector: str) -> str:
    """JavaScript: whether something stands on the page that did not before the click."""
    return f"[...document.querySelectorAll('{selector}')].some(node => !window.old.has(node))"


def link_to(page: Page, name: str) -> Locator:
    """Return the link to a page on the page before it."""
    if ENTRIES[name].tab:
        return page.get_by_test_id("stTopNavLink").filter(has_text=ENTRIES[name].tab)
    place = {"home": "brand", "glossary": "way_on"}.get(name, f"path_{name}")
    return page.locator(f".st-key-{place} a")


def turn_to(page: Page, name: str) -> float:
    """Return the seconds from a click on a page's link to what the page shows first."""
    page.wait_for_timeout(800)
    page.evaluate(REMEMBER)
    link = link_to(page, name)
    shown = new("h1.title") if name in WITHOUT_PICTURE else new(".live-figure[data-draws]")
    begun = time.perf_counter()
    link.click()
    wait_until(page, shown)
    return time.perf_counter() - begun


def by_hand(page: Page) -> None:
    """Open the pass by hand, computed to its end: the most that is ever redrawn."""
    page.get_by_role("radio", name="By hand", exact=True).click()
    page.get_by_role("slider", name="What is computed").press("End")
    wait_until(page, "document.querySelector('.st-key-by_hand .live-figure')?.ariaLabel?.includes('∂L/∂A')")
    page.wait_for_timeout(500)


def main() -> None:
    """Measure and print, each figure beside its target."""
    times: dict[str, list[float]] = {name: [] for name in ENTRIES}
    with ours_and_a_plain_page() as (browser, url, plain):
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(f"{url}/glossary")
        wait_until(page, "document.querySelector('h1.title') !== null")
        for _ in range(ROUNDS + 1):  # the first round warms the server and the browser
            for name in ENTRIES:
                times[name].append(turn_to(page, name))
        page.goto("about:blank")
        hand = Slide(
            f"{url}/how",
            "(document.querySelector('.st-key-by_hand .live-figure')?.dataset.draws ?? '')",
            lambda page: page.locator(".st-key-hand_B00").get_by_role("slider"),
            by_hand,
        )
        ours, peer = (1000 * statistics.median(taken) for taken in keys_to_pictures(browser, hand, plain))
    for name, (first, *later) in times.items():
        print(f"{name:12} {statistics.median(later):5.2f} s to the first picture, first time {first:.2f}")
    slowest = max(statistics.median(taken[1:]) for taken in times.values())
    print(f"slowest page {slowest:.2f} s (target <= {SECONDS_TO_THE_PICTURE:g})")
    print(
        f"hand-changed weight to picture, median: {ours:.0f} ms "
        f"(target <= {1000 * SECONDS_TO_THE_REDRAW:.0f}); one curve in st.plotly_chart {peer:.0f} ms, "
        f"ratio {ours / peer:.2f}"
    )


if __name__ == "__main__":
    main()
