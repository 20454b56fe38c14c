"""A cleared year with one facility or one link closed, beside the same year with it open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import Assembly, Clearing, MarketProblem, assemble, queued, stored_constants, with_capacity, with_row
from karvan.assignment import clear as clear_market
from karvan.results.outlook import ROUTE_GAP
from karvan.routing import (
    Entered,
    FacilityEntries,
    RouteSets,
    RouteSpace,
    Standing,
    cordon_weights,
    entered,
    facility_entries,
    price_costs,
    subset,
    watching,
    with_ways_round,
)
from karvan.routing.graph import LINK
from karvan.study.clear import Cleared, time_values_usd_per_t_h
from karvan.sums import weighted_sum

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_MOST_ROUNDS = 6
_NO_DEMAND_KT = 1e-12


@dataclass(frozen=True)
class Element:
    """A facility or a link.

    Attributes:
        kind: `facility` or `link`.
        element_id: Its id.
        row: Its row in the snapshot's table of that kind.
    """

    kind: str
    element_id: str
    row: int


@dataclass(frozen=True)
class Side:
    """A year's market solved with an element open, or closed.

    Attributes:
        assembly: The program; delays are in the route costs.
        clearing: The program solved.
        units_per_t: Units of the element that a tonne on each route takes, tonnes where it is a link, shape (routes of the sets,).
        headline_kt: Kt that the headline cordon counts per kt on each route, shape (routes of the sets,).
    """

    assembly: Assembly
    clearing: Clearing
    units_per_t: FloatArray
    headline_kt: FloatArray

    @property
    def set_flow_kt(self) -> FloatArray:
        """Flow on each route of the route sets, shape (routes of the sets,)."""
        return self.assembly.over_sets(self.clearing.route_flow_kt, self.units_per_t.shape[0])

    @property
    def headline_mt(self) -> float:
        """Tonnes over the headline cordon, million."""
        return weighted_sum(self.set_flow_kt, self.headline_kt) / 1e3


@dataclass(frozen=True)
class Closure:
    """A year with an element open and closed, solved on the same routes: those of the year and those that enter when it closes.

    Attributes:
        element: What is closed.
        sets: The routes.
        entries: What they use.
        is_open, is_closed: The year with it open and closed.
        route_gap: Largest share of its market that a route left out would take while the element is closed; None if that was not asked.
    """

    element: Element
    sets: RouteSets
    entries: FacilityEntries
    is_open: Side
    is_closed: Side
    route_gap: float | None

    @property
    def loss_kusd(self) -> float:
        """Welfare lost in the year."""
        return self.is_open.clearing.welfare_kusd - self.is_closed.clearing.welfare_kusd


def closure(cleared: Cleared, element: Element, *, headline_cordon: str, is_checked: bool = True, threads: int = 1) -> Closure:
    """Close a facility or a link for a whole cleared year and let routes enter around it.

    A facility loses its room. Minimums by contract that only goods on the element could meet fall away. A link is closed to all that
    passes it; where a route has a detour that shares most of its cost and uses the same facilities, the two are one choice as they are in
    every year, and the detour takes the route's place at its own cost. Extra hours by use stay those of the cleared year.

    Args:
        cleared: The cleared year.
        element: What closes.
        headline_cordon: The cordon whose tonnes are told.
        is_checked: Search every market, and again after the routes that the closing calls for have entered, which seldom call for more;
            if false only markets and families on the element are searched, once.
        threads: Searches made at once; the answer does not depend on it.

    Raises:
        ConvergenceError: A program did not reach its tolerance.
    """
    own, arcs = cleared.routed, _arcs(cleared, element)
    is_link = element.kind == "link"
    space = watching(own.space, arcs, name=element.element_id) if is_link else own.space
    base = cleared.clearing.row_price_usd_per_unit
    prices, gap = np.append(base, 0.0) if is_link else base, None
    sets, entries = _with_ways_round(cleared, element, space, arcs, prices, threads=threads)
    known = _known(cleared, element, arcs, is_checked=is_checked)
    for attempt in range(_MOST_ROUNDS):
        assembly = _assembly(cleared, space, sets, entries)
        units = _units(sets, entries, element, arcs)
        solved = clear_market(_closed(cleared, assembly, element, units), start=prices)
        prices = solved.row_price_usd_per_unit
        if attempt > 0 and not is_checked:
            break
        standing = _standing(cleared, assembly, space, prices)
        found = entered(space, sets, standing, entries=entries, known=[known], threads=threads)
        gap = max(found.newest, float(found.gap.max(initial=0.0)))
        if gap <= ROUTE_GAP or found.sets is sets:
            break
        sets, entries = found.sets, found.entries
    if not is_link:
        weight = _headline(cleared, sets, headline_cordon)
        opened = Side(assembly, clear_market(assembly.problem, start=base), units, weight)
        return Closure(element, sets, entries, opened, Side(assembly, solved, units, weight), gap)
    return _with_detours(cleared, element, sets, units, prices=prices, headline_cordon=headline_cordon, gap=gap)


def _with_ways_round(
    cleared: Cleared, element: Element, space: RouteSpace, arcs: IntArray, prices: FloatArray, *, threads: int
) -> tuple[RouteSets, FacilityEntries]:
    """The year's routes, and the cheapest way round the element of each market and family on it that would then take a share worth it."""
    sets = cleared.routed.sets
    passes = _units(sets, cleared.routed.entries, element, arcs) > 0.0
    wanted = np.zeros((space.market_count, space.family_count), dtype=np.bool_)
    carried = np.zeros_like(wanted, dtype=np.float64)
    np.add.at(carried, (sets.route_market, sets.route_family), cleared.set_flow_kt)
    wanted[sets.route_market[passes], sets.route_family[passes]] = True
    demand = cleared.clearing.market_demand_kt[: space.market_count, None]
    wanted &= carried >= space.options.enter_share * demand
    blocked = np.zeros((len(space.names), space.graph.arc_count), dtype=np.bool_)
    blocked[:, arcs] = True
    for number, name in enumerate(space.names if element.kind == "facility" else ()):
        uses = space.goods[name].uses
        blocked[number, uses.arc[uses.row == element.row]] = True
    wider, is_old = with_ways_round(space, sets, wanted, blocked, threads=threads)
    if is_old.all():
        return sets, facility_entries(space, sets)
    entries = facility_entries(space, wider)
    assembly = _assembly(cleared, space, wider, entries)
    solved = clear_market(_closed(cleared, assembly, element, _units(wider, entries, element, arcs)), start=prices)
    asked = np.maximum(solved.market_demand_kt[assembly.market_of_route], _NO_DEMAND_KT)
    share = assembly.over_sets(solved.route_flow_kt / asked, wider.route_count)
    kept = subset(space, wider, is_old | (share >= space.options.enter_share))
    return kept, facility_entries(space, kept)


