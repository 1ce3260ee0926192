"""Trained networks at work on real data: captions, forecasts, text, sentiment, translation, uploads.

May import ``analysis`` and everything below it.
"""
