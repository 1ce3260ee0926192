"""Each visible "always" and "never" has a test or a source: one that has none fails here.

Digits in lessons and scenarios are compared with their experiments in tests/teaching/. Numbers on other pages
come from the library when the page is drawn; this file does not look for them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from rnnviz.teaching.lessons import LESSONS

ROOT = Path(__file__).parents[1]
ABSOLUTE = re.compile(
    r"\b(always|never|whatever|surely|guaranteed?|impossible|in every draw)\b", re.IGNORECASE
)
VISIBLE = ("rnnviz/teaching/*.py", "rnnviz/ui/**/*.py", "rnnviz/figures/**/*.py", "pages/*.py")

REASONS = {
    "always right at step 1, half the time": "test_no_answer_from_the_newest_bit_alone_exceeds_the_bound",
    "the recurrent weights are never used": "test_where_there_is_no_past_both_are_the_same_network",
    "always the likeliest letter": "test_at_temperature_zero_the_likeliest_letter_is_always_taken",
    "never trained on": "test_digits_measured_were_never_trained_on",
    "descent without clipping never hits": "measured: said if no gradient of the path shown reached 1",
    "The threshold was never reached": "measured: said of the path shown",
    "It never reached the threshold": "measured: said of the run shown",
    "The error always enters the top layer": "by definition: only the top layer is read out",
    "The file is read, never stored": "test_the_server_keeps_no_copy_of_an_uploaded_file",
    "shrinks every gradient, whatever the input": "test_sigma_below_the_bound_makes_every_gradient_vanish",
    "Hiding a control never hides a result": "test_a_hidden_control_is_gone_and_every_result_is_still_there",
    "always through": "by definition: the recurrent layer is one and the same at every step",
    "On sequences that it has never seen": "test_other_sequences_are_new_when_they_are_measured",
    "always answering": "by definition: the guess that the chance level belongs to",
    "never that long": "claim: clipped = [0, 0] in lesson 4, for the run shown",
    "that it has never seen.": "test_measured_images_are_never_trained_on",
    "Numbers that it has never seen": "test_held_out_numbers_are_never_trained_on",
    "it is not never good": "an example of a sentence",
    "never seen": "test_the_split_stands_at_the_first_value_never_seen",
}
"""A part of each such sentence, and the test that checks it or why it needs none."""


def texts_of(file: Path) -> Iterator[str]:
    """All strings of a module except docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def visible() -> Iterator[str]:
    """All texts of pages and lessons; of a lesson's answers only the right ones claim anything."""
    for pattern in VISIBLE:
        for file in sorted(ROOT.glob(pattern)):
            yield from texts_of(file)
    for lesson in LESSONS.values():
        yield from (lesson.title, lesson.summary, *lesson.learned)
        for step in lesson.steps:
            yield from (step.question, step.answers[step.right], *step.why)


@cache
def sentences() -> list[str]:
    parts = (part for text in visible() for part in re.split(r"(?<=[.!?:])\s+", text))
    return sorted({part for part in parts if ABSOLUTE.search(part)})


@pytest.mark.parametrize("sentence", sentences())
def test_an_absolute_sentence_has_a_test_or_a_source(sentence: str) -> None:
    assert any(part in sentence for part in REASONS), (
        f"{sentence!r}: give a share, or name its test or its source in REASONS"
    )


@pytest.mark.parametrize(("part", "reason"), REASONS.items())
def test_the_test_exists_and_the_sentence_still_stands(part: str, reason: str) -> None:
    assert any(part in sentence for sentence in sentences()), "nobody says this any more"
    if reason.startswith("test_"):
        defined = re.compile(rf"^def {reason}\(", re.MULTILINE)
        files = (ROOT / "tests").rglob("test_*.py")
        assert any(defined.search(file.read_text(encoding="utf-8")) for file in files)
