"""The page of the jobs without a browser: train, come back, and give the networks something of one's own."""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnnviz import TASKS
from rnnviz.applications.catalogue import APPLICATIONS, Score
from rnnviz.applications.forecast import one_step, rollout, series_of
from rnnviz.figures import LIGHT
from rnnviz.figures.applications.answer import Answer, AnswerPicture
from rnnviz.figures.message import Place
from rnnviz.model.arrays import Array
from rnnviz.tasks.corpora import corpus
from rnnviz.tasks.digits import HELD_OUT, digits
from rnnviz.tasks.series import sunspots
from rnnviz.training.loop import advance
from rnnviz.training.state import TrainingState
from rnnviz.ui.applications import forecasts, text
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.downloads import csv_of
from rnnviz.ui.live_run import LiveRun, Measured, Phase
from rnnviz.ui.views import ADDRESSES, OWN_NETWORK, read_view
from tests.visitor import Tab, copies, drawn_by_a_worker, train_here

SHORT = 4
"""Updates of a job in these tests."""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every job ends after a few updates."""
    for name, job in APPLICATIONS.items():
        variants = {key: replace(variant, steps=SHORT) for key, variant in job.variants.items()}
        monkeypatch.setitem(APPLICATIONS, name, replace(job, variants=variants))
    monkeypatch.setattr(text, "OWN_STEPS", SHORT)
    monkeypatch.setattr(forecasts, "OWN_STEPS", SHORT)


class Jobs(Tab):
    """One visitor of the page."""

    def __init__(self, job: str = "", **params: str) -> None:
        super().__init__("real_data", **{"job": job} if job else {}, **params)

    @property
    def bench(self) -> ApplicationsState:
        return self.session.applications

    @property
    def trained(self) -> LiveRun:
        """The run that the page shows."""
        return list(self.session.runs.at("job").values())[-1]

    @property
    def words(self) -> str:
        """All text of the page, without markup."""
        plain = re.sub(r"<style.*?</style>|<[^>]+>", "", self.html, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(plain))

    @property
    def texts(self) -> list[str]:
        """All free HTML on the page, and above and below its figures."""
        figures = map(json.loads, self.messages.values())
        return super().texts + [part for figure in figures for part in (figure["caption"], figure["footer"])]

    @property
    def refusal(self) -> str:
        return " ".join(self.notes)

    def figure(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.messages[name])
        return found

    @property
    def answer(self) -> str:
        """The line above the answer's figure."""
        return unescape(re.sub(r"<[^>]+>", "", self.figure(f"answer_{self.job}")["caption"]))

    @property
    def job(self) -> str:
        return self.session.view.application.partition("-")[0]

    def choose(self, key: str, value: str) -> None:
        self.widget("button_group", key).set_value(value)
        self.look()

    def type(self, key: str, value: str) -> None:
        self.widget("text_input", key).set_value(value)
        self.look()

    def train_to_the_end(self) -> None:
        self.press("job_play")
        self.look_until(lambda: self.trained.ended)
        self.look()

    def upload(self, content: str | bytes, name: str = "table.csv") -> None:
        data = content.encode() if isinstance(content, str) else content
        self.tab.file_uploader[0].set_value((name, data, "text/csv"))
        self.look()


# Opening


@pytest.mark.parametrize("job", APPLICATIONS)
def test_every_job_opens_untrained_and_waits(job: str) -> None:
    page = Jobs(job)
    assert page.widget("button_group", "job").value == job
    assert page.session.address.parameters["job"] == job
    assert APPLICATIONS[job].promise in page.words
    assert APPLICATIONS[job].limit in page.words
    assert "untrained" in page.answer
    assert "No verdict yet: the network is untrained." in page.words
    assert "best baseline" not in page.words
    assert not re.search("(worse|better) than", page.answer)
    assert (page.trained.state.step, page.trained.playing) == (0, False)
    assert len(page.session.runs.at("job")) == 1, "the other jobs are not even begun"
    scores = APPLICATIONS[job].measure(page.trained.experiment, page.trained.state.params)
    for score in scores:
        assert f"{score.name} {score.write(score.value)}" in page.words
    assert len(page.figure(f"answer_{job}")["label"]) > 30
    assert "over 0 updates" in page.figure("job_progress")["label"]


def test_the_first_job_needs_no_name_and_ones_own_network_stands_among_them() -> None:
    page = Jobs()
    assert page.widget("button_group", "job").value == next(iter(APPLICATIONS))
    page.choose("job", OWN_NETWORK)
    assert page.session.address.parameters["job"] == OWN_NETWORK
    assert "Is its gradient vanishing?" in page.words
    assert page.tab.file_uploader
    page.choose("job", "sentiment")
    assert page.session.address.parameters["job"] == "sentiment"
    assert "Verdict" in page.answer


