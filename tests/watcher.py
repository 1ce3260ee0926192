"""Somebody who watches a run: without one it does not train."""

from __future__ import annotations

from rnnviz.ui.live_run import LiveRun


class Watcher:
    """Watches while ``open``, and counts the news."""

    def __init__(self) -> None:
        self.open, self.asking, self.woken = True, False, 0

    def wake(self) -> None:
        self.woken += 1


def watched(run: LiveRun) -> LiveRun:
    """A run that somebody watches, without any picture."""
    run.watch(Watcher(), {})
    return run
