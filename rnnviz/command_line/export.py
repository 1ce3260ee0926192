"""``rnnviz export``: an experiment as code, the pass by hand as a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from rnnviz.command_line import results
from rnnviz.command_line.settings import ExperimentCommand
from rnnviz.experiment import Experiment
from rnnviz.export.code import notebook, numpy_script, pytorch_script
from rnnviz.export.spreadsheet import spreadsheet
from rnnviz.tasks import TASKS

SCRIPTS: dict[str, Callable[[Experiment, int], str]] = {"numpy": numpy_script, "pytorch": pytorch_script}

ENDINGS = {
    "numpy": ".py",
    "pytorch": ".py",
    "numpy-notebook": ".ipynb",
    "pytorch-notebook": ".ipynb",
    "spreadsheet": ".xlsx",
}
"""What can be exported, and how the file's name ends."""


def content(what: str, e: Experiment, updates: int) -> bytes:
    """Return an exported file.

    Raises
    ------
    ValueError
        If the experiment cannot be exported in this form.
    """
    if what == "spreadsheet":
        if e != Experiment():
            raise ValueError("The spreadsheet has the three units of the page How; it takes no settings.")
        return spreadsheet()
    script = SCRIPTS[what.removesuffix("-notebook")](e, updates)
    if what.endswith("-notebook"):
        script = notebook(script, f"{TASKS[e.task].title}, T = {e.seq_len}")
    return script.encode()


@click.command(
    cls=ExperimentCommand, short_help="Write an experiment as code, or the pass by hand as a spreadsheet."
)
@click.option("--what", type=click.Choice(list(ENDINGS)), required=True, help="What to write.")
@results.updates(1, 300)
@results.out(tuple(dict.fromkeys(ENDINGS.values())), "The file: .py, .ipynb or .xlsx.", required=True)
def export(e: Experiment, what: str, updates: int, out: Path) -> int:
    """Write an experiment as a script or notebook of its own, or the pass by hand as a spreadsheet."""
    if out.suffix.lower() != ENDINGS[what]:
        raise click.UsageError(f"the name of a {what} file ends in {ENDINGS[what]}; got {out.name!r}.")
    try:
        made = content(what, e, updates)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from problem
    results.write(out, made)
    click.echo(f"Wrote {out}.", err=True)
    return results.DONE
