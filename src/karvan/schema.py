"""What a declared table is: columns with units, documentation, references and provenance.

Goes in: nothing. Comes out: `Table` (base of every declared table), column constructors, the allowed unit suffixes.
May import: errors only.

Every table of a corridor is declared once, as a `Table`. Reading, checking, measures and the data dictionary all
come from that declaration. Metadata keys that the rest of the project understands:

    doc         what the column says, in plain English
    unit        unit of a number, where the name's suffix does not say it
    refers_to   "table.column" that must hold the value (several allowed values are joined by " or ")
    list_of     the cell holds several ids joined by ";", each found in "table.column"
    prorate     over a period this column takes its day-weighted mean (all other columns: the state of the middle day)
    absent      value a prorated column takes while its row is absent (without it: the mean over the time the row is there)
    switch      `open` and `close` of a measure act on this column
    default     value used where the cell is empty; filling it in is recorded
"""

from __future__ import annotations

from typing import Any

import dataframely as dy

ID = r"^[a-z][a-z0-9_]*$"
"""Pattern of an id: lower-case letters, digits and underscores, starting with a letter."""

ANY = "any"
"""Word that stands for every value in a column that narrows a rule."""

CONFIDENCES = ("sourced", "recalled", "estimate")

UNIT_SUFFIXES = (
    "_km", "_kmh", "_h", "_d", "_year", "_date", "_deg", "_m",
    "_t", "_kt", "_mt", "_teu", "_kteu", "_t_per_unit",
    "_usd", "_musd", "_usd_per_t", "_usd_per_teu", "_usd_per_mwh", "_per_usd_per_t", "_musd_per_year",
    "_t_per_cm", "_kg_per_tkm", "_mw", "_gwh", "_twh", "_share", "_share_per_year", "_factor", "_ratio", "_per_week", "_count",
)  # fmt: skip
"""Suffixes that say the unit of a number. A number column without one names its unit in a sibling `unit` or `basis`."""

_UNIT_WORDS = {
    "kmh": "km/h", "d": "days", "deg": "degrees", "mt": "Mt", "teu": "TEU", "kteu": "kTEU", "usd": "USD", "musd": "M USD", "mwh": "MWh",
    "mw": "MW", "gwh": "GWh", "twh": "TWh",
}  # fmt: skip
_NO_UNIT = ("_year", "_date", "_factor", "_ratio", "_count")
"""Suffixes of numbers that are read as they stand."""


def unit_in_name(column: str) -> str | None:
    """Unit that the suffix of a number column's name says, as readers write it (`_usd_per_t` is USD/t); None if it says none."""
    suffix = max((item for item in UNIT_SUFFIXES if column.endswith(item)), key=len, default=None)
    if suffix is None or suffix in _NO_UNIT:
        return None
    words = suffix.removeprefix("_").removeprefix("per_").split("_per_")
    unit = "/".join(_UNIT_WORDS.get(word, word) for word in words)
    return f"per {unit}" if suffix.startswith("_per_") else unit


MODES = ("rail", "road", "rail_ferry", "ro_ro", "feeder", "deep_sea", "dry_ship", "tanker", "pipeline")
GAUGES = ("1520", "1435", "both", "none")
LOADING_UNITS = ("container", "wagon", "truck", "bulk", "liquid")
CAPACITY_UNITS = ("kt", "kteu", "kwagons", "ktrains", "kvehicles", "kshipdays", "kwagondays")
"""Units of a facility's capacity: thousands of tonnes, TEU, wagons, trains or vehicles a year, or of days that a fleet has in a year."""
DAY_UNITS = ("kshipdays", "kwagondays")
"""Units that a passage takes for as long as it lasts: the days of every link and terminal used add up."""
UNIT_CARRIED = {"kteu": "container", "kwagons": "wagon", "kvehicles": "truck", "kwagondays": "wagon"}
"""Loading unit that a facility counted in this unit can carry; the others of CAPACITY_UNITS carry any."""
CARRIED_UNITS = ("t", "teu", "wagons", "vehicles")
"""What a simulation counts goods in."""
LANGUAGES = ("en", "ru", "de", "kk", "az")
"""Languages of the screen; English and Russian are whole, what another lacks is said in English."""
TARIFF_BASES = ("usd_per_t", "usd_per_t_km", "usd_per_teu", "usd_per_teu_km")


class Table(dy.Schema):
    """Base of every declared table. Says where each row comes from and how far to trust it."""

    source = dy.String(metadata={"doc": "Where the row comes from.", "refers_to": "sources.source_id"})
    confidence = dy.Enum(
        list(CONFIDENCES),
        metadata={"doc": "sourced: seen in the source; recalled: source named, not seen; estimate: ours."},
    )


def text_id(doc: str, *, refers_to: str | None = None, primary_key: bool = False, nullable: bool = False) -> dy.String:
    """Column that holds an id of this table (`primary_key`) or of another (`refers_to`)."""
    metadata: dict[str, Any] = {"doc": doc}
    if refers_to is not None:
        metadata["refers_to"] = refers_to
    return dy.String(primary_key=primary_key, nullable=nullable, regex=ID, metadata=metadata)


def text(doc: str, *, nullable: bool = False, list_of: str | None = None, default: str | None = None) -> dy.String:
    """Column of free text, or of several ids joined by ';' when `list_of` names where they are declared."""
    metadata: dict[str, Any] = {"doc": doc}
    if default is not None:
        metadata["default"] = default
    if list_of is not None:
        metadata["list_of"] = list_of
    return dy.String(nullable=nullable, min_length=1, metadata=metadata)


def choice(doc: str, values: tuple[str, ...], *, primary_key: bool = False, nullable: bool = False, default: str | None = None) -> dy.Enum:
    """Column that holds one of a closed list of words."""
    metadata: dict[str, Any] = {"doc": doc}
    if default is not None:
        metadata["default"] = default
    return dy.Enum(list(values), primary_key=primary_key, nullable=nullable, metadata=metadata)


def number(
    doc: str,
    *,
    unit: str | None = None,
    nullable: bool = False,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    prorate: bool = False,
    absent: float | None = None,
    default: float | None = None,
) -> dy.Float64:
    """Column of numbers; `least`, `above` and `most` bound it."""
    metadata: dict[str, Any] = {"doc": doc}
    if unit is not None:
        metadata["unit"] = unit
    if prorate:
        metadata["prorate"] = True
    if absent is not None:
        metadata["absent"] = absent
    if default is not None:
        metadata["default"] = default
    return dy.Float64(nullable=nullable, min=least, min_exclusive=above, max=most, metadata=metadata)


def whole(doc: str, *, nullable: bool = False, least: int | None = None, most: int | None = None, primary_key: bool = False) -> dy.Int64:
    """Column of whole numbers."""
    return dy.Int64(nullable=nullable, min=least, max=most, primary_key=primary_key, metadata={"doc": doc})


def day(doc: str, *, nullable: bool = False) -> dy.Date:
    """Column of dates, written YYYY-MM-DD."""
    return dy.Date(nullable=nullable, metadata={"doc": doc})


def claim(doc: str, *, default: bool | None = None, switch: bool = False) -> dy.Bool:
    """Column of yes and no, written true and false."""
    metadata: dict[str, Any] = {"doc": doc}
    if default is not None:
        metadata["default"] = default
    if switch:
        metadata["switch"] = True
    return dy.Bool(metadata=metadata)
