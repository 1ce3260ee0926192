"""Captions: an image is read once, its name is written letter by letter; no held-out image is trained on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, Experiment, train
from rnnviz.tasks.captions import Captions
from rnnviz.tasks.spelling import END
from rnnviz.training.loop import held_out
from tests.plain_rnn import Array

NAMES = {
    "english": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "french": ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
    "german": ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
}
LONGEST = {"english": 5, "french": 6, "german": 6}
languages = pytest.mark.parametrize("language", NAMES)

with np.load(Path(__file__).parents[2] / "rnnviz" / "tasks" / "data" / "digits.npz") as data:
    IMAGES, LABELS = data["images"], data["labels"]


def captions(**fields: Any) -> Experiment:
    return Experiment(**{"task": "captions", "topology": "one-to-many", "seq_len": 7, **fields})


def task() -> Captions:
    found = TASKS["captions"]
    assert isinstance(found, Captions)
    return found


def as_bytes(image: Array) -> bytes:
    """An image in [0, 1] as stored in the data file, in sixteenths."""
    sixteenths = image * 16.0
    assert np.array_equal(sixteenths, sixteenths.round())
    return sixteenths.astype(IMAGES.dtype).tobytes()


LABEL_OF = {image.tobytes(): int(label) for image, label in zip(IMAGES, LABELS, strict=True)}


@languages
def test_the_letters_that_are_wanted_spell_the_name_of_the_image(language: str) -> None:
    e = captions(language=language, noise=0.0, seq_len=9)
    letters = [END, *sorted(set("".join(NAMES[language])))]
    assert task().sizes(e) == (64, len(letters))
    for batch in (task().sample(e, np.random.default_rng(0), 200), task().held_out(e)):
        for b in range(batch.inputs.shape[1]):
            name = NAMES[language][LABEL_OF[as_bytes(batch.inputs[0, b])]]
            spelled = "".join(letters[k] for k in batch.targets[:, b])
            assert spelled == name + END * (9 - len(name))


@languages
def test_the_longest_name_and_its_end_fit(language: str) -> None:
    assert max(map(len, NAMES[language])) == LONGEST[language]
    shortest = 1 + LONGEST[language]
    assert task().lengths(captions(language=language)) == (shortest, 200)
    with pytest.raises(ValueError, match=rf"^seq_len must be between {shortest} and 200 for task 'captions'"):
        captions(language=language, seq_len=shortest - 1)


def test_the_image_is_seen_at_the_first_step_only() -> None:
    for batch in (task().sample(captions(), np.random.default_rng(0)), task().held_out(captions())):
        assert batch.inputs[0].any(axis=1).all()
        assert not batch.inputs[1:].any()


def test_measured_images_are_never_trained_on() -> None:
    e = captions(noise=0.0)
    measured = [as_bytes(image) for image in task().held_out(e).inputs[0]]
    trained = {as_bytes(image) for image in task().sample(e, np.random.default_rng(0), 20_000).inputs[0]}
    assert sorted(measured) == sorted(image.tobytes() for image in IMAGES[-360:])
    assert trained == {image.tobytes() for image in IMAGES[:-360]}, "every other image is trained on"
    assert not set(measured) & trained


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_noise_is_on_training_images_only(noise: float) -> None:
    clean, noisy = captions(noise=0.0), captions(noise=noise)
    np.testing.assert_array_equal(task().held_out(clean).inputs, task().held_out(noisy).inputs)
    plain, shaken = (task().sample(e, np.random.default_rng(3), 500) for e in (clean, noisy))
    np.testing.assert_array_equal(plain.targets, shaken.targets)
    added = shaken.inputs[0] - plain.inputs[0]
    assert added.std() == pytest.approx(noise, rel=0.02)
    assert added.mean() == pytest.approx(0.0, abs=0.01 * noise + 0.003)
    assert len({image.tobytes() for image in shaken.inputs[0]}) == 500, "no image comes twice"


@languages
@pytest.mark.parametrize("seq_len", [7, 12])
def test_chance_counted_by_hand(language: str, seq_len: int) -> None:
    e = captions(language=language, seq_len=seq_len)
    rows = [NAMES[language][label].ljust(seq_len, END) for label in LABELS]
    training, measured = "".join(rows[:-360]), "".join(rows[-360:])
    counts = Counter(training)
    ((most, _),) = counts.most_common(1)
    assert most == END
    assert task().chance(e) == pytest.approx(measured.count(most) / len(measured), rel=1e-12)
    shares = np.array(list(counts.values())) / len(training)
    assert task().chance_loss(e) == pytest.approx(-np.sum(shares * np.log(shares)), rel=1e-12)


def one_hot_outputs(e: Experiment, texts: list[str]) -> Array:
    """Outputs (T, B, O) that write exactly these texts."""
    outputs = np.zeros((e.seq_len, len(texts), task().sizes(e)[1]))
    for b, text in enumerate(texts):
        for t, sign in enumerate(text):
            outputs[t, b, task().signs(e).index(sign)] = 2.0
    return outputs


def test_what_is_read_off_is_what_was_spelled() -> None:
    e = captions()
    targets = task().spelled(e, NAMES["english"])
    outputs = np.eye(task().sizes(e)[1])[targets]
    assert ["".join(text) for text in task().read_off(e, outputs)] == NAMES["english"]
    assert task().exact_match(e, outputs, targets) == 1.0


def test_reading_stops_at_the_first_end() -> None:
    e = captions()
    written = [f"one{END}{END}{END}{END}", f"one{END}one", f"{END}eeeeee", "seventh"]
    assert ["".join(text) for text in task().read_off(e, one_hot_outputs(e, written))] == [
        "one",
        "one",
        "",
        "seventh",
    ]


def test_exact_match_by_hand() -> None:
    e = captions()
    targets = task().spelled(e, ["one", "two", "six", "nine"])
    written = [
        f"one{END}{END}{END}{END}",
        f"tw{END}{END}{END}{END}{END}",
        f"six{END}{END}{END}x",
        f"nine{END}{END}{END}",
    ]
    assert task().exact_match(e, one_hot_outputs(e, written), targets) == 0.5, (
        "a slip after the end is one too"
    )
    assert (
        task().score(e, one_hot_outputs(e, written), replace(held_out(e), targets=targets)) == (28 - 2) / 28
    )


def test_a_name_of_another_language_is_another_task() -> None:
    english, german = (task().held_out(captions(language=name)) for name in ("english", "german"))
    np.testing.assert_array_equal(english.inputs, german.inputs)
    assert not np.array_equal(english.targets, german.targets)


def test_the_seed_orders_the_measured_images_and_changes_none() -> None:
    one, other = (task().held_out(captions(seed=seed)).inputs[0] for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert sorted(map(bytes, one)) == sorted(map(bytes, other))


def test_most_unseen_digits_get_their_name_without_a_mistake() -> None:
    e = captions(feedback=True, hidden_size=64, learning_rate=3e-3, noise=0.2)
    params, batch = train(e, 400).params, held_out(e)
    outputs = e.answers(e.network(), params, batch)
    assert task().exact_match(e, outputs, batch.targets) > 0.75
    names = ["".join(text) for text in task().read_off(e, outputs)]
    right = [NAMES["english"][LABEL_OF[as_bytes(image)]] for image in batch.inputs[0, :, :64]]
    hits = np.mean([name == wanted for name, wanted in zip(names, right, strict=True)])
    assert hits >= task().exact_match(e, outputs, batch.targets)
