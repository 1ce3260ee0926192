"""The session state of the page Real data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from rnnviz.applications.catalogue import APPLICATIONS
from rnnviz.model.arrays import Array
from rnnviz.tasks.digits import HELD_OUT, digits
from rnnviz.ui.widgets import Widgets


@dataclass
class Upload:
    """A visitor's uploaded table and the chosen columns.

    file : its name. table : as read; None before the first upload. refusal : why the newest was rejected.
    time, value : the chosen columns. season : season length in steps, 0 for none.
    data : the values, in the form used by an experiment. labels : one per row.
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
    """One visitor's inputs and settings.

    variants : the chosen data set of each application.
    opened : address of the application that was shown last (see ``address``).
    image, label : the image to caption, and its digit (None once it is drawn on).
    sentences : input for sentiment, by grammar. number : English words to translate.
    sentence_example, number_example : the chosen example, None once something was typed.
    single : forecast from the last output only (many-to-one). upload : the visitor's own series.
    text : the visitor's own text. beginning : the prompt. written : codes of the letters written so far.
    temperature : of the softmax. letters : draws the letters. widgets : keys of the controls.
    """

    variants: dict[str, str] = field(default_factory=dict)
    opened: str = ""
    image: Array = field(default_factory=lambda: digits()[0][-HELD_OUT])
    label: int | None = field(default_factory=lambda: int(digits()[1][-HELD_OUT]))
    images_seen: int = 0
    sentences: dict[str, str] = field(default_factory=dict)
    number: str = "forty-two"
    sentence_example: str | None = None
    number_example: str | None = None
    single: bool = False
    upload: Upload = field(default_factory=Upload)
    text: str = ""
    text_refusal: str = ""
    beginning: str = ""
    written: list[int] = field(default_factory=list)
    temperature: float = 0.7
    widgets: Widgets = field(default_factory=Widgets)
    letters: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def variant(self, application: str) -> str:
        """Return the chosen data set of an application."""
        return self.variants.get(application, next(iter(APPLICATIONS[application].variants)))

    def address(self, application: str) -> str:
        """Return an application's name in the URL, with its data set if that is not the first."""
        known = APPLICATIONS[application].variants if application in APPLICATIONS else {}
        chosen = self.variants.get(application, "")
        return f"{application}-{chosen}" if chosen in list(known)[1:] else application
