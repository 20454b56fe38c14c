"""A simulated crossing, port, border or yard on a screen."""

from __future__ import annotations

import textwrap
from typing import Any

import polars as pl

from karvan.report.summary import WIDTH
from karvan.results import Queues

_SHOWN = ("sailing", "handling", "no_ship", "filling", "berth", "weather")
_HOW = (
    "Days by cause: at sea; loading and unloading, own and of ships before it; no ship in port; a ship waits to fill or for its timetable; "
    "a ship waits for a berth; weather holds all. Customs, sorting, channel and storage are in --json."
)
_BESIDE = (
    "Mean value analysis takes the ships of a line alone, calls at random, weather as a longer call; the simulation has all lines at "
    "shared berths, storms that hold everybody at once, and ships that wait for goods."
)


def queues_lines(found: Queues) -> list[str]:
    """A simulation as lines of at most 100 columns.

    Args:
        found: What `karvan.simulate` gave.
    """
    lines = [*_title(found), *_stream_lines(found), "", *_unstable_lines(found), *_berth_lines(found), *_ban_lines(found)]
    lines += [*_line_lines(found), *_passage_lines(found), *_month_lines(found), *_capacity_lines(found), *_design_lines(found)]
    return [line.rstrip() for line in lines]


def water_lines(found: pl.DataFrame) -> list[str]:
    """Saturation by path and year as lines: years down, facilities across."""
    lines = [
        "Most that passes in a year, by path of the sea (95% interval about 3% either way); fleets and berths as the scenario has them"
    ]
    for path in found["path_id"].unique(maintain_order=True):
        rows = found.filter(pl.col("path_id") == path)
        facilities = rows["facility_id"].unique(maintain_order=True).to_list()
        units = [rows.filter(pl.col("facility_id") == name)["unit"][0] for name in facilities]
        lines += [
            "",
            f"  {path}",
            *[f"    {place + 1}  {name}, {unit}" for place, (name, unit) in enumerate(zip(facilities, units, strict=True))],
        ]
        lines.append("    year  level m" + "".join(f"{place + 1:>10}" for place in range(len(facilities))))
        for year in rows["year"].unique(maintain_order=True):
            here = rows.filter(pl.col("year") == year)
            lines.append(f"    {year}  {here['level_m'][0]:>7.2f}" + "".join(f"{value:>10,.1f}" for value in here["saturation"]))
    return lines


def _title(found: Queues) -> list[str]:
    sea = "" if found.sea_level_m is None else f", sea at {found.sea_level_m:.2f} m ({found.sea_level_path})"
    sure = "" if found.is_sure else f"; not yet sure to {found.half_width_share:.0%}"
    loads = "" if found.load_factor == 1.0 else f", {found.load_factor:g} times the loads of the market"
    told = (
        f"{found.name}, {found.year}, {found.scenario_id}{sea}{loads}: {found.replications} simulated years after {found.warm_d} days of "
        f"warm-up, seed {found.seed}{sure}"
    )
    return [*textwrap.wrap(told, WIDTH), ""]


def _number(value: float | None, width: int, form: str) -> str:
    return " " * (width - 2) + "--" if value is None else f"{value:>{width}{form}}"


def _stream_lines(found: Queues) -> list[str]:
    causes = {(row["arrival_id"], row["cause"]): row["mean_d"] for row in found.causes.rows(named=True)} if found.causes.height else {}
    lines = [
        f"  {'thousands a year, days':<27}{'comes':>8}{'leaves':>8}{'days':>7}{'+-':>5}{'P95':>6}"
        + "".join(f"{_head(c):>6}" for c in _SHOWN)
    ]
    for row in found.streams.rows(named=True):
        name = row["arrival_id"]
        told = "".join(_number(causes.get((name, cause)), 6, ".1f") for cause in _SHOWN)
        lines.append(
            f"  {name:<27.27}{row['demand_per_year'] / 1e3:>8,.1f}{row['out_per_year'] / 1e3:>8,.1f}{_number(row['transit_d'], 7, '.1f')}"
            f"{_number(row['transit_d_half'], 5, '.1f')}{_number(row['transit_p95_d'], 6, '.1f')}{told}"
        )
    return [*lines, *textwrap.wrap(_HOW, WIDTH, initial_indent="  ", subsequent_indent="  ")]


def _head(cause: str) -> str:
    return {"sailing": "sea", "handling": "onoff", "no_ship": "ship", "filling": "fill", "berth": "berth", "weather": "wind"}[cause]


def _unstable_lines(found: Queues) -> list[str]:
    lines = []
    for row in found.streams.filter(~pl.col("is_stable")).rows(named=True):
        told = (
            f"UNSTABLE: {row['arrival_id']}: more comes than can leave. {row['demand_per_year']:,.0f} {row['unit']} come in a year,"
            f" {row['out_per_year']:,.0f} leave, and the backlog grows by {row['backlog_growth_per_year']:,.0f} a year;"
            " there is no mean time."
        )
        lines += textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""] if lines else []


def _berth_lines(found: Queues) -> list[str]:
    lines = [f"  {'BERTHS':<34}{'number':>7}{'in use':>8}{'calls a year':>14}{'hours a call':>14}"]
    for row in found.berths.rows(named=True):
        use = _number(None if row["use_share"] is None else 100.0 * row["use_share"], 7, ".0f")
        lines.append(
            f"  {row['berth_id']:<34}{row['servers_count']:>7.0f}{use}%{_number(row['calls_per_year'], 14, ',.0f')}"
            f"{_number(row['hours_per_call'], 14, '.1f')}"
        )
    return [*lines, ""]


