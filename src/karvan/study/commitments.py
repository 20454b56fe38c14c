"""Every promise in every scenario: what was said, what is known, what the model gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from karvan import __version__
from karvan.corridor import Corridor
from karvan.measures import Measure, Scenario, load_scenario, measures_of
from karvan.measures.apply import apply, require_fitting
from karvan.results import Outlook, rounded
from karvan.study.progress import Progress, named, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.run import outlook
from karvan.study.trade import TradeOptions, trade
from karvan.validation import KT_PER_UNIT, TRADE, judge_commitments, part_of_both, shared_in_year, value_in_year

SCENARIOS = ("baseline", "agreed", "late", "reversed")

Row = Mapping[str, Any]


def commitments(corridor: Corridor, scenarios: Sequence[str] = SCENARIOS, *, progress: Progress | None = None) -> dict[str, Any]:
    """Hold every promise of a corridor against each scenario.

    Only years that a promise with a model quantity names are cleared. The verdict is that of the corridor's headline scenario. That
    scenario and the baseline are always among the scenarios; others that the corridor does not have are left out.

    Args:
        corridor: The corridor.
        scenarios: Ids of scenarios, in the order to show.
        progress: Called with a line of text as the work goes on.

    Returns:
        `corridor`, `corridor_title`, `version`, `facts_until`, `headline_scenario`, `scenarios` (scenario_id, title), `years` and
        `commitments`: one dictionary a promise, as `docs/reference/commitments-json.md` lists them.

    Raises:
        DataError, MeasureError: Wrong input.
        ConvergenceError: A year did not clear.
    """
    manifest, table = corridor.manifest, corridor.tables["commitments"]
    chosen = _chosen(corridor, scenarios)
    years = _years(corridor)
    memory, tell = RouteMemory(folder=cache_folder()), progress or silent
    outlooks = _outlooks(corridor, chosen, years, memory, tell)
    baseline = outlooks[manifest.baseline]
    traded = {name: _traded(corridor, name, memory, named(name, tell)) for name in chosen}
    beside = {name: {key: (value, traded[manifest.baseline][key]) for key, value in values.items()} for name, values in traded.items()}
    judged = {name: judge_commitments(table, scenario=found, baseline=baseline, beside=beside[name]) for name, found in outlooks.items()}
    sources = {row["source_id"]: row for row in corridor.tables["sources"].iter_rows(named=True)}
    rows = {row["commitment_id"]: row for row in table.iter_rows(named=True)}
    serving = measures_of(corridor)
    found = []
    for position, row in enumerate(rows.values()):
        verdicts = {name: items[position]["verdict"] for name, items in judged.items()}
        found.append(
            {
                **{key: row[key] for key in ("commitment_id", "promise", "is_headline", "title", "short", "said", "metric", "element_id")},
                **{key: row[key] for key in ("target", "unit", "year", "date", "parties", "status", "observed", "observed_year")},
                "measures": [_serving(serving[name.strip()], chosen) for name in (row["measures"] or "").split(";") if name],
                "scenarios": {name: rounded(items[position]["scenario"]) for name, items in judged.items()},
                "by_year": _trade_by_year(row, traded) if row["metric"] == TRADE else _by_year(row, outlooks, baseline, years),
                "counted": _counted(corridor, row),
                "full_facilities": _full(corridor, row, outlooks, years),
                "verdict": verdicts[manifest.headline_scenario],
                "verdict_by_scenario": verdicts,
                "shared": _shared(row, rows, outlooks, manifest.headline_scenario, baseline),
                "source": {"source_id": row["source"], "title": sources[row["source"]]["title"], "url": sources[row["source"]]["url"]},
                "confidence": row["confidence"],
            }
        )
    return {
        "corridor": manifest.id,
        "corridor_title": manifest.title,
        "version": __version__,
        "facts_until": manifest.facts_until.isoformat(),
        "headline_scenario": manifest.headline_scenario,
        "baseline": manifest.baseline,
        "scenarios": [{"scenario_id": item.scenario_id, "title": item.title} for item in chosen.values()],
        "years": years,
        "commitments": found,
    }


def _chosen(corridor: Corridor, scenarios: Sequence[str]) -> dict[str, Scenario]:
    wanted = [name for name in scenarios if name in corridor.scenarios_text]
    needed = dict.fromkeys([*wanted, corridor.manifest.baseline, corridor.manifest.headline_scenario])
    chosen = {name: load_scenario(name, corridor) for name in needed}
    for scenario in chosen.values():
        require_fitting(scenario, corridor)
    return chosen


def _years(corridor: Corridor) -> list[int]:
    """Years that promises with a model quantity name, the base year or later."""
    rows = corridor.tables["commitments"].iter_rows(named=True)
    named = {row["year"] for row in rows if row["metric"] != "none" and row["year"] is not None}
    return sorted(year for year in named if year >= corridor.manifest.base_year)


def _outlooks(
    corridor: Corridor, chosen: Mapping[str, Scenario], years: Sequence[int], memory: RouteMemory, tell: Progress
) -> dict[str, Outlook]:
    manifest = corridor.manifest
    history = apply(load_scenario(manifest.history, corridor), corridor, year=manifest.base_year)
    memory.routed(history, co2_price_usd_per_t=manifest.co2_price_usd_per_t)
    return {name: outlook(corridor, scenario, years, memory=memory, tell=named(name, tell)) for name, scenario in chosen.items()}


def _traded(corridor: Corridor, scenario_id: str, memory: RouteMemory, tell: Progress) -> dict[str, float]:
    """What promises of trade come to in their year, M USD, by promise."""
    found = {}
    for row in corridor.tables["commitments"].iter_rows(named=True):
        if row["metric"] == TRADE and row["year"] is not None and row["year"] >= corridor.manifest.base_year:
            one, other = (part.strip() for part in row["element_id"].split(";"))
            how = TradeOptions(years=(row["year"],), pair=(one, other), has_causes=False)
            told = trade(corridor, scenario=scenario_id, how=how, routes=memory, progress=tell)
            found[row["commitment_id"]] = float(told.outlook["value_musd"][0])
    return found


def _trade_by_year(row: Row, traded: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    key = row["commitment_id"]
    return {name: {str(row["year"]): rounded(values[key])} if key in values else {} for name, values in traded.items()}


def _serving(measure: Measure, chosen: Mapping[str, Scenario]) -> dict[str, Any]:
    """A measure, and when each scenario that holds it opens and ends it."""
    dated = {name: item for name, scenario in chosen.items() for item in scenario.dated if item.measure.id == measure.id}
    return {
        "measure_id": measure.id,
        "title": measure.title,
        "status": measure.status,
        "from_date": measure.from_date.isoformat(),
        "is_date_estimate": measure.is_date_estimate,
        "scenarios": {
            name: {"from_date": item.from_date.isoformat(), "until_date": item.until_date.isoformat() if item.until_date else None}
            for name, item in dated.items()
        },
    }


def _by_year(row: Row, outlooks: Mapping[str, Outlook], baseline: Outlook, years: Sequence[int]) -> dict[str, dict[str, float]] | None:
    """The promise's quantity in every cleared year, by scenario; None where the model has no such quantity."""
    if row["metric"] == "none":
        return None
    found = {name: {str(year): rounded(value_in_year(row, item, baseline, year)) for year in years} for name, item in outlooks.items()}
    return {name: {year: value for year, value in values.items() if value is not None} for name, values in found.items()}


