"""The game of tariffs on the market: as it is, each for itself, one through tariff, the best for all, and how to share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor
from karvan.errors import ConvergenceError
from karvan.measures.apply import apply
from karvan.pricing import (
    Margins,
    Search,
    alliances,
    bargained,
    gain_alone_kusd,
    joint_margins,
    nash_margins,
    shapley,
    side_payments,
    welfare_margins,
)
from karvan.results import Tariffs
from karvan.results.tariffs import REGIMES
from karvan.study.clear import clear
from karvan.study.names import directory
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.tariff_market import TariffMarket, tariff_market
from karvan.study.year import as_queue

FloatArray = npt.NDArray[np.float64]

DEFAULT_YEARS = (2025, 2030, 2035, 2040)
NATIONAL, NASH, THROUGH, WELFARE = REGIMES
SHIPPERS, OTHER_OWNERS = "shippers", "other_owners"
_SEARCH = Search(tries=9, peak_share=1e-4, still_share=5e-4, epsilon_share=1e-3)
_FULL_USD_PER_UNIT = 0.01
_STACKED = 5
_MUSD = 1e3


@dataclass(frozen=True)
class TariffOptions:
    """What is asked of tariffs.

    Attributes:
        commodity: Goods whose charges move; by default those in containers that the case names first.
        years: Years to play.
        has_alliances: Tell of partial alliances, and so of Shapley values.
    """

    commodity: str = "container_general"
    years: tuple[int, ...] = DEFAULT_YEARS
    has_alliances: bool = True


def tariffs(
    corridor: Corridor,
    *,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: TariffOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> Tariffs:
    """What harmonised tariffs do: who gains, and what split keeps everybody in.

    Margins are sought on the markets that may use the corridor, all others held; what is found is told by the whole market, the gain of
    leaving too. Routes and delays are those of the year as it is.

    Args:
        corridor: The corridor.
        scenario: Scenario id; by default the headline scenario.
        options: Measures added or taken out, values set, an overlay.
        how: Goods and years.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: The case names no administrations, or the goods are unknown.
        ConvergenceError: A year did not clear.
    """
    say, asked = progress or silent, how or TariffOptions()
    prepared = prepare(corridor, scenario or corridor.manifest.headline_scenario, options or ScenarioOptions())
    memory, manifest = routes or RouteMemory(folder=cache_folder()), corridor.manifest
    group = str(
        directory(prepared.corridor.tables["commodities"], "commodities", "commodity_group").named(asked.commodity)["commodity_group"]
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for year in asked.years:
        say(f"clearing {year}")
        snapshot = apply(prepared.scenario, prepared.corridor, year=year)
        cleared = clear(snapshot, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
        market = tariff_market(cleared, headline_cordon=manifest.headline_cordon, group=group)
        say(f"tariffs of {year}")
        for name, rows in played(market, has_alliances=asked.has_alliances).items():
            found.setdefault(name, []).extend({"year": year, **row} for row in rows)
    return Tariffs(
        scenario_id=prepared.scenario.scenario_id,
        commodity_group=group,
        cordon_id=manifest.headline_cordon,
        **{name: _frame(rows) for name, rows in found.items()},
        replaced=prepared.replaced,
    )


def played(market: TariffMarket, *, has_alliances: bool = True) -> dict[str, list[dict[str, Any]]]:
    """All that is told of one year, by frame.

    Args:
        market: The market of the year.
        has_alliances: Tell of partial alliances and Shapley values, too.
    """
    most, today = market.most_usd_per_t, market.today_usd_per_t
    try:
        alone = nash_margins(market.near, market.members, most_usd_per_t=most, search=_SEARCH)
    except ConvergenceError as error:
        if not isinstance(error.best, Margins):
            raise
        alone = error.best
    starts = (today, alone.margin_usd_per_t)
    joint = joint_margins(market.near, today, most_usd_per_t=most, starts=starts, search=_SEARCH)
    good = welfare_margins(market.near, today, most_usd_per_t=most, starts=(*starts, np.zeros(market.members)), search=_SEARCH)
    margins = {NATIONAL: today, NASH: alone.margin_usd_per_t, THROUGH: joint.margin_usd_per_t, WELFARE: good.margin_usd_per_t}
    states = {name: _State(market, name, margin) for name, margin in margins.items()}
    gain = gain_alone_kusd(market.whole, alone.margin_usd_per_t, most_usd_per_t=most, search=replace(_SEARCH, peak_share=1e-3))
    groups = (
        alliances(market.near, market.members, most_usd_per_t=most, apart_kusd=alone.profit_kusd, search=_SEARCH) if has_alliances else ()
    )
    return {
        "regimes": [state.told(states[NATIONAL], gain if name == NASH else None) for name, state in states.items()],
        "margins": [row for state in states.values() for row in state.margins()],
        "parties": [row for state in states.values() for row in state.parties(states[NATIONAL])],
        "accounts": [row for state in states.values() for row in state.accounts()],
        "splits": _splits(market, states, alone, joint, groups),
        "alliances": [
            {
                "members": ";".join(market.administration_ids[member] for member in group.members),
                "together_musd": group.profit_kusd / _MUSD,
                "apart_musd": group.apart_kusd / _MUSD,
                "is_stable": group.is_stable,
            }
            for group in groups
        ],
        "full": [row for state in states.values() for row in state.full()],
        "stack": _stack(market, states),
        "checks": [
            {
                **{f"{name}_error_share": _apart(market, state, states[NATIONAL]) for name, state in states.items()},
                "gain_alone_musd": gain / _MUSD,
                "gain_alone_share": gain / max(float(states[NASH].profit_kusd.sum()), 1e-300),
            }
        ],
    }


class _State:
    """The whole market in one regime."""

    def __init__(self, market: TariffMarket, regime: str, margin: FloatArray) -> None:
        self.market, self.regime, self.margin = market, regime, margin
        self.clearing = market.cleared_at(margin)
        self.flow = self.clearing.route_flow_kt
        self.surplus_kusd = float(self.clearing.consumer_surplus_kusd.sum())
        self.outcome = market.outcome(margin, self.clearing, self.flow, self.surplus_kusd)
        self.profit_kusd = margin * self.outcome.carried_kt + self.outcome.rent_kusd
        self.rent_kusd = market.rent_kusd(self.clearing.row_price_usd_per_unit)
        self.earned_kusd = market.profit_kusd(margin, self.flow)

    def have_kusd(self) -> dict[str, float]:
        """What each party has; together that is welfare."""
        market = self.market
        of_operator = self.earned_kusd + self.rent_kusd[:-1]
        others = float(of_operator[market.member_of < 0].sum() + self.rent_kusd[-1])
        told = {name: float(of_operator[market.member_of == member].sum()) for member, name in enumerate(market.administration_ids)}
        return {SHIPPERS: self.surplus_kusd, **told, OTHER_OWNERS: others}

    def welfare_kusd(self) -> float:
        """Welfare as the market tells it, with the margins that lie in what shippers pay."""
        return self.clearing.welfare_kusd + float(self.earned_kusd.sum())

    def told(self, today: _State, gain_kusd: float | None) -> dict[str, Any]:
        market = self.market
        carried = float(self.flow[market.is_corridor].sum())
        have, before = self.have_kusd(), today.have_kusd()
        paid = float((market.weight @ self.margin)[market.is_corridor] @ self.flow[market.is_corridor])
        return {
            "regime": self.regime,
            "carried_kt": carried,
            "containers_teu": carried * market.teu_per_t * 1e3,
            "margin_usd_per_t": paid / max(carried, 1e-300),
            "margin_usd_per_teu": paid / max(carried * market.teu_per_t, 1e-300) if market.teu_per_t > 0.0 else None,
            "margins_musd": paid / _MUSD,
            "revenue_musd": float(market.charges_kusd(self.margin, self.flow)[0].sum()) / _MUSD,
            "profit_musd": float(self.profit_kusd.sum()) / _MUSD,
            "surplus_change_musd": (self.surplus_kusd - today.surplus_kusd) / _MUSD,
            "gains_musd": math.fsum(have[name] - before[name] for name in have) / _MUSD,
            "welfare_change_musd": (self.welfare_kusd() - today.welfare_kusd()) / _MUSD,
            "queue_welfare_change_musd": (self.queued_kusd - today.queued_kusd) / _MUSD,
            "gain_alone_musd": None if gain_kusd is None else gain_kusd / _MUSD,
            "is_full": self.outcome.is_full,
        }

    @cached_property
    def queued_kusd(self) -> float:
        """Welfare if scarcity were a queue."""
        market = self.market
        cleared = replace(market.cleared, assembly=replace(market.cleared.assembly, problem=market.problem_at(self.margin)))
        waiting = as_queue(replace(cleared, clearing=self.clearing))
        return float(waiting.welfare_kusd) + float(market.profit_kusd(self.margin, waiting.route_flow_kt).sum())

    def margins(self) -> list[dict[str, Any]]:
        market = self.market
        return [
            {
                "regime": self.regime,
                "administration_id": name,
                "administration": market.names[member],
                "margin_usd_per_t": float(self.margin[member]),
                "margin_usd_per_teu": float(self.margin[member] / market.teu_per_t) if market.teu_per_t > 0.0 else None,
                "carried_kt": float(self.outcome.carried_kt[member]),
                "margins_musd": float(self.margin[member] * self.outcome.carried_kt[member]) / _MUSD,
                "profit_musd": float(self.profit_kusd[member]) / _MUSD,
            }
            for member, name in enumerate(market.administration_ids)
        ]

    def parties(self, today: _State) -> list[dict[str, Any]]:
        have, before = self.have_kusd(), today.have_kusd()
        return [
            {"regime": self.regime, "party": name, "has_musd": value / _MUSD, "gain_musd": (value - before[name]) / _MUSD}
            for name, value in have.items()
        ]

    def accounts(self) -> list[dict[str, Any]]:
        market = self.market
        assembly, tables = market.cleared.assembly, market.cleared.routed.snapshot.tables
        on, _ = market.charges_kusd(self.margin, self.flow)
        party = dict(tables["administrations"].select("operator_id", "administration_id").iter_rows())
        goods = np.array([*assembly.market_commodity, *([""] * (assembly.problem.market_flow_kt.shape[0] - assembly.goods_count))])
        of_route, off = goods[assembly.market_of_route], np.where(market.is_corridor, 0.0, self.flow)
        rows = []
        for name in sorted(set(assembly.market_commodity)):
            paid = np.where(of_route == name, off, 0.0) @ market.charge_usd_per_t + (on if name == market.group else 0.0)
            for operator in np.flatnonzero(paid > 0.0).tolist():
                corridor = float(on[operator]) if name == market.group else 0.0
                rows.append({
                    "regime": self.regime,
                    "operator_id": market.operator_ids[operator],
                    "administration_id": party.get(market.operator_ids[operator]),
                    "country": market.countries[operator],
                    "commodity_group": name,
                    "revenue_musd": float(paid[operator]) / _MUSD,
                    "corridor_musd": corridor / _MUSD,
                })  # fmt: skip
        return rows

    def full(self) -> list[dict[str, Any]]:
        market, facilities = self.market, self.market.cleared.routed.snapshot.tables["facilities"]
        prices = market.cleared.assembly.row_price(self.clearing.row_price_usd_per_unit)[: facilities.height]
        names, units = facilities["facility_id"].to_list(), facilities["unit"].to_list()
        return [
            {"regime": self.regime, "facility_id": names[row], "unit": units[row], "price_usd_per_unit": float(prices[row])}
            for row in market.used_rows.tolist()
            if row < facilities.height and prices[row] > _FULL_USD_PER_UNIT
        ]


def _splits(market: TariffMarket, states: dict[str, _State], alone: Margins, joint: Margins, groups: Sequence[Any]) -> list[dict[str, Any]]:
    """Shares of what one tariff earns; the whole market's profits are shared, Shapley values in proportion to those of the search."""
    now, apart, booked = (states[name].profit_kusd for name in (NATIONAL, NASH, THROUGH))
    total = float(booked.sum())
    surplus = total - float(apart.sum())
    agreed = bargained(apart, total) if surplus >= 0.0 else booked
    paid = side_payments(booked, agreed)
    everybody = frozenset(range(market.members))
    values: dict[frozenset[int], float] = {frozenset(): 0.0, everybody: float(joint.profit_kusd.sum())}
    values |= {frozenset([member]): float(alone.profit_kusd[member]) for member in range(market.members)}
    values |= {frozenset(group.members): group.profit_kusd for group in groups}
    fair = None
    if len(values) == 2**market.members:
        raw = shapley(lambda members: values[members], market.members)
        fair = raw + (total - float(raw.sum())) / market.members
    short, over = np.maximum(now - booked, 0.0), np.maximum(booked - now, 0.0)
    can_all = float(over.sum()) >= float(short.sum())
    least = short - over * (float(short.sum()) / max(float(over.sum()), 1e-300)) if can_all else np.full(market.members, np.nan)
    return [
        {
            "administration_id": name,
            "administration": market.names[member],
            "national_musd": float(now[member]) / _MUSD,
            "nash_musd": float(apart[member]) / _MUSD,
            "through_musd": float(booked[member]) / _MUSD,
            "bargained_musd": float(agreed[member]) / _MUSD,
            "shapley_musd": None if fair is None else float(fair[member]) / _MUSD,
            "payment_musd": float(paid[member]) / _MUSD,
            "least_payment_musd": float(least[member]) / _MUSD if can_all else None,
        }
        for member, name in enumerate(market.administration_ids)
    ]


