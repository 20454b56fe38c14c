"""Many shipments at once: from a table of shipments to a table of options."""

from __future__ import annotations

import datetime
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.corridor.tables import nearest
from karvan.errors import DataError, Problem
from karvan.results.shipping_batch import ShippingBatch, batch_frame, batch_rows, wrong_row
from karvan.results.store import SavedRun
from karvan.routing.limits import Cargo
from karvan.study.options import Prepared, ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.route import ShippingDesk
from karvan.study.run_scarcity import RunScarcity, run_scarcity
from karvan.study.user_quotes import UserQuotes

_TOGETHER = 64
"""Shipments that a worker takes at a time: those to one destination share their reverse searches."""
_NEEDED = ("origin", "destination", "commodity")
_TRAITS = {
    "tonnes": "tonnes", "value_usd_per_t": "value_usd_per_t", "unit_t": "unit_t", "piece_t": "piece_t", "reefer": "is_reefer",
    "hazard_class": "hazard_class", "out_of_gauge": "is_out_of_gauge", "carrier": "carrier",
}  # fmt: skip
"""Columns that say what the shipment is, and what `Cargo` calls them."""
_Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Shipment:
    """One row of a table of shipments.

    Attributes:
        row: Data row, from 1.
        shipment_id: What it is called; the row's number where the table does not say.
        asked: Arguments of `ShippingDesk.answer`.
    """

    row: int
    shipment_id: str
    asked: Mapping[str, Any]


def route_batch(
    corridor: Corridor,
    shipments: Path | pl.DataFrame,
    *,
    out: Path | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    quotes: UserQuotes | None = None,
    run: SavedRun | None = None,
    scarcity: str = "price",
    workers: int = 1,
    progress: Progress | None = None,
) -> ShippingBatch:
    """Options of many shipments; the same digits whatever the number of workers.

    Rows that ask nothing that can be answered are told with row and column, and the rest is answered. Stopping it (Ctrl-C) keeps what
    is done.

    Args:
        corridor: The corridor.
        shipments: CSV file or frame with columns origin, destination and commodity, and perhaps shipment_id, depart or year, deadline,
            max_options, avoid and via (several joined by ';'), tonnes, value_usd_per_t, unit_t, piece_t, reefer, hazard_class,
            out_of_gauge and carrier, as `route` takes them.
        out: File to write: .csv or .parquet.
        scenario, options, quotes, run, scarcity: As of `route`.
        workers: Processes; more than one need the caller's main module to be importable.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: The file cannot be read, lacks a column, or has one that means nothing.
    """
    name = str(shipments) if isinstance(shipments, Path) else "shipments"
    frame = _read(shipments) if isinstance(shipments, Path) else shipments
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise DataError(Problem("--out", None, None, f"{out} must end in .csv or .parquet"))
    asked, problems = read_shipments(frame, name=name)
    tell = progress or silent
    prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
    done: dict[int, _Rows] = {}
    wrong: list[Problem] = list(problems)
    is_stopped = False
    pieces = _pieces(asked)
    full = None if run is None else run_scarcity(run, prepared.corridor, prepared.scenario.scenario_id, regime=scarcity)
    made = (prepared, quotes, full)
    source = _here(made, pieces, name) if workers <= 1 else _in_workers(made, pieces, name, workers)
    try:
        for rows, found in source:
            done.update(rows)
            wrong += found
            tell(f"{len(done):,} of {len(asked):,} shipments")
    except KeyboardInterrupt:
        is_stopped = True
    ids = frame["shipment_id"].cast(pl.String).to_list() if "shipment_id" in frame.columns else [None] * frame.height
    for row, items in groupby(problems, key=lambda item: item.row or 0):
        done[row] = [wrong_row(row, ids[row - 1] or str(row), items)]
    found_frame = batch_frame([item for row in sorted(done) for item in done[row]])
    if out is not None:
        _write(found_frame, out)
    batch = ShippingBatch(
        found_frame, frame.height, len(done), tuple(sorted(wrong, key=lambda item: (item.row or 0, item.column or ""))), out
    )
    if is_stopped and out is None:
        raise KeyboardInterrupt
    return batch


