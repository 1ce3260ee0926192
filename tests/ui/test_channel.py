"""The live channel over a real socket: who may connect, what is sent, and when a run stops."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from rnnviz.ui import channel
from rnnviz.ui.channel import LONGEST_MESSAGE, REPLACED, UNCLEAR, UNKNOWN, Unclear, understood
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.pictures import Picture
from rnnviz.ui.screen import HEAD_SIZE, HIDDEN_SECONDS, VERSION, Screen, packed, screens
from tests.ui.test_run_phases import CHUNK, Bench, Caption, HandClock
from tests.visitor import Watching

SECONDS = 10.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The channel's route alone, served as Streamlit serves it."""
    from app import routes

    config = uvicorn.Config(
        Starlette(routes=[route for route in routes if "live" in route.path]),
        port=0,
        ws="websockets-sansio",
        log_level="critical",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    wait_for(lambda: server.started)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(SECONDS)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Stage:
    """A screen whose page shows one run; its clock and the run's workers are in the test's hands."""

    def __init__(self, **settings: Any) -> None:
        self.bench, self.clock = Bench(**settings), HandClock()
        self.screen = Screen(lambda: self.clock.now)
        self.draw_page()

    @property
    def run(self) -> LiveRun:
        return self.bench.run

    def draw_page(self, name: str = "seen") -> None:
        """Run the page's script."""
        self.screen.begin({self.run: self.run.stops})
        self.screen.add(self.run, {"a": (Picture(Caption(name)), self.run.state)})
        self.screen.show()


@pytest.fixture
def stage() -> Stage:
    return Stage()


@contextmanager
def opened(server: str, token: str, path: str = "/live", **how: Any) -> Iterator[ClientConnection]:
    with connect(f"{server}{path}", compression=None, **how) as socket:
        socket.send(token)
        yield socket


@contextmanager
def shown(server: str, stage: Stage) -> Iterator[ClientConnection]:
    """A connection that a stage's screen has taken."""
    with opened(server, stage.screen.token) as socket:
        wait_for(lambda: stage.screen.open)
        yield socket


def ask(socket: ClientConnection, page: int) -> None:
    socket.send(orjson.dumps({"page": page}).decode())


def hear(socket: ClientConnection) -> tuple[dict[str, Any], dict[str, str]]:
    """The next answer: its head, and the messages by name."""
    data = socket.recv(SECONDS)
    assert isinstance(data, bytes)
    (size,) = HEAD_SIZE.unpack_from(data)
    start = HEAD_SIZE.size + size
    head, messages = orjson.loads(data[HEAD_SIZE.size : start]), {}
    for picture in head["pictures"]:
        messages[picture["name"]] = data[start : start + picture["size"]].decode()
        start += picture["size"]
    assert start == len(data)
    return head, messages


def silent(socket: ClientConnection, seconds: float = 0.15) -> bool:
    try:
        socket.recv(seconds)
    except TimeoutError:
        return True
    return False


def code_of(socket: ClientConnection) -> int:
    """The code with which the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(SECONDS)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


# Who may connect


def test_a_token_has_at_least_144_bits_and_none_is_like_another() -> None:
    tokens = {Screen().token for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[\w-]{24,}", token) for token in tokens), "six bits a character"


def test_a_token_ends_with_its_screen() -> None:
    screen = Screen()
    token = screen.token
    assert screens()[token] is screen
    del screen
    assert token not in screens()


def test_a_hot_reload_finds_the_screens_of_the_route_that_was_there_before() -> None:
    screen, spec = Screen(), importlib.util.find_spec("rnnviz.ui.screen")
    assert spec is not None
    assert spec.loader is not None
    reloaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reloaded)
    assert reloaded.screens is not screens
    assert reloaded.screens()[screen.token] is screen


@pytest.mark.parametrize("token", ["", "no such token", "x" * (LONGEST_MESSAGE - 1)])
def test_an_unknown_token_is_told_by_a_code_after_the_handshake(server: str, token: str) -> None:
    with opened(server, token) as socket:
        assert code_of(socket) == UNKNOWN


def test_the_path_may_lie_below_a_base(server: str, stage: Stage) -> None:
    with opened(server, stage.screen.token, "/some/base/live"):
        wait_for(lambda: stage.screen.open)


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1.evil.example", "null"])
def test_another_site_is_refused(
    server: str, stage: Stage, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "is_url_from_allowed_origins", lambda url: False)  # it asks the network
    with pytest.raises(InvalidStatus), opened(server, stage.screen.token, origin=origin):
        pass
    assert not stage.screen.open


def test_our_own_site_is_not_refused(server: str, stage: Stage) -> None:
    with opened(server, stage.screen.token, origin=server.replace("ws", "http")):
        wait_for(lambda: stage.screen.open)


@pytest.mark.parametrize(
    "message",
    [
        "x" * (LONGEST_MESSAGE + 1),
        "no json",
        "[1]",
        '{"page": true}',
        '{"page": 1.5}',
        '{"hidden": 1}',
        '{"play": 1}',
        b'{"page": 1}',
    ],
)
def test_an_unclear_message_ends_the_connection(server: str, stage: Stage, message: str | bytes) -> None:
    with opened(server, stage.screen.token) as socket:
        socket.send(message)
        assert code_of(socket) == UNCLEAR
    wait_for(lambda: not stage.screen.open)


def test_who_says_no_token_is_not_waited_for(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "TOKEN_SECONDS", 0.05)
    with connect(f"{server}/live", compression=None) as socket:
        assert code_of(socket) == UNCLEAR


def test_what_is_understood() -> None:
    assert understood('{"page": 7}') == {"page": 7}
    assert understood('{"page": 7, "hidden": false}') == {"page": 7, "hidden": False}
    assert understood('{"picture": "a", "look": 4}') == {"picture": "a", "look": 4}
    with pytest.raises(Unclear):
        understood("7")


# What is sent


def test_each_question_gets_one_answer_with_the_newest_pictures(server: str, stage: Stage) -> None:
    with shown(server, stage) as socket:
        ask(socket, stage.screen.page)
        assert silent(socket), "the page has drawn this state itself"
        stage.run.play()
        stage.bench.pool.finish()
        head, messages = hear(socket)
        assert head | {"pictures": 0} == {
            "version": VERSION,
            "page": stage.screen.page,
            "stale": False,
            "news": {},
            "pictures": 0,
        }
        assert messages == {"a": f"seen {CHUNK} plays"}
        stage.bench.pool.finish()
        assert silent(socket), "nobody has asked"
        stage.run.step()
        stage.bench.pool.finish(1)
        stage.run.step()
        stage.bench.pool.finish(1)
        ask(socket, stage.screen.page)
        assert hear(socket)[1] == {"a": f"seen {2 * CHUNK + 2} rests"}, "the newest one, and not all of them"


def test_a_question_about_an_earlier_page_waits_for_the_browser(server: str, stage: Stage) -> None:
    with shown(server, stage) as socket:
        ask(socket, stage.screen.page)
        stage.draw_page()
        stage.run.step()
        stage.bench.pool.finish()
        assert silent(socket), "the browser shows another page"
        ask(socket, stage.screen.page)
        assert hear(socket)[1] == {"a": "seen 1 rests"}


def test_nothing_is_sent_while_the_page_is_drawn(server: str, stage: Stage) -> None:
    with shown(server, stage) as socket:
        ask(socket, stage.screen.page)
        stage.screen.begin({})
        stage.run.step()
        stage.bench.pool.finish()
        assert silent(socket)


def test_a_run_that_stops_by_itself_is_told_once_a_page(server: str) -> None:
    stage = Stage(until=CHUNK)
    with shown(server, stage) as socket:
        stage.run.play()
        stage.bench.pool.finish()
        ask(socket, stage.screen.page)
        assert hear(socket)[0]["stale"]
        ask(socket, stage.screen.page)
        assert silent(socket), "once is enough: the browser insists"
        stage.draw_page()
        ask(socket, stage.screen.page)
        assert silent(socket), "now the page shows it"


def test_a_stop_while_the_page_is_drawn_is_not_missed(stage: Stage) -> None:
    stage.screen.take(Watching(stage.screen))
    stage.run.until = CHUNK
    stage.run.play()
    stage.screen.begin({stage.run: stage.run.stops})
    stage.bench.pool.finish()
    stage.screen.add(stage.run, {"a": (Picture(Caption()), stage.run.state)})
    stage.screen.show()
    assert stage.screen.stale


def test_neither_pause_nor_a_single_step_needs_the_page_to_be_drawn_anew(stage: Stage) -> None:
    stage.screen.take(Watching(stage.screen))
    stage.run.step()
    stage.bench.pool.finish()
    assert not stage.screen.stale
    stage.run.play()
    stage.run.pause()
    assert not stage.screen.stale


def test_two_runs_share_a_connection(server: str, stage: Stage) -> None:
    other = Bench()
    stage.screen.begin({})
    stage.screen.add(stage.run, {"a": (Picture(Caption("one")), stage.run.state)})
    stage.screen.add(other.run, {"b": (Picture(Caption("other")), other.run.state)})
    stage.screen.show()
    with shown(server, stage) as socket:
        for bench in (stage.bench, other):
            bench.run.step()
            bench.pool.finish()
        ask(socket, stage.screen.page)
        assert hear(socket)[1] == {"a": "one 1 rests", "b": "other 1 rests"}
        other.run.play()
        other.pool.finish()
        ask(socket, stage.screen.page)
        assert hear(socket)[1] == {"b": f"other {1 + CHUNK} plays"}, "only what is new"
    wait_for(lambda: not stage.screen.open)
    other.pool.finish()
    assert other.pool.chunks == [], "it was the lease of both"


def test_a_browser_looks_back_at_the_run_of_a_picture_and_at_no_other(server: str, stage: Stage) -> None:
    run, pool = stage.run, stage.bench.pool
    with shown(server, stage) as socket:
        run.play()
        pool.finish()
        run.pause()
        pool.finish()  # of no use any more
        stage.draw_page()
        socket.send(orjson.dumps({"picture": "another", "look": 1}).decode())
        socket.send(orjson.dumps({"picture": "a", "look": 3}).decode())
        ask(socket, stage.screen.page)
        wait_for(lambda: bool(pool.chunks))
        pool.finish()
        head, messages = hear(socket)
        assert messages == {"a": "seen 3 rests"}
        assert [picture["step"] for picture in head["pictures"]] == [3]
        assert not head["stale"], "the page need not be drawn anew"
    assert pool.chunks == []


def test_an_answer_without_pictures_is_a_head() -> None:
    data = packed({"page": 3, "stale": True}, {})
    assert orjson.loads(data[HEAD_SIZE.size :]) == {
        "version": VERSION,
        "page": 3,
        "stale": True,
        "pictures": [],
    }


# What fragments follow


class Work:
    """Something that a fragment follows; its results come when the test says so."""

    def __init__(self) -> None:
        self.version = self.resumed = 0

    def resume(self) -> None:
        self.resumed += 1


def follow_on_page(screen: Screen, work: Work, name: str = "phase") -> int:
    """Run the script of a page that follows some work; return the number of the drawing."""
    screen.begin({})
    number = screen.follow(name, work, work.version)
    screen.show()
    return number


def finish_part(screen: Screen, work: Work) -> None:
    work.version += 1
    screen.wake()


def test_a_page_without_runs_opens_the_connection_for_what_it_follows() -> None:
    screen = Screen()
    screen.begin({})
    screen.show()
    assert not screen.live
    follow_on_page(screen, Work())
    assert screen.live


def test_news_of_a_drawing_are_told_once_and_again_only_after_the_next_drawing(server: str) -> None:
    screen, work = Screen(), Work()
    first = follow_on_page(screen, work)
    with opened(server, screen.token) as socket:
        ask(socket, screen.page)
        assert silent(socket), "all of it is drawn"
        finish_part(screen, work)
        head, messages = hear(socket)
        assert (head["news"], head["stale"], messages) == ({"phase": first}, False, {})
        ask(socket, screen.page)
        finish_part(screen, work)
        assert silent(socket), "the browser insists, however many results there are"
        second = screen.follow("phase", work, work.version)  # the fragment alone runs again
        assert silent(socket)
        finish_part(screen, work)
        assert hear(socket)[0]["news"] == {"phase": second}
        assert second > first


def test_a_result_that_came_while_a_fragment_was_drawn_is_not_missed(server: str) -> None:
    screen, work = Screen(), Work()
    screen.begin({})
    version, work.version = work.version, 1
    number = screen.follow("phase", work, version)
    screen.show()
    with opened(server, screen.token) as socket:
        ask(socket, screen.page)
        assert hear(socket)[0]["news"] == {"phase": number}


def test_a_fragment_that_begins_anew_is_told_of_the_new_results(server: str) -> None:
    screen, before, after = Screen(), Work(), Work()
    follow_on_page(screen, before)
    with opened(server, screen.token) as socket:
        ask(socket, screen.page)
        finish_part(screen, before)
        assert hear(socket)[0]["news"]
        number = screen.follow("phase", after, 0)
        wait_for(lambda: after.resumed > 0)
        ask(socket, screen.page)
        finish_part(screen, before)
        assert silent(socket), "nobody looks at that any more"
        finish_part(screen, after)
        assert hear(socket)[0]["news"] == {"phase": number}


def test_a_new_connection_hears_the_news_again(server: str) -> None:
    screen, work = Screen(), Work()
    number = follow_on_page(screen, work)
    work.version = 1
    for _ in range(2):
        with opened(server, screen.token) as socket:
            ask(socket, screen.page)
            assert hear(socket)[0]["news"] == {"phase": number}


def test_work_is_seen_while_its_page_is_on_the_screen_of_somebody() -> None:
    screen, work = Screen(), Work()
    follow_on_page(screen, work)
    assert not screen.sees(work), "nobody is connected"
    watching = Watching(screen)
    screen.take(watching)
    assert screen.sees(work)
    screen.begin({})
    assert screen.sees(work), "until the next page is drawn"
    screen.show()
    assert not screen.sees(work)
    follow_on_page(screen, work)
    assert screen.sees(work)
    screen.drop(watching)
    assert not screen.sees(work)


def test_what_is_followed_is_resumed_by_a_connection_and_by_a_page(server: str) -> None:
    screen, work = Screen(), Work()
    follow_on_page(screen, work)
    assert work.resumed == 0, "nobody sees it"
    with opened(server, screen.token):
        wait_for(lambda: work.resumed == 1)
        screen.wake()
        wait_for(lambda: work.resumed == 2)
        follow_on_page(screen, work)
        wait_for(lambda: work.resumed == 3)


# The lease


def test_the_run_stops_when_the_connection_ends(server: str, stage: Stage) -> None:
    with shown(server, stage):
        stage.run.play()
        stage.bench.pool.finish()
        assert len(stage.bench.pool.chunks) == 1
    wait_for(lambda: not stage.screen.open)
    stage.bench.pool.finish()
    assert (stage.bench.pool.chunks, stage.run.playing) == ([], True)
    with opened(server, stage.screen.token) as socket:
        wait_for(lambda: len(stage.bench.pool.chunks) == 1)  # it goes on with the next connection
        ask(socket, stage.screen.page)
        assert hear(socket)[1] == {"a": f"seen {CHUNK} plays"}, "what nobody has fetched is sent now"


def test_the_newest_connection_wins(server: str, stage: Stage) -> None:
    with shown(server, stage) as first, opened(server, stage.screen.token) as second:
        assert code_of(first) == REPLACED
        stage.run.step()
        stage.bench.pool.finish()
        ask(second, stage.screen.page)
        assert hear(second)[1] == {"a": "seen 1 rests"}
        assert stage.screen.open


def test_a_hidden_tab_keeps_its_runs_for_a_minute(server: str, stage: Stage) -> None:
    with shown(server, stage) as socket:
        stage.run.play()
        socket.send('{"hidden": true}')
        wait_for(lambda: stage.screen._hidden_since is not None)
        stage.clock.pass_(HIDDEN_SECONDS - 1)
        socket.send('{"hidden": true}')  # said twice, it is still the same minute
        stage.bench.pool.finish()
        assert len(stage.bench.pool.chunks) == 1
        stage.clock.pass_(1)
        stage.bench.pool.finish()
        assert stage.bench.pool.chunks == []
        socket.send('{"hidden": false}')
        wait_for(lambda: len(stage.bench.pool.chunks) == 1)


def test_a_lost_chunk_is_submitted_again_by_the_connection(server: str, stage: Stage) -> None:
    with shown(server, stage):
        stage.run.play()
        stage.bench.pool.lose(RuntimeError("a worker died"))
        wait_for(lambda: len(stage.bench.pool.chunks) == 1)


def test_a_pool_that_takes_its_time_delays_no_other_connection(server: str, stage: Stage) -> None:
    other, go = Stage(), threading.Event()

    def slow() -> Any:
        go.wait(SECONDS)
        return stage.bench.pool

    with opened(server, stage.screen.token), opened(server, other.screen.token) as socket:
        wait_for(lambda: stage.screen.open and other.screen.open)
        stage.run.play()
        stage.run._pool = slow
        stage.bench.pool.lose(RuntimeError("a worker died"))
        other.run.step()
        other.bench.pool.finish()
        ask(socket, other.screen.page)
        assert hear(socket)[1] == {"a": "seen 1 rests"}
        go.set()
        wait_for(lambda: len(stage.bench.pool.chunks) == 1)


def test_a_page_without_a_run_ends_the_lease_of_the_one_before(server: str, stage: Stage) -> None:
    with shown(server, stage):
        stage.run.play()
        stage.screen.begin({})
        stage.screen.show()
        assert not stage.screen.live
        stage.bench.pool.finish()
        assert (stage.bench.pool.chunks, stage.run.pictures.frames) == ([], {})
