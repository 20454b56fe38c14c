"""The game of tariffs on the market: as it is, each for itself, one through tariff, the best for all, and how to share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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
    Alliance,
    Margins,
    Market,
    Search,
    alliances,
    joint_margins,
    nash_margins,
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
from karvan.study.tariff_shares import splits, stack
from karvan.study.year import as_queue

FloatArray = npt.NDArray[np.float64]

DEFAULT_YEARS = (2025, 2030, 2035, 2040)
NATIONAL, NASH, THROUGH, WELFARE = REGIMES
SHIPPERS, OTHER_OWNERS = "shippers", "other_owners"
_SEARCH = Search(tries=9, peak_share=1e-4, still_share=5e-4, epsilon_share=1e-3)
_WHOLE = Search(tries=7, peak_share=1e-3, still_share=3e-3, epsilon_share=1e-3)
_MOST_TURNS, _CLOSE_SHARE = 4, 0.01
_FULL_USD_PER_UNIT = 0.01
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


@dataclass(frozen=True)
class Played:
    """A year of the game.

    Attributes:
        rows: What is told, by frame.
        margins: Margins by regime, USD/t, each of shape (members,).
        administration_ids: The members.
    """

    rows: Mapping[str, list[dict[str, Any]]]
    margins: Mapping[str, FloatArray]
    administration_ids: tuple[str, ...]


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

    Years begin with the margins of the year before. All that is told is of the whole market, the gain of leaving too. Routes and delays
    are those of the year as it is.

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
    before: Played | None = None
    for year in asked.years:
        say(f"clearing {year}")
        snapshot = apply(prepared.scenario, prepared.corridor, year=year)
        cleared = clear(snapshot, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
        market = tariff_market(cleared, headline_cordon=manifest.headline_cordon, group=group)
        say(f"tariffs of {year}")
        start = before.margins if before is not None and before.administration_ids == market.administration_ids else None
        before = played(market, has_alliances=asked.has_alliances, start=start)
        for name, rows in before.rows.items():
            found.setdefault(name, []).extend({"year": year, **row} for row in rows)
    return Tariffs(
        scenario_id=prepared.scenario.scenario_id,
        commodity_group=group,
        cordon_id=manifest.headline_cordon,
        **{name: _frame(rows) for name, rows in found.items()},
        replaced=prepared.replaced,
    )


def played(market: TariffMarket, *, has_alliances: bool = True, start: Mapping[str, FloatArray] | None = None) -> Played:
    """All that is told of one year.

    Margins are sought on the markets that may use the corridor, laid anew around what was found until they tell of it as the whole market
    does; those of each for itself are then sought on by best responses in the whole market.

    Args:
        market: The market of the year.
        has_alliances: Tell of partial alliances and Shapley values, too.
        start: Margins by regime to begin with, such as those of the year before, USD/t, each of shape (members,).
    """
    most, today, known = market.most_usd_per_t, market.today_usd_per_t, start or {}

    alone = each_for_itself(market, known.get(NASH, today))

    def best(find: Callable[..., Margins], regime: str, *others: FloatArray) -> tuple[Margins, float]:
        starts = (today, alone.margin_usd_per_t, *others)

        def around(near: Market, begin: FloatArray) -> Margins:
            return find(near, today, most_usd_per_t=most, starts=(*starts, begin), search=_SEARCH)

        def worth(margin: FloatArray) -> float:
            outcome = market.whole(margin)
            profit = float((margin * outcome.carried_kt + outcome.rent_kusd).sum())
            return profit + (outcome.surplus_kusd if regime == WELFARE else 0.0)

        return _found(market, around, known.get(regime, today), worth)

    joint, joint_error = best(joint_margins, THROUGH)
    good, good_error = best(welfare_margins, WELFARE, np.zeros(market.members))
    margins = {NATIONAL: today, NASH: alone.margin_usd_per_t, THROUGH: joint.margin_usd_per_t, WELFARE: good.margin_usd_per_t}
    states = {name: _State(market, name, margin) for name, margin in margins.items()}
    gain = alone.gain_alone_kusd
    groups: tuple[Alliance, ...] = ()
    if has_alliances:
        groups = alliances(
            market.around(alone.margin_usd_per_t), market.members, most_usd_per_t=most, apart_kusd=states[NASH].profit_kusd,
            judge=market.whole, search=_SEARCH,
        )  # fmt: skip
    rows = {
        "regimes": [state.told(states[NATIONAL], gain if name == NASH else None) for name, state in states.items()],
        "margins": [row for state in states.values() for row in state.margins()],
        "parties": [row for state in states.values() for row in state.parties(states[NATIONAL])],
        "accounts": [row for state in states.values() for row in state.accounts()],
        "splits": splits(market, {name: state.profit_kusd for name, state in states.items()}, groups),
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
        "stack": stack(market, margins),
        "checks": [
            {
                "through_error_share": joint_error,
                "welfare_error_share": good_error,
                "gain_alone_musd": gain / _MUSD,
                "gain_alone_share": gain / max(float(np.abs(states[NATIONAL].profit_kusd).sum()), 1e-300),
            }
        ],
    }
    return Played(rows, margins, market.administration_ids)


def each_for_itself(market: TariffMarket, start: FloatArray, *, is_near: bool = False) -> Margins:
    """Margins at which no administration gains by another of its own; those of a search that stopped short tell what leaving would gain.

    Args:
        market: The market of the year.
        start: Margins to begin with, USD/t, shape (members,).
        is_near: They are close to what is sought, so that best responses begin in the whole market.
    """
    most = market.most_usd_per_t

    def apart(near: Market, begin: FloatArray) -> Margins:
        return _held(lambda: nash_margins(near, market.members, most_usd_per_t=most, start=begin, search=_SEARCH))

    begin = start if is_near else _found(market, apart, start, lambda margin: 0.0)[0].margin_usd_per_t
    return _held(lambda: nash_margins(market.whole, market.members, most_usd_per_t=most, start=begin, search=_WHOLE))


def _held(find: Callable[[], Margins]) -> Margins:
    """Margins found, or the best of a search that stopped short; what leaving would gain is told of both."""
    try:
        return find()
    except ConvergenceError as error:
        if not isinstance(error.best, Margins):
            raise
        return error.best


def _found(
    market: TariffMarket, find: Callable[[Market, FloatArray], Margins], start: FloatArray, worth: Callable[[FloatArray], float]
) -> tuple[Margins, float]:
    """Margins sought around what was found before, until the quick market tells of them as the whole does; the worthiest, and the error."""
    tried: list[tuple[float, int, Margins, float]] = []
    at = start
    for turn in range(_MOST_TURNS):
        near = market.around(at)
        found = find(near, at)
        at = found.margin_usd_per_t
        error = _apart(market, near, at)
        tried.append((worth(at), turn, found, error))
        if error <= _CLOSE_SHARE:
            break
    _, _, found, error = max(tried, key=lambda item: item[:2])
    return found, error


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


def _apart(market: TariffMarket, near: Market, margin: FloatArray) -> float:
    """How far a quick market is from the whole one: the largest difference of tonnes and of profits, as a share of today's."""
    quick, whole = near(margin), market.whole(margin)
    now = market.whole(market.today_usd_per_t)
    today_kusd = float((market.today_usd_per_t * now.carried_kt + now.rent_kusd).sum())
    tonnes = np.abs(quick.carried_kt - whole.carried_kt).max() / now.carried_kt.max()
    profits = margin * (quick.carried_kt - whole.carried_kt) + quick.rent_kusd - whole.rent_kusd
    return float(max(tonnes, np.abs(profits).max() / today_kusd))


def _frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()
