"""What a quotation has beside tariffs: charges for dwell and risk, and rates agreed for a whole way."""

from __future__ import annotations

from karvan.schema import ANY, LOADING_UNITS, Table, choice, day, number, text, text_id

SURCHARGE_KINDS = ("storage", "container_hire", "wagon_detention", "insurance", "transit_guarantee")
SURCHARGE_BASES = ("usd_per_unit_d", "usd_per_t_d", "usd_per_unit", "value_share")
THROUGH_BASES = ("usd_per_t", "usd_per_teu", "usd_per_feu")


class Surcharges(Table):
    """A charge that grows with dwell or risk. Routes are not chosen by it, and the market does not read it.

    storage counts the time at one terminal, container_hire the whole way in a box, wagon_detention all that a wagon stands, each beyond
    `free_d`; insurance is once a shipment; transit_guarantee once for each country passed through.
    """

    surcharge_id = text_id("The row.", primary_key=True)
    kind = choice("What is charged for.", SURCHARGE_KINDS)
    place_id = text_id("Only at this place; empty: at any.", refers_to="places.place_id", nullable=True)
    country = text("Only in this country, ISO 3166 two letters; empty: in any.", nullable=True)
    commodity_group = text_id("Only these goods, or any.", refers_to="commodities.commodity_group or any")
    loading_unit = choice("Only this loading unit, or any.", (*LOADING_UNITS, ANY))
    free_d = number("Days without charge.", least=0.0, default=0.0)
    rate = number("The charge, in `basis`; the most specific row wins: place, then country, then goods, then loading unit.",
                  unit="basis column", least=0.0)  # fmt: skip
    basis = choice("Unit of the rate; a unit is a TEU, wagon or truck.", SURCHARGE_BASES)
    from_date = day("First day in force; empty: always.", nullable=True)
    until_date = day("First day no longer in force; empty: no end.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class ThroughRates(Table):
    """A rate that was agreed or offered for a whole way, told beside the sum of national tariffs; nothing is computed from it."""

    through_rate_id = text_id("The rate.", primary_key=True)
    from_place = text_id("From.", refers_to="places.place_id")
    to_place = text_id("To.", refers_to="places.place_id")
    family_id = text_id("Route family it is for; empty: any.", refers_to="route_families.family_id", nullable=True)
    loading_unit = choice("Loading unit.", LOADING_UNITS)
    rate = number("The rate, in `basis`, in dollars of its own year.", unit="basis column", above=0.0)
    basis = choice("Unit of the rate.", THROUGH_BASES)
    quoted_date = day("Day it was valid on.")
    offered_by = text("Who agreed or offered it.")
    includes = text("What is in it, as far as the source says.", nullable=True)
    excludes = text("What is not.", nullable=True)
