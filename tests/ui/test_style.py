"""The style sheets select on names that Streamlit's own pages have."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\b(?:st[A-Z]\w*|katex(?:-[a-z]+)?|data-(?!testid|draws)[a-z-]+)\b")
"""Streamlit's test ids and classes, KaTeX's classes, and attributes like data-stale."""


def names_in(files: list[Path]) -> set[str]:
    return {
        name for file in files for name in NAME.findall(file.read_text(encoding="utf-8", errors="replace"))
    }


def test_every_name_that_is_selected_on_occurs_in_streamlit() -> None:
    """Another release may rename what it draws; a style or a test would then quietly select nothing."""
    frontend = names_in(list((Path(streamlit.__file__).parent / "static").rglob("*.js")))
    kinds = ("rnnviz/ui/*.css", "rnnviz/**/*.js", "rnnviz/**/*.py", "tests/**/*.py")
    ours = [file for kind in kinds for file in ROOT.glob(kind) if file != Path(__file__)]
    used = names_in(ours)
    assert {"stMain", "stSidebar", "katex-display", "data-stale"} <= used
    missing = sorted(used - frontend)
    assert not missing, f"not in Streamlit {streamlit.__version__}: {', '.join(missing)}"
