"""What rests on a facility or a link, what is paid there, and what closing it for a year would cost."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import effective_capacity
from karvan.corridor import Corridor, nearest
from karvan.corridor.ranges import Ranges, read_ranges
from karvan.errors import DataError, Problem
from karvan.measures.apply import apply
from karvan.results import Bundle, ClosedElement, CriticalFacility, Criticality, ElementUse, FamilyUse, RentPaid, TakenUp
from karvan.routing import payloads
from karvan.schema import LOADING_UNITS
from karvan.study.clear import Cleared, clear
from karvan.study.closure import Closure, Element, closure, element_units
from karvan.study.handed_over import handed
from karvan.study.options import Prepared, ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.sums import weighted_sum

FloatArray = npt.NDArray[np.float64]

_DAYS_PER_YEAR = 365.0
_BOX = LOADING_UNITS.index("container")
_NOTHING_KT = 1e-3
_SOLVER_SHARE = 1e-6
"""Flows of a clearing are known to this share."""


def select_link(
    corridor: Corridor,
    element_id: str,
    *,
    year: int | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    threads: int = 1,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> ElementUse:
    """What goes over a facility or a link in a year, what it pays there, and what follows if it closes for the year.

    Args:
        corridor: The corridor.
        element_id: A facility_id, a link_id, `facilities.ID` or `links.ID` where both have it, or the name of a facility.
        year: Calendar year; by default the base year.
        scenario: Scenario id; by default the corridor's baseline.
        options: Measures added or taken out, values set, an overlay.
        threads: Searches made at once; the answer does not depend on it.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input.
        ConvergenceError: The year did not clear, or not with the element closed.
    """
    tell = progress or silent
    prepared, cleared, element = _cleared(corridor, year, scenario, options, tell, element_id, routes)
    tell(f"closing {element.element_id}")
    closed = closure(cleared, element, headline_cordon=corridor.manifest.headline_cordon, threads=threads)
    return element_use(
        cleared, closed, corridor_id=corridor.manifest.id, scenario_id=prepared.scenario.scenario_id, replaced=prepared.replaced
    )  # fmt: skip


def criticality(
    corridor: Corridor,
    *,
    year: int | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Criticality:
    """What the closing of each facility for a year would cost, one at a time.

    Args:
        corridor, year, scenario, options, progress: As of `select_link`.
        threads: Facilities closed at once; the answer does not depend on it.

    Raises:
        DataError: Wrong input.
        ConvergenceError: The year did not clear, or not with some facility closed.
    """
    tell = progress or silent
    prepared, cleared, _ = _cleared(corridor, year, scenario, options, tell, None, None)
    headline = corridor.manifest.headline_cordon
    table = cleared.routed.snapshot.tables["facilities"]
    flow = cleared.set_flow_kt
    capacity = effective_capacity(table)
    ranges = read_ranges(prepared.corridor.tables)
    load = cleared.clearing.row_flow[: table.height]
    rows = list(table.iter_rows(named=True))
    units = [element_units(cleared, Element("facility", facility["facility_id"], row)) for row, facility in enumerate(rows)]
    # Facilities on the very same routes close the same, unless empties use one of them too.
    keys = [
        (np.packbits(units[row] > 0.0).tobytes(), row if _empties(float(load[row]), weighted_sum(flow, units[row])) else -1)
        for row in range(len(rows))
    ]  # fmt: skip
    first = {key: row for row, key in reversed(list(enumerate(keys)))}

    def close(row: int) -> ClosedElement:
        if load[row] == 0.0:
            return _nothing_closed()
        element = Element("facility", rows[row]["facility_id"], row)
        return _closed_element(cleared, closure(cleared, element, headline_cordon=headline, is_checked=False))

    closed: dict[int, ClosedElement] = {}
    with ThreadPoolExecutor(threads, thread_name_prefix="closures") as pool:
        for number, (row, found) in enumerate(zip(first.values(), pool.map(close, first.values()), strict=True), start=1):
            closed[row] = found
            tell(f"closed {number} of {len(first)}: {rows[row]['name']}")
    facilities = [
        _critical(ranges, facility, float(load[row]), float(capacity[row]), float(flow[units[row] > 0.0].sum()), closed[first[keys[row]]])
        for row, facility in enumerate(rows)
    ]
    weight, _ = cleared.routed.cordons[headline]
    return Criticality(
        corridor_id=corridor.manifest.id,
        scenario_id=prepared.scenario.scenario_id,
        year=cleared.routed.snapshot.year,
        headline_mt=weighted_sum(flow, weight) / 1e3,
        facilities=tuple(sorted(facilities, key=lambda item: (-item.loss_usd_per_day, item.facility_id))),
        replaced=prepared.replaced,
    )


def _cleared(
    corridor: Corridor,
    year: int | None,
    scenario: str | None,
    options: ScenarioOptions | None,
    tell: Progress,
    name: str | None,
    routes: RouteMemory | None,
) -> tuple[Prepared, Cleared, Element]:
    """The year cleared, and the element that a text names, looked up before any work."""
    manifest = corridor.manifest
    prepared = prepare(corridor, scenario or manifest.baseline, options or ScenarioOptions())
    year = manifest.base_year if year is None else year
    snapshot = apply(prepared.scenario, prepared.corridor, year=year)
    element = Element("facility", "", -1) if name is None else element_named(snapshot.tables, name)
    tell(f"clearing {year}")
    memory = routes or RouteMemory(folder=cache_folder())
    snapshot = handed(prepared, snapshot, memory, tell)
    cleared = clear(snapshot, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
    return prepared, cleared, element


def element_named(tables: Mapping[str, pl.DataFrame], name: str) -> Element:
    """The facility or link that a text names.

    Args:
        tables: Tables of a snapshot.
        name: A facility_id, a link_id, `facilities.ID`, `links.ID`, or the name of a facility.

    Raises:
        DataError: It names none, or both a facility and a link.
    """
    ids = {"facilities": tables["facilities"]["facility_id"].to_list(), "links": tables["links"]["link_id"].to_list()}
    kinds = {"facilities": "facility", "links": "link"}
    table, _, rest = name.partition(".")
    if rest and table in ids:
        if rest not in ids[table]:
            raise DataError(Problem(table, None, f"{kinds[table]}_id", f"there is no {kinds[table]} {rest}{nearest(rest, ids[table])}"))
        return Element(kinds[table], rest, ids[table].index(rest))
    found = [place for place in ids if name in ids[place]]
    if len(found) > 1:
        message = f"{name} is a facility and a link; write facilities.{name} or links.{name}"
        raise DataError(Problem("command line", None, "element", message))
    if found:
        return Element(kinds[found[0]], name, ids[found[0]].index(name))
    shown = [text.casefold() for text in tables["facilities"]["name"]]
    if shown.count(name.casefold()) == 1:
        row = shown.index(name.casefold())
        return Element("facility", ids["facilities"][row], row)
    message = f"{name} is neither a facility nor a link{nearest(name, [*ids['facilities'], *ids['links'], *tables['facilities']['name']])}"
    raise DataError(Problem("command line", None, "element", message))


def element_use(
    cleared: Cleared, closed: Closure, *, corridor_id: str, scenario_id: str, replaced: tuple[Mapping[str, Any], ...] = ()
) -> ElementUse:
    """What rests on the element of a closure in a cleared year.

    Args:
        cleared: The cleared year.
        closed: The closing of the element.
        corridor_id, scenario_id, replaced: To be told.
    """
    tables, element = cleared.routed.snapshot.tables, closed.element
    is_facility = element.kind == "facility"
    units, flow = element_units(cleared, element), cleared.set_flow_kt
    row = tables["facilities" if is_facility else "links"].row(element.row, named=True)
    loaded = weighted_sum(flow, units)
    load = float(cleared.clearing.row_flow[element.row]) if is_facility else loaded
    empties = _empties(load, loaded)
    paid = _Paid.on(cleared, element)
    teu_per_t = _teu_per_t(cleared)
    return ElementUse(
        kind=element.kind,
        element_id=element.element_id,
        name=row["name"] if is_facility else _link_name(tables, row),
        corridor_id=corridor_id,
        scenario_id=scenario_id,
        year=cleared.routed.snapshot.year,
        unit=str(row["unit"]) if is_facility else "kt",
        load=load,
        empty_load=empties,
        other_load=float(row["other_load"]) if is_facility else 0.0,
        capacity=float(effective_capacity(tables["facilities"])[element.row]) if is_facility else None,
        flow_kt=float(flow[units > 0.0].sum()),
        flow_teu=float((flow * teu_per_t)[units > 0.0].sum()) * 1e3,
        forward_kt=None if is_facility else _one_way(cleared, element, 0),
        backward_kt=None if is_facility else _one_way(cleared, element, 1),
        is_public=bool(row["is_public"]) if is_facility else True,
        bundles=_bundles(cleared, units, paid.usd_per_t, teu_per_t, load),
        families=_families(cleared, flow * (units > 0.0)),
        rents=paid.rents(cleared, flow * (units > 0.0), empties if is_facility else 0.0),
        paid_musd=weighted_sum(flow, paid.usd_per_t * (units > 0.0)) / 1e3 + paid.empties_musd(empties if is_facility else 0.0),
        empties_paid_musd=paid.empties_musd(empties if is_facility else 0.0),
        if_closed=_closed_element(cleared, closed),
        replaced=replaced,
    )


def _empties(load: float, loaded: float) -> float:
    """What of a load is no goods, beyond what the solver's tolerance leaves."""
    return load - loaded if load - loaded > _SOLVER_SHARE * max(load, 1.0) else 0.0


