"""Sentiment: sentences from two small grammars, and their verdicts.

"opinions" has negation and contrast; the verdict is in the last few words::

    sentence := clause | clause "but" clause | "although" clause "," clause    the last clause's verdict
    clause   := subject verb opinion
    opinion  := [degree] adjective          the adjective's verdict
              | negator [degree] adjective  the opposite
              | "too" neutral               negative: what is too long is bad
              | negator "too" neutral       positive

A second clause may leave its subject and verb out: "the film was good but far too long".

"reports" has its decisive word at the start, ten words and more before the end::

    sentence := all "who" activity place time saying [degree] adjective     the adjective's verdict
              | none "who" activity place time saying [degree] adjective    the opposite
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.tasks.base import HELD_OUT_SAMPLES, MAX_LENGTH, Task
from rnnviz.tasks.options import Menu, Option, by_name
from rnnviz.tasks.settings import Settings

SUBJECTS = ("the film", "the book", "the song", "the meal", "the game", "it")
VERBS = ("is", "was", "seems")
DEGREES = ("very", "really", "so", "quite")
NEGATORS = ("not", "never", "hardly")
POSITIVE = ("good", "great", "funny", "clever", "lovely", "brilliant", "exciting", "honest")
NEGATIVE = ("bad", "dull", "boring", "silly", "awful", "weak", "sad", "ugly")
NEUTRAL = ("long", "short", "loud", "slow", "dark", "simple")
EXCESS = ("too", "far too")
ALL = ("everyone", "everybody", "every critic")
NONE = ("nobody", "no critic", "hardly anyone")
ACTIVITIES = ("saw the film", "read the book", "heard the song", "tried the meal", "played the game")
PLACES = ("at home", "at the party", "on a train", "in the big city")
TIMES = ("last week", "this summer", "with a friend", "on a rainy day")
SAYINGS = ("said it was", "thought it was", "found that it was", "felt that it was")
VERDICTS = ("negative", "positive")

TRAINING_SENTENCES = 4000

HELD_OUT_SHARE = 5
"""One sentence in this many is held out, chosen by a checksum of its text."""


GRAMMAR = Option(
    "grammar",
    "Sentences",
    "name",
    names={"opinions": "Opinions", "reports": "Reports"},
    default="opinions",
    control=Menu(),
)


@cache
def vocabulary(grammar: str = "opinions") -> tuple[str, ...]:
    """Return all words of a grammar."""
    phrases = {
        "opinions": (
            *SUBJECTS, *VERBS, *DEGREES, *NEGATORS, *POSITIVE, *NEGATIVE, *NEUTRAL, *EXCESS, "but although ,"
        ),
        "reports": (
            *ALL, *NONE, "who", *ACTIVITIES, *PLACES, *TIMES, *SAYINGS, *DEGREES, *POSITIVE, *NEGATIVE
        ),
    }  # fmt: skip
    return tuple(dict.fromkeys(word for phrase in phrases[grammar] for word in phrase.split()))


@cache
def word_numbers(grammar: str = "opinions") -> dict[str, int]:
    """Return the input channel of every word."""
    return {word: i for i, word in enumerate(vocabulary(grammar))}


LONGEST = {"opinions": 16, "reports": 20}
"""Words and commas: "although the film was not far too long , the book is never far too loud", and "hardly
anyone who heard the song in the big city on a rainy day found that it was very good"."""


@dataclass(frozen=True)
class Sentence:
    """A sentence: words, verdict (0 negative, 1 positive), and whether it has negation or contrast."""

    words: tuple[str, ...]
    verdict: int
    negated: bool
    contrasted: bool

    @property
    def text(self) -> str:
        """The sentence as text."""
        return " ".join(self.words).replace(" ,", ",")

    @property
    def held_out(self) -> bool:
        """Whether it is never trained on."""
        return crc32(self.text.encode()) % HELD_OUT_SHARE == 0


