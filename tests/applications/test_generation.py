"""Text from a network: probabilities as defined, and bits that a count of letters has to be beaten by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, Network, Params
from rnnviz.applications.generation import (
    Letter,
    Writer,
    bits_per_character,
    characters_of,
    uniform_bits,
)
from rnnviz.tasks.corpora import corpus
from rnnviz.tasks.sentiment import sentences
from tests.plain_rnn import Array, StepByStep

OWN = "abracadabra, said the magician; abracadabra!"


def text_of(name: str = "elements", **fields: Any) -> Experiment:
    fixed = {"task": "characters", "topology": "many-to-many", "seq_len": 8, "hidden_size": 8, "corpus": name}
    return Experiment(**{**fixed, **fields})


EXPERIMENTS = {
    "elements": text_of(),
    "own": text_of("own", text=OWN, layers=2),
    "fed back": text_of("hello", feedback=True),
    "lstm": text_of(cell="lstm", layers=2),
    "gru": text_of("hello", cell="gru", feedback=True),
}
every = pytest.mark.parametrize("name", EXPERIMENTS)


def alphabet(e: Experiment) -> str:
    return "".join(sorted(set(corpus(e.corpus, e.text))))


def numbers(e: Experiment, text: str) -> Array:
    return np.array([alphabet(e).index(character) for character in text])


def weights(e: Experiment) -> Params:
    zero = e.init(np.random.default_rng(0))
    return zero.with_flat(np.random.default_rng(1).normal(0.0, 0.6, zero.count))


def next_letter(
    e: Experiment, params: Params, before: Array, temperature: float, rng: np.random.Generator
) -> Letter:
    return Writer(e, params, before).write(temperature, rng)


def logits(e: Experiment, params: Params, text: str) -> Array:
    """The network's answer after it read a text; with feedback it reads each letter twice."""
    size = len(alphabet(e))
    network, answer = StepByStep(params, 1, e.cell, e.activation), np.zeros((1, size))
    for t, number in enumerate(numbers(e, text)):
        letter = np.eye(size)[[number]]
        x = np.concatenate([letter, letter if t else 0.0 * letter], axis=1) if e.feedback else letter
        answer = network.read(x)
    return answer[0]


def held_out_text(e: Experiment) -> str:
    whole = corpus(e.corpus, e.text)
    kept = int(0.15 * len(whole))
    return whole[-kept:] if kept > e.seq_len else whole


def surprise(e: Experiment, params: Params, text: str) -> float:
    """Mean surprise in bits at every letter but the first, one letter after the other."""
    bits = []
    for n in range(1, len(text)):
        given = next_letter(e, params, numbers(e, text[:n]), 1.0, np.random.default_rng(0)).probabilities
        bits.append(-math.log2(given[alphabet(e).index(text[n])]))
    return sum(bits) / len(bits)


# Letters


@every
@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0])
def test_probabilities_are_those_of_logits_over_temperature(name: str, temperature: float) -> None:
    e = EXPERIMENTS[name]
    before = corpus(e.corpus, e.text)[:7]
    letter = next_letter(e, weights(e), numbers(e, before), temperature, np.random.default_rng(0))
    exponentials = np.exp(logits(e, weights(e), before) / temperature)
    np.testing.assert_allclose(letter.probabilities, exponentials / exponentials.sum(), rtol=1e-9)
    assert letter.probabilities.sum() == pytest.approx(1.0, rel=1e-12)
    assert 0 <= letter.number < len(alphabet(e))


@every
def test_at_temperature_zero_the_likeliest_letter_is_always_taken(name: str) -> None:
    e = EXPERIMENTS[name]
    for n in range(1, 12):
        before = corpus(e.corpus, e.text)[:n]
        letter = next_letter(e, weights(e), numbers(e, before), 0.0, np.random.default_rng(n))
        best = int(np.argmax(logits(e, weights(e), before)))
        assert letter.number == best
        assert letter.probabilities.tolist() == [float(k == best) for k in range(len(alphabet(e)))]
        nearly = next_letter(e, weights(e), numbers(e, before), 1e-4, np.random.default_rng(n))
        assert nearly.number == best


def test_heat_makes_all_letters_alike() -> None:
    e = EXPERIMENTS["elements"]
    size = len(alphabet(e))
    before = numbers(e, "oxygen\n")
    uneven = []
    for temperature in (0.5, 1.0, 4.0, 1e6):
        given = next_letter(e, weights(e), before, temperature, np.random.default_rng(0)).probabilities
        uneven.append(np.ptp(given))
    assert uneven == sorted(uneven, reverse=True)
    np.testing.assert_allclose(given, 1.0 / size, rtol=1e-4)


