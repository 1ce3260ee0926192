"""Lessons: every file loads, every claim holds by really training, and the page keeps its word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from rnnviz import Experiment, gradient_flow, seed_band
from rnnviz.analysis.jacobians import state_jacobians
from rnnviz.experiment.links import to_params
from rnnviz.experiment.pair import parameter_count
from rnnviz.teaching import measured
from rnnviz.teaching.cures import OUTCOMES
from rnnviz.teaching.lessons import FOLDER, LESSONS, Lesson, Outcome, Step, outcome, read_all, read_lesson
from rnnviz.teaching.lessons.outcome import CLAIMS, WORDS
from rnnviz.teaching.measured import MEASURED
from rnnviz.training.loop import advance
from rnnviz.training.updates import first_state
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_panel import SPEEDS
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.views import INSTRUMENTS
from tests.ahead import TrainedAhead
from tests.visitor import Tab

README = (FOLDER / "README.md").read_text(encoding="utf-8")
STEPS = [
    pytest.param(step, id=f"{lesson.name}-{number}")
    for lesson in LESSONS.values()
    for number, step in enumerate(lesson.steps, start=1)
]


RUNS = TrainedAhead(
    (step.experiment, step.updates, False) for lesson in LESSONS.values() for step in lesson.steps
)


def run_of(step: Step) -> Outcome:
    return Outcome.of(RUNS(step.experiment, step.updates))


# What the lessons say


@pytest.mark.parametrize("step", STEPS)
def test_the_run_that_is_shown_keeps_what_the_step_says(step: Step) -> None:
    """Other seeds: test_measured.py."""
    seen = run_of(step)
    assert seen.broken(step.expect) == []
    told = " ".join(step.explained(seen.words()))
    bad = r"[{}]|not measured|not a number|infinite|never\b.* updates|after never|no number of"
    assert not re.search(rf"{bad}|Nothing overflowed", told)


EXTRA = {
    "above-one": {18.0},
    "clipping": {0.1},
    "out-of-the-box": {0.5, 0.73, 20.0},
    "bigger-or-better": {32.0},
}
"""Numbers that follow from choices; see ``test_what_is_said_of_powers`` and the test after it."""


def numbers(text: str) -> set[float]:
    return {float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text.replace(", ", " , "))}


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_every_number_in_the_prose_is_one_of_the_experiments(lesson: Lesson) -> None:
    """What a run brings is put into braces; what stands there in digits are choices."""
    known = {0.0, 1.0}  # what a guess answers
    for step in lesson.steps:
        e = step.experiment
        known |= {e.seq_len, e.seq_len - 1, e.gain, e.learning_rate, e.clip_norm or 0.0, step.updates}
        known |= {e.delay, e.delay + 1, e.hidden_size}
    extra = EXTRA.get(lesson.name, set())
    for step in lesson.steps:
        prose = re.sub(r"{\w+}", "", " ".join([step.question, *step.why]))
        assert numbers(prose) <= known | extra, step.question
    assert numbers(" ".join([lesson.title, lesson.summary, *lesson.learned])) <= known


def test_what_is_said_of_gates_and_sizes() -> None:
    sigmoid = 1.0 / (1.0 + np.exp(-np.array([0.0, 1.0])))
    assert sigmoid == pytest.approx([0.5, 0.73], abs=0.002)
    forget = {name: OUTCOMES[name, "forget"].solved for name in ("remember-20", "remember-50")}
    assert forget["remember-20"].interval[0] > forget["remember-50"].interval[1], "much more often"
    large, small = (step.experiment for step in LESSONS["bigger-or-better"].steps)
    lstm = large.replace(cell="lstm", hidden_size=32)
    assert parameter_count(large) == pytest.approx(parameter_count(lstm), rel=0.05), "about as many"
    assert parameter_count(large) / parameter_count(small) == pytest.approx(4.0, rel=0.05), "a quarter"


def test_what_is_said_of_powers() -> None:
    growth = LESSONS["above-one"].steps[1].experiment
    assert len(str(int(growth.gain ** (growth.seq_len - 1)))) == 18, "a number of 18 digits"
    shrinkage = LESSONS["first-weights"].steps[2].experiment
    assert shrinkage.gain ** (shrinkage.seq_len - 1) < 0.01, "less than a hundredth"
    harsh, gentle = (LESSONS["explosion"].steps[n].experiment.learning_rate for n in (0, 1))
    assert harsh / gentle == pytest.approx(10_000), "ten thousand times smaller"
    normed = LESSONS["clipping"].steps[1].experiment
    assert normed.clip_norm is not None
    assert normed.learning_rate * normed.clip_norm == pytest.approx(0.1), "every update gets the same length"
    assert all(step.experiment.optimizer == "sgd" for step in LESSONS["clipping"].steps)
    defaults = seed_band(LESSONS["first-weights"].steps[1].experiment, seeds=100)
    assert np.median(defaults.decades) == pytest.approx(-11, abs=0.5), "typically eleven powers of ten"
    echo = LESSONS["whole-loss"].steps[1].experiment
    assert echo.seq_len - echo.delay == 20, "twenty answers at once"


@pytest.mark.parametrize(
    ("name", "steps", "what"),
    [
        ("how-far-back", (0, 1), {"seq_len"}),
        ("how-far-back", (1, 2), {"seq_len"}),
        ("first-weights", (0, 1), {"init"}),
        ("first-weights", (0, 2), {"gain"}),
        ("explosion", (0, 1), {"learning_rate"}),
        ("explosion", (0, 2), {"clip_norm"}),
        ("clipping", (0, 1), {"clip_norm", "learning_rate"}),
        ("clipping", (1, 2), {"init"}),
        ("whole-loss", (0, 1), {"init"}),
        ("whole-loss", (0, 2), {"delay"}),
        ("above-one", (0, 1), {"noise"}),
        ("identity", (0, 1), {"init"}),
        ("identity", (0, 2), {"activation"}),
        ("identity", (1, 3), {"activation"}),
        ("identity", (2, 3), {"init"}),
        ("luck", (0, 1), {"seed"}),
        ("luck", (1, 2), {"init"}),
        ("directions", (0, 1), {"init"}),
        ("directions", (1, 2), {"seed"}),
        ("directions", (0, 3), {"symbols"}),
    ],
)
def test_only_what_is_named_changes_from_step_to_step(
    name: str, steps: tuple[int, int], what: set[str]
) -> None:
    a, b = (vars(LESSONS[name].steps[number].experiment) for number in steps)
    assert {choice for choice in a if a[choice] != b[choice]} == what


def test_how_many_directions_survive_decides_while_the_norm_stays_the_same() -> None:
    """Lesson "directions": an intervention. W_hh keeps lengths on k of its directions and shrinks the others.

    Between Gaussian draws the count alone does not tell which ones learn: it varies little there.
    """

    def learned(k: int, symbols: int) -> tuple[int, float]:
        """Return how many of six seeds learn, and the median of what the gradient loses before."""
        solved, decades = 0, []
        for seed in range(200, 206):
            e = LESSONS["directions"].steps[1].experiment.replace(seed=seed, symbols=symbols)
            rng = np.random.default_rng(seed)
            params = e.init(e.rng("weights"))
            W_hh = params.layers[0].W_hh
            V, kept, fading = (np.linalg.qr(rng.standard_normal((n, n))).Q for n in (32, k, 32 - k))
            W_hh[:] = V[:, :k] @ kept @ V[:, :k].T + 0.7 * V[:, k:] @ fading @ V[:, k:].T
            assert state_jacobians(e, params, most=2).within[0] == k
            decades.append(gradient_flow(e, params).decades)
            state = advance(e, first_state(params, e.rng("training"), e.seq_len), steps=100)
            solved += state.solved_at is not None
        return solved, float(np.median(decades))

    (few, norm_few), (many, norm_many), (two, _) = learned(3, 8), learned(31, 8), learned(3, 2)
    assert norm_few == pytest.approx(norm_many, abs=0.3)
    assert few <= 2
    assert min(many, two) >= 4


def test_gaussian_and_orthogonal_weights_leave_norms_of_about_the_same_size() -> None:
    gaussian, orthogonal = (
        seed_band(step.experiment, seeds=100).decades for step in LESSONS["directions"].steps[:2]
    )
    assert np.median(gaussian) == pytest.approx(np.median(orthogonal), abs=0.5)
    solved = [MEASURED[f"directions/{number}"].solved.interval for number in (1, 2)]
    assert solved[0][1] < solved[1][0] / 2, "far fewer"


# The files


def test_every_lesson_is_a_path_of_two_to_four_questions() -> None:
    assert len(LESSONS) >= 7
    for lesson in LESSONS.values():
        assert 2 <= len(lesson.steps) <= 4
        assert len(lesson.title) <= 40
        assert all(re.fullmatch(r"[A-Z].*[.?]", sentence) for sentence in (lesson.summary, *lesson.learned))
        for step in lesson.steps:
            assert step.speed in SPEEDS.values(), "the playground shows it"
            assert step.question.endswith(("?", "."))
            assert len(set(step.answers)) == len(step.answers)
            assert step.instrument in {"", *INSTRUMENTS}, "the laboratory has it"


def test_the_right_answer_has_no_place_of_its_own() -> None:
    places = [step.right for lesson in LESSONS.values() for step in lesson.steps]
    assert {0, 1, 2} <= set(places) or max(map(places.count, places)) < 0.7 * len(places)


def test_the_readme_explains_every_name() -> None:
    names = set(re.findall(r"`{?(\w+)}?`", README))
    assert {*WORDS, *measured.WORDS, *CLAIMS, "share", "covered", "speed", "instrument", "learned"} <= names


def test_the_example_of_the_readme_is_a_lesson(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "01-example.toml").write_text(example, encoding="utf-8")
    step = read_all(tmp_path)["example"].steps[0]
    assert run_of(step).broken(step.expect) == []
    assert len(step.why) == 2


GOOD = """
title = "A title"
summary = "One sentence."
learned = ["A lesson."]
minutes = 2

