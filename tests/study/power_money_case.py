"""The money case with power: a cable that a measure lays, wind that another builds, and what both cost."""

from __future__ import annotations

from pathlib import Path

from tests.power.small import add_power
from tests.study.money_case import money_case

_WIND = """id: more_wind
title: "More wind in the east"
from_date: 2030-01-01
status: option
cost: {capital_musd: 120, years: 1}
source: teaching
confidence: estimate
doc: "Wind beside the cable."
changes:
  - {table: power_capacities, where: {asset_id: east_wind_farm, year: 2034}, set: {capacity_mw: 1200}}
"""


def power_money_case(folder: Path, *, link: str) -> Path:
    """A corridor folder made of two ports, with money and power.

    Args:
        folder: Folder to make.
        link: Link that faster_track acts on.
    """
    made = add_power(money_case(folder, link=link))
    (made / "measures" / "more_wind.yaml").write_text(_WIND, encoding="utf-8")
    for name, rows in (
        ("cost_classes", ("cable,Cable,power,GW,1000,800,2000,0.01,1,40,0.1,0.3,0.3,0.6,,teaching,estimate",)),
        ("project_costs", ("strait_cable,cable,0.2,,,,teaching,estimate", "more_wind,cable,0.1,,,,teaching,estimate")),
    ):
        with (made / f"{name}.csv").open("a", encoding="utf-8") as table:
            table.write("".join(f"{row}\n" for row in rows))
    funds = made / "funds.csv"
    funds.write_text(funds.read_text(encoding="utf-8").replace("rail;ship", "rail;ship;power"), encoding="utf-8")
    return made
