"""The answer of a run as keys of sentences with their values, so that each language says it in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from karvan.results.outlook import ROUTE_GAP


def answer(report: Mapping[str, Any], *, headline_scenario: str) -> list[dict[str, Any]]:
    """What was promised, what the model finds, what is no answer.

    Args:
        report: What `build_report` gave.
        headline_scenario: The scenario of which may be said that it is everything announced; others are told by their titles.

    Returns:
        `key` of a message and its `values` by name.
    """
    headline = report["headline"]
    if headline is None:
        rows = report["years"]
        first, last = rows[0], rows[-1]
        values = {
            "first_year": first["year"],
            "first_mt": first["corridor_mt"],
            "last_year": last["year"],
            "last_mt": last["corridor_mt"],
        }
        return [_told("answer.outlook", **values), *_not_settled(report)]
    titles = {name: report[name] for name in ("scenario_title", "baseline_title")}
    ending = "" if report["scenario"] == headline_scenario else "_in"
    target = {**titles, "target_mt": headline["target_mt"], "last_year": headline["last_year"], "last_mt": headline["last_year_mt"]}
    reached = headline["reached_year"]
    found = [
        _told(f"answer.not_reached{ending}", **target) if reached is None else _told(f"answer.reached{ending}", **target, year=reached)
    ]
    if headline["in_target_year_mt"] is not None:
        values = {
            **titles,
            "year": headline["target_year"],
            "mt": headline["in_target_year_mt"],
            "low_mt": headline["in_target_year_low_mt"],
            "high_mt": headline["in_target_year_high_mt"],
            "baseline_mt": headline["in_target_year_baseline_mt"],
            "target_mt": headline["target_mt"],
        }
        found.append(_told(f"answer.in_target_year{ending}", **values))
    when = (("high", "", "reached_year_high"), ("low", "", "reached_year_low"), ("baseline", ending, "reached_year_baseline"))
    for name, form, column in when:
        year, values = headline[column], {**titles, "last_year": headline["last_year"], "target_mt": headline["target_mt"]}
        known = _told(f"answer.{name}_reached{form}", **values, year=year)
        found.append(_told(f"answer.{name}_not_reached{form}", **values) if year is None else known)
    return [*found, *_not_settled(report)]


def _not_settled(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Warnings: years that are shown but are no answer."""
    rows = [row for part in ("years", "baseline_years") for row in report[part]]
    restless = sorted({row["year"] for row in rows if not row.get("is_settled", True)})
    gaps = {row["year"]: row["route_gap_share"] for row in rows if (row.get("route_gap_share") or 0.0) > ROUTE_GAP}
    found = []
    if restless:
        found.append(_told("answer.not_settled", years=", ".join(map(str, restless))))
    if gaps:
        found.append(_told("answer.route_gap", years=", ".join(map(str, sorted(gaps))), gap_share=max(gaps.values())))
    return found


def quote(report: Mapping[str, Any], focus: int) -> dict[str, Any]:
    """One sentence that can stand alone: figure, range, assumption, source.

    Args:
        report: What `build_report` gave.
        focus: The year it is about.
    """
    by_year = {
        name: next(row["corridor_mt"] for row in rows if row["year"] == focus)
        for name, rows in (
            ("mt", report["years"]),
            ("low_mt", report["range"]["low"]),
            ("high_mt", report["range"]["high"]),
            ("baseline_mt", report["baseline_years"]),
        )
    }
    names = ("corridor_title", "scenario_title", "baseline_title", "version", "run_id")
    return _told("quote", year=focus, **by_year, **{name: report[name] for name in names})


def figures(report: Mapping[str, Any], focus: int, facilities: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Headline figures of one year with units and ranges.

    Args:
        report: What `build_report` gave.
        focus: The year.
        facilities: Facilities of the screen.
    """
    ours, base, low, high = (
        next(row for row in rows if row["year"] == focus)
        for rows in (report["years"], report["baseline_years"], report["range"]["low"], report["range"]["high"])
    )
    observed = report["history"][-1] if report["history"] else None
    found: list[dict[str, Any]] = []
    for figure_id, column, unit in (("corridor", "corridor_mt", "Mt"), ("boxes", "containers_teu", "TEU"), ("crude", "crude_mt", "Mt")):
        figure = {"figure_id": figure_id, "unit": unit, "year": focus, "value": ours[column], "baseline": base[column]}
        found.append({**figure, "low": low[column], "high": high[column]})
    if observed is not None:
        found[0] |= {"observed": observed["corridor_mt"], "observed_year": observed["year"]}
    latent = {"value": ours["corridor_latent_mt"], "baseline": base["corridor_latent_mt"]}
    found.append({"figure_id": "latent", "unit": "Mt", "year": focus, **latent, "low": None, "high": None})
    index = [row["year"] for row in report["years"]].index(focus)
    full = {
        case: sum(row[case]["is_full"][index] and row[case]["is_on_corridor"][index] for row in facilities)
        for case in ("scenario", "baseline")
    }
    known = {"value": full["scenario"], "baseline": full["baseline"], "low": None, "high": None}
    found.append({"figure_id": "full", "unit": "facilities", "year": focus, **known})
    rent = {"value": ours["rent_musd"], "baseline": base["rent_musd"], "low": None, "high": None}
    return [*found, {"figure_id": "rent", "unit": "MUSD", "year": focus, **rent}]


def _told(key: str, **values: Any) -> dict[str, Any]:
    return {"key": key, "values": values}
