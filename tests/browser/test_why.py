"""Why recurrence, and the five topologies, as a person meets them: on one screen, moving when touched."""

import re
import time

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from rnnviz import TOPOLOGIES
from rnnviz.figures import THEMES
from rnnviz.teaching.contest import ROUNDS, STEPS
from tests.browser.conftest import press_key, wait_until

DRAWN = "document.querySelectorAll('.live-figure[data-draws]').length"
SECONDS = 45
"""A round takes 5 to 10 s; a busy machine gets more."""


def open_page(page: Page, url: str, figures: int) -> None:
    page.goto(url)
    wait_until(page, f"{DRAWN} === {figures}")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def outcome(page: Page) -> Locator:
    return page.locator(".outcome")


def expect_on_screen(part: Locator) -> None:
    box = part.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] >= 40, "under the bar"
    assert box["x"] + box["width"] <= 1280
    assert box["y"] + box["height"] <= 720, f"{part} ends at {box['y'] + box['height']:.0f} px"


def figure(key: str, expression: str) -> str:
    return f"document.querySelector('.st-key-{key} .live-figure'){expression}"


# Why


def test_recall_is_played_to_its_end_and_both_numbers_are_told(server: str, page: Page) -> None:
    streams: list[WebSocket] = []
    page.once("websocket", lambda socket: streams.append(socket))
    open_page(page, f"{server}/why", 3)
    wait_until(page, "window.rnnvizChannel?.socket?.readyState === 1")
    asked: list[int] = []
    streams[0].on("framesent", lambda data: asked.append(len(data)))
    heard = page.locator(".st-key-contest_progress .only-heard")
    expect(heard).to_have_text("")
    plots = page.locator(".live-figure svg.main-svg").element_handles()
    press_key(page, "p")
    expect(page.locator(".st-key-contest_play button")).to_contain_text("Pause")
    began = time.monotonic()
    expect(outcome(page)).to_contain_text("After ")
    assert heard.text_content() == "", "a screen reader is not told every frame"
    expect(outcome(page)).to_contain_text(f"After {STEPS} updates", timeout=1000 * SECONDS)
    print(f"{STEPS} updates of both took {time.monotonic() - began:.1f} s")
    words = outcome(page).inner_text()
    without, with_memory = (int(number) for number in re.findall(r"(\d+)%", words)[:2])
    assert 15 <= without <= 35, words
    assert with_memory == 100
    assert ROUNDS["recall"].finding in words
    expect(heard).to_contain_text(ROUNDS["recall"].finding)
    assert len(asked) <= 3, "the script ran for Play, and for the end of each"
    expect(page.locator(".st-key-contest_play button")).to_contain_text("Play again")
    assert all(plot.evaluate("node => node.isConnected") for plot in plots), "nothing was drawn anew"
    for said in (f"feed-forward {without}%", f"recurrent {with_memory}%"):
        expect(page.locator(".st-key-contest_progress .annotation-text", has_text=said)).to_have_count(1)


def test_the_picture_shows_what_the_networks_answer(server: str, page: Page) -> None:
    open_page(page, f"{server}/why", 3)
    press_key(page, "p")
    told = figure("contest_vanilla", ".textContent")
    wait_until(page, f"{told}.includes('✓')", seconds=SECONDS)
    press_key(page, "p")
    expect(page.locator(".st-key-contest_play button")).to_contain_text("Play")


@pytest.mark.parametrize("theme", ["dark"], indirect=True)
def test_why_fits_on_one_screen(server: str, page: Page, theme: str) -> None:
    open_page(page, f"{server}/why", 3)
    for i, (task, game) in enumerate(ROUNDS.items()):
        page.locator(".st-key-contest_task button").nth(i).click()
        expect(page.locator(".needs")).to_contain_text(game.needs)
        hidden = "._fullData.find(t => t.name === 'hidden h')"
        wait_until(page, figure("contest_vanilla", f"{hidden}.x.length === {game.experiment.seq_len}"))
        for part in ("h1.title", ".st-key-contest_bar", ".outcome", ".st-key-way_on a"):
            expect_on_screen(page.locator(part))
        for key in ("contest_feed-forward", "contest_vanilla", "contest_progress"):
            expect_on_screen(page.locator(f".st-key-{key} .live-figure").last)
        paper = page.evaluate(figure("contest_vanilla", "._fullLayout.paper_bgcolor"))
        assert paper == THEMES[theme].paper, task


def test_a_symbol_explains_itself(server: str, page: Page) -> None:
    open_page(page, f"{server}/why", 3)
    hints = page.locator(".network abbr").evaluate_all("nodes => nodes.map(node => node.title)")
    assert any("hidden state" in hint for hint in hints)
    assert any("recurrent weights" in hint for hint in hints)
    assert all(hints)


# Types


@pytest.mark.parametrize("theme", ["dark"], indirect=True)
def test_all_five_fit_on_one_screen(server: str, page: Page, theme: str) -> None:
    open_page(page, f"{server}/types", 5)
    for name in TOPOLOGIES:
        expect_on_screen(page.locator(f".st-key-topology_{name}"))
    expect_on_screen(page.locator(".st-key-way_on a"))
    assert page.evaluate(figure("type_many-to-one", "._fullLayout.paper_bgcolor")) == THEMES[theme].paper


def test_the_pass_moves_with_its_slider(server: str, page: Page) -> None:
    open_page(page, f"{server}/types", 5)
    row = figure("type_many-to-one", "._fullData.find(t => t.name === 'hidden h')")
    biggest = f"[...{row}.marker.size].indexOf(Math.max(...{row}.marker.size))"
    assert page.evaluate(biggest) == 3
    page.get_by_role("slider", name="Watch one pass: step t").press("ArrowRight")
    wait_until(page, f"{biggest} === 4")
    page.get_by_role("slider", name="Sequence length T").press("ArrowRight")
    wait_until(page, f"{row}.x.length === 7")


def test_a_door_opens_the_playground_with_that_topology(server: str, page: Page) -> None:
    open_page(page, f"{server}/types", 5)
    page.get_by_role("link", name="Try: Copy").click()
    wait_until(page, "location.pathname.endsWith('/playground')")
    wait_until(page, "new URL(location).searchParams.get('topology') === 'sequence-to-sequence'")
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?._fullData?.length > 0")
    expect(page.locator(".story")).to_contain_text("Copy")
