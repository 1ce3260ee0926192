"""What a setting accepts: its kind, its bounds, and its name in a URL."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Choice:
    """What a setting accepts: its name in a URL and its kind and bounds.

    kind : "name" (one of ``names``), "integer", "number", "switch" or "text".
    optional : None is accepted as well (written "none" in a URL).
    """

    url: str
    title: str
    kind: str
    low: float = -math.inf
    high: float = math.inf
    names: Collection[str] = ()
    optional: bool = False

    @property
    def expected(self) -> str:
        """The accepted values in words."""
        if self.kind == "name":
            return "one of " + ", ".join(self.names)
        if self.kind == "switch":
            return "true or false"
        if self.kind == "text":
            return "text"
        article = "a whole number" if self.kind == "integer" else "a number"
        return f"{article} between {self.low:g} and {self.high:g}" + (" or none" if self.optional else "")

    def check(self, name: str, value: Any) -> Any:
        """Return ``value`` as a plain Python value of this kind.

        Raises
        ------
        ValueError
            If the value has another type or lies outside the bounds.
        """
        if value is None and self.optional:
            return None
        clean = self._plain(value)
        if clean is None or (self.kind in ("integer", "number") and not self.low <= clean <= self.high):
            raise ValueError(f"{name} must be {self.expected}; got {shorten(value)}.")
        return clean

    def _plain(self, value: Any) -> Any:
        """Return the value as a plain Python type, or None if it is of the wrong kind."""
        switch = isinstance(value, (bool, np.bool_))
        if self.kind == "switch":
            return bool(value) if switch else None
        if self.kind in ("name", "text"):
            known = isinstance(value, str) and (self.kind == "text" or value in self.names)
            return str(value) if known else None
        # numpy registers timedelta64 as an integer type
        if switch or isinstance(value, np.timedelta64) or not isinstance(value, Real):
            return None
        if self.kind == "integer":
            return int(value) if isinstance(value, Integral) else None
        try:
            return float(value) + 0.0  # -0.0 passes a lower bound of 0; it becomes 0.0
        except OverflowError:  # out of every bound
            return None


def shorten(value: Any, length: int = 40) -> str:
    """Return the repr of a value, cut to ``length`` characters."""
    try:
        text = repr(value[: length + 1] if isinstance(value, str) else value)
    except ValueError:  # Python converts no integer of more than 4300 digits to text
        text = f"a number of more than {length} digits"
    return text if len(text) <= length else text[: length - 1] + "…"
