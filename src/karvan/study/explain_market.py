"""Why one market chose as it did: costs, constants, prices and shares of a cleared year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import Clearing, flows_at
from karvan.assignment.assembly import NOT_SHIPPED
from karvan.corridor import Corridor, nearest
from karvan.errors import DataError, Problem
from karvan.measures.apply import apply
from karvan.results import ExplainedFamily, ExplainedPair, ExplainedRoute, MarketExplanation, PairFamily, PricePaid, Sentence, Value
from karvan.routing import COMPONENTS, legs
from karvan.study.clear import Cleared, clear
from karvan.study.handed_over import handed
from karvan.study.names import directory
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_ROUTES_TOLD = 3
_NO_PRICE_USD_PER_T = 1e-6
_WORTH_TELLING_USD_PER_T = 0.05
_WORTH_TELLING_SHARE = 5e-4


def market(
    corridor: Corridor,
    market_id: str,
    *,
    year: int | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> MarketExplanation:
    """Explain one market of a year: what its goods choose, what that costs them, and why.

    Args:
        corridor: The corridor.
        market_id: A market_id, or ORIGIN:DESTINATION:GOODS[:FORM] in ids, names or other names of regions and goods.
        year: Calendar year; by default the base year.
        scenario: Scenario id; by default the corridor's baseline.
        options: Measures added or taken out, values set, an overlay.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input; the market is unknown, or its name fits several, which are listed.
        ConvergenceError: The year did not clear.
    """
    tell = progress or silent
    manifest = corridor.manifest
    prepared = prepare(corridor, scenario or manifest.baseline, options or ScenarioOptions())
    year = manifest.base_year if year is None else year
    snapshot = apply(prepared.scenario, prepared.corridor, year=year)
    found = market_named(snapshot.tables, market_id)
    tell(f"clearing {year}")
    memory = routes or RouteMemory(folder=cache_folder())
    snapshot = handed(prepared, snapshot, memory, progress)
    cleared = clear(snapshot, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
    return explained(
        cleared, found, corridor_id=manifest.id, base_year=manifest.base_year, scenario_id=prepared.scenario.scenario_id,
        replaced=prepared.replaced,
    )  # fmt: skip


def market_named(tables: Mapping[str, pl.DataFrame], name: str) -> str:
    """The market_id that a text means.

    Args:
        tables: Tables of a snapshot.
        name: A market_id, or ORIGIN:DESTINATION:GOODS[:FORM]; a part may be an id, a name, another name, or part of a name.

    Raises:
        DataError: It means none, or several.
    """
    demand = tables["demand"]
    if name in demand["market_id"]:
        return name
    parts = [part.strip() for part in name.split(":")]
    if len(parts) not in (3, 4):
        message = f"{name} is no market_id{nearest(name, demand['market_id'])}; or name it ORIGIN:DESTINATION:GOODS[:FORM]"
        raise DataError(Problem("demand", None, "market_id", message))
    regions = tables["regions"].select("region_id", "name").with_columns(aliases=pl.lit(None, dtype=pl.String))
    origins, destinations = (directory(regions, "regions", "region_id").all_named(part) for part in parts[:2])
    goods = directory(tables["commodities"], "commodities", "commodity_group").all_named(parts[2])
    fits = (
        pl.col("origin_region").is_in(origins) & pl.col("destination_region").is_in(destinations) & pl.col("commodity_group").is_in(goods)
    )
    found = demand.filter(fits if len(parts) == 3 else fits & (pl.col("form").cast(pl.String) == parts[3]))["market_id"].sort().to_list()
    if len(found) == 1:
        return str(found[0])
    if found:
        message = f"{name} fits several markets: {', '.join(found)}; choose one by its market_id, or end the name with :boxed or :loose"
        raise DataError(Problem("demand", None, "market_id", message))
    other = demand.filter(pl.col("origin_region").is_in(origins) & pl.col("destination_region").is_in(destinations))["market_id"].sort()
    hint = f"between these regions there are {', '.join(other)}" if other.len() else "no market joins these regions"
    raise DataError(Problem("demand", None, "market_id", f"{name} fits no market; {hint}"))


def explained(
    cleared: Cleared, market_id: str, *, corridor_id: str, base_year: int, scenario_id: str, replaced: tuple[Mapping[str, Any], ...] = ()
) -> MarketExplanation:
    """Explain one market of a cleared year.

    Args:
        cleared: The cleared year.
        market_id: A row of demand.
        corridor_id, base_year, scenario_id: To be told.
        replaced: What options replaced.
    """
    view = _View(cleared, market_id)
    tables, row = cleared.routed.snapshot.tables, view.row
    regions = dict(tables["regions"].select("region_id", "name").iter_rows())
    traits = tables["commodities"].filter(pl.col("commodity_group") == row["commodity_group"]).row(0, named=True)
    families, pairs = view.families(), view.pairs()
    problem, now = cleared.problem, cleared.clearing
    has_base = bool(cleared.assembly.has_base_cost[view.markets].all())
    at_home = next((item.flow_kt for item in families if item.family_id == NOT_SHIPPED), 0.0)
    answer: dict[str, Any] = {
        "base_flow_kt": float(view.base_flow_kt.sum()),
        "base_composite_usd_per_t": view.mean(problem.market_base_cost_usd_per_t, view.base_flow_kt) if has_base else None,
        "composite_usd_per_t": view.mean(now.market_cost, view.demand_kt),
        "elasticity_ratio": float(problem.market_elasticity[view.markets].max(initial=0.0)),
        "demand_kt": view.total_kt,
        "not_shipped_kt": at_home,
    }
    return MarketExplanation(
        market_id=market_id,
        corridor_id=corridor_id,
        scenario_id=scenario_id,
        year=cleared.routed.snapshot.year,
        base_year=base_year,
        origin_region=row["origin_region"],
        origin_name=regions[row["origin_region"]],
        destination_region=row["destination_region"],
        destination_name=regions[row["destination_region"]],
        commodity_group=row["commodity_group"],
        commodity_name=traits["name"],
        form=row["form"],
        family_theta_per_usd_per_t=float(traits["family_theta_per_usd_per_t"]),
        route_theta_per_usd_per_t=float(traits["route_theta_per_usd_per_t"]),
        families=families,
        pairs=pairs,
        why=tuple(_why(view, families, pairs, answer, base_year)),
        replaced=replaced,
        route_gap=cleared.route_gap,
        is_settled=cleared.is_settled,
        **answer,
    )


@dataclass(frozen=True)
class _View:
    """One market's part of a cleared year."""

    cleared: Cleared
    market_id: str

    @cached_property
    def row(self) -> dict[str, Any]:
        demand = self.cleared.routed.snapshot.tables["demand"]
        return demand.filter(pl.col("market_id") == self.market_id).row(0, named=True)

    @cached_property
    def markets(self) -> IntArray:
        """Its pairs of places, as positions among the program's markets."""
        found = [place for place, ids in enumerate(self.cleared.routed.sets.market_ids) if ids[0] == self.market_id]
        return np.array(found, dtype=np.int64)

    @cached_property
    def free(self) -> Clearing:
        """The program with every price zero."""
        return flows_at(self.cleared.problem, np.zeros_like(self.cleared.problem.row_capacity))

    @cached_property
    def base_flow_kt(self) -> FloatArray:
        problem = self.cleared.problem
        return np.asarray((problem.market_flow_kt * problem.market_factor)[self.markets], dtype=np.float64)

    @cached_property
    def demand_kt(self) -> FloatArray:
        return np.asarray(self.cleared.clearing.market_demand_kt[self.markets], dtype=np.float64)

    @property
    def total_kt(self) -> float:
        return float(self.demand_kt.sum())

    @cached_property
    def family_names(self) -> dict[str, str]:
        table = self.cleared.routed.snapshot.tables["route_families"]
        return {**dict(table.select("family_id", "name").iter_rows()), NOT_SHIPPED: "Not shipped"}

    @cached_property
    def row_names(self) -> list[tuple[str, str, str, bool]]:
        """Id, name, kind and whether it may be quoted, of facilities and balances."""
        tables = self.cleared.routed.snapshot.tables
        facilities = tables["facilities"].select("facility_id", "name", "is_public").iter_rows()
        balances = tables["returns"].select("return_id", "name").iter_rows()
        return [
            *((row_id, name, "facility", is_public) for row_id, name, is_public in facilities),
            *((row_id, name, "balance", True) for row_id, name in balances),
        ]

    def mean(self, by_market: FloatArray, weight: FloatArray) -> float:
        """Mean over the pairs; the plain one where nothing weighs."""
        values = by_market[self.markets]
        return float(values @ weight / weight.sum()) if weight.sum() > 0.0 else float(values.mean())

    def nests(self, family: int) -> list[tuple[int, int]]:
        """Pair and nest of a family wherever it serves; families are told by code."""
        assembly, first = self.cleared.assembly, self.cleared.problem.market_first_family
        return [
            (place, nest)
            for place, market_position in enumerate(self.markets)
            for nest in range(int(first[market_position]), int(first[market_position + 1]))
            if int(assembly.family_code[nest]) == family
        ]

    def nest_flow(self, clearing: Clearing, nest: int) -> float:
        first = self.cleared.problem.family_first_route
        return float(clearing.route_flow_kt[first[nest] : first[nest + 1]].sum())

    def families(self) -> tuple[ExplainedFamily, ...]:
        """All families that serve it, by flow, `not_shipped` last."""
        names = [*self.cleared.routed.sets.family_ids, NOT_SHIPPED]
        found = [self._family(code, name) for code, name in enumerate(names) if self.nests(code)]
        return tuple(sorted(found, key=lambda item: (item.family_id == NOT_SHIPPED, -item.flow_kt, item.family_id)))

    def _family(self, code: int, name: str) -> ExplainedFamily:
        cleared, nests = self.cleared, self.nests(code)
        flow = sum(self.nest_flow(cleared.clearing, nest) for _, nest in nests)
        free_flow = sum(self.nest_flow(self.free, nest) for _, nest in nests)
        free_total = float(self.free.market_demand_kt[self.markets].sum())
        weight = np.array([self.demand_kt[place] for place, _ in nests])
        weight = weight if weight.sum() > 0.0 else np.ones_like(weight)
        at = [nest for _, nest in nests]
        first = cleared.problem.family_first_route
        carried, paid, of = cleared.clearing.route_flow_kt, cleared.clearing.route_cost_usd_per_t, cleared.assembly.route_of
        routes = [(nest, route) for nest in at for route in range(int(first[nest]), int(first[nest + 1])) if of[route] >= 0]
        routes.sort(key=lambda pair: (-float(carried[pair[1]]), float(paid[pair[1]]), pair[1]))
        told = tuple(self._route(nest, route) for nest, route in routes[:_ROUTES_TOLD])
        routed = cleared.routed
        return ExplainedFamily(
            family_id=name,
            name=self.family_names[name],
            flow_kt=flow,
            share=flow / self.total_kt if self.total_kt > 0.0 else 0.0,
            constant_usd_per_t=float(cleared.problem.family_constant_usd_per_t[at[0]]),
            composite_usd_per_t=float(np.average(cleared.clearing.family_cost[at], weights=weight)),
            free_composite_usd_per_t=float(np.average(self.free.family_cost[at], weights=weight)),
            free_share=free_flow / free_total if free_total > 0.0 else 0.0,
            route_count=len(routes),
            routes=told,
            prices=self._mean_prices(at, flow),
            other_flow_kt=flow - sum(item.flow_kt for item in told) if routes else 0.0,
            legs=()
            if not routes
            else tuple(legs(routed.space, routed.snapshot.tables, routed.sets, int(cleared.assembly.route_of[routes[0][1]]))),
        )

    def _mean_prices(self, nests: list[int], flow_kt: float) -> tuple[PricePaid, ...]:
        """What a mean tonne on some nests pays at each full facility and balance, most first."""
        first, flow = self.cleared.problem.family_first_route, self.cleared.clearing.route_flow_kt
        sums: dict[str, tuple[PricePaid, float, float]] = {}
        for nest in nests:
            for route in range(int(first[nest]), int(first[nest + 1])):
                for price in self._prices(route):
                    _, units, per_t = sums.get(price.row_id, (price, 0.0, 0.0))
                    kt = float(flow[route])
                    sums[price.row_id] = (price, units + kt * price.units_per_t, per_t + kt * price.price_usd_per_t)
        if flow_kt <= 0.0:
            return ()
        means = [replace(price, units_per_t=units / flow_kt, price_usd_per_t=per_t / flow_kt) for price, units, per_t in sums.values()]
        return tuple(sorted(means, key=lambda price: (-abs(price.price_usd_per_t), price.row_id)))

    def _route(self, nest: int, route: int) -> ExplainedRoute:
        cleared = self.cleared
        sets, clearing, assembly = cleared.routed.sets, cleared.clearing, cleared.assembly
        position, market_position = int(assembly.route_of[route]), int(assembly.market_of_route[route])
        _, origin, destination = sets.market_ids[market_position]
        parts = {name: float(value) for name, value in zip(COMPONENTS, sets.components[position], strict=True)}
        parts["delay"] = float(cleared.route_delay_usd_per_t[position])
        flow, nest_flow = float(clearing.route_flow_kt[route]), self.nest_flow(clearing, nest)
        delay_h = self._delay_h(route)
        return ExplainedRoute(
            origin_node=origin,
            destination_node=destination,
            flow_kt=flow,
            market_share=flow / self.total_kt if self.total_kt > 0.0 else 0.0,
            family_share=flow / nest_flow if nest_flow > 0.0 else 0.0,
            path_size=float(cleared.problem.route_path_size[route]),
            components_usd_per_t=parts,
            cost_usd_per_t=float(cleared.problem.route_cost_usd_per_t[route]),
            prices=tuple(self._prices(route)),
            paid_usd_per_t=float(clearing.route_cost_usd_per_t[route]),
            time_h=float(sets.hours[position].sum()) + delay_h,
            sd_h=float(sets.sd_h[position]),
            delay_h=delay_h,
            length_km=float(sets.length_km[position]),
            co2e_kg_per_t=float(sets.co2e_wtw_kg_per_t[position]),
        )

    def _entries(self, route: int) -> Iterator[tuple[int, float]]:
        """Facilities and balances that a route uses, and units per tonne; rows of minimums are in their facility's price."""
        problem = self.cleared.problem
        for entry in range(int(problem.route_first_entry[route]), int(problem.route_first_entry[route + 1])):
            if problem.entry_row[entry] < self.cleared.assembly.row_count:
                yield int(problem.entry_row[entry]), float(problem.entry_units_per_t[entry])

    def _delay_h(self, route: int) -> float:
        count = self.cleared.assembly.facility_count
        return sum(float(self.cleared.delay_h[row]) for row, _ in self._entries(route) if row < count)

    def _prices(self, route: int) -> Iterator[PricePaid]:
        weight = float(self.cleared.problem.market_price_weight[self.cleared.assembly.market_of_route[route]])
        price = self.cleared.row_price
        for row, units in self._entries(route):
            per_t = weight * float(price[row]) * units
            if abs(per_t) > _NO_PRICE_USD_PER_T:
                row_id, name, kind, is_public = self.row_names[row]
                yield PricePaid(row_id, name, kind, units, float(price[row]), per_t, is_public)

    def pairs(self) -> tuple[ExplainedPair, ...]:
        """Its pairs of places, by demand."""
        order = sorted(range(self.markets.shape[0]), key=lambda place: (-float(self.demand_kt[place]), place))
        return tuple(self._pair(place) for place in order)

    def _pair(self, place: int) -> ExplainedPair:
        cleared, position = self.cleared, int(self.markets[place])
        names = [*cleared.routed.sets.family_ids, NOT_SHIPPED]
        first, demand = cleared.problem.market_first_family, float(self.demand_kt[place])
        _, origin, destination = cleared.routed.sets.market_ids[position]
        found = []
        for nest in range(int(first[position]), int(first[position + 1])):
            flow = self.nest_flow(cleared.clearing, nest)
            found.append(
                PairFamily(
                    family_id=names[int(cleared.assembly.family_code[nest])],
                    flow_kt=flow,
                    share=flow / demand if demand > 0.0 else 0.0,
                    constant_usd_per_t=float(cleared.problem.family_constant_usd_per_t[nest]),
                    composite_usd_per_t=float(cleared.clearing.family_cost[nest]),
                )
            )
        has_base = bool(cleared.assembly.has_base_cost[position])
        return ExplainedPair(
            origin_node=origin,
            destination_node=destination,
            share=float(cleared.routed.sets.market_share[position]),
            base_flow_kt=float(self.base_flow_kt[place]),
            base_composite_usd_per_t=float(cleared.problem.market_base_cost_usd_per_t[position]) if has_base else None,
            composite_usd_per_t=float(cleared.clearing.market_cost[position]),
            demand_kt=demand,
            families=tuple(found),
        )


