"""Sweeps: the same numbers as one by one, in any executor, and they can be cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import PRESETS, TASKS, Experiment, gradient_flow, phase_diagram, seed_band, train
from rnnviz.analysis.bench import Bench, decades
from rnnviz.analysis.shares import Share
from rnnviz.analysis.sweeps import SeedBand, seed_run, training_shares
from rnnviz.figures import DARK, LIGHT, Theme
from rnnviz.figures.curves import seeds_spec
from rnnviz.figures.phase import phase_spec
from rnnviz.figures.seed_runs import seed_runs
from rnnviz.training.executor import local_pool
from rnnviz.training.sweep import MAX_LOSSES, Sweep

GAINS, STRENGTHS, LENGTHS = (0.5, 1.0, 3.0), (0.0, 1.0), (2, 30)


@pytest.fixture
def pool() -> Executor:
    return local_pool()


@pytest.mark.parametrize(("across", "values"), [("input_std", STRENGTHS), ("seq_len", LENGTHS)])
def test_a_phase_diagram_holds_the_median_over_seeds(across: str, values: tuple[float, ...]) -> None:
    found = phase_diagram(Bench(seq_len=30), GAINS, across, values, seeds=3)
    assert found.shape == (len(GAINS), len(values))
    for i, gain in enumerate(GAINS):
        for j, value in enumerate(values):
            bench = replace(Bench(seq_len=30, gain=gain), **{across: value})
            expected = np.median([decades(replace(bench, seed=seed)) for seed in range(3)])
            assert found[i, j] == expected


def test_workers_find_the_same_numbers(pool: Executor) -> None:
    alone = phase_diagram(Bench(seq_len=30), GAINS, "input_std", STRENGTHS, seeds=2)
    np.testing.assert_array_equal(
        phase_diagram(Bench(seq_len=30), GAINS, "input_std", STRENGTHS, seeds=2, executor=pool), alone
    )
    e = Experiment(seq_len=12)
    np.testing.assert_array_equal(seed_band(e, 4, pool).curves, seed_band(e, 4).curves)


def test_more_gain_never_loses_more_of_the_gradient_under_strong_input() -> None:
    column = phase_diagram(Bench(), np.linspace(0.3, 3.0, 6), "input_std", [1.0], seeds=3)[:, 0]
    assert np.all(np.diff(column) > 0)
    assert column[0] < -20
    assert column[-1] > 2


def test_an_unknown_axis_gets_a_sentence() -> None:
    with pytest.raises(ValueError, match="across must be 'seq_len' or 'input_std'; got 'gain'"):
        phase_diagram(Bench(), [1.0], "gain", [1.0])


def test_a_band_counts_verdicts_and_orders_its_quantiles() -> None:
    e = Experiment(seq_len=50, init="scaled-gaussian", gain=2.0)
    band = seed_band(e, 10)
    flows = [gradient_flow(replace(e, seed=seed)) for seed in range(10)]
    assert band.verdicts == [flow.verdict for flow in flows]
    assert sum(band.share(v) for v in ("vanishing", "healthy", "exploding")) == pytest.approx(1.0)
    low, median, high = (band.quantile(q) for q in (0.0, 0.5, 1.0))
    assert np.all(low <= median)
    assert np.all(median <= high)
    np.testing.assert_array_equal(high, band.curves.max(axis=0))


def test_in_a_band_numbers_that_overflowed_count_as_beyond_all_others() -> None:
    band = SeedBand(np.array([[1.0], [np.nan], [3.0]]), np.zeros(3), ["healthy"] * 3)
    assert [band.quantile(share)[0] for share in (0.0, 0.5, 1.0)] == [1.0, 3.0, np.inf]


def _slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_results_come_one_by_one_and_the_rest_can_be_given_up() -> None:
    with ThreadPoolExecutor(max_workers=1) as one:
        sweep = Sweep(_slow, [0.0] + [0.3] * 20, one)
        while sweep.results[0] is None:
            time.sleep(0.01)
        assert sweep.running
        assert 0.0 < sweep.progress < 1.0
        assert 1 <= sweep.done < len(sweep.parts)
        sweep.cancel()
        assert sweep.cancelled
        assert not sweep.running
        begun = time.perf_counter()
    assert time.perf_counter() - begun < 2.0, "parts that had not begun are never computed"
    assert sweep.results[0] == 0.0
    assert sweep.results[-1] is None
    assert sweep.progress < 0.2


def _fail(part: int) -> int:
    raise ArithmeticError(f"part {part}")


def test_a_part_that_fails_ends_the_sweep_with_its_error() -> None:
    with ThreadPoolExecutor(max_workers=1) as one, pytest.raises(ArithmeticError, match="part 0"):
        Sweep(_fail, range(5), one).wait()


def test_an_executor_that_was_shut_down_ends_the_sweep() -> None:
    with ThreadPoolExecutor(max_workers=1) as one:
        sweep = Sweep(_slow, [0.2, 0.0], one, most=1)
    with pytest.raises(RuntimeError, match="shutdown"):
        sweep.wait()
    assert not sweep.running
    assert sweep.done == 1


# By hand: no worker and no clock


class HandExecutor(Executor):
    """Keeps every part until the test says what becomes of it."""

    def __init__(self) -> None:
        self.taken: list[tuple[Future[int], int]] = []
        self.begun: list[int] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        assert (fn, kwargs) == (_fail, {}), "the function is never called here"
        future: Future[int] = Future()
        self.begun += args
        self.taken.append((future, *args))
        future.set_running_or_notify_cancel()
        return future

    def finish(self) -> None:
        future, part = self.taken.pop(0)
        future.set_result(10 * part)

    def lose(self) -> None:
        """Lose all parts that are under way, as a pool does when one of its workers dies."""
        taken, self.taken = self.taken, []
        for future, part in taken:
            future.set_exception(ChildProcessError(f"the worker of part {part} died\nwith a stack trace"))


class Stepped:
    """A sweep over five parts, two at once, that is wanted or not as the test says."""

    def __init__(self, wanted: bool = True) -> None:
        self.executor, self.wanted = HandExecutor(), wanted
        self.told: list[int] = []  # the results there were when the sweep said that something has changed
        self.sweep = Sweep(_fail, range(5), self.executor, 2, lambda: self.wanted, self.hear)

    def hear(self) -> None:
        self.told.append(self.sweep.done)


def test_after_each_part_the_next_one_begins_and_whoever_listens_is_told() -> None:
    stepped = Stepped()
    assert stepped.executor.begun == [0, 1]
    versions = [stepped.sweep.version]
    while stepped.executor.taken:
        stepped.executor.finish()
        versions.append(stepped.sweep.version)
    assert stepped.told == [1, 2, 3, 4, 5]
    assert stepped.sweep.results == [0, 10, 20, 30, 40]
    assert versions == sorted(set(versions)), "each result is a new version"
    assert (stepped.sweep.running, stepped.sweep.under_way) == (False, 0)


def test_what_nobody_wants_begins_no_further_part_and_keeps_its_results() -> None:
    stepped = Stepped()
    stepped.wanted = False
    stepped.executor.finish()
    stepped.executor.finish()
    assert (stepped.executor.begun, stepped.executor.taken) == ([0, 1], [])
    stepped.sweep.resume()
    assert stepped.executor.begun == [0, 1], "it is still not wanted"
    assert stepped.sweep.running
    stepped.wanted = True
    stepped.sweep.resume()
    assert stepped.executor.begun == [0, 1, 2, 3], "no part is measured twice"
    while stepped.executor.taken:
        stepped.executor.finish()
    assert stepped.sweep.results == [0, 10, 20, 30, 40]


def test_resumed_again_and_again_no_more_parts_begin_than_can_run_at_once() -> None:
    stepped = Stepped(wanted=False)
    assert stepped.executor.begun == []
    stepped.wanted = True
    for _ in range(3):
        stepped.sweep.resume()
    assert stepped.executor.begun == [0, 1]


def test_lost_parts_are_submitted_again_before_all_others() -> None:
    stepped = Stepped()
    stepped.executor.lose()
    assert sorted(stepped.executor.begun[2:]) == [0, 1]
    assert (stepped.sweep.under_way, stepped.sweep.done, stepped.sweep.problem) == (2, 0, None)
    stepped.executor.finish()
    stepped.executor.lose()
    while stepped.executor.taken:
        stepped.executor.finish()
    assert stepped.sweep.wait() == [0, 10, 20, 30, 40]


def test_a_part_that_is_lost_while_nobody_wants_it_waits() -> None:
    stepped = Stepped()
    stepped.wanted = False
    stepped.executor.lose()
    assert (stepped.executor.begun, stepped.sweep.running) == ([0, 1], True)
    stepped.wanted = True
    stepped.sweep.resume()
    assert sorted(stepped.executor.begun[2:]) == [0, 1]


def test_a_part_that_is_lost_three_times_ends_the_sweep_with_the_reason_in_a_line() -> None:
    stepped = Stepped()
    for _ in range(MAX_LOSSES):
        assert (stepped.sweep.running, stepped.sweep.problem) == (True, None)
        stepped.executor.lose()
    assert (stepped.sweep.running, stepped.sweep.cancelled, stepped.executor.taken) == (False, True, [])
    assert str(stepped.sweep.problem).startswith("the worker of part ")
    assert "stack trace" not in str(stepped.sweep.problem)
    with pytest.raises(ChildProcessError, match="died"):
        stepped.sweep.wait()


def test_a_cancelled_sweep_loses_nothing() -> None:
    stepped = Stepped()
    stepped.sweep.cancel()
    stepped.executor.lose()
    assert (stepped.executor.begun, stepped.sweep.problem, stepped.sweep.under_way) == ([0, 1], None, 0)


def test_a_cancelled_sweep_discards_what_is_under_way_and_says_when_it_is_done() -> None:
    stepped = Stepped()
    stepped.sweep.cancel()
    stepped.sweep.resume()
    assert (stepped.executor.begun, stepped.sweep.under_way) == ([0, 1], 2)
    stepped.executor.finish()
    stepped.executor.finish()
    assert (stepped.executor.begun, stepped.sweep.under_way, stepped.sweep.done) == ([0, 1], 0, 0)
    assert len(stepped.told) == 2, "the workers are free for others"


class NoExecutor(Executor):
    """Takes no work."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise OSError("cannot start a process")


