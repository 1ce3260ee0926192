"""The app behind nginx, with the configuration in docs/, with and without a base path."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, free_port, running, streamlit, wait_until, wait_until_healthy

DRAWN = "document.querySelectorAll('.live-figure[data-draws]').length"


def nginx_path() -> str:
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail("no nginx: apt-get install nginx-light", pytrace=False)
    pytest.skip("no nginx: apt-get install nginx-light")


@contextmanager
def nginx(folder: Path, app: int, base: str) -> Iterator[str]:
    """Run nginx in a folder of its own, in front of the app at a port; gives the app's URL there."""
    port = free_port()
    written = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
    values = {"listen ADDRESS": f"listen 127.0.0.1:{port}", "APP": f"127.0.0.1:{app}", "/BASE": f"/{base}"}
    _, blocks = written.split("\n\n", 1)
    for name, value in values.items():
        assert name in blocks
        blocks = blocks.replace(name, value)
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in temporary)
    blocks = blocks.replace("http {", f"http {{\naccess_log off;\n{paths}", 1)
    config = folder / "nginx.conf"
    config.write_text(f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/errors.txt;\n{blocks}")
    process = subprocess.Popen([nginx_path(), "-p", str(folder), "-c", str(config)])
    url = f"http://127.0.0.1:{port}/{base}"
    try:
        wait_until_healthy(url.rstrip("/"), process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def expect_training(page: Page, url: str) -> None:
    page.goto(f"{url}playground")
    wait_until(page, f"{DRAWN} === 3")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".numbers")).to_contain_text("updates/s", timeout=30_000)
    draws = "Number(document.querySelector('.st-key-timeline .live-figure').dataset.draws)"
    before = page.evaluate(draws)
    wait_until(page, f"{draws} > {before + 3}")
    page.goto("about:blank")  # a page that loses its server complains in the console


def test_a_network_trains_behind_nginx(server: str, page: Page, tmp_path: Path) -> None:
    with nginx(tmp_path, int(server.rsplit(":", 1)[1]), base="") as url:
        expect_training(page, url)


def test_a_network_trains_behind_nginx_below_a_base_path(page: Page, tmp_path: Path) -> None:
    port, base = free_port(), "rnn/"
    command = [*streamlit(ROOT / "app.py", port), f"--server.baseUrlPath={base}"]
    with running(command, port, tmp_path / "log.txt", path=base), nginx(tmp_path, port, base) as url:
        expect_training(page, url)
