"""The applications of recurrent networks, each with its data, settings and measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from rnnviz.analysis.shares import Share
from rnnviz.applications.autoregression import plain_forecasts
from rnnviz.applications.baselines import (
    digits_named,
    letters_predicted,
    numbers_translated,
    sentences_judged,
)
from rnnviz.applications.forecast import NetworkForecasts, forecast, series_of
from rnnviz.applications.generation import bits_per_character, characters_of
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices, Mask
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.sentiment import GRAMMAR, Sentence, Sentiment, beyond_the_grammar, sentences
from rnnviz.tasks.series import Series
from rnnviz.tasks.translation import TARGET, Translation
from rnnviz.training.loop import held_out

FEW = 100
"""Of so many samples or fewer, a share is told as "11 of 15" too."""

FAILURES = 3
"""Wrongly judged sentences that are kept as examples."""


@dataclass(frozen=True)
class Score:
    """One measurement on held-out data.

    name : what is measured. value : the network's. unit : "share", "bits" or the data's own unit.
    of : how many samples a share is of, 0 if it is no share of samples.
    when : in which way the network answers, where an application has several ways.
    others : what to compare it with: baselines by name: guesses, and methods fitted to the same data.
    """

    name: str
    value: float
    unit: str
    others: dict[str, float]
    of: int = 0
    when: str = ""

    @property
    def rival(self) -> str:
        """The name of the best baseline."""
        best = max if self.unit == "share" else min
        return best(self.others, key=self.others.__getitem__)

    @property
    def result(self) -> str:
        """Compare the network with the best baseline: "better", "about as good", "as good" or "worse".

        "as good" if both are written alike. "about as good" if the baseline lies within the 95% interval of
        the network's share.
        """
        other = self.others[self.rival]
        if self.write(self.value) == self.write(other):
            return "as good"
        if self.of:
            low, high = Share(round(self.value * self.of), self.of).interval
            if low <= other <= high:
                return "about as good"
        return "better" if (self.value > other if self.unit == "share" else self.value < other) else "worse"

    def write(self, value: float) -> str:
        """Return a value as it is written."""
        if not np.isfinite(value):
            return "overflowed"
        if self.unit == "share":
            return share_in_words(value)
        return f"{value:.2f} bits" if self.unit == "bits" else f"{value:#.3g}".rstrip(".")


def share_in_words(share: float) -> str:
    """Return a share in percent; 100% and 0% only where nothing is missing: 0.996 is "99.6%"."""
    digits = 0
    while 0.0 < share < 1.0 and digits < MOST_DIGITS and round(share, digits + 2) in (0.0, 1.0):
        digits += 1
    return f"{share:.{digits}%}"


MOST_DIGITS = 3
"""Digits after the point of a share: more than the held-out data can tell."""


@dataclass(frozen=True)
class Variant:
    """One data set of an application.

    title : on screen. experiment : with its settings. steps : updates that it gets. data : whether it is real
    or synthetic, and what it is. limit : what it cannot show, "" for nothing.
    """

    title: str
    experiment: Experiment
    steps: int
    data: str
    limit: str = ""


@dataclass(frozen=True)
class Application:
    """One thing to do with a recurrent network.

    promise : what goes in and what comes out. limit : what this cannot do, or why it is easy.
    variants : data sets to choose from, the default one first.
    measure : what the network reaches on held-out data, the most telling number first.
    """

    title: str
    promise: str
    limit: str
    variants: dict[str, Variant]
    measure: Callable[[Experiment, Params], list[Score]]


# What each application measures ---------------------------------------------------------------------------


def written_right(e: Experiment, params: Params) -> list[Score]:
    """Share of held-out texts written without a mistake, and of single signs (one END counts)."""
    batch = held_out(e)
    outputs = e.answers(e.network(), params, batch)
    steps = batch.write_steps
    wanted, said = batch.targets[steps], outputs[steps].argmax(axis=-1)
    ended = np.cumsum(wanted == 0, axis=0)  # END is sign number 0
    counts = (ended == 0) | ((wanted == 0) & (ended == 1))
    _, repeats = np.unique(wanted.T, axis=0, return_counts=True)
    captions = e.task == "captions"
    thing, sign = ("words", "characters") if captions else ("number words", "words")
    plain = digits_named() if captions else numbers_translated(e)
    return [
        Score(
            f"held-out {thing} without a mistake",
            float(np.mean((wanted == said).all(axis=0))),
            "share",
            {"always the same answer": float(repeats.max() / wanted.shape[1])} | plain,
            of=wanted.shape[1],
        ),
        Score(f"held-out {sign} right", float(np.mean((wanted == said)[counts])), "share", {}),
    ]


def translated_right(e: Experiment, params: Params) -> list[Score]:
    """Share of held-out number words; in French also of its seventies and nineties, and of the rest."""
    scores = written_right(e, params)
    if TARGET.of(e) != "french":
        return scores
    batch = held_out(e)
    steps = batch.write_steps
    said = e.answers(e.network(), params, batch)[steps].argmax(axis=-1)
    right = (said == batch.targets[steps]).all(axis=0)
    numbers = cast(Translation, TASKS[e.task]).numbers(e, held_out=True)
    irregular = np.array([n // 10 in (7, 9) for n in numbers])
    parts = {"seventies and nineties": irregular, "all others": ~irregular}
    return scores + [
        Score(name, float(right[part].mean()), "share", {}, of=int(part.sum()))
        for name, part in parts.items()
        if part.any()
    ]


@dataclass(frozen=True)
class Judgement:
    """How well a network judges sentences that it was never trained on.

    scores : shares of held-out sentences judged rightly. of, wrong : how many of them there are, and how many
    are judged wrongly. examples : the first few of these.
    beyond : the share judged rightly of each family of sentences beyond the grammar, by name.
    """

    scores: list[Score]
    of: int
    wrong: int
    examples: list[Sentence]
    beyond: dict[str, float]


def judge(e: Experiment, params: Params) -> Judgement:
    """Measure a network on held-out sentences, and on those that the grammar never says."""
    grammar = GRAMMAR.of(e)
    known = sentences(True, grammar)
    right = judged_rightly(e, params, known)
    wrong = [s for s, fine in zip(known, right, strict=True) if not fine]
    beyond = {
        name: float(judged_rightly(e, params, family).mean())
        for name, family in beyond_the_grammar(grammar).items()
    }
    return Judgement(_shares(grammar, known, right), len(known), len(wrong), wrong[:FAILURES], beyond)


def verdicts_right(e: Experiment, params: Params) -> list[Score]:
    """Share of held-out sentences judged rightly: of all, and of their kinds."""
    known = sentences(True, GRAMMAR.of(e))
    return _shares(GRAMMAR.of(e), known, judged_rightly(e, params, known))


def _shares(grammar: str, known: Sequence[Sentence], right: Mask) -> list[Score]:
    if grammar == "reports":
        parts = {
            "about everyone": [not s.negated for s in known],
            "about nobody": [s.negated for s in known],
        }
    else:
        parts = {
            "with negation": [s.negated for s in known],
            "with contrast": [s.contrasted for s in known],
            "with both": [s.negated and s.contrasted for s in known],
        }
    others = {"a coin toss": 0.5} | sentences_judged(grammar)
    whole = Score("held-out sentences right", float(right.mean()), "share", others, of=len(known))
    return [whole, *[Score(name, float(right[part].mean()), "share", {}) for name, part in parts.items()]]


def judged_rightly(e: Experiment, params: Params, chosen: Sequence[Sentence]) -> Mask:
    """Return whether the network judges each sentence rightly, (n,)."""
    return verdicts(e, params, chosen) == np.array([s.verdict for s in chosen])


def verdicts(e: Experiment, params: Params, chosen: Sequence[Sentence]) -> Indices:
    """Return the network's verdict on each sentence, (n,)."""
    inputs = cast(Sentiment, TASKS[e.task]).inputs(e, [sentence.words for sentence in chosen])
    said: Indices = e.network().forward(params, inputs)[0][-1].argmax(axis=-1)
    return said


