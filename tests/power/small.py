"""A small power case: two zones, wind in one of them, a lake, a battery, and a cable that a measure lays."""

from __future__ import annotations

import math
from pathlib import Path

T = "teaching,estimate"
FLAT = "\n".join(f"flat,{month},1,{T}" for month in range(1, 13))
WINTER = "\n".join(f"winter,{month},{1 + 0.3 * math.cos((month - 1) * math.pi / 6):.4f},{T}" for month in range(1, 13))
DAY = "\n".join(f"day,{hour},{1 - 0.2 * math.cos((hour - 3) * math.pi / 12):.4f},{T}" for hour in range(24))
FILES = {
    "power_zones": "zone_id,name,country,synchronous_area,lat_deg,lon_deg,utc_offset_h,month_shape_id,hour_shape_id,lost_load_usd_per_mwh,source,"
    f"confidence\neast,East,Eastland,one,45,52,5,winter,day,1000,{T}\nwest,West,Westland,two,40,48,4,flat,day,1000,{T}",
    "power_demand": f"zone_id,year,demand_twh,peak_mw,note,source,confidence\neast,2024,4,700,,{T}\neast,2034,6,1050,,{T}\nwest,2024,5,900,,{T}",
    "power_shapes": f"shape_id,step,level_factor,source,confidence\n{FLAT}\n{WINTER}\n{DAY}",
    "power_profiles": "profile_id,kind,lat_deg,lon_deg,capacity_factor_share,shape_id,note,source,confidence\n"
    f"east_wind,wind,45,51,0.38,winter,,{T}\nwest_wind,wind,40.5,49.5,0.34,flat,,{T}\nwest_sun,solar,40,48,0.2,flat,,{T}\nwater,water,41,47,0.4,winter,,{T}",
    "power_plants": "plant_id,zone_id,technology,marginal_cost_usd_per_mwh,co2_t_per_mwh,available_share,availability_shape_id,least_share,"
    "profile_id,unit_mw,outage_share,note,source,confidence\n"
    f"east_gas,east,gas,30,0.5,0.9,,0.1,,50,0.05,,{T}\neast_wind_farm,east,wind,0,0,1,,0,east_wind,,0,,{T}\n"
    f"west_gas,west,gas,60,0.45,0.9,,0.1,,100,0.05,,{T}\nwest_wind_farm,west,wind,0,0,1,,0,west_wind,,0,,{T}\nwest_panels,west,solar,0,0,1,,0,west_sun,,0,,{T}",
    "power_stores": "store_id,zone_id,technology,charge_ratio,energy_h,round_trip_share,marginal_cost_usd_per_mwh,profile_id,note,source,confidence\n"
    f"west_lake,west,reservoir,0,300,1,2,water,,{T}\neast_battery,east,battery,1,4,0.9,1,,,{T}",
    "power_capacities": "asset_id,year,capacity_mw,note,source,confidence\n"
    f"east_gas,2024,800,,{T}\neast_wind_farm,2024,300,,{T}\neast_wind_farm,2034,900,,{T}\nwest_gas,2024,700,,{T}\nwest_wind_farm,2024,100,,{T}\n"
    f"west_panels,2024,150,,{T}\nwest_lake,2024,300,,{T}\neast_battery,2024,50,,{T}",
    "power_lines": "line_id,name,from_zone,to_zone,kind,capacity_mw,loss_share,running_usd_per_mwh,outage_share,length_km,owner,note,source,confidence",
    "power_border_costs": f"from_zone,to_zone,year,cost_usd_per_mwh,note,source,confidence\neast,west,2024,0,,{T}\neast,west,2034,10,,{T}",
}
CABLE = """id: strait_cable
title: "Cable under the strait"
from_date: 2030-01-01
status: announced
cost: {capital_musd: 200, years: 3, running_musd_per_year: 2}
source: teaching
confidence: estimate
doc: "A cable to learn from."
changes:
  - table: power_lines
    add:
      - {line_id: strait, name: "Strait cable", from_zone: east, to_zone: west, kind: hvdc, capacity_mw: 200, loss_share: 0.03, running_usd_per_mwh: 0.5, outage_share: 0.03, length_km: 300, owner: "Cable company", note: null, source: teaching, confidence: estimate}
"""
FREE = """id: no_border_charge
title: "No charge at the border"
from_date: 2024-01-01
status: option
source: teaching
confidence: estimate
doc: "Power is let in free."
changes:
  - {table: power_border_costs, where: {to_zone: west}, scale: {cost_usd_per_mwh: 0.0}}
"""


def add_power(folder: Path) -> Path:
    """Lay the power case into a corridor folder."""
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    (folder / "measures" / "strait_cable.yaml").write_text(CABLE, encoding="utf-8")
    (folder / "measures" / "no_border_charge.yaml").write_text(FREE, encoding="utf-8")
    with (folder / "corridor.yaml").open("a", encoding="utf-8") as manifest:
        manifest.write("power_line: strait\n")
    return folder
