"""What a visitor has answered in a lesson; it lives as long as the visit and goes nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnviz.teaching.lessons import Lesson, Outcome
from rnnviz.ui.live_run import LiveRun


@dataclass
class Answer:
    """The answer to one question, and the run that was started by it.

    given : index of the answer. run : None once the lesson was left; then it can be run again.
    words : the run's numbers as `why` tells them, None until it has come to its end.
    """

    given: int
    run: LiveRun | None = None
    words: dict[str, str] | None = None

    def play(self, run: LiveRun, updates: int) -> None:
        """Let a run go on to its end, which is where this answer is judged."""
        self.run = run
        run.until, run.pause_when_solved = updates, False
        run.play()

    def judge(self, updates: int) -> None:
        """Keep the numbers of the run, if it has just come to its end."""
        run = self.run
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

    def leave(self) -> None:
        """Let go of the runs, which are large; the answers and their numbers stay."""
        for answer in self.answers.values():
            answer.run = None
