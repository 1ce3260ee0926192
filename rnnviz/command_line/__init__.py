"""The library on the command line: ``python -m rnnviz``, or ``rnnviz`` where it is installed.

May import every package but ``ui``, and never Streamlit. A command that draws imports ``figures`` while it
runs, so that the others do not wait for plotly.
"""
