"""The workers of this server, and how its visitors share them.

What somebody watches goes to the one pool, sweeps to the other, whose workers stand back. In both, every
visitor has a line: many large runs of one cost the others no more than one large run does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from rnnviz.training.executor import local_pool, sweep_pool
from rnnviz.training.turns import Line, Turns
from rnnviz.ui import events

POOLS = {
    "live": Turns(local_pool, lambda: local_pool().at_once, told=partial(events.served, "live")),
    "sweeps": Turns(sweep_pool, lambda: sweep_pool().at_once, told=partial(events.served, "sweeps")),
}


@dataclass(frozen=True)
class Lines:
    """One visitor's lines. live : for chunks of runs. sweeps : for parts of sweeps."""

    live: Line = field(default_factory=POOLS["live"].line)
    sweeps: Line = field(default_factory=POOLS["sweeps"].line)


SHARED = Lines()
"""The lines of all work that belongs to no visitor, as in a notebook."""
