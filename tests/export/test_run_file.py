"""A saved run goes on as if it had not been interrupted, and no file can harm the program that opens it."""

from __future__ import annotations

import io
import json
import math
import pickle
import re
import struct
import time
import tomllib
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnnviz import CELLS, PRESETS, Experiment, advance, start
from rnnviz.experiment.fitting import nearest
from rnnviz.export.run_file import LARGEST_FILE, LARGEST_JSON, RNNVIZ, open_run, save_run
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.training.history import MAX_ROWS
from rnnviz.training.keyframes import Keyframes
from rnnviz.training.loop import retrace
from rnnviz.training.state import TrainingState
from tests.experiment.test_links import EXPERIMENTS, told

ROOT = Path(__file__).parents[2]
TINY = Experiment(seq_len=3, hidden_size=3, batch_size=2)
PEAK = 12_000_000
"""Bytes: most memory while a small hostile file is refused."""


def small(e: Experiment) -> Experiment:
    """The experiment with sizes at which an update takes little time."""
    most = {"hidden_size": 9, "batch_size": 4, "seq_len": 12}
    return nearest({name: min(getattr(e, name), size) for name, size in most.items()}, base=e)[0]


def bits(state: TrainingState) -> bytes:
    """All that a state holds, with the very bits of its numbers; NaN is one number here."""
    history = state.history
    arrays = [
        *state.params.arrays(),
        state.moments.first,
        state.moments.second,
        *history.columns.values(),
        history.curves().to_numpy(),
    ]
    others = (
        state.step,
        repr(state.metric),
        state.solved_at,
        state.divergence,
        state.tunings,
        state.rng,
        state.moments.count,
        history.strides,
        list(history.curves().index),
        repr(history.latest),
        [array.shape for array in arrays],
    )
    numbers = [np.where(np.isnan(array), np.nan, array).astype("<f8") for array in arrays]
    return pickle.dumps(repr(others)) + b"".join(array.tobytes() for array in numbers)


def trained(e: Experiment, updates: int) -> TrainingState:
    return advance(e, start(e), steps=updates) if updates else start(e)


def goes_on(e: Experiment, state: TrainingState, more: int) -> None:
    """Fail unless the run that is saved, opened and trained on is the uninterrupted one."""
    data = save_run(e, state)
    opened = open_run(data)
    assert opened.experiment == told(e)
    assert bits(opened.state) == bits(state)
    assert bits(advance(opened.experiment, opened.state, steps=more)) == bits(advance(e, state, steps=more))
    assert save_run(opened.experiment, opened.state) == data


# Round trip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(e=EXPERIMENTS.map(small), updates=st.integers(0, 12), more=st.integers(1, 6))
@example(e=TINY, updates=1, more=1)
def test_a_saved_run_goes_on_bit_for_bit(e: Experiment, updates: int, more: int) -> None:
    goes_on(e, trained(e, updates), more)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 3])
def test_every_cell_and_optimizer_goes_on(cell: str, optimizer: str, layers: int) -> None:
    e = Experiment(cell=cell, layers=layers, optimizer=optimizer, seq_len=8, hidden_size=24, batch_size=8)
    goes_on(e, trained(e, 15), 15)


def test_a_history_that_was_thinned_goes_on() -> None:
    e = replace(TINY, hidden_size=2, batch_size=1)
    state = trained(e, MAX_ROWS)
    for updates in (MAX_ROWS, MAX_ROWS + 1, MAX_ROWS + 2):
        assert state.step == updates
        assert state.history.strides[1] > 1
        goes_on(e, state, 40)
        state = advance(e, state, steps=1)


def test_a_run_that_was_looked_back_at_goes_on_from_there() -> None:
    e = replace(TINY, hidden_size=2, batch_size=1)
    kept = Keyframes(start(e))
    kept.keep(trained(e, 600))
    way = kept.way_to(123)
    earlier = retrace(e, way.state, way.step, way.tunings)
    assert earlier.history.strides[1] == 4  # of the longer run; by itself it would be 1
    goes_on(e, earlier, 30)


