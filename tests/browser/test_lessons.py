"""A lesson as a person meets it: it asks, it waits, it runs, it explains, on one screen, by keys alone."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz import Experiment
from rnnviz.teaching.lessons import LESSONS, Lesson, Step
from tests.browser.conftest import PLACED, expect_no_scroll_bar, press_key, wait_until

DRAWN = "document.querySelectorAll('.live-figure[data-draws]').length"
STEP = "Number(document.querySelector('.numbers b')?.textContent.replace(',', ''))"
EXPLOSION = LESSONS["explosion"]


def open_lesson(page: Page, server: str, lesson: Lesson, number: int = 0, **extra: str) -> None:
    """Open a step of a lesson by its link."""
    link = {"lesson": lesson.name, "question": str(number + 1)}
    page.goto(f"{server}/lessons?{urlencode(link | extra)}")
    expect_question(page, lesson, number)


def expect_question(page: Page, lesson: Lesson, number: int) -> None:
    """The question is there, its answers are, and its pictures unless they are covered."""
    step = lesson.steps[number]
    expect(page.locator(".way")).to_contain_text(f"Question {number + 1} of {len(lesson.steps)}")
    expect(page.get_by_test_id("stRadioOption")).to_have_count(len(step.answers))
    expect(button(page, "commit")).to_be_disabled()
    wait_until(page, f"{DRAWN} === {0 if step.covered else 2}")
    expect(page.locator(".cover")).to_have_count(int(step.covered))
    expect(page.get_by_test_id("stException")).to_have_count(0)


def button(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} button")


def commit(page: Page, answer: int) -> None:
    page.get_by_test_id("stRadioOption").nth(answer).click()
    expect(button(page, "commit")).to_be_enabled()
    button(page, "commit").click()


def expect_why(page: Page, step: Step, verdict: str) -> None:
    """The run has come to its end, and not beyond; the answer is judged in words."""
    expect(page.locator(".why b").first).to_have_text(verdict, timeout=40_000)
    wait_until(page, f"{DRAWN} === 2")
    if not step.expect.get("diverges"):
        wait_until(page, f"{STEP} === {step.updates}")


def told_by_address(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def play(page: Page, step: Step, answer: int) -> None:
    """Answer, and let the network train to the step's end as fast as it can."""
    commit(page, answer)
    if step.speed and step.updates > 20 and not step.expect.get("diverges"):
        button(page, "to_the_end").click()
    expect_why(page, step, "✓ Right." if answer == step.right else "✗ Wrong.")


def length(step: Step) -> int:
    """How many letters a step says: beside them, all steps show the same pictures and buttons."""
    return len("".join([step.question, *step.answers, *step.why]))


STEPS = [(lesson, number) for lesson in LESSONS.values() for number in range(len(lesson.steps))]
LONGEST = sorted(STEPS, key=lambda at: length(at[0].steps[at[1]]))[-5:]


def test_a_lesson_from_its_card_to_its_tick(server: str, page: Page) -> None:
    lesson = max(LESSONS.values(), key=lambda lesson: len("".join(lesson.learned)))
    page.goto(f"{server}/lessons")
    card = page.locator(f".st-key-lesson_card_{lesson.name}")
    expect(card).to_contain_text(f"{len(lesson.steps)} questions")
    wait_until(page, PLACED)
    expect(card.get_by_role("button")).to_be_visible()  # it comes a moment after the text
    card.click(position={"x": 12, "y": 90})  # anywhere on the card
    expect(page.locator("h1")).to_have_text(lesson.title)
    for number, step in enumerate(lesson.steps):
        expect_question(page, lesson, number)
        if not step.covered:
            wait_until(page, f"{STEP} === 0")
        play(page, step, step.right if number != 1 else (step.right + 1) % len(step.answers))
        told = told_by_address(page)
        assert (told["lesson"], told["question"]) == (lesson.name, str(number + 1))
        assert told["T"] == str(Experiment().seq_len), "the playground's experiment is still there"
        expect_no_scroll_bar(page)
        button(page, "next").click()
    total = len(lesson.steps)
    expect(page.locator(".learned li")).to_have_count(len(lesson.learned))
    expect(page.locator(".score")).to_have_text(f"{total - 1} of {total} right")
    expect(page.locator(".answers li.wrong")).to_have_count(1)
    expect_no_scroll_bar(page)
    button(page, "all_lessons").click()
    expect(card).to_contain_text(f"Finished: {total - 1} of {total} right")