def test_an_unknown_job_is_told_and_the_first_one_opens() -> None:
    page = Jobs("<b>x</b>")
    assert "Ignored in the link: job=" in page.words
    assert "<b>x</b>" not in page.html
    assert page.widget("button_group", "job").value == "captions"
    assert "job" not in page.session.address.parameters


# Training


@pytest.mark.parametrize(
    ("ahead", "free", "told"),
    [
        (2.0, 4.0, "The network is better than the best baseline: b, 3.00."),
        (
            2.0,
            9.0,
            "One step ahead, the network is better than the best baseline: b, 3.00. "
            "Free-running, it is worse than the best one: a, 7.00.",
        ),
        (
            3.0,
            4.0,
            "One step ahead, the network is as good as the best baseline: b, 3.00. Free-running, it is",
        ),
    ],
)
def test_both_ways_to_forecast_are_judged_where_they_differ(ahead: float, free: float, told: str) -> None:
    scores = [
        Score("one step ahead off by", ahead, "spots", {"a": 5.0, "b": 3.0}, when="one step ahead"),
        Score("free-running off by", free, "spots", {"a": 7.0, "b": 8.0}, when="free-running"),
        Score("of these without any", 1.0, "share", {}),
    ]
    answer = Answer({"data": [], "layout": {}}, "a label", "words", scores)
    now = Jobs("forecasts").trained.moment()
    now = replace(now, state=replace(now.state, step=1))
    picture = AnswerPicture(Place("answer", 200), LIGHT, lambda *_: answer, until=1)
    footer = unescape(re.sub("<[^>]+>", "", json.loads(picture(now))["footer"]))
    assert told in footer


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1.0, "The network is about as good as the best baseline: b, 99.6%."),
        (0.996, "The network is as good as the best baseline: b, 99.6%."),
        (0.9, "The network is worse than the best baseline: b, 99.6%."),
    ],
)
def test_a_gap_within_the_sampling_error_is_no_victory(value: float, told: str) -> None:
    """Of 512 sentences two more are right: Wilson's interval of 512 of 512 begins at 512 / (512 + 1.96²)."""
    assert 512 / (512 + 1.96**2) < 0.996
    answer = Answer(
        {"data": [], "layout": {}}, "a label", "words", [Score("right", value, "share", {"b": 0.996}, of=512)]
    )
    now = Jobs("sentiment").trained.moment()
    now = replace(now, state=replace(now.state, step=2))
    for until, before in ((2, ""), (10, "So far (2 of 10 updates): ")):
        picture = AnswerPicture(Place("answer", 200), LIGHT, lambda *_: answer, until=until)
        footer = unescape(re.sub("<[^>]+>", "", json.loads(picture(now))["footer"]))
        expected = before + told[0].lower() + told[1:] if before else told
        assert footer.endswith(expected), "a verdict in the middle of training says so"


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ("captions", "Real data: 1,797 handwritten digits."),
        ("forecasts-stock", "Synthetic data: a random walk."),
        ("text", "Synthetic data: 300 sentences from a small grammar."),
        ("sentiment", "Synthetic data: sentences from a small grammar."),
    ],
)
def test_the_first_line_says_what_is_real_and_what_is_synthetic(job: str, told: str) -> None:
    page = Jobs(job)
    assert told in page.words
    assert ("nobody can forecast them" in page.words) == (job == "forecasts-stock")


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("job", APPLICATIONS)
def test_a_job_trains_in_the_background_to_its_end(job: str) -> None:
    page = Jobs(job)
    before = page.trained.state.params.flat()
    page.train_to_the_end()
    assert (page.trained.state.step, page.trained.playing) == (SHORT, False)
    assert f"after {SHORT} of {SHORT} updates" in page.answer
    assert page.tab.button(key="job_play").label == "Train again"
    assert not np.array_equal(page.trained.state.params.flat(), before)
    page.press("job_reset")
    assert page.trained.state.step == 0
    np.testing.assert_array_equal(page.trained.state.params.flat(), before, "the same first weights")
    assert page.tab.button(key="job_play").label == "Train"


