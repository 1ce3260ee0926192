"""How smoothly two runs are followed side by side, and how long the Laboratory's Outcome takes.

    python -m tests.benchmarks.pair [seconds]

Starts the app and opens it in Chromium at 1280x720. First A (a simple RNN) and B (an LSTM) train together at
full speed: redraws of each timeline a second, and the longest gaps. Then Outcome trains its first three
networks at eight lengths with ten seeds each: seconds from opening it to the first results, and to the last.
"""

from __future__ import annotations

import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.ui.instruments.outcome import FIRST, LENGTHS, SEEDS
from tests.benchmarks.classroom import quantile
from tests.browser.conftest import BROWSER_ARGUMENTS, ROOT, SETTLED, browser_path, serve, wait_until

FIGURES = "[...document.querySelectorAll('.live-figure[data-draws]')]"
COUNT = """() => {
  window.drawn = {};
  for (const name of ['A', 'B']) {
    const times = (drawn[name] = []);
    const figure = document.querySelector(`.st-key-pair_timeline_${name} .live-figure`);
    new MutationObserver(() => times.push(performance.now())).observe(
      figure, { attributes: true, attributeFilter: ['data-draws'] });
  }
}"""
WARM_UP = 2.0
RUNS = len(FIRST) * len(LENGTHS) * SEEDS


def side_by_side(page: Page, server: str, e: Experiment, seconds: float) -> None:
    """Print how often A and B are drawn while both train."""
    page.goto(f"{server}/side-by-side?{urlencode(to_params(e))}")
    wait_until(page, f"{FIGURES}.length === 3 && {SETTLED}")
    page.get_by_role("radio", name="max", exact=True).click()
    wait_until(page, SETTLED)
    page.locator(".st-key-pair_play button").click()
    page.wait_for_timeout(1000 * WARM_UP)
    page.evaluate(COUNT)
    page.wait_for_timeout(1000 * seconds)
    drawn = page.evaluate("drawn")
    for name, times in drawn.items():
        gaps = [b - a for a, b in pairwise(times)]
        rate, late = len(times) / seconds, quantile(gaps, 0.95)
        print(
            f"T = {e.seq_len}, {name}: {rate:.1f} redraws a second (aim: 12), gap p95 {late:.0f} ms",
            flush=True,
        )


def outcome(page: Page, server: str) -> None:
    """Print how long the measurement of success against T takes."""
    begun = time.perf_counter()
    page.goto(f"{server}/laboratory?instrument=outcome&{urlencode(to_params(Experiment()))}")
    wait_until(page, f"/[1-9]\\d* of {RUNS} runs/.test(document.body.innerText)", seconds=60)
    print(f"outcome: first results after {time.perf_counter() - begun:.1f} s (aim: 5)", flush=True)
    wait_until(page, f"/All {RUNS} runs/.test(document.body.innerText)", seconds=900)
    print(f"outcome: all {RUNS} after {time.perf_counter() - begun:.0f} s (aim: 180)")


def main(seconds: float) -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        with serve(ROOT / "app.py", Path(folder) / "log.txt") as server:
            page = chromium.new_page(viewport={"width": 1280, "height": 720})
            for seq_len in (20, 50):
                side_by_side(page, server, Experiment(seq_len=seq_len), seconds)
            outcome(page, server)
        chromium.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0)
