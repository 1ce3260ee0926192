"""The phases of a run, driven by hand: no worker, no clock, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from rnnviz import PRESETS, Experiment, train
from rnnviz.figures.run_pictures import Moment
from rnnviz.model.network import Params
from rnnviz.ui import live_run
from rnnviz.ui.chunk import Chunk, chunk_seconds, compute
from rnnviz.ui.live_run import CROWD, MAX_FAILURES, LiveRun, Phase
from rnnviz.ui.pictures import REFRESH_SECONDS, Picture
from tests.watcher import Watcher

SMALL = Experiment(seq_len=5, hidden_size=8, batch_size=8)
CHUNK = 7
"""Updates in a chunk at full speed: these workers know no time."""


@pytest.fixture(autouse=True)
def _empty_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that other tests have left unfinished do not count."""
    monkeypatch.setattr(live_run, "_with_workers", set())


class HandPool(Executor):
    """Keeps every chunk until the test says what becomes of it.

    refuses : what it answers instead of taking a chunk.
    """

    def __init__(self) -> None:
        self.chunks: list[tuple[Future[Any], Chunk]] = []
        self.refuses: Exception | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        assert (fn, kwargs) == (compute, {})
        if self.refuses is not None:
            raise self.refuses
        future: Future[Any] = Future()
        self.chunks.append((future, *args))
        future.set_running_or_notify_cancel()  # a worker has it: it can no longer be cancelled
        return future

    def finish(self, number: int = 0) -> None:
        """Let a worker finish one of the chunks it has."""
        future, chunk = self.chunks.pop(number)
        future.set_result(compute(replace(chunk, seconds=None, steps=chunk.steps or CHUNK)))

    def lose(self, failure: BaseException) -> None:
        self.chunks.pop(0)[0].set_exception(failure)


class HandClock:
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        entry = (self.now + seconds, call)
        self.calls.append(entry)
        return lambda: self.calls.remove(entry) if entry in self.calls else None

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        due = [entry for entry in self.calls if entry[0] <= self.now]
        self.calls = [entry for entry in self.calls if entry not in due]
        for _, call in due:
            call()


class Bench:
    """A run on a bench, which somebody watches: its pool and its clock are in the test's hands."""

    def __init__(self, e: Experiment = SMALL, **settings: Any) -> None:
        self.pool, self.clock = HandPool(), HandClock()
        self.run = LiveRun(e, self.pool, lambda: self.clock.now, self.clock.later)
        self.watcher = Watcher()
        self.run.watch(self.watcher, {})
        for name, value in settings.items():
            setattr(self.run, name, value)

    @property
    def now(self) -> tuple[Phase, int]:
        return self.run.phase, self.run.state.step


def weights_of(run: LiveRun) -> np.ndarray:
    return run.state.params.flat()


# What can go wrong, and no longer does


def test_a_refused_chunk_is_handed_over_again_when_it_is_resumed() -> None:
    """A pool that ended between two chunks raises in the done-callback, where nobody hears it."""
    bench = Bench()
    bench.run.play()
    bench.pool.refuses = RuntimeError("the pool has ended")
    bench.pool.finish()
    assert bench.now == (Phase.QUEUED, CHUNK)
    bench.pool.refuses = None
    bench.run.resume()
    assert bench.now == (Phase.RUNNING, CHUNK)
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, 2 * CHUNK)


def test_a_play_that_is_refused_is_tried_again_and_not_raised_to_the_page() -> None:
    bench = Bench()
    bench.pool.refuses = RuntimeError("cannot start new process")
    bench.run.play()
    assert bench.now == (Phase.QUEUED, 0)
    bench.pool.refuses = None
    bench.run.resume()
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, CHUNK)


def test_refusals_in_a_row_are_a_failure_in_words_and_play_starts_again() -> None:
    bench = Bench()
    run, bench.pool.refuses = bench.run, OSError("no more processes\nand a long story")
    run.play()
    for _ in range(MAX_FAILURES - 1):
        assert (run.phase, run.problem) == (Phase.QUEUED, None)
        run.resume()
    assert (run.phase, run.problem) == (Phase.FAILED, "Training stopped: no more processes")
    bench.pool.refuses = None
    run.resume()
    assert run.phase is Phase.FAILED, "only play starts it again"
    run.play()
    assert (run.phase, run.problem) == (Phase.RUNNING, None)


