"""The applications of recurrent networks, each with its data, settings and measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from rnnviz.applications.forecast import NetworkForecasts, errors, forecast, series_of
from rnnviz.applications.generation import bigram_bits, bits_per_character, characters_of, uniform_bits
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Indices, Mask
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.sentiment import Sentence, Sentiment, beyond_the_grammar, sentences
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
    of : how many were measured, 0 if so many that it does not matter.
    others : what to compare it with: baselines by name.
    """

    name: str
    value: float
    unit: str
    others: dict[str, float]
    of: int = 0

    def write(self, value: float) -> str:
        """Return a value as it is written."""
        if not np.isfinite(value):
            return "overflowed"
        if self.unit == "share":
            return f"{value:.0%}"
        return f"{value:.2f} bits" if self.unit == "bits" else f"{value:.3g}"


@dataclass(frozen=True)
class Variant:
    """One data set of an application: its title, its experiment, and how many updates it gets."""

    title: str
    experiment: Experiment
    steps: int


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
    """Share of held-out texts written without a mistake, and of single signs (each END counts once)."""
    batch = held_out(e)
    outputs = e.answers(e.network(), params, batch)
    steps = batch.write_steps
    wanted, said = batch.targets[steps], outputs[steps].argmax(axis=-1)
    ended = np.cumsum(wanted == 0, axis=0)  # END is sign number 0
    counts = (ended == 0) | ((wanted == 0) & (ended == 1))
    _, repeats = np.unique(wanted.T, axis=0, return_counts=True)
    thing, sign = ("words", "letters") if e.task == "captions" else ("number words", "words")
    return [
        Score(
            f"held-out {thing} without a mistake",
            float(np.mean((wanted == said).all(axis=0))),
            "share",
            {"always the same answer": float(repeats.max() / wanted.shape[1])},
            of=wanted.shape[1] if wanted.shape[1] < FEW else 0,
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
    known = sentences(held_out=True)
    right = judged_rightly(e, params, known)
    wrong = [s for s, fine in zip(known, right, strict=True) if not fine]
    beyond = {
        name: float(judged_rightly(e, params, family).mean()) for name, family in beyond_the_grammar().items()
    }
    return Judgement(_shares(known, right), len(known), len(wrong), wrong[:FAILURES], beyond)


def verdicts_right(e: Experiment, params: Params) -> list[Score]:
    """Share of held-out sentences judged rightly: of all, and of those with negation and contrast."""
    known = sentences(held_out=True)
    return _shares(known, judged_rightly(e, params, known))


def _shares(known: Sequence[Sentence], right: Mask) -> list[Score]:
    parts = {
        "with negation": [s.negated for s in known],
        "with contrast": [s.contrasted for s in known],
        "with both": [s.negated and s.contrasted for s in known],
    }
    whole = Score("held-out sentences right", float(right.mean()), "share", {"a coin toss": 0.5})
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
    found = errors(s, made.ahead, made.free, s.season if season is None else season)
    free_name = f"free-running for {len(made.free)} steps off by"
    return [
        Score("one step ahead off by", found.one_step, s.unit, _baselines(found.naive, found.seasonal)),
        Score(free_name, found.free, s.unit, _baselines(found.naive_free, found.seasonal_free)),
    ]


def _baselines(last: float, seasonal: float) -> dict[str, float]:
    """Name the baselines; one that needs a season is left out where there is none."""
    return {"like the last value": last} | ({} if np.isnan(seasonal) else {"like one season ago": seasonal})


def surprise(e: Experiment, params: Params) -> list[Score]:
    """Bits per character of the held-out text; a text too short to spare a piece is measured on itself."""
    known = characters_of(e).measured_on(e) != "held-out"
    where = "on its training text, which is too short for a held-out part" if known else "on held-out text"
    return [
        Score(
            f"surprise per letter {where}",
            bits_per_character(e, params),
            "bits",
            {"counts of letter pairs": bigram_bits(e), "knowing the alphabet only": uniform_bits(e)},
        )
    ]


# The applications -----------------------------------------------------------------------------------------

_CAPTIONS = Experiment(
    task="captions", topology="one-to-many", seq_len=7, hidden_size=64, feedback=True, noise=0.2
)
_SUNSPOTS = Experiment(task="sunspots", topology="many-to-many", seq_len=24, learning_rate=1e-3)
_SERIES = _SUNSPOTS.replace(task="series")
_TEXT = Experiment(task="characters", topology="many-to-many", seq_len=24, hidden_size=64, corpus="opinions")
_LIST = _TEXT.replace(seq_len=16, hidden_size=32)
_SENTIMENT = Experiment(task="sentiment", topology="many-to-one", seq_len=16, learning_rate=5e-3)
_TRANSLATION = Experiment(
    task="translation", topology="sequence-to-sequence", seq_len=7, hidden_size=64, feedback=True
)

APPLICATIONS: dict[str, Application] = {
    "captions": Application(
        "Captions",
        "An 8×8 image goes in once, at the first step. Then the network spells its name, letter by letter, "
        "each letter fed back as the next input.",
        "It knows only ten names and never sees the image again: any other image also gets a digit's name, "
        "a mixture of two, or no letters.",
        {
            "english": Variant("English", _CAPTIONS, 3000),
            "german": Variant("German", _CAPTIONS.replace(language="german"), 3000),
            "french": Variant("French", _CAPTIONS.replace(language="french"), 3000),
        },
        written_right,
    ),
    "forecasts": Application(
        "Forecasts",
        "A series of measurements goes in, value by value. What comes next? Trained on the past, judged on "
        "the years after it, in the data's own unit.",
        "Running free, a forecast feeds on itself: small errors grow, and the far future is a guess. A price "
        "whose changes are independent cannot be forecast by anyone.",
        {
            "sunspots": Variant("Sunspots", _SUNSPOTS, 800),
            "airline": Variant("Airline passengers", _SERIES, 400),
            "stock": Variant("Simulated stock", _SERIES.replace(series="stock"), 400),
        },
        errors_of_forecasts,
    ),
    "text": Application(
        "Text",
        "A text goes in letter by letter. At every step: which letter comes next? Fed with its own "
        "outputs, the network writes text.",
        "It learns how words are spelled, not what they mean. It soon memorises a list of a thousand "
        "letters, and its surprise at new ones grows again: there, training stops before that.",
        {
            "opinions": Variant("Sentences", _TEXT, 1000),
            "elements": Variant("Chemical elements", _LIST.replace(corpus="elements"), 200),
            "countries": Variant("Countries", _LIST.replace(corpus="countries"), 200),
        },
        surprise,
    ),
    "sentiment": Application(
        "Sentiment",
        "A sentence goes in word by word; after the last one comes the verdict: praise or not? “Not” "
        "reverses it, and after “but” only the rest counts.",
        "It knows some forty words and one small grammar. It had no reason to learn what the grammar never "
        "produces, such as a double negation.",
        {"english": Variant("English", _SENTIMENT, 1000)},
        verdicts_right,
    ),
    "translation": Application(
        "Translation",
        "An English number word is read to its end. Only then does the network write it in another language, "
        "from memory.",
        "German forms all numbers above twenty alike (and writes the parts as one word). In French, the "
        "seventies and nineties continue with onze, douze, …: each follows a ten in two numbers only, and "
        "one of them may be held out.",
        {
            "german": Variant("German", _TRANSLATION.replace(target="german"), 1000),
            "french": Variant("French", _TRANSLATION, 1000),
        },
        translated_right,
    ),
}
"""The applications by name."""
