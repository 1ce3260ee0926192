"""Numbers as the app writes them everywhere, as text and as TeX."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.model.arrays import Array

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


SMALL = 1e-290
"""Below this, powers of ten of opposite sign overflow."""


def plain(value: float, digits: int = 3) -> str:
    """Return a number as text with a given number of significant digits: "0.059", "39", "3·10⁻⁶", "∞"."""
    mantissa, power = _parts(value, digits)
    tens = f"10{str(power).translate(SUPERSCRIPTS)}"
    shown = mantissa if power is None else f"{mantissa}·{tens}".removeprefix("1·").replace("-1·", "-")
    return shown.replace("-", "−")


def plain_all(values: Array, digits: int = 3) -> np.ndarray[Any, Any]:
    """Return numbers as text, each as ``plain`` writes it; any shape."""
    sizes = np.abs(np.asarray(values, dtype=float))
    there = np.isfinite(sizes) & (sizes > SMALL)
    powers = np.floor(np.log10(sizes, where=there, out=np.zeros(sizes.shape)))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        leading = np.rint(sizes * 10.0 ** (digits + 2 - powers))  # finer than is written
    alike = np.where(there, np.sign(values) * (leading + 10.0 ** (digits + 4) * (powers + 400.0)), values)
    _, first, which = np.unique(alike, return_index=True, return_inverse=True)
    texts = np.array([plain(float(value), digits) for value in np.ravel(values)[first]], dtype=object)
    return texts[which].reshape(sizes.shape)


def number(value: float, digits: int = 3) -> str:
    """Return a number as TeX, see ``plain``."""
    mantissa, power = _parts(value, digits)
    shown = mantissa if power is None else rf"{mantissa}\cdot 10^{{{power}}}".removeprefix(r"1\cdot ")
    return f"{{{shown}}}".replace("∞", r"\infty")


def percent(share: float) -> str:
    """Return a share as whole percent; zero has no sign."""
    return f"{round(100 * share):d}%".replace("-", "−")


def _parts(value: float, digits: int) -> tuple[str, int | None]:
    """Return a number's digits and its power of ten, None for a number written without one."""
    if value == 0.0 or not np.isfinite(value):
        return {"inf": "∞", "-inf": "-∞", "nan": "?"}.get(f"{value:g}", "0"), None
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -3 <= power < 4:
        return f"{float(f'{mantissa}e{power}'):.{max(0, digits - 1 - power)}f}", None
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa), power