def _opinion(rng: np.random.Generator) -> tuple[list[str], int, bool]:
    """Draw an opinion: its words, its verdict, and whether it holds a negation."""
    negated = bool(rng.random() < 0.45)
    words = [str(rng.choice(NEGATORS))] if negated else []
    if rng.random() < 0.3:
        return [*words, *str(rng.choice(EXCESS)).split(), str(rng.choice(NEUTRAL))], int(negated), negated
    positive = bool(rng.random() < 0.5)
    degree = [str(rng.choice(DEGREES))] if rng.random() < 0.4 else []
    adjective = str(rng.choice(POSITIVE if positive else NEGATIVE))
    return [*words, *degree, adjective], int(positive != negated), negated


def _subject(rng: np.random.Generator) -> list[str]:
    return [*str(rng.choice(SUBJECTS)).split(), str(rng.choice(VERBS))]


def draw_sentence(rng: np.random.Generator) -> Sentence:
    """Draw a sentence of the grammar."""
    opinion, verdict, negated = _opinion(rng)
    first = [*_subject(rng), *opinion]
    form = rng.random()
    if form < 0.4:
        return Sentence(tuple(first), verdict, negated, contrasted=False)
    opinion, verdict, again = _opinion(rng)
    if form < 0.6:
        words = [*first, "but", *opinion]
    elif form < 0.8:
        words = [*first, "but", *_subject(rng), *opinion]
    else:
        words = ["although", *first, ",", *_subject(rng), *opinion]
    return Sentence(tuple(words), verdict, negated or again, contrasted=True)


def draw_report(rng: np.random.Generator) -> Sentence:
    """Draw a sentence about what people said; negated : it begins with one of ``NONE``."""
    return _report(rng, PLACES, TIMES)


def _report(rng: np.random.Generator, *between: Sequence[str]) -> Sentence:
    """Draw a report with one phrase of each kind between the activity and what was said."""
    negated, positive = (bool(rng.random() < 0.5) for _ in range(2))
    degree = [str(rng.choice(DEGREES))] if rng.random() < 0.4 else []
    phrases = [
        *(
            str(rng.choice(kind))
            for kind in (NONE if negated else ALL, ("who",), ACTIVITIES, *between, SAYINGS)
        ),
        *degree,
        str(rng.choice(POSITIVE if positive else NEGATIVE)),
    ]
    return Sentence(tuple(" ".join(phrases).split()), int(positive != negated), negated, contrasted=False)


DRAW = {"opinions": draw_sentence, "reports": draw_report}
"""Draws a sentence, by grammar."""


@cache
def sentences(held_out: bool, grammar: str = "opinions") -> tuple[Sentence, ...]:
    """Return the held-out or the training sentences of a grammar, without duplicates."""
    rng = np.random.default_rng(int(held_out))
    found: dict[str, Sentence] = {}
    while len(found) < (HELD_OUT_SAMPLES if held_out else TRAINING_SENTENCES):
        sentence = DRAW[grammar](rng)
        if sentence.held_out == held_out:
            found[sentence.text] = sentence
    return tuple(found.values())


BEYOND = 96
"""Number of sentences of each kind outside a grammar."""


@cache
def beyond_the_grammar(grammar: str = "opinions") -> dict[str, list[Sentence]]:
    """Return sentences outside a grammar with their verdicts, keyed by what is new in them."""
    if grammar == "reports":
        rng = np.random.default_rng(2)
        shorter, longer = (
            [_report(rng, *between) for _ in range(BEYOND)] for between in ((), (PLACES, TIMES, PLACES))
        )
        return {"no place or time": shorter, "a second place": longer}
    double, twice = [], []
    for subject in SUBJECTS:
        for verdict, adjectives in enumerate((NEGATIVE, POSITIVE)):
            for number, adjective in enumerate(adjectives):
                begun = (*subject.split(), "is")
                negators = NEGATORS[number % 3], NEGATORS[(number + 1) % 3]
                double.append(
                    Sentence((*begun, *negators, adjective), verdict, negated=True, contrasted=False)
                )
                opposite = (NEGATIVE, POSITIVE)[1 - verdict][number]
                words = (*begun, adjective, "but", opposite, "but", adjective)
                twice.append(Sentence(words, verdict, negated=False, contrasted=True))
    return {"double negation (“not never good”)": double, "two contrasts (“good but dull but good”)": twice}


