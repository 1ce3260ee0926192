"""The slope of a gradient's curve, for comparison with published factors and with theory."""

import numpy as np

from rnnviz.model.arrays import Array

LAGS = (10, 90)
"""Steps back from the output: away from both ends of a sequence of 100."""


def factor_per_step(curve: Array, lags: tuple[int, int] = LAGS) -> float:
    """The factor by which a curve (T,) changes per step back, from its mean log-slope between two lags."""
    near, far = lags
    with np.errstate(divide="ignore"):
        return float(np.exp((np.log(curve[-1 - far]) - np.log(curve[-1 - near])) / (far - near)))
