"""How smoothly the page follows a run: `python -m tests.benchmarks.live --chunks 30 36 50`.

Starts the app, opens it in Chromium at 1280x720 and measures, while runs of three experiments play at full
speed: redraws of the timeline a second, the gaps between them, frames that the page animates, nodes of plots
that were thrown away and replaced (a flicker), errors in the console, and how fast the run trains meanwhile,
against the same run without a page, and against training in one go. The three take turns, as the machine may
be faster now than a minute ago; each figure is the median of these rounds. Then how long it takes from a key
on the gain slider to the new picture.

Longer chunks of training give fewer pictures and lose less time between them; --chunks says what each costs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.training.executor import local_pool
from rnnviz.training.loop import advance, start
from rnnviz.ui import chunk
from rnnviz.ui.live_run import LiveRun
from tests.benchmarks.classroom import quantile
from tests.browser.conftest import (
    BROWSER_ARGUMENTS,
    ROOT,
    browser_path,
    console_errors,
    free_port,
    running,
    streamlit,
    wait_until,
)
from tests.browser.test_playground import STEP, WATCH, full_speed, open_page, press
from tests.watcher import watched

MOVES = 10
TICK, WARM_UP = 0.1, 1.0
DRAWS = "Number(document.querySelector('.st-key-timeline .live-figure').dataset.draws)"
COUNT = """() => {
  const seen = (window.seen = { frames: 0, redraws: [] });
  let next;
  const count = () => (seen.frames++, (next = requestAnimationFrame(count)));
  next = requestAnimationFrame(count);
  const redrawn = new MutationObserver(() => seen.redraws.push(performance.now()));
  const figure = document.querySelector('.st-key-timeline .live-figure');
  redrawn.observe(figure, { attributes: true, attributeFilter: ['data-draws'] });
  seen.stop = () => (cancelAnimationFrame(next), redrawn.disconnect());
}"""
"""Counts the frames that the page animates, and notes when the timeline was redrawn."""


def in_one_go(e: Experiment, seconds: float) -> float:
    """Updates a second of training without chunks, snapshots and pictures."""
    state, begun = advance(e, start(e), seconds=WARM_UP), time.perf_counter()
    return (advance(e, state, seconds=seconds).step - state.step) / (time.perf_counter() - begun)


def without_a_page(e: Experiment, seconds: float) -> float:
    """Updates a second of a live run that is watched, but not drawn."""
    run = watched(LiveRun(e))
    run.play()
    _resume_for(run, WARM_UP)
    first, begun = run.state.step, time.perf_counter()
    _resume_for(run, seconds)
    speed = (run.state.step - first) / (time.perf_counter() - begun)
    run.pause()
    return speed


def _resume_for(run: LiveRun, seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        run.resume()
        time.sleep(TICK)


@dataclass(frozen=True)
class Seen:
    """What a page showed of a run that played.

    redraws, updates, frames : a second. gaps : seconds between two redraws. replaced : nodes of plots.
    """

    redraws: float
    updates: float
    frames: float
    gaps: list[float]
    replaced: int


def while_playing(page: Page, seconds: float) -> Seen:
    """Let the run that a page shows play on at full speed."""
    page.evaluate(WATCH)
    before = page.evaluate(STEP)
    press(page, "play")
    wait_until(page, f"{STEP} > {before}")
    page.wait_for_timeout(1000 * WARM_UP)
    page.evaluate(COUNT)
    first, begun = page.evaluate(STEP), time.perf_counter()
    page.wait_for_timeout(1000 * seconds)
    frames, redraws, last = page.evaluate(f"[seen.frames, seen.redraws, {STEP}]")
    passed = time.perf_counter() - begun
    press(page, "play")
    page.evaluate("seen.stop()")
    gaps, replaced = [(b - a) / 1000 for a, b in pairwise(redraws)], page.evaluate("replaced.length")
    return Seen(len(redraws) / passed, (last - first) / passed, frames / passed, gaps, replaced)


@dataclass(frozen=True)
class Round:
    """A run on a page, the same without a page, and training in one go, just after each other."""

    seen: Seen
    alone: float
    at_once: float


def in_turns(page: Page, url: str, e: Experiment, rounds: int, seconds: float) -> list[Round]:
    """Measure a run on the page and its two peers, in turns."""
    open_page(page, url)
    full_speed(page)
    return [
        Round(while_playing(page, seconds), without_a_page(e, seconds), in_one_go(e, seconds))
        for _ in range(rounds)
    ]


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


@contextmanager
def served(milliseconds: float) -> Iterator[str]:
    """Run the app with chunks of this length; gives its URL."""
    port = free_port()
    _, *command = streamlit(ROOT / "app.py", port)
    paced = ["tests.benchmarks.paced", f"{milliseconds:g}", *command]
    with tempfile.TemporaryDirectory() as folder, running(paced, port, Path(folder) / "log.txt"):
        yield f"http://127.0.0.1:{port}"


def main() -> None:
    """Measure and print, each figure beside its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--T", type=int, nargs="+", default=[20, 50, 200], help="lengths of the sequences")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5, help="of measurements")
    ours = 1000 * chunk.SHORTEST_CHUNK
    parser.add_argument(
        "--chunks", type=float, nargs="+", default=[ours], help=f"ms of training (the app: {ours:g})"
    )
    wanted = parser.parse_args()
    measured = [Experiment(seq_len=T) for T in wanted.T]
    local_pool().submit(chunk.get_ready).result()
    with sync_playwright() as playwright:
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        for milliseconds in wanted.chunks:
            with served(milliseconds) as server:
                page = chromium.new_page(viewport={"width": 1280, "height": 720})
                for e in measured:
                    url = f"{server}/playground?{urlencode(to_params(e))}"
                    with console_errors(page) as errors:
                        rounds = in_turns(page, url, e, wanted.rounds, wanted.seconds)
                        times = moving_a_slider(page, url)
                    print(f"T = {e.seq_len}, chunks of {milliseconds:g} ms:", flush=True)
                    report(rounds, times, errors)
                page.close()
        chromium.close()


def report(rounds: list[Round], to_picture: list[float], errors: list[str]) -> None:
    """Print the figures of one run, each with its target."""

    def median(of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, rounds))

    gaps = [gap for each in rounds for gap in each.seen.gaps]
    lines = {
        "redraws a second": (f"{median(lambda r: r.seen.redraws):.1f}", ">= 15"),
        "gap between redraws, p95": (f"{1000 * quantile(gaps, 0.95):.0f} ms", "< 120 ms"),
        "animation frames a second": (f"{median(lambda r: r.seen.frames):.0f}", ">= 50"),
        "updates a second": (
            f"{median(lambda r: r.seen.updates):.0f}",
            f"without a page {median(lambda r: r.alone):.0f}, in one go {median(lambda r: r.at_once):.0f}",
        ),
        "share of a run without a page": (f"{median(lambda r: r.seen.updates / r.alone):.0%}", ">= 85%"),
        "share of training in one go": (f"{median(lambda r: r.seen.updates / r.at_once):.0%}", ""),
        "plot nodes replaced": (f"{sum(r.seen.replaced for r in rounds)}", "0"),
        "errors in the console": (f"{len(errors)} {'; '.join(errors)}", "0"),
        "slider to picture, median": (f"{1000 * statistics.median(to_picture):.0f} ms", "<= 300 ms"),
        "slider to picture, slowest": (f"{1000 * max(to_picture):.0f} ms", ""),
    }
    for name, (value, target) in lines.items():
        print(f"  {name:<30} {value:>10}   {target}".rstrip())


if __name__ == "__main__":
    main()
