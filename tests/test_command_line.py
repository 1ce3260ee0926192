"""The command line gives what the library gives, refuses what a link could not hold, and survives Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnnviz
from rnnviz.analysis.shares import Share
from rnnviz.analysis.sweeps import seed_parts, seed_run
from rnnviz.command_line.export import ENDINGS
from rnnviz.command_line.main import COMMANDS, main
from rnnviz.command_line.settings import as_told, read
from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.links import VIEW_PARAMETERS, to_params
from rnnviz.export.code import notebook, numpy_script, pytorch_script
from rnnviz.export.spreadsheet import spreadsheet
from rnnviz.model.cells import CELLS
from rnnviz.teaching.presets import PRESETS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = [sys.executable, "-m", "rnnviz"]
SMALL = ["--task", "echo", "--T", "6", "--delay", "2", "--H", "8", "--seed", "3"]
E = Experiment(
    task="echo", topology="many-to-many", seq_len=6, delay=2, hidden_size=8, seed=3, init="orthogonal"
)
LONG = "1000000"
"""Updates that no test waits for."""

EXPLODES = ["--activation", "relu", "--init", "identity", "--gain", "5", "--T", "200", "--optimizer", "sgd"]


def run(*args: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*COMMAND, *args], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def at_a_terminal(
    args: list[str], until: str = "", signals: tuple[signal.Signals, ...] = ()
) -> tuple[int, str, str]:
    """Run a command with stderr on a terminal; return its exit code, its output, and what the terminal shows.

    until, signals : once the terminal shows this pattern, these are sent, to workers as well, as Ctrl-C is.
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, *args],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    while until and not re.search(until, shown):
        shown += os.read(ours, 10_000).decode()
    for number in signals:
        os.killpg(process.pid, number)
    try:
        told, _ = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    with contextlib.suppress(OSError):  # Linux ends a terminal that nobody writes to with an error
        while more := os.read(ours, 10_000).decode():
            shown += more
    os.close(ours)
    return process.returncode, told, shown


def interrupted(args: list[str], until: str) -> tuple[int, str]:
    """Press Ctrl-C once the terminal shows this pattern; return the exit code and the output."""
    code, told, shown = at_a_terminal(args, until, (signal.SIGINT,))
    assert "Traceback" not in shown, shown
    return code, told


def as_text(args: list[str]) -> dict[str, str]:
    """Options as the parameters of a link."""
    return dict(zip([a[2:] for a in args[::2]], args[1::2], strict=True))


