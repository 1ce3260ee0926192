"""Translation: read number words, then write them; held-out numbers are new, their words are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, Experiment, train
from rnnviz.tasks.spelling import END
from rnnviz.tasks.translation import HELD_OUT_NUMBERS, Translation, held_out_numbers
from rnnviz.training.loop import held_out
from tests.tasks.test_numerals import ENGLISH, ENGLISH_VALUES, LISTED

targets = pytest.mark.parametrize("target", ["french", "german"])
WRITTEN = {"french": 5, "german": 4}  # quatre vingt dix sept and its end; drei und vierzig and its end


def translation(target: str = "french", **fields: Any) -> Experiment:
    fixed = {"task": "translation", "topology": "sequence-to-sequence", "seq_len": 7, "target": target}
    return Experiment(**{**fixed, **fields})


def task() -> Translation:
    found = TASKS["translation"]
    assert isinstance(found, Translation)
    return found


def read(e: Experiment, inputs: Any, sample: int) -> list[str]:
    """The words read at each step, "" for silence."""
    return task().input_labels(e, task().as_batch(e, inputs, np.zeros(0)), sample)


def number(words: list[str]) -> int:
    return sum(ENGLISH_VALUES[word] for word in words)


@targets
@pytest.mark.parametrize("seed", range(20))
def test_every_word_is_met_in_training(target: str, seed: int) -> None:
    e = translation(target, seed=seed)
    batch = task().sample(e, np.random.default_rng(0), 1500)
    read_words, written_words = task().sizes(e)
    assert read_words == 28, "zero to nineteen, and eight tens"
    assert batch.inputs.any(axis=(0, 1)).all(), "every English word"
    written = batch.targets[task().masks(e).writes]
    assert set(np.unique(written)) == set(range(written_words)), "every word of the other language, and END"


@pytest.mark.parametrize("seed", range(20))
def test_held_out_numbers_are_never_trained_on(seed: int) -> None:
    e = translation(seed=seed)
    held = held_out_numbers(seed)
    assert len(set(held)) == HELD_OUT_NUMBERS == 15
    assert all(n > 20 and n % 10 for n in held), "single words are all trained on"

    def numbers(inputs: Any) -> list[int]:
        return [number([w for w in read(e, inputs, b) if w]) for b in range(inputs.shape[1])]

    measured = numbers(task().held_out(e).inputs)
    trained = numbers(task().sample(e, np.random.default_rng(1), 1000).inputs)
    assert sorted(measured) == sorted(held)
    assert set(trained) == set(range(100)) - set(held), "every other number is trained on"


def test_seventies_and_nineties_of_the_same_unit_are_not_both_held_out() -> None:
    chosen = [set(held_out_numbers(seed)) for seed in range(200)]
    assert not any({70 + unit, 90 + unit} <= held for held in chosen for unit in range(1, 10))
    assert set.union(*chosen) == {n for n in range(21, 100) if n % 10}, "any composed number may be held out"
    assert len(set(map(frozenset, chosen))) == 200, "another seed, another choice"


@targets
@pytest.mark.parametrize("seq_len", [7, 12])
def test_the_last_steps_write_and_all_before_read(target: str, seq_len: int) -> None:
    masks = task().masks(translation(target, seq_len=seq_len))
    waiting = seq_len - WRITTEN[target]
    assert masks.writes.tolist() == [False] * waiting + [True] * WRITTEN[target]
    assert masks.reads.tolist() == [True] * waiting + [False] * WRITTEN[target]


@targets
def test_bounds_of_the_length(target: str) -> None:
    shortest = 2 + WRITTEN[target]
    assert task().lengths(translation(target)) == (shortest, 200)
    with pytest.raises(ValueError, match=rf"^seq_len must be between {shortest} and 200 for task 'transl"):
        translation(target, seq_len=shortest - 1)


@targets
@pytest.mark.parametrize("seq_len", [7, 11])
def test_words_are_read_just_before_writing_begins(target: str, seq_len: int) -> None:
    e = translation(target, seq_len=seq_len)
    waiting = seq_len - WRITTEN[target]
    batch = task().sample(e, np.random.default_rng(0), 300)
    for b in range(300):
        labels = read(e, batch.inputs, b)
        words = [word for word in labels if word]
        assert 1 <= len(words) <= 2
        assert labels == [""] * (waiting - len(words)) + words + [""] * WRITTEN[target]


@targets
def test_what_is_wanted_is_what_a_dictionary_says(target: str) -> None:
    e = translation(target)
    signs = task().signs(e)
    batch = task().sample(e, np.random.default_rng(0), 1200)
    met = set()
    for b in range(1200):
        n = number([word for word in read(e, batch.inputs, b) if word])
        if n in LISTED[target]:
            met.add(n)
            wanted = LISTED[target][n].split()
            wanted += [END] * (WRITTEN[target] - len(wanted))
            assert [signs[k] for k in batch.targets[-WRITTEN[target] :, b]] == wanted
    assert met == set(LISTED[target]) - set(held_out_numbers(0))


def test_sentences_that_are_typed_are_read_like_those_of_the_data() -> None:
    e = translation()
    typed = task().inputs(e, [ENGLISH[n].split() for n in (44, 8)])
    assert read(e, typed, 0) == ["forty", "four", "", "", "", "", ""]
    assert read(e, typed, 1) == ["", "eight", "", "", "", "", ""]


def test_most_numbers_that_were_never_seen_are_translated_without_a_mistake() -> None:
    e = translation("german", feedback=True, hidden_size=64, learning_rate=3e-3)
    params, batch = train(e, 500).params, held_out(e)
    outputs = e.answers(e.network(), params, batch)
    assert task().exact_match(e, outputs, batch.targets) >= 0.8
    said = {
        n: " ".join(text) for n, text in zip(held_out_numbers(0), task().read_off(e, outputs), strict=True)
    }
    right = [said[n].split()[1:2] == ["und"] for n in said]
    assert np.mean(right) >= 0.8, "units, und, tens"
