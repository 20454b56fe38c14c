"""What a word that a user types means: a place, goods, a part of the network."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import nearest, nearest_words
from karvan.errors import DataError, Problem
from karvan.routing import StateGraph, compile_families
from karvan.routing.families import family_search
from karvan.routing.graph import ACCESS, LINK, TERMINAL
from karvan.schema import ANY

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_MOST_LISTED = 12


@dataclass(frozen=True)
class Directory:
    """The names of a table's rows.

    Attributes:
        table, key: The table and its primary key.
        rows: Rows by key.
        texts: Id, name, other names and UN/LOCODE of each, as names are compared.
    """

    table: str
    key: str
    rows: Mapping[str, Mapping[str, Any]]
    texts: Mapping[str, tuple[str, ...]]

    @cached_property
    def _exact(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, texts in self.texts.items():
            for text in dict.fromkeys(texts):
                found.setdefault(text, []).append(name)
        return found

    def all_named(self, word: str) -> list[str]:
        """Keys of the rows that a word names: by id, name, other name or UN/LOCODE, else by a part of a name.

        Raises:
            DataError: It names none.
        """
        wanted = plain(word)
        found = list(self._exact.get(wanted, ()))
        found = found or [name for name, texts in self.texts.items() if any(wanted in text for text in texts)]
        if not found:
            known = [text for texts in self.texts.values() for text in texts]
            near = nearest_words(wanted, known)
            message, key = f"{word} names no row{nearest(wanted, known)}", "names_no_row_near" if near else "names_no_row"
            raise DataError(Problem(self.table, None, self.key, message, key=key, values={"word": word, "near": ", ".join(near)}))
        return found

    def named(self, word: str) -> Mapping[str, Any]:
        """The row that a word names.

        Raises:
            DataError: It names none, or several, which are listed.
        """
        found = sorted(self.all_named(word))
        if len(found) > 1:
            listed = ", ".join(f"{name} ({self.rows[name]['name']})" for name in found[:_MOST_LISTED])
            more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
            message = f"{word} may mean {listed}{more}; choose one by its {self.key}"
            values = {"word": word, "listed": f"{listed} ..." if more else listed, "key": self.key}
            raise DataError(Problem(self.table, None, self.key, message, key="names_several", values=values))
        return self.rows[found[0]]


def directory(frame: pl.DataFrame, table: str, key: str) -> Directory:
    """The names of a table's rows; columns aliases and unlocode count if they are there."""
    rows = {str(row[key]): row for row in frame.iter_rows(named=True)}
    texts = {
        name: tuple(
            plain(text) for text in (name, row["name"], *(row.get("aliases") or "").split(";"), row.get("unlocode") or "") if text.strip()
        )
        for name, row in rows.items()
    }
    return Directory(table, key, rows, texts)


def plain(text: str) -> str:
    """A text as names are compared: small letters, without accents and spaces around it; a UN/LOCODE without the space inside."""
    folded = "".join(letter for letter in unicodedata.normalize("NFKD", text.strip()) if not unicodedata.combining(letter)).casefold()
    country, _, place = folded.partition(" ")
    return country + place if len(country) == 2 and len(place) == 3 and text.strip().isupper() else folded


class RegionFinder:
    """Finds the region whose rules hold for goods that start or end at a place.

    The region that the place stands for with these goods; else one of its country, the nearest by its places where there are several,
    those with such goods first.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Read regions, their places and their goods from the tables of a snapshot."""
        self._at_place: dict[tuple[str, str], list[tuple[str, str]]] = {}
        members = tables["region_places"].with_columns(pl.col("side").cast(pl.String))
        for place, side, goods, region in members.select("place_id", "side", "commodity_group", "region_id").iter_rows():
            for one in ("origin", "destination") if side == "both" else (side,):
                self._at_place.setdefault((place, one), []).append((goods, region))
        self._of_country: dict[str, list[str]] = {}
        for region, countries in tables["regions"].select("region_id", "countries").iter_rows():
            for country in countries.split(";"):
                self._of_country.setdefault(country.strip(), []).append(region)
        self._with_goods = {
            (side, goods, region)
            for side in ("origin", "destination")
            for region, goods in tables["demand"].select(f"{side}_region", "commodity_group").iter_rows()
        }
        spots = tables["region_places"].select("region_id", "place_id").join(
            tables["places"].select("place_id", "lon_deg", "lat_deg"), on="place_id", how="inner", validate="m:1"
        )  # fmt: skip
        self._spots = {str(region): frame.select("lon_deg", "lat_deg").to_numpy() for (region,), frame in spots.group_by("region_id")}

    def region(self, place: Mapping[str, Any], commodity_group: str, side: str) -> str | None:
        """The region of a place, None if its country has none.

        Args:
            place: Its row.
            commodity_group: The goods.
            side: origin or destination.
        """
        at_place = self._at_place.get((str(place["place_id"]), side), [])
        for wanted in (commodity_group, ANY, None):
            regions = sorted({region for goods, region in at_place if wanted is None or goods == wanted})
            if regions:
                return self._nearest(place, regions, commodity_group, side)
        regions = self._of_country.get(str(place["country"]), [])
        return self._nearest(place, regions, commodity_group, side) if regions else None

    def _nearest(self, place: Mapping[str, Any], regions: list[str], commodity_group: str, side: str) -> str:
        if len(regions) > 1:
            regions = [region for region in regions if (side, commodity_group, region) in self._with_goods] or regions
        if len(regions) == 1:
            return regions[0]

        def distance(region: str) -> tuple[float, str]:
            lon, lat = np.radians(self._spots.get(region, np.zeros((0, 2)))).T
            here = np.radians(place["lat_deg"])
            cosine = np.sin(lat) * np.sin(here) + np.cos(lat) * np.cos(here) * np.cos(lon - np.radians(place["lon_deg"]))
            return (float(np.arccos(np.clip(cosine, -1.0, 1.0)).min(initial=np.inf)), region)

        return min(regions, key=distance)