def errors_of_forecasts(e: Experiment, params: Params, season: int | None = None) -> list[Score]:
    """Mean absolute error of one-step and of free-running forecasts, in the data's own unit."""
    return scores_of_forecasts(e, forecast(e, params), season)


def scores_of_forecasts(e: Experiment, made: NetworkForecasts, season: int | None = None) -> list[Score]:
    """Compare forecasts of the held-out part with what then came; season : the series' own by default."""
    s = series_of(e)
    plain = plain_forecasts(s, s.season if season is None else season)
    ahead = {name: mean_error(s, found.ahead) for name, found in plain.items()}
    free = {name: mean_error(s, found.free) for name, found in plain.items()}
    one, many = "one step ahead", f"free-running for {len(made.free)} steps"
    return [
        Score(f"{one} off by", mean_error(s, made.ahead), s.unit, ahead, when=one),
        Score(f"{many} off by", mean_error(s, made.free), s.unit, free, when="free-running"),
    ]


def mean_error(series: Series, made: Array) -> float:
    """Return the mean absolute error of forecasts (m,) of the first m held-out values."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.abs(made - series.values[series.held_out :][: len(made)]).mean())


def surprise(e: Experiment, params: Params) -> list[Score]:
    """Bits per character of the held-out text; a text too short to spare a piece is measured on itself."""
    known = characters_of(e).measured_on(e) != "held-out"
    where = "on its training text, which is too short for a held-out part" if known else "on held-out text"
    return [
        Score(
            f"bits per character {where}",
            bits_per_character(e, params),
            "bits",
            letters_predicted(e),
        )
    ]


# The applications -----------------------------------------------------------------------------------------

_CAPTIONS = Experiment(
    task="captions", topology="one-to-many", seq_len=7, hidden_size=64, feedback=True, noise=0.2
)
_SERIES = Experiment(task="series", topology="many-to-many", seq_len=24, learning_rate=1e-3)
_SUNSPOTS = _SERIES.replace(task="sunspots", activation="relu", jitter=0.1)
_AIRLINE = _SERIES.replace(hidden_size=16, activation="linear", init="small-normal", jitter=0.5)
_TEXT = Experiment(task="characters", topology="many-to-many", seq_len=24, hidden_size=64, corpus="opinions")
_LIST = _TEXT.replace(seq_len=16, hidden_size=32)
_SENTIMENT = Experiment(task="sentiment", topology="many-to-one", seq_len=16, learning_rate=5e-3)
_TRANSLATION = Experiment(
    task="translation", topology="sequence-to-sequence", seq_len=7, hidden_size=64, feedback=True
)

_IMAGES = "Real data: 1,797 handwritten digits."
_GRAMMAR = "Synthetic data: sentences from a small grammar."
_NUMBERS = "Real words, written by rule: zero to ninety-nine."

APPLICATIONS: dict[str, Application] = {
    "captions": Application(
        "Captions",
        "An 8×8 image goes in once, at the first step. Then the network spells the digit's name, letter by "
        "letter, each letter fed back as the next input.",
        "It knows only ten names and never sees the image again. Whatever else you draw, it answers with a "
        "digit's name, a mixture of two, or nothing.",
        {
            "english": Variant("English", _CAPTIONS, 3000, _IMAGES),
            "german": Variant("German", _CAPTIONS.replace(language="german"), 3000, _IMAGES),
            "french": Variant("French", _CAPTIONS.replace(language="french"), 3000, _IMAGES),
        },
        written_right,
    ),
    "forecasts": Application(
        "Forecasts",
        "A series of measurements goes in, value by value. What comes next? Trained on the past, judged on "
        "the years after it, in the data's own unit.",
        "A free-running forecast reads its own forecasts, so small errors grow and the far future is a "
        "guess.",
        {
            "sunspots": Variant("Sunspots", _SUNSPOTS, 400, "Real data: the yearly sunspot number."),
            "airline": Variant(
                "Airline passengers", _AIRLINE, 400, "Real data: airline passengers per month, 1949 to 1960."
            ),
            "stock": Variant(
                "Simulated stock",
                _SERIES.replace(series="stock"),
                400,
                "Synthetic data: a random walk.",
                "Its changes are independent: nobody can forecast them.",
            ),
        },
        errors_of_forecasts,
    ),
    "text": Application(
        "Text",
        "A text goes in letter by letter. At every step: which letter comes next? Fed with its own "
        "outputs, the network writes text.",
        "It learns how words are spelled, not what they mean. On the short lists it soon memorises "
        "what it reads, and its surprise at held-out names rises again; training stops before that.",
        {
            "opinions": Variant(
                "Sentences", _TEXT, 1000, "Synthetic data: 300 sentences from a small grammar."
            ),
            "elements": Variant(
                "Chemical elements",
                _LIST.replace(corpus="elements"),
                200,
                "Real data: 118 names of elements.",
            ),
            "countries": Variant(
                "Countries", _LIST.replace(corpus="countries"), 200, "Real data: 193 names of countries."
            ),
        },
        surprise,
    ),
    "sentiment": Application(
        "Sentiment",
        "A sentence goes in word by word; after the last one comes the verdict: praise or not? In opinions, "
        "“not” reverses it, and after “but” only the rest counts. In reports the beginning decides: "
        "“nobody found … good” makes a report negative.",
        "It knows one small grammar, of some forty words (opinions) or some sixty (reports). Opinions need "
        "little memory: their last four words nearly always suffice. In reports at least twelve words "
        "follow the decisive one.",
        {
            "opinions": Variant("Opinions", _SENTIMENT, 1000, _GRAMMAR),
            "reports": Variant(
                "Reports", _SENTIMENT.replace(grammar="reports", seq_len=24, cell="gru"), 1250, _GRAMMAR
            ),
        },
        verdicts_right,
    ),
    "translation": Application(
        "Translation",
        "An English number word is read to its end. Only then does the network write it in another language, "
        "from memory.",
        "German builds all compound numbers above twenty in the same way (and writes them as one word). In "
        "French, the seventies and nineties reuse onze, douze, …: each of these words follows a ten in only "
        "two numbers, so if one is held out there is only one to learn from.",
        {
            "german": Variant("German", _TRANSLATION.replace(target="german"), 1000, _NUMBERS),
            "french": Variant("French", _TRANSLATION, 1000, _NUMBERS),
        },
        translated_right,
    ),
}
"""The applications by name."""
