"""Looking back through a run with the slider under its timeline, by mouse and by keys."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz import PRESETS, Experiment, train
from rnnviz.experiment.links import to_params
from tests.browser.conftest import SETTLED, press_key, wait_until

E = Experiment(seq_len=10)
STEP = "Number(document.querySelector('.numbers b')?.textContent.replace(',', ''))"
TOLD = "document.querySelector('.look-back output').textContent"
FIGURES = "[...document.querySelectorAll('.live-figure[data-draws]')].map(f => Number(f.dataset.draws))"
LABEL = "document.querySelector('.st-key-progress .live-figure').getAttribute('aria-label')"


@pytest.fixture
def slider(server: str, page: Page) -> Locator:
    """The slider of a run that was paused after some hundred updates."""
    page.goto(f"{server}/playground?{urlencode(to_params(E))}")
    wait_until(page, f"{FIGURES}.length === 3 && {SETTLED}")
    slider = page.get_by_role("slider", name="Look back")
    expect(slider).to_have_count(0)  # nothing to look back at
    page.get_by_role("radio", name="max", exact=True).click()
    press_key(page, "p")
    wait_until(page, f"{STEP} > 200")
    expect(slider).to_have_count(0)  # it plays
    press_key(page, "p")
    expect(slider).to_be_visible()
    wait_until(page, SETTLED)
    return slider


def drag(page: Page, slider: Locator, share: float) -> None:
    """Take the slider's thumb at its end and move it, without releasing it."""
    box = slider.bounding_box()
    assert box is not None
    y, right = box["y"] + box["height"] / 2, box["x"] + box["width"]
    page.mouse.move(right - 7, y)
    page.mouse.down()
    for part in range(1, 11):
        page.mouse.move(right - 7 - part / 10 * (1 - share) * (box["width"] - 14), y)


def test_all_pictures_follow_the_thumb_and_show_the_step_that_is_named(page: Page, slider: Locator) -> None:
    end, before = int(page.evaluate(STEP)), page.evaluate(FIGURES)
    drag(page, slider, 0.3)
    wait_until(page, f"{STEP} < {end / 2} && {TOLD}.startsWith(`update ${{{STEP}}} of`)")
    step = int(page.evaluate(STEP))
    assert abs(step - 0.3 * end) < 0.05 * end
    assert all(now > then for now, then in zip(page.evaluate(FIGURES), before, strict=True))
    page.mouse.up()
    wait_until(page, f"{LABEL}.includes(' {step} updates')")
    wait_until(page, SETTLED)
    assert page.evaluate(STEP) == step
    metric = train(E, step).state.metric
    assert f"now {metric:.3g}" in page.evaluate(LABEL)
    data = "[...document.querySelector('.st-key-progress .live-figure')._fullData]"
    cursors = f"{data}.filter(trace => trace.name === 'shown').map(trace => [...trace.x].join())"
    wait_until(page, f"{cursors}.join(';') === '{step},{step};{step},{step}'")


def test_arrow_keys_go_back_and_forth_by_one_and_play_goes_on_from_there(page: Page, slider: Locator) -> None:
    end = int(page.evaluate(STEP))
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    wait_until(page, f"{STEP} === {end - 3}")
    page.keyboard.press("ArrowRight")
    wait_until(page, f"{STEP} === {end - 2}")
    page.keyboard.press("Home")
    wait_until(page, f"{STEP} === 0 && {SETTLED}")
    expect(slider).to_be_focused()
    press_key(page, "s")
    wait_until(page, f"{STEP} === 1")
    expect(page.locator(".look-back output")).to_have_text(re.compile(rf"^update 1 of {end:,}$"))
    press_key(page, "p")
    wait_until(page, f"{STEP} > {end}")


def test_a_diverged_run_shows_what_came_before_and_the_explanation_again_at_its_end(
    server: str, page: Page
) -> None:
    page.goto(f"{server}/playground?{urlencode(to_params(PRESETS['exploding'].experiment))}")
    wait_until(page, f"{FIGURES}.length === 3 && {SETTLED}")
    press_key(page, "p")
    expect(page.locator(".lesson")).to_be_visible()
    slider = page.get_by_role("slider", name="Look back")
    slider.focus()
    page.keyboard.press("Home")
    wait_until(page, f"{STEP} === 0")
    expect(page.locator(".lesson")).to_have_count(0)
    page.keyboard.press("End")
    expect(page.locator(".lesson")).to_be_visible()
