"""The pass by hand as a spreadsheet: every number is a formula, and follows a changed weight or input.

Letters as in ``teaching.walkthrough``: A = W_xh, B = W_hh, C = W_hy. Time runs from left to right, a column
for each step.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from xlsxwriter import Workbook
from xlsxwriter.color import Color
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from rnnviz.model.arrays import Array
from rnnviz.teaching.walkthrough import EXPERIMENT, LIMIT, Given, T, Walk, original, wanted

I, H, O = EXPERIMENT.network().input_size, EXPERIMENT.hidden_size, EXPERIMENT.network().output_size  # noqa: E741

LETTERS = {"A": ("input", "unit"), "B": ("unit", "unit"), "C": ("unit", "output")}
"""The matrices, and what each leads from and to."""

FIRST_COLUMN = {"A": 2, "B": 6, "C": 10}
"""Where each matrix begins, at the top and where its gradient stands."""

WEIGHTS_ROW, STEPS_ROW = 4, 8
"""Rows (0-based) of the first weights and of the steps' numbers; all rows down to there stay in view."""

STEP_0 = 2
"""The column of h_0."""

EQUATIONS = 8
"""The column with the equations."""

SIDE = 13
"""The column of loss and target, beside the weights."""


class Rows(NamedTuple):
    """Rows of the sheet for one quantity: its name, symbol, meaning or equation, and how many numbers."""

    name: str
    symbol: str
    equation: str
    size: int


FORWARD = (
    Rows("x", "xₜ", "the input: change it", I),
    Rows("xA", "xₜ A", "what A makes of the input", H),
    Rows("hB", "hₜ₋₁ B", "what B makes of the state before", H),
    Rows("a", "aₜ", "aₜ = xₜ A + hₜ₋₁ B", H),
    Rows("h", "hₜ", "hₜ = tanh(aₜ), from h₀ = 0", H),
    Rows("y", "y", "y = h C, at the last step", O),
    Rows("p", "p", "p = softmax(y)", O),
    Rows("wanted", "y*", "1 for the target class", O),
    Rows("L", "L", "L = −ln p of the target class", 1),
)

BACKWARD = (
    Rows("G", "∂L/∂y", "∂L/∂y = p − y*", O),
    Rows("delta", "∂L/∂hₜ", "last step: ∂L/∂y Cᵀ; before: ∂L/∂aₜ₊₁ Bᵀ", H),
    Rows("slope", "tanh′(aₜ)", "1 − hₜ²", H),
    Rows("alpha", "∂L/∂aₜ", "∂L/∂aₜ = ∂L/∂hₜ · tanh′(aₜ)", H),
    Rows("norm", "‖∂L/∂hₜ‖", "the length of the error", 1),
    Rows("factor", "factor", "‖∂L/∂hₜ‖ / ‖∂L/∂hₜ₊₁‖: below 1 it vanishes", 1),
)

GRADIENTS = {
    "A": "∂L/∂A = Σ xₜᵀ ∂L/∂aₜ",
    "B": "∂L/∂B = Σ hₜ₋₁ᵀ ∂L/∂aₜ",
    "C": "∂L/∂C = hᵀ ∂L/∂y",
}

NOTE = (
    f"Change any coloured cell: the weights A, B and C, the inputs xₜ (try −{LIMIT:g} to {LIMIT:g}) and the "
    "target class. All other numbers are formulas and follow. Biases are 0."
)


@cache
def first_rows() -> dict[str, int]:
    """Return the first row (0-based) of every quantity, and those of the three headings."""
    rows, row = {}, STEPS_ROW + 1
    for heading, group in (("forward", FORWARD), ("backward", BACKWARD)):
        rows[heading], row = row, row + 1
        for quantity in group:
            rows[quantity.name], row = row, row + quantity.size
        row += 1
    rows["gradients"] = row
    return rows