[[steps]]
experiment = "T=5"
question = "What now?"
answers = ["This", "That"]
right = 2
updates = 10
why = "It was {metric}."
[steps.expect]
solved = true
"""


def written(folder: Path, text: str, name: str = "01-a.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_lesson_is_read_as_it_is_written(tmp_path: Path) -> None:
    lesson = read_lesson(written(tmp_path, GOOD, "07-some-name.toml"))
    (step,) = lesson.steps
    assert (lesson.name, lesson.title, lesson.minutes) == ("some-name", "A title", 2)
    assert step.experiment == Experiment(seq_len=5)
    assert (step.right, step.updates, step.speed, step.covered, step.share) == (1, 10, None, False, 0.9)
    assert step.measured is None, "nothing is recorded of it"
    assert step.explained({"metric": "7%"}) == ["It was 7%."]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('title = "A title"', "", "'title' is missing"),
        ('title = "A title"', 'title = ""', "title must be text"),
        ('title = "A title"', "title = A title", "Invalid value (at line 2"),
        ("minutes = 2", "minutes = true", "minutes must be a whole number from 1 to 60; got True"),
        ("[[steps]]", "[steps]", "steps must be 1 to 9 tables [[steps]]"),
        ("right = 2", "", "step 1: 'right' is missing"),
        ("right = 2", "right = 3", "step 1: right must be 1 to 2; got 3"),
        ("right = 2", "right = 0", "step 1: right must be the number of an answer, counted from 1; got 0"),
        ('["This", "That"]', '["This"]', "step 1: answers must be a list of 2 to 4 texts"),
        ('["This", "That"]', '["This", 5]', "step 1: answers must be a list of 2 to 4 texts"),
        ("question", "qestion", "step 1: unknown key 'qestion'; expected experiment, question"),
        ('"T=5"', '"T=9999"', "step 1: experiment: T=9999 (expected a whole number between 1 and 200)"),
        ('"T=5"', '"colour=red"', "step 1: experiment: colour (unknown)"),
        (
            '"T=5"',
            '"topology=many-to-one&task=sine"',
            "step 1: experiment: Sine does not fit a many-to-one network, so the type is now many-to-many.",
        ),
        ('"T=5"', '"T"', "step 1: bad query field"),
        ("updates = 10", "updates = 15", "step 1: updates must be at most 5,000 and a number at which"),
        ("updates = 10", "updates = 100000", "step 1: updates must be at most 5,000"),
        ("updates = 10", "updates = 10\nspeed = 0", "step 1: speed must be a number of updates a second"),
        ("updates = 10", "updates = 10\ninstrument = 3", "step 1: instrument must be text; got 3"),
        ("updates = 10", 'updates = 10\ncovered = "yes"', "step 1: covered must be true or false; got 'yes'"),
        ("{metric}", "{accuracy}", "into braces; got 'accuracy'"),
        ("{metric}", "{metric:.2f}", "into braces; got 'metric'"),
        ("{metric}", "{metric.__class__}", "into braces; got 'metric.__class__'"),
        ("{metric}", "{", "step 1: expected '}' before end of string"),
        ("solved = true", "", "step 1: expect must be a table of claims"),
        ("solved = true", "solved = 1", "step 1: expect.solved must be true or false; got 1"),
        ("solved = true", "sloved = true", "step 1: unknown claim 'sloved'; expected metric_at_least"),
        ("solved = true", "rho_after = [2, 1]", "step 1: expect.rho_after must be [lowest, highest]"),
        ("solved = true", "metric_at_least = true", "step 1: expect.metric_at_least must be a number"),
        (
            "solved = true",
            'verdict_after = "fine"',
            "must be one of vanishing, healthy, exploding; got 'fine'",
        ),
        (
            "solved = true",
            "solved = true\nshare = 2",
            "step 1: expect.share must be a number from 0 to 1; got 2",
        ),
        ("solved = true", "share = 0.5", "step 1: expect must be a table of claims"),
        ('["A lesson."]', "[]", "learned must be a list of 1 to 4 texts; got []"),
    ],
)
def test_a_file_that_makes_no_sense_says_where_and_why(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    assert before in GOOD
    with pytest.raises(ValueError, match=re.escape(problem)) as failure:
        read_lesson(written(tmp_path, GOOD.replace(before, after)))
    assert str(failure.value).startswith("01-a.toml: ")


def test_two_steps_with_the_same_experiment_cannot_be_told_apart(tmp_path: Path) -> None:
    twice = GOOD + GOOD[GOOD.index("[[steps]]") :]
    with pytest.raises(ValueError, match="no two steps may have the same experiment"):
        read_lesson(written(tmp_path, twice))


@pytest.mark.parametrize("name", ["a.toml", "1-a.toml", "01-Ä.toml", "01-a b.toml"])
def test_a_file_with_another_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"named like 03-some-name\.toml"):
        read_lesson(written(tmp_path, GOOD, name))


def test_two_lessons_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, GOOD, "02-a.toml")
    with pytest.raises(ValueError, match=r"02-a.toml: there is a lesson 'a' already"):
        read_all(tmp_path)


def test_lessons_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10-last.toml", "02-first.toml", "05-middle.toml"):
        written(tmp_path, GOOD, name)
    assert list(read_all(tmp_path)) == ["first", "middle", "last"]


# Numbers in words


def test_sizes_are_written_as_a_person_would() -> None:
    assert [outcome.percent(share) for share in (0.0, 0.004, 0.25, 0.9988, 1.0)] == [
        "0%",
        "0.4%",
        "25%",
        "99.9%",
        "100%",
    ]
    assert [outcome.size(x) for x in (0.0055, 0.5, 12.34, 340.2, 9.2e7, 3e-9)] == [
        "0.0055",
        "0.5",
        "12",
        "340",
        "9.2·10⁷",
        "3·10⁻⁹",
    ]
    assert (outcome.size(np.inf), outcome.size(np.nan)) == ("infinite", "not a number")
    assert [outcome.factor(decades) for decades in (-0.75, 2.26, -12.0)] == ["5.6", "182", "10¹²"]


def test_a_claim_that_does_not_hold_is_seen() -> None:
    step = LESSONS["how-far-back"].steps[0]
    untrained = replace(step, updates=1)
    seen = run_of(untrained)
    assert seen.broken({"decades_before": [-5.5, -4.5], "solved": False, "near_chance": True}) == []
    wrong = {
        "metric_at_least": 0.9,
        "solved": True,
        "diverges_by": 5,
        "rho_before": [1, 2],
        "clipped": [1, 1],
    }
    assert [text.split(" = ")[0] for text in seen.broken(wrong)] == list(wrong)


# The page


class Learner(Tab):
    """One visitor's browser tab on the page of the lessons."""

    def __init__(self, **params: str) -> None:
        super().__init__("lessons", **params)

    def answer(self, number: int) -> None:
        """Choose the answer of that index and commit to it."""
        self.tab.radio[0].set_value(number)
        self.look()
        self.press("commit")

    def let_it_end(self) -> None:
        """Wait for the end of the run, and skip the question for one's own explanation."""
        self.run.speed = None
        self.look_until(lambda: self.why != "")
        if "tell_why" in self.buttons:
            self.press("tell_why")

    @property
    def run(self) -> LiveRun:
        """The run of the open question."""
        view = self.session.view
        return self.session.runs[RunKey("lesson", (view.lesson, view.question - 1))]

    @property
    def params(self) -> dict[str, str]:
        told = dict(self.tab.query_params)
        return {name: value if isinstance(value, str) else value[0] for name, value in told.items()}

    def part(self, opening: str) -> str:
        """The text of the first element that opens so, without its tags."""
        tag = opening[1:].split()[0]
        found = re.search(rf"{opening}.*?</{tag}>", self.html, re.DOTALL)
        return unescape(re.sub(r"<[^>]+>", " ", found[0])) if found else ""

    @property
    def why(self) -> str:
        return self.part("<div class='why'")

    @property
    def buttons(self) -> set[str]:
        return {str(button.key) for button in self.tab.button}

    @property
    def pictures(self) -> int:
        return len([e for e in self.tab.get("bidi_component") if e.proto.bytes])

    def state(self, name: str) -> str:
        """What a lesson's card says of how far one has come."""
        cards = re.findall(r"class='state'>(.*?)</p>", self.html)
        return re.sub(r"<[^>]+>", "", cards[list(LESSONS).index(name)])


