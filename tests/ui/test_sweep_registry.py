"""The sweeps of a visitor: one at a time measures, while it is seen, and none of them leaves a queue."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from rnnviz.training.sweep import Sweep
from rnnviz.ui.screen import Screen
from rnnviz.ui.sweep_registry import SweepRegistry
from tests.visitor import Watching

PARTS = 400
"""More than any machine begins at once."""


class HandExecutor(Executor):
    """Keeps every part until the test finishes it."""

    def __init__(self) -> None:
        self.taken: list[Future[Any]] = []
        self.begun: list[str] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.begun += args
        self.taken.append(future)
        return future

    def finish(self) -> None:
        """Finish the parts that are under way."""
        taken, self.taken = self.taken, []
        for future in taken:
            future.set_result(0.0)


class Visitor:
    """A visitor whose pages show one sweep each."""

    def __init__(self, watches: bool = True) -> None:
        self.screen, self.executor = Screen(), HandExecutor()
        self.link = Watching(self.screen)
        self.sweeps = SweepRegistry(self.screen, self.executor, most=3)
        if watches:
            self.screen.take(self.link)

    def turn_to(self, key: str | None) -> Sweep | None:
        """Run the script of a page that shows the sweep at a key, or none."""
        self.screen.begin({})
        sweep = None
        if key is not None:
            sweep = self.sweeps.open(key, len, lambda: [key] * PARTS)
            self.screen.follow("it", sweep, sweep.version)
        self.screen.show()
        return sweep

    def begun(self) -> set[str]:
        """The sweeps of which parts began since the last call."""
        begun, self.executor.begun = set(self.executor.begun), []
        return begun


def test_nothing_is_measured_before_somebody_sees_it() -> None:
    visitor = Visitor(watches=False)
    visitor.turn_to("a")
    assert visitor.begun() == set()
    visitor.screen.take(visitor.link)
    visitor.screen.resume()
    assert visitor.begun() == {"a"}


def test_a_closed_tab_begins_no_further_part() -> None:
    visitor = Visitor()
    sweep = visitor.turn_to("a")
    assert visitor.begun() == {"a"}
    visitor.screen.drop(visitor.link)
    visitor.executor.finish()
    assert (visitor.begun(), visitor.executor.taken) == (set(), [])
    assert sweep is not None
    assert sweep.done > 0, "what was under way is kept"


def test_another_page_stops_it_and_coming_back_goes_on() -> None:
    visitor = Visitor()
    sweep = visitor.turn_to("a")
    visitor.begun()
    visitor.turn_to(None)
    visitor.executor.finish()
    assert visitor.begun() == set()
    assert sweep is not None
    done = sweep.done
    assert visitor.turn_to("a") is sweep
    visitor.executor.finish()
    assert sweep.done > done > 0


def test_a_slider_dragged_over_many_settings_leaves_no_queue() -> None:
    visitor = Visitor()
    for key in "abcdefgh":
        visitor.turn_to(key)
    assert visitor.begun() == {"a"}, "one at a time"
    visitor.executor.finish()
    assert visitor.begun() == {"h"}, "and then the one on the screen"


def test_a_cancelled_sweep_is_waited_for_and_measured_anew_when_it_is_shown_again() -> None:
    visitor = Visitor()
    sweep = visitor.turn_to("a")
    assert sweep is not None
    sweep.cancel()
    assert visitor.turn_to("a") is sweep, "the page says that it was cancelled"
    visitor.sweeps.forget("a")
    visitor.begun()
    again = visitor.turn_to("a")
    assert again is not sweep
    assert visitor.begun() == set(), "the parts of the cancelled one are still under way"
    visitor.executor.finish()
    assert visitor.begun() == {"a"}
    assert again is not None
    again.cancel()
    visitor.turn_to("b")
    assert visitor.turn_to("a") is not again


def test_only_the_newest_are_kept() -> None:
    visitor = Visitor()
    kept = {key: visitor.turn_to(key) for key in "abc"}
    visitor.turn_to("a")
    visitor.turn_to("d")
    assert visitor.sweeps.get("a") is kept["a"]
    assert visitor.sweeps.get("b") is None