def _why(
    view: _View, families: tuple[ExplainedFamily, ...], pairs: tuple[ExplainedPair, ...], answer: Mapping[str, Any], base_year: int
) -> Iterator[Sentence]:
    """From costs to shares, step by step."""
    ways = [item for item in families if item.family_id != NOT_SHIPPED]
    if answer["base_flow_kt"] <= 0.0:
        yield Sentence("nothing_moves", {"year": view.cleared.routed.snapshot.year})
    if ways:
        yield _cheapest(ways)
        yield from _scarcity(ways)
        yield from _delays(ways)
        yield from _constants(ways, base_year)
        yield from _arithmetic(view, pairs)
        yield _without_limits(families)
    if answer["demand_kt"] > 0.0:
        share = answer["not_shipped_kt"] / answer["demand_kt"]
        is_all = share < _WORTH_TELLING_SHARE
        yield Sentence("all_shipped", {}) if is_all else Sentence("kept_home", {"kept_kt": answer["not_shipped_kt"], "share": share})
    yield _demand(answer, base_year)


def _cheapest(ways: list[ExplainedFamily]) -> Sentence:
    first, *others = sorted(ways, key=lambda item: (item.free_composite_usd_per_t, item.family_id))
    values: dict[str, Value] = {"family": first.name, "composite_usd_per_t": first.free_composite_usd_per_t}
    if not others:
        return Sentence("only_way", values)
    return Sentence("cheapest_first", {**values, "second": others[0].name, "second_usd_per_t": others[0].free_composite_usd_per_t})