FIRST = LESSONS["how-far-back"]


@pytest.fixture(scope="module", autouse=True)
def _stop_the_pool() -> Iterator[None]:
    yield
    RUNS.end()


def test_the_overview_shows_every_lesson_and_leaves_the_run_alone() -> None:
    learner = Learner()
    learner.go("playground", T="37")
    own = learner.session.run
    learner.go("lessons")
    assert learner.session.run is own
    titles = {str(b.key): b.label for b in learner.tab.button if str(b.key).startswith("open_")}
    assert list(titles) == [f"open_{name}" for name in LESSONS]
    for lesson in LESSONS.values():
        assert f"{lesson.minutes} minutes · {len(lesson.steps)} questions" in learner.state(lesson.name)
        assert unescape(re.sub("<.*?>", "", learner.html)).count(lesson.summary.split("W_hh")[0])


def test_nothing_runs_before_the_visitor_commits() -> None:
    learner = Learner()
    learner.press("open_how-far-back")
    assert (learner.params["lesson"], learner.params["question"]) == ("how-far-back", "1")
    assert learner.run.experiment == FIRST.steps[0].experiment
    assert FIRST.title in learner.part("<h1")
    shown = [re.sub(r"\\(.)", r"\1", option) for option in learner.tab.radio[0].options]
    assert shown == [answer.replace("W_hh", "Wₕₕ") for answer in FIRST.steps[0].answers]
    assert learner.tab.radio[0].value is None
    assert learner.tab.button(key="commit").disabled
    assert (learner.run.state.step, learner.run.playing, learner.pictures) == (0, False, 0)
    learner.tab.radio[0].set_value(0)
    learner.look()
    assert not learner.tab.button(key="commit").disabled
    assert (learner.run.state.step, learner.run.playing, learner.why) == (0, False, "")
    learner.answer(0)
    learner.let_it_end()
    answers = learner.part("<ul class='answers'")
    assert all(answer in answers for answer in shown), "they read the same as before"


