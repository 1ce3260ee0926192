"""Health and numbers of the running server, as a load balancer and Prometheus ask for them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import urlopen

from playwright.sync_api import Page
from prometheus_client.parser import text_string_to_metric_families

from rnnviz import Experiment
from tests.browser.conftest import wait_until
from tests.browser.test_faults import live_workers_of
from tests.browser.test_playground import STEP, link, open_page, press


def asked(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()


def numbers(url: str) -> dict[tuple[str, str], float]:
    """The samples by name and value of their first label."""
    status, text = asked(f"{url}/metrics")
    assert status == 200
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(s.name, next(iter(s.labels.values()), "")): s.value for s in samples}


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_numbers_follow_a_run(server: str, page: Page) -> None:
    before = numbers(server)
    open_page(page, link(server, Experiment(seq_len=7)))
    press(page, "play")
    wait_until(page, f"{STEP} > 2")
    during = numbers(server)
    assert during["rnnviz_runs_begun_total", ""] == before["rnnviz_runs_begun_total", ""] + 1
    assert during["rnnviz_runs_playing", ""] == before["rnnviz_runs_playing", ""] + 1
    assert during["rnnviz_visitors", "open"] >= 1
    assert during["rnnviz_call_seconds_count", "live"] > before.get(("rnnviz_call_seconds_count", "live"), 0)
    press(page, "play")
    until(lambda: numbers(server)["rnnviz_runs_playing", ""] == before["rnnviz_runs_playing", ""])
    assert numbers(server)["process_resident_memory_bytes", ""] > 1e7


def test_the_server_is_well_while_a_worker_answers(app: tuple[str, int]) -> None:
    url, server = app
    status, told = asked(f"{url}/healthz")
    assert (status, json.loads(told)["workers"]) == (200, "answer")
    workers = live_workers_of(server)
    assert workers
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        status, told = asked(f"{url}/healthz")
        assert (status, json.loads(told)["workers"]) == (503, "no answer within 5 s")
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
    until(lambda: asked(f"{url}/healthz")[0] == 200)


def test_killed_workers_are_no_illness(app: tuple[str, int]) -> None:
    url, server = app
    asked(f"{url}/healthz")
    for worker in live_workers_of(server):
        os.kill(worker, signal.SIGKILL)
    until(lambda: asked(f"{url}/healthz")[0] == 200, 10.0)
