"""Ask pip-audit whether a version in deploy/requirements.lock has a known vulnerability.

One that is found is a failure unless accepted.txt lists it with a reason. Where the data cannot be reached,
one line says so, and that is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SECONDS = 60


def accepted(text: str) -> dict[str, str]:
    """Return why each vulnerability is accepted, by its name.

    Raises
    ------
    ValueError
        If a line has no reason.
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    reasons = {line.partition(" ")[0]: line.partition(" ")[2].strip() for line in lines}
    without = [name for name, reason in reasons.items() if not reason]
    if without:
        raise ValueError(f"accepted.txt must have a reason behind each name; got {without[0]!r} alone.")
    return reasons


def judged(report: dict[str, Any], reasons: dict[str, str]) -> tuple[list[str], bool]:
    """Return what there is to say about pip-audit's report, and whether it is good."""
    audited = [package for package in report["dependencies"] if "skip_reason" not in package]
    left_out = len(report["dependencies"]) - len(audited)
    if not audited:
        return ["Skipped: the data about vulnerabilities cannot be reached from here."], True
    said, good = [], True
    for package in audited:
        for found in package["vulns"]:
            names = [found["id"], *found.get("aliases", [])]
            reason = next((reasons[name] for name in names if name in reasons), "")
            fixed = ", ".join(found["fix_versions"]) or "no version"
            known = f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}"
            said.append(f"Accepted: {known} ({reason})" if reason else f"Vulnerable: {known}")
            good = good and bool(reason)
    said.append(f"{len(audited)} packages audited, {left_out} not found in the data.")
    return said, good


def main() -> int:
    """Print what pip-audit found; return 1 if there is a vulnerability that nobody has accepted."""
    reasons = accepted((HERE / "accepted.txt").read_text(encoding="utf-8"))
    lock = ["--requirement", str(HERE / "requirements.lock"), "--require-hashes", "--disable-pip"]
    asked = [
        sys.executable,
        "-m",
        "pip_audit",
        *lock,
        "--format=json",
        "--progress-spinner=off",
        "--timeout=10",
    ]
    try:
        run = subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
        report = json.loads(run.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):  # its own message is a long traceback
        report = {"dependencies": []}
    said, good = judged(report, reasons)
    sys.stdout.write("\n".join(said) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
