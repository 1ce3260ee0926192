"""The built-in texts of the character task, and the requirements for a user text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from rnnviz.tasks.sentiment import sentences

MAX_CHARACTERS = 2000
"""The longest user text: it is part of the URL, so that a link holds the whole experiment."""

MIN_CHARACTERS = 10

OPINIONS = 300
"""Number of sentences from the grammar of the task Sentiment in that text."""

CORPORA: dict[str, str] = {
    "hello": "hello world, again and again",
    "elements": "The 118 chemical elements",
    "countries": "The 193 member states of the UN",
    "opinions": "300 sentences of opinion",
    "own": "Your own text",
}
"""Texts by name, with their titles."""


def check_text(text: str) -> None:
    """Check a user text.

    Raises
    ------
    ValueError
        If it is too short, too long, or made of a single character; the message says how to fix it.
    """
    if not MIN_CHARACTERS <= len(text) <= MAX_CHARACTERS:
        advice = "Paste a shorter passage." if len(text) > MAX_CHARACTERS else "Paste a few words more."
        raise ValueError(
            f"text must have between {MIN_CHARACTERS} and {MAX_CHARACTERS:,} characters; "
            f"got {len(text):,}. {advice}"
        )
    if len(set(text)) < 2:
        raise ValueError(
            f"text must have at least 2 different characters; got only {text[0]!r}. "
            "Paste something that can be predicted."
        )


@cache
def corpus(name: str, own: str = "") -> str:
    """Return the text called ``name``; "own" is the user text.

    Lists are shuffled once, with a fixed seed, so that the held-out end is a fair sample.
    """
    if name == "own":
        return own
    if name == "hello":
        return "hello world " * 40
    if name == "opinions":
        return "".join(f"{sentence.text}\n" for sentence in sentences(held_out=False)[:OPINIONS])
    lines = (Path(__file__).parent / "data" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return "".join(f"{lines[i]}\n" for i in np.random.default_rng(0).permutation(len(lines)))
