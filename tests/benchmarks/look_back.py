"""How fast pictures follow the slider that looks back through a run: `python -m tests.benchmarks.look_back`.

Starts the app, trains for some seconds at full speed in Chromium at 1280x720, pauses, and drags the slider's
thumb to and fro: redraws of the timeline a second, and the gaps between them.
"""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from tests.benchmarks.classroom import quantile
from tests.browser.conftest import (
    BROWSER_ARGUMENTS,
    ROOT,
    SETTLED,
    browser_path,
    press_key,
    serve,
    wait_until,
)

COUNT = """() => {
  window.times = [];
  const figure = document.querySelector('.st-key-timeline .live-figure');
  new MutationObserver(() => times.push(performance.now())).observe(
    figure, { attributes: true, attributeFilter: ['data-draws'] });
}"""
TRAIN_MS, MOVES, MOVE_MS = 5000, 300, 16


def dragged(page: Page, server: str, e: Experiment) -> str:
    """Return what dragging to and fro gives, in words."""
    page.goto(f"{server}/playground?{urlencode(to_params(e))}")
    wait_until(page, f"document.querySelectorAll('.live-figure[data-draws]').length === 3 && {SETTLED}")
    page.get_by_role("radio", name="max", exact=True).click()
    press_key(page, "p")
    page.wait_for_timeout(TRAIN_MS)
    press_key(page, "p")
    slider = page.get_by_role("slider", name="Look back")
    slider.wait_for()
    wait_until(page, SETTLED)
    box = slider.bounding_box()
    assert box is not None
    y, left, width = box["y"] + box["height"] / 2, box["x"] + 8, box["width"] - 16
    page.mouse.move(left + width, y)
    page.mouse.down()
    page.evaluate(COUNT)
    begun = page.evaluate("performance.now()")
    for move in range(MOVES):
        there = abs(1 - 4 * move / MOVES % 2)  # from the end to the start and back, twice
        page.mouse.move(left + width * there, y)
        page.wait_for_timeout(MOVE_MS)
    times, ended = page.evaluate("[times, performance.now()]")
    page.mouse.up()
    gaps = [b - a for a, b in pairwise(times)]
    rate = 1000 * len(times) / (ended - begun)
    end = slider.get_attribute("max")
    return f"{end} updates: {rate:.1f} redraws a second (aim: 15), gap p95 {quantile(gaps, 0.95):.0f} ms"


def main() -> None:
    """Measure at three lengths, and print."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        with serve(ROOT / "app.py", Path(folder) / "log.txt") as server:
            page = chromium.new_page(viewport={"width": 1280, "height": 720})
            for seq_len in (20, 50, 200):
                print(f"T = {seq_len}, {dragged(page, server, Experiment(seq_len=seq_len))}", flush=True)
        chromium.close()


if __name__ == "__main__":
    main()
