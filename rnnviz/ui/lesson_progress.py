"""A visitor's answers in the lessons; kept in the session only."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnviz.export.worksheet import LONGEST_REASON, Given, Observed
from rnnviz.teaching.lessons import Lesson, Outcome
from rnnviz.ui.live_run import LiveRun


@dataclass
class Answer:
    """The answer to one question, and the result of its run.

    given : index of the answer.
    words : the run's numbers as text for `why`, None until the run has ended; seen : them for the worksheet.
    reason : the visitor's own explanation, "" for none. told : whether the lesson's was asked for.
    """

    given: int
    words: dict[str, str] | None = None
    seen: Observed | None = None
    reason: str = ""
    told: bool = False

    def judge(self, run: LiveRun | None, updates: int) -> None:
        """Store the numbers of this answer's run if it has ended."""
        if self.words is None and run is not None and (run.finished or run.state.step >= updates):
            now = run.moment()
            outcome = Outcome(run.experiment, now.state, now.initial, now.snapshot)
            self.words, self.seen = outcome.words(), Observed.of(outcome)

    def explain(self, reason: str) -> None:
        """Keep the visitor's own explanation, as long as a worksheet has room for."""
        self.reason = " ".join(reason.split())[:LONGEST_REASON]


@dataclass
class LessonProgress:
    """The answers in one lesson, by step. asks : whether it asks for the visitor's own explanation first."""

    answers: dict[int, Answer] = field(default_factory=dict)
    asks: bool = True

    def answered(self, lesson: Lesson) -> int:
        """Return the number of questions answered and explained."""
        return sum(self.explained(number) for number in range(len(lesson.steps)))

    def explained(self, number: int) -> bool:
        """Return whether a step's run has ended, so that its answer is explained."""
        return number in self.answers and self.answers[number].words is not None

    def right(self, lesson: Lesson) -> int:
        """Return the number of questions whose explained answer was right."""
        return sum(self.mark(lesson, number) == "right" for number in range(len(lesson.steps)))

    def mark(self, lesson: Lesson, number: int) -> str:
        """Return "right" or "wrong" for a question that is explained, else ""."""
        if not self.explained(number):
            return ""
        return "right" if self.answers[number].given == lesson.steps[number].right else "wrong"

    def next(self, lesson: Lesson) -> int:
        """Return the index of the first question that is not explained yet, 0 if there is none."""
        return next((n for n in range(len(lesson.steps)) if not self.explained(n)), 0)

    def done(self, lesson: Lesson) -> bool:
        """Return whether every question has been answered and explained."""
        return self.answered(lesson) == len(lesson.steps)

    def given(self) -> dict[int, Given]:
        """Return what the lesson's worksheet shows of each answer."""
        return {number: Given(a.given, a.reason, a.seen) for number, a in self.answers.items()}
