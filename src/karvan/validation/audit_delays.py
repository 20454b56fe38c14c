"""Hours that facilities take more as they fill, by own reading of their curves, and what they cost the goods that pass."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from karvan.validation.audit_costs import hour_values
from karvan.validation.audit_use import rows_of, uses_of
from karvan.validation.book import Book, Year, sums
from karvan.validation.tally import Check, Tally

FloatArray = npt.NDArray[np.float64]

_STEEPEST_USE = 0.95
_TOLERANCE, _LEAST_H = 0.02, 0.1
"""Delays and flows are sought until they agree to 1% or 0.05 h; twice that passes."""


def delay_check(book: Book) -> Check:
    """Delays against the use of facilities; not of a year that the report tells as not settled: it says itself that they differ."""
    tally = Tally(
        "delays",
        "hours that facilities take more as they fill, by their curves and use; a year in which they do not agree must be told",
        tolerance=_TOLERANCE,
    )
    told = {("scenario", entry["year"]): entry.get("is_settled", True) for entry in book.saved.report["years"]}
    told |= {("baseline", entry["year"]): entry.get("is_settled", True) for entry in book.saved.report["baseline_years"]}
    for year in book.years:
        rows = rows_of(book, year)
        curves = {row["facility_id"]: row for row in book.row_dicts(year.tables, "delay_curves")}
        roads = {row["facility_id"]: row for row in book.row_dicts(year.tables, "road_curves")}
        still = [name for name in rows.ids if name not in curves and name not in roads]

        def moved(at: int, *, still: list[str] = still, year: Year = year) -> str:
            return f"delay of {still[at]} {year.when} is {year.delay_h.get(still[at], np.nan):.9g} h, must be 0: it has no curve"

        tally.claim(np.array([year.delay_h.get(name) == 0.0 for name in still], dtype=np.bool_), say=moved)
        if told[year.key] is False:
            continue
        place = {name: at for at, name in enumerate(rows.ids)}
        other = year.tables["facilities"]["other_load"].to_numpy()
        names = sorted(curves.keys() | roads.keys())
        wanted = []
        for name in names:
            at, hours = place[name], 0.0
            share = (rows.use[at] + other[at]) / rows.capacity[at] if rows.capacity[at] > 0.0 else 0.0
            if (curve := curves.get(name)) is not None:
                shape = (curve["servers_count"], curve["service_time_h"], curve["variability_ratio"])
                hours += wait_h(share, *shape) - wait_h(curve["reference_use_share"], *shape)
            if (road := roads.get(name)) is not None:
                steep = math.pow(share, road["power"]) - math.pow(road["reference_use_share"], road["power"])
                hours += road["free_time_h"] * road["delay_factor"] * steep
            wanted.append(hours)

        def say(at: int, *, names: list[str] = names, when: str = year.when) -> str:
            return f"delay of {names[at]} {when}, h,"

        found = [year.delay_h.get(name, np.nan) for name in names]
        tally.compare(found, wanted, say=say, least=_LEAST_H / _TOLERANCE, because="by its curve and use")
    return tally.done()


def wait_h(share: float, servers: float, service_h: float, variability: float) -> float:
    """Wait at a use of capacity: (v / m) s x^k / (1 - x) with k = sqrt(2 (m + 1)) - 1, on its tangent above a use of 0.95."""
    power = math.sqrt(2.0 * (servers + 1.0)) - 1.0
    inside = min(share, _STEEPEST_USE)
    wait = variability / servers * service_h * math.pow(inside, power) / (1.0 - inside)
    beyond = share - inside
    return wait + (wait * (power / inside + 1.0 / (1.0 - inside)) * beyond if beyond > 0.0 else 0.0)


def route_delays(book: Book, year: Year) -> FloatArray:
    """What delays add to the cost of each route of the year's epoch: hours of every facility it uses, once each, at its goods' value of an
    hour, USD/t, shape (routes of the epoch,).
    """
    uses, ids = uses_of(book, year), year.tables["facilities"]["facility_id"].to_list()
    hours = np.array([*(year.delay_h.get(name, np.nan) for name in ids), *(0.0 for _ in range(year.tables["returns"].height))])
    return hour_values(book, year.tables)[book.commodity][year.epoch.market] * sums(uses.route, hours[uses.row], year.epoch.routes.shape[0])
