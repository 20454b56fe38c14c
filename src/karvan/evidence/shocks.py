"""What may happen and is in no scenario."""

from __future__ import annotations

from karvan.schema import Table, number, text, text_id, whole


class Shocks(Table):
    """Something that may happen once, how likely that is, and the measures that say what it does; ensembles draw it."""

    shock_id = text_id("The shock.", primary_key=True)
    name = text("Name to show.")
    chance_share = number("Chance that it happens at all in the years in which it may begin.", least=0.0, most=1.0)
    first_year = whole("First year in which it may begin.")
    last_year = whole("Last year in which it may begin; each year from the first on is as likely.")
    lasts_count = whole("Whole years that it lasts.", least=1)
    measures = text("Measures in force while it lasts, their ids joined by ';'; one that a scenario has stays as it is.", nullable=True)
    ends = text("Measures that are not in force while it lasts, their ids joined by ';'.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)
