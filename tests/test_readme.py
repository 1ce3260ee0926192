"""The README's examples run, and print what stands beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")


def numbers(text: str) -> list[float]:
    return [float(n.replace(",", "")) for n in NUMBER.findall(text)]


def test_the_examples_print_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go.Figure, "show", lambda self: None)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 2
    printed: list[str] = []
    names: dict[str, Any] = {"print": lambda *values: printed.append(" ".join(map(str, values)))}
    promised = []
    for block in blocks:
        promised += re.findall(r"^print\(.*?\)  # (.*?)(?::.*)?$", block, re.MULTILINE)
        exec(block, names)  # noqa: S102
    assert len(printed) == len(promised)
    for shown, wanted in zip(printed, promised, strict=True):
        expected = pytest.approx(numbers(wanted), rel=0.06, abs=0)
        assert numbers(shown)[: len(numbers(wanted))] == expected, shown
        for word in ("vanishing", "True"):
            assert (word in shown) == (word in wanted), shown
