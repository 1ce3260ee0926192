"""Figures as bytes: arrays travel packed, and mean the same to plotly.js as plotly.py's own packing."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from _plotly_utils.utils import to_typed_array_spec

from rnnviz.figures.message import Place

ARRAYS = {
    "float64": np.array([1e-300, -0.5, np.nan, np.inf]),
    "float32": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
    "not contiguous": np.arange(12.0).reshape(3, 4).T,
    "every second": np.arange(9.0)[::2],
    "steps": np.arange(1, 300),
    "huge": np.array([2**40, -(2**40)]),
    "unsigned": np.array([0, 2**33], dtype=np.uint64),
    "small": np.array([-3, 7], dtype=np.int16),
    "yes or no": np.array([True, False]),
    "text": np.array(["a", "b"], dtype=object),
    "nothing": np.array([]),
}


def unpacked(value: Any) -> list[Any]:
    """What plotly.js reads: a typed array, or a list."""
    if not isinstance(value, dict):
        return list(value)
    values = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
    shape = [int(size) for size in str(value.get("shape", values.size)).split(",")]
    return list(values.reshape(shape).tolist())


@pytest.mark.parametrize("values", ARRAYS.values(), ids=ARRAYS)
def test_an_array_travels_as_plotly_would_send_it(values: Any) -> None:
    sent = json.loads(Place("somewhere", 200).message({"data": [{"x": [0], "y": values}], "layout": {}}, ""))
    expected = to_typed_array_spec(values)
    np.testing.assert_array_equal(unpacked(sent["data"][0]["y"]), unpacked(expected))


def test_numbers_are_packed_and_not_written_out() -> None:
    sent = json.loads(Place("somewhere", 200).message({"data": [{"x": np.arange(99)}], "layout": {}}, ""))
    assert set(sent["data"][0]["x"]) == {"dtype", "bdata"}
