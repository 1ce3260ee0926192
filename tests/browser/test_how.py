"""How it works, as a person sees it: by mouse and keyboard, in both themes, from the back row, on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from rnnviz.teaching.walkthrough import STOPS, Entry, Sizes, T, Walk, original, written
from tests.browser.conftest import STYLED, choose, expect_no_scroll_bar, press_key, wait_until

LOOP, HAND = (f"document.querySelector('.st-key-{name} .live-figure')" for name in ("loop", "by_hand"))
LAST = len(STOPS) - 1


def open_page(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/how{query}")
    wait_until(page, f"{LOOP}?.dataset.draws > 0 && {STYLED}")


def open_by_hand(page: Page, server: str, query: str = "") -> None:
    open_page(page, server, query)
    page.get_by_role("radio", name="By hand", exact=True).click()
    wait_until(page, f"{HAND}?.dataset.draws > 0")


def texts(page: Page) -> list[str]:
    """All numbers in the picture, as they stand there."""
    return list(page.evaluate(f"[...{HAND}.querySelectorAll('.bars text')].map(text => text.textContent)"))


def wait_for_label(page: Page, picture: str, part: str) -> None:
    wait_until(page, f"{picture}.getAttribute('aria-label').includes({part!r})")


def wait_for_texts(page: Page, wanted: set[str]) -> None:
    """The picture's name changes a moment before plotly.js has drawn its texts."""
    found = f"[...{HAND}.querySelectorAll('.bars text')].map(text => text.textContent)"
    wait_until(
        page, f"wanted => (found => wanted.every(text => found.includes(text)))({found})", sorted(wanted)
    )


def numbers(values: object, digits: int) -> set[str]:
    return {written(float(value), digits) for value in values}  # type: ignore[attr-defined]


def all_numbers(walk: Walk) -> set[str]:
    """What the picture shows of a pass that is computed to its end."""
    found = {written(float(walk.L[0]))}
    for t in range(1, T + 1):
        found |= numbers(walk.h[t], 2) | numbers(walk.delta[t - 1], 3)
    return found


# The loop


def test_the_loop_unfolds_by_mouse_and_keyboard(server: str, page: Page) -> None:
    open_page(page, server)
    nodes = f"{LOOP}._fullData.find(trace => trace.name === 'h')?.x.length ?? 0"
    assert page.evaluate(nodes) == 0
    page.get_by_role("button", name="Next Shortcut K").click()
    wait_until(page, f"{nodes} === 1")
    for steps in (2, 3):
        press_key(page, "k")
        wait_until(page, f"({nodes}) === {steps}")
    press_key(page, "j")
    wait_until(page, f"({nodes}) === 2")
    page.get_by_role("slider", name="Steps unfolded").press("End")
    wait_until(page, f"({nodes}) === 8")


def test_parameter_counts_follow_the_switches(server: str, page: Page) -> None:
    open_page(page, server)
    page.get_by_role("slider", name="Steps unfolded").press("End")
    counts = page.locator(".counts strong")
    expect(counts).to_have_text([f"{Sizes(4, 8, 2).shared}", f"{Sizes(4, 8, 2).separate(8):,}"])
    page.get_by_role("slider", name="Hidden units H").press("ArrowRight")
    expect(counts).to_have_text([f"{Sizes(4, 9, 2).shared}", f"{Sizes(4, 9, 2).separate(8):,}"])
    page.get_by_text("Feed the output back").click()
    fed = Sizes(4, 9, 2, feedback=True)
    expect(counts).to_have_text([f"{fed.shared}", f"{fed.separate(8):,}"])
    wait_until(page, f"{LOOP}._fullData.some(trace => trace.name === 'feedback')")
    page.get_by_text("Separate weights for each step").click()
    wait_until(page, f"{LOOP}.textContent.includes('layer 8')")
    letters = page.evaluate(f"{LOOP}._fullData.find(trace => trace.name === 'letter B').text")
    assert letters == [f"<b>B<sub>{t}</sub></b>" for t in range(1, 9)]


# By hand


def test_stepping_forward_shows_the_librarys_numbers(server: str, page: Page) -> None:
    open_by_hand(page, server)
    walk = Walk.of(original())
    wait_for_texts(page, numbers(walk.h[1], 2))
    assert not numbers(walk.h[2], 2) <= set(texts(page)), "not computed yet"
    press_key(page, "k")
    wait_for_texts(page, numbers(walk.h[2], 2))
    page.get_by_role("slider", name="What is computed").press("End")
    wait_for_label(page, HAND, "∂L/∂A")
    wait_for_texts(page, all_numbers(walk))
    tex = page.locator(".st-key-hand_equation annotation").text_content() or ""
    result = [float(number) for number in re.findall(r"-?\d+\.\d+", tex[tex.rindex("boxed") :])]
    assert result == pytest.approx(walk.dA.ravel(), abs=0.00051)
    page.get_by_role("button", name="Back Shortcut J").click()
    wait_for_label(page, HAND, "∂L/∂B")
    press_key(page, "j")
    wait_for_label(page, HAND, "∂L/∂C")


