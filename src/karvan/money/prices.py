"""At what rates and prices costs and benefits of different years and kinds are added up."""

from __future__ import annotations

from karvan.schema import MODES, Table, choice, claim, number, text, text_id, whole

APPRAISAL_VALUES = (
    "evaluation_years", "resource_cost_share", "profit_tax_share", "construction_conversion_ratio", "running_conversion_ratio",
    "origin_share", "debt_share", "debt_rate_share", "debt_years", "imperfect_competition_share",
)  # fmt: skip
"""Values that an appraisal reads from `appraisal_values`; a case that is appraised has them all."""


class DiscountRates(Table):
    """Discount rates by institution, real."""

    rate_id = text_id("The rate.", primary_key=True)
    name = text("Who uses it, and for what.")
    kind = choice("economic: of society; financial: of a sponsor.", ("economic", "financial"))
    rate_share_per_year = number("The rate.", above=0.0, most=0.5)
    low_share_per_year = number("Low end of its range.", above=0.0, most=0.5)
    high_share_per_year = number("High end of its range.", above=0.0, most=0.5)
    is_default = claim("The one taken where none is named; one of each kind.", default=False)
    note = text("For readers; no code reads it.", nullable=True)


class CarbonPrices(Table):
    """What a tonne of carbon dioxide is worth to society, by path and year; straight between years, flat outside them."""

    path_id = text_id("The path.", primary_key=True)
    year = whole("Year.", primary_key=True)
    price_usd_per_t = number("Price of a tonne of CO2e.", least=0.0)
    low_usd_per_t = number("Low end of its range.", least=0.0)
    high_usd_per_t = number("High end of its range.", least=0.0)
    is_default = claim("Rows of the path taken where none is named.", default=False)
    note = text("For readers; no code reads it.", nullable=True)


class AppraisalValues(Table):
    """Single values of an appraisal."""

    value_id = choice("Which value.", APPRAISAL_VALUES, primary_key=True)
    value = number("The value, in `unit`.", unit="unit column")
    low = number("Low end of its range.", unit="unit column")
    high = number("High end of its range.", unit="unit column")
    unit = text("Unit of the value.")
    doc = text("What it says.")


class ExternalCosts(Table):
    """What carrying costs others, by mode, beside carbon dioxide."""

    mode = choice("The mode.", MODES, primary_key=True)
    effect = choice("accidents, air pollution or noise.", ("accidents", "air", "noise"), primary_key=True)
    usd_per_tkm = number("Cost of a tonne carried a kilometre.", unit="USD/t-km", least=0.0)
    low_usd_per_tkm = number("Low end of its range.", unit="USD/t-km", least=0.0)
    high_usd_per_tkm = number("High end of its range.", unit="USD/t-km", least=0.0)
