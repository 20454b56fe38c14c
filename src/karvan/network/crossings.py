"""Crossings, ports, borders and yards as the simulation sees them: berths, ships, calls, trains that come, weather and water.

The market does not read these tables. The simulation does, and what ships may load on a day is told to shippers from them, too. A port is
what its rows say, nothing of it stands in code.
"""

from __future__ import annotations

import dataframely as dy

from karvan.schema import CARRIED_UNITS, Table, choice, claim, number, text, text_id, whole


class Systems(Table):
    """What is simulated together: a sea with its ports, a yard, a border."""

    system_id = text_id("The system.", primary_key=True)
    name = text("Name to show.")
    note = text("For readers; no code reads it.", nullable=True)


class Berths(Table):
    """Berths, ramps, cranes, tracks or crews of one kind at one place: what serves one ship, train or truck at a time."""

    berth_id = text_id("The berths.", primary_key=True)
    name = text("Name to show.")
    place_id = text_id("Where they are.", refers_to="places.place_id")
    facility_id = text_id("Facility whose capacity they are, if any.", refers_to="facilities.facility_id", nullable=True)
    closure_id = text_id("Weather that closes them; empty: none.", refers_to="closures.closure_id", nullable=True)
    servers_count = number("How many serve side by side; whole in a simulation.", least=0.0)
    is_held = claim("What is being handled stops while the weather closes them.", default=True)
    depth_m = number("Depth of water on the way to them and beside them, at `depth_level_m`; empty: no limit.", above=0.0, nullable=True)
    depth_level_m = number("Level of the sea, in the datum of `sea_levels`, at which that depth holds.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class Crossings(Table):
    """A line of ships between the two places of a link."""

    crossing_id = text_id("The line.", primary_key=True)
    name = text("Name to show.")
    system_id = text_id("System it belongs to.", refers_to="systems.system_id")
    link_id = text_id("Link it runs on.", refers_to="links.link_id")
    also_links = text(
        "Links to berths next to its own on which its ships sail, too, joined by ';': shippers are told of them there.",
        list_of="links.link_id",
        nullable=True,
    )
    facility_id = text_id("Facility whose capacity its ships are, if any.", refers_to="facilities.facility_id", nullable=True)
    unit = choice("What its goods are counted in.", CARRIED_UNITS)
    t_per_unit = number("Mean load of one unit.", unit="t/unit", above=0.0)
    variability_ratio = number("Coefficient of variation of the time at sea.", least=0.0)
    is_rest = claim(
        "Stands for all ships at the berths of its first place that have no line of their own: it brings there what the facility of these "
        "berths carries less what the other lines bring.",
        default=False,
    )
    note = text("For readers; no code reads it.", nullable=True)


class Calls(Table):
    """What a ship of a line does at one of its two ports: wait for a berth, unload, wait for goods, load, leave."""

    crossing_id = text_id("The line.", refers_to="crossings.crossing_id", primary_key=True)
    place_id = text_id("The port.", refers_to="places.place_id", primary_key=True)
    berths = text("Berths that fit, the best first, joined by ';'.", list_of="berths.berth_id")
    crane_id = text_id("Crane, gang or tug that it needs there as well, if it can be short.", refers_to="berths.berth_id", nullable=True)
    fixed_h = number("Hours at the berth that do not depend on the load.", least=0.0)
    unit_h = number("Hours to take one unit off or on.", unit="h/unit", least=0.0)
    variability_ratio = number("Coefficient of variation of the fixed hours.", least=0.0)
    channel_h = number("Hours from the roads to the berth, and out again.", least=0.0, default=0.0)
    window_period_h = number("The channel opens every so many hours; empty: always open.", above=0.0, nullable=True)
    window_open_h = number("Hours that it is open then.", above=0.0, nullable=True)
    fill_share = number("The ship leaves once its room is filled to this share ...", least=0.0, most=1.0)
    longest_wait_h = number("... or after so many hours at the berth.", least=0.0)
    timetable_per_week = number("It leaves by the clock, so often a week, instead; empty: no timetable.", above=0.0, nullable=True)
    is_early = claim("With a timetable it leaves before its hour once it is filled to that share.", default=False)
    storage_count = number("Units that the port can store for it; empty: no limit.", above=0.0, nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class Ships(Table):
    """Ships of one class on a line."""

    ship_id = text_id("The class on its line.", primary_key=True)
    name = text("Name to show.")
    crossing_id = text_id("The line.", refers_to="crossings.crossing_id")
    fleet_id = text_id("Fleet they belong to, if the case has it.", refers_to="fleet.fleet_id", nullable=True)
    ships_count = number("Ships; whole in a simulation.", least=0.0)
    room_count = number("Units that one has room for.", above=0.0)
    deadweight_t = number("Full load; empty: draught does not limit it.", above=0.0, nullable=True)
    tpc_t_per_cm = number("Tonnes that a centimetre of draught carries.", above=0.0, nullable=True)
    draught_m = number("Draught at full load.", above=0.0, nullable=True)
    clearance_m = number("Water kept under the keel.", least=0.0, nullable=True)
    offhire_share = number("Share of the time that it is off hire.", least=0.0, most=0.9, default=0.0)
    offhire_h = number("Mean hours off hire each time.", least=0.0, default=0.0)
    also_crossing_id = text_id(
        "Line between the same ports whose goods it takes too, where its own leave room.", refers_to="crossings.crossing_id", nullable=True
    )
    also_room_ratio = number("Room that one unit of those takes, in units of its own.", above=0.0, default=1.0)
    note = text("For readers; no code reads it.", nullable=True)


class Passages(Table):
    """Stages that goods without a ship pass through: the tracks of a gauge change, the desks of a border."""

    passage_id = text_id("The passage.", primary_key=True)
    order = whole("Place of the stage in it.", least=1, primary_key=True)
    name = text("Name of the stage.")
    system_id = text_id("System it belongs to.", refers_to="systems.system_id")
    facility_id = text_id("Facility whose capacity it is, if any.", refers_to="facilities.facility_id", nullable=True)
    berth_id = text_id("What serves there; empty: nobody need wait.", refers_to="berths.berth_id", nullable=True)
    cause = choice("What its hours are told as.", ("handling", "customs", "sorting"))
    fixed_h = number("Hours that do not depend on the load.", least=0.0)
    unit_h = number("Hours a unit.", unit="h/unit", least=0.0)
    variability_ratio = number("Coefficient of variation of the fixed hours.", least=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class Arrivals(Table):
    """How goods come by train, truck or pipe: to the port of a line, or to a passage."""

    arrival_id = text_id("The stream.", primary_key=True)
    crossing_id = text_id("Line that it feeds ...", refers_to="crossings.crossing_id", nullable=True)
    place_id = text_id("... from this of its ports.", refers_to="places.place_id", nullable=True)
    passage_id = text_id("Or the passage.", refers_to="passages.passage_id", nullable=True)
    unit = choice("What they are counted in.", CARRIED_UNITS)
    t_per_unit = number("Mean load of one unit.", unit="t/unit", above=0.0)
    lot_count = number("Units in one train or lot.", above=0.0)
    is_timetabled = claim("They leave by the clock; if false at random.", default=False)
    late_sd_h = number("Spread of their delay on the way, as its mean.", least=0.0, default=0.0)
    bunch_count = whole("Trains that come together.", least=1)
    travel_h = number("Hours on the way, which a ban on loading cannot call back.", least=0.0, default=0.0)
    crew_id = text_id("Who sorts them, if that can be short.", refers_to="berths.berth_id", nullable=True)
    crew_h = number("Hours of a crew for one lot.", least=0.0, default=0.0)
    customs_h = number("Hours with customs and papers.", least=0.0, default=0.0)
    ban_above_count = number("No more is loaded while more units than this are on the way or wait; empty: never.", above=0.0, nullable=True)
    ban_below_count = number("The ban ends at so many.", least=0.0, nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class Closures(Table):
    """Weather that closes a place, month by month: hours open and closed follow each other by chance."""

    closure_id = text_id("The weather of a place.", primary_key=True)
    month = whole("Month, 1 to 12.", least=1, most=12, primary_key=True)
    closed_share = number("Share of the month that it is closed.", least=0.0, most=0.95)
    mean_h = number("Mean length of one closure.", unit="h", above=0.0)
    variability_ratio = number("Coefficient of variation of that length; the same in all months.", least=0.0)
    follows = text_id(
        "It closes only when this one does, with it and for as long: a place nearby in a more exposed position.",
        refers_to="closures.closure_id",
        nullable=True,
    )
    note = text("For readers; no code reads it.", nullable=True)


class SeaLevels(Table):
    """Level of the sea by day: what was measured, which belongs to every path, and paths from there on. Between days it is a straight line,
    before the first and after the last it stays.
    """

    path_id = text_id("The path; `measured`: what was measured. The first by name is the one taken unless another is asked for.",
                      primary_key=True)  # fmt: skip
    date = dy.Date(primary_key=True, metadata={"doc": "Day; the middle of what a mean is about."})
    level_m = number("Level above the height datum of the case.")
    note = text("For readers; no code reads it.", nullable=True)
