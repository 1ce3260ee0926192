"""Two replicas behind nginx, as in deploy/: who stays where, and what the death of one of them costs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from rnnviz import Experiment
from tests.browser.conftest import ROOT, free_port, running, streamlit, wait_until
from tests.browser.nginx import nginx
from tests.browser.test_playground import STEP, link, open_page, press, wait_for_params

COOKIE = "rnnviz_replica"


class Replica:
    """One of the two servers; it can be killed and started again."""

    def __init__(self, folder: Path, number: int) -> None:
        self.port = free_port()
        self._log = folder / f"log{number}.txt"
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = streamlit(ROOT / "app.py", self.port)
        self._process = self._stack.enter_context(running(command, self.port, self._log))

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self.end()

    def end(self) -> None:
        self._stack.close()


@contextmanager
def two_replicas(folder: Path) -> Iterator[tuple[dict[str, Replica], int]]:
    """The replicas by the cookie's value, and the port of the nginx in front of them."""
    replicas = {str(number): Replica(folder, number) for number in (1, 2)}
    with ExitStack() as stack:
        for replica in replicas.values():
            stack.callback(replica.end)
            replica.start()
        first, second = (replica.port for replica in replicas.values())
        values = {
            "listen 8080": "listen 127.0.0.1:PORT",
            "replica1:8501": f"127.0.0.1:{first}",
            "replica2:8502": f"127.0.0.1:{second}",
            "~:8501$": f"~:{first}$",
            "~:8502$": f"~:{second}$",
        }
        configuration = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        port = stack.enter_context(nginx(folder, configuration, values))
        yield replicas, port


def replica_of(context: BrowserContext, url: str) -> str:
    return next(cookie["value"] for cookie in context.cookies(url) if cookie["name"] == COOKIE)


def assigned(url: str) -> str:
    """Where a stranger is sent."""
    with urlopen(url, timeout=30) as answer:
        told: str = answer.headers["Set-Cookie"]
    return told.removeprefix(f"{COOKIE}=").split(";")[0]


def test_the_death_of_a_replica_costs_its_visitors_their_run_and_the_others_nothing(
    page: Page, tmp_path: Path
) -> None:
    """Cookies belong to a host, so that one browser is two visitors under the two names of this machine."""
    context = page.context
    with two_replicas(tmp_path) as (replicas, port):
        urls = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
        tabs = [context.new_page() for _ in urls]  # pages that lose their server complain in the console
        assert assigned(urls[0]) in replicas
        ours = assigned(urls[0])
        theirs = next(number for number in replicas if number != ours)
        for tab, url, number, length in zip(tabs, urls, (ours, theirs), (7, 9), strict=True):
            context.add_cookies([{"name": COOKIE, "value": number, "url": url}])
            open_page(tab, link(url, replace(Experiment(), seq_len=length)))
            press(tab, "play")
            wait_until(tab, f"{STEP} > 2")
            assert replica_of(context, url) == number, "the live connection goes where the page comes from"
        mine, other = tabs
        replicas[ours].kill()
        step = other.evaluate(STEP)
        wait_until(other, f"{STEP} > {step + 2}")
        expect(other.locator(".notice, .channel-lost")).to_have_count(0)
        press(other, "play")  # enough: it pauses
        mine.bring_to_front()
        expect(mine.locator(".notice")).to_contain_text("the server restarted", timeout=60_000)
        wait_until(mine, f"{STEP} === 0")
        wait_for_params(mine, T="7")
        press(mine, "play")
        wait_until(mine, f"{STEP} > 2")
        assert replica_of(context, urls[0]) == theirs
        assert assigned(urls[0]) == theirs, "nobody is sent to the dead one"
        replicas[ours].start()
        for _ in range(100):
            if assigned(urls[0]) == ours:
                break
            mine.wait_for_timeout(100)
        else:
            pytest.fail("nobody is sent to a replica that is back")
        mine.reload()
        wait_until(mine, f"{STEP} === 0")
        assert replica_of(context, urls[0]) == theirs, "who has moved stays"
        for tab in tabs:
            tab.close()
