"""Where long work runs: by default a pool of worker processes on this machine.

Any executor with the ``concurrent.futures`` interface can replace it, for instance Dask's
``Client.get_executor()``.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from concurrent.futures import Executor, ThreadPoolExecutor

from loky import ProcessPoolExecutor, get_reusable_executor

# One thread per worker: parallelism comes from the pool, and sums are rounded the same everywhere.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IDLE_SECONDS = 120.0
WORKERS = max(1, os.cpu_count() or 1)
SWEEP_NICENESS = 10
"""The kernel gives a process that is so much nicer about a tenth of the time that another one gets."""


def in_a_line(failure: BaseException) -> str:
    """Return the first line of a failure's message; without a message, the failure's kind."""
    return (str(failure).strip() or type(failure).__name__).splitlines()[0]


class LocalPool:
    """A pool of worker processes on this machine, one a core, started when it is first needed.

    niceness : how far its workers stand back for all other processes, as in nice(1).
    """

    def __init__(self, niceness: int = 0) -> None:
        self._niceness = niceness
        # loky keeps one pool per calling thread, and Streamlit runs every rerun in a new thread.
        self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pool-keeper")
        self._current: ProcessPoolExecutor | None = None  # of the keeper's thread alone, like what follows
        self._closed = False

    def get(self) -> Executor:
        """Return the pool; it is started anew if a worker died.

        After ``close`` it takes no more work: submitting raises RuntimeError.
        """
        return self._keeper.submit(self._open).result()

    def close(self) -> None:
        """End the pool and its workers for good, whatever they are doing."""
        self._keeper.submit(self._close).result()

    def _open(self) -> Executor:
        if self._closed:
            nothing = ThreadPoolExecutor()
            nothing.shutdown()
            return nothing
        self._current = get_reusable_executor(
            max_workers=WORKERS,
            timeout=IDLE_SECONDS,
            env=ONE_THREAD,
            initializer=_prepare,
            initargs=(self._niceness,),
        )
        return self._current

    def _close(self) -> None:
        self._closed = True
        if self._current is None:
            return
        self._current.shutdown(wait=True, kill_workers=True)
        self._current = None
        for thread in threading.enumerate():
            if thread.name == "QueueFeederThread":  # it fed the workers, and may not know yet of their end
                thread.join(timeout=2.0)
        gc.collect()  # the pool's parts refer to each other; a semaphore ends with its last reference


def _prepare(niceness: int) -> None:
    """Let this worker stand back, and end when its parent process ends, even if the parent was killed."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(niceness)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, name="leave-with-parent", daemon=True).start()


_live, _sweeps = LocalPool(), LocalPool(SWEEP_NICENESS)
local_pool, sweep_pool = _live.get, _sweeps.get
"""The pool of whatever somebody watches, and the one of sweeps, which take what time that leaves."""


def close_pools() -> None:
    """End both pools and their workers for good.

    For a process that is about to be ended by a signal: it runs no exit handlers, and the pools'
    semaphores would be reported as leaked.
    """
    _live.close()
    _sweeps.close()
