"""The server, the frame around every page and the live figure, as a browser meets them."""

import gzip
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from rnnviz.ui.scripts import PLOTLY_URL, SCRIPTS
from tests.browser.conftest import ROOT, free_port, running, second_port, serve, streamlit, wait_until
from tests.browser.processes import children_of, is_there

DRAWS = "Number(document.querySelector('.live-figure')?.dataset.draws ?? 0)"


def fetch(url: str) -> tuple[Message, bytes]:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.headers, response.read()


def wait_for_draws(page: Page, count: int) -> None:
    wait_until(page, f"{DRAWS} >= {count}")


def expect_frame(page: Page) -> None:
    """The page itself stands under the app's own logo, and Streamlit knows its address."""
    expect(page).to_have_title(re.compile(".+ · rnnviz"))
    expect(page.locator(".st-key-brand a")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"\w"))
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Page not found")).to_have_count(0)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("figures") / "log.txt"
    with serve(ROOT / "tests" / "browser" / "apps" / "figures.py", log, free_port()) as url:
        yield url


@pytest.mark.parametrize("url", SCRIPTS)
def test_a_script_is_served_compressed_and_kept_for_ever(server: str, url: str) -> None:
    headers, body = fetch(f"{server}/{url}")
    assert gzip.decompress(body) == SCRIPTS[url].read_bytes()
    assert "immutable" in headers["Cache-Control"]
    assert "javascript" in headers["Content-Type"]


@pytest.mark.parametrize("path", ["", PLOTLY_URL, "_stcore/health"], ids=["page", "plotly", "health"])
def test_every_answer_carries_the_security_headers(server: str, path: str) -> None:
    headers, _ = fetch(f"{server}/{path}")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize(("path", "theme"), [("", "light"), ("laboratory", "dark")], indirect=["theme"])
def test_a_page_opens_in_its_frame(server: str, page: Page, theme: str, path: str) -> None:
    page.goto(f"{server}/{path}")  # "" is the first page's own address; test_story.py visits all the others
    expect_frame(page)
    scheme = page.get_by_test_id("stApp").evaluate("node => getComputedStyle(node).colorScheme")
    assert scheme == theme
    content = "document.querySelector('[data-testid=stMainBlockContainer] > div')"
    wait_until(page, f"{content}.getBoundingClientRect().y <= 48")


UVICORN = ["uvicorn", "--app-dir", str(ROOT), "app:app", "--port"]


SAID = (
    r"\s*",
    r"  You can now view your Streamlit app in your browser\.",
    r"  URL: \S+",
    r".*(Started|Finished) server process \[\d+\]",
    r".*Uvicorn running on \S+ .+",
    r".*Waiting for .+\.",
    r".*(startup|shutdown) complete\.",
    r".*Shutting down",
    r".* rnnviz: run 1 began: .+",
    r".*connection (open|closed)",
    r".* 127\.0\.0\.1:\d+ - .+",
)
"""What a server writes that nothing happened to; the last two are uvicorn's log of requests."""


@pytest.mark.parametrize(
    ("started", "stop"),
    [
        ("streamlit", signal.SIGTERM),
        ("streamlit", signal.SIGINT),
        ("uvicorn from another folder", signal.SIGTERM),
    ],
)
def test_a_server_stops_in_silence_in_the_middle_of_a_run(
    page: Page, tmp_path: Path, started: str, stop: signal.Signals
) -> None:
    port, log = second_port(), tmp_path / "log.txt"
    command = streamlit(ROOT / "app.py", port) if started == "streamlit" else [*UVICORN, str(port)]
    with running(command, port, log, folder=ROOT if started == "streamlit" else tmp_path) as server:
        page.goto(f"http://127.0.0.1:{port}/playground")
        page.get_by_role("button", name="Play").click()
        expect(page.locator(".numbers")).to_contain_text("updates/s")
        children = children_of(server.pid)
        assert children, "nobody trained"
        page.goto("about:blank")  # a page that loses its server complains in the console
        server.send_signal(stop)
        assert server.wait(timeout=20) == 0
    deadline = time.monotonic() + 5
    while any(map(is_there, children)):
        assert time.monotonic() < deadline, "a worker outlived its server"
        time.sleep(0.05)
    expected = re.compile("|".join(SAID))
    said = log.read_text(encoding="utf-8").splitlines()
    assert [line for line in said if not expected.fullmatch(line)] == []


