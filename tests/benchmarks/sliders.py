"""From a key on a slider to the picture that it changes, in Chromium at 1280x720."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.browser.conftest import BROWSER_ARGUMENTS, ROOT, browser_path, serve, wait_until

MOVES = 20
LINE = "querySelector('.scatterlayer .trace path.js-line')?.getAttribute('d') ?? ''"


@dataclass(frozen=True)
class Slide:
    """A slider on a page, and the picture that follows it.

    picture : JavaScript whose value is not "" once the picture stands, and changes when it is drawn anew.
    """

    url: str
    picture: str
    slider: Callable[[Page], Locator]
    prepare: Callable[[Page], None] = lambda page: None


@contextmanager
def ours_and_a_plain_page() -> Iterator[tuple[Browser, str, Slide]]:
    """Start the app, a browser, and as the peer a page of one slider and one st.plotly_chart."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serve(ROOT / "app.py", Path(folder) / "ours.txt") as ours,
        serve(ROOT / "tests" / "benchmarks" / "plain_page.py", Path(folder) / "peer.txt") as peer,
    ):
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        plain = Slide(peer, f"(document.querySelector('.js-plotly-plot')?.{LINE})", gain)
        yield browser, ours, plain
        browser.close()


def gain(page: Page) -> Locator:
    return page.get_by_role("slider", name="Gain g")


def keys_to_pictures(browser: Browser, *slides: Slide) -> list[list[float]]:
    """Return the seconds from each press of a key to the new picture, for each slider.

    They take turns: whatever slows the machine down slows all of them.
    """
    pages = []
    for slide in slides:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(slide.url)
        slide.prepare(page)
        wait_until(page, f"{slide.picture} !== ''")
        pages.append(page)
    times: list[list[float]] = [[] for _ in slides]
    for move in range(MOVES):
        for slide, page, taken in zip(slides, pages, times, strict=True):
            page.bring_to_front()
            slide.slider(page).focus()
            page.wait_for_timeout(500)  # as a person who looks at each picture
            drawn, begun = page.evaluate(slide.picture), time.perf_counter()
            page.keyboard.press("ArrowLeft" if move % 2 else "ArrowRight")
            while page.evaluate(slide.picture) == drawn:
                page.wait_for_timeout(2)
            taken.append(time.perf_counter() - begun)
    for page in pages:
        page.goto("about:blank")
    return times