@dataclass(frozen=True)
class _Paid:
    """Prices of the facilities that an element is, or that stand on it.

    Attributes:
        rows: These facilities.
        price: Their prices, USD per unit, shape (those,).
        by_row: What a tonne on each route pays at each, USD/t, shape (those, routes of the sets).
    """

    rows: tuple[int, ...]
    price: FloatArray
    by_row: FloatArray

    @classmethod
    def on(cls, cleared: Cleared, element: Element) -> _Paid:
        rows = (element.row,) if element.kind == "facility" else _facilities_on(cleared.routed.snapshot.tables, element.element_id)
        price = cleared.row_price
        weight = cleared.problem.market_price_weight[cleared.routed.sets.route_market]
        by_row = [
            weight * price[row] * element_units(cleared, Element("facility", "", row)) for row in rows
        ]  # fmt: skip
        count = cleared.routed.sets.route_count
        return cls(rows, np.array([price[row] for row in rows]), np.array(by_row, dtype=np.float64).reshape(len(rows), count))

    @property
    def usd_per_t(self) -> FloatArray:
        """What a tonne on each route pays, shape (routes of the sets,)."""
        return np.asarray(self.by_row.sum(axis=0), dtype=np.float64)

    def empties_musd(self, empty_load: float) -> float:
        """What empties pay at the facility that the element is."""
        return float(self.price[0]) * empty_load / 1e3 if empty_load > 0.0 else 0.0

    def rents(self, cleared: Cleared, flow_kt: FloatArray, empty_load: float) -> tuple[RentPaid, ...]:
        """Who is paid what, largest first; facilities without a price are left out."""
        tables = cleared.routed.snapshot.tables
        operators = dict(tables["operators"].select("operator_id", "name").iter_rows())
        found = []
        for number, row in enumerate(self.rows):
            facility = tables["facilities"].row(row, named=True)
            if self.price[number] != 0.0:
                found.append(
                    RentPaid(
                        facility_id=facility["facility_id"],
                        name=facility["name"],
                        operator_id=facility["operator_id"],
                        operator_name=operators[facility["operator_id"]],
                        price_usd_per_unit=float(self.price[number]),
                        paid_musd=weighted_sum(flow_kt, self.by_row[number]) / 1e3 + self.empties_musd(empty_load),
                        is_public=facility["is_public"],
                    )
                )
        return tuple(sorted(found, key=lambda item: (-abs(item.paid_musd), item.facility_id)))


