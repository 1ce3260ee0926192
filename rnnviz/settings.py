"""What whoever runs the server can set: environment variables, each with its default and its bounds.

They are read once, when the library is imported. The app and the command line do not start with a value that
cannot be used, and say why (``PROBLEMS``); elsewhere, as in a notebook, the default stands in for it. This
module imports nothing of the library.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

SITE = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?")
SCHEDULER = re.compile(r"(tcp|tls|ws|wss)://[^\s/]+:[0-9]{1,5}")


@dataclass(frozen=True)
class Variable:
    """An environment variable.

    expected, default : what it may be, and what it is where nobody sets it, in words. what : what it sets.
    read : returns its value; it raises a ValueError for anything that was not expected.
    """

    name: str
    expected: str
    default: str
    what: str
    read: Callable[[str], Any]


def _whole(text: str, least: int, most: int) -> int:
    value = int(text)
    if not least <= value <= most:
        raise ValueError(text)
    return value


def _number(
    name: str, default: int, least: int, most: int, what: str, default_in_words: str | None = None
) -> Any:
    """Return the field of a setting that is a whole number."""
    read = partial(_whole, least=least, most=most)
    words = str(default) if default_in_words is None else default_in_words
    variable = Variable(name, f"a whole number from {least} to {most:,}", words, what, read)
    return field(default=default, metadata={"variable": variable})


def _sites(text: str) -> tuple[str, ...]:
    sites = text.split()
    if not all(map(SITE.fullmatch, sites)):
        raise ValueError(text)
    return tuple(sites)


def _scheduler(text: str) -> str:
    if not SCHEDULER.fullmatch(text):
        raise ValueError(text)
    return text


@dataclass(frozen=True)
class Settings:
    """The value of every setting."""

    workers: int = _number(
        "RNNVIZ_WORKERS",
        min(os.cpu_count() or 1, 256),
        1,
        256,
        "worker processes for the runs that somebody watches, and as many, with low priority, for sweeps",
        default_in_words="one per core",
    )
    runs: int = _number(
        "RNNVIZ_MAX_RUNS", 8, 4, 64, "runs that each place (playground, lessons, …) keeps for a visitor"
    )
    run_megabytes: int = _number(
        "RNNVIZ_RUN_MEMORY", 16, 1, 1024, "MB of a run's earlier states, for the slider that looks back"
    )
    kept_runs: int = _number("RNNVIZ_MAX_KEPT_RUNS", 8, 1, 18, "runs on a visitor's shelf, 4 MB each at most")
    sweeps: int = _number(
        "RNNVIZ_MAX_SWEEPS", 8, 1, 64, "sweeps whose results are kept for a visitor; one at a time measures"
    )
    closed_tabs: int = _number(
        "RNNVIZ_MAX_CLOSED_TABS",
        128,
        1,
        10_000,
        "visitors kept, for two to four minutes, after their tab was closed",
    )
    scheduler: str = field(
        default="",
        metadata={
            "variable": Variable(
                "RNNVIZ_SCHEDULER",
                "an address such as tcp://scheduler:8786",
                "none",
                "the Dask scheduler whose workers measure sweeps",
                _scheduler,
            )
        },
    )
    frame_ancestors: tuple[str, ...] = field(
        default=(),
        metadata={
            "variable": Variable(
                "RNNVIZ_FRAME_ANCESTORS",
                "origins such as https://lms.example.org, with spaces between them",
                "none",
                "other sites that may show the app in a frame",
                _sites,
            )
        },
    )


VARIABLES: dict[str, Variable] = {f.name: f.metadata["variable"] for f in fields(Settings)}
"""The variable of each setting."""


def read(environment: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings, and a sentence for each variable whose value cannot be used."""
    values: dict[str, Any] = {}
    problems = []
    for setting, variable in VARIABLES.items():
        text = environment.get(variable.name, "").strip()
        if not text:
            continue
        try:
            values[setting] = variable.read(text)
        except ValueError:
            problems.append(
                f"{variable.name} must be {variable.expected}; got {text!r}. "
                f"Change it, or unset it for the default ({variable.default})."
            )
    return Settings(**values), tuple(problems)


SETTINGS, PROBLEMS = read(os.environ)
