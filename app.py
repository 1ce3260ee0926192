"""The server: `streamlit run app.py`, or any ASGI server with `app:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnviz.figures.message import PLOTLY_JS, PLOTLY_URL
from rnnviz.training.executor import close_pool
from rnnviz.ui import channel

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


def plotly_js(_: Request) -> FileResponse:
    return FileResponse(PLOTLY_JS, headers={"Cache-Control": "public, max-age=31536000, immutable"})


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Close the pool when the server stops; the process ends right after."""
    try:
        yield
    finally:
        close_pool()


# wherever server.baseUrlPath puts the app
routes = [
    Route(f"/{{base:path}}{PLOTLY_URL}", plotly_js),
    WebSocketRoute(f"/{{base:path}}{channel.URL}", channel.live),
]
middleware = [Middleware(with_security_headers)]
app = st.App("rnnviz/ui/shell.py", routes=routes, middleware=middleware, lifespan=lifespan)
