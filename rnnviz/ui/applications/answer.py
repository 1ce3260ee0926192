"""What every application gives the page to show."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.figures.theme import Spec


@dataclass(frozen=True)
class Answer:
    """A network's answer to what the visitor gave it.

    figure : as plain data. label : what it shows, in words. words : the answer itself, one line of HTML.
    prose : HTML of a longer answer, that stands above the figure and takes some of its room.
    """

    figure: Spec
    label: str
    words: str
    prose: str = ""
