"""What a session may store in the server, and that nothing of it stays when its tab was closed."""

from __future__ import annotations

import gc
import json
import time
import urllib.request
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.state import SessionState
from streamlit.runtime.state.common import WidgetMetadata
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from rnnviz.ui.departures import MOST_CLOSED, ClosedTabs
from rnnviz.ui.uploads import MOST_FILES, REFUSAL
from tests.browser.conftest import ROOT, free_port, running, streamlit
from tests.uploading import put_file

SIZE = 100_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app; closed tabs may come back for a second."""
    port, log = free_port(), tmp_path_factory.mktemp("departures") / "log.txt"
    command = [
        *streamlit(ROOT / "tests" / "browser" / "apps" / "storing.py", port),
        "--server.disconnectedSessionTTL=1",
    ]
    with running(command, port, log):
        yield f"http://127.0.0.1:{port}"
    assert "Traceback" not in Path(log).read_text(encoding="utf-8")


@contextmanager
def session(server: str) -> Iterator[str]:
    """Open the app without a browser; gives the session's id."""
    url, protocol = f"{server.replace('http', 'ws')}/_stcore/stream", Subprotocol("streamlit")
    asked = BackMsg(rerun_script=ClientState(page_name="glossary"))
    with connect(url, origin=Origin(server), subprotocols=[protocol], max_size=None) as socket:
        socket.send(asked.SerializeToString())
        first = ForwardMsg.FromString(socket.recv())
        while first.WhichOneof("type") != "new_session":
            first = ForwardMsg.FromString(socket.recv())
        while ForwardMsg.FromString(socket.recv()).WhichOneof("type") != "script_finished":
            pass
        yield first.new_session.initialize.session_id


def stored(server: str) -> dict[str, int]:
    """How many files the server holds for each session."""
    found: dict[str, int] = json.load(urllib.request.urlopen(f"{server}/stored"))
    return found


def test_a_session_stores_a_few_files_and_is_told_why_no_more(server: str) -> None:
    with session(server) as one, session(server) as other:
        answers = [put_file(server, one, f"file-{n}", b"1" * SIZE) for n in range(MOST_FILES + 3)]
        assert answers == [(204, "")] * MOST_FILES + [(413, REFUSAL)] * 3
        assert put_file(server, other, "file", b"1" * SIZE)[0] == 204
        assert (stored(server)[one], stored(server)[other]) == (MOST_FILES, 1)


def test_files_that_come_at_once_are_counted_too(server: str) -> None:
    with session(server) as one, ThreadPoolExecutor(12) as senders:
        files = [senders.submit(put_file, server, one, f"file-{n}", b"1" * SIZE) for n in range(24)]
        assert {file.result()[0] for file in files} == {204, 413}
        assert 0 < stored(server)[one] <= MOST_FILES


def test_the_last_visitors_files_go_without_another_visitor(server: str) -> None:
    with session(server) as one:
        assert put_file(server, one, "file", b"1" * SIZE)[0] == 204
        assert stored(server)[one] == 1
    deadline = time.monotonic() + 10
    while stored(server):
        assert time.monotonic() < deadline, "the server still holds files of a tab that was closed"
        time.sleep(0.1)


class Tab:
    """A closed tab's session; its parts refer to each other, as Streamlit's do."""

    def __init__(self, name: str) -> None:
        self.id, self.itself, self.session_state, self.ended = name, self, SessionState(), False
        self.session_state["run"] = name

    def shutdown(self) -> None:
        self.ended = True

    @property
    def info(self) -> SessionInfo:
        return SessionInfo(client=None, session=self)  # type: ignore[arg-type]


class Closed:
    """The sessions of closed tabs; time passes in the test's hands."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.tabs = ClosedTabs(60.0, lambda _, call: self.waiting.append(call))

    def close(self, tab: Tab) -> None:
        self.tabs.save(SessionInfo(client=None, session=tab))  # type: ignore[arg-type]

    def let_time_pass(self) -> None:
        (call,) = self.waiting
        self.waiting = []
        call()

    @property
    def kept(self) -> list[str]:
        return [info.session.id for info in self.tabs.list()]


def test_a_closed_tab_is_kept_for_its_time_then_ended_and_emptied() -> None:
    closed, gone, back = Closed(), Tab("gone"), Tab("back")
    closed.close(gone)
    closed.close(back)
    closed.tabs.delete("back")  # the tab is open again
    assert closed.tabs.get("back") is None
    closed.let_time_pass()
    assert (gone.ended, "run" in gone.session_state, closed.kept) == (True, False, [])
    assert (back.ended, back.session_state["run"]) == (False, "back")
    closed.let_time_pass()  # for what work under way has held on to
    assert closed.waiting == []


def test_a_tab_that_is_closed_meanwhile_gets_its_whole_time() -> None:
    closed, early, late, again = Closed(), Tab("early"), Tab("late"), Tab("again")
    closed.close(again)
    closed.tabs.delete("again")  # the tab is open again
    closed.close(early)
    closed.close(again)
    closed.let_time_pass()
    closed.close(late)
    assert closed.kept == ["early", "again", "late"]
    closed.let_time_pass()
    assert closed.kept == ["late"]
    assert (early.ended, again.ended, late.ended) == (True, True, False)
    closed.let_time_pass()
    assert closed.kept == []


def test_a_dropped_session_is_collected_at_once() -> None:
    closed = Closed()
    closed.close(Tab("a"))
    left = weakref.ref(closed.tabs.list()[0].session)
    gc.collect()
    assert left() is not None
    closed.let_time_pass()
    assert left() is None


def test_a_session_that_work_under_way_holds_on_to_is_collected_later() -> None:
    closed = Closed()
    closed.close(Tab("a"))
    under_way = [closed.tabs.list()[0].session]
    left = weakref.ref(under_way[0])
    closed.let_time_pass()
    assert left() is not None
    under_way.clear()
    closed.let_time_pass()
    assert left() is None


def test_what_a_dropped_sessions_widgets_call_is_forgotten_even_if_streamlit_holds_on_to_the_session() -> (
    None
):
    class Page:
        def press(self) -> None:
            pass

    closed, tab, page = Closed(), Tab("a"), Page()
    button: WidgetMetadata[bool] = WidgetMetadata("b", bool, bool, "trigger_value", callback=page.press)
    tab.session_state._new_widget_state.set_widget_metadata(button)
    left = weakref.ref(page)
    del page, button
    closed.close(tab)
    closed.let_time_pass()
    assert left() is None


def test_only_so_many_closed_tabs_are_kept() -> None:
    closed, first = Closed(), Tab("first")
    closed.close(first)
    for number in range(MOST_CLOSED):
        closed.close(Tab(str(number)))
    assert first.ended
    assert len(closed.kept) == MOST_CLOSED
