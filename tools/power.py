"""Write docs/power.md: what the packaged case answers on power. Takes a few minutes.

python tools/power.py              # dispatch, and write the page
python tools/power.py --from FILE  # write it from what `karvan power --json` printed for the same designs
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import karvan as kv

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "power.md"
YEAR, SCENARIO = 2035, "agreed"
SIZES = (250.0, 500.0, 1000.0, 1500.0, 2000.0, 3000.0)
DESIGNS = {
    "as it is": "as agreed: Zangezur and Black Sea lines",
    "no-black_sea_cable": "lands in Türkiye only (no Black Sea cable)",
    "no-zangezur_power": "lands in Romania (no Zangezur line)",
    "no_carbon_border": "no carbon border of the European Union",
    "no-karabatan_ulke": "no Karabatan-Ulke",
    "kz_short_winter": "a Kazakh winter of shortage",
    "az_gas_at_home_price": "Azerbaijani gas at its home price, 25 USD/MWh",
    "az_gas_at_export_price": "Azerbaijani gas at its export price, 60 USD/MWh",
    "az_gas_at_export_price+no_carbon_border": "the same without the carbon border",
    "mangystau_wind": "2,000 MW of wind more in Mangystau",
    "mangystau_wind+no_carbon_border": "the same without the carbon border",
}


def computed() -> dict[str, Any]:
    how = kv.DispatchOptions(sizes_mw=SIZES, tries=tuple(design for design in DESIGNS if design != "as it is"))
    found = kv.dispatch(kv.load_corridor("middle-corridor"), year=YEAR, scenario=SCENARIO, how=how, progress=print)
    return found.as_dict()


def page(found: dict[str, Any]) -> str:
    worth, terms = found["worth"], found["terms"]
    lines = [
        "# What the case answers on power",
        "",
        (
            f"Written by `tools/power.py`: {found['year']}, scenario `{found['scenario_id']}`, {found['hours']:,} hours, weather of seed {found['seed']}. The cable "
            f"under the Caspian Sea has {worth[0]['capacity_mw']:,.0f} MW and costs {terms['cost_usd_per_kw']:,.0f} USD/kW, at {terms['discount_rate']:.0%} over "
            f"{terms['life_years']:.0f} years and with running costs {worth[0].get('cost_musd', worth[0].get('yearly_musd')):,.0f} M USD a year. Size, cost and most plant costs are our estimates: read signs and orders of magnitude."
        ),
        "",
        "| Design | to the west TWh | back TWh | hours back | rent M USD | owner keeps | all gain | pays its owner below USD/kW | pays all below USD/kW | CO2 Mt |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in worth:
        lines.append(
            f"| {DESIGNS.get(row['design'], row['design'])} | {row['there_twh']:.2f} | {row['back_twh']:.2f} | {row['backwards_share']:.0%} | {row['rent_musd']:.0f} | "
            f"{row['kept_musd']:.0f} | {row['gain_musd']:.0f} | {row['owner_pays_until_usd_per_kw']:,.0f} | {row['all_pay_until_usd_per_kw']:,.0f} | {row['co2_change_mt']:+.2f} |"
        )
    lines += [
        "",
        "*Hours back* are those of the hours in use in which power runs from Azerbaijan to Kazakhstan. *All gain* is what the cost of all power falls by, charges at borders not counted; it is no",
        "ground for building where it is less than the cost of a year.",
        "",
        "| MW | used | rent M USD | all gain M USD | one more kW, USD a year |",
        "|---|---|---|---|---|",
    ]
    for row in found["sweep"]:
        used = "--" if row["used_share"] is None else f"{row['used_share']:.0%}"
        lines.append(
            f"| {row['capacity_mw']:,.0f} | {used} | {row['rent_musd']:.0f} | {round(row['gain_musd'])} | {row['value_usd_per_kw']:.0f} |"
        )
    pays = found["pays"]
    lines += [
        "",
        f"A kilowatt costs {pays['cost_usd_per_kw_year']:.0f} USD a year. The first is worth {pays['worth_of_first_usd_per_kw_year']:.0f}, so that the size that pays is {pays['size_mw']:,.0f} MW.",
        "",
        "Who gains in the scenario as it is, M USD a year:",
        "",
        "| | consumers | producers | lines | borders | all |",
        "|---|---|---|---|---|---|",
    ]
    for row in found["parties"]:
        if row["design"] == "as it is" and abs(row["total_musd"]) >= 0.5:
            lines.append(
                f"| {row['who']} | {row['consumers_musd']:.1f} | {row['producers_musd']:.1f} | {row['lines_musd']:.1f} | {row['borders_musd']:.1f} | {row['total_musd']:.1f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE")
    parsed = parser.parse_args()
    found = computed() if parsed.source is None else json.loads(parsed.source.read_text(encoding="utf-8"))
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
