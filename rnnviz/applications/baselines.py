"""What plain methods reach in each application, fitted to the data that its networks are trained on."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import cast

import numpy as np

from rnnviz.applications.classifiers import best_logistic, judge_by_ending, judge_by_words, nearest
from rnnviz.applications.generation import characters_of, uniform_bits
from rnnviz.applications.ngrams import ngram_bits
from rnnviz.experiment import Experiment
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import one_hot
from rnnviz.tasks.digits import HELD_OUT, digits
from rnnviz.tasks.numerals import english
from rnnviz.tasks.sentiment import sentences
from rnnviz.tasks.translation import READING_STEPS, TARGET, Translation, english_words

ENDING = 4
"""Words at the end of a sentence that the simplest rule on sentiment looks at."""


@cache
def digits_named() -> dict[str, float]:
    """Return the share of held-out digits that each method recognises."""
    images, labels = digits()
    known, names, new = images[:-HELD_OUT], labels[:-HELD_OUT].astype(np.int64), images[-HELD_OUT:]
    said = {
        "nearest neighbour": nearest(known, names, new),
        "logistic regression": best_logistic(known, names).classify(new),
    }
    return {name: float((answers == labels[-HELD_OUT:]).mean()) for name, answers in said.items()}


@cache
def sentences_judged(grammar: str) -> dict[str, float]:
    """Return the share of held-out sentences that each method judges rightly."""
    known, new = sentences(False, grammar), sentences(True, grammar)
    texts, asked = [s.words for s in known], [s.words for s in new]
    verdicts = [s.verdict for s in known]
    said = {f"the last {ENDING} words": judge_by_ending(texts, verdicts, asked, ENDING)}
    for name, longest in (("bag of words", 1), ("with pairs of words", 2)):
        said[name] = judge_by_words(texts, verdicts, asked, longest)
    return {name: float(np.mean(answers == [s.verdict for s in new])) for name, answers in said.items()}


def letters_predicted(e: Experiment) -> dict[str, float]:
    """Return each method's surprise at the held-out text, in bits a letter."""
    task = characters_of(e)
    training, held_out = (tuple(part.tolist()) for part in task.parts(e))
    found = ngram_bits(training, held_out, len(task.alphabet(e)))
    return found | {"knowing the alphabet only": uniform_bits(e)}


def numbers_translated(e: Experiment) -> dict[str, float]:
    """Return the share of held-out numbers that logistic regression translates without a mistake."""
    return _numbers_translated(e.seed, TARGET.of(e), e.seq_len)


@lru_cache(maxsize=64)
def _numbers_translated(seed: int, target: str, seq_len: int) -> dict[str, float]:
    """Classify each position of the translation by the English words, one regression a position."""
    e = Experiment(
        task="translation", topology="sequence-to-sequence", seed=seed, target=target, seq_len=seq_len
    )
    task = cast(Translation, TASKS[e.task])
    known, new = (
        np.array([_words_at(english(n)) for n in task.numbers(e, held_out)]) for held_out in (False, True)
    )
    wanted, due = (
        task.spelled(e, task.wanted(e, held_out))[task.masks(e).write_steps] for held_out in (False, True)
    )
    said = [best_logistic(known, classes).classify(new) for classes in wanted]
    return {"logistic regression": float((np.array(said) == due).all(axis=0).mean())}


def _words_at(words: list[str]) -> np.ndarray:
    """Return which English word stands at each position, one-hot."""
    numbers = [english_words().index(word) for word in words]
    read = np.zeros((READING_STEPS, len(english_words())))
    read[: len(words)] = one_hot(np.array(numbers), len(english_words()))
    return read.ravel()
