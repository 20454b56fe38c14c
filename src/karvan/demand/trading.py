"""What countries make, buy and sell, and what is announced to be made together."""

from __future__ import annotations

from karvan.schema import Table, number, text, text_id, whole

FORECAST_UNITS = ("kt", "teu", "musd")


class Economies(Table):
    """What a region makes in a year. Regions without a row take no part in the trade response."""

    region_id = text_id("The region.", refers_to="regions.region_id", primary_key=True)
    year = whole("Year.", primary_key=True)
    gdp_musd = number("Gross domestic product, in dollars of the year.", above=0.0)


class EconomyRegions(Table):
    """Which economy a region of demand belongs to, where it is not one itself."""

    region_id = text_id("The region of demand.", refers_to="regions.region_id", primary_key=True)
    economy_id = text_id("The economy, a region with a row in `economies`.", refers_to="regions.region_id")


class TradeGoods(Table):
    """Value of trade between two regions by goods; pairs without rows are split by what their markets carry."""

    exporter = text_id("From.", refers_to="regions.region_id", primary_key=True)
    importer = text_id("To.", refers_to="regions.region_id", primary_key=True)
    commodity_group = text_id("Goods.", refers_to="commodities.commodity_group", primary_key=True)
    year = whole("Year.", primary_key=True)
    value_musd = number("Value.", least=0.0)
    weight_kt = number("Weight.", least=0.0, nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class TradeElasticities(Table):
    """By what per cent the value of trade falls when delivered prices rise by one per cent."""

    commodity_group = text_id("Goods, or any for those without a row.", refers_to="commodities.commodity_group or any", primary_key=True)
    elasticity_ratio = number("Elasticity, as a number above zero.", unit="1", above=0.0)


class JointVentures(Table):
    """Something that two countries make together: output, and what of it is sold between them. Measures add rows."""

    venture_id = text_id("The venture.", primary_key=True)
    name = text("Name to show.")
    exporter = text_id("Where it is made.", refers_to="regions.region_id")
    importer = text_id("Where the traded part is sold.", refers_to="regions.region_id")
    commodity_group = text_id(
        "Goods it makes; empty: services, which nothing carries.", refers_to="commodities.commodity_group", nullable=True
    )
    output_musd = number("What it makes in a year.", unit="M USD a year", least=0.0, prorate=True, absent=0.0)
    traded_share = number("Part of the output that is sold to the importer and would not be otherwise.", least=0.0, most=1.0)
    jobs_count = number("Jobs, if they are known.", least=0.0, nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class Forecasts(Table):
    """What was officially expected, to be held against what came."""

    forecast_id = text_id("The forecast.", primary_key=True)
    name = text("What was expected.")
    forecaster = text("Who expected it.")
    made_year = whole("Year it was made in.")
    for_year = whole("Year it was made for.")
    unit = text("Unit of both values.")
    forecast = number("What was expected.", unit="unit column", least=0.0)
    outturn = number("What came; empty: not known yet.", unit="unit column", least=0.0, nullable=True)
    note = text("For readers; no code reads it.", nullable=True)
