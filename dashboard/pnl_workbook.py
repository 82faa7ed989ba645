"""Tables as one XLSX workbook: a sheet each, and a summary before them whose figures are formulas over them.

Rows are streamed (`constant_memory`), so that 100,000 trades need no memory of their own. Money is numbers with a
format; text is text: nothing that came from outside becomes a formula or a link.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from dashboard.pnl_file_tables import PIECE, FileColumn, FileTable, Kind, Progress
from services.domain.clock import IST
from services.portfolio.money import PRICE_UNITS

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUMMARY = "Summary"
_MONEY = '"₹"#,##,##0.00;[Red]-"₹"#,##,##0.00'
"""Lakh grouping where the program knows it; Excel groups as the system does."""
_FORMATS = {
    Kind.TEXT: "@",
    Kind.DAY: "dd mmm yyyy",
    Kind.MOMENT: "dd mmm yyyy hh:mm:ss",
    Kind.COUNT: "#,##,##0",
    Kind.MONEY: _MONEY,
    Kind.PRICE: '"₹"#,##,##0.00##',
    Kind.FLAG: "@",
    Kind.PERCENT: "0.00%",
    Kind.RATIO: "0.00",
}
_WIDTHS = {
    Kind.TEXT: 18, Kind.DAY: 13, Kind.MOMENT: 21, Kind.COUNT: 11, Kind.MONEY: 16, Kind.PRICE: 14, Kind.FLAG: 10,
    Kind.PERCENT: 10, Kind.RATIO: 10,
}  # fmt: skip
_FIRST_DAY = date(1899, 12, 30)
_FIRST_MOMENT = datetime(1899, 12, 30)  # noqa: DTZ001  # a sheet knows no zones: Indian time throughout
_RUN_BY_SPREADSHEETS = "=+-@\t\r\n"
_LONGEST_TEXT = 32_767


class Places:
    """Where things stand, for formulas of the summary."""

    def __init__(self, tables: Sequence[FileTable]) -> None:
        self._tables = {table.name: table for table in tables}
        self._lines: dict[str, int] = {}

    def column(self, table: str, column: str) -> str:
        """The cells of a column below its heading: `'Closed trades'!$K$2:$K$101`."""
        found = self._tables[table]
        place = xl_col_to_name([one.name for one in found.columns].index(column), col_abs=True)
        return f"'{table}'!{place}$2:{place}${max(2, len(found) + 1)}"

    def line(self, label: str) -> str:
        """The figure of a line of the summary above."""
        return f"$B${self._lines[label] + 1}"

    def note(self, label: str, row: int) -> None:
        """The line of that label stands in `row`, counted from 0."""
        self._lines[label] = row


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One line: what it is, what it comes to, and the formula that says so where there is one.

    `value=None` with a `note`: it is not known, and why. Without a kind it is a heading.
    """

    label: str
    kind: Kind | None = None
    value: Any = None
    formula: Callable[[Places], str] | None = None
    note: str = ""
    strong: bool = False


