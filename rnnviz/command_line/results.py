"""What commands have in common: exit codes, JSON, files, and training with a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click
import orjson
import pandas as pd

from rnnviz.experiment import Experiment
from rnnviz.training.loop import advance, start
from rnnviz.training.state import TrainingState

DONE, DIVERGED, INTERRUPTED = 0, 1, 130
"""Exit codes; that of wrong use, 2, is click's own."""

CHUNK_SECONDS = 0.1
"""Seconds of training between two drawings of the bar, which an interruption loses at most."""

TABLES = (".csv", ".json")

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def out(endings: Collection[str], told: str, required: bool = False) -> Callable[[Any], Any]:
    """Return the option --out for a file with one of these endings."""

    def check(_: click.Context, __: click.Parameter, file: Path | None) -> Path | None:
        """Refuse a file that could not be written, before anything is computed for it."""
        if file is None:
            return None
        if file.suffix.lower() not in endings:
            raise click.BadParameter(f"the name must end in {' or '.join(endings)}; got {file.name!r}.")
        if not file.absolute().parent.is_dir():
            raise click.BadParameter(f"there is no folder {str(file.parent)!r}.")
        return file

    kind = click.Path(dir_okay=False, writable=True, path_type=Path)
    return click.option("--out", type=kind, metavar="FILE", callback=check, required=required, help=told)


def updates(least: int, usual: int) -> Callable[[Any], Any]:
    """Return the option --updates."""
    kind = click.IntRange(least)
    return click.option(
        "--updates", type=kind, default=usual, show_default=True, help="Updates of the weights."
    )


def write_json(result: Mapping[str, Any]) -> None:
    """Print a result as JSON; numbers that overflowed and missing ones are null."""
    click.echo(_json(result).decode())


def save(table: pd.DataFrame, file: Path | None) -> None:
    """Write a table as CSV, or as JSON with an object for each row; by the file's ending."""
    if file is None:
        return
    if file.suffix.lower() == ".csv":
        write(file, table.to_csv(index=False).encode())
    else:
        write(file, _json(table.to_dict("records")) + b"\n")


def write(file: Path, content: bytes) -> None:
    """Write a file; raise click.UsageError if that is impossible."""
    try:
        file.write_bytes(content)
    except OSError as problem:
        raise click.UsageError(f"{file} was not written: {problem.strerror}.") from problem


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY, default=_missing)


def _missing(value: Any) -> None:
    """Return None for a missing value of pandas."""
    if value is not pd.NA:
        raise TypeError(type(value).__name__)


def progress(length: int, label: str) -> Any:
    """Return a progress bar on stderr, hidden where that is no terminal or there is nothing to do."""
    hidden = length == 0 or not sys.stderr.isatty()
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=hidden, show_pos=True)


def trained(
    e: Experiment, updates: int, on_progress: Callable[[TrainingState], object] = lambda _: None
) -> tuple[TrainingState, bool]:
    """Train with a progress bar; return the state at the end, and whether Ctrl-C ended it early.

    on_progress : called with states on the way, and with the last one.
    """
    state = start(e)
    try:
        with progress(updates, "Training") as bar:
            while state.step < updates and state.divergence is None:
                later = advance(e, state, seconds=CHUNK_SECONDS, steps=updates - state.step)
                made, state = later.step - state.step, later
                on_progress(state)
                bar.update(made)
    except KeyboardInterrupt:
        return state, True
    return state, False


def count(made: int, asked: int) -> str:
    """Return the number of updates made, and of how many."""
    return f"{made:,}" if made == asked else f"{made:,} of {asked:,}"


def exit_code(state: TrainingState, interrupted: bool) -> int:
    """Return the exit code of a command that trained."""
    return INTERRUPTED if interrupted else DIVERGED if state.divergence else DONE