def test_a_lesson_from_its_first_question_to_its_last() -> None:
    learner = Learner()
    learner.press("open_how-far-back")
    for number, step in enumerate(FIRST.steps):
        assert learner.run.experiment == step.experiment
        assert f"Question {number + 1} of {len(FIRST.steps)}" in unescape(re.sub("<.*?>", "", learner.html))
        assert learner.pictures == (0 if step.covered else 2)
        learner.answer(step.right)
        assert learner.run.until == step.updates
        learner.let_it_end()
        assert learner.run.state.step == step.updates, "it stops by itself, and never beyond"
        assert not learner.run.playing
        assert "✓ Right." in learner.why
        look = learner.run.moment()
        seen = Outcome(step.experiment, look.state, learner.run.initial, look.snapshot)
        for word in ("metric", "chance", "decades_before"):
            if any(f"{{{word}}}" in paragraph for paragraph in step.why):
                assert seen.words()[word] in learner.why
        assert seen.broken(step.expect) == []
        learner.press("next")
    end = learner.part("<div class='learned'")
    assert all(sentence.replace("W_hh", "") in end.replace("W hh", "") for sentence in FIRST.learned)
    assert "3 of 3 right" in learner.part("<p class='score'")
    learner.press("next")
    assert learner.params["lesson"] == list(LESSONS)[1], "the next lesson follows"
    learner.press("all_lessons")
    assert "lesson" not in learner.params
    assert learner.state("how-far-back") == "Finished: 3 of 3 right"
    assert "Finished" not in learner.state("first-weights")