def test_pause_keeps_what_was_learned_and_training_goes_on_from_there() -> None:
    page = Jobs("sentiment")
    page.press("job_play")
    assert page.tab.button(key="job_play").label == "Pause"
    page.look_until(lambda: page.trained.state.step > 0)
    page.press("job_play")
    paused = page.trained.state.step
    assert 0 < paused < APPLICATIONS["sentiment"].variants["opinions"].steps
    assert page.tab.button(key="job_play").label == "Train"
    page.press("job_play")
    page.look_until(lambda: page.trained.state.step > paused)
    page.press("job_play")


@pytest.mark.usefixtures("short")
def test_train_again_begins_with_the_first_weights() -> None:
    page = Jobs("sentiment")
    page.train_to_the_end()
    once = page.trained
    page.press("job_play")
    assert page.trained is not once
    page.look_until(lambda: page.trained.ended)
    np.testing.assert_array_equal(page.trained.state.params.flat(), once.state.params.flat())


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("job", [name for name, job in APPLICATIONS.items() if len(job.variants) > 1])
def test_other_data_are_another_network_and_the_first_one_stays(job: str) -> None:
    usual, other = list(APPLICATIONS[job].variants)[:2]
    page = Jobs(job)
    page.train_to_the_end()
    first = page.trained
    page.choose(f"variant_{job}", other)
    assert page.trained.experiment == APPLICATIONS[job].variants[other].experiment
    assert page.trained.state.step == 0
    assert "untrained" in page.answer
    page.choose(f"variant_{job}", usual)
    assert page.trained is first
    assert f"after {SHORT} of" in page.answer
    page.choose("job", "sentiment")
    page.choose("job", job)
    assert page.trained is first


def test_the_address_tells_the_data_set_too() -> None:
    page = Jobs("captions-german")
    assert page.trained.experiment.language == "german"
    page.choose("job", "forecasts")
    assert page.session.address.parameters["job"] == "forecasts"
    page.choose("variant_forecasts", "airline")
    assert page.session.address.parameters["job"] == "forecasts-airline"
    page.choose("job", "captions")
    assert page.session.address.parameters["job"] == "captions-german", "as it was left"
    page.choose("variant_captions", "english")
    assert page.session.address.parameters["job"] == "captions"
    page.go("glossary")
    assert "job" not in page.session.address.parameters, "elsewhere it means nothing"
    page.go("real_data")
    page.choose("job", "forecasts")
    assert page.trained.experiment.series == "airline"
    assert page.trained.experiment.task == "series"


def test_every_address_of_a_job_opens_it() -> None:
    assert {name for name, _ in ADDRESSES.values()} == {*APPLICATIONS, OWN_NETWORK}
    for address, (job, variant) in ADDRESSES.items():
        view, ignored = read_view({"job": address})
        assert (view.application, ignored) == (address, [])
        if variant:
            bench = ApplicationsState(variants={job: variant})
            first = variant == next(iter(APPLICATIONS[job].variants))
            assert bench.address(job) == (job if first else address)


# What is measured while it trains


