"""Where long work runs: by default a pool of worker processes on this machine.

Anything with the ``concurrent.futures`` interface fits in its place, for instance Dask's
``Client.get_executor()``.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from loky import get_reusable_executor

# Every worker computes on one thread: the pool is the parallelism, and sums round the same everywhere.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IDLE_SECONDS = 120.0

# loky keeps one pool for each thread that asks, and Streamlit runs every rerun in a new thread.
_keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pool-keeper")


def local_pool() -> Executor:
    """Return this process's pool, one worker a core; it is started anew if a worker died."""
    workers = max(1, os.cpu_count() or 1)
    settings = {"max_workers": workers, "timeout": IDLE_SECONDS, "env": ONE_THREAD}
    return _keeper.submit(get_reusable_executor, initializer=_leave_with_parent, **settings).result()


def _leave_with_parent() -> None:
    """Let this worker end when its server does, even if that was killed and could not say so."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, name="leave-with-parent", daemon=True).start()


def warm_up() -> Future[None]:
    """Start a worker and let it import the library, so that the first Play answers at once."""
    return local_pool().submit(_import_library)


def _import_library() -> None:
    import rnnviz.analysis.snapshot  # noqa: F401
