"""Two ports with money of an appraisal: rates, prices, costs, two funds and two measures of one bottleneck."""

from __future__ import annotations

from pathlib import Path

from karvan.corridor import new_corridor

_T = "teaching,estimate"
_CLASSES = (
    "class_id,name,sector,unit,unit_musd,low_musd,high_musd,running_share_per_year,build_year_count,life_year_count,overrun_share,"
    "overrun_high_share,delay_share,delay_high_share,note,source,confidence"
)
_TABLES = {
    "discount_rates": [
        "rate_id,name,kind,rate_share_per_year,low_share_per_year,high_share_per_year,is_default,note,source,confidence",
        f"society,Society,economic,0.08,0.05,0.1,true,,{_T}",
        f"owner,Owner,financial,0.07,0.05,0.1,true,,{_T}",
    ],
    "carbon_prices": [
        "path_id,year,price_usd_per_t,low_usd_per_t,high_usd_per_t,is_default,note,source,confidence",
        f"one,2024,80,40,120,true,,{_T}",
        f"one,2034,100,40,160,true,,{_T}",
    ],
    "appraisal_values": [
        "value_id,value,low,high,unit,doc,source,confidence",
        f"evaluation_years,20,20,30,years,Years.,{_T}",
        f"resource_cost_share,0.6,0.5,0.9,share,Cost in charges.,{_T}",
        f"imperfect_competition_share,0.1,0,0.2,share,Wider benefit.,{_T}",
        f"profit_tax_share,0.2,0.1,0.3,share,Tax.,{_T}",
        f"construction_conversion_ratio,0.9,0.8,1,ratio,Building.,{_T}",
        f"running_conversion_ratio,0.95,0.9,1,ratio,Upkeep.,{_T}",
        f"origin_share,0.5,0,1,share,Origin.,{_T}",
        f"debt_share,0.6,0.5,0.7,share,Debt.,{_T}",
        f"debt_rate_share,0.04,0.03,0.06,share,Rate.,{_T}",
        f"debt_years,15,10,20,years,Loan.,{_T}",
    ],
    "external_costs": [
        "mode,effect,usd_per_tkm,low_usd_per_tkm,high_usd_per_tkm,source,confidence",
        f"rail,noise,0.003,0.001,0.006,{_T}",
        f"rail_ferry,air,0.006,0.001,0.01,{_T}",
        f"road,accidents,0.014,0.01,0.02,{_T}",
    ],
    "cost_classes": [
        _CLASSES,
        f"ship,Ship,ship,ship,20,10,40,0.02,1,12,0.1,0.2,0.3,0.6,,{_T}",
        f"mill,Mill,industry,mill,12,8,20,0,1,30,0.1,0.2,0.3,0.6,,{_T}",
        f"track,Track,rail,km,0.1,0.05,0.2,0.01,2,40,0.45,0.57,0.45,0.8,,{_T}",
    ],
    "project_costs": [
        "measure_id,class_id,quantity,sponsors,excludes,note,source,confidence",
        f"second_ferry,ship,1,sea_line,,,{_T}",
        f"bigger_ferry,ship,2,sea_line,,,{_T}",
        f"faster_track,track,100,land_railway,,,{_T}",
        f"joint_mill,mill,1,,,,{_T}",
    ],
    "funds": [
        "fund_id,name,budget_musd,from_year,sectors,countries,most_share,hurdle_share_per_year,note,source,confidence",
        f"ships,Fund for ships,60,2025,ship,XA;XB,0.5,0.08,,{_T}",
        f"tracks,Fund for tracks,,2025,rail;ship;industry,XA;XB,0.5,0.08,,{_T}",
    ],
    "fund_partners": [
        "fund_id,partner_id,name,country,contribution_share,source,confidence",
        f"ships,east,East,XA,0.5,{_T}",
        f"ships,west,West,XB,0.5,{_T}",
        f"tracks,east,East,XA,1,{_T}",
    ],
    "ventures": [
        (
            "venture_id,title,sector,capital_musd,output,unit,year,measure_id,country,stated_musd_per_year,stated_low_musd_per_year,"
            "stated_high_musd_per_year,counted_share,basis,note,source,confidence"
        ),
        f"cable,Cable,digital,5,400,Tbit/s,2026,,,,,,,No price is published.,,{_T}",
        f"mill,Mill,industry,12,10,kt a year,2027,joint_mill,XB,4,2,6,0.5,10 kt at 400 USD a tonne.,,{_T}",
    ],
}
_SECOND_FERRY = """id: second_ferry
title: Second ferry
from_date: 2026-01-01
status: option
source: teaching
confidence: estimate
doc: "One more ship."
changes:
  - {table: facilities, where: {facility_id: ferry}, scale: {nominal: 1.5}}
"""
_JOINT_MILL = """id: joint_mill
title: Joint mill
from_date: 2026-01-01
status: option
source: teaching
confidence: estimate
doc: "A mill that both build."
changes:
  - table: joint_ventures
    add:
      - {venture_id: mill, name: Mill, exporter: REGION, importer: OTHER, output_musd: 8.0, traded_share: 0.5, source: teaching,
         confidence: estimate}
"""
_FASTER_TRACK = """id: faster_track
title: Faster track
from_date: 2026-01-01
status: option
source: teaching
confidence: estimate
doc: "The track in the east is renewed."
changes:
  - {table: links, where: {link_id: LINK}, scale: {time_h: 0.5}}
"""


def money_case(folder: Path, *, link: str) -> Path:
    """A corridor folder made of two ports.

    Args:
        folder: Folder to make.
        link: Link that faster_track acts on.
    """
    made = new_corridor(folder)
    for name, lines in _TABLES.items():
        (made / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (made / "measures" / "second_ferry.yaml").write_text(_SECOND_FERRY, encoding="utf-8")
    (made / "measures" / "faster_track.yaml").write_text(_FASTER_TRACK.replace("LINK", link), encoding="utf-8")
    regions = [line.split(",")[0] for line in (made / "regions.csv").read_text(encoding="utf-8").splitlines()[1:3]]
    mill = _JOINT_MILL.replace("REGION", regions[0]).replace("OTHER", regions[1])
    (made / "measures" / "joint_mill.yaml").write_text(mill, encoding="utf-8")
    return made
