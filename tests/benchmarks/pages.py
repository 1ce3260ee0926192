"""How soon a page stands: `python -m tests.benchmarks.pages`.

Clicks through the navigation bar of a warm server, three times around, and measures from each click to the
page's first picture (to its title where a page has none), in Chromium at 1280x720. Then changes a weight by
hand, again and again, and measures from the key to the redrawn picture.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from rnnviz.ui.catalogue import ENTRIES
from tests.browser.conftest import BROWSER_ARGUMENTS, ROOT, browser_path, serve, wait_until

ROUNDS, MOVES = 3, 20
SECONDS_TO_THE_PICTURE, SECONDS_TO_THE_REDRAW = 1.5, 0.15
WITHOUT_PICTURE = {"lessons", "teacher", "glossary"}
REMEMBER = "window.old = new Set(document.querySelectorAll('.live-figure, h1.title'))"


def new(selector: str) -> str:
    """JavaScript: whether something stands on the page that did not before the click."""
    return f"[...document.querySelectorAll('{selector}')].some(node => !window.old.has(node))"


def turn_to(page: Page, name: str) -> float:
    """Return the seconds from a click in the navigation bar to what the page shows first."""
    page.wait_for_timeout(800)
    page.evaluate(REMEMBER)
    link = page.get_by_test_id("stTopNavLink").filter(has_text=ENTRIES[name].title)
    shown = new("h1.title") if name in WITHOUT_PICTURE else new(".live-figure[data-draws]")
    begun = time.perf_counter()
    link.click()
    wait_until(page, shown)
    return time.perf_counter() - begun


def change_a_weight(page: Page) -> list[float]:
    """Return the seconds from each key on the hand-changed weight to the redrawn picture."""
    page.get_by_text("By hand", exact=True).click()
    slider = page.locator("[class*=st-key-how_value]").get_by_role("slider")
    slider.focus()
    draws = (
        "Math.max(...[...document.querySelectorAll('.live-figure')].map(n => Number(n.dataset.draws ?? 0)))"
    )
    times = []
    for _ in range(MOVES):
        page.wait_for_timeout(500)
        drawn, begun = page.evaluate(draws), time.perf_counter()
        page.keyboard.press("ArrowRight")
        while page.evaluate(draws) == drawn:
            page.wait_for_timeout(2)
        times.append(time.perf_counter() - begun)
    return times


def main() -> None:
    """Measure and print, each figure beside its target."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        with serve(ROOT / "app.py", Path(folder) / "log.txt") as server:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(f"{server}/glossary")
            wait_until(page, "document.querySelector('h1.title') !== null")
            times: dict[str, list[float]] = {name: [] for name in ENTRIES}
            for _ in range(ROUNDS + 1):  # the first round warms the server and the browser
                for name in ENTRIES:
                    times[name].append(turn_to(page, name))
            turn_to(page, "how")
            moves = change_a_weight(page)
            page.goto("about:blank")
        browser.close()
    for name, taken in times.items():
        print(
            f"{name:12} {statistics.median(taken[1:]):5.2f} s to the first picture, first time {taken[0]:.2f}"
        )
    slowest = max(statistics.median(taken[1:]) for taken in times.values())
    print(f"slowest page {slowest:.2f} s (target <= {SECONDS_TO_THE_PICTURE:g})")
    redraw = 1000 * statistics.median(moves)
    print(f"hand-changed weight to picture {redraw:.0f} ms (target <= {1000 * SECONDS_TO_THE_REDRAW:.0f})")


if __name__ == "__main__":
    main()
