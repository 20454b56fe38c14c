"""What a report says: one dictionary that the terminal, the page and the screen all read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from karvan.corridor import NOT_INPUTS, Corridor
from karvan.results import Outlook, YearResult, carec_indicators, journey_profile, journey_totals, rounded
from karvan.schema import ANY


def build_report(
    *,
    corridor: Corridor,
    run_id: str,
    version: str,
    scenario: Outlook,
    baseline: Outlook,
    low: Outlook,
    high: Outlook,
    commitments: Sequence[Mapping[str, Any]],
    stops: Sequence[Mapping[str, Any]],
    movers: Sequence[Mapping[str, Any]],
    journeys: Mapping[str, pl.DataFrame],
    validation: Mapping[str, Any] | None,
    measures: Sequence[Mapping[str, Any]],
    replaced: Sequence[Mapping[str, Any]],
    capacities: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """Everything a summary, a page or the screen shows of a run; see `docs/reference/report-json.md`.

    Args:
        corridor: The corridor, with options laid over it.
        run_id: The run.
        version: Version of Karvan.
        scenario, baseline, low, high: Outlooks of the scenario, the baseline and the two corner runs.
        commitments: Judged promises.
        stops: What stops the headline cordon, by year.
        movers: Uncertain capacities that move the headline most.
        journeys: Legs of journeys by scenario id.
        validation: What `karvan.validation.compare` gave, or None without observations.
        measures: Measures of the scenario.
        replaced: What the options replaced.
        capacities: What was simulated in place of nominal capacities, by case, year and facility; None if nothing was.
    """
    headline = _headline(commitments, scenario, baseline, low, high)
    manifest = corridor.manifest
    report: dict[str, Any] = {
        "schema": "karvan-report/1",
        "run_id": run_id,
        "version": version,
        "corridor": manifest.id,
        "corridor_title": manifest.title,
        "corridor_version": manifest.version,
        "price_year": manifest.price_year,
        "facts_until": manifest.facts_until.isoformat(),
        "scenario": scenario.scenario_id,
        "scenario_title": scenario.title,
        "baseline": baseline.scenario_id,
        "baseline_title": baseline.title,
        "regime": "price",
        "years": [_year(result) for result in scenario.years],
        "baseline_years": [_year(result) for result in baseline.years],
        "range": {"low": [_corner(result) for result in low.years], "high": [_corner(result) for result in high.years]},
        "commitments": [dict(item) for item in commitments],
        "headline": headline,
        "history": _history(corridor),
        "outlooks": _published_outlooks(corridor),
        "stops": _ordered_stops(stops),
        "inputs": _inputs(corridor),
        "trust": _trust(corridor, scenario, baseline, manifest.base_year),
        "movers": [dict(item) for item in movers],
        **_journeys(journeys, corridor.tables["journeys"]),
        "validation": _validation(validation),
        "calibration": _calibration(corridor),
        "blocks": _blocks(corridor, baseline),
        "families": _families(scenario, baseline),
        "measures": [dict(item) for item in measures],
        "replaced": [dict(item) for item in replaced],
        "capacities": _capacities(capacities),
        "report": None,
        "seconds": 0.0,
    }
    content: dict[str, Any] = rounded(report)
    return content


def _capacities(used: pl.DataFrame | None) -> dict[str, Any]:
    """Where capacities come from, and each that was simulated with half its 95% interval beside the nominal one."""
    if used is None:
        return {"source": "nominal", "simulated": []}
    columns = ("case", "year", "facility_id", "unit", "nominal", "saturation", "saturation_half")
    return {"source": "simulated", "simulated": used.select(columns).to_dicts()}


def _corner(result: YearResult) -> dict[str, Any]:
    return {
        "year": result.year,
        "corridor_mt": result.corridor_mt,
        "containers_teu": result.containers_teu,
        "crude_mt": result.crude_mt,
    }


def _year(result: YearResult) -> dict[str, Any]:
    columns = [
        "facility_id",
        "flow",
        "capacity",
        "unit",
        "turned_away",
        "shadow_price_usd_per_unit",
        "shadow_price_usd_per_t",
        "scarcity_wait_h",
        "delay_h",
        "empty_flow",
    ]
    return {
        **_corner(result),
        "corridor_latent_mt": result.corridor_latent_mt,
        "cordons_kt": dict(result.cordons),
        "blocks_kt": dict(result.blocks.iter_rows()),
        "facilities": result.facilities.select(columns).to_dicts(),
        "operators_musd": dict(result.operators.iter_rows()),
        "shipped_share": result.shipped_share,
        "estimated_shares": dict(result.estimated_shares),
        "welfare_musd": result.welfare_musd,
        "rent_musd": result.rent_musd,
        "queue": None if result.queue is None else dict(result.queue),
        "max_violation": result.max_violation,
        "complementarity": result.complementarity,
        "route_gap_share": result.route_gap,
        "is_settled": result.is_settled,
    }


def _headline(
    commitments: Sequence[Mapping[str, Any]], scenario: Outlook, baseline: Outlook, low: Outlook, high: Outlook
) -> dict[str, Any] | None:
    """The first headline promise about tonnes over the headline cordon."""
    promise = next(
        (item for item in commitments if item["is_headline"] and item["metric"] == "corridor_mt" and item["target"] is not None), None
    )
    if promise is None:
        return None
    target, year = float(promise["target"]), promise["year"]
    known = year in [result.year for result in scenario.years]
    return {
        "title": promise["title"],
        "date": promise["date"],
        "target_mt": target,
        "target_year": year,
        "reached_year": scenario.first_year_at(target),
        "reached_year_low": low.first_year_at(target),
        "reached_year_high": high.first_year_at(target),
        "reached_year_baseline": baseline.first_year_at(target),
        "in_target_year_mt": scenario.in_year(year).corridor_mt if known else None,
        "in_target_year_low_mt": low.in_year(year).corridor_mt if known else None,
        "in_target_year_high_mt": high.in_year(year).corridor_mt if known else None,
        "in_target_year_baseline_mt": baseline.in_year(year).corridor_mt if known else None,
        "last_year": scenario.years[-1].year,
        "last_year_mt": scenario.years[-1].corridor_mt,
    }


def _history(corridor: Corridor) -> list[dict[str, Any]]:
    """Observed tonnes over the headline cordon."""
    frame = corridor.tables["observations"]
    is_whole = [pl.col(name) == ANY for name in ("commodity_groups", "form", "origin_regions", "destination_regions")]
    chosen = frame.filter(
        (pl.col("quantity") == "cordon_mt") & (pl.col("element_id") == corridor.manifest.headline_cordon) & (pl.col("family") == "volume"),
        *is_whole,
        pl.col("period").is_null(),
    )
    return [
        {"year": row["year"], "corridor_mt": row["value"], "source": row["source"], "used_in_calibration": row["used_in_calibration"]}
        for row in chosen.sort("year").iter_rows(named=True)
    ]


def _published_outlooks(corridor: Corridor) -> list[dict[str, Any]]:
    frame = corridor.tables["observations"].filter(pl.col("family") == "outlook")
    return frame.sort("year", "observation_id").select("observation_id", "quantity", "year", "value", "unit", "scope", "source").to_dicts()


def _ordered_stops(stops: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry a facility, in the order in which they start to stop the corridor; the most costly first within a year."""
    by_facility: dict[str, list[Mapping[str, Any]]] = {}
    for stop in stops:
        by_facility.setdefault(stop["facility_id"], []).append(stop)
    entries = []
    for rows in by_facility.values():
        worst = max(rows, key=lambda row: (row["shadow_price_usd_per_t"] * row["turned_away"], row["year"]))
        entries.append(
            {
                **worst,
                "from_year": min(row["year"] for row in rows),
                "until_year": max(row["year"] for row in rows),
                "years": [dict(row) for row in rows],
            }
        )
    entries.sort(key=lambda entry: (entry["from_year"], -entry["gain_alone_mt"], entry["facility_id"]))
    return entries


