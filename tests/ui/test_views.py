"""How the app is shown travels in the URL beside the experiment, and no URL can break it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rnnviz.experiment.links import VIEW_PARAMETERS
from rnnviz.teaching.lessons import LESSONS
from rnnviz.teaching.tour import STAGES
from rnnviz.ui.views import ADDRESSES, HALVES, HIDEABLE, INSTRUMENTS, PAIR_VIEWS, View, read_view, view_params

VIEWS = st.builds(
    View,
    projector=st.booleans(),
    lesson=st.sampled_from(["", *LESSONS]),
    application=st.sampled_from(["", *ADDRESSES]),
    instrument=st.sampled_from(["", *INSTRUMENTS]),
    half=st.sampled_from(["", *HALVES]),
    beside=st.sampled_from(["", *PAIR_VIEWS]),
    tour=st.sampled_from(["", *STAGES]),
    hidden=st.frozensets(st.sampled_from(sorted(HIDEABLE))),
)


@given(VIEWS)
def test_a_view_comes_back_from_its_own_parameters(view: View) -> None:
    assert read_view(view_params(view)) == (view, [])


def test_the_usual_view_needs_no_parameters() -> None:
    assert view_params(View()) == {}


@given(st.dictionaries(st.sampled_from(VIEW_PARAMETERS), st.text(max_size=300)))
def test_no_parameter_breaks_a_view(params: dict[str, str]) -> None:
    view, ignored = read_view(params)
    assert read_view(view_params(view)) == (view, [])
    assert not any(sign in sentence for sentence in ignored for sign in "<>&`$")


def test_what_makes_no_sense_is_named() -> None:
    view, ignored = read_view(
        {"projector": "maybe", "lesson": "nope", "view": "top", "hide": "run,everything,start"}
    )
    assert view == View(hidden=frozenset({"run", "start"}))
    assert ignored == [
        "projector=maybe (expected true or false)",
        "lesson=nope (unknown)",
        "view=top (unknown)",
        "hide=everything (unknown)",
    ]
