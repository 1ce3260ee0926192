"""What a worker process does: one call after the other, as ``worker_pool`` sends them.

A message is a pickle with its length before it: to the worker a function with its arguments, back whether
it succeeded and its result or exception.
"""

from __future__ import annotations

import os
import queue
import signal
import struct
import threading
import traceback
from typing import IO, Any

import cloudpickle

LENGTH = struct.Struct("!Q")


def send(stream: IO[bytes], message: bytes) -> None:
    """Write a message.

    Raises
    ------
    OSError
        If the other end is closed.
    """
    stream.write(LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """Read a message.

    Raises
    ------
    EOFError
        If the other end was closed, be it in the middle of a message.
    """
    (length,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError("the connection was closed")
    return found


def answer(message: bytes) -> bytes:
    """Do a call; return its result or its exception as a message."""
    try:
        function, args, kwargs = cloudpickle.loads(message)
        return _packed(True, function(*args, **kwargs))
    except BaseException as failure:  # also SystemExit: it ends the call, not the worker
        where = traceback.format_exc()
        failure.add_note(f"In a worker process:\n{where}")
        try:
            return _packed(False, failure)
        except Exception:  # an exception that cannot be pickled
            return _packed(False, RuntimeError(f"{type(failure).__name__}: {failure}\n{where}"))


def _packed(done: bool, result: Any) -> bytes:
    packed: bytes = cloudpickle.dumps((done, result))
    return packed


def work(niceness: int) -> None:
    """Do calls until standard input is closed, as it is when the process at its other end ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to workers too
    if hasattr(os, "nice"):  # not on Windows
        os.nice(niceness)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a call prints is no message
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                calls.put(receive(incoming))
        except EOFError:
            os._exit(0)  # also in the middle of a call: nobody will hear the answer

    threading.Thread(target=listen, name="listen", daemon=True).start()
    while True:
        outcome = answer(calls.get())
        send(outgoing, outcome)
