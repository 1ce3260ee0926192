"""A real server and a real browser. Every page fails its test on any error in the browser's console."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
BROWSERS = (
    "chromium-headless-shell",  # Chromium without its windows: a tenth less work
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
BROWSER_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=slight",  # as in a window: the shell alone would round the width of every letter
    "--js-flags=--no-maglev --no-opt",  # a page is open for seconds: compiling well costs more than it saves
)
WIDTH, HEIGHT = 1280, 720
EXPECTED_WITHIN_MS = 30_000
"""How long an expectation waits: two cores that also run the other half of the tests can be slow."""
START_SECONDS = 60  # a cold import of Streamlit and plotly on a busy two-core machine takes 15
# At a deep link, Streamlit's frontend asks for these below the page's own address before it finds the root.
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")


expect.set_options(timeout=EXPECTED_WITHIN_MS)


def browser_path() -> str:
    found = os.environ.get("RNNVIZ_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    missing = "no Chromium or Chrome: apt-get install chromium, or set RNNVIZ_CHROMIUM to its path"
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def second_port() -> int:
    """The port of what a test starts for itself and opens in the browser, one after the other.

    The browser keeps compiled scripts for each address, and opens the app there three times as fast.
    """
    return free_port()


def wait_until_healthy(
    url: str, process: subprocess.Popen[bytes], trusted: ssl.SSLContext | None = None
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1, context=trusted):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {START_SECONDS} s; exit code {process.poll()}")


@contextmanager
def running(
    command: list[str], port: int, log: Path, folder: Path = ROOT, path: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server once it answers on a port, below a path; whatever is still there afterwards is ended."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}/{path}".rstrip("/"), process)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def streamlit(script: Path, port: int) -> list[str]:
    """The command that serves a script, as the README says."""
    address = ["--server.address=127.0.0.1", f"--server.port={port}"]
    return ["streamlit", "run", str(script), "--server.headless=true", *address]


@contextmanager
def serve(script: Path, log: Path, port: int | None = None) -> Iterator[str]:
    """Run `streamlit run script`; gives its URL and ends it by its own process. port : default the second."""
    port = port or second_port()
    with running(streamlit(script, port), port, log):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log.txt"


@pytest.fixture(scope="session")
def app(server_log: Path) -> Iterator[tuple[str, int]]:
    """The URL of the app, started as the README says, and the number of its process."""
    port = free_port()
    with running(streamlit(ROOT / "app.py", port), port, server_log) as process:
        yield f"http://127.0.0.1:{port}", process.pid


@pytest.fixture(scope="session")
def server(app: tuple[str, int]) -> str:
    """The URL of the app."""
    return app[0]


@pytest.fixture(autouse=True)
def _log_beside_failure(server_log: Path) -> Iterator[None]:
    """Show what the server wrote during a test that fails."""
    before = server_log.stat().st_size if server_log.exists() else 0
    yield
    if server_log.exists():
        written = server_log.read_bytes()[before:].decode(errors="replace")
        if written:
            print(f"server log:\n{written}")  # pytest shows it only for a failure


@pytest.fixture
def theme(request: pytest.FixtureRequest) -> str:
    """What the visitor's system prefers; `@both_themes` runs a test for each."""
    return str(getattr(request, "param", "light"))


STYLED = "getComputedStyle(document.querySelector('.st-key-brand') ?? document.body).position === 'fixed'"
"""Streamlit loads the part that brings the app's style late."""


SETTLED = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
"""No run of the page's script is under way: what the last one left out has gone."""

PLACED = f"""{SETTLED}
  && [...document.querySelectorAll('.live-figure')].every(figure => figure.dataset.draws > 0)
  && document.fonts.status === 'loaded' && ['Source Sans', 'Source Serif', 'Material Symbols Rounded']
    .every(family => document.fonts.check(`1rem "${{family}}"`))"""
"""Every figure is drawn and every typeface has come: what stands below a line of text stays where it is."""


def wait_until(page: Page, expression: str, argument: object = None, seconds: float = 30) -> None:
    """Wait for a JavaScript expression to hold; Playwright's own wait needs eval, which the app forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, f"after {seconds} s still not true: {expression}"
        page.wait_for_timeout(50)


def expect_no_scroll_bar(page: Page, screens: int = 1) -> None:
    """All is on one screen, or on more; pictures and formulas take their places a moment after the text."""
    main = "document.querySelector('[data-testid=stMain]')"
    wait_until(page, f"{main}.scrollHeight <= {screens} * {main}.clientHeight", seconds=10)


def choose(box: Locator, option: Locator) -> None:
    """Click an option of an open list; again if the list moved under the pointer, which leaves it open."""
    for _ in range(5):
        option.click()
        try:
            expect(box).to_have_attribute("aria-expanded", "false", timeout=1000)
        except AssertionError:
            continue
        return
    expect(box).to_have_attribute("aria-expanded", "false")


def press_key(page: Page, key: str) -> None:
    """Press a button's key once the button is on the page; figures may be there earlier, and hear no keys."""
    expect(page.get_by_label(f"Shortcut {key.upper()}", exact=True).first).to_be_attached()
    page.keyboard.press(key)


both_themes = pytest.mark.parametrize("theme", ["light", "dark"], indirect=True)


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """One browser profile for all tests: with its cache of compiled scripts a page opens twice as fast."""
    folder, path = tmp_path_factory.mktemp("profile"), browser_path()
    arguments = [*BROWSER_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=path, args=arguments, viewport={"width": WIDTH, "height": HEIGHT}
        )
        yield context
        context.close()


def use_theme(page: Page, theme: str) -> None:
    """Let the visitor's system prefer a theme; an open page follows at once."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")


@pytest.fixture(scope="session")
def tab(profile: BrowserContext) -> Page:
    """The tab in which all tests run: in a new one, opening the app takes half as much time again."""
    return profile.new_page()


@contextmanager
def console_errors(tab: Page) -> Iterator[list[str]]:
    """Collect the errors in a tab's console, and exceptions that nobody caught."""
    errors: list[str] = []

    def collect(message: ConsoleMessage) -> None:
        expected = "404" in message.text and message.location["url"].endswith(EXPECTED_404)
        if message.type == "error" and not expected:
            errors.append(message.text)

    def collect_uncaught(error: Error) -> None:
        errors.append(str(error))

    tab.on("console", collect)
    tab.on("pageerror", collect_uncaught)
    yield errors
    tab.remove_listener("console", collect)
    tab.remove_listener("pageerror", collect_uncaught)


@pytest.fixture
def page(tab: Page, theme: str) -> Iterator[Page]:
    """The tab as a stranger finds it, at 1280x720; any error in the console fails the test."""
    tab.bring_to_front()  # a test may have opened another one, and a tab in the background is slow
    use_theme(tab, theme)
    with console_errors(tab) as errors:
        yield tab
    _forget_visitor(tab)
    assert not errors, "errors in the browser's console:\n" + "\n".join(errors)


def _forget_visitor(tab: Page) -> None:
    """Leave nothing to the next test: storage, cookies, size of window, preferences, place of mouse."""
    if tab.url.startswith("http"):
        tab.evaluate("localStorage.clear(); sessionStorage.clear()")
    tab.goto("about:blank")
    tab.context.clear_cookies()
    tab.mouse.move(0, 0)
    tab.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    tab.emulate_media(color_scheme="null", reduced_motion="null")
