"""A lesson asks for the learner's own words first; they stand on a sheet that prints on one page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rnnviz.export.sheet_blocks import Sheet
from rnnviz.export.worksheet import LONGEST_REASON, Given, class_sheet, lesson_sheet, observe
from rnnviz.teaching.lessons import LESSONS
from rnnviz.teaching.presets import PRESETS
from tests.browser.conftest import both_themes, expect_no_scroll_bar, wait_until
from tests.browser.test_lessons import EXPLOSION, button, commit, expect_question, open_lesson, reach

LINK = "http://127.0.0.1:8501/playground?" + "&".join(f"setting{number}=some-value" for number in range(18))
WORDS = "It <b>grows</b> & grows."
REASON = "In your own words: why?"


@pytest.fixture
def offline(page: Page) -> Iterator[Page]:
    page.context.set_offline(True)
    yield page
    page.context.set_offline(False)


def printed(page: Page, sheet: Sheet, folder: Path) -> int:
    """Open a sheet from a file; return the number of its pages on paper."""
    file = folder / "sheet.html"
    file.write_text(sheet.html(), encoding="utf-8")
    page.goto(file.as_uri())
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))


@pytest.mark.parametrize("answers", [False, True], ids=["empty", "with answers"])
@pytest.mark.parametrize("name", ["vanishing", "exploding"])
def test_a_class_sheet_prints_on_one_page(offline: Page, tmp_path: Path, name: str, answers: bool) -> None:
    scenario = PRESETS[name]
    seen = observe(scenario.experiment, 50) if answers else None
    assert printed(offline, class_sheet(scenario.experiment, 50, LINK, seen), tmp_path) == 1


@pytest.mark.parametrize("name", LESSONS)
def test_every_lessons_sheet_prints_on_one_page(offline: Page, tmp_path: Path, name: str) -> None:
    lesson, reason = LESSONS[name], ("why it is so " * LONGEST_REASON)[:LONGEST_REASON]
    given = {n: Given(0, reason, observe(step.experiment, 10)) for n, step in enumerate(lesson.steps)}
    opens = f"https://rnnviz.a-long-name-of-a-school.example.org/physics/lessons?lesson={name}"
    assert printed(offline, lesson_sheet(lesson, given, opens), tmp_path) == 1
    assert offline.evaluate("document.documentElement.scrollWidth") <= 1280


@both_themes
def test_paper_is_white_in_every_theme(offline: Page, tmp_path: Path) -> None:
    printed(offline, class_sheet(PRESETS["vanishing"].experiment, 300, LINK), tmp_path)
    assert offline.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    offline.set_viewport_size({"width": 390, "height": 844})
    assert offline.evaluate("document.documentElement.scrollWidth") <= 390


def test_words_come_before_the_explanation_and_stand_on_the_sheet(
    server: str, page: Page, tmp_path: Path
) -> None:
    open_lesson(page, server, EXPLOSION)
    for number, step in enumerate(EXPLOSION.steps):
        commit(page, step.right)
        expect(button(page, "tell_why")).to_be_visible(timeout=40_000)
        expect(page.locator(".why")).to_have_text("✓ Right.")
        if number == 0:  # written
            page.get_by_label(REASON).fill(WORDS)
            button(page, "tell_why").click()
            expect(page.locator(".why .own")).to_have_text(f"You wrote: {WORDS}")
            expect(page.locator(".why p")).not_to_have_count(1)
            expect(button(page, "tell_why")).to_have_count(0)
            expect_no_scroll_bar(page)
        elif number == 1:  # skipped, for the rest of the lesson
            button(page, "stop_asking").click()
            expect(page.locator(".why p").first).to_be_visible()
            expect(page.locator(".why .own")).to_have_count(0)
            expect(page.get_by_label(REASON)).to_have_count(0)
            break
        button(page, "next").click()
        expect_question(page, EXPLOSION, number + 1)
    button(page, "next").click()
    expect_question(page, EXPLOSION, 2)
    commit(page, EXPLOSION.steps[2].right)
    expect(page.locator(".why p").first).to_be_visible(timeout=40_000)
    button(page, "next").click()
    assert "grows" not in page.url
    for kind, shown in (
        ("html", "It &lt;b&gt;grows&lt;/b&gt; &amp; grows."),
        ("md", r"It \<b\>grows\</b\> \& grows."),
    ):
        with page.expect_download() as download:
            button(page, f"worksheet_{kind}").click()
        assert download.value.suggested_filename == f"explosion-worksheet.{kind}"
        download.value.save_as(tmp_path / f"sheet.{kind}")
        assert shown in (tmp_path / f"sheet.{kind}").read_text(encoding="utf-8")
    button(page, "all_lessons").click()
    page.locator(".st-key-open_explosion button").click()
    expect(page.locator(".learned")).to_be_visible()  # finished: its end, with the sheet
    expect(button(page, "worksheet_html")).to_be_visible()


def test_words_are_written_and_left_by_keys_alone_and_gone_in_a_new_visit(server: str, page: Page) -> None:
    open_lesson(page, server, EXPLOSION)
    commit(page, 0)
    expect(page.get_by_label(REASON)).to_be_visible(timeout=40_000)
    reach(page, "stTextArea")
    page.keyboard.insert_text("x" * (LONGEST_REASON - 5))
    page.keyboard.type("x" * 10)
    reach(page, "st-key-next")
    page.keyboard.press("Enter")
    expect_question(page, EXPLOSION, 1)
    button(page, "previous").click()
    expect(page.get_by_label(REASON)).to_have_value("x" * LONGEST_REASON)
    wait_until(page, "!location.href.includes('xxx')")
    page.reload()
    expect_question(page, EXPLOSION, 0)
    commit(page, 0)
    expect(page.get_by_label(REASON)).to_have_value("", timeout=40_000)
