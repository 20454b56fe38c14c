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
from karvan.routing import Entered, RouteSets, RouteSpace, build_graph, measured, route_space, routes_open, subset, united
from karvan.study.route_memory import RoutedSnapshot

BoolArray = npt.NDArray[np.bool_]

_NETWORK = ("places", "links", "terminals", "region_places")
"""Tables whose rows make a network."""
_IS_OPEN = "is_open"


@dataclass(frozen=True)
class CommonRoutes:
    """Routes found for several outlooks of a year, each once.

    What shippers have grows with each route to choose from, so that outlooks with routes of their own differ by what either search left
    out, too, which among hundreds of markets comes to as much as a measure gains. On these routes they differ by what is open.

    Attributes:
        tables: Places, links and terminals of all, open where they are in any.
        space: That network.
        sets: The routes in it.
    """

    tables: Mapping[str, pl.DataFrame]
    space: RouteSpace
    sets: RouteSets

    def open_in(self, snapshot: Snapshot) -> BoolArray:
        """Routes whose ways are there, open and permitted in a snapshot, shape (routes,)."""
        return routes_open(self.space, self.sets, {**snapshot.tables, **self._rows(snapshot)}, snapshot.state_date)

    def routed(self, snapshot: Snapshot, marked: BoolArray) -> tuple[RoutedSnapshot, BoolArray]:
        """A snapshot with these routes at its own costs; those that it lacks are shut.

        Args:
            snapshot: A year whose places, links and terminals are among those of the network.
            marked: Some of the routes, shape (routes,).

        Returns:
            The snapshot, and which of its routes are marked.
        """
        own = self._rows(snapshot)
        wide = {name: frame.with_columns(self.tables[name][_IS_OPEN]) for name, frame in own.items() if _IS_OPEN in frame.columns}
        tables = {**snapshot.tables, **own, **wide}
        price = self.sets.co2_price_usd_per_t
        space = route_space(measured(self.space.graph, tables), tables, date=snapshot.state_date, co2_price_usd_per_t=price)
        sets, entries, has = united(space, [self.sets, subset(self.space, self.sets, marked)])
        is_open = routes_open(space, sets, {**tables, **own}, snapshot.state_date)
        return RoutedSnapshot(snapshot, space, _unknown, replace(sets, is_open=is_open), entries), has[1]

    def _rows(self, snapshot: Snapshot) -> dict[str, pl.DataFrame]:
        """A snapshot's own tables with the rows of the network; what it lacks is shut."""
        return {name: _with_rows(name, snapshot.tables[name], self.tables[name]) for name in _NETWORK}


def common_routes(outlooks: Sequence[RoutedSnapshot]) -> CommonRoutes:
    """Routes of outlooks of one year, each with those found for it, the last with the rows of all."""
    last = outlooks[-1].snapshot
    tables = dict(last.tables)
    for name in _NETWORK:
        frames = [_with_rows(name, each.snapshot.tables[name], last.tables[name]) for each in outlooks]
        if _IS_OPEN in last.tables[name].columns:
            is_open = np.any([frame[_IS_OPEN].to_numpy() for frame in frames], axis=0)
            tables[name] = last.tables[name].with_columns(pl.Series(_IS_OPEN, is_open))
    price = outlooks[-1].sets.co2_price_usd_per_t
    space = route_space(build_graph(tables), tables, date=last.state_date, co2_price_usd_per_t=price)
    sets, _, _ = united(space, [each.sets for each in outlooks])
    return CommonRoutes(MappingProxyType({name: tables[name] for name in _NETWORK}), space, sets)


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
