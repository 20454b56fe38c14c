"""What a saved run says of one row of a corridor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from karvan.results import SavedRun

Row = Mapping[str, Any]
_FACILITY = ("flow", "capacity", "turned_away", "shadow_price_usd_per_unit", "shadow_price_usd_per_t")
_LEAST_KT = 1e-6
"""A family that carries less, a kilogram of goods a year, carries nothing."""
_JOURNEY = ("scenario", "year", "time_d", "time_sd_d", "charge_usd_per_t", "charge_usd_per_teu")
_PUBLISHED = ("published", "compared_with", "model", "error", "reason", "why")


def findings_of(table: str, row: Row, saved: SavedRun, *, corridor_hash: str) -> dict[str, Any] | None:
    """What a run says of a row, or None where it says nothing of such rows.

    Args:
        table: Table of the row; `measures` and `scenarios` count as tables.
        row: Its values by column.
        saved: The run.
        corridor_hash: Hash of the corridor that the row stands in.

    Returns:
        run_id, folder, scenario, baseline, is_of_this_corridor, replaced (how many values and measures the run's options replaced), what
        (a sentence) and rows (one a year where a year matters; values without a prefix are of the scenario).
    """
    reader = _READERS.get(table)
    if reader is None:
        return None
    what, rows = reader(row, saved)
    return {
        "run_id": saved.manifest.get("run_id"),
        "folder": str(saved.folder),
        "scenario": saved.report["scenario"],
        "baseline": saved.report["baseline"],
        "is_of_this_corridor": saved.manifest.get("corridor_hash") == corridor_hash,
        "replaced": len(saved.report.get("replaced", [])),
        "what": what,
        "rows": rows,
    }


Told = tuple[str, list[dict[str, Any]]]


def _facility(row: Row, saved: SavedRun) -> Told:
    def by_year(years: Sequence[Row]) -> dict[int, Row]:
        return {entry["year"]: item for entry in years for item in entry["facilities"] if item["facility_id"] == row["facility_id"]}

    ours, theirs = by_year(saved.report["years"]), by_year(saved.report["baseline_years"])
    simulated = {
        item["year"]: {"capacity_half": item["saturation_half"], "nominal_capacity": item["nominal"]}
        for item in saved.report.get("capacities", {}).get("simulated", [])
        if item["case"] == "scenario" and item["facility_id"] == row["facility_id"]
    }
    rows = [
        {
            "year": year,
            "unit": item["unit"],
            **{key: item[key] for key in _FACILITY},
            "baseline_flow": theirs[year]["flow"] if year in theirs else None,
            "baseline_capacity": theirs[year]["capacity"] if year in theirs else None,
            **simulated.get(year, {}),
        }
        for year, item in ours.items()
    ]
    what = "Load and effective capacity in thousands of the unit a year, and what one more unit is worth."
    if simulated:
        what += " Capacities of this run are simulated: capacity half is half the 95% interval, nominal capacity what the tables give."
    return what, rows


def _link(row: Row, saved: SavedRun) -> Told:
    chosen = saved.frame("links").filter((pl.col("link_id") == row["link_id"]) & (pl.col("growth") == "mid"))
    ours = chosen.filter(pl.col("scenario_id") == saved.report["scenario"]).unique("year").sort("year")
    theirs = chosen.filter(pl.col("scenario_id") == saved.report["baseline"]).unique("year")
    joined = ours.join(theirs, on="year", how="left", suffix="_of_baseline", validate="1:1", maintain_order="left")
    told = joined.select(
        "year",
        "forward_kt",
        "backward_kt",
        pl.col("forward_kt_of_baseline").alias("baseline_forward_kt"),
        pl.col("backward_kt_of_baseline").alias("baseline_backward_kt"),
    )
    return "Tonnes along the link and against it.", told.to_dicts()


def _regions(condition: pl.Expr, saved: SavedRun) -> list[dict[str, Any]]:
    """Tonnes by year and family, scenario and baseline, of the chosen markets."""
    scenario, baseline = saved.report["scenario"], saved.report["baseline"]
    chosen = saved.frame("regions").filter(condition & (pl.col("growth") == "mid"))

    def total(name: str, column: str) -> pl.DataFrame:
        keys = ["year", "origin_region", "destination_region", "commodity_group", "family_id"]
        once = chosen.filter(pl.col("scenario_id") == name).unique(keys)
        return once.group_by("year", "family_id").agg(pl.col("flow_kt").sum().alias(column))

    joined = total(scenario, "scenario_kt").join(
        total(baseline, "baseline_kt"), on=["year", "family_id"], how="full", coalesce=True, validate="1:1"
    )
    whole = joined.with_columns(pl.col("scenario_kt", "baseline_kt").fill_null(0.0))
    kept = whole.filter(pl.max_horizontal("scenario_kt", "baseline_kt") > _LEAST_KT)
    return kept.sort("year", "family_id").to_dicts()


def _market(row: Row, saved: SavedRun) -> Told:
    condition = (
        (pl.col("origin_region") == row["origin_region"])
        & (pl.col("destination_region") == row["destination_region"])
        & (pl.col("commodity_group") == row["commodity_group"])
    )
    return "Tonnes of these goods between the two regions by route family, boxed and loose together.", _regions(condition, saved)


def _region(row: Row, saved: SavedRun) -> Told:
    condition = (pl.col("origin_region") == row["region_id"]) | (pl.col("destination_region") == row["region_id"])
    return "Tonnes from and to the region by route family.", _regions(condition, saved)


def _goods(row: Row, saved: SavedRun) -> Told:
    return "Tonnes of these goods by route family.", _regions(pl.col("commodity_group") == row["commodity_group"], saved)


def _family(row: Row, saved: SavedRun) -> Told:
    totals: dict[int, dict[str, Any]] = {}
    for item in saved.report["families"]:
        if item["family_id"] == row["family_id"]:
            year = int(item["year"])
            entry = totals.setdefault(year, {"year": year, "scenario_kt": 0.0, "baseline_kt": 0.0})
            entry["scenario_kt"] += item["scenario_kt"]
            entry["baseline_kt"] += item["baseline_kt"]
    return "Tonnes by this route family, all goods.", [totals[year] for year in sorted(totals)]


def _yearly(key: str, name: str, column: str, saved: SavedRun) -> list[dict[str, Any]]:
    """One named value of every year, scenario and baseline."""
    baseline = {entry["year"]: entry[key].get(name) for entry in saved.report["baseline_years"]}
    return [
        {"year": entry["year"], f"scenario_{column}": entry[key][name], f"baseline_{column}": baseline.get(entry["year"])}
        for entry in saved.report["years"]
        if name in entry[key]
    ]


def _cordon(row: Row, saved: SavedRun) -> Told:
    return "Tonnes over the cordon.", _yearly("cordons_kt", row["cordon_id"], "kt", saved)


def _operator(row: Row, saved: SavedRun) -> Told:
    return "Revenue from the modelled markets.", _yearly("operators_musd", row["operator_id"], "musd", saved)


def _commitment(row: Row, saved: SavedRun) -> Told:
    keys = ("year", "target", "unit", "observed", "observed_year", "baseline", "scenario", "verdict")
    found = [item for item in saved.report["commitments"] if item["commitment_id"] == row["commitment_id"]]
    return "The promise against the model.", [{key: item.get(key) for key in keys} for item in found]


def _measure(row: Row, saved: SavedRun) -> Told:
    found = [item for item in saved.report["measures"] if item["measure_id"] == row["id"]]
    keys = ("from_date", "until_date", "status", "capital_musd", "is_date_estimate")
    what = "The measure is part of the run's scenario." if found else "The measure is not part of the run's scenario."
    return what, [{key: item.get(key) for key in keys} for item in found]


def _scenario(row: Row, saved: SavedRun) -> Told:
    report = saved.report
    years = {report["baseline"]: report["baseline_years"], report["scenario"]: report["years"]}.get(row["id"], [])
    keys = ("year", "corridor_mt", "containers_teu", "crude_mt")
    what = "What crosses the headline cordon." if years else "The run is of another scenario."
    return what, [{key: entry[key] for key in keys} for entry in years]


def _journey(row: Row, saved: SavedRun) -> Told:
    found = [item for item in saved.report.get("journeys") or [] if item["journey_id"] == row["journey_id"]]
    return "Time and charges of the journey.", [{key: item.get(key) for key in _JOURNEY} for item in found]


def _observation(row: Row, saved: SavedRun) -> Told:
    compared = saved.report.get("validation") or {"observations": []}
    found = [item for item in compared["observations"] if item["observation_id"] == row["observation_id"]]
    return "The published value against the model.", [{key: item.get(key) for key in _PUBLISHED} for item in found]


_READERS: Mapping[str, Callable[[Row, SavedRun], Told]] = {
    "facilities": _facility,
    "links": _link,
    "demand": _market,
    "regions": _region,
    "commodities": _goods,
    "route_families": _family,
    "cordons": _cordon,
    "operators": _operator,
    "commitments": _commitment,
    "journeys": _journey,
    "observations": _observation,
    "measures": _measure,
    "scenarios": _scenario,
}