def cell(name: str, t: int, unit: int = 0) -> str:
    """Return the cell of a quantity at step ``t`` (1-based; h also has step 0) as "D11"."""
    return xl_rowcol_to_cell(first_rows()[name] + unit, STEP_0 + t)


def weight(letter: str, i: int, j: int) -> str:
    """Return the cell of a weight as "$C$5"."""
    return xl_rowcol_to_cell(WEIGHTS_ROW + i, FIRST_COLUMN[letter] + j, row_abs=True, col_abs=True)


def gradient(letter: str, i: int, j: int) -> str:
    """Return the cell of a weight's gradient."""
    return xl_rowcol_to_cell(first_rows()["gradients"] + 3 + i, FIRST_COLUMN[letter] + j)


TARGET = xl_rowcol_to_cell(WEIGHTS_ROW + 2, SIDE, row_abs=True, col_abs=True)
"""The cell of the target class, counted from 1."""


def products(left: Iterable[str], right: Iterable[str]) -> str:
    """Return a sum of products as a formula."""
    return "=" + "+".join(f"{a}*{b}" for a, b in zip(left, right, strict=True))


def over_steps(name: str, unit: int, first: int) -> str:
    """Return the range of T steps of a quantity's row, from step ``first`` on."""
    return f"{cell(name, first, unit)}:{cell(name, first + T - 1, unit)}"


def formulas() -> dict[str, str]:
    """Return the formula of every cell that has one."""
    found: dict[str, str] = {}
    for t in range(1, T + 1):
        for j in range(H):
            found[cell("xA", t, j)] = products(
                (cell("x", t, i) for i in range(I)), (weight("A", i, j) for i in range(I))
            )
            found[cell("hB", t, j)] = products(
                (cell("h", t - 1, i) for i in range(H)), (weight("B", i, j) for i in range(H))
            )
            found[cell("a", t, j)] = f"={cell('xA', t, j)}+{cell('hB', t, j)}"
            found[cell("h", t, j)] = f"=TANH({cell('a', t, j)})"
            found[cell("delta", t, j)] = _error(t, j)
            found[cell("slope", t, j)] = f"=1-{cell('h', t, j)}^2"
            found[cell("alpha", t, j)] = f"={cell('delta', t, j)}*{cell('slope', t, j)}"
        squares = "+".join(f"{cell('delta', t, j)}^2" for j in range(H))
        found[cell("norm", t)] = f"=SQRT({squares})"
        if t < T:
            now, later = cell("norm", t), cell("norm", t + 1)
            found[cell("factor", t)] = f"=IF({later}=0,0,{now}/{later})"
    return found | _output_formulas() | _gradient_formulas()


def _error(t: int, j: int) -> str:
    """Return the formula of unit ``j`` of dL/dh_t."""
    if t == T:
        return products((cell("G", T, o) for o in range(O)), (weight("C", j, o) for o in range(O)))
    return products((cell("alpha", t + 1, k) for k in range(H)), (weight("B", j, k) for k in range(H)))


def _output_formulas() -> dict[str, str]:
    found = {}
    outputs = f"{cell('y', T)}:{cell('y', T, O - 1)}"
    for o in range(O):
        found[cell("y", T, o)] = products(
            (cell("h", T, j) for j in range(H)), (weight("C", j, o) for j in range(H))
        )
        others = "+".join(f"EXP({cell('y', T, k)}-MAX({outputs}))" for k in range(O))
        found[cell("p", T, o)] = f"=EXP({cell('y', T, o)}-MAX({outputs}))/({others})"
        found[cell("wanted", T, o)] = f"=IF({TARGET}={o + 1},1,0)"
        found[cell("G", T, o)] = f"={cell('p', T, o)}-{cell('wanted', T, o)}"
    chosen = products((cell("wanted", T, o) for o in range(O)), (cell("p", T, o) for o in range(O)))
    found[cell("L", T)] = f"=-LN({chosen.removeprefix('=')})"
    return found


