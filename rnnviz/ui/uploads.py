"""Uploaded files: read once, then deleted; and no more of them than the pages can use."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress

import streamlit as st
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rnnviz.ui import events

MOST_FILES = 4
"""Files that the server holds for a session at once, each of ``server.maxUploadSize`` at most. The pages
upload one at a time; they delete it when they have read it."""

REFUSAL = f"The server holds at most {MOST_FILES} files for you at once. Reload the page to start over."

_UPLOAD = re.compile(r".*/_stcore/upload_file/(?P<session>[^/]+)/[^/]+", re.DOTALL)


def taken(uploader: str) -> tuple[str, bytes] | None:
    """Return the name and the bytes of the file in an uploader, None if there is none.

    The server's copy is deleted: under the new key that an uploader gets after each file, Streamlit would
    keep all of them until the visitor leaves.
    """
    uploaded = st.session_state.get(uploader)
    if uploaded is None:
        return None
    name, data = str(uploaded.name), bytes(uploaded.getvalue())
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, uploaded.file_id)
    return name, data


def with_few_files(inner: ASGIApp) -> ASGIApp:
    """Refuse a session's uploads beyond MOST_FILES, those under way included.

    Streamlit itself bounds the size of a file, not their number: a program that has a session could fill the
    server's memory.
    """
    under_way: Counter[str] = Counter()

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["method"] == "PUT" and _UPLOAD.fullmatch(scope["path"])
        if not asked:
            await inner(scope, receive, send)
            return
        session = asked["session"]
        if _stored(session) + under_way[session] >= MOST_FILES:
            events.limit_reached("files", f"a visitor already has {MOST_FILES}; another upload is refused")
            await _refuse(scope, receive, send)
            return
        under_way[session] += 1
        try:
            await inner(scope, receive, send)
        finally:
            under_way.subtract([session])
            if not under_way[session]:
                del under_way[session]

    return respond


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a request to its end, since a browser that still sends hears no answer; then refuse it."""
    with suppress(ClientDisconnect):
        async for _ in Request(scope, receive).stream():
            pass
        await PlainTextResponse(REFUSAL, status_code=413)(scope, receive, send)


def _stored(session: str) -> int:
    """Return the number of files that the server holds for a session."""
    manager = get_instance().uploaded_file_mgr
    files = manager.file_storage if isinstance(manager, MemoryUploadedFileManager) else {}
    return len(files.get(session, ()))
