"""The address bar: which address a visitor asks for, and what the app itself writes there.

Every request brings along the address that the browser showed when it was sent. That one may be older than
what the app wrote last, so by itself it asks for nothing. Three kinds of addresses are a visitor's wish:

- the first one of a session;
- one with parameters that comes with another page: a link inside the app. (A click in the navigation bar
  drops all parameters: it asks for the page alone.)
- one that the visitor went back or forward to. The browser says so (``popstate``), and Streamlit tells the
  script; meanwhile it replaces the address where it otherwise adds one to the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

Parameters = dict[str, str]


def by_history() -> bool:
    """Tell whether the script runs because the visitor went back or forward in the browser's history."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


@dataclass
class Address:
    """What the address bar shows.

    parameters : as the browser sent them with the newest request, or as written since.
    page : the page's own part of the address; None before the first request.
    went_back : the visitor went back or forward to this address.
    """

    parameters: Parameters = field(default_factory=dict)
    page: str | None = None
    went_back: bool = False

    def read(self, page: str) -> Parameters:
        """Return the parameters that the visitor asks to be opened; empty if there is nothing to open."""
        turned, self.page = page != self.page, page
        back, asked = by_history(), st.query_params.to_dict()
        opens = (turned or back) and asked != self.parameters
        self.went_back = back or (self.went_back and not turned)
        self.parameters = asked
        return asked if opens else {}

    def write(self, wanted: Parameters, opens: Callable[[Parameters], bool]) -> None:
        """Show other parameters in the address bar; each write is an address to go back to.

        An address that the visitor went back to is left alone as long as it opens what is shown: else there
        would be no way out of the app.

        opens : tells whether parameters open what is shown.
        """
        if wanted != self.parameters and not (self.went_back and opens(self.parameters)):
            st.query_params.from_dict(wanted)
            self.parameters, self.went_back = wanted, False
