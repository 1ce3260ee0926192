"""The laboratory as a person sees it."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.ui.laboratory import DRAWN
from rnnviz.ui.views import INSTRUMENTS
from tests.browser.conftest import PLACED, ROOT, expect_no_scroll_bar, serve, wait_until

ECHO = Experiment(task="echo", topology="many-to-many", seq_len=24, delay=6, init="scaled-gaussian")
QUICK = ("compare", "causes", "contributions", "spectrum", "directions", "lyapunov")


def drawn(name: str) -> str:
    return f"document.querySelector('.st-key-lab_{name} .live-figure')?.dataset.draws > 0"


def open_laboratory(page: Page, server: str, e: Experiment = ECHO) -> None:
    page.goto(f"{server}/laboratory?{urlencode(to_params(e))}")
    wait_until(page, drawn("compare"))


def test_the_experiment_comes_along_from_page_to_page(server: str, page: Page) -> None:
    page.goto(f"{server}/playground?{urlencode(to_params(ECHO))}")
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    page.get_by_test_id("stTopNavLink").filter(has_text="Laboratory").click()
    wait_until(page, drawn("compare"))
    wait_until(page, "location.search !== ''")
    assert urlsplit(page.url).path == "/laboratory"
    assert dict(parse_qsl(urlsplit(page.url).query)) == to_params(ECHO)
    page.get_by_test_id("stTopNavLink").filter(has_text="Playground").click()
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    wait_until(page, "location.search !== ''")
    assert dict(parse_qsl(urlsplit(page.url).query)) == to_params(ECHO)


def visit_all(page: Page, subjects: tuple[str, ...] = ()) -> Iterator[str]:
    """Open one instrument after the other, each until it has said all that it says.

    The phase diagram says the same from its beginning, which takes seconds less than its end.
    subjects : only instruments that look at one of these (default: all).
    """
    for name, instrument in DRAWN.items():
        if subjects and instrument.subject not in subjects:
            continue
        page.get_by_role("radio", name=INSTRUMENTS[name], exact=True).click()
        expect(page.get_by_text(instrument.question.replace("_", ""))).to_be_visible()
        if name == "seeds":
            expect(page.get_by_text(re.compile("^All .* measured"))).to_be_visible(timeout=90_000)
        expect(page.get_by_text(re.compile("How to read this|Not trained yet"))).to_have_count(1)
        if page.get_by_text("How to read this").count():
            wait_until(page, drawn(name))
        wait_until(page, PLACED)
        page.wait_for_timeout(300)  # formulas are set a moment after their text
        yield name


def test_the_names_of_all_instruments_fit_on_one_line(server: str, page: Page) -> None:
    open_laboratory(page, server)
    for width in (1280, 1024):
        page.set_viewport_size({"width": width, "height": 720})
        page.wait_for_timeout(150)
        tabs = page.locator(".st-key-instruments [role=radio]").all()
        boxes = [box for tab in tabs if (box := tab.bounding_box())]
        assert len(boxes) == len(INSTRUMENTS)
        assert len({round(box["y"]) for box in boxes}) == 1
        assert max(box["x"] + box["width"] for box in boxes) <= width - 24


def test_no_instrument_needs_a_scroll_bar(server: str, page: Page) -> None:
    open_laboratory(page, server, Experiment())
    for name in visit_all(page):
        expect_no_scroll_bar(page)
        if name in QUICK:
            figure = page.locator(f".st-key-lab_{name} .live-figure")
            box = figure.bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 620, "room below for how to read it"
            expect(page.get_by_text("How to read this.")).to_be_in_viewport()
            assert figure.get_attribute("aria-label")


def test_no_instrument_needs_a_scroll_bar_after_training(server: str, page: Page) -> None:
    page.goto(f"{server}/playground?{urlencode(to_params(ECHO))}")
    wait_until(page, "document.querySelector('.st-key-timeline .live-figure')?.dataset.draws > 0")
    for _ in range(3):
        page.locator(".st-key-step button").click()
    page.get_by_test_id("stTopNavLink").filter(has_text="Laboratory").click()
    expect(page.get_by_text(re.compile("Weights after [1-3] update"))).to_be_visible()
    for _ in visit_all(page, subjects=("run", "past")):  # what the others show is the same before and after
        expect_no_scroll_bar(page)


def test_a_notice_takes_its_room_from_the_figure(server: str, page: Page) -> None:
    page.goto(f"{server}/laboratory?{urlencode(to_params(ECHO) | {'clip': 'nan'})}")
    wait_until(page, drawn("compare"))
    expect(page.locator(".notice")).to_contain_text("clip=nan")
    expect_no_scroll_bar(page)


def test_a_moved_slider_draws_a_new_curve(server: str, page: Page) -> None:
    open_laboratory(page, server)
    plot = "document.querySelector('.st-key-lab_compare .live-figure')"
    page.evaluate(f"window.node = {plot}; window.before = String({plot}._fullData.map(t => t.y))")
    page.get_by_role("slider", name="Gain g").press("ArrowRight")
    wait_until(page, f"String({plot}._fullData.map(t => t.y)) !== window.before")
    assert page.evaluate(f"window.node === {plot}"), "the plot's node is never replaced"


def test_the_data_can_be_taken_home(server: str, page: Page, tmp_path: Path) -> None:
    open_laboratory(page, server)
    with page.expect_download() as download:
        page.get_by_role("button", name="Data as CSV").click()
    path = tmp_path / "curve.csv"
    download.value.save_as(path)
    lines = path.read_text().splitlines()
    assert lines[0].startswith("t,Scaled Gaussian,")
    assert lines[0].endswith(",output 24")
    assert len(lines) == 1 + ECHO.seq_len


def test_initialisations_can_be_added_and_taken_away(server: str, page: Page) -> None:
    open_laboratory(page, server)
    names = "document.querySelector('.st-key-lab_compare .live-figure')._fullData.map(t => t.name)"
    assert "Identity" not in page.evaluate(names)
    page.locator("[class*=st-key-compare]").get_by_role("button", name="Identity").click()
    wait_until(page, f"{names}.includes('Identity')")


def test_long_work_shows_its_progress_and_can_be_cancelled(server: str, page: Page) -> None:
    open_laboratory(page, server)
    page.get_by_role("radio", name="Border", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled at")).to_be_visible()
    stopped_at = page.get_by_text("Cancelled at").inner_text()
    page.wait_for_timeout(1500)
    assert page.get_by_text("Cancelled at").inner_text() == stopped_at, "nothing goes on behind the curtain"
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_text(re.compile("Measuring: [1-9]"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()


PHASE = "document.querySelector('.st-key-lab_border .live-figure')"
ROWS = f"[...{PHASE}?._fullData?.[0].z ?? []].filter(row => [...row].every(Number.isFinite)).length"
"""How many rows of the phase diagram are drawn."""


def test_a_phase_diagram_fills_in_while_it_is_watched(server: str, page: Page) -> None:
    open_laboratory(page, server, replace(ECHO, hidden_size=16))
    page.get_by_role("radio", name="Border", exact=True).click()
    wait_until(page, drawn("border"))
    page.evaluate(
        f"""() => {{
          window.node = {PHASE}; window.rows = new Set(); window.tops = new Set();
          window.look = setInterval(() => {{
            rows.add({ROWS}); tops.add(Math.round(node.getBoundingClientRect().top));
          }}, 20);
        }}"""
    )
    expect(page.get_by_text("All 24 gains measured.")).to_be_visible(timeout=60_000)
    wait_until(page, f"{ROWS} === 24")
    wait_until(page, "window.rows.has(24)")
    rows = page.evaluate("[...window.rows]")
    assert rows == sorted(rows)
    assert len(rows) > 4, "it is drawn again and again"
    assert page.evaluate("window.tops.size") == 1, "nothing moves, not even at the end"
    expect_no_scroll_bar(page)
    assert page.evaluate(f"window.node === {PHASE}")
    draws = page.evaluate(f"{PHASE}.dataset.draws")
    page.wait_for_timeout(1500)
    assert page.evaluate(f"{PHASE}.dataset.draws") == draws, "at the end nothing is drawn any more"
    page.evaluate("clearInterval(window.look)")


def test_a_closed_tab_leaves_the_workers_idle(profile: BrowserContext, tmp_path: Path) -> None:
    def parts(which: str) -> int:
        with urllib.request.urlopen(f"{counting}/parts", timeout=10) as answer:
            return int(json.load(answer)[which])

    def wait_for(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90  # sweeps stand back for whatever else runs here
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    with serve(ROOT / "tests" / "browser" / "apps" / "counting.py", tmp_path / "log.txt") as counting:
        page = profile.new_page()
        open_laboratory(page, counting, replace(ECHO, hidden_size=64))
        page.get_by_role("radio", name="Border", exact=True).click()
        wait_for(lambda: parts("done") > 0)
        page.close()
        wait_for(lambda: parts("under_way") == 0)
        done = parts("done")
        assert done < 24
        time.sleep(1.5)
        assert (parts("done"), parts("under_way")) == (done, 0)


def test_twenty_seeds_give_a_share(server: str, page: Page) -> None:
    open_laboratory(page, server)
    page.get_by_role("radio", name="Seeds", exact=True).click()
    expect(page.get_by_text("Of 20 seeds:")).to_be_visible()


def test_the_cliff_is_drawn_in_three_dimensions_and_follows_its_sliders(server: str, page: Page) -> None:
    open_laboratory(page, server)
    page.get_by_role("radio", name="Cliff", exact=True).click()
    wait_until(page, drawn("cliff"))
    plot = "document.querySelector('.st-key-lab_cliff .live-figure')"
    assert page.evaluate(f"{plot}._fullData[0].type") == "surface"
    wait_until(page, f"{plot}.querySelector('canvas') !== null")
    longest = page.evaluate(f"{plot}._fullData.find(t => t.name === 'with clipping').x.length")
    assert longest > 100
    page.evaluate(f"window.before = {plot}.getAttribute('aria-label')")
    page.get_by_role("slider", name="Start at w").press("ArrowRight")
    wait_until(page, f"{plot}.getAttribute('aria-label') !== window.before")
