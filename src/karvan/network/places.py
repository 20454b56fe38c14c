"""Places, links and terminals: what is built."""

from __future__ import annotations

from karvan.schema import (
    ANY,
    GAUGES,
    LOADING_UNITS,
    MODES,
    Table,
    choice,
    claim,
    number,
    text,
    text_id,
    whole,
)

TERMINAL_KINDS = ("port", "gauge_change", "border", "transfer")


class Places(Table):
    """Stations, ports, borders, fields and cities."""

    place_id = text_id("The place.", primary_key=True)
    name = text("Name to show.")
    country = text("Country, ISO 3166 two letters.")
    lon_deg = number("Longitude, WGS 84.", least=-180.0, most=180.0)
    lat_deg = number("Latitude, WGS 84.", least=-90.0, most=90.0)
    aliases = text("Other names, joined by ';'.", nullable=True)
    unlocode = text("UN/LOCODE.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class Modes(Table):
    """Which loading units a mode carries, and what carrying them emits."""

    mode = choice("Mode of transport.", MODES, primary_key=True)
    loading_unit = choice("Loading unit it carries.", LOADING_UNITS, primary_key=True)
    co2e_ttw_kg_per_tkm = number("Tank-to-wheel greenhouse gases.", least=0.0)
    co2e_wtw_kg_per_tkm = number("Well-to-wheel greenhouse gases.", least=0.0)
    time_sd_share = number("Standard deviation of moving time as a share of it.", least=0.0)


class Links(Table):
    """Track, road, sea lane or pipe between two places. Stored once; runs both ways unless `one_way`."""

    link_id = text_id("The link.", primary_key=True)
    from_place = text_id("Place where the link starts.", refers_to="places.place_id")
    to_place = text_id("Place where the link ends.", refers_to="places.place_id")
    mode = choice("Mode of transport.", MODES)
    gauge = choice("Track gauge in mm; 'both' where two gauges lie side by side; 'none' off rails.", GAUGES)
    length_km = number("Length along the track, road or sea lane.", above=0.0)
    time_h = number("Time to run it, without waits at its ends.", above=0.0)
    one_way = claim("Runs only from `from_place` to `to_place`.", default=False)
    is_open = claim("Open to traffic.", switch=True)
    operator_id = text_id("Who charges for it.", refers_to="operators.operator_id")
    note = text("For readers; no code reads it.", nullable=True)


class Waypoints(Table):
    """Where a link turns between its ends, for maps alone: nothing is computed from it. What has no rows is drawn straight or bent."""

    link_id = text_id("The link.", refers_to="links.link_id", primary_key=True)
    point_no = whole("Rank on the way from `from_place` to `to_place`.", least=1, primary_key=True)
    lon_deg = number("Longitude, WGS 84.", least=-180.0, most=180.0)
    lat_deg = number("Latitude, WGS 84.", least=-90.0, most=90.0)
    note = text("For readers; no code reads it.", nullable=True)


class Terminals(Table):
    """What happens inside a place: an arc from one state (mode, gauge, loading unit) to another.

    A row with a `link_id` stands on the passage between that link and the place instead, and changes no state: a border post.
    """

    terminal_id = text_id("The terminal operation.", primary_key=True)
    place_id = text_id("Where it is.", refers_to="places.place_id")
    kind = choice("What it is; decides under which heading its time is shown.", TERMINAL_KINDS)
    link_id = text_id("Link on whose passage it stands (borders).", refers_to="links.link_id", nullable=True)
    from_mode = choice("Mode before.", (*MODES, ANY))
    from_gauge = choice("Gauge before.", (*GAUGES, ANY))
    from_unit = choice("Loading unit before; on a border: the unit it applies to.", (*LOADING_UNITS, ANY))
    to_mode = choice("Mode after.", (*MODES, ANY))
    to_gauge = choice("Gauge after.", (*GAUGES, ANY))
    to_unit = choice("Loading unit after.", (*LOADING_UNITS, ANY))
    both_ways = claim("Works in the other direction too.", default=True)
    is_open = claim("Open to traffic.", switch=True)
    time_h = number("Time for the operation itself.", least=0.0)
    waiting_h = number("Mean wait for the next sailing, train or berth.", least=0.0, default=0.0)
    time_sd_h = number("Standard deviation of operation and wait together.", least=0.0, default=0.0)
    cost_usd_per_t = number("Charge by weight.", least=0.0, default=0.0)
    cost_usd_per_teu = number("Charge by box; counts only for containers.", least=0.0, default=0.0)
    operator_id = text_id("Who charges for it.", refers_to="operators.operator_id")
    note = text("For readers; no code reads it.", nullable=True)