def _inputs(corridor: Corridor) -> dict[str, Any]:
    """Input values and how far they are to be trusted: the row's confidence, or that of the single value."""
    counts = {"sourced": 0, "recalled": 0, "estimate": 0}
    for name, frame in corridor.tables.items():
        if name in NOT_INPUTS or "confidence" not in frame.columns or frame.is_empty():
            continue
        for confidence, count in frame.group_by("confidence").len().iter_rows():
            counts[str(confidence)] += int(count)
    total = sum(counts.values())
    return {"count": total, **{f"{name}_share": (count / total if total else 0.0) for name, count in counts.items()}}


def _trust(corridor: Corridor, scenario: Outlook, baseline: Outlook, base_year: int) -> dict[str, Any]:
    """The year after the base year, from the base year and its dated events, against what was observed."""
    observed = {row["year"]: row["corridor_mt"] for row in _history(corridor)}
    year = base_year + 1
    known = [result.year for result in baseline.years]
    unused = corridor.tables["observations"].filter(~pl.col("used_in_calibration")).height if corridor.tables["observations"].height else 0
    return {
        "year": year,
        "model_mt": baseline.in_year(year).corridor_mt if year in known else None,
        "observed_mt": observed.get(year),
        "model_teu": baseline.in_year(year).containers_teu if year in known else None,
        "model_crude_mt": baseline.in_year(year).crude_mt if year in known else None,
        "observations_not_used": unused,
        "estimated_shares": dict(scenario.years[0].estimated_shares),
    }


