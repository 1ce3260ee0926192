"""Worksheets to print or to save: predict, observe, explain.

``class_sheet`` makes one of any experiment, empty or with the answers that the network gave; ``lesson_sheet``
makes one of what a learner predicted, saw and wrote in a lesson.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.export.report import factor_of, fate
from rnnviz.export.sheet_blocks import (
    Blanks,
    Block,
    Bullets,
    Choice,
    Choices,
    Columns,
    Heading,
    Lines,
    Link,
    Picture,
    Sheet,
    Table,
    Words,
)
from rnnviz.export.sheet_plot import empty_plot, plot, thinned
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS
from rnnviz.tasks.memory import DELAY, SYMBOLS
from rnnviz.tasks.options import NOISE
from rnnviz.teaching.glossary import with_small_indices
from rnnviz.teaching.lessons import Lesson, Step
from rnnviz.teaching.lessons.outcome import VERDICTS, Outcome, score, size
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.training.loop import Run, advance, held_out_metric, start

LONGEST_REASON = 280
"""Characters of a learner's own explanation: a lesson's sheet stays on one page."""

MOST_SECONDS = 20.0
"""Time after which the training for a sheet with answers stops at the next measurement."""

CHUNK = 50
"""Updates between two looks at the clock; the metric is measured after each chunk."""

FULL_WIDTH, HALF_WIDTH = (720, 190), (400, 104)
"""Width and height of a plot across the page, and in one of two columns."""

FOOTER = "Made with rnnviz. All numbers were measured by training the network with the seed named above."


@dataclass(frozen=True, eq=False)
class Observed:
    """What a run did, as sheets show it: each pair is at the start and after ``step`` updates.

    loss : of the first and the last training batch. metric : on held-out sequences.
    verdict, decades, gradients : of the last output's gradient in the top layer (see Snapshot).
    curve : the updates after which the metric was measured, and the metric, (n,) each.
    result : index of the right answer in RESULTS. fate : what became of the run, as a sentence.
    """

    experiment: Experiment
    step: int
    loss: tuple[str, str]
    metric: tuple[str, str]
    verdict: tuple[str, str]
    decades: tuple[float, float]
    gradients: tuple[Array, Array]
    curve: tuple[Array, Array]
    result: int
    fate: str

    @classmethod
    def of(cls, o: Outcome) -> Observed:
        """Return what a finished run did."""
        e, state, columns = o.experiment, o.state, o.state.history.columns
        first = held_out_metric(e, e.network(), start(e).params)
        latest = state.history.latest
        updates = np.append(columns["step"], state.step)
        metrics = np.append(columns["metric"], state.metric)
        metrics[0] = first
        result = 0 if state.solved_at is not None else 1 if state.divergence is None else 2
        return cls(
            e,
            state.step,
            (size(float(columns["loss"][0])), size(latest[1])) if latest else ("", ""),
            (score(o, first), score(o, state.metric)),
            (o.before.verdict[-1], o.after.verdict[-1]),
            (o.before.decades[-1], o.after.decades[-1]),
            (o.before.last[-1], o.after.last[-1]),
            thinned(updates, metrics),
            result,
            fate(e, state),
        )


def observe(e: Experiment, updates: int) -> Observed:
    """Train an experiment and return what it did; one that takes too long stops early."""
    state, deadline = start(e), monotonic() + MOST_SECONDS
    while state.step < updates and not state.divergence and monotonic() < deadline:
        state = advance(e, state, steps=min(CHUNK, updates - state.step))
    return Observed.of(Outcome.of(Run(e, state)))


# ---------------------------------------------------------------- for a class

GRADIENTS = (
    "It vanishes: a hundredth or less arrives.",
    "It neither vanishes nor explodes.",
    "It explodes: a hundred times as much or more arrives.",
)
"""Answers to the question about the gradient, in the order of VERDICTS."""

RESULTS = (
    "Yes, it reaches the goal.",
    "No, it does not reach the goal.",
    "No: numbers overflow, and training stops.",
)
"""Answers to the question about the result."""


def class_sheet(e: Experiment, updates: int, link: str, seen: Observed | None = None) -> Sheet:
    """Return a worksheet of an experiment; with ``seen``, the answers are filled in."""
    task = TASKS[e.task]
    return Sheet(
        f"{task.title}: {CELLS[e.cell].title}, T = {e.seq_len}",
        "Worksheet with answers, for the teacher" if seen else "Worksheet: predict, observe, explain",
        [
            *([] if seen else [Blanks(("Name", "Class", "Date"))]),
            Words(task.summary, "The task."),
            Words(_network(e), "The network."),
            Link("The experiment:", link),
            *_predict(e, updates, seen),
            *_observe(e, updates, seen),
            *_explain(e, updates, seen),
        ],
        FOOTER
        if seen
        else f"Made with rnnviz. Whoever opens the link with seed {e.seed} sees the same numbers.",
    )


def _predict(e: Experiment, updates: int, seen: Observed | None) -> list[Block]:
    blocks: list[Block] = [Heading("1. Predict", "before you press Play")]
    if e.seq_len > 1:
        where = "to the cut" if e.truncate is not None else "to the first step"
        asked = f"Before training, the error of the last output travels back {where}. What becomes of it?"
        blocks += [
            Words(asked, "a)"),
            _boxes(GRADIENTS, VERDICTS.index(seen.verdict[0]) if seen else -1),
        ]
    task = TASKS[e.task]
    goal, chance = (_score(e, value) for value in (task.goal, task.chance(e)))
    asked = (
        f"The goal is {task.metric.title} {goal} ({task.level}: {chance}). "
        f"Does the network reach it within {_updates(updates)}?"
    )
    right = seen.result if seen and (seen.step == updates or seen.result != 1) else -1
    blocks += [Words(asked, "b)" if e.seq_len > 1 else ""), _boxes(RESULTS, right)]
    return blocks if seen else [*blocks, Words("", "Because:"), Lines(2)]


def _boxes(answers: Sequence[str], ticked: int) -> Choices:
    return Choices([Choice(answer, number == ticked) for number, answer in enumerate(answers)])


def _observe(e: Experiment, updates: int, seen: Observed | None) -> list[Block]:
    width, height = FULL_WIDTH
    if seen:
        return [Heading("2. Observe"), _numbers(seen), _picture(seen, width, height)]
    names = _columns(e)
    rows = [[_when(0), *[""] * (len(names) - 1)], [_when(updates), *[""] * (len(names) - 1)]]
    when = f"Open the link and press Play. Pause after {_updates(updates)}."
    return [
        Heading("2. Observe"),
        Words(f"{when} Fill in the table and sketch the curves."),
        Table(names, rows),
        Picture(empty_plot(TASKS[e.task].metric.title, width, height), "Empty axes to draw on"),
    ]


def _explain(e: Experiment, updates: int, seen: Observed | None) -> list[Block]:
    if seen is None:
        return [
            Heading("3. Explain"),
            Words("Were you right? What happened, and why?"),
            Lines(4),
        ]
    told = [*([_gradient_told(seen)] if e.seq_len > 1 else []), seen.fate]
    if seen.step < updates and seen.result != 2:
        told.append(f"Training for this sheet took too long and was stopped after {_updates(seen.step)}.")
    scenario = scenario_of(e)
    if scenario is not None and scenario.steps == updates:
        told += [scenario.promise, f"Other seeds. {scenario.record}"]
    else:
        told.append(f"These are the numbers of seed {e.seed} alone: other seeds may end otherwise.")
    return [Heading("3. Explain"), Bullets([with_small_indices(sentence) for sentence in told])]


def scenario_of(e: Experiment) -> Preset | None:
    """Return the scenario that differs from an experiment in the seed at most, with measured outcomes."""
    same = (p for p in PRESETS.values() if p.experiment.replace(seed=e.seed) == e and p.measured)
    return next(same, None)


# ---------------------------------------------------------------- for a learner


@dataclass(frozen=True)
class Given:
    """What a learner did at one question of a lesson.

    answer : index of the answer. reason : the learner's own explanation, "" for none.
    seen : what the network did, None if its run has not ended.
    """

    answer: int
    reason: str
    seen: Observed | None


def lesson_sheet(lesson: Lesson, given: Mapping[int, Given], link: str) -> Sheet:
    """Return a learner's sheet of a lesson. given : by the number of the question, from 0."""
    blocks: list[Block] = [Blanks(("Name", "Class", "Date"))]
    for number, step in enumerate(lesson.steps):
        hint = " · ".join([_verdict(step, given.get(number)), *facts(step.experiment)])
        blocks.append(Heading(f"Question {number + 1}", with_small_indices(hint)))
        blocks.append(_answered(step, given.get(number)))
    right = sum(_is_right(step, given.get(number)) for number, step in enumerate(lesson.steps))
    blocks += [
        Heading("What the lesson teaches", f"{right} of {len(lesson.steps)} right"),
        Bullets([with_small_indices(sentence) for sentence in lesson.learned]),
        Link("The lesson:", link),
    ]
    return Sheet(with_small_indices(lesson.title), "Worksheet of a lesson", blocks, FOOTER)


