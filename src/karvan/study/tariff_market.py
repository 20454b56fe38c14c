"""The market of a year as a function of what administrations charge on the corridor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import Clearing, ClearOptions, MarketProblem, part_of
from karvan.assignment import clear as clear_market
from karvan.assignment.dual import AT_MOST
from karvan.errors import DataError, Problem
from karvan.pricing import Market, Outcome
from karvan.study.clear import Cleared

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_FULL_USD_PER_T = 0.01


@dataclass(frozen=True)
class TariffMarket:
    """A cleared year in which administrations move their margins on some goods over the headline cordon.

    Each administration's margin is told in USD per tonne of the mean shipment that pays it; a longer way pays in proportion to what it
    pays today. Routes and delays are those of the year as it is.

    Attributes:
        cleared: The year.
        group: Goods whose charges move.
        administration_ids, names: The administrations that take part, each of shape (members,).
        operator_ids, countries: All operators, shape (operators,).
        member_of: Administration of each operator, -1 for none, shape (operators,).
        moves: The operator's charges move in the game, shape (operators,).
        margin_share: Part of each operator's charges that is margin, shape (operators,).
        charge_usd_per_t: What a tonne on each route of the program pays each operator today, shape (routes, operators).
        is_corridor: Routes of the program that carry these goods over the cordon, shape (routes,).
        teu_per_t: TEU in a tonne of the goods; zero if they do not go in boxes.
        empties_kusd: What operators are paid for empties today, shape (operators,).
    """

    cleared: Cleared
    group: str
    administration_ids: tuple[str, ...]
    names: tuple[str, ...]
    operator_ids: tuple[str, ...]
    countries: tuple[str, ...]
    member_of: IntArray
    moves: BoolArray
    margin_share: FloatArray
    charge_usd_per_t: FloatArray
    is_corridor: BoolArray
    teu_per_t: float

    @property
    def members(self) -> int:
        """Number of administrations that take part."""
        return len(self.administration_ids)

    @cached_property
    def route_margin(self) -> FloatArray:
        """Margin of each administration on each route of the corridor today, USD/t, zero elsewhere, shape (routes, members)."""
        earned = self.charge_usd_per_t * (self.margin_share * self.moves)
        found = np.stack([earned[:, self.member_of == member].sum(axis=1) for member in range(self.members)], axis=1)
        return np.asarray(np.where(self.is_corridor[:, None], found, 0.0), dtype=np.float64)

    @cached_property
    def today_usd_per_t(self) -> FloatArray:
        """Margin of each administration on the mean tonne that pays it today, shape (members,)."""
        flow = self.cleared.clearing.route_flow_kt
        passing = (self.route_margin > 0.0).T @ flow
        found: FloatArray = (self.route_margin.T @ flow) / passing
        return found

    @cached_property
    def weight(self) -> FloatArray:
        """What a tonne on each route pays of each administration's margin, mean 1 today, shape (routes, members)."""
        return np.asarray(self.route_margin / self.today_usd_per_t, dtype=np.float64)

    @cached_property
    def owner(self) -> IntArray:
        """Operator that earns the rent of each row, -1 where nobody does, shape (rows,)."""
        problem, facilities = self.cleared.problem, self.cleared.routed.snapshot.tables["facilities"]
        place = {name: number for number, name in enumerate(self.operator_ids)}
        found = np.full(problem.row_capacity.shape[0], -1, dtype=np.int64)
        found[: facilities.height] = [place[name] for name in facilities["operator_id"].to_list()]
        count = self.cleared.assembly.row_count
        found[count:] = found[self.cleared.assembly.minimum_facility]
        return found

    @cached_property
    def most_usd_per_t(self) -> float:
        """Margins are sought up to this: six times what choice between families is sharp to."""
        nests = self.cleared.assembly.market_of_route[self.is_corridor]
        return float(6.0 / self.cleared.problem.market_theta[nests].min())

    def at_ratio(self, ratio: FloatArray) -> FloatArray:
        """What a tonne on each route pays more than today where margins are so many times today's, USD/t, shape (routes,)."""
        return np.asarray(self.route_margin @ (ratio - 1.0), dtype=np.float64)

    def problem_at(self, margin: FloatArray) -> MarketProblem:
        """The program of the whole market at margins, USD/t, shape (members,)."""
        problem = self.cleared.problem
        return replace(problem, route_cost_usd_per_t=problem.route_cost_usd_per_t + self.weight @ (margin - self.today_usd_per_t))

    def cleared_at(self, margin: FloatArray) -> Clearing:
        """The whole market cleared at margins."""
        if np.array_equal(margin, self.today_usd_per_t):
            return self.cleared.clearing
        return clear_market(self.problem_at(margin), start=self.cleared.clearing.row_price_usd_per_unit)

    def rent_kusd(self, prices: FloatArray) -> FloatArray:
        """Rent of facilities by operator who owns them, and at the end that of nobody's, shape (operators + 1,)."""
        capacity = self.cleared.problem.row_capacity
        rent = np.where(np.isfinite(capacity), prices * np.where(np.isfinite(capacity), capacity, 0.0), 0.0)
        owner = np.where(self.owner >= 0, self.owner, len(self.operator_ids))
        return np.asarray(np.bincount(owner, weights=rent, minlength=len(self.operator_ids) + 1), dtype=np.float64)

    def charges_kusd(self, margin: FloatArray, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Charges that operators take at margins and flows of the program: on the corridor's goods, and on all else, each (operators,)."""
        on, off = np.where(self.is_corridor, flow, 0.0), np.where(self.is_corridor, 0.0, flow)
        ratio = margin / self.today_usd_per_t
        of_operator = np.where(self.moves & (self.member_of >= 0), ratio[np.maximum(self.member_of, 0)], 1.0)
        factor = 1.0 - self.margin_share + self.margin_share * of_operator
        return (on @ self.charge_usd_per_t) * factor, off @ self.charge_usd_per_t

    def profit_kusd(self, margin: FloatArray, flow: FloatArray) -> FloatArray:
        """Margins that operators keep at margins and flows, shape (operators,)."""
        on, off = self.charges_kusd(margin, flow)
        cost = (np.where(self.is_corridor, flow, 0.0) @ self.charge_usd_per_t) * (1.0 - self.margin_share)
        return np.asarray(on - cost + off * self.margin_share, dtype=np.float64)

    def outcome(self, margin: FloatArray, clearing: Clearing, flow: FloatArray, surplus_kusd: float) -> Outcome:
        """What the game sees of a clearing: rent is what an administration earns beside the margins that it moves, more than today, and the
        surplus is what shippers gain on today.

        Args:
            margin: USD/t, shape (members,).
            clearing: A clearing.
            flow: Its flows on the routes of the whole program.
            surplus_kusd: What shippers have.
        """
        prices = clearing.row_price_usd_per_unit
        beside = self.beside_margin.T @ flow + self._of_members(self.rent_kusd(prices)[:-1]) - self.beside_today_kusd
        is_full = bool((prices[self.used_rows] > _FULL_USD_PER_T).any())
        return Outcome(self.weight.T @ flow, beside, surplus_kusd - self.surplus_today_kusd, is_full=is_full)

    @cached_property
    def beside_margin(self) -> FloatArray:
        """Margin of each administration on each route that the game does not move, USD/t, shape (routes, members)."""
        earned = self.charge_usd_per_t * self.margin_share
        kept = np.where(self.is_corridor[:, None] & self.moves, 0.0, earned)
        return np.stack([kept[:, self.member_of == member].sum(axis=1) for member in range(self.members)], axis=1)

    def _of_members(self, of_operator: FloatArray) -> FloatArray:
        return np.array([of_operator[self.member_of == member].sum() for member in range(self.members)])

    @cached_property
    def surplus_today_kusd(self) -> float:
        """What shippers have today, all markets together."""
        return float(self.cleared.clearing.consumer_surplus_kusd.sum())

    @cached_property
    def beside_today_kusd(self) -> FloatArray:
        """What each administration earns today beside the margins that it moves: rents, other goods, other ways, shape (members,)."""
        clearing = self.cleared.clearing
        rent = self.rent_kusd(clearing.row_price_usd_per_unit)[:-1]
        return np.asarray(self.beside_margin.T @ clearing.route_flow_kt + self._of_members(rent), dtype=np.float64)

    @cached_property
    def used_rows(self) -> IntArray:
        """Rows with an upper limit that routes of the corridor use."""
        problem = self.cleared.problem
        on = np.repeat(self.is_corridor, np.diff(problem.route_first_entry))
        rows = np.unique(problem.entry_row[on])
        return np.asarray(rows[(problem.row_sense[rows] == AT_MOST) & np.isfinite(problem.row_capacity[rows])], dtype=np.int64)

    def whole(self, margin: FloatArray) -> Outcome:
        """The whole market at margins."""
        clearing = self.cleared_at(margin)
        return self.outcome(margin, clearing, clearing.route_flow_kt, float(clearing.consumer_surplus_kusd.sum()))

    @cached_property
    def _users(self) -> BoolArray:
        """Markets that may use the corridor, shape (markets of the program,)."""
        found = np.zeros(self.cleared.problem.market_flow_kt.shape[0], dtype=np.bool_)
        found[self.cleared.assembly.market_of_route[self.is_corridor]] = True
        return found

    def around(self, margin: FloatArray) -> Market:
        """The markets that may use the corridor, all others as they are at margins: quick, for searches, and right there; see `part_of`.

        Args:
            margin: USD/t, shape (members,).
        """
        base, whole = self.cleared_at(margin), self.problem_at(margin)
        problem, routes = part_of(whole, base, self._users)
        rest = base.route_flow_kt.copy()
        rest[routes] = 0.0
        others = float(base.consumer_surplus_kusd.sum() - base.consumer_surplus_kusd[self._users].sum())
        given, weight = base.row_price_usd_per_unit, self.weight[routes]

        def near(tried: FloatArray) -> Outcome:
            at = replace(problem, route_cost_usd_per_t=problem.route_cost_usd_per_t + weight @ (tried - margin))
            clearing = clear_market(at, start=given, options=ClearOptions(tolerance=1e-5))
            prices = np.where(np.isfinite(problem.row_capacity), clearing.row_price_usd_per_unit, given)
            flow = rest.copy()
            flow[routes] = clearing.route_flow_kt
            told = replace(clearing, row_price_usd_per_unit=prices)
            return self.outcome(tried, told, flow, others + float(clearing.consumer_surplus_kusd.sum()))

        return near


def tariff_market(cleared: Cleared, *, headline_cordon: str, group: str) -> TariffMarket:
    """The game of a cleared year.

    Args:
        cleared: The year.
        headline_cordon: Routes that pass it are the corridor's.
        group: Goods whose charges move.

    Raises:
        DataError: The case names no administrations, or nothing of these goods pays one on the corridor.
    """
    found = game_of(cleared, headline_cordon=headline_cordon, group=group)
    if found is not None:
        return found
    if cleared.routed.snapshot.tables["administrations"].is_empty():
        raise DataError(Problem("administrations", None, None, "holds no rows; a game of tariffs needs who sets them"))
    message = f"names nobody whose charges {group} pays over the cordon {headline_cordon} in {cleared.routed.snapshot.year}"
    raise DataError(Problem("administrations", None, "operator_id", message))


def game_of(cleared: Cleared, *, headline_cordon: str, group: str) -> TariffMarket | None:
    """The same, or None where there is nobody to play it."""
    tables, sets, assembly = cleared.routed.snapshot.tables, cleared.routed.sets, cleared.assembly
    parties = {row["operator_id"]: row for row in tables["administrations"].iter_rows(named=True)}
    operators = tables["operators"]["operator_id"].to_list()
    shipped = assembly.route_of >= 0
    charge = np.zeros((assembly.route_of.shape[0], len(operators)))
    charge[shipped] = route_charges(cleared)[assembly.route_of[shipped]]
    counted = np.zeros(sets.route_count, dtype=np.bool_)
    counted[:] = cleared.routed.cordons[headline_cordon][0] > 0.0
    goods = np.array([name == group for name in sets.market_commodity], dtype=np.bool_)[sets.route_market]
    is_corridor = np.zeros(assembly.route_of.shape[0], dtype=np.bool_)
    is_corridor[shipped] = (counted & goods)[assembly.route_of[shipped]]
    carried = cleared.clearing.route_flow_kt[is_corridor] @ charge[is_corridor]
    paid = {name for name, value in zip(operators, carried.tolist(), strict=True) if value > 0.0}
    playing = {row["administration_id"] for name, row in parties.items() if not row["is_regulated"] and name in paid}
    members = tuple(name for name in _ordered(tables["administrations"]["administration_id"].to_list()) if name in playing)
    if not members:
        return None
    names = {row["administration_id"]: row["administration"] for row in parties.values()}
    payload = dict(
        tables["commodity_units"].filter(pl.col("loading_unit") == "container").select("commodity_group", "payload_t_per_unit").iter_rows()
    )
    return TariffMarket(
        cleared=cleared,
        group=group,
        administration_ids=members,
        names=tuple(names[name] for name in members),
        operator_ids=tuple(operators),
        countries=tuple(tables["operators"]["country"].to_list()),
        member_of=np.array([_place(parties.get(name), members) for name in operators], dtype=np.int64),
        moves=np.array([name in parties and not parties[name]["is_regulated"] for name in operators], dtype=np.bool_),
        margin_share=np.array([1.0 - parties[name]["cost_share"] if name in parties else 0.0 for name in operators]),
        charge_usd_per_t=charge,
        is_corridor=is_corridor,
        teu_per_t=1.0 / payload[group] if group in payload else 0.0,
    )


def route_charges(cleared: Cleared) -> FloatArray:
    """What a tonne on each route of the sets pays each operator, USD/t, shape (routes of the sets, operators)."""
    sets, rates = cleared.routed.sets, cleared.routed.rates
    count = cleared.routed.snapshot.tables["operators"].height
    of_step = sets.route_of_step
    goods = cleared.routed.space.commodity[sets.route_market][of_step]
    operator = rates.operator[sets.route_arc]
    paid = rates.rate_usd_per_t[goods, sets.route_arc]
    is_paid = operator >= 0
    found = np.bincount(of_step[is_paid] * count + operator[is_paid], weights=paid[is_paid], minlength=sets.route_count * count)
    return np.asarray(found.reshape(sets.route_count, count), dtype=np.float64)


def _ordered(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _place(row: Mapping[str, object] | None, members: tuple[str, ...]) -> int:
    return members.index(str(row["administration_id"])) if row is not None and row["administration_id"] in members else -1