def _gradient_formulas() -> dict[str, str]:
    found = {}
    for j in range(H):
        for i in range(I):
            found[gradient("A", i, j)] = f"=SUMPRODUCT({over_steps('x', i, 1)},{over_steps('alpha', j, 1)})"
        for i in range(H):
            found[gradient("B", i, j)] = f"=SUMPRODUCT({over_steps('h', i, 0)},{over_steps('alpha', j, 1)})"
        for o in range(O):
            found[gradient("C", j, o)] = f"={cell('h', T, j)}*{cell('G', T, o)}"
    return found


def results(walk: Walk) -> dict[str, float]:
    """Return the number in every cell with a formula: what programs show that do not calculate."""
    norm = np.linalg.norm(walk.delta, axis=1, keepdims=True)
    later = norm[1:]
    timed: dict[str, Array] = {
        "xA": walk.x @ walk.A,
        "hB": walk.h[:-1] @ walk.B,
        "a": walk.a,
        "h": walk.h[1:],
        "delta": walk.delta,
        "slope": 1.0 - walk.h[1:] ** 2,
        "alpha": walk.alpha,
        "norm": norm,
        "factor": np.divide(norm[:-1], later, out=np.zeros_like(later), where=later > 0.0),
    }
    found = {
        cell(name, t, unit): float(value)
        for name, rows in timed.items()
        for t, row in enumerate(rows, start=1)
        for unit, value in enumerate(row)
    }
    last = {"y": walk.y, "p": walk.p, "wanted": wanted(walk.target), "L": walk.L, "G": walk.G}
    found |= {cell(name, T, unit): float(v) for name, row in last.items() for unit, v in enumerate(row)}
    sums = {"A": walk.dA, "B": walk.dB, "C": walk.dC}
    return found | {
        gradient(letter, i, j): float(value)
        for letter, matrix in sums.items()
        for (i, j), value in np.ndenumerate(matrix)
    }


# ---------------------------------------------------------------- drawn


@dataclass(frozen=True)
class Styles:
    """The formats of the sheet. They take their colours from the theme of the program that opens it."""

    title: Format
    heading: Format
    label: Format
    faint: Format
    step: Format
    entry: Format
    whole: Format
    number: Format
    key: Format

    @classmethod
    def of(cls, book: Workbook) -> Styles:
        """Add the formats to a workbook."""
        fill, bar, grey = Color((7, 2)), Color((0, 1)), Color((1, 3))
        edge = {"border": 1, "border_color": Color((0, 3))}
        return cls(
            title=book.add_format({"bold": True, "font_size": 15}),
            heading=book.add_format({"bold": True, "bg_color": bar, "valign": "vcenter"}),
            label=book.add_format({"bold": True, "valign": "vcenter"}),
            faint=book.add_format({"font_color": grey, "align": "right"}),
            step=book.add_format({"bold": True, "align": "right", "bottom": 2}),
            entry=book.add_format({"bg_color": fill, "num_format": "0.0##", **edge}),
            whole=book.add_format({"bg_color": fill, "num_format": "0", **edge}),
            number=book.add_format({"num_format": "0.0000"}),
            key=book.add_format({"num_format": "0.0000", "bold": True}),
        )


def spreadsheet(given: Given | None = None) -> bytes:
    """Return an .xlsx file with one pass over these weights and inputs (default: the original ones)."""
    given = given or original()
    written = io.BytesIO()
    with Workbook(written, {"in_memory": True}) as book:
        book.set_properties({"title": "One pass forward and back", "comments": NOTE})
        sheet, styles = book.add_worksheet("By hand"), Styles.of(book)
        _frame(sheet, styles)
        _entries(sheet, styles, given)
        _labels(sheet, styles)
        shown = results(Walk.of(given))
        for address, formula in formulas().items():
            sheet.write_formula(address, formula, styles.number, shown[address])
        loss = xl_rowcol_to_cell(WEIGHTS_ROW, SIDE)
        sheet.write_formula(loss, f"={cell('L', T)}", styles.key, shown[cell("L", T)])
    return written.getvalue()


