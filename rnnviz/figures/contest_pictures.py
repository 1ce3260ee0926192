"""Live pictures of two networks that learn the same task side by side; see ``run_pictures``."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from rnnviz.analysis.shares import Share
from rnnviz.figures.contest import Contest, Trained, contest_spec
from rnnviz.figures.message import Place
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.figures.unrolled import Unrolled, unrolled_spec
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import ACCURACY
from rnnviz.teaching.contest import ROUNDS, RUNNERS, STEPS, Round
from rnnviz.teaching.measured import MEASURED


def name_of(cell: str) -> str:
    """Return the name of a network in figures and sentences."""
    return RUNNERS[cell].lower()


@dataclass(frozen=True)
class NetworkPicture:
    """One of the networks, unrolled, with its answers to one example; width : as in ``Unrolled``."""

    place: Place
    theme: Theme
    width: float

    def __call__(self, now: Moment) -> bytes:
        """Return the network at a moment as a message."""
        e = now.experiment
        view = Unrolled.of(e, now.snapshot, width=self.width, named=True)
        heard = "every" if view.recurrent else "no"
        label = (
            f"{RUNNERS[e.cell]} network unrolled over {e.seq_len} steps: "
            f"{heard} step receives the previous state"
        )
        return self.place.message(unrolled_spec(view, self.theme), label)


@dataclass(frozen=True)
class ContestPicture:
    """Held-out metrics of a run and of the one beside it over training, with their results in words."""

    place: Place
    theme: Theme

    def __call__(self, now: Moment) -> bytes:
        """Return both networks' progress at a moment as a message."""
        chosen, own = ROUNDS[now.experiment.task], name_of(now.experiment.cell)
        known = {**now.beside, own: Trained.of(own, now.state)}
        view = _contest(chosen, [known[name_of(cell)] for cell in RUNNERS])
        told, ended = results(view), all(trained.step >= STEPS for trained in view.trained)
        finding = f"{chosen.finding} {record(chosen, view)}" if ended else ""
        return self.place.message(
            contest_spec(view, self.theme),
            f"{view.metric_title} of both networks over training. {told}",
            footer=f"<p class='outcome'><span>{escape(told)}</span> {escape(finding)}</p>",
            status=f"{told} {finding}" if ended else "",
        )


def _contest(chosen: Round, trained: list[Trained]) -> Contest:
    """Return the data of a round's figure."""
    e, task = chosen.experiment, TASKS[chosen.experiment.task]
    title = f"{task.measured_on(e)} {task.metric.title}"
    accuracy = task.metric is ACCURACY
    return Contest(trained, STEPS, title, accuracy, task.chance(e), task.guess, task.level, chosen.bound)


def record(chosen: Round, view: Contest) -> str:
    """Return in a sentence how both networks ended with other seeds; "" if that was not measured."""
    task, told = chosen.experiment.task, []
    start, by = ("gets {} right", "") if view.accuracy else ("is off by {}", "by ")
    for cell, (side, value) in zip(RUNNERS, (chosen.without, chosen.with_memory), strict=True):
        if (measured := MEASURED.get(f"why/{task}/{cell}")) is None:
            return ""
        told.append((f"{side.replace('_', ' ')} {view.in_words(value)}", measured.kept))
    (without, few), (with_memory, many) = told
    first = f"{_seeds(few)} other seeds, the feed-forward network {start.format(without)}"
    same = few.count == many.count
    second = f"{'and' if same else f'{_seeds(many).lower()},'} the recurrent one {by}{with_memory}"
    return f"{first}{',' if same else ';'} {second}."


def _seeds(kept: Share) -> str:
    """Return with how many seeds something came true."""
    return f"With all {kept.seeds}" if kept.count == kept.seeds else f"With {kept.count} of {kept.seeds}"


def results(view: Contest) -> str:
    """Return both networks' results in a sentence."""
    step = min(trained.step for trained in view.trained)
    if step == 0:
        return f"Press Play: both train for {STEPS} updates, from the same seed, on the same sequences."
    without, with_memory = (view.in_words(trained.newest) for trained in view.trained)
    start, by = ("gets {} right", "") if view.accuracy else ("is off by {} on average", "by ")
    return (
        f"After {step} updates the feed-forward network {start.format(without)}, "
        f"the recurrent one {by}{with_memory}; {view.guess}: {view.in_words(view.chance)}."
    )
