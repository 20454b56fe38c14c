"""A simulated crossing, port, border or yard on a screen, in whole sentences of a catalogue."""

from __future__ import annotations

import textwrap
from typing import Any

import polars as pl

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import Queues

_CAUSES = {
    "sailing": "queues.sea_head", "handling": "queues.handling_head", "no_ship": "queues.no_ship_head", "filling": "queues.filling_head",
    "berth": "queues.berth_head", "weather": "queues.weather_head",
}  # fmt: skip
"""Causes that have a column, and its heading."""
AS_IT_IS = "as it is"


def queues_lines(found: Queues, *, words: Words = ENGLISH) -> list[str]:
    """A simulation as lines of at most 100 columns; names of designs are not cut.

    Args:
        found: What `karvan.simulate` gave.
        words: The language.
    """
    lines = [*_title(found, words), *_stream_lines(found, words), "", *_unstable_lines(found, words), *_berth_lines(found, words)]
    lines += [*_ban_lines(found, words), *_line_lines(found, words), *_passage_lines(found, words), *_month_lines(found, words)]
    return [line.rstrip() for line in [*lines, *_capacity_lines(found, words), *_design_lines(found, words)]]


def water_lines(found: pl.DataFrame, *, words: Words = ENGLISH) -> list[str]:
    """Saturation by path and year, and what the fall of the sea takes of it, as lines: years down, facilities across."""
    lines = textwrap.wrap(words("queues.water"), WIDTH)
    for path in found["path_id"].unique(maintain_order=True):
        rows = found.filter(pl.col("path_id") == path)
        facilities = rows["facility_id"].unique(maintain_order=True).to_list()
        units = [rows.filter(pl.col("facility_id") == name)["unit"][0] for name in facilities]
        heads = "".join(f"{place + 1:>10}" for place in range(len(facilities)))
        lines += [
            "",
            f"  {words('queues.path', path=str(path))}",
            *[f"    {place + 1}  {name}, {unit}" for place, (name, unit) in enumerate(zip(facilities, units, strict=True))],
        ]
        for column, title in (("saturation", "queues.water_most"), ("lost", "queues.water_lost")):
            lines += [f"    {words(title)}", f"    {words('queues.year'):<6}{words('queues.level'):>9}{heads}"]
            for year in rows["year"].unique(maintain_order=True):
                here = rows.filter(pl.col("year") == year)
                told = "".join(f"{words.number(value, 1):>10}" for value in here[column])
                lines.append(f"    {year:<6}{_number(words, here['level_m'][0], 9, 2)}{told}")
        last = rows.filter(pl.col("year") == rows["year"].max())
        per_m = "".join(_number(words, value, 10, 1) for value in last["lost_per_m"])
        lines.append(f"    {words('queues.water_per_m'):<15}{per_m}")
    return lines


def sizes_lines(found: pl.DataFrame, *, use_share: float, words: Words = ENGLISH) -> list[str]:
    """Ships that lines have and need, by path of the sea and year, as lines."""
    lines = textwrap.wrap(words("queues.sizes", use=words.percent(use_share)), WIDTH)
    if not found.height:
        return [*lines, "", f"  {words('queues.sizes_none')}"]
    heads = [
        words(key)
        for key in ("queues.comes", "queues.ships", "queues.sizes_most", "queues.sizes_needed", "queues.cap", "queues.sizes_room")
    ]
    for path in found["path_id"].unique(maintain_order=True):
        for year in found["year"].unique(maintain_order=True):
            rows = found.filter(pl.col("path_id").eq_missing(path) & (pl.col("year") == year))
            title = words("queues.sizes_year", year=int(year), path=str(path), level=words.number(rows["level_m"][0] or 0.0, 2))
            lines += ["", f"  {title if path is not None else year}"]
            lines.append(
                f"    {words('queues.sizes_line'):<30}{heads[0]:>9}{heads[1]:>9}{heads[2]:>12}{heads[3]:>10}{heads[4]:>13}{heads[5]:>11}"
            )
            for row in rows.rows(named=True):
                needed = words("queues.sizes_berths") if row["ships_needed"] is None else words.number(row["ships_needed"], 0)
                lines.append(
                    f"    {row['crossing_id'] + ', ' + _unit(words, row['unit']):<30.30}{_number(words, row['load_per_year'] / 1e3, 9, 1)}"
                    f"{_number(words, row['ships_count'], 9, 0)}{_number(words, row['most_per_year'] / 1e3, 12, 1)}{needed:>10}"
                    f"{_number(words, row['berth_most_per_year'] / 1e3, 13, 1)}{_number(words, row['room_count'], 11, 0)}"
                )
    return [*lines, "", *_paragraph(words("queues.sizes_how"))]


