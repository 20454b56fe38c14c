"""Ways to break two-ports, and the problem each must be told as. Add a line to add a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.power.small import add_power

Edit = Callable[[Path], object]


@dataclass(frozen=True)
class Broken:
    """A spoilt folder and the problem that must be among those told: table, row, column, and words that say what would be right."""

    name: str
    edit: Edit
    table: str
    row: int | None
    column: str | None
    words: tuple[str, ...]


def swap(file: str, old: str, new: str) -> Edit:
    """Replace one piece of a file's text."""

    def edit(folder: Path) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")

    return edit


def add(file: str, *lines: str) -> Edit:
    """Add lines to a file, or make it."""

    def edit(folder: Path) -> None:
        path = folder / file
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(before + "".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")

    return edit


def write(file: str, content: bytes) -> Edit:
    """Replace a whole file."""
    return lambda folder: (folder / file).write_bytes(content)


def remove(file: str) -> Edit:
    """Delete a file."""
    return lambda folder: (folder / file).unlink()


def encode(file: str, encoding: str) -> Edit:
    """Store a file in another encoding, with a letter that is not ASCII."""

    def edit(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8").replace("East Port", "Östhafen")
        (folder / file).write_bytes(text.encode(encoding))

    return edit


def enlarge(file: str, size: int) -> Edit:
    """Make a file seem large without using the disk."""

    def edit(folder: Path) -> None:
        with (folder / file).open("r+b") as opened:
            opened.truncate(size)

    return edit


FOLDER_CASES = (
    Broken("no manifest", remove("corridor.yaml"), "corridor.yaml", None, None, ("missing", "must be there")),
    Broken("manifest is not YAML", swap("corridor.yaml", "title: Two Ports", "title: [Two"), "corridor.yaml", None, None, ("YAML", "key: value")),
    Broken("manifest is a list", write("corridor.yaml", b"- a\n"), "corridor.yaml", None, None, ("key: value",)),
    Broken("unknown key", swap("corridor.yaml", "base_year", "baseyear"), "corridor.yaml", None, "baseyear", ("mean base_year",)),
    Broken("missing key", swap("corridor.yaml", "base_year: 2024\n", ""), "corridor.yaml", None, "base_year", ("must be given",)),
    Broken("manifest date", swap("corridor.yaml", "2024-12-31", "soon"), "corridor.yaml", None, "facts_until", ("date",)),
    Broken("no such scenario", swap("corridor.yaml", "agreed", "agred"), "corridor.yaml", None, "headline_scenario", ("mean agreed",)),
    Broken("no such cordon", swap("corridor.yaml", "sea_cro", "sea_kro"), "corridor.yaml", None, "headline_cordon", ("cordons.csv", "sea_crossing")),
    Broken("file missing", remove("links.csv"), "links", None, None, ("links.csv", "link_id,from_place,to_place")),
    Broken("file misnamed", lambda folder: (folder / "growth.csv").rename(folder / "grwth.csv"), "corridor", None, None, ("mean growth.csv",)),
    Broken("file empty", write("modes.csv", b""), "modes", None, None, ("empty", "header")),
    Broken("file Latin-1", encode("places.csv", "latin-1"), "places", None, None, ("line 2", "UTF-8")),
    Broken("file UTF-16", encode("places.csv", "utf-16"), "places", None, None, ("UTF-8",)),
    Broken("file with zero bytes", add("places.csv", "x\x00y"), "places", None, None, ("zero bytes", "UTF-8")),
    Broken("file huge", enlarge("demand.csv", 300_000_000), "demand", None, None, ("300,000,000 bytes", "at most 200,000,000")),
    Broken("semicolons", write("growth.csv", b"growth_id;from_year;source\na;2025;b\n"), "growth", None, None, ("separated by commas",)),
    Broken("open quote", add("operators.csv", 'x,"Sea,XA,teaching,estimate'), "operators", None, None, ("quotation marks",)),
    Broken("column missing", swap("links.csv", ",time_h,", ",note2,"), "links", None, "time_h", ("must be there", "Time to run")),
    Broken("column misspelt", swap("links.csv", "length_km", "lenght_km"), "links", None, "lenght_km", ("mean length_km",)),
    Broken("column twice", swap("places.csv", "aliases", "name"), "places", None, "name", ("2 times", "once")),
    Broken("row too short", add("operators.csv", "third,Third"), "operators", 3, None, ("2 cells", "must have 5")),
    Broken("row too long", add("operators.csv", "third,Third,XA,teaching,estimate,6"), "operators", 3, None, ("6 cells", "must have 5")),
    Broken("line empty", swap("links.csv", "\nrail_pass", "\n\nrail_pass"), "links", 3, None, ("empty",)),
    Broken("not a number", swap("links.csv", ",450,", ",far,"), "links", 1, "length_km", ("'far'", "above 0")),
    Broken("decimal comma", swap("links.csv", ",450,", ',"450,5",'), "links", 1, "length_km", ("'450,5'", "point")),
    Broken("NaN", swap("links.csv", ",450,", ",nan,"), "links", 1, "length_km", ("finite",)),
    Broken("infinite", swap("facilities.csv", ",6000,", ",inf,"), "facilities", 1, "nominal", ("finite",)),
    Broken("zero length", swap("links.csv", ",450,", ",0,"), "links", 1, "length_km", ("0.0", "above 0")),
    Broken("negative capacity", swap("facilities.csv", ",6000,", ",-6000,"), "facilities", 1, "nominal", ("-6000", "0 or more")),
    Broken("share above 1", swap("facilities.csv", ",6000,1,", ",6000,1.2,"), "facilities", 1, "availability_share", ("1.2", "1 or less")),
    Broken("wrong unit word", swap("facilities.csv", ",kt,", ",tonnes,"), "facilities", 1, "unit", ("'tonnes'", "one of kt, kteu")),
    Broken("not true or false", swap("links.csv", "false,true", "no,true"), "links", 1, "one_way", ("'no'", "true or false")),
    Broken("not a whole number", swap("growth.csv", ",2025,", ",2025.5,"), "growth", 1, "from_year", ("'2025.5'", "whole number")),
    Broken("bad date", swap("permissions.csv", "any,,,false", "any,1 July 2024,,false"), "permissions", 1, "from_date", ("YYYY-MM-DD",)),
    Broken("dates reversed", swap("permissions.csv", "any,,,", "any,2025-02-01,2025-01-01,"), "permissions", 1, "until_date", ("must be after",)),
    Broken("bad id", swap("operators.csv", "sea_line", "Sea Line"), "operators", 1, "operator_id", ("Sea Line", "lower-case")),
    Broken("cell empty", swap("links.csv", "east_port,west_port", ",west_port"), "links", 1, "from_place", ("is empty", "places.place_id")),
    Broken("key twice", add("regions.csv", "east,East again,XA,teaching,estimate"), "regions", 3, "region_id", ("row 1", "own")),
    Broken("compound key twice", add("modes.csv", "rail,wagon,0.1,0.1,0.1,teaching,estimate"), "modes", 3, None, ("rail|wagon", "row 2")),
    Broken("unknown place", swap("links.csv", "west_port", "west_prt"), "links", 1, "to_place", ("places.csv", "west_port")),
    Broken("unknown source", swap("links.csv", "teaching", "teachings"), "links", 1, "source", ("sources.csv", "teaching")),
    Broken("unknown goods", swap("demand.csv", ",grain,", ",corn,"), "demand", 1, "commodity_group", ("commodities.csv",)),
    Broken("months missing", add("seasons.csv", "commodity_group,month_number,season_factor,source,confidence", "grain,1,1,teaching,estimate"), "seasons", 1, "month_number", ("grain has 1 months", "all twelve")),
    Broken("no such month", add("seasons.csv", "commodity_group,month_number,season_factor,source,confidence", "grain,13,1,teaching,estimate"), "seasons", 1, "month_number", ("13",)),
    Broken("seasons without a mean of 1", add("seasons.csv", "commodity_group,month_number,season_factor,source,confidence", *(f"grain,{month},2,teaching,estimate" for month in range(1, 13))), "seasons", 12, "season_factor", ("mean of 2", "must be 1")),
    Broken("unknown growth", swap("demand.csv", "steady", "steadi"), "demand", 1, "growth_id", ("growth.csv", "steady")),
    Broken("unknown goods in list", swap("route_families.csv", ",,any,,,", ",,any;corn,,,"), "route_families", 1, "commodities", ("'corn'", "be 'any'")),
    Broken("unknown link in list", swap("route_families.csv", "sea_east_west", "sea_west"), "route_families", 1, "via_any", ("links.csv",)),
    Broken("two families of one rank", swap("route_families.csv", "land,2", "land,1"), "route_families", 2, "order", ("row 1",)),
    Broken("use of nothing", swap("facility_uses.csv", "sea_east_west", ""), "facility_uses", 1, "link_id", ("exactly one",)),
    Broken("curve of nothing", swap("delay_curves.csv", "ferry,", "fery,"), "delay_curves", 1, "facility_id", ("mean ferry",)),
    Broken("half a server", swap("delay_curves.csv", "ferry,1,", "ferry,0.5,"), "delay_curves", 1, "servers_count", ("1 or more",)),
    Broken("reference over full", swap("delay_curves.csv", "4,1,1,", "4,1,1.2,"), "delay_curves", 1, "reference_use_share", ("1 or less",)),
    Broken("use of both", swap("facility_uses.csv", "west,,", "west,border_high_pass,"), "facility_uses", 1, "link_id", ("exactly one",)),
    Broken(
        "grain counted in boxes",
        lambda folder: [swap("facilities.csv", ",kt,", ",kteu,")(folder), swap("facility_uses.csv", "any,any", "any,bulk")(folder)],
        "facility_uses", 1, "loading_unit", ("container", "kteu"),
    ),
    Broken("permission of nothing", swap("permissions.csv", "rail_east_pass", ""), "permissions", 1, "link_id", ("at least one",)),
    Broken("border elsewhere", swap("terminals.csv", "pass,high_pass", "pass,west_port"), "terminals", 1, "place_id", ("east_port or high_pass",)),
    Broken("link to itself", swap("links.csv", "east_port,west_port", "west_port,west_port"), "links", 1, "to_place", ("another place",)),
    Broken("mode that carries nothing", swap("modes.csv", "dry_ship,bulk", "feeder,bulk"), "links", 1, "mode", ("modes.csv",)),
    Broken("tariff of another", swap("tariffs.csv", "sea_line,any", "sea_line,rail_east_pass"), "tariffs", 1, "operator_id", ("land_railway",)),
    Broken("thetas reversed", swap("commodities.csv", "0.05,0.05", "0.05,0.06"), "commodities", 1, "family_theta_per_usd_per_t", ("0.05 or less",)),
    Broken("shares below 1", swap("region_places.csv", "any,1,", "any,0.9,"), "region_places", 1, "share", ("add up to 1",)),
    Broken(
        "shares and alternatives",
        add("region_places.csv", "east,both,any,high_pass,any,,0,0,teaching,estimate"),
        "region_places", 3, "share", ("either all shares or none",),
    ),
    Broken("region without place", swap("region_places.csv", "west,both", "west,origin"), "demand", 1, "destination_region", ("region_places.csv",)),
    Broken("form not allowed", swap("demand.csv", ",loose,", ",boxed,"), "demand", 1, "form", ("must be loose", "container")),
    Broken("growth out of range", swap("growth.csv", "2025,0,", "2025,0.03,"), "growth", 1, "rate_share_per_year", ("between",)),
    Broken("range of no table", swap("provenance.csv", "facilities,", "facility,"), "provenance", 1, "table", ("facilities",)),
    Broken("range of no row", swap("provenance.csv", "ferry,", "fery,"), "provenance", 1, "row", ("ferry",)),
    Broken("range of no column", swap("provenance.csv", "nominal", "norminal"), "provenance", 1, "column", ("nominal",)),
    Broken("range reversed", swap("provenance.csv", "5500,6500", "6500,5500"), "provenance", 1, "low", ("5500.0 or less",)),
    Broken("observed nowhere", swap("observations.csv", "sea_crossing", "sea_cross"), "observations", 1, "element_id", ("sea_crossing",)),
    Broken("no such metric", swap("commitments.csv", "corridor_mt", "corridor_kt"), "commitments", 1, "metric", ("corridor_mt",)),
    Broken("promise served by nothing", swap("commitments.csv", "bigger_ferry;", "biger_ferry;"), "commitments", 1, "measures", ("no measure biger_ferry", "mean bigger_ferry")),
    Broken("promise on no line", swap("commitments.csv", "corridor_mt,,", "link_open,sea_east_west;sea_west,"), "commitments", 1, "element_id", ("sea_west, must be a link",)),
    Broken("promise on no cordon", swap("commitments.csv", "corridor_mt,,", "cordon_mt,sea_crosing,"), "commitments", 1, "element_id", ("mean sea_crossing",)),
    Broken("promise shares with nothing", swap("commitments.csv", ",,teaching", ",sea_sevn,teaching"), "commitments", 1, "shares_with", ("commitments.csv", "mean sea_seven")),
    Broken("promise shares with itself", swap("commitments.csv", ",,teaching", ",sea_seven,teaching"), "commitments", 1, "shares_with", ("must be another promise",)),
    Broken("promise shares other goods", swap("commitments.csv", ",,teaching", ",sea_friendship,teaching"), "commitments", 1, "shares_with", ("same metric",)),
    Broken("cordon from nowhere", lambda folder: [swap("cordons.csv", ",doc,", ",origin_region,doc,")(folder), swap("cordons.csv", "both,any,", "both,any,north,")(folder)], "cordons", 1, "origin_region", ("regions.csv",)),
    Broken(
        "target of nothing",
        add(
            "calibration_targets.csv",
            "target_id,quantity,family_id,commodity_group,cordon_id,value,source,confidence",
            "sea_total,cordon_kt,,any,,6000,teaching,estimate",
        ),
        "calibration_targets", 1, "cordon_id", ("must be given",),
    ),
    Broken(
        "cable to itself",
        lambda folder: [
            add_power(folder),
            add("power_lines.csv", "loop,Loop,east,east,hvdc,100,0.03,1,0,,,,teaching,estimate")(folder),
        ],
        "power_lines", 1, "to_zone", ("another zone",),
    ),
    Broken(
        "shape of eleven months",
        lambda folder: [add_power(folder), swap("power_shapes.csv", "flat,12,1,teaching,estimate\n", "")(folder)],
        "power_shapes", 11, "step", ("months 1 to 12",),
    ),
    Broken(
        "zone without demand",
        lambda folder: [add_power(folder), swap("power_demand.csv", "west,2024,5,900,,teaching,estimate", "east,2030,5,900,,teaching,estimate")(folder)],
        "power_zones", 2, "zone_id", ("power_demand.csv",),
    ),
    Broken(
        "load by months of the day",
        lambda folder: [add_power(folder), swap("power_zones.csv", "4,flat,day", "4,day,day")(folder)],
        "power_zones", 2, "month_shape_id", ("shape of 12 months",),
    ),
    Broken("stray file in measures", add("measures/bigger_ferry.yml", "id: x"), "measures", None, None, ("ID.yaml",)),
    Broken("measure Latin-1", write("measures/more.yaml", "title: Gr\u00f6\u00dfer".encode("latin-1")), "measures", None, None, ("UTF-8",)),
)  # fmt: skip
"""What `load_corridor` must refuse."""

MEASURE_CASES = (
    Broken("measure is not YAML", swap("measures/bigger_ferry.yaml", "id: big", "id: [big"), "measures", 2, None, ("bigger_ferry", "YAML")),
    Broken("measure with unknown key", swap("measures/bigger_ferry.yaml", "title:", "titel:"), "measures", None, "titel", ("unknown key",)),
    Broken(
        "measures in a circle",
        lambda folder: [
            add("measures/bigger_ferry.yaml", "requires: [joint_timetable]")(folder),
            add("measures/joint_timetable.yaml", "requires: [bigger_ferry]")(folder),
        ],
        "measures", None, "requires", ("circle", "bigger_ferry -> joint_timetable"),
    ),
    Broken("payer that is no operator", swap("measures/bigger_ferry.yaml", "{sea_line", "{sea_lines"), "measures", None, "cost.shares", ("sea_lines", "operators.csv")),
    Broken("measure that changes nothing", swap("measures/bigger_ferry.yaml", "7000.0", "6000.0"), "facilities", None, None, ("changes nothing",)),
    Broken("measure of no row", swap("measures/bigger_ferry.yaml", "_id: ferry", "_id: fery"), "facilities", None, None, ("no row",)),
    Broken("measure out of bounds", swap("measures/bigger_ferry.yaml", "7000.0", "-7.0"), "facilities", 1, "nominal", ("0 or more",)),
    Broken("scenario of no measure", swap("scenarios/agreed.yaml", "[bigger", "[biger"), "scenarios", None, "measures", ("biger_ferry",)),
)  # fmt: skip
"""What the measures package must refuse when the corridor's own scenarios are loaded and checked."""
