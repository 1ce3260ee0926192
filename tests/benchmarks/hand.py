"""How soon pictures follow a slider that is dragged: `python -m tests.benchmarks.hand`.

In Chromium at 1280x720, a thumb is held and moved a little every third of a second; measured from each move
to the picture's new frame, before the thumb is released.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, sync_playwright

from rnnviz.experiment.links import to_params
from tests.benchmarks.laboratory import CURVE
from tests.browser.conftest import BROWSER_ARGUMENTS, ROOT, browser_path, serve, wait_until
from tests.browser.test_hand import drag, held

MOVES = 40
LOOKING = 300
"""Milliseconds between two moves."""


@dataclass(frozen=True)
class Drag:
    """A slider, the picture that follows it, and the seconds that it may take.

    reach : pixels of the whole drag.
    """

    page: str
    slider: str
    figure: str
    target: float
    reach: int


LABORATORY = f"laboratory?{urlencode(to_params(CURVE))}"
DRAGS = {
    "Home": Drag("", "Try it: scale the recurrent weights", "home", 0.15, 480),
    "How, by hand: what is computed": Drag("how?view=by-hand", "What is computed", "by_hand", 0.15, 400),
    "Laboratory, H = 64, T = 100: gain": Drag(LABORATORY, "Gain g", "lab_compare", 0.25, 120),
    "Laboratory, cliff": Drag("laboratory?instrument=cliff", "Start at b", "lab_cliff", 0.25, 120),
}


def seconds_to_pictures(browser: Browser, url: str, wanted: Drag) -> list[float]:
    """Return the seconds from each move that changes the value to the picture of it, in order of size."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{url}/{wanted.page}")
    drawn = f"Number(document.querySelector('.st-key-{wanted.figure} .live-figure')?.dataset.draws ?? 0)"
    slider = page.get_by_role("slider", name=wanted.slider).first
    wait_until(page, f"{drawn} > 0 && window.rnnvizHand?.places.has('page')")
    slider.wait_for(state="attached")
    page.wait_for_timeout(1000)
    taken = []
    with held(page, slider):
        for move in range(1, MOVES + 1):
            value, before, begun = slider.input_value(), page.evaluate(drawn), time.perf_counter()
            drag(page, round(wanted.reach * move / MOVES))
            if slider.input_value() != value:
                while page.evaluate(drawn) == before:
                    page.wait_for_timeout(2)
                taken.append(time.perf_counter() - begun)
            page.wait_for_timeout(LOOKING)
    page.goto("about:blank")
    page.close()
    return sorted(taken)


def main() -> None:
    """Measure and print, each figure beside its target."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serve(ROOT / "app.py", Path(folder) / "log.txt") as url,
    ):
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        for name, wanted in DRAGS.items():
            taken = seconds_to_pictures(browser, url, wanted)
            median, late = (1000 * taken[int(share * (len(taken) - 1))] for share in (0.5, 0.95))
            print(
                f"{name}: {len(taken)} moves, median {median:.0f} ms, p95 {late:.0f} ms "
                f"(target <= {1000 * wanted.target:.0f})"
            )
        browser.close()


if __name__ == "__main__":
    main()
