"""What you can take home: an experiment as code, the pass by hand as a spreadsheet, a run as a file or page.

May import ``teaching`` and every package below it; never ``figures``.
"""
