"""Calibration, written down: spread of choice, base-year scarcity, constants by route family and commodity group, totals."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import Assembly, Clearing, ClearOptions, FitOptions, fit_constants, reassembled
from karvan.assignment import clear as clear_market
from karvan.assignment.assembly import NOT_SHIPPED, stored_constants, stored_factors
from karvan.corridor import Corridor, Snapshot
from karvan.errors import ConvergenceError, DataError, Problem
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.schema import CONFIDENCES
from karvan.study.clear import Cleared, clear, lifted
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory
from karvan.study.year import facilities_of
from karvan.sums import weighted_sum

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FITTED_TABLES = ("constants", "demand_factors", "base_costs")
"""Tables that a fit gives."""

_TOTAL_TOLERANCE_SHARE = 1e-6
_MAX_TOTAL_ROUNDS = 40
_MAX_ROUTE_ROUNDS = 12
# Routes, delays and constants are at rest when the year that follows from them meets every target to this ...
_ROUTE_TOLERANCE_SHARE = 1e-3
# ... and a fit is refused if it never does to this.
_MOST_MISS_SHARE = 0.02
_STORED_DECIMALS = {"constants": 4, "demand_factors": 6, "base_costs": 4}
"""Digits that are stored: few enough that a fit made elsewhere gives the same."""
_PRICE_FLOOR_USD_PER_T = 0.05
_AGAIN = FitOptions(tolerance=1e-5, aim=1e-7, max_iterations=30)
"""How well a fit made again must meet its targets."""


@dataclass(frozen=True)
class Calibration:
    """What the fit gave.

    Attributes:
        constants: family_id, commodity_group, constant_usd_per_t.
        demand_factors: commodity_group, form, demand_factor.
        base_costs: market_id, origin_node, destination_node, base_cost_usd_per_t.
        targets: target_id, quantity, value, model, and error share.
        spreads: Step 1. By goods with an elasticity target: commodity_group, family_id, target, elasticity (of the fitted base year),
            family_theta_per_usd_per_t (stored), theta_of_target_per_usd_per_t, low and high of the target.
        waits: Step 2. Facilities that are full in the base year: facility_id, name, unit, capacity, price_usd_per_t, equal_wait_h, and
            is_public.
        identification: Constants that cannot be told apart from the scarcity of a full facility: family_id, commodity_group,
            facility_id (the one that weighs most), constant_usd_per_t, constant_without_scarcity_usd_per_t.
        constant_count: Number of constants fitted.
        observation_count: Number of observed values they and the factors rest on.
    """

    constants: pl.DataFrame
    demand_factors: pl.DataFrame
    base_costs: pl.DataFrame
    targets: pl.DataFrame
    spreads: pl.DataFrame
    waits: pl.DataFrame
    identification: pl.DataFrame
    constant_count: int
    observation_count: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "constant_count": self.constant_count,
            "factor_count": self.demand_factors.height,
            "observation_count": self.observation_count,
            "spreads": self.spreads.to_dicts(),
            "waits": self.waits.to_dicts(),
            "identification": self.identification.to_dicts(),
            "targets": self.targets.to_dicts(),
            "constants": self.constants.to_dicts(),
            "demand_factors": self.demand_factors.to_dicts(),
        }


def calibrate(corridor: Corridor, *, routes: RouteMemory | None = None, progress: Progress | None = None) -> Calibration:
    """Fit the base year to the corridor's calibration targets, in a fixed order, and report each step.

    1. Spread of choice between families: stored with the goods; told beside the value that an `own_cost_elasticity` target asks for,
    theta = E / (c (1 - P)) at base-year costs and shares. 2. Scarcity of facilities that are full in the base year: their price, as a
    wait. 3. Constants. 4. Totals.

    Constants are by route family and commodity group, so that flows by family meet the `family_kt` targets with limits priced. The
    split between boxed and loose goods of the groups that move both ways meets the `cordon_kteu` target, each group's total kept. The
    `cordon_kt` target is met through the families that cross the cordon and is reported beside them.

    Args:
        corridor: The corridor; what it stores of an earlier fit is not used.
        routes: Route sets to share with other work on the corridor.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: No targets, or a target that no market can meet.
        ConvergenceError: The fit stopped short.
    """
    manifest = corridor.manifest
    targets = corridor.tables["calibration_targets"]
    if targets.is_empty():
        raise DataError(Problem("calibration_targets", None, None, "holds no rows; calibration needs observed values of the base year"))
    scenario = load_scenario(manifest.history, corridor)
    snapshot = apply(scenario, corridor, year=manifest.base_year)
    tell, memory = progress or silent, routes or RouteMemory()

    def cleared_with(constants: Mapping[tuple[str, str], float], factors: Mapping[tuple[str, str], float]) -> Cleared:
        trial = _with_fit(snapshot, _constants_frame(constants), _factors_frame(factors))
        return clear(trial, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t)

    constants: dict[tuple[str, str], float] = {}
    factors: dict[tuple[str, str], float] = {}
    cleared = cleared_with(constants, factors)
    best: tuple[float, _Fit, dict[tuple[str, str], float], dict[tuple[str, str], float]] | None = None
    for attempt in range(1, _MAX_ROUTE_ROUNDS + 1):
        fit = _Fit(cleared, targets, progress)
        factors, fitted_constants = fit.solve()
        constants = fitted_constants | _taken_over(fitted_constants, corridor.tables["route_families"])
        after = cleared_with(constants, factors)
        miss = float(np.abs(_Fit(after, targets, None).errors(after.assembly, after.clearing)["error_share"].to_numpy()).max(initial=0.0))
        tell(f"routes and delays that fit the constants, round {attempt}: targets met to {miss:.2%}")
        if best is None or miss < best[0]:
            best = (miss, fit, factors, constants)
        if miss <= _ROUTE_TOLERANCE_SHARE:
            break
        cleared = after
    assert best is not None
    miss, fit, factors, constants = best
    if miss > _MOST_MISS_SHARE:
        raise ConvergenceError(
            f"routes, delays and constants did not come to rest in {_MAX_ROUTE_ROUNDS} rounds; the last miss was {miss:.2%}"
        )
    assembly, clearing = fit.cleared(factors, constants)
    ids = fit.routed.sets.market_ids
    return Calibration(
        constants=_constants_frame(constants),
        demand_factors=_factors_frame(factors),
        base_costs=pl.DataFrame(
            {
                "market_id": [market for market, _, _ in ids],
                "origin_node": [origin for _, origin, _ in ids],
                "destination_node": [destination for _, _, destination in ids],
                "base_cost_usd_per_t": clearing.market_cost[: assembly.goods_count],
            }
        ),
        targets=fit.errors(assembly, clearing),
        spreads=fit.spreads(assembly, clearing, corridor.tables["provenance"]),
        waits=fit.waits(assembly, clearing),
        identification=fit.identification(assembly, clearing, factors, constants),
        constant_count=len(fit.family_targets),
        observation_count=targets.filter(pl.col("quantity") != "own_cost_elasticity").height,
    )


def _constants_frame(constants: Mapping[tuple[str, str], float]) -> pl.DataFrame:
    """Constants as they are stored, with the digits that are kept."""
    pairs = sorted(constants)
    return pl.DataFrame(
        {
            "family_id": [family for family, _ in pairs],
            "commodity_group": [commodity for _, commodity in pairs],
            "constant_usd_per_t": [round(constants[pair], _STORED_DECIMALS["constants"]) for pair in pairs],
        },
        schema={"family_id": pl.String, "commodity_group": pl.String, "constant_usd_per_t": pl.Float64},
    )


def _factors_frame(factors: Mapping[tuple[str, str], float]) -> pl.DataFrame:
    """Demand factors as they are stored, with the digits that are kept."""
    pairs = sorted(factors)
    return pl.DataFrame(
        {
            "commodity_group": [commodity for commodity, _ in pairs],
            "form": [form for _, form in pairs],
            "demand_factor": [round(factors[pair], _STORED_DECIMALS["demand_factors"]) for pair in pairs],
        },
        schema={"commodity_group": pl.String, "form": pl.String, "demand_factor": pl.Float64},
    )


def _with_fit(snapshot: Snapshot, constants: pl.DataFrame, factors: pl.DataFrame) -> Snapshot:
    """The snapshot with a trial fit in place of the one it stores; without base costs demand does not answer to cost."""
    fit = {"constants": constants, "demand_factors": factors, "base_costs": snapshot.tables["base_costs"].clear()}
    return replace(snapshot, tables={**snapshot.tables, **fit})


def _taken_over(constants: dict[tuple[str, str], float], families: pl.DataFrame) -> dict[tuple[str, str], float]:
    """Constants of families that were not in use in the base year: those of the family each is like."""
    like = dict(families.filter(pl.col("constant_like").is_not_null()).select("family_id", "constant_like").iter_rows())
    return {
        (family, commodity): value for family, model in like.items() for (known, commodity), value in constants.items() if known == model
    }


def fitted(corridor: Corridor, found: Calibration) -> Corridor:
    """The corridor with a fit in place of the one it stores."""
    stamp = {"source": pl.lit("calibration"), "confidence": pl.lit("estimate", dtype=pl.Enum(list(CONFIDENCES)))}
    tables = {
        name: getattr(found, name).with_columns(**stamp).select(corridor.tables[name].columns).cast(dict(corridor.tables[name].schema))
        for name in FITTED_TABLES
    }
    return replace(corridor, tables={**corridor.tables, **tables})


def refitted(cleared: Cleared, targets: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    """Constants and base costs that meet the targets again after something in a fitted base year has moved.

    One round of `calibrate` from the fit that the case stores, on the routes and with the delays of the cleared year; the split between
    boxed and loose goods stays as fitted.

    Args:
        cleared: The base year as it was cleared before, with the moved numbers in its snapshot, routes and costs.
        targets: Rows of `calibration_targets`, perhaps moved too.

    Returns:
        Tables `constants` and `base_costs` in the form of the case.

    Raises:
        ConvergenceError: No constants meet the targets.
        DataError: A target that no market can meet.
    """
    fit, tables = _Fit(cleared, targets, None, _AGAIN), cleared.routed.snapshot.tables
    fit.start = cleared.clearing.row_price_usd_per_unit
    factors = stored_factors(tables)
    found = fit.constants_from(factors, {pair: value for pair, value in stored_constants(tables).items() if pair in fit.family_targets})
    constants = found | _taken_over(found, tables["route_families"])
    assembly, clearing = fit.cleared(factors, constants)
    ids = fit.routed.sets.market_ids
    return {
        "constants": _constants_frame(constants),
        "base_costs": pl.DataFrame(
            {
                "market_id": [market for market, _, _ in ids],
                "origin_node": [origin for _, origin, _ in ids],
                "destination_node": [destination for _, _, destination in ids],
                "base_cost_usd_per_t": clearing.market_cost[: assembly.goods_count],
            }
        ),
    }


class _Fit:
    """The targets of one base year, and the searches that meet them."""

    def __init__(self, cleared: Cleared, targets: pl.DataFrame, progress: Progress | None, how: FitOptions | None = None) -> None:
        self.tell = progress or silent
        self.how = how
        self.before = cleared
        self.routed = routed = cleared.routed
        self.targets = targets
        self.tables = routed.snapshot.tables
        self.family_targets = {
            (row["family_id"], row["commodity_group"]): float(row["value"])
            for row in targets.filter(pl.col("quantity") == "family_kt").iter_rows(named=True)
        }
        self.names = [*routed.sets.family_ids, NOT_SHIPPED]
        self.start: FloatArray | None = None

    def solve(self) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
        """Factors and constants: constants inside, the box split outside (secant on its logarithm)."""
        wanted = self.targets.filter(pl.col("quantity") == "cordon_kteu")
        both = self._groups_of_both_forms()
        log_ratio, constants = 0.0, dict.fromkeys(self.family_targets, 0.0)
        if wanted.is_empty() or not both:
            return {}, self.constants_from(self._factors(both, log_ratio), constants)
        cordon, target = str(wanted["cordon_id"][0]), float(wanted["value"][0])
        previous: tuple[float, float] | None = None
        for _ in range(_MAX_TOTAL_ROUNDS):
            factors = self._factors(both, log_ratio)
            self.tell(f"fitting constants, boxed goods x {np.exp(log_ratio):.4f}")
            constants = self.constants_from(factors, constants)
            error = np.log(self._kteu(factors, constants, cordon) / target)
            if abs(error) < _TOTAL_TOLERANCE_SHARE:
                return factors, constants
            slope = 1.0 if previous is None else (error - previous[1]) / (log_ratio - previous[0])
            previous = (log_ratio, error)
            step = -error / slope if slope > 0.05 else -error
            log_ratio += float(np.clip(step, -0.7, 0.7))
        raise ConvergenceError(f"boxes over cordon {cordon} did not reach {target} thousand TEU; the last miss was {np.expm1(error):.2%}")

    def _groups_of_both_forms(self) -> dict[str, tuple[float, float]]:
        """Boxed and loose flow, kt, of each commodity group that has both and a family target."""
        flows = self.tables["demand"].group_by("commodity_group", "form", maintain_order=True).agg(pl.col("flow_kt").sum())
        table = {(str(row["commodity_group"]), str(row["form"])): float(row["flow_kt"]) for row in flows.iter_rows(named=True)}
        fitted = {commodity for _, commodity in self.family_targets}
        return {
            commodity: (table[commodity, "boxed"], table[commodity, "loose"])
            for commodity in sorted(fitted)
            if table.get((commodity, "boxed"), 0.0) > 0 and table.get((commodity, "loose"), 0.0) > 0
        }

    @staticmethod
    def _factors(both: dict[str, tuple[float, float]], log_ratio: float) -> dict[tuple[str, str], float]:
        """Factor exp(log_ratio) on boxed goods and the factor on loose ones that keeps each group's total."""
        factors = {}
        for commodity, (boxed, loose) in both.items():
            share = boxed / (boxed + loose)
            odds = share / (1.0 - share) * np.exp(log_ratio)
            new = odds / (1.0 + odds)
            factors[commodity, "boxed"] = float(new / share)
            factors[commodity, "loose"] = float((1.0 - new) / (1.0 - share))
        return factors

    def constants_from(
        self, factors: dict[tuple[str, str], float], constants: dict[tuple[str, str], float], *, unlimited: IntArray | None = None
    ) -> dict[tuple[str, str], float]:
        """Constants that meet the targets of families, with capacities priced, from others."""
        assembly = self._assembled(factors, constants)
        problem = assembly.problem if unlimited is None else lifted(assembly.problem, unlimited.tolist())
        pairs = sorted(self.family_targets)
        index = {pair: position for position, pair in enumerate(pairs)}
        group = np.array([index.get(self._pair(assembly, nest), -1) for nest in range(assembly.family_code.shape[0])], dtype=np.int64)
        absent = [pair for pair, position in index.items() if not (group == position).any()]
        if absent:
            problems = [
                Problem("calibration_targets", None, "family_id", f"no market of {commodity} has a route of family {family}")
                for family, commodity in absent
            ]
            raise DataError(problems)
        found = fit_constants(problem, group, np.array([self.family_targets[pair] for pair in pairs]), options=self.how, start=self.start)
        return {pair: float(constants.get(pair, 0.0) + found[index[pair]]) for pair in pairs}

    def _pair(self, assembly: Assembly, nest: int) -> tuple[str, str]:
        market = assembly.market_of_nest[nest]
        return ("", "") if market >= assembly.goods_count else (self.names[assembly.family_code[nest]], assembly.market_commodity[market])

    def cleared(self, factors: dict[tuple[str, str], float], constants: dict[tuple[str, str], float]) -> tuple[Assembly, Clearing]:
        assembly = self._assembled(factors, constants)
        options = None if self.how is None else ClearOptions(tolerance=self.how.tolerance, aim=self.how.aim)
        clearing = clear_market(assembly.problem, start=self.start, options=options)
        self.start = clearing.row_price_usd_per_unit
        return assembly, clearing

    def _assembled(self, factors: dict[tuple[str, str], float], constants: dict[tuple[str, str], float]) -> Assembly:
        """The base year's program with fixed demand, as what was shipped was observed, and with the delays of the last clearing."""
        assembly = reassembled(self.before.assembly, self.tables, self.routed.sets, constants=constants, demand_factors=factors)
        of = assembly.route_of
        delay = np.where(of >= 0, self.before.route_delay_usd_per_t[of], 0.0)
        problem = replace(
            assembly.problem,
            route_cost_usd_per_t=assembly.problem.route_cost_usd_per_t + delay,
            market_elasticity=np.zeros_like(assembly.problem.market_elasticity),
        )
        return replace(assembly, problem=problem)

    def _kteu(self, factors: dict[tuple[str, str], float], constants: dict[tuple[str, str], float], cordon: str) -> float:
        assembly, clearing = self.cleared(factors, constants)
        return self._over(assembly, clearing, cordon)[1]

    def _over(self, assembly: Assembly, clearing: Clearing, cordon: str) -> tuple[float, float]:
        flow = assembly.over_sets(clearing.route_flow_kt, self.routed.sets.route_count)
        kt, kteu = self.routed.cordons[cordon]
        return weighted_sum(flow, kt), weighted_sum(flow, kteu)

    def spreads(self, assembly: Assembly, clearing: Clearing, provenance: pl.DataFrame) -> pl.DataFrame:
        """Elasticity of a family's goods to their own cost, theta c (1 - P), weighed by flow, beside its target."""
        flow = self._nest_flow(assembly, clearing)
        total = np.zeros(assembly.problem.market_flow_kt.shape[0])
        np.add.at(total, assembly.market_of_nest, flow)
        theta = dict(self.tables["commodities"].select("commodity_group", "family_theta_per_usd_per_t").iter_rows())
        ranges = {
            row["row"]: (row["low"], row["high"])
            for row in provenance.filter((pl.col("table") == "calibration_targets") & (pl.col("column") == "value")).iter_rows(named=True)
        }
        pairs = [self._pair(assembly, nest) for nest in range(flow.shape[0])]
        rows: list[dict[str, Any]] = []
        for target in self.targets.filter(pl.col("quantity") == "own_cost_elasticity").iter_rows(named=True):
            goods, family = target["commodity_group"], target["family_id"]
            nests = np.flatnonzero(np.array([pair == (family, goods) for pair in pairs]) & (flow > 0.0))
            if nests.shape[0] == 0:
                raise DataError(Problem("calibration_targets", None, "family_id", f"no {goods} moves by {family}, so it has no elasticity"))
            share = flow[nests] / total[assembly.market_of_nest[nests]]
            room = float(np.average(clearing.family_cost[nests] * (1.0 - share), weights=flow[nests]))
            low, high = ranges.get(target["target_id"], (None, None))
            rows.append(
                {
                    "commodity_group": goods,
                    "family_id": family,
                    "target": target["value"],
                    "elasticity": theta[goods] * room,
                    "family_theta_per_usd_per_t": theta[goods],
                    "theta_of_target_per_usd_per_t": target["value"] / room,
                    "low": low,
                    "high": high,
                }
            )
        return pl.DataFrame(rows)

    def waits(self, assembly: Assembly, clearing: Clearing) -> pl.DataFrame:
        """Facilities with a price in the base year, the dearest first."""
        table = facilities_of(replace(self.before, assembly=assembly, clearing=clearing))
        names = self.tables["facilities"].select("facility_id", "name", "is_public")
        full = table.filter(pl.col("shadow_price_usd_per_t") > _PRICE_FLOOR_USD_PER_T).join(names, on="facility_id", validate="1:1")
        return full.select(
            "facility_id", "name", "unit", "capacity", "is_public",
            price_usd_per_t="shadow_price_usd_per_t", equal_wait_h="scarcity_wait_h",
        ).sort("price_usd_per_t", descending=True)  # fmt: skip

    def identification(
        self, assembly: Assembly, clearing: Clearing, factors: dict[tuple[str, str], float], constants: dict[tuple[str, str], float]
    ) -> pl.DataFrame:
        """Constants fitted again with every full facility unlimited: the other end of what the base year can tell."""
        prices = clearing.row_price_usd_per_unit
        full = np.flatnonzero(prices[: assembly.facility_count] > 0.0)
        schema = {
            "family_id": pl.String, "commodity_group": pl.String, "facility_id": pl.String,
            "constant_usd_per_t": pl.Float64, "constant_without_scarcity_usd_per_t": pl.Float64,
        }  # fmt: skip
        if full.shape[0] == 0:
            return pl.DataFrame(schema=schema)
        free = self.constants_from(factors, {pair: constants[pair] for pair in self.family_targets}, unlimited=full)
        problem, ids = assembly.problem, self.tables["facilities"]["facility_id"].to_list()
        route = np.repeat(np.arange(clearing.route_flow_kt.shape[0]), np.diff(problem.route_first_entry))
        paid = clearing.route_flow_kt[route] * problem.entry_units_per_t * prices[problem.entry_row]
        pair_of_route = [self._pair(assembly, nest) for nest in assembly.nest_of_route]
        by_facility: dict[tuple[str, str], dict[int, float]] = {}
        for index in np.flatnonzero((paid > 0.0) & (problem.entry_row < assembly.facility_count)):
            weights = by_facility.setdefault(pair_of_route[route[index]], {})
            weights[int(problem.entry_row[index])] = weights.get(int(problem.entry_row[index]), 0.0) + float(paid[index])
        rows = [
            {
                "family_id": pair[0],
                "commodity_group": pair[1],
                "facility_id": ids[max(by_facility[pair], key=lambda row: (by_facility[pair][row], -row))],
                "constant_usd_per_t": constants[pair],
                "constant_without_scarcity_usd_per_t": free[pair],
            }
            for pair in sorted(self.family_targets)
            if pair in by_facility and abs(free[pair] - constants[pair]) > _PRICE_FLOOR_USD_PER_T
        ]
        return pl.DataFrame(rows, schema=schema)

    def _nest_flow(self, assembly: Assembly, clearing: Clearing) -> FloatArray:
        flow = np.zeros(assembly.family_code.shape[0])
        np.add.at(flow, assembly.nest_of_route, clearing.route_flow_kt)
        return flow

    def errors(self, assembly: Assembly, clearing: Clearing) -> pl.DataFrame:
        """Every target of a flow with what the fitted model gives."""
        nest_flow = self._nest_flow(assembly, clearing)
        by_pair: dict[tuple[str, str], float] = {}
        for nest, flow in enumerate(nest_flow):
            pair = self._pair(assembly, nest)
            by_pair[pair] = by_pair.get(pair, 0.0) + float(flow)
        rows: list[dict[str, Any]] = []
        for row in self.targets.filter(pl.col("quantity") != "own_cost_elasticity").iter_rows(named=True):
            if row["quantity"] == "family_kt":
                model = by_pair.get((row["family_id"], row["commodity_group"]), 0.0)
            else:
                model = self._over(assembly, clearing, row["cordon_id"])[0 if row["quantity"] == "cordon_kt" else 1]
            value = float(row["value"])
            rows.append(
                {
                    "target_id": row["target_id"],
                    "quantity": row["quantity"],
                    "value": value,
                    "model": model,
                    "error_share": (model - value) / value if value > 0 else 0.0,
                }
            )
        return pl.DataFrame(rows)


def write_fit(found: Calibration, folder: str) -> None:
    """Store a fit in a corridor folder as constants.csv, demand_factors.csv and base_costs.csv.

    Each file is written under a temporary name and moved into place.

    Args:
        found: The fit.
        folder: Corridor folder, or the name of a packaged corridor whose files can be written.
    """
    from karvan.corridor.load import corridor_folder

    place = corridor_folder(folder)
    for name in FITTED_TABLES:
        frame: pl.DataFrame = getattr(found, name)
        stamped = frame.with_columns(source=pl.lit("calibration"), confidence=pl.lit("estimate"))
        temporary = place / f".{name}.csv.part"
        temporary.write_text(
            stamped.write_csv(line_terminator="\n", float_precision=_STORED_DECIMALS[name]), encoding="utf-8", newline="\n"
        )
        os.replace(temporary, place / f"{name}.csv")
