"""Routes of a saved run against what is built, open and allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.schema import ANY, GAUGES, LOADING_UNITS, MODES
from karvan.validation.book import ACCESS, CONTAINER, LINK, TERMINAL, Book, Steps, Tables, Year
from karvan.validation.tally import Check, Tally

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Row = Mapping[str, Any]

_BUILT = ("links", "terminals", "region_places", "modes")


def route_checks(book: Book) -> list[Check]:
    """Chains, elements, permissions and families of all routes."""
    return [_chains(book), _elements(book), _permissions(book), _families(book)]


def _chains(book: Book) -> Check:
    tally = Tally("chains", "every route is a chain from a place of its origin region to one of its destination region")
    steps, taken, first = book.steps, book.step, book.first
    if taken.shape[0] == 0:
        return tally.done()
    is_last = np.zeros(taken.shape[0], dtype=np.bool_)
    is_last[first[1:] - 1] = True
    meets = is_last[:-1] | (steps.head[taken[:-1]] == steps.tail[taken[1:]])

    def broken(at: int) -> str:
        before, after = steps.say(int(taken[at])), steps.say(int(taken[at + 1]))
        states = f"{steps.states[steps.head[taken[at]]]} and {steps.states[steps.tail[taken[at + 1]]]}"
        return f"{book.say_route(int(book.route_of_step[at]))}: {before} and {after} do not meet ({states}), must be one place and state"

    tally.claim(meets, say=broken)
    is_end = is_last.copy()
    is_end[first[:-1]] = True
    tally.claim(
        (steps.kind[taken] == ACCESS) == is_end,
        say=lambda at: f"{book.say_route(int(book.route_of_step[at]))} must start and end with access to its regions and nowhere else",
    )
    numbers = {state: number for number, state in enumerate(steps.states)}
    judged = set()
    for year in book.years:
        ends, routes = ends_of(book, year.tables), year.epoch.routes
        if (id(ends), year.epoch_number) in judged:
            continue
        judged.add((id(ends), year.epoch_number))
        for column, at_step, node in (("origin", first[:-1], steps.tail), ("destination", first[1:] - 1, steps.head)):
            wanted = book.memory.once(("ends", column, id(ends)), _end_states, ends[column], numbers)
            found = node[taken[at_step[routes]]]

            def astray(at: int, *, found: IntArray = found, routes: IntArray = routes, column: str = column) -> str:
                return (
                    f"{book.say_route(int(routes[at]))} has its {column} at {steps.states[found[at]]}, no place of its region for its goods"
                )

            tally.claim(found == wanted[book.market[routes]], say=astray)
    return tally.done()


def _end_states(names: list[str], numbers: Mapping[str, int]) -> IntArray:
    return np.array([numbers.get(name, -1) for name in names], dtype=np.int64)


def ends_of(book: Book, tables: Tables) -> dict[str, Any]:
    """Where the goods of each market start and end, by own reading of region_places.

    Returns:
        origin, destination: Name of the end's state of each market; share: of its goods between the two ends, shape (markets,), NaN where
        region_places knows no such end; pairs: number of ends each market_id should have.
    """
    key = ("ends", *book.memory.key(tables, ("region_places", "commodity_units")))
    found: dict[str, Any] = book.memory.once(key, _ends, book, tables)
    return found


def _ends(book: Book, tables: Tables) -> dict[str, Any]:
    rows: dict[tuple[str, str, str], list[Row]] = {}
    for row in tables["region_places"].iter_rows(named=True):
        rows.setdefault((row["region_id"], row["side"], row["commodity_group"]), []).append(row)
    units: dict[str, set[str]] = {}
    for row in tables["commodity_units"].iter_rows(named=True):
        units.setdefault(row["commodity_group"], set()).add(row["loading_unit"])

    def side_of(region: str, side: str, goods: str, form: str) -> tuple[str, dict[str, float]]:
        """Name of the rows that serve, and share by node."""
        candidates = [(region, written, group) for group in (goods, ANY) for written in (side, "both")]
        serving = next((key for key in candidates if key in rows), None)
        if serving is None:
            return "", {}
        usable = {unit for unit in units.get(goods, set()) if (unit == "container") == (form == "boxed")} | {ANY}
        chosen = [row for row in rows[serving] if row["loading_unit"] in usable]
        name = f"{side}:{'/'.join(serving)}"
        if all(row["share"] is None for row in rows[serving]):
            return name, {region: 1.0} if chosen else {}
        whole, part = sum(row["share"] for row in rows[serving]), sum(row["share"] for row in chosen)
        shares: dict[str, float] = {}
        for row in chosen:
            if row["share"] > 0.0:
                shares[row["place_id"]] = shares.get(row["place_id"], 0.0) + row["share"] * whole / part
        return name, shares

    known: dict[tuple[str, str, str, str], tuple[str, dict[str, float]]] = {}
    answer: dict[str, Any] = {"origin": [], "destination": [], "share": np.full(len(book.markets), np.nan), "pairs": {}}
    labels = zip(*(book.traits[name] for name in ("origin_region", "destination_region", "commodity_group", "form")), strict=True)
    for index, ((market_id, *nodes), (origin, destination, goods, form)) in enumerate(zip(book.markets, labels, strict=True)):
        share, pairs = 1.0, 1
        for side, region, node in (("origin", origin, nodes[0]), ("destination", destination, nodes[1])):
            key = (region, side, goods, form)
            if key not in known:
                known[key] = side_of(*key)
            name, shares = known[key]
            answer[side].append(f"{name}/{node}")
            share *= shares.get(node, np.nan)
            pairs *= len(shares)
        answer["share"][index] = share
        answer["pairs"][market_id] = pairs
    return answer


def _elements(book: Book) -> Check:
    tally = Tally(
        "elements", "links, terminals and accesses of every route with goods on it exist, are open and do what the route asks of them"
    )
    judged: _Judged | None = None
    for year in book.years:
        key = ("faults", *book.memory.key(year.tables, _BUILT))
        judged = book.memory.once(key, step_faults, book.steps, year.tables, judged)
        faults = judged.faults
        carrying = _carrying(book, year)
        bad = book.taking(np.array(sorted(faults), dtype=np.int64))
        form, usable = book.memory.once(("units", *book.memory.key(year.tables, ("commodity_units",))), _unit_faults, book, year.tables)
        wrong = carrying & (bad | form | usable)
        used = np.flatnonzero(carrying)

        def faulty(at: int, *, used: IntArray = used, faults: Mapping[int, str] = faults, form: BoolArray = form, year: Year = year) -> str:
            route = int(used[at])
            taken = book.step[book.first[route] : book.first[route + 1]].tolist()
            why = next((f"{book.steps.say(step)}, which {faults[step]}" for step in taken if step in faults), None)
            if why is None:
                why = "a loading unit of the other form" if form[route] else "a loading unit that its goods may not use"
            return f"{book.say_route(route)} carries goods {year.when} by {why}"

        tally.claim(~wrong[used], say=faulty)
    return tally.done()


def _carrying(book: Book, year: Year) -> BoolArray:
    """Routes with goods on them, shape (routes,)."""
    carrying = np.zeros(book.market.shape[0], dtype=np.bool_)
    carrying[year.epoch.routes[year.flow > 0.0]] = True
    return carrying


def _unit_faults(book: Book, tables: Tables) -> tuple[BoolArray, BoolArray]:
    """Routes that take a loading unit of the other form, and those that take one their goods may not use, shapes (routes,)."""
    allowed = np.zeros((len(book.commodities), len(LOADING_UNITS)), dtype=np.bool_)
    for goods, unit in tables["commodity_units"].select("commodity_group", pl.col("loading_unit").cast(pl.String)).iter_rows():
        if goods in book.commodities:
            allowed[book.commodities.index(goods), LOADING_UNITS.index(unit)] = True
    is_boxed = (book.trait("form") == "boxed")[book.market]
    form, usable = np.zeros(book.market.shape[0], dtype=np.bool_), np.zeros(book.market.shape[0], dtype=np.bool_)
    for unit in range(len(LOADING_UNITS)):
        routes = book.routes_with(np.flatnonzero((book.steps.before == unit) | (book.steps.after == unit)))
        form[routes] |= is_boxed[routes] != (unit == CONTAINER)
        usable[routes] |= ~allowed[book.commodity[book.market[routes]], unit]
    return form, usable


@dataclass(frozen=True)
class _Judged:
    """How elements stood when their steps were judged.

    Attributes:
        carried: Modes and the loading units that they carry.
        prints: A number that tells the row of each element apart, by kind.
        link_of: Link that each terminal stands on.
        faults: What is wrong, by step.
    """

    carried: frozenset[tuple[str, str]]
    prints: tuple[Mapping[str, int], ...]
    link_of: Mapping[str, str | None]
    faults: Mapping[int, str]


def step_faults(steps: Steps, tables: Tables, before: _Judged | None) -> _Judged:
    """What is wrong with steps, by step: their element is not there, is closed, or does not do what the step says.

    An element that stands as it did before, with everything on its link, is not looked at again.
    """
    carried = frozenset(tables["modes"].select(pl.col("mode", "loading_unit").cast(pl.String)).iter_rows())
    keys = (tables["links"]["link_id"].to_list(), tables["terminals"]["terminal_id"].to_list(), _access_keys(tables).to_list())
    frames = tuple(tables[name] for name in ("links", "terminals", "region_places"))
    prints = tuple(dict(zip(names, frame.hash_rows(seed=7).to_list(), strict=True)) for names, frame in zip(keys, frames, strict=True))
    link_of: dict[str, str | None] = dict(zip(keys[TERMINAL], tables["terminals"]["link_id"].to_list(), strict=True))
    standing: dict[str, list[str]] = {}
    for name in sorted(link_of):
        standing.setdefault(link_of[name] or "", []).append(name)
    wanted, faults = set(steps.by_element), dict[int, str]()
    if before is not None and before.carried == carried:
        moved = [{name for name, _ in now.items() ^ then.items()} for now, then in zip(prints, before.prints, strict=True)]
        links = moved[LINK] | {of[name] or "" for name in moved[TERMINAL] for of in (link_of, before.link_of) if name in of}
        touched = {(kind, name) for kind, names in enumerate(moved) for name in names} | {(LINK, link) for link in links}
        touched |= {(TERMINAL, name) for link in links if link for name in standing.get(link, [])}
        wanted &= touched
        again = {step for element in wanted for step in steps.by_element[element].tolist()}
        faults = {step: fault for step, fault in before.faults.items() if step not in again}
    place_of = tuple({name: place for place, name in enumerate(names)} for names in keys)
    for kind, element in sorted(wanted):
        at = place_of[kind].get(element)
        link_id = element if kind == LINK else link_of.get(element) if kind == TERMINAL else None
        link_at = place_of[LINK].get(link_id or "")
        row = None if at is None else frames[kind].row(at, named=True)
        link = None if link_at is None else frames[LINK].row(link_at, named=True)
        posts: list[Row] = (
            [] if link_id is None else [frames[TERMINAL].row(place_of[TERMINAL][name], named=True) for name in standing.get(link_id, [])]
        )
        faults |= _element_faults(steps, steps.by_element[kind, element], row, link, posts, carried)
    return _Judged(carried, prints, link_of, faults)


def _access_keys(tables: Tables) -> pl.Series:
    columns = ("region_id", "side", "commodity_group", "place_id", "loading_unit")
    return tables["region_places"].select(pl.concat_str(pl.col(columns).cast(pl.String), separator="/").alias("key"))["key"]


def _element_faults(
    steps: Steps, on: IntArray, row: Row | None, link: Row | None, posts: list[Row], carried: frozenset[tuple[str, str]]
) -> dict[int, str]:
    """Faults of the steps on one element."""
    faults = {}
    for step in on.tolist():
        if row is None:
            fault = "does not exist"
        elif steps.kind[step] == LINK:
            fault = _link_fault(steps, step, row, posts, carried)
        elif steps.kind[step] == TERMINAL:
            fault = _terminal_fault(steps, step, row, link, posts)
        else:
            fault = _access_fault(steps, step, row)
        if fault:
            faults[step] = fault
    return faults


def _state(steps: Steps, state: int) -> tuple[str, str, str]:
    return MODES[steps.state_mode[state]], GAUGES[steps.state_gauge[state]], LOADING_UNITS[steps.state_unit[state]]


def _spread(gauge: str) -> tuple[str, ...]:
    return ("1435", "1520") if gauge == "both" else (gauge,)


def _passage(link: Row, posts: list[Row], *, is_backward: bool, gauge: str, unit: str) -> list[tuple[str, str, Row | None]]:
    """What is passed along a link: element and place after it, posts of the start, the link, posts of the end."""
    start, end = (link["to_place"], link["from_place"]) if is_backward else (link["from_place"], link["to_place"])

    def standing(place: str) -> list[Row]:
        rows = [row for row in posts if row["place_id"] == place]
        return [row for row in rows if row["from_unit"] in (ANY, unit) and row["from_gauge"] in (ANY, "both", gauge)]

    leaving: list[tuple[str, str, Row | None]] = [(row["terminal_id"], start, row) for row in standing(start)]
    return [*leaving, (link["link_id"], end, None), *((row["terminal_id"], end, row) for row in standing(end))]


def _on_passage(steps: Steps, step: int, link: Row, posts: list[Row]) -> str:
    """What is wrong with a step along a link or over a border post on it; the same for all steps of the passage."""
    is_backward = bool(steps.is_backward[step])
    tail, head = int(steps.tail[step]), int(steps.head[step])
    mode, gauge, unit = _state(steps, tail)
    if _state(steps, head) != (mode, gauge, unit) or LOADING_UNITS[steps.before[step]] != unit or LOADING_UNITS[steps.after[step]] != unit:
        return "cannot change mode, gauge or loading unit"
    if not link["is_open"]:
        return "is closed"
    if is_backward and link["one_way"]:
        return "runs the other way only"
    if mode != link["mode"] or gauge not in _spread(link["gauge"]):
        return f"is {link['mode']} of gauge {link['gauge']}, not {mode} of gauge {gauge}"
    chain = _passage(link, posts, is_backward=is_backward, gauge=gauge, unit=unit)
    for name, _, row in chain:
        if row is not None and not row["is_open"]:
            return f"is shut by border post {name}, which is closed"
        if row is not None and is_backward and not row["both_ways"]:
            return f"is shut by border post {name}, which works the other way only"
    at = [name for name, _, _ in chain].index(steps.element[step])
    way = "backward" if is_backward else "forward"
    start = link["to_place"] if is_backward else link["from_place"]
    before = (start, "") if at == 0 else (chain[at - 1][1], f"{chain[at - 1][0]} {way}")
    after = (chain[at][1], "" if at == len(chain) - 1 else f"{chain[at][0]} {way}")
    found = tuple((steps.place_of(state), steps.state_passed[state]) for state in (tail, head))
    return (
        "" if found == (before, after) else f"does not lead from {_at(found[0])} to {_at(found[1])}, but from {_at(before)} to {_at(after)}"
    )


def _at(place_passed: tuple[str, str]) -> str:
    place, passed = place_passed
    return f"{place} behind {passed}" if passed else place


def _link_fault(steps: Steps, step: int, link: Row, posts: list[Row], carried: frozenset[tuple[str, str]]) -> str:
    if steps.state_place[steps.tail[step]] < 0 or steps.state_place[steps.head[step]] < 0:
        return "must join two places"
    unit = LOADING_UNITS[steps.before[step]]
    if (link["mode"], unit) not in carried:
        return f"does not carry {unit}"
    return _on_passage(steps, step, link, posts)


def _terminal_fault(steps: Steps, step: int, row: Row, link: Row | None, posts: list[Row]) -> str:
    tail, head = int(steps.tail[step]), int(steps.head[step])
    if steps.state_place[tail] < 0 or steps.state_place[head] < 0:
        return "must stand in a place"
    if not row["is_open"]:
        return "is closed"
    if steps.is_backward[step] and not row["both_ways"]:
        return "works the other way only"
    if row["link_id"] is not None:
        if link is None:
            return f"stands on {row['link_id']}, which does not exist"
        _, gauge, unit = _state(steps, tail)
        if row["terminal_id"] not in [name for name, _, _ in _passage(link, posts, is_backward=False, gauge=gauge, unit=unit)]:
            return "is not for this gauge and loading unit"
        return _on_passage(steps, step, link, posts)
    place = steps.places.get(row["place_id"], -1)
    if steps.state_place[tail] != place or steps.state_place[head] != place:
        return f"stands in {row['place_id']}, not elsewhere"
    before, after = _state(steps, tail), _state(steps, head)
    if (LOADING_UNITS[steps.before[step]], LOADING_UNITS[steps.after[step]]) != (before[2], after[2]):
        return "is passed in other loading units than its states"
    if steps.is_backward[step]:
        before, after = after, before
    mode, gauge, unit = (row[f"from_{part}"] for part in ("mode", "gauge", "unit"))
    fits = mode in (ANY, before[0]) and (gauge == ANY or before[1] in _spread(gauge)) and unit in (ANY, before[2])
    to_mode, to_gauge, to_unit = (row[f"to_{part}"] for part in ("mode", "gauge", "unit"))
    fits &= after[0] == (before[0] if to_mode == ANY else to_mode) and after[2] == (before[2] if to_unit == ANY else to_unit)
    if to_gauge == ANY:
        fits &= after[0] != before[0] or after[1] == before[1]
    else:
        fits &= after[1] in _spread(to_gauge)
    return "" if fits else f"does not make {'/'.join(after)} of {'/'.join(before)}"


def _access_fault(steps: Steps, step: int, row: Row) -> str:
    tail, head = int(steps.tail[step]), int(steps.head[step])
    is_start = steps.states[tail].startswith("origin:")
    if is_start == steps.states[head].startswith("destination:"):
        return "must join a region and a place"
    end, state, side = (tail, head, "origin") if is_start else (head, tail, "destination")
    node = row["region_id"] if row["share"] is None else row["place_id"]
    name = f"{side}:{row['region_id']}/{row['side']}/{row['commodity_group']}/{node}"
    if row["side"] not in ("both", side) or steps.states[end] != name:
        return f"leads to {steps.states[end]}, must lead to {name}"
    if steps.state_place[state] != steps.places.get(row["place_id"], -1) or steps.state_passed[state]:
        return f"must join {row['region_id']} with {row['place_id']}"
    unit = LOADING_UNITS[steps.state_unit[state]]
    return "" if row["loading_unit"] in (ANY, unit) else f"is for {row['loading_unit']} only, not for {unit}"


def _permissions(book: Book) -> Check:
    tally = Tally("permissions", "no goods go where a rule in force bans them")
    names = ("link_id", "terminal_id", "country", "commodity_group", "loading_unit", "origin_region", "destination_region")
    for year in book.years:
        date = year.snapshot.state_date
        carrying = _carrying(book, year)
        ban: dict[int, str] = {}
        for rule in book.row_dicts(year.tables, "permissions"):
            is_begun = rule["from_date"] is None or rule["from_date"] <= date
            is_over = rule["until_date"] is not None and rule["until_date"] <= date
            if not rule["in_force"] or not is_begun or is_over:
                continue
            inside = book.memory.key(year.tables, ("links", "places")) if rule["country"] is not None else ()
            key = ("rule", *(rule[name] for name in names), *inside)
            routes = book.memory.once(key, _banned_routes, book, rule, year.tables)
            for route in routes[carrying[routes]].tolist():
                ban.setdefault(route, rule["permission_id"])
        used = np.flatnonzero(carrying)
        is_free = np.ones(book.market.shape[0], dtype=np.bool_)
        is_free[list(ban)] = False

        def banned(at: int, *, used: IntArray = used, ban: Mapping[int, str] = ban, year: Year = year) -> str:
            return f"{book.say_route(int(used[at]))} carries goods {year.when}, which {ban[int(used[at])]} bans; must carry none"

        tally.claim(is_free[used], say=banned)
    return tally.done()


def _banned_routes(book: Book, rule: Row, tables: Tables) -> IntArray:
    """Routes that a rule bans while it is in force."""
    steps = book.steps
    parts = [np.zeros(0, dtype=np.int64)]
    if rule["link_id"] is not None:
        parts.append(steps.of(LINK, rule["link_id"]))
    if rule["terminal_id"] is not None:
        parts.append(steps.of(TERMINAL, rule["terminal_id"]))
    if rule["country"] is not None:
        key = ("countries", *book.memory.key(tables, ("links", "places")))
        parts.append(book.memory.once(key, _steps_by_country, steps, tables).get(rule["country"], parts[0]))
    banned = np.unique(np.concatenate(parts))
    if rule["loading_unit"] != ANY:
        unit = LOADING_UNITS.index(rule["loading_unit"])
        banned = banned[(steps.before[banned] == unit) | (steps.after[banned] == unit)]
    routes: IntArray = book.memory.once(("routes", banned.tobytes()), book.routes_with, banned)
    concerned = np.ones(len(book.markets), dtype=np.bool_)
    for name in ("commodity_group", "origin_region", "destination_region"):
        if rule[name] != ANY:
            concerned &= book.trait(name) == rule[name]
    return routes[concerned[book.market[routes]]]


def _steps_by_country(steps: Steps, tables: Tables) -> dict[str, IntArray]:
    """Steps on links that have an end in each country."""
    country_of = dict(tables["places"].select("place_id", "country").iter_rows())
    found: dict[str, list[IntArray]] = {}
    for link, start, end in tables["links"].select("link_id", "from_place", "to_place").iter_rows():
        for country in {country_of[start], country_of[end]}:
            found.setdefault(country, []).append(steps.of(LINK, link))
    return {country: np.concatenate(parts) for country, parts in found.items()}


def _families(book: Book) -> Check:
    tally = Tally("families", "every route belongs to the first route family, by order, whose conditions it meets")
    judged = set()
    for year in book.years:
        key = (year.epoch_number, *book.memory.key(year.tables, ("route_families",)))
        if key in judged:
            continue
        judged.add(key)
        family, named, serves = book.memory.once(
            ("families", *book.memory.key(year.tables, ("route_families",))), _true_families, book, year.tables
        )
        routes = year.epoch.routes

        def misplaced(at: int, *, routes: IntArray = routes, right: list[str] = named, family: IntArray = family, year: Year = year) -> str:
            return f"{book.say_route(int(routes[at]))} must be of family {right[family[routes[at]]]} {year.when}"

        tally.claim(family[routes] == book.family[routes], say=misplaced)

        def unserved(at: int, *, routes: IntArray = routes, year: Year = year) -> str:
            return f"{book.say_route(int(routes[at]))} is of a family that does not serve its regions {year.when}"

        tally.claim(serves[routes], say=unserved)
    return tally.done()


def _true_families(book: Book, tables: Tables) -> tuple[IntArray, list[str], BoolArray]:
    """Family of each route by its links, names of these numbers, and whether a route's own family serves its regions, shapes (routes,)."""

    def ids(cell: str | None) -> list[str]:
        return [] if cell is None else [name.strip() for name in cell.split(";")]

    def taking(links: list[str]) -> BoolArray:
        return book.taking(np.concatenate([np.zeros(0, dtype=np.int64), *(book.steps.of(LINK, link) for link in links)]))

    names = [*book.families, *(name for name in tables["route_families"]["family_id"] if name not in book.families), "none"]
    family = np.full(book.market.shape[0], len(names) - 1, dtype=np.int64)
    serves = np.ones(book.market.shape[0], dtype=np.bool_)
    is_free = np.ones(book.market.shape[0], dtype=np.bool_)
    goods = book.trait("commodity_group")
    origins, destinations = book.trait("origin_region"), book.trait("destination_region")
    for row in tables["route_families"].sort("order", "family_id").iter_rows(named=True):
        for_goods = ids(row["commodities"])
        fits = is_free & np.array([ANY in for_goods or name in for_goods for name in goods], dtype=np.bool_)[book.market]
        if row["via_any"] is not None:
            fits &= taking(ids(row["via_any"]))
        for link in ids(row["via_all"]):
            fits &= taking([link])
        if row["not_via"] is not None:
            fits &= ~taking(ids(row["not_via"]))
        code = names.index(row["family_id"])
        family[fits] = code
        is_free &= ~fits
        if row["ends_a"] is not None:
            one, other = set(ids(row["ends_a"])), set(ids(row["ends_b"]))
            ends = zip(origins, destinations, strict=True)
            between = np.array([(a in one and b in other) or (a in other and b in one) for a, b in ends], dtype=np.bool_)
            mine = book.family == code
            serves[mine] = between[book.market[mine]]
    return family, names, serves
