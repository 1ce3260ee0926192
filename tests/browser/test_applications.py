"""The jobs as a person meets them: train, watch it get better, then give it something of one's own.

At the end of each job, a look at all of the page: no serious barrier, and nothing sticks out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.tasks.series import sunspots
from rnnviz.ui.applications.text import PIECE
from rnnviz.ui.views import OWN_NETWORK
from tests.browser.conftest import PLACED, SETTLED, STYLED, press_key, wait_until
from tests.browser.test_story import assert_open_to_all_and_fits

TRAINING_SECONDS = 45
"""The longest takes some five seconds; a busy machine gets more."""


def figure(key: str) -> str:
    return f"document.querySelector('.st-key-{key} .live-figure')"


def draws(page: Page, key: str) -> int:
    return int(page.evaluate(f"Number({figure(key)}.dataset.draws)"))


def open_job(page: Page, server: str, job: str, **params: str) -> None:
    page.goto(f"{server}/real-data?job={job}" + "".join(f"&{k}={v}" for k, v in params.items()))
    shown = "lab_own" if job == OWN_NETWORK else "job_timeline"
    wait_until(page, f"{figure(shown)}?.dataset.draws > 0")
    wait_until(page, STYLED)
    wait_until(page, PLACED)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def train(page: Page) -> None:
    button = page.locator(".st-key-job_play button")
    button.click()
    expect(button).to_contain_text("Pause")


def pause(page: Page) -> None:
    """Pause if it has not ended yet."""
    button = page.locator(".st-key-job_play button")
    if "Pause" in button.inner_text():
        button.click()
    expect(button).to_contain_text("Train")
    wait_until(page, SETTLED)


def score(page: Page) -> str:
    """The first score, as a number in JavaScript."""
    return "parseFloat(document.querySelector('.scores b')?.textContent)"


def answer(page: Page, job: str) -> Locator:
    return page.locator(f".st-key-answer_{job} .numbers")


def type_in(page: Page, label: str, words: str) -> None:
    box = page.get_by_label(label)
    box.fill(words)
    box.press("Enter")


PLACES = """() => {
  window.places = {};
  const keys = ["job_answer", "job_timeline", "job_progress"];
  const note = () => {
    for (const key of keys) {
      const { x, y, width, height } = document.querySelector(`.st-key-${key}`).getBoundingClientRect();
      (places[key] ??= new Set()).add([x, y, width, height].map(Math.round).join());
    }
    window.noting = requestAnimationFrame(note);
  };
  note();
}"""
"""Notes where the parts of the page are, in every animation frame."""


@contextmanager
def nothing_moves(page: Page) -> Iterator[None]:
    """Fail if a part of the page was elsewhere in any frame of what is done here."""
    wait_until(page, PLACED)
    page.evaluate(PLACES)
    yield
    page.evaluate("cancelAnimationFrame(noting)")
    moved = page.evaluate("Object.values(places).map(seen => [...seen]).filter(seen => seen.length !== 1)")
    assert not moved


# One job after the other


def test_captions_learns_to_spell_and_names_what_is_drawn(server: str, page: Page) -> None:
    open_job(page, server, "captions")
    assert page.evaluate(score(page)) < 50
    train(page)
    wait_until(page, f"{score(page)} >= 80", seconds=TRAINING_SECONDS)
    pause(page)
    pad = page.locator(".st-key-captions_pad .grid")
    page.locator(".st-key-captions_pad").get_by_role("button", name="Clear").click()
    expect(page.locator(".ask").first).to_contain_text("As you drew it.")
    wait_until(page, SETTLED)
    before, box = draws(page, "answer_captions"), pad.bounding_box()
    assert box is not None
    x, top, bottom = (
        box["x"] + 0.55 * box["width"],
        box["y"] + 0.06 * box["height"],
        box["y"] + 0.94 * box["height"],
    )
    page.mouse.move(x, top)
    page.mouse.down()
    page.mouse.move(x, bottom, steps=8)
    page.mouse.up()
    wait_until(page, f"{figure('answer_captions')}.dataset.draws > {before}")
    expect(answer(page, "captions")).to_contain_text(re.compile(r"It writes: one"))
    assert_open_to_all_and_fits(page)


def test_sentiment_learns_its_grammar_and_judges_what_is_typed(server: str, page: Page) -> None:
    open_job(page, server, "sentiment")
    with nothing_moves(page):
        train(page)
        wait_until(page, f"{score(page)} >= 99", seconds=TRAINING_SECONDS)
    pause(page)
    type_in(page, "Your sentence", "it is not bad")
    expect(answer(page, "sentiment")).to_contain_text("Verdict: positive")
    type_in(page, "Your sentence", "it is not <i>good</i>")
    expect(answer(page, "sentiment")).to_contain_text("Verdict: negative")
    expect(page.locator(".unknown")).to_contain_text("skipped: “i”")
    ticks = page.evaluate(f"{figure('answer_sentiment')}._fullLayout.xaxis.ticktext.join(' ')")
    assert re.sub("<.*?>", "", ticks) == "it is not good"
    page.get_by_text("The 44 words that it knows").click()
    for word in ("but", "dull"):
        page.get_by_role("radio", name=word, exact=True).click()
        wait_until(
            page, f"document.querySelector('input[aria-label=\"Your sentence\"]')?.value.endsWith('{word}')"
        )
        wait_until(page, SETTLED)
        expect(page.get_by_label("Your sentence")).to_have_value(re.compile(f"{word}$"))
    type_in(page, "Your sentence", "it is not bad")
    expect(answer(page, "sentiment")).to_contain_text("Verdict: positive")
    wait_until(page, SETTLED)
    page.get_by_role("radio", name="but", exact=True).click()
    wait_until(
        page, "document.querySelector('input[aria-label=\"Your sentence\"]')?.value === 'it is not bad but'"
    )
    assert_open_to_all_and_fits(page)


def test_reports_have_sentences_and_words_of_their_own(server: str, page: Page) -> None:
    open_job(page, server, "sentiment-reports")
    expect(page.locator(".rival")).to_contain_text("No verdict yet")
    expect(page.get_by_label("Your sentence")).to_have_value(re.compile("^nobody who saw"))
    train(page)
    expect(answer(page, "sentiment")).to_contain_text(
        re.compile(r"after \d"), timeout=1000 * TRAINING_SECONDS
    )
    type_in(page, "Your sentence", "everyone found that it was good")
    expect(answer(page, "sentiment")).to_contain_text("Verdict")
    wait_until(page, f"{figure('answer_sentiment')}._fullLayout.xaxis.tickvals.length === 6")
    pause(page)


def test_translation_learns_german_and_translates_what_is_typed(server: str, page: Page) -> None:
    open_job(page, server, "translation")
    page.get_by_role("radio", name="German", exact=True).click()
    train(page)
    wait_until(page, f"{score(page)} >= 80", seconds=TRAINING_SECONDS)
    for typed, wanted in (("Eighty", "achtzig"), ("forty two", "zwei · und · vierzig")):  # while it learns
        type_in(page, "An English number word, zero to ninety-nine", typed)
        expect(answer(page, "translation")).to_contain_text(wanted, timeout=1000 * TRAINING_SECONDS)
    pause(page)
    expect(answer(page, "translation")).to_contain_text("In German (part by part): zwei · und · vierzig")
    page.get_by_role("radio", name="French", exact=True).click()
    expect(answer(page, "translation")).to_contain_text("untrained")
    page.get_by_role("radio", name="German", exact=True).click()
    expect(answer(page, "translation")).to_contain_text("zwei · und · vierzig")
    assert_open_to_all_and_fits(page)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A series of one's own, and a file that is none."""
    good, broken = tmp_path / "spots.csv", tmp_path / "broken.csv"
    rows = [f"{year},{value}" for year, value in sunspots().items()]
    good.write_text("\n".join(["year,spots", *rows[60:]]))
    broken.write_text("year,spots\n" + "\n".join(f"{year},none" for year in range(1900, 1960)))
    return good, broken