def test_the_playgrounds_run_is_not_touched() -> None:
    """Neither replaced nor paused nor reset, whatever happens in a lesson."""
    learner = Learner()
    learner.go("playground", T="7", seed="3")
    own = learner.session.run
    learner.press("step")
    learner.look_until(lambda: own.state.step == 1)
    learner.go("lessons", **learner.params)
    learner.press("open_how-far-back")
    learner.answer(0)
    learner.let_it_end()
    learner.press("next")
    learner.press("all_lessons")
    learner.go("playground")
    assert learner.session.run is own
    assert (own.state.step, own.experiment.seq_len) == (1, 7)


def test_a_wrong_answer_is_not_ticked() -> None:
    learner = Learner(lesson="explosion")
    for given in (0, 0, 2):
        learner.answer(given)
        learner.let_it_end()
        learner.press("next")
    assert "1 of 3 right" in learner.part("<p class='score'")
    assert re.findall(r"<li class='(\w+)'><i", learner.html) == ["wrong", "wrong", "right"]
    learner.press("all_lessons")
    assert learner.state("explosion") == "Finished: 1 of 3 right"
    assert "✓" not in learner.part("<span class='place done'")


def test_a_wrong_answer_is_told_in_words_and_the_right_one_is_shown() -> None:
    learner = Learner(lesson="explosion")
    learner.answer(0)
    learner.let_it_end()
    assert "✗ Wrong." in learner.why
    assert "After 1 update the loss overflowed (inf)." in learner.why
    assert learner.run.state.step < LESSONS["explosion"].steps[0].updates, "it broke off, and that is an end"
    answers = learner.part("<ul class='answers'")
    first, second = LESSONS["explosion"].steps[0].answers[:2]
    assert re.search(rf"✗\s+{re.escape(first)}\s+\(your answer\)", answers)
    assert re.search(rf"✓\s+{re.escape(second)}\s+\(right\)", answers)


