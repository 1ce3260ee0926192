from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.applications.tables import (
    LABEL_LENGTH,
    MAX_BYTES,
    MAX_CELL,
    MAX_COLUMNS,
    MAX_LINE,
    MAX_ROWS,
    MIN_ROWS,
    guess_columns,
    labels_of,
    numeric_columns,
    read_table,
    values_of,
)
from rnnviz.tasks.series import DATA

SEPARATORS = [",", ";", "\t"]
COUNT = [str(n % 7) for n in range(MIN_ROWS)]
"""A column that can be forecast."""


def csv_of(header: str, *columns: Sequence[str], separator: str = ",") -> bytes:
    rows = [separator.join(cells) for cells in zip(*columns, strict=True)]
    return "\n".join([*([header] if header else []), *rows, ""]).encode()


def series_with(*odd: str, at: int = 4) -> bytes:
    """One column "value" of numbers, in which some cells have been replaced."""
    return csv_of("value", [*COUNT[:at], *odd, *COUNT[at + len(odd) :]])


# What is read


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_separator_and_every_line_end(separator: str, end: str) -> None:
    text = end.join(
        separator.join(row) for row in (["month", " value "], ["1949-01", "112"], ["1949-02", " 118 "])
    )
    table = read_table(text.encode())
    assert table.to_dict("list") == {"month": ["1949-01", "1949-02"], "value": ["112", "118"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
def test_umlauts_survive_every_encoding(encoding: str) -> None:
    table = read_table("Jahr;Größe\n1700;5\n1701;11\n".encode(encoding))
    assert list(table.columns) == ["Jahr", "Größe"]


def test_quotation_marks_protect_separators_and_line_ends() -> None:
    table = read_table(b'name,value\n"one, two",1\n"three\nfour",2\nfive,3\n')
    assert list(table["name"]) == ["one, two", "three\nfour", "five"]
    assert list(table.index) == [2, 3, 4], "a spreadsheet shows a cell of two lines in one row"


def test_the_semicolon_separates_where_commas_are_decimal() -> None:
    table = read_table(b"1,5;2,5\n3,5;4,5\n")
    assert table.to_dict("list") == {"column 1": ["1,5", "3,5"], "column 2": ["2,5", "4,5"]}


def test_a_header_of_one_cell_makes_one_column() -> None:
    assert read_table(b"Wert\n1,5\n2,5\n3,25\n").to_dict("list") == {"Wert": ["1,5", "2,5", "3,25"]}


@pytest.mark.parametrize("first", ["1,2", "1e3,-.5", "2020-01-31,7", "31.01.2020,7"])
def test_a_first_row_of_numbers_and_dates_is_no_header(first: str) -> None:
    table = read_table(f"{first}\n3,4\n".encode())
    assert list(table.columns) == ["column 1", "column 2"]
    assert list(table.index) == [1, 2]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("value,value,value", ["value", "value (2)", "value (3)"]),
        ("value,value,value (2)", ["value", "value (2)", "value (2) (2)"]),
        ("a,,c", ["a", "column 2", "c"]),
        ('"two\nlines",  b  ,1', ["two lines", "b", "1"]),
    ],
)
def test_names_of_columns_become_unique(header: str, names: list[str]) -> None:
    assert list(read_table(f"{header}\n1,2,3\n4,5,6\n".encode()).columns) == names


def test_empty_lines_are_skipped_and_counted() -> None:
    table = read_table(b"\n a,b\n1,2\n   \n\n3,4\n,\n,\n")
    assert table.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}
    assert list(table.index) == [3, 6]


def test_a_row_of_empty_cells_is_a_gap_unless_it_is_at_the_end() -> None:
    assert len(read_table(b'a\n1\n""\n3\n""\n')) == 3
    assert len(read_table(b"a,b\n1,2\n,\n3,4\n,\n")) == 3


