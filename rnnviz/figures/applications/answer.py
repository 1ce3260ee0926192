"""The live picture of an application: the network's answer to the visitor's question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Protocol

from rnnviz.applications.catalogue import FEW, Score
from rnnviz.experiment import Experiment
from rnnviz.figures.message import Place
from rnnviz.figures.progress import Progress
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Spec, Theme
from rnnviz.tasks import TASKS
from rnnviz.training.state import TrainingState


@dataclass(frozen=True)
class Answer:
    """A network's answer to the visitor's question.

    figure : as plain data. label : description for screen readers. words : the answer as one line of HTML.
    scores : measured on held-out data. prose : HTML of a longer answer, shown above the words.
    more : HTML shown below the scores.
    """

    figure: Spec
    label: str
    words: str
    scores: list[Score]
    prose: str = ""
    more: str = ""


class Question(Protocol):
    """A visitor's question to a network; picklable, and compared by value."""

    def __call__(self, now: Moment, theme: Theme) -> Answer:
        """Return the answer of the network at a moment."""
        ...


@dataclass(frozen=True)
class AnswerPicture:
    """The answer to a question, with its scores; until : updates at the end of training."""

    place: Place
    theme: Theme
    question: Question
    until: int

    def __call__(self, now: Moment) -> bytes:
        """Return the answer at a moment as a message."""
        found, step = self.question(now, self.theme), now.state.step
        trained = f"after {step:,} of {self.until:,} updates" if step else "untrained: press Train"
        words = f"<div class='numbers'><span>{found.words}</span><span>{trained}</span></div>"
        scores = _table(found.scores) or " · ".join(_in_words(score) for score in found.scores)
        verdict = _compared(found.scores) if step else "No verdict yet: the network is untrained."
        if 0 < step < self.until:
            verdict = f"So far ({step:,} of {self.until:,} updates): {verdict[0].lower()}{verdict[1:]}"
        return self.place.message(
            found.figure,
            found.label,
            caption=found.prose + words,
            footer=f"<div class='outcome scores'>{scores}</div>"
            f"<p class='outcome rival'>{verdict}</p>{found.more}",
            status=f"Training has ended {trained}." if step >= self.until else "",
        )


def _in_words(score: Score) -> str:
    """Return a score and its baselines as HTML."""
    others = "; ".join(f"{name}: {score.write(value)}" for name, value in score.others.items())
    compared = f" <span>({escape(others)})</span>" if others else ""
    counted = f", {round(score.value * score.of)} of {score.of}" if 0 < score.of < FEW else ""
    return f"{escape(score.name)} <b>{score.write(score.value)}</b>{counted}{compared}"


def _table(scores: list[Score]) -> str:
    """Return scores with the same baselines as an HTML table, a row each; "" if there is one score only."""
    names = list(scores[0].others)
    if len(scores) < 2 or not all(score.when and list(score.others) == names for score in scores):
        return ""
    head = "".join(f" <th scope='col'>{escape(name)}</th>" for name in ("network", *names))
    rows = "".join(
        f"<tr><th scope='row'>{escape(score.name)}</th> <td><b>{score.write(score.value)}</b></td>"
        + "".join(f" <td>{score.write(score.others[name])}</td>" for name in names)
        + "</tr>"
        for score in scores
    )
    table = f"<table><thead><tr><td></td>{head}</tr></thead> <tbody>{rows}</tbody></table>"
    return f"<div class='wide' role='region' aria-label='Scores' tabindex='0'>{table}</div>"


def _compared(scores: list[Score]) -> str:
    """Return whether the network beats the best baseline, as HTML; for each way to answer if they differ."""
    first, *more = [score for score in scores if score.others]
    differing = [score for score in more if score.result != first.result]
    told = [f"the network is {_result(first)} the best baseline: {_rival(first)}."]
    told += [f"it is {_result(score)} the best one: {_rival(score)}." for score in differing]
    if differing:
        told = [f"{score.when}, {what}" for score, what in zip([first, *differing], told, strict=True)]
    return " ".join(what[0].upper() + what[1:] for what in told)


def _result(score: Score) -> str:
    result = {"better": "better than", "worse": "worse than"}.get(score.result, f"{score.result} as")
    return f"<b>{result}</b>"


def _rival(score: Score) -> str:
    return f"{escape(score.rival)}, {score.write(score.others[score.rival])}"


PER = {
    "sunspots": " error per window",
    "series": " error per window",
    "captions": ", per character",
    "characters": ", per character",
    "translation": ", per word",
}
"""What the metric of a task with many outputs is, so that it is not taken for a score above."""


def narrow_progress(e: Experiment, state: TrainingState) -> Progress:
    """Return the progress for a narrow panel, with a metric name that differs from the scores above."""
    measured_on = TASKS[e.task].measured_on(e)
    title = f"{measured_on}{PER.get(e.task, ' accuracy')}"
    return replace(Progress.of(e, state), guess="", metric_title=title)
