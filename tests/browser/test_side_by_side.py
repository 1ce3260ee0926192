"""Two networks side by side as a person sees them, from the start to the verdict over seeds."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from tests.browser.conftest import PLACED, SETTLED, choose, expect_no_scroll_bar, wait_until

FIGURES = "[...document.querySelectorAll('.live-figure[data-draws]')]"
TABLE = "[...document.querySelectorAll('table.pair tr')].map(row => [...row.cells].map(c => c.textContent))"


def open_pair(page: Page, server: str, e: Experiment | None = None, **extra: str) -> None:
    page.goto(f"{server}/side-by-side?{urlencode(to_params(e or Experiment(seq_len=10)) | extra)}")
    wait_until(page, f"{FIGURES}.length === 3")
    wait_until(page, SETTLED)


def row(page: Page, name: str) -> list[str]:
    return next(list(cells) for cells in page.evaluate(TABLE) if cells[0] == name)


def test_both_play_and_pause_together_and_the_table_follows(server: str, page: Page) -> None:
    open_pair(page, server)
    assert row(page, "Cell")[1:] == ["Simple RNN", "LSTM"]
    page.get_by_role("radio", name="max", exact=True).click()
    wait_until(page, SETTLED)
    page.locator(".st-key-pair_play button").click()
    solved = f"{TABLE}.find(cells => cells[0] === 'solved after')?.slice(1).every(t => t.includes('update'))"
    wait_until(page, solved)
    page.locator(".st-key-pair_play button").click()
    expect(page.locator(".st-key-pair_play button")).to_contain_text("Play")
    wait_until(page, SETTLED)
    before = page.evaluate(TABLE)
    page.wait_for_timeout(500)
    assert page.evaluate(TABLE) == before, "both stand still"


def test_what_b_changes_is_chosen_and_one_address_carries_both(server: str, page: Page) -> None:
    open_pair(page, server)
    box = page.get_by_role("combobox", name="B's Cell")
    box.click()
    choose(box, page.get_by_role("option", name="GRU", exact=True))
    wait_until(page, "new URL(location).searchParams.get('b.cell') === 'gru'")
    wait_until(page, f"{TABLE}.some(cells => cells[2] === 'GRU')")
    page.get_by_text("Equal parameters").click()
    wait_until(page, "new URL(location).searchParams.get('equal') === 'true'")
    wait_until(page, SETTLED)
    parameters = [int(text.replace(",", "")) for text in row(page, "parameters")[1:]]
    assert parameters[1] == pytest.approx(parameters[0], rel=0.1)
    page.reload()
    wait_until(page, f"{TABLE}.some(cells => cells[2] === 'GRU')")
    page.go_back()
    wait_until(page, "!new URL(location).searchParams.has('equal')")


def test_the_gradients_of_both_have_one_axis(server: str, page: Page) -> None:
    open_pair(page, server, Experiment(seq_len=50, init="small-normal"), **{"b.init": "orthogonal"})
    ranges = page.evaluate(
        "['A', 'B'].map(name => document.querySelector(`.st-key-pair_timeline_${name} .live-figure`)"
        "._fullLayout.yaxis3.range.join())"
    )
    assert ranges[0] == ranges[1]


def test_twenty_seeds_end_in_a_verdict(server: str, page: Page) -> None:
    open_pair(page, server, Experiment(seq_len=3, hidden_size=4), **{"b.cell": "feed-forward"})
    page.get_by_role("radio", name="20 seeds", exact=True).click()
    expect(page.get_by_text("All 40 runs measured.")).to_be_visible(timeout=150_000)
    told = page.get_by_text("The intervals do not overlap: A is better at this.")
    expect(told).to_be_visible()
    expect_no_scroll_bar(page)


def test_it_fits_on_the_screen(server: str, page: Page) -> None:
    open_pair(page, server)
    wait_until(page, PLACED)
    expect_no_scroll_bar(page)