def _is_right(step: Step, given: Given | None) -> bool:
    return given is not None and given.seen is not None and given.answer == step.right


def _verdict(step: Step, given: Given | None) -> str:
    if given is None or given.seen is None:
        return "open"
    return "right" if _is_right(step, given) else "wrong"


def _answered(step: Step, given: Given | None) -> Columns:
    """Return a question with its answers and the learner's words, beside what the network did."""
    seen = given.seen if given else None
    choices = []
    for number, answer in enumerate(step.answers):
        notes = ["my answer"] * (given is not None and number == given.answer)
        notes += ["right"] * (seen is not None and number == step.right)
        choices.append(Choice(with_small_indices(answer), notes[:1] == ["my answer"], ", ".join(notes)))
    words = Words(given.reason, "In my own words:", "own") if given and given.reason else None
    left = [
        Words(with_small_indices(step.question)),
        Choices(choices),
        *([words] if words else [Words("", "In my own words:"), Lines(2)]),
    ]
    width, height = HALF_WIDTH
    if seen is None:
        name = TASKS[step.experiment.task].metric.title
        axes = Picture(empty_plot(name, width, height), "Empty axes to draw on")
        return Columns(left, [axes])
    return Columns(left, [_picture(seen, width, height), _numbers(seen)])


# ---------------------------------------------------------------- parts of both


