"""The jobs: what they are, what they measure, and whether their words are true."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, TOPOLOGIES, Batch, Experiment, Network, Params, start, train
from rnnviz.applications.baselines import digits_named, sentences_judged
from rnnviz.applications.catalogue import (
    APPLICATIONS,
    Score,
    errors_of_forecasts,
    judge,
    surprise,
    verdicts,
    verdicts_right,
    written_right,
)
from rnnviz.applications.forecast import FREE_STEPS, series_of
from rnnviz.experiment.links import from_params, to_params
from rnnviz.tasks.corpora import corpus
from rnnviz.tasks.digits import digits
from rnnviz.tasks.numerals import english, french
from rnnviz.tasks.sentiment import beyond_the_grammar, sentences, vocabulary
from rnnviz.tasks.series import to_data
from rnnviz.tasks.translation import held_out_numbers
from rnnviz.training.loop import held_out
from tests.plain_rnn import Array

TOPOLOGY_OF = {
    "captions": "one-to-many",
    "forecasts": "many-to-many",
    "text": "many-to-many",
    "sentiment": "many-to-one",
    "translation": "sequence-to-sequence",
}
VARIANTS = [
    pytest.param(job, name, id=f"{job}-{name}")
    for job, found in APPLICATIONS.items()
    for name in found.variants
]
SEEDS = range(2)


def experiment(job: str, variant: str = "") -> Experiment:
    return APPLICATIONS[job].variants[variant or next(iter(APPLICATIONS[job].variants))].experiment


def untrained(e: Experiment) -> Params:
    return start(e).params


def by_name(scores: list[Score]) -> dict[str, Score]:
    assert len({score.name for score in scores}) == len(scores)
    return {score.name: score for score in scores}


# What they are


def test_every_job_is_one_of_those_that_recurrent_networks_are_known_for() -> None:
    assert set(APPLICATIONS) == set(TOPOLOGY_OF)


@pytest.mark.parametrize(("job", "variant"), VARIANTS)
def test_every_data_set_is_an_experiment_of_the_jobs_topology(job: str, variant: str) -> None:
    e = experiment(job, variant)
    assert e.topology == TOPOLOGY_OF[job]
    assert e.topology in TASKS[e.task].fits
    opened = from_params(to_params(e))
    assert (opened.experiment, opened.ignored, opened.adjusted) == (e, [], []), "a link can tell it"
    masks, topology = TASKS[e.task].masks(e), TOPOLOGIES[e.topology].masks(e.seq_len)
    if job == "translation":
        assert not (masks.reads & masks.writes).any(), "read everything, then write"
    else:
        np.testing.assert_array_equal(masks.reads, topology.reads)
        np.testing.assert_array_equal(masks.writes, topology.writes)


@pytest.mark.parametrize("variant", APPLICATIONS["forecasts"].variants)
def test_forecasts_may_be_learned_from_the_last_step_only(variant: str) -> None:
    single = replace(experiment("forecasts", variant), topology="many-to-one")
    assert TASKS[single.task].masks(single).write_steps.tolist() == [single.seq_len - 1]


@pytest.mark.parametrize(("job", "variant"), VARIANTS)
def test_every_data_set_trains_and_is_measured_before_and_after(job: str, variant: str) -> None:
    e = experiment(job, variant)
    before, after = (APPLICATIONS[job].measure(e, train(e, steps).params) for steps in (0, 30))
    assert [score.name for score in before] == [score.name for score in after]
    assert before[0].value != after[0].value or before[0].unit == "share"
    for score in after:
        assert np.isfinite([score.value, *score.others.values()]).all()
        assert score.unit != "share" or 0.0 <= score.value <= 1.0


# Texts written without a mistake


def end(*signs: int) -> list[int]:
    """Sign numbers, END (number 0) up to the seventh step."""
    return [*signs, *[0] * (7 - len(signs))]


def pretend(monkeypatch: pytest.MonkeyPatch, said: Array) -> None:
    """Let every network write these sign numbers, (T, B)."""

    def answers(self: Experiment, network: Network, params: Params, batch: Batch) -> Array:
        T, B, _ = batch.inputs.shape
        assert said.shape == (T, B)
        outputs = np.zeros((T, B, params.b_y.size))
        np.put_along_axis(outputs, said[:, :, None], 5.0, axis=2)
        return outputs

    monkeypatch.setattr(Experiment, "answers", answers)


def measured(monkeypatch: pytest.MonkeyPatch, wanted: list[list[int]], said: list[list[int]]) -> list[Score]:
    """Score of captions whose held-out texts and answers are these, one list of sign numbers a text."""
    e = experiment("captions")
    batch = replace(held_out(e), inputs=np.zeros((7, len(wanted), 79)), targets=np.array(wanted).T)
    monkeypatch.setattr("rnnviz.applications.catalogue.held_out", lambda _: batch)
    pretend(monkeypatch, np.array(said).T)
    return written_right(e, untrained(e))


def test_texts_and_signs_are_counted_as_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [end(1, 2, 3), end(1, 2, 3), end(4, 5)]
    said = [end(1, 2, 3), end(1, 9, 3), end(4, 5, 6)]
    whole, signs = measured(monkeypatch, wanted, said)
    assert whole.value == 1 / 3
    # Three letters and an END, twice; two letters and an END. Wrong: the 9, and the 6 where END was due.
    assert signs.value == 9 / 11


def test_the_end_counts_once_however_many_steps_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, signs = measured(monkeypatch, [end(1)], [[1, 0, 5, 5, 5, 5, 5]])
    assert (whole.value, signs.value) == (0.0, 1.0), "its word is right, but it goes on after the end"
    _, signs = measured(monkeypatch, [end(1)], [[1, 5, 0, 0, 0, 0, 0]])
    assert signs.value == 1 / 2
    _, signs = measured(monkeypatch, [[1, 2, 3, 4, 5, 6, 7]], [[1, 2, 3, 4, 5, 6, 0]])
    assert signs.value == 6 / 7, "a text that fills all steps has no END"


def test_the_commonest_answer_is_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [end(1, 2), end(3), end(1, 2), end(1)]
    whole, signs = measured(monkeypatch, texts, texts)
    assert whole.others == {"always the same answer": 2 / 4} | digits_named()
    assert (whole.value, signs.value, signs.others) == (1.0, 1.0, {})


@pytest.mark.parametrize("job", ["captions", "translation"])
def test_who_writes_what_is_wanted_makes_no_mistake(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    e = experiment(job)
    batch = held_out(e)
    pretend(monkeypatch, batch.targets.astype(int))
    whole, signs = written_right(e, untrained(e))
    assert (whole.value, signs.value) == (1.0, 1.0)
    counts = Counter(map(tuple, batch.targets[TASKS[e.task].masks(e).write_steps].T.tolist()))
    most = max(counts.values()) / batch.targets.shape[1]
    assert whole.others["always the same answer"] == most
    assert most == (1 / 15 if job == "translation" else pytest.approx(0.1, abs=0.02))
    pretend(monkeypatch, np.zeros(batch.targets.shape, int))
    whole, signs = written_right(e, untrained(e))
    assert whole.value == 0.0
    assert 0.0 < signs.value < 0.5, "END alone"


@pytest.mark.parametrize(
    ("job", "names"),
    [
        ("captions", ["held-out words without a mistake", "held-out characters right"]),
        ("translation", ["held-out number words without a mistake", "held-out words right"]),
    ],
)
def test_signs_are_called_what_they_are(job: str, names: list[str]) -> None:
    e = experiment(job)
    assert [score.name for score in written_right(e, untrained(e))] == names


def test_french_numbers_are_also_counted_by_whether_they_are_regular(monkeypatch: pytest.MonkeyPatch) -> None:
    e, german = experiment("translation", "french"), experiment("translation", "german")
    measure, numbers = APPLICATIONS["translation"].measure, held_out_numbers(e.seed)
    late = np.array([n // 10 in (7, 9) for n in numbers])
    assert late.any()
    assert not late.all()
    wanted = held_out(e).targets.astype(int)
    said = wanted.copy()
    said[-1, np.flatnonzero(late)[0]] = said[-1, np.flatnonzero(~late)[:2]] = 1  # END was due
    pretend(monkeypatch, said)
    found = by_name(measure(e, untrained(e)))
    assert found["held-out number words without a mistake"].value == 12 / 15
    assert found["seventies and nineties"].value == pytest.approx((late.sum() - 1) / late.sum())
    assert found["all others"].value == pytest.approx(((~late).sum() - 2) / (~late).sum())
    pretend(monkeypatch, held_out(german).targets.astype(int))
    assert len(measure(german, untrained(german))) == 2, "in German all numbers are alike"


# Verdicts


def always(verdict: int) -> Params:
    """A network that says the same of everything."""
    zero = untrained(experiment("sentiment"))
    b_y = np.zeros(2)
    b_y[verdict] = 1.0
    return replace(zero.with_flat(np.zeros(zero.count)), b_y=b_y)


@pytest.mark.parametrize("verdict", [0, 1])
def test_verdicts_are_counted_in_all_sentences_and_in_the_hard_ones(verdict: int) -> None:
    e = experiment("sentiment")
    found = by_name(verdicts_right(e, always(verdict)))
    parts = {
        "held-out sentences right": sentences(held_out=True),
        "with negation": [s for s in sentences(held_out=True) if s.negated],
        "with contrast": [s for s in sentences(held_out=True) if s.contrasted],
        "with both": [s for s in sentences(held_out=True) if s.negated and s.contrasted],
    }
    assert list(found) == list(parts)
    for name, part in parts.items():
        assert found[name].value == sum(s.verdict == verdict for s in part) / len(part)
        assert len(part) > 100, "few sentences say little"
    assert found["held-out sentences right"].others == {"a coin toss": 0.5} | sentences_judged("opinions")


@pytest.mark.parametrize("verdict", [0, 1])
def test_failures_are_counted_and_the_first_ones_named(verdict: int) -> None:
    e, known = experiment("sentiment"), sentences(held_out=True)
    found = judge(e, always(verdict))
    wrong = [s for s in known if s.verdict != verdict]
    assert found.scores == verdicts_right(e, always(verdict))
    assert (found.of, found.wrong, found.examples) == (len(known), len(wrong), wrong[: len(found.examples)])
    assert len(found.examples) == 3
    assert found.beyond == {
        name: sum(s.verdict == verdict for s in family) / len(family)
        for name, family in beyond_the_grammar().items()
    }


def test_the_parts_are_what_their_names_say() -> None:
    for s in sentences(held_out=True):
        assert s.negated == any(word in ("not", "never", "hardly") for word in s.words)
        assert s.contrasted == any(word in ("but", "although") for word in s.words)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trained_network_fails_where_the_words_say_so_and_only_there(seed: int) -> None:
    """It judges every form of its grammar, and two contrasts; a double negation it takes for a single one."""
    e = replace(experiment("sentiment"), seed=seed)
    assert (e.hidden_size, APPLICATIONS["sentiment"].variants["opinions"].steps) == (32, 1000)
    params = train(e, 1000).params
    assert all(score.value >= 0.95 for score in verdicts_right(e, params))
    right = [
        float(np.mean(verdicts(e, params, family) == [s.verdict for s in family]))
        for family in beyond_the_grammar().values()
    ]
    double, twice = right
    assert [name.split(" (")[0] for name in beyond_the_grammar()] == ["double negation", "two contrasts"]
    assert double < 0.2
    assert twice > 0.8


def test_a_network_learns_to_remember_how_a_report_began() -> None:
    chosen = APPLICATIONS["sentiment"].variants["reports"]
    params = train(chosen.experiment, chosen.steps).params
    whole, everyone, nobody = verdicts_right(chosen.experiment, params)
    assert min(everyone.value, nobody.value) > 0.95
    assert whole.others[whole.rival] < 0.56, "nothing plain can"
    assert whole.result == "better"


# Forecasts


def following(e: Experiment) -> Params:
    """A network whose every output is 0: in a series of changes, the change that is expected."""
    zero = untrained(e)
    return zero.with_flat(np.zeros(zero.count))


def test_without_an_output_the_forecast_is_the_last_value_or_last_seasons_change() -> None:
    for variant, name in (("airline", "seasonal naive on changes"), ("stock", "naive forecast")):
        e = experiment("forecasts", variant)
        ahead, free = errors_of_forecasts(e, following(e))
        assert ahead.value == pytest.approx(ahead.others[name])
        assert free.value == pytest.approx(free.others[name])


def test_baselines_of_the_airline_by_hand() -> None:
    e = experiment("forecasts", "airline")
    values, held = series_of(e).values, 36
    truth = values[-held:]
    ahead, free = errors_of_forecasts(e, untrained(e))
    by_hand = {
        "naive forecast": np.mean([abs(values[i] - values[i - 1]) for i in range(108, 144)]),
        "seasonal naive": np.mean([abs(values[i] - values[i - 12]) for i in range(108, 144)]),
    }
    assert {name: ahead.others[name] for name in by_hand} == pytest.approx(by_hand)
    by_hand = {
        "naive forecast": np.mean(np.abs(truth - values[107])),
        "seasonal naive": np.mean(np.abs(truth - np.tile(values[96:108], 3))),
    }
    assert {name: free.others[name] for name in by_hand} == pytest.approx(by_hand)
    assert (ahead.name, free.name) == ("one step ahead off by", "free-running for 36 steps off by")
    assert (ahead.unit, free.unit) == ("thousand passengers", "thousand passengers")


def test_a_season_is_named_only_where_there_is_one() -> None:
    walk = np.random.default_rng(0).normal(0.0, 1.0, 400).cumsum()
    e = replace(experiment("forecasts", "airline"), series="own", data=to_data(walk), seq_len=6)
    for score in errors_of_forecasts(e, untrained(e)):
        assert not any("season" in name for name in score.others)
    ahead, free = errors_of_forecasts(e, untrained(e), season=7)
    values = series_of(e).values
    assert ahead.others["seasonal naive"] == pytest.approx(np.mean(np.abs(values[300:] - values[293:393])))
    assert free.name == "free-running for 100 steps off by"
    longer = replace(e, data=to_data(np.resize(walk, 800) + np.linspace(0.0, 1.0, 800)))
    assert errors_of_forecasts(longer, untrained(longer))[1].name.startswith(
        f"free-running for {FREE_STEPS} steps"
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_price_of_independent_changes_is_forecast_by_no_one(seed: int) -> None:
    chosen = APPLICATIONS["forecasts"].variants["stock"]
    e = replace(chosen.experiment, seed=seed)
    ahead, _ = errors_of_forecasts(e, train(e, chosen.steps).params)
    assert ahead.value > 0.98 * ahead.others["naive forecast"]
    assert "seasonal naive" not in ahead.others


# Text


def test_the_surprise_of_one_who_knows_nothing_is_that_of_the_alphabet() -> None:
    e = experiment("text", "countries")
    zero = untrained(e)
    (score,) = surprise(e, zero.with_flat(np.zeros(zero.count)))
    assert score.unit == "bits"
    assert score.value == pytest.approx(score.others["knowing the alphabet only"])
    assert score.others["knowing the alphabet only"] == np.log2(len(set(corpus("countries"))))


# The best baseline


@pytest.mark.parametrize(
    ("unit", "value", "others", "rival", "result"),
    [
        ("share", 0.9, {"a": 0.8, "b": 0.85}, "b", "better"),
        ("share", 0.9, {"a": 0.95, "b": 0.85}, "a", "worse"),
        ("share", 1.0, {"a": 1.0}, "a", "as good"),
        ("share", 1.0, {"a": 0.996}, "a", "better"),
        ("share", 0.604, {"a": 0.601}, "a", "as good"),
        ("bits", 0.6, {"a": 0.7, "b": 2.0}, "a", "better"),
        ("bits", 0.601, {"a": 0.604}, "a", "as good"),
        ("passengers", 13.0, {"a": 42.0, "b": 12.0}, "b", "worse"),
        ("passengers", 12.81, {"a": 12.84}, "a", "as good"),
        ("passengers", np.nan, {"a": 42.0}, "a", "worse"),
    ],
)
def test_the_rival_is_the_best_baseline_and_compared_by_the_numbers_that_are_shown(
    unit: str, value: float, others: dict[str, float], rival: str, result: str
) -> None:
    score = Score("name", value, unit, others)
    assert (score.rival, score.result) == (rival, result)


# How they are written


@pytest.mark.parametrize(
    ("unit", "value", "written"),
    [
        ("share", 0.0, "0%"),
        ("share", 0.987, "99%"),
        ("share", 1.0, "100%"),
        ("share", 0.996, "99.6%"),
        ("share", 0.9996, "99.96%"),
        ("share", 0.004, "0.4%"),
        ("bits", 1.7349, "1.73 bits"),
        ("bits", 4.0, "4.00 bits"),
        ("thousand passengers", 47.34, "47.3"),
        ("value", 0.001234, "0.00123"),
        ("value", np.inf, "overflowed"),
        ("bits", np.nan, "overflowed"),
        ("share", np.nan, "overflowed"),
    ],
)
def test_a_score_is_written_in_its_unit(unit: str, value: float, written: str) -> None:
    assert Score("name", value, unit, {}).write(value) == written


# Whether the words are true


def words(job: str) -> str:
    return f"{APPLICATIONS[job].promise} {APPLICATIONS[job].limit}"


def about(number: float, claim: float) -> bool:
    """Whether a round number is one that a person would give for this one."""
    return abs(number - claim) <= 0.15 * claim


SIZES: dict[str, tuple[str, Any, float]] = {
    "captions": ("ten names", lambda: len({*digits()[1].tolist()}), 10),
    "sentiment": ("some forty words", lambda: len(vocabulary()), 40),
    "sentiment ": ("some sixty (reports)", lambda: len(vocabulary("reports")), 60),
}


@pytest.mark.parametrize("job", SIZES)
def test_sizes_that_are_told_are_those_of_the_data(job: str) -> None:
    phrase, size, claim = SIZES[job]
    assert phrase in words(job.strip())
    assert about(size(), claim)


def test_no_number_is_told_that_no_test_knows() -> None:
    ones = "two|three|four|five|six|seven|eight|nine|ten|twelve"
    tens = "twenty|thirty|forty|fifty|sixty|hundred|thousand"
    number = rf"\b(?:\d[\d×,.]*|{ones}|{tens})\b"
    told = {job: re.findall(number, words(job)) for job in APPLICATIONS}
    assert told == {
        "captions": ["8×8", "ten", "two"],  # "a mixture of two"
        "forecasts": [],
        "text": [],
        "sentiment": ["forty", "sixty", "four", "twelve"],  # the last two: test_baselines, test_sentiment
        "translation": ["twenty", "ten", "two"],  # "above twenty", "a ten"
    }


def test_an_image_goes_in_once_and_never_again() -> None:
    e = experiment("captions")
    inputs = held_out(e).inputs[:, :, :64]
    assert inputs[0].any(axis=1).all()
    assert not inputs[1:].any()


def test_each_french_ending_above_seventy_is_met_in_two_numbers_and_one_of_them_is_always_kept() -> None:
    assert "each of these words follows a ten in only two numbers" in words("translation")
    for unit in range(1, 10):
        last = french(70 + unit)[-1]
        late = [n for n in range(70, 100) if french(n)[-1] == last and n not in range(80, 90)]
        assert late == [70 + unit, 90 + unit], " ".join(english(70 + unit))
        for seed in range(20):
            assert len({*late} & {*held_out_numbers(seed)}) <= 1
    assert any({72, 92} & {*held_out_numbers(seed)} for seed in range(20)), "one of the two may be held out"


def test_what_follows_the_split_is_after_it_in_time() -> None:
    for variant in APPLICATIONS["forecasts"].variants:
        e = experiment("forecasts", variant)
        s = series_of(e)
        batch = TASKS[e.task].sample(e, e.rng("training"), 400)
        assert batch.newest is not None
        past = {round(value, 9) for value in s.values[: s.held_out].tolist()}
        assert {round(value, 9) for value in batch.newest.ravel().tolist()} <= past
        assert (np.diff(s.times) > 0).all()
