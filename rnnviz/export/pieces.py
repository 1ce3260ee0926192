"""Fill templates of code, and write data and words into them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from string import Template

WIDTH = 100
"""Characters of the longest line of a script."""


def fill(template: str, **parts: str) -> str:
    """Return a template with each ``$name`` replaced; a line with nothing but an empty part is left out."""
    for name, part in parts.items():
        if not part:
            template = re.sub(rf"^ *\${name}\n", "", template, flags=re.MULTILINE)
    return Template(template).substitute(parts)


def indented(code: str, spaces: int = 4) -> str:
    """Return code indented, without the line break at its end."""
    return textwrap.indent(code, " " * spaces).rstrip("\n")


def block(words: Iterable[str]) -> str:
    """Return words as a triple-quoted text, wrapped."""
    return f'"""\n{textwrap.fill(" ".join(words), WIDTH - 1, break_on_hyphens=False)}\n"""'


def listing(name: str, phrases: Iterable[str]) -> str:
    """Return a line that assigns a list of words or phrases to a name; long ones take several lines."""
    phrases = tuple(phrases)
    single = not any(" " in phrase for phrase in phrases)
    separator, split = (" ", "split()") if single else (", ", 'split(", ")')
    line = f'{name} = "{separator.join(phrases)}".{split}\n'
    if len(line) <= WIDTH:
        return line
    if single:
        return f"{name} = {block(phrases)}.split()\n"
    return f"{name} = [\n" + "".join(f'    "{phrase}",\n' for phrase in phrases) + "]\n"


def number(value: float) -> str:
    """Return a number as code, the shortest that means exactly this number."""
    return repr(value).removesuffix(".0")


def used(name: str, code: str) -> bool:
    """Return whether a name occurs in code."""
    return re.search(rf"\b{name}\b", code) is not None
