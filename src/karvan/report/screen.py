"""The screen's document: everything that report and app show of a run, as one dictionary; see `docs/reference/screen.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import polars as pl

from karvan.corridor import NOT_INPUTS, Corridor
from karvan.report.answer import answer, figures, quote
from karvan.report.names import names_in
from karvan.report.network import facilities_of, links_of, places_of, short, views_of
from karvan.results import SavedRun
from karvan.schema import ANY

SCHEMA = 1
"""Grows by one when a key changes its meaning or goes; new keys alone leave it."""

_JOURNEY_TOTALS = (
    "length_km", "time_d", "time_sd_d", "moving_h", "waiting_h", "border_h", "gauge_h", "port_h", "charge_usd_per_t",
    "charge_usd_per_teu", "cost_usd_per_t", "co2e_kg_per_t",
)  # fmt: skip


def screen(saved: SavedRun, corridor: Corridor, *, ladder: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What report and app show of a run.

    Args:
        saved: The run.
        corridor: Its corridor, with the run's options laid over it.
        ladder: What `karvan ladder --json` printed; by default what the run folder holds of it.
    """
    report, tables = saved.report, corridor.tables
    years = [row["year"] for row in report["years"]]
    focus = _focus_year(report, years)
    facilities = facilities_of(saved, corridor, years)
    links = links_of(saved, corridor, years)
    places = places_of(corridor, links, facilities)
    found: dict[str, Any] = {
        "kind": "karvan-screen",
        "schema": SCHEMA,
        "run": _run(saved, corridor),
        "years": years,
        "focus_year": focus,
        "answer": answer(report, headline_scenario=corridor.manifest.headline_scenario),
        "quote": quote(report, focus),
        "figures": figures(report, focus, facilities),
        "headline": report["headline"],
        "outlook": _outlook(report, corridor),
        "stops": [_stop(stop) for stop in report["stops"]],
        "commitments": [dict(item) for item in report["commitments"]],
        "trust": _trust(report),
        "goods": [_named(row, "commodity_group") for row in tables["commodities"].iter_rows(named=True)],
        "regions": [_named(row, "region_id") for row in tables["regions"].iter_rows(named=True)],
        "places": places,
        "views": views_of(corridor, places, links),
        "links": links,
        "facilities": facilities,
        "journeys": _journeys(report, corridor),
        "flows": _flows(saved, corridor, years),
        "diversion": _diversion(saved, corridor, years),
        "operators": _operators(saved, corridor, years),
        "money": {case: [_money(row) for row in report[key]] for case, key in (("scenario", "years"), ("baseline", "baseline_years"))},
        "measures": [dict(item) for item in report["measures"]],
        "validation": _validation(report),
        "inputs": _inputs(corridor),
        "ladder": saved.ladder() if ladder is None else dict(ladder),
    }
    found["sources"] = _sources(corridor, found)
    return {**found, "names": names_in(found, corridor)}


def with_ladder(document: Mapping[str, Any], corridor: Corridor, ladder: Mapping[str, Any]) -> dict[str, Any]:
    """A screen's document with a ladder put in.

    Args:
        document: What `screen` gave.
        corridor: The same corridor.
        ladder: What `karvan ladder --json` printed.
    """
    found = {**document, "ladder": dict(ladder)}
    return {**found, "sources": _sources(corridor, found), "names": names_in(found, corridor)}


