"""The Containerfile, read for what a test does in its place where no container engine can run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Image:
    """copies : (sources, target) of the first stage. build, command, health : as lists of arguments."""

    copies: list[tuple[list[str], str]]
    build: list[str]
    environment: dict[str, str]
    user: int
    folder: str
    command: list[str]
    health: list[str]


def image() -> Image:
    """Return the steps of deploy/Containerfile; it may have no others."""
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", text)
    first, second = re.split(r"^FROM .*$", joined, flags=re.MULTILINE)[1:]
    copies = [line.split() for line in re.findall(r"^COPY (.*)$", first, re.MULTILINE)]
    (run,) = re.findall(r"^RUN (.*)$", joined, re.MULTILINE)
    (health,) = re.findall(r"^HEALTHCHECK .*?CMD (.*)$", second, re.MULTILINE)
    (command,) = re.findall(r"^CMD (.*)$", second, re.MULTILINE)
    (user,) = re.findall(r"^USER (\d+):\1$", second, re.MULTILINE)
    (folder,) = re.findall(r"^WORKDIR (.*)$", second, re.MULTILINE)
    return Image(
        [(sources, target) for *sources, target in copies],
        json.loads(run),
        dict(re.findall(r"^ENV (\w+)=(.*)$", second, re.MULTILINE)),
        int(user),
        folder,
        json.loads(command),
        json.loads(health),
    )
