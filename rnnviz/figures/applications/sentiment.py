"""Sentiment: the verdict on a sentence, after every word."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import cast

from rnnviz.applications.catalogue import Judgement, share_in_words
from rnnviz.applications.passage import pass_through
from rnnviz.figures.applications.answer import Answer
from rnnviz.figures.passage import Judged, judged_spec
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.tasks import TASKS
from rnnviz.tasks.sentiment import VERDICTS, Sentiment


@dataclass(frozen=True)
class TypedSentence:
    """The question whether a sentence is positive; words : those that the network reads, at most T."""

    words: tuple[str, ...]

    def __call__(self, now: Moment, theme: Theme) -> Answer:
        """Return the verdict after every word, and how it judges others; measured : a ``Judgement``."""
        e, words = now.experiment, list(self.words)
        task = cast(Sentiment, TASKS[e.task])
        seen = pass_through(e, now.state.params, task.inputs(e, [words]))
        reads = [""] * (e.seq_len - len(words)) + words
        first = e.seq_len - max(len(words), 1)  # shorter sentences are padded at the start
        view = Judged(reads[first:], seen.hidden[first:], seen.probabilities[first:, 1])
        verdict = VERDICTS[int(seen.probabilities[-1].argmax())]
        sure = float(seen.probabilities[-1].max())
        label = f"The verdict after each word, and the hidden states; at the end {verdict}, {sure:.0%} sure"
        told = f"Verdict: <b>{verdict}</b>, {sure:.0%} sure" if words else "No verdict: nothing was read"
        found: Judgement = now.measured
        return Answer(judged_spec(view, theme), label, told, found.scores, more=failures(found))


def failures(found: Judgement) -> str:
    """Return how it judges sentences beyond its grammar and within it, with wrong verdicts, as HTML."""
    listed = "".join(
        f"<li>{escape(s.text)} <i>(actually {VERDICTS[s.verdict]})</i></li>" for s in found.examples
    )
    beyond = "".join(
        f"<li>{escape(name)}: <b>{share_in_words(share)}</b></li>" for name, share in found.beyond.items()
    )
    wrong = f"{found.wrong} of {found.of} held-out sentences" if found.wrong else "no held-out sentence"
    within = f"{wrong} judged wrongly" + (":" if found.wrong else "")
    return (
        f"<div class='failures'><b>Beyond its grammar</b>, judged correctly:<ul>{beyond}</ul>"
        f"<b>Within its grammar</b>, {within}<ul>{listed}</ul></div>"
    )
