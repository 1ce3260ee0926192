"""Options: settings that only some tasks read, declared beside the tasks.

An option becomes a field of Experiment, a parameter of the URL and a control in the sidebar.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from rnnviz.tasks.choice import Choice
from rnnviz.tasks.settings import Settings

Value = TypeVar("Value")


@dataclass(frozen=True)
class NumberBox:
    """A box for a whole number, with buttons for one less and one more."""


@dataclass(frozen=True)
class Slider:
    """A slider from the lower to the upper bound, in steps of ``step``."""

    step: float


@dataclass(frozen=True)
class Toggle:
    """A switch for an option that is true or false."""


@dataclass(frozen=True)
class Menu:
    """A list of the option's names by title.

    unlisted : names that are chosen elsewhere; listed only while chosen.
    """

    unlisted: Collection[str] = ()


@dataclass(frozen=True)
class PasteBox:
    """A box for text, and a button to use it."""

    placeholder: str
    button: str


Control = NumberBox | Slider | Toggle | Menu | PasteBox
"""How the sidebar shows an option."""


@dataclass(frozen=True, kw_only=True)
class Option(Choice, Generic[Value]):
    """A setting that only some tasks read; ``url`` is also its name.

    default : the value of a new experiment.
    names : the accepted names with their titles, for kind "name".
    control : its control in the sidebar; None if it is set elsewhere.
    only_if : another option, and the value of that option with which this one is in force; None: always.
    validate : raises ValueError if a value of the right kind is unusable; called only while in force.
    shrinks : it is lowered where a chosen sequence length is too short for it.
    noun : what sentences call it (default: its name).
    """

    default: Value
    names: Mapping[str, str] = field(default_factory=dict)
    control: Control | None
    only_if: tuple[Option[Any], Any] | None = None
    validate: Callable[[Value], None] | None = None
    shrinks: bool = False
    noun: str = ""

    @property
    def name(self) -> str:
        """The field of Experiment."""
        return self.url

    def of(self, e: Settings) -> Value:
        """Return the experiment's value of this option."""
        value: Value = getattr(e, self.name)
        return value

    def in_force(self, e: Settings) -> bool:
        """Return whether a task that declares this option reads it in this experiment."""
        return self.only_if is None or self.only_if[0].of(e) == self.only_if[1]

    def in_force_with(self, value: Value) -> dict[str, Any]:
        """Return the settings that give this option a value and put it in force."""
        source = {} if self.only_if is None else {self.only_if[0].name: self.only_if[1]}
        return source | {self.name: value}

    def check_content(self, e: Settings) -> None:
        """Raise ValueError if this option is in force and ``validate`` rejects its value."""
        if self.validate is not None and self.in_force(e):
            self.validate(self.of(e))


def by_name(*options: Option[Any]) -> dict[str, Option[Any]]:
    """Return options by name, as ``Task.options`` has them."""
    return {option.name: option for option in options}


NOISE = Option(
    "noise",
    "Distractor noise",
    "number",
    low=0.0,
    high=2.0,
    default=0.1,
    control=Slider(step=0.05),
)
"""Shared by tasks of several modules."""