def _frame(sheet: Worksheet, styles: Styles) -> None:
    """Set widths, the rows and columns that stay in view, and how the sheet is printed."""
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 13)
    sheet.set_column(1, SIDE, 9.5)
    sheet.set_row(1, 20)
    sheet.write(0, 0, "One pass forward and back through a simple RNN", styles.title)
    sheet.write(1, 0, NOTE)
    sheet.freeze_panes(STEPS_ROW + 1, STEP_0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 1)
    sheet.ignore_errors({"formula_differs": "A1:Z99"})  # the first and the last step are special


def _entries(sheet: Worksheet, styles: Styles, given: Given) -> None:
    """Write all cells that are meant to be changed, and h_0."""
    for letter, matrix in (("A", given.A), ("B", given.B), ("C", given.C)):
        for (i, j), value in np.ndenumerate(matrix):
            sheet.write_number(weight(letter, i, j).replace("$", ""), float(value), styles.entry)
    for (t, i), value in np.ndenumerate(given.x):
        sheet.write_number(cell("x", t + 1, i), float(value), styles.entry)
    for j in range(H):
        sheet.write_number(cell("h", 0, j), 0.0, styles.number)
    target = TARGET.replace("$", "")
    sheet.write_number(target, given.target + 1, styles.whole)
    classes = [str(o + 1) for o in range(O)]
    sheet.data_validation(target, {"validate": "list", "source": classes})


def _labels(sheet: Worksheet, styles: Styles) -> None:
    rows = first_rows()
    _matrix_labels(
        sheet, styles, WEIGHTS_ROW, {letter: f"{letter} = {_weight_name(letter)}" for letter in LETTERS}
    )
    sheet.write(WEIGHTS_ROW - 1, SIDE, "loss L", styles.faint)
    sheet.write(WEIGHTS_ROW + 1, SIDE, "target class", styles.faint)
    sheet.write(STEPS_ROW, 0, "step t", styles.label)
    for t in range(T + 1):
        sheet.write_number(STEPS_ROW, STEP_0 + t, t, styles.step)
    for heading, group in (("forward", FORWARD), ("backward", BACKWARD)):
        _bar(sheet, styles, rows[heading], {"forward": "Forward", "backward": "Back"}[heading])
        for quantity in group:
            row = rows[quantity.name]
            sheet.write(row, 0, quantity.symbol, styles.label)
            sheet.write(row, EQUATIONS, quantity.equation)
            if quantity.size > 1:
                for unit in range(quantity.size):
                    sheet.write_number(row + unit, 1, unit + 1, styles.faint)
    _bar(sheet, styles, rows["gradients"], "Gradients of the weights")
    _matrix_labels(sheet, styles, rows["gradients"] + 3, GRADIENTS)


def _weight_name(letter: str) -> str:
    return {"A": "W_xh", "B": "W_hh", "C": "W_hy"}[letter]


def _bar(sheet: Worksheet, styles: Styles, row: int, text: str) -> None:
    """Write a heading over the whole width."""
    for column in range(SIDE + 1):
        sheet.write_blank(row, column, None, styles.heading)
    sheet.write(row, 0, text, styles.heading)


def _matrix_labels(sheet: Worksheet, styles: Styles, row: int, titles: dict[str, str]) -> None:
    """Name the matrices whose first numbers stand in ``row``, their rows and their columns."""
    sizes = {"A": (I, H), "B": (H, H), "C": (H, O)}
    for letter, (source, sink) in LETTERS.items():
        column = FIRST_COLUMN[letter]
        sheet.write(row - 2, column, titles[letter], styles.label)
        for j in range(sizes[letter][1]):
            sheet.write(row - 1, column + j, f"to {sink} {j + 1}", styles.faint)
        for i in range(sizes[letter][0]):
            sheet.write(row + i, column - 1, f"{source} {i + 1}", styles.faint)