def test_a_run_that_was_retuned_goes_on_and_can_be_retraced() -> None:
    state, slow = start(TINY), replace(TINY, learning_rate=1e-4, clip_norm=None)
    for e in (TINY, slow, TINY):
        state = advance(e, state, steps=20)
    assert len(state.retunings) == 2
    goes_on(TINY, state, 20)
    goes_on(slow, state, 20)  # changed since, but not yet trained
    opened = open_run(save_run(TINY, state)).state
    assert bits(retrace(TINY, start(TINY), opened.step, opened.tunings)) == bits(state)


@pytest.mark.parametrize(
    "e",
    [
        PRESETS["exploding"].experiment,
        Experiment(
            cell="vanilla",
            activation="linear",
            init="scaled-gaussian",
            gain=10,
            seq_len=200,
            optimizer="sgd",
            learning_rate=10,
            clip_norm=None,
        ),
        Experiment(optimizer="momentum", activation="relu", learning_rate=10, clip_norm=None),
        Experiment(
            optimizer="adam", activation="linear", gain=10, init="orthogonal", seq_len=150, clip_norm=None
        ),
    ],
)
def test_a_diverged_run_is_opened_where_it_broke_off(e: Experiment) -> None:
    state = trained(e, 300)
    opened = open_run(save_run(e, state))
    assert bits(opened.state) == bits(state)
    assert (opened.state.divergence is None) == (state.divergence is None)
    goes_on(e, state, 3)


def test_the_scenario_of_these_tests_diverges() -> None:
    assert trained(PRESETS["exploding"].experiment, 300).divergence is not None


def test_the_largest_run_with_a_task_of_its_own_stays_within_the_limit() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 2000)))
    e = Experiment(
        task="characters", topology="many-to-many", corpus="own", text=text, cell="lstm", seq_len=200
    ).replace(layers=3, hidden_size=128, batch_size=1)
    state = start(e)
    noise = np.random.default_rng(0).standard_normal(state.params.count)
    state = replace(state, params=state.params.with_flat(noise))
    moments = replace(state.moments, first=noise, second=noise**2)
    data = save_run(e, replace(state, moments=moments))
    assert len(data) < LARGEST_FILE
    assert (open_run(data).state.params.flat() == noise).all()


# What people find inside


def test_numpy_and_pandas_read_what_is_inside() -> None:
    state = trained(TINY, 30)
    with zipfile.ZipFile(io.BytesIO(save_run(TINY, state))) as archive:
        assert archive.testzip() is None
        table = pd.read_csv(archive.open("history.csv"))
        W_hh = np.load(io.BytesIO(archive.read("weights/W_hh_l0.npy")), allow_pickle=False)
        first = np.load(io.BytesIO(archive.read("moments/first.npy")), allow_pickle=False)
        readme = archive.read("README.txt").decode()
        record = json.loads(archive.read("run.json"))
    pd.testing.assert_frame_equal(table, state.history.frame(), rtol=1e-15)
    np.testing.assert_array_equal(W_hh, state.params.arrays()[1])
    np.testing.assert_array_equal(first, state.moments.first)
    assert "Recall, 30 updates." in readme
    assert "$" not in readme
    assert record["rnnviz"] == RNNVIZ


def test_the_version_in_a_file_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == RNNVIZ


# Files from strangers


@pytest.fixture(scope="module")
def saved() -> bytes:
    return save_run(TINY, trained(TINY, 20))


def refusal(data: bytes) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(ValueError, match=r"\.$") as raised:
        open_run(data)
    text = str(raised.value)
    assert len(text) < 400
    assert not set("<>`$\x00\n") & set(text)
    return text


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    return zipped(members_of(data) | {name: content})


def with_record(data: bytes, *path: str | int, value: Any) -> bytes:
    """The file with one value of run.json replaced."""
    record = json.loads(members_of(data)["run.json"])
    place = record
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return with_member(data, "run.json", json.dumps(record).encode())


def npy(array: Any, **how: Any) -> bytes:
    written = io.BytesIO()
    np.save(written, array, **how)
    return written.getvalue()


