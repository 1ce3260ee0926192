"""The server: `streamlit run app.py`, or any ASGI server with `app:app`."""

import os
import re
import signal
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected
from streamlit.runtime import get_instance

from rnnviz.settings import PROBLEMS
from rnnviz.training.executor import close_pools, open_pools
from rnnviz.ui import channel, events, operation, prepared
from rnnviz.ui.departures import forget_departed
from rnnviz.ui.embedding import frame_ancestors
from rnnviz.ui.scripts import SCRIPTS
from rnnviz.ui.uploads import with_few_files

if PROBLEMS:
    raise SystemExit("\n".join(PROBLEMS))

ROOT = Path(__file__).parent
os.chdir(ROOT)  # Streamlit looks for .streamlit/config.toml here, wherever the server was started


def inline_scripts() -> str:
    """Return the hashes of the scripts inside Streamlit's page, as a content policy names them."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts)


SECURITY_HEADERS = {
    # Streamlit uses inline styles and imports components from blobs. No other origins.
    "Content-Security-Policy": f"default-src 'self'; frame-ancestors {frame_ancestors()}; "
    "img-src 'self' data: blob:; "
    f"script-src 'self' {inline_scripts()} blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def with_security_headers(inner: ASGIApp) -> ASGIApp:
    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        try:
            await inner(scope, receive, send_with_headers)
        except WebSocketDisconnected:  # Streamlit closes what the server, about to stop, has just closed
            return

    return respond


KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}


def script(url: str, file: Path) -> Route:
    def respond(_: Request) -> FileResponse:
        return FileResponse(file, headers=KEPT)

    return Route(f"/{{base:path}}{url}", respond)  # wherever server.baseUrlPath puts the app


def prepared_pictures(request: Request) -> Response:
    """Answer with the home page's pictures; Starlette calls this in a thread of its own."""
    try:
        found = prepared.pictures(request.path_params["theme"], request.path_params["view"])
    except ValueError as unknown:
        raise HTTPException(404, str(unknown)) from unknown
    return Response(found.all, media_type="application/json", headers={"Content-Encoding": "gzip"} | KEPT)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Forget visitors who left; close the pools when the server stops, which then ends with exit code 0."""
    events.show()
    forget_departed(get_instance())
    open_pools()
    try:
        yield
    finally:
        close_pools()
        if hasattr(signal, "pthread_sigmask"):  # not on Windows
            # The signal that asked to stop has been answered; uvicorn would raise it again, now to kill.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


routes = [
    *(script(url, file) for url, file in SCRIPTS.items()),
    Route(f"/{{base:path}}{prepared.URL}", prepared_pictures),
    WebSocketRoute(f"/{{base:path}}{channel.URL}", channel.live),
    *operation.ROUTES,
]
middleware = [Middleware(with_security_headers), Middleware(with_few_files)]
app = st.App(ROOT / "rnnviz" / "ui" / "shell.py", routes=routes, middleware=middleware, lifespan=lifespan)
