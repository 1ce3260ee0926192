"""Display settings that are independent of the experiment, and their URL parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from rnnviz.applications.catalogue import APPLICATIONS
from rnnviz.experiment.links import BESIDE, tame
from rnnviz.teaching.lessons import LESSONS
from rnnviz.teaching.tour import STAGES

HIDEABLE = {
    "scenario": "Scenarios",
    "problem": "Type, task and T",
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

INSTRUMENTS = {
    "compare": "Compare",
    "causes": "Causes",
    "contributions": "Contributions",
    "spectrum": "Spectrum",
    "directions": "Directions",
    "lyapunov": "Lyapunov",
    "training": "During training",
    "seeds": "Seeds",
    "outcome": "Outcome",
    "border": "Border",
    "cliff": "Cliff",
}
"""Values of the URL parameter ``instrument``, and their names on screen."""

HALVES = {"loop": "The loop", "by-hand": "By hand"}
"""Values of the URL parameter ``view``: the halves of the page How, and their names on screen."""

PAIR_VIEWS = {"seed": "This seed", "seeds": "20 seeds", "kept": "Kept"}
"""Values of the URL parameter ``shown``: what the page Side by side shows, and the names on screen."""

MOST_CHANGES = 8
"""Changes of B that a URL may have."""

OWN_PAGE = {
    "application": "real-data",
    "instrument": "laboratory",
    "half": "how",
    "tour": "",
    "beside": "side-by-side",
    "changes": "side-by-side",
    "equal": "side-by-side",
}
"""Fields of a view that apply to one page only, and its path."""

NAMED: dict[str, Collection[str]] = {
    "lesson": LESSONS,
    "job": ADDRESSES,
    "instrument": INSTRUMENTS,
    "view": HALVES,
    "shown": PAIR_VIEWS,
    "tour": STAGES,
}
"""The parameters whose value is one of several names."""

LONGEST_LIST = 200
"""Characters: the names of all groups fit."""

USUAL_CHANGES = (("cell", "lstm"),)
"""What B changes where nothing else is asked for."""

SWITCH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class View:
    """Display settings.

    projector : large and without chrome. lesson : name of the open lesson, "" for none.
    question : number of its open question, counted from 1; one more is the lesson's end; 0 is not decided.
    application : the application shown on the page Real data (see ADDRESSES), "" for the first.
    instrument : the one shown in the laboratory (see INSTRUMENTS), "" for the first.
    half : the half of the page How (see HALVES), "" for the first.
    beside : what the page Side by side shows (see PAIR_VIEWS), "" for the first.
    tour : the open stage of the tour on the home page (see STAGES), "" for none.
    hidden : groups of controls (see HIDEABLE) that are left out.
    changes : what B changes on the page Side by side, as names and values in a URL.
    equal : B has as many parameters as A.
    """

    projector: bool = False
    lesson: str = ""
    question: int = 0
    application: str = ""
    instrument: str = ""
    half: str = ""
    beside: str = ""
    tour: str = ""
    hidden: frozenset[str] = frozenset()
    changes: tuple[tuple[str, str], ...] = USUAL_CHANGES
    equal: bool = False

    def on(self, path: str, others: View | None = None) -> View:
        """Return this view for the page at a path; what applies to other pages is taken from ``others``."""
        elsewhere = [name for name, page in OWN_PAGE.items() if page != path]
        return replace(self, **{name: getattr(others or View(), name) for name in elsewhere})


def view_params(view: View) -> dict[str, str]:
    """Return the URL parameters of a view; defaults are left out."""
    told = {
        "projector": "true" if view.projector else "",
        "lesson": view.lesson,
        "question": str(view.question) if view.lesson and view.question else "",
        "job": view.application,
        "instrument": view.instrument,
        "view": view.half,
        "shown": view.beside,
        "tour": view.tour,
        "hide": ",".join(name for name in HIDEABLE if name in view.hidden),
        "equal": "true" if view.equal else "",
    }
    if view.changes != USUAL_CHANGES:
        told |= {f"{BESIDE}{name}": value for name, value in view.changes}
    return {name: value for name, value in told.items() if value}


def read_view(params: Mapping[str, str]) -> tuple[View, list[str]]:
    """Return the view in URL parameters, and what was ignored and why; never raises."""
    ignored = []
    switches = {}
    for name in ("projector", "equal"):
        asked = params.get(name, "false").lower()
        switches[name] = SWITCH.get(asked, False)
        if asked not in SWITCH:
            ignored.append(f"{name}={tame(asked)} (expected true or false)")
    changes = [
        (name.removeprefix(BESIDE)[:LONGEST_LIST], value[:LONGEST_LIST])
        for name, value in params.items()
        if name.startswith(BESIDE)
    ][:MOST_CHANGES]
    named = {}
    for name, known in NAMED.items():
        asked = params.get(name, "")
        named[name] = asked if asked in known else ""
        if asked != named[name]:
            ignored.append(f"{name}={tame(asked)} (unknown)")
    lesson, question = named["lesson"], params.get("question", "")
    if question and not (lesson and question in map(str, range(1, len(LESSONS[lesson].steps) + 2))):
        ignored.append(f"question={tame(question)} (unknown)")
        question = ""
    wanted = [name for name in params.get("hide", "")[:LONGEST_LIST].split(",") if name]
    ignored += [f"hide={tame(name)} (unknown)" for name in wanted if name not in HIDEABLE]
    hidden = frozenset(name for name in wanted if name in HIDEABLE)
    shown = View(
        switches["projector"],
        lesson,
        int(question or 0),
        named["job"],
        named["instrument"],
        named["view"],
        named["shown"],
        named["tour"],
        hidden,
        tuple(changes) or USUAL_CHANGES,
        switches["equal"],
    )
    return shown, ignored