def test_an_answer_is_still_there_when_one_goes_back() -> None:
    learner = Learner(lesson="how-far-back")
    learner.answer(0)
    learner.let_it_end()
    run, why = learner.run, learner.why
    learner.press("next")
    assert learner.why == ""
    assert learner.run is not run
    learner.press("previous")
    assert (learner.run, learner.why) == (run, why), "the very same run"
    assert "(your answer)" in learner.part("<ul class='answers'")
    assert "previous" not in learner.buttons
    learner.press("all_lessons")
    assert learner.state("how-far-back") == "1 of 3 questions answered"
    learner.press("open_how-far-back")
    assert learner.params["question"] == "2", "the first that was not answered yet"
    learner.press("previous")
    assert learner.why == why, "the numbers stay, the run itself is let go"
    assert learner.run.state.step == 0
    learner.press("run_again")
    assert learner.why == ""
    learner.let_it_end()
    assert learner.why == why, "the same experiment gives the same run"


def test_a_lesson_that_was_done_opens_at_its_end_and_from_there_its_questions() -> None:
    learner = Learner(lesson="explosion")
    for number in range(3):
        learner.answer(number)
        learner.let_it_end()
        learner.press("next")
    learner.press("all_lessons")
    learner.press("open_explosion")
    assert learner.part("<ol class='learned'") or "What you learned" in learner.html
    for _ in range(3):
        learner.press("previous")
    assert learner.run.experiment == LESSONS["explosion"].steps[0].experiment


