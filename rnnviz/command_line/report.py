"""``rnnviz report``: train a network and write a page on which one can look back through the run."""

from __future__ import annotations

from pathlib import Path

import click

from rnnviz.command_line import results
from rnnviz.command_line.settings import ExperimentCommand
from rnnviz.experiment import Experiment
from rnnviz.export import report as page
from rnnviz.training.keyframes import Keyframes
from rnnviz.training.loop import start


@click.command(
    cls=ExperimentCommand, short_help="Train a network; write a page with a slider through the run."
)
@results.updates(1, 300)
@results.out((".html",), "The page: .html.", required=True)
def report(e: Experiment, updates: int, out: Path) -> int:
    """Train a network and write one HTML page with a slider through the run; it needs no server.

    Ctrl-C ends the training early; the page shows what was made.
    """
    kept = Keyframes(start(e))
    state, interrupted = results.trained(e, updates, kept.keep)
    results.write(out, page.report(e, kept).encode())
    click.echo(f"Wrote {out}.", err=True)
    return results.exit_code(state, interrupted)