def compare_screens(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What differs between two runs of one corridor, ours less theirs; see `docs/reference/screen.md`.

    Args:
        ours: The document of the run that is looked at.
        theirs: That of the run it is held against.
    """
    years = [year for year in ours["years"] if year in theirs["years"]]
    focus = ours["focus_year"] if ours["focus_year"] in years else (years[-1] if years else None)
    return {
        "years": years,
        "focus_year": focus,
        "run": ours["run"],
        "against": theirs["run"],
        "figures": [] if focus is None else _figure_changes(ours, theirs, focus),
        "links": _link_changes(ours, theirs, years),
        "facilities": _facility_changes(ours, theirs, years),
        "stops": _stop_changes(ours, theirs),
    }


def _figure_changes(ours: Mapping[str, Any], theirs: Mapping[str, Any], year: int) -> list[dict[str, Any]]:
    found = []
    for figure_id, column, unit in (
        ("corridor", "corridor_mt", "Mt"),
        ("boxes", "containers_teu", "TEU"),
        ("crude", "crude_mt", "Mt"),
        ("latent", "corridor_latent_mt", "Mt"),
    ):
        ends = [next(row[column] for row in side["outlook"]["scenario"] if row["year"] == year) for side in (ours, theirs)]
        found.append({"figure_id": figure_id, "unit": unit, "year": year, "ours": ends[0], "theirs": ends[1], "change": ends[0] - ends[1]})
    ends = [next(row["rent_musd"] for row in side["money"]["scenario"] if row["year"] == year) for side in (ours, theirs)]
    found.append({"figure_id": "rent", "unit": "MUSD", "year": year, "ours": ends[0], "theirs": ends[1], "change": ends[0] - ends[1]})
    return found


def _link_changes(ours: Mapping[str, Any], theirs: Mapping[str, Any], years: Sequence[int]) -> list[dict[str, Any]]:
    other = {link["link_id"]: link for link in theirs["links"]}
    found = []
    for link in ours["links"]:
        beside = other.pop(link["link_id"], None)
        change = [_total(link, ours, year) - (0.0 if beside is None else _total(beside, theirs, year)) for year in years]
        found.append({"link_id": link["link_id"], "change_kt": [short(value) for value in change]})
    found += [{"link_id": link["link_id"], "change_kt": [short(-_total(link, theirs, year)) for year in years]} for link in other.values()]
    return [row for row in found if any(abs(value) > 0.05 for value in row["change_kt"])]


def _total(link: Mapping[str, Any], side: Mapping[str, Any], year: int) -> float:
    index = side["years"].index(year)
    return float(link["forward_kt"][index] + link["backward_kt"][index])


def _facility_changes(ours: Mapping[str, Any], theirs: Mapping[str, Any], years: Sequence[int]) -> list[dict[str, Any]]:
    other = {row["facility_id"]: row for row in theirs["facilities"]}
    found = []
    for row in ours["facilities"]:
        beside = other.get(row["facility_id"])
        if beside is None:
            continue
        at = [(ours["years"].index(year), theirs["years"].index(year)) for year in years]
        columns = ("flow", "capacity", "turned_away", "shadow_price_usd_per_t")
        change = {name: [short(row["scenario"][name][a] - beside["scenario"][name][b]) for a, b in at] for name in columns}
        if any(abs(value) > 0.005 for values in change.values() for value in values):
            found.append({"facility_id": row["facility_id"], "name": row["name"], "unit": row["unit"], **change})
    return found


def _stop_changes(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, list[str]]:
    here, there = ([stop["name"] for stop in side["stops"]] for side in (ours, theirs))
    return {"only_ours": [name for name in here if name not in there], "only_theirs": [name for name in there if name not in here]}


def _focus_year(report: Mapping[str, Any], years: Sequence[int]) -> int:
    """The year that the headline was promised for, or the last of the run."""
    headline = report["headline"]
    promised = None if headline is None else headline["target_year"]
    return next((year for year in years if year == promised), years[-1])


def _run(saved: SavedRun, corridor: Corridor) -> dict[str, Any]:
    report, manifest = saved.report, saved.manifest
    names = (
        "run_id", "version", "corridor", "corridor_title", "corridor_version", "scenario", "scenario_title", "baseline",
        "baseline_title", "price_year", "facts_until", "regime", "replaced",
    )  # fmt: skip
    replaced = [_named_measure(row) for row in report["replaced"]]
    return {
        **{name: report[name] for name in names},
        "replaced": replaced,
        "changes": [_change(row) for row in replaced],
        "base_year": corridor.manifest.base_year,
        "capacities": report.get("capacities", {}).get("source", "nominal"),
        "corridor_hash": manifest["corridor_hash"],
        "scenario_hash": manifest["scenario_hash"],
        "code_hash": manifest["code_hash"],
        "seed": manifest["seed"],
    }


def _named_measure(row: Mapping[str, Any]) -> dict[str, Any]:
    """What an option replaced; a measure that came as a file goes by its name, for where the file lay is nobody else's business."""
    return {**row, "measure": PurePath(row["measure"]).stem} if "measure" in row else dict(row)


def _change(row: Mapping[str, Any]) -> str:
    """What an option replaced, in signs that need no language."""
    if "measure" in row:
        return f"{'+' if row['change'] == 'with' else '−'} {row['measure']}"
    place = ".".join(str(row[name]) for name in ("table", "row", "column") if row[name] is not None)
    return f"{place} = {row['new']}"


def _named(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {key: row[key], "name": row["name"]}


def _outlook(report: Mapping[str, Any], corridor: Corridor) -> dict[str, Any]:
    columns = ("year", "corridor_mt", "containers_teu", "crude_mt", "corridor_latent_mt", "is_settled", "route_gap_share")
    return {
        "observed": [dict(row) for row in report["history"]],
        "scenario": [{name: row[name] for name in columns} for row in report["years"]],
        "baseline": [{name: row[name] for name in columns} for row in report["baseline_years"]],
        "low": [dict(row) for row in report["range"]["low"]],
        "high": [dict(row) for row in report["range"]["high"]],
        "forecasts": _forecasts(corridor),
    }


def _forecasts(corridor: Corridor) -> list[dict[str, Any]]:
    """Published forecasts and targets of all goods over the headline cordon."""
    is_whole = [pl.col(name) == ANY for name in ("commodity_groups", "form", "origin_regions", "destination_regions")]
    chosen = corridor.tables["observations"].filter(
        pl.col("family").cast(pl.String) == "outlook",
        pl.col("quantity").cast(pl.String) == "cordon_mt",
        pl.col("element_id") == corridor.manifest.headline_cordon,
        pl.col("period").is_null(),
        *is_whole,
    )
    return [
        {"year": row["year"], "value_mt": row["value"], "scope": row["scope"], "source": row["source"], "confidence": row["confidence"]}
        for row in chosen.sort("year", "observation_id").iter_rows(named=True)
    ]


def _stop(stop: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in stop.items() if name != "years"}, "years": [row["year"] for row in stop["years"]]}


def _trust(report: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **report["trust"],
        "inputs": report["inputs"],
        "calibration": report["calibration"],
        "movers": report["movers"],
        "blocks": report["blocks"],
    }


def _journeys(report: Mapping[str, Any], corridor: Corridor) -> list[dict[str, Any]]:
    """Journeys to show with their running distance, days and money by scenario and year; rivals share both ends and goods."""
    place_names = dict(corridor.tables["places"].select("place_id", "name").iter_rows())
    countries = dict(corridor.tables["places"].select("place_id", "country").iter_rows())
    totals = {(row["scenario"], row["journey_id"], row["year"]): row for row in report["journeys"]}
    curves: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for row in report["profiles"]:
        curves.setdefault((row["scenario"], row["journey_id"], row["year"]), []).append(row)
    found = []
    for journey in corridor.tables["journeys"].filter("is_profile").iter_rows(named=True):
        own = [
            {
                "scenario": scenario,
                "year": year,
                **{name: totals[scenario, journey_id, year][name] for name in _JOURNEY_TOTALS},
                "legs": [
                    {
                        "place": place_names[row["place"]],
                        "mode": row["mode"],
                        "distance_km": short(row["distance_km"]),
                        "time_d": short(row["time_d"]),
                        "charge_usd_per_t": short(row["charge_usd_per_t"]),
                    }
                    for row in rows
                ],
            }
            for (scenario, journey_id, year), rows in curves.items()
            if journey_id == journey["journey_id"]
        ]
        if own:
            names = ("journey_id", "name", "family_id", "commodity_group")
            ends = {"origin": place_names[journey["origin_place"]], "destination": place_names[journey["destination_place"]]}
            country = countries[journey["origin_place"]]
            found.append({**{name: journey[name] for name in names}, **ends, "origin_country": country, "curves": own})
    return found


def _flows(saved: SavedRun, corridor: Corridor, years: Sequence[int]) -> list[dict[str, Any]]:
    """Kilotonnes over the headline cordon by origin, destination and goods, both cases; what is too little to show is kept in."""
    keys = ["origin_region", "destination_region", "commodity_group"]
    frame = saved.frame("crossings").filter(
        pl.col("cordon_id") == corridor.manifest.headline_cordon, pl.col("case").is_in(["scenario", "baseline"])
    )
    summed = frame.group_by("case", "year", *keys).agg(pl.col("flow_kt").sum()).filter(pl.col("flow_kt") > 0.0)
    series: dict[tuple[str, str, str], dict[tuple[str, int], float]] = {}
    for case, year, *key, flow in summed.iter_rows():
        series.setdefault((key[0], key[1], key[2]), {})[case, year] = flow
    return [
        {
            **dict(zip(keys, key, strict=True)),
            **{f"{case}_kt": [short(values.get((case, year), 0.0)) for year in years] for case in ("scenario", "baseline")},
        }
        for key, values in sorted(series.items())
    ]


def _diversion(saved: SavedRun, corridor: Corridor, years: Sequence[int]) -> list[dict[str, Any]]:
    """Million tonnes by route family."""
    names = dict(corridor.tables["route_families"].select("family_id", "name").iter_rows())
    frame = saved.frame("families").filter(pl.col("case").is_in(["scenario", "baseline"]))
    summed = frame.group_by("case", "year", "family_id").agg(pl.col("flow_kt").sum() / 1e3)
    values = {(case, family, year): flow for case, year, family, flow in summed.iter_rows()}
    return [
        {
            "family_id": family,
            "name": names.get(family, family.replace("_", " ").capitalize()),
            **{f"{case}_mt": [short(values.get((case, family, year), 0.0)) for year in years] for case in ("scenario", "baseline")},
        }
        for family in sorted({family for _, family, _ in values})
    ]


def _operators(saved: SavedRun, corridor: Corridor, years: Sequence[int]) -> list[dict[str, Any]]:
    """Revenue of operators from the modelled markets, before rents of scarce facilities."""
    names = dict(corridor.tables["operators"].select("operator_id", "name").iter_rows())
    frame = saved.frame("operators").filter(pl.col("case").is_in(["scenario", "baseline"]))
    values = {(row["case"], row["operator_id"], row["year"]): row["revenue_musd"] for row in frame.iter_rows(named=True)}
    rows = [
        {
            "operator_id": operator,
            "name": names.get(operator, operator),
            **{f"{case}_musd": [short(values.get((case, operator, year), 0.0)) for year in years] for case in ("scenario", "baseline")},
        }
        for operator in sorted({operator for _, operator, _ in values})
    ]
    return [row for row in rows if any((*row["scenario_musd"], *row["baseline_musd"]))]


def _money(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("year", "welfare_musd", "rent_musd", "queue")}


def _validation(report: Mapping[str, Any]) -> dict[str, Any] | None:
    found = report["validation"]
    if found is None:
        return None
    columns = ("scope", "family", "year", "period", "compared_with", "low", "high", "unit", "model", "error", "used_in_calibration", "why")
    rows = [{name: row[name] for name in columns} for row in found["observations"] if row["error"] is not None]
    names = ("median_abs_error", "compared", "not_used", "median_abs_error_of_all", "outturn")
    return {**{name: found[name] for name in names}, "count": len(found["observations"]), "rows": rows}


def _inputs(corridor: Corridor) -> list[dict[str, Any]]:
    """Rows of every table of inputs by how far they are to be trusted."""
    found = []
    for name, frame in corridor.tables.items():
        if name in NOT_INPUTS or "confidence" not in frame.columns or frame.is_empty():
            continue
        counts = {str(confidence): int(count) for confidence, count in frame.group_by("confidence").len().iter_rows()}
        found.append({"table": name, "rows": frame.height, **{key: counts.get(key, 0) for key in ("sourced", "recalled", "estimate")}})
    return found


def _sources(corridor: Corridor, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Sources that the document names."""
    named: set[str] = set()

    def walk(item: Any) -> None:
        if isinstance(item, Mapping):
            if isinstance(item.get("source"), str):
                named.add(item["source"])
            for part in item.values():
                walk(part)
        elif isinstance(item, list):
            for part in item:
                walk(part)

    walk(found)
    frame = corridor.tables["sources"].filter(pl.col("source_id").is_in(sorted(named))).sort("source_id")
    return frame.select("source_id", "title", "url", "published").to_dicts()
