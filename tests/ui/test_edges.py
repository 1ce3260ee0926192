"""Every page opens at every address, and no control changes what it did not choose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings

from rnnviz.experiment.links import from_params
from rnnviz.ui.catalogue import ENTRIES
from rnnviz.ui.laboratory import DRAWN
from rnnviz.ui.views import INSTRUMENTS
from tests.addresses import AT_THE_EDGE
from tests.visitor import Tab, train_here

QUICK = ("compare", "causes", "contributions", "spectrum", "directions", "lyapunov", "training")
"""Instruments that answer at once; the others only begin their work when asked to."""


@pytest.mark.parametrize("page", ENTRIES)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(address=AT_THE_EDGE)
@example(address={"noise": "-0"})
def test_every_page_opens_at_an_address_with_numbers_at_their_bounds(
    page: str, address: dict[str, str]
) -> None:
    tab = Tab(page, **address)
    assert tab.session.experiment == from_params(address).experiment
    if page in ("playground", "laboratory"):  # they show the run
        train_here(tab.run, 2)
        tab.look()
    if page == "laboratory":
        for instrument in QUICK:
            tab.widget("button_group", "instrument").set_value(instrument)
            tab.look()


def test_every_instrument_has_a_button_and_an_address() -> None:
    assert list(DRAWN) == list(INSTRUMENTS)
    assert set(QUICK) < set(INSTRUMENTS)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(address=AT_THE_EDGE)
@example(address={"lr": "0.09999999999999999"})
@example(address={"clip": "0.9999999999999999"})
def test_a_control_changes_nothing_but_its_own_choice(address: dict[str, str]) -> None:
    tab = Tab("playground", **address)
    before = tab.session.experiment
    tab.tab.number_input(key="choose_seed").set_value(17)
    tab.look()
    assert tab.session.experiment == replace(before, seed=17)
