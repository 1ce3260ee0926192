"""The live channel: a WebSocket from which the browser asks for the newest pictures of running networks.

It also hears there that a sweep has results that a fragment of the page has not drawn.

The browser's first message is its page's token. Then it sends ``{"page": 7}`` to ask for what is new on its
page 7, ``{"hidden": true}`` when its tab is hidden, and ``{"picture": "timeline", "look": 40}`` to see the
run of that picture after 40 updates. Each question gets one answer, as soon as there is
something new, so a slow browser gets fewer pictures and never old ones. The open connection is the lease:
when it ends, the runs and sweeps stop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import orjson
import streamlit as st
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.web.server.server_util import is_url_from_allowed_origins

from rnnviz.ui.page_turn import ASKING
from rnnviz.ui.screen import Followed, Screen, screens

URL = "live"
UNKNOWN, REPLACED, UNCLEAR = 4001, 4002, 4003
"""Codes with which a connection is closed: no such token; a newer connection; a meaningless message."""

FOREIGN = 1008
"""WebSocket's own code for a policy that was violated: the connection comes from another site."""

LONGEST_MESSAGE = 200
"""Characters of a message from the browser."""

TOKEN_SECONDS = 10.0
"""A connection must say its token within this time."""

_component = st.components.v2.component(
    "rnnviz_channel",
    js=ASKING + Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def mount(screen: Screen, begun_anew: Callable[[], None]) -> None:
    """Let the browser show the page that ``screen`` shows; takes no space.

    begun_anew : called if this browser tab had shown a network that trained, and that is gone by now.
    """
    told = {"token": screen.token, "page": screen.page, "live": screen.live, "url": URL}
    _component(key="channel", data=told, height=1, on_begun_anew_change=begun_anew)


def follow(screen: Screen, name: str, work: Followed, version: int) -> None:
    """Run this fragment again when its work has results that it has not drawn; call it at the fragment's end.

    name : the fragment's. version : that of the drawn results, read before them. Takes no space.
    """
    told = {"name": name, "drawing": screen.follow(name, work, version)}
    _component(key=f"following_{name}", data=told, height=1)


class Unclear(Exception):
    """A message from the browser that means nothing."""


class Connection:
    """One open connection; questions come in one task, answers go out in another."""

    def __init__(self, socket: WebSocket, screen: Screen) -> None:
        self._socket, self._screen = socket, screen
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._asked: int | None = None
        self._replaced = False

    @property
    def asking(self) -> bool:
        """Whether a question of the browser waits for its answer."""
        return self._asked is not None

    def wake(self) -> None:
        """Hear that there may be something new to send; may be called on any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._changed.set)

    def replace(self) -> None:
        """End: a newer connection has taken this one's place."""
        self._replaced = True
        self.wake()

    async def serve(self) -> int:
        """Serve until either side ends; return the code to close with.

        A disconnect is seen only while receiving, so reading never waits for writing.

        Raises
        ------
        WebSocketDisconnect
            If the browser has left.
        Unclear
            If it said something that means nothing.
        """
        tasks: set[asyncio.Task[int]] = {
            asyncio.create_task(self._read()),
            asyncio.create_task(self._write()),
        }
        self._screen.take(self)
        self._changed.set()  # for whatever stood still without a connection
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            self._screen.drop(self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> NoReturn:
        while True:
            told = understood(await received(self._socket))
            if "page" in told:
                self._asked = int(told["page"])
            if "hidden" in told:
                self._screen.hide(bool(told["hidden"]))
            if "look" in told:
                self._screen.look_back(str(told.get("picture")), int(told["look"]))
            self._changed.set()

    async def _write(self) -> int:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._replaced:
                return REPLACED
            self._screen.resume()
            answer = None if self._asked is None else self._screen.answer(self._asked)
            if answer is not None:
                self._asked = None
                await self._socket.send_bytes(answer)


async def received(socket: WebSocket) -> str:
    """Return the browser's next message.

    Raises
    ------
    WebSocketDisconnect
        If the browser has left.
    Unclear
        If the message is not text, or too long.
    """
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1006)
    text = message.get("text")
    if not isinstance(text, str) or len(text) > LONGEST_MESSAGE:
        raise Unclear
    return text


def understood(text: str) -> dict[str, int | str]:
    """Return a message's parts: the page that is asked for, whether the tab is hidden, the update to look at.

    Raises
    ------
    Unclear
        If it has other parts, or other values.
    """
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unclear from error
    kinds = {"page": int, "hidden": bool, "picture": str, "look": int}
    if (
        not isinstance(told, dict)
        or not told
        or any(type(told[name]) is not kinds.get(name) for name in told)
    ):
        raise Unclear
    return told


async def live(socket: WebSocket) -> None:
    """Serve one connection, from its token to its end.

    An unknown token is answered after the handshake: a refused one is an error in the browser's console.
    """
    if not _from_our_page(socket):
        await socket.close(FOREIGN)
        return
    await socket.accept()
    code = await _served(socket)
    if code is not None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the browser has left meanwhile
            await socket.close(code)


async def _served(socket: WebSocket) -> int | None:
    try:
        token = await asyncio.wait_for(received(socket), TOKEN_SECONDS)
        screen = screens().get(token)
        return UNKNOWN if screen is None else await Connection(socket, screen).serve()
    except (TimeoutError, Unclear):
        return UNCLEAR
    except WebSocketDisconnect:
        return None


def _from_our_page(socket: WebSocket) -> bool:
    """Return whether a connection comes from a page of this server, or of another origin that it allows."""
    origin = socket.headers.get("origin")
    same = origin is None or urlsplit(origin).netloc == socket.headers.get("host")
    return same or is_url_from_allowed_origins(str(origin))
