"""The app behind nginx, as docs/ and deploy/ say: with and without a base path, and behind TLS."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import trustme
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, free_port, running, streamlit, wait_until
from tests.browser.nginx import nginx

DRAWN = "document.querySelectorAll('.live-figure[data-draws]').length"


@contextmanager
def below(base: str, app: int, folder: Path) -> Iterator[str]:
    """Run nginx in front of the app at a port; gives the app's URL there."""
    values = {"listen ADDRESS": "listen 127.0.0.1:PORT", "APP": f"127.0.0.1:{app}", "/BASE": f"/{base}"}
    configuration = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
    with nginx(folder, configuration, values, base) as port:
        yield f"http://127.0.0.1:{port}/{base}"


@contextmanager
def behind_tls(app: int, folder: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Run the deployment guide's TLS proxy and compose's nginx in front of a replica; the other one is down.

    Gives the app's URL, and whose certificates to trust there.
    """
    authority, trusted = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusted)
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "certificate.pem")
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```nginx\n(.*?)```", guide, re.DOTALL)
    inner, outer = free_port(), "events {}\n\nhttp {\n" + blocks[0] + "}\n"
    replicas = {
        "listen 8080": "listen 127.0.0.1:PORT",
        "replica1:8501": f"127.0.0.1:{app}",
        "replica2:8502": f"127.0.0.1:{free_port()}",
        "~:8501$": f"~:{app}$",
    }
    proxy = {
        "listen 443 ssl": "listen 127.0.0.1:PORT ssl",
        "/etc/ssl/rnn.example.org.pem": str(folder / "certificate.pem"),
        "/etc/ssl/rnn.example.org.key": str(folder / "certificate.pem"),
        "127.0.0.1:8080": f"127.0.0.1:{inner}",
    }
    folders = folder / "replicas", folder / "tls"
    for made in folders:
        made.mkdir()
    configuration = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    with (
        nginx(folders[0], configuration, replicas, port=inner),
        nginx(folders[1], outer, proxy, trusted=trusted) as port,
    ):
        yield f"https://127.0.0.1:{port}/", trusted


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
    with below("", int(server.rsplit(":", 1)[1]), tmp_path) as url:
        expect_training(page, url)


def test_a_network_trains_behind_nginx_below_a_base_path(page: Page, tmp_path: Path) -> None:
    port, base = free_port(), "rnn/"
    command = [*streamlit(ROOT / "app.py", port), f"--server.baseUrlPath={base}"]
    with running(command, port, tmp_path / "log.txt", path=base), below(base, port, tmp_path) as url:
        expect_training(page, url)


def test_a_network_trains_behind_tls_and_nginx_and_the_cookie_is_secure(
    server: str, page: Page, tmp_path: Path
) -> None:
    with behind_tls(int(server.rsplit(":", 1)[1]), tmp_path) as (url, trusted):
        with urlopen(url, timeout=30, context=trusted) as answer:
            cookie: str = answer.headers["Set-Cookie"]
        assert cookie == "rnnviz_replica=1; Path=/; HttpOnly; SameSite=None; Secure; Partitioned"
        session = page.context.new_cdp_session(page)
        # the browser does not know the test's authority
        session.send("Security.setIgnoreCertificateErrors", {"ignore": True})
        expect_training(page, url)
        assert {kept["name"] for kept in page.context.cookies(url) if kept["secure"]} >= {"rnnviz_replica"}
        session.detach()
