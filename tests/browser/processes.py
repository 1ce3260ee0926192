"""The processes that a server starts, and their ends."""

from __future__ import annotations

import os
import subprocess


def children_of(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(pid) for pid, parent, _ in _everything() if int(parent) == process]


def workers_of(server: int) -> list[int]:
    """The workers of a server."""
    found = [(pid, command) for pid, parent, command in _everything() if int(parent) == server]
    return [int(pid) for pid, command in found if "rnnviz.training.worker" in command]


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _everything() -> list[list[str]]:
    """All processes: their number, their parent's, and their command."""
    everything = ["/bin/ps", "-eo", "pid=,ppid=,args="]
    shown = subprocess.run(everything, capture_output=True, text=True, check=True).stdout
    return [[*line.split(maxsplit=2), ""][:3] for line in shown.splitlines()]
