"""Scripts that are taken home make the same updates as rnnviz, in a process that does not have it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from rnnviz import CELLS, OPTIMIZERS, PRESETS, TASKS, Experiment, gradient_flow, train
from rnnviz.experiment.fitting import nearest
from rnnviz.export.code import notebook, numpy_script, pytorch_script
from rnnviz.tasks.digits import digits

ROOT = Path(__file__).parents[2]
UPDATES = 12

STAND_IN = f"""
import numpy as np


def load_digits(return_X_y):
    with np.load({str(ROOT / "rnnviz/tasks/data/digits.npz")!r}) as data:
        return data["images"].astype(float), data["labels"].astype(int)
"""
"""scikit-learn's digits, which are those of rnnviz: see test_the_digits_are_those_of_scikit_learn."""

RUN_ALL = """
import contextlib, io, json, runpy, sys
sys.path.insert(0, ".")
found = []
for path in sys.argv[1:]:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        names = runpy.run_path(path)
    found.append([names["losses"], [float(size) for size in names["curve"]], told.getvalue()])
assert "rnnviz" not in sys.modules
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Ran:
    """What a script left."""

    losses: list[float]
    curve: list[float]
    told: str


def run_scripts(scripts: list[str], folder: Path) -> list[Ran]:
    """Run scripts one after the other in a process of their own, without rnnviz on its path."""
    (folder / "sklearn").mkdir()
    (folder / "sklearn" / "__init__.py").touch()
    (folder / "sklearn" / "datasets.py").write_text(STAND_IN)
    names = [f"script_{n}.py" for n in range(len(scripts))]
    for name, script in zip(names, scripts, strict=True):
        (folder / name).write_text(script, encoding="utf-8")
    command = [sys.executable, "-I", "-c", RUN_ALL, *names]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=folder, env=one_thread, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return [Ran(*found) for found in json.loads(ended.stdout)]


def experiments() -> Iterator[Experiment]:
    """Every cell with every initialisation, every task with every topology, and other settings."""
    echo: dict[str, Any] = {"task": "echo", "topology": "many-to-many", "seq_len": 12, "hidden_size": 5}
    for name, cell in CELLS.items():
        for init in cell.inits:
            yield Experiment(**echo, cell=name, init=init, gain=1.3, delay=2)
        yield Experiment(
            task="copy", topology="sequence-to-sequence", seq_len=9, hidden_size=5, cell=name, layers=3,
            truncate=4, feedback=True, optimizer="rmsprop",
        )  # fmt: skip
    for activation in ("relu", "sigmoid", "linear"):
        for cell in ("vanilla", "feed-forward"):
            yield Experiment(
                cell=cell, activation=activation, seq_len=6, optimizer="momentum", clip_norm=None
            )
    for name, task in TASKS.items():
        for topology in task.fits:
            yield Experiment(
                task=name, topology=topology, seq_len=task.usual_length, hidden_size=6, optimizer="sgd",
                learning_rate=0.1,
            )  # fmt: skip
    yield from of_data()


def of_data() -> Iterator[Experiment]:
    """Every set of data that a task can have."""
    steady, wild = range(1, 60), (n * n % 17 for n in range(1, 60))
    series: dict[str, Any] = {"task": "series", "topology": "many-to-many", "seq_len": 5}
    yield Experiment(**series, series="stock")
    for values in (steady, wild):
        yield Experiment(**series, series="own", data=" ".join(map(str, values)))
    yield Experiment(task="sunspots", topology="many-to-many", seq_len=12, jitter=0.3, feedback=True)
    text: dict[str, Any] = {"task": "characters", "topology": "many-to-many", "seq_len": 9}
    for corpus in ("hello", "countries", "opinions"):
        yield Experiment(**text, corpus=corpus)
    for own in ("He said hello", 'He said "hm, it\'s\n $5" and' * 9, "“no”\t'nein'\\\n# %% a \"b\"\x00é"):
        yield Experiment(**text, corpus="own", text=own)
    yield Experiment(task="sentiment", seq_len=20, grammar="reports")
    yield Experiment(task="translation", topology="sequence-to-sequence", seq_len=9, target="german", seed=7)
    for language in ("french", "german"):
        yield Experiment(task="captions", topology="one-to-many", seq_len=9, language=language, noise=0.3)


ALL = list(experiments())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scripts")


@pytest.fixture(scope="module")
def ran(folder: Path) -> list[Ran]:
    return run_scripts([numpy_script(e, UPDATES) for e in ALL], folder)


def name_of(e: Experiment) -> str:
    return f"{e.task}-{e.topology}-{e.cell}-{e.init}-{e.activation}-{e.layers}"


def compare(e: Experiment, found: Ran, updates: int) -> None:
    run = train(e, updates)
    np.testing.assert_allclose(found.losses, run.history["loss"], rtol=1e-9, atol=1e-9)
    expected = gradient_flow(e, run.params).total
    np.testing.assert_allclose(found.curve, expected, rtol=1e-6, atol=1e-280)


@pytest.mark.parametrize("n", range(len(ALL)), ids=map(name_of, ALL))
def test_a_numpy_script_makes_the_same_updates_and_ends_with_the_same_gradient(
    n: int, ran: list[Ran]
) -> None:
    compare(ALL[n], ran[n], UPDATES)


def test_the_spread_has_every_cell_task_and_optimizer() -> None:
    assert {e.cell for e in ALL} == set(CELLS)
    assert {e.task for e in ALL} == set(TASKS)
    assert {e.optimizer for e in ALL} == set(OPTIMIZERS)


def test_thirty_updates_of_every_scenario_are_the_same(tmp_path: Path) -> None:
    """Where the gradient explodes, rounding errors do as well: five."""
    known = [preset.experiment for preset in PRESETS.values()]
    for e, found in zip(known, run_scripts([numpy_script(e, 30) for e in known], tmp_path), strict=True):
        size = 5 if gradient_flow(e).verdict == "exploding" else 30
        losses = train(e, size).history["loss"]
        np.testing.assert_allclose(found.losses[:size], losses, rtol=1e-9, atol=1e-9, err_msg=str(e))


def test_a_script_says_how_it_goes_and_prints_the_curve(ran: list[Ran]) -> None:
    e = next(e for e in ALL if e.task == "recall" and e.optimizer == "sgd")
    lines = ran[ALL.index(e)].told.splitlines()
    assert lines[0].startswith("update     1   loss ")
    assert lines[0].endswith("%")
    assert [line.split(" = ")[0] for line in lines[-e.seq_len :]] == [
        f"||dL/dh_{t}||" for t in range(1, e.seq_len + 1)
    ]


def test_a_script_stops_where_numbers_overflow(tmp_path: Path) -> None:
    e = Experiment(
        seq_len=200, activation="linear", init="scaled-gaussian", gain=10.0, clip_norm=None, optimizer="sgd"
    )
    (found,) = run_scripts([numpy_script(e, 9)], tmp_path)
    assert "the loss overflowed" in found.told
    assert len(found.losses) < 9


@pytest.mark.parametrize("kind", [numpy_script, pytorch_script])
def test_scripts_are_formatted_and_have_no_unused_names(kind: Any, tmp_path: Path) -> None:
    for n, e in enumerate(ALL):
        (tmp_path / f"script_{n}.py").write_text(kind(e, UPDATES), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    common = ["--isolated", "--no-cache", "--line-length", "100", str(tmp_path)]
    for command in (["format", "--diff"], ["check", "--select", "E,F,I,W", "--ignore", "E741"]):
        ended = subprocess.run([*ruff, *command, *common], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout[:4000]


@pytest.mark.parametrize("kind", [numpy_script, pytorch_script])
def test_no_script_needs_or_names_the_library(kind: Any) -> None:
    for e in ALL:
        assert "rnnviz" not in kind(e, UPDATES)


def test_every_constant_of_a_script_is_used() -> None:
    for e in ALL:
        script = numpy_script(e, UPDATES)
        section = script[script.index("# %% Settings") : script.index("# %% Data")]
        for line in section.splitlines()[2:]:
            name = line.split(" = ")[0]
            assert not name or script.count(name) > 1, name


@given(st.data())
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # smaller examples say no more
    suppress_health_check=list(HealthCheck),
)
def test_any_experiment_is_repeated(data: Any) -> None:
    """Where gradients do not explode, and rounding errors with them. In this process, which is faster."""
    task = data.draw(st.sampled_from([name for name in TASKS if name not in ("digits", "captions")]))
    cell = data.draw(st.sampled_from(sorted(CELLS)))
    e, _ = nearest(
        {
            "task": task,
            "cell": cell,
            "topology": data.draw(st.sampled_from(TASKS[task].fits)),
            "init": data.draw(st.sampled_from(CELLS[cell].inits)),
            "activation": data.draw(st.sampled_from(CELLS[cell].activations)),
            "optimizer": data.draw(st.sampled_from(sorted(OPTIMIZERS))),
            "layers": data.draw(st.integers(1, 3)),
            "seq_len": data.draw(st.integers(1, 30)),
            "hidden_size": data.draw(st.integers(2, 9)),
            "batch_size": data.draw(st.integers(1, 5)),
            "truncate": data.draw(st.none() | st.integers(1, 12)),
            "clip_norm": data.draw(st.sampled_from([0.01, 1.0])),
            "gain": data.draw(st.sampled_from([0.0, 0.5, 1.0])),
            "seed": data.draw(st.integers(0, 2**31 - 1)),
            "symbols": data.draw(st.integers(2, 5)),
            "feedback": data.draw(st.booleans()),
        },
        first=("task", "cell", "topology"),
    )
    assume(gradient_flow(e).verdict != "exploding")
    names: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()):
        exec(compile(numpy_script(e, 4), "script", "exec"), names)  # noqa: S102 - our own code
    run = train(e, 4)
    np.testing.assert_allclose(names["losses"], run.history["loss"], rtol=1e-9, atol=1e-9)
    expected = gradient_flow(e, run.params).total
    np.testing.assert_allclose(names["curve"], expected, rtol=1e-6, atol=1e-6 * expected.max())


def test_the_digits_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    np.testing.assert_array_equal(images / 16.0, digits()[0])
    np.testing.assert_array_equal(labels, digits()[1])


def test_what_does_not_fit_into_a_script_is_refused() -> None:
    data = " ".join(str(n % 7) for n in range(4000))
    e = Experiment(task="series", topology="many-to-many", seq_len=5, series="own", data=data)
    with pytest.raises(ValueError, match="at most 2,000 values to learn from; got 3,000"):
        numpy_script(e, 1)
    with pytest.raises(ValueError, match="updates must be 1 or more; got 0"):
        pytorch_script(Experiment(), 0)


# PyTorch


TORCH = [e for e in ALL if e.layers > 1 or e.activation in ("relu", "sigmoid", "linear")]


@pytest.fixture(scope="module")
def torch_ran(tmp_path_factory: pytest.TempPathFactory) -> list[Ran]:
    pytest.importorskip("torch")
    return run_scripts([pytorch_script(e, 1) for e in TORCH], tmp_path_factory.mktemp("torch"))


@pytest.mark.parametrize("n", range(len(TORCH)), ids=map(name_of, TORCH))
def test_a_pytorch_script_finds_the_same_gradient_before_training(n: int, torch_ran: list[Ran]) -> None:
    e, found = TORCH[n], torch_ran[n]
    np.testing.assert_allclose(found.curve, gradient_flow(e).total, rtol=1e-6, atol=1e-150)
    np.testing.assert_allclose(found.losses[0], train(e, 1).history["loss"][0], rtol=1e-9)


def test_layers_of_pytorch_are_used_where_they_are_the_cell() -> None:
    for e, layer in (
        (Experiment(), "nn.RNN(I, H)"),
        (Experiment(cell="irnn"), 'nn.RNN(I, H, nonlinearity="relu")'),
        (Experiment(cell="lstm", layers=2), "nn.LSTM(I, H, LAYERS)"),
        (Experiment(cell="gru"), "nn.GRU(I, H)"),
        (Experiment(activation="sigmoid"), "class Layer(nn.Module)"),
        (Experiment(cell="lru"), "class Layer(nn.Module)"),
    ):
        assert layer in pytorch_script(e, 1)


# Notebooks


@pytest.mark.parametrize("kind", [numpy_script, pytorch_script])
def test_a_notebook_is_valid_and_has_a_heading_for_each_section(kind: Any) -> None:
    for e in ALL[::9]:
        script = kind(e, UPDATES)
        book = nbformat.reads(notebook(script, "Recall"), as_version=4)
        nbformat.validate(book)
        headings = [cell.source.split("\n")[0] for cell in book.cells if cell.cell_type == "markdown"]
        sections = [line.removeprefix("# %% ") for line in script.splitlines() if line.startswith("# %%")]
        assert headings == ["# Recall", *(f"## {section}" for section in sections)]
        assert "# %%" not in "".join(cell.source for cell in book.cells if cell.cell_type == "code")


def test_the_cells_of_a_notebook_make_the_same_updates(tmp_path: Path) -> None:
    e = Experiment(cell="gru", seq_len=6)
    book = nbformat.reads(notebook(numpy_script(e, UPDATES), "Recall"), as_version=4)
    code = "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
    (found,) = run_scripts([code], tmp_path)
    compare(e, found, UPDATES)