def _stack(market: TariffMarket, states: dict[str, _State]) -> list[dict[str, Any]]:
    """Charges along the way of the largest flows of the corridor, by operator in the order of the way."""
    assembly, sets = market.cleared.assembly, market.cleared.routed.sets
    operator = market.cleared.routed.rates.operator
    party = dict(market.cleared.routed.snapshot.tables["administrations"].select("operator_id", "administration_id").iter_rows())
    flow = np.where(market.is_corridor, states[NATIONAL].flow, 0.0)
    rows: list[dict[str, Any]] = []
    seen: set[int] = set()
    for route in np.argsort(-flow, kind="stable").tolist():
        at = int(assembly.market_of_route[route])
        if len(seen) == _STACKED or flow[route] <= 0.0:
            break
        if at in seen:
            continue
        seen.add(at)
        of_set = int(assembly.route_of[route])
        on_way = list(dict.fromkeys(operator[sets.arcs_of(of_set)].tolist()))
        for number, place in enumerate(index for index in on_way if index >= 0 and market.charge_usd_per_t[route, index] > 0.0):
            charge, member = float(market.charge_usd_per_t[route, place]), int(market.member_of[place])
            moved = market.margin_share[place] * charge if member >= 0 and market.moves[place] else 0.0
            told = {
                f"{name}_usd_per_t": charge
                + (moved * (float(state.margin[member] / market.today_usd_per_t[member]) - 1.0) if member >= 0 else 0.0)
                for name, state in states.items()
            }
            rows.append({
                "market_id": sets.market_ids[at][0], "from_node": sets.market_ids[at][1], "to_node": sets.market_ids[at][2],
                "flow_kt": float(flow[route]), "order": number, "operator_id": market.operator_ids[place],
                "administration_id": party.get(market.operator_ids[place]), **told, "teu_per_t": market.teu_per_t,
            })  # fmt: skip
    return rows


def _apart(market: TariffMarket, state: _State, today: _State) -> float:
    """How far the quick market is from the whole one: the largest difference of tonnes and of profits, as a share of today's."""
    quick, whole = market.near(state.margin), state.outcome
    tonnes = np.abs(quick.carried_kt - whole.carried_kt).max() / today.outcome.carried_kt.max()
    profits = state.margin * (quick.carried_kt - whole.carried_kt) + quick.rent_kusd - whole.rent_kusd
    return float(max(tonnes, np.abs(profits).max() / today.profit_kusd.sum()))


def _frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()
