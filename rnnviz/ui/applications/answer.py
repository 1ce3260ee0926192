"""The answer of an application."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.figures.theme import Spec


@dataclass(frozen=True)
class Answer:
    """A network's answer to the visitor's input.

    figure : as plain data. label : description for screen readers. words : the answer as one line of HTML.
    prose : HTML of a longer answer, shown above the figure, which shrinks accordingly.
    """

    figure: Spec
    label: str
    words: str
    prose: str = ""