def _facilities_on(tables: Mapping[str, pl.DataFrame], link_id: str) -> tuple[int, ...]:
    """Facilities that a link, or a border post on it, uses up."""
    posts = tables["terminals"].filter(pl.col("link_id") == link_id)["terminal_id"].to_list()
    uses = tables["facility_uses"].filter((pl.col("link_id") == link_id) | pl.col("terminal_id").is_in(posts))["facility_id"].to_list()
    return tuple(row for row, name in enumerate(tables["facilities"]["facility_id"]) if name in uses)


def _link_name(tables: Mapping[str, pl.DataFrame], row: Mapping[str, Any]) -> str:
    places = dict(tables["places"].select("place_id", "name").iter_rows())
    return f"{places[row['from_place']]} - {places[row['to_place']]}, {str(row['mode']).replace('_', ' ')}"


def _one_way(cleared: Cleared, element: Element, direction: int) -> float:
    sets, graph = cleared.routed.sets, cleared.routed.graph
    passes = (graph.arc_link == element.row) & (graph.arc_direction == direction)
    return float(cleared.set_flow_kt[np.unique(sets.route_of_step[passes[sets.route_arc]])].sum())


def _teu_per_t(cleared: Cleared) -> FloatArray:
    """Boxes of a tonne on each route, zero for loose goods, shape (routes of the sets,)."""
    sets = cleared.routed.sets
    payload = {name: float(units[_BOX]) for name, units in payloads(cleared.routed.snapshot.tables).items()}
    by_market = [
        1.0 / payload[goods] if form == "boxed" else 0.0 for goods, form in zip(sets.market_commodity, sets.market_form, strict=True)
    ]
    return np.array(by_market, dtype=np.float64)[sets.route_market]