def _ban_lines(found: Queues) -> list[str]:
    lines = []
    for row in found.bans.rows(named=True):
        stay = f"{row['refused_per_year']:,.0f} units stay away"
        told = f"{row['arrival_id']}: loading is forbidden {row['ban_d_per_year']:.0f} days a year, {stay}."
        lines += textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""] if lines else []


def _line_lines(found: Queues) -> list[str]:
    if not found.lines.height:
        return []
    lines = [
        f"  {'LINES':<22}{'ships':>6}{'trips: theory':>15}{'simulated':>11}{'never waiting':>15}{'berth cap':>11}{'berth binds above':>19}"
    ]
    for row in found.lines.rows(named=True):
        never = row["never_waiting_per_year"] * row["trips_per_year"] / row["each_way_per_year"] if row["each_way_per_year"] else 0.0
        lines.append(
            f"  {row['crossing_id']:<22}{row['ships']:>6}{row['trips_per_year']:>15,.0f}{row['simulated_trips_per_year']:>11,.0f}"
            f"{never:>15,.0f}{row['berth_cap_trips_per_year']:>11,.0f}{row['saturation_ships']:>13.1f} ships"
        )
    return [*lines, *textwrap.wrap(_BESIDE, WIDTH, initial_indent="  ", subsequent_indent="  "), ""]


def _passage_lines(found: Queues) -> list[str]:
    if not found.passages.height:
        return []
    lines = [f"  {'STAGES':<26}{'servers':>9}{'in use':>8}{'wait at random, h':>19}{'by the clock, about':>21}{'simulated':>12}"]
    for row in found.passages.rows(named=True):
        lines.append(
            f"  {row['passage_id'] + ' ' + str(row['order']):<26}{row['servers']:>9}{row['use_share']:>8.0%}"
            f"{_number(row['random_wait_h'], 19, '.2f')}{_number(row['approximate_wait_h'], 21, '.2f')}"
            f"{_number(row['simulated_wait_h'], 12, '.2f')}"
        )
    return [*lines, ""]


def _month_lines(found: Queues) -> list[str]:
    if not found.months.height:
        return []
    lines = [f"  {'BY MONTH':<27}" + "".join(f"{month:>6}" for month in range(1, 13))]
    for kind, what in (("closed", "days closed"), ("transit", "days, by coming")):
        rows = found.months.filter(pl.col("kind") == kind)
        for name in rows["name"].unique(maintain_order=True):
            by_month = {row["month"]: row["value_d"] for row in rows.filter(pl.col("name") == name).rows(named=True)}
            lines.append(f"  {name:<27.27}" + "".join(_number(by_month.get(month), 6, ".1f") for month in range(1, 13)))
        if rows.height:
            lines.append(f"    {what}")
    return [*lines, ""]


def _capacity_lines(found: Queues) -> list[str]:
    if not found.capacities.height:
        return []
    lines = [
        f"  {'MOST THAT PASSES':<26}{'unit':>8}{'nominal':>10}{'simulated':>11}{'+-':>7}   wait, h = d0 + a x^k / (1 - x), x use of it"
    ]
    for row in found.capacities.rows(named=True):
        curve = f"{row['base_wait_h']:>8.1f} + {row['eta_s_h']:.2f} x^{row['kappa']:.2f} / (1 - x), off {row['fit_error_h']:.0f}"
        lines.append(
            f"  {row['facility_id']:<26.26}{row['unit']:>8}{row['nominal']:>10,.1f}{row['saturation']:>11,.1f}"
            f"{row['saturation_half']:>7,.1f}"
            f" {curve}"
        )
    return [*lines, ""]


def _design_lines(found: Queues) -> list[str]:
    if not found.designs.height:
        return []
    lines = [f"  {'DESIGNS, SAME CHANCE':<60}{'days':>7}{'change':>9}{'+-':>6}{'more a year':>13}"]
    for name in found.designs["design"].unique(maintain_order=True):
        rows = found.designs.filter(pl.col("design") == name).rows(named=True)
        most = rows[0]
        told = (
            ""
            if most["saturation"] is None
            else f"; {most['capacity_of']} can do {most['saturation']:,.1f} +- {most['saturation_half']:,.1f}"
        )
        lines += textwrap.wrap(f"{name}{told}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        for row in rows:
            if name == "as it is" or _is_moved(row):
                lines.append(_design_line(row))
    return lines


def _is_moved(row: dict[str, Any]) -> bool:
    """The interval of what differs does not hold zero."""
    moved = row["difference_d"] is not None and abs(row["difference_d"]) > row["difference_d_half"]
    return bool(moved or abs(row["more_per_year"]) > max(row["more_per_year_half"], 1e-9))


def _design_line(row: dict[str, Any]) -> str:
    state = "" if row["is_stable"] else f"  unstable, backlog +{row['backlog_growth_per_year']:,.0f} a year"
    return (
        f"    {row['arrival_id']:<56}{_number(row['transit_d'], 9, '.1f')}{_number(row['difference_d'], 9, '.2f')}"
        f"{_number(row['difference_d_half'], 6, '.2f')}{row['more_per_year']:>13,.0f}{state}"
    )
