"""Everything can be computed for every experiment that a URL can hold."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from rnnviz import (
    CELLS,
    Experiment,
    decay_factors,
    figures,
    gradient_contributions,
    gradient_flow,
    lyapunov_exponents,
    mean_field,
    start,
    state_jacobians,
    take_snapshot,
)
from rnnviz.analysis.theory import applies, drive, trust
from rnnviz.experiment import choices
from rnnviz.experiment.links import from_params, to_params
from rnnviz.training.loop import advance
from tests.addresses import AT_THE_EDGE

FROM_ZERO = [name for name, c in choices().items() if c.kind == "number" and c.low == 0.0]


@pytest.mark.parametrize("name", FROM_ZERO)
@pytest.mark.parametrize("text", ["-0", "-0.0", "-0e9"])
def test_minus_zero_in_an_address_is_zero(name: str, text: str) -> None:
    opened = from_params({choices()[name].url: text})
    assert opened.ignored == []
    assert math.copysign(1.0, getattr(opened.experiment, name)) == 1.0
    assert math.copysign(1.0, getattr(Experiment(**{name: np.float64(-0.0)}), name)) == 1.0  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(address=AT_THE_EDGE)
@example(address={"noise": "-0"})
@example(address={"init": "scaled-gaussian", "gain": "-0"})
@example(
    address={"task": "recall", "topology": "many-to-one", "T": "199", "H": "4", "batch": "2", "layers": "1"}
    | {"activation": "linear", "symbols": "-0", "seed": "-0", "noise": "0", "lr": "9.999999999999998"}
)
def test_whatever_an_address_opens_can_be_measured_drawn_and_trained(address: dict[str, str]) -> None:
    opened = from_params(address)
    e = opened.experiment
    assert from_params(to_params(e)).adjusted == []
    state = start(e)
    for _ in range(2):
        snapshot = take_snapshot(e, state.params, state.step)
        figures.timeline(figures.Timeline.of(e, snapshot))
        gradient_flow(e, state.params)
        if applies(e):
            decay_factors(e, state.params)
        if CELLS[e.cell].matrices or not CELLS[e.cell].recurrent:
            gradient_contributions(e, state.params)
        with suppress(ValueError):  # the states overflowed
            assert not np.isnan(state_jacobians(e, state.params, most=8).powers).any()
            rates = lyapunov_exponents(e, state.params, steps=20, transient=5, count=8)
            assert not np.isnan(rates.exponents).any()
        gain, input_std = drive(e, state.params) if applies(e) else (np.nan, np.nan)
        if np.isfinite([gain, input_std]).all():
            mean_field(gain, input_std, e.activation)
            trust(e, gain, input_std, state.step > 0)
        state = advance(e, state, steps=2)