def survives(data: bytes) -> None:
    """Fail unless a file is opened as a run or refused in a sentence, quickly."""
    began = time.perf_counter()
    refused = ""
    try:
        open_run(data)
    except ValueError as error:
        refused = str(error)
    assert not refused or (refused.endswith(".") and len(refused) < 400)
    assert time.perf_counter() - began < 2


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
@example(data=b"")
@example(data=b"PK\x05\x06" + bytes(18))
@example(data=b"\x80\x04N.")
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    refusal(data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused(saved: bytes, share: float) -> None:
    assert refusal(saved[: int(share * len(saved))]).startswith("Expected a run as a .zip file; got ")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_changed_byte_does_no_harm(saved: bytes, place: float, byte: int) -> None:
    changed = bytearray(saved)
    changed[int(place * len(saved))] = byte
    survives(bytes(changed))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.integers(0, 30), content=st.binary(max_size=200))
def test_an_entry_of_arbitrary_bytes_is_refused(saved: bytes, name: int, content: bytes) -> None:
    names = sorted(set(members_of(saved)) - {"README.txt"})
    refusal(with_member(saved, names[name % len(names)], content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all values in a JSON document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [(*before, key) for key, _ in inner]
    return found + [path for key, part in inner for path in paths(part, (*before, key))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 200), value=JSON)
def test_any_other_value_in_the_record_does_no_harm(saved: bytes, place: int, value: Any) -> None:
    places = paths(json.loads(members_of(saved)["run.json"]))
    survives(with_record(saved, *places[place % len(places)], value=value))


def test_every_value_of_the_record_is_needed(saved: bytes) -> None:
    record = json.loads(members_of(saved)["run.json"])
    for *outer, last in paths(record):
        if isinstance(last, int):  # the only tuning
            continue
        changed = json.loads(members_of(saved)["run.json"])
        place = changed
        for key in outer:
            place = place[key]
        del place[last]
        if last != "rnnviz":
            refusal(with_member(saved, "run.json", json.dumps(changed).encode()))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("version",), 2, "Expected a run in format 1; got format 2, of a newer rnnviz. Update rnnviz, then"),
        (("version",), True, "version must be a whole number"),
        (("format",), "other", 'must say "format": "rnnviz run"'),
        (("updates",), -1, "updates must be a whole number"),
        (("updates",), 20.0, "updates must be a whole number"),
        (("updates",), "20", "updates must be a whole number"),
        (("updates",), 10**400, "updates must be a whole number"),
        (("updates",), 21, "optimizer_count must be a whole number between 21 and 21; got 20."),
        (("optimizer_count",), 19, "got 19."),
        (("metric",), "<b>", "metric must be a number between"),
        (("solved_at",), 21, "solved_at must be a whole number between 0 and 20 or none; got 21."),
        (("divergence",), [], "must have divergence, an object or null; got a list."),
        (
            ("divergence",),
            {"what": "pride", "value": "inf", "time_step": 1},
            "what must be one of hidden state",
        ),
        (("tunings",), [], "must begin with the first learning rate; got none."),
        (("tunings",), [[]], "tunings must be objects; got a list."),
        (("tunings", 0, "step"), 1, "step must be a whole number between 0 and 0; got 1."),
        (("tunings", 0, "learning_rate"), 99, "learning_rate must be a number between 1e-06 and 10; got 99."),
        (("tunings", 0, "clip_norm"), 0, "clip_norm must be a number between 0.001 and 1000 or none; got 0."),
        (("random_generator", "kind"), "MT19937", "kind must be one of PCG64"),
        (("random_generator", "state"), "0x" + "f" * 33, "state must be 128 bits in hexadecimal"),
        (("random_generator", "uinteger"), 2**32, "uinteger must be a whole number"),
        (("history", "every"), 3, "every must be a power of two that leaves 4096 rows at most; got 3."),
        (("history", "every"), 0, "every must be a whole number"),
        (("history", "every"), 2, "history.csv must have 11 rows of numbers; got 20."),
        (("history", "curves_every"), 2, "curves.npy must be (10, 3) in this experiment; got (20, 3)."),
        (("experiment", "H"), "9999", "an experiment that can be run; got this: H=9999 (expected a whole"),
        (("experiment", "H"), 3, "H must be text; got 3."),
        (("experiment", "H"), "4", "weights/W_xh_l0.npy must be (4, 4) in this experiment; got (4, 3)."),
        (("experiment", "H"), "128", "weights/W_xh_l0.npy must be (4, 128) in this experiment; got (4, 3)."),
        (("experiment", "cell"), "lstm", "Expected weights/b_l0.npy in the archive; it is missing."),
        (("experiment", "layers"), "2", "Expected weights/W_hh_l1.npy in the archive; it is missing."),
        (("experiment", "task"), "echo", "an experiment that can be run; got this: Echo does not fit"),
        (("experiment", "T"), "4", "curves.npy must be (20, 4) in this experiment; got (20, 3)."),
        (("experiment", "other"), "4", "got this: other (unknown)."),
    ],
)
def test_a_record_that_is_wrong_is_told_in_words(
    saved: bytes, path: tuple[str | int, ...], value: Any, sentence: str
) -> None:
    assert sentence in refusal(with_record(saved, *path, value=value))


