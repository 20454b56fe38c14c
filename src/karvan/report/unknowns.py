"""What an unknown is called: a sentence of a catalogue with the case's own names in it, so that every face tells it in its language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from karvan.corridor import Corridor, key_texts
from karvan.report.names import BETWEEN
from karvan.report.words import ENGLISH, Words
from karvan.schema import ANY

Called = str | Mapping[str, Any]
"""A text of the case, or `key` of a message and its `values`, each of them again a text or a message."""

_Row = Mapping[str, Any]
_GROWTH = "growth"


def called_of(corridor: Corridor, names: Iterable[str], *, shocks: Mapping[str, str]) -> dict[str, Called]:
    """What unknowns are called, by name.

    Args:
        corridor: The corridor that they are of.
        names: Unknowns: TABLE.ID.COLUMN with * for a whole column, the seed of growth, or the id of a shock.
        shocks: Names of shocks by id.
    """
    of = _Names(corridor)
    return {name: shocks[name] if name in shocks else of.called(name) for name in names}


def told(called: Called, words: Words) -> str:
    """What an unknown is called, in a language."""
    if isinstance(called, str):
        return BETWEEN.join(words.called(part) for part in called.split(BETWEEN)) if BETWEEN in called else words.called(called)
    return words(called["key"], **{name: told(value, words) for name, value in called["values"].items()})


def is_known(driver: _Row) -> bool:
    """Whether a driver explains more than chance may give to one of so many; a design of Morris tells that by itself."""
    return driver["morris_mu_star"] is not None or driver["first_order_share"] > driver["chance_share"]


def effect_of(driver: _Row, words: Words) -> str:
    """What more of a driver, or that a shock comes, does to what is driven."""
    kind = "shock" if driver["kind"] == "shock" else "value"
    return words(f"effect.{kind}_{'more' if driver['high_mean'] >= driver['low_mean'] else 'less'}_{driver['metric']}")


def box_line(side: _Row, called: Mapping[str, Called], words: Words) -> str:
    """One side of a box of failures in words."""
    name = told(called[side["factor"]], words)
    if side["holds"] == "shock":
        return words("box.shock", name=name, comes_share=side["comes_share"], chance_share=side["chance_share"])
    if side["low"] is not None:
        return words(f"box.value_{side['holds']}", name=name, low=side["low"], high=side["high"])
    shares = {"low_share": side["low_share"], "high_share": side["high_share"], "top_share": 1.0 - side["low_share"]}
    return words(f"box.part_{side['holds']}", name=name, **shares)


def _said(key: str, **values: Called) -> Called:
    return {"key": key, "values": values}


class _Names:
    """The names of a case, and what its tables call their rows."""

    def __init__(self, corridor: Corridor) -> None:
        self.corridor = corridor
        self.rows: dict[str, dict[str, _Row]] = {}
        self.of_row: Mapping[str, Callable[[_Row], dict[str, Called]]] = {
            "links": self._link, "terminals": self._terminal, "modes": self._mode, "region_places": self._access, "tariffs": self._tariff,
            "facilities": lambda row: {"facility": row["name"]},
            "delay_curves": lambda row: {"facility": self._name("facilities", row["facility_id"])},
            "commodities": lambda row: {"goods": row["name"]},
            "demand": self._market,
        }  # fmt: skip

    def called(self, name: str) -> Called:
        if name == _GROWTH:
            return _said("ensemble.growth")
        table, _, rest = name.partition(".")
        key, _, column = rest.rpartition(".")
        if table not in self.of_row or not ENGLISH.has(f"unknown_all.{table}.{column}"):
            return _said("unknown.other", row=key.replace("_", " ").replace("|", BETWEEN), column=column.replace("_", " "))
        if key == "*":
            return _said(f"unknown_all.{table}.{column}")
        row = self._row(table, key)
        side = f".{row['side']}" if table == "region_places" else ""
        return _said(f"unknown.{table}.{column}{side}", **self.of_row[table](row))

    def _row(self, table: str, key: str) -> _Row:
        if table not in self.rows:
            frame = self.corridor.tables[table]
            self.rows[table] = dict(zip(key_texts(table, frame), frame.iter_rows(named=True), strict=True))
        return self.rows[table][key]

    def _name(self, table: str, key: str) -> str:
        return str(self._row(table, key)["name"])

    def _goods(self, key: str) -> Called:
        return _said("goods.any") if key == ANY else self._name("commodities", key)

    def _between(self, link_id: str, direction: str = "both") -> Called:
        row = self._row("links", link_id)
        first, last = (self._name("places", row[end]) for end in ("from_place", "to_place"))
        if direction == "both":
            return f"{first}{BETWEEN}{last}"
        ends = (first, last) if direction == "forward" else (last, first)
        return _said("unknown.one_way", **dict(zip(("from", "to"), ends, strict=True)))

    def _link(self, row: _Row) -> dict[str, Called]:
        return {"link": self._between(row["link_id"]), "mode": _said(f"mode.{row['mode']}")}

    def _terminal(self, row: _Row) -> dict[str, Called]:
        kind = str(row["kind"])
        modes = {"from": _said(f"mode.{row['from_mode']}"), "to": _said(f"mode.{row['to_mode']}")}
        way = _said("unknown.one_way", **modes) if row["from_mode"] != row["to_mode"] else _said(f"mode.{kind}")
        return {"place": self._name("places", row["place_id"]), "way": way, "load": _said(f"load.{row['from_unit']}")}

    def _mode(self, row: _Row) -> dict[str, Called]:
        return {"mode": _said(f"mode.{row['mode']}"), "load": _said(f"load.{row['loading_unit']}")}

    def _access(self, row: _Row) -> dict[str, Called]:
        names = {"region": self._name("regions", row["region_id"]), "place": self._name("places", row["place_id"])}
        return {**names, "goods": self._goods(str(row["commodity_group"]))}

    def _tariff(self, row: _Row) -> dict[str, Called]:
        operator = _said("unknown.any_operator") if row["operator_id"] == ANY else self._name("operators", row["operator_id"])
        link = _said("unknown.any_link") if row["link_id"] == ANY else self._between(row["link_id"], str(row["direction"]))
        return {
            "operator": operator, "link": link, "goods": self._goods(str(row["commodity_group"])),
            "load": _said(f"load.{row['loading_unit']}"),
        }  # fmt: skip

    def _market(self, row: _Row) -> dict[str, Called]:
        ends = {end: self._name("regions", row[f"{name}_region"]) for end, name in (("from", "origin"), ("to", "destination"))}
        return {**ends, "goods": self._name("commodities", str(row["commodity_group"])), "form": _said(f"form.{row['form']}")}
