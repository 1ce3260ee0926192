"""Resolve conflicting settings to the nearest valid experiment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from rnnviz.experiment import Experiment, choices
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.tasks import TASKS
from rnnviz.tasks.options import Option
from rnnviz.tasks.topology import TOPOLOGIES


def nearest(
    wanted: Mapping[str, Any], first: Collection[str] = (), base: Experiment | None = None
) -> tuple[Experiment, list[str]]:
    """Return the nearest valid experiment, and a sentence for each setting that was changed.

    wanted : fields of Experiment, each valid by itself, over those of ``base`` (default: the defaults).
    first : the settings with priority; in a conflict the other one is changed.

    Raises
    ------
    ValueError
        If a single value is out of its own bounds.
    """
    wish = SimpleNamespace(**vars(base or Experiment()))
    for name, value in wanted.items():
        setattr(wish, name, choices()[name].check(name, value))
    if base is None:
        for name in {"activation", "init"} - set(wanted):
            setattr(wish, name, getattr(CELLS[wish.cell], f"{name}s")[0])
    notes = _fit_topology(wish, first)
    notes += [*_fit_cell(wish, first), *_fit_content(wish, base or Experiment())]
    if "seq_len" not in wanted and not set(first).isdisjoint(("task", "topology")):
        wish.seq_len = _length_for(wish, base)
    notes += [*_fit_length(wish, first), *_fit_feedback(wish)]
    return Experiment(**vars(wish)), notes


def _as_experiment(wish: SimpleNamespace) -> Experiment:
    """Cast settings to Experiment, so that tasks can read them before they are valid."""
    return cast(Experiment, wish)


def _fit_topology(wish: SimpleNamespace, first: Collection[str]) -> list[str]:
    task = TASKS[wish.task]
    if wish.topology in task.fits:
        return []
    asked = wish.topology
    if "topology" in first and "task" not in first:
        wish.task = next(name for name, other in TASKS.items() if wish.topology in other.fits)
        needed = " or ".join(task.fits)
        return [f"{task.title} needs a {needed} network, so the task is now {TASKS[wish.task].title}."]
    wish.topology = task.fits[0]
    return [f"{task.title} does not fit a {asked} network, so the type is now {wish.topology}."]


def _fit_cell(wish: SimpleNamespace, first: Collection[str]) -> list[str]:
    """Resolve an initialisation or an activation that the cell cannot have: change the cell, or change it."""
    notes = []
    wanted = [name for name in ("init", "activation") if name in first and "cell" not in first]
    if missing := [name for name in wanted if not _has(wish.cell, name, wish)]:
        before, what = CELLS[wish.cell].title, missing[0]
        wish.cell = next(other for other in CELLS if _has(other, what, wish))
        asked, now = _title(what, wish), CELLS[wish.cell].title
        notes.append(f"{before} has no {_noun(what)} {asked}: the cell is now {now}.")
    cell = CELLS[wish.cell]
    for name in ("init", "activation"):
        if _has(wish.cell, name, wish):
            continue
        asked, fitting = _title(name, wish), getattr(cell, f"{name}s")
        setattr(wish, name, fitting[0])
        if len(fitting) == 1:
            notes.append(f"{cell.title} has its own {_noun(name)}, so {asked} is not used.")
        else:
            notes.append(f"{cell.title} has no {_noun(name)} {asked}: it is now {_title(name, wish)}.")
    return notes


def _has(cell: str, name: str, wish: SimpleNamespace) -> bool:
    """Return whether a cell can have the initialisation or activation that is wanted."""
    return getattr(wish, name) in getattr(CELLS[cell], f"{name}s")


def _title(name: str, wish: SimpleNamespace) -> str:
    return str((INITIALIZERS if name == "init" else ACTIVATIONS)[getattr(wish, name)].title)


def _noun(name: str) -> str:
    return choices()[name].title.lower()


def _length_for(wish: SimpleNamespace, base: Experiment | None) -> int:
    """Return the length of ``base`` where it fits the task, else the task's usual one."""
    task = TASKS[wish.task]
    low, high = task.lengths(_as_experiment(wish))
    return base.seq_len if base and low <= base.seq_len <= high else task.usual_length


def _fit_length(wish: SimpleNamespace, first: Collection[str]) -> list[str]:
    """Shrink options that are too large if the length has priority, then clip the length to its bounds."""
    task, notes = TASKS[wish.task], []
    if "seq_len" in first:
        notes = [note for option in task.options.values() if option.shrinks for note in _shrink(wish, option)]
    low, high = task.lengths(_as_experiment(wish))
    fitting = min(max(wish.seq_len, low), high)
    if fitting != wish.seq_len:
        wish.seq_len = fitting
        notes.append(f"T is {fitting}: {task.title} needs {_span(low, high)}.")
    return notes


def _shrink(wish: SimpleNamespace, option: Option[Any]) -> list[str]:
    """Lower an option until the sequence is long enough for it, or to its lower bound."""
    task, e = TASKS[wish.task], _as_experiment(wish)
    asked = option.of(e)
    while wish.seq_len < task.lengths(e)[0] and option.of(e) > option.low:
        setattr(wish, option.name, option.of(e) - 1)
    if option.of(e) == asked:
        return []
    return [f"With T = {wish.seq_len} the {option.noun or option.name} was reduced to {option.of(e)}."]


def _span(low: int, high: int) -> str:
    if low == high:
        return "a single step" if low == 1 else f"{low} steps"
    return f"{low} to {high} steps"


def _fit_feedback(wish: SimpleNamespace) -> list[str]:
    topology = TOPOLOGIES[wish.topology]
    if not wish.feedback or topology.can_feed_back:
        return []
    wish.feedback = False
    return [f"Outputs are not fed back: {topology.title.lower()} has no output before the last step."]


def _fit_content(wish: SimpleNamespace, base: Experiment) -> list[str]:
    """Reset options whose content is invalid, and the setting that put them in force."""
    notes = []
    for name, option in TASKS[wish.task].options.items():
        try:
            option.check_content(_as_experiment(wish))
        except ValueError as problem:
            # only tasks that read such content check it
            good = base if name in TASKS[base.task].options else Experiment()
            for reset in (option, *(option.only_if or ())[:1]):
                setattr(wish, reset.name, reset.of(good))
            notes.append(f"Your {option.noun or name} was not used: {problem}")
    return notes


def changed(e: Experiment, **changes: Any) -> tuple[Experiment, list[str]]:
    """Change some settings of an experiment; see ``nearest`` for how conflicts are resolved."""
    if all(getattr(e, name) == value for name, value in changes.items()):
        return e, []
    try:
        return replace(e, **changes), []
    except ValueError:
        return nearest(changes, first=changes, base=e)
