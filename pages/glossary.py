"""All symbols and formulas."""

from rnnviz.ui import glossary, story
from rnnviz.ui.session import current

story.head("Glossary", "The symbols and formulas of the app, in teaching order.")
glossary.page()
story.way_on(current(), "glossary")
