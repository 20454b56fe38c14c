"""What ways cannot take: loads, pieces, cold boxes, dangerous goods."""

from __future__ import annotations

from karvan.schema import ANY, LOADING_UNITS, MODES, Table, choice, day, number, text, text_id

LIMITED = ("load_t_per_unit", "piece_t", "reefer", "hazardous", "out_of_gauge")
LIMIT_EFFECTS = ("ban", "needs_check")


class Limits(Table):
    """What a link, a terminal, a country or every way of a mode does not take, or takes only after a check.

    A limit is a rule for shippers alone: the market, whose goods are groups and not shipments, does not read it.
    """

    limit_id = text_id("The limit.", primary_key=True)
    link_id = text_id("Link it is about ...", refers_to="links.link_id", nullable=True)
    terminal_id = text_id("... or terminal ...", refers_to="terminals.terminal_id", nullable=True)
    country = text("... or every link that touches this country (ISO 3166 two letters) ...", nullable=True)
    mode = choice("... or every link of this mode.", MODES, nullable=True)
    loading_unit = choice("Only this loading unit, or any.", (*LOADING_UNITS, ANY), default=ANY)
    limited = choice(
        "What is limited. load_t_per_unit: tonnes in one TEU, wagon or truck; piece_t: the heaviest piece; reefer: boxes that need power; "
        "hazardous: dangerous goods; out_of_gauge: what stands out beyond the loading gauge.",
        LIMITED,
    )
    most = number("Most of it, tonnes; empty: none at all.", unit="t", least=0.0, nullable=True)
    classes = text("Of dangerous goods only these UN classes, joined by ';'; empty: all.", nullable=True)
    from_date = day("First day in force; empty: always.", nullable=True)
    until_date = day("First day no longer in force; empty: no end.", nullable=True)
    effect = choice("ban: is not taken; needs_check: only if the carrier says so.", LIMIT_EFFECTS)
    rule = text("What it says.")
