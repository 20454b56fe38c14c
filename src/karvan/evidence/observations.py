"""What was measured or published."""

from __future__ import annotations

from karvan.schema import Table, choice, claim, number, text, text_id, whole

FAMILIES = ("volume", "throughput", "power", "time", "rate", "carec", "outlook", "context")
REASONS = ("scope", "before_base_year", "opinion", "not_modelled")
"""Why a published value is not held against the model: it counts something else; it is older than the base year; it is a plan or a
statement; the model has no such quantity."""
COMPARED = (
    "cordon_mt", "cordon_teu", "cordon_growth_percent", "facility", "facility_per_day", "family_mt", "pair_mt", "time_d",
    "rate_usd_per_teu", "rate_usd_per_feu", "tfi1_border_h", "tfi2_border_usd", "tfi3_usd_per_500km_20t", "tfi4_swod_kmh", "tfi4_swd_kmh",
    "power_made_twh", "power_exported_twh", "power_imported_twh",
)  # fmt: skip
"""Quantities that the model gives, too."""
POWER = ("power_made_twh", "power_exported_twh", "power_imported_twh")
"""Those of a year of power: they may name several elements."""
FORMS = ("any", "boxed", "loose")
CLOSE_SHARE = 0.15
"""The model is close to a published value when it is off by no more than this share."""


class Observations(Table):
    """A published measurement or study result, its scope, and whether calibration used it.

    A row either holds a quantity that the model gives, and is compared, or says in `reason` why it cannot be.
    """

    observation_id = text_id("The observation.", primary_key=True)
    family = choice("Kind.", FAMILIES)
    quantity = text_id(f"What. Compared are: {', '.join(COMPARED)}.")
    element_id = text(
        "Cordon, facility, link, route family or journey it is about, or rail or road; of power zones, plants and stores, joined by ';'.",
        nullable=True,
    )
    commodity_groups = text("Only these goods.", list_of="commodities.commodity_group or any", default="any")
    form = choice("Only boxed or only loose goods.", FORMS, default="any")
    origin_regions = text("Only goods from these regions.", list_of="regions.region_id or any", default="any")
    destination_regions = text("Only goods to these regions.", list_of="regions.region_id or any", default="any")
    year = whole("Year it is about.")
    period = text("Months it is about, YYYY-MM/YYYY-MM; empty for the calendar year.", nullable=True)
    value = number("Published value, in `unit`.", unit="unit column")
    unit = text("Its unit.")
    low = number("Low end, in `unit`.", unit="unit column", nullable=True)
    high = number("High end, in `unit`.", unit="unit column", nullable=True)
    scenario = text_id("Scenario whose assumptions an outlook describes; empty: the corridor's baseline.", nullable=True)
    used_in_calibration = claim("Calibration used it, or an input was taken from it, so it proves nothing.", default=False)
    reason = choice("Why it is not compared; empty where it is.", REASONS, nullable=True)
    why = text("Why it differs from the model, or why it is not compared.", nullable=True)
    scope = text("What the figure covers.")
