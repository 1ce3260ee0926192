"""Convert an experiment to URL parameters and back; any URL can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnviz.experiment import Choice, Experiment, choices
from rnnviz.experiment.fitting import nearest
from rnnviz.tasks import TASKS
from rnnviz.tasks.options import Option

LONGEST_NUMBER = 24
"""Characters: no accepted number needs more, and parsing stays cheap."""

VIEW_PARAMETERS = (
    "projector",
    "lesson",
    "question",
    "job",
    "instrument",
    "view",
    "shown",
    "tour",
    "hide",
    "equal",
)
"""URL parameters that say what is shown, not what is computed."""

BESIDE = "b."
"""Begins the URL parameters of what B changes on the page Side by side; the rest is a setting's own name."""


def of_view(name: str) -> bool:
    """Return whether a URL parameter belongs to the view, not to the experiment."""
    return name in VIEW_PARAMETERS or name.startswith(BESIDE)


@dataclass(frozen=True)
class Opened:
    """The result of reading a URL.

    experiment : the experiment to open. ignored : invalid parameters, as "name=value (expected ...)".
    adjusted : sentences on conflicting settings that were changed.
    """

    experiment: Experiment
    ignored: list[str]
    adjusted: list[str]


def to_params(e: Experiment) -> dict[str, str]:
    """Return URL parameters for the whole experiment, without options that it does not read."""
    read = {name for name, option in TASKS[e.task].options.items() if option.in_force(e)}
    told = {n: choice for n, choice in choices().items() if n in read or not isinstance(choice, Option)}
    if not e.feedback:
        del told["feedback"]
    if e.truncate is None:
        del told["truncate"]
    return {choice.url: to_text(getattr(e, name)) for name, choice in told.items()}


def to_text(value: Any) -> str:
    """Return a setting as it is written in a URL."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def from_params(params: Mapping[str, str], base: Experiment | None = None) -> Opened:
    """Read an experiment from URL parameters; never raises, and reports what it could not use.

    base : what it has where the parameters say nothing (default: what is usual for what they say).
    """
    wanted, ignored = settings_in(params)
    if "task" in wanted and base is None:
        wanted.setdefault("topology", TASKS[wanted["task"]].fits[0])
    experiment, adjusted = nearest(wanted, first=_wishes(wanted), base=base)
    return Opened(experiment, ignored, adjusted)


def settings_in(params: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings in URL parameters by field, and what could not be used (see ``Opened.ignored``)."""
    names = {choice.url: name for name, choice in choices().items()}
    wanted: dict[str, Any] = {}
    ignored = []
    for url, text in params.items():
        if url not in names:
            ignored.append(f"{tame(url)} (unknown)")
            continue
        name, choice = names[url], choices()[names[url]]
        try:
            wanted[name] = choice.check(name, _parse(choice, text))
        except ValueError:
            ignored.append(f"{url}={tame(text)} (expected {choice.expected})")
    return wanted, ignored


def _wishes(wanted: Mapping[str, Any]) -> set[str]:
    """Return the settings with priority: all of them, but a task takes precedence over a topology."""
    return set(wanted) - ({"topology"} if "task" in wanted else set())


def _parse(choice: Choice, text: str) -> Any:
    """Parse a parameter as a value of the choice's kind; raise ValueError if it is not one."""
    if choice.kind in ("name", "text"):
        return text
    if choice.kind == "switch":
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower())
    if choice.optional and text == "none":
        return None
    if len(text) > LONGEST_NUMBER or not text.isascii():
        raise ValueError(f"expected a number; got {len(text)} characters")
    return int(text) if choice.kind == "integer" else float(text)


def tame(text: str, length: int = 20) -> str:
    """Return untrusted text made safe and short enough to show."""
    kept = "".join(c if c.isprintable() and c not in "<>&`*_[]$\\" else "?" for c in text[:length])
    return kept + ("…" if len(text) > length else "")
