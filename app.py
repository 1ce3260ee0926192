"""The server: `streamlit run app.py`, or any ASGI server with `app:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnviz.training.executor import close_pool
from rnnviz.ui.scripts import SCRIPTS

SECURITY_HEADERS = {
    # Streamlit uses inline scripts and styles and imports components from blobs. No other origins.
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'; img-src 'self' data: blob:; "
    "script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def with_security_headers(inner: ASGIApp) -> ASGIApp:
    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await inner(scope, receive, send_with_headers)

    return respond


def script(url: str, file: Path) -> Route:
    def respond(_: Request) -> FileResponse:
        return FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    return Route(f"/{{base:path}}{url}", respond)  # wherever server.baseUrlPath puts the app


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Close the pool when the server stops; the process ends right after."""
    try:
        yield
    finally:
        close_pool()


routes = [script(url, file) for url, file in SCRIPTS.items()]
middleware = [Middleware(with_security_headers)]
app = st.App("rnnviz/ui/shell.py", routes=routes, middleware=middleware, lifespan=lifespan)