def _title(found: Queues, words: Words) -> list[str]:
    told = [
        words(
            "queues.title", system=found.name, year=found.year, scenario=found.scenario_id, count=found.replications, warm=found.warm_d,
            seed=str(found.seed),
        )
    ]  # fmt: skip
    if found.sea_level_m is not None and found.sea_level_path is not None:
        told.append(words("queues.at_level", level=words.number(found.sea_level_m, 2), path=found.sea_level_path))
    if found.load_factor != 1.0:
        told.append(words("queues.load_factor", factor=words.shortest(found.load_factor)))
    if not found.is_sure:
        told.append(words("queues.unsure", half_share=found.half_width_share))
    return [*textwrap.wrap(" ".join(told), WIDTH), ""]


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _number(words: Words, value: float | None, width: int, digits: int) -> str:
    return " " * (width - 2) + "--" if value is None else f"{words.number(value, digits):>{width}}"


def _unit(words: Words, unit: str) -> str:
    return words(f"crossing.unit.{unit}")


def _stream_lines(found: Queues, words: Words) -> list[str]:
    causes = {(row["arrival_id"], row["cause"]): row["mean_d"] for row in found.causes.rows(named=True)} if found.causes.height else {}
    heads = [words(key) for key in ("queues.comes", "queues.leaves", "queues.days")]
    lines = [
        f"  {words('queues.streams'):<27}{heads[0]:>8}{heads[1]:>8}{heads[2]:>7}{'±':>5}{'P95':>6}"
        + "".join(f"{words(key):>6}" for key in _CAUSES.values())
    ]
    for row in found.streams.rows(named=True):
        name = row["arrival_id"]
        told = "".join(_number(words, causes.get((name, cause)), 6, 1) for cause in _CAUSES)
        lines.append(
            f"  {name:<27.27}{_number(words, row['demand_per_year'] / 1e3, 8, 1)}{_number(words, row['out_per_year'] / 1e3, 8, 1)}"
            f"{_number(words, row['transit_d'], 7, 1)}{_number(words, row['transit_d_half'], 5, 1)}"
            f"{_number(words, row['transit_p95_d'], 6, 1)}{told}"
        )
    return [*lines, *_paragraph(words("queues.how"))]


def _unstable_lines(found: Queues, words: Words) -> list[str]:
    lines = []
    for row in found.streams.filter(~pl.col("is_stable")).rows(named=True):
        told = words(
            "crossing.unstable", stream=row["arrival_id"], unit=_unit(words, row["unit"]), comes=words.number(row["demand_per_year"], 0),
            leaves=words.number(row["out_per_year"], 0), grows=words.number(row["backlog_growth_per_year"], 0),
        )  # fmt: skip
        lines += textwrap.wrap(told, WIDTH, initial_indent="  ! ", subsequent_indent="    ")
    return [*lines, ""] if lines else []


def _berth_lines(found: Queues, words: Words) -> list[str]:
    heads = [words(key) for key in ("queues.count", "queues.use", "queues.calls", "queues.hours_a_call")]
    lines = [f"  {words('queues.berths'):<34}{heads[0]:>8}{heads[1]:>9}{heads[2]:>16}{heads[3]:>16}"]
    for row in found.berths.rows(named=True):
        use = "--" if row["use_share"] is None else words.percent(row["use_share"])
        lines.append(
            f"  {row['berth_id']:<34}{_number(words, row['servers_count'], 8, 0)}{use:>9}{_number(words, row['calls_per_year'], 16, 0)}"
            f"{_number(words, row['hours_per_call'], 16, 1)}"
        )
    return [*lines, ""]


def _ban_lines(found: Queues, words: Words) -> list[str]:
    units = {row["arrival_id"]: row["unit"] for row in found.streams.rows(named=True)} if found.streams.height else {}
    lines = []
    for row in found.bans.rows(named=True):
        told = words(
            "queues.ban", stream=row["arrival_id"], days=words.number(row["ban_d_per_year"], 0),
            refused=words.number(row["refused_per_year"], 0), unit=_unit(words, units.get(row["arrival_id"], "t")),
        )  # fmt: skip
        lines += textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""] if lines else []


def _line_lines(found: Queues, words: Words) -> list[str]:
    if not found.lines.height:
        return []
    heads = [words(key) for key in ("queues.ships", "queues.theory", "queues.simulated", "queues.never", "queues.cap", "queues.binds")]
    lines = [f"  {words('queues.lines'):<22}{heads[0]:>7}{heads[1]:>14}{heads[2]:>14}{heads[3]:>16}{heads[4]:>12}{heads[5]:>13}"]
    for row in found.lines.rows(named=True):
        never = row["never_waiting_per_year"] * row["trips_per_year"] / row["each_way_per_year"] if row["each_way_per_year"] else 0.0
        lines.append(
            f"  {row['crossing_id']:<22}{_number(words, row['ships'], 7, 0)}{_number(words, row['trips_per_year'], 14, 0)}"
            f"{_number(words, row['simulated_trips_per_year'], 14, 0)}{_number(words, never, 16, 0)}"
            f"{_number(words, row['berth_cap_trips_per_year'], 12, 0)}{_number(words, row['saturation_ships'], 13, 1)}"
        )
    return [*lines, *_paragraph(words("queues.beside")), ""]