def _scarcity(ways: list[ExplainedFamily]) -> Iterator[Sentence]:
    told = 0
    for item in ways[:_ROUTES_TOLD]:
        added = item.composite_usd_per_t - item.free_composite_usd_per_t
        dear = [price for price in item.prices if price.price_usd_per_t > 0.0]
        gifts = [price for price in item.prices if price.price_usd_per_t < 0.0]
        values: dict[str, Value] = {"family": item.name}
        if added > _WORTH_TELLING_USD_PER_T and dear:
            told += 1
            values |= {"added_usd_per_t": added, "facility": dear[0].name, "price_usd_per_t": dear[0].price_usd_per_t}
            yield Sentence("scarcity" if dear[0].is_public else "scarcity_unsure", values)
        elif added < -_WORTH_TELLING_USD_PER_T and gifts:
            told += 1
            yield Sentence("scarcity_pays", values | {"gained_usd_per_t": -added, "balance": gifts[0].name})
    if not told:
        yield Sentence("no_scarcity", {})


def _delays(ways: list[ExplainedFamily]) -> Iterator[Sentence]:
    for item in ways[:1]:
        flow = sum(route.flow_kt for route in item.routes)
        if flow > 0.0:
            delay = sum(route.flow_kt * route.components_usd_per_t["delay"] for route in item.routes) / flow
            if abs(delay) > _WORTH_TELLING_USD_PER_T:
                yield Sentence("delay", {"family": item.name, "delay_usd_per_t": delay})


