"""nginx on this machine, with one of the project's configurations."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.conftest import second_port, wait_until_healthy


def nginx_path() -> str:
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail("no nginx: apt-get install nginx-light", pytrace=False)
    pytest.skip("no nginx: apt-get install nginx-light")


@contextmanager
def nginx(
    folder: Path,
    blocks: str,
    values: Mapping[str, str],
    path: str = "",
    port: int | None = None,
    trusted: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """Run nginx in a folder of its own; gives its port.

    blocks : its configuration. values : what is replaced in it, with PORT for the port.
    path : below which it answers. port : default the second. trusted : with TLS, whose certificates are.
    """
    port = port or second_port()
    for name, value in values.items():
        assert name in blocks, name
        blocks = blocks.replace(name, value.replace("PORT", str(port)))
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in temporary)
    blocks = blocks.replace("http {", f"http {{\naccess_log off;\n{paths}", 1)
    config = folder / "nginx.conf"
    config.write_text(f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/errors.txt;\n{blocks}")
    process = subprocess.Popen([nginx_path(), "-p", str(folder), "-c", str(config)])
    try:
        scheme = "https" if trusted else "http"
        wait_until_healthy(f"{scheme}://127.0.0.1:{port}/{path}".rstrip("/"), process, trusted)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)
