"""While a run plays, a canvas paints its figures. They must look as plotly draws them."""

from __future__ import annotations

import io
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import CDPSession, Page, expect

from rnnviz import Experiment
from rnnviz.figures.theme import LIGHT, THEMES, Spec, magnify
from rnnviz.model.arrays import Array
from tests.browser.conftest import HEIGHT, WIDTH, both_themes, wait_until
from tests.browser.frames import FIGURES, pictures, show
from tests.browser.test_playground import WATCH, open_page

NOTICED = 48
"""Of 255: smaller differences of a pixel are invisible. The two smooth the edges of lines differently."""

DIFFERENT = 0.0005
"""The largest share of pixels that may differ by more than that."""

EXPERIMENTS = {
    "bars": Experiment(),
    "marks on a map, two layers": Experiment(
        task="echo", topology="many-to-many", seq_len=100, delay=3, layers=2
    ),
    "words below the nodes": Experiment(task="sentiment"),
    "points": Experiment(task="adding", seq_len=50, init="small-normal"),
    "curves": Experiment(task="waves", topology="one-to-many", seq_len=40),
    "image": Experiment(task="digits", topology="one-to-one", seq_len=1),
    "letters": Experiment(task="characters", topology="many-to-many", seq_len=20, cell="lstm"),
    "output fed back": Experiment(task="captions", topology="one-to-many", feedback=True),
    "encoder and decoder": Experiment(task="copy", topology="sequence-to-sequence", seq_len=14),
    "exact zeros and overflow": Experiment(
        task="echo", topology="many-to-many", seq_len=200, init="scaled-gaussian", gain=5.0, activation="relu"
    ),
}

REVISION = "key => window.rnnvizFigures[key].revision"
PAINTED = "key => window.rnnvizFigures[key].node.classList.contains('painted')"


@pytest.fixture
def playground(server: str, page: Page) -> Page:
    """The playground with its three figures, which the tests hand their own pictures."""
    open_page(page, f"{server}/playground")
    wait_until(page, f"Object.keys(window.rnnvizFigures).length === {len(FIGURES)}")
    return page


SIZED = """([width, dots]) => innerWidth === width && devicePixelRatio === dots
  && Object.values(window.rnnvizFigures).every(figure => !figure.drawing
    && figure.drawnWidth === figure.frame.clientWidth)"""


@contextmanager
def camera(page: Page) -> Iterator[CDPSession]:
    """What sets the page's screen and photographs it in full density; at the end the usual screen is back."""
    session = page.context.new_cdp_session(page)
    yield session
    session.send("Emulation.clearDeviceMetricsOverride")
    session.detach()


def use_screen(page: Page, camera: CDPSession, width: int, dots: float) -> None:
    """Show the page on a screen of another width and density; its figures follow."""
    size = {"width": width, "height": HEIGHT, "deviceScaleFactor": dots, "mobile": False}
    camera.send("Emulation.setDeviceMetricsOverride", size)
    wait_until(page, SIZED, [width, dots])


def look(page: Page, camera: CDPSession, key: str) -> Array:
    """A figure's pixels (rows, columns, 3)."""
    figure = page.locator(f".st-key-{key} .live-figure-window")
    figure.scroll_into_view_if_needed()
    clip = {**(figure.bounding_box() or {}), "scale": 1}
    picture = camera.send("Page.captureScreenshot", {"clip": clip, "optimizeForSpeed": True})
    return np.asarray(Image.open(io.BytesIO(b64decode(picture["data"]))).convert("RGB")).astype(np.int16)


def differing(page: Page, camera: CDPSession, key: str, before: Any, after: Any) -> float:
    """Return the share of pixels that change when plotly draws what the canvas has painted."""
    still = {**after, "layout": before["layout"]}
    show(page, key, before, playing=False)
    drawn_by_plotly = page.evaluate(REVISION, key)
    show(page, key, still, playing=True)
    assert page.evaluate(PAINTED, key), f"{key} was not painted"
    assert page.evaluate(REVISION, key) == drawn_by_plotly, f"{key} was drawn by plotly too"
    painted = look(page, camera, key)
    show(page, key, still, playing=False)
    assert not page.evaluate(PAINTED, key)
    drawn = look(page, camera, key)
    assert (np.ptp(drawn.reshape(-1, 3), axis=0) > NOTICED).all(), "nothing to compare"
    return float((np.abs(painted - drawn).max(axis=-1) > NOTICED).mean())


def largest(shares: dict[tuple[str, str, str], float], key: str) -> float:
    return max(share for (_, _, figure), share in shares.items() if figure == key)


SCREENS = {
    "plain": (WIDTH, 1, False),
    "dense": (WIDTH, 2, False),
    "projector": (WIDTH, 1, True),
    "phone": (390, 3, False),
}
"""Width, dots to a pixel, and whether it is a projector."""


def compared(theme: str, screen: str) -> list[str]:
    """The experiments to compare: everything once, and another one on each screen in each theme."""
    if (screen, theme) == ("plain", "light"):
        return list(EXPERIMENTS)
    return [list(EXPERIMENTS)[2 * list(SCREENS).index(screen) + (theme == "dark")]]