def as_workbook(
    summary: Sequence[SummaryLine],
    tables: Sequence[FileTable],
    *,
    title: str,
    made: datetime,
    progress: Progress = lambda share: None,
) -> bytes:
    """The workbook. `made`: when, for its properties."""
    sink = io.BytesIO()
    rows = sum(len(table) for table in tables) or 1
    with tempfile.TemporaryDirectory(prefix="desk-workbook-") as folder:
        book = xlsxwriter.Workbook(
            sink,
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        book.set_properties({"title": title, "created": made.astimezone(IST).replace(tzinfo=None)})
        book.set_calc_mode("auto")
        looks = _Looks(book)
        _summary(book.add_worksheet(SUMMARY), summary, Places(tables), looks, title)
        done = 0
        for table in tables:
            sheet = book.add_worksheet(table.name)
            before = done

            def tell(written: int, before: int = before) -> None:
                progress(min(1.0, (before + written) / rows) * 0.9)  # the rest is packing

            _sheet(sheet, table, looks, tell)
            done += len(table)
        book.close()
    progress(1.0)
    return sink.getvalue()


class _Looks:
    """The formats of one workbook, made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.plain = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        self.strong = {
            kind: book.add_format({"num_format": form, "bold": True, "top": 1}) for kind, form in _FORMATS.items()
        }
        self.quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        self.heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.number_heading = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "align": "right"}
        )
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.section = book.add_format({"bold": True, "bottom": 1})
        self.note = book.add_format({"font_color": "#5C6B80", "text_wrap": True, "valign": "top"})
        self.left = book.add_format({"align": "left", "num_format": "@"})
        self.left_day = book.add_format({"align": "left", "num_format": _FORMATS[Kind.DAY]})
        self.left_moment = book.add_format({"align": "left", "num_format": _FORMATS[Kind.MOMENT]})


def _summary(sheet: Worksheet, lines: Sequence[SummaryLine], places: Places, looks: _Looks, title: str) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 22)
    sheet.set_column(2, 2, 90)
    sheet.hide_gridlines(2)
    _for_paper(sheet)
    _write_text(sheet, 0, 0, title, looks, looks.title)
    for row, line in enumerate(lines, 2):
        places.note(line.label, row)
        if line.kind is None:
            _write_text(sheet, row, 0, line.label, looks, looks.section)
            sheet.write_blank(row, 1, None, looks.section)
            _write_text(sheet, row, 2, line.note, looks, looks.section)
            continue
        _write_text(sheet, row, 0, line.label, looks, looks.strong[Kind.TEXT] if line.strong else None)
        form = (looks.strong if line.strong else looks.plain)[line.kind]
        lefts = {Kind.TEXT: looks.left, Kind.DAY: looks.left_day, Kind.MOMENT: looks.left_moment}
        if line.formula is not None:
            value = "–" if line.value is None else _plain_number(line.kind, line.value)
            sheet.write_formula(row, 1, "=" + line.formula(places), form, value)
        elif line.value is None:
            _write_text(sheet, row, 1, "not known", looks, looks.left)
        else:
            _write(sheet, row, 1, line.kind, line.value, looks, lefts.get(line.kind, form))
        if line.note:
            _write_text(sheet, row, 2, line.note, looks, looks.note)


def _sheet(sheet: Worksheet, table: FileTable, looks: _Looks, told: Callable[[int], None]) -> None:
    for place, column in enumerate(table.columns):
        heading = looks.number_heading if column.kind.of_numbers else looks.heading
        sheet.set_column(place, place, max(_WIDTHS[column.kind], min(24, len(column.name) + 3)))
        _write_text(sheet, 0, place, column.name, looks, heading)
    if table.columns:
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(1, len(table)), len(table.columns) - 1)
    _for_paper(sheet)
    sheet.repeat_rows(0)
    kinds = [column.kind for column in table.columns]
    for start, columns in table.pieces():
        for row, cells in enumerate(zip(*columns, strict=True), start + 1):
            for place, value in enumerate(cells):
                if value is not None:
                    _write(sheet, row, place, kinds[place], value, looks, looks.plain[kinds[place]])
        told(start + PIECE)
    if len(table):
        _totals(sheet, table, looks)


def _totals(sheet: Worksheet, table: FileTable, looks: _Looks) -> None:
    """The last row: sums as formulas, of what a filter leaves visible."""
    row = len(table) + 1
    summed = [column for column in table.columns if column.total]
    if not summed:
        return
    for place, column in enumerate(table.columns):
        form = looks.strong[column.kind]
        if column.total:
            cells = f"{xl_col_to_name(place)}2:{xl_col_to_name(place)}{row}"
            sheet.write_formula(row, place, f"=SUBTOTAL(109,{cells})", form, _sum(column))
        elif place == 0:
            _write_text(sheet, row, place, "Total", looks, looks.strong[Kind.TEXT])
        else:
            sheet.write_blank(row, place, None, form)


def _for_paper(sheet: Worksheet) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")


def _sum(column: FileColumn) -> float | int:
    return _plain_number(column.kind, sum(int(value) for value in column.values if value is not None))


def _plain_number(kind: Kind, value: Any) -> float | int:
    """As a sheet counts it: rupees, units, days."""
    match kind:
        case Kind.MONEY:
            return float(value / 100)
        case Kind.PRICE:
            return int(value) / PRICE_UNITS
        case Kind.DAY:
            return (value - _FIRST_DAY).days  # type: ignore[no-any-return]  # a date
        case Kind.MOMENT:
            since = value.astimezone(IST).replace(tzinfo=None) - _FIRST_MOMENT
            return round(since.total_seconds() / 86_400, 8)  # type: ignore[no-any-return]
        case Kind.PERCENT | Kind.RATIO:
            return float(value)
        case _:
            return int(value)


def _write(sheet: Worksheet, row: int, place: int, kind: Kind, value: Any, looks: _Looks, form: Format) -> None:
    if kind is Kind.TEXT:
        _write_text(sheet, row, place, str(value), looks, form)
    elif kind is Kind.FLAG:
        if value:
            sheet.write_string(row, place, "yes", form)
    else:
        sheet.write_number(row, place, _plain_number(kind, value), form)


def _write_text(sheet: Worksheet, row: int, place: int, text: str, looks: _Looks, form: Format | None = None) -> None:
    """A text that stays one. What a spreadsheet would run when somebody edits the cell is marked as text; what the
    writer would take for markup of its own gets a space before it."""
    text = text[:_LONGEST_TEXT]
    if text.startswith("<r>"):
        text = f" {text}"
    if text[:1] and text[0] in _RUN_BY_SPREADSHEETS:
        form = looks.quoted
    sheet.write_string(row, place, text, form)