def test_letters_come_as_often_as_their_probabilities_say() -> None:
    e = EXPERIMENTS["own"]
    rng, before = np.random.default_rng(5), numbers(e, "abra")
    letters = [next_letter(e, weights(e), before, 1.0, rng) for _ in range(3000)]
    drawn = np.bincount([letter.number for letter in letters], minlength=len(alphabet(e))) / 3000
    given = letters[0].probabilities
    assert (np.abs(drawn - given) < 4 * np.sqrt(given * (1 - given) / 3000) + 1e-9).all(), (
        "four standard errors"
    )


def written(e: Experiment, text: list[int], letters: int, seed: int = 0) -> list[int]:
    """A text and the letters that the network adds to it."""
    writer, rng = Writer(e, weights(e), text), np.random.default_rng(seed)
    for _ in range(letters):
        writer.write(1.5, rng)
    return writer.text


def test_equal_generators_give_equal_texts() -> None:
    e = EXPERIMENTS["elements"]
    assert written(e, [0], 30, seed=1) == written(e, [0], 30, seed=1)
    assert written(e, [0], 30, seed=1) != written(e, [0], 30, seed=2)


@every
def test_writing_on_is_as_good_as_reading_everything_again(name: str) -> None:
    e, text = EXPERIMENTS[name], [0]
    rng = np.random.default_rng(0)
    for _ in range(30):
        text.append(next_letter(e, weights(e), np.array(text), 1.5, rng).number)
    assert written(e, [0], 30) == text


@every
def test_a_letter_costs_one_step_however_long_the_text_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    for method, cost in (("step", lambda x: 1), ("forward", len)):
        original = getattr(Network, method)

        def counted(
            self: Network, params: Params, x: Array, *rest: Any, run: Any = original, cost: Any = cost
        ) -> Any:
            steps.append(cost(x))
            return run(self, params, x, *rest)

        monkeypatch.setattr(Network, method, counted)
    written(EXPERIMENTS[name], [0, 1, 2, 0, 1], 100)
    assert steps == [5, *[1] * 100]


def test_without_letters_or_below_zero_there_is_no_next_letter() -> None:
    e = EXPERIMENTS["elements"]
    with pytest.raises(ValueError, match=r"^A writer needs at least one letter to begin with; got none\.$"):
        Writer(e, weights(e), [])
    with pytest.raises(ValueError, match=r"^temperature must be 0 or more; got -0\.1\.$"):
        Writer(e, weights(e), [0]).write(-0.1, np.random.default_rng(0))


@pytest.mark.parametrize("measure", [characters_of, uniform_bits])
def test_other_tasks_have_no_text(measure: Any) -> None:
    with pytest.raises(ValueError, match=r"^text needs the task characters; got 'recall'\.$"):
        measure(Experiment())


# Bits


@every
def test_bits_are_the_mean_surprise_letter_by_letter(name: str) -> None:
    e = EXPERIMENTS[name]
    assert bits_per_character(e, weights(e)) == pytest.approx(
        surprise(e, weights(e), held_out_text(e)), rel=1e-9
    )


@every
def test_knowing_only_the_alphabet_costs_its_logarithm(name: str) -> None:
    e = EXPERIMENTS[name]
    assert uniform_bits(e) == pytest.approx(math.log2(len(alphabet(e))))
    untaught = weights(e).with_flat(np.zeros(weights(e).count))
    assert bits_per_character(e, untaught) == pytest.approx(uniform_bits(e), rel=1e-12)


# The text of opinions


def test_the_opinions_are_sentences_that_are_trained_on_elsewhere() -> None:
    lines = corpus("opinions").splitlines()
    assert len(lines) == len(set(lines)) == 300
    assert set(lines) <= {sentence.text for sentence in sentences(held_out=False)}


def test_lists_stand_in_an_order_of_their_own_and_are_complete() -> None:
    for name, first in (("elements", "hydrogen"), ("countries", "afghanistan")):
        lines = corpus(name).splitlines()
        assert len(lines) == len(set(lines)) == {"elements": 118, "countries": 193}[name]
        assert first in lines
        assert lines != sorted(lines)
        assert lines[0] != first, "neither by number nor by letter"
