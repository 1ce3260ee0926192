"""A whole class at once: `python -m tests.benchmarks.classroom --students 5 30 100 --seconds 30 --speed max`.

Starts the app. Each student is a real session: Streamlit's WebSocket for the page, the live channel for the
pictures. All open the playground and press Play; each moves a slider every 10 s and turns a page every 20 s.
The students compute on the same machine as the server.

Beside them, and not counted among them, may be visitors who ask for the most that the app offers: --heavy for
those who play the largest run at full speed, --sweeps for those who measure the largest phase diagrams.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from streamlit.proto.WidgetStates_pb2 import WidgetState

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.ui import channel
from rnnviz.ui.screen import HEAD_SIZE
from tests.browser.conftest import ROOT, serve

PATIENCE = 30.0
"""Seconds after which an answer counts as an error."""

SPREAD_SECONDS, SETTLE_SECONDS = 2.0, 3.0
"""A class does not press Play in the same millisecond; figures are taken when all play."""

SLIDE_EVERY, TURN_EVERY, AWAY_SECONDS = 10.0, 20.0, 2.0
NEWCOMERS_AT = (0.3, 0.5, 0.7)
"""Shares of the time after which somebody new opens the page."""

STEP = re.compile(rb"update <b>([\d,]+)</b>")
PARTS = re.compile(r"(\d+) of \d+ parts")

HEAVIEST = Experiment(seq_len=200, hidden_size=128, layers=3, batch_size=256)
DIAGRAM_SECONDS, PACE = 20.0, 0.25
"""Time after which a visitor begins another phase diagram, and that between two drawings of one, at least."""

CLOCK = os.sysconf("SC_CLK_TCK")


# One student


@dataclass
class Student:
    """One session, as a browser keeps it.

    experiment : what is opened; the app's own choice by default.
    pictures : when each timeline came, over either connection. steps : the training step that it showed.
    slides, pauses : seconds from a slider to its picture, and from Pause to the new button.
    errors : what the student would have seen go wrong.
    """

    server: str
    experiment: Experiment | None = None
    pictures: list[float] = field(default_factory=list)
    steps: list[tuple[float, int]] = field(default_factory=list)
    slides: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._query = self._script = self._token = ""
        self._page = 0
        self._widgets: dict[str, tuple[WidgetState, Element]] = {}
        self._changed = asyncio.Condition()
        self._runs = self._timelines = 0
        self._channel: websockets.ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._left = False

    async def arrive(self, page: str = "playground") -> float:
        """Open a page; return the seconds until it was there."""
        begun = time.perf_counter()
        await asyncio.to_thread(lambda: urllib.request.urlopen(f"{self.server}/{page}").read())
        self._stream = await self._connect("_stcore/stream", ["streamlit"])
        self._tasks.append(asyncio.create_task(self._listen()))
        await self._turn_to(page, self.experiment)
        return time.perf_counter() - begun

    async def play(self, speed: str) -> None:
        """Choose a speed and press Play."""
        state = WidgetState(id=self._id("speed"))
        state.string_array_value.data.append(speed)
        await self._rerun(state, "speed")
        await self._rerun(WidgetState(id=self._id("play"), trigger_value=True), "play")

    async def pause(self) -> None:
        """Press Pause, and wait for the button to become another."""
        if not (pause := self._id("play")):
            return
        if self._label(pause) != "Pause":
            self.errors.append("nothing played when Pause was to be pressed")
            return
        begun, runs = time.perf_counter(), self._runs
        await self._ask(WidgetState(id=pause, trigger_value=True))
        await self._until(lambda: self._label(pause) != "Pause", "pause")
        self.pauses.append(time.perf_counter() - begun)
        await self._until(lambda: self._runs > runs, "pause")

    async def slide(self) -> None:
        """Move the slider of the learning rate, and wait for the picture."""
        if not (name := self._id("choose_learning_rate")):
            return
        state, element = self._widgets[name]
        options, (now,) = list(element.slider.options), state.string_array_value.data
        place = options.index(now)
        moved = WidgetState(id=name)
        moved.string_array_value.data.append(options[place - 1 if place else 1])
        begun, seen, runs = time.perf_counter(), self._timelines, self._runs
        await self._ask(moved)
        await self._until(lambda: self._timelines > seen, "slider")
        self.slides.append(time.perf_counter() - begun)
        await self._until(lambda: self._runs > runs, "slider")

    async def turn(self) -> None:
        """Turn to another page, and back after a while."""
        await self._turn_to("types")
        self.pictures.append(float("nan"))  # the time away is no gap between pictures
        await asyncio.sleep(AWAY_SECONDS)
        await self._turn_to("playground")

    async def leave(self) -> None:
        """Close the tab."""
        self._left = True
        for socket in filter(None, [self._channel, self._stream]):
            await socket.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Streamlit's connection

    async def _connect(self, path: str, protocols: list[str] | None = None) -> websockets.ClientConnection:
        return await websockets.connect(
            f"{self.server.replace('http', 'ws', 1)}/{path}",
            subprotocols=[websockets.Subprotocol(name) for name in protocols or []] or None,
            origin=websockets.Origin(self.server),
            compression=None,
            max_size=None,
            ping_interval=None,
            open_timeout=PATIENCE,
        )

    async def _turn_to(self, page: str, experiment: Experiment | None = None) -> None:
        self._script, runs = "", self._runs
        self._query = urlencode(to_params(experiment)) if experiment else ""
        self._widgets.clear()
        await self._ask(page_name=page)
        await self._until(lambda: self._runs > runs, page)

    async def _rerun(self, state: WidgetState, what: str) -> None:
        runs = self._runs
        await self._ask(state)
        await self._until(lambda: self._runs > runs, what)

    async def _ask(self, changed: WidgetState | None = None, page_name: str = "", fragment: str = "") -> None:
        state = ClientState(
            query_string=self._query,
            page_script_hash=self._script,
            page_name=page_name,
            fragment_id=fragment,
        )
        kept = {name: known for name, (known, _) in self._widgets.items() if known.WhichOneof("value")}
        state.widget_states.widgets.extend((kept | ({changed.id: changed} if changed else {})).values())
        state.context_info.color_scheme = "light"
        state.context_info.url = f"{self.server}/playground?{self._query}"
        await self._stream.send(BackMsg(rerun_script=state).SerializeToString())

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with self._changed:
                await asyncio.wait_for(self._changed.wait_for(condition), PATIENCE)
        except TimeoutError:
            self.errors.append(f"{what}: no answer within {PATIENCE:g} s")

    def _id(self, key: str) -> str:
        """Return a widget's id; "", and one error more, if it is not there, as on a page that is late."""
        found = next((name for name in self._widgets if re.search(rf"-{key}(__\d+)?$", name)), "")
        self.errors += [] if found else [f"{key} is not on the page"]
        return found

    def _label(self, button: str) -> str:
        """Return what a button says."""
        return self._widgets[button][1].button.label

    async def _listen(self) -> None:
        try:
            async for data in self._stream:
                await self._take(ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode()))
        except websockets.ConnectionClosed as closed:
            if not self._left:
                self.errors.append(f"Streamlit's connection was lost: {closed}")

    async def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            await self._draw(message.delta.new_element, message.delta.fragment_id)
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "script_finished":
            self._runs += message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        async with self._changed:
            self._changed.notify_all()

    async def _draw(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}"[:200])
        elif kind == "bidi_component" and element.bidi_component.id.endswith("-timeline"):
            self._timelines += 1
            self._see(element.bidi_component.bytes)
        elif kind == "bidi_component" and element.bidi_component.id.endswith("-channel"):
            await self._show(json.loads(element.bidi_component.json))
        elif state := untouched(kind, element):
            self._widgets[state.id] = state, element

    def _see(self, message: bytes) -> None:
        self.pictures.append(time.perf_counter())
        if told := STEP.search(message):
            self.steps.append((self.pictures[-1], int(told[1].replace(b",", b""))))

    # The live channel

    async def _show(self, told: dict[str, str | int]) -> None:
        self._token, self._page = str(told["token"]), int(told["page"])
        if told["live"] and self._channel is None:
            self._channel = await self._connect(channel.URL)
            await self._channel.send(self._token)
            self._tasks.append(asyncio.create_task(self._follow(self._channel)))
        if self._channel is not None:
            await self._ask_for_pictures(self._channel)

    async def _ask_for_pictures(self, socket: websockets.ClientConnection) -> None:
        await socket.send(json.dumps({"page": self._page}))

    async def _follow(self, socket: websockets.ClientConnection) -> None:
        try:
            async for data in socket:
                await self._ask_for_pictures(socket)
                self._answer(data if isinstance(data, bytes) else data.encode())
        except websockets.ConnectionClosed as closed:
            if not self._left:
                self.errors.append(f"the live channel was lost: {closed}")

    def _answer(self, data: bytes) -> None:
        (size,) = HEAD_SIZE.unpack_from(data)
        start = HEAD_SIZE.size + size
        head = json.loads(data[HEAD_SIZE.size : start])
        self._hear(head["news"])
        for picture in head["pictures"]:
            if picture["name"] == "timeline" and head["page"] == self._page:
                self._see(data[start : start + picture["size"]])
            start += picture["size"]

    def _hear(self, news: dict[str, int]) -> None:
        """Hear which drawings of fragments are out of date; the playground has none."""