def arcs_named(graph: StateGraph, tables: Mapping[str, pl.DataFrame], places: Directory, word: str, option: str) -> BoolArray:
    """Arcs of a link, terminal, facility, route family, country (two capital letters) or place, shape (arcs,).

    Args:
        graph: The state graph.
        tables: Its tables.
        places: Names of its places.
        word: What was typed.
        option: The option it was typed for, to be named.

    Raises:
        DataError: It names none, or several places.
    """
    found = np.zeros(graph.arc_count, dtype=np.bool_)
    for kind in (LINK, TERMINAL):
        found[list(graph.arcs_of_element.get((kind, word), ()))] = True
    if found.any() or word in tables["links"]["link_id"] or word in tables["terminals"]["terminal_id"]:
        return found
    if word in tables["facilities"]["facility_id"]:
        for link, terminal in tables["facility_uses"].filter(pl.col("facility_id") == word).select("link_id", "terminal_id").iter_rows():
            found[list(graph.arcs_of_element.get((LINK, link), ()))] = True
            found[list(graph.arcs_of_element.get((TERMINAL, terminal), ()))] = True
        return found
    families = compile_families(tables)
    if word in families.family_ids:
        links = np.flatnonzero(families.in_any[families.family_ids.index(word)])
        return np.asarray(np.isin(graph.arc_link, links))
    if len(word) == 2 and word.isupper() and any(row["country"] == word for row in places.rows.values()):
        inside = {name for name, row in places.rows.items() if row["country"] == word}
    else:
        try:
            inside = {str(places.named(word)["place_id"])}
        except DataError as error:
            message = f"{word} is no link, terminal, facility, route family, country or single place ({error.problems[0].message})"
            raise DataError(Problem(option, None, None, message)) from error
    at = np.isin(np.array(graph.place_ids)[graph.node_place], sorted(inside)) & (graph.node_place >= 0)
    return np.asarray((at[graph.arc_tail] | at[graph.arc_head]) & (graph.arc_kind != ACCESS))


def bits_named(
    graph: StateGraph, tables: Mapping[str, pl.DataFrame], places: Directory, words: tuple[str, ...], commodity_group: str
) -> tuple[IntArray, int, BoolArray]:
    """Requirement bits of what ways must pass, their number, and arcs that these leave open.

    A route family is passed if the way belongs to it: all that it requires is a bit, and what would put the way outside it is closed.

    Raises:
        DataError: A word names nothing, or a family without ways of these goods.
    """
    bits, count = np.zeros(graph.arc_count, dtype=np.int64), 0
    is_open = np.ones(graph.arc_count, dtype=np.bool_)
    if not words:
        return bits, count, is_open
    families = compile_families(tables)
    on_link = graph.arc_link >= 0
    link = np.where(on_link, graph.arc_link, 0)
    for word in words:
        if word in families.family_ids:
            search = family_search(families, families.family_ids.index(word), commodity_group)
            if search is None:
                raise DataError(Problem("--via", None, None, f"{word} is a route family of other goods than {commodity_group}"))
            bits |= np.where(on_link, search.link_bits[link] << count, 0)
            is_open &= ~(on_link & search.closed[link])
            count += search.bit_count
        else:
            bits |= np.where(arcs_named(graph, tables, places, word, "--via"), 1 << count, 0)
            count += 1
    return bits, count, is_open
