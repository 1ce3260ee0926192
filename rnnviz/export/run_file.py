"""A run as a .zip file: saved with all that training needs, and opened again with care.

Training goes on from an opened run as if it had not been interrupted, bit for bit. A file comes from a
stranger: the shape of every array follows from the experiment, and nothing is unpacked beyond it.
"""

from __future__ import annotations

import io
import json
import math
import re
import sys
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from rnnviz.applications.archive import (
    BROKEN_ZIP,
    kind_told,
    npy_header,
    shape_told,
    size_told,
    told,
    unpacked,
)
from rnnviz.experiment import Choice, Experiment, choices
from rnnviz.experiment.links import from_params, tame, to_params
from rnnviz.model.arrays import Array
from rnnviz.model.network import Params
from rnnviz.model.optimizers import Moments
from rnnviz.tasks import TASKS
from rnnviz.training.history import COLUMNS, MAX_CURVES, MAX_ROWS, History
from rnnviz.training.loop import Run
from rnnviz.training.state import Divergence, TrainingState, Tuning

FORMAT, VERSION = "rnnviz run", 1
"""What run.json says of itself. A later version is for files that this code would read wrongly."""

RNNVIZ = "1.0.0"
"""The version of rnnviz that is written into a file, for people; a test compares it with pyproject.toml."""

LARGEST_FILE = 44_000_000
"""Bytes, packed and unpacked: three LSTM layers of 128 units that read and write 2,000 different letters."""

LARGEST_JSON = 3_000_000
"""Bytes of run.json: a series of your own may have 100,000 numbers."""

LONGEST_ROW = 160
"""Characters of a row of history.csv: four numbers of 24 characters at most, and the step."""

MOST_ENTRIES = 64
"""Files in the archive: an LRU of three layers has 38 arrays of weights."""

MOST_UPDATES = 10**12

WHAT_DIVERGES = ("hidden state", "loss", "gradient", "weights")

HEADER_ROOM = 1024
"""Bytes before the numbers of an .npy file, at most."""

AGAIN = "Save the run again and leave the file as it is."

_NUMBER = r"(?:-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|inf)|nan)"
_ROW = re.compile(rf"([0-9]{{1,13}}),({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})")
_BITS = re.compile("0x[0-9a-f]{1,32}")

README = """\
A run of rnnviz: $title, $updates.

run.json     the experiment (as the parameters of a link), changes of the learning rate during the run,
             the held-out metric, and the state of the random generator (NumPy's PCG64)
history.csv  loss, metric and gradient norms by update, at most 4,096 rows
curves.npy   ||dL/dh_t|| over time, one row for each update that was kept, one column for each step
weights/     one array each; _l0 is the lowest layer
moments/     the optimizer's first and second moments, all weights in one vector: layer by layer, in the
             order $order

All numbers are float64. np.load("weights/W_hy.npy") reads an array of the unpacked archive. rnnviz opens the
archive itself: rnnviz.export.run_file.open_run(data).
"""


# Saving -------------------------------------------------------------------------------------------


