"""What ways cannot take: loads, pieces, cold boxes, dangerous goods, and how deep ships may lie."""

from __future__ import annotations

import dataframely as dy

from karvan.schema import ANY, ID, LOADING_UNITS, MODES, Table, choice, day, number, text, text_id

LIMITED = ("load_t_per_unit", "piece_t", "reefer", "hazardous", "out_of_gauge")
LIMIT_EFFECTS = ("ban", "needs_check")
SHIP_UNITS = ("t", "teu", "wagons", "vehicles")


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


class Vessels(Table):
    """A ship of the kind that sails on a link. Its load follows the water under it."""

    vessel_id = text_id("The kind of ship.", primary_key=True)
    link_id = text_id("Link it sails on.", refers_to="links.link_id")
    name = text("Name to show.")
    full_load = number("What it takes when it lies as deep as it may, in `unit`.", unit="unit column", above=0.0)
    unit = choice("Unit of the load: tonnes, TEU, wagons or road vehicles.", SHIP_UNITS)
    full_load_t = number("The same in tonnes of goods.", above=0.0)
    load_t_per_m = number("Tonnes that a metre less of water costs.", unit="t/m", above=0.0)
    needed_depth_m = number("Depth that it needs with a full load, with the water under its keel.", above=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class Depths(Table):
    """Depth of the water that ships of a place must lie in, at a level of its sea."""

    place_id = text_id("The port.", refers_to="places.place_id", primary_key=True)
    from_date = dy.Date(primary_key=True, metadata={"doc": "First day of this depth; dredging is a new row."})
    depth_m = number("Depth at `level_m`.", above=0.0)
    level_m = dy.Float64(metadata={"doc": "Level of the sea that the depth is measured at, above the datum of `sea_levels`."})
    sea_id = text_id("The sea.")
    note = text("For readers; no code reads it.", nullable=True)


class SeaLevels(Table):
    """Level of a sea by day; between days it is a straight line, before the first and after the last it stays."""

    sea_id = dy.String(primary_key=True, regex=ID, metadata={"doc": "The sea."})
    date = dy.Date(primary_key=True, metadata={"doc": "Day; the middle of what a mean is about."})
    level_m = dy.Float64(metadata={"doc": "Level above its datum."})
    note = text("For readers; no code reads it.", nullable=True)