def test_going_back_over_the_turn_takes_the_gradient_off_the_picture(server: str, page: Page) -> None:
    open_by_hand(page, server)
    page.get_by_role("slider", name="What is computed").press("End")
    wait_for_label(page, HAND, "∂L/∂A")
    page.get_by_role("slider", name="What is computed").press("Home")
    wait_for_label(page, HAND, "h₁")
    wait_until(page, f"!{HAND}._fullData.some(trace => trace.name.startsWith('gradient'))")
    walk = Walk.of(original())
    wait_until(
        page, f"![...{HAND}.querySelectorAll('.bars text')].some(t => t.textContent === '{walk.L[0]:.3f}')"
    )


def test_a_changed_weight_changes_all_that_follows_at_once(server: str, page: Page) -> None:
    open_by_hand(page, server)
    page.get_by_role("slider", name="What is computed").press("End")
    wait_for_label(page, HAND, "∂L/∂A")
    page.evaluate(f"window.node = {HAND}")
    slider = page.locator(".st-key-hand_B00").get_by_role("slider")
    for _ in range(3):
        slider.press("ArrowRight")
    walk = Walk.of(original().changed(Entry("B", 0, 0), 0.9))
    expect(page.locator(".loss-now")).to_contain_text(f"L = {walk.L[0]:.3f}, was 0.968")
    wait_for_texts(page, all_numbers(walk))
    assert page.evaluate(f"window.node === {HAND}"), "the picture's node is never replaced"
    assert "underline" in (page.locator(".st-key-hand_equation annotation").text_content() or "")
    page.get_by_role("button", name="Back to the original").click()
    expect(page.locator(".loss-now")).to_contain_text("L = 0.968, the original value")


def test_an_input_can_be_changed_too(server: str, page: Page) -> None:
    open_by_hand(page, server)
    box = page.get_by_role("combobox", name="Change one weight or one input by hand")
    box.click()
    option = page.get_by_role("option", name="x₁: number 2")
    for _ in range(60):  # options far down are made when they come into view
        if option.count():
            break
        page.keyboard.press("ArrowDown")
    choose(box, option)
    page.locator(".st-key-hand_x01").get_by_role("slider").press("Home")
    walk = Walk.of(original().changed(Entry("x", 0, 1), -2.0))
    expect(page.locator(".loss-now")).to_contain_text(f"L = {walk.L[0]:.3f}")


@pytest.mark.parametrize("query", ["", "?projector=true"], ids=["usual", "projector"])
def test_both_views_fit_on_a_screen(server: str, page: Page, query: str) -> None:
    open_page(page, server, query)
    page.get_by_role("slider", name="Steps unfolded").press("End")
    wait_for_label(page, LOOP, "8 unfolded steps")
    wait_until(page, "document.querySelector('.counts')?.getBoundingClientRect().bottom <= 720")
    expect_no_scroll_bar(page)
    expect(page.locator(".st-key-way_on a")).to_be_in_viewport()
    page.get_by_role("radio", name="By hand", exact=True).click()
    wait_until(page, f"{HAND}?.dataset.draws > 0")
    page.get_by_role("slider", name="What is computed").press("End")
    wait_for_label(page, HAND, "∂L/∂A")
    for part in (".st-key-by_hand .live-figure", ".st-key-hand_equation .katex"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720


def test_a_phone_shows_a_picture_large_enough_to_read_and_scrolls_to_its_end(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_by_hand(page, server)
    frame = page.locator(".st-key-by_hand .live-figure-window")
    box = frame.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    number = page.locator(".st-key-by_hand .bars text").first.bounding_box()
    assert number is not None
    assert number["height"] >= 9, "the numbers are too small to read"
    sideways = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert sideways <= 390, "the page itself scrolls sideways"
    frame.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    end = "(w => w.scrollLeft + w.clientWidth >= w.scrollWidth - 1 && w.scrollLeft > 0)"
    wait_until(page, f"{end}(document.querySelector('.st-key-by_hand .live-figure-window'))")
    expect(page.get_by_role("button", name="Next Shortcut K")).to_be_visible()


def swipe(page: Page, start: tuple[float, float], by: tuple[float, float]) -> None:
    """Move a finger over the screen; by tells how far right and down, in pixels."""
    device = page.context.new_cdp_session(page)
    device.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for step in range(11):
        finger = {"x": start[0] + by[0] * step / 10, "y": start[1] + by[1] * step / 10}
        kind = "touchMove" if step else "touchStart"
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [finger]})
    device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_scrolls_a_picture_sideways_and_the_page_past_it(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_by_hand(page, server)
    box = page.locator(".st-key-by_hand .live-figure-window").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    swipe(page, middle, (-120, 0))
    wait_until(page, "document.querySelector('.st-key-by_hand .live-figure-window').scrollLeft > 60")
    swipe(page, middle, (0, -120))
    wait_until(page, "document.querySelector('[data-testid=stMain]').scrollTop > 60")
