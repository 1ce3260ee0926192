"""Tasks do what their descriptions say, and their chance levels are the actual scores of guessing."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, Experiment
from rnnviz.tasks import Batch, Task
from rnnviz.tasks.base import ABSOLUTE_ERROR, ACCURACY, HELD_OUT_SAMPLES, SQUARED_ERROR
from rnnviz.tasks.corpora import CORPORA, MAX_CHARACTERS, corpus
from rnnviz.training.loop import held_out
from tests.plain_rnn import Array

DATA = Path(__file__).parents[2] / "rnnviz" / "tasks" / "data"
FITS = [(name, topology) for name, task in TASKS.items() for topology in task.fits]
FEEDBACK = [("waves", "one-to-many"), ("echo", "many-to-many"), ("sine", "many-to-many"),
            ("parity", "many-to-many"), ("copy", "sequence-to-sequence"), ("reverse", "sequence-to-sequence"),
            ("characters", "many-to-many"), ("sunspots", "many-to-many"), ("series", "many-to-many"),
            ("captions", "one-to-many"), ("translation", "sequence-to-sequence")]  # fmt: skip

OPTIONS = {"symbols", "noise", "delay", "items", "corpus", "text"} | {
    "series",
    "data",
    "language",
    "target",
    "jitter",
    "grammar",
}
FROM_DATA = ("characters", "sunspots", "series", "captions", "translation")
"""Chance levels computed from data are tested with each task."""


def experiment(task: str, topology: str | None = None, **fields: Any) -> Experiment:
    fields = {"seq_len": TASKS[task].usual_length, **fields}
    return Experiment(task=task, topology=topology or TASKS[task].fits[0], **fields)


def sample(e: Experiment, seed: int = 0, size: int | None = None) -> Batch:
    return TASKS[e.task].sample(e, np.random.default_rng(seed), size)


# What every task must provide


@pytest.mark.parametrize(("task", "topology"), FITS)
def test_shapes_and_types(task: str, topology: str) -> None:
    e = experiment(task, topology, batch_size=5)
    inputs, outputs = TASKS[task].sizes(e)
    for batch, size in ((sample(e), 5), (sample(e, size=3), 3), (TASKS[task].held_out(e), None)):
        size = size or batch.inputs.shape[1]
        assert batch.inputs.shape == (e.seq_len, size, inputs)
        assert batch.inputs.dtype == np.float64
        if TASKS[task].loss.name == "cross-entropy":
            assert batch.targets.shape == (e.seq_len, size)
            assert batch.targets.dtype == np.int64
            assert 0 <= batch.targets.min() <= batch.targets.max() < outputs
        else:
            assert batch.targets.shape == (e.seq_len, size, outputs)
            assert batch.targets.dtype == np.float64


@pytest.mark.parametrize(("task", "topology"), FITS)
def test_inputs_come_only_to_readers_and_targets_only_to_writers(task: str, topology: str) -> None:
    e = experiment(task, topology)
    masks, batch = TASKS[task].masks(e), sample(e)
    assert not batch.inputs[~masks.reads].any()
    assert not batch.targets[~masks.writes].any()
    assert batch.inputs[masks.reads].any()


@pytest.mark.parametrize(("task", "topology"), FITS)
def test_samples_depend_on_the_generator_only(task: str, topology: str) -> None:
    e = experiment(task, topology)
    one, same, other = sample(e, 1), sample(e, 1), sample(e, 2)
    np.testing.assert_array_equal(one.inputs, same.inputs)
    np.testing.assert_array_equal(one.targets, same.targets)
    assert not np.array_equal(one.inputs, other.inputs)


@pytest.mark.parametrize(("task", "topology"), FITS)
def test_held_out_sequences_stay_the_same_and_are_not_the_training_batch(task: str, topology: str) -> None:
    e = experiment(task, topology)
    first, again = TASKS[task].held_out(e), TASKS[task].held_out(e)
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    np.testing.assert_array_equal(first.inputs, held_out(e).inputs)
    training = TASKS[task].sample(e, e.rng("training"), first.inputs.shape[1])
    assert not np.array_equal(first.inputs, training.inputs)


@pytest.mark.parametrize("task", TASKS)
def test_texts_on_screen_are_there(task: str) -> None:
    e, words = experiment(task), TASKS[task]
    assert words.name == task
    assert words.title
    assert words.guess
    assert words.summary.endswith((".", "?"))
    assert words.form in ("classes", "series", "image", "text")
    assert set(words.options) <= OPTIONS
    labels = words.input_labels(e, sample(e))
    assert len(labels) == e.seq_len
    assert all(isinstance(label, str) for label in labels)
    if words.loss.name == "cross-entropy":
        names = [words.output_label(e, answer) for answer in range(words.sizes(e)[1])]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(("task", "topology"), FITS)
def test_options_that_a_task_does_not_name_do_not_change_it(task: str, topology: str) -> None:
    e = experiment(task, topology)
    other: dict[str, Any] = {
        "symbols": 5,
        "noise": 0.7,
        "delay": 1,
        "items": 2,
        "corpus": "hello",
        "text": "some other text",
        "series": "stock",
        "data": "1 2 3",
        "language": "german",
        "target": "german",
        "jitter": 0.3,
        "grammar": "reports",
    }
    assert set(other) == OPTIONS
    changed = replace(e, **{name: value for name, value in other.items() if name not in TASKS[task].options})
    np.testing.assert_array_equal(sample(e).inputs, sample(changed).inputs)
    np.testing.assert_array_equal(sample(e).targets, sample(changed).targets)


# Chance: a guess scores what the task says it does


def constant_guess(task: Task, e: Experiment, batch: Batch) -> Array:
    """The best outputs that ignore the input: the same at all steps and for all sequences."""
    steps = task.masks(e).write_steps
    answers = batch.targets[steps]
    if task.metric is ACCURACY:
        shares = np.bincount(answers.ravel(), minlength=task.sizes(e)[1]) / answers.size
        constant = np.log(np.maximum(shares, 1e-12))
    else:
        constant = answers.mean(axis=(0, 1))
    return np.broadcast_to(constant, (e.seq_len, batch.inputs.shape[1], task.sizes(e)[1]))


GUESSED = [(task, topology) for task, topology in FITS if task not in FROM_DATA]


@pytest.mark.parametrize(("task", "topology"), GUESSED)
def test_chance_is_what_the_best_constant_scores(task: str, topology: str) -> None:
    e, words = experiment(task, topology), TASKS[task]
    batch = sample(e, size=20_000 if e.seq_len <= 20 else 4_000)
    guess, steps = constant_guess(words, e, batch), words.masks(e).write_steps
    loss, _ = words.loss.value_and_gradient(guess[steps], batch.targets[steps])
    assert loss == pytest.approx(words.chance_loss(e), rel=0.03)
    if words.metric is ACCURACY:
        # A draw among equally likely answers, not the most frequent one in this sample.
        shares = np.exp(guess[-1, 0])
        assert np.sum(shares**2) == pytest.approx(words.chance(e), rel=0.03)
    else:
        assert words.score(e, guess, batch) == pytest.approx(words.chance(e), rel=0.03)


@pytest.mark.parametrize("symbols", [2, 3, 8])
@pytest.mark.parametrize("task", ["recall", "echo", "copy", "reverse"])
def test_chance_follows_the_number_of_symbols(task: str, symbols: int) -> None:
    e = experiment(task, symbols=symbols)
    answers = sample(e, size=20_000).targets[-1]
    guesses = np.random.default_rng(1).integers(symbols, size=answers.size)
    assert np.mean(guesses == answers) == pytest.approx(TASKS[task].chance(e), abs=0.02)
    assert TASKS[task].chance_loss(e) == pytest.approx(-np.log(1.0 / symbols), rel=1e-12)


def test_the_goal_is_better_than_chance() -> None:
    for name, topology in FITS:
        e, task = experiment(name, topology), TASKS[name]
        assert task.metric.reached(task.goal, task.goal)
        assert not task.metric.reached(task.chance(e), task.goal)


# Scores


@pytest.mark.parametrize(("task", "topology"), FITS)
def test_perfect_answers_score_perfectly_and_only_written_steps_count(task: str, topology: str) -> None:
    e, words = experiment(task, topology), TASKS[task]
    batch, (_, O) = words.held_out(e), words.sizes(e)  # noqa: E741
    outputs = words.loss.as_output(batch.targets, O).copy()
    outputs[~words.masks(e).writes] = 1e6
    assert words.score(e, outputs, batch) == (1.0 if words.metric is ACCURACY else 0.0)


def test_scores_by_hand() -> None:
    e = experiment("parity", "many-to-many", seq_len=2)
    outputs = np.array([[[2.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    batch = TASKS["parity"].as_batch(e, np.zeros((2, 2, 1)), np.array([[0, 0], [1, 1]]))
    assert TASKS["parity"].score(e, outputs, batch) == 0.75
    answers = np.array([[[1.5]], [[1.0]]])
    sine, sunspots = experiment("sine", seq_len=2), experiment("sunspots", seq_len=2)
    curve = TASKS["sine"].as_batch(sine, np.zeros((2, 1, 1)), np.array([[[1.0]], [[2.0]]]))
    assert TASKS["sine"].score(sine, answers, curve) == pytest.approx((0.25 + 1.0) / 2)
    assert TASKS["sunspots"].score(sunspots, answers, curve) == pytest.approx(
        (15**2 - 10**2 + 20**2 - 10**2) / 2
    )


@pytest.mark.parametrize(("metric", "better", "worse"), [(ACCURACY, 0.9, 0.8), (SQUARED_ERROR, 0.1, 0.2),
                                                        (ABSOLUTE_ERROR, 0.1, 0.2)])  # fmt: skip
def test_a_goal_is_reached_from_the_right_side(metric: Any, better: float, worse: float) -> None:
    assert metric.reached(better, better)
    assert metric.reached(better, worse)
    assert not metric.reached(worse, better)
    assert not metric.reached(np.nan, worse)


# Every task's targets, recomputed from its inputs


def symbols_of(rows: Array) -> list[int | None]:
    """(T, K) one-hot rows -> symbols, None where all channels are silent."""
    return [int(np.flatnonzero(row)[0]) if row.any() else None for row in rows]


def recall_answers(e: Experiment, x: Array) -> list[Any]:
    assert x[0].sum() == 1.0
    return [None] * (e.seq_len - 1) + [symbols_of(x[:1])[0]]


def adding_answers(e: Experiment, x: Array) -> list[Any]:
    marked = [t for t in range(e.seq_len) if x[t, 1] == 1.0]
    assert len(marked) == 2
    assert marked[0] < e.seq_len // 2 <= marked[1]
    return [None] * (e.seq_len - 1) + [x[marked[0], 0] + x[marked[1], 0]]


def parity_answers(e: Experiment, x: Array) -> list[Any]:
    odd = [sum(x[: t + 1, 0]) % 2 for t in range(e.seq_len)]
    return odd if e.topology == "many-to-many" else [None] * (e.seq_len - 1) + odd[-1:]


def echo_answers(e: Experiment, x: Array) -> list[Any]:
    return [None] * e.delay + symbols_of(x)[: e.seq_len - e.delay]


def copy_answers(e: Experiment, x: Array) -> list[Any]:
    read = symbols_of(x)
    assert read[e.items :] == [None] * (e.seq_len - e.items)
    return [None] * (e.seq_len - e.items) + read[: e.items]


def reverse_answers(e: Experiment, x: Array) -> list[Any]:
    in_order = copy_answers(e, x)
    return in_order[: -e.items] + in_order[: -e.items - 1 : -1]


def waves_answers(e: Experiment, x: Array) -> list[Any]:
    waves = [1, 2, 3][int(np.flatnonzero(x[0])[0])]
    return [np.sin(2.0 * np.pi * waves * t / e.seq_len) for t in range(1, e.seq_len + 1)]


def next_value(e: Experiment, x: Array) -> list[Any]:
    """A sine obeys x_{t+1} = 2 cos(w) x_t - x_{t-1}; the inputs tell w."""
    middle = x[1:-1, 0]
    twice_cos = np.sum((x[2:, 0] + x[:-2, 0]) * middle) / np.sum(middle * middle)
    assert 2.0 * np.cos(0.6) - 1e-9 <= twice_cos <= 2.0 * np.cos(0.2) + 1e-9
    return [*x[1:, 0], twice_cos * x[-1, 0] - x[-2, 0]]


BY_HAND: dict[str, Callable[[Experiment, Array], list[Any]]] = {
    "recall": recall_answers, "adding": adding_answers, "parity": parity_answers, "echo": echo_answers,
    "copy": copy_answers, "reverse": reverse_answers, "waves": waves_answers, "sine": next_value,
}  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("task", "topology"), [(t, topology) for t, topology in FITS if t in BY_HAND])
def test_targets_worked_out_from_the_inputs(task: str, topology: str, seed: int) -> None:
    for fields in ({}, {"seq_len": 17, "items": 4, "delay": 7, "symbols": 3}):
        e = experiment(task, topology, **fields)
        batch, writes = sample(e, seed), TASKS[task].masks(e).writes
        for b in range(e.batch_size):
            answers = BY_HAND[task](e, batch.inputs[:, b])
            assert [answer is not None for answer in answers] == writes.tolist()
            expected = [0.0 if answer is None else answer for answer in answers]
            np.testing.assert_allclose(batch.targets[:, b].reshape(-1), expected, atol=1e-9)


def test_marks_of_adding_are_spread_evenly_over_each_half() -> None:
    marks = sample(experiment("adding", seq_len=7), size=10_000).inputs[:, :, 1].mean(axis=1)
    np.testing.assert_allclose(marks, [1 / 3] * 3 + [1 / 4] * 4, atol=0.03)


@pytest.mark.parametrize("noise", [0.0, 0.1, 2.0])
def test_noise_of_recall_is_as_strong_as_chosen(noise: float) -> None:
    rest = sample(experiment("recall", noise=noise), size=2000).inputs[1:]
    assert rest.std() == pytest.approx(noise, rel=0.02)
    assert rest.mean() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("task", ["recall", "echo", "copy", "reverse", "parity"])
def test_answers_are_equally_likely(task: str) -> None:
    answers = sample(experiment(task), size=20_000).targets[-1]
    shares = np.bincount(answers) / answers.size
    np.testing.assert_allclose(shares, 1.0 / len(shares), atol=0.02)


# Feedback


def test_feedback_is_tried_with_every_task_that_allows_it() -> None:
    assert set(FEEDBACK) == {fit for fit in FITS if fit[1] not in ("one-to-one", "many-to-one")}


@pytest.mark.parametrize(("task", "topology"), FEEDBACK)
def test_feedback_adds_the_answer_of_the_step_before(task: str, topology: str) -> None:
    e = experiment(task, topology, batch_size=3)
    plain, fed = sample(e), sample(replace(e, feedback=True))
    inputs, outputs = TASKS[task].sizes(e)
    assert TASKS[task].input_size(replace(e, feedback=True)) == inputs + outputs == fed.inputs.shape[2]
    np.testing.assert_array_equal(fed.inputs[:, :, :inputs], plain.inputs)
    np.testing.assert_array_equal(fed.targets, plain.targets)
    writes = TASKS[task].masks(e).writes
    for t in range(e.seq_len):
        for b in range(3):
            expected = np.zeros(outputs)
            if t > 0 and writes[t - 1]:
                if TASKS[task].loss.name == "cross-entropy":
                    expected[plain.targets[t - 1, b]] = 1.0
                else:
                    expected[:] = plain.targets[t - 1, b]
            np.testing.assert_array_equal(fed.inputs[t, b, inputs:], expected)


# Data sets


def test_digits_are_real_images_with_their_labels() -> None:
    with np.load(DATA / "digits.npz") as data:
        images, labels = data["images"], data["labels"]
    assert images.shape == (1797, 64)
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    batch = sample(experiment("digits", batch_size=256))
    for image, label in zip(batch.inputs[0], batch.targets[0], strict=True):
        assert known[(image * 16.0).round().astype(images.dtype).tobytes()] == label


def test_digits_measured_were_never_trained_on() -> None:
    e, task = experiment("digits"), TASKS["digits"]
    held = {image.tobytes() for image in task.held_out(e).inputs[0]}
    trained = {image.tobytes() for image in sample(e, size=20_000).inputs[0]}
    assert len(held) == 360
    assert len(trained) == 1797 - 360, "every other image is trained on"
    assert not held & trained
    shares = np.bincount(task.held_out(e).targets[0]) / 360
    np.testing.assert_allclose(shares, 0.1, atol=0.02)


def yearly_numbers() -> dict[int, float]:
    with (DATA / "sunspots.csv").open(newline="") as file:
        return {int(row["year"]): float(row["sunspots"]) for row in csv.DictReader(file)}


def windows(values: list[float], length: int) -> set[tuple[float, ...]]:
    return {tuple(values[i : i + length]) for i in range(len(values) - length + 1)}


@pytest.mark.parametrize("seq_len", [2, 40, 68])
def test_sunspots_are_trained_on_the_past_and_measured_on_the_future(seq_len: int) -> None:
    e = experiment("sunspots", seq_len=seq_len)
    numbers = yearly_numbers()
    assert (min(numbers), max(numbers)) == (1700, 2008)
    past = windows([numbers[year] for year in range(1700, 1940)], seq_len + 1)
    future = windows([numbers[year] for year in range(1940, 2009)], seq_len + 1)

    def whole(batch: Batch) -> list[tuple[float, ...]]:
        np.testing.assert_array_equal(batch.inputs[1:], batch.targets[:-1])  # the answer is next year
        joined = (np.concatenate([batch.inputs, batch.targets[-1:]])[:, :, 0] * 10.0) ** 2
        return [tuple(column) for column in joined.T.round(6)]

    trained, measured = whole(sample(e, size=5000)), whole(TASKS["sunspots"].held_out(e))
    assert set(trained) == past, "windows in time order, every year before 1940 in use"
    assert set(measured) == future
    assert len(measured) == 69 - seq_len


@pytest.mark.parametrize("seq_len", [2, 40])
def test_chance_of_sunspots_is_the_naive_forecast(seq_len: int) -> None:
    e, numbers = experiment("sunspots", seq_len=seq_len), yearly_numbers()
    steps = [
        (numbers[start + t], numbers[start + t + 1])
        for start in range(1940, 2008 - seq_len + 1)
        for t in range(seq_len)
    ]
    assert TASKS["sunspots"].chance(e) == pytest.approx(np.mean([abs(b - a) for a, b in steps]), rel=1e-12)
    squares = [(b**0.5 - a**0.5) ** 2 / 10.0**2 for a, b in steps]
    assert TASKS["sunspots"].chance_loss(e) == pytest.approx(np.mean(squares), rel=1e-12)


# Text


@pytest.mark.parametrize("name", [name for name in CORPORA if name != "own"])
def test_characters_come_in_the_order_of_the_text(name: str) -> None:
    e = experiment("characters", corpus=name)
    alphabet, text = TASKS["characters"].alphabet(e), corpus(name)  # type: ignore[attr-defined]
    assert alphabet == "".join(sorted(set(text)))
    for batch in (sample(e), TASKS["characters"].held_out(e)):
        for b in range(batch.inputs.shape[1]):
            codes = [*batch.inputs[:, b].argmax(axis=1), batch.targets[-1, b]]
            assert "".join(alphabet[code] for code in codes) in text
            np.testing.assert_array_equal(batch.targets[:-1, b], codes[1:-1])
    assert (batch.inputs.sum(axis=2) == 1.0).all()


@pytest.mark.parametrize("name", ["elements", "countries"])
def test_text_measured_is_the_end_of_the_text_and_never_trained_on(name: str) -> None:
    e, text = experiment("characters", corpus=name), corpus(name)
    kept = int(0.15 * len(text))
    alphabet = "".join(sorted(set(text)))

    def passages(batch: Batch) -> set[str]:
        codes = np.concatenate([batch.inputs.argmax(axis=2), batch.targets[-1:]])
        return {"".join(alphabet[code] for code in column) for column in codes.T}

    measured, trained = passages(TASKS["characters"].held_out(e)), passages(sample(e, size=3000))
    assert all(passage in text[-kept:] for passage in measured)
    assert all(passage in text[:-kept] for passage in trained)
    assert not measured & trained


@pytest.mark.parametrize("name", ["hello", "elements", "countries"])
def test_chance_of_characters_is_the_most_frequent_one(name: str) -> None:
    e, text = experiment("characters", corpus=name), corpus(name)
    kept = int(0.15 * len(text))
    training, measured = text[:-kept], text[-kept:]
    counts = Counter(training)
    ranked = counts.most_common()
    hits = [measured.count(character) / len(measured) for character, n in ranked if n == ranked[0][1]]
    assert TASKS["characters"].chance(e) in [pytest.approx(hit) for hit in hits]
    entropy = -sum(n / len(training) * np.log(n / len(training)) for n in counts.values())
    assert TASKS["characters"].chance_loss(e) == pytest.approx(entropy, rel=1e-12)


SHORT_TEXTS = [("abcabcabca", 200), ("To be, or not to be.", 16), ("öß∂🙂" * 5, 30)]


@pytest.mark.parametrize(
    ("settings", "different"),
    [
        ({"task": "waves", "topology": "one-to-many", "seq_len": 24}, 3),
        ({"task": "reverse", "topology": "sequence-to-sequence", "seq_len": 6, "symbols": 2}, 8),
        ({"task": "copy", "topology": "sequence-to-sequence", "seq_len": 8, "symbols": 3, "items": 2}, 9),
        ({"task": "parity", "seq_len": 5}, 32),
        ({"task": "echo", "topology": "many-to-many", "seq_len": 4, "symbols": 2, "delay": 1}, 16),
        ({"task": "recall", "noise": 0.0}, 4),
    ],
)
def test_few_different_sequences_are_measured_in_sample(settings: dict[str, Any], different: int) -> None:
    e = Experiment(**settings)
    drawn = e.sample(np.random.default_rng(0), 1000).inputs
    assert len(np.unique(drawn.swapaxes(0, 1).reshape(1000, -1), axis=0)) == different
    assert TASKS[e.task].variety(e) == different
    assert TASKS[e.task].measured_on(e) == "in-sample"


@pytest.mark.parametrize("settings", [{}, {"task": "parity", "seq_len": 40}, {"task": "adding"}])
def test_other_sequences_are_new_when_they_are_measured(settings: dict[str, Any]) -> None:
    e = Experiment(**settings)
    assert TASKS[e.task].measured_on(e) == "held-out"
    seen, kept = e.sample(np.random.default_rng(0), 1000).inputs, TASKS[e.task].held_out(e).inputs
    both = np.concatenate([seen, kept], axis=1).swapaxes(0, 1)
    assert len(np.unique(both.reshape(len(both), -1), axis=0)) == len(both)


@pytest.mark.parametrize(("text", "seq_len"), SHORT_TEXTS)
def test_a_short_text_of_ones_own_is_repeated_and_measured_on_itself(text: str, seq_len: int) -> None:
    e, task = experiment("characters", corpus="own", text=text, seq_len=seq_len), TASKS["characters"]
    assert task.measured_on(e) == "same-text"
    endless, alphabet = text * 100, "".join(sorted(set(text)))
    batch = sample(e)
    for column in batch.inputs.argmax(axis=2).T:
        assert "".join(alphabet[code] for code in column) in endless


def test_a_long_text_of_ones_own_keeps_its_end_apart() -> None:
    text = "".join(np.random.default_rng(0).choice(list("abcdefgh "), MAX_CHARACTERS))
    e = experiment("characters", corpus="own", text=text)
    assert TASKS["characters"].measured_on(e) != "same-text"


def test_lists_are_complete() -> None:
    assert len(corpus("elements").split("\n")) >= 118
    assert len(corpus("countries").split("\n")) >= 193


def test_held_out_sets_are_as_large_as_they_say() -> None:
    for name in ("recall", "sine", "characters"):
        assert TASKS[name].held_out(experiment(name)).inputs.shape[1] == HELD_OUT_SAMPLES