# What is refused


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b" \r\n\t\n", "empty file"),
        (b",,,\n,,,\n", "nothing but separators"),
        (b"a,b\n" * (MAX_BYTES // 4 + 1), "larger than 2 MB; got 2.0 MB"),
        (b"1\n" * (MAX_ROWS + 1), f"at most {MAX_ROWS} rows"),
        (b"a\n" + b"1\n" * (MAX_ROWS + 1), f"at most {MAX_ROWS} rows"),
        (b"1," * MAX_COLUMNS + b"2\n3\n", f"at most {MAX_COLUMNS} columns; row 1 has {MAX_COLUMNS + 1}"),
        (b"a,b\n1,2\n\n1,2,3\n1,2\n", "first one, 2; row 4 has 3"),
        (b"a,b\n1,2\n1\n", "row 3 has 1"),
        (b"a,b\n1,2\x00\n", "binary data"),
        ("a,b\n1,2\n3,4\n".encode("utf-16"), "another encoding"),
        (bytes(range(256)), "binary data"),
        (b"PK\x03\x04" + bytes(50), "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "save it as CSV"),
        (b"1,2,3,4,5\n", "got a single one"),
        (b"a,b\n1,2\n", "got a single one"),
        (b"year,sunspots\n", "nothing but a header"),
        (b'a,b\n1,"2\n3,4\n', "row 2 that is not"),
        (b'a,b\n1,"2"3\n3,4\n', "row 2 that is not"),
        (b'"' + b"1,2\n" * 100_000, "row 1 that is not"),
        (
            b"a,b\n1,2\n" + b"x" * (MAX_CELL + 1) + b",2\n",
            f"{MAX_CELL} characters; got {MAX_CELL + 1} in row 3",
        ),
        (b"a\n1\n" + b"1" * (MAX_LINE + 1), f"line 3 has {MAX_LINE + 1}"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^(?s:.{10,299})$") as error:
        read_table(data)
    assert reason in str(error.value)


def test_the_limits_themselves_are_allowed() -> None:
    assert read_table(b"a\n" + b"1\n" * MAX_ROWS).shape == (MAX_ROWS, 1)
    wide = ",".join(["1"] * MAX_COLUMNS)
    assert read_table(f"{wide}\n{wide}\n".encode()).shape == (2, MAX_COLUMNS)


@pytest.mark.parametrize("pattern", [b",", b"\n", b'"', b",\n", b'"\n', b"a\n", b" ", b"," * 49 + b"\n"])
def test_nothing_takes_long(pattern: bytes) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=r"\."):
        read_table((pattern * MAX_BYTES)[:MAX_BYTES])
    assert time.process_time() - start < 1.0


# The series


def test_numbers_as_people_write_them() -> None:
    odd = {"+1.5": 1.5, "-2": -2.0, "−3": -3.0, ".5": 0.5, "4.": 4.0, "1e3": 1000.0, "2.5E-1": 0.25}
    values = values_of(read_table(series_with(*odd)), "value")
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values[4 : 4 + len(odd)], list(odd.values()))
    np.testing.assert_array_equal(values[:4], [0, 1, 2, 3])


@pytest.mark.parametrize("word", ["approx.", "ca. 5", "x, y", "1.234,5", "1.5"])
def test_one_odd_cell_among_decimal_commas_is_one_odd_cell(word: str) -> None:
    rows = [f'"{n},5"' for n in range(MIN_ROWS)]
    with pytest.raises(ValueError, match="1 other cell in row 9"):
        values_of(read_table(csv_of("value", [*rows[:7], f'"{word}"', *rows[7:]])), "value")


@pytest.mark.parametrize("word", ["3,5", "x, y"])
def test_one_odd_cell_among_decimal_points_is_one_odd_cell(word: str) -> None:
    rows = [f"{n}.5" for n in range(MIN_ROWS)]
    with pytest.raises(ValueError, match="1 other cell in row 9"):
        values_of(read_table(csv_of("value", [*rows[:7], f'"{word}"', *rows[7:]])), "value")


def test_a_comma_is_decimal_where_no_cell_has_a_point() -> None:
    values = values_of(read_table(series_with("1,5", "-0,125", "2,5e1")), "value")
    np.testing.assert_array_equal(values[4:7], [1.5, -0.125, 25.0])


@pytest.mark.parametrize(
    "cell", ["1,234.5", "1.234,5", "1,234,567", "1 234", "1_000", "12 kg", "5%", "$3", "٣", "0x10"]
)
def test_what_is_no_plain_number_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="1 other cell in row 6") as error:
        values_of(read_table(series_with(f'"{cell}"')), "value")
    assert "without units or thousands separators" in str(error.value)


def test_commas_that_no_one_can_read_are_refused() -> None:
    with pytest.raises(ValueError, match="may also be a whole number"):
        values_of(read_table(series_with("1,234", "56,789")), "value")
    assert values_of(read_table(series_with("1,234", "0,789")), "value")[4] == 1.234, (
        "0,789 can only be decimal"
    )


@pytest.mark.parametrize("gap", ["", "NA", "n/a", "NaN", "null", "-", "?"])
def test_gaps_are_counted_and_located(gap: str) -> None:
    with pytest.raises(ValueError, match="gap") as error:
        values_of(read_table(series_with(f'"{gap}"', "1", f'"{gap}"')), "value")
    assert 'column "value" has 2 missing values, the first in row 6. Fill the gaps' in str(error.value)


def test_rows_are_counted_as_a_spreadsheet_does() -> None:
    data = b"\n\n" + series_with("oops")
    assert read_table(data).index[0] == 4
    with pytest.raises(ValueError, match='1 other cell in row 8: "oops"'):
        values_of(read_table(data), "value")


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "text", "1-2", "1949-01"])
def test_text_and_infinity_are_no_numbers(cell: str) -> None:
    with pytest.raises(ValueError, match="1 other cell in row 6"):
        values_of(read_table(series_with(cell)), "value")