HH = "weights/W_hh_l0.npy"


class Trap:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (HH, npy(np.zeros((99, 99))), f"{HH} may have 1,096 bytes; got 78,536 bytes."),
        (HH, npy(np.zeros((3, 4))), f"{HH} must be (3, 3) in this experiment; got (3, 4)."),
        (HH, npy(np.zeros((4, 2))), f"{HH} must be (3, 3) in this experiment; got (4, 2)."),
        (HH, npy(np.zeros(9)), "got (9,)."),
        (HH, npy(np.zeros((3, 3), np.float32)), "must hold float64 by rows; got float32."),
        (HH, npy(np.zeros((3, 3), np.int64)), "got int64."),
        (HH, npy(np.zeros((3, 3), ">f8")), "must hold float64 by rows"),
        (HH, npy(np.zeros((3, 3), "F"))[:200], "got complex numbers."),
        (HH, npy(np.asfortranarray(np.eye(3) + 1)), "got float64 by columns."),
        (HH, npy(np.array([[Trap()]]), allow_pickle=True), "got pickled objects."),
        (HH, npy(np.full((3, 3), np.nan)), "must hold finite numbers; got others among them."),
        (HH, npy(np.full((3, 3), np.inf)), "must hold finite numbers"),
        (HH, npy(np.zeros((3, 3)))[:-1], "must have 72 bytes of numbers; got 71."),
        (HH, pickle.dumps(np.zeros(3)), "without its header"),
        (HH, bytes(3_000), "may have"),
        ("moments/second.npy", npy(-np.ones(46)), "must"),
        ("moments/first.npy", npy(np.zeros((46, 1))), "must be ("),
        ("curves.npy", npy(np.zeros((20, 2))), "curves.npy must be (20, 3)"),
        ("run.json", b"[]", '"format": "rnnviz run"'),
        ("run.json", b"[" * 100_000, "run.json must be JSON"),
        ("run.json", b'{"format": ' * 100_000, "run.json must be JSON"),
        ("run.json", b'{"format": NaN}', "run.json must be JSON"),
        ("run.json", b"\xff", "run.json must be JSON"),
        ("run.json", b" " * (LARGEST_JSON + 1), "run.json may have 3 MB; got 3.1 MB."),
        ("history.csv", b"", "history.csv must begin with step,loss,"),
        ("history.csv", b"a" * 100_000, "history.csv may have"),
        ("../../etc/passwd", b"root", "only; got ../../etc/passwd as well."),
        ("/tmp/x<script>.npy", b"", "got /tmp/x?script?.npy as well."),  # noqa: S108
        ("weights/W_hh_l7.npy", npy(np.zeros(3)), "as well."),
    ],
)
def test_an_entry_that_is_wrong_is_told_in_words(
    saved: bytes, name: str, content: bytes, sentence: str
) -> None:
    assert sentence in refusal(with_member(saved, name, content))


@pytest.mark.parametrize("depth", [500, 5_000, 50_000])
def test_a_deep_record_is_refused(saved: bytes, depth: int) -> None:
    text = members_of(saved)["run.json"].decode()
    for key in ("updates", "metric", "solved_at", "optimizer_count"):
        deep = re.sub(rf'"{key}": [^,\n]+', f'"{key}": {"[" * depth}{"]" * depth}', text)
        assert deep != text
        refusal(with_member(saved, "run.json", deep.encode()))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n5,", "\n6,"),
        lambda text: text.replace("step,loss", "loss,step"),
        lambda text: text + "20,1,1,1,1\n",
        lambda text: text.rsplit("\n", 2)[0] + "\n",
        lambda text: re.sub(r"\n7,[^,]*,", "\n7,nan,", text),
        lambda text: re.sub(r"\n7,[^,]*,", "\n7,inf,", text),
        lambda text: re.sub(r"\n7,[^,]*,", "\n7,=cmd|' /C calc'!A0,", text),
        lambda text: re.sub(r"\n7,[^,]*,", "\n7,1_0,", text),
        lambda text: re.sub(r"\n7,[^,]*,", "\n7,٣,", text),
        lambda text: re.sub(r"\n7,[^,]*,", "\n7,,", text),
        lambda text: text.replace(",", ";"),
    ],
)
def test_a_table_that_is_wrong_is_refused(saved: bytes, change: Callable[[str], str]) -> None:
    text = members_of(saved)["history.csv"].decode()
    changed = change(text)
    assert changed != text
    assert refusal(with_member(saved, "history.csv", changed.encode())).startswith("history.csv must ")


