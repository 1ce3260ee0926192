"""Uploads without a page: what any program can send that has a session."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.cookiejar import CookieJar


def put_file(server: str, session: str, name: str, data: bytes) -> tuple[int, str]:
    """Store a file in a session; return the answer's status and text."""
    cookies = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    opener.open(f"{server}/_stcore/health").read()
    token = next(str(cookie.value) for cookie in cookies if "xsrf" in cookie.name)
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "X-Xsrftoken": token}
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    url = f"{server}/_stcore/upload_file/{session}/{name}"
    asked = urllib.request.Request(url, head + data + b"\r\n--edge--\r\n", headers, method="PUT")
    try:
        with opener.open(asked) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
