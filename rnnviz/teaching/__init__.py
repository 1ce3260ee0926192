"""Teaching content: scenarios, lessons, a worked example, the glossary and the teacher's guide.

May import ``applications`` and every package below it; never ``figures``.
"""
