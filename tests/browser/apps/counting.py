"""The app, and a route that counts the parts of sweeps: `streamlit run tests/browser/apps/counting.py`."""

from pathlib import Path
from typing import Any
from weakref import WeakSet

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import lifespan, middleware, routes
from rnnviz.training.sweep import Sweep

SWEEPS: WeakSet[Sweep] = WeakSet()
begin = Sweep.__init__


def begin_and_note(sweep: Sweep, *args: Any, **options: Any) -> None:
    SWEEPS.add(sweep)
    begin(sweep, *args, **options)


def parts(_: Request) -> JSONResponse:
    sweeps = list(SWEEPS)
    done, under_way = sum(s.done for s in sweeps), sum(s.under_way for s in sweeps)
    return JSONResponse({"done": done, "under_way": under_way})


Sweep.__init__ = begin_and_note  # type: ignore[method-assign]
shell = Path(__file__).parents[3] / "rnnviz" / "ui" / "shell.py"
app = st.App(shell, routes=[Route("/parts", parts), *routes], middleware=middleware, lifespan=lifespan)
