"""The settings of an experiment as options of a command, and a link in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import click

from rnnviz.experiment import Choice, Experiment, choices, shorten
from rnnviz.experiment.links import (
    BESIDE,
    Opened,
    from_params,
    of_view,
    settings_in,
    tame,
    to_params,
    to_text,
)
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.tasks import TASKS
from rnnviz.tasks.options import Option

METAVARS = {"name": "NAME", "integer": "N", "number": "X", "switch": "true|false", "text": "TEXT"}

USUAL = {
    "topology": "the task's first",
    "seq_len": "what is usual for the task",
    "activation": "the cell's first",
    "init": "the cell's first",
}
"""Defaults that depend on other settings."""


OF_FRAMES = ("embed", "embed_options")
"""URL parameters of pages inside other sites, which Streamlit reads itself."""


class Setting(click.Option):
    """An option that is a setting of the experiment, named as in a URL.

    Its value stays text, so that a wrong one is refused in the same words as in a link.
    """

    def __init__(self, name: str, choice: Choice) -> None:
        told = f"{choice.title}: {choice.expected}; {_default(name, choice)}."
        super().__init__([name, f"--{choice.url}"], metavar=METAVARS[choice.kind], help=told)
        self.of_tasks = isinstance(choice, Option)


class ExperimentCommand(click.Command):
    """A command with the argument LINK and the settings as options; its function gets an experiment ``e``."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.params.insert(0, click.Argument(["link"], required=False))
        self.params += [Setting(name, choice) for name, choice in choices().items()]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command's function."""
        values = ctx.params
        asked = {c.url: text for name, c in choices().items() if (text := values.pop(name)) is not None}
        values["e"] = ctx.invoke(read, values.pop("link"), asked)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in three sections."""
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        of_tasks: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            section = own if not isinstance(param, Setting) else of_tasks if param.of_tasks else common
            if isinstance(param, click.Option) and (told := param.get_help_record(ctx)) is not None:
                section.append(told)
        for title, rows in (
            ("Options", own),
            ("Settings of every experiment", common),
            ("Settings of single tasks", of_tasks),
        ):
            with formatter.section(title):
                formatter.write_dl(rows)


def read(link: str | None, options: Mapping[str, str]) -> Experiment:
    """Return the experiment of a link, with options over it; says on stderr what else they change.

    Raises
    ------
    click.UsageError
        If a value is unknown, or if one does not fit the others.
    """
    base = None
    if link is not None:
        base = _experiment(in_link(link), None)
        if beside := [tame(name) for name in _pairs(link) if name.startswith(BESIDE)]:
            told = "Note: the link compares two networks, A and B. Only A is used, without B's settings: "
            told += f"{', '.join(beside)}."
            click.echo(told, err=True)
    if not options:
        return base or Experiment()
    e = _experiment(options, base)
    for url in options:
        if why := _unread(url, e):
            raise click.UsageError(why)
    return e


def in_link(link: str) -> dict[str, str]:
    """Return the settings in a URL or in its part after the question mark, without those of the view.

    Raises
    ------
    click.UsageError
        If it is neither.
    """
    pairs = _pairs(link)
    return {name: text for name, text in pairs.items() if not of_view(name) and name not in OF_FRAMES}


def _pairs(link: str) -> dict[str, str]:
    """Return all parameters of a link; raise click.UsageError if it is none."""
    query = link.partition("?")[2] if "?" in link or "://" in link else link
    if query == link and "=" not in link:
        raise click.UsageError(
            f"LINK must be an address such as http://localhost:8501/playground?T=50; got {shorten(link)}."
        )
    return dict(parse_qsl(query.partition("#")[0], keep_blank_values=True))


def _experiment(params: Mapping[str, str], base: Experiment | None) -> Experiment:
    """Return the experiment that parameters ask for; raise click.UsageError if there is none."""
    opened = from_params(params, base)
    if opened.ignored:
        raise click.UsageError(f"{', '.join(opened.ignored)}.")
    asked = settings_in(params)[0]
    if any(getattr(opened.experiment, name) != value for name, value in asked.items()):
        raise click.UsageError(_refusal(asked, opened))
    for sentence in opened.adjusted:
        click.echo(f"Note: {sentence}", err=True)
    return opened.experiment


def _refusal(asked: Mapping[str, Any], opened: Opened) -> str:
    """Return why settings contradict each other, and what to write in their place."""
    changed = {n: now for n, value in asked.items() if (now := getattr(opened.experiment, n)) != value}
    texts = [f"--{choices()[n].url}" for n in changed if choices()[n].kind == "text"]
    instead = [
        f"--{choices()[n].url} {to_text(now)}" for n, now in changed.items() if choices()[n].kind != "text"
    ]
    advice = [f"write {' '.join(instead)}"] * bool(instead) + [f"leave out {' '.join(texts)}"] * bool(texts)
    why = "\n".join(f"  {sentence}" for sentence in opened.adjusted)
    return (
        "these settings do not fit together, so nothing was run. The app would change them and say:\n"
        f"{why}\nTo run that, {' and '.join(advice)}."
    )


def _unread(url: str, e: Experiment) -> str:
    """Return why a setting has no effect on an experiment, "" if it has one."""
    name, choice = next((name, choice) for name, choice in choices().items() if choice.url == url)
    task = TASKS[e.task]
    if name == "gain" and not INITIALIZERS[str(e.init)].has_gain:
        return f"the initialisation {e.init} has no gain."
    if not isinstance(choice, Option):
        return ""
    if name not in task.options:
        return f"the task {e.task} has no option {url}."
    if choice.only_if is not None and not choice.in_force(e):
        other, value = choice.only_if
        return f"{url} is read only with {other.url}={to_text(value)}."
    return ""


def as_told(e: Experiment) -> dict[str, Any]:
    """Return the settings of an experiment by their names in a URL."""
    told = to_params(e)
    return {c.url: getattr(e, name) for name, c in choices().items() if c.url in told}


def in_a_line(e: Experiment) -> str:
    """Return what is trained in a line."""
    layers = "" if e.layers == 1 else f", {e.layers} layers"
    network = f"{CELLS[e.cell].title}{layers}, H = {e.hidden_size}, {INITIALIZERS[str(e.init)].title}"
    return f"{TASKS[e.task].title}, T = {e.seq_len}; {network}; seed {e.seed}"


def _default(name: str, choice: Choice) -> str:
    if name in USUAL:
        return f"default: {USUAL[name]}"
    text = to_text(getattr(Experiment(), name))
    readers = [task for task in TASKS if name in TASKS[task].options]
    by_task = f"for {', '.join(readers)}; " if isinstance(choice, Option) else ""
    return f"{by_task}default: {text}" if text else by_task.removesuffix("; ")
