"""What a visitor has answered in a lesson; it lives as long as the session and goes nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnviz.teaching.lessons import Lesson, Outcome
from rnnviz.ui.live_run import LiveRun


@dataclass
class Answer:
    """The answer to one question, and what its run brought.

    given : index of the answer.
    words : the run's numbers as `why` tells them, None until it has come to its end.
    """

    given: int
    words: dict[str, str] | None = None

    def judge(self, run: LiveRun | None, updates: int) -> None:
        """Keep the numbers of the run that was started by this answer, if it has just come to its end."""
        if self.words is None and run is not None and (run.finished or run.state.step >= updates):
            look = run.look()
            self.words = Outcome(run.experiment, look.state, run.initial, look.snapshot).words()


@dataclass
class LessonProgress:
    """One lesson's way so far: at which step it is open, and the answers by step."""

    at: int = 0
    answers: dict[int, Answer] = field(default_factory=dict)

    def answered(self, lesson: Lesson) -> int:
        """Return how many questions have been answered and explained."""
        return sum(self.explained(number) for number in range(len(lesson.steps)))

    def explained(self, number: int) -> bool:
        """Tell whether a step's run has come to its end, so that its answer was explained."""
        return number in self.answers and self.answers[number].words is not None

    def done(self, lesson: Lesson) -> bool:
        """Tell whether every question has been answered and explained."""
        return self.answered(lesson) == len(lesson.steps)
