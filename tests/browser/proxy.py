"""A network between the browser and its server, which a test can break."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

BINARY = 0x82
"""The first byte of a WebSocket message of bytes in a single frame."""

LARGE = 1000
"""Bytes of a message that are more than its head."""


class Connection:
    """One connection of the browser, forwarded in both directions by two threads.

    live : whether it is the live channel. left : set when the server has closed it.
    """

    def __init__(self, network: Network, browser: socket.socket, port: int) -> None:
        self.live = False
        self.left = threading.Event()
        self._network, self._browser = network, browser
        self._server = socket.create_connection(("127.0.0.1", port))
        for forward in (self._ask, self._answer):
            threading.Thread(target=forward, daemon=True).start()

    def close(self) -> None:
        for end in (self._browser, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _ask(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._browser.recv(65536):
                self.live |= data.startswith(b"GET /live ")
                if not self._network.asleep:
                    self._server.sendall(data)
        self.close()

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(65536):
                if self.live and self._network.cut.is_set() and (half := half_of(data)):
                    self._network.cut.clear()
                    self._browser.sendall(data[:half])
                    break
                if not self._network.asleep:
                    self._browser.sendall(data)
        self.left.set()
        if not self._network.asleep:
            self.close()


def half_of(data: bytes) -> int:
    """Where to cut data that begins with a large WebSocket message, to end in the message's middle; or 0."""
    if data[0] != BINARY or data[1] < 126:
        return 0
    length = int.from_bytes(data[2:4] if data[1] == 126 else data[2:10], "big")
    return min(len(data), length) // 2 if length > LARGE else 0


class Network:
    """A network to a server on this machine, entered at another port.

    cut : set it to end the live channel in the middle of its next large message; it is clear once that
        has happened. asleep : nothing arrives any more, on either side, and nobody is told.
    """

    def __init__(self, port: int, entry: int) -> None:
        self.cut = threading.Event()
        self.asleep = False
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", entry))
        self._connections: list[Connection] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                browser, _ = self._listener.accept()
                self._connections.append(Connection(self, browser, self._port))

    def sleep(self) -> None:
        """Lose everything that is sent, until it wakes."""
        self.asleep = True

    def wait_until_given_up(self, seconds: float) -> None:
        """Wait until the server has closed the live channel."""
        for connection in self._connections:
            if connection.live:
                assert connection.left.wait(seconds), f"the server still waits after {seconds} s"

    def wake(self) -> None:
        """Go on; connections from before are dead."""
        for connection in self._connections:
            connection.close()
        self.asleep = False

    def __enter__(self) -> Network:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # or its port stays taken while a thread accepts
        self._listener.close()
        for connection in self._connections:
            connection.close()
