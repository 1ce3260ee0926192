"""Tables that visitors bring along: CSV files, read with care, and the series in their columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pandas as pd

from rnnviz.experiment.links import tame
from rnnviz.model.arrays import Array

MAX_BYTES = 2_000_000
MAX_ROWS = 100_000
MAX_COLUMNS = 50
MIN_ROWS = 30
"""Fewer say too little: a window to look back on, and something after it to check a forecast by."""

MAX_CELL = 1_000
MAX_LINE = 20_000
"""Characters of a cell and of a line; more than that is no table of numbers."""

MAX_MAGNITUDE = 1e12
MIN_MAGNITUDE = 1e-12
"""Between these a series keeps its digits when it is scaled and scaled back."""

LABEL_LENGTH = 20

SEPARATORS = "\t;,"
"""The comma last: where a semicolon or a tab fits too, commas are decimal."""

SNIFFED_LINES = 20
GUESSED_ROWS = 1_000
"""Enough to tell what separates the cells, and whether a column counts up."""

MISSING = frozenset({"", "-", "–", "?", "na", "n/a", "#n/a", "nan", "null", "none"})
"""What stands for a gap, in lower case."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(
    r"(?:[0-9]{4}[-/.](?:[0-9]{1,2}|[QW][0-9]{1,2})(?:[-/.][0-9]{1,2})?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4})"
    r"(?:[T ][0-9]{1,2}:[0-9]{2}.*)?",
    re.IGNORECASE,
)
_TIME_NAME = re.compile(
    r"(?<![^\W_])(?:date|datetime|time|timestamp|year|month|week|day|hour|minute|quarter|period|index|step"
    r"|datum|zeit|jahr|monat|woche|tag|stunde|quartal|année|annee|mois|jour|heure"
    r"|fecha|año|mes|día|hora|anno|mese|giorno)(?![^\W_])",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SWAPPED = str.maketrans(",.", ".,")
_INNER_UNDERSCORE = re.compile(r"(?<=[^\W_])_(?=[^\W_])")


def read_table(data: bytes) -> pd.DataFrame:
    """Read a CSV file, whatever its separator and whether or not it has a header.

    The text is UTF-8, or else what Windows writes in the West (Latin-1 and a few signs more). The separator
    is the comma, the semicolon or the tab, whichever splits the first lines into equally many cells; a header
    of one single cell makes a table of one column. There is no header if every cell of the first row is a
    number or a date. Empty lines are skipped, as are rows of empty cells at the end.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    DataFrame
        Cells as text without spaces around them, under names that are unique. The index counts rows as a
        spreadsheet does: from 1, with the header and the empty lines.

    Raises
    ------
    ValueError
        If the file is no such table, or too large a one.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(
            f"The file must not be larger than {MAX_BYTES / 1e6:g} MB; got {len(data) / 1e6:.1f} MB. "
            "Delete rows or columns that you do not need."
        )
    text = _decode(data)
    if not text.strip():
        raise ValueError("The file must be a table in CSV form; got an empty file. Choose another one.")
    rows = _rows(text, _separator(text))
    while rows and not any(rows[next(reversed(rows))]):
        rows.popitem()
    if not rows:
        raise ValueError("The file must hold a table; got nothing but separators. Choose another one.")
    first = next(iter(rows))
    header = [""] * len(rows[first])
    if not all(_is_number(cell) or _DATE.fullmatch(cell) for cell in rows[first]):
        header = rows.pop(first)
    if len(rows) < 2:
        got = "a single one" if rows else "nothing but a header"
        raise ValueError(
            f"The file must have {MIN_ROWS} rows or more; got {got}. Put one moment in each row."
        )
    if len(rows) > MAX_ROWS:
        raise ValueError(
            f"The table must have at most {MAX_ROWS} rows; got more. Delete some and upload again."
        )
    columns = dict(zip(_unique(header), zip(*rows.values(), strict=True), strict=True))
    return pd.DataFrame(columns, index=pd.Index(list(rows), name="row"), dtype=str)


def numeric_columns(table: pd.DataFrame) -> list[str]:
    """Return the names of the columns that can be forecast, in their order."""
    return [column for column in map(str, table.columns) if _is_series(table, column)]


def values_of(table: pd.DataFrame, column: str) -> Array:
    """Return a column as numbers, (n,), one a row.

    A number is written 12, -0.5, 1e3 or 1,5. The decimal mark is the point, or the comma in a column in which
    more numbers have a comma. Thousands separators are not understood: 1,234.5 and 1.234,5 are no numbers
    here, and a column in which every comma could be one (1,234 beside 56,789) is refused, since no one can
    tell.

    Parameters
    ----------
    table : DataFrame
        Of text, as `read_table` returns it.
    column : str
        One of its columns.

    Raises
    ------
    ValueError
        If there is no such column, if it has too few rows, a gap, a cell that is no number or one too large,
        or if all of it is one value.
    """
    cells = _cells(table, column)
    name = _called(column)
    if len(cells) < MIN_ROWS:
        raise ValueError(
            f"A series must have {MIN_ROWS} values or more; column {name} has {len(cells)}. "
            "Upload a longer one."
        )
    gaps = [n for n, cell in enumerate(cells) if cell.lower() in MISSING]
    if gaps:
        raise ValueError(
            f"A series must have no gaps; column {name} has {_counted(gaps, 'missing value', table)}. "
            "Fill the gaps or delete these rows, then upload again."
        )
    numbers = _decimal_points(cells, name)
    bad = [n for n, cell in enumerate(numbers) if not _NUMBER.fullmatch(cell)]
    if bad:
        raise ValueError(
            f"A series must be numbers such as 12, 3.4 or 3,4; column {name} has "
            f"{_counted(bad, 'other cell', table)}: {_called(cells[bad[0]])}. "
            "Write plain numbers without units or thousands separators, then upload again."
        )
    values = np.array([float(cell) for cell in numbers])
    _check_size(values, name, table)
    return values


def labels_of(table: pd.DataFrame, column: str | None) -> list[str]:
    """Return a label for each row: the column's text, cut to ``LABEL_LENGTH``; without a column 1, 2, ..."""
    if column is None:
        return [str(n + 1) for n in range(len(table))]
    return [" ".join(cell.split())[:LABEL_LENGTH] for cell in _cells(table, column)]


def guess_columns(table: pd.DataFrame) -> tuple[str | None, str]:
    """Return the column that tells the time, or None, and the column most worth a forecast.

    The time is in a column named for it, else in one of dates, else in one that counts in even steps. The
    value is the first column of numbers that is not about time; if there is none, any column that is left.
    """
    columns = [str(column) for column in table.columns]
    if len(columns) == 1:
        return None, columns[0]
    cells = {column: _cells(table.head(GUESSED_ROWS), column) for column in columns}
    named = [column for column in columns if _TIME_NAME.search(column)]
    steps = {column: _steps(cells[column]) for column in columns}
    candidates = [
        *(column for column in named if steps[column] is not None or not _is_number(cells[column][0])),
        *(column for column in columns if all(map(_DATE.fullmatch, cells[column]))),
        *(column for column in columns if (steps[column] or 0.0) > 0.0),
    ]
    time = candidates[0] if candidates else None
    others = sorted((column for column in columns if column != time), key=lambda column: column in named)
    return time, next((column for column in others if _is_series(table, column)), others[0])


def _decode(data: bytes) -> str:
    """Return the text of a file; text only."""
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        raise ValueError(
            "The file must be CSV; got a workbook or an archive (.xlsx, .xls, .zip, .npz). "
            "Open it in a spreadsheet, save it as CSV and upload that."
        )
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text
    raise ValueError(
        "The file must be text in CSV form, best in UTF-8; got binary data or another encoding. "
        "Save the table as CSV UTF-8 and upload that."
    )


def _lines(text: str) -> Iterator[str]:
    """Yield the lines, with their ends, whichever ends they have."""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > MAX_LINE:
            raise ValueError(
                f"A line of the file must not be longer than {MAX_LINE} characters; "
                f"line {number} has {len(line)}. Put one moment in each line, and few columns."
            )
        yield line


def _separator(text: str) -> str:
    """Return what separates the cells, as the first lines tell."""
    sample = list(islice((line for line in _lines(text) if line.strip()), SNIFFED_LINES))
    widths = {separator: _widths(sample, separator) for separator in SEPARATORS}
    even = [
        separator for separator in SEPARATORS if widths[separator][0] > 1 and len(set(widths[separator])) == 1
    ]
    return even[0] if even else max(SEPARATORS, key=lambda separator: widths[separator][0])


def _widths(lines: Sequence[str], separator: str) -> list[int]:
    """Return the number of cells in each line; quotation marks left open do not matter here."""
    try:
        return [len(row) for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:  # a cell that swallowed more than the module allows
        return [0]


def _rows(text: str, separator: str) -> dict[int, list[str]]:
    """Return the rows that are not empty by their number, all equally long."""
    reader = csv.reader(_lines(text), delimiter=separator, strict=True)
    rows: dict[int, list[str]] = {}
    width = 0
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if not row or (len(row) == 1 and row[0].isspace()):
                continue
            width = width or len(row)
            _check_row(row, number, width)
            rows[number] = [cell.strip() for cell in row]
            if len(rows) > MAX_ROWS + 1:  # too many, even with a header among them
                break
    except csv.Error:
        raise ValueError(
            f"Every quotation mark that begins a cell must be closed at the cell's end; got one in row "
            f"{number + 1} that is not. Close it or delete it, then upload again."
        ) from None
    return rows


def _check_row(row: list[str], number: int, width: int) -> None:
    if len(row) > MAX_COLUMNS:
        raise ValueError(
            f"The table must have at most {MAX_COLUMNS} columns; row {number} has {len(row)}. "
            "Delete columns that you do not need."
        )
    if len(row) != width:
        raise ValueError(
            f"Every row must have as many cells as the first one, {width}; row {number} has {len(row)}. "
            "Correct that row; a number with a decimal comma needs semicolons between the cells."
        )
    longest = max(map(len, row))
    if longest > MAX_CELL:
        raise ValueError(
            f"A cell must not be longer than {MAX_CELL} characters; got {longest} in row {number}. "
            "Shorten it, or look for a quotation mark that is never closed."
        )


def _unique(header: Sequence[str]) -> list[str]:
    """Return names of columns, none of them empty and no two the same."""
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        wanted = " ".join(cell.split()) or f"column {number}"
        name, copies = wanted, 1
        while name in names:
            copies += 1
            name = f"{wanted} ({copies})"
        names.append(name)
    return names


def _cells(table: pd.DataFrame, column: str) -> list[str]:
    if column not in table.columns:
        raise ValueError(f"The column must be one of the table's; got {_called(column)}. Choose another one.")
    return [str(cell).replace("−", "-") for cell in table[column].to_list()]


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.replace("−", "-").replace(",", ".")) is not None


def _is_series(table: pd.DataFrame, column: str) -> bool:
    try:
        values_of(table, column)
    except ValueError:
        return False
    return True


def _steps(cells: Sequence[str]) -> float | None:
    """Return the step in which a column counts up, 0 if its steps differ; None if it does not count up."""
    if not all(map(_is_number, cells)):
        return None
    steps = np.diff([float(cell.replace(",", ".")) for cell in cells])
    if not np.isfinite(steps).all() or (steps < 0.0).any():
        return None
    return float(steps[0]) if np.allclose(steps, steps[0], rtol=1e-3, atol=0.0) else 0.0


def _decimal_points(cells: Sequence[str], name: str) -> list[str]:
    """Return the cells with the decimal mark that floats have; a number with the rarer mark becomes none."""
    numbers = [cell for cell in cells if _is_number(cell)]
    with_comma = [cell for cell in numbers if "," in cell]
    if len(with_comma) <= sum("." in cell for cell in numbers):
        return list(cells)
    if all(map(_THOUSANDS.fullmatch, with_comma)):
        raise ValueError(
            f"A comma must be clearly decimal; in column {name} {with_comma[0]} may also be a whole number "
            "with a thousands separator. Write the numbers without commas, then upload again."
        )
    return [cell.translate(_SWAPPED) for cell in cells]


def _check_size(values: Array, name: str, table: pd.DataFrame) -> None:
    """Refuse what no network can learn and no scale can show."""
    magnitudes = np.abs(values)
    large = np.flatnonzero(~(magnitudes <= MAX_MAGNITUDE))
    if large.size:
        raise ValueError(
            f"A series must stay within {MAX_MAGNITUDE:g}; column {name} has "
            f"{_counted(list(large), 'larger number', table)}. Use a larger unit, then upload again."
        )
    if magnitudes.max() <= MIN_MAGNITUDE and magnitudes.max() > 0.0:
        raise ValueError(
            f"A series must reach beyond {MIN_MAGNITUDE:g}; column {name} reaches only "
            f"{magnitudes.max():.1e}. Use a smaller unit, then upload again."
        )
    if np.ptp(values) <= 1e-9 * magnitudes.max():  # closer than that, the digits of a float run out
        raise ValueError(
            f"A series must change; column {name} is {values[0]:g} in every row. Choose another column."
        )


def _counted(places: Sequence[int], what: str, table: pd.DataFrame) -> str:
    """Return for example "3 missing values, the first in row 7"."""
    first = f"in row {table.index[places[0]]}"
    return f"1 {what} {first}" if len(places) == 1 else f"{len(places)} {what}s, the first {first}"


def _called(name: str, length: int = 30) -> str:
    """Return a foreign name in quotation marks, safe and short; underscores inside of words are harmless."""
    tamed = "_".join(tame(part, length) for part in _INNER_UNDERSCORE.split(name[:length]))
    return f'"{tamed}{"…" if len(name) > length else ""}"'
