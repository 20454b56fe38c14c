"""Routes that outlooks held against each other have in common, so that what shippers gain is no matter of which routes were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Snapshot
from karvan.corridor.tables import key_texts
from karvan.routing import Entered, RouteSets, build_graph, measured, route_space, routes_open, united
from karvan.study.route_memory import RoutedSnapshot

BoolArray = npt.NDArray[np.bool_]

_NETWORK = ("places", "links", "terminals", "region_places")
"""Tables whose rows make a network."""
_IS_OPEN = "is_open"


@dataclass(frozen=True)
class CommonRoutes:
    """Routes found for several outlooks of a year, each once.

    What shippers have grows with each route to choose from, and falls for one that shares its way with others. Outlooks with routes of
    their own differ by what either search left out, and by overlaps with routes that only one of them has, which among hundreds of
    markets comes to as much as a measure gains. On these routes overlaps are the same in all; those that an outlook lacks are shut in it.

    Attributes:
        tables: Places, links and terminals of all, open where they are in any.
        sets: The routes, in that network.
        co2_price_usd_per_t: Carbon price in route choice.
    """

    tables: Mapping[str, pl.DataFrame]
    sets: RouteSets
    co2_price_usd_per_t: float

    def routed(self, snapshot: Snapshot) -> RoutedSnapshot:
        """A snapshot with these routes at its own costs.

        Args:
            snapshot: A year whose places, links and terminals are among those of the network.
        """
        own = {name: _with_rows(name, snapshot.tables[name], self.tables[name]) for name in _NETWORK}
        wide = {name: frame.with_columns(self.tables[name][_IS_OPEN]) for name, frame in own.items() if _IS_OPEN in frame.columns}
        tables = {**snapshot.tables, **own, **wide}
        graph = measured(self.sets.graph, tables)
        space = route_space(graph, tables, date=snapshot.state_date, co2_price_usd_per_t=self.co2_price_usd_per_t)
        sets, entries, _ = united(space, [self.sets])
        is_open = routes_open(space, sets, {**tables, **own}, snapshot.state_date)
        return RoutedSnapshot(snapshot, space, _unknown, replace(sets, is_open=is_open, overlaps_shut=True), entries)


def common_routes(outlooks: Sequence[RoutedSnapshot], *, co2_price_usd_per_t: float) -> CommonRoutes:
    """Routes of outlooks of one year, the last with the rows of all.

    Args:
        outlooks: Each with the routes found for it.
        co2_price_usd_per_t: Carbon price in route choice.
    """
    last = outlooks[-1].snapshot
    tables = dict(last.tables)
    for name in _NETWORK:
        frames = [_with_rows(name, each.snapshot.tables[name], last.tables[name]) for each in outlooks]
        if _IS_OPEN in last.tables[name].columns:
            is_open = np.any([frame[_IS_OPEN].to_numpy() for frame in frames], axis=0)
            tables[name] = last.tables[name].with_columns(pl.Series(_IS_OPEN, is_open))
    space = route_space(build_graph(tables), tables, date=last.state_date, co2_price_usd_per_t=co2_price_usd_per_t)
    sets, _, _ = united(space, [each.sets for each in outlooks])
    return CommonRoutes(MappingProxyType({name: tables[name] for name in _NETWORK}), sets, co2_price_usd_per_t)


def _with_rows(name: str, frame: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """A table with the rows of another, in their order; rows that it lacks are those of the other, shut."""
    own, every = key_texts(name, frame), key_texts(name, whole)
    if own == every:
        return frame
    lost = [number for number, key in enumerate(every) if key not in set(own)]
    more = whole[lost]
    if _IS_OPEN in more.columns:
        more = more.with_columns(pl.lit(value=False).alias(_IS_OPEN))
    place = {key: number for number, key in enumerate([*own, *(every[number] for number in lost)])}
    return pl.concat([frame, more])[[place[key] for key in every]]


def _unknown() -> Entered:
    raise LookupError("what is left out of routes of several outlooks is not known")
