"""Captions: the network spells the name of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from rnnviz.applications.passage import pass_through
from rnnviz.figures.applications.answer import Answer
from rnnviz.figures.passage import BACK, Written, written_spec
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.tasks import TASKS
from rnnviz.tasks.captions import Captions


@dataclass(frozen=True)
class DrawnImage:
    """The question which digit an image shows.

    image : its pixels (64,). label : the right answer, None if nobody knows.
    """

    image: tuple[float, ...]
    label: int | None

    def __call__(self, now: Moment, theme: Theme) -> Answer:
        """Return the letters and their probabilities."""
        e = now.experiment
        task = cast(Captions, TASKS[e.task])
        seen = pass_through(e, now.state.params, task.inputs(e, np.array([self.image])))
        signs = task.signs(e)
        wanted = None
        if self.label is not None:
            name = task.spelled(e, [task.names(e)[self.label]])[:, 0]
            wanted = [signs[i] for i in name]
        reads = ["image"] + [BACK] * (e.seq_len - 1)
        view = Written(reads, seen.hidden, seen.probabilities, np.ones(e.seq_len, bool), signs, wanted)
        said = "".join(task.read_off(e, seen.probabilities[:, None])[0])
        label = f"The network spells “{said}”; how sure it is of each letter, and its hidden states"
        told = f"It writes: <b>{said}</b>" if said else "It writes no letters, only the end mark ·"
        return Answer(written_spec(view, theme), label, told, now.measured)
