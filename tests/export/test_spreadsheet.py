"""The spreadsheet's formulas, calculated by another program, give the library's numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import openpyxl
import pytest
from pycel import ExcelCompiler

from rnnviz.export.spreadsheet import TARGET, cell, formulas, gradient, results, spreadsheet, weight
from rnnviz.model.arrays import Array
from rnnviz.teaching.walkthrough import Entry, Given, T, Walk, entries, original

SHEET = "By hand"
Calculated = Callable[[str], float]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pass.xlsx"
    path.write_bytes(spreadsheet())
    return path


@pytest.fixture
def engine(file: Path) -> ExcelCompiler:
    return engine_of(file)


def engine_of(file: Path) -> ExcelCompiler:
    """Return what calculates the formulas in a file, from which the results beside them are removed."""
    book = openpyxl.load_workbook(file)
    book.save(file)  # writes formulas alone
    return ExcelCompiler(str(file))


def read(engine: ExcelCompiler, address: str) -> float:
    return float(engine.evaluate(f"{SHEET}!{address.replace('$', '')}"))


def write(engine: ExcelCompiler, address: str, value: float) -> None:
    engine.set_value(f"{SHEET}!{address.replace('$', '')}", value)


def place(entry: Entry) -> str:
    """The cell of a number that can be changed by hand."""
    if entry.letter == "x":
        return cell("x", entry.row + 1, entry.column)
    return weight(entry.letter, entry.row, entry.column)


def compare(engine: ExcelCompiler, walk: Walk) -> None:
    """Compare every array of the pass with the sheet."""

    def same(expected: Array, address: Callable[..., str]) -> None:
        found = [read(engine, address(*place)) for place in np.ndindex(expected.shape)]
        np.testing.assert_allclose(found, expected.ravel(), rtol=0.0, atol=1e-12)

    for name in ("a", "delta", "alpha"):
        same(getattr(walk, name), lambda t, j, name=name: cell(name, t + 1, j))
    same(walk.h, lambda t, j: cell("h", t, j))
    for name in ("y", "p", "L", "G"):
        same(getattr(walk, name), lambda j, name=name: cell(name, T, j))
    for letter in "ABC":
        same(getattr(walk, f"d{letter}"), lambda i, j, letter=letter: gradient(letter, i, j))
    lengths = np.linalg.norm(walk.delta, axis=1)
    same(lengths, lambda t: cell("norm", t + 1))
    same(lengths[:-1] / lengths[1:], lambda t: cell("factor", t + 1))


def calculated(engine: ExcelCompiler) -> None:
    """Calculate everything once, so that what a change does not reach would stay as it was."""
    for address in formulas():
        read(engine, address)


def test_every_number_of_the_pass_is_the_library_s(engine: ExcelCompiler) -> None:
    compare(engine, Walk.of(original()))


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (Entry("A", 1, 2), -1.7),
        (Entry("B", 0, 0), 1.9),
        (Entry("C", 2, 1), 0.35),
        (Entry("x", 0, 1), -0.4),
        (Entry("x", 3, 0), 1.25),
    ],
)
def test_all_numbers_follow_a_changed_weight_or_input(
    engine: ExcelCompiler, entry: Entry, value: float
) -> None:
    calculated(engine)
    write(engine, place(entry), value)
    compare(engine, Walk.of(original().changed(entry, value)))


def test_all_numbers_follow_every_weight_and_input_at_once_and_the_target(engine: ExcelCompiler) -> None:
    calculated(engine)
    given, rng = original(), np.random.default_rng(0)
    for entry in entries():
        value = float(rng.uniform(-2.0, 2.0))
        write(engine, place(entry), value)
        given = given.changed(entry, value)
    write(engine, TARGET, 1)
    compare(engine, Walk.of(Given(given.A, given.B, given.C, given.x, target=0)))


def test_the_sheet_can_begin_with_a_changed_number(tmp_path: Path) -> None:
    given = original().changed(Entry("B", 2, 1), 1.5)
    path = tmp_path / "pass.xlsx"
    path.write_bytes(spreadsheet(given))
    compare(engine_of(path), Walk.of(given))


def test_programs_that_do_not_calculate_show_the_same_numbers(file: Path) -> None:
    sheet = openpyxl.load_workbook(file, data_only=True)[SHEET]
    walk = Walk.of(original())
    expected = results(walk)
    assert set(expected) == set(formulas())
    for address, value in expected.items():
        assert sheet[address].value == pytest.approx(value, abs=1e-12), address
    assert sheet["N5"].value == pytest.approx(walk.L[0], abs=1e-12)


def test_exactly_the_cells_to_change_are_coloured(file: Path) -> None:
    sheet = openpyxl.load_workbook(file)[SHEET]
    coloured = {
        c.coordinate for row in sheet.iter_rows() for c in row if c.fill.fill_type and c.value is not None
    }
    headings = {c for c in coloured if c.startswith("A")}
    assert [sheet[c].value for c in sorted(headings, key=lambda c: int(c[1:]))] == [
        "Forward",
        "Back",
        "Gradients of the weights",
    ]
    changed = {place(entry).replace("$", "") for entry in entries()} | {TARGET.replace("$", "")}
    assert coloured - headings == changed
    assert not changed & set(formulas())


def test_weights_and_step_numbers_stay_in_view(file: Path) -> None:
    sheet = openpyxl.load_workbook(file)[SHEET]
    assert sheet.freeze_panes == "C10"
    assert [sheet.cell(9, 3 + t).value for t in range(T + 1)] == list(range(T + 1))


def test_the_file_asks_no_program_to_run_anything(file: Path) -> None:
    with ZipFile(file) as parts:
        assert not [name for name in parts.namelist() if "macro" in name or "external" in name.lower()]
