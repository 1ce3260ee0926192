"""Streamlit, with training in chunks of so many ms: `python -m tests.benchmarks.paced 40 run app.py`."""

from __future__ import annotations

import sys

from streamlit.web import cli

from rnnviz.ui import chunk

if __name__ == "__main__":
    chunk.SHORTEST_CHUNK = float(sys.argv.pop(1)) / 1000
    cli.main()