def _counted(corridor: Corridor, row: Row) -> str | None:
    """What is counted, in the words of the cordon or route family."""
    metric, element = row["metric"], row["element_id"]
    if metric == "family_shift_mt":
        return str(dict(corridor.tables["route_families"].select("family_id", "name").iter_rows())[element])
    if metric in ("corridor_mt", "containers_teu", "crude_mt"):
        element = corridor.manifest.headline_cordon
    elif metric not in KT_PER_UNIT:
        return None
    return str(corridor.tables["cordons"].filter(pl.col("cordon_id") == element)["doc"][0])


def _full(corridor: Corridor, row: Row, outlooks: Mapping[str, Outlook], years: Sequence[int]) -> dict[str, list[str]] | None:
    """Names of the facilities that are full in the promised year, the dearest first, by scenario."""
    if row["metric"] != "full_facilities" or row["year"] not in years:
        return None
    names = dict(corridor.tables["facilities"].select("facility_id", "name").iter_rows())
    return {
        name: [
            names[facility_id]
            for facility_id in item.in_year(row["year"]).full_facilities.sort("shadow_price_usd_per_t", descending=True)["facility_id"]
        ]
        for name, item in outlooks.items()
    }


def _shared(
    row: Row, rows: Mapping[str, Row], outlooks: Mapping[str, Outlook], headline_scenario: str, baseline: Outlook
) -> dict[str, Any] | None:
    """What a promise counts that another counts too, in its year: known, and in each scenario."""
    if row["shares_with"] is None:
        return None
    other = rows[row["shares_with"]]
    part = part_of_both(row, other)
    year = row["year"] or other["year"]
    amounts = {name: rounded(shared_in_year(row, other, item, baseline, year)) for name, item in outlooks.items()}
    return {
        "with": other["commitment_id"],
        "amount": amounts[headline_scenario],
        "unit": part["unit"],
        "year": year,
        "scenarios": amounts,
        "observed": part["observed"],
        "observed_year": part["observed_year"],
    }