def facts(e: Experiment) -> list[str]:
    """Return the settings that matter in a lesson, as phrases."""
    options, init = TASKS[e.task].options, INITIALIZERS[e.init]
    phrases = [f"T = {e.seq_len}"]
    if "delay" in options:
        phrases.append(f"delay {DELAY.of(e)}")
    if "symbols" in options and SYMBOLS.of(e) != SYMBOLS.default:
        phrases.append(f"{SYMBOLS.of(e)} symbols")
    if "noise" in options and NOISE.of(e) != NOISE.default:
        phrases.append(f"noise {NOISE.of(e):g}")
    gain = f", gain {e.gain:g}" if init.has_gain and e.gain != Experiment.gain else ""
    rate = np.format_float_positional(e.learning_rate, trim="-")
    clip = "no clipping" if e.clip_norm is None else f"clipped at {e.clip_norm:g}"
    learning = f"{OPTIMIZERS[e.optimizer].title}, learning rate {rate}, {clip}"
    if e.truncate is not None:
        learning += f", gradient cut every {e.truncate} steps"
    return [
        *phrases,
        f"W_hh: {init.title}{gain}",
        ACTIVATIONS[e.activation].title,
        learning,
        f"seed {e.seed}",
    ]


def _network(e: Experiment) -> str:
    """Return the network and its training in words."""
    units = f"{e.hidden_size} units" if e.layers == 1 else f"{e.layers} layers of {e.hidden_size} units"
    return with_small_indices(" · ".join([f"{CELLS[e.cell].title}, {units}", *facts(e)]) + ".")


def _score(e: Experiment, value: float) -> str:
    return f"{value:.0%}" if TASKS[e.task].metric.higher_is_better else size(value)


def _updates(count: int) -> str:
    return "1 update" if count == 1 else f"{count:,} updates"


def _when(updates: int) -> str:
    return f"after {_updates(updates)}" if updates else "at the start"


def _metric_title(e: Experiment) -> str:
    task = TASKS[e.task]
    return f"{task.measured_on(e)} {task.metric.title}"


def _columns(e: Experiment) -> list[str]:
    gradient = ["gradient: first step ÷ last output"] if e.seq_len > 1 else []
    return ["", "training loss", _metric_title(e), *gradient]


def _numbers(seen: Observed) -> Table:
    """Return the table of a run's numbers."""
    rows = []
    for place, updates in enumerate((0, seen.step)):
        gradient = f"{_factor(seen.decades[place])} ({seen.verdict[place]})"
        row = [_when(updates), seen.loss[place], seen.metric[place]]
        rows.append([*row, gradient] if seen.experiment.seq_len > 1 else row)
    return Table(_columns(seen.experiment), rows)


def _gradient_told(seen: Observed) -> str:
    before, after = map(_factor, seen.decades)
    return (
        f"The gradient at the first step, as a part of the last output's: {before} before training "
        f"({seen.verdict[0]}), {after} after {_updates(seen.step)} ({seen.verdict[1]})."
    )


def _factor(decades: float) -> str:
    return "overflowed" if np.isnan(decades) else factor_of(decades)


def _picture(seen: Observed, width: int, height: int) -> Picture:
    """Return the plot of what a run did."""
    task = TASKS[seen.experiment.task]
    shown = plot(
        seen.gradients,
        seen.curve,
        task.goal,
        task.metric.title,
        task.metric.higher_is_better,
        width,
        height,
    )
    told = f"The gradient at the start and {_when(seen.step)}; the {task.metric.title} over the updates"
    return Picture(shown, told)