def test_forecasts_beat_the_last_value_also_on_a_series_of_ones_own(
    server: str, page: Page, files: tuple[Path, Path]
) -> None:
    naive = "parseFloat(document.querySelectorAll('.scores tbody td')[1]?.textContent)"
    open_job(page, server, "forecasts")
    train(page)
    wait_until(page, f"{score(page)} < 0.7 * {naive}", seconds=TRAINING_SECONDS)
    pause(page)
    expect(page.locator(".rival")).to_contain_text("the best baseline: AR(9) on square roots, 12.8.")
    page.get_by_text("Your own series", exact=True).click()
    upload = page.locator(".stMain input[type=file]")
    upload.set_input_files(files[0])
    expect(page.get_by_role("radio", name="Your series")).to_be_checked()
    expect(page.locator(".ask").first).to_contain_text("249 values:")
    expect(answer(page, "forecasts")).to_contain_text("untrained")
    train(page)
    wait_until(page, f"{score(page)} < 0.95 * {naive}", seconds=TRAINING_SECONDS)
    pause(page)
    page.wait_for_timeout(1000)  # a busy browser still draws what it was sent
    told = answer(page, "forecasts").inner_text()
    upload.set_input_files(files[1])
    expect(page.locator(".refusal")).to_contain_text("broken.csv was rejected. A series must have no gaps")
    expect(page.get_by_role("radio", name="Your series")).to_be_checked()
    expect(answer(page, "forecasts")).to_have_text(re.compile(r"\s*".join(map(re.escape, told.split()))))
    assert_open_to_all_and_fits(page)


