"""The tour, stage by stage, without a browser."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

from rnnviz import Experiment
from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment.links import of_view, to_params
from rnnviz.teaching.tour import (
    ANSWERS,
    CANDIDATES,
    LSTM,
    ORTHOGONAL,
    RIGHT,
    SMALL,
    STAGES,
    UPDATES,
    Candidate,
    factor_of,
    why,
)
from rnnviz.training.state import TrainingState
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_registry import RunKey
from tests.visitor import Tab, drawn_by_a_worker, train_here, turn_to


@cache
def trained(name: str) -> tuple[TrainingState, Snapshot | None]:
    run = LiveRun(CANDIDATES[name].experiment)
    train_here(run, UPDATES)
    return run._newest


class Visitor(Tab):
    """One visitor of the home page."""

    def __init__(self, **params: str) -> None:
        super().__init__("home", **params)

    def run_of(self, candidate: Candidate) -> LiveRun:
        return self.session.runs[RunKey("tour", candidate.name)]

    def finish(self, candidate: Candidate) -> None:
        """Let a network have trained to its end; it is trained once for all tests."""
        run = self.run_of(candidate)
        run.pause()
        run._newest = trained(candidate.name)
        self.look()

    def to(self, stage: str) -> Visitor:
        """Go through the tour up to a stage; every network trains to its end."""
        trains = {"question": SMALL, "cure": ORTHOGONAL, "lstm": LSTM}
        self.press("tour_start")
        self.press("tour_answer_0")
        while True:
            if self.session.view.tour in trains:
                self.finish(trains[self.session.view.tour])
            if self.session.view.tour == stage:
                return self
            self.press("tour_on")

    @property
    def keys(self) -> set[str]:
        return {str(button.key) for button in self.tab.button}

    @property
    def words(self) -> str:
        plain = re.sub(r"<style.*?</style>|<[^>]+>", "", self.html, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(plain))


def test_nothing_is_shown_before_the_visitor_commits() -> None:
    visitor = Visitor()
    visitor.press("tour_start")
    assert visitor.messages == {}
    assert not visitor.session.runs.at("tour"), "nothing trains either"
    assert {f"tour_answer_{number}" for number in range(len(ANSWERS))} <= visitor.keys
    assert "tour_on" not in visitor.keys


def test_the_answer_is_judged_when_the_run_has_ended_and_not_before() -> None:
    for given, verdict in ((RIGHT, "✓ Right."), (0, "✗ Wrong.")):
        visitor = Visitor()
        visitor.press("tour_start")
        visitor.press(f"tour_answer_{given}")
        assert visitor.run_of(SMALL).playing
        assert ANSWERS[given] in visitor.words
        assert verdict not in visitor.words
        assert "tour_on" not in visitor.keys
        visitor.finish(SMALL)
        assert verdict in visitor.words
        assert f"after {UPDATES} updates" in visitor.words
        assert "tour_on" in visitor.keys


def test_skipping_trains_as_fast_as_it_can_says_so_and_draws_the_end_alone() -> None:
    visitor = Visitor()
    visitor.press("tour_start")
    visitor.press("tour_answer_0")
    run = visitor.run_of(SMALL)
    visitor.press("tour_skip")
    button = visitor.widget("button", "tour_skip")
    assert (button.label, button.disabled) == ("Skipping…", True)
    assert run._pace is None
    assert run.pictures.due(every=False) == {}
    visitor.look_until(lambda: run.ended, seconds=60)
    assert run.state.step == UPDATES, "and no further"


def test_both_curves_are_in_one_picture_and_the_ribbons_one_above_the_other() -> None:
    visitor = Visitor().to("cure")
    assert list(visitor.messages) == ["tour_strip_small", "tour_strip_orthogonal", "tour_progress"]
    label = visitor.messages["tour_progress"].decode()
    assert "Small normal W_hh 2" in label
    assert "Orthogonal W_hh 100%" in label
    small, cured = (visitor.messages[f"tour_strip_{name}"].decode() for name in ("small", "orthogonal"))
    assert f"Error at step 1: 2.6·10⁻⁶¹ before training, 1.3·10⁻²⁹ after {UPDATES} updates" in small
    assert f"Error at step 1: 0.18 before training, 2.3 after {UPDATES} updates" in cured, (
        "more than all of it"
    )


def test_the_ribbon_and_the_words_beside_it_name_the_same_two_moments() -> None:
    visitor = Visitor().to("question")
    assert list(visitor.messages) == ["tour_strip_small", "tour_progress"], "one ribbon"
    (told,) = [text for text in visitor.texts if "class='why'" in text]
    shown = visitor.messages["tour_strip_small"].decode()
    for number in ("2.6·10⁻⁶¹", "1.3·10⁻²⁹"):
        assert number in told
        assert number in shown


def test_a_single_update_is_in_the_singular() -> None:
    visitor = Visitor()
    visitor.press("tour_start")
    visitor.press("tour_answer_0")
    run = visitor.run_of(SMALL)
    run.pause()
    train_here(run, 1)
    visitor.look()
    shown = visitor.messages["tour_strip_small"].decode()
    assert "after 1 update" in shown
    assert "1 updates" not in shown


def test_the_printed_powers_are_true_on_a_calculator() -> None:
    for candidate in CANDIDATES.values():
        factor = factor_of(candidate.experiment)
        printed = f"{float(factor.in_digits) ** factor.steps:.1e}"
        assert printed == f"{factor.left:.1e}", candidate.name
    assert factor_of(ORTHOGONAL.experiment).in_digits in why()


def test_the_worker_that_trains_draws_what_the_page_draws() -> None:
    visitor = Visitor().to("lstm")
    visitor.session.screen.take(Silent())
    assert drawn_by_a_worker(visitor.run_of(LSTM)).items() <= visitor.messages.items()
    assert {"tour_strip_lstm", "tour_progress"} <= drawn_by_a_worker(visitor.run_of(LSTM)).keys()


class Silent:
    """A connection that asks for nothing."""

    asking = False

    def wake(self) -> None: ...

    def replace(self) -> None: ...


def test_every_stage_leads_back_and_on_again_without_training_anew() -> None:
    visitor = Visitor().to("on")
    runs = visitor.session.runs.at("tour")
    assert list(runs) == list(CANDIDATES)
    seen = []
    while visitor.session.view.tour:
        seen.append(visitor.session.view.tour)
        visitor.press("tour_back")
    assert seen == list(reversed(STAGES))
    assert visitor.widget("button", "tour_start").label == f"Continue the tour (1 of {len(STAGES)})"
    visitor.press("tour_start")
    assert "✗ Wrong." in visitor.words, "the answer stands"
    for _ in STAGES[1:]:
        visitor.press("tour_on")
    assert visitor.session.runs.at("tour") == runs
    assert not any(run.playing for run in runs.values())
    visitor.press("tour_again")
    assert (visitor.session.view.tour, visitor.session.tour.given) == ("question", None)
    assert not visitor.session.runs.at("tour")


def test_the_logo_leads_home_and_from_there_the_tour_goes_on() -> None:
    visitor = Visitor().to("why")
    visitor.press("leave_tour")
    assert visitor.session.view.tour == ""
    assert visitor.widget("button", "tour_start").label == f"Continue the tour (3 of {len(STAGES)})"
    visitor.press("tour_start")
    assert visitor.session.view.tour == "why"
    visitor.press("tour_on")
    visitor.finish(LSTM)
    visitor.press("tour_on")
    visitor.press("tour_home")
    assert "tour_start" in visitor.keys


def test_a_link_to_a_stage_opens_it_and_trains_what_it_shows() -> None:
    visitor = Visitor(tour="cure")
    assert visitor.run_of(SMALL).playing
    assert visitor.run_of(SMALL)._pace is None, "what is not watched trains at once"
    assert visitor.run_of(ORTHOGONAL)._pace is not None
    visitor.finish(SMALL)
    visitor.finish(ORTHOGONAL)
    assert "Solved: 100%" in visitor.words
    visitor.press("tour_back")
    assert "tour_answer_0" in visitor.keys, "the question was never answered"


def test_the_tour_leaves_the_visitors_own_experiment_alone_and_its_stage_is_in_the_address() -> None:
    own = Experiment(seq_len=12, seed=5)
    visitor = Visitor(**to_params(own)).to("on")
    assert visitor.session.experiment == own
    assert visitor.session.run.state.step == 0
    address = {name: v[0] if isinstance(v, list) else v for name, v in visitor.tab.query_params.items()}
    assert address == to_params(own) | {"tour": "on"}


def test_the_last_stage_opens_the_playground_with_the_network_that_failed() -> None:
    visitor = Visitor().to("on")
    links = {link.proto.page: link.proto.query_string for link in visitor.tab.get("page_link")}
    assert {"why", "lessons", "playground", "real-data"} <= links.keys()
    asked = dict(part.split("=") for part in links["playground"].split("&"))
    assert {name: value for name, value in asked.items() if not of_view(name)} == to_params(SMALL.experiment)


def test_another_page_and_the_browsers_back_find_the_stage_as_it_was_left() -> None:
    visitor = Visitor().to("cure")
    visitor.go("why")
    turn_to(visitor.tab, "home")
    visitor.go_back(**to_params(visitor.session.experiment), tour="cure")
    assert visitor.session.view.tour == "cure"
    assert "Solved: 100%" in visitor.words
    for name in list(visitor.tab.query_params):
        del visitor.tab.query_params[name]
    visitor.go("why")
    visitor.go("home")
    assert "tour_start" in visitor.keys, "a link home leads to the first screen"


def test_why_a_network_cannot_train_is_told() -> None:
    visitor = Visitor()
    visitor.press("tour_start")
    visitor.press("tour_answer_0")
    run = visitor.run_of(SMALL)
    run.pause()
    run.problem = "Training stopped: <b>no memory</b>"
    visitor.look()
    assert "Training stopped: <b>no memory</b>" in visitor.words
    assert "tour_continue" in visitor.keys


def test_terms_in_its_texts_are_explained_once_where_they_stand_first() -> None:
    tab = Tab("home", tour="question")
    assert tab.html.count("<abbr title='hidden state: ") == 1
    assert not re.search(r"title='[^']*<", tab.html), "an explanation inside an explanation"
    tab = Tab("home", tour="why")
    assert "<abbr title='slope: " in tab.html
    assert "∂L/∂h<sub>t</sub></abbr>" in tab.html
