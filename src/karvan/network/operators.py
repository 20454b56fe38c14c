"""Who runs things and what they charge."""

from __future__ import annotations

from karvan.network.facilities import DIRECTIONS
from karvan.schema import ANY, LOADING_UNITS, TARIFF_BASES, Table, choice, number, text, text_id


class Operators(Table):
    """Railways, ports, shipping lines, pipeline companies."""

    operator_id = text_id("The operator.", primary_key=True)
    name = text("Name to show.")
    country = text("Country, ISO 3166 two letters; several joined by ';'.")


class Tariffs(Table):
    """What an operator charges on its links. The most specific row wins: link, then direction, then goods, then loading unit.

    An operator without a row for a loading unit does not carry it.
    """

    tariff_id = text_id("The row.", primary_key=True)
    operator_id = text_id("Who charges.", refers_to="operators.operator_id")
    link_id = text_id("Only on this link, or any.", refers_to="links.link_id or any")
    direction = choice("Only along or against the link's own direction, or both.", DIRECTIONS, default="both")
    commodity_group = text_id("Only these goods, or any.", refers_to="commodities.commodity_group or any")
    loading_unit = choice("Only this loading unit, or any.", (*LOADING_UNITS, ANY))
    basis = choice("Unit of the rate.", TARIFF_BASES)
    rate = number("The charge, in `basis`.", unit="basis column", least=0.0)
    note = text("For readers; no code reads it.", nullable=True)