def split_words(text: str, grammar: str = "opinions") -> tuple[list[str], list[str]]:
    """Return the words of a user's sentence that a grammar knows, and those that it does not.

    Contractions are expanded: "isn't" to "is not".
    """
    words = re.findall(r"[^\W_]+|,", re.sub(r"n['’]t\b", " not", text.lower()))
    known = word_numbers(grammar)
    return [word for word in words if word in known], [word for word in words if word not in known]


class Sentiment(Task):
    """Classify a sentence as negative or positive after its last word."""

    name = "sentiment"
    title = "Sentiment"
    summary = "A sentence goes in word by word. At its end: is the verdict positive or negative?"
    fits = ("many-to-one",)
    usual_length = LONGEST["opinions"]
    goal = 0.97
    guess = "guessing one of two verdicts"
    level = "chance"
    options = by_name(GRAMMAR)

    @property
    def limits(self) -> str:
        """The longest sentence has to fit."""
        return "task 'sentiment' (the longest sentence has to fit)"

    def lengths(self, e: Settings) -> tuple[int, int]:
        """Return lengths that hold the longest sentence; shorter ones start later."""
        return LONGEST[GRAMMAR.of(e)], MAX_LENGTH

    def sizes(self, e: Settings) -> tuple[int, int]:
        """Return one input channel per word, and two outputs, one per verdict."""
        return len(vocabulary(GRAMMAR.of(e))), len(VERDICTS)

    def inputs(self, e: Settings, texts: Sequence[Sequence[str]]) -> Array:
        """Return sentences as network inputs (T, B, I), with the last word at the last step.

        Raises
        ------
        ValueError
            If a sentence has more words than there are steps.
        """
        numbers = word_numbers(GRAMMAR.of(e))
        read = np.zeros((e.seq_len, len(texts), len(numbers)))
        for b, words in enumerate(texts):
            if len(words) > e.seq_len:
                raise ValueError(
                    f"the sentence must have at most {e.seq_len} words; got {len(words)}. Leave some out."
                )
            steps = range(e.seq_len - len(words), e.seq_len)
            read[steps, b, [numbers[word] for word in words]] = 1.0
        return read

    def draw(self, e: Settings, rng: np.random.Generator, size: int) -> Batch:
        """Draw training sentences, with replacement."""
        known = sentences(False, GRAMMAR.of(e))
        return self.batch(e, [known[i] for i in rng.integers(len(known), size=size)])

    def draw_held_out(self, e: Settings, rng: np.random.Generator) -> Batch:
        """Take all sentences that are never trained on."""
        return self.batch(e, sentences(True, GRAMMAR.of(e)))

    def batch(self, e: Settings, chosen: Sequence[Sentence]) -> Batch:
        """Return sentences and their verdicts as a batch."""
        targets: Indices = np.zeros((e.seq_len, len(chosen)), np.int64)
        targets[-1] = [sentence.verdict for sentence in chosen]
        return self.as_batch(e, self.inputs(e, [sentence.words for sentence in chosen]), targets)

    def chance(self, e: Settings) -> float:
        """Both verdicts are equally likely."""
        return 0.5

    def chance_loss(self, e: Settings) -> float:
        """The cross-entropy of a uniform guess: ln 2."""
        return float(np.log(2.0))

    def input_labels(self, e: Settings, batch: Batch, sample: int = 0) -> list[str]:
        """Show the words."""
        words = vocabulary(GRAMMAR.of(e))
        rows = batch.inputs[:, sample, : len(words)]
        return [words[int(row.argmax())] if row.any() else "" for row in rows]

    def output_label(self, e: Settings, answer: int) -> str:
        """Negative or positive."""
        return VERDICTS[answer]
