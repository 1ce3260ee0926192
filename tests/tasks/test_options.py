"""Tasks declare their options; everything else follows from the declaration."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from rnnviz import TASKS, Experiment
from rnnviz.experiment import choices
from rnnviz.experiment.experiment import CommonSettings, _with_options
from rnnviz.tasks import declared_options
from rnnviz.tasks.memory import DELAY, Echo
from rnnviz.tasks.options import Menu, NumberBox, Option, PasteBox, by_name
from rnnviz.tasks.text import CORPUS, TEXT

ROOT = Path(__file__).parents[2]
OPTIONS = declared_options()

KNOWS_NO_OPTION = [*(ROOT / "rnnviz" / "experiment").glob("*.py"), ROOT / "rnnviz" / "ui" / "controls.py"]

NEW_TASK = '''
"""A task with two options that no other task has."""

import numpy as np

from rnnviz.tasks.base import one_hot
from rnnviz.tasks.memory import SYMBOLS, SymbolTask
from rnnviz.tasks.options import NumberBox, Option, Toggle, by_name

STRIDE = Option("stride", "Stride", "integer", low=1, high=9, default=2, control=NumberBox(), shrinks=True)
BACKWARDS = Option("backwards", "Backwards", "switch", default=False, control=Toggle())


class Skip(SymbolTask):
    name, title, summary = "skip", "Skip", "Name the first symbol, or the one at the stride."
    fits, usual_length = ("many-to-one",), 9
    options = by_name(SYMBOLS, STRIDE, BACKWARDS)

    def lengths(self, e):
        return STRIDE.of(e) + 1, 200

    def draw(self, e, rng, size):
        symbols = rng.integers(SYMBOLS.of(e), size=(e.seq_len, size))
        targets = np.zeros_like(symbols)
        targets[-1] = symbols[0 if BACKWARDS.of(e) else STRIDE.of(e)]
        return self.as_batch(e, one_hot(symbols, SYMBOLS.of(e)), targets)
'''

USES_OF_IT = """
import pickle
from dataclasses import fields, replace
from pathlib import Path

from streamlit.testing.v1 import AppTest

import rnnviz
from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.fitting import changed
from rnnviz.experiment.links import from_params, to_params

e = Experiment(task="skip", stride=3)
assert (e.stride, e.backwards) == (3, False)
assert [f.name for f in fields(e)][-2:] == ["stride", "backwards"]
assert e != Experiment(task="skip") and hash(replace(e, stride=2)) == hash(Experiment(task="skip"))
assert pickle.loads(pickle.dumps(e)) == e
assert choices()["stride"].expected == "a whole number between 1 and 9"

params = to_params(e)
assert list(params)[-3:] == ["symbols", "stride", "backwards"]
assert from_params(params).experiment == e
assert "stride" not in to_params(Experiment(stride=3))
assert from_params(params | {"stride": "10"}).ignored == [
    "stride=10 (expected a whole number between 1 and 9)"
]
assert changed(e, seq_len=2)[1] == ["With T = 2 the stride was reduced to 1."]
rnnviz.train(e, steps=2)

tab = AppTest.from_file("rnnviz/ui/shell.py", default_timeout=60)
tab.switch_page(str(Path("pages/playground.py").resolve()))
tab.query_params.update(params)
tab.session_state["more"] = True  # all settings are unfolded
assert not tab.run().exception, tab.exception
assert tab.number_input(key="choose_stride").value == 3
tab.toggle(key="choose_backwards").set_value(True).run()
tab.number_input(key="choose_stride").set_value(4).run()
assert tab.session_state["session"].experiment == replace(e, stride=4, backwards=True)
"""


def test_a_new_task_brings_its_options_along(tmp_path: Path) -> None:
    for folder in ("rnnviz", "pages"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "rnnviz" / "tasks" / "skip.py").write_text(NEW_TASK)
    registry = tmp_path / "rnnviz" / "tasks" / "__init__.py"
    text = registry.read_text().replace("Translation(),", "Translation(), Skip(),")
    registry.write_text(text.replace("\nTASKS", "\nfrom rnnviz.tasks.skip import Skip\n\nTASKS", 1))
    run = subprocess.run([sys.executable, "-c", USES_OF_IT], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("file", KNOWS_NO_OPTION, ids=lambda file: file.name)
def test_settings_links_and_sidebar_name_no_option(file: Path) -> None:
    names = "|".join(OPTIONS)
    as_text, as_field, as_keyword = rf"""["']({names})["']""", rf"\w\.({names})\b", rf"\b({names})=(?!=)"
    for line in file.read_text(encoding="utf-8").splitlines():
        if "kind" not in line:  # "text" is also a kind
            used = re.search(rf"{as_text}|{as_field}|{as_keyword}", line.replace(".items()", ""))
            assert not used, line


# One option


def test_an_option_is_read_from_the_field_of_its_name() -> None:
    assert DELAY.of(Experiment(task="echo", topology="many-to-many", delay=3)) == 3
    assert DELAY.of(Experiment()) == DELAY.default == Experiment.delay


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_every_option_is_a_field_as_declared(option: Option[Any]) -> None:
    assert choices()[option.name] is option
    assert getattr(Experiment(), option.name) == option.default
    assert option.url == option.name
    assert option.title
    if isinstance(option.control, NumberBox):
        assert option.kind == "integer"
    if isinstance(option.control, Menu):
        assert set(option.control.unlisted) < set(option.names)
        assert all(option.names.values())


def test_common_settings_come_first() -> None:
    common = [name for name in choices() if name not in OPTIONS]
    assert list(choices()) == [*common, *OPTIONS]


def test_an_own_text_is_in_force_only_where_it_is_chosen() -> None:
    assert TEXT.only_if == (CORPUS, "own")
    assert not TEXT.in_force(Experiment(text="short"))
    assert TEXT.in_force(Experiment(corpus="own"))
    assert TEXT.in_force_with("some text") == {"corpus": "own", "text": "some text"}
    assert DELAY.in_force_with(3) == {"delay": 3}
    TEXT.check_content(Experiment(text="short"))
    with pytest.raises(ValueError, match="text must have between"):
        TEXT.check_content(Experiment(corpus="own", text="short"))


def test_the_text_box_tells_what_it_takes() -> None:
    assert TEXT.control == PasteBox("Paste 10 to 2,000 characters", "Learn this text")


# Clashes


def with_option(option: Option[Any]) -> Any:
    """TASKS with one more task, which declares an option."""
    task = Echo()
    task.options = by_name(option)  # type: ignore[misc]
    return patch.dict(TASKS, {"another": task})


def test_two_options_of_one_name_are_refused() -> None:
    with (
        with_option(replace(DELAY, default=4)),
        pytest.raises(ValueError, match="'delay' must be one object that its tasks share"),
    ):
        declared_options()


@pytest.mark.parametrize("name", ["seed", "layers", "T", "batch"])
def test_an_option_must_not_take_the_name_of_a_common_setting(name: str) -> None:
    with (
        with_option(Option(name, "Taken", "integer", low=0, high=9, default=4, control=NumberBox())),
        pytest.raises(ValueError, match=rf"must not be that of a common setting; got \['{name}'\]"),
    ):
        _with_options(CommonSettings)