def test_an_entry_that_is_missing_is_named(saved: bytes) -> None:
    members = members_of(saved)
    for name in sorted(set(members) - {"README.txt"}):
        assert name in refusal(zipped({n: content for n, content in members.items() if n != name}))
    open_run(zipped({n: content for n, content in members.items() if n != "README.txt"}))


def test_a_name_that_is_there_twice_is_refused(saved: bytes) -> None:
    file = io.BytesIO(saved)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(HH, npy(np.zeros((3, 3))))
    assert f"got {HH} twice" in refusal(file.getvalue())


def test_other_archives_are_named(saved: bytes) -> None:
    assert "Expected an archive with run.json; got one with [Content" not in refusal(zipped({"a.xml": b""}))
    assert "got one with a.xml" in refusal(zipped({"a.xml": b""}))
    assert "got an empty one" in refusal(zipped({}))
    assert "deflated" in refusal(zipped(members_of(saved), zipfile.ZIP_LZMA))
    assert f"may have {LARGEST_FILE // 10**6} MB; got 44.1 MB" in refusal(bytes(LARGEST_FILE + 1))


def peak_of_refusing(data: bytes) -> int:
    """Peak memory in bytes while a file is refused."""
    tracemalloc.start()
    try:
        refusal(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def bomb(saved: bytes) -> bytes:
    """A run with 100 MB of zeros in one entry, 100 kB packed."""
    file = io.BytesIO(zipped({name: c for name, c in members_of(saved).items() if name != HH}))
    with (
        zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(HH, "w") as member,
    ):
        for _ in range(100):
            member.write(bytes(1_000_000))
    return file.getvalue()


def test_a_zip_bomb_is_not_unpacked(bomb: bytes) -> None:
    assert "Unpacked, a run may have 44 MB; got 100.1 MB." in refusal(bomb)
    assert peak_of_refusing(bomb) < PEAK


@pytest.mark.parametrize("told_size", [10, 200, 1_000, 40_000_000])
def test_a_zip_bomb_that_tells_a_small_size_is_not_unpacked_beyond_it(bomb: bytes, told_size: int) -> None:
    lying = bomb.replace(struct.pack("<L", 100_000_000), struct.pack("<L", told_size))
    assert lying != bomb
    assert refusal(lying).startswith(HH)
    assert peak_of_refusing(lying) < PEAK


def test_a_directory_of_very_many_entries_is_not_read() -> None:
    entry = b"PK\x01\x02" + bytes(42)
    count = 200_000
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 65535, 65535, count * len(entry), 0, 0)
    began = time.perf_counter()
    assert "64 entries; got more" in refusal(entry * count + end)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "shape", ["(1000000, 1000000)", "(10**12,)", "(-1, -1)", f"({'9' * 300},)", "((2, 2),)"]
)
def test_a_header_cannot_claim_more_than_there_is(saved: bytes, shape: str) -> None:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    lying = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(72)
    data = with_member(saved, HH, lying)
    assert refusal(data).startswith(f"{HH} must ")
    assert peak_of_refusing(data) < PEAK


def test_a_moment_may_have_overflowed_but_not_be_missing(saved: bytes) -> None:
    count = start(TINY).params.count
    opened = open_run(with_member(saved, "moments/second.npy", npy(np.full(count, np.inf))))
    assert math.isinf(opened.state.moments.second[0])
    assert "numbers from 0 on" in refusal(
        with_member(saved, "moments/second.npy", npy(np.full(count, np.nan)))
    )
