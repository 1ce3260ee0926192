"""The command line: ``python -m rnnviz``."""

from __future__ import annotations

import sys

from rnnviz.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
