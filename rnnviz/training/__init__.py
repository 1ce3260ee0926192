"""Training as a pure function, what a run records, and where long work runs.

May import ``model``, ``tasks`` and ``experiment``.
"""
