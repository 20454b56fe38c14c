"""Where traffic that a set of measures gains comes from: it was there, it comes from another corridor, or it did not move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from karvan.assignment.assembly import NOT_SHIPPED

NORMAL, DIVERTED, GENERATED = "normal", "diverted", "generated"
_MARKET = ["origin_region", "destination_region", "commodity_group"]
_LEAST_KT = 1e-6


class TradesOfYear(Protocol):
    """A year with its flows by trade and route family."""

    @property
    def year(self) -> int:
        """The year."""

    @property
    def regions(self) -> pl.DataFrame:
        """origin_region, destination_region, commodity_group, family_id, flow_kt."""


def traffic_by_kind(before: Sequence[TradesOfYear], after: Sequence[TradesOfYear]) -> pl.DataFrame:
    """Traffic of route families that gain, by year: what they carried without, what other families lost, what did not move before.

    A trade's gains are shared out among its families that lose, in proportion to what each loses; goods that stayed at home and demand that
    was not there count as one more.

    Args:
        before: Years without.
        after: The same years with.

    Returns:
        year, to_family, kind, from_family, flow_kt.
    """
    totals: dict[tuple[int, str, str, str | None], float] = {}

    def add(year: int, to: str, kind: str, source: str | None, amount: float) -> None:
        key = (year, to, kind, source)
        totals[key] = totals.get(key, 0.0) + amount

    for one, other in zip(before, after, strict=True):
        keys = [*_MARKET, "family_id"]
        both = one.regions.join(other.regions, on=keys, how="full", coalesce=True, suffix="_with", validate="1:1").with_columns(
            pl.col("flow_kt", "flow_kt_with").fill_null(0.0)
        )
        for _, trade in both.sort(keys).group_by(_MARKET, maintain_order=True):
            moved = trade.filter(pl.col("family_id") != NOT_SHIPPED)
            change = dict(moved.select("family_id", pl.col("flow_kt_with") - pl.col("flow_kt")).iter_rows())
            had = dict(moved.select("family_id", "flow_kt").iter_rows())
            gained = {name: value for name, value in change.items() if value > _LEAST_KT}
            lost = {name: -value for name, value in change.items() if value < 0.0}
            total = sum(gained.values())
            for name, value in gained.items():
                add(one.year, name, NORMAL, None, had[name])
                from_others = min(sum(lost.values()), total)
                for source, amount in lost.items():
                    add(one.year, name, DIVERTED, source, value / total * from_others * amount / sum(lost.values()))
                add(one.year, name, GENERATED, None, value / total * (total - from_others))
    rows = [
        {"year": year, "to_family": to, "kind": kind, "from_family": source, "flow_kt": amount}
        for (year, to, kind, source), amount in sorted(totals.items(), key=lambda item: tuple(str(part) for part in item[0]))
        if amount > _LEAST_KT
    ]
    schema = {"year": pl.Int64, "to_family": pl.String, "kind": pl.String, "from_family": pl.String, "flow_kt": pl.Float64}
    return pl.DataFrame(rows, schema=schema)