def read_shipments(frame: pl.DataFrame, *, name: str) -> tuple[list[Shipment], list[Problem]]:
    """Shipments of a table, and what is wrong with its rows.

    Args:
        frame: The table, as text or typed.
        name: What messages call it.

    Raises:
        DataError: A column is missing or unknown.
    """
    missing = [Problem(name, None, column, "must be there") for column in _NEEDED if column not in frame.columns]
    known = ("shipment_id", *_READERS)
    unknown = [
        Problem(name, None, column, f"is no column of shipments{nearest(column, known)}") for column in frame.columns if column not in known
    ]
    if missing or unknown:
        raise DataError([*missing, *unknown])
    found, problems = [], []
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        asked: dict[str, Any] = {}
        wrong: list[Problem] = []
        for column, read in _READERS.items():
            text = row.get(column)
            if text is None or not str(text).strip():
                if column in _NEEDED:
                    wrong.append(Problem(name, number, column, "is empty; name one"))
                continue
            try:
                asked[column] = read(str(text).strip())
            except ValueError as error:
                wrong.append(Problem(name, number, column, str(error)))
        problems += wrong
        if not wrong:
            traits = {_TRAITS[column]: asked.pop(column) for column in _TRAITS if column in asked}
            asked["cargo"] = Cargo(**traits)
            found.append(Shipment(number, str(row.get("shipment_id") or number), asked))
    return found, problems


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text} must be a date such as 2025-11-01") from error


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError(f"{text} must be a whole number") from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{text} must be a number") from error


def _claim(text: str) -> bool:
    if text.casefold() not in ("true", "false"):
        raise ValueError(f"{text} must be true or false")
    return text.casefold() == "true"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(";") if word.strip())


_READERS: Mapping[str, Callable[[str], Any]] = {
    "origin": str, "destination": str, "commodity": str, "depart": _date, "year": _whole, "deadline": _date, "max_options": _whole,
    "avoid": _words, "via": _words, "tonnes": _number, "value_usd_per_t": _number, "unit_t": _number, "piece_t": _number,
    "reefer": _claim, "hazard_class": str, "out_of_gauge": _claim, "carrier": str,
}  # fmt: skip


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(Problem(str(path), None, None, f"cannot be read as CSV: {error}")) from error


def _write(frame: pl.DataFrame, out: Path) -> None:
    """Write a table under a temporary name beside its place, then move it there."""
    temporary = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".csv":
            frame.write_csv(temporary, float_precision=4)
        else:
            frame.write_parquet(temporary)
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)


def _pieces(shipments: Sequence[Shipment]) -> list[list[Shipment]]:
    """Shipments in pieces, those of one day, goods and destination together."""

    def place(shipment: Shipment) -> tuple[str, ...]:
        asked = shipment.asked
        day = str(asked.get("depart") or asked.get("year") or "")
        return (day, *(str(asked[name]).casefold() for name in ("commodity", "destination", "origin")))

    ordered = sorted(shipments, key=lambda item: (*place(item), item.row))
    return [ordered[start : start + _TOGETHER] for start in range(0, len(ordered), _TOGETHER)]


def _piece(desk: ShippingDesk, shipments: Sequence[Shipment], name: str) -> tuple[dict[int, _Rows], list[Problem]]:
    """Rows of some shipments by number, and what is wrong with them."""
    rows: dict[int, _Rows] = {}
    problems: list[Problem] = []
    for shipment in shipments:
        try:
            rows[shipment.row] = batch_rows(shipment.row, shipment.shipment_id, desk.answer(**shipment.asked, has_legs=False))
        except DataError as error:
            own = [Problem(name, shipment.row, item.column or item.table.removeprefix("--"), item.message) for item in error.problems]
            rows[shipment.row] = [wrong_row(shipment.row, shipment.shipment_id, own)]
            problems += own
    return rows, problems


_Piece = tuple[dict[int, _Rows], list[Problem]]


_Made = tuple[Prepared, UserQuotes | None, RunScarcity | None]
"""What a desk is made of."""


def _desk_of(made: _Made) -> ShippingDesk:
    prepared, quotes, full = made
    return ShippingDesk.of(prepared, quotes=quotes, scarcity=full)


def _here(made: _Made, pieces: Iterable[Sequence[Shipment]], name: str) -> Iterator[_Piece]:
    desk = _desk_of(made)
    for piece in pieces:
        yield _piece(desk, piece, name)


_desk: ShippingDesk | None = None
"""The desk of a worker process."""


def _begin(made: _Made) -> None:
    global _desk  # noqa: PLW0603  # a worker process has one desk for its life
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that waits for it is told
    _desk = _desk_of(made)


def _work(shipments: Sequence[Shipment], name: str) -> _Piece:
    if _desk is None:
        raise RuntimeError("a worker was asked before it began")
    return _piece(_desk, shipments, name)


def _in_workers(made: _Made, pieces: Sequence[Sequence[Shipment]], name: str, workers: int) -> Iterator[_Piece]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, max(len(pieces), 1)), mp_context=context, initializer=_begin, initargs=(made,))
    try:
        waiting: set[Future[_Piece]] = {pool.submit(_work, piece, name) for piece in pieces}
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
