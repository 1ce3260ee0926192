"""The tour, stage by stage, without a browser."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

from rnnviz import Experiment
from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment.links import to_params
from rnnviz.teaching.tour import ANSWERS, CANDIDATES, LSTM, ORTHOGONAL, RIGHT, SMALL, UPDATES, Candidate
from rnnviz.training.state import TrainingState
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.tour import STAGES
from rnnviz.ui.views import of_view
from tests.visitor import Tab, drawn_by_a_worker, train_here


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
            if self.session.tour.at in trains:
                self.finish(trains[self.session.tour.at])
            if self.session.tour.at == stage:
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


def test_skipping_lets_the_run_train_as_fast_as_it_can() -> None:
    visitor = Visitor()
    visitor.press("tour_start")
    visitor.press("tour_answer_0")
    run = visitor.run_of(SMALL)
    assert run.speed is not None
    visitor.press("tour_skip")
    assert run.speed is None
    visitor.look_until(lambda: run.ended, seconds=60)
    assert run.state.step == UPDATES, "and no further"


def test_both_curves_are_in_one_picture_and_the_ribbons_one_above_the_other() -> None:
    visitor = Visitor().to("cure")
    assert list(visitor.messages) == ["tour_strip_small", "tour_strip_orthogonal", "tour_progress"]
    label = visitor.messages["tour_progress"].decode()
    assert "Small random W_hh 2" in label
    assert "Orthogonal W_hh 100%" in label
    small, cured = (visitor.messages[f"tour_strip_{name}"].decode() for name in ("small", "orthogonal"))
    assert re.search(rf"After {UPDATES} updates: \d[^ ]* of the error reaches step 1", small)
    assert f"After {UPDATES} updates: at step 1 the error is 2.3 times as large" in cured, (
        "more than all of it"
    )


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
    while visitor.session.tour.at:
        seen.append(visitor.session.tour.at)
        visitor.press("tour_back")
    assert seen == list(reversed(STAGES))
    visitor.press("tour_start")
    assert "✗ Wrong." in visitor.words, "the answer stands"
    for _ in STAGES[1:]:
        visitor.press("tour_on")
    assert visitor.session.runs.at("tour") == runs
    assert not any(run.playing for run in runs.values())
    visitor.press("tour_again")
    assert (visitor.session.tour.at, visitor.session.tour.given) == ("", None)
    assert not visitor.session.runs.at("tour")


def test_the_tour_leaves_the_visitors_own_experiment_and_the_address_alone() -> None:
    own = Experiment(seq_len=12, seed=5)
    visitor = Visitor(**to_params(own)).to("on")
    assert visitor.session.experiment == own
    assert visitor.session.run.state.step == 0
    address = {name: v[0] if isinstance(v, list) else v for name, v in visitor.tab.query_params.items()}
    assert address == to_params(own)


def test_the_last_stage_opens_the_playground_with_the_network_that_failed() -> None:
    visitor = Visitor().to("on")
    links = {link.proto.page: link.proto.query_string for link in visitor.tab.get("page_link")}
    assert {"why", "lessons", "playground", "real-data"} <= links.keys()
    asked = dict(part.split("=") for part in links["playground"].split("&"))
    assert {name: value for name, value in asked.items() if not of_view(name)} == to_params(SMALL.experiment)


def test_another_page_and_back_finds_the_stage_as_it_was_left() -> None:
    visitor = Visitor().to("cure")
    visitor.go("why")
    visitor.go("home")
    assert visitor.session.tour.at == "cure"
    assert "Solved: 100%" in visitor.words
    assert Visitor().session.tour.at == "", "a reload is a new session: it begins at the start"


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
