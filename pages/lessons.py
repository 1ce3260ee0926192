"""Commit to an answer, then watch the run that gives it."""

from rnnviz.teaching.lessons import LESSONS
from rnnviz.ui import lessons, story
from rnnviz.ui.visit import current

visit = current()
if visit.view.lesson:
    lessons.lesson(visit, LESSONS[visit.view.lesson])
else:
    story.head("Lessons", lessons.IDEA)
    lessons.overview(visit)
    story.way_on(visit, "lessons")