def told_json(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> dict[str, Any]:
    assert main([*args, "--json"]) == code
    printed = capsys.readouterr()
    found: dict[str, Any] = json.loads(printed.out)
    return found


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """What is said on stderr, as nothing else is done."""
    assert main(args) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


# Importing and help


def test_help_comes_without_streamlit_and_plotly() -> None:
    code = (
        "import runpy, sys\nsys.argv = ['rnnviz', '--help']\n"
        "try: runpy.run_module('rnnviz', run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "print(code, *{name.split('.')[0] for name in sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    *told, last = ended.stdout.splitlines()
    assert last.split()[0] == "0"
    assert not {"streamlit", "plotly"} & set(last.split())
    for command in COMMANDS:
        assert any(line.split()[:1] == [command.name] for line in told), command.name


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_the_help_of_a_command_lists_every_setting(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    words = capsys.readouterr().out.split()
    for choice in choices().values():
        assert f"--{choice.url}" in words


def test_the_examples_in_the_readme_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "rnnviz.command_line.sweep.measure", lambda parts: ([seed_run(part) for part in parts], False)
    )
    lines = [line for line in README.splitlines() if line.startswith("python -m rnnviz ")]
    assert len(lines) == 3
    for line in lines:
        args = shlex.split(line, comments=True)[3:]
        assert main([*args, "--updates", "1", *(["--seeds", "2"] if args[0] == "sweep" else [])]) == 0, line
    assert "of 2 seeds" in capsys.readouterr().out
    assert (tmp_path / "run.csv").exists()


# Settings


@pytest.mark.parametrize("name", PRESETS)
def test_options_and_links_give_the_experiment_that_the_app_opens(name: str) -> None:
    e = PRESETS[name].experiment
    params = to_params(e)
    assert read(None, {url: text for url, text in params.items() if has_effect(url, e)}) == e
    query = "&".join(f"{url}={text}" for url, text in params.items())
    view = "".join(f"&{parameter}=x" for parameter in VIEW_PARAMETERS)
    assert read(f"http://localhost:8501/playground?{query}{view}&b.cell=gru&embed=true#top", {}) == e
    assert read(query, {}) == e


def has_effect(url: str, e: Experiment) -> bool:
    return url != "gain" or rnnviz.INITIALIZERS[str(e.init)].has_gain


def test_an_option_overrides_the_link_and_leaves_the_rest_as_it_is() -> None:
    link = "http://localhost:8501/playground?task=echo&T=50&cell=lstm&delay=7&seed=4"
    assert read(link, {"seed": "5", "delay": "3"}) == read(link, {}).replace(seed=5, delay=3)
    assert read("http://localhost:8501/", {}) == Experiment()


def test_a_link_to_two_networks_is_said_to_train_the_first_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert read("T=8&b.cell=gru&b.H=8", {}) == Experiment(seq_len=8)
    assert "Only A is used, without B's settings: b.cell, b.H." in capsys.readouterr().err
    read("T=8&cell=gru", {})
    assert capsys.readouterr().err == ""


def test_a_setting_that_nobody_named_follows_those_that_were(capsys: pytest.CaptureFixture[str]) -> None:
    assert read(None, {"init": "forget-1"}).cell == "lstm"
    assert "the cell is now LSTM" in capsys.readouterr().err
    assert read("T=8&cell=lstm", {"task": "echo"}).topology == "many-to-many"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--T", "0"], "T=0 (expected a whole number between 1 and 200)"),
        (["--T", "1e3"], "T=1e3 (expected a whole number between 1 and 200)"),
        (["--optimizer", "newton"], "optimizer=newton (expected one of sgd, momentum, rmsprop, adam)"),
        (["--task", "adding", "--T", "1"], "T is 2: Adding needs 2 to 200 steps."),
        (["--task", "recall", "--topology", "many-to-many"], "Recall does not fit a many-to-many network"),
        (["--cell", "gru", "--activation", "relu"], "GRU has its own activation, so ReLU is not used."),
        (["--delay", "3"], "the task recall has no option delay."),
        (["--task", "characters", "--text", "aha"], "text is read only with corpus=own."),
        (["--task", "series", "--series", "own", "--data", "1 2 3"], "Your series was not used"),
        (["--init", "glorot", "--gain", "2"], "the initialisation glorot has no gain."),
        (["--cel", "lstm"], "--cell"),
        (["--cell", "foo"], f"(expected one of {', '.join(CELLS)})"),
        (["--T", "20", "--delay", "20", "--task", "echo"], "so nothing was run. The app would change them"),
        (["--T", "20", "--delay", "20", "--task", "echo"], "To run that, write --delay 19."),
        (["--task", "series", "--series", "own", "--data", "1"], "airline and leave out --data."),
        (["nonsense"], "LINK must be an address"),
        (["http://localhost/?cell=abacus"], "cell=abacus"),
        (["http://localhost/?sell=gru"], "sell (unknown)"),
        (["http://localhost/?task=adding&T=1"], "Adding needs 2 to 200 steps."),
        (["--updates", "0"], "--updates"),
        (["--out", "run.txt"], "the name must end in .csv or .json"),
        (["--out", "no/such/folder/run.csv"], "there is no folder 'no/such/folder'"),
    ],
)
def test_wrong_use_is_refused_with_a_reason(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in " ".join(refusal(capsys, "train", *args).split())


# train


def test_training_prints_what_the_library_finds_and_writes_the_history(tmp_path: Path) -> None:
    ended = run("train", *SMALL, "--updates", "60", "--json", "--out", "run.csv", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    told, trained = json.loads(ended.stdout), rnnviz.train(E, 60)
    assert told["experiment"] == as_told(E)
    assert told["updates"] == 60
    assert told["metric"] == trained.metric
    assert told["loss"] == trained.history["loss"].iloc[-1]
    assert told["solved_at"] == trained.state.solved_at
    assert told["divergence"] is None
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "run.csv"), trained.history, rtol=1e-12)


def test_the_words_say_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    assert main(["train", "--updates", "50", "--H", "16", "--out", str(file)]) == 0
    trained = rnnviz.train(Experiment(hidden_size=16), 50)
    told = capsys.readouterr().out
    assert f"{trained.metric:.1%} held-out (chance 25.0%, goal 99.0%)" in told
    assert f"after {trained.state.solved_at} updates" in told
    loss = trained.history["loss"].iloc[-1]
    assert f"Loss      {loss:.4g} of the last training batch, before its update\n" in told
    pd.testing.assert_frame_equal(pd.DataFrame(json.loads(file.read_text())), trained.history)


def test_a_goal_that_is_first_reached_at_the_end_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Training measures after 10 and 20 updates; the command measures the last weights in any case."""
    trained = rnnviz.train(Experiment(seed=1), 19)
    assert trained.state.solved_at is None
    assert trained.metric >= 0.99
    told = told_json(capsys, "train", "--seed", "1", "--updates", "19")
    assert (told["solved_at"], told["solved_at_end"]) == (19, True)


def test_a_run_that_diverges_says_where_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    args = [*EXPLODES, "--clip", "none", "--lr", "10"]
    assert main(["train", *args]) == 1
    divergence = rnnviz.train(read(None, as_text(args)), 300).divergence
    assert divergence is not None
    assert str(divergence) in capsys.readouterr().out
    told = told_json(capsys, "train", *args, code=1)
    assert told["divergence"]["what"] == divergence.what
    assert (told["solved_at"], told["solved_at_end"]) == (None, False)


def test_ctrl_c_keeps_what_was_trained(tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    args = ["train", *SMALL, "--updates", LONG, "--json", "--out", str(file)]
    code, told = interrupted(args, until=rf"[1-9]\d*/{LONG}")
    assert code == 130
    found = json.loads(told)
    assert found["interrupted"]
    assert 0 < found["updates"] < int(LONG)
    history = pd.read_csv(file)
    assert history["step"].iloc[-1] == found["updates"] - 1
    first = rnnviz.train(E, 10).history  # of a long history only some rows are kept, but row 0 is
    assert history.iloc[0].to_numpy() == pytest.approx(first.iloc[0].to_numpy())


def test_a_bar_on_the_terminal_shows_the_progress() -> None:
    code, told, shown = at_a_terminal(["train", *SMALL, "--updates", "20", "--json"])
    assert code == 0
    assert json.loads(told)["updates"] == 20
    assert "Training" in shown
    assert "20/20" in shown


# flow


@pytest.mark.parametrize("updates", [0, 15])
def test_the_flow_is_that_of_the_library(
    updates: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "flow.csv"
    told = told_json(capsys, "flow", *SMALL, "--updates", str(updates), "--out", str(file))
    flow = rnnviz.gradient_flow(E, rnnviz.train(E, updates).params)
    assert (told["verdict"], told["decades"]) == (flow.verdict, flow.decades)
    assert told["t"] == [1, 2, 3, 4, 5, 6]
    assert told["last_output"] == flow.per_output[-1].tolist()
    assert told["whole_loss"] == flow.total.tolist()
    assert pd.read_csv(file)["last_output"].to_numpy() == pytest.approx(flow.per_output[-1])


def test_the_table_has_a_row_for_each_step() -> None:
    ended = run("flow", "http://localhost:8501/playground?T=50&init=small-normal", "--seed", "2")
    assert ended.returncode == 0
    flow = rnnviz.gradient_flow(Experiment(seq_len=50, init="small-normal", seed=2))
    rows = [line.split() for line in ended.stdout.splitlines()[3:]]
    assert [int(t) for t, _ in rows] == list(range(1, 51))
    assert np.array([float(size) for _, size in rows]) == pytest.approx(flow.total, rel=1e-3)
    change = f"Vanishing: {-flow.decades:.1f} powers of ten smaller at step 1 than at step 50."
    assert ended.stdout.splitlines()[1] == change


def test_a_gradient_that_is_cut_is_compared_with_the_first_step_it_reaches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["flow", "--T", "20", "--bptt", "5", "--init", "small-normal"]) == 0
    told = capsys.readouterr().out.splitlines()
    sizes = [float(row.split()[1]) for row in told[3:]]
    first = next(t for t, size in enumerate(sizes, start=1) if size > 0)
    change = np.log10(sizes[-1] / sizes[first - 1])
    assert first > 1
    assert told[1].endswith(f": {change:.1f} powers of ten smaller at step {first} than at step 20.")


def test_a_gradient_that_overflowed_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    told = told_json(capsys, "flow", *[*EXPLODES, "--T", "200", "--gain", "10", "--layers", "3"])
    assert told["verdict"] == "exploding"
    flow = rnnviz.gradient_flow(read(None, {**as_text(EXPLODES), "gain": "10", "layers": "3"}))
    assert [size is None for size in told["whole_loss"]] == (~np.isfinite(flow.total)).tolist()


# sweep


def test_a_sweep_counts_the_seeds_that_the_library_counts(tmp_path: Path) -> None:
    file = tmp_path / "seeds.csv"
    args = ["--T", "5", "--H", "8", "--seed", "7", "--updates", "20", "--seeds", "3"]
    ended = run("sweep", *args, "--json", "--out", str(file))
    assert (ended.returncode, ended.stderr) == (0, "")
    told = json.loads(ended.stdout)
    e = Experiment(seq_len=5, hidden_size=8, seed=7)
    runs = [seed_run((part, 20)) for part in seed_parts(e, 3)]
    for name, happened in {
        "solved": [r.solved_at is not None for r in runs],
        "solved_at_end": [r.solved_at_end for r in runs],
        "diverged": [r.diverged for r in runs],
    }.items():
        share = Share(sum(happened), 3)
        low, high = share.interval
        assert told[name] == {"count": share.count, "share": share.value, "low": low, "high": high}
    assert (told["seeds"], told["seeds_asked"], told["partial"]) == (3, 3, False)
    rows = pd.read_csv(file)
    assert rows["seed"].tolist() == [7, 8, 9]
    assert rows["metric"].to_numpy() == pytest.approx([r.metric[-1] for r in runs])
    assert rows["solved_at"].astype(object).where(rows["solved_at"].notna(), None).tolist() == [
        r.solved_at for r in runs
    ]


def test_ctrl_c_during_a_sweep_gives_the_seeds_that_are_done(tmp_path: Path) -> None:
    file = tmp_path / "seeds.json"
    args = ["sweep", "--T", "5", "--H", "8", "--updates", "20", "--seeds", "9999", "--out", str(file)]
    code, told = interrupted(args, until=r"[1-9]\d*/9999")
    assert code == 130
    rows = json.loads(file.read_text())
    assert 0 < len(rows) < 9999
    assert f"of {len(rows)} seeds" in told
    assert f"Partial result: {len(rows)} of 9999 seeds." in told


def test_ctrl_c_before_the_first_seed_is_done_says_that_there_is_nothing() -> None:
    args = ["sweep", "--seeds", "5", "--updates", LONG, "--json"]
    code, told = interrupted(args, until="Training")
    assert code == 130
    found = json.loads(told)
    assert (found["seeds"], found["partial"], found["solved"]) == (0, True, None)


# export


@pytest.mark.parametrize("what", ENDINGS)
def test_an_exported_file_is_the_one_that_the_library_makes(what: str, tmp_path: Path) -> None:
    file = tmp_path / f"mine{ENDINGS[what]}"
    settings = [] if what == "spreadsheet" else [*SMALL, "--updates", "7"]
    assert main(["export", *settings, "--what", what, "--out", str(file)]) == 0
    numpy_code, torch_code = numpy_script(E, 7), pytorch_script(E, 7)
    expected = {
        "numpy": numpy_code,
        "pytorch": torch_code,
        "numpy-notebook": notebook(numpy_code, "Echo, T = 6"),
        "pytorch-notebook": notebook(torch_code, "Echo, T = 6"),
    }
    if what == "spreadsheet":
        assert len(file.read_bytes()) == pytest.approx(len(spreadsheet()), abs=64)  # it holds the time
    else:
        assert file.read_text(encoding="utf-8") == expected[what]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--what", "numpy", "--out", "mine.ipynb"], "ends in .py"),
        (["--what", "spreadsheet", "--T", "5", "--out", "mine.xlsx"], "it takes no settings"),
        (["--what", "numpy"], "--out"),
        (["--what", "fortran", "--out", "mine.py"], "fortran"),
    ],
)
def test_an_impossible_export_is_refused(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = [str(tmp_path / arg) if arg.startswith("mine") else arg for arg in args]
    assert said in refusal(capsys, "export", *out)
    assert not list(tmp_path.iterdir())


def test_a_report_is_a_page_of_the_run(tmp_path: Path) -> None:
    out = tmp_path / "run.html"
    assert main(["report", "--T", "5", "--H", "8", "--updates", "20", "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert text.lower().startswith("<!doctype html>")
    assert "T=5" in text
