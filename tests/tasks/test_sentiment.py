"""Sentiment: every sentence's verdict, checked against an independent parser of the grammar."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, Experiment, train
from rnnviz.tasks.sentiment import (
    LONGEST,
    TRAINING_SENTENCES,
    Sentence,
    Sentiment,
    beyond_the_grammar,
    draw_sentence,
    sentences,
    split_words,
    vocabulary,
)

SUBJECTS = ["the film", "the book", "the song", "the meal", "the game", "it"]
VERBS = ["is", "was", "seems"]
DEGREES = ["very", "really", "so", "quite"]
NEGATORS = ["not", "never", "hardly"]
KIND = ["good", "great", "funny", "clever", "lovely", "brilliant", "exciting", "honest"]
UNKIND = ["bad", "dull", "boring", "silly", "awful", "weak", "sad", "ugly"]
NEUTRAL = ["long", "short", "loud", "slow", "dark", "simple"]


def sentiment(**fields: Any) -> Experiment:
    return Experiment(**{"task": "sentiment", "seq_len": LONGEST["opinions"], **fields})


def task() -> Sentiment:
    found = TASKS["sentiment"]
    assert isinstance(found, Sentiment)
    return found


@cache
def drawn() -> list[Sentence]:
    rng = np.random.default_rng(77)
    return [draw_sentence(rng) for _ in range(2000)]


# A parser of the grammar, independent of how sentences are generated


class Reader:
    """Parses a sentence from left to right; every method consumes what it names, or fails."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.left = list(words)
        self.negations = 0

    def has(self, *wanted: str) -> bool:
        """Take these words if they come next."""
        if self.left[: len(wanted)] != list(wanted):
            return False
        del self.left[: len(wanted)]
        return True

    def any_of(self, phrases: list[str]) -> bool:
        return any(self.has(*phrase.split()) for phrase in phrases)

    def opinion(self) -> bool:
        """Take an opinion; return whether it is kind."""
        negated = self.any_of(NEGATORS)
        self.negations += negated
        if self.has("far", "too") or self.has("too"):
            assert self.any_of(NEUTRAL), self.left
            return negated
        self.any_of(DEGREES)
        kind = self.any_of(KIND)
        assert kind or self.any_of(UNKIND), self.left
        return kind != negated

    def clause(self, may_be_short: bool = False) -> bool:
        begins = self.any_of(SUBJECTS)
        assert begins or may_be_short, self.left
        if begins:
            assert self.any_of(VERBS), self.left
        return self.opinion()

    def sentence(self) -> tuple[bool, bool]:
        """Take everything; return whether the last clause is kind, and whether there are two."""
        although = self.has("although")
        verdict, contrasted = self.clause(), although
        if although:
            assert self.has(","), self.left
            verdict = self.clause()
        elif self.has("but"):
            verdict, contrasted = self.clause(may_be_short=True), True
        assert not self.left, "words are left over"
        return verdict, contrasted


def test_the_words_alone_give_the_verdict() -> None:
    for sentence in drawn():
        reader = Reader(sentence.words)
        kind, contrasted = reader.sentence()
        assert sentence.verdict == kind, sentence.text
        assert sentence.contrasted == contrasted, sentence.text
        assert sentence.negated == (reader.negations > 0), sentence.text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("the film was good", True),
        ("it is not very good", False),
        ("the song seems hardly boring", True),
        ("the meal is far too long", False),
        ("the meal is not too long", True),
        ("the book was great but far too slow", False),
        ("although the game is not bad , it is so dull", False),
        ("it was awful but the song is never ugly", True),
    ],
)
def test_the_reader_of_these_tests_reads_as_people_do(text: str, kind: bool) -> None:
    assert Reader(tuple(text.split())).sentence()[0] is kind


