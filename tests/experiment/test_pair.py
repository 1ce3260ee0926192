"""Two experiments side by side: what may differ, and equal numbers of parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import CELLS, Experiment
from rnnviz.experiment import choices
from rnnviz.experiment.links import to_params
from rnnviz.experiment.pair import CHANGEABLE, paired, parameter_count, with_parameters


def test_b_is_a_with_one_thing_changed() -> None:
    a = Experiment(seq_len=30, seed=7)
    pair = paired(a, {"cell": "lstm"})
    assert pair.b == replace(a, cell="lstm")
    assert pair.differences == ["cell"]
    assert (pair.ignored, pair.adjusted) == ((), ())


def test_what_had_to_change_as_well_is_said() -> None:
    pair = paired(Experiment(), {"cell": "lru"})
    assert pair.differences == ["cell", "init"]
    assert pair.adjusted == (
        "LRU has no initialisation Orthogonal: it is now Eigenvalues near the unit circle.",
    )


@pytest.mark.parametrize("url", ["task", "topology", "T", "seed", "batch", "noise", "feedback"])
def test_the_data_cannot_differ(url: str) -> None:
    pair = paired(Experiment(), {url: "1"})
    assert pair.b == pair.a
    assert pair.ignored == (f"{url} (both have the same data)",)


@settings(max_examples=100, deadline=None)
@given(
    changes=st.dictionaries(
        st.sampled_from([choice.url for choice in choices().values()]) | st.text(max_size=8),
        st.sampled_from(["lstm", "chrono", "relu", "3", "0.5", "none", "sgd", "-1", "nonsense"]),
        max_size=5,
    )
)
def test_any_link_gives_a_pair_on_the_same_data(changes: dict[str, str]) -> None:
    pair = paired(Experiment(), changes)
    assert set(pair.differences) <= set(CHANGEABLE)
    urls = {choices()[name].url for name in CHANGEABLE}
    assert {u: v for u, v in to_params(pair.b).items() if u not in urls} == {
        u: v for u, v in to_params(pair.a).items() if u not in urls
    }


@pytest.mark.parametrize("cell", [name for name in CELLS if name != "vanilla"])
@pytest.mark.parametrize("hidden", [8, 32])
def test_equal_parameters_give_the_nearest_hidden_size_of_all(cell: str, hidden: int) -> None:
    a = Experiment(hidden_size=hidden)
    b = paired(a, {"cell": cell}, equal=True).b
    P = {H: parameter_count(replace(b, hidden_size=H)) for H in range(2, 129)}
    best = min(P, key=lambda H: (abs(P[H] - parameter_count(a)), H))
    assert b.hidden_size == best
    assert b.cell == cell


def test_an_unreachable_number_of_parameters_gives_the_end_of_the_range() -> None:
    e = Experiment()
    assert with_parameters(e, 10**9).hidden_size == 128
    assert with_parameters(e, 1).hidden_size == 2