def _bundles(cleared: Cleared, units: FloatArray, usd_per_t: FloatArray, teu_per_t: FloatArray, load: float) -> tuple[Bundle, ...]:
    """Goods on the element by what goes where, largest load first."""
    tables, sets, flow = cleared.routed.snapshot.tables, cleared.routed.sets, cleared.set_flow_kt
    regions = dict(tables["regions"].select("region_id", "name").iter_rows())
    goods = dict(tables["commodities"].select("commodity_group", "name").iter_rows())
    labels = list(zip(sets.market_origin_region, sets.market_destination_region, sets.market_commodity, sets.market_form, strict=True))
    amounts = np.stack([flow, flow * teu_per_t * 1e3, flow * units, flow * usd_per_t / 1e3], axis=1) * (units > 0.0)[:, None]
    sums: dict[tuple[str, str, str, str], FloatArray] = {}
    for route in np.flatnonzero(amounts[:, 0]).tolist():
        key = labels[int(sets.route_market[route])]
        sums[key] = sums.get(key, np.zeros(4)) + amounts[route]
    found = [
        Bundle(
            origin_region=origin,
            origin_name=regions[origin],
            destination_region=destination,
            destination_name=regions[destination],
            commodity_group=commodity,
            commodity_name=goods[commodity],
            form=form,
            flow_kt=float(total[0]),
            flow_teu=float(total[1]),
            load=float(total[2]),
            load_share=float(total[2]) / load if load > 0.0 else 0.0,
            price_usd_per_t=float(total[3]) * 1e3 / float(total[0]),
            paid_musd=float(total[3]),
        )
        for (origin, destination, commodity, form), total in sums.items()
    ]
    return tuple(sorted(found, key=lambda item: (-item.load, item.origin_region, item.destination_region, item.commodity_group, item.form)))