def test_every_form_occurs_often_enough_to_be_learned() -> None:
    two = [s for s in drawn() if s.contrasted]
    assert 0.5 < len(two) / 2000 < 0.7
    assert 0.4 < np.mean([s.negated for s in drawn()]) < 0.8
    for word in ("although", "but", "too", "far", *NEGATORS):
        assert np.mean([word in s.words for s in drawn()]) > 0.05, word


def test_the_vocabulary_holds_every_word_and_no_other() -> None:
    phrases = [*SUBJECTS, *VERBS, *DEGREES, *NEGATORS, *KIND, *UNKIND, *NEUTRAL, "far too", "but although ,"]
    wanted = {word for phrase in phrases for word in phrase.split()}
    assert set(vocabulary()) == wanted
    assert len(vocabulary()) == len(wanted)
    known = sentences(held_out=False)
    assert {word for sentence in known for word in sentence.words} == wanted, "each is met in training"


def test_no_sentence_is_longer_than_the_longest() -> None:
    lengths = [len(sentence.words) for sentence in (*sentences(False), *sentences(True))]
    assert max(lengths) == LONGEST["opinions"] == 16
    assert min(lengths) == 3, "it is good"
    assert task().lengths(sentiment()) == (16, 200)
    with pytest.raises(
        ValueError, match=r"^seq_len must be between 16 and 200 for task 'sentiment' \(the longest"
    ):
        sentiment(seq_len=15)


# Reports

ALL = ("everyone", "everybody", "every critic")
NONE = ("nobody", "no critic", "hardly anyone")


def reports() -> tuple[Sentence, ...]:
    return (*sentences(False, "reports"), *sentences(True, "reports"))


def test_a_report_is_judged_by_its_first_and_its_last_word() -> None:
    for s in reports():
        all_of_them = s.text.startswith(tuple(f"{who} who " for who in ALL))
        assert all_of_them != s.text.startswith(tuple(f"{who} who " for who in NONE)), s.text
        assert (s.words[-1] in KIND) != (s.words[-1] in UNKIND), s.text
        assert s.verdict == (all_of_them == (s.words[-1] in KIND)), s.text
        assert (s.negated, s.contrasted) == (not all_of_them, False)


def test_the_deciding_word_of_a_report_stands_ten_words_back_or_more() -> None:
    ends = {" ".join(s.words[-10:]) for s in reports()}
    assert not any(word in end for end in ends for word in ("every", "no ", "body", "hardly"))
    assert max(len(s.words) for s in reports()) == LONGEST["reports"] == 20
    assert Experiment(task="sentiment", grammar="reports", seq_len=20)
    with pytest.raises(ValueError, match="seq_len must be between 20 and 200"):
        Experiment(task="sentiment", grammar="reports", seq_len=19)


def test_without_its_beginning_a_report_is_either_praise_or_not() -> None:
    """No rule on the last words can do better than a coin: both verdicts follow each of them as often."""
    for word in (*KIND, *UNKIND):
        verdicts = [s.verdict for s in reports() if s.words[-1] == word]
        assert len(verdicts) > 100
        assert np.mean(verdicts) == pytest.approx(0.5, abs=4 * 0.5 / len(verdicts) ** 0.5)


def test_reports_know_their_own_words_only() -> None:
    assert {word for s in reports() for word in s.words} == set(vocabulary("reports"))
    assert split_words("Nobody found it GOOD, but long", "reports") == (
        ["nobody", "found", "it", "good"],
        [",", "but", "long"],
    )
    e = Experiment(task="sentiment", grammar="reports", seq_len=20)
    batch = task().held_out(e)
    assert batch.inputs.shape == (20, 512, len(vocabulary("reports")))
    assert (
        " ".join(word for word in task().input_labels(e, batch) if word) == sentences(True, "reports")[0].text
    )