@both_themes
def test_a_painted_frame_looks_as_plotly_draws_it(playground: Page, theme: str) -> None:
    shares = {}
    with camera(playground) as session:
        for screen, (width, dots, projector) in SCREENS.items():
            use_screen(playground, session, width, dots)
            for name in compared(theme, screen):
                before, after = (pictures(EXPERIMENTS[name], steps, THEMES[theme]) for steps in (0, 40))
                if projector:
                    before, after = magnify(before), magnify(after)
                for key in FIGURES:
                    different = differing(playground, session, key, before[key], after[key])
                    shares[screen, name, key] = different
    print("largest share of different pixels:", {key: f"{largest(shares, key):.3%}" for key in FIGURES})
    assert {name: f"{share:.3%}" for name, share in shares.items() if share > DIFFERENT} == {}


COUNT = """() => {
  window.reacts = 0;
  const react = window.Plotly.react;
  window.Plotly.react = (...all) => (window.reacts++, react(...all));
}"""


def note(spec: Spec, text: str) -> Spec:
    """Return a timeline with another headline."""
    first, *others = spec["layout"]["annotations"]
    return {**spec, "layout": {**spec["layout"], "annotations": [{**first, "text": text}, *others]}}


def test_notes_that_change_with_every_frame_cost_two_redraws_a_second(playground: Page) -> None:
    spec = pictures(Experiment(), 1, LIGHT)["timeline"]
    show(playground, "timeline", spec, playing=True)
    playground.evaluate(COUNT)
    begun = time.monotonic()
    for number in range(40):
        show(playground, "timeline", note(spec, f"frame {number}"), playing=True)
    passed = time.monotonic() - begun
    assert playground.evaluate("reacts") <= 2 * passed + 1
    headline = playground.locator(".st-key-timeline .annotation[data-index='0']")
    expect(headline).to_have_text("frame 39", timeout=5000)  # also without another frame
    assert playground.evaluate(PAINTED, "timeline")


def test_axes_follow_what_is_painted(playground: Page) -> None:
    show(playground, "progress", pictures(Experiment(), 10, LIGHT)["progress"], playing=True)
    later = pictures(Experiment(), 200, LIGHT)["progress"]
    show(playground, "progress", later, playing=True)
    drawn = "window.rnnvizFigures.progress.node._fullLayout.xaxis.range[1]"
    wait_until(playground, f"{drawn} === {later['layout']['xaxis']['range'][1]}")
    assert playground.evaluate(PAINTED, "progress")


def test_no_node_is_replaced_from_play_to_pause_and_back(playground: Page) -> None:
    spec = pictures(Experiment(), 1, LIGHT)["timeline"]
    show(playground, "timeline", spec, playing=True)
    playground.evaluate(WATCH)
    for playing in (False, True, False, True):
        show(playground, "timeline", spec, playing)
        assert playground.evaluate(PAINTED, "timeline") is playing
    assert playground.evaluate("replaced") == []
    assert playground.locator(".st-key-timeline canvas.live-canvas").count() == 1


def test_plotly_has_drawn_the_last_frame_before_the_canvas_goes(playground: Page) -> None:
    before, after = (pictures(Experiment(), steps, LIGHT)["timeline"] for steps in (0, 40))
    show(playground, "timeline", before, playing=True)
    playground.evaluate("""() => {
      const node = window.rnnvizFigures.timeline.node;
      const drawn = () => node.calcdata.at(-1).map(point => point.y);
      new MutationObserver(() => node.classList.contains('painted') || (window.drawn = drawn()))
        .observe(node, { attributeFilter: ['class'] });
    }""")
    show(playground, "timeline", after, playing=False)
    np.testing.assert_allclose(playground.evaluate("drawn"), after["data"][-3]["y"])


UNPAINTED: dict[str, dict[str, Any]] = {
    "symbol": {"type": "scatter", "mode": "markers", "marker": {"symbol": "star", "color": "#123456"}},
    "fill": {"type": "scatter", "mode": "lines", "line": {"color": "#123456"}, "fill": "tozeroy"},
    "markup": {"type": "scatter", "mode": "text", "text": ["a<sub>1</sub>"] * 3, "textfont": {"size": 9}},
    "bars on numbers": {"type": "bar", "marker": {"color": "#123456"}},
}


def test_plotly_draws_what_the_canvas_cannot_paint(playground: Page) -> None:
    spec = pictures(Experiment(), 1, LIGHT)["progress"]
    for name, trace in UNPAINTED.items():
        show(playground, "progress", spec, playing=True)
        assert playground.evaluate(PAINTED, "progress"), name
        more = {**spec, "data": [*spec["data"], trace | {"name": name, "x": [1, 2, 3], "y": [1, 2, 3]}]}
        show(playground, "progress", more, playing=True)
        assert not playground.evaluate(PAINTED, "progress"), name
        assert playground.evaluate("window.rnnvizFigures.progress.node._fullData.at(-1).name") == name


def test_no_label_shows_an_old_number_while_it_is_painted(playground: Page) -> None:
    spec = pictures(Experiment(), 40, LIGHT)["timeline"]
    figure = playground.locator(".st-key-timeline .live-figure")
    labels = figure.locator(".hoverlayer .legend, .hoverlayer .hovertext")
    for playing, shown in ((True, 0), (False, 1)):
        show(playground, "timeline", spec, playing)
        box = figure.bounding_box()
        assert box is not None
        for way in (0, 3):
            playground.mouse.move(box["x"] + 500 + way, box["y"] + 300)
        expect(labels).to_have_count(shown)
