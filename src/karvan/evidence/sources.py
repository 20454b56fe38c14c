"""Where numbers come from, and what money they are in."""

from __future__ import annotations

import dataframely as dy

from karvan.schema import CONFIDENCES, Table, choice, number, text, text_id, whole


class Sources(dy.Schema):
    """Publications, statements and our own estimates. Every other row names one of these."""

    source_id = text_id("The source.", primary_key=True)
    title = text("Publisher, date, what it is.")
    url = text("Address.", nullable=True)
    published = text("When it was published, as exactly as known.", nullable=True)


class Provenance(dy.Schema):
    """Source, confidence and range of single values; the row's own source and confidence are the default."""

    table = text_id("Table.", primary_key=True)
    row = dy.String(primary_key=True, min_length=1, metadata={"doc": "Primary key of the row; several parts joined by '|'."})
    column = text_id("Column.", primary_key=True)
    source = text_id("Source.", refers_to="sources.source_id")
    confidence = choice("How far to trust it.", CONFIDENCES)
    low = number("Low end of the range.", unit="as the value", nullable=True)
    high = number("High end of the range.", unit="as the value", nullable=True)
    note = text("Which values other sources give.", nullable=True)


class DefaultRanges(Table):
    """Range of every estimated value of a column that has no range of its own in `provenance`, as multiples of the value."""

    table = text_id("Table.", primary_key=True)
    column = text_id("Column.", primary_key=True)
    low_ratio = number("Low end over the value.", least=0.0, most=1.0)
    high_ratio = number("High end over the value.", least=1.0)
    note = text("Why as wide as that.")


class Currencies(Table):
    """Exchange rates."""

    currency = dy.String(primary_key=True, regex="^[A-Z]{3}$", metadata={"doc": "ISO 4217 code."})
    date = dy.Date(primary_key=True, metadata={"doc": "Day of the rate."})
    countries = text("Countries whose railways and ports charge in it, ISO 3166 two letters, joined by ';'.", nullable=True)
    per_usd = number("Units of it for one US dollar.", unit="currency units per USD", above=0.0)


class Deflators(Table):
    """Price level of the US dollar by year, price year of the case = 1."""

    year = whole("Year.", primary_key=True)
    deflator_ratio = number("Price level relative to the price year.", above=0.0)
