"""Two experiments side by side: B is A with a few settings changed; task, sequences and seed are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rnnviz.experiment.experiment import Experiment, choices
from rnnviz.experiment.fitting import nearest
from rnnviz.experiment.links import settings_in

CHANGEABLE = (
    "cell",
    "init",
    "gain",
    "activation",
    "hidden_size",
    "layers",
    "optimizer",
    "learning_rate",
    "clip_norm",
    "truncate",
)
"""The settings in which B may differ: those of the network and of its training, not those of the data."""


@dataclass(frozen=True)
class Pair:
    """Two experiments.

    ignored : changes that cannot be used, as "name=value (reason)". adjusted : sentences on settings of B
    that had to change as well.
    """

    a: Experiment
    b: Experiment
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()

    @property
    def differences(self) -> list[str]:
        """The settings in which B differs."""
        return [name for name in choices() if getattr(self.a, name) != getattr(self.b, name)]


def paired(a: Experiment, changes: Mapping[str, str], equal: bool = False) -> Pair:
    """Return A with B, which differs by ``changes``, written as in a URL; never raises.

    equal : give B as many hidden units as make its number of parameters the nearest to A's.
    """
    own = {choices()[name].url for name in CHANGEABLE}
    used = {url: text for url, text in changes.items() if url in own}
    wanted, unusable = settings_in(used)
    b, adjusted = nearest(wanted, first=wanted, base=a)
    foreign = [f"{url} (both have the same data)" for url in changes if url not in own]
    b = with_parameters(b, parameter_count(a)) if equal else b
    return Pair(a, b, (*foreign, *unusable), tuple(adjusted))


@lru_cache(maxsize=256)
def parameter_count(e: Experiment) -> int:
    """Return the number of trainable parameters P."""
    return e.init(e.rng("weights")).count


def with_parameters(e: Experiment, count: int) -> Experiment:
    """Return an experiment with the hidden size at which its number of parameters is nearest to ``count``.

    P grows with H; of two sizes that are equally near, the smaller is taken. Within the bounds of H.
    """
    bounds = choices()["hidden_size"]
    low, high = int(bounds.low), int(bounds.high)

    def at(hidden: int) -> int:
        return parameter_count(e.replace(hidden_size=hidden))

    while low < high:  # the smallest H with at least so many
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle) >= count else (middle + 1, high)
    near = [hidden for hidden in (low - 1, low) if hidden >= bounds.low]
    nearest = min(near, key=lambda hidden: abs(at(hidden) - count))
    return e.replace(hidden_size=nearest)
