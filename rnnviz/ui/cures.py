"""The page Cures: the share of seeds that learn each problem with each cure, each with a door to try it."""

from __future__ import annotations

import json
from html import escape

import streamlit as st

from rnnviz.teaching.cures import CURES, FIRST_SEED, OUTCOMES, PROBLEMS, SEEDS, Outcome, treated
from rnnviz.teaching.glossary import with_indices, with_small_indices
from rnnviz.teaching.numbers import plain
from rnnviz.ui import story
from rnnviz.ui.catalogue import ENTRIES
from rnnviz.ui.session import Session

IDEA = (
    f"Each number: how many of {SEEDS} seeds ({FIRST_SEED:,} to {FIRST_SEED + SEEDS - 1:,}) solved the task; "
    "others differ within the interval. A number opens its experiment; "
    "its note has the 95% interval, the gradient before training, and how many runs diverged."
)
COLUMNS = (0.25, *(0.25 for _ in PROBLEMS))
GOOD, POOR = 0.75, 0.25
"""Shares of seeds from which a cell is marked as good, and up to which as poor."""


def page(session: Session) -> None:
    """Show the table: a row a cure, a column a problem."""
    st.html(f"<style>{_titles()}</style>")
    with st.container(key="cures", gap="xxsmall"):
        heads = st.columns(COLUMNS, gap="small", vertical_alignment="bottom")
        for column, problem in zip(heads[1:], PROBLEMS.values(), strict=True):
            column.html(
                f"<p class='cures-problem'><b>{problem.title}</b><br>{escape(problem.summary)} "
                f"{problem.updates:,} updates.</p>"
            )
        for name, cure in CURES.items():
            cells = st.columns(COLUMNS, gap="small", vertical_alignment="center")
            hint = escape(with_small_indices(cure.limits))
            cells[0].html(f"<p class='cures-cure' title='{hint}'>{with_indices(escape(cure.title))}</p>")
            for column, asked in zip(cells[1:], PROBLEMS, strict=True):
                with column:
                    _cell(session, asked, name)
    st.html(f"<ul class='cures-limits'>{''.join(map(_limit, CURES))}</ul>")


def _titles() -> str:
    """Return CSS with the problem of each cell, for a narrow screen, where the cells are not in columns."""
    return "".join(
        f'.st-key-cures [class*="_{name}_"] {{ --problem: {json.dumps(problem.title)}; }}'
        for name, problem in PROBLEMS.items()
    )


def _limit(name: str) -> str:
    """Return what a cure does not cure as a line of HTML."""
    cure = CURES[name]
    return f"<li><b>{with_indices(escape(cure.title))}.</b> {with_indices(escape(cure.limits))}</li>"


def _cell(session: Session, problem: str, cure: str) -> None:
    """Show one outcome as a link to its experiment."""
    outcome = OUTCOMES.get((problem, cure))
    if outcome is None:
        with st.container(key=f"cure_none_{problem}_{cure}"):
            st.html("<p class='cures-none'>not measured</p>")
        return
    share, diverged = outcome.solved, outcome.diverged.count
    kind = "good" if share.value >= GOOD else "poor" if share.value <= POOR else "some"
    with st.container(key=f"cure_{kind}_{problem}_{cure}"):
        st.page_link(
            ENTRIES["playground"].page,
            label=f"{share.count} of {share.seeds}" + f" · {diverged} diverged" * (diverged > 0),
            help=in_words(outcome),
            query_params=story.asked(session, "playground", treated(PROBLEMS[problem], cure)),
        )


def in_words(outcome: Outcome) -> str:
    """Return an outcome in sentences."""
    told = [f"Solved: {outcome.solved}; still solved at the end: {outcome.solved_at_end.count}."]
    if outcome.solved_after is not None:
        told.append(f"Median: after {outcome.solved_after:,} updates.")
    if outcome.diverged.count:
        told.append(f"Diverged: {outcome.diverged.count}.")
    reached = "the first step that it reaches" if "bptt" in outcome.settings else "step 1"
    size = plain(10.0 ** abs(outcome.decades), 2)
    change = "smaller" if outcome.decades < 0 else "larger"
    told.append(f"Before training, the error at {reached} is {size} times {change} than at the end.")
    return " ".join(told)
