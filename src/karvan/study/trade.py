"""Trade and market answering each other, and one pair's trade against what was promised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.gravity import TradeAnswer
from karvan.measures import Scenario, load_scenario, measures_of, with_measures, without_measures
from karvan.measures.apply import apply
from karvan.results import Trade
from karvan.study.clear import Cleared, clear
from karvan.study.demand_outlook import demand_outlook
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.trade_market import base_costs, settled_trade
from karvan.study.trade_table import TradeTable, trade_table
from karvan.sums import weighted_sum

FloatArray = npt.NDArray[np.float64]

DEFAULT_YEARS = (2025, 2028, 2030, 2035, 2040)
_MONEY = "MUSD"


@dataclass(frozen=True)
class TradeOptions:
    """What is asked of trade.

    Attributes:
        years: Years to tell.
        pair: Two regions; by default the two that `trade_goods` names first.
        target_musd: Trade of the pair that was promised; by default the headline commitment in million dollars.
        has_causes: Tell what measures that change charges only add apart from the rest, which takes the market of a year once more.
    """

    years: tuple[int, ...] = DEFAULT_YEARS
    pair: tuple[str, str] | None = None
    target_musd: float | None = None
    has_causes: bool = True


def trade(
    corridor: Corridor,
    *,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: TradeOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> Trade:
    """How trade answers to the cost of carrying goods in a scenario, and what makes the trade of two countries grow.

    The composite cost of each market over all its routes gives factors on delivered prices; exact hat algebra gives trade, wages and
    incomes; its tonnes go back into the market as factors on demand, until neither moves. Delays and routes are those of the year.

    Args:
        corridor: The corridor.
        scenario: Scenario id; by default the headline scenario.
        options: Measures added or taken out, values set, an overlay.
        how: Years and pair.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: The case has no economies or trade, or the pair none.
        ConvergenceError: A year did not clear, or market and trade did not settle.
    """
    say, asked, manifest = progress or silent, how or TradeOptions(), corridor.manifest
    name = scenario or manifest.headline_scenario
    prepared = prepare(corridor, name, options or ScenarioOptions())
    tables, memory = prepared.corridor.tables, routes or RouteMemory(folder=cache_folder())
    table = trade_table(tables, manifest.base_year)
    pair = asked.pair or _first_pair(tables)
    if any(region not in table.economies for region in pair):
        raise DataError(Problem("economies", None, "region_id", f"holds no row for one of {', '.join(pair)}"))

    def cleared(of: Scenario, year: int) -> Cleared:
        say(f"clearing {year}")
        price = manifest.co2_price_usd_per_t
        return clear(apply(of, prepared.corridor, year=year), routes=memory, co2_price_usd_per_t=price, is_strict=False)

    base = base_costs(cleared(prepared.scenario, manifest.base_year), table)
    charging = [item.measure.id for item in prepared.scenario.dated if _is_tariff(item.measure)]
    untouched = without_measures(prepared.scenario, charging) if charging and asked.has_causes else None
    ranges = {key: load_scenario(name, prepared.corridor, growth=key) for key in ("low", "high")}
    demand = apply(prepared.scenario, prepared.corridor, year=manifest.base_year).tables["demand"]
    outlook, goods, incomes, flows, wanted = [], [], [], [], []
    for year in asked.years:
        at = cleared(prepared.scenario, year)
        found = settled_trade(at, base)
        answer, clearing, rounds = found.answer, found.clearing, found.rounds
        calm = answer if untouched is None else settled_trade(cleared(untouched, year), base).answer
        snapshot = at.routed.snapshot
        ends = {key: apply(of, prepared.corridor, year=year).tables["demand"] for key, of in ranges.items()}
        grown = {key: _growth(demand, frame, table, pair) for key, frame in ends.items()}
        wanted += [{"year": year, **row} for row in demand_outlook(demand, {"mid": snapshot.tables["demand"], **ends}, at, clearing)]
        rows = _pair_rows(table, pair, _growth(demand, snapshot.tables["demand"], table, pair), calm, answer)
        ventures = _ventures(snapshot.tables["joint_ventures"], pair)
        parts = {key: math.fsum(row[f"{key}_musd"] for row in rows) for key in ("base", "growth", "transport", "tariffs", "value")}
        outlook.append({
            "year": year, "base_musd": parts["base"], "growth_musd": parts["growth"], "transport_musd": parts["transport"],
            "tariffs_musd": parts["tariffs"], "ventures_musd": ventures, "value_musd": parts["value"] + ventures,
            **{f"{key}_musd": math.fsum(_value(table, pair, grown[key], answer)) + ventures for key in ("low", "high")},
            "created_musd": math.fsum(row["created_musd"] for row in rows),
            "diverted_musd": math.fsum(row["diverted_musd"] for row in rows),
        })  # fmt: skip
        goods += [{"year": year, **row} for row in rows]
        real = answer.real_income
        incomes += [
            {"year": year, "region_id": region, "real_income_factor": float(real[k]), "wage_factor": float(answer.wage[k]),
             "price_factor": float(answer.price[k])}
            for k, region in enumerate(table.economies)
        ]  # fmt: skip
        kt = at.routed.cordons[manifest.headline_cordon][0]
        after = at.assembly.over_sets(clearing.route_flow_kt, at.routed.sets.route_count)
        flows.append({
            "year": year, "corridor_mt": weighted_sum(at.set_flow_kt, kt) / 1e3,
            "corridor_with_trade_mt": weighted_sum(after, kt) / 1e3, "rounds": rounds,
        })  # fmt: skip
    return Trade(
        scenario_id=prepared.scenario.scenario_id,
        pair=pair,
        target_musd=_target(tables) if asked.target_musd is None else asked.target_musd,
        outlook=pl.DataFrame(outlook),
        goods=pl.DataFrame(goods),
        incomes=pl.DataFrame(incomes),
        corridor=pl.DataFrame(flows),
        ventures=_options(prepared.corridor, prepared.scenario, pair, max(asked.years)),
        table=table.rows,
        growth=tables["growth"],
        forecasts=_forecasts(tables["forecasts"], flows),
        demand=pl.DataFrame(wanted),
        replaced=prepared.replaced,
    )


def _first_pair(tables: Mapping[str, pl.DataFrame]) -> tuple[str, str]:
    rows = tables["trade_goods"]
    if rows.is_empty():
        raise DataError(Problem("trade_goods", None, None, "holds no rows; name the two regions to tell of"))
    return str(rows["exporter"][0]), str(rows["importer"][0])


def _target(tables: Mapping[str, pl.DataFrame]) -> float | None:
    rows = tables["commitments"].filter(pl.col("is_headline") & (pl.col("unit") == _MONEY) & pl.col("target").is_not_null())
    return float(rows["target"][0]) if rows.height else None


def _is_tariff(measure: Any) -> bool:
    """A measure that changes charges only."""
    told = [change.table == "tariffs" or (change.table == "terminals" and _only_costs(change)) for change in measure.changes]
    return bool(told) and all(told)


def _only_costs(change: Any) -> bool:
    columns = [*(change.scale or {}), *(change.set or {})]
    return bool(columns) and all(column.startswith("cost_") for column in columns)


def _growth(before: pl.DataFrame, after: pl.DataFrame, table: TradeTable, pair: tuple[str, str]) -> FloatArray:
    """Factor on what the pair trades by goods and direction, from demand alone; goods without a market grow as the pair's others do."""
    found = np.ones((len(table.sectors), 2))
    flow = [_flows(frame, table) for frame in (before, after)]
    for way, (one, two) in enumerate((pair, pair[::-1])):
        first, then = ({name: of.get((one, two, name), 0.0) for name in table.sectors} for of in flow)
        mean = sum(then.values()) / sum(first.values()) if sum(first.values()) > 0.0 else 1.0
        found[:, way] = [then[name] / first[name] if first[name] > 0.0 else mean for name in table.sectors]
    return found


