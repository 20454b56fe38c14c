"""How what one tariff earns is shared, and who is paid what along a way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.pricing import Alliance, bargained, shapley, side_payments
from karvan.results.tariffs import REGIMES
from karvan.study.tariff_market import TariffMarket

FloatArray = npt.NDArray[np.float64]

NATIONAL, NASH, THROUGH, WELFARE = REGIMES
_STACKED = 5
_MUSD = 1e3


def splits(market: TariffMarket, profit_kusd: Mapping[str, FloatArray], groups: Sequence[Alliance]) -> list[dict[str, Any]]:
    """Shares of what one tariff earns.

    Args:
        market: The market of the year.
        profit_kusd: What the whole market gives each member, by regime, each of shape (members,).
        groups: What partial alliances earn.
    """
    now, apart, booked = (profit_kusd[name] for name in (NATIONAL, NASH, THROUGH))
    total = float(booked.sum())
    agreed = bargained(apart, total) if total >= float(apart.sum()) else booked
    paid = side_payments(booked, agreed)
    values: dict[frozenset[int], float] = {frozenset(): 0.0, frozenset(range(market.members)): total}
    values |= {frozenset([member]): float(apart[member]) for member in range(market.members)}
    values |= {frozenset(group.members): group.profit_kusd for group in groups}
    fair = shapley(lambda members: values[members], market.members) if len(values) == 2**market.members else None
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


def stack(market: TariffMarket, margins: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """Charges along the way of the largest flows of the corridor, by operator in the order of the way.

    Args:
        market: The market of the year.
        margins: USD/t by regime, each of shape (members,).
    """
    assembly, sets = market.cleared.assembly, market.cleared.routed.sets
    operator = market.cleared.routed.rates.operator
    party = dict(market.cleared.routed.snapshot.tables["administrations"].select("operator_id", "administration_id").iter_rows())
    flow = np.where(market.is_corridor, market.cleared.clearing.route_flow_kt, 0.0)
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
                + (moved * (float(margin[member] / market.today_usd_per_t[member]) - 1.0) if member >= 0 else 0.0)
                for name, margin in margins.items()
            }
            rows.append({
                "market_id": sets.market_ids[at][0], "from_node": sets.market_ids[at][1], "to_node": sets.market_ids[at][2],
                "flow_kt": float(flow[route]), "order": number, "operator_id": market.operator_ids[place],
                "administration_id": party.get(market.operator_ids[place]), **told, "teu_per_t": market.teu_per_t,
            })  # fmt: skip
    return rows
