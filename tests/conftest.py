"""Which tests run together."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that need a browser one after the other, and beside them the others, file by file.

    Both take turns at waiting, so together they are done in little more than the longer of them.
    """
    items.sort(key=lambda item: "browser" not in item.path.parts)
    for item in items:
        together = "browser" if "browser" in item.path.parts else str(item.path)
        item.add_marker(pytest.mark.xdist_group(together))
