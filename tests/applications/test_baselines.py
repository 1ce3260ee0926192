"""Plain methods: against published figures, closed forms, brute force and autograd; hard input harms none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import log2

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from rnnviz import Experiment
from rnnviz.applications.autoregression import Autoregression, best_order, fit, plain_forecasts
from rnnviz.applications.baselines import (
    digits_named,
    letters_predicted,
    numbers_translated,
    sentences_judged,
)
from rnnviz.applications.catalogue import APPLICATIONS, mean_error
from rnnviz.applications.classifiers import (
    best_logistic,
    fit_logistic,
    judge_by_ending,
    judge_by_words,
    nearest,
)
from rnnviz.applications.generation import characters_of
from rnnviz.applications.ngrams import LONGEST, MODELS, Counts, bits, ngram_bits
from rnnviz.tasks.series import (
    MIN_VALUES,
    Series,
    airline_series,
    own_series,
    stock_series,
    sunspot_series,
    to_data,
)
from tests.plain_rnn import Array

RNG = np.random.default_rng

# Autoregression


@pytest.mark.parametrize(
    ("series", "encoding", "order", "error"),
    [
        (sunspot_series(), "level", 2, 17.3),
        (sunspot_series(), "level", 9, 14.6),
        (sunspot_series(), "root", 9, 12.8),
        (airline_series(), "log-change", 12, 12.5),
    ],
)
def test_autoregression_reaches_what_is_known_of_it(
    series: Series, encoding: str, order: int, error: float
) -> None:
    """Figures worked out independently with other code, rounded to one digit."""
    found = fit(series.encoded(encoding), order)
    assert round(mean_error(series, found.ahead()), 1) == error


def test_last_years_same_change_by_hand() -> None:
    v = airline_series().values
    by_hand = [v[i - 1] * v[i - 12] / v[i - 13] for i in range(108, 144)]
    made = plain_forecasts(airline_series(), 12)["seasonal naive on changes"]
    np.testing.assert_allclose(made.ahead, by_hand, rtol=1e-10)
    known = v[:108].tolist()
    for _ in range(36):
        known.append(known[-1] * known[-12] / known[-13])
    np.testing.assert_allclose(made.free, known[108:], rtol=1e-9)


def oscillation(n: int, noise: float = 0.0) -> Array:
    """x_t = 3 + 1.6 x_{t-1} - 0.9 x_{t-2} + noise."""
    x = [1.0, 2.0]
    steps = noise * RNG(0).standard_normal(n)
    while len(x) < n:
        x.append(3.0 + 1.6 * x[-1] - 0.9 * x[-2] + steps[len(x)])
    return np.array(x)


def on_levels(values: Array) -> Series:
    return own_series(to_data(values)).encoded("level")


def test_the_weights_of_a_recurrence_are_found_and_continue_it() -> None:
    values = oscillation(60)
    found = fit(on_levels(values), 2)
    # the weights act on values / scale
    np.testing.assert_allclose(found.weights[1:], [1.6, -0.9], rtol=1e-6)
    assert found.weights[0] * found.series.scale == pytest.approx(3.0, rel=1e-6)
    truth = values[found.series.held_out :]
    np.testing.assert_allclose(found.ahead(), truth, rtol=1e-6)
    np.testing.assert_allclose(found.free(len(truth)), truth, rtol=1e-4)


def test_the_order_is_found_where_there_is_one() -> None:
    assert best_order(on_levels(oscillation(2000, noise=1.0))) in (2, 3)
    assert best_order(stock_series()) == 0, "in independent changes the past says nothing"


def test_the_order_is_the_best_on_the_validation_part_by_brute_force() -> None:
    s = sunspot_series().validation()
    errors = []
    for p in range(25):
        rows = range(24, s.held_out)
        X = np.array([[1.0, *s.seen()[t - p : t][::-1]] for t in rows])
        w = np.linalg.lstsq(X, s.seen()[list(rows)], rcond=None)[0]
        made = [
            max(0.0, np.dot([1.0, *s.seen()[t - p : t][::-1]], w) * s.scale) ** 2
            for t in range(s.held_out, len(s.values))
        ]
        errors.append(np.mean(np.abs(made - s.values[s.held_out :])))
    assert best_order(sunspot_series()) == np.argmin(errors)


@pytest.mark.parametrize("series", [sunspot_series(), airline_series()], ids=["sun", "air"])
def test_what_is_held_out_changes_no_fit(series: Series) -> None:
    values = series.values.copy()
    values[series.held_out :] = values[series.held_out :][::-1] * 1.2
    other = replace(series, values=values)
    mine, theirs = plain_forecasts(series, series.season), plain_forecasts(other, series.season)
    assert list(mine) == list(theirs)
    for name in mine:
        assert mine[name].ahead[0] == theirs[name].ahead[0]
        np.testing.assert_array_equal(mine[name].free, theirs[name].free)


HARD = {
    "the shortest": RNG(0).normal(size=MIN_VALUES),
    "constant but for one value": np.r_[1.0, np.zeros(60)],
    "a ramp": np.arange(40.0),
    "growth": 1.1 ** np.arange(60),
    "huge": 1e12 * RNG(1).random(50),
    "tiny": 1e-10 * RNG(2).random(50),
    "two values": np.arange(50) % 2.0,
}


@pytest.mark.parametrize("values", HARD.values(), ids=HARD)
@pytest.mark.parametrize("season", [0, 7, 12, 400])
def test_every_series_of_a_visitor_has_its_plain_forecasts(values: Array, season: int) -> None:
    s = own_series(to_data(values))
    season = min(season, s.held_out)  # as the page limits it
    made = plain_forecasts(s, season)
    held = len(values) - s.held_out
    for name, found in made.items():
        assert found.ahead.shape == (held,), name
        assert found.free.shape == (held,), name
        assert np.isfinite(found.ahead).all(), name
    assert ("seasonal naive" in made) == (season > 0)
    assert ("seasonal naive on changes" in made) == (0 < season < s.held_out - 1)


def test_a_steady_series_is_continued_exactly() -> None:
    for values in (HARD["a ramp"], HARD["growth"]):
        s = own_series(to_data(values))
        best = min(mean_error(s, found.ahead) for found in plain_forecasts(s, 0).values())
        assert best < 1e-6 * np.abs(values).max()


def test_a_forecast_that_explodes_overflows_without_an_error() -> None:
    s = own_series(to_data(1.0 + RNG(0).random(60)))
    free = Autoregression(s, np.array([1.0, 30.0])).free(500)
    assert not np.isfinite(free[-1])


# Letters


def coded(text: str) -> tuple[tuple[int, ...], int]:
    alphabet = sorted(set(text))
    return tuple(alphabet.index(c) for c in text), len(alphabet)


def test_added_counts_by_hand() -> None:
    text, size = coded("abracadabra")  # a=0 b=1 c=2 d=3 r=4
    counts = Counts(text, size)
    assert counts.add_k((0,), 1, 0.5)[1] == (2 + 0.5) / (4 + 2.5), "a is followed by b, c, d, b"
    assert counts.add_k((), 0, 1.0)[0] == (5 + 1) / (11 + 5)
    assert counts.add_k((2, 2), 0, 1.0)[2] == 1 / 5, "never seen"


def test_witten_bell_by_hand() -> None:
    text, size = coded("abracadabra")
    counts = Counts(text, size)
    single = (2 + 5 / 5) / (11 + 5)  # b: twice among 11 letters of 5 kinds
    assert counts.witten_bell((), 1)[0] == pytest.approx(single)
    pair = (2 + 3 * single) / (4 + 3)  # after a: b twice among four, of 3 kinds
    assert counts.witten_bell((0,), 1)[1] == pytest.approx(pair)
    assert counts.witten_bell((1, 0), 1)[2] == pytest.approx(pair), "b, a never came: as after a alone"


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_are_positive_and_sum_to_one(name: str) -> None:
    text, size = coded("the quick brown fox jumps over the lazy dog; the dog sleeps")
    counts = Counts(text, size)
    for before in [(), text[:1], text[3:9], (size - 1,) * 5]:
        shares = np.array([MODELS[name](counts, before, letter) for letter in range(size)])
        assert shares.min() > 0.0
        np.testing.assert_allclose(shares.sum(axis=0), np.ones(LONGEST), rtol=1e-12)


def test_surprise_is_the_mean_of_the_logarithms() -> None:
    text, size = coded("banana band")
    counts = Counts(text, size)
    each = [-log2(counts.witten_bell(text[:end], text[end])[2]) for end in range(1, len(text))]
    assert bits(Counts.witten_bell, counts, text)[2] == pytest.approx(np.mean(each))


def test_plain_methods_on_the_built_in_texts_reach_what_is_known_of_them() -> None:
    """Figures worked out independently with other code; a Witten-Bell 4-gram looks back on four letters."""
    for variant, name, n, known in (
        ("opinions", "-grams, add-0.1 smoothing", 3, 1.09),
        ("opinions", "-grams (Witten-Bell)", 5, 0.62),
        ("elements", "-grams (Witten-Bell)", 3, 3.18),
    ):
        e = APPLICATIONS["text"].variants[variant].experiment
        training, held_out = (tuple(part.tolist()) for part in characters_of(e).parts(e))
        counts = Counts(training, len(characters_of(e).alphabet(e)))
        assert round(bits(MODELS[name], counts, held_out)[n - 1], 2) == known


def test_length_and_smoothing_are_the_best_at_the_end_of_the_training_text() -> None:
    text, size = coded("abcabdabcabd" * 30)
    found = ngram_bits(text, text, size)
    assert len(found) == 2
    for name in found:
        assert int(name[0]) >= 4, "which of c and d comes next depends on the one before it"
    assert max(found.values()) < 0.2
    noise = tuple(RNG(0).integers(5, size=2000).tolist())
    assert min(ngram_bits(noise, noise[::-1], 5).values()) == pytest.approx(log2(5), abs=0.03)


@pytest.mark.parametrize("text", ["ab" * 5, "aaaaaaaaab", "xyzxyzxyz!", "a\nb\tc d e f", "ab" * 1000])
def test_every_text_of_a_visitor_has_its_plain_methods(text: str) -> None:
    e = APPLICATIONS["text"].variants["elements"].experiment
    e = e.replace(corpus="own", text=text, seq_len=min(16, len(text) - 1))
    assert np.isfinite(list(letters_predicted(e).values())).all()


# Classes


def blobs(n: int) -> tuple[Array, Array]:
    classes = RNG(0).integers(3, size=n)
    return RNG(1).normal(size=(n, 4)) + 1.5 * np.eye(3, 4)[classes], classes


def test_logistic_regression_is_at_its_optimum_by_autograd() -> None:
    X, y = blobs(200)
    found = fit_logistic(X, y, ridge=1.0)

    def loss(W: Array) -> float:
        logits = anp.dot(anp.hstack([anp.ones((len(X), 1)), X]), W)
        right = anp.sum(logits * np.eye(3)[y], axis=1)
        fit = anp.sum(anp.log(anp.sum(anp.exp(logits), axis=1)) - right)
        return fit + 0.5 * anp.sum(W[1:] ** 2)  # type: ignore[no-any-return]

    assert np.abs(grad(loss)(found.weights)).max() < 1e-4 * len(X) + 1e-5
    near = found.weights + 0.05 * RNG(2).normal(size=found.weights.shape)
    assert loss(found.weights) < loss(near)


def test_logistic_regression_learns_what_can_be_separated() -> None:
    X, y = blobs(400)
    assert (best_logistic(X[:300], y[:300]).classify(X[300:]) == y[300:]).mean() > 0.7
    wide = np.eye(3)[y]
    assert (fit_logistic(wide, y, 0.1).classify(wide) == y).all()


def test_the_nearest_neighbour_by_brute_force() -> None:
    X, y = blobs(80)
    asked = RNG(5).normal(size=(20, 4))
    slow = [y[min(range(80), key=lambda i: np.linalg.norm(X[i] - q))] for q in asked]
    assert nearest(X, y, asked).tolist() == slow


TEXTS = [["not", "good"], ["good"], ["bad"], ["not", "bad"], ["so", "good"], ["so", "bad"]]
VERDICTS = [0, 1, 0, 1, 1, 0]


def test_naive_bayes_by_hand() -> None:
    asked = [["good"], ["bad", "so"], ["unknown"], []]
    positive = Counter(word for words, v in zip(TEXTS, VERDICTS, strict=True) if v for word in words)
    negative = Counter(word for words, v in zip(TEXTS, VERDICTS, strict=True) if not v for word in words)

    def share(counts: Counter[str], word: str) -> float:
        return (counts[word] + 1) / (counts.total() + 4)

    for words, verdict in zip(asked, judge_by_words(TEXTS, VERDICTS, asked, 1), strict=True):
        known = [word for word in words if word in ("not", "good", "bad", "so")]
        odds = np.prod([share(positive, word) / share(negative, word) for word in known])
        assert verdict == (odds > 1.0)
    both = [["not", "bad"], ["bad"]]
    assert judge_by_words(TEXTS, VERDICTS, both, 2).tolist() == [1, 0]


def test_the_ending_decides_and_a_shorter_one_where_it_is_new() -> None:
    texts = [["a", "x", "good"], ["b", "x", "good"], ["x", "bad"], ["c", "good"]]
    asked = [["a", "x", "good"], ["z", "x", "bad"], ["z", "z"], [], ["c", "good"]]
    found = judge_by_ending(texts, [1, 1, 0, 0], asked, 2)
    assert found.tolist() == [1, 0, 1, 1, 0]


# What they reach on the page


def test_plain_methods_on_digits_reach_what_is_known_of_them() -> None:
    """scikit-learn's: 95.6% by the nearest neighbour, 91.1% by logistic regression."""
    found = digits_named()
    assert round(found["nearest neighbour"], 3) == 0.956
    assert found["logistic regression"] == pytest.approx(0.911, abs=0.015)


def test_opinions_need_no_memory_and_reports_do() -> None:
    opinions, reports = sentences_judged("opinions"), sentences_judged("reports")
    assert opinions["the last 4 words"] > 0.98
    assert opinions["bag of words"] == pytest.approx(0.60, abs=0.03)
    assert opinions["with pairs of words"] == pytest.approx(0.79, abs=0.03)
    assert all(share < 0.56 for share in reports.values()), reports


def test_german_numbers_are_regular_and_french_ones_are_not() -> None:
    e = Experiment(task="translation", topology="sequence-to-sequence", seq_len=7)
    assert numbers_translated(e.replace(target="german"))["logistic regression"] == 1.0
    assert 0.4 < numbers_translated(e)["logistic regression"] < 0.9