def test_text_knows_more_than_pairs_of_letters_and_writes_on(server: str, page: Page) -> None:
    open_job(page, server, "text")
    scores = page.locator(".scores").inner_text()
    pairs = 2.56  # counts of letter pairs
    assert float(re.findall(r"Witten-Bell\): ([0-9.]+) bits", scores)[0]) < pairs, "a better baseline"
    assert page.evaluate(score(page)) > pairs
    with nothing_moves(page):
        train(page)
        wait_until(page, f"{score(page)} < {pairs - 0.3}", seconds=TRAINING_SECONDS)
    pause(page)
    expect(page.locator(".written")).to_contain_text("A sample: ")
    page.get_by_role("button", name="Next letter").click()
    wait_until(page, "document.querySelector('.written b')?.textContent.length === 1")
    first = page.locator(".written b").inner_text()
    page.get_by_role("button", name="Keep writing").click()
    wait_until(page, f"document.querySelector('.written b')?.textContent.length >= {1 + PIECE}")
    assert page.locator(".written b").inner_text().startswith(first)
    assert_open_to_all_and_fits(page)


# By keyboard, by screen reader, on small screens


def focused(page: Page, most: int = 40) -> Iterator[str]:
    """Press Tab again and again; yield the key of the part of the page that has the focus."""
    where = "document.activeElement.closest('[class*=st-key-]')?.className.match(/st-key-(\\w+)/)?.[1]"
    for _ in range(most):
        page.keyboard.press("Tab")
        yield str(page.evaluate(where))


def test_without_a_mouse_one_draws_and_trains(server: str, page: Page) -> None:
    open_job(page, server, "captions")
    assert any(key == "captions_pad" for key in focused(page)), "Tab leads to the pad"
    before = draws(page, "answer_captions")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator(".ask").first).to_contain_text("As you drew it.")
    wait_until(page, f"{figure('answer_captions')}.dataset.draws > {before}")
    press_key(page, "p")
    expect(page.locator(".st-key-job_play button")).to_contain_text("Pause")
    expect(answer(page, "captions")).to_contain_text(re.compile(r"after \d"), timeout=1000 * TRAINING_SECONDS)
    press_key(page, "p")
    expect(page.locator(".st-key-job_play button")).to_contain_text("Train")


def test_ones_own_network_has_no_serious_barrier_and_nothing_sticks_out(server: str, page: Page) -> None:
    open_job(page, server, OWN_NETWORK)
    assert_open_to_all_and_fits(page)


def test_the_chosen_job_is_in_the_address_and_the_way_back(server: str, page: Page) -> None:
    open_job(page, server, "sentiment")
    page.get_by_role("radio", name="Translation", exact=True).click()
    wait_until(page, "new URL(location).searchParams.get('job') === 'translation'")
    expect(answer(page, "translation")).to_contain_text("In German")
    page.wait_for_timeout(1000)  # nobody turns back faster
    page.go_back()
    wait_until(page, "new URL(location).searchParams.get('job') === 'sentiment'")
    expect(answer(page, "sentiment")).to_contain_text("Verdict")