def _families(cleared: Cleared, flow_kt: FloatArray, family: npt.NDArray[np.int64] | None = None) -> tuple[FamilyUse, ...]:
    """Tonnes by route family, largest first; families without any are left out."""
    sets = cleared.routed.sets
    names = dict(cleared.routed.snapshot.tables["route_families"].select("family_id", "name").iter_rows())
    total = np.bincount(sets.route_family if family is None else family, weights=flow_kt, minlength=len(sets.family_ids))
    found = [FamilyUse(name, names[name], float(value)) for name, value in zip(sets.family_ids, total, strict=True) if value != 0.0]
    return tuple(sorted(found, key=lambda item: (-item.flow_kt, item.family_id)))


def _nothing_closed() -> ClosedElement:
    """What follows when something closes that nothing uses."""
    return ClosedElement(0.0, 0.0, 0.0, (), (), 0.0, 0.0, 0.0, 0.0, None)


def _closed_element(cleared: Cleared, closed: Closure) -> ClosedElement:
    before, after = closed.is_open.set_flow_kt, closed.is_closed.set_flow_kt
    through_before, through_after = before * (closed.is_open.units_per_t > 0.0), after * (closed.is_closed.units_per_t > 0.0)
    kept_home = float(before.sum() - after.sum())
    other = (after - through_after) - (before - through_before)
    loss = closed.loss_kusd
    return ClosedElement(
        carried_kt=float(through_before.sum()),
        rerouted_kt=float(other.sum()),
        kept_home_kt=kept_home,
        families=_families(cleared, other, closed.sets.route_family),
        taken_up=_taken_up(cleared, closed, after - before),
        loss_musd=loss / 1e3,
        loss_usd_per_day=loss * 1e3 / _DAYS_PER_YEAR,
        rent_change_musd=(closed.is_closed.clearing.rent_kusd - closed.is_open.clearing.rent_kusd) / 1e3,
        headline_lost_mt=closed.is_open.headline_mt - closed.is_closed.headline_mt,
        route_gap=closed.route_gap,
    )


def _taken_up(cleared: Cleared, closed: Closure, more_kt: FloatArray) -> tuple[TakenUp, ...]:
    """Facilities that carry more or less, most tonnes more first."""
    table = cleared.routed.snapshot.tables["facilities"]
    entries, capacity = closed.entries, effective_capacity(table)
    on_entry = np.repeat(more_kt, np.diff(entries.route_first_entry))
    count = int(entries.entry_row.max(initial=-1)) + 1
    tonnes = np.bincount(entries.entry_row, weights=on_entry, minlength=max(count, table.height))[: table.height]
    load = closed.is_closed.clearing.row_flow[: table.height]
    more = load - closed.is_open.clearing.row_flow[: table.height]
    found = []
    for row, facility in enumerate(table.iter_rows(named=True)):
        is_it = closed.element.kind == "facility" and closed.element.row == row
        if abs(tonnes[row]) > _NOTHING_KT and not is_it:
            used = float(load[row]) + facility["other_load"]
            share = used / float(capacity[row]) if capacity[row] > 0.0 else 0.0
            found.append(TakenUp(facility["facility_id"], facility["name"], facility["unit"], float(tonnes[row]), float(more[row]), share))
    return tuple(sorted(found, key=lambda item: (-item.more_kt, item.facility_id)))


def _critical(
    ranges: Ranges, facility: Mapping[str, Any], load: float, capacity: float, flow_kt: float, closed: ClosedElement
) -> CriticalFacility:
    trust = str(facility["confidence"])
    span = ranges.of("facilities", facility["facility_id"], "nominal", value=facility["nominal"], confidence=trust)
    return CriticalFacility(
        facility_id=facility["facility_id"],
        name=facility["name"],
        unit=str(facility["unit"]),
        load=load,
        capacity=capacity,
        flow_kt=flow_kt,
        rerouted_kt=closed.rerouted_kt,
        kept_home_kt=closed.kept_home_kt,
        loss_usd_per_day=closed.loss_usd_per_day,
        headline_lost_mt=closed.headline_lost_mt,
        is_public=facility["is_public"],
        confidence=trust if span is None else span.confidence,
        low=None if span is None else span.low,
        high=None if span is None else span.high,
    )
