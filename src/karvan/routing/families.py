"""Route families: nests of rival routes, told apart by the links they use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.routing import _kernels
from karvan.routing.hierarchy import MOST_BITS
from karvan.schema import ANY

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Families:
    """Route families in order; a route belongs to the first whose conditions it meets.

    Attributes:
        family_ids: Ids by order.
        commodities: Goods each is for; any stands for all.
        has_any: Whether one of some links must be used, shape (families,).
        in_any: Links of which one must be used, shape (families, links).
        in_not: Links that must not be used, shape (families, links).
        all_bit: Bit of each link that must be used, 0 for others, shape (families, links).
        all_full: All these bits together, shape (families,).
        ends: Regions at one end and at the other between which each serves; None for all.
    """

    family_ids: tuple[str, ...]
    commodities: tuple[frozenset[str], ...]
    has_any: BoolArray
    in_any: BoolArray
    in_not: BoolArray
    all_bit: IntArray
    all_full: IntArray
    ends: tuple[tuple[frozenset[str], frozenset[str]] | None, ...]

    def serves(self, origin_region: str, destination_region: str) -> BoolArray:
        """Families that serve goods between two regions, shape (families,)."""

        def between(ends: tuple[frozenset[str], frozenset[str]] | None) -> bool:
            if ends is None:
                return True
            one, other = ends
            return (origin_region in one and destination_region in other) or (origin_region in other and destination_region in one)

        return np.array([between(ends) for ends in self.ends], dtype=np.bool_)

    def applies(self, commodity_group: str) -> BoolArray:
        """Families for some goods, shape (families,)."""
        return np.array([ANY in goods or commodity_group in goods for goods in self.commodities], dtype=np.bool_)


@dataclass(frozen=True)
class FamilySearch:
    """How to search for routes of one family.

    Attributes:
        link_bits: Requirement bits each link sets, shape (links,).
        bit_count: Number of requirements.
        closed: Links that would put the route outside the family, shape (links,).
        via_links: Rows of the links of which one must be used.
    """

    link_bits: IntArray
    bit_count: int
    closed: BoolArray
    via_links: IntArray


def compile_families(tables: Mapping[str, pl.DataFrame]) -> Families:
    """Route families of a case, as arrays over rows of the links table.

    Raises:
        DataError: A family needs more links at once than a search can follow.
    """
    rows = tables["route_families"].with_row_index("row").sort("order", "family_id").rows(named=True)
    links = {name: index for index, name in enumerate(tables["links"]["link_id"])}
    shape = (len(rows), len(links))
    in_any, in_not, all_bit = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    problems: list[Problem] = []
    for index, row in enumerate(rows):
        in_any[index, [links[name] for name in split(row["via_any"])]] = True
        in_not[index, [links[name] for name in split(row["not_via"])]] = True
        together = split(row["via_all"])
        if len(together) + (row["via_any"] is not None) > MOST_BITS:
            message = f"asks for {len(together)} links at once, must be at most {MOST_BITS}, one less where via_any is given too"
            problems.append(Problem("route_families", row["row"] + 1, "via_all", message))
            continue
        for bit, name in enumerate(together):
            all_bit[index, links[name]] |= 1 << bit
    if problems:
        raise DataError(problems)
    return Families(
        family_ids=tuple(row["family_id"] for row in rows),
        commodities=tuple(frozenset(split(row["commodities"])) for row in rows),
        has_any=np.array([row["via_any"] is not None for row in rows], dtype=np.bool_),
        in_any=in_any,
        in_not=in_not,
        all_bit=all_bit,
        all_full=np.bitwise_or.reduce(all_bit, axis=1) if links else np.zeros(len(rows), dtype=np.int64),
        ends=tuple(None if row["ends_a"] is None else (frozenset(split(row["ends_a"])), frozenset(split(row["ends_b"]))) for row in rows),
    )


def split(cell: str | None) -> list[str]:
    """Ids of a cell that holds several, joined by ';'."""
    return [] if cell is None else [name.strip() for name in cell.split(";")]


def classify(families: Families, link_indices: Sequence[int] | IntArray, commodity_group: str) -> str | None:
    """Family of a route given by rows of the links table; None if it meets no family's conditions."""
    links = np.array(link_indices, dtype=np.int64)
    found = _kernels.family_of(links, links.shape[0], *rules_of(families, commodity_group))
    return None if found < 0 else families.family_ids[found]


def rules_of(families: Families, commodity_group: str) -> tuple[BoolArray, BoolArray, BoolArray, BoolArray, IntArray, IntArray]:
    """Arguments of the kernel that classifies."""
    return (families.applies(commodity_group), families.has_any, families.in_any, families.in_not, families.all_bit, families.all_full)


def family_search(families: Families, family: int, commodity_group: str) -> FamilySearch | None:
    """How to search for a family's routes; None where it has none because it is for other goods or an earlier one takes all.

    Links that alone make a route one of an earlier family are closed. Earlier families with several conditions cannot be
    closed that way; their routes are found and dropped.
    """
    applies = families.applies(commodity_group)
    if not applies[family]:
        return None
    closed = families.in_not[family].copy()
    for earlier in range(family):
        if not applies[earlier] or families.in_not[earlier].any():
            continue
        needed = np.flatnonzero(families.all_bit[earlier])
        if families.has_any[earlier] and needed.shape[0] == 0:
            closed |= families.in_any[earlier]
        elif not families.has_any[earlier] and needed.shape[0] == 0:
            return None
        elif not families.has_any[earlier] and needed.shape[0] == 1:
            closed[needed] = True
    shift = 1 if families.has_any[family] else 0
    bits = (families.all_bit[family] << shift) | families.in_any[family].astype(np.int64)
    count = shift + int(families.all_full[family]).bit_count()
    return FamilySearch(bits, count, closed, np.flatnonzero(families.in_any[family] & ~closed).astype(np.int64))
