"""What one frame costs the browser, painted and drawn by plotly: `python -m tests.benchmarks.canvas`.

Hands the playground's figures two pictures in turn and prints the median milliseconds of JavaScript a frame:

- canvas: decode, compare the layout and paint, where only traces change;
- notes: let plotly redraw axes and notes beneath the canvas, at most twice a second;
- plotly: ``Plotly.react`` with new data, as without a canvas.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from rnnviz import Experiment
from rnnviz.figures.theme import LIGHT
from tests.browser.conftest import BROWSER_ARGUMENTS, HEIGHT, ROOT, WIDTH, browser_path, serve, wait_until
from tests.browser.frames import FIGURES, message, pictures, show
from tests.browser.test_playground import open_page

MEASURED = {
    "T = 20": Experiment(),
    "T = 50": Experiment(seq_len=50),
    "T = 100, several outputs": Experiment(task="echo", topology="many-to-many", seq_len=100),
    "T = 200, H = 128": Experiment(task="echo", topology="many-to-many", seq_len=200, hidden_size=128),
}

MEDIANS = """async ([key, texts]) => {
  const figure = window.rnnvizFigures[key];
  const frames = texts.map(text => JSON.parse(text));
  async function median(count, draw) {
    const times = [];
    for (let i = 0; i < count; i++) {
      await new Promise(requestAnimationFrame);
      const begun = performance.now();
      await draw(frames[i % 2]);
      times.push(performance.now() - begun);
    }
    return times.sort((a, b) => a - b)[count >> 1];
  }
  const drawn = (playing) => (frame) => {
    figure.message = { ...figure.message, ...frame, playing };
    return figure.draw(window.Plotly);
  };
  let number = 0;
  const noted = (frame) => {
    figure.drawn.time = -Infinity; // as if half a second had passed
    const [first, ...others] = frame.layout.annotations;
    const annotations = [{ ...first, text: `${number++}` }, ...others];
    return drawn(true)({ ...frame, layout: { ...frame.layout, annotations } });
  };
  return [await median(100, drawn(true)), await median(20, noted), await median(20, drawn(false))];
}"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        arguments = [*BROWSER_ARGUMENTS, "--no-sandbox"]
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        with serve(ROOT / "app.py", Path(folder) / "log.txt") as server:
            page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            open_page(page, f"{server}/playground")
            wait_until(page, f"Object.keys(window.rnnvizFigures).length === {len(FIGURES)}")
            print(f"{'ms a frame, median':36} canvas    notes   plotly")
            for name, e in MEASURED.items():
                before, after = (pictures(e, steps, LIGHT) for steps in (0, 40))
                for key in FIGURES:
                    still = [before[key], {**after[key], "layout": before[key]["layout"]}]
                    show(page, key, still[0], playing=True)
                    texts = [message(spec, playing=True) for spec in still]
                    times = page.evaluate(MEDIANS, [key, texts])
                    print(f"{name + ', ' + key:36}" + "".join(f" {ms:8.1f}" for ms in times), flush=True)
            page.goto("about:blank")
        chromium.close()


if __name__ == "__main__":
    main()
