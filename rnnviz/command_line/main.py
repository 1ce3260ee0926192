"""The command ``rnnviz`` with its subcommands."""

from __future__ import annotations

from collections.abc import Sequence

import click

from rnnviz.command_line.export import export
from rnnviz.command_line.flow import flow
from rnnviz.command_line.report import report
from rnnviz.command_line.results import INTERRUPTED
from rnnviz.command_line.sweep import sweep
from rnnviz.command_line.train import train
from rnnviz.settings import PROBLEMS

COMMANDS = (train, flow, sweep, export, report)


@click.group(
    commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
def rnnviz() -> None:
    """See how a recurrent network remembers, and why it forgets.

    The settings of an experiment have the same names as in the app's address. A link copied from there can
    stand in their place; settings beside it override it:

    rnnviz train "http://localhost:8501/playground?T=50&cell=lstm" --seed 3

    Exit codes: 0 done, 1 the training diverged or failed, 2 wrong use, 130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (default: those of the process) and return its exit code."""
    try:
        if PROBLEMS:
            raise click.UsageError("\n".join(PROBLEMS))
        code: int = rnnviz.main(None if argv is None else list(argv), standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code
