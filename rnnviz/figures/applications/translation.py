"""Translation of a number word."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import cast

from rnnviz.applications.passage import pass_through
from rnnviz.figures.applications.answer import Answer
from rnnviz.figures.passage import BACK, Written, written_spec
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.tasks import TASKS
from rnnviz.tasks.numerals import LANGUAGES
from rnnviz.tasks.translation import TARGET, Translation


@dataclass(frozen=True)
class TypedNumber:
    """The question what a number is called in another language.

    words : those that the network reads. number : what they name, None if they name no number.
    """

    words: tuple[str, ...]
    number: int | None

    def __call__(self, now: Moment, theme: Theme) -> Answer:
        """Return the written words and their probabilities."""
        e, words = now.experiment, list(self.words)
        task = cast(Translation, TASKS[e.task])
        seen = pass_through(e, now.state.params, task.inputs(e, [words]))
        signs, writes = task.signs(e), task.masks(e).writes
        wanted = None
        if self.number is not None:
            codes = task.spelled(e, [LANGUAGES[TARGET.of(e)].say(self.number)])[:, 0]
            wanted = [signs[i] if on else "" for i, on in zip(codes, writes, strict=True)]
        silent = e.seq_len - task.writing_steps(e) - len(words)
        # at the first writing step there is no output to feed back
        reads = [""] * silent + words + [""] + [BACK] * (task.writing_steps(e) - 1)
        view = Written(reads, seen.hidden, seen.probabilities, writes, signs, wanted)
        parts = task.read_off(e, seen.probabilities[:, None])[0]
        said = " ".join(parts) or "(no word)"
        title = LANGUAGES[TARGET.of(e)].title
        label = f"The network translates into {title}: “{said}”; its hidden states while it reads and writes"
        told = f"In {title}: <b>{escape(said)}</b>"
        if TARGET.of(e) == "german" and len(parts) > 1:  # written as one word
            told = f"In {title} (part by part): <b>{escape(' · '.join(parts))}</b>"
        if not words:
            told = "Nothing was read, so the output is meaningless"
        return Answer(written_spec(view, theme), label, told, now.measured)
