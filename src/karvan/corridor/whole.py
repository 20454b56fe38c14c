"""Tables against each other: references, and rules that one table's declaration cannot say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from karvan.corridor.tables import TABLES, columns_of, key_texts, metadata_of, nearest
from karvan.errors import Problem
from karvan.evidence.observations import COMPARED, POWER
from karvan.network.journeys import CAREC_MODES
from karvan.schema import ANY, UNIT_CARRIED

_SHARE_TOLERANCE = 1e-6
_MONTHS = 12
_RATIO_TOLERANCE = 5e-3
_CONTAINER = "container"

Tables = Mapping[str, pl.DataFrame]


def table_problems(tables: Tables, measure_ids: Collection[str]) -> list[Problem]:
    """Everything wrong between the tables of a corridor, in the order of the tables.

    Args:
        tables: Every declared table by name. One that could not be read may be missing: what needs it is then not looked at.
        measure_ids: Measures of the corridor.
    """
    problems = [problem for table in tables for problem in _reference_problems(tables, table)]
    for needed, check in _CHECKS:
        if all(name in tables for name in needed):
            problems.extend(check(tables))
    if "commitments" in tables:
        problems.extend(_serving_measures(tables, measure_ids))
        problems.extend(_shocks(tables, measure_ids))
    order = list(TABLES)
    return sorted(problems, key=lambda item: (order.index(item.table), item.row or 0))


def _reference_problems(tables: Tables, table: str) -> Iterator[Problem]:
    frame = tables[table]
    for column in columns_of(table):
        metadata = metadata_of(table, column)
        target = metadata.get("refers_to") or metadata.get("list_of")
        if target is None or column not in frame.columns:
            continue
        known, where = set[str](), []
        words = [word for word in target.split(" or ") if "." not in word]
        missing = False
        for reference in (word for word in target.split(" or ") if "." in word):
            other, _, other_column = reference.partition(".")
            missing = missing or other not in tables
            if not missing:
                known.update(tables[other][other_column].drop_nulls().to_list())
                where.append(f"{other}.csv")
        if missing:
            continue
        for row, value in _cells(frame, column):
            parts = [part.strip() for part in value.split(";")] if "list_of" in metadata else [value]
            for part in parts:
                if part not in known and part not in words:
                    other_words = "".join(f" or be '{word}'" for word in words)
                    message = f"{column} is '{part}', must stand in {' or '.join(where)}{other_words}{nearest(part, known)}"
                    yield Problem(table, row, column, message)


def _cells(frame: pl.DataFrame, column: str) -> Iterator[tuple[int, str]]:
    return ((row, value) for row, value in enumerate(frame[column].to_list(), start=1) if value is not None)


def _numbered(frame: pl.DataFrame) -> Iterable[tuple[int, dict[str, Any]]]:
    return enumerate(frame.iter_rows(named=True), start=1)


def _links(tables: Tables) -> Iterator[Problem]:
    modes = set(tables["modes"]["mode"].drop_nulls().to_list())
    for number, row in _numbered(tables["links"]):
        if row["from_place"] is not None and row["from_place"] == row["to_place"]:
            yield Problem("links", number, "to_place", f"to_place is {row['to_place']}, must be another place than from_place")
        if row["mode"] is not None and row["mode"] not in modes:
            yield Problem("links", number, "mode", f"mode is {row['mode']}, must have a row in modes.csv that says what it carries")


def _terminals(tables: Tables) -> Iterator[Problem]:
    ends = {row["link_id"]: (row["from_place"], row["to_place"]) for _, row in _numbered(tables["links"])}
    for number, row in _numbered(tables["terminals"]):
        link = ends.get(row["link_id"])
        if link is not None and row["place_id"] is not None and row["place_id"] not in link:
            message = f"place_id is {row['place_id']}, must be an end of link {row['link_id']}: {link[0]} or {link[1]}"
            yield Problem("terminals", number, "place_id", message)


def _facility_uses(tables: Tables) -> Iterator[Problem]:
    units = dict(tables["facilities"].select("facility_id", "unit").iter_rows())
    for number, row in _numbered(tables["facility_uses"]):
        if (row["link_id"] is None) == (row["terminal_id"] is None):
            given = "neither" if row["link_id"] is None else "both"
            yield Problem("facility_uses", number, "link_id", f"{given} of link_id and terminal_id is given, must be exactly one")
        unit = units.get(row["facility_id"])
        carried = UNIT_CARRIED.get(unit or "")
        if carried is not None and row["loading_unit"] is not None and row["loading_unit"] not in (carried, ANY):
            message = f"loading_unit is {row['loading_unit']}, must be {carried} or {ANY}: {row['facility_id']} is counted in {unit}"
            yield Problem("facility_uses", number, "loading_unit", message)


def _tariffs(tables: Tables) -> Iterator[Problem]:
    operators = dict(tables["links"].select("link_id", "operator_id").iter_rows())
    for number, row in _numbered(tables["tariffs"]):
        operator = operators.get(row["link_id"])
        if operator is not None and row["operator_id"] is not None and row["operator_id"] != operator:
            message = f"operator_id is {row['operator_id']}, must be {operator}, who charges for link {row['link_id']}"
            yield Problem("tariffs", number, "operator_id", message)


def _route_families(tables: Tables) -> Iterator[Problem]:
    first: dict[int, int] = {}
    for number, row in _numbered(tables["route_families"]):
        if row["order"] is not None and first.setdefault(row["order"], number) != number:
            message = f"order is {row['order']}, which row {first[row['order']]} has already; every family needs a rank of its own"
            yield Problem("route_families", number, "order", message)
        if (row["ends_a"] is None) != (row["ends_b"] is None):
            empty = "ends_a" if row["ends_a"] is None else "ends_b"
            yield Problem("route_families", number, empty, f"{empty} is empty, must be filled where the other end is, or both be empty")


def _power_lines(tables: Tables) -> Iterator[Problem]:
    for number, row in _numbered(tables["power_lines"]):
        if row["from_zone"] is not None and row["from_zone"] == row["to_zone"]:
            yield Problem("power_lines", number, "to_zone", f"to_zone is {row['to_zone']}, must be another zone than from_zone")


def _power_shapes(tables: Tables) -> Iterator[Problem]:
    steps: dict[str, list[int]] = {}
    last: dict[str, int] = {}
    for number, row in _numbered(tables["power_shapes"]):
        if row["shape_id"] is not None and row["step"] is not None:
            steps.setdefault(row["shape_id"], []).append(row["step"])
            last[row["shape_id"]] = number
    for shape, found in steps.items():
        if sorted(found) not in ([*range(1, 13)], [*range(24)]):
            yield Problem("power_shapes", last[shape], "step", f"{shape} has {len(found)} steps, must have months 1 to 12 or hours 0 to 23")
    wanted = (
        ("power_zones", "month_shape_id", 12), ("power_zones", "hour_shape_id", 24), ("power_profiles", "shape_id", 12),
        ("power_plants", "availability_shape_id", 12),
    )  # fmt: skip
    for table, column, count in wanted:
        for number, row in _numbered(tables[table]):
            if len(steps.get(row[column], [])) not in (0, count):
                what = "months" if count == _MONTHS else "hours of a day"
                yield Problem(
                    table, number, column, f"{row[column]} has {len(steps[row[column]])} steps, must be a shape of {count} {what}"
                )


def _power_rows(tables: Tables) -> Iterator[Problem]:
    """A zone has a demand, plants and stores a capacity, in at least one year; plants and stores share no id."""
    for table, key, needed, name in (
        ("power_zones", "zone_id", "power_demand", "zone_id"),
        ("power_plants", "plant_id", "power_capacities", "asset_id"),
        ("power_stores", "store_id", "power_capacities", "asset_id"),
    ):
        known = set(tables[needed][name])
        for number, row in _numbered(tables[table]):
            if row[key] is not None and row[key] not in known:
                yield Problem(table, number, key, f"{row[key]} has no row in {needed}.csv, must have one for at least one year")
    plants = set(tables["power_plants"]["plant_id"])
    for number, row in _numbered(tables["power_stores"]):
        if row["store_id"] in plants:
            yield Problem("power_stores", number, "store_id", f"{row['store_id']} is the id of plants too, must be another")


def _region_places(tables: Tables) -> Iterator[Problem]:
    groups: dict[tuple[Any, ...], list[tuple[int, float | None]]] = {}
    for number, row in _numbered(tables["region_places"]):
        groups.setdefault((row["region_id"], row["side"], row["commodity_group"]), []).append((number, row["share"]))
    for (region, side, goods), rows in groups.items():
        shares = [share for _, share in rows if share is not None]
        which = f"the rows of {region}, {side}, {goods}"
        if shares and len(shares) < len(rows):
            number = next(number for number, share in rows if share is None)
            yield Problem("region_places", number, "share", f"share is empty, must be given: {which} have either all shares or none")
        elif shares and abs(sum(shares) - 1.0) > _SHARE_TOLERANCE:
            message = f"share is {shares[0]:g} and {which} add up to {sum(shares):.9g}, must add up to 1"
            yield Problem("region_places", rows[0][0], "share", message)


def _commodities(tables: Tables) -> Iterator[Problem]:
    column, bound = "family_theta_per_usd_per_t", "route_theta_per_usd_per_t"
    for number, row in _numbered(tables["commodities"]):
        if row[column] is not None and row[bound] is not None and row[column] > row[bound]:
            yield Problem("commodities", number, column, f"{column} is {row[column]}, must be {row[bound]} or less, the value of {bound}")


def _demand(tables: Tables) -> Iterator[Problem]:
    forms: dict[str, set[str]] = {}
    for row in tables["commodity_units"].iter_rows(named=True):
        forms.setdefault(row["commodity_group"], set()).add("boxed" if row["loading_unit"] == _CONTAINER else "loose")
    seated = set(tables["region_places"].select("region_id", "side", "commodity_group").iter_rows())
    regions = {region for region, _, _ in seated}
    for number, row in _numbered(tables["demand"]):
        goods, form = row["commodity_group"], row["form"]
        if goods in forms and form is not None and form not in forms[goods]:
            wanted = "a container" if form == "boxed" else "anything but a container"
            allowed = " or ".join(sorted(forms[goods]))
            message = f"form is {form}, must be {allowed}: no row of commodity_units.csv puts {goods} into {wanted}"
            yield Problem("demand", number, "form", message)
        for column, side in (("origin_region", "origin"), ("destination_region", "destination")):
            region = row[column]
            is_seated = any((region, word, group) in seated for word in (side, "both") for group in (goods, ANY))
            if region is not None and not is_seated:
                why = f" for {goods} as {side}" if region in regions else ""
                yield Problem("demand", number, column, f"{column} is {region}, must have a place in region_places.csv{why}")


def _growth(tables: Tables) -> Iterator[Problem]:
    for number, row in _numbered(tables["growth"]):
        low, rate, high = row["low_share_per_year"], row["rate_share_per_year"], row["high_share_per_year"]
        if None not in (low, rate, high) and not low <= rate <= high:
            message = f"rate_share_per_year is {rate}, must be between low_share_per_year {low} and high_share_per_year {high}"
            yield Problem("growth", number, "rate_share_per_year", message)


def _permissions(tables: Tables) -> Iterator[Problem]:
    for number, row in _numbered(tables["permissions"]):
        if row["link_id"] is None and row["terminal_id"] is None and row["country"] is None:
            yield Problem("permissions", number, "link_id", "no scope is given, must be at least one of link_id, terminal_id, country")
        first, end = row["from_date"], row["until_date"]
        if first is not None and end is not None and first >= end:
            yield Problem("permissions", number, "until_date", f"until_date is {end}, must be after from_date {first}")


def _calibration_targets(tables: Tables) -> Iterator[Problem]:
    for number, row in _numbered(tables["calibration_targets"]):
        needed = "family_id" if row["quantity"] in ("family_kt", "own_cost_elasticity") else "cordon_id"
        if row["quantity"] is not None and row[needed] is None:
            yield Problem("calibration_targets", number, needed, f"{needed} is empty, must be given for {row['quantity']}")


def _provenance(tables: Tables) -> Iterator[Problem]:
    named = set(tables["provenance"]["table"].drop_nulls())
    keys = {table: set(key_texts(table, frame)) for table, frame in tables.items() if table in named}
    for number, row in _numbered(tables["provenance"]):
        table, column = row["table"], row["column"]
        if table is None:
            continue
        if table not in TABLES:
            yield Problem("provenance", number, "table", f"table is '{table}', must be the name of a table{nearest(table, TABLES)}")
            continue
        if column is not None and column not in columns_of(table):
            message = f"column is '{column}', must be a column of {table}{nearest(column, columns_of(table))}"
            yield Problem("provenance", number, "column", message)
        if row["row"] is not None and table in keys and row["row"] not in keys[table]:
            message = f"row is '{row['row']}', must be the key of a row of {table}.csv{nearest(row['row'], keys[table])}"
            yield Problem("provenance", number, "row", message)


def _default_ranges(tables: Tables) -> Iterator[Problem]:
    for number, row in _numbered(tables["default_ranges"]):
        table, column = row["table"], row["column"]
        if table is None or column is None:
            continue
        if table not in TABLES:
            yield Problem("default_ranges", number, "table", f"table is '{table}', must be the name of a table{nearest(table, TABLES)}")
        elif column not in columns_of(table):
            message = f"column is '{column}', must be a column of {table}{nearest(column, columns_of(table))}"
            yield Problem("default_ranges", number, "column", message)


def _ranges(tables: Tables) -> Iterator[Problem]:
    for table in ("provenance", "observations"):
        if table not in tables:
            continue
        for number, row in _numbered(tables[table]):
            if row["low"] is not None and row["high"] is not None and row["low"] > row["high"]:
                yield Problem(table, number, "low", f"low is {row['low']}, must be {row['high']} or less, the value of high")


_ELEMENTS = (
    ("cordons", "cordon_id"), ("facilities", "facility_id"), ("links", "link_id"), ("route_families", "family_id"),
    ("journeys", "journey_id"),
)  # fmt: skip
_POWER_ELEMENTS = (("power_zones", "zone_id"), ("power_plants", "plant_id"), ("power_stores", "store_id"))


def _observations(tables: Tables) -> Iterator[Problem]:
    """An observation names an element of the case or a CAREC mode, and is compared or says why not."""
    known = {value for table, column in _ELEMENTS for value in tables[table][column].drop_nulls().to_list()} | set(CAREC_MODES)
    power = {value for table, column in _POWER_ELEMENTS if table in tables for value in tables[table][column].drop_nulls().to_list()}
    for number, row in _numbered(tables["observations"]):
        element, quantity, reason = row["element_id"], row["quantity"], row["reason"]
        parts, can_be = (element or "").split(";"), power if quantity in POWER else known
        for part in (name.strip() for name in parts if element is not None):
            if part not in can_be:
                what = (
                    "a power zone, plant or store"
                    if quantity in POWER
                    else "a cordon, facility, link, route family or journey, or rail or road"
                )
                yield Problem("observations", number, "element_id", f"element_id is '{part}', must be {what}{nearest(part, can_be)}")
        if reason is None and quantity is not None and quantity not in COMPARED:
            message = (
                f"quantity is {quantity}, which the model does not give; must be one of {', '.join(COMPARED)}, or reason must be given"
            )
            yield Problem("observations", number, "quantity", message + nearest(quantity, COMPARED))
        if reason is None and element is None and quantity in COMPARED and quantity != "pair_mt":
            yield Problem("observations", number, "element_id", f"element_id is empty, must be given for {quantity}")
        if reason is not None and row["why"] is None:
            yield Problem("observations", number, "why", f"why is empty, must say in a sentence why reason is {reason}")


_CORDON_METRICS = ("cordon_mt", "cordon_kt")
_METRICS = (
    "corridor_mt", "containers_teu", "crude_mt", *_CORDON_METRICS, "link_open", "link_kt", "family_shift_mt", "full_facilities",
    "trade_musd", "power_line", "none",
)  # fmt: skip
_WITHIN_CORRIDOR = ("crude_mt", *_CORDON_METRICS)
"""Quantities that may be a part of corridor_mt."""


def _commitments(tables: Tables) -> Iterator[Problem]:
    families = set(tables["route_families"]["family_id"].drop_nulls().to_list())
    links = set(tables["links"]["link_id"].drop_nulls().to_list())
    cordons = set(tables["cordons"]["cordon_id"].drop_nulls().to_list())
    economies = set(tables["economies"]["region_id"].drop_nulls().to_list())
    measured = {row["commitment_id"]: (row["metric"], row["element_id"]) for _, row in _numbered(tables["commitments"])}
    for number, row in _numbered(tables["commitments"]):
        metric, element = row["metric"], row["element_id"]
        if metric is not None and metric not in _METRICS:
            message = f"metric is {metric}, must be one of {', '.join(_METRICS)}{nearest(metric, _METRICS)}"
            yield Problem("commitments", number, "metric", message)
        if metric in ("link_open", "link_kt"):
            for link in (element or "").split(";") if metric == "link_open" else [element or ""]:
                if link.strip() not in links:
                    message = f"element_id is {link or 'empty'}, must be a link of links.csv for {metric}{nearest(link, links)}"
                    yield Problem("commitments", number, "element_id", message)
        if metric == "power_line" and element not in [name.strip() for name in (row["measures"] or "").split(";")]:
            yield Problem("commitments", number, "element_id", f"is {element or 'empty'}, must be one of the row's measures for power_line")
        if metric in _CORDON_METRICS and element not in cordons:
            message = f"element_id is {element or 'empty'}, must be a cordon of cordons.csv for {metric}{nearest(element or '', cordons)}"
            yield Problem("commitments", number, "element_id", message)
        if metric == "family_shift_mt" and element not in families:
            message = f"element_id is {element or 'empty'}, must be a family of route_families.csv{nearest(element or '', families)}"
            yield Problem("commitments", number, "element_id", message)
        pair = [part.strip() for part in (element or "").split(";")]
        if metric == "trade_musd" and (len(set(pair)) != 2 or not economies.issuperset(pair)):
            message = f"element_id is {element or 'empty'}, must be two regions of economies.csv joined by ';' for {metric}"
            yield Problem("commitments", number, "element_id", message)
        other = row["shares_with"]
        if other in measured and not _shares_goods((metric, element), measured[other], is_same=other == row["commitment_id"]):
            parts = ", ".join(_WITHIN_CORRIDOR)
            message = (
                f"shares_with is {other}, must be another promise of the same metric and element_id, or one of the two of corridor_mt"
                f" and the other of {parts}"
            )
            yield Problem("commitments", number, "shares_with", message)


def _shares_goods(one: tuple[Any, Any], other: tuple[Any, Any], *, is_same: bool) -> bool:
    """Whether two promises, each a metric and its element, may count the same goods."""
    is_part = any(first[0] == "corridor_mt" and second[0] in _WITHIN_CORRIDOR for first, second in ((one, other), (other, one)))
    return not is_same and one[0] != "none" and (one == other or is_part)


def _serving_measures(tables: Tables, measure_ids: Collection[str]) -> Iterator[Problem]:
    for row, value in _cells(tables["commitments"], "measures"):
        for part in (part.strip() for part in value.split(";")):
            if part not in measure_ids:
                message = f"there is no measure {part or '(empty)'}; must be ids of files in measures{nearest(part, measure_ids)}"
                yield Problem("commitments", row, "measures", message)


def _shocks(tables: Tables, measure_ids: Collection[str]) -> Iterator[Problem]:
    """Shocks name measures of the corridor, at least one, and begin in years that are in order."""
    for number, row in _numbered(tables["shocks"]):
        given = [(column, part.strip()) for column in ("measures", "ends") for part in (row[column] or "").split(";") if part.strip()]
        for column, part in given:
            if part not in measure_ids:
                message = f"there is no measure {part}; must be ids of files in measures{nearest(part, measure_ids)}"
                yield Problem("shocks", number, column, message)
        if not given:
            yield Problem("shocks", number, "measures", "is empty, as is ends; a shock must begin or end a measure")
        if row["first_year"] is not None and row["last_year"] is not None and row["first_year"] > row["last_year"]:
            yield Problem("shocks", number, "last_year", f"is {row['last_year']}, must be {row['first_year']} or later, as first_year is")


def _seasons(tables: Tables) -> Iterator[Problem]:
    """The twelve months of some goods are all there and their mean is 1."""
    months: dict[str, list[tuple[int, float]]] = {}
    for number, row in _numbered(tables["seasons"]):
        if row["commodity_group"] is not None and row["season_factor"] is not None:
            months.setdefault(row["commodity_group"], []).append((number, row["season_factor"]))
    for goods, rows in months.items():
        if len(rows) != _MONTHS:
            message = f"{goods} has {len(rows)} months, must have all twelve"
            yield Problem("seasons", rows[-1][0], "month_number", message)
        elif abs(sum(factor for _, factor in rows) / _MONTHS - 1.0) > _SHARE_TOLERANCE:
            message = f"season_factor of {goods} has a mean of {sum(factor for _, factor in rows) / _MONTHS:.4g}, must be 1"
            yield Problem("seasons", rows[-1][0], "season_factor", message)


def _wait_seasons(tables: Tables) -> Iterator[Problem]:
    """The twelve months of the waits at a terminal are all there and their mean is 1."""
    months: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for number, row in _numbered(tables["wait_seasons"]):
        if None not in (row["terminal_id"], row["direction"], row["wait_ratio"]):
            months.setdefault((row["terminal_id"], row["direction"]), []).append((number, row["wait_ratio"]))
    for (terminal, direction), rows in months.items():
        mean = sum(ratio for _, ratio in rows) / len(rows)
        if len(rows) != _MONTHS:
            message = f"{terminal} {direction} has {len(rows)} months, must have all twelve"
            yield Problem("wait_seasons", rows[-1][0], "month_number", message)
        elif abs(mean - 1.0) > _RATIO_TOLERANCE:
            yield Problem("wait_seasons", rows[-1][0], "wait_ratio", f"of {terminal} {direction} has a mean of {mean:.4g}, must be 1")


_CHECKS = (
    (("links", "modes"), _links),
    (("terminals", "links"), _terminals),
    (("facility_uses", "facilities"), _facility_uses),
    (("tariffs", "links"), _tariffs),
    (("route_families",), _route_families),
    (("power_lines",), _power_lines),
    (("power_shapes", "power_zones", "power_profiles", "power_plants"), _power_shapes),
    (("power_zones", "power_demand", "power_plants", "power_stores", "power_capacities"), _power_rows),
    (("region_places",), _region_places),
    (("commodities",), _commodities),
    (("demand", "commodity_units", "region_places"), _demand),
    (("growth",), _growth),
    (("seasons",), _seasons),
    (("wait_seasons",), _wait_seasons),
    (("permissions",), _permissions),
    (("calibration_targets",), _calibration_targets),
    (("provenance",), _provenance),
    (("default_ranges",), _default_ranges),
    ((), _ranges),
    (("observations", "cordons", "facilities", "links", "route_families", "journeys"), _observations),
    (("commitments", "cordons", "links", "route_families"), _commitments),
)
