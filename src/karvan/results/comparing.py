"""Two saved runs beside each other: what differs in what they were asked, and in what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from karvan.errors import DataError, Problem
from karvan.results.rounding import rounded
from karvan.results.store import SavedRun

CASES = ("scenario", "baseline", "low", "high")
_YEAR_KEYS = ("corridor_mt", "containers_teu", "crude_mt")
_FACILITY_KEYS = ("flow", "capacity", "use_share", "turned_away", "shadow_price_usd_per_t")
_HEADLINE = (
    "reached_year", "reached_year_low", "reached_year_high", "reached_year_baseline", "in_target_year_mt", "in_target_year_baseline_mt",
    "last_year_mt",
)  # fmt: skip


def compare_runs(a: SavedRun, b: SavedRun, *, case: str = "scenario", year: int | None = None) -> dict[str, Any]:
    """What differs between two runs, `b` less `a`.

    Args:
        a, b: The runs.
        case: scenario, baseline, low or high.
        year: Year of flows and facilities; by default the last that both have.

    Returns:
        What `docs/reference/rest.md` says of `/api/compare`, without the names of the runs.

    Raises:
        DataError: There is no such case or year in both.
    """
    if case not in CASES:
        raise DataError(Problem("compare", None, "case", f"case is {case}, must be one of {', '.join(CASES)}"))
    years = sorted(set(a.manifest["years"]) & set(b.manifest["years"]))
    if not years:
        raise DataError(Problem("compare", None, "year", "the two runs have no year in common"))
    at = years[-1] if year is None else year
    if at not in years:
        raise DataError(Problem("compare", None, "year", f"year is {at}, must be one that both runs have, {years[0]} to {years[-1]}"))
    found = {
        "year": at,
        "years": years,
        "case": case,
        "inputs": _inputs(a, b),
        "headline": _headline(a.report["headline"], b.report["headline"]),
        "outlook": _outlook(_by_year(a.report, case), _by_year(b.report, case)),
        "links": _links(a, b, case, at),
        "facilities": _facilities(a, b, case, at),
    }
    answer: dict[str, Any] = rounded(found)
    return answer


def _inputs(a: SavedRun, b: SavedRun) -> dict[str, Any]:
    of_a, of_b = ({item["measure_id"]: item for item in run.report["measures"]} for run in (a, b))
    both = [name for name in of_a if name in of_b]
    return {
        "is_same_corridor": a.manifest["corridor_hash"] == b.manifest["corridor_hash"],
        "options": {"a": a.manifest.get("options"), "b": b.manifest.get("options")},
        "only_a": [_named(item) for name, item in of_a.items() if name not in of_b],
        "only_b": [_named(item) for name, item in of_b.items() if name not in of_a],
        "dates": [
            {"measure_id": name, "title": of_a[name]["title"], "a": of_a[name]["from_date"], "b": of_b[name]["from_date"]}
            for name in both
            if of_a[name]["from_date"] != of_b[name]["from_date"]
        ],
        "replaced": {"a": a.report["replaced"], "b": b.report["replaced"]},
    }


def _named(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in ("measure_id", "title", "from_date")}


def _headline(a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    of_a, of_b = a or {}, b or {}
    return [
        {"key": key, "a": of_a.get(key), "b": of_b.get(key), "difference": _more(of_a.get(key), of_b.get(key))} for key in _HEADLINE
    ]  # fmt: skip


def _by_year(report: Mapping[str, Any], case: str) -> dict[int, Mapping[str, Any]]:
    rows = {"scenario": report["years"], "baseline": report["baseline_years"], **report["range"]}[case]
    return {row["year"]: row for row in rows}


def _outlook(a: Mapping[int, Mapping[str, Any]], b: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"year": year, **_sides(*({key: row[key] for key in _YEAR_KEYS} if row else None for row in (a.get(year), b.get(year))))}
        for year in sorted({*a, *b})
    ]


def _links(a: SavedRun, b: SavedRun, case: str, year: int) -> list[dict[str, Any]]:
    flow = (pl.col("forward_kt") + pl.col("backward_kt")).alias("kt")
    frames = [_at(run, "links", case, year).select("link_id", flow) for run in (a, b)]
    both = _joined(frames[0], frames[1], "link_id")
    named = both.select("link_id", a_kt="kt", b_kt="kt_b", difference_kt=pl.col("kt_b").fill_null(0.0) - pl.col("kt").fill_null(0.0))
    return named.sort(pl.col("difference_kt").abs(), descending=True, maintain_order=True).to_dicts()


def _facilities(a: SavedRun, b: SavedRun, case: str, year: int) -> list[dict[str, Any]]:
    use = pl.when(pl.col("capacity") > 0).then(pl.col("flow") / pl.col("capacity")).alias("use_share")
    sides = [
        {row["facility_id"]: row for row in _at(run, "facilities", case, year).with_columns(use).iter_rows(named=True)} for run in (a, b)
    ]
    found = []
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        rows = [side.get(name) for side in sides]
        unit = next(row["unit"] for row in rows if row is not None)
        told = [None if row is None else {key: row[key] for key in _FACILITY_KEYS} for row in rows]
        found.append({"facility_id": name, "unit": unit, **_sides(told[0], told[1])})
    return found


def _at(run: SavedRun, name: str, case: str, year: int) -> pl.DataFrame:
    return run.frame(name).filter((pl.col("case") == case) & (pl.col("year") == year))


def _joined(a: pl.DataFrame, b: pl.DataFrame, key: str) -> pl.DataFrame:
    return a.join(b, on=key, how="full", coalesce=True, suffix="_b", validate="1:1", maintain_order="left_right")


def _sides(a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> dict[str, Any]:
    keys: Sequence[str] = list(a or b or {})
    difference = None if a is None or b is None else {key: _more(a[key], b[key]) for key in keys}
    return {"a": a, "b": b, "difference": difference}


def _more(a: Any, b: Any) -> Any:
    return b - a if isinstance(a, int | float) and isinstance(b, int | float) else None