def test_step_after_pause_makes_one_update_although_a_chunk_is_still_with_a_worker() -> None:
    bench = Bench()
    bench.run.play()
    bench.pool.finish()
    bench.run.pause()
    assert bench.now == (Phase.PAUSED, CHUNK)
    bench.run.step()
    bench.pool.finish(0)  # the chunk from before the pause
    assert bench.now == (Phase.RUNNING, CHUNK), "a late result is not the step's"
    bench.pool.finish()
    assert bench.now == (Phase.PAUSED, CHUNK + 1)
    np.testing.assert_array_equal(weights_of(bench.run), train(SMALL, CHUNK + 1).params.flat())


def test_the_late_chunk_is_dropped_also_when_it_comes_after_the_step() -> None:
    bench = Bench()
    bench.run.play()
    bench.run.pause()
    bench.run.step()
    bench.pool.finish(1)
    assert bench.now == (Phase.PAUSED, 1)
    bench.pool.finish(0)
    assert bench.now == (Phase.PAUSED, 1)


# Every row of the table


def at(phase: Phase) -> Bench:
    """A run in a phase, after one update where that is possible."""
    if phase is Phase.DIVERGED:
        bench = Bench(PRESETS["exploding"].experiment)
        bench.run.play()
        while bench.run.playing:
            bench.pool.finish()
        return bench
    bench = Bench(replace(SMALL, hidden_size=32, batch_size=32), pause_when_solved=phase is Phase.SOLVED)
    if phase is Phase.IDLE:
        return bench
    if phase is Phase.WAITING:
        bench.run.speed = 5.0
    if phase is Phase.SOLVED:
        bench.run.play()
        while bench.run.playing:
            bench.pool.finish()
        return bench
    if phase in (Phase.PAUSED, Phase.FAILED):
        bench.run.step()
        bench.pool.finish()
    if phase in (Phase.RUNNING, Phase.WAITING):
        bench.run.play()
        if phase is Phase.WAITING:
            bench.pool.finish()
    if phase in (Phase.QUEUED, Phase.FAILED):
        bench.pool.refuses = MemoryError("no room")
        bench.run.play()
    if phase is Phase.FAILED:
        bench.run.resume()
        bench.run.resume()
    bench.pool.refuses = None
    return bench


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_is_reached(phase: Phase) -> None:
    bench = at(phase)
    assert bench.run.phase is phase
    assert bench.run.playing == (phase in (Phase.QUEUED, Phase.RUNNING, Phase.WAITING))
    assert bool(bench.run.problem) == (phase is Phase.FAILED)


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.QUEUED, Phase.PAUSED, Phase.SOLVED, Phase.FAILED])
def test_play_hands_a_chunk_to_a_worker(phase: Phase) -> None:
    bench = at(phase)
    step = bench.run.state.step
    bench.run.play()
    assert bench.now == (Phase.RUNNING, step)
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, step + CHUNK)


@pytest.mark.parametrize("phase", Phase)
def test_step_makes_exactly_one_update_from_everywhere(phase: Phase) -> None:
    bench = at(phase)
    step, with_workers = bench.run.state.step, len(bench.pool.chunks)
    bench.run.step()
    if phase is Phase.DIVERGED:
        assert (bench.now, bench.pool.chunks) == ((Phase.DIVERGED, step), [])
        return
    assert bench.now == (Phase.RUNNING, step)
    bench.pool.finish(with_workers)
    assert bench.now == (Phase.PAUSED, step + 1)
    for _ in range(with_workers):
        bench.pool.finish()
    bench.clock.pass_(0.5)
    assert bench.now == (Phase.PAUSED, step + 1)