def test_the_doors_open_the_very_same_run() -> None:
    learner = Learner(lesson="how-far-back")
    learner.answer(1)
    learner.let_it_end()
    run = learner.run
    asked = {link.proto.page: link.proto.query_string for link in learner.tab.get("page_link")}
    asked = {page: asked[page] for page in ("playground", "laboratory")}
    assert all("T=5" in query and "lesson=how-far-back" in query for query in asked.values())
    learner.go("playground", **to_params(FIRST.steps[0].experiment), lesson="how-far-back", question="1")
    assert learner.session.run is run
    learner.press("play")
    learner.look_until(lambda: learner.run.state.step > FIRST.steps[0].updates)
    learner.press("play")
    assert not learner.run.playing
    learner.go("lessons", **learner.params)
    assert learner.run is run
    assert "names 100% of the symbols" in learner.why, "with the numbers of the end of the lesson"


def test_the_door_to_the_laboratory_opens_the_instrument_of_the_step() -> None:
    learner = Learner(lesson="directions")
    learner.answer(2)
    learner.let_it_end()
    asked = {link.proto.page: link.proto.query_string for link in learner.tab.get("page_link")}
    assert "instrument=directions" in asked["laboratory"]
    assert "gets back in 4 of them" in learner.why


def test_a_run_that_was_left_goes_on() -> None:
    learner = Learner(lesson="how-far-back")
    learner.answer(1)
    learner.run.pause()
    learner.look()
    assert "go_on" in learner.buttons
    learner.press("go_on")
    learner.let_it_end()
    assert learner.run.state.step == FIRST.steps[0].updates


def test_another_experiment_in_the_playground_leaves_the_lesson_alone() -> None:
    learner = Learner(lesson="how-far-back")
    learner.answer(1)
    learner.let_it_end()
    run = learner.run
    learner.go("playground", **to_params(FIRST.steps[0].experiment), lesson="how-far-back", question="1")
    learner.widget("slider", "choose_seq_len").set_value(77)
    learner.look()
    learner.go("lessons", **learner.params)
    assert learner.run is run
    assert learner.session.experiment.seq_len == 77


def test_pausing_when_solved_ends_no_lesson_early() -> None:
    learner = Learner(lesson="how-far-back")
    learner.run.pause_when_solved = True
    learner.answer(1)
    learner.let_it_end()
    assert learner.run.state.step == FIRST.steps[0].updates
    assert learner.run.state.solved_at is not None


def test_a_link_opens_the_step_that_it_shows() -> None:
    step = LESSONS["identity"].steps[1]
    for asked in (to_params(step.experiment), {"question": "2"}):
        learner = Learner(**asked, lesson="identity")
        assert learner.run.experiment == step.experiment
        assert "Question 2 of 4" in unescape(re.sub("<.*?>", "", learner.html))
        assert (learner.params["lesson"], learner.params["question"]) == ("identity", "2")


def test_an_unknown_lesson_opens_the_overview_and_says_so() -> None:
    learner = Learner(lesson="<script>alert(1)</script>")
    assert "open_how-far-back" in learner.buttons
    assert "<script" not in learner.html
    assert "lesson=" in learner.part("<p class='story notice'")


def test_what_a_file_says_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "<img src=x onerror=alert(1)> **bold** $x$ :red[no]"
    step = replace(FIRST.steps[0], question=evil, answers=(evil, "That"), why=(evil,))
    monkeypatch.setitem(LESSONS, "evil", Lesson("evil", evil, evil, (evil,), 1, (step,)))
    learner = Learner()
    assert "<img" not in learner.html
    learner.press("open_evil")
    assert learner.tab.radio[0].options[0] == (
        r"\<img src=x onerror=alert\(1\)\> \*\*bold\*\* \$x\$ \:red\[no\]"
    )
    learner.answer(0)
    learner.let_it_end()
    assert "<img" not in learner.html
    assert "**bold** $x$ :red[no]" in learner.why
    learner.press("next")
    assert "<img" not in learner.html
    assert learner.tab.button(key="next").label == "All lessons"
