"""How smoothly the page follows a run: `python -m tests.benchmarks.live`.

Starts the app, opens it in Chromium at 1280x720 and measures, for two experiments:

- how often the timeline is redrawn while a run plays at full speed, and how fast it trains meanwhile,
  against the same run without a page;
- how many nodes of plots were thrown away and replaced on the way (a flicker);
- how long it takes from a key on the gain slider to the new picture.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.training.executor import local_pool
from rnnviz.ui.chunk import get_ready
from rnnviz.ui.live_run import LiveRun
from tests.browser.conftest import BROWSER_ARGUMENTS, ROOT, browser_path, serve, wait_until
from tests.browser.test_playground import STEP, WATCH, full_speed, open_page, press
from tests.watcher import watched

SECONDS = 10.0
MOVES = 10
TICK = 0.1
DRAWS = "Number(document.querySelector('.st-key-timeline .live-figure').dataset.draws)"
MEASURED = {"the default experiment": Experiment(), **{f"T = {T}": Experiment(seq_len=T) for T in (50, 200)}}

REDRAWS_A_SECOND = 15.0
SHARE_OF_HEADLESS = 0.85
SECONDS_TO_THE_PICTURE = 0.3


def headless_speed(e: Experiment) -> float:
    """Training steps a second of a live run that is watched, but not drawn."""
    run = watched(LiveRun(e))
    run.play()
    _resume_for(run, 1.0)
    first, begun = run.state.step, time.perf_counter()
    _resume_for(run, SECONDS)
    speed = (run.state.step - first) / (time.perf_counter() - begun)
    run.pause()
    return speed


def _resume_for(run: LiveRun, seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        run.resume()
        time.sleep(TICK)


def while_playing(page: Page, url: str) -> tuple[float, float, int]:
    """Return redraws and training steps a second, and how many nodes were replaced."""
    open_page(page, url)
    full_speed(page)
    page.evaluate(WATCH)
    press(page, "play")
    wait_until(page, f"{STEP} > 0")
    page.wait_for_timeout(1000)
    (draws, step), begun = page.evaluate(f"[{DRAWS}, {STEP}]"), time.perf_counter()
    page.wait_for_timeout(1000 * SECONDS)
    (draws_later, step_later), ended = page.evaluate(f"[{DRAWS}, {STEP}]"), time.perf_counter()
    press(page, "play")
    passed = ended - begun
    return (draws_later - draws) / passed, (step_later - step) / passed, page.evaluate("replaced.length")


def moving_a_slider(page: Page, url: str) -> list[float]:
    """Return the seconds from each press of a key on the gain slider to the new picture."""
    open_page(page, url)
    slider, times = page.get_by_role("slider", name="Gain g"), []
    slider.focus()
    for _ in range(MOVES):
        page.wait_for_timeout(700)  # as a person who looks at each picture
        drawn, begun = page.evaluate(DRAWS), time.perf_counter()
        page.keyboard.press("ArrowRight")
        while page.evaluate(DRAWS) == drawn:
            page.wait_for_timeout(5)
        times.append(time.perf_counter() - begun)
    return times


def main() -> None:
    """Measure and print, each figure beside its target."""
    local_pool().submit(get_ready).result()
    alone = {name: headless_speed(e) for name, e in MEASURED.items()}
    local_pool().shutdown(wait=True)  # the server has workers of its own
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        with serve(ROOT / "app.py", Path(folder) / "log.txt") as server:
            page = chromium.new_page(viewport={"width": 1280, "height": 720})
            for name, e in MEASURED.items():
                url = f"{server}/playground?{urlencode(to_params(e))}"
                redraws, speed, replaced = while_playing(page, url)
                share, times = speed / alone[name], moving_a_slider(page, url)
                print(f"{name}:")
                print(f"  redraws a second          {redraws:8.1f}   target >= {REDRAWS_A_SECOND:g}")
                print(f"  training steps a second   {speed:8.0f}   without a page {alone[name]:.0f}")
                print(f"  share of that             {share:8.0%}   target >= {SHARE_OF_HEADLESS:.0%}")
                print(f"  plot nodes replaced       {replaced:8d}   target 0")
                print(
                    f"  slider to picture, median {1000 * statistics.median(times):5.0f} ms"
                    f"   target <= {1000 * SECONDS_TO_THE_PICTURE:.0f} ms, slowest {1000 * max(times):.0f} ms"
                )
            page.goto("about:blank")
        chromium.close()


if __name__ == "__main__":
    main()