@pytest.mark.parametrize("phase", Phase)
def test_pause_stops_what_plays_and_leaves_the_rest_as_it_is(phase: Phase) -> None:
    bench = at(phase)
    playing, step, problem = bench.run.playing, bench.run.state.step, bench.run.problem
    bench.run.pause()
    expected = Phase.PAUSED if playing else phase
    assert (*bench.now, bench.run.problem) == (expected, step, problem)
    for _ in range(len(bench.pool.chunks)):
        bench.pool.finish()
    bench.clock.pass_(0.5)
    bench.run.resume()
    assert (bench.now, bench.pool.chunks) == ((expected, step), [])


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.WAITING])
def test_play_while_it_plays_changes_nothing(phase: Phase) -> None:
    bench = at(phase)
    before = bench.now, len(bench.pool.chunks), len(bench.clock.calls)
    bench.run.play()
    assert (bench.now, len(bench.pool.chunks), len(bench.clock.calls)) == before


def test_play_during_a_single_step_goes_on_after_it() -> None:
    bench = Bench()
    bench.run.step()
    bench.run.play()
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, 1)
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, 1 + CHUNK)


def test_a_key_held_down_makes_one_step_after_the_other() -> None:
    """Each press would otherwise drop the step before it, and none would ever end."""
    bench = Bench()
    for step in (1, 2):
        bench.run.step()
        bench.run.step()
        bench.pool.finish()
        assert (bench.now, bench.pool.chunks) == ((Phase.PAUSED, step), [])


def test_a_chunk_that_no_worker_has_begun_is_taken_back() -> None:
    bench = Bench()
    bench.run.play()
    waiting, bench.pool.chunks = bench.pool.chunks[0][0], []
    waiting._state = "PENDING"
    bench.run.pause()
    assert waiting.cancelled()


# Losses


def test_a_lost_chunk_is_done_again() -> None:
    bench = Bench()
    bench.run.play()
    bench.pool.finish()
    bench.pool.lose(RuntimeError("a worker died"))
    assert bench.now == (Phase.RUNNING, CHUNK)
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, 2 * CHUNK)
    np.testing.assert_array_equal(weights_of(bench.run), train(SMALL, 2 * CHUNK).params.flat())


def test_losses_in_a_row_end_in_a_sentence_and_a_result_starts_the_count_again() -> None:
    bench = Bench()
    bench.run.play()
    for _ in range(3):
        for _ in range(MAX_FAILURES - 1):
            bench.pool.lose(MemoryError())
            assert bench.run.phase is Phase.RUNNING
        bench.pool.finish()
    assert bench.run.playing
    for _ in range(MAX_FAILURES):
        bench.pool.lose(MemoryError())
    assert (bench.now, bench.run.problem) == ((Phase.FAILED, 3 * CHUNK), "Training stopped: MemoryError")
    bench.run.play()
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, 4 * CHUNK), "from the newest state"


def test_a_chunk_lost_after_a_pause_is_nobodys_loss() -> None:
    bench = Bench()
    bench.run.play()
    bench.run.pause()
    bench.pool.lose(RuntimeError("a worker died"))
    assert (bench.now, bench.run.problem) == ((Phase.PAUSED, 0), None)


def test_a_pool_that_is_shut_down_counts_as_a_loss() -> None:
    bench = Bench()
    bench.run.play()
    future, bench.pool.chunks = bench.pool.chunks[0][0], []
    future._state = "PENDING"
    future.cancel()
    assert bench.now == (Phase.RUNNING, 0)
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, CHUNK)


# Slow motion


def test_slow_motion_makes_one_update_whenever_its_time_comes() -> None:
    bench = Bench(speed=5.0)
    bench.run.play()
    for step in range(1, 6):
        bench.pool.finish()
        assert bench.now == (Phase.WAITING, step)
        bench.clock.pass_(0.2)
        bench.run.resume()
        assert bench.run.phase is Phase.RUNNING
    assert bench.run.moment().rate == pytest.approx(5.0)


