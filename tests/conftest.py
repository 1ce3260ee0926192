"""Which tests run side by side: one process begins with those that need a browser, one with all others.

Together they are done sooner than one after the other, as either waits while the other computes. The process
that is done with its kind helps with the other; a second browser and server cost some seconds.
"""

from __future__ import annotations

import gc
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController


class FromBothEnds(LoadScopeScheduling):  # type: ignore[misc]
    """The first process takes from the front of the queue, all others from its back.

    They take whole files, but browser tests one by one: among these they meet, and end together.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "/browser/" in nodeid else nodeid.split("::")[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        if node is not self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FromBothEnds:
    return FromBothEnds(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests first."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Spare the garbage collector all that was imported: it stays to the end."""
    gc.freeze()
