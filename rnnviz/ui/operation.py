"""The server's health and its numbers, at addresses of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit.runtime import Runtime, get_instance

from rnnviz.training.turns import Line, Turns
from rnnviz.ui.events import REGISTRY
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.workers import POOLS

PATIENCE = 5.0
"""Seconds within which a worker must answer: those of visible work are free again after a tenth of one."""


class Health:
    """Whether workers answer, asked for by one question at a time, however many want to know."""

    def __init__(self, turns: Turns, patience: float = PATIENCE) -> None:
        self._turns, self._patience = turns, patience
        self._line: Line = turns.line()
        self._asking: asyncio.Task[bool] | None = None

    async def alive(self) -> bool:
        """Return whether a worker answers in time."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        answer = asyncio.wrap_future(self._line.submit(os.getpid))
        try:
            await asyncio.wait_for(answer, self._patience)
        except Exception:
            return False
        return True


class Now(Collector):
    """What there is at the moment of asking: visitors, runs, and calls that wait for a worker."""

    def collect(self) -> Iterator[Metric]:
        """Count."""
        visitors = GaugeMetricFamily("rnnviz_visitors", "Open tabs, and closed ones kept.", labels=["tabs"])
        if Runtime.exists():  # before the first, there are none
            for tabs, count in visits(get_instance()).items():
                visitors.add_metric([tabs], count)
        yield visitors
        runs = LiveRun.all()
        yield GaugeMetricFamily("rnnviz_runs", "Runs in memory.", value=len(runs))
        yield GaugeMetricFamily("rnnviz_runs_playing", "Those that train.", sum(run.playing for run in runs))
        waiting = GaugeMetricFamily("rnnviz_calls_waiting", "Calls that wait for a worker.", labels=["pool"])
        under_way = GaugeMetricFamily("rnnviz_calls_under_way", "Calls that workers have.", labels=["pool"])
        for pool, turns in POOLS.items():
            waiting.add_metric([pool], turns.waiting)
            under_way.add_metric([pool], turns.under_way)
        yield from (waiting, under_way)


def visits(runtime: Runtime) -> dict[str, int]:
    """Return how many tabs are open, and how many closed ones are kept in case they come back."""
    sessions = runtime._session_mgr
    opened = sessions.num_active_sessions()
    return {"open": opened, "closed": sessions.num_sessions() - opened}


REGISTRY.register(Now())
ProcessCollector(registry=REGISTRY)
_health = Health(POOLS["live"])


async def healthz(_: Request) -> Response:
    """Answer 200 if a worker answers in time, else 503."""
    alive, live = await _health.alive(), POOLS["live"]
    told = {"workers": "answer" if alive else f"no answer within {PATIENCE:.0f} s", "waiting": live.waiting}
    return JSONResponse(told, status_code=200 if alive else 503, headers={"Cache-Control": "no-store"})


def metrics(_: Request) -> Response:
    """Answer in Prometheus' format; Starlette calls this in a thread of its own."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


ROUTES: list[BaseRoute] = [Route("/{base:path}healthz", healthz), Route("/{base:path}metrics", metrics)]