def _passage_lines(found: Queues, words: Words) -> list[str]:
    if not found.passages.height:
        return []
    heads = [words(key) for key in ("queues.servers", "queues.use", "queues.at_random", "queues.by_clock", "queues.simulated")]
    lines = [f"  {words('queues.stages'):<26}{heads[0]:>9}{heads[1]:>9}{heads[2]:>19}{heads[3]:>19}{heads[4]:>15}"]
    for row in found.passages.rows(named=True):
        lines.append(
            f"  {row['passage_id'] + ' ' + str(row['order']):<26}{row['servers']:>9}{words.percent(row['use_share']):>9}"
            f"{_number(words, row['random_wait_h'], 19, 2)}{_number(words, row['approximate_wait_h'], 19, 2)}"
            f"{_number(words, row['simulated_wait_h'], 15, 2)}"
        )
    return [*lines, *_paragraph(words("queues.stages_how")), ""]


def _month_lines(found: Queues, words: Words) -> list[str]:
    if not found.months.height:
        return []
    months = "".join(f"{month:>6}" for month in range(1, 13))
    lines = []
    for kind, head in (("closed", "queues.closed_by_month"), ("transit", "queues.days_by_month")):
        rows = found.months.filter(pl.col("kind") == kind)
        if not rows.height:
            continue
        lines.append(f"  {words(head):<26.26}{months}")
        for name in rows["name"].unique(maintain_order=True):
            by_month = {row["month"]: row["value_d"] for row in rows.filter(pl.col("name") == name).rows(named=True)}
            lines.append(f"  {name:<26.26}" + "".join(_number(words, by_month.get(month), 6, 1) for month in range(1, 13)))
    return [*lines, ""]


def _capacity_lines(found: Queues, words: Words) -> list[str]:
    if not found.capacities.height:
        return []
    heads = [words(key) for key in ("queues.unit", "queues.nominal", "queues.simulated")]
    lines = [f"  {words('queues.most'):<26}{heads[0]:>10}{heads[1]:>13}{heads[2]:>14}{'±':>8}"]
    waits = [f"  {words('queues.waits'):<26}{'d0':>10}{'a':>13}{'k':>14}{words('queues.missed'):>16}"]
    for row in found.capacities.rows(named=True):
        lines.append(
            f"  {row['facility_id']:<26.26}{row['unit']:>10}{_number(words, row['nominal'], 13, 1)}"
            f"{_number(words, row['saturation'], 14, 1)}{_number(words, row['saturation_half'], 8, 1)}"
        )
        waits.append(
            f"  {row['facility_id']:<26.26}{_number(words, row['base_wait_h'], 10, 1)}{_number(words, row['eta_s_h'], 13, 2)}"
            f"{_number(words, row['kappa'], 14, 2)}{_number(words, row['fit_error_h'], 16, 1)}"
        )
    return [*lines, *_paragraph(words("queues.most_how")), "", *waits, *_paragraph(words("queues.waits_how")), ""]


def _design_lines(found: Queues, words: Words) -> list[str]:
    if not found.designs.height:
        return []
    heads = [words(key) for key in ("queues.days", "queues.change", "queues.more")]
    lines = [f"  {words('queues.designs'):<48}{heads[0]:>12}{heads[1]:>12}{'±':>8}{heads[2]:>16}"]
    for name in found.designs["design"].unique(maintain_order=True):
        rows = found.designs.filter(pl.col("design") == name).rows(named=True)
        is_base = name == AS_IT_IS
        told = [words("queues.as_it_is") if is_base else f"{name}."]
        for most in found.design_capacities.filter(pl.col("design") == name).rows(named=True) if found.design_capacities.height else []:
            given = {key: words.number(most[column], 1) for key, column in (("most", "saturation"), ("half", "saturation_half"))}
            told.append(words("queues.can_do", facility=most["facility_id"], unit=most["unit"], **given))
            if not is_base:
                more = {key: words.number(most[column], 1) for key, column in (("more", "more"), ("half", "more_half"))}
                told.append(words("queues.can_do_more", **more))
        shown = [row for row in rows if is_base or _is_moved(row)]
        if not shown:
            told.append(words("queues.nothing_moves"))
        lines += _paragraph(" ".join(told))
        for row in shown:
            lines += _design_line(row, words)
    return [*lines, *_paragraph(words("queues.designs_how"))]


def _is_moved(row: dict[str, Any]) -> bool:
    """The interval of what differs does not hold zero."""
    moved = row["difference_d"] is not None and abs(row["difference_d"]) > row["difference_d_half"]
    return bool(moved or abs(row["more_per_year"]) > max(row["more_per_year_half"], 1e-9))


def _design_line(row: dict[str, Any], words: Words) -> list[str]:
    told = (
        f"    {row['arrival_id']:<46}{_number(words, row['transit_d'], 12, 1)}{_number(words, row['difference_d'], 12, 2)}"
        f"{_number(words, row['difference_d_half'], 8, 2)}{_number(words, row['more_per_year'], 16, 0)}"
    )
    lines = [told]
    if not row["is_stable"]:
        grows = words.number(row["backlog_growth_per_year"], 0)
        lines += textwrap.wrap(words("queues.design_unstable", grows=grows), WIDTH, initial_indent="      ! ", subsequent_indent="        ")
    return lines
