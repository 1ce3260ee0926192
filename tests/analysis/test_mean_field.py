"""The theory line against published figures and exact cases."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import critical_gain, mean_field

# fixed points and critical gains computed independently for tanh (Poole et al. 2016; Chen et al. 2018)
FIXED_POINTS = [
    (0.0, 1.5, 0.793, 1.139),
    (0.0, 2.0, 2.122, 1.363),
    (0.0, 3.0, 6.305, 1.860),
    (1.0, 1.0, 1.464, 0.399),
    (1.0, 2.0, 3.448, 1.096),
    (1.0, 3.0, 7.509, 1.711),
]
CRITICAL = [(0.01, 1.042), (0.1, 1.193), (0.2, 1.304), (0.5, 1.550), (1.0, 1.856), (2.0, 2.325)]


@pytest.mark.parametrize(("input_std", "gain", "q", "chi"), FIXED_POINTS)
def test_fixed_points_of_tanh(input_std: float, gain: float, q: float, chi: float) -> None:
    assert mean_field(gain, input_std, "tanh") == pytest.approx((q, chi), abs=1.1e-3)


@pytest.mark.parametrize(("input_std", "gain"), CRITICAL)
def test_critical_gains_of_tanh(input_std: float, gain: float) -> None:
    assert critical_gain(input_std) == pytest.approx(gain, abs=6e-4)


@pytest.mark.parametrize("gain", [0.0, 0.3, 1.0, 1.7])
def test_relu_and_linear_are_exact(gain: float) -> None:
    assert mean_field(gain, 1.0, "relu").chi == gain**2 / 2
    assert mean_field(gain, 1.0, "linear").chi == gain**2


def test_a_wide_random_network_behaves_as_the_theory_says() -> None:
    rng, width, gain, input_std = np.random.default_rng(0), 2000, 1.8, 0.5
    a = rng.normal(0.0, 1.0, width)
    for _ in range(40):  # fresh weights at every step: the theory's own assumption
        a = np.tanh(a) @ rng.normal(0.0, gain / np.sqrt(width), (width, width)) + rng.normal(
            0, input_std, width
        )
    q, chi = mean_field(gain, input_std)
    assert a.var() == pytest.approx(q, rel=0.1)
    assert gain**2 * np.mean((1 - np.tanh(a) ** 2) ** 2) == pytest.approx(chi, rel=0.1)


def test_below_the_critical_gain_silence_is_the_fixed_point() -> None:
    q, chi = mean_field(0.7, 0.0)
    assert q == pytest.approx(0.0, abs=1e-12)
    assert chi == pytest.approx(0.49, abs=1e-6)


def test_depth_scale_is_the_e_fold_length_of_the_norm() -> None:
    field = mean_field(0.5, 0.0)
    assert field.factor**field.depth_scale == pytest.approx(np.exp(-1.0))
    assert mean_field(1.0, 1.0, "linear").depth_scale == np.inf
    assert mean_field(0.0, 1.0).depth_scale == 0.0


@pytest.mark.parametrize(("gain", "input_std"), [(-1.0, 0.0), (np.nan, 0.0), (1.0, -0.1), (1.0, np.inf)])
def test_what_is_no_gain_gets_a_sentence(gain: float, input_std: float) -> None:
    with pytest.raises(ValueError, match="must be a number from 0 up; got"):
        mean_field(gain, input_std)
    with pytest.raises(ValueError, match="activation must be one of tanh"):
        mean_field(1.0, 1.0, "softmax")
