"""Answer a question, then watch the run that shows the answer."""

from rnnviz.teaching.lessons import LESSONS
from rnnviz.ui import lessons, story
from rnnviz.ui.session import current

session = current()
if session.view.lesson:
    lessons.lesson(session, LESSONS[session.view.lesson])
else:
    story.head("Lessons", lessons.IDEA)
    lessons.overview(session)
    story.way_on(session, "lessons")
