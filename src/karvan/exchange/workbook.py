"""An appraisal as a workbook with live formulas: whoever changes a rate or a factor sees the answer move."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from karvan.errors import DataError, Problem
from karvan.results import Appraisal

_PARTIES = ("shippers", "consumers", "operators", "states", "neighbours", "climate")
_COSTS = ("capital", "running", "residual")
_CREATED = datetime(2000, 1, 1)
_SHEET_INPUTS, _SHEET_YEARS, _SHEET_ANSWER = "Inputs", "Years", "Answer"


def write_workbook(found: Appraisal, path: Path) -> None:
    """Write an appraisal: inputs that may be changed, gains and costs by year, the answer as formulas, and all its tables.

    Args:
        found: The appraisal.
        path: File to write, ending in .xlsx.

    Raises:
        DataError: The name ends otherwise, the folder is not there, or the library that writes workbooks is not installed.
    """
    if path.suffix != ".xlsx":
        raise DataError(Problem("--xlsx", None, None, f"{path} must end in .xlsx"))
    if not path.parent.is_dir():
        raise DataError(Problem("--xlsx", None, None, f"there is no folder {path.parent}"))
    try:
        import xlsxwriter  # noqa: PLC0415
    except ModuleNotFoundError as error:
        message = "needs the library xlsxwriter; install karvan[web]"
        raise DataError(Problem("--xlsx", None, None, message)) from error
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    with xlsxwriter.Workbook(name, {"in_memory": True}) as book:
        _Writer(book, found).write()
    Path(name).replace(path)


def workbook_bytes(found: Appraisal) -> bytes | None:
    """The same workbook as a file's content; None where the library that writes workbooks is not installed.

    Args:
        found: The appraisal.
    """
    try:
        import xlsxwriter  # noqa: PLC0415
    except ModuleNotFoundError:
        return None
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.set_properties({"created": _CREATED})  # the same appraisal, the same bytes
        _Writer(book, found).write()
    return content.getvalue()


class _Writer:
    """Sheets of one workbook."""

    def __init__(self, book: Any, found: Appraisal) -> None:
        self.book, self.found = book, found
        self.head = book.add_format({"bold": True, "bottom": 1})
        self.given = book.add_format({"bg_color": "#FFF2CC", "border": 1})
        self.share = book.add_format({"num_format": "0.0%"})
        self.money = book.add_format({"num_format": "#,##0.0"})
        self.last = 1 + found.flows.height  # row number, as a formula says it, of the last year

    def write(self) -> None:
        """All sheets, the answer first."""
        answer = self.book.add_worksheet(_SHEET_ANSWER)
        self._inputs(self.book.add_worksheet(_SHEET_INPUTS))
        self._years(self.book.add_worksheet(_SHEET_YEARS))
        self._answer(answer)
        for name in ("parties", "costs", "tests", "sponsors", "members", "traffic", "emissions", "fiscal", "wider", "accounts"):
            self._table(name.capitalize(), getattr(self.found, name))

    def _inputs(self, sheet: Any) -> None:
        rows = (
            ("Discount rate, a year", self.found.rate_share, "economic rate of the case: " + self.found.rate_id),
            ("Factor on gains", 1.0, "0.8 is gains 20% lower"),
            ("Factor on building", 1.0, "1.2 is building 20% dearer"),
            ("Factor on upkeep", 1.0, ""),
        )
        sheet.write_row(0, 0, ["Input", "Value", "Note"], self.head)
        for place, (label, value, note) in enumerate(rows, start=1):
            sheet.write(place, 0, label)
            sheet.write(place, 1, value, self.given)
            sheet.write(place, 2, note)
        sheet.set_column(0, 0, 28)
        sheet.set_column(2, 2, 48)

    def _years(self, sheet: Any) -> None:
        found = self.found
        heads = [
            "Year", *(f"{name}, M USD" for name in _PARTIES), "Gain", "Building", "Upkeep", "Residual value", "Net", "Discount factor",
            "Present value",
        ]  # fmt: skip
        sheet.write_row(0, 0, heads, self.head)
        by_party = {
            name: dict(found.yearly.filter(pl.col("party") == name).select("year", "gain_musd").iter_rows()) for name in _PARTIES
        }  # fmt: skip
        for place, row in enumerate(found.flows.iter_rows(named=True), start=1):
            line, year = place + 1, row["year"]
            sheet.write(place, 0, year)
            for column, name in enumerate(_PARTIES, start=1):
                sheet.write(place, column, by_party[name].get(year, 0.0), self.money)
            sheet.write_formula(place, 7, f"=SUM(B{line}:G{line})*{_SHEET_INPUTS}!$B$3", self.money, row["benefit_musd"])
            for column, name in enumerate(_COSTS, start=8):
                sheet.write(place, column, row[f"{name}_musd"], self.money)
            costs = f"(I{line}-K{line})*{_SHEET_INPUTS}!$B$4-J{line}*{_SHEET_INPUTS}!$B$5"
            sheet.write_formula(place, 11, f"=H{line}-{costs}", self.money, row["net_musd"])
            factor = (1.0 + found.rate_share) ** (found.from_year - year)
            sheet.write_formula(place, 12, f"=(1+{_SHEET_INPUTS}!$B$2)^-(A{line}-$A$2)", None, factor)
            sheet.write_formula(place, 13, f"=L{line}*M{line}", self.money, factor * row["net_musd"])
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 13, 13)

    def _answer(self, sheet: Any) -> None:
        found, last = self.found, self.last

        def of(column: str) -> str:
            return f"{_SHEET_YEARS}!{column}2:{column}{last}"

        gains, built = f"SUMPRODUCT({of('H')},{of('M')})", f"SUMPRODUCT({of('I')}-{of('K')},{of('M')})*{_SHEET_INPUTS}!B4"
        costs = f"({built}+SUMPRODUCT({of('J')},{of('M')})*{_SHEET_INPUTS}!B5)"
        present = [found.npv_musd, found.err_share, found.bcr_ratio, found.switching["benefits"], found.switching["costs"]]
        rows = (
            ("Net present value, M USD", f"=SUM({of('N')})", self.money),
            ("Economic rate of return", f'=IFERROR(IRR({of("L")},0.08),"none")', self.share),
            ("Gains over costs", f"={gains}/{costs}", None),
            ("Worth nothing with gains times", f"={costs}/{gains}", None),
            ("Worth nothing with costs times", f"={gains}/{costs}", None),
        )
        sheet.write(0, 0, f"{', '.join(found.measure_ids)} against {found.scenario_id}", self.head)
        sheet.write(1, 0, f"{found.from_year} to {found.last_year}; change what is yellow in {_SHEET_INPUTS}")
        for place, ((label, formula, look), value) in enumerate(zip(rows, present, strict=True), start=3):
            sheet.write(place, 0, label)
            sheet.write_formula(place, 1, formula, look, "none" if value is None else value)
        sheet.write(9, 0, "If scarcity were a queue: net present value, M USD")
        sheet.write(9, 1, found.npv_queue_musd, self.money)
        sheet.write(10, 0, "Part of the capital that rests on cost classes")
        sheet.write(10, 1, found.estimated_capital_share, self.share)
        if found.plain_npv_musd is not None:
            sheet.write(11, 0, "If new ways took weight from those beside them however dear: net present value, M USD")
            sheet.write(11, 1, found.plain_npv_musd, self.money)
        sheet.set_column(0, 0, 48)
        sheet.set_column(1, 1, 16)

    def _table(self, title: str, frame: pl.DataFrame) -> None:
        sheet = self.book.add_worksheet(title)
        sheet.write_row(0, 0, frame.columns, self.head)
        for place, row in enumerate(frame.iter_rows(), start=1):
            _write_cells(sheet, place, row)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(frame.columns) - 1, 0), 18)


def _write_cells(sheet: Any, place: int, row: Sequence[Any]) -> None:
    for column, value in enumerate(row):
        if value is not None:
            sheet.write(place, column, value)
