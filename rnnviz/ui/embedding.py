"""Which other sites may show the app inside their own pages: the setting ``RNNVIZ_FRAME_ANCESTORS``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rnnviz.settings import SETTINGS, VARIABLES

SETTING = VARIABLES["frame_ancestors"].name

HEIGHT = 720
"""Pixels of the frame in the line for another page."""


def frame_ancestors(sites: Sequence[str] = SETTINGS.frame_ancestors) -> str:
    """Return the sites that may show the app in a frame, itself among them, as a content policy has them."""
    return " ".join(["'self'", *sites])


def iframe(address: str) -> str:
    """Return a line of HTML that shows an address of the app in another page, without its navigation."""
    joined = f"{address}{'&' if '?' in address else '?'}embed=true"
    return (
        f'<iframe src="{escape(joined)}" title="rnnviz" width="100%" height="{HEIGHT}" '
        'style="border: 0" allowfullscreen></iframe>'
    )
