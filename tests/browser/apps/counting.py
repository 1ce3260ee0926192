"""The app, and a route that counts the parts of sweeps: `streamlit run tests/browser/apps/counting.py`."""

import gc
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import lifespan, middleware, routes
from rnnviz.training.sweep import Sweep


def parts(_: Request) -> JSONResponse:
    sweeps = [thing for thing in gc.get_objects() if isinstance(thing, Sweep)]
    done, under_way = sum(s.done for s in sweeps), sum(s.under_way for s in sweeps)
    return JSONResponse({"done": done, "under_way": under_way})


shell = Path(__file__).parents[3] / "rnnviz" / "ui" / "shell.py"
app = st.App(shell, routes=[Route("/parts", parts), *routes], middleware=middleware, lifespan=lifespan)
