"""Write docs/simulation.md: the simulated crossings of the packaged case against published values, and what they change in the market.

`python tools/simulation.py` writes it; it takes some minutes, most of it clearing markets with other capacities.
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import polars as pl

import karvan as kv
from karvan.network import sea_level_m
from karvan.simulation import Experiment, ExperimentOptions, Key, build, experiment, interval, saturation
from karvan.study.crossing_loads import crossing_loads
from karvan.study.handed_over import nominal_and_simulated

PAGE = Path(__file__).resolve().parent.parent / "docs" / "simulation.md"
YEARS, SYSTEM, BASE = [2024, 2028, 2030, 2035, 2040], "caspian", 2024
SPRING = datetime.date(2025, 4, 24)
FEEDERS = ("kmtf_feeders", "asco_feeders")
KURYK = ("kuryk_ferry_28", "kuryk_ferry_52", "kuryk_ropax", "kuryk_ro_ro_45")
COUNTED = {"kuryk_wagons": 9_900.0, "alat_wagons_kuryk": 9_900.0, "kuryk_trucks": 14_190.0, "alat_trucks": 14_190.0}
"""A year of Kuryk by ten months of 2023: 16,500 wagons and 23,652 vehicles, half of them either way."""
HOW = ExperimentOptions(seed=1, half_width_share=0.1, most=40)


def told(value: float, half: float | None = None) -> str:
    """A number with half its interval."""
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}"
    return shown if half is None else f"{shown} ± {half:,.1f}"


def published(corridor: kv.Corridor) -> list[str]:
    """Published values beside what the simulation gives."""
    scenario = kv.load_scenario("baseline", corridor)
    cleared = kv.clear(kv.apply(scenario, corridor, year=BASE), is_strict=False)
    loads = crossing_loads(cleared, SYSTEM)
    tables = kv.apply(scenario, corridor, year=BASE).tables
    as_is = experiment(build(tables, SYSTEM, loads, level_m=sea_level_m(tables["sea_levels"], None, BASE)), HOW, count=40)
    later = kv.apply(scenario, corridor, year=BASE + 1).tables
    full = experiment(
        build(later, SYSTEM, loads, level_m=sea_level_m(later["sea_levels"], None, BASE + 1), endless=["kuryk_wagons", "alat_wagons_kuryk"]),
        HOW, count=40,
    )  # fmt: skip
    rounded = {name: float(f"{load:.2g}") for name, load in loads.items()}  # as where curves are kept
    feeders = saturation(tables, SYSTEM, "feeder_aktau_alat_west", rounded, level_m=sea_level_m(tables["sea_levels"], None, BASE))

    def mean(kind: str, name: str, measure: str) -> float:
        return as_is.mean(Key(kind, name, measure)).mean

    def calls(found: Experiment) -> float:
        return sum(found.mean(Key("call", f"{ship}|kuryk", "per_year")).mean for ship in KURYK)

    wagons = sum(mean("stream", name, "out_per_year") for name in as_is.built.system.names.lines if "wagons" in name)
    may = full.mean(Key("stream", "kuryk_wagons", "month_5_out"))
    storms = mean("weather", "kuryk", "month_11_closed_d") + mean("weather", "kuryk", "month_12_closed_d")
    at_alat = [as_is.numbers[Key("call", f"{ship}|alat", measure)] for measure in ("handled_h", "per_year") for ship in FEEDERS]
    alat = interval((at_alat[0] * at_alat[2] + at_alat[1] * at_alat[3]) / (at_alat[2] + at_alat[3]))
    trucks = mean("stream", "kuryk_trucks", "out_per_year") + mean("stream", "alat_trucks", "out_per_year")
    spring = build(later, SYSTEM, loads, level_m=sea_level_m(later["sea_levels"], None, SPRING), only=["tankers"])
    tanker = next(call.room for call in spring.calls if call.ship_id == "tankers_12")
    counted = experiment(
        build(tables, SYSTEM, {**loads, **COUNTED}, level_m=sea_level_m(tables["sea_levels"], None, BASE - 1)), HOW, count=40
    )
    # Little's law: what came in December times how long it took.
    trucks_in_december = sum(
        mean("stream", name, "month_12_transit_h") / 24.0 * mean("stream", name, "month_12_out") / 31.0
        for name in ("kuryk_trucks", "alat_trucks")
    )
    boxes = mean("stream", "aktau_boxes", "out_per_year")
    rows = [
        ("Container ship at Alat, hours of service, 2024", "20.1", told(alat.mean, alat.half_width), "hours a box set to it",
         "Trend (Port of Baku), 3 Jun 2025"),
        ("Kuryk closed in November and December", "about half", f"{storms / 61.0:.0%}", "taken in", "director of the port, Dec 2024"),
        ("Wagons a day from Kuryk while more waited, May 2025", "46 to 47", told(may.mean / 31.0, may.half_width / 31.0), "ferries split by it",
         "order 1242 of the Kazakh railway, press"),
        ("Tanker of 12,400 t at Aktau before dredging, t", "about 10,000", told(tanker), "depth set to it", "Report.az, 24 Apr 2025"),
        ("Wagons through Alat by ferry, both ways, 2024", "37,515", told(wagons),
         "load is the market's, which carries more at Kuryk than was seen", "Port of Baku, 15 Jan 2025"),
        ("Ships of rail and road at Kuryk, calls a year, with the loads of 2023", "719 (599 in ten months of 2023)", told(calls(counted)),
         "ferries split by it", "Trend/MENAFN, 20 Nov 2023"),
        ("The same with the loads of the market in 2024", "719 (in 2023)", told(calls(as_is)), "loads are two thirds more", "as above"),
        ("Vehicles through Kuryk, both ways, a year", "28,400 (23,652 in ten months of 2023)", told(trucks), "load is the market's",
         "Trend/MENAFN, 20 Nov 2023"),
        ("Boxes Aktau-Alat, 2024, TEU westward", "51,400 on the larger fleet alone", told(boxes), "load is the market's", "SIA/Report.az, 2025"),
        ("Most that six feeders carry westward, kTEU a year", "89 (the carriers, perhaps both ways)", told(feeders.mean, feeders.half_width), "not used",
         "SIA/Report.az, 2025"),
        ("Trucks of the line in December, on both shores and at sea", "2,000 waiting, half of them on either shore (December 2024)",
         told(trucks_in_december), "not used", "director of the port, Dec 2024"),
        ("Loading bans at Kuryk, days a year", "a series from 22 April to 30 June 2025 and in November",
         told(mean("ban", "kuryk_wagons", "ban_d_per_year")), "threshold of 1,000 wagons taken in", "press"),
    ]  # fmt: skip
    lines = ["| what | published | simulated | | source |", "|---|---|---:|---|---|"]
    return [*lines, *[f"| {' | '.join(row)} |" for row in rows]]


def outlook(corridor: kv.Corridor) -> tuple[list[str], list[str]]:
    """The market with nominal and simulated capacities."""
    totals, facilities = nominal_and_simulated(corridor, scenario="agreed", years=YEARS, progress=lambda line: print(line, file=sys.stderr))
    lines = [
        "| year | Mt nominal | Mt simulated | TEU nominal | TEU simulated | crude Mt nominal | simulated |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in totals.rows(named=True):
        lines.append(
            f"| {row['year']} | {row['nominal_corridor_mt']:.2f} | {row['simulated_corridor_mt']:.2f} | {row['nominal_containers_teu']:,.0f}"
            f" | {row['simulated_containers_teu']:,.0f} | {row['nominal_crude_mt']:.2f} | {row['simulated_crude_mt']:.2f} |"
        )
    parts = ["| facility | unit | year | nominal | simulated | used nominal | used simulated |", "|---|---|---|---:|---:|---:|---:|"]
    for row in facilities.filter(pl.col("year").is_in([YEARS[0], YEARS[2], YEARS[-1]])).sort("facility_id", "year").rows(named=True):
        parts.append(
            f"| `{row['facility_id']}` | {row['unit']} | {row['year']} | {row['nominal_capacity']:,.1f} | {row['simulated_capacity']:,.1f}"
            f" | {row['nominal_flow']:,.1f} | {row['simulated_flow']:,.1f} |"
        )
    return lines, parts


HEAD = """# The simulated crossings

