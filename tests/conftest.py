"""Which tests run side by side: in one process those that need a browser, in the other all others.

Both spend half of their time waiting, so together they are done in little more than the longer of them takes.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class BrowserBesideOthers(LoadScopeScheduling):  # type: ignore[misc]
    """Keep the tests of a file together, and the files of the browser tests too: they share a server."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BrowserBesideOthers:
    return BrowserBesideOthers(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests first: they take longest."""
    items.sort(key=lambda item: "browser" not in item.path.parts)
