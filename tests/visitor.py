"""A visitor without a browser: the whole app, run by Streamlit's own test harness."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.util import calc_hash

from rnnviz.training.executor import local_pool
from rnnviz.ui import address
from rnnviz.ui.catalogue import ENTRIES
from rnnviz.ui.chunk import Chunk, compute
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.screen import Screen
from rnnviz.ui.session import Session

ROOT = Path(__file__).parents[1]
SHELL = ROOT / "rnnviz" / "ui" / "shell.py"

# For each visitor the harness would read the metadata of all installed packages; a server does it once.
_installed = manifest_scanner.scan_component_manifests
manifest_scanner.scan_component_manifests = cache(_installed)  # type: ignore[assignment]
# And it would compile the page anew for each run; a server keeps what it has compiled, too.
local_script_runner.ScriptCache = cache(local_script_runner.ScriptCache)  # type: ignore[misc, assignment]
# And it would ask each millisecond whether the run has ended.
_asked = local_script_runner.require_widgets_deltas


def _awaited(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
    assert runner._script_thread is not None
    runner._script_thread.join(timeout)
    _asked(runner, timeout)


local_script_runner.require_widgets_deltas = _awaited


class Watching:
    """A browser's connection that is open, resumes what stands still, and asks for nothing."""

    asking = False

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def wake(self) -> None:
        self._screen.resume()

    def replace(self) -> None: ...


def train_here(run: LiveRun, steps: int) -> None:
    """Train a run that stands still in this process."""
    result = compute(Chunk(run.experiment, run.state, run.initial, steps=steps))
    run._newest = result.state, result.snapshot


def drawn_by_a_worker(run: LiveRun) -> dict[str, bytes]:
    """All watched pictures of a run's newest state, as a worker process draws them."""
    chunk = replace(run._chunk(), seconds=None, steps=0, pictures=run.pictures.due(every=True))
    chunk = replace(chunk, beside=run.moment().beside)
    return dict(local_pool().submit(compute, chunk).result().messages)


def turn_to(tab: AppTest, page: str) -> None:
    """Turn to a page, with all settings unfolded; ``switch_page`` does not know the first one's path."""
    tab._page_hash = calc_hash(ENTRIES[page].path or page)
    tab.session_state["more"] = True


class Tab:
    """One browser tab of the app; every look fails on an error that the page shows."""

    def __init__(self, page: str, **params: str) -> None:
        self.tab = AppTest.from_file(str(SHELL), default_timeout=30)
        self.go(page, **params)

    def go(self, page: str, **params: str) -> None:
        """Turn to a page, with parameters in its address."""
        turn_to(self.tab, page)
        for name, value in params.items():
            self.tab.query_params[name] = value
        self.look()

    def look(self) -> None:
        """Run the page once more."""
        self.tab.run()
        assert [error.message for error in self.tab.exception] == []

    def widget(self, kind: str, name: str) -> Any:
        """The one widget of that name, whatever generation its key has come to."""
        found = [w for w in getattr(self.tab, kind) if str(w.key).split("__")[0] == name]
        assert len(found) == 1, f"{name}: {[w.key for w in getattr(self.tab, kind)]}"
        return found[0]

    def go_back(self, **params: str) -> None:
        """Return to an address by the browser's Back or Forward."""
        for name in dict(self.tab.query_params):
            del self.tab.query_params[name]
        self.tab.query_params.update(params)
        with patch.object(address, "by_history", lambda: True):
            self.look()

    def press(self, key: str) -> None:
        self.tab.button(key=key).click()
        self.look()

    def look_until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Watch the page's runs, and run the page again and again."""
        deadline, watching = time.monotonic() + seconds, Watching(self.session.screen)
        self.session.screen.take(watching)
        while not condition():
            assert time.monotonic() < deadline, f"still not true; the page says: {self.html[:2000]}"
            time.sleep(0.05)
            self.look()
        self.session.screen.drop(watching)

    @property
    def session(self) -> Session:
        session: Session = self.tab.session_state["session"]
        return session

    @property
    def run(self) -> LiveRun:
        return self.session.run

    @property
    def messages(self) -> dict[str, bytes]:
        """The page's figures by name, as they were sent to the browser."""
        sent = [element.proto.bytes for element in self.tab.get("bidi_component") if element.proto.bytes]
        return {json.loads(message)["name"]: message for message in sent}

    @property
    def texts(self) -> list[str]:
        """All free HTML on the page."""
        return [element.proto.body for element in self.tab.get("html")]

    @property
    def notes(self) -> list[str]:
        """The boxes that say why there is nothing to show, or why something was rejected."""
        return [unescape(re.sub("<[^>]+>", "", t)) for t in self.texts if t.startswith("<p class='note")]

    @property
    def html(self) -> str:
        return "\n".join(self.texts)


@contextmanager
def copies() -> Iterator[list[str]]:
    """Collects the names of uploaded files that the server still has at the end of the block."""
    managers: list[MemoryUploadedFileManager] = []
    kept: list[str] = []

    def manager(endpoint: str) -> MemoryUploadedFileManager:
        managers.append(MemoryUploadedFileManager(endpoint))
        return managers[-1]

    with patch.object(local_script_runner, "MemoryUploadedFileManager", manager):
        yield kept
    assert managers, "nothing was uploaded"
    kept += [file.name for m in managers for files in m.file_storage.values() for file in files.values()]
