"""A network of one's own, as a person brings it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from rnnviz.applications.network_file import read_network
from tests.browser.conftest import wait_until
from tests.browser.test_laboratory import drawn, overflow


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
    assert overflow(page) == 0
    wait_until(page, "document.querySelector('.st-key-lab_own_spectrum .live-figure')?.dataset.draws > 0")

    told = verdict.inner_text()
    bring(page, broken)
    expect(page.get_by_text("W_hh must be square, (H, H); got (3, 4).")).to_be_visible()
    expect(page.get_by_text(re.compile("broken.npz was rejected"))).to_be_in_viewport(ratio=1)
    expect(verdict).to_have_text(told)
    expect(page.locator("p.story").get_by_text("mine.npz")).to_be_visible()
    page.wait_for_timeout(300)
    assert overflow(page) == 0

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
