"""All symbols and formulas."""

from rnnviz.ui import glossary, story
from rnnviz.ui.session import current

story.head("Glossary", "Every symbol and every formula of the app, in teaching order.")
glossary.page()
story.way_on(current(), "glossary")