def _constants(ways: list[ExplainedFamily], base_year: int) -> Iterator[Sentence]:
    """Only differences of constants mean something: of the two families that carry most against each other."""
    if not any(item.constant_usd_per_t for item in ways):
        yield Sentence("no_constant", {})
        return
    for item in ways[1:2]:
        difference = item.constant_usd_per_t - ways[0].constant_usd_per_t
        if abs(difference) > _WORTH_TELLING_USD_PER_T:
            key = "constant_dearer" if difference > 0.0 else "constant_cheaper"
            values: dict[str, Value] = {
                "base_year": base_year,
                "family": item.name,
                "reference": ways[0].name,
                "difference_usd_per_t": abs(difference),
            }
            yield Sentence(key, values)


def _arithmetic(view: _View, pairs: tuple[ExplainedPair, ...]) -> Iterator[Sentence]:
    """How shares follow from costs between the two places with most goods."""
    largest = pairs[0]
    shipped = sorted((item for item in largest.families if item.family_id != NOT_SHIPPED), key=lambda item: (-item.flow_kt, item.family_id))
    if len(shipped) > 1 and shipped[1].flow_kt > 0.0:
        first, second = shipped[:2]
        yield Sentence(
            "arithmetic",
            {
                "origin": largest.origin_node,
                "destination": largest.destination_node,
                "family": view.family_names[first.family_id],
                "second": view.family_names[second.family_id],
                "total_usd_per_t": first.composite_usd_per_t + first.constant_usd_per_t,
                "second_usd_per_t": second.composite_usd_per_t + second.constant_usd_per_t,
                "theta_per_usd_per_t": float(view.cleared.problem.market_theta[view.markets[0]]),
                "ratio": first.flow_kt / second.flow_kt,
            },
        )


def _without_limits(families: tuple[ExplainedFamily, ...]) -> Sentence:
    moved = max(families, key=lambda item: round(abs(item.free_share - item.share), 9))
    if abs(moved.free_share - moved.share) < _WORTH_TELLING_SHARE:
        return Sentence("same_without_limits", {})
    return Sentence("without_limits", {"family": moved.name, "free_share": moved.free_share, "share": moved.share})


def _demand(answer: Mapping[str, Any], base_year: int) -> Sentence:
    base_kt, base = answer["base_flow_kt"], answer["base_composite_usd_per_t"]
    if base is None or answer["elasticity_ratio"] == 0.0 or base_kt <= 0.0:
        return Sentence("demand_fixed", {"base_kt": base_kt})
    return Sentence(
        "demand_answers",
        {
            "change_usd_per_t": answer["composite_usd_per_t"] - base,
            "base_usd_per_t": base,
            "base_year": base_year,
            "elasticity_ratio": answer["elasticity_ratio"],
            "factor": answer["demand_kt"] / base_kt,
            "base_kt": base_kt,
        },
    )
