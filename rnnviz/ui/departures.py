"""The memory of visitors who have left goes back to the system.

Streamlit keeps the session of a closed tab for ``server.disconnectedSessionTTL`` seconds, in case the tab
comes back. Its own storage drops those whose time is up only when another tab is closed, and its main loop
holds on to the last one until somebody else arrives.
"""

from __future__ import annotations

import asyncio
import builtins
import ctypes
import gc
import os
from collections.abc import Callable

from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.session_manager import SessionInfo, SessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from rnnviz.settings import SETTINGS
from rnnviz.ui import events

MOST_CLOSED = SETTINGS.closed_tabs
"""Sessions of closed tabs that are kept; beyond that, the one that was closed first is dropped."""

ARENAS, M_ARENA_MAX = 2, -8
"""Heaps of glibc's malloc, and the number of that option. By default each of Streamlit's short-lived threads
may use another of 16, and each keeps scraps: 21 of 164 MB after a class of ten. One thread runs at a time."""


def _malloc(function: str, *arguments: int) -> None:
    """Call a function of glibc's malloc; elsewhere do nothing."""
    found = getattr(ctypes.CDLL(None), function, None) if os.name == "posix" else None
    if found is not None:
        found(*arguments)


def on_the_loop(seconds: float, call: Callable[[], None]) -> None:
    """Call a function on the running event loop after some seconds."""
    asyncio.get_running_loop().call_later(seconds, call)


class ClosedTabs(SessionStorage):
    """The sessions of closed tabs, in the order in which they were closed; used on the event loop only.

    seconds : each is kept for at least this time, and at most twice as long. Once in this time all of those
        that are due are dropped together: collecting garbage takes a tenth of a second of one core.
    later : calls a function after some seconds; tests replace it.
    """

    def __init__(
        self, seconds: float, later: Callable[[float, Callable[[], None]], object] = on_the_loop
    ) -> None:
        self._seconds, self._later = seconds, later
        self._kept: dict[str, SessionInfo] = {}
        self._due: set[str] = set()  # those that were kept when the time began
        self._counting = False

    def get(self, session_id: str) -> SessionInfo | None:
        """Return a session, None if it is not kept."""
        return self._kept.get(session_id)

    def list(self) -> builtins.list[SessionInfo]:
        """Return all sessions."""
        return list(self._kept.values())

    def delete(self, session_id: str) -> None:
        """Let a session go, if it is kept: its tab is open again, or Streamlit ends it."""
        self._kept.pop(session_id, None)
        self._due.discard(session_id)

    def save(self, session_info: SessionInfo) -> None:
        """Keep a session whose tab was closed."""
        self._kept[session_info.session.id] = session_info
        if len(self._kept) > MOST_CLOSED:
            events.limit_reached("closed tabs", f"of {MOST_CLOSED} that are kept, the oldest is forgotten")
            self._drop(next(iter(self._kept)))
        if not self._counting:
            self._count()

    def _count(self) -> None:
        """Drop, when the time is up, all sessions that are kept now."""
        self._counting, self._due = True, set(self._kept)
        self._later(self._seconds, self._collect)

    def _collect(self) -> None:
        """Drop what is due; count on until nothing was: work under way may still hold on to a session."""
        dropped = tuple(self._due)
        for session_id in dropped:
            self._drop(session_id)
        gc.collect()  # a session's parts refer to each other
        _malloc("malloc_trim", 0)
        self._counting = False
        if dropped or self._kept:
            self._count()

    def _drop(self, session_id: str) -> None:
        """End a session, and empty it: Streamlit may hold on to it."""
        session = self._kept[session_id].session
        self.delete(session_id)
        session.shutdown()
        state = session.session_state
        state.clear()
        state._new_widget_state.widget_metadata.clear()  # the callbacks, which clear() keeps


def forget_departed(runtime: Runtime) -> None:
    """Let a runtime that nobody has visited yet drop the sessions of closed tabs in time."""
    _malloc("mallopt", M_ARENA_MAX, ARENAS)
    sessions = runtime._session_mgr
    if isinstance(sessions, WebsocketSessionManager):
        sessions._session_storage = ClosedTabs(config.get_option("server.disconnectedSessionTTL"))