def test_a_part_that_is_always_refused_ends_the_sweep_and_it_says_so() -> None:
    told: list[bool] = []
    sweep = Sweep(_fail, range(5), NoExecutor(), changed=lambda: told.append(True))
    assert (sweep.cancelled, sweep.version, sweep.under_way, told) == (True, 1, 0, [True] * MAX_LOSSES)
    with pytest.raises(OSError, match="cannot start"):
        sweep.wait()


def test_a_sweep_without_parts_is_done() -> None:
    sweep = Sweep(_fail, [], HandExecutor())
    assert (sweep.wait(), sweep.running, sweep.cancelled) == ([], False, False)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_figures_show_the_numbers(theme: Theme) -> None:
    import plotly.graph_objects as go

    rows = np.array([[1.0, np.nan], [-3.0, 2.0]])
    spec = phase_spec(
        rows, np.array([0.5, 2.0]), np.array([0.0, 1.0]), "input_std", np.array([1.0, 9.0]), theme
    )
    heat, line = go.Figure(spec).data
    np.testing.assert_array_equal(heat.z, rows)
    assert line.y[0] == 1.0
    assert np.isnan(line.y[1]), "a border outside the picture is not drawn"
    assert heat.colorbar.ticktext[0] == "≤ −8"
    assert heat.colorbar.ticktext[-1] == "≥ 8"
    beyond = phase_spec(
        rows, np.array([0.5, 2.0]), np.array([0.0, 1.0]), "input_std", np.array([9.0, 9.0]), theme
    )
    assert len(beyond["data"]) == 1
    assert "dashed" not in beyond["layout"]["annotations"][0]["text"]
    flows = [gradient_flow(Experiment(seq_len=9, seed=seed)) for seed in range(5)]
    band = SeedBand.of(flows)
    by_name = {t.name: t for t in go.Figure(seeds_spec(band, flows[0].per_output[-1], theme)).data}
    np.testing.assert_array_equal(by_name["median"].y, band.quantile(0.5))
    np.testing.assert_array_equal(by_name["all seeds"].y, band.quantile(1.0))
    np.testing.assert_array_equal(by_name["this seed"].y, flows[0].per_output[-1])