def test_reports_beyond_the_grammar_are_judged_by_the_same_rule() -> None:
    shorter, longer = beyond_the_grammar("reports").values()
    known = {s.text for s in reports()}
    for s in (*shorter, *longer):
        assert s.text not in known
        assert s.verdict == (s.text.startswith(ALL) == (s.words[-1] in KIND))
    assert max(len(s.words) for s in shorter) < min(len(s.words) for s in longer)
    assert max(len(s.words) for s in longer) <= 24, "the page's network reads so many"


# The data


def test_measured_sentences_are_never_trained_on_and_none_comes_twice() -> None:
    known, unseen = ([s.text for s in sentences(part)] for part in (False, True))
    assert (len(known), len(unseen)) == (TRAINING_SENTENCES, 512)
    assert len(set(known)) == len(known)
    assert len(set(unseen)) == len(unseen)
    assert not set(known) & set(unseen)


@pytest.mark.parametrize("part", [False, True])
def test_both_verdicts_are_equally_likely(part: bool) -> None:
    assert np.mean([sentence.verdict for sentence in sentences(part)]) == pytest.approx(0.5, abs=0.05)


def texts(e: Experiment, inputs: Any) -> list[str]:
    """The sentences read, without the empty steps before them."""
    columns = [
        [vocabulary()[row.argmax()] if row.any() else "" for row in column]
        for column in inputs.swapaxes(0, 1)
    ]
    for column in columns:
        first = sum(not word for word in column)
        assert not any(column[:first]), "silence comes before the first word only"
    return [" ".join(word for word in column if word).replace(" ,", ",") for column in columns]


@pytest.mark.parametrize("seq_len", [16, 24])
def test_batches_hold_whole_sentences_that_end_at_the_last_step(seq_len: int) -> None:
    e = sentiment(seq_len=seq_len)
    trained, measured = task().sample(e, np.random.default_rng(0), 300), task().held_out(e)
    assert trained.inputs[-1].any(axis=1).all()
    assert set(texts(e, trained.inputs)) <= {s.text for s in sentences(held_out=False)}
    assert texts(e, measured.inputs) == [s.text for s in sentences(held_out=True)]
    for batch in (trained, measured):
        assert not batch.targets[:-1].any()
        for text, verdict in zip(texts(e, batch.inputs), batch.targets[-1], strict=True):
            assert verdict == Reader(tuple(text.replace(",", " ,").split())).sentence()[0]


# User sentences


@pytest.mark.parametrize(
    ("text", "known", "unknown"),
    [
        ("The film was good!", ["the", "film", "was", "good"], []),
        (
            "  Although IT is\nBAD,it seems fun? ",
            ["although", "it", "is", "bad", ",", "it", "seems"],
            ["fun"],
        ),
        ("Der Film war schön, ÜBEL.", ["film", ","], ["der", "war", "schön", "übel"]),
        ("it isn't good_bad", ["it", "is", "not", "good", "bad"], []),
        ("it wasn’t n't", ["it", "was", "not", "not"], []),
        ("<b>it</b> 3.5 🙂", ["it"], ["b", "b", "3", "5"]),
        ("", [], []),
        ("... --- !!!", [], []),
    ],
)
def test_words_of_a_visitor_are_told_apart(text: str, known: list[str], unknown: list[str]) -> None:
    assert split_words(text) == (known, unknown)


def test_a_sentence_of_the_grammar_is_read_back_from_its_text() -> None:
    for sentence in drawn()[:200]:
        assert split_words(sentence.text.capitalize() + ".") == (list(sentence.words), [])


def test_a_sentence_that_is_too_long_is_refused_in_words() -> None:
    words = ["so"] * 17
    with pytest.raises(
        ValueError, match=r"^the sentence must have at most 16 words; got 17\. Leave some out\.$"
    ):
        task().inputs(sentiment(), [words])
    assert task().inputs(sentiment(seq_len=17), [words]).any(axis=2).all()


def test_unseen_sentences_are_judged_rightly() -> None:
    run = train(sentiment(hidden_size=32, learning_rate=5e-3), 700)
    assert run.metric > 0.95
