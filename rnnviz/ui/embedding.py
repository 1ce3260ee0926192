"""Which other sites may show the app inside their own pages: the setting ``RNNVIZ_FRAME_ANCESTORS``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html import escape

SETTING = "RNNVIZ_FRAME_ANCESTORS"

_SITE = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?")

HEIGHT = 720
"""Pixels of the frame in the line for another page."""


def frame_ancestors(environment: Mapping[str, str] = os.environ) -> str:
    """Return the sites that may show the app in a frame, as a content policy names them; by default, itself.

    Raises
    ------
    ValueError
        If the setting has anything but origins, separated by spaces.
    """
    sites = environment.get(SETTING, "").split()
    wrong = [site for site in sites if not _SITE.fullmatch(site)]
    if wrong:
        raise ValueError(
            f"{SETTING} has {wrong[0]!r}; expected origins such as https://lms.example.org, "
            "with spaces between them"
        )
    return " ".join(["'self'", *sites])


def iframe(address: str) -> str:
    """Return a line of HTML that shows an address of the app in another page, without its navigation."""
    joined = f"{address}{'&' if '?' in address else '?'}embed=true"
    return (
        f'<iframe src="{escape(joined)}" title="rnnviz" width="100%" height="{HEIGHT}" '
        'style="border: 0" allowfullscreen></iframe>'
    )
