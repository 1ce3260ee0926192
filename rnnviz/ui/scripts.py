"""Scripts that the browser loads once and keeps; ``app.py`` serves them."""

from hashlib import sha256
from pathlib import Path

from rnnviz.figures.message import PLOTLY_JS, PLOTLY_URL


def _named_by_content(name: str) -> str:
    """Return the URL of a script beside this file; browsers may keep it for ever, as it names the content."""
    script = Path(__file__).with_name(name)
    return f"{script.stem}-{sha256(script.read_bytes()).hexdigest()[:12]}{script.suffix}"


CANVAS_URL = _named_by_content("canvas.js")
FILES_URL = _named_by_content("figure_files.js")

SCRIPTS = {
    PLOTLY_URL: PLOTLY_JS,
    CANVAS_URL: Path(__file__).with_name("canvas.js"),
    FILES_URL: Path(__file__).with_name("figure_files.js"),
}
"""The file behind each URL."""
