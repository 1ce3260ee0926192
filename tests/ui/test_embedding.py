"""Pages inside other sites: who may show them, and the line that does."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

from rnnviz.ui.embedding import SETTING, frame_ancestors, iframe
from tests.visitor import Tab


def test_by_default_no_other_site_may_show_the_app() -> None:
    assert frame_ancestors() == "'self'"


def test_sites_can_be_allowed() -> None:
    sites = ("https://lms.example.org", "https://*.example.edu")
    assert frame_ancestors(sites) == "'self' https://lms.example.org https://*.example.edu"


def test_the_line_for_another_page_opens_the_same_link_embedded() -> None:
    found: dict[str, str | None] = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update(attrs, tag=tag)

    Reader().feed(iframe("https://rnn.example.org/playground?T=5&cell=lstm"))
    assert (found["tag"], found["title"]) == ("iframe", "rnnviz")
    assert parse_qs(urlsplit(str(found["src"])).query) == {"T": ["5"], "cell": ["lstm"], "embed": ["true"]}


def test_the_teachers_page_writes_the_line() -> None:
    tab = Tab("teach")
    tab.tab.toggle(key="link_embedded").set_value(True)
    tab.look()
    assert tab.tab.code[0].value.startswith('<iframe src="')
    assert any(SETTING in caption.value for caption in tab.tab.caption)
