"""What a visitor takes home: files with the run that is on the screen."""

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from rnnviz import Experiment, train
from rnnviz.export.code import numpy_script, pytorch_script
from rnnviz.export.run_file import open_run
from rnnviz.teaching.walkthrough import Walk, original
from tests.browser.conftest import STYLED, wait_until
from tests.browser.test_story import AXE, assert_readable_in_the_dark, barriers

BODY = ".st-key-take_home_body"
TIMELINE = "document.querySelector('.st-key-timeline .live-figure')"


def open_exports(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/playground{query}")
    wait_until(page, f"{TIMELINE}?.dataset.draws > 0 && {STYLED}")
    page.get_by_role("button", name="Take it home").click()
    expect(page.locator(f"{BODY} pre").first).to_be_visible()


def downloaded(page: Page, label: str) -> tuple[str, bytes]:
    """The name and the content of the file behind a button."""
    with page.expect_download() as found:
        page.get_by_role("button", name=label).click()
    return found.value.suggested_filename, Path(found.value.path()).read_bytes()


def test_scripts_and_notebooks_are_those_of_the_experiment(server: str, page: Page) -> None:
    open_exports(page, server, "?cell=gru&T=7")
    e = Experiment(cell="gru", seq_len=7)
    name, script = downloaded(page, "Script (.py)")
    assert (name, script.decode()) == ("recall-gru-numpy.py", numpy_script(e, 300))
    page.get_by_role("radio", name="PyTorch script").click()
    expect(page.locator(BODY)).to_contain_text("import torch")
    name, script = downloaded(page, "Script (.py)")
    assert (name, script.decode()) == ("recall-gru-pytorch.py", pytorch_script(e, 300))
    name, book = downloaded(page, "Notebook (.ipynb)")
    assert name == "recall-gru-pytorch.ipynb"
    assert "nn.GRU(I, H)" in "".join(line for c in json.loads(book)["cells"] for line in c["source"])


def test_the_code_is_on_the_screen_with_all_buttons_and_nothing_sticks_out(server: str, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")  # colours change at once
    open_exports(page, server)
    for label in ("Script (.py)", "Notebook (.ipynb)"):
        expect(page.get_by_role("button", name=label)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    code = page.locator(f"{BODY} pre").first
    assert code.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), "every line is seen to its end"
    page.evaluate(AXE)
    assert barriers(page) == {}
    assert_readable_in_the_dark(page)


@pytest.mark.parametrize("width", [1024, 1280])
def test_the_button_lies_over_no_other_in_the_header(server: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    page.goto(f"{server}/playground")
    wait_until(page, f"{TIMELINE}?.dataset.draws > 0 && {STYLED}")
    page.wait_for_timeout(500)  # the bar takes its place
    own = page.get_by_role("button", name="Take it home").bounding_box()
    tab = page.get_by_test_id("stTopNavLink").last.bounding_box()
    glossary = page.get_by_role("button", name="Glossary").bounding_box()
    assert own is not None
    assert tab is not None
    assert glossary is not None
    assert tab["x"] + tab["width"] < own["x"] < own["x"] + own["width"] < glossary["x"] + 1


def test_what_no_script_can_hold_is_said(server: str, page: Page) -> None:
    data = "+".join(str(n % 7) for n in range(2800))
    open_page = f"?task=series&topology=many-to-many&series=own&T=5&data={data}"
    page.goto(f"{server}/playground{open_page}")
    page.get_by_role("button", name="Take it home").click()
    expect(page.locator(BODY)).to_contain_text("No script: a script holds a series of at most 2,000 values")


def test_the_pass_by_hand_is_a_spreadsheet(server: str, page: Page) -> None:
    page.goto(f"{server}/how?view=by-hand")
    name, content = downloaded(page, "Spreadsheet")
    assert name == "one-pass-by-hand.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True).active
    assert sheet is not None
    assert sheet["N5"].value == pytest.approx(Walk.of(original()).L[0], abs=1e-12)


STEP = "Number(document.querySelector('.numbers b')?.textContent.replace(',', ''))"


def test_a_run_is_saved_opened_again_and_goes_on_bit_for_bit(server: str, page: Page, tmp_path: Path) -> None:
    open_exports(page, server, "?T=5&H=8")
    page.keyboard.press("Escape")
    for made in (1, 2, 3):
        page.locator(".st-key-step button").click()
        wait_until(page, f"{STEP} === {made}")
    page.get_by_role("button", name="Take it home").click()
    page.get_by_role("radio", name="Run file").click()
    name, data = downloaded(page, "Run after 3 updates")
    assert name == "recall-vanilla-3.zip"
    found = open_run(data)
    e = Experiment(seq_len=5, hidden_size=8)
    assert found.experiment == e
    assert (found.params.flat() == train(e, 3).params.flat()).all()
    file = tmp_path / name
    file.write_bytes(data)
    page.locator(f"{BODY} input[type=file]").set_input_files(tmp_path / _damaged(tmp_path))
    expect(page.locator(f"{BODY} .note")).to_contain_text("was rejected")
    assert page.evaluate(STEP) == 3, "the run is still there"
    page.goto(f"{server}/playground?T=9")
    wait_until(page, f"{TIMELINE}?.dataset.draws > 0 && {STYLED} && {STEP} === 0")
    page.get_by_role("button", name="Take it home").click()
    page.get_by_role("radio", name="Run file").click()
    page.locator(f"{BODY} input[type=file]").set_input_files(file)
    wait_until(page, f"{STEP} === 3 && new URL(location).searchParams.get('T') === '5'")
    page.keyboard.press("Escape")
    page.locator(".st-key-step button").click()
    wait_until(page, f"{STEP} === 4")


def _damaged(folder: Path) -> str:
    (folder / "damaged.zip").write_bytes(b"PK\x03\x04 and nothing else")
    return "damaged.zip"


def test_the_report_opens_without_a_server_and_its_slider_goes_through_the_run(
    server: str, page: Page, tmp_path: Path
) -> None:
    open_exports(page, server, "?T=5&H=8")
    page.keyboard.press("Escape")
    for made in (1, 2):
        page.locator(".st-key-step button").click()
        wait_until(page, f"{STEP} === {made}")
    page.get_by_role("button", name="Take it home").click()
    page.get_by_role("radio", name="Report").click()
    name, content = downloaded(page, "Report (.html)")
    assert name == "recall-vanilla-report.html"
    (tmp_path / name).write_bytes(content)
    page.goto((tmp_path / name).as_uri())
    slider = page.get_by_role("slider").first
    assert slider.get_attribute("max") == "2"