def save_run(e: Experiment, state: TrainingState) -> bytes:
    """Return the bytes of a .zip file that ``open_run`` reads; equal runs give equal bytes.

    state : of a run of ``e``, with its history.
    """
    history, names = state.history, _weight_names(state.params)
    members = {
        "README.txt": _readme(e, state).encode(),
        "run.json": json.dumps(_record(e, state), indent=1, allow_nan=False).encode(),
        "history.csv": _table(history).encode(),
        "curves.npy": _npy(history.curves().to_numpy()),
        **{
            f"weights/{name}.npy": _npy(array)
            for name, array in zip(names, state.params.arrays(), strict=True)
        },
        "moments/first.npy": _npy(state.moments.first),
        "moments/second.npy": _npy(state.moments.second),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(_dateless(name), content)
    return packed.getvalue()


def _dateless(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)  # of 1980
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _record(e: Experiment, state: TrainingState) -> dict[str, Any]:
    """Return what run.json holds."""
    rng, fault = state.rng, state.divergence
    every, curves_every = state.history.strides
    return {
        "format": FORMAT,
        "version": VERSION,
        "rnnviz": RNNVIZ,
        "experiment": to_params(e),
        "updates": state.step,
        "metric": state.metric if math.isfinite(state.metric) else repr(float(state.metric)),
        "solved_at": state.solved_at,
        "divergence": fault and {"what": fault.what, "value": fault.value, "time_step": fault.time_step},
        "tunings": [vars(tuning) for tuning in state.tunings],
        "random_generator": {
            "kind": rng["bit_generator"],
            "state": hex(rng["state"]["state"]),
            "increment": hex(rng["state"]["inc"]),
            "has_uint32": rng["has_uint32"],
            "uinteger": rng["uinteger"],
        },
        "optimizer_count": state.moments.count,
        "history": {"every": every, "curves_every": curves_every},
    }


def _readme(e: Experiment, state: TrainingState) -> str:
    updates = "1 update" if state.step == 1 else f"{state.step:,} updates"
    order = " ".join(f.name for f in fields(state.params.layers[0]))
    text = README.replace("$title", TASKS[e.task].title).replace("$updates", updates)
    return text.replace("$order", f"{order}; then W_hy b_y")


def _weight_names(params: Params) -> list[str]:
    """Return a name for each of ``Params.arrays``."""
    inner = [f"{f.name}_l{i}" for i, layer in enumerate(params.layers) for f in fields(layer)]
    return [*inner, "W_hy", "b_y"]


def _table(history: History) -> str:
    """Return the measurements as CSV; repr loses no bit."""
    columns = [column.tolist() for column in history.columns.values()]
    rows = (f"{int(step)},{','.join(map(repr, values))}" for step, *values in zip(*columns, strict=True))
    return "\n".join([",".join(COLUMNS), *rows, ""])


def _npy(array: Array) -> bytes:
    written = io.BytesIO()
    np.save(written, np.ascontiguousarray(array, "<f8"), allow_pickle=False)
    return written.getvalue()


# Opening ------------------------------------------------------------------------------------------


def open_run(data: bytes) -> Run:
    """Return the experiment and the state in a file of ``save_run``.

    Options that the experiment's task does not read have their defaults, as in a link.

    Raises
    ------
    ValueError
        For anything else, in a sentence that says what was expected, what came, and what to do.
    """
    with _opened(data) as archive:
        members = _members(archive)
        record = _parsed(unpacked(archive, members["run.json"], "run.json", AGAIN))
        e = _experiment(record)
        blank = e.init(e.rng("weights"))
        names = _weight_names(blank)
        _check_names(members, [f"weights/{name}.npy" for name in names])
        state = _without_arrays(e, record, blank)
        flat = [
            _array(archive, members, f"weights/{name}.npy", array.shape)
            for name, array in zip(names, blank.arrays(), strict=True)
        ]
        for name, array in zip(names, flat, strict=True):
            _check_all(np.isfinite(array), f"weights/{name}.npy", "finite numbers")
        moments = _moments(archive, members, record, blank.count, state.step)
        history = _history(archive, members, e, record, state)
    params = blank.with_flat(np.concatenate([array.ravel() for array in flat]))
    whole = TrainingState(
        state.step,
        params,
        moments,
        state.rng,
        history,
        state.metric,
        state.solved_at,
        state.divergence,
        state.tunings,
    )
    return Run(e, whole)


def _opened(data: bytes) -> zipfile.ZipFile:
    if len(data) > LARGEST_FILE:
        raise ValueError(
            f"The file of a run may have {size_told(LARGEST_FILE)}; got {size_told(len(data))}. "
            "Choose a .zip file that was saved by rnnviz."
        )
    if data.count(b"PK\x01\x02") > 2 * MOST_ENTRIES:  # as every entry begins; reading them would take memory
        raise ValueError(
            f"The file of a run may hold {MOST_ENTRIES} entries; got more. "
            "Choose a .zip file that was saved by rnnviz."
        )
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except BROKEN_ZIP:
        came = "an empty file" if not data else f"{size_told(len(data))} that are no complete zip archive"
        raise ValueError(
            f"Expected a run as a .zip file; got {came}. Choose a file that was saved by rnnviz."
        ) from None


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of an archive by name, unopened; run.json is among them, and not too large."""
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        raise ValueError(f"The file of a run may hold {MOST_ENTRIES} entries; got {len(infos)}. {AGAIN}")
    whole = sum(info.file_size for info in infos)
    if whole > LARGEST_FILE:
        raise ValueError(
            f"Unpacked, a run may have {size_told(LARGEST_FILE)}; got {size_told(whole)}. {AGAIN}"
        )
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if info.filename in members:
            raise ValueError(f"Every entry must be there once; got {told(info.filename)} twice. {AGAIN}")
        members[info.filename] = info
    if "run.json" not in members:
        first = f"one with {told(infos[0].filename)}" if infos else "an empty one"
        raise ValueError(
            f"Expected an archive with run.json; got {first}. Choose a file that was saved by rnnviz."
        )
    _check_size(members["run.json"], LARGEST_JSON)
    return members


def _check_size(info: zipfile.ZipInfo, most: int) -> None:
    if info.file_size > most:
        raise ValueError(
            f"{told(info.filename)} may have {size_told(most)}; got {size_told(info.file_size)}. {AGAIN}"
        )


def _check_names(members: Collection[str], weights: Collection[str]) -> None:
    """Refuse an archive that lacks an entry or has a foreign one; README.txt is not read."""
    needed = {"run.json", "history.csv", "curves.npy", "moments/first.npy", "moments/second.npy", *weights}
    if missing := sorted(needed - set(members)):
        raise ValueError(f"Expected {missing[0]} in the archive; it is missing. {AGAIN}")
    if foreign := sorted(set(members) - needed - {"README.txt"}):
        raise ValueError(f"Expected the files of this run only; got {told(foreign[0])} as well. {AGAIN}")


def _parsed(raw: bytes) -> dict[str, Any]:
    """Return run.json, which is of this format and of a version that can be read."""
    try:
        record = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError(
            f"run.json must be JSON; got {size_told(len(raw))} of something else. {AGAIN}"
        ) from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(
            f'run.json must say "format": "{FORMAT}"; it does not. Choose a file that was saved by rnnviz.'
        )
    version = _value(record, "version", _whole(1, MOST_UPDATES))
    if version > VERSION:
        raise ValueError(
            f"Expected a run in format {VERSION}; got format {version}, of a newer rnnviz. "
            "Update rnnviz, then open the file."
        )
    return record


def _refuse_constant(name: str) -> None:
    raise ValueError(f"expected JSON; got {name}")


def _whole(low: int, high: int, optional: bool = False) -> Choice:
    return Choice("", "", "integer", low, high, optional=optional)


def _named(names: Collection[str]) -> Choice:
    return Choice("", "", "name", names=names)


def _value(record: Mapping[str, Any], key: str, choice: Choice) -> Any:
    """Return an entry of a JSON object, checked."""
    if key not in record:
        raise ValueError(f"run.json must have {key}, {choice.expected}; it is missing. {AGAIN}")
    value = record[key]
    try:
        if isinstance(value, list | dict):
            raise ValueError
        return choice.check(key, value)
    except ValueError:
        raise ValueError(f"run.json: {key} must be {choice.expected}; got {_came(value)}. {AGAIN}") from None


def _inner(record: Mapping[str, Any], key: str, kind: type, what: str) -> Any:
    """Return an entry that is itself an object or a list."""
    if not isinstance(record.get(key), kind):
        raise ValueError(f"run.json must have {key}, {what}; got {_came(record.get(key))}. {AGAIN}")
    return record[key]


def _came(value: Any) -> str:
    """Return a value of JSON as it is told; lists and objects can be deep."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return "nothing" if value is None else tame(repr(value))


def _experiment(record: Mapping[str, Any]) -> Experiment:
    """Return the experiment, which must be whole and valid as it stands."""
    told_params = _inner(record, "experiment", dict, "the parameters of a link")
    for name, value in told_params.items():
        if not isinstance(value, str) or not _encodable(name + value):
            raise ValueError(f"run.json: {tame(name)} must be text; got {_came(value)}. {AGAIN}")
    opened = from_params(told_params)
    if problems := [*opened.ignored, *opened.adjusted]:
        problem = problems[0].rstrip(".")
        raise ValueError(f"run.json must hold an experiment that can be run; got this: {problem}. {AGAIN}")
    if missing := sorted(set(to_params(opened.experiment)) - set(told_params)):
        raise ValueError(f"run.json must hold a whole experiment; {missing[0]} is missing. {AGAIN}")
    return opened.experiment


def _encodable(text: str) -> bool:
    """Return whether a text is Unicode without lone surrogates, which JSON can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _without_arrays(e: Experiment, record: Mapping[str, Any], blank: Params) -> TrainingState:
    """Return the state that run.json tells, with placeholders for weights, moments and history."""
    step = _value(record, "updates", _whole(0, MOST_UPDATES))
    divergence = _divergence(e, record, step)
    return TrainingState(
        step,
        blank,
        Moments.zero(0),
        _generator(_inner(record, "random_generator", dict, "a state of NumPy's PCG64")),
        History(e.seq_len),
        _metric(record),
        _value(record, "solved_at", _whole(0, step, optional=True)),
        divergence,
        _tunings(record, step, trained=step > 0 or divergence is not None),
    )


def _metric(record: Mapping[str, Any]) -> float:
    if record.get("metric") in ("nan", "inf", "-inf"):
        return float(record["metric"])
    return float(_value(record, "metric", Choice("", "", "number", -sys.float_info.max, sys.float_info.max)))


def _divergence(e: Experiment, record: Mapping[str, Any], step: int) -> Divergence | None:
    if "divergence" in record and record["divergence"] is None:
        return None
    fault = _inner(record, "divergence", dict, "an object or null")
    return Divergence(
        step,
        _value(fault, "what", _named(WHAT_DIVERGES)),
        _value(fault, "value", _named(("inf", "nan"))),
        _value(fault, "time_step", _whole(1, e.seq_len, optional=True)),
    )


def _tunings(record: Mapping[str, Any], step: int, trained: bool) -> tuple[Tuning, ...]:
    """Return the learning rates and thresholds in force, by ascending update."""
    found: list[Tuning] = []
    for tuning in _inner(record, "tunings", list, "a list"):
        if not isinstance(tuning, dict):
            raise ValueError(f"run.json: tunings must be objects; got {_came(tuning)}. {AGAIN}")
        earliest = found[-1].step + 1 if found else 0
        latest = step if found else 0
        found.append(
            Tuning(
                _value(tuning, "step", _whole(earliest, latest)),
                _value(tuning, "learning_rate", choices()["learning_rate"]),
                _value(tuning, "clip_norm", choices()["clip_norm"]),
            )
        )
    if trained and not found:
        raise ValueError(f"run.json: tunings must begin with the first learning rate; got none. {AGAIN}")
    return tuple(found)


def _generator(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state as NumPy's PCG64 takes it."""
    bits = {}
    for key in ("state", "increment"):
        text = record.get(key)
        if not isinstance(text, str) or not _BITS.fullmatch(text):
            raise ValueError(f"run.json: {key} must be 128 bits in hexadecimal; got {_came(text)}. {AGAIN}")
        bits[key] = int(text, 16)
    return {
        "bit_generator": _value(record, "kind", _named(("PCG64",))),
        "state": {"state": bits["state"], "inc": bits["increment"]},
        "has_uint32": _value(record, "has_uint32", _whole(0, 1)),
        "uinteger": _value(record, "uinteger", _whole(0, 2**32 - 1)),
    }


def _moments(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    record: Mapping[str, Any],
    size: int,
    step: int,
) -> Moments:
    first = _array(archive, members, "moments/first.npy", (size,))
    second = _array(archive, members, "moments/second.npy", (size,))
    _check_all(np.isfinite(first), "moments/first.npy", "finite numbers")
    _check_all(second >= 0.0, "moments/second.npy", "numbers from 0 on")  # inf: a huge gradient, squared
    return Moments(first, second, _value(record, "optimizer_count", _whole(step, step)))


def _check_all(good: Any, name: str, expected: str) -> None:
    if not good.all():
        raise ValueError(f"{name} must hold {expected}; got others among them. {AGAIN}")


def _array(
    archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str, shape: tuple[int, ...]
) -> Array:
    """Return an array, which has this shape and is of float64."""
    size = 8 * math.prod(shape)
    _check_size(members[name], size + HEADER_ROOM)
    raw = unpacked(archive, members[name], name, AGAIN)
    came, fortran_order, dtype, start = npy_header(raw, name, AGAIN)
    if dtype != np.dtype("<f8") or fortran_order:
        kind = dtype.name if dtype.kind in "fiu" else kind_told(dtype)
        order = " by columns" if fortran_order else ""
        raise ValueError(f"{name} must hold float64 by rows; got {kind}{order}. {AGAIN}")
    if came != shape:
        raise ValueError(f"{name} must be {shape} in this experiment; got {shape_told(came)}. {AGAIN}")
    if len(raw) - start != size:
        raise ValueError(f"{name} must have {size} bytes of numbers; got {len(raw) - start}. {AGAIN}")
    return np.frombuffer(raw, "<f8", offset=start).astype(np.float64).reshape(shape)


def _history(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    e: Experiment,
    record: Mapping[str, Any],
    state: TrainingState,
) -> History:
    """Return the measurements; which updates they are of follows from the number of updates."""
    made = state.step + (state.divergence is not None)  # the update that failed was measured too
    strides = _inner(record, "history", dict, "an object")
    every = _stride(strides, "every", made, MAX_ROWS)
    curves_every = _stride(strides, "curves_every", made, MAX_CURVES)
    steps = list(range(0, made, every))
    if made and steps[-1] != made - 1:
        steps.append(made - 1)
    _check_size(members["history.csv"], LONGEST_ROW * (len(steps) + 1))
    rows = _rows(unpacked(archive, members["history.csv"], "history.csv", AGAIN), steps)
    sound = rows[:-1] if state.divergence else rows
    _check_all(np.isfinite(sound[:, [1, 3, 4]]), "history.csv", "finite losses and norms")
    curves = _array(archive, members, "curves.npy", (-(-made // curves_every), e.seq_len))
    return History.restored(rows, curves, (every, curves_every))


def _stride(record: Mapping[str, Any], key: str, made: int, most: int) -> int:
    """Return the distance of kept updates: a power of two at which they are not too many."""
    stride = int(_value(record, key, _whole(1, 2 * MOST_UPDATES)))
    if stride & (stride - 1) or -(-made // stride) > most:
        raise ValueError(
            f"run.json: {key} must be a power of two that leaves {most} rows at most; got {stride}. {AGAIN}"
        )
    return stride


def _rows(raw: bytes, steps: list[int]) -> Array:
    """Return history.csv as an array, a row for each of ``steps``."""
    head, *lines = raw.decode("ascii", errors="replace").splitlines() or [""]
    if head != ",".join(COLUMNS):
        raise ValueError(f"history.csv must begin with {','.join(COLUMNS)}; got {tame(head)}. {AGAIN}")
    if len(lines) != len(steps):
        raise ValueError(f"history.csv must have {len(steps):,} rows of numbers; got {len(lines):,}. {AGAIN}")
    rows = np.empty((len(steps), len(COLUMNS)))
    for i, (step, line) in enumerate(zip(steps, lines, strict=True)):
        found = _ROW.fullmatch(line)
        if not found or int(found[1]) != step:
            raise ValueError(
                f"history.csv must have update {step} and four numbers in row {i + 1}; got {tame(line)}. "
                f"{AGAIN}"
            )
        rows[i] = [float(part) for part in found.groups()]
    return rows
