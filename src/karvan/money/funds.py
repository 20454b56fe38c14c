"""Who pays: funds, their partners and their limits of sectors, a table for each as a fund has many of both; and joint ventures."""

from __future__ import annotations

from karvan.money.costs import SECTORS
from karvan.schema import Table, choice, number, text, text_id, whole


class Funds(Table):
    """A fund and its rules."""

    fund_id = text_id("The fund.", primary_key=True)
    name = text("Name to show.")
    budget_musd = number("Its size; empty: not published, and the user's to say.", nullable=True, least=0.0)
    from_year = whole("Year in which it can first pay.")
    sectors = text("Sectors that it pays for, joined by ';'.")
    countries = text("Countries whose operators it pays for, ISO 3166 two letters, joined by ';'.")
    most_share = number("Largest part of a project's cost that it bears; others bear the rest.", above=0.0, most=1.0)
    hurdle_share_per_year = number("Financial return that it asks for, real.", above=0.0, most=0.5)
    note = text("For readers; no code reads it.", nullable=True)


class FundPartners(Table):
    """Who puts money into a fund."""

    fund_id = text_id("The fund.", primary_key=True, refers_to="funds.fund_id")
    partner_id = text_id("The partner.", primary_key=True)
    name = text("Name to show.")
    country = text("Country, ISO 3166 two letters.")
    contribution_share = number("Part of the fund that it pays in; all of a fund add up to 1.", above=0.0, most=1.0)


class FundLimits(Table):
    """What part of all that a fund spends must, and may, go to some sectors."""

    limit_id = text_id("The limit.", primary_key=True)
    fund_id = text_id("The fund.", refers_to="funds.fund_id")
    sectors = text("Sectors counted together, joined by ';'.")
    least_share = number("Least part of the fund's spending.", least=0.0, most=1.0)
    most_share = number("Largest part of the fund's spending.", least=0.0, most=1.0)
    note = text("For readers; no code reads it.", nullable=True)


class Ventures(Table):
    """A joint venture with what it states itself, or what is derived of it.

    One that has a yearly benefit and names a measure is worth that wherever the measure is open, in appraisals and plans; any other is
    listed as not valued. A row whose confidence is estimate has a benefit that nobody published, and answers say so.
    """

    venture_id = text_id("The venture.", primary_key=True)
    title = text("What it is.")
    sector = choice("Sector.", SECTORS)
    capital_musd = number("What it costs, as stated.", nullable=True, least=0.0)
    output = number("What it is to give, in `unit`.", unit="unit column", nullable=True, least=0.0)
    unit = text("Unit of the output.", nullable=True)
    year = whole("Year in which it is to give it.", nullable=True)
    measure_id = text_id("The measure that makes it; empty: none does.", nullable=True)
    country = text("Country that the benefit is told under, ISO 3166 two letters.", nullable=True)
    stated_musd_per_year = number("Value added, revenue or profit of a year, as stated; empty: not published.", nullable=True)
    stated_low_musd_per_year = number("Low end of its range.", nullable=True)
    stated_high_musd_per_year = number("High end of its range.", nullable=True)
    counted_share = number(
        "Part of it that nobody would gain elsewhere: 1 of profit, less of value added, least of revenue.",
        nullable=True,
        least=0.0,
        most=1.0,
    )
    basis = text("How the benefit follows, or why none is stated; told beside it.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)