def test_the_success_of_training_is_counted_run_by_run() -> None:
    e = Experiment(seq_len=5, init="small-normal", seed=4)
    runs = [train(replace(e, seed=seed), 60) for seed in range(4, 10)]
    solved = sum(run.state.solved_at is not None for run in runs)
    assert 0 < solved < 6, "some are slower than others"
    shares = training_shares(e, 60, seeds=6)
    assert (shares.solved.count, shares.solved.seeds) == (solved, 6)
    at_end = sum(run.metric >= TASKS["recall"].goal for run in runs)
    assert shares.solved_at_end.count == at_end
    assert shares.diverged.count == 0


def test_a_run_that_diverges_is_counted_as_such() -> None:
    shares = training_shares(PRESETS["exploding"].experiment, 5, seeds=3)
    assert (shares.solved.count, shares.solved_at_end.count, shares.diverged.count) == (0, 0, 3)


def test_every_seeds_metric_is_drawn() -> None:
    e = Experiment(seq_len=5)
    runs = [seed_run((replace(e, seed=seed), 20)) for seed in range(3)]
    by_name = {t.name: t for t in seed_runs(e, runs, 20).data}
    run = train(e, 20)
    metric = [*run.history["metric"], run.metric]
    own = dict(zip(by_name["this seed"].x, by_name["this seed"].y, strict=True))
    assert [own[step] for step in (1, 5, 10, 20)] == [metric[n] for n in (1, 5, 10, 20)]
    assert np.isnan(by_name["other seeds"].y).sum() >= 2, "a gap between two seeds"
    assert set(by_name["goal"].y) == {TASKS["recall"].goal}


