"""Routes kept between years, scenarios and runs: in memory by network, on disk by year."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import stored_constants
from karvan.corridor import Snapshot, rows_digest
from karvan.errors import DataError, Problem
from karvan.routing import (
    MEASURES,
    ArcRates,
    Entered,
    FacilityEntries,
    RouteSets,
    RouteSpace,
    StateGraph,
    arc_rates,
    at_rest,
    build_graph,
    cordon_weights,
    entered,
    first_routes,
    measured,
    recalled,
    recalled_pool,
    route_space,
)
from karvan.study.options import code_hash

if TYPE_CHECKING:
    from collections.abc import Callable

FloatArray = npt.NDArray[np.float64]

ROUTING_TABLES = (
    "places", "modes", "links", "terminals", "facility_uses", "returns", "tariffs", "route_families", "regions", "region_places",
    "commodities", "commodity_units", "permissions", "cordons", "operators",
)  # fmt: skip
"""Tables that routes depend on."""
MARKET_TABLES = ("facilities", "demand", "delay_curves", "road_curves", "constants", "demand_factors", "base_costs")
"""Tables that the market of a year depends on beside them."""
_MOST_BYTES = 500_000_000
_MOST_HELD = 4
_ROUTES = ("market", "family", "length", "arc")
_STANDING = ("gap", "share", "composite")
CACHE_VARIABLE = "KARVAN_CACHE"
"""Environment variable: folder for routes kept between runs, or `off`."""


@dataclass(frozen=True)
class RoutedSnapshot:
    """A snapshot with its routes.

    Attributes:
        snapshot: The snapshot.
        space: What its routes were searched in.
        rest_of: Gives what is known at rest: routes that are choices while nothing has a price or a delay.
        sets: Routes that are choices now.
        entries: What they use.
    """

    snapshot: Snapshot
    space: RouteSpace
    rest_of: Callable[[], Entered]
    sets: RouteSets
    entries: FacilityEntries

    @property
    def rest(self) -> Entered:
        """Routes that are choices while nothing has a price or a delay, and what is known of those left out."""
        return self.rest_of()

    @property
    def graph(self) -> StateGraph:
        """The state graph."""
        return self.space.graph

    @cached_property
    def cordons(self) -> Mapping[str, tuple[FloatArray, FloatArray]]:
        """Kilotonnes and kTEU counted per kt of each route, by cordon."""
        return cordon_weights(self.snapshot.tables, self.sets)

    @cached_property
    def rates(self) -> ArcRates:
        """Who is paid what on each arc."""
        return arc_rates(self.space, self.snapshot.tables)


class RoutingKey(NamedTuple):
    """All that routes at rest depend on but for the constants: digests of tables, permissions in force, the carbon price."""

    digests: tuple[bytes, ...]
    in_force: tuple[str, ...]
    co2_price_usd_per_t: float


class YearKey(NamedTuple):
    """All that the routes of a year depend on: what routes at rest do, and the market's own tables and settings."""

    routing: RoutingKey
    market: tuple[object, ...]


@dataclass(frozen=True)
class Kept:
    """What is kept of a year beside its routes.

    Attributes:
        row_price: Prices that cleared its market, shape (rows,).
        delay_h: Delays that fit its flows, shape (facilities,).
        is_settled: They do, to the tolerance.
        delay_evaluations: Clearings it took to find them.
        route_gap: Largest share of its market that a route left out would take.
    """

    row_price: FloatArray
    delay_h: FloatArray
    is_settled: bool
    delay_evaluations: int
    route_gap: float


