"""Uploaded files: read once, then deleted."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx


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
