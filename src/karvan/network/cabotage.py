"""Who may carry between two places of one country."""

from __future__ import annotations

from karvan.network.limits import LIMIT_EFFECTS
from karvan.schema import Table, choice, day, text, text_id

CARRIED_BY = ("road", "sea")


class Cabotage(Table):
    """A rule about carriage between two places of one country by a carrier of another.

    A rule for shippers who say where their carrier is from; neither the market nor a question without a carrier reads it.
    """

    cabotage_id = text_id("The rule.", primary_key=True)
    countries = text("Countries in which it holds (ISO 3166 two letters), joined by ';'.")
    carried_by = choice("Trucks, or ships of any kind.", CARRIED_BY)
    carriers = text("Only carriers of these countries, joined by ';'; empty: of every other country.", nullable=True)
    not_carriers = text("Carriers of these countries it leaves out, joined by ';'.", nullable=True)
    from_date = day("First day in force; empty: always.", nullable=True)
    until_date = day("First day no longer in force; empty: no end.", nullable=True)
    effect = choice("ban: may not be carried so; needs_check: within what the rule says.", LIMIT_EFFECTS)
    rule = text("What it says.")
