"""A workbook read back by another hand, and its formulas worked out, as a spreadsheet would."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

_RANGE = re.compile(r"(?:'([^']+)'!)?\$?([A-Z]+)\$?(\d+)(?::\$?([A-Z]+)\$?(\d+))?")
_IF = re.compile(r"\bIF\(([^,]+),([^,]+),(.+)\)$")
_TEXTS = re.compile(r'("[^"]*")')


class ReadWorkbook:
    """`formulas`: as they are written; `values`: what the file says that they come to."""

    def __init__(self, content: bytes) -> None:
        self.formulas = openpyxl.load_workbook(io.BytesIO(content))
        self.values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        self.parts = {part.filename: part for part in zipfile.ZipFile(io.BytesIO(content)).infolist()}

    def sheet(self, name: str) -> Worksheet:
        return self.formulas[name]

    def column(self, sheet: str, heading: str) -> list[Any]:
        """The values below a heading, the row of totals apart."""
        rows = list(self.values[sheet].iter_rows(values_only=True))
        place = rows[0].index(heading)
        body = rows[1:-1] if len(rows) > 1 and rows[-1][0] == "Total" else rows[1:]
        return [row[place] for row in body]

    def line(self, label: str) -> tuple[Any, Any]:
        """A line of the summary: what the file says, and what its formula comes to (or the same again)."""
        for row in self.formulas["Summary"].iter_rows(min_col=1, max_col=2):
            if row[0].value == label:
                told = self.values["Summary"].cell(row[1].row, 2).value
                return told, self.work_out("Summary", row[1].value)
        raise AssertionError(f"no line {label!r}")

    def all_formulas(self) -> list[tuple[str, str, str]]:
        """Sheet, cell and formula of each."""
        return [
            (sheet.title, cell.coordinate, cell.value)
            for sheet in self.formulas.worksheets
            for row in sheet.iter_rows()
            for cell in row
            if cell.data_type == "f"
        ]

    def work_out(self, sheet: str, formula: Any) -> Any:
        """What a formula of that sheet comes to."""
        if not isinstance(formula, str) or not formula.startswith("="):
            return formula
        pieces = _TEXTS.split(_IF.sub(r"((\2) if \1 else (\3))", formula[1:]))
        for place in range(0, len(pieces), 2):  # what is not in quotes
            pieces[place] = _RANGE.sub(lambda found: self._reference(sheet, found), pieces[place]).replace("=0", "==0")
        names = {
            "SUM": lambda cells: sum(cell for cell in cells if isinstance(cell, int | float)),
            "SUBTOTAL": lambda how, cells: sum(cell for cell in cells if isinstance(cell, int | float)),
            "COUNTA": lambda cells: sum(cell is not None for cell in cells),
            "COUNTIF": _count_if,
            "ROUND": round,
            "cells": self._cells,
        }
        return eval("".join(pieces), names)

    def _reference(self, sheet: str, found: re.Match[str]) -> str:
        other, first, top, last, bottom = found.groups()
        where = f"cells({other or sheet!r},{first!r},{top},{(last or first)!r},{bottom or top})"
        return where if last else f"{where}[0]"

    def _cells(self, sheet: str, first: str, top: int, last: str, bottom: int) -> list[Any]:
        area = self.formulas[sheet][f"{first}{top}:{last}{bottom}"]
        return [self.work_out(sheet, cell.value) for row in area for cell in row]


def _count_if(cells: list[Any], condition: str) -> int:
    way, against = condition[0], float(condition[1:])
    numbers = [cell for cell in cells if isinstance(cell, int | float)]
    return sum(cell > against if way == ">" else cell < against for cell in numbers)
