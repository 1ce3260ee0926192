"""From page to page: what is open is in the address, on its own page, and is still open on return."""

from __future__ import annotations

import pytest

from rnnviz import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.ui.catalogue import ENTRIES, MOVED, after, at
from rnnviz.ui.views import OWN_PAGE, View
from tests.visitor import Tab

E = Experiment(seq_len=8)
PLACES = [
    ("laboratory", "instrument", "instrument", "causes", "lab_causes"),
    ("how", "view", "half", "by-hand", "by_hand"),
    ("real_data", "job", "job", "sentiment", "answer_sentiment"),
]
"""Pages with several parts: the parameter, the control, one part, and its figure."""


def address(tab: Tab) -> dict[str, str]:
    params = {n: v if isinstance(v, str) else v[0] for n, v in dict(tab.tab.query_params).items()}
    return {name: value for name, value in params.items() if name not in to_params(E)}


@pytest.mark.parametrize(("page", "parameter", "control", "part", "figure"), PLACES)
def test_what_is_open_is_in_the_address(
    page: str, parameter: str, control: str, part: str, figure: str
) -> None:
    tab = Tab(page, **to_params(E))
    assert figure not in tab.messages
    assert address(tab) == {}
    tab.widget("button_group", control).set_value(part)
    tab.look()
    assert figure in tab.messages
    assert address(tab) == {parameter: part}
    tab.tab.query_params.clear()
    tab.go("types")
    assert address(tab) == {}, "on its own page only"
    tab.tab.query_params.clear()
    tab.go(page)
    assert figure in tab.messages, "the header brings it back as it was left"
    assert address(tab) == {parameter: part}
    tab.go_back(**to_params(E))
    assert figure not in tab.messages, "Back opens what was open then"
    assert address(tab) == {}


@pytest.mark.parametrize(("page", "parameter", "control", "part", "figure"), PLACES)
def test_a_link_opens_it(page: str, parameter: str, control: str, part: str, figure: str) -> None:
    tab = Tab(page, **to_params(E), **{parameter: part})
    assert figure in tab.messages
    assert tab.widget("button_group", control).value == part
    tab = Tab(page, **to_params(E), **{parameter: "<b>"})
    assert "Ignored in the link: " in tab.html
    assert f"{parameter}=" in tab.html
    assert address(tab) == {}


def test_what_applies_to_one_page_stays_there() -> None:
    view = View(projector=True, application="text", instrument="cliff", half="by-hand")
    assert view.on("laboratory") == View(projector=True, instrument="cliff")
    assert view.on("") == View(projector=True)
    opened = View(instrument="seeds", half="loop").on("laboratory", others=view)
    assert opened == View(application="text", instrument="seeds", half="by-hand")
    assert set(OWN_PAGE.values()) <= {entry.path for entry in ENTRIES.values()}


@pytest.mark.parametrize("name", ENTRIES)
def test_every_page_leads_on(name: str) -> None:
    """The last one to the first of all; on the home page the doors lead on."""
    following = after(name)
    if name == "home":
        assert following.name == "why"
        return
    links = {link.proto.page for link in Tab(name).tab.get("page_link")}
    assert following.path in links


@pytest.mark.parametrize("name", ENTRIES)
def test_every_page_has_one_heading_of_the_first_rank(name: str) -> None:
    assert Tab(name).html.count("<h1") == 1
    if name in ("playground", "laboratory", "real_data"):
        assert f">{ENTRIES[name].title}</h1>" in Tab(name, projector="true").html


@pytest.mark.parametrize("path", MOVED)
def test_an_earlier_path_names_a_page(path: str) -> None:
    assert MOVED[path] in ENTRIES
    assert path not in [entry.path for entry in ENTRIES.values()]


@pytest.mark.parametrize("name", ENTRIES)
def test_a_path_names_its_page(name: str) -> None:
    assert at(ENTRIES[name].path) is ENTRIES[name]