def test_no_thread_for_slow_motion_is_a_loss_like_any_other() -> None:
    def none(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("can't start new thread")

    bench = Bench(speed=5.0)
    bench.run._later = none
    bench.run.play()
    bench.pool.finish()
    assert bench.now == (Phase.QUEUED, 1)
    bench.run.resume()
    assert bench.run.phase is Phase.RUNNING


def test_the_time_of_an_older_command_starts_nothing() -> None:
    bench = Bench(speed=1.0)
    bench.run.play()
    bench.pool.finish()
    (_, late), *_ = bench.clock.calls
    bench.run.pause()
    assert bench.clock.calls == [], "cancelled"
    bench.run.play()
    late()  # too late to be cancelled
    assert len(bench.pool.chunks) == 1


# What is measured on every state


class Meter:
    """Measures a network by its first weight, and keeps a record of what it was asked for."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor, self.asked = factor, 0

    def __call__(self, e: Experiment, params: Params) -> float:
        self.asked += 1
        return self.of(params)

    def of(self, params: Params) -> float:
        return self.factor * float(params.flat()[0])


def test_what_a_chunk_brings_was_measured_with_it_on_exactly_the_state_shown() -> None:
    meter = Meter()
    bench = Bench(measure=meter)
    bench.run.play()
    bench.run.resume()
    for chunk in range(1, 4):
        asked = meter.asked
        bench.pool.finish()
        assert meter.asked == asked + 1, "by the chunk's work"
        for _ in range(3):
            look = bench.run.moment()
            assert (look.state.step, look.measured) == (chunk * CHUNK, meter.of(look.state.params))
        assert meter.asked == asked + 1, "and by no look"


def test_a_state_that_no_chunk_brought_is_measured_once() -> None:
    meter = Meter()
    bench = Bench(measure=meter)
    for _ in range(3):
        assert bench.run.moment().measured == meter.of(bench.run.state.params)
    bench.run.play()
    bench.run.pause()
    bench.pool.finish()  # dropped, and its measurement with it
    asked = meter.asked
    assert bench.run.moment().measured == meter.of(bench.run.state.params)
    assert meter.asked == asked == 2, "the first state, and the chunk that was dropped"


def test_another_measure_holds_at_once_and_goes_with_the_next_chunk() -> None:
    first, second = Meter(), Meter(10.0)
    bench = Bench(measure=first)
    bench.run.play()
    bench.run.measure = second
    assert bench.run.moment().measured == second.of(bench.run.state.params)
    bench.pool.finish()  # handed over with the first measure
    assert bench.run.moment().measured == second.of(bench.run.state.params)
    asked = first.asked, second.asked
    bench.pool.finish()
    assert bench.run.moment().measured == second.of(bench.run.state.params)
    assert (first.asked, second.asked) == (asked[0], asked[1] + 1)


def test_without_a_measure_nothing_is_measured() -> None:
    bench = Bench()
    bench.run.play()
    bench.pool.finish()
    assert bench.run.moment().measured is None
    bench.run.measure = meter = Meter()
    assert bench.run.moment().measured == meter.of(bench.run.state.params), "None is no measurement"


def test_a_measure_that_fails_is_told_like_any_other_failure_of_a_worker() -> None:
    bench = Bench(measure=Meter())
    bench.run.play()
    for _ in range(MAX_FAILURES):
        bench.pool.lose(ValueError("nothing to measure"))
        bench.run.resume()
    assert (bench.now, bench.run.problem) == ((Phase.FAILED, 0), "Training stopped: nothing to measure")


# Ends


def test_solved_is_a_stop_and_not_an_end() -> None:
    bench = at(Phase.SOLVED)
    assert bench.run.state.solved_at == bench.run.state.step
    step = bench.run.state.step
    bench.run.play()
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, step + CHUNK)


def test_the_end_is_reached_and_not_passed() -> None:
    bench = Bench(until=CHUNK - 2)
    bench.run.play()
    bench.pool.finish()
    assert bench.now == (Phase.PAUSED, CHUNK - 2)
    bench.run.play()
    bench.run.step()
    assert bench.pool.chunks == []


def test_another_learning_rate_holds_from_the_update_that_is_shown_and_is_on_record() -> None:
    bench = Bench()
    bench.run.play()
    bench.pool.finish()
    bench.run.retune(replace(SMALL, learning_rate=0.1))
    assert [(t.step, t.learning_rate) for t in bench.run.retunings] == [(CHUNK, 0.1)], "known at once"
    bench.pool.finish()  # begun with the old rate: dropped
    assert bench.now == (Phase.RUNNING, CHUNK)
    bench.pool.finish()
    assert [(t.step, t.learning_rate) for t in bench.run.retunings] == [(CHUNK, 0.1)]
    assert bench.run.retunings == bench.run.state.retunings
    again = train(SMALL, 2 * CHUNK, tunings=bench.run.state.tunings)
    np.testing.assert_array_equal(weights_of(bench.run), again.params.flat())


def test_a_change_that_no_update_followed_leaves_no_trace() -> None:
    bench = Bench()
    bench.run.retune(replace(SMALL, learning_rate=0.1))
    assert bench.run.retunings == (), "before the first update it is a choice like any other"
    bench.run.step()
    bench.pool.finish()
    assert bench.run.retunings == ()
    bench.run.retune(SMALL)
    assert [t.step for t in bench.run.retunings] == [1]
    bench.run.retune(replace(SMALL, learning_rate=0.1))
    assert bench.run.retunings == ()
    assert bench.now == (Phase.PAUSED, 1)


def test_every_run_has_an_id_of_its_own() -> None:
    assert Bench().run.id != Bench().run.id


# Somebody watches through a channel


@dataclass(frozen=True)
class Caption:
    """A picture that tells a moment in words."""

    name: str = "seen"

    def __call__(self, now: Moment) -> bytes:
        return f"{self.name} {now.state.step} {'plays' if now.playing else 'rests'}".encode()


def watched(seconds: float = 0.0, **settings: Any) -> tuple[Bench, Watcher]:
    """A run of which somebody watches a picture."""
    bench = Bench(**settings)
    bench.run.watch(bench.watcher, {"a": (Picture(Caption(), seconds), bench.run.state)})
    return bench, bench.watcher


def message(bench: Bench) -> str:
    return (bench.run.pictures.frames["a"].message or b"").decode()


def test_an_open_channel_is_a_lease_and_a_closed_one_is_none() -> None:
    bench, watcher = watched()
    bench.run.play()
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, CHUNK)
    watcher.open = False
    bench.pool.finish()
    assert bench.now == (Phase.QUEUED, 2 * CHUNK)
    bench.run.resume()
    assert bench.run.phase is Phase.QUEUED, "nobody watches"
    watcher.open = True
    bench.run.resume()
    assert bench.run.phase is Phase.RUNNING


def test_a_channel_that_closes_in_slow_motion_ends_the_wait_for_the_next_update() -> None:
    bench, watcher = watched(speed=1.0)
    bench.run.play()
    bench.pool.finish()
    watcher.open = False
    bench.clock.pass_(1.0)
    assert (bench.run.phase, bench.pool.chunks) == (Phase.QUEUED, [])


def test_play_without_anybody_who_watches_waits_for_them() -> None:
    bench, watcher = watched()
    watcher.open = False
    bench.run.play()
    assert (bench.run.phase, bench.pool.chunks) == (Phase.QUEUED, [])
    watcher.open = True
    bench.run.resume()
    assert bench.run.phase is Phase.RUNNING


@pytest.mark.parametrize(("speed", "drawn"), [(25.0, 4), (100.0, 1)])
def test_every_update_is_drawn_only_where_a_browser_can_show_each(speed: float, drawn: int) -> None:
    bench, _ = watched(speed=speed)
    bench.run.play()
    for _ in range(4):
        bench.pool.finish()
        bench.clock.pass_(1.0 / speed)
    assert message(bench) == f"seen {drawn} plays", "nobody has fetched the first one"


def test_a_run_beside_another_shows_its_newest_measurements() -> None:
    """The other run's state is taken along when a chunk is submitted, and only if something is drawn."""
    bench, other = Bench(), Bench()
    bench.run.beside = {"other": other.run}
    other.run.step()
    other.pool.finish()
    bench.run.step()
    assert bench.pool.chunks[0][1].beside == {}
    bench.pool.finish()
    bench.run.watch(bench.watcher, {"a": (Picture(tell_beside), bench.run.state)})
    bench.run.step()
    bench.pool.finish()
    assert message(bench) == f"1 other {other.run.state.metric}"
    assert bench.run.moment().beside["other"].step == 1


def tell_beside(now: Moment) -> bytes:
    ((name, trained),) = now.beside.items()
    return f"{trained.step} {name} {trained.newest}".encode()


def test_a_chunk_brings_the_watched_pictures_of_its_state() -> None:
    bench, watcher = watched()
    bench.run.play()
    bench.pool.finish()
    assert message(bench) == f"seen {CHUNK} plays"
    assert watcher.woken == 1
    bench.run.leave(watcher)
    bench.pool.finish()
    assert bench.run.pictures.frames == {}


def test_at_full_speed_pictures_are_drawn_as_fast_as_they_are_fetched() -> None:
    bench, watcher = watched()
    bench.run.play()
    for _ in range(3):
        bench.pool.finish()
    assert message(bench) == f"seen {CHUNK} plays", "nobody has fetched it yet"
    bench.run.pictures.frames["a"].taken = True
    bench.pool.finish()
    bench.pool.finish()
    assert message(bench) == f"seen {5 * CHUNK} plays"
    watcher.asking = True  # a chunk is submitted just before the frame of the last one can be fetched
    bench.pool.finish()
    for chunk in (7, 8, 9):
        bench.pool.finish()
        assert message(bench) == f"seen {chunk * CHUNK} plays"


def test_what_nobody_fetches_is_drawn_anew_now_and_then() -> None:
    """A browser that was busy for a second gets no picture that is a second old."""
    bench, _ = watched()
    bench.run.play()
    for _ in range(2):
        bench.pool.finish()
    bench.clock.pass_(REFRESH_SECONDS)
    for _ in range(2):
        bench.pool.finish()
    assert message(bench) == f"seen {4 * CHUNK} plays"


def test_in_a_crowd_slow_runs_too_draw_the_lower_pictures_less_often() -> None:
    bench, _ = watched(seconds=0.5, speed=5.0)
    bench.run.play()
    others = [watched()[0] for _ in range(CROWD)]

    def drawn_by_the_next_chunk() -> int:
        bench.pool.finish()
        bench.clock.pass_(0.2)
        return len(bench.pool.chunks[0][1].pictures)

    assert [drawn_by_the_next_chunk() for _ in range(4)] == [1, 1, 1, 1]
    for other in others:
        other.run.play()
    assert [drawn_by_the_next_chunk() for _ in range(6)] == [0, 0, 1, 0, 0, 1]


def test_at_full_speed_the_lower_pictures_are_drawn_less_often() -> None:
    bench, _ = watched(seconds=0.5)
    bench.run.play()
    bench.pool.finish()
    assert message(bench) == "", "the page has only just drawn it"
    bench.clock.pass_(0.5)
    bench.pool.finish()
    bench.pool.finish()
    assert message(bench) == f"seen {3 * CHUNK} plays"


@pytest.mark.parametrize("speed", [None, 5.0])
def test_a_single_step_is_always_drawn_and_is_no_playing(speed: float | None) -> None:
    bench, _ = watched(seconds=100.0, speed=speed)
    for step in (1, 2):
        bench.run.step()
        assert (bench.run.playing, bench.run.plays_on) == (True, False)
        bench.pool.finish()
        assert message(bench) == f"seen {step} rests"
    assert (bench.run.stops, bench.run.outdated) == (0, False), "no reason to draw the page anew"


def test_a_page_drawn_before_the_chunk_came_gets_the_frame_that_the_chunk_brought() -> None:
    """The page was drawn again while a worker made a step: its own picture is older than the step's."""
    bench, watcher = watched()
    before = bench.run.state
    bench.run.step()
    bench.pool.finish()
    bench.run.pictures.frames["a"].taken = True
    bench.run.watch(watcher, {"a": (Picture(Caption()), before)})
    assert message(bench) == "seen 1 rests"
    assert not bench.run.pictures.frames["a"].taken, "it is sent once more"


def test_a_picture_that_changed_while_a_worker_drew_it_is_out_of_date() -> None:
    bench, watcher = watched()
    bench.run.step()
    bench.run.watch(watcher, {"a": (Picture(Caption("other")), bench.run.state)})
    bench.pool.finish()
    assert (message(bench), bench.run.outdated) == ("", True)


def test_a_run_that_stops_by_itself_counts_it_once_and_draws_nothing_of_inf() -> None:
    for bench in (at(Phase.DIVERGED), at(Phase.SOLVED), at(Phase.FAILED), Bench(until=3)):
        bench.run.play() if bench.run.until else None
        bench.pool.finish() if bench.pool.chunks else None
        assert bench.run.stops == 1, bench.run.phase
    for phase in (Phase.IDLE, Phase.QUEUED, Phase.RUNNING, Phase.WAITING, Phase.PAUSED):
        assert at(phase).run.stops == 0


def test_a_refusal_wakes_the_watcher_who_resumes_the_run() -> None:
    bench, watcher = watched()
    bench.pool.refuses = RuntimeError("the pool has ended")
    bench.run.play()
    assert (watcher.woken, bench.run.phase) == (1, Phase.QUEUED)


def test_without_anybody_watching_a_lost_chunk_waits() -> None:
    bench, watcher = watched()
    bench.run.play()
    watcher.open = False
    bench.pool.lose(RuntimeError("a worker died"))
    assert bench.now == (Phase.QUEUED, 0)
    watcher.open = True
    bench.run.resume()
    assert bench.run.phase is Phase.RUNNING


def test_an_axis_that_a_picture_has_widened_stays_wide() -> None:
    bench, watcher = watched()
    bench.run.watch(watcher, {"a": (Picture(widen_by_step), bench.run.state)})
    bench.run.step()
    bench.pool.finish()
    bench.run.step()
    bench.pool.finish()
    assert bench.run.spans == {"axis": (-2, 2)}


def widen_by_step(now: Moment) -> bytes:
    now.widen("axis", (-now.state.step, now.state.step))
    return b""


@pytest.mark.parametrize(
    ("training", "seconds"), [(1, 0.036), (21, 0.036), (22, 0.0374), (30, 0.051), (100, 0.06)]
)
def test_chunks_grow_with_the_number_of_runs_that_train(training: int, seconds: float) -> None:
    assert chunk_seconds(training) == pytest.approx(seconds)


# Looking back


def trained_bench(chunks: int = 3) -> Bench:
    """A run that was paused after some chunks."""
    bench = Bench()
    bench.run.play()
    for _ in range(chunks):
        bench.pool.finish()
    bench.run.pause()
    bench.pool.finish()  # of no use any more
    return bench


def test_an_earlier_state_is_shown_exactly_and_the_page_need_not_be_drawn_anew() -> None:
    bench = trained_bench()
    stops = bench.run.stops
    bench.run.look_back(CHUNK + 1)
    assert not bench.run.plays_on
    bench.pool.finish()
    assert bench.now == (Phase.PAUSED, CHUNK + 1)
    assert bench.run.stops == stops
    assert (weights_of(bench.run) == train(SMALL, CHUNK + 1).params.flat()).all()
    assert bench.run.moment().later is bench.run.keyframes.newest


def test_only_the_last_of_several_wishes_is_shown() -> None:
    bench = trained_bench()
    for step in (1, 2, 5):
        bench.run.look_back(step)
    while bench.pool.chunks:
        bench.pool.finish()
    assert bench.now == (Phase.PAUSED, 5)


def test_looking_beyond_the_last_update_shows_it_and_before_the_first_the_start() -> None:
    bench = trained_bench()
    bench.run.look_back(10**9)
    bench.pool.finish()
    assert bench.run.state.step == 3 * CHUNK
    bench.run.look_back(-1)
    bench.pool.finish()
    assert bench.run.state.step == 0


def test_play_goes_on_from_what_is_shown_and_comes_to_the_same_states() -> None:
    bench = trained_bench()
    run, end = bench.run, weights_of(bench.run)
    run.look_back(CHUNK)
    bench.pool.finish()
    run.play()
    bench.pool.finish()
    assert run.keyframes.newest.step == 3 * CHUNK, "what came later is still known"
    bench.pool.finish()
    run.pause()
    assert run.state.step == 3 * CHUNK
    assert (weights_of(run) == end).all()


def test_a_run_that_plays_is_not_looked_back_at() -> None:
    bench = trained_bench()
    bench.run.play()
    bench.run.look_back(1)
    bench.pool.finish()
    assert bench.now == (Phase.RUNNING, 4 * CHUNK)


def test_play_while_looking_back_goes_on_from_what_is_shown() -> None:
    bench = trained_bench()
    bench.run.look_back(1)
    bench.run.play()
    while bench.pool.chunks and bench.run.state.step < 4 * CHUNK:
        bench.pool.finish()
    assert bench.run.state.step == 4 * CHUNK


def test_with_another_learning_rate_what_came_later_is_forgotten_once_it_trains_on() -> None:
    bench = trained_bench()
    run = bench.run
    run.look_back(CHUNK)
    bench.pool.finish()
    run.retune(replace(SMALL, learning_rate=0.1))
    assert run.keyframes.newest.step == 3 * CHUNK, "until then one may look"
    run.step()
    bench.pool.finish()
    assert run.keyframes.newest.step == run.state.step == CHUNK + 1
    run.look_back(CHUNK - 1)
    bench.pool.finish()
    assert (weights_of(run) == train(SMALL, CHUNK - 1).params.flat()).all()


def test_before_a_change_of_the_learning_rate_what_came_with_it_does_not_come_again() -> None:
    bench = trained_bench(1)
    run = bench.run
    run.retune(replace(SMALL, learning_rate=0.1))
    run.play()
    bench.pool.finish()
    run.pause()
    bench.pool.finish()
    run.look_back(1)
    bench.pool.finish()
    run.retune(SMALL)
    run.step()
    bench.pool.finish()
    assert run.keyframes.newest.step == 2


@pytest.mark.parametrize("step", [0, CHUNK])
def test_a_learning_rate_that_is_changed_and_changed_back_forgets_nothing(step: int) -> None:
    bench = trained_bench()
    bench.run.look_back(step)
    bench.pool.finish()
    bench.run.retune(replace(SMALL, learning_rate=0.1))
    bench.run.retune(SMALL)
    bench.run.step()
    bench.pool.finish()
    assert bench.run.keyframes.newest.step == 3 * CHUNK


@pytest.mark.parametrize("step", [0, CHUNK])
def test_a_changed_learning_rate_forgets_what_came_later(step: int) -> None:
    bench = trained_bench()
    bench.run.look_back(step)
    bench.pool.finish()
    bench.run.retune(replace(SMALL, learning_rate=0.1))
    bench.run.step()
    bench.pool.finish()
    assert bench.run.keyframes.newest.step == step + 1


def test_a_picture_of_an_earlier_state_is_not_lost_to_a_page_that_drew_a_later_one() -> None:
    bench = trained_bench()
    run, picture = bench.run, Picture(Caption("seen"))
    later = run.state
    run.watch(bench.watcher, {"a": (picture, later)})
    run.look_back(2)
    bench.pool.finish()
    run.watch(bench.watcher, {"a": (picture, later)})  # a script that began before ends now
    frame = run.pictures.frames["a"]
    assert (frame.state.step, frame.taken) == (2, False)
    run.watch(bench.watcher, {"a": (picture, run.state)})
    assert run.pictures.frames["a"].message is None, "the page shows it itself"


def test_a_lost_look_back_is_tried_again() -> None:
    bench = trained_bench()
    bench.pool.refuses = OSError("no more processes")
    bench.run.look_back(2)
    bench.pool.refuses = None
    bench.run.resume()
    bench.pool.finish()
    assert bench.now == (Phase.PAUSED, 2)


def test_one_can_look_back_from_a_divergence_and_return_to_it() -> None:
    e = PRESETS["exploding"].experiment
    bench = Bench(e)
    bench.run.play()
    while not bench.run.finished:
        bench.pool.finish()
    bench.run.look_back(0)
    bench.pool.finish()
    assert bench.now == (Phase.PAUSED, 0)
    bench.run.look_back(10**6)
    bench.pool.finish()
    assert bench.run.phase is Phase.DIVERGED
