"""What answers in a year beside its delays: trade, and the tariffs of administrations, until none of them moves another.

Tariffs are those of each administration for itself, the outermost of the loop: margins, then delays, then trade, and margins again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import clear as clear_market
from karvan.corridor import Corridor
from karvan.errors import ConvergenceError, DataError, Problem
from karvan.study.clear import Cleared, Terms, clear_at, clear_like
from karvan.study.route_memory import RouteMemory, YearKey
from karvan.study.tariff_market import TariffMarket, game_of
from karvan.study.tariffs import each_for_itself
from karvan.study.trade_market import BaseCosts, settled_trade

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

DELAYS, TRADE, TARIFFS = ANSWERS = ("delays", "trade", "tariffs")
_MOST_TURNS = 6
"""Turns of the loop; bounds what a year costs."""
_STILL = {DELAYS: 0.01, TRADE: 1e-3, TARIFFS: 0.01}
"""Largest move in the last turn that counts as none: of delays as a share (at least half an hour's), of factors on demand, of margins as a
share of the largest that is sought."""
_GAIN_SHARE = 1e-3
_LEAST_DELAY_H = 0.5


@dataclass(frozen=True)
class Loop:
    """What answers, and to what.

    Attributes:
        answers: Which of "trade" and "tariffs"; delays always do.
        base: The base year that trade is held against.
        group: Goods whose tariffs move.
        headline_cordon: Routes that pass it are the corridor's.
        key: All that the base year depends on.
    """

    answers: tuple[str, ...]
    base: BaseCosts | None
    group: str
    headline_cordon: str
    key: YearKey


@dataclass(frozen=True)
class Answered:
    """A year in which all has answered.

    Attributes:
        cleared: The market then.
        ratio: Margins over today's by administration; empty where tariffs do not answer.
        more_kusd: What operators charge more than at today's margins, by operator.
        moved: By answer, how far it still moved in the last turn.
        is_settled: By answer, whether that is near enough to none; tariffs beside that no administration gains by leaving.
    """

    cleared: Cleared
    ratio: Mapping[str, float]
    more_kusd: Mapping[str, float]
    moved: Mapping[str, float]
    is_settled: Mapping[str, bool]


def answers_of(corridor: Corridor) -> tuple[str, ...]:
    """What can answer in a case beside delays: trade where it has economies and what they trade, tariffs where it says who sets them."""
    tables = corridor.tables
    found = {
        TRADE: not tables["economies"].is_empty() and not tables["trade"].is_empty(),
        TARIFFS: not tables["administrations"].is_empty(),
    }
    return tuple(name for name, can in found.items() if can)


def require_answers(corridor: Corridor, names: Sequence[str]) -> None:
    """Raise a DataError for what a case cannot answer with."""
    needed = {TRADE: ("economies", "what countries make and sell to each other"), TARIFFS: ("administrations", "who sets tariffs")}
    lost = [name for name in names if name not in answers_of(corridor)]
    if lost:
        raise DataError(
            [Problem(needed[name][0], None, None, f"holds no rows; {name} cannot answer without {needed[name][1]}") for name in lost]
        )


def without_answers(cleared: Cleared) -> Answered:
    """A year in which delays alone answer, as it was cleared."""
    return Answered(cleared, {}, {}, {}, {DELAYS: cleared.is_settled})


def answered(
    cleared: Cleared, loop: Loop, *, key: tuple[object, ...], start: Mapping[str, float], memory: RouteMemory
) -> Answered:  # fmt: skip
    """A year in which trade and tariffs have answered, too.

    Args:
        cleared: The year with its delays.
        loop: What answers.
        key: All that the year depends on; what was found is kept under it.
        start: Margins over today's to begin with, by administration, such as those of the same year without what is appraised.
        memory: Where it is kept.
    """
    game = game_of(cleared, headline_cordon=loop.headline_cordon, group=loop.group) if TARIFFS in loop.answers else None
    names = () if game is None else game.administration_ids
    begin = np.array([start.get(name, math.nan) for name in names])
    whole = ("full loop", *key, *loop.key, loop.answers, loop.group, loop.headline_cordon, begin.tolist())
    kept = memory.recall_arrays(whole)
    if kept is None:
        kept = _sought(cleared, loop, game, begin)
        memory.keep_arrays(whole, **kept)
    ratio, told = kept["ratio"], loop_answers(loop)
    terms = Terms(kept["factor"], _more(game, ratio, cleared))
    at = clear_at(cleared, terms, kept["delay_h"], kept["row_price"])
    return Answered(
        replace(at, is_settled=bool(kept["is_settled"][0])),
        dict(zip(names, ratio.tolist(), strict=True)),
        {} if game is None else _charged(game, ratio, at.clearing.route_flow_kt),
        dict(zip(told, kept["moved"].tolist(), strict=True)),
        dict(zip(told, kept["is_settled"].tolist(), strict=True)),
    )


def loop_answers(loop: Loop) -> tuple[str, ...]:
    """What answers in a loop, delays among it, in order."""
    return tuple(name for name in ANSWERS if name == DELAYS or name in loop.answers)


def _sought(cleared: Cleared, loop: Loop, game: TariffMarket | None, begin: FloatArray) -> dict[str, npt.NDArray[Any]]:
    """Margins, delays and demand that fit each other, as far as a bounded number of turns goes."""
    at, ratio = cleared, np.ones(begin.shape[0])
    factor, gain_share = cleared.problem.market_factor, 0.0
    moved: dict[str, float] = {}
    rows = cleared.clearing.row_price_usd_per_unit
    for turn in range(_MOST_TURNS):
        before, delays, demand = ratio, at.delay_h, factor
        if game is not None:
            known = begin if turn == 0 and not np.isnan(begin).any() else None if turn == 0 else ratio
            ratio, gain_share = _margins(game, at, Terms(factor, _more(game, ratio, cleared)), known)
        terms = Terms(factor, _more(game, ratio, cleared))
        at = clear_like(cleared.routed.snapshot, replace(at, is_settled=True), is_near=True, terms=terms)
        rows, is_traded = at.clearing.row_price_usd_per_unit, True
        if loop.base is not None and TRADE in loop.answers:
            try:
                found = settled_trade(at, loop.base)
                factor, rows = found.factor, found.clearing.row_price_usd_per_unit
            except ConvergenceError:
                is_traded = False
        moved = {
            DELAYS: float((np.abs(at.delay_h - delays) / np.maximum(delays, _LEAST_DELAY_H)).max(initial=0.0)),
            TRADE: float(np.abs(factor - demand).max(initial=0.0)) if is_traded else math.inf,
            TARIFFS: _moved_share(game, before, ratio),
        }
        if all(moved[name] <= _STILL[name] for name in loop_answers(loop)):
            break
    told = loop_answers(loop)
    settled = {name: moved[name] <= _STILL[name] for name in told}
    settled[DELAYS] = settled[DELAYS] and at.is_settled
    if TARIFFS in settled:
        settled[TARIFFS] = settled[TARIFFS] and gain_share <= _GAIN_SHARE
    return {
        "factor": factor, "ratio": ratio, "delay_h": at.delay_h, "row_price": rows,
        "moved": np.array([moved[name] for name in told]), "is_settled": np.array([settled[name] for name in told]),
    }  # fmt: skip


def _more(game: TariffMarket | None, ratio: FloatArray, cleared: Cleared) -> FloatArray:
    return np.zeros(cleared.problem.route_cost_usd_per_t.shape[0]) if game is None else game.at_ratio(ratio)


def _moved_share(game: TariffMarket | None, before: FloatArray, ratio: FloatArray) -> float:
    """How far margins moved, as a share of the largest that is sought."""
    if game is None:
        return 0.0
    return float((np.abs(ratio - before) * game.today_usd_per_t).max(initial=0.0) / game.most_usd_per_t)


def _margins(game: TariffMarket, at: Cleared, terms: Terms, known: FloatArray | None) -> tuple[FloatArray, float]:
    """Margins over today's of each administration for itself, with the delays and demand of a year; and what leaving would gain at most.

    The game is told of the market as it is at today's margins with those delays and that demand.
    """
    problem = replace(
        at.problem, route_cost_usd_per_t=at.problem.route_cost_usd_per_t - terms.route_usd_per_t, market_factor=terms.market_factor
    )
    clearing = clear_market(problem, start=at.clearing.row_price_usd_per_unit)
    market = replace(game, cleared=replace(at, assembly=replace(at.assembly, problem=problem), clearing=clearing))
    today = market.today_usd_per_t
    start = today if known is None else np.minimum(known * today, market.most_usd_per_t)
    found = each_for_itself(market, start, is_near=known is not None)
    earned = float(np.abs(market.whole(today).carried_kt * today).sum())
    return found.margin_usd_per_t / today, found.gain_alone_kusd / max(earned, 1e-300)


def _charged(game: TariffMarket, ratio: FloatArray, flow: FloatArray) -> dict[str, float]:
    """What operators charge more on the corridor's goods than they would at today's margins, kUSD."""
    on = np.where(game.is_corridor, flow, 0.0) @ game.charge_usd_per_t
    of = np.where(game.moves & (game.member_of >= 0), ratio[np.maximum(game.member_of, 0)] - 1.0, 0.0)
    return dict(zip(game.operator_ids, (on * game.margin_share * of).tolist(), strict=True))


@dataclass(frozen=True)
class Demand:
    """What shippers have in a year, market by market.

    Attributes:
        market_ids: Ends and goods, or commodity and region ids, of each market of goods.
        unit_kusd: Surplus were demand as its own cost makes it, shape (markets of goods,).
        factor: What demand is of that, shape (markets of goods,).
        ends: Region at either end, each of shape (markets of goods,).
    """

    market_ids: tuple[tuple[str, str, str], ...]
    unit_kusd: FloatArray
    factor: FloatArray
    ends: tuple[tuple[str, ...], tuple[str, ...]]


def demand_of(cleared: Cleared, surplus_kusd: FloatArray) -> Demand:
    """What shippers have in a cleared year.

    Args:
        cleared: The year.
        surplus_kusd: Their surplus by market, shape (markets,).
    """
    assembly = cleared.assembly
    count = assembly.goods_count
    factor = cleared.problem.market_factor[:count]
    unit = np.divide(surplus_kusd[:count], factor, out=np.zeros(count), where=factor > 0.0)
    ends = (tuple(assembly.market_origin), tuple(assembly.market_destination))
    return Demand(tuple(cleared.routed.sets.market_ids[:count]), unit, factor, ends)


def not_gained(before: Demand, after: Demand) -> pl.DataFrame:
    """What the surplus of two years differs by only as demand is more or less at the same cost, which is no gain of shippers.

    They gain what costs fall by, on the mean of what they want in both years: the integral along a straight way from one to the other.
    Taking this from the difference of both surpluses leaves that.

    Returns:
        region, is_origin, value_kusd.

    Source:
        Williams (1977), On the formation of travel demand models and economic evaluation measures of user benefit, Environment and
        Planning A 9(3): user benefit as an integral along a way, of which the rule of half is the straight one.
    """
    known = {key: place for place, key in enumerate(before.market_ids)}
    rows = []
    for place, key in enumerate(after.market_ids):
        other = known.get(key)
        if other is None:
            continue
        shift = float(after.factor[place] - before.factor[other])
        value = shift * 0.5 * float(after.unit_kusd[place] + before.unit_kusd[other])
        if value != 0.0:
            rows += [(after.ends[0][place], True, value), (after.ends[1][place], False, value)]
    frame = pl.DataFrame(rows, schema={"region": pl.String, "is_origin": pl.Boolean, "value_kusd": pl.Float64}, orient="row")
    return frame.group_by("region", "is_origin", maintain_order=True).agg(pl.col("value_kusd").sum())
