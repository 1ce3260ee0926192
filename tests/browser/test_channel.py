"""The live channel as a browser meets it: it is cut, hidden and refused, and the page copes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, WebSocket, expect

from rnnviz import PRESETS, Experiment
from tests.browser.conftest import ROOT, running, second_port, streamlit, wait_until
from tests.browser.test_playground import (
    DRAWN,
    STEP,
    full_speed,
    link,
    open_page,
    play_button,
    press,
    wait_for_params,
)  # fmt: skip

DRAWS = "Number(document.querySelector('.st-key-timeline .live-figure').dataset.draws)"
CHANNEL = "window.rnnvizChannel"


@pytest.fixture
def sockets(page: Page) -> Iterator[dict[str, list[WebSocket]]]:
    """The connections of the page by the last part of their path."""
    found: dict[str, list[WebSocket]] = {"live": [], "stream": []}

    def collect(socket: WebSocket) -> None:
        found[urlsplit(socket.url).path.rsplit("/", 1)[-1]].append(socket)

    page.on("websocket", collect)
    yield found
    page.remove_listener("websocket", collect)


def hide(page: Page, hidden: bool) -> None:
    """Let the page believe that its tab is hidden, or seen again."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_one_connection_carries_everything_and_no_address_holds_its_token(
    server: str, page: Page, sockets: dict[str, list[WebSocket]]
) -> None:
    open_page(page, f"{server}/playground")
    full_speed(page)
    press(page, "play")
    wait_until(page, f"{STEP} > 20")
    page.get_by_role("slider", name="Sequence length T").press("ArrowRight")
    wait_until(page, "location.search.includes('T=21')")  # another run, which plays on
    wait_until(page, f"{STEP} > 20")
    (socket,) = sockets["live"]
    token = page.evaluate(f"{CHANNEL}.token")
    assert len(token) > 40
    assert token not in socket.url + page.url


def test_while_it_plays_nothing_is_rerun_and_a_stop_is_rerun_once(
    server: str, page: Page, sockets: dict[str, list[WebSocket]]
) -> None:
    open_page(page, link(server, replace(PRESETS["exploding"].experiment, learning_rate=0.01)))
    wait_until(page, f"{CHANNEL}.socket?.readyState === 1")
    asked: list[int] = []
    sockets["stream"][-1].on("framesent", lambda data: asked.append(len(data)))
    press(page, "play")
    expect(page.locator(".lesson")).to_be_visible()
    wait_until(page, f"{DRAWN} === 2")
    page.wait_for_timeout(2500)  # it would insist every second
    assert len(asked) == 2, "Play, and the end"


def test_a_slow_rerun_is_not_asked_for_again_while_it_is_under_way(server: str, page: Page) -> None:
    """Streamlit would begin it anew each time: a slow server would never finish one."""
    open_page(page, f"{server}/playground")
    wait_until(page, f"!!(window.rnnvizIdle && {CHANNEL}.rerun.ask)")
    page.evaluate(
        f"""() => {{
            window.app = document.querySelector("[data-testid=stApp]");
            window.asks = 0;
            app.dataset.testScriptState = "running";
            {CHANNEL}.rerun.ask = () => asks++;
            {CHANNEL}.rerun.insist();
        }}"""
    )
    page.wait_for_timeout(2500)  # it would insist every second
    assert page.evaluate("asks") == 1
    page.evaluate("app.dataset.testScriptState = 'notRunning'")
    wait_until(page, "asks > 1", seconds=5)
    page.evaluate(f"{CHANNEL}.rerun.stop()")


def test_a_cut_connection_comes_back_and_the_run_goes_on(
    server: str, page: Page, sockets: dict[str, list[WebSocket]]
) -> None:
    open_page(page, f"{server}/playground")
    full_speed(page)
    press(page, "play")
    wait_until(page, f"{STEP} > 20")
    page.evaluate(f"{CHANNEL}.socket.close()")
    wait_until(page, f"{CHANNEL}.socket?.readyState === 1")
    step = page.evaluate(STEP)
    wait_until(page, f"{STEP} > {step + 20}")
    assert len(sockets["live"]) == 2
    expect(play_button(page)).to_contain_text("Pause")


def test_a_reload_in_the_middle_of_a_run_begins_anew_and_says_so(server: str, page: Page) -> None:
    open_page(page, link(server, replace(Experiment(), seq_len=7)))
    full_speed(page)
    press(page, "play")
    wait_until(page, f"{STEP} > 20")
    page.reload()
    expect(page.locator(".notice")).to_contain_text("a new run from the address")
    wait_until(page, f"{STEP} === 0")
    wait_for_params(page, T="7")
    page.reload()
    wait_until(page, f"{DRAWN} === 3")
    expect(page.locator(".notice")).to_have_count(0)


