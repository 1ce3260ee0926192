"""The order of the tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow ones, which need a browser, last."""
    items.sort(key=lambda item: "browser" in item.path.parts)
