"""What the server and its workers hold in memory: `python -m tests.benchmarks.memory`.

Starts the app. One visitor comes and goes, so that all is loaded that is ever loaded; then a class that
plays, turns through all pages, changes T and uploads files; then ten of the largest runs at once. Printed
in MB (own pages, and a share of common ones): what the server holds, what its workers hold, and the most
that they held together.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from rnnviz.ui.catalogue import ENTRIES
from tests.benchmarks.classroom import HEAVIEST, Student, one_by_one, processes
from tests.browser.conftest import ROOT, free_port, running, streamlit
from tests.uploading import put_file

SESSION_SECONDS = 10
"""How long a closed tab's session is kept at least; 120 s unless the server is told otherwise."""

SETTLED_SECONDS = 5.0
FILES, FILE_BYTES = 12, 1_900_000
LENGTHS = (20, 80, 140, 200)
ALLOWED_MB = 30


@dataclass
class Visitor(Student):
    """A student who also turns through all pages, and uploads files without asking any page.

    answers : how often each upload was answered with which status.
    """

    answers: Counter[int] = field(default_factory=Counter)

    async def change_lengths(self) -> None:
        """Train for a while at several sequence lengths."""
        for length in LENGTHS:
            state = WidgetState(id=self._id("choose_seq_len"))
            state.double_array_value.data.append(length)
            await self._rerun(state, "T")
            await self.play("max")
            await asyncio.sleep(2.0)

    async def turn_through_all_pages(self) -> None:
        for name in ENTRIES:
            await self._turn_to("" if name == "home" else name)
            await asyncio.sleep(1.0)
        await self._turn_to("playground")

    async def upload(self, files: int = FILES) -> None:
        """Store files in the session, as any program can that has a session."""
        for number in range(files):
            answer = await asyncio.to_thread(
                put_file, self.server, self._session, f"file-{number}", os.urandom(FILE_BYTES)
            )
            self.answers[answer[0]] += 1

    async def visit(self) -> None:
        """Do all that the class does."""
        await self.play("max")
        await self.change_lengths()
        await self.turn_through_all_pages()
        await self.upload()

    async def _take(self, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "new_session":
            self._session = message.new_session.initialize.session_id
        await super()._take(message)


# What is measured


def held(pid: int) -> float:
    """Return what a process holds, in MB: its own pages, and its share of those that others have too."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:  # it has ended
        return 0.0
    sizes = {name: int(rest[0]) for name, *rest in map(str.split, lines) if rest[-1] == "kB"}
    return sizes["Pss:"] / 1024


def row(first: str, *rest: str) -> None:
    """Print a row of the table."""
    print("| " + " | ".join([f"{first:<36}", *(f"{text:>10}" for text in rest)]) + " |", flush=True)


@dataclass
class Memory:
    """Prints what the server at a URL and its workers hold."""

    url: str
    most: float = 0.0

    def tell(self, when: str, more: str = "") -> float:
        """Print one line; return the server's MB."""
        server, workers = processes(self.url)
        mine, theirs = held(server), [held(pid) for pid in workers]
        most = max(self.most, sum(theirs))
        row(when, f"{mine:.0f}", f"{len(theirs)}: {sum(theirs):.0f}", f"{most:.0f}", more)
        self.most = 0.0
        return mine

    async def watch(self, seconds: float) -> None:
        """Note the most that all workers hold at once, for a while."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.most = max(self.most, sum(map(held, processes(self.url)[1])))
            await asyncio.sleep(0.2)


async def together(visitors: list[Visitor], task: Callable[[Visitor], Awaitable[None]]) -> None:
    await asyncio.gather(*map(task, visitors))


async def measure(url: str, count: int, seconds: float, cell: str) -> None:
    """Let visitors come and go; print a line after each."""
    memory = Memory(url)
    memory.tell("the server alone")
    first = Visitor(url)
    await first.arrive()
    await first.visit()
    memory.tell("one visitor", statuses([first]))
    await first.leave()
    before = await rest(memory, "the visitor has left")

    room = [Visitor(url) for _ in range(count)]
    await asyncio.gather(*(visitor.arrive() for visitor in room))
    await together(room, Visitor.visit)
    memory.tell(f"{count} visitors", statuses(room))
    await together(room, Visitor.leave)
    after_class = await rest(memory, "they have left")

    large = [Visitor(url, HEAVIEST.replace(cell=cell)) for _ in range(count)]
    await asyncio.gather(*(visitor.arrive() for visitor in large))
    await one_by_one([visitor.play("max") for visitor in large])
    await memory.watch(seconds)
    updates = sum(visitor.steps[-1][1] for visitor in large if visitor.steps)
    memory.tell(f"{count} of the largest runs ({cell})", f"{updates} updates")
    await together(large, Visitor.leave)
    after_all = await rest(memory, "they have left")
    for name, now in (("a class", after_class), ("the largest runs", after_all)):
        print(f"after {name}: {now - before:+.0f} MB (allowed {ALLOWED_MB})")
    for error in [error for visitor in [first, *room, *large] for error in visitor.errors]:
        print("error:", error)


def statuses(visitors: list[Visitor]) -> str:
    """Return how uploads were answered."""
    answers = sum((visitor.answers for visitor in visitors), Counter[int]())
    return ", ".join(f"{count} × {status}" for status, count in sorted(answers.items()))


async def rest(memory: Memory, when: str) -> float:
    """Wait until the server has dropped the sessions of closed tabs; tell what is held then."""
    await asyncio.sleep(3 * SESSION_SECONDS + SETTLED_SECONDS)  # see ClosedTabs
    return memory.tell(when)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--visitors", type=int, default=10, metavar="N")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S")
    parser.add_argument("--cell", default="vanilla")
    parser.add_argument("--app", type=Path, default=ROOT / "app.py", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    port = free_port()
    command = [*streamlit(wanted.app, port), f"--server.disconnectedSessionTTL={SESSION_SECONDS}"]
    with tempfile.TemporaryDirectory() as folder, running(command, port, Path(folder) / "log"):
        row("MB", "server", "workers", "most", "")
        asyncio.run(measure(f"http://127.0.0.1:{port}", wanted.visitors, wanted.seconds, wanted.cell))


if __name__ == "__main__":
    main()