@dataclass
class Measurer(Student):
    """A visitor of the laboratory, who measures one phase diagram of the widest networks after the other.

    parts : when another part of a diagram was seen to be done.
    """

    parts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._fragment, self._drawing, self._done = "", -1, 0

    async def measure(self, seconds: float) -> None:
        """Begin another diagram now and then."""
        await self.arrive("laboratory")
        end, units = time.perf_counter() + seconds, HEAVIEST.hidden_size
        while time.perf_counter() < end:
            await self._turn_to("laboratory", Experiment(hidden_size=units))
            state = WidgetState(id=self._id("instrument"))
            state.string_array_value.data.append("Border")
            await self._rerun(state, "phase diagram")
            await asyncio.sleep(min(DIAGRAM_SECONDS, max(0.0, end - time.perf_counter())))
            units -= 1

    async def _draw(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "bidi_component" and element.bidi_component.id.endswith("-following_border"):
            self._fragment, self._drawing = fragment, json.loads(element.bidi_component.json)["drawing"]
        elif kind == "progress" and (told := PARTS.search(element.progress.text)):
            self.parts += [time.perf_counter()] * max(0, int(told[1]) - self._done)
            self._done = int(told[1])
        await super()._draw(element, fragment)

    def _hear(self, news: dict[str, int]) -> None:
        if "border" in news:
            self._tasks.append(asyncio.create_task(self._draw_anew(news["border"])))

    async def _draw_anew(self, old: int) -> None:
        await asyncio.sleep(PACE)
        if old >= self._drawing and not self._left:
            await self._ask(fragment=self._fragment)


def untouched(kind: str | None, element: Element) -> WidgetState | None:
    """Return what a browser reports of a widget as the server drew it; None if it is no widget."""
    if kind not in ("button", "checkbox", "selectbox", "button_group", "slider", "number_input"):
        return None
    widget = getattr(element, kind)
    state = WidgetState(id=widget.id)
    if kind == "checkbox":
        state.bool_value = widget.value if widget.set_value else widget.default
    elif kind == "selectbox" and widget.options:
        state.string_value = widget.raw_value if widget.set_value else widget.options[widget.default]
    elif kind == "button_group":
        first = [widget.options[k].content for k in widget.default]
        state.string_array_value.data.extend(widget.raw_values if widget.set_value else first)
    elif kind == "slider" and widget.type == Slider.SELECT_SLIDER:
        first = [widget.options[int(k)] for k in widget.default]
        state.string_array_value.data.extend(widget.raw_value if widget.set_value else first)
    elif kind == "slider":
        state.double_array_value.data.extend(widget.value if widget.set_value else widget.default)
    elif kind == "number_input" and widget.data_type == widget.INT:
        state.int_value = int(widget.value if widget.set_value else widget.default)
    elif kind == "number_input":
        state.double_value = widget.value if widget.set_value else widget.default
    return state


# The machine


def seconds_of(pids: list[int]) -> float:
    """Return the processor seconds that processes used; those that have ended count as nothing."""
    used = 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        used += int(stat[11]) + int(stat[12])
    return used / CLOCK


def peak(pids: list[int]) -> float:
    """Return the most memory that processes have held so far, added up, in MB."""
    held = 0
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            continue
        held += sum(int(size) for size in re.findall(r"VmHWM:\s+(\d+) kB", status))
    return held / 1000


def processes(url: str) -> tuple[int, list[int]]:
    """Return the server at a URL, and its workers."""
    port, parents, server = urlsplit(url).port, {}, 0
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_text(encoding="utf-8") if folder.name.isdigit() else ""
            stat = (folder / "stat").read_text(encoding="utf-8") if command else ""
        except OSError:
            continue
        if command:
            parents[int(folder.name)] = int(stat.rsplit(")", 1)[1].split()[1])
            server = int(folder.name) if f"--server.port={port}" in command else server
    return server, [pid for pid, parent in parents.items() if parent == server]


# The lesson


@dataclass(frozen=True)
class Company:
    """How many visitors ask for the most beside a class. heavy : largest runs. sweeps : phase diagrams."""

    heavy: int = 0
    sweeps: int = 0


async def lesson(url: str, students: int, seconds: float, speed: str, company: Company) -> dict[str, str]:
    """Let a class work for a while; return what is to be said of it."""
    first = Student(url)  # the first visitor of all warms the server up
    await first.arrive()
    await first.leave()
    room = [Student(url) for _ in range(students)]
    heavy = [Student(url, HEAVIEST) for _ in range(company.heavy)]
    measurers = [Measurer(url) for _ in range(company.sweeps)]
    arrived = await asyncio.gather(*(student.arrive() for student in room))
    await asyncio.gather(*(visitor.arrive() for visitor in heavy))

    await one_by_one([student.play(speed) for student in room] + [visitor.play("max") for visitor in heavy])
    measuring = [asyncio.create_task(m.measure(SETTLE_SECONDS + seconds)) for m in measurers]
    await asyncio.sleep(SETTLE_SECONDS)
    server, workers = processes(url)
    used, begun = (seconds_of([server]), seconds_of(workers)), time.perf_counter()
    busy = [asyncio.create_task(work(s, k / students, seconds)) for k, s in enumerate(room)]
    newcomers = [asyncio.create_task(newcomer(url, share * seconds)) for share in NEWCOMERS_AT]
    await asyncio.sleep(seconds)
    ended = time.perf_counter()
    cores = [
        (now - before) / (ended - begun)
        for now, before in zip((seconds_of([server]), seconds_of(workers)), used, strict=True)
    ]
    waited = await asyncio.gather(*newcomers)
    await asyncio.gather(*busy)
    await one_by_one([student.pause() for student in room])
    await asyncio.gather(*measuring)
    for visitor in [*room, *heavy, *measurers]:
        await visitor.leave()
    used_memory = [peak([server]), peak(workers)]
    table = summary(room, begun, ended, arrived, waited, cores)
    table["memory at most: server, workers (MB)"] = ", ".join(f"{size:.0f}" for size in used_memory)
    if heavy:
        table |= {f"largest runs: {name}": text for name, text in progress(heavy, begun, ended).items()}
    if measurers:
        parts = [sum(begun <= t <= ended for t in m.parts) / (ended - begun) for m in measurers]
        table["phase diagrams: rows a second: all, least"] = f"{sum(parts):.1f}, {min(parts):.1f}"
    errors = [error for visitor in [*heavy, *measurers] for error in visitor.errors]
    return table | ({"errors of the others": told(errors)} if heavy or measurers else {})


async def one_by_one(presses: Sequence[Awaitable[None]]) -> None:
    """Let everybody press a button within SPREAD_SECONDS."""

    async def after(wait: float, press: Awaitable[None]) -> None:
        await asyncio.sleep(wait)
        await press

    await asyncio.gather(*(after(k * SPREAD_SECONDS / len(presses), p) for k, p in enumerate(presses)))


async def work(student: Student, share: float, seconds: float) -> None:
    """Move a slider and turn a page now and then; share : this student's place in the class, 0 to 1."""
    end, slide, turn = time.perf_counter() + seconds, SLIDE_EVERY * share, TURN_EVERY * (0.5 + share)
    begun = time.perf_counter()
    while (due := begun + min(slide, turn)) < end - AWAY_SECONDS - 1.0:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if slide <= turn:
            slide += SLIDE_EVERY
            await student.slide()
        else:
            turn += TURN_EVERY
            await student.turn()


async def newcomer(url: str, wait: float) -> float:
    """Open the page after a while; return the seconds until it was there."""
    await asyncio.sleep(wait)
    student = Student(url)
    seconds = await student.arrive()
    await student.leave()
    return seconds


def summary(
    room: list[Student],
    begun: float,
    ended: float,
    arrived: list[float],
    waited: list[float],
    cores: list[float],
) -> dict[str, str]:
    """Return the figures of a lesson."""
    errors = [error for student in room for error in student.errors]
    return {
        "students": f"{len(room)}",
        "errors": told(errors),
        **progress(room, begun, ended),
        "slider to picture, p95 (s)": f"{quantile([t for s in room for t in s.slides], 0.95):.2f}",
        "all open the page at once, last (s)": f"{max(arrived):.2f}",
        "a newcomer's page, slowest (s)": f"{max(waited):.2f}",
        "Pause, p95 (s)": f"{quantile([t for s in room for t in s.pauses], 0.95):.2f}",
        "cores: server, workers": f"{cores[0]:.2f}, {cores[1]:.2f}",
        "load of the machine (1 min)": f"{os.getloadavg()[0]:.1f}",
    }


def progress(room: list[Student], begun: float, ended: float) -> dict[str, str]:
    """Return how the pictures of some visitors moved, and how their networks trained."""
    passed = ended - begun
    seen = [[t for t in s.pictures if not begun > t and not t > ended] for s in room]  # with NaN for absences
    rates = [sum(t == t for t in times) / passed for times in seen]
    gaps = [b - a for times in seen for a, b in pairwise([begun, *times, ended]) if b - a == b - a]
    trained = [max((n for t, n in s.steps if begun <= t <= ended), default=0) for s in room]
    before = [max((n for t, n in s.steps if t < begun), default=0) for s in room]
    speeds = [max(0, after - first) / passed for after, first in zip(trained, before, strict=True)]
    middle = statistics.median(speeds)
    share = min(speeds) / middle if middle else float("nan")
    return {
        "pictures a second: median, least": f"{statistics.median(rates):.1f}, {min(rates):.1f}",
        "gap between pictures: p95, longest (s)": f"{quantile(gaps, 0.95):.2f}, {max(gaps):.2f}",
        "updates a second: median, slowest / median": f"{middle:.{0 if middle >= 10 else 2}f}, {share:.2f}",
    }


def told(errors: list[str]) -> str:
    """Return the number of errors, and the first one."""
    return f"{len(errors)}" + (f": {errors[0]}" if errors else "")


def quantile(values: list[float], share: float) -> float:
    """Return a quantile; NaN of nothing."""
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))] if ordered else float("nan")


def main() -> None:
    """Hold a lesson for each size of class, each with a server of its own, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, nargs="+", default=[10, 30], metavar="N")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S")
    parser.add_argument("--heavy", type=int, default=0, metavar="N", help="visitors with the largest runs")
    parser.add_argument("--sweeps", type=int, default=0, metavar="N", help="visitors with phase diagrams")
    parser.add_argument("--speed", default="max", choices=["1/s", "5/s", "25/s", "max"])
    wanted = parser.parse_args()
    columns = []
    for students in wanted.students:
        with tempfile.TemporaryDirectory() as folder, serve(ROOT / "app.py", Path(folder) / "log") as url:
            company = Company(wanted.heavy, wanted.sweeps)
            columns.append(asyncio.run(lesson(url, students, wanted.seconds, wanted.speed, company)))
    for name in columns[0]:
        print(f"| {name:<44} | " + " | ".join(f"{column[name]:>12}" for column in columns) + " |")


if __name__ == "__main__":
    main()
