"""Addresses whose numbers lie at the edge of what is accepted, and a little beyond."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from rnnviz import TASKS
from rnnviz.experiment import Choice, choices
from rnnviz.ui.controls import CLIPS, RATES, USUAL_GAINS

TINY = ("0", "-0", "-0.0", "-5e-324", "5e-324", "1e-310", "2.3e-308", "1e-160", "1e-20")
"""Zeros, subnormal numbers, and some whose squares underflow."""

OFFERED = {"lr": RATES, "clip": CLIPS, "gain": (1.0, USUAL_GAINS)}
"""Numbers that a control offers; one right beside them looks the same on screen."""


def edges(choice: Choice) -> list[str]:
    """Tiny numbers and both bounds as an address tells them, with the nearest numbers on both sides."""
    if choice.kind == "integer":
        return ["-0", *(str(int(bound) + step) for bound in (choice.low, choice.high) for step in (-1, 0, 1))]
    known = [choice.low, choice.high, *(number for number in OFFERED.get(choice.url, ()) if number)]
    beside = [math.nextafter(number, to) for number in known for to in (-math.inf, math.inf)]
    return [*TINY, *map(repr, known), *map(repr, beside)]


def _values(choice: Choice) -> st.SearchStrategy[str]:
    if choice.kind in ("integer", "number"):
        return st.sampled_from(edges(choice))
    return st.sampled_from(sorted(choice.names) or ["true", "false"])


SIZES = {"T": "3", "H": "4", "batch": "2", "layers": "1"}
"""Small ones, so that an address is computed in milliseconds; one of them at a time goes to its bounds."""


def _addresses(task_and_topology: tuple[str, str]) -> st.SearchStrategy[dict[str, str]]:
    task, topology = task_and_topology
    by_url = {c.url: c for c in choices().values()}
    size = st.sampled_from([{url: text} for url in SIZES for text in edges(by_url[url])])
    free = set(by_url) - {"task", "topology", "text", "data", *SIZES}
    rest = st.fixed_dictionaries({}, optional={url: _values(by_url[url]) for url in sorted(free)})
    return st.tuples(size, rest).map(lambda s: {"task": task, "topology": topology} | SIZES | s[0] | s[1])


FITTING = [(task.name, topology) for task in TASKS.values() for topology in task.fits]
AT_THE_EDGE = st.sampled_from(FITTING).flatmap(_addresses)
