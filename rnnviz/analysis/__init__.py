"""Gradient analysis: how far an error reaches, why it decays, and what theory predicts.

May import every package below it: ``model``, ``tasks``, ``experiment`` and ``training``.
"""
