"""The five topologies, drawn by hand: r where a step reads, w where it writes."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import TASKS, TOPOLOGIES, Experiment

# reads, writes for T = 5
BY_HAND = {
    "one-to-one": ("r....", "....w"),
    "one-to-many": ("r....", "wwwww"),
    "many-to-one": ("rrrrr", "....w"),
    "many-to-many": ("rrrrr", "wwwww"),
    "sequence-to-sequence": ("rrr..", "...ww"),
}


def drawn(mask: np.ndarray, letter: str) -> str:
    return "".join(letter if on else "." for on in mask)


def test_there_are_the_five_of_the_textbook() -> None:
    assert list(TOPOLOGIES) == list(BY_HAND)
    for name, topology in TOPOLOGIES.items():
        assert topology.name == name
        assert topology.title
        assert topology.meaning.endswith(".")


@pytest.mark.parametrize("name", BY_HAND)
def test_masks_are_those_drawn_by_hand(name: str) -> None:
    masks = TOPOLOGIES[name].masks(5)
    assert (drawn(masks.reads, "r"), drawn(masks.writes, "w")) == BY_HAND[name]
    assert masks.write_steps.tolist() == [t for t, sign in enumerate(BY_HAND[name][1]) if sign == "w"]


@pytest.mark.parametrize("seq_len", [1, 2, 3, 200])
@pytest.mark.parametrize("name", BY_HAND)
def test_something_is_always_written_and_the_last_step_always_writes(name: str, seq_len: int) -> None:
    masks = TOPOLOGIES[name].masks(seq_len)
    assert masks.reads.shape == masks.writes.shape == (seq_len,)
    assert masks.reads.dtype == masks.writes.dtype == bool
    assert masks.writes[-1]


@pytest.mark.parametrize("written", [1, 2, 4])
def test_a_task_decides_how_much_a_sequence_to_sequence_writes(written: int) -> None:
    masks = TOPOLOGIES["sequence-to-sequence"].masks(6, written)
    assert drawn(masks.reads, "r") == "r" * (6 - written) + "." * written
    assert drawn(masks.writes, "w") == "." * (6 - written) + "w" * written


@pytest.mark.parametrize("name", BY_HAND)
def test_masks_are_shared_and_so_nobody_can_change_them(name: str) -> None:
    masks = TOPOLOGIES[name].masks(4)
    for mask in (masks.reads, masks.writes):
        with pytest.raises(ValueError, match="read-only"):
            mask[0] = False


@pytest.mark.parametrize("name", BY_HAND)
def test_feedback_is_for_topologies_that_write_before_the_end(name: str) -> None:
    assert TOPOLOGIES[name].can_feed_back == bool(TOPOLOGIES[name].masks(5).writes[:-1].any())


@pytest.mark.parametrize("name", BY_HAND)
def test_every_topology_has_a_task(name: str) -> None:
    assert any(name in task.fits for task in TASKS.values())


def test_tasks_narrow_their_topology() -> None:
    echo = Experiment(task="echo", topology="many-to-many", seq_len=8, delay=3)
    copy = Experiment(task="copy", topology="sequence-to-sequence", seq_len=8, items=2)
    assert drawn(TASKS["echo"].masks(echo).writes, "w") == "...wwwww"
    assert drawn(TASKS["copy"].masks(copy).writes, "w") == "......ww"