def element_units(cleared: Cleared, element: Element) -> FloatArray:
    """Units of an element that a tonne on each route of a cleared year takes, tonnes where it is a link, shape (routes of the sets,)."""
    return _units(cleared.routed.sets, cleared.routed.entries, element, _arcs(cleared, element))


def _arcs(cleared: Cleared, element: Element) -> IntArray:
    """Arcs of a link, both ways and for all loading units, rising; none for a facility."""
    graph = cleared.routed.graph
    is_it = (graph.arc_kind == LINK) & (graph.arc_element == element.row)
    return np.flatnonzero(is_it).astype(np.int64) if element.kind == "link" else np.zeros(0, dtype=np.int64)


def _known(cleared: Cleared, element: Element, arcs: IntArray, *, is_checked: bool) -> Entered:
    """What is known of routes left out at rest.

    It is known of routes told apart by the rows that they use: where some pass a link that closes, more of them are told apart, so all of
    a nest's share may be theirs. Unless it is to be checked, nests without a route on a facility are taken to need no other.
    """
    rest = cleared.routed.rest
    sets, entries = (rest.sets, rest.entries) if element.kind == "link" else (cleared.routed.sets, cleared.routed.entries)
    passes = _units(sets, entries, element, arcs) > 0.0
    at = (sets.route_market[passes], sets.route_family[passes])
    if element.kind == "link":
        gap = rest.gap.copy()
        gap[at] = rest.share[at]
        then = rest.standing
        watched = replace(then, row_price=np.append(then.row_price, 0.0), row_delay_h=np.append(then.row_delay_h, 0.0))
        return replace(rest, gap=gap, standing=watched)
    if is_checked:
        return rest
    is_on_it = np.zeros(rest.gap.shape, dtype=np.bool_)
    is_on_it[at] = True
    # As if nobody could have been drawn away from the others: nothing that was left out of them could take a share.
    share, composite = np.where(is_on_it, rest.share, np.inf), np.where(is_on_it, rest.composite, np.inf)
    return replace(rest, share=share, composite=composite)


