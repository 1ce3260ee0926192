"""The user interface; the only package that imports Streamlit.

May import every other package of the library.
"""
