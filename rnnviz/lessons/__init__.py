"""Lessons: short paths through live experiments, a TOML file each; README.md in this folder says how."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from rnnviz.experiment import Experiment
from rnnviz.links import from_params

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """One question, the run that answers it, and why.

    experiment : what is run. question, answers : what the visitor decides before it runs.
    right : index of the right answer. updates : training steps until the answer is plain.
    speed : training steps a second, None for as many as possible.
    why : what there was to see; {names} in braces are filled with the run's own numbers.
    expect : what a test holds of the run (see README.md in this folder).
    """

    experiment: Experiment
    question: str
    answers: tuple[str, ...]
    right: int
    updates: int
    speed: float | None
    why: str
    expect: dict[str, Any]


@dataclass(frozen=True)
class Lesson:
    """A lesson: its name in links, its title, one sentence on it, how long it takes, its steps."""

    name: str
    title: str
    summary: str
    minutes: int
    steps: tuple[Step, ...]


def read_lesson(path: Path) -> Lesson:
    """Read a lesson from its file.

    Raises
    ------
    ValueError
        If something is missing or makes no sense; the message names the file and the step.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        steps = tuple(_read_step(number, step) for number, step in enumerate(data["steps"], start=1))
        return Lesson(path.stem.partition("-")[2], data["title"], data["summary"], data["minutes"], steps)
    except KeyError as missing:
        raise ValueError(f"{path.name} lacks {missing}.") from missing
    except ValueError as wrong:
        raise ValueError(f"{path.name}: {wrong}") from wrong


def _read_step(number: int, data: dict[str, Any]) -> Step:
    opened = from_params(dict(parse_qsl(data["experiment"])))
    if opened.ignored or opened.adjusted:
        raise ValueError(f"step {number}: {' '.join(opened.ignored + opened.adjusted)}")
    if not 1 <= data["right"] <= len(data["answers"]):
        raise ValueError(f"step {number}: right must be 1 to {len(data['answers'])}; got {data['right']}.")
    speed = data.get("speed")
    return Step(
        opened.experiment,
        data["question"],
        tuple(data["answers"]),
        data["right"] - 1,
        data["updates"],
        None if speed is None else float(speed),
        data["why"],
        data["expect"],
    )


LESSONS = {lesson.name: lesson for lesson in map(read_lesson, sorted(FOLDER.glob("*.toml")))}
"""The lessons by name, in the order of their files' numbers."""