def test_no_script_may_run_that_is_not_the_servers(server: str) -> None:
    headers, _ = fetch(server)
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert "unsafe" not in policy["script-src"]
    assert policy["script-src"].count("sha256-") == 1


def test_nothing_is_fetched_from_another_host(server: str, page: Page) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{server}/playground")
    wait_for_draws(page, 1)
    assert {host for host in hosts if host and not host.startswith("127.0.0.1")} == set()


def test_a_figure_keeps_its_node_across_reruns(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_for_draws(page, 1)
    plot = page.locator(".live-figure").first.locator("svg.main-svg").first.element_handle()
    assert plot is not None
    for name in ("Rerun everything", "Rerun the fragment") * 3:
        before = page.evaluate(DRAWS)
        page.get_by_role("button", name=name).click()
        wait_for_draws(page, before + 1)
    assert plot.evaluate("node => node.isConnected"), "the plot was thrown away and drawn anew"


def test_a_slow_rerun_fades_no_figure(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_for_draws(page, 1)
    page.get_by_role("button", name="Rerun slowly").click()
    container = page.locator(".st-key-wave")
    expect(container).to_have_attribute("data-stale", "true")
    page.wait_for_timeout(1000)  # Streamlit begins to fade after half a second
    expect(container).to_have_attribute("data-stale", "true")
    assert container.evaluate("node => getComputedStyle(node).opacity") == "1"


def test_a_figure_has_a_name_and_the_height_it_reserved(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_for_draws(page, 1)
    figure = page.get_by_role("figure", name="A wave, 50 steps long")
    box = figure.bounding_box()
    assert box is not None
    assert box["height"] == 300


def test_a_figure_draws_what_python_sent(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_for_draws(page, 1)
    figure = page.get_by_role("figure", name="A wave")
    assert figure.evaluate("node => [...node._fullData[0].x]") == list(range(50))
    heat = figure.evaluate("node => node._fullData[1].z.map(row => [...row])")
    np.testing.assert_allclose(heat, np.outer(np.ones(4), np.cos(np.arange(50))), rtol=1e-6)  # float32


def test_a_figure_follows_the_width_of_its_container(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_for_draws(page, 1)
    page.set_viewport_size({"width": 800, "height": 720})
    wait_until(
        page,
        "() => { const node = document.querySelector('.live-figure');"
        " return node.clientWidth < 800 && node._fullLayout.width === node.clientWidth; }",
    )


def test_a_figure_that_leaves_the_page_is_purged(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_for_draws(page, 1)
    node = page.get_by_role("figure", name="A wave").element_handle()
    assert node is not None
    page.get_by_text("Show", exact=True).click()
    expect(page.get_by_role("figure", name="A wave")).to_have_count(0)
    wait_until(page, "node => node._fullLayout === undefined", node)


def test_plotly_js_is_loaded_once(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_until(page, "document.querySelectorAll('.live-figure[data-draws]').length === 2")
    assert page.locator(f"script[src='{PLOTLY_URL}']").count() == 1


def test_a_figure_follows_the_visitor_from_light_to_dark(figures: str, page: Page) -> None:
    page.goto(figures)
    still = page.get_by_role("figure", name="A still figure")
    expect(still.get_by_text("drawn for light")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    expect(still.get_by_text("drawn for dark")).to_be_visible()


def test_a_slow_browser_draws_the_newest_message_and_skips_the_others(figures: str, page: Page) -> None:
    page.goto(figures)
    wait_for_draws(page, 1)
    page.evaluate("() => { window.requestAnimationFrame = draw => setTimeout(draw, 500); }")
    before = page.evaluate(DRAWS)
    page.evaluate(
        """() => {
          const show = (text) => rnnvizFigures.wave.show({ layout: { title: { text } } });
          for (let number = 1; number <= 30; number++) setTimeout(show, 20 * number, `message ${number}`);
        }"""
    )
    wait_until(page, "document.querySelector('.live-figure')._fullLayout.title.text === 'message 30'")
    draws = page.evaluate(DRAWS) - before
    assert draws <= 5, f"30 messages took {draws} draws: the browser falls behind"
