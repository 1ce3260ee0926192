"""Lessons: short series of live experiments, one TOML file each. README.md describes the format."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import parse_qsl

from rnnviz.experiment import Experiment, shorten
from rnnviz.experiment.links import from_params
from rnnviz.teaching import measured
from rnnviz.teaching.lessons.outcome import CLAIMS, WORDS, Outcome, is_number
from rnnviz.teaching.measured import MEASURED, Measured
from rnnviz.training.updates import is_measured

__all__ = ["LESSONS", "Lesson", "Outcome", "Step", "read_all", "read_lesson"]

FOLDER = Path(__file__).parent
FILE_NAME = re.compile(r"\d\d-([a-z][a-z0-9-]*)\.toml")
MOST_UPDATES = 5000
USUAL_SHARE = 0.9
"""Default share of seeds for which a step's claims hold."""


@dataclass(frozen=True)
class Step:
    """One question, the run that answers it, and the explanation.

    experiment : the run. question, answers : shown before it starts.
    right : index of the right answer. updates : training steps needed to see the answer.
    why : paragraphs of the explanation; names in braces stand for the run's numbers.
    expect : claims that hold for the run shown. share : of all seeds, for at least this share; 0 if they are
        about this run alone.
    measured : the outcomes over many seeds, None if they were not measured.
    speed : training steps per second, None for as many as possible.
    covered : the figures are covered until the question is answered.
    instrument : of the laboratory, the one that its door opens; "" for the one that was open last.
    """

    experiment: Experiment
    question: str
    answers: tuple[str, ...]
    right: int
    updates: int
    why: tuple[str, ...]
    expect: Mapping[str, Any]
    share: float
    measured: Measured | None
    speed: float | None
    covered: bool
    instrument: str

    def explained(self, words: Mapping[str, str]) -> list[str]:
        """Return the paragraphs of ``why`` with the numbers of the run and of many seeds filled in."""
        known = {**words, **(self.measured.words() if self.measured else measured.NOT_MEASURED)}
        return [paragraph.format_map(known) for paragraph in self.why]


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    name : used in links. summary : one sentence. learned : sentences for the card at the end.
    """

    name: str
    title: str
    summary: str
    learned: tuple[str, ...]
    minutes: int
    steps: tuple[Step, ...]


# ---------------------------------------------------------------- reading

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_whole(low: int, high: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_list(of: Check, low: int, high: int) -> Check:
    return lambda value: isinstance(value, list) and low <= len(value) <= high and all(map(of, value))


LESSON_KEYS: dict[str, tuple[Check, str]] = {
    "title": (_is_text, "text"),
    "summary": (_is_text, "text"),
    "learned": (_is_list(_is_text, 1, 4), "a list of 1 to 4 texts"),
    "minutes": (_is_whole(1, 60), "a whole number from 1 to 60"),
    "steps": (_is_list(lambda step: isinstance(step, dict), 1, 9), "1 to 9 tables [[steps]]"),
}
STEP_KEYS: dict[str, tuple[Check, str]] = {
    "experiment": (_is_text, "text"),
    "question": (_is_text, "text"),
    "answers": (_is_list(_is_text, 2, 4), "a list of 2 to 4 texts"),
    "right": (_is_whole(1, 4), "the number of an answer, counted from 1"),
    "updates": (
        lambda value: _is_whole(1, MOST_UPDATES)(value) and is_measured(value),
        f"at most {MOST_UPDATES:,} and a number at which the metric is measured: "
        "up to 10 any, up to 100 a multiple of 10, beyond a multiple of 50",
    ),
    "speed": (lambda value: is_number(value) and value > 0, "a number of updates a second"),
    "covered": (lambda value: isinstance(value, bool), "true or false"),
    "instrument": (_is_text, "text"),
    "why": (_is_text, "text"),
    "expect": (lambda value: isinstance(value, dict) and bool(set(value) - {"share"}), "a table of claims"),
}
OPTIONAL = {"speed", "covered", "instrument"}


def _checked(data: Mapping[str, Any], keys: Mapping[str, tuple[Check, str]]) -> None:
    """Raise ValueError if a table has missing or unknown keys, or invalid values."""
    if unknown := sorted(set(data) - set(keys)):
        raise ValueError(f"unknown key {unknown[0]!r}; expected {', '.join(keys)}.")
    for name, (fits, wanted) in keys.items():
        if name not in data:
            if name not in OPTIONAL:
                raise ValueError(f"{name!r} is missing.")
        elif not fits(data[name]):
            raise ValueError(f"{name} must be {wanted}; got {shorten(data[name])}.")


def read_lesson(path: Path) -> Lesson:
    """Read a lesson from its file.

    Raises
    ------
    ValueError
        If something is missing or invalid; the message names the file and the step.
    """
    try:
        named = FILE_NAME.fullmatch(path.name)
        if named is None:
            raise ValueError("a lesson's file is named like 03-some-name.toml.")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        _checked(data, LESSON_KEYS)
        steps = tuple(
            _numbered_step(named[1], number, step) for number, step in enumerate(data["steps"], start=1)
        )
        if len({step.experiment for step in steps}) < len(steps):
            raise ValueError("no two steps may have the same experiment: the address tells them apart.")
        learned = tuple(map(_line, data["learned"]))
        return Lesson(named[1], _line(data["title"]), _line(data["summary"]), learned, data["minutes"], steps)
    except ValueError as wrong:
        raise ValueError(f"{path.name}: {wrong}") from wrong


def _numbered_step(lesson: str, number: int, data: dict[str, Any]) -> Step:
    try:
        return _read_step(data, MEASURED.get(f"{lesson}/{number}"))
    except ValueError as wrong:
        raise ValueError(f"step {number}: {wrong}") from wrong


def _read_step(data: dict[str, Any], outcomes: Measured | None) -> Step:
    _checked(data, STEP_KEYS)
    if data["right"] > len(data["answers"]):
        raise ValueError(f"right must be 1 to {len(data['answers'])}; got {data['right']}.")
    return Step(
        experiment=_experiment(data["experiment"]),
        question=_line(data["question"]),
        answers=tuple(map(_line, data["answers"])),
        right=data["right"] - 1,
        updates=data["updates"],
        why=_paragraphs(data["why"]),
        expect=_claims(data["expect"]),
        share=float(data["expect"].get("share", USUAL_SHARE)),
        measured=outcomes,
        speed=float(data["speed"]) if "speed" in data else None,
        covered=data.get("covered", False),
        instrument=data.get("instrument", ""),
    )


def _experiment(text: str) -> Experiment:
    """Read an experiment from URL parameters; anything ignored or adjusted is an error here."""
    opened = from_params(dict(parse_qsl(text, strict_parsing=True)))
    if problems := opened.ignored + opened.adjusted:
        raise ValueError(f"experiment: {'; '.join(problems)}")
    return opened.experiment


def _claims(expect: Mapping[str, Any]) -> dict[str, Any]:
    share = expect.get("share", USUAL_SHARE)
    if not (is_number(share) and 0 <= share <= 1):
        raise ValueError(f"expect.share must be a number from 0 to 1; got {shorten(share)}.")
    claims = {name: value for name, value in expect.items() if name != "share"}
    for name, value in claims.items():
        if name not in CLAIMS:
            raise ValueError(f"unknown claim {name!r}; expected {', '.join(CLAIMS)} or share.")
        if wrong := CLAIMS[name].check(value):
            raise ValueError(f"expect.{name} {wrong}.")
    return claims


def _line(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(text.split())


def _paragraphs(text: str) -> tuple[str, ...]:
    """Split at empty lines; raise ValueError if braces hold anything but a known name."""
    known = [*WORDS, *measured.WORDS]
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None and (name not in known or form or conversion):
            raise ValueError(f"why may put {', '.join(known)} into braces; got {shorten(name)}.")
    return tuple(_line(paragraph) for paragraph in re.split(r"\n\s*\n", text.strip()))


def read_all(folder: Path) -> dict[str, Lesson]:
    """Read all lessons of a folder, by name, in the order of the file numbers.

    Raises
    ------
    ValueError
        If a file is invalid, or two lessons have the same name.
    """
    lessons: dict[str, Lesson] = {}
    for path in sorted(folder.glob("*.toml")):
        lesson = read_lesson(path)
        if lesson.name in lessons:
            raise ValueError(f"{path.name}: there is a lesson {lesson.name!r} already.")
        lessons[lesson.name] = lesson
    return lessons


LESSONS = read_all(FOLDER)
"""The lessons by name, in the order of the file numbers."""