@pytest.mark.parametrize("job", APPLICATIONS)
def test_the_scores_are_those_of_the_state_shown_and_come_with_it(
    job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Jobs(job)
    page.press("job_play")
    page.look_until(lambda: page.trained.state.step > 0)
    measure = page.trained.measure
    assert measure is not None
    monkeypatch.setattr(page.trained, "_measurement", kept_only)
    for _ in range(3):
        page.look()
    page.press("job_play")
    page.look()
    run = page.trained
    assert not run.playing
    for score in APPLICATIONS[job].measure(run.experiment, run.state.params):
        assert f"{score.name} {score.write(score.value)}" in page.words
    monkeypatch.undo()
    assert run.measure is measure, "set anew at every rerun, always the same"


def kept_only(state: TrainingState, known: Measured | None) -> Any:
    """Return what a chunk brought; the page measures nothing."""
    assert known is not None
    assert known.state is state
    return known.value


@pytest.mark.parametrize("job", APPLICATIONS)
def test_what_a_worker_measures_needs_no_streamlit(job: str) -> None:
    measure = Jobs(job).trained.measure
    assert measure is not None
    assert measure.__module__.startswith("rnnviz.applications.")
    assert getattr(sys.modules[measure.__module__], measure.__qualname__) is measure, "a worker finds it"


@pytest.mark.parametrize("job", APPLICATIONS)
def test_a_worker_draws_what_the_page_draws(job: str) -> None:
    page = Jobs(job)
    train_here(page.trained, SHORT)
    if job == "text":
        page.press("write_on")
    if job == "forecasts":
        page.upload(GOOD)
    page.look()
    drawn = drawn_by_a_worker(page.trained)
    assert drawn.keys() == {f"answer_{job}", "job_timeline", "job_progress"}
    assert drawn == {name: page.messages[name] for name in drawn}


@pytest.mark.parametrize("job", APPLICATIONS)
def test_a_picture_is_the_same_until_something_else_is_asked(job: str) -> None:
    """Otherwise every run of the page would throw away what a worker draws."""
    page = Jobs(job)
    before = page.trained.pictures.due(every=True)
    page.look()
    after = page.trained.pictures.due(every=True)
    assert after == before
    for name, draw in after.items():
        packed = pickle.dumps(draw)
        assert draw is not before[name]
        assert pickle.loads(packed) == draw  # noqa: S301
        assert b"rnnviz.ui" not in packed, "a worker needs no Streamlit"
    other = ASKED_ELSE[job]
    other(page)
    changed = page.trained.pictures.due(every=True)
    assert changed[f"answer_{job}"] != before[f"answer_{job}"]


ASKED_ELSE: dict[str, Callable[[Jobs], None]] = {
    "captions": lambda page: page.press("another_digit"),
    "forecasts": lambda page: page.upload(GOOD),
    "text": lambda page: page.press("one_letter"),
    "sentiment": lambda page: page.type("sentence", "it is bad"),
    "translation": lambda page: page.type("number", "seven"),
}


@pytest.mark.usefixtures("short")
def test_the_end_of_training_is_told_to_who_cannot_see_it() -> None:
    page = Jobs("sentiment")
    assert page.figure("answer_sentiment")["status"] == ""
    page.train_to_the_end()
    assert (
        page.figure("answer_sentiment")["status"] == f"Training has ended after {SHORT} of {SHORT} updates."
    )


def test_another_season_changes_the_baseline_and_measures_nothing_anew() -> None:
    page = Jobs("forecasts")
    page.upload(GOOD)
    measured = page.trained.moment().measured
    page.widget("number_input", "own_season").set_value(11)
    page.look()
    assert "seasonal naive" in page.words
    assert page.trained.moment().measured is measured


# Captions


def test_a_drawing_is_named_without_knowing_the_right_answer() -> None:
    page = Jobs("captions")
    assert f"A handwritten {digits()[1][-HELD_OUT]} that" in page.words
    crossed = [note["text"] for note in page.figure("answer_captions")["layout"]["annotations"]]
    assert any("✗" in sign for sign in crossed), "an untrained network is wrong somewhere"
    page.bench.image, page.bench.label = np.zeros(64), None
    page.look()
    assert "As you drew it." in page.words
    crossed = [note["text"] for note in page.figure("answer_captions")["layout"]["annotations"]]
    assert not any("✗" in sign for sign in crossed)
    page.press("another_digit")
    assert f"A handwritten {page.bench.label} that" in page.words
    shown = [image for image in digits()[0][-HELD_OUT:] if np.array_equal(image, page.bench.image)]
    assert shown, "an image that was never trained on"


# Sentiment


def test_words_that_it_does_not_know_are_told_and_harmless() -> None:
    page = Jobs("sentiment")
    page.type("sentence", "<b>x</b> it was NOT   so bad, mate")
    assert "Not in the grammar, so skipped: “b”, “x”, “mate”." in page.words
    assert "<b>x</b>" not in page.html
    shown = page.figure("answer_sentiment")["layout"]["xaxis"]["ticktext"]
    assert [re.sub("<.*?>", "", word) for word in shown] == ["it", "was", "not", "so", "bad", ","]
    page.type("sentence", "the film was \N{WASTEBASKET} good")
    assert "skipped" not in page.words


@pytest.mark.parametrize("sentence", ["", "   ", "&lt; 42 <script>"])
def test_without_a_word_that_it_knows_it_says_so(sentence: str) -> None:
    page = Jobs("sentiment")
    page.type("sentence", sentence)
    assert "No known word." in page.words
    assert "<script>" not in page.html
    assert "No verdict: nothing was read" in page.answer


def test_of_a_sentence_that_is_too_long_the_end_counts() -> None:
    page = Jobs("sentiment")
    page.type("sentence", "never " * 20 + "it is good")
    assert "Too long: it reads the last 16 words." in page.words
    shown = page.figure("answer_sentiment")["layout"]["xaxis"]["ticktext"]
    assert [re.sub("<.*?>", "", word) for word in shown] == ["never"] * 13 + ["it", "is", "good"]
    page.type("sentence", "it is good")
    assert "Too long" not in page.words


def test_an_example_can_be_taken_twice() -> None:
    page = Jobs("sentiment")
    for _ in range(2):
        page.choose("sentence_example", "it is not bad")
        assert (page.bench.sentences["opinions"], page.widget("text_input", "sentence").value) == (
            "it is not bad",
        ) * 2
        page.type("sentence", "it is sad")
        assert page.bench.sentences["opinions"] == "it is sad"
        assert page.widget("button_group", "sentence_example").value is None
    page.choose("job", "text")
    page.choose("job", "sentiment")
    assert page.widget("text_input", "sentence").value == "it is sad"


def test_its_failures_are_listed_with_the_right_verdict() -> None:
    page = Jobs("sentiment")
    assert "Beyond its grammar, judged correctly:" in page.words
    assert re.search(r"Within its grammar, \d+ of 512 held-out sentences judged wrongly:", page.words)
    assert re.search(r"double negation .*: \d+%", page.words)
    assert len(re.findall(r"<i>\(actually (?:positive|negative)\)</i>", page.html)) == 3


# Translation


@pytest.fixture(scope="module")
def translation() -> Jobs:
    return Jobs("translation")


@pytest.mark.parametrize(
    ("typed", "told", "read"),
    [
        ("forty two", "42 was", ["forty", "two"]),
        ("42", "42 was", ["forty", "two"]),
        (" Forty-Two ", "42 was", ["forty", "two"]),
        ("7", "7 was trained on.", ["–", "seven"]),
        ("fourty two", "Unknown, so skipped: “fourty”. Did you mean “forty”?", ["–", "two"]),
        ("ninety forty", "Not a valid number; the network answers anyway.", ["ninety", "forty"]),
        ("forty two two", "Not a valid number; the network answers anyway. It reads the first two",
         ["forty", "two"]),
        ("", "Nothing to translate yet", ["–", "–"]),
        ("<b>x</b>", "Unknown, so skipped: “<b>x</b>”. Type a number from zero to ninety-nine.", ["–", "–"]),
        ("100", "Unknown, so skipped: “100”.", ["–", "–"]),
        ("٤٢", "Unknown, so skipped", ["–", "–"]),
    ],
)  # fmt: skip
def test_what_is_typed_is_read_or_told(translation: Jobs, typed: str, told: str, read: list[str]) -> None:
    page = translation
    page.type("number", typed)
    assert told in page.words
    shown = page.figure("answer_translation")["layout"]["xaxis"]["ticktext"]
    assert [re.sub("</?b>", "", word) for word in shown] == ["–", *read, "–", "↩", "↩", "↩"], (
        "German: 3 and 4"
    )
    assert "<b>x</b>" not in page.html
    said = "Nothing was read" if read == ["–", "–"] else r"In German( \(part by part\))?: "
    assert re.match(said, page.answer)


def test_held_out_numbers_are_offered_and_said_to_be_new() -> None:
    page = Jobs("translation")
    offered = page.widget("button_group", "number_example").options
    assert len(offered) == 15
    page.choose("number_example", offered[3])
    assert page.widget("text_input", "number").value == offered[3]
    assert re.search(r"\d\d was never trained on\.", page.words)


# Text


def likeliest(page: Jobs, letters: int, beginning: str = "") -> str:
    """What the network of a page writes at temperature 0, by running it over everything each time."""
    e, params = page.trained.experiment, page.trained.state.params
    alphabet = sorted(set(corpus(e.corpus, e.text)))
    written = "\n" + beginning
    for _ in range(letters):
        inputs = np.zeros((len(written), 1, len(alphabet)))
        inputs[np.arange(len(written)), 0, [alphabet.index(letter) for letter in written]] = 1.0
        written += alphabet[int(e.network().forward(params, inputs)[0][-1, 0].argmax())]
    return written[1 + len(beginning) :]


def so_far(page: Jobs) -> str:
    alphabet = sorted(set(corpus(page.trained.experiment.corpus, page.trained.experiment.text)))
    return "".join(alphabet[code] for code in page.bench.written)


@pytest.mark.usefixtures("short")
def test_one_press_writes_one_letter_and_the_coldest_network_the_likeliest() -> None:
    page = Jobs("text")
    page.train_to_the_end()
    page.widget("slider", "temperature").set_value(0.0)
    page.look()
    page.type("beginning", "it is")
    for count in range(1, 5):
        page.press("one_letter")
        assert so_far(page) == likeliest(page, count, "it is")
        figure = page.figure("answer_text")
        assert page.bench.written[-1] == figure["data"][0]["marker"]["color"].index(
            max(set(colours := figure["data"][0]["marker"]["color"]), key=lambda c: -colours.count(c))
        ), "the letter that stands out is the one that was drawn"
    page.look()
    assert len(page.bench.written) == 4, "looking writes nothing"
    page.press("begin_anew")
    assert page.bench.written == []


@pytest.mark.usefixtures("short")
def test_it_keeps_writing_letter_by_letter_up_to_the_limit() -> None:
    page, other = Jobs("text"), Jobs("text")
    page.train_to_the_end()
    page.widget("slider", "temperature").set_value(0.0)
    page.look()
    page.press("write_on")
    assert so_far(page) == likeliest(page, text.PIECE), "each letter is the next one's input"
    assert f"<b>{so_far(page)[:3]}" in page.html
    for _ in range(text.PIECE):
        other.press("one_letter")
    one_by_one = other.bench.written
    again = Jobs("text")
    again.press("write_on")
    assert again.bench.written == one_by_one, "the same random numbers, however often one presses"
    page.bench.written = [1] * (text.LONGEST - 2)
    page.press("write_on")
    assert len(page.bench.written) == text.LONGEST
    assert page.tab.button(key="write_on").disabled
    assert page.tab.button(key="one_letter").disabled
    page.press("begin_anew")
    assert page.bench.written == []
    assert not page.tab.button(key="write_on").disabled


def test_letters_that_the_text_has_not_are_told_and_skipped() -> None:
    page = Jobs("text")
    page.press("one_letter")
    page.type("beginning", "JAZZ <b> was")
    assert "Not in this text, so skipped: < > J Z" in page.words
    assert "<p class='written'>A sample: <i>a b was" in page.html, "anew, in the text's small letters"
    assert page.bench.written == []
    page.type("beginning", "")
    assert "skipped" not in page.words


def test_letters_are_known_in_whichever_case_the_text_has_them() -> None:
    assert text.known_letters("Ab C9", "\n Abc") == ("Ab c", ["9"])
    assert text.known_letters("hello", "EHLO") == ("HELLO", [])
    assert text.known_letters("ß", "S") == ("", ["ß"])


@pytest.mark.usefixtures("short")
def test_a_text_of_ones_own_is_learned_or_refused() -> None:
    page = Jobs("text")
    for refused, told in (("short", "between 10 and 2,000 characters; got 5"), ("a" * 20, "2 different")):
        page.tab.text_area(key="own_text").set_value(refused)
        page.look()
        page.press("learn_text")
        assert told in page.refusal
        assert page.trained.experiment.corpus == "opinions"
    page.tab.text_area(key="own_text").set_value("The CAT sat on the mat. " * 5)
    page.look()
    page.press("learn_text")
    assert not page.notes
    assert page.widget("button_group", "variant_text").value == "own"
    assert page.trained.experiment.text == "The CAT sat on the mat. " * 5
    page.type("beginning", "cat")
    assert "skipped" not in page.words
    page.train_to_the_end()
    assert page.trained.state.step == SHORT
    page.press("one_letter")
    assert so_far(page)[0] in "The CAT sat on the mat. "
    page.choose("variant_text", "elements")
    assert page.bench.written == []
    assert page.trained.experiment.corpus == "elements"


# Forecasts of one's own


def table(values: Array, header: str = "year;spots;area") -> str:
    rows = [f"{1700 + i};{value:.1f};{2 * value + 1:.1f}" for i, value in enumerate(values)]
    return "\n".join([header, *rows])


SUNSPOTS = sunspots().to_numpy(float)
GOOD = table(SUNSPOTS)


@pytest.mark.usefixtures("short")
def test_an_uploaded_series_is_chosen_split_and_trained() -> None:
    page = Jobs("forecasts")
    page.upload(GOOD)
    assert not page.notes
    assert page.widget("button_group", "variant_forecasts").value == "own"
    assert page.widget("selectbox", "own_value").value == "spots"
    assert page.widget("selectbox", "own_time").value == "year"
    e = page.trained.experiment
    np.testing.assert_allclose(series_of(e).values, SUNSPOTS)
    assert "309 values: trained on the first 232, measured on the last 77" in page.words
    assert f"windows of {e.seq_len}" in page.words
    assert "seasonal naive" not in page.words
    page.widget("number_input", "own_season").set_value(11)
    page.look()
    truth, ago = SUNSPOTS[232:], SUNSPOTS[232 - 11 : -11]
    assert f"{np.abs(truth - ago).mean():#.3g}" in page.words.split("one step ahead off by")[1]
    page.train_to_the_end()
    assert page.trained.state.step == SHORT
    assert page.trained.experiment == e
    before = page.trained
    page.widget("selectbox", "own_value").set_value("area")
    page.look()
    np.testing.assert_allclose(series_of(page.trained.experiment).values, 2 * SUNSPOTS + 1, atol=0.05)
    assert page.trained.state.step == 0
    page.widget("selectbox", "own_value").set_value("spots")
    page.look()
    assert page.trained is before, "the first column's network was kept"


def test_a_column_that_cannot_be_forecast_is_refused_and_the_earlier_one_stays() -> None:
    page = Jobs("forecasts")
    page.upload("day,price,colour\n" + "".join(f"{i},{i % 7 + 0.5},red\n" for i in range(60)))
    before = page.trained
    page.widget("selectbox", "own_value").set_value("colour")
    page.look()
    assert "must be numbers" in page.refusal
    assert page.trained is before
    assert page.widget("selectbox", "own_value").value == "price"
    page.widget("selectbox", "own_time").set_value(None)
    page.look()
    assert not page.notes
    assert page.bench.upload.labels[:3] == ["1", "2", "3"]


def test_columns_that_begin_alike_can_be_told_apart() -> None:
    page = Jobs("forecasts")
    long = "mean daily temperature in degrees"
    rows = "".join(f"{k},{v:.1f},{-v:.1f}\n" for k, v in enumerate(SUNSPOTS))
    page.upload(f"k,{long} Celsius,{long} Kelvin\n{rows}")
    box = page.widget("selectbox", "own_value")
    assert len(set(box.options)) == 3
    assert box.options[1] == f"{long[:30]}… (column 2)"
    box.set_value(f"{long} Kelvin")
    page.look()
    assert page.bench.upload.value == f"{long} Kelvin"


def test_the_server_keeps_no_copy_of_an_uploaded_table() -> None:
    page = Jobs("forecasts")
    with copies() as kept:
        page.upload(GOOD)
    assert page.bench.upload.table is not None
    assert kept == []


def test_the_download_tells_what_was_measured_and_what_was_forecast() -> None:
    page = Jobs("forecasts")
    page.upload(GOOD)
    e, params = page.trained.experiment, page.trained.state.params
    file = io.StringIO(csv_of(forecasts.table_of(page.bench, e, params)))
    read = pd.read_csv(file, dtype={"time": str})
    assert list(read.columns) == ["time", "part", "measured", "naive", "one_step", "free_running"]
    future = (read["part"] == "future").sum()
    assert read["part"].tolist() == ["training"] * 232 + ["held out"] * 77 + ["future"] * future
    np.testing.assert_allclose(read["measured"][:309], SUNSPOTS)
    assert read["measured"][309:].isna().all()
    assert read["time"][[0, 308, 309, 310]].tolist() == ["1700", "2008", "+1", "+2"]
    assert read[["naive", "one_step", "free_running"]][:232].isna().all(axis=None)
    np.testing.assert_allclose(read["naive"][232:309], SUNSPOTS[231:308])
    np.testing.assert_allclose(read["one_step"][232:309], one_step(e, params))
    np.testing.assert_allclose(read["free_running"][232:309], rollout(e, params, 77))
    np.testing.assert_allclose(read["free_running"][309:], rollout(e, params, future, start=309))
    airline = LiveRun(APPLICATIONS["forecasts"].variants["airline"].experiment)
    ours = forecasts.table_of(page.bench, airline.experiment, airline.state.params)
    assert ours["time"].iloc[0] == 1949.0, "another series has its own times"


def column(cells: list[str]) -> str:
    return "year,value\n" + "".join(f"{1900 + i},{cell}\n" for i, cell in enumerate(cells))


NUMBERS = [f"{i % 9}.5" for i in range(60)]
HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "empty": (b"", "got an empty file"),
    "blank": ("\n \n\n", "got an empty file"),
    "text only": ("a,b\n" + "red,<b>green</b>\n" * 50, "must be numbers"),
    "a single row": ("year,value\n1900,5\n", "must have 30 rows or more; got a single one"),
    "nothing but a header": ("year,value\n", "got nothing but a header"),
    "too few rows": (column(NUMBERS[:29]), "must have 30 values or more"),
    "constant": (column(["5"] * 60), "must change"),
    "constant where it is trained": (column(["5"] * 50 + NUMBERS[:10]), "must change within its first 45"),
    "constant at its end": (column(NUMBERS + ["5"] * 20), "must also change at its end"),
    "missing": (column([*NUMBERS[:20], "NaN", *NUMBERS]), "no gaps"),
    "a word in between": (column([*NUMBERS[:20], "$x$ **y**", *NUMBERS]), "must be numbers"),
    "too many rows": ("value\n" + "1\n2\n" * 50_001, "at most 100000 rows"),
    "too large": (b"1.234567\n" * 250_000, "must not be larger than 2 MB"),
    "huge numbers": (column([*NUMBERS, "1e300"]), "must stay within 1e+12"),
    "binary": (bytes(range(256)) * 20, "got binary data"),
    "a workbook": (b"PK\x03\x04" + bytes(500), "got a workbook or an archive"),
    "an open quotation mark": (column([*NUMBERS, '"7']), "must be closed"),
    "ragged": (column(NUMBERS) + "1999,1,2,3\n", "as many cells as the first one"),
}


