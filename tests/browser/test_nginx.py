"""The app behind nginx, with the configuration in docs/, with and without a base path."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, free_port, running, streamlit, wait_until
from tests.browser.nginx import nginx

DRAWN = "document.querySelectorAll('.live-figure[data-draws]').length"


@contextmanager
def in_front_of(app: int, folder: Path, base: str) -> Iterator[str]:
    """Run nginx in front of the app at a port; gives the app's URL there."""
    values = {"APP": f"127.0.0.1:{app}", "/BASE": f"/{base}"}
    with nginx(folder, ROOT / "docs" / "nginx.conf", "listen ADDRESS", values, base) as port:
        yield f"http://127.0.0.1:{port}/{base}"


def expect_training(page: Page, url: str) -> None:
    page.goto(f"{url}playground")
    wait_until(page, f"{DRAWN} === 3")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".numbers")).to_contain_text("updates/s")
    draws = "Number(document.querySelector('.st-key-timeline .live-figure').dataset.draws)"
    before = page.evaluate(draws)
    wait_until(page, f"{draws} > {before + 3}")
    page.goto("about:blank")  # a page that loses its server complains in the console


def test_a_network_trains_behind_nginx(server: str, page: Page, tmp_path: Path) -> None:
    with in_front_of(int(server.rsplit(":", 1)[1]), tmp_path, base="") as url:
        expect_training(page, url)


def test_a_network_trains_behind_nginx_below_a_base_path(page: Page, tmp_path: Path) -> None:
    port, base = free_port(), "rnn/"
    command = [*streamlit(ROOT / "app.py", port), f"--server.baseUrlPath={base}"]
    with running(command, port, tmp_path / "log.txt", path=base), in_front_of(port, tmp_path, base) as url:
        expect_training(page, url)
