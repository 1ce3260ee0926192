"""Where long work runs: by default a pool of worker processes on this machine.

Any executor with the ``concurrent.futures`` interface can replace it, for instance Dask's
``Client.get_executor()``.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from loky import get_reusable_executor

# One thread per worker: parallelism comes from the pool, and sums are rounded the same everywhere.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IDLE_SECONDS = 120.0

# loky keeps one pool per calling thread, and Streamlit runs every rerun in a new thread.
_keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pool-keeper")


def local_pool() -> Executor:
    """Return this process's pool, one worker per core; it is restarted if a worker died."""
    workers = max(1, os.cpu_count() or 1)
    settings = {"max_workers": workers, "timeout": IDLE_SECONDS, "env": ONE_THREAD}
    return _keeper.submit(get_reusable_executor, initializer=_leave_with_parent, **settings).result()


def _leave_with_parent() -> None:
    """End this worker when its parent process ends, even if the parent was killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, name="leave-with-parent", daemon=True).start()


def warm_up() -> Future[None]:
    """Start a worker and import the library in it, so that the first Play starts without delay."""
    return local_pool().submit(_import_library)


def _import_library() -> None:
    import rnnviz.analysis.snapshot  # noqa: F401
