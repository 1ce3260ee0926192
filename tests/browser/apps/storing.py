"""The app, and a route that counts the files that it holds: `streamlit run tests/browser/apps/storing.py`."""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app import lifespan, middleware, routes


def stored(_: Request) -> JSONResponse:
    manager = get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return JSONResponse({session: len(files) for session, files in manager.file_storage.items()})


shell = Path(__file__).parents[3] / "rnnviz" / "ui" / "shell.py"
app = st.App(shell, routes=[Route("/stored", stored), *routes], middleware=middleware, lifespan=lifespan)
