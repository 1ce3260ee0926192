"""What the image installs: fixed files, in the app's own ranges, under known licences."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK, re.MULTILINE))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]

PERMISSIVE = {
    "0BSD", "3-Clause BSD License", "Apache License 2.0", "Apache Software License", "Apache-2.0", "BSD",
    "BSD License", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT License", "MIT-CMU", "PSF-2.0",
    "Zlib",
}  # fmt: skip
COPYLEFT = {
    "certifi": ("Mozilla Public License 2.0 MPL 2.0", "a list of certificates, passed on unchanged"),
    "orjson": ("MPL-2.0", "passed on unchanged"),
}
"""Packages under a licence that asks for changes to be shared, and why that is no burden."""

_spec = importlib.util.spec_from_file_location("audit", ROOT / "deploy" / "audit.py")
assert _spec is not None
assert _spec.loader is not None
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)


def listed() -> dict[str, tuple[str, str]]:
    """Version and licence of each package in docs/licences.md."""
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) +\| (\S+) +\| (.+?) +\|$", text, re.MULTILINE)
    return {canonicalize_name(name): (version, licence) for name, version, licence in rows if name != "Name"}


def needed() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    app = [line for line in lines if line and not line.startswith("#")]
    return [Requirement(line) for line in (*app, *EXTRAS["cluster"])]


@pytest.mark.parametrize("requirement", needed(), ids=lambda r: r.name)
def test_the_lock_has_a_version_within_each_range(requirement: Requirement) -> None:
    assert requirement.specifier.contains(LOCKED[canonicalize_name(requirement.name)])


def test_every_line_of_the_lock_is_one_version_with_hashes() -> None:
    entries = re.sub(r"\\\n", " ", LOCK).splitlines()
    lines = [line for line in entries if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) == len(LOCKED)
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ; .+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line


def test_the_lock_names_no_place_to_install_from() -> None:
    assert not re.search(r"://|index-url|find-links|trusted-host|^\s*-", re.sub(r"--hash=\S+", "", LOCK))


def test_the_list_of_licences_is_that_of_the_lock() -> None:
    assert {name: version for name, (version, _) in listed().items()} == {
        canonicalize_name(name): version for name, version in LOCKED.items()
    }


def test_no_licence_but_the_allowed_ones_is_installed() -> None:
    for name, (_, licence) in listed().items():
        parts = set(re.split(r" AND | OR |; ", re.sub(r"[()]", "", licence)))
        odd = parts - PERMISSIVE
        assert odd == ({COPYLEFT[name][0]} if name in COPYLEFT else set()), f"{name}: {licence}"


FOUND = {"id": "PYSEC-2030-1", "aliases": ["CVE-2030-1"], "fix_versions": ["2.1"]}
REPORT = {
    "dependencies": [{"name": "a", "version": "2.0", "vulns": [FOUND]}, {"name": "b", "skip_reason": "?"}]
}


def test_a_known_vulnerability_fails() -> None:
    assert audit.judged(REPORT, {}) == (
        ["Vulnerable: a 2.0: PYSEC-2030-1, fixed in 2.1", "1 packages audited, 1 not found in the data."],
        False,
    )


@pytest.mark.parametrize("name", ["PYSEC-2030-1", "CVE-2030-1"])
def test_one_that_was_accepted_with_a_reason_passes_and_is_said(name: str) -> None:
    said, good = audit.judged(REPORT, audit.accepted(f"# why\n\n{name} not reached: no uploads\n"))
    assert good
    assert said[0].endswith("(not reached: no uploads)")


def test_a_reason_is_asked_for() -> None:
    with pytest.raises(ValueError, match="must have a reason behind each name; got 'CVE-2030-1' alone"):
        audit.accepted("CVE-2030-1\n")
    assert audit.accepted((ROOT / "deploy" / "accepted.txt").read_text(encoding="utf-8")) is not None


def test_without_the_data_nothing_is_claimed_and_nothing_fails() -> None:
    said, good = audit.judged({"dependencies": [{"name": "a", "skip_reason": "not found"}]}, {})
    assert (said, good) == (["Skipped: the data about vulnerabilities cannot be reached from here."], True)
