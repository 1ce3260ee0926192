"""Scripts that the browser loads once and keeps; ``app.py`` serves them."""

from hashlib import sha256
from pathlib import Path

import plotly


def _named_by_content(name: str) -> str:
    """Return the URL of a script beside this file, which changes with its content."""
    script = Path(__file__).with_name(name)
    return f"{script.stem}-{sha256(script.read_bytes()).hexdigest()[:12]}{script.suffix}"


# Browsers may cache them forever: the version is in the name. Relative, so that they work with any base path.
PLOTLY_URL = f"plotly-{plotly.__version__}.min.js"
CANVAS_URL = _named_by_content("canvas.js")

SCRIPTS = {
    PLOTLY_URL: Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
    CANVAS_URL: Path(__file__).with_name("canvas.js"),
}
"""The file behind each URL."""