Written by `python tools/simulation.py`; do not edit by hand. How to ask for more: [Simulate a crossing](how-to/simulate-a-crossing.md).

## Against published values

Loads of 2024 are those of the fitted market. The last but one column says whether the value was used; where it was, nearness proves nothing.
"""
MIDDLE = """
What misses, and why. The market of the base year sends two thirds more wagons over Kuryk than were counted there in 2023 (loaded ones that come back empty count twice), so its calls are more; with the loads that were counted they are
an eighth more. How the 13 ferries are split between Kuryk and Turkmenbashi is our guess, set so that about these calls and the wagons of May 2025 come out: six ships at Kuryk, four of them of two decks. The carriers' 89,000 TEU for six feeders does not
say whether it counts both ways; the 55,000 TEU of the line in 2024, which it was held against, do. Ours is westward alone, with the hours at the berths that the Port of Baku reports and with storms. Boxes of a ship are the mean of what
two ships were seen to take. Both ro-pax ferries are put at Kuryk: the carrier's ships took 17,618 vehicles in half a year, Kuryk alone passes 27,000 to 28,400 a year, so few of them are left for Turkmenbashi, where Turkmen ships have room.
With one on each line trucks at Kuryk came faster than they could leave; with both they wait long, as they do (1,000 on either shore in December 2024), but ships call more often than was counted. Draught limits ferries alike both ways, although wagons that come back empty are light; so eastward loads are somewhat too small.

## What the market makes of simulated capacities

Scenario `agreed`, constants as fitted with nominal capacities. Simulated values take fleets, berths, depth and weather of the year as the tables and measures have them, and the sea on the first path
of `sea_levels`.
"""
WHY = """
Where they differ, and why:

- A nominal value grows by the factor of every measure that adds ships, whatever berths there are; simulated, ships soon wait for the one ramp of Kuryk and the two ferry berths of Alat.
- The sea falls year by year on the path of the state forecast. The nominal case takes one step of 0.25 m in 2025 and no later one.
- Container and oil berths can do more than was quoted: what was handled is no limit. There the ships are short, not the berths.
- Road ferries are told by what goes each way, and both ways need places in the busier direction.
"""


def main() -> int:
    """Write the page."""
    corridor = kv.load_corridor("middle-corridor")
    values = published(corridor)
    totals, facilities = outlook(corridor)
    text = "\n".join([HEAD, *values, MIDDLE, *totals, WHY, *facilities])
    PAGE.write_text(text + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