@pytest.mark.parametrize("cell", ["1e13", "-1e13", "1e999", "9" * 400])
def test_numbers_beyond_reason_are_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="1 larger number in row 6"):
        values_of(read_table(series_with(cell)), "value")


def test_a_series_of_tiny_numbers_is_refused_unless_one_is_not() -> None:
    tiny = [f"{n}e-14" for n in range(MIN_ROWS)]
    with pytest.raises(ValueError, match="smaller unit"):
        values_of(read_table(csv_of("value", tiny)), "value")
    assert values_of(read_table(csv_of("value", [*tiny[1:], "1"])), "value")[-1] == 1.0


@pytest.mark.parametrize(
    "cells", [["7"] * MIN_ROWS, ["0"] * MIN_ROWS, ["1e11"] * (MIN_ROWS - 1) + ["100000000000.01"]]
)
def test_a_series_must_change(cells: list[str]) -> None:
    with pytest.raises(ValueError, match="must change"):
        values_of(read_table(csv_of("value", cells)), "value")


def test_a_series_must_be_long_enough() -> None:
    table = read_table(csv_of("value", COUNT))
    assert values_of(table, "value").shape == (MIN_ROWS,)
    with pytest.raises(ValueError, match=f"must have {MIN_ROWS} values or more"):
        values_of(table.head(MIN_ROWS - 1), "value")


def test_foreign_names_are_shown_safe_and_short() -> None:
    header = "my_value <script>`$x$` " + "and more " * 20
    table = read_table(csv_of(header, ["x", *COUNT[1:]]))
    with pytest.raises(ValueError, match=r"^.{10,299}$") as error:
        values_of(table, table.columns[0])
    assert 'column "my_value ?script???x?? and mor…" has' in str(error.value)


def test_columns_that_are_not_there() -> None:
    table = read_table(csv_of("value", COUNT))
    for ask in (values_of, labels_of):
        with pytest.raises(ValueError, match="must be one of the table's"):
            ask(table, "other")


def test_numeric_columns_are_those_that_can_be_forecast() -> None:
    gap, constant = ["", *COUNT[1:]], ["1"] * MIN_ROWS
    table = read_table(
        csv_of("a;text;gap;constant;b", COUNT, ["x"] * MIN_ROWS, gap, constant, COUNT, separator=";")
    )
    assert numeric_columns(table) == ["a", "b"]


def test_labels() -> None:
    table = read_table(
        csv_of("when,value", [f"{n}: a very long moment indeed" for n in range(MIN_ROWS)], COUNT)
    )
    assert labels_of(table, None) == [str(n) for n in range(1, MIN_ROWS + 1)]
    labels = labels_of(table, "when")
    assert labels[3] == "3: a very long moment indeed"[:LABEL_LENGTH]
    assert len(labels) == MIN_ROWS


# The guess

YEARS = [str(1700 + n) for n in range(MIN_ROWS)]
MONTHS = [f"{1949 + n // 12}-{1 + n % 12:02}" for n in range(MIN_ROWS)]
DAYS = [f"2020-01-{1 + n:02}" for n in range(MIN_ROWS)]
STEPS = [f"{0.1 * n:.1f}" for n in range(MIN_ROWS)]
WORDS = ["x"] * MIN_ROWS