@pytest.mark.parametrize(
    ("count", "seeds", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (95, 100, 0.8882, 0.9785), (20, 20, 0.8389, 1.0)],
)
def test_the_interval_is_wilsons(count: int, seeds: int, low: float, high: float) -> None:
    """At both ends the count lies 1.96 standard errors away, which is what Wilson's interval means."""
    share = Share(count, seeds)
    assert share.interval == pytest.approx((low, high), abs=1e-4)
    for p in share.interval:
        if 0 < p < 1:
            assert abs(share.value - p) / np.sqrt(p * (1 - p) / seeds) == pytest.approx(1.959964)


@pytest.mark.parametrize(("count", "seeds"), [(1, 0), (-1, 5), (6, 5)])
def test_a_share_that_cannot_be_is_refused(count: int, seeds: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        Share(count, seeds)


def test_a_band_marks_where_its_median_is_exactly_zero() -> None:
    e = Experiment(seq_len=9, init="scaled-gaussian", gain=0.0)
    flows = [gradient_flow(replace(e, seed=seed)) for seed in range(3)]
    marks = [t for t in seeds_spec(SeedBand.of(flows), flows[0].per_output[-1])["data"] if "marker" in t]
    assert [mark["name"] for mark in marks] == ["exactly 0"]
    assert list(marks[0]["x"]) == list(range(1, 9))
    assert marks[0]["showlegend"]