def _flows(demand: pl.DataFrame, table: TradeTable) -> dict[tuple[str, str, str], float]:
    found: dict[tuple[str, str, str], float] = {}
    for row in demand.iter_rows(named=True):
        key = tuple(table.economy_of.get(row[end], row[end]) for end in ("origin_region", "destination_region"))
        found[(*key, row["commodity_group"])] = found.get((*key, row["commodity_group"]), 0.0) + row["flow_kt"]
    return found


def _value(table: TradeTable, pair: tuple[str, str], grown: FloatArray, answer: TradeAnswer) -> list[float]:
    at = [table.economies.index(name) for name in pair]
    trade_musd = table.base.trade_musd
    return [
        float(trade_musd[k, i, j] * grown[k, way] * answer.trade[k, i, j])
        for way, (i, j) in enumerate((at, at[::-1]))
        for k in range(len(table.sectors))
    ]


def _pair_rows(table: TradeTable, pair: tuple[str, str], grown: FloatArray, calm: TradeAnswer, answer: TradeAnswer) -> list[dict[str, Any]]:
    """What each goods adds, in logarithmic means, so that the parts of a product add up to its change.

    Source:
        Ang (2005), The LMDI approach to decomposition analysis, Energy Policy 33(7).
    """
    at, trade_musd, rows = [table.economies.index(name) for name in pair], table.base.trade_musd, []
    for way, (i, j) in enumerate((at, at[::-1])):
        for k, goods in enumerate(table.sectors):
            before = float(trade_musd[k, i, j])
            if before <= 0.0:
                continue
            growth, transport = float(grown[k, way]), float(calm.trade[k, i, j])
            tariffs = float(answer.trade[k, i, j]) / transport
            value = before * growth * transport * tariffs
            mean = before if abs(value - before) <= 1e-12 * before else (value - before) / math.log(value / before)
            parts = {name: mean * math.log(factor) for name, factor in (("growth", growth), ("transport", transport), ("tariffs", tariffs))}
            answered = parts["transport"] + parts["tariffs"]
            diverted = answered * _diverted_share(answer, k, j)
            rows.append({
                "exporter": table.economies[i], "importer": table.economies[j], "commodity_group": goods, "base_musd": before,
                "growth_factor": growth, "transport_factor": transport, "tariffs_factor": tariffs,
                "tonnes_factor": growth * float(answer.tonnes[k, i, j]), "value_musd": value,
                **{f"{name}_musd": part for name, part in parts.items()},
                "created_musd": answered - diverted, "diverted_musd": diverted,
            })  # fmt: skip
    return rows


