"""How quickly the laboratory answers: `python -m tests.benchmarks.laboratory`.

Measures, in Chromium at 1280x720, from a key on the gain slider to the new curve at H = 64 and T = 100 (in
turns with a plain page of one slider and one st.plotly_chart), the itemised triangle at T = 100, and a
24 x 24 phase diagram with 5 seeds on one worker and on two.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor
from urllib.parse import urlencode

import numpy as np

from rnnviz import Bench, Experiment, gradient_contributions, gradient_flow
from rnnviz.analysis.gradient_flow import PROBE_SAMPLES
from rnnviz.analysis.sweeps import phase_diagram
from rnnviz.experiment.links import to_params
from rnnviz.training.worker_pool import WorkerPool
from tests.benchmarks.sliders import LINE, Slide, gain, keys_to_pictures, ours_and_a_plain_page

CURVE = Experiment(seq_len=100, hidden_size=64, init="scaled-gaussian")
TRIANGLE = Experiment(task="echo", topology="many-to-many", seq_len=100, delay=10)
FIRST_LINE = f"(document.querySelector('.st-key-lab_compare .live-figure')?.{LINE})"
GAINS, STRENGTHS, LENGTHS = np.linspace(0.1, 3.0, 24), np.linspace(0.0, 2.0, 24), np.linspace(4, 100, 24)

SECONDS_TO_THE_CURVE, SECONDS_OF_A_TRIANGLE, SECONDS_OF_A_DIAGRAM = 0.2, 1.0, 30.0


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
    pool: Executor = WorkerPool(workers)
    list(pool.map(gradient_flow, [Experiment()] * workers))  # every worker has imported the library
    begun = time.perf_counter()
    phase_diagram(Bench(hidden_size=32, seq_len=100), GAINS, across, values, seeds=5, executor=pool)
    seconds = time.perf_counter() - begun
    pool.shutdown()
    return seconds


def main() -> None:
    """Measure and print, each figure beside its target."""
    with ours_and_a_plain_page() as (browser, url, plain):
        curve = Slide(f"{url}/laboratory?{urlencode(to_params(CURVE))}", FIRST_LINE, gain)
        ours, peer = (1000 * statistics.median(taken) for taken in keys_to_pictures(browser, curve, plain))
    print(
        f"slider to curve, H = 64, T = 100, median: {ours:.0f} ms "
        f"(target <= {1000 * SECONDS_TO_THE_CURVE:.0f}); "
        f"st.plotly_chart with that curve alone {peer:.0f} ms, ratio {ours / peer:.2f}"
    )
    seconds = fastest(lambda: gradient_contributions(TRIANGLE))
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
