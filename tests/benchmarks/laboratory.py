"""How quickly the laboratory answers: `python -m tests.benchmarks.laboratory`.

Measures, in Chromium at 1280x720, from a key on the gain slider to the new curve at H = 64 and T = 100 (in
turns with a plain page of one slider and one st.plotly_chart), the itemised triangle at T = 100, and a
24 x 24 phase diagram with 5 seeds on one worker and on two.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from loky import ProcessPoolExecutor
from playwright.sync_api import Browser, sync_playwright

from rnnviz import Bench, Experiment, gradient_flow, triangle
from rnnviz.executor import ONE_THREAD
from rnnviz.gradient_flow import PROBE_SAMPLES
from rnnviz.links import to_params
from rnnviz.sweeps import phase_diagram
from tests.browser.conftest import BROWSER_ARGUMENTS, ROOT, browser_path, serve, wait_until

MOVES = 20
CURVE = Experiment(seq_len=100, hidden_size=64, init="scaled-gaussian")
TRIANGLE = Experiment(task="echo", topology="many-to-many", seq_len=100, delay=10)
LINES = "querySelector('.scatterlayer .trace path.js-line')?.getAttribute('d') ?? ''"
OURS = f"(document.querySelector('.st-key-lab_curve .live-figure')?.{LINES})"
PEERS = f"(document.querySelector('.js-plotly-plot')?.{LINES})"
"""JavaScript that reads the first drawn line: it changes when the new curve is on the page."""

GAINS, STRENGTHS, LENGTHS = np.linspace(0.1, 3.0, 24), np.linspace(0.0, 2.0, 24), np.linspace(4, 100, 24)

SECONDS_TO_THE_CURVE, SECONDS_OF_A_TRIANGLE, SECONDS_OF_A_DIAGRAM = 0.2, 1.0, 30.0


def moving_sliders(browser: Browser, ours: str, peer: str) -> tuple[list[float], list[float]]:
    """Return the seconds from each press of a key on a gain slider to the new curve, ours and the peer's.

    Both take turns: whatever slows the machine down slows both.
    """
    pages = []
    for url, curve in ((f"{ours}/laboratory?{urlencode(to_params(CURVE))}", OURS), (peer, PEERS)):
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(url)
        wait_until(page, f"{curve} !== ''")
        pages.append((page, curve))
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(MOVES):
        for (page, curve), taken in zip(pages, times, strict=True):
            page.bring_to_front()
            page.get_by_role("slider", name="Gain g").focus()
            page.wait_for_timeout(500)  # as a person who looks at each picture
            drawn, begun = page.evaluate(curve), time.perf_counter()
            page.keyboard.press("ArrowRight")
            while page.evaluate(curve) == drawn:
                page.wait_for_timeout(2)
            taken.append(time.perf_counter() - begun)
    for page, _ in pages:
        page.goto("about:blank")
    return times


def sliders() -> tuple[list[float], list[float]]:
    """Start both servers and a browser, and move the sliders."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serve(ROOT / "app.py", Path(folder) / "ours.txt") as ours,
        serve(ROOT / "tests" / "benchmarks" / "plain_page.py", Path(folder) / "peer.txt") as peer,
    ):
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        times = moving_sliders(browser, ours, peer)
        browser.close()
    return times


def fastest(work: Callable[[], object], times: int = 5) -> float:
    """Return the shortest of several durations, in seconds."""
    durations = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        durations.append(time.perf_counter() - begun)
    return min(durations)


def diagram(across: str, values: np.ndarray, workers: int) -> float:
    """Return the seconds of a whole phase diagram on so many warm workers."""
    pool: Executor = ProcessPoolExecutor(workers, env=ONE_THREAD)
    list(pool.map(gradient_flow, [Experiment()] * workers))  # every worker has imported the library
    begun = time.perf_counter()
    phase_diagram(Bench(hidden_size=32, seq_len=100), GAINS, across, values, seeds=5, executor=pool)
    seconds = time.perf_counter() - begun
    pool.shutdown()
    return seconds


def main() -> None:
    """Measure and print, each figure beside its target."""
    ours, peer = (1000 * statistics.median(taken) for taken in sliders())
    print(
        f"slider to curve, H = 64, T = 100, median: {ours:.0f} ms "
        f"(target <= {1000 * SECONDS_TO_THE_CURVE:.0f}); "
        f"st.plotly_chart with that curve alone {peer:.0f} ms, ratio {ours / peer:.2f}"
    )
    seconds = fastest(lambda: triangle(TRIANGLE))
    print(
        f"triangle, T = 100, H = 32, B = {PROBE_SAMPLES}: {seconds:.2f} s "
        f"(target <= {SECONDS_OF_A_TRIANGLE:g})"
    )
    for across, values in (("input_std", STRENGTHS), ("seq_len", LENGTHS)):
        one, two = diagram(across, values, 1), diagram(across, values, 2)
        print(
            f"phase diagram over gain and {across}, 24 x 24, 5 seeds: {two:.1f} s on two workers "
            f"(target <= {SECONDS_OF_A_DIAGRAM:g}), {one:.1f} s on one, {one / two:.2f} times as fast"
        )


if __name__ == "__main__":
    main()