@pytest.mark.parametrize(
    ("lesson", "number"), LONGEST, ids=[f"{lesson.name}-{number + 1}" for lesson, number in LONGEST]
)
def test_the_longest_steps_fit_on_the_screen(server: str, page: Page, lesson: Lesson, number: int) -> None:
    open_lesson(page, server, lesson, number)
    expect_no_scroll_bar(page)
    play(page, lesson.steps[number], lesson.steps[number].right)
    expect_no_scroll_bar(page)


def test_a_step_by_keys_alone(server: str, page: Page) -> None:
    lesson = LESSONS["how-far-back"]
    open_lesson(page, server, lesson)
    reach(page, "stRadioOption")
    page.keyboard.press("Space")
    wait_until(page, "document.querySelector('.st-key-commit button:enabled') !== null")
    page.keyboard.press("ArrowDown")
    checked = "[...document.querySelectorAll('[data-testid=stRadioOption] input')].findIndex(i => i.checked)"
    wait_until(page, f"{checked} === 1")
    reach(page, "st-key-commit")
    page.keyboard.press("Enter")
    reach(page, "st-key-to_the_end")
    page.keyboard.press("Enter")
    expect_why(page, lesson.steps[0], "✓ Right.")
    reach(page, "st-key-next")
    page.keyboard.press("Enter")
    expect_question(page, lesson, 1)


def reach(page: Page, mark: str) -> None:
    """Press Tab until the focus is inside what has this class or test id."""
    inside = f"document.activeElement.closest('.{mark}, [data-testid={mark}]') !== null"
    for _ in range(40):
        if page.evaluate(inside):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {mark}")


def test_covered_pictures_come_with_the_answer(server: str, page: Page) -> None:
    lesson = LESSONS["above-one"]
    open_lesson(page, server, lesson)
    commit(page, 0)
    wait_until(page, f"{DRAWN} === 2")
    expect(page.locator(".cover")).to_have_count(0)


def test_back_returns_to_the_question_before_with_its_answer(server: str, page: Page) -> None:
    open_lesson(page, server, EXPLOSION)
    commit(page, 0)
    expect_why(page, EXPLOSION.steps[0], "✗ Wrong.")
    button(page, "next").click()
    expect_question(page, EXPLOSION, 1)
    wait_until(page, "location.search.includes('question=2')")
    page.go_back()
    expect(page.locator(".way")).to_contain_text("Question 1 of 3")
    expect(page.locator(".why b").first).to_have_text("✗ Wrong.")
    page.reload()
    expect_question(page, EXPLOSION, 0)


def test_the_playground_goes_on_with_the_very_same_run(server: str, page: Page) -> None:
    lesson = LESSONS["how-far-back"]
    step = lesson.steps[0]
    open_lesson(page, server, lesson)
    commit(page, step.right)
    button(page, "to_the_end").click()
    expect_why(page, step, "✓ Right.")
    page.get_by_role("link", name="Continue in the Playground").click()
    wait_until(page, f"{DRAWN} === 3 && {STEP} === {step.updates}")
    press_key(page, "p")
    wait_until(page, f"{STEP} > {step.updates}")
    press_key(page, "p")


@pytest.mark.parametrize("extra", [{}, {"projector": "true"}], ids=["as usual", "projector"])
def test_the_overview_fits_on_the_screen(server: str, page: Page, extra: dict[str, str]) -> None:
    page.goto(f"{server}/lessons?{urlencode(extra)}")
    expect(page.locator("[class*=st-key-lesson_card_]")).to_have_count(len(LESSONS))
    expect_no_scroll_bar(page)
    expect(page.locator(".st-key-way_on a")).to_be_in_viewport()


def test_a_long_step_fits_on_a_projector(server: str, page: Page) -> None:
    open_lesson(page, server, LESSONS["whole-loss"], projector="true")
    expect_no_scroll_bar(page)
    commit(page, 0)
    expect(page.locator(".why")).to_be_visible(timeout=40_000)
    for part in (".why", ".st-key-next", ".st-key-timeline .live-figure", ".st-key-progress .live-figure"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 720


def test_a_phone_shows_question_answers_and_picture_below_each_other(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_lesson(page, server, EXPLOSION)
    commit(page, 0)
    expect_why(page, EXPLOSION.steps[0], "✗ Wrong.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    words, picture = (page.locator(part).bounding_box() for part in (".why", ".st-key-lesson_picture"))
    assert words is not None
    assert picture is not None
    assert words["y"] + words["height"] <= picture["y"]
