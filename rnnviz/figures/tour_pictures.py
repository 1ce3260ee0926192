"""Live pictures of the tour's networks; see ``run_pictures``."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.figures.contest import Contest, Trained, contest_spec, look_of
from rnnviz.figures.message import Place
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.figures.tour import Decay, Strip, decay_spec, strip_spec
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import with_indices
from rnnviz.teaching.lessons.outcome import size
from rnnviz.teaching.tour import CANDIDATES, SMALL, UPDATES, Candidate, factor_of, share_left


def number_of(candidate: Candidate) -> int:
    """Return a network's place in the tour."""
    return list(CANDIDATES).index(candidate.name)


@dataclass(frozen=True)
class StripPicture:
    """The ribbon of one network as it trains."""

    place: Place
    theme: Theme
    name: str

    def __call__(self, now: Moment) -> bytes:
        """Return the ribbon at a moment as a message."""
        candidate, seen = CANDIDATES[self.name], now.snapshot
        told = f"Error at step 1: {size(10.0 ** now.initial.decades[-1])} before training"
        if seen.step:
            updates = f"{seen.step} update{'s' if seen.step > 1 else ''}"
            told += f", {size(10.0 ** seen.decades[-1])} after {updates}"
        colour = look_of(number_of(candidate), self.theme)["color"]
        share = seen.last[-1] / seen.last[-1][-1]
        view = Strip(with_indices(candidate.title), colour, told, share)
        label = f"{candidate.title}. {told}"
        return self.place.message(strip_spec(view, self.theme), label)


@dataclass(frozen=True)
class TourPicture:
    """Held-out accuracy of one network as it trains, and of those before it."""

    place: Place
    theme: Theme
    name: str

    def __call__(self, now: Moment) -> bytes:
        """Return the progress at a moment as a message."""
        known = {**now.beside, self.name: Trained.of(self.name, now.state)}
        shown = [candidate for candidate in CANDIDATES.values() if candidate.name in known]
        trained = [_named(candidate, known[candidate.name]) for candidate in shown]
        e, task = now.experiment, TASKS[now.experiment.task]
        title = f"{task.measured_on(e)} {task.metric.title}"
        view = Contest(trained, UPDATES, title, True, task.chance(e), "", task.level)
        results = ", ".join(f"{c.title} {view.in_words(known[c.name].newest)}" for c in shown)
        label = f"{title} over {UPDATES} updates: {results}" if now.state.step else title
        return self.place.message(contest_spec(view, self.theme), label)


def _named(candidate: Candidate, trained: Trained) -> Trained:
    return Trained(candidate.short, trained.steps, trained.metric, trained.step)


def decay_message(place: Place, theme: Theme) -> bytes:
    """Return the error's decay in the first two networks, before training, as a message."""
    views = []
    for number, candidate in enumerate(list(CANDIDATES.values())[:2]):
        factor = factor_of(candidate.experiment)
        told = f"{factor.in_digits}<sup>{factor.steps}</sup> = {size(factor.left)}"
        look = look_of(number, theme)
        views.append(Decay(with_indices(candidate.title), look, share_left(candidate.experiment), told))
    label = f"Share of the error left at each of {SMALL.experiment.seq_len} steps, for both networks"
    return place.message(decay_spec(views, theme), label)