def _units(sets: RouteSets, entries: FacilityEntries, element: Element, arcs: IntArray) -> FloatArray:
    units = np.zeros(sets.route_count)
    if element.kind == "link":
        units[sets.route_of_step[np.isin(sets.route_arc, arcs)]] = 1.0
        return units
    route = np.repeat(np.arange(sets.route_count), np.diff(entries.route_first_entry))
    is_it = entries.entry_row == element.row
    units[route[is_it]] = entries.entry_units_per_t[is_it]
    return units


def _headline(cleared: Cleared, sets: RouteSets, cordon_id: str) -> FloatArray:
    tables = cleared.routed.snapshot.tables
    counted = {**tables, "cordons": tables["cordons"].filter(pl.col("cordon_id") == cordon_id)}
    return cordon_weights(counted, sets)[cordon_id][0]


def _assembly(cleared: Cleared, space: RouteSpace, sets: RouteSets, entries: FacilityEntries) -> Assembly:
    """The program of some routes, the cleared year's delays in their costs; a watched row is no row of it."""
    tables, rows = cleared.routed.snapshot.tables, space.rows.count
    own = cleared.routed.space.rows.count
    assembly = assemble(tables, sets, entries if rows == own else _first_rows(entries, own), space.runs)
    hours = np.append(cleared.delay_h, np.zeros(rows - cleared.delay_h.shape[0]))
    added = price_costs(space, sets, entries, Standing(np.zeros(rows), hours, np.ones(space.market_count), {}))
    of = assembly.route_of
    cost = assembly.problem.route_cost_usd_per_t + np.where(of >= 0, added[of], 0.0)
    problem = replace(assembly.problem, route_cost_usd_per_t=cost)
    if cleared.regime == "queue":
        problem = queued(problem, time_values_usd_per_t_h(assembly, tables))
    return replace(assembly, problem=problem)


def _first_rows(entries: FacilityEntries, count: int) -> FacilityEntries:
    """The entries of the first rows only."""
    is_kept = entries.entry_row < count
    first = np.append(0, np.cumsum(is_kept))[entries.route_first_entry].astype(np.int64)
    row, units = entries.entry_row[is_kept], entries.entry_units_per_t[is_kept]
    return replace(entries, route_first_entry=first, entry_row=row, entry_units_per_t=units)


def _closed(cleared: Cleared, assembly: Assembly, element: Element, units_per_t: FloatArray) -> MarketProblem:
    """The program with no room in a facility, or with a last row of no room for all that passes a link."""
    of = assembly.route_of
    used = np.where(of >= 0, units_per_t[of], 0.0)
    problem = _without_minimums(assembly, used > 0.0)
    if element.kind == "facility":
        capacity = problem.row_capacity.copy()
        capacity[element.row] = 0.0
        return with_capacity(problem, capacity)
    returns = cleared.routed.snapshot.tables["returns"]
    first = of.shape[0] - 3 * returns.height  # empties go along, against, or stay
    for number, link in enumerate(returns["link_id"]):
        if link == element.element_id:
            used[first + 3 * number : first + 3 * number + 2] = 1.0
    return with_row(problem, used, 0.0)


def _without_minimums(assembly: Assembly, is_stopped: BoolArray) -> MarketProblem:
    """The program without the minimums that only routes which stop could meet."""
    problem = assembly.problem
    is_goods = np.repeat((assembly.route_of >= 0) & ~is_stopped, np.diff(problem.route_first_entry))
    left = np.bincount(problem.entry_row[is_goods], minlength=problem.row_capacity.shape[0])
    is_minimum = np.arange(problem.row_capacity.shape[0]) >= assembly.row_count
    return with_capacity(problem, np.where(is_minimum & (left == 0), 0.0, problem.row_capacity))