class RouteMemory:
    """Routes remembered by what they depend on, so that years, scenarios, futures and later runs share them.

    Routes at rest depend on the network, its costs and the constants alone and are kept in memory. The routes of a year depend on all that
    the market reads; they are kept on disk, with the prices and delays found, if there is a folder. What is remembered never depends on
    which year asked first, nor on the thread, and a year recalled has the same digits as one searched.

    Args:
        threads: Searches made at once; the routes do not depend on it.
        folder: Where routes of years are kept between runs, or None.
    """

    def __init__(self, *, threads: int = 1, folder: Path | None = None) -> None:
        self.threads = threads
        self.folder = folder
        self._guard = Lock()
        self._locks: dict[tuple[object, ...], Lock] = {}
        self._graphs: dict[tuple[object, ...], StateGraph] = {}
        self._spaces: dict[tuple[object, ...], RouteSpace] = {}
        self._firsts: dict[tuple[object, ...], RouteSets] = {}
        self._rests: dict[tuple[object, ...], Entered] = {}
        self._held: dict[tuple[object, ...], Any] = {}
        self._code: str | None = None

    def routed(self, snapshot: Snapshot, *, co2_price_usd_per_t: float, is_strict: bool = True) -> RoutedSnapshot:
        """The snapshot with its routes at rest.

        Args:
            snapshot: The snapshot.
            co2_price_usd_per_t: Carbon price in route choice.
            is_strict: A market without a route is an error; if false its goods stay at home, as under a ban.

        Raises:
            DataError: A market has no route.
        """
        if is_strict:
            self.require_routes(snapshot, co2_price_usd_per_t=co2_price_usd_per_t)
        key = _routing_key(snapshot, co2_price_usd_per_t)
        rest = self._rest(snapshot, key)
        return RoutedSnapshot(snapshot, self._space(snapshot, key), lambda: rest, rest.sets, rest.entries)

    def require_routes(self, snapshot: Snapshot, *, co2_price_usd_per_t: float) -> None:
        """Raise a DataError with every market that has no route."""
        found = self._first(snapshot, _routing_key(snapshot, co2_price_usd_per_t)).unreachable
        if found:
            raise DataError([_unreachable(snapshot, market) for market in found])

    def _first(self, snapshot: Snapshot, key: RoutingKey) -> RouteSets:
        space = self._space(snapshot, key)
        with self._lock(key):
            if key not in self._firsts:
                self._firsts[key] = first_routes(space, threads=self.threads)
        return self._firsts[key]

    def _space(self, snapshot: Snapshot, key: RoutingKey) -> RouteSpace:
        """What the snapshot's routes are searched in."""
        with self._lock(key):
            if key not in self._spaces:
                self._spaces[key] = route_space(
                    self._graph(snapshot), snapshot.tables, date=snapshot.state_date, co2_price_usd_per_t=key.co2_price_usd_per_t
                )  # fmt: skip
        return self._spaces[key]

    def _graph(self, snapshot: Snapshot) -> StateGraph:
        """The snapshot's state graph; its nodes and arcs are those of another that differs in times and lengths only."""
        key = ("network", *_network_key(snapshot))
        with self._lock(key):
            if key not in self._graphs:
                self._graphs[key] = build_graph(snapshot.tables)
                return self._graphs[key]
        return measured(self._graphs[key], snapshot.tables)

    def _rest(self, snapshot: Snapshot, key: RoutingKey) -> Entered:
        """Routes that are choices while nothing has a price or a delay."""
        space = self._space(snapshot, key)
        constants = stored_constants(snapshot.tables)
        whole = (*key, tuple(sorted(constants.items())))
        with self._lock(whole):
            if whole not in self._rests:
                kept = self._read(whole)
                if kept is None:
                    found = entered(space, self._first(snapshot, key), at_rest(space, constants), threads=self.threads)
                    pool, is_in = found.pool.sets, found.pool.is_in
                    self._write(whole, **_written(pool), is_in=is_in, **{name: getattr(found, name) for name in _STANDING})
                else:
                    found = recalled_pool(
                        space, *(kept[name] for name in _ROUTES), is_in=kept["is_in"], standing=at_rest(space, constants),
                        **{name: kept[name] for name in _STANDING},
                    )  # fmt: skip
                self._rests[whole] = found
        return self._rests[whole]

    def recall(self, snapshot: Snapshot, key: YearKey) -> tuple[RoutedSnapshot, Kept] | None:
        """The snapshot with the routes that a year with this key was found to have, and what was kept; None if it is not known."""
        kept = self._read(key)
        if kept is None:
            return None
        space = self._space(snapshot, key.routing)
        sets, entries = recalled(space, *(kept[name] for name in _ROUTES))
        routed = RoutedSnapshot(snapshot, space, lambda: self._rest(snapshot, key.routing), sets, entries)
        found = Kept(
            kept["row_price"], kept["delay_h"], bool(kept["is_settled"]), int(kept["delay_evaluations"]), float(kept["route_gap"])
        )  # fmt: skip
        return routed, found

    def is_kept(self, key: YearKey) -> bool:
        """Whether a year is kept on disk."""
        path = self._path(key)
        return path is not None and path.is_file()

    def keep(self, key: YearKey, sets: RouteSets, found: Kept) -> None:
        """Keep a year for later runs; a folder that cannot be written is left alone."""
        self._write(key, **_written(sets), **{item.name: np.asarray(getattr(found, item.name)) for item in fields(found)})

    def recall_arrays(self, key: tuple[object, ...]) -> dict[str, npt.NDArray[Any]] | None:
        """What another study kept under a key of its own, None if nothing is."""
        return self._read(key)

    def keep_arrays(self, key: tuple[object, ...], **arrays: npt.NDArray[Any]) -> None:
        """Keep what another study found for later runs; its key must hold all that it depends on."""
        self._write(key, **arrays)

    def _read(self, key: tuple[object, ...]) -> dict[str, npt.NDArray[Any]] | None:
        """What was written under a key, None if nothing was or it cannot be read."""
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path) as found:
                kept = {name: found[name] for name in found.files}
            os.utime(path)
        except (OSError, ValueError, KeyError):
            return None
        return kept

    def _write(self, key: tuple[object, ...], **arrays: npt.NDArray[Any]) -> None:
        path = self._path(key)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            with os.fdopen(handle, "wb") as opened:
                np.savez(opened, allow_pickle=False, **arrays)
            Path(name).replace(path)
            _prune(path.parent)
        except OSError:
            return

    def turn(self, key: tuple[object, ...]) -> Lock:
        """A lock for the one who works on a key."""
        return self._lock(("turn", *key))

    def hold(self, key: tuple[object, ...], found: Any) -> None:
        """Have what was found for a key at hand; the oldest of a few is let go."""
        with self._guard:
            self._held[key] = found
            while len(self._held) > _MOST_HELD:
                del self._held[next(iter(self._held))]

    def held(self, key: tuple[object, ...]) -> Any:
        """What is at hand for a key, or None."""
        with self._guard:
            return self._held.get(key)

    def year_key(self, snapshot: Snapshot, *, co2_price_usd_per_t: float, settings: tuple[object, ...]) -> YearKey:
        """All that the routes of a year depend on."""
        digests = (snapshot.digests[name] for name in MARKET_TABLES)
        return YearKey(_routing_key(snapshot, co2_price_usd_per_t), (*digests, *settings))

    def _lock(self, key: tuple[object, ...]) -> Lock:
        with self._guard:
            return self._locks.setdefault(key, Lock())

    def _path(self, key: tuple[object, ...]) -> Path | None:
        if self.folder is None:
            return None
        if self._code is None:
            self._code = code_hash()
        text = json.dumps([self._code, np.__version__, pl.__version__, *map(str, key)])
        return self.folder / f"{hashlib.sha256(text.encode('utf-8')).hexdigest()[:32]}.npz"