def _journeys(legs: Mapping[str, pl.DataFrame], journeys: pl.DataFrame) -> dict[str, Any]:
    """Totals of every journey, CAREC indicators, and the profile over distance of the journeys to show, by scenario and year."""
    names = journeys.select("journey_id", "name")
    shown = journeys.filter("is_profile")["journey_id"].to_list()

    def told(frame: pl.DataFrame, scenario: str) -> list[dict[str, Any]]:
        return [{"scenario": scenario, **row} for row in frame.iter_rows(named=True)]

    found: dict[str, list[dict[str, Any]]] = {"journeys": [], "carec": [], "profiles": []}
    for scenario, frame in legs.items():
        totals = journey_totals(frame).join(names, on="journey_id", how="left", validate="m:1", maintain_order="left")
        found["journeys"] += told(totals, scenario)
        found["carec"] += told(carec_indicators(frame, journeys), scenario)
        found["profiles"] += told(journey_profile(frame.filter(pl.col("journey_id").is_in(shown))), scenario)
    return found


def _validation(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the terminal and the page say of the comparison; the rows are kept for the page."""
    return None if found is None else dict(found)


def _calibration(corridor: Corridor) -> dict[str, Any]:
    targets = corridor.tables["calibration_targets"]
    is_flow = pl.col("quantity").cast(pl.String) != "own_cost_elasticity"
    return {
        "constants": corridor.tables["constants"].height,
        "observations": targets.filter(is_flow).height,
        "spreads": targets.filter(~is_flow).height,
        "base_year": corridor.manifest.base_year,
    }


def _blocks(corridor: Corridor, baseline: Outlook) -> list[dict[str, Any]]:
    """Blocks of the base year's tonnes: published or derived sum, the model's, and the error."""
    base_year = corridor.manifest.base_year
    if base_year not in [result.year for result in baseline.years]:
        return []
    model = dict(baseline.in_year(base_year).blocks.iter_rows())
    frame = corridor.tables["observations"].filter((pl.col("quantity") == "block_kt") & (pl.col("year") == base_year))
    rows = []
    for row in frame.sort("observation_id").iter_rows(named=True):
        block = str(row["observation_id"]).removeprefix("block_")
        value = float(model.get(block, 0.0))
        rows.append(
            {
                "block": block,
                "title": row["scope"],
                "published_kt": row["value"],
                "model_kt": value,
                "error_share": value / row["value"] - 1.0,
            }
        )
    return rows


def _families(scenario: Outlook, baseline: Outlook) -> list[dict[str, Any]]:
    """Tonnes by route family, scenario and baseline, so that diversion can be read off."""
    columns = ["year", "commodity_group", "family_id"]
    ours = scenario.frame("families").select(*columns, pl.col("flow_kt").alias("scenario_kt"))
    theirs = baseline.frame("families").select(*columns, pl.col("flow_kt").alias("baseline_kt"))
    joined = ours.join(theirs, on=columns, how="full", coalesce=True, validate="1:1").sort(columns)
    return joined.with_columns(pl.col("scenario_kt", "baseline_kt").fill_null(0.0)).to_dicts()