def _standing(cleared: Cleared, assembly: Assembly, space: RouteSpace, prices: FloatArray) -> Standing:
    own = assembly.problem.row_capacity.shape[0]
    return Standing(
        row_price=np.append(assembly.row_price(prices[:own]), prices[own:]),
        row_delay_h=np.append(cleared.delay_h, np.zeros(space.rows.count - cleared.delay_h.shape[0])),
        price_weight=assembly.problem.market_price_weight[: assembly.goods_count],
        constants=stored_constants(cleared.routed.snapshot.tables),
    )


def _with_detours(
    cleared: Cleared,
    element: Element,
    all_sets: RouteSets,
    passes: FloatArray,
    *,
    prices: FloatArray,
    headline_cordon: str,
    gap: float | None,
) -> Closure:
    """A link's closure once detours have taken the place of the routes that they are variants of."""
    space = cleared.routed.space
    detour = _detours(space, all_sets, facility_entries(space, all_sets), cleared.routed.sets, passes > 0.0)
    is_choice = np.ones(all_sets.route_count, dtype=np.bool_)
    is_choice[detour[detour >= 0]] = False
    sets = subset(space, all_sets, is_choice)
    kept, detour = np.flatnonzero(is_choice), detour[is_choice]
    entries = facility_entries(space, sets)
    assembly = _assembly(cleared, space, sets, entries)
    weight, cost = _headline(cleared, all_sets, headline_cordon), all_sets.cost_usd_per_t
    has_detour = detour >= 0
    dearer = np.where(has_detour, np.maximum(cost[detour] - cost[kept], 0.0), 0.0)
    units_closed = np.where(has_detour, 0.0, passes[kept])
    of = assembly.route_of
    detoured = replace(
        assembly.problem, route_cost_usd_per_t=assembly.problem.route_cost_usd_per_t + np.where(of >= 0, dearer[of], 0.0)
    )  # fmt: skip
    round_it = replace(assembly, problem=detoured)
    opened = clear_market(assembly.problem, start=cleared.clearing.row_price_usd_per_unit)
    closed = clear_market(_closed(cleared, round_it, element, units_closed), start=prices)
    return Closure(
        element,
        sets,
        entries,
        Side(assembly, opened, passes[kept], weight[kept]),
        Side(round_it, closed, units_closed, np.where(has_detour, weight[detour], weight[kept])),
        gap,
    )


def _detours(space: RouteSpace, sets: RouteSets, entries: FacilityEntries, before: RouteSets, passes: BoolArray) -> IntArray:
    """For each route over a link the cheapest newcomer of its nest that is a variant of it, -1 for none, shape (routes,)."""
    known = set(_keys(before))
    newcomers = [route for route, key in enumerate(_keys(sets)) if key not in known and not passes[route]]
    nests: dict[tuple[int, int], list[int]] = {}
    for route in np.flatnonzero(passes).tolist():
        nests.setdefault((int(sets.route_market[route]), int(sets.route_family[route])), []).append(route)
    found, cost = np.full(sets.route_count, -1, dtype=np.int64), sets.cost_usd_per_t
    for newcomer in sorted(newcomers, key=lambda route: (float(cost[route]), route)):
        arcs, market = sets.arcs_of(newcomer), int(sets.route_market[newcomer])
        leg = space.leg_cost[space.commodity[market]]
        enough = space.options.overlap_bound * float(leg[arcs].sum())
        for route in nests.get((market, int(sets.route_family[newcomer])), []):
            if found[route] < 0 and entries.signature[route] == entries.signature[newcomer]:
                other = sets.arcs_of(route)
                if float(leg[other[np.isin(other, arcs)]].sum()) > enough:
                    found[route] = newcomer
    return found


def _keys(sets: RouteSets) -> list[tuple[int, int, bytes]]:
    """What tells each route from all others."""
    ends = zip(sets.route_market.tolist(), sets.route_family.tolist(), strict=True)
    return [(market, family, sets.arcs_of(route).tobytes()) for route, (market, family) in enumerate(ends)]
