"""What the page Applications remembers about one visitor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from rnnviz.applications.catalogue import APPLICATIONS
from rnnviz.applications.generation import Writer
from rnnviz.model.arrays import Array
from rnnviz.tasks.digits import HELD_OUT, digits
from rnnviz.ui.widgets import Widgets


@dataclass
class Upload:
    """A table that a visitor brought along, and what of it is forecast.

    file : its name. table : as read; None before the first upload. refusal : why the newest was not taken.
    time, value : the columns chosen. season : steps after which the series repeats, 0 for none.
    data : the values, as an experiment carries them. labels : one for each row.
    """

    file: str = ""
    table: pd.DataFrame | None = None
    refusal: str = ""
    time: str | None = None
    value: str = ""
    season: int = 0
    data: str = ""
    labels: list[str] = field(default_factory=list)
    uploads: int = 0


@dataclass
class ApplicationsState:
    """The applications as one visitor left them.

    variants : the data set chosen in each application.
    opened : what the URL last said of the application shown (see ``address``).
    image, label : what is to be captioned, and which digit it is (None once it is drawn on).
    sentence : to be judged. number : English words to be translated.
    sentence_example, number_example : which of the examples that is, None once something was typed.
    single : forecast from the last output only (many-to-one). upload : a series of the visitor's own.
    text : a text of the visitor's own. beginning, written : what a network continues, and its letters so far.
    writer : the network that wrote the last letter, with its state.
    temperature : how boldly it draws them. writing : it writes a letter at every tick.
    widgets : keys of the controls.
    """

    variants: dict[str, str] = field(default_factory=dict)
    opened: str = ""
    image: Array = field(default_factory=lambda: digits()[0][-HELD_OUT])
    label: int | None = field(default_factory=lambda: int(digits()[1][-HELD_OUT]))
    images_seen: int = 0
    sentence: str = "the film was good but far too long"
    number: str = "forty two"
    sentence_example: str | None = None
    number_example: str | None = None
    single: bool = False
    upload: Upload = field(default_factory=Upload)
    text: str = ""
    text_refusal: str = ""
    beginning: str = ""
    written: list[int] = field(default_factory=list)
    temperature: float = 0.7
    writing: bool = False
    writer: Writer | None = None
    widgets: Widgets = field(default_factory=Widgets)
    letters: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def variant(self, application: str) -> str:
        """Return the name of the data set chosen in an application."""
        return self.variants.get(application, next(iter(APPLICATIONS[application].variants)))

    def address(self, application: str) -> str:
        """Return the URL's name of an application, with its data set if that is not the first one."""
        known = APPLICATIONS[application].variants if application in APPLICATIONS else {}
        chosen = self.variants.get(application, "")
        return f"{application}-{chosen}" if chosen in list(known)[1:] else application
