"""A network of one's own, as a person brings it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from rnnviz.applications.network_file import read_network
from tests.browser.conftest import expect_no_scroll_bar, wait_until
from tests.browser.test_laboratory import drawn


def bring(page: Page, file: Path) -> None:
    page.locator(".stMain input[type=file]").set_input_files(file)


def test_a_visitor_asks_whether_the_gradient_of_their_network_vanishes(
    server: str, page: Page, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    W_hh = 0.5 * np.linalg.qr(rng.normal(size=(16, 16)))[0]
    mine, broken = tmp_path / "mine.npz", tmp_path / "broken.npz"
    np.savez(mine, weight_ih_l0=np.ones((16, 3)), weight_hh_l0=W_hh)
    np.savez(broken, W_xh=np.ones((3, 4)), W_hh=np.ones((3, 4)))
    page.goto(f"{server}/real-data?job=network")
    wait_until(page, drawn("own"))
    verdict = page.locator(".stMain p.verdict")
    expect(verdict).to_contain_text("On random input (strength 1), the playground's gradient")

    bring(page, mine)
    expect(verdict).to_contain_text(
        "On random input (strength 1), your network's gradient vanishes: it shrinks by"
    )
    expect(page.locator("p.story").get_by_text("mine.npz")).to_be_visible()
    expect(page.get_by_text("How to read this.")).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(300)  # the formula is set a moment after its text
    expect_no_scroll_bar(page)
    wait_until(page, "document.querySelector('.st-key-lab_own_spectrum .live-figure')?.dataset.draws > 0")

    told = verdict.inner_text()
    bring(page, broken)
    expect(page.get_by_text("W_hh must be square, (H, H); got (3, 4).")).to_be_visible()
    expect(page.get_by_text(re.compile("broken.npz was rejected"))).to_be_in_viewport(ratio=1)
    expect(verdict).to_have_text(told)
    expect(page.locator("p.story").get_by_text("mine.npz")).to_be_visible()
    page.wait_for_timeout(300)
    expect_no_scroll_bar(page)

    page.get_by_role("radio", name="Sentiment", exact=True).click()
    wait_until(page, "document.querySelector('.st-key-answer_sentiment .live-figure')?.dataset.draws > 0")
    page.get_by_role("radio", name="Your network", exact=True).click()
    expect(verdict).to_have_text(told)
    page.get_by_role("button", name="Remove my network").click()
    expect(verdict).to_contain_text("On random input (strength 1), the playground's gradient")

    with page.expect_download() as download:
        page.get_by_role("button", name="The playground's weights").click()
    template = tmp_path / "template.npz"
    download.value.save_as(template)
    assert read_network(template.read_bytes()).source == "rnnviz names"


@pytest.mark.parametrize(("cell", "gates", "told"), [("LSTM", 4, "forget"), ("GRU", 3, "update")])
def test_a_visitor_sees_what_the_gates_of_their_network_keep(
    cell: str, gates: int, told: str, server: str, page: Page, tmp_path: Path
) -> None:
    rng, mine = np.random.default_rng(0), tmp_path / "mine.npz"
    state = {
        f"{kind}_l{layer}": rng.uniform(-0.25, 0.25, shape)
        for layer in range(2)
        for kind, shape in (
            ("weight_ih", (gates * 16, 16 if layer else 3)),
            ("weight_hh", (gates * 16, 16)),
            ("bias_ih", gates * 16),
            ("bias_hh", gates * 16),
        )
    }
    np.savez(mine, **state)
    page.goto(f"{server}/real-data?job=network")
    wait_until(page, drawn("own"))
    bring(page, mine)
    verdict = page.locator(".stMain p.verdict")
    expect(verdict).to_contain_text("in layer 2, your network's gradient vanishes: it shrinks by")
    expect(page.locator("p.story").get_by_text(f"(PyTorch): {cell}, 2 layers")).to_be_visible()
    wait_until(page, drawn("own_gates"))
    expect(page.get_by_text(f"by its {told} gate")).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(300)  # the formula is set a moment after its text
    expect_no_scroll_bar(page)
    shown = verdict.inner_text()
    page.get_by_role("combobox", name="Layer").click()
    page.get_by_role("option", name="1 of 2").click()
    expect(verdict).to_contain_text("in layer 1, your network's gradient")
    expect(verdict).not_to_have_text(shown)
    expect(page.get_by_text("The layer above adds to it at each step.")).to_be_visible()
    expect_no_scroll_bar(page)
