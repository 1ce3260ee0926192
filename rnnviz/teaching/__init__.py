"""What is taught with the networks: scenarios, lessons, a worked example, the glossary, the teacher's guide.

May import ``applications`` and everything below it; it draws nothing.
"""