def _diverted_share(answer: TradeAnswer, sector: int, buyer: int) -> float:
    """Of what the winners of a buyer's spending win, the part that other foreign sellers lose; home sellers lose the rest."""
    lost = np.maximum(answer.base.share[sector, :, buyer] - answer.share[sector, :, buyer], 0.0)
    whole = float(lost.sum())
    return 1.0 - float(lost[buyer]) / whole if whole > 0.0 else 0.0


def _ventures(rows: pl.DataFrame, pair: tuple[str, str]) -> float:
    sold = rows.filter(pl.col("exporter").is_in(pair) & pl.col("importer").is_in(pair))
    return float((sold["output_musd"] * sold["traded_share"]).sum()) if sold.height else 0.0


def _options(corridor: Corridor, scenario: Scenario, pair: tuple[str, str], year: int) -> pl.DataFrame:
    """Joint ventures among the case's measures: what each adds to the trade of the pair in a year."""
    rows: list[dict[str, Any]] = []
    held = set(scenario.measure_ids)
    for measure in measures_of(corridor).values():
        if not any(change.table == "joint_ventures" for change in measure.changes):
            continue
        own = scenario if measure.id in held else with_measures(scenario, corridor, [measure.id])
        made = apply(own, corridor, year=year).tables["joint_ventures"]
        added = {str(row["venture_id"]) for change in measure.changes if change.add for row in change.add}
        for row in made.filter(pl.col("venture_id").is_in(sorted(added))).iter_rows(named=True):
            is_between = {row["exporter"], row["importer"]} <= set(pair)
            rows.append({
                "measure_id": measure.id, "venture_id": row["venture_id"], "title": measure.title, "year": year,
                "exporter": row["exporter"], "importer": row["importer"], "commodity_group": row["commodity_group"],
                "output_musd": row["output_musd"], "adds_musd": row["output_musd"] * row["traded_share"] if is_between else 0.0,
                "jobs_count": row["jobs_count"], "is_in_scenario": measure.id in held, "confidence": str(row["confidence"]),
            })  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()


def _forecasts(rows: pl.DataFrame, flows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    ours = {row["year"]: row["corridor_mt"] * 1e3 for row in flows}
    told = []
    for row in rows.iter_rows(named=True):
        error = None if row["outturn"] in (None, 0.0) else row["forecast"] / row["outturn"] - 1.0
        mine = ours.get(row["for_year"]) if row["unit"] == "kt" else None
        told.append({
            **{key: row[key] for key in ("forecast_id", "name", "forecaster", "made_year", "for_year", "unit", "forecast", "outturn")},
            "error_share": error, "ours": mine,
            "our_error_share": None if mine is None or not row["outturn"] else mine / row["outturn"] - 1.0,
        })  # fmt: skip
    return pl.DataFrame(told, infer_schema_length=None) if told else pl.DataFrame()
