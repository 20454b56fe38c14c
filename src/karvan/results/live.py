"""One year cleared again after a change, beside the year as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.results.rounding import rounded, rounded_frame

_HEADLINE = ("corridor_mt", "containers_teu", "crude_mt")
_COMPARED = ("flow", "turned_away", "shadow_price_usd_per_t")
_SHOWN = (
    "facility_id", "name", "unit", "flow", "capacity", "use_share", "turned_away", "shadow_price_usd_per_unit", "shadow_price_usd_per_t",
)  # fmt: skip


@dataclass(frozen=True)
class LiveYear:
    """What a screen redraws of a cleared year.

    Attributes:
        year: Calendar year.
        corridor_mt, containers_teu, crude_mt: Over the headline cordon, as of `YearResult`.
        links: link_id, flow_kt both ways together.
        facilities: facility_id, name, unit, flow, capacity, use_share, turned_away, shadow_price_usd_per_unit, shadow_price_usd_per_t.
        is_settled: Delays and flows fit each other.
    """

    year: int
    corridor_mt: float
    containers_teu: float
    crude_mt: float
    links: pl.DataFrame
    facilities: pl.DataFrame
    is_settled: bool

    @property
    def headline(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in _HEADLINE}


@dataclass(frozen=True)
class LiveAnswer:
    """A moved year beside its base.

    Attributes:
        now, base: The year moved, and as it was.
        routes: `base`: the routes of the base; `measured`: the same at new costs; `searched`: looked for anew.
        is_warm: The year that was moved stood ready.
        replaced: Values set in the year, and measures put in or left out.
    """

    now: LiveYear
    base: LiveYear
    routes: str
    is_warm: bool
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        now, base = self.now, self.base
        headline = {name: now.headline[name] - base.headline[name] for name in _HEADLINE}
        links = _beside(now.links, base.links, key="link_id", shown=("link_id", "flow_kt"), compared=("flow_kt",))
        answer: dict[str, Any] = rounded(
            {
                "year": now.year,
                "is_settled": now.is_settled,
                "routes": self.routes,
                "is_warm": self.is_warm,
                "replaced": [dict(item) for item in self.replaced],
                "headline": now.headline,
                "base_headline": base.headline,
                "difference": headline,
            }
        )
        return {
            **answer,
            "links": links.rename({"flow_kt_more": "difference_kt"}).to_dicts(),
            "facilities": _facilities(now.facilities, base.facilities),
        }


def _beside(now: pl.DataFrame, base: pl.DataFrame, *, key: str, shown: tuple[str, ...], compared: tuple[str, ...]) -> pl.DataFrame:
    """Rows of now with what is more than in the base, null where the base has no such row."""
    both = now.select(shown).join(base.select(key, *compared), on=key, how="left", suffix="_base", validate="1:1", maintain_order="left")
    more = [(pl.col(name) - pl.col(f"{name}_base")).alias(f"{name}_more") for name in compared]
    return rounded_frame(both.with_columns(more).drop([f"{name}_base" for name in compared]))


def _facilities(now: pl.DataFrame, base: pl.DataFrame) -> list[dict[str, Any]]:
    rows = _beside(now, base, key="facility_id", shown=_SHOWN, compared=_COMPARED).to_dicts()
    return [
        {**{name: row[name] for name in _SHOWN}, "difference": {name: row[f"{name}_more"] for name in _COMPARED}} for row in rows
    ]  # fmt: skip
