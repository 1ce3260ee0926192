"""Where long work runs: by default a pool of worker processes on this machine.

Any executor with the ``concurrent.futures`` interface can replace it, for instance Dask's
``Client.get_executor()``.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from loky import ProcessPoolExecutor, get_reusable_executor

# One thread per worker: parallelism comes from the pool, and sums are rounded the same everywhere.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IDLE_SECONDS = 120.0

# loky keeps one pool per calling thread, and Streamlit runs every rerun in a new thread.
_keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pool-keeper")
_current: ProcessPoolExecutor | None = None  # of the keeper's thread alone, like what follows
_closed = False


def local_pool() -> Executor:
    """Return this process's pool, one worker a core; it is started anew if a worker died.

    After ``close_pool`` it takes no more work: submitting raises RuntimeError.
    """
    return _keeper.submit(_open).result()


def close_pool() -> None:
    """End the pool and its workers for good, whatever they are doing.

    For a process that is about to be ended by a signal: it runs no exit handlers, and the pool's
    semaphores would be reported as leaked.
    """
    _keeper.submit(_close).result()


def _open() -> Executor:
    global _current
    if _closed:
        nothing = ThreadPoolExecutor()
        nothing.shutdown()
        return nothing
    workers = max(1, os.cpu_count() or 1)
    settings = {"max_workers": workers, "timeout": IDLE_SECONDS, "env": ONE_THREAD}
    _current = get_reusable_executor(initializer=_leave_with_parent, **settings)
    return _current


def _close() -> None:
    global _current, _closed
    _closed = True
    if _current is not None:
        _current.shutdown(wait=True, kill_workers=True)
        _current = None
        for thread in threading.enumerate():
            if thread.name == "QueueFeederThread":  # it fed the workers, and may not know yet of their end
                thread.join(timeout=2.0)
        gc.collect()  # the pool's parts refer to each other; a semaphore ends with its last reference


def _leave_with_parent() -> None:
    """End this worker when its parent process ends, even if the parent was killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, name="leave-with-parent", daemon=True).start()


def warm_up(task: Callable[[], None]) -> Future[None]:
    """Start a worker and let it run ``task``, say an import, so that the first real one answers at once."""
    return local_pool().submit(task)