def _written(sets: RouteSets) -> dict[str, npt.NDArray[Any]]:
    """Routes as they are written down, in the order of `_ROUTES`."""
    family = sets.route_family.astype(np.int8 if len(sets.family_ids) < 128 else np.int32)
    arc = sets.route_arc.astype(np.uint16 if sets.graph.arc_count < 2**16 else np.int32)
    values = (sets.route_market.astype(np.int32), family, np.diff(sets.route_first_arc).astype(np.int32), arc)
    return dict(zip(_ROUTES, values, strict=True))


def cache_folder() -> Path | None:
    """Folder for routes kept between runs: what KARVAN_CACHE says (`off` for none), else the user's own cache folder."""
    named = os.environ.get(CACHE_VARIABLE, "")
    if named.strip().lower() in ("off", "0", "no"):
        return None
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "karvan"


def _prune(folder: Path) -> None:
    """Remove what was used longest ago while the folder is over its size."""
    files = sorted(((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.npz")), reverse=True)
    total = 0
    for _, size, path in files:
        total += size
        if total > _MOST_BYTES:
            path.unlink(missing_ok=True)


def _routing_key(snapshot: Snapshot, co2_price_usd_per_t: float) -> RoutingKey:
    rules, day = snapshot.tables["permissions"], snapshot.state_date
    columns = (rules[name].to_list() for name in ("permission_id", "in_force", "from_date", "until_date"))
    in_force = tuple(
        sorted(
            name for name, is_in, begin, end in zip(*columns, strict=True)
            if is_in and (begin is None or begin <= day) and (end is None or end > day)
        )
    )  # fmt: skip
    digests = (snapshot.digests[name] for name in ROUTING_TABLES if name != "permissions")
    markets = snapshot.tables["demand"].select("market_id", "origin_region", "destination_region", "commodity_group", "form")
    facilities = snapshot.tables["facilities"].select("facility_id", "unit")
    frames = (rules.drop("in_force"), markets, facilities)
    return RoutingKey((*digests, *(rows_digest(frame) for frame in frames)), in_force, co2_price_usd_per_t)


def _network_key(snapshot: Snapshot) -> tuple[object, ...]:
    """All that the nodes and arcs of a graph depend on."""
    shape = (rows_digest(snapshot.tables[name].drop(columns)) for name, columns in MEASURES.items())
    return (*shape, snapshot.digests["places"], snapshot.digests["operators"])


def _unreachable(snapshot: Snapshot, market: tuple[str, str, str]) -> Problem:
    market_id, origin, destination = market
    row = snapshot.tables["demand"]["market_id"].to_list().index(market_id) + 1
    remedy = "open a link, a terminal or a tariff, or drop the market"
    message = f"market {market_id} has no route from {origin} to {destination} in {snapshot.year}; {remedy}"
    return Problem("demand", row, "market_id", message)
