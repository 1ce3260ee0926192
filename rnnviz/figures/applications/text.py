"""Text: what the network has written, and what it would write next."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from rnnviz.applications.generation import Writer, characters_of
from rnnviz.figures.applications.answer import Answer
from rnnviz.figures.passage import letters_spec
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme

SAMPLE = 60
"""Length of the sample text."""


@dataclass(frozen=True)
class TextSoFar:
    """The question which letter comes next.

    shown : the prompt as the visitor sees it. begun : codes of the letters read first, at least one.
    written : codes of the letters that the network has written since.
    """

    shown: str
    begun: tuple[int, ...]
    written: tuple[int, ...]
    temperature: float

    def __call__(self, now: Moment, theme: Theme) -> Answer:
        """Return the text so far, and the probabilities from which the last letter was drawn."""
        e = now.experiment
        task, chosen = characters_of(e), self.written[-1] if self.written else None
        before = (*self.begun, *self.written[:-1])
        probabilities = Writer(e, now.state.params, before).probabilities(self.temperature)
        signs = [task.output_label(e, i) for i in range(len(task.alphabet(e)))]
        likeliest = signs[int(probabilities.argmax())]
        likely = (
            "Most likely next:"
            if chosen is None
            else f"Drawn: <b>{escape(signs[chosen])}</b>; most likely was"
        )
        return Answer(
            letters_spec(signs, probabilities, chosen, theme),
            f"Probability of each letter to come next; the likeliest is {likeliest}",
            f"{likely} <b>{escape(likeliest)}</b>",
            now.measured,
            prose=self._prose(now),
        )

    def _prose(self, now: Moment) -> str:
        """Return the text so far as HTML; a sample if there is none."""
        if not self.written:
            return f"<p class='written'>A sample: <i>{self._sample(now)}</i></p>"
        alphabet = characters_of(now.experiment).alphabet(now.experiment)
        text = _in_one_line("".join(alphabet[code] for code in self.written))
        return f"<p class='written'>{_in_one_line(self.shown)}<b>{text}</b><span class='cursor'>▌</span></p>"

    def _sample(self, now: Moment) -> str:
        """Return a sample of the network's text as HTML, always with the same random numbers."""
        alphabet, rng = characters_of(now.experiment).alphabet(now.experiment), np.random.default_rng(0)
        writer = Writer(now.experiment, now.state.params, self.begun)
        for _ in range(SAMPLE):
            writer.write(self.temperature, rng)
        return _in_one_line("".join(alphabet[code] for code in writer.text).strip())


def _in_one_line(text: str) -> str:
    """Return text as HTML that shows where its lines end."""
    return escape(text).replace("\n", "⏎ ")