@pytest.mark.parametrize(
    ("header", "columns", "expected"),
    [
        ("year,sunspots", [YEARS, COUNT], ("year", "sunspots")),
        ("Month;Passengers", [MONTHS, COUNT], ("Month", "Passengers")),
        ("sunspots,year", [COUNT, YEARS], ("year", "sunspots")),
        ("value", [COUNT], (None, "value")),
        ("year", [YEARS], (None, "year")),
        ("", [YEARS, COUNT], ("column 1", "column 2")),
        ("when,place,height", [DAYS, WORDS, COUNT], ("when", "height")),
        ("x,y", [STEPS, COUNT], ("x", "y")),
        ("y,x", [COUNT, STEPS], ("x", "y")),
        ("a,b", [COUNT, COUNT], (None, "a")),
        ("year,month,flow", [[y[:3] for y in YEARS], COUNT, COUNT], ("year", "flow")),
        ("time_s,volts", [STEPS, COUNT], ("time_s", "volts")),
        ("birthday,lifetime", [COUNT, COUNT], (None, "birthday")),
        ("year,name", [YEARS, WORDS], ("year", "name")),
    ],
)
def test_the_guess_is_what_a_person_would_choose(
    header: str, columns: list[list[str]], expected: tuple[str | None, str]
) -> None:
    separator = ";" if ";" in header else ","
    assert guess_columns(read_table(csv_of(header, *columns, separator=separator))) == expected


# Whatever comes


def expect_a_sentence(error: ValueError) -> None:
    assert type(error) is ValueError, "a UnicodeDecodeError is one too"
    assert 10 < len(str(error)) < 300


def use(data: bytes) -> None:
    """Do all that a page does with a file; only ValueError, with a short sentence, may come of it."""
    try:
        table = read_table(data)
    except ValueError as error:
        expect_a_sentence(error)
        return
    assert table.columns.is_unique
    time_column, value_column = guess_columns(table)
    assert value_column in table.columns
    assert time_column != value_column
    assert len(labels_of(table, time_column)) == len(table)
    fails = []
    for column in table.columns:
        try:
            values = values_of(table, column)
        except ValueError as error:
            expect_a_sentence(error)
            fails.append(column)
        else:
            assert values.shape == (len(table),)
            assert np.isfinite(values).all()
    assert numeric_columns(table) == [column for column in table.columns if column not in fails]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_never_surprise(data: bytes) -> None:
    use(data)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_random_text_never_surprises(text: str) -> None:
    use(text.encode("utf-8", errors="replace"))


CELLS = st.one_of(
    st.integers(-999, 9999).map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "NA", "-", '"', '""', '"a;b"', "1,5", "1.234,5", "1,234", "2020-01-01", "text", " ", "−1"]
    ),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=6),
    st.sampled_from([*SEPARATORS, " ", "|"]),
    st.sampled_from([1, MIN_ROWS]),
)
def test_random_tables_never_surprise(rows: list[list[str]], separator: str, repeats: int) -> None:
    use("\n".join(separator.join(row) for row in rows * repeats).encode())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.floats(-1e12, 1e12, allow_nan=False, allow_subnormal=False)] * 2),
        min_size=MIN_ROWS,
        max_size=MIN_ROWS + 5,
    ),
    st.sampled_from(SEPARATORS),
    st.booleans(),
)
def test_floats_come_back_as_they_were_written(
    rows: list[tuple[float, float]], separator: str, decimal_comma: bool
) -> None:
    written = pd.DataFrame(rows, columns=["a", "b"])
    written.loc[0], written.loc[1] = 1.5, -2.5  # so that it changes, and says what its commas mean
    decimal = "," if decimal_comma and separator != "," else "."
    table = read_table(written.to_csv(sep=separator, index=False, decimal=decimal).encode())
    for column in ("a", "b"):
        np.testing.assert_array_equal(values_of(table, column), written[column])


def test_the_airline_series_as_shipped() -> None:
    """Series G of Box and Jenkins: the ends of its decade, and the sum of its 144 months."""
    table = read_table((DATA / "airline.csv").read_bytes())
    assert guess_columns(table) == ("month", "passengers")
    months, values = labels_of(table, "month"), values_of(table, "passengers")
    assert (months[0], months[-1], len(months)) == ("1949-01", "1960-12", 144)
    assert (values[0], values[-1], values.max(), values.sum()) == (112, 432, 622, 40363)
