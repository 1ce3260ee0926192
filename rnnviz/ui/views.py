"""Display settings that are independent of the experiment, and their URL parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rnnviz.applications.catalogue import APPLICATIONS
from rnnviz.experiment.links import tame
from rnnviz.teaching.lessons import LESSONS

HIDEABLE = {
    "scenario": "Scenarios",
    "problem": "Topology, task and T",
    "start": "Initialisation and gain",
    "learning": "Learning rate and clipping",
    "network": "Network and data",
    "run": "Seed, speed and reset",
}
"""Groups of controls that a link can hide, and their names on screen. Results are never hidden."""

OWN_NETWORK = "network"
"""The name of the visitor's own network among the applications."""

ADDRESSES = {
    address: (name, variant)
    for name, application in APPLICATIONS.items()
    for address, variant in [
        (name, ""),
        *[(f"{name}-{variant}", variant) for variant in application.variants],
    ]
} | {OWN_NETWORK: (OWN_NETWORK, "")}
"""Values of the URL parameter ``job``: an application, with its data set if it is not the first."""

PARAMETERS = ("projector", "lesson", "question", "job", "hide")
LONGEST_LIST = 200
"""Characters: the names of all groups fit."""

SWITCH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class View:
    """Display settings.

    projector : large and without chrome. lesson : name of the open lesson, "" for none.
    question : number of its open question, counted from 1; one more is the lesson's end; 0 is not decided.
    application : the application shown on the page Applications (see ADDRESSES), "" for the first.
    hidden : groups of controls (see HIDEABLE) that are left out.
    """

    projector: bool = False
    lesson: str = ""
    question: int = 0
    application: str = ""
    hidden: frozenset[str] = frozenset()


def view_params(view: View) -> dict[str, str]:
    """Return the URL parameters of a view; defaults are left out."""
    told = {
        "projector": "true" if view.projector else "",
        "lesson": view.lesson,
        "question": str(view.question) if view.lesson and view.question else "",
        "job": view.application,
        "hide": ",".join(name for name in HIDEABLE if name in view.hidden),
    }
    return {name: value for name, value in told.items() if value}


def read_view(params: Mapping[str, str]) -> tuple[View, list[str]]:
    """Return the view in URL parameters, and what was ignored and why; never raises."""
    ignored = []
    projector = params.get("projector", "false").lower()
    if projector not in SWITCH:
        ignored.append(f"projector={tame(projector)} (expected true or false)")
    lesson = params.get("lesson", "")
    if lesson and lesson not in LESSONS:
        ignored.append(f"lesson={tame(lesson)} (unknown)")
        lesson = ""
    question = params.get("question", "")
    if question and not (lesson and question in map(str, range(1, len(LESSONS[lesson].steps) + 2))):
        ignored.append(f"question={tame(question)} (unknown)")
        question = ""
    application = params.get("job", "")
    if application and application not in ADDRESSES:
        ignored.append(f"job={tame(application)} (unknown)")
        application = ""
    wanted = [name for name in params.get("hide", "")[:LONGEST_LIST].split(",") if name]
    ignored += [f"hide={tame(name)} (unknown)" for name in wanted if name not in HIDEABLE]
    hidden = frozenset(name for name in wanted if name in HIDEABLE)
    return View(SWITCH.get(projector, False), lesson, int(question or 0), application, hidden), ignored
