"""What the browser tells of a slider that is dragged, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from rnnviz.ui import hand as hand_module
from rnnviz.ui.hand import Hand, among, between
from rnnviz.ui.widgets import Widgets


class Page:
    """The state of a page's widgets, and what its component was told."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state, self.move = state, lambda: None

    def component(self, key: str, data: object, height: int, on_moved_change: Any) -> None:
        self.move = on_moved_change

    def drag(self, **told: object) -> None:
        """The browser's message of a slider."""
        self.state["under_hand_page"] = {"moved": told}
        self.move()


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page({})
    with (
        patch.object(hand_module.st, "session_state", page.state),
        patch.object(hand_module, "_component", page.component),
    ):
        yield page


def plain(page: Page, hand: Hand, low: float = 0.0, high: float = 3.0) -> float:
    """Draw a page with a slider at 1 that nothing else changes; its value."""
    page.state.setdefault("gain", 1.0)
    with hand.follows("page"):
        hand.watch("gain", between(low, high), lambda _: None)
    return hand.value("gain", page.state["gain"])


def test_a_slider_has_the_value_under_the_hand_until_it_is_released(page: Page) -> None:
    hand = Hand()
    assert plain(page, hand) == 1.0
    for to in (1.5, 2.0):
        page.drag(**{"key": "gain", "from": 1.0, "to": to})
        assert plain(page, hand) == to
        assert (hand.holds("gain"), page.state["gain"]) == (True, 1.0), "the thumb is left alone"
    page.state["gain"] = 2.5  # Streamlit reports the release
    assert plain(page, hand) == 2.5
    assert hand.grip is None


def test_a_slider_that_comes_back_is_released_by_the_browser(page: Page) -> None:
    hand = Hand()
    plain(page, hand)
    page.drag(**{"key": "gain", "from": 1.0, "to": 2.0})
    page.drag(key="gain", end=True)
    assert (plain(page, hand), hand.grip) == (1.0, None)


def test_a_value_that_comes_after_the_release_is_not_taken(page: Page) -> None:
    hand = Hand()
    plain(page, hand)
    page.state["gain"] = 2.5
    page.drag(**{"key": "gain", "from": 1.0, "to": 2.0})
    assert (plain(page, hand), hand.grip) == (2.5, None)


def test_an_arrow_key_that_is_held_down_only_delays_the_address(page: Page) -> None:
    hand = Hand()
    plain(page, hand)
    page.drag(key="gain", repeats=True)
    page.state["gain"] = 1.05
    assert (plain(page, hand), hand.holds("gain")) == (1.05, True)
    page.drag(key="gain", end=True)
    assert hand.grip is None


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"key": "other", "from": 1.0, "to": 2.0},
        {"key": "gain", "from": 1.0, "to": float("nan")},
        {"key": "gain", "from": 1.0, "to": "2"},
        {"key": ["gain"], "from": 1.0, "to": 2.0},
        {"key": "gain", "end": 1},
    ],
)
def test_what_means_nothing_is_ignored(page: Page, told: dict[str, object]) -> None:
    hand = Hand()
    plain(page, hand)
    page.drag(**told)
    assert (plain(page, hand), hand.grip) == (1.0, None)


@pytest.mark.parametrize(("to", "taken"), [(1e308, 3.0), (-5.0, 0.0), (float("inf"), 1.0)])
def test_a_value_stays_within_the_slider(page: Page, to: float, taken: float) -> None:
    hand = Hand()
    plain(page, hand)
    page.drag(**{"key": "gain", "from": 1.0, "to": to})
    assert plain(page, hand) == taken


def test_scales_give_values_of_the_sliders_own_kind() -> None:
    T = between(1, 200)(7.0)
    assert (T, type(T)) == (7, int)
    assert [among(["a", "b"])(place) for place in (-1.0, 0.0, 1.0, 9.0)] == ["a", "a", "b", "b"]


def test_a_slider_of_the_experiment_chooses_each_value_and_keeps_its_key(page: Page) -> None:
    widgets, taken = Widgets(), []

    def draw(value: float) -> dict[str, Any]:
        with widgets.hand.follows("page"):
            return widgets.bound("gain", value, taken.append, between(0.0, 3.0))

    before = draw(1.0)
    page.drag(**{"key": "gain", "from": 1.0, "to": 1.5})
    during = draw(1.5)
    assert during["key"] == before["key"]
    assert (taken, page.state["gain"]) == ([1.5], 1.0), "chosen, and the thumb left alone"
    page.state["gain"] = 2.0
    during["on_change"]()
    assert draw(2.0)["key"] == before["key"]
    assert (taken, page.state["gain"], widgets.hand.grip) == ([1.5, 2.0], 2.0, None)


def test_a_report_of_the_value_that_is_shown_is_no_choice(page: Page) -> None:
    """Streamlit reports the app's own change if the script is interrupted just then."""
    widgets, taken = Widgets(), []
    bound = widgets.bound("task", "adding", taken.append)
    bound["on_change"]()
    assert taken == []
