"""The address bar: URLs that a visitor opens, and URLs that the app writes.

Every request carries the URL that the browser showed when it was sent. That may be older than the last one
written by the app, so by itself it opens nothing. A URL is opened in three cases:

- it is the first one of a session;
- it has parameters and belongs to another page: a link inside the app. (The navigation bar drops all
  parameters: it opens the page alone.)
- the visitor went back or forward to it. Streamlit learns this from the browser's ``popstate`` event; during
  such a rerun it replaces the URL instead of adding one to the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

Parameters = dict[str, str]


def by_history() -> bool:
    """Return whether this rerun is due to browser history navigation."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


@dataclass
class Address:
    """State of the address bar.

    parameters : as sent with the newest request, or as written since.
    page : the page's path; None before the first request.
    went_back : the visitor went back or forward to this URL.
    """

    parameters: Parameters = field(default_factory=dict)
    page: str | None = None
    went_back: bool = False

    def read(self, page: str) -> Parameters:
        """Return the URL parameters to open; empty if there is nothing to open."""
        turned, self.page = page != self.page, page
        back, asked = by_history(), st.query_params.to_dict()
        opens = (turned or back) and asked != self.parameters
        self.went_back = back or (self.went_back and not turned)
        self.parameters = asked
        return asked if opens else {}

    def write(self, wanted: Parameters, opens: Callable[[Parameters], bool]) -> None:
        """Write parameters to the address bar; each write adds an entry to the history.

        A URL that the visitor went back to is kept as long as it opens the current state: otherwise the
        visitor could never go back out of the app.

        opens : returns whether parameters open the current state.
        """
        if wanted != self.parameters and not (self.went_back and opens(self.parameters)):
            st.query_params.from_dict(wanted)
            self.parameters, self.went_back = wanted, False
