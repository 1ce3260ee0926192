"""What breaks under a playing page: workers, and the network. The page copes, and no number is lost."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rnnviz import Experiment, train
from tests.browser.conftest import ROOT, free_port, running, second_port, wait_until
from tests.browser.processes import workers_of
from tests.browser.proxy import Network
from tests.browser.test_playground import LOSS, STEP, full_speed, link, open_page, play_button, press

BUSY = Experiment(seq_len=100, hidden_size=64)
"""An update takes a while, so that workers are busy while it plays."""

CHANNEL = "window.rnnvizChannel"


def expect_same_training(page: Page, e: Experiment) -> None:
    """Pause, and compare what is shown with the same training in one piece."""
    press(page, "play")
    expect(play_button(page)).to_contain_text("Play")
    expect(page.locator(".numbers")).to_contain_text("paused")
    wait_until(page, f"window.rnnvizFigures.progress.traces[0].x.at(-1) === {STEP} - 1")
    expected = train(e, int(page.evaluate(STEP))).history["loss"].iloc[-1]
    assert page.evaluate(LOSS) == pytest.approx(expected, rel=1e-12)


def live_workers_of(server: int) -> list[int]:
    """The workers that train what somebody watches; those of sweeps stand back."""
    level = os.getpriority(os.PRIO_PROCESS, server)
    return [worker for worker in workers_of(server) if os.getpriority(os.PRIO_PROCESS, worker) == level]


def test_killed_workers_lose_nothing_but_their_chunk(app: tuple[str, int], page: Page) -> None:
    url, server = app
    open_page(page, link(url, BUSY))
    full_speed(page)
    press(page, "play")
    wait_until(page, f"{STEP} > 5")
    for count in (1, None):  # one of the workers, then all
        workers = live_workers_of(server)
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)  # in mid-chunk: the next one begins as soon as one ends
        page.wait_for_timeout(300)  # what was on its way arrives
        step = page.evaluate(STEP)
        killed = workers[:count]
        for worker in workers:
            os.kill(worker, signal.SIGKILL if worker in killed else signal.SIGCONT)
        wait_until(page, f"{STEP} > {step + 5}")
        assert killed, "nobody trained"
        assert not set(killed) & set(live_workers_of(server))
    expect(play_button(page)).to_contain_text("Pause")
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.locator(".channel-lost")).to_have_count(0)
    expect_same_training(page, BUSY)


def test_a_worker_that_dies_in_a_sweep_costs_only_its_part(app: tuple[str, int], page: Page) -> None:
    url, server = app
    page.goto(f"{url}/problems")
    results = page.locator(".consequence")
    arrived = [re.compile("After 300 updates"), re.compile("Huge updates")]
    expect(results).to_have_text([re.compile("Training it")] * 2)
    before = workers_of(server)
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    assert before, "nobody measured"
    expect(results).to_have_text(arrived, timeout=60_000)
    assert not set(before) & set(workers_of(server))


def test_half_a_message_is_not_drawn_and_the_page_goes_on(app: tuple[str, int], page: Page) -> None:
    with Network(int(app[0].rsplit(":", 1)[1]), second_port()) as network:
        e = replace(BUSY, seq_len=20)
        open_page(page, link(network.url, e))
        full_speed(page)
        press(page, "play")
        wait_until(page, f"{STEP} > 5")
        socket = page.evaluate_handle(f"{CHANNEL}.socket")
        network.cut.set()
        wait_until(page, "socket => socket.readyState === WebSocket.CLOSED", socket)
        assert not network.cut.is_set(), "it was closed for another reason"
        step = page.evaluate(STEP)
        wait_until(page, f"{STEP} > {step + 20}")
        expect(page.locator(".channel-lost")).to_have_count(0)
        expect_same_training(page, e)
        page.goto("about:blank")  # a page that loses its server complains in the console


IMPATIENT = ["--ws-ping-interval", "1", "--ws-ping-timeout", "1"]
"""By default the server gives up a browser that has been silent for 20 to 40 seconds."""


def test_a_laptop_that_slept_finds_its_run_where_it_was(page: Page, tmp_path: Path) -> None:
    port = free_port()
    command = ["uvicorn", "app:app", "--port", str(port), *IMPATIENT]
    with running(command, port, tmp_path / "log.txt", ROOT), Network(port, second_port()) as network:
        e = replace(Experiment(), seq_len=7)
        open_page(page, link(network.url, e))
        press(page, "play")
        wait_until(page, f"{STEP} > 2")
        browser = page.context.new_cdp_session(page)
        browser.send("Page.setWebLifecycleState", {"state": "frozen"})
        network.sleep()
        network.wait_until_given_up(20)
        browser.send("Page.setWebLifecycleState", {"state": "active"})
        network.wake()
        step = page.evaluate(STEP)
        wait_until(page, f"{STEP} > {step + 3}")
        expect(play_button(page)).to_contain_text("Pause")
        expect(page.locator(".notice")).to_have_count(0)
        expect(page.locator(".channel-lost")).to_have_count(0)
        expect_same_training(page, e)
        page.goto("about:blank")  # a page that loses its server complains in the console