@pytest.fixture(scope="module")
def own_series() -> Jobs:
    """A page with a series of one's own, its network partly trained, and a playground that plays."""
    page = Jobs("forecasts")
    page.upload(GOOD, "good.csv")
    run, playground = page.trained, page.session.run
    run._newest = advance(run.experiment, run.state, steps=3), run.initial
    playground._newest = advance(playground.experiment, playground.state, steps=5), playground.initial
    page.look()
    return page


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence_and_nothing_else_changes(
    own_series: Jobs, what: str
) -> None:
    page, (content, told) = own_series, HOSTILE[what]
    run, playground, kept = page.trained, page.session.run, page.bench.upload
    experiment, answer, steps = run.experiment, page.answer, playground.state.step
    playground.phase = Phase.QUEUED
    page.upload(content, "<b>bad</b>$.csv")
    assert page.refusal.startswith("?b?bad?/b??.csv was rejected. "), "a file's name is no markup"
    assert told in page.refusal
    assert re.fullmatch(r".+[.?]", page.refusal.strip(), re.DOTALL)
    assert page.trained is run
    assert (run.experiment, run.state.step, page.answer) == (experiment, 3, answer)
    assert page.bench.upload is kept
    assert page.widget("button_group", "variant_forecasts").value == "own"
    assert page.session.run is playground
    assert (playground.state.step, playground.playing) == (steps, True)
    playground.pause()


