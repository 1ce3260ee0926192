"""The parts of a sheet, each as HTML and as Markdown; their texts are plain, and escaped here."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Protocol

LONGEST_ADDRESS = 500
"""Characters of an address that are printed; behind a longer one stands only the link."""

_SPECIAL = re.compile(
    r"[\\`*_{}\[\]<>|#~$&!]|:(?=//)|(?<=www)\.|^(?:[-+=:]|\d+(?=[.)](?:\s|$)))", re.IGNORECASE
)
"""What Markdown may read as a sign of its own: some characters anywhere, some where a line begins."""


def as_markdown(text: str) -> str:
    """Return plain text as one line of Markdown that shows it, whatever it holds."""
    line = " ".join(text.split())
    return _SPECIAL.sub(lambda sign: sign[0] + "\\" if sign[0].isdigit() else "\\" + sign[0], line)


class Block(Protocol):
    """A part of a sheet."""

    def html(self) -> str:
        """Return it as HTML."""
        ...

    def markdown(self) -> str:
        """Return it as Markdown."""
        ...


@dataclass(frozen=True)
class Heading:
    """A heading, with a hint beside it."""

    text: str
    hint: str = ""

    def html(self) -> str:
        """Return it as HTML."""
        hint = f" <small>{escape(self.hint)}</small>" if self.hint else ""
        return f"<h2>{escape(self.text)}{hint}</h2>"

    def markdown(self) -> str:
        """Return it as Markdown."""
        hint = f" ({as_markdown(self.hint)})" if self.hint else ""
        return f"## {as_markdown(self.text)}{hint}"


@dataclass(frozen=True)
class Words:
    """A paragraph. lead : its first words, in bold. kind : a class of worksheet.css."""

    text: str
    lead: str = ""
    kind: str = ""

    def html(self) -> str:
        """Return it as HTML."""
        lead = f"<b>{escape(self.lead)}</b> " if self.lead else ""
        kind = f' class="{self.kind}"' if self.kind else ""
        return f"<p{kind}>{lead}{escape(self.text)}</p>"

    def markdown(self) -> str:
        """Return it as Markdown."""
        lead = f"**{as_markdown(self.lead)}** " if self.lead else ""
        return f"{lead}{as_markdown(self.text)}"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[str]

    def html(self) -> str:
        """Return it as HTML."""
        return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in self.items)}</ul>"

    def markdown(self) -> str:
        """Return it as Markdown."""
        return "\n".join(f"- {as_markdown(item)}" for item in self.items)


@dataclass(frozen=True)
class Choice:
    """An answer with a box. note : what is said about it, in brackets."""

    text: str
    ticked: bool = False
    note: str = ""


@dataclass(frozen=True)
class Choices:
    """Answers with boxes to tick."""

    choices: Sequence[Choice]

    def html(self) -> str:
        """Return them as HTML."""
        items = []
        for choice in self.choices:
            kind, box = (" class='ticked'", "☒") if choice.ticked else ("", "☐")
            note = f" <b>({escape(choice.note)})</b>" if choice.note else ""
            items.append(f"<li{kind}><i>{box}</i><span>{escape(choice.text)}{note}</span></li>")
        return f"<ul class='choices'>{''.join(items)}</ul>"

    def markdown(self) -> str:
        """Return them as Markdown's list of tasks."""
        items = []
        for choice in self.choices:
            note = f" **({as_markdown(choice.note)})**" if choice.note else ""
            items.append(f"- [{'x' if choice.ticked else ' '}] {as_markdown(choice.text)}{note}")
        return "\n".join(items)


@dataclass(frozen=True)
class Lines:
    """Empty lines to write on."""

    count: int

    def html(self) -> str:
        """Return them as HTML."""
        return f'<div class="lines">{"<div></div>" * self.count}</div>'

    def markdown(self) -> str:
        """Return them as Markdown's rules."""
        return "\n\n".join(["&nbsp;\n\n---"] * self.count)


@dataclass(frozen=True)
class Blanks:
    """Names with room behind each, on one line."""

    names: Sequence[str]

    def html(self) -> str:
        """Return them as HTML."""
        return f'<p class="blanks">{"".join(f"<span>{escape(name)}</span>" for name in self.names)}</p>'

    def markdown(self) -> str:
        """Return them as Markdown."""
        room = r"\_" * 16
        return " ".join(f"{as_markdown(name)} {room}" for name in self.names)


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names it."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def html(self) -> str:
        """Return it as HTML."""
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.header)
        body = "".join(
            f'<tr><th scope="row">{escape(row[0])}</th>'
            f"{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def markdown(self) -> str:
        """Return it as Markdown."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        cells = [[cell if cell == "---" else as_markdown(cell) or " " for cell in line] for line in lines]
        return "\n".join(f"| {' | '.join(line)} |" for line in cells)


@dataclass(frozen=True)
class Picture:
    """A drawing as SVG. told : what it shows, for those who do not see it."""

    svg: str
    told: str

    def html(self) -> str:
        """Return it as HTML."""
        return f'<div class="picture" role="img" aria-label="{escape(self.told)}">{self.svg}</div>'

    def markdown(self) -> str:
        """Return it as Markdown that needs no other file."""
        data = base64.b64encode(self.svg.encode()).decode()
        return f"![{as_markdown(self.told)}](data:image/svg+xml;base64,{data})"


@dataclass(frozen=True)
class Link:
    """An address. lead : what it opens."""

    lead: str
    address: str

    def html(self) -> str:
        """Return it as HTML."""
        shown = self.address if len(self.address) <= LONGEST_ADDRESS else "in the file of this sheet"
        return (
            f'<p class="link"><b>{escape(self.lead)}</b> '
            f'<a href="{escape(self.address)}" rel="noreferrer">{escape(shown)}</a></p>'
        )

    def markdown(self) -> str:
        """Return it as Markdown."""
        return f"**{as_markdown(self.lead)}** <{self.address}>"


@dataclass(frozen=True)
class Columns:
    """Blocks beside each other on paper, below each other in Markdown."""

    left: Sequence[Block]
    right: Sequence[Block]

    def html(self) -> str:
        """Return them as HTML."""
        sides = ("".join(block.html() for block in side) for side in (self.left, self.right))
        return f'<div class="columns">{"".join(f"<div>{side}</div>" for side in sides)}</div>'

    def markdown(self) -> str:
        """Return them as Markdown."""
        return "\n\n".join(block.markdown() for block in (*self.left, *self.right))


@dataclass(frozen=True)
class Sheet:
    """A sheet of paper. kind : what stands above its title."""

    title: str
    kind: str
    blocks: Sequence[Block]
    footer: str

    def html(self) -> str:
        """Return it as one HTML file that needs no server, no network and no script."""
        folder = Path(__file__).parent
        return Template((folder / "worksheet.html").read_text(encoding="utf-8")).substitute(
            title=escape(self.title),
            kind=escape(self.kind),
            footer=escape(self.footer),
            css=(folder / "worksheet.css").read_text(encoding="utf-8").rstrip(),
            body="\n".join(block.html() for block in self.blocks),
        )

    def markdown(self) -> str:
        """Return it as Markdown."""
        parts = [f"# {as_markdown(self.title)}", f"*{as_markdown(self.kind)}*"]
        parts += [block.markdown() for block in self.blocks]
        return "\n\n".join([*parts, f"*{as_markdown(self.footer)}*"]) + "\n"