def test_a_page_survives_its_server_and_says_what_became_of_the_run(page: Page, tmp_path: Path) -> None:
    port = second_port()
    url, command = f"http://127.0.0.1:{port}", streamlit(ROOT / "app.py", port)
    tab = page.context.new_page()  # a page that loses its server complains in the console
    with running(command, port, tmp_path / "first.txt"):
        open_page(tab, link(url, replace(Experiment(), seq_len=7)))
        full_speed(tab)
        press(tab, "play")
        wait_until(tab, f"{STEP} > 20")
    with running(command, port, tmp_path / "second.txt"):
        expect(tab.locator(".notice")).to_contain_text("the server restarted", timeout=60_000)
        wait_until(tab, f"{STEP} === 0")
        wait_for_params(tab, T="7")
        press(tab, "play")
        wait_until(tab, f"{STEP} > 2")
    tab.close()


def test_two_tabs_train_side_by_side(server: str, page: Page) -> None:
    other = page.context.new_page()
    for tab, T in ((page, 7), (other, 9)):
        open_page(tab, link(server, replace(Experiment(), seq_len=T)))
        full_speed(tab)
        press(tab, "play")
    for tab, T in ((other, 9), (page, 7)):
        tab.bring_to_front()
        wait_until(tab, f"{STEP} > 20")
        wait_for_params(tab, T=str(T))
    other.close()


def test_for_a_token_that_nobody_knows_the_page_gets_another(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    wait_until(page, f"{CHANNEL}.socket?.readyState === 1")
    token = page.evaluate(f"{CHANNEL}.token")
    page.evaluate(f"{CHANNEL}.forget('nonsense'); {CHANNEL}.connect()")
    wait_until(page, f"{CHANNEL}.token === '{token}' && {CHANNEL}.socket?.readyState === 1")
    expect(page.locator(".channel-lost")).to_have_count(0)


def test_if_there_is_no_other_token_a_line_says_what_to_do(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    wait_until(page, f"{CHANNEL}.socket?.readyState === 1")
    page.evaluate(f"{CHANNEL}.rerun.ask = () => {{}}")  # as if Streamlit did not hear
    page.evaluate(f"{CHANNEL}.forget('nonsense'); {CHANNEL}.connect()")
    expect(page.locator(".channel-lost")).to_contain_text("Please reload the page")
    expect(page.locator(".channel-lost")).to_be_visible()
    press(page, "step")  # the script's next run brings the right token
    wait_until(page, f"{STEP} === 1")
    expect(page.locator(".channel-lost")).to_have_count(0)


def test_a_hidden_tab_draws_nothing_and_goes_on_when_it_is_seen(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    press(page, "play")
    wait_until(page, f"{STEP} > 2")
    hide(page, True)
    page.wait_for_timeout(500)  # an answer may be on its way
    draws = page.evaluate(DRAWS)
    page.wait_for_timeout(1000)
    assert page.evaluate(DRAWS) == draws
    hide(page, False)
    wait_until(page, f"{DRAWS} > {draws + 2}")


def test_a_step_is_drawn_without_a_second_run_of_the_script(
    server: str, page: Page, sockets: dict[str, list[WebSocket]]
) -> None:
    open_page(page, link(server, Experiment(seq_len=200, hidden_size=128, batch_size=128)))
    wait_until(page, f"{CHANNEL}.socket?.readyState === 1")
    asked: list[int] = []
    sockets["stream"][-1].on("framesent", lambda data: asked.append(len(data)))
    press(page, "step")
    wait_until(page, f"{STEP} === 1")
    expect(play_button(page)).to_contain_text("Play")
    page.wait_for_timeout(1500)
    assert len(asked) == 1
    assert "paused" in page.locator(".numbers").inner_text()


def test_a_sweep_goes_on_after_a_cut_connection_and_a_lost_request(
    server: str, page: Page, sockets: dict[str, list[WebSocket]]
) -> None:
    page.goto(f"{server}/laboratory?H=64")
    page.get_by_role("radio", name="Border", exact=True).click()
    expect(page.get_by_text(re.compile("Measuring: [1-9] of 24 gains"))).to_be_visible()
    page.evaluate(f"{CHANNEL}.socket.close()")
    page.evaluate(
        f"""() => {{
          const fragment = {CHANNEL}.fragment("border"), {{ rerun }} = fragment;
          const lose = () => (window.lost = fragment.drawing);
          let ask = rerun.ask;
          Object.defineProperty(rerun, "ask", {{
            set: next => (ask = next),
            get: () => window.lost ? ask : lose,
          }});
        }}"""
    )
    wait_until(page, "window.lost")
    wait_until(page, f"{CHANNEL}.fragment('border').drawing > window.lost")
    assert len(sockets["live"]) == 2
