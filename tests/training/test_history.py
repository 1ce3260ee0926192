"""A run's history holds enough to draw and never too much to send."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.training.history import COLUMNS, MAX_CURVES, MAX_ROWS, History, Thinned
from tests.plain_rnn import Array

MEGABYTE = 2**20


def row(step: int) -> tuple[float, ...]:
    """Measurements that encode their step."""
    return (float(step), step + 0.1, step + 0.2, step + 0.3, step + 0.4)


def record(history: History, first: int, last: int) -> History:
    for step in range(first, last):
        curve = np.full(history.curves().shape[1], float(step)) if history.wants_curve(step) else None
        history.record(row(step), curve)
    return history


def recorded(steps: int, seq_len: int = 3) -> History:
    return record(History(seq_len), 0, steps)


def expected_stride(steps: int, capacity: int) -> int:
    """The smallest power of two at which the steps 0, s, 2s, ... fit."""
    stride = 1
    while -(-steps // stride) > capacity:
        stride *= 2
    return stride


@settings(max_examples=60, deadline=None, database=None)
@given(capacity=st.sampled_from([2, 4, 8, 64]), steps=st.integers(0, 700))
def test_thinned_keeps_every_s_th_step_and_as_many_as_fit(capacity: int, steps: int) -> None:
    thinned = Thinned(capacity, 1)
    for step in range(steps):
        thinned.append(step, (float(step),))
    stride = expected_stride(steps, capacity)
    assert thinned.stride == stride
    np.testing.assert_array_equal(thinned.rows[:, 0], np.arange(0, steps, stride))
    np.testing.assert_array_equal(thinned.steps, np.arange(0, steps, stride))


@settings(max_examples=30, deadline=None, database=None)
@given(cuts=st.lists(st.integers(0, 6000), max_size=5), by_pickle=st.booleans())
def test_what_is_kept_does_not_depend_on_chunks(cuts: list[int], by_pickle: bool) -> None:
    history, done = History(3), 0
    for cut in [*sorted(cuts), 6000]:
        history = record(history, done, cut)
        history = pickle.loads(pickle.dumps(history)) if by_pickle else history.copy()  # noqa: S301
        done = cut
    whole = WHOLE
    np.testing.assert_array_equal(history.frame(), whole.frame())
    np.testing.assert_array_equal(history.curves(), whole.curves())
    np.testing.assert_array_equal(history.curves().index, whole.curves().index)


WHOLE = recorded(6000)


def test_short_runs_are_kept_whole() -> None:
    history = recorded(200)
    frame, curves = history.frame(), history.curves()
    assert (
        list(frame.columns) == list(COLUMNS) == ["step", "loss", "metric", "grad_norm", "clipped_grad_norm"]
    )
    np.testing.assert_array_equal(frame.to_numpy(), [row(step) for step in range(200)])
    assert frame["step"].dtype == int
    np.testing.assert_array_equal(curves.to_numpy(), np.repeat(np.arange(200.0)[:, None], 3, axis=1))
    np.testing.assert_array_equal(curves.columns, [1, 2, 3])
    assert curves.index.name == "step"


def test_the_newest_measurement_is_always_there() -> None:
    for steps in (1, 4096, 4097, 4098, 9999):
        frame = recorded(steps).frame()
        assert frame["step"].iloc[-1] == steps - 1
        assert frame["loss"].iloc[-1] == steps - 1 + 0.1
        assert frame["step"].is_unique
        assert len(frame) <= MAX_ROWS + 1


def test_long_runs_stay_small_in_memory_and_on_the_wire() -> None:
    history = recorded(100_000, seq_len=200)
    assert history.nbytes < 8 * MEGABYTE
    assert len(pickle.dumps(history)) < 8 * MEGABYTE
    frame, curves = history.frame(), history.curves()
    assert MAX_ROWS // 2 < len(frame) <= MAX_ROWS + 1
    assert MAX_CURVES // 2 < len(curves) <= MAX_CURVES
    assert frame["step"].iloc[-1] == 99_999
    np.testing.assert_array_equal(frame["loss"], frame["step"] + 0.1)
    np.testing.assert_array_equal(curves[200], curves.index)


def test_an_empty_history_is_an_empty_table() -> None:
    history = History(7)
    assert history.frame().shape == (0, len(COLUMNS))
    assert history.curves().shape == (0, 7)
    assert history.latest is None


def test_a_copy_goes_its_own_way() -> None:
    history = recorded(10)
    before: Array = history.frame().to_numpy().copy()
    twin = record(history.copy(), 10, 5000)
    np.testing.assert_array_equal(history.frame(), before)
    np.testing.assert_array_equal(history.copy().frame(), before)
    np.testing.assert_array_equal(twin.frame(), recorded(5000).frame())


def test_tables_given_out_can_be_changed_without_harm() -> None:
    history = recorded(10)
    frame, curves = history.frame(), history.curves()
    frame["loss"] = -1.0
    curves[:] = -1.0
    np.testing.assert_array_equal(history.frame()["loss"], np.arange(10) + 0.1)
    np.testing.assert_array_equal(history.curves()[1], np.arange(10.0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_overflowed_measurements_are_kept_as_they_are(value: float) -> None:
    history = History(2)
    history.record((0.0, value, 0.5, value, value), np.array([value, 1.0]))
    assert not np.isfinite(history.frame()["loss"]).any()
    assert not np.isfinite(history.curves()[1]).any()
