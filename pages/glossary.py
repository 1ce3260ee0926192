"""Look up every symbol and every formula."""

from rnnviz.ui import glossary, story
from rnnviz.ui.session import current

story.head("Glossary", "Every symbol and every formula of the app, in the order of understanding.")
glossary.page()
story.way_on(current(), "glossary")