def test_after_a_refusal_a_good_file_is_taken(own_series: Jobs) -> None:
    own_series.upload(b"", "bad.csv")
    assert own_series.notes
    own_series.upload(table(SUNSPOTS[:100]), "better.csv")
    assert not own_series.notes
    assert "100 values:" in own_series.words
    assert own_series.bench.upload.file == "better.csv"


@pytest.mark.usefixtures("short")
def test_a_refusal_leaves_a_network_training() -> None:
    page = Jobs("forecasts")
    page.press("job_play")
    run = page.trained
    page.upload(b"", "bad.csv")
    assert page.refusal
    assert page.trained is run
    page.look_until(lambda: run.ended)


def test_two_visitors_do_not_see_each_others_series() -> None:
    first, second = Jobs("forecasts"), Jobs("forecasts")
    first.upload(GOOD)
    second.look()
    assert "own" in first.bench.variants.values()
    assert second.bench.variants == {}
    assert "232" not in second.words


@pytest.mark.usefixtures("short")
def test_forecasts_can_be_learned_from_the_last_step_only() -> None:
    page = Jobs("forecasts")
    page.train_to_the_end()
    many = page.trained
    assert "Many to many." in page.words
    page.widget("toggle", "single_forecast").set_value(True)
    page.look()
    assert "Many to one." in page.words
    e = page.trained.experiment
    assert (e.topology, page.trained.state.step) == ("many-to-one", 0)
    assert replace(e, topology="many-to-many") == many.experiment
    assert TASKS[e.task].masks(e).write_steps.tolist() == [e.seq_len - 1]
    page.train_to_the_end()
    page.upload(GOOD)
    assert page.trained.experiment.topology == "many-to-one"
    page.widget("toggle", "single_forecast").set_value(False)
    page.look()
    page.choose("variant_forecasts", "sunspots")
    assert page.trained is many


def test_a_problem_of_the_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Jobs("sentiment")
    page.trained.problem = "Training stopped: <b>no memory</b>"
    page.look()
    assert "Training stopped: <b>no memory</b>" in page.words
    assert "<b>no memory</b>" not in page.html


def test_every_job_has_a_projector_view() -> None:
    page = Jobs(projector="true")
    for job in APPLICATIONS:
        page.choose("job", job)
        assert page.figure(f"answer_{job}")["layout"]["font"]["size"] > 13, "larger than usual"
    assert page.session.runs.at("job").keys() == {
        next(iter(job.variants.values())).experiment for job in APPLICATIONS.values()
    }
