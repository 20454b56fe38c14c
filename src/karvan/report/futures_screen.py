"""Document of many futures as a screen draws it: what `karvan ensemble --json` prints, with names and the links that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from karvan.corridor import Corridor
from karvan.measures import measures_of
from karvan.measures.measure import parse_record
from karvan.report.document import cut, document_of
from karvan.report.network import places_of, turns_of, views_of

_MOST_DRIVERS = 40
"""Of each plan, the ones that matter most."""
_OUT = "no-"


def futures_screen(told: Mapping[str, Any], corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What room and page show of many futures; see `docs/reference/screen.md`.

    Args:
        told: What `karvan.ensemble` gave, as one object for JSON.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    plans = list(dict.fromkeys(row["plan"] for row in told["distributions"]))
    drivers = [row for plan in plans for row in [row for row in told["drivers"] if row["plan"] == plan][:_MOST_DRIVERS]]
    used = {row["factor"] for name in ("failure_boxes", "information") for row in told[name]} | {row["factor"] for row in drivers}
    called = {name: text for name, text in told["called"].items() if name in used or name in told["left_out"]}
    factors = {"factors_count": len(told["factors"]), "drivers": drivers, "called": called}
    plain = {name: value for name, value in told.items() if name not in {"folder", "factors", "links"}}
    content = {
        **plain,
        **factors,
        "plans": plans,
        "titles": _titles(plans, corridor),
        **_network(told["links"], corridor),
        "flows": told["links"],
    }
    return document_of("karvan-futures", plans[0].partition("+")[0], corridor, cut(content), version=version)


def _titles(plans: list[str], corridor: Corridor) -> dict[str, dict[str, Any]]:
    """Of each plan the title of its scenario, and of the measures added to it and taken out."""
    measures = measures_of(corridor)
    found = {}
    for plan in plans:
        scenario, *parts = (part.strip() for part in plan.split("+"))
        title = (
            parse_record(corridor.scenarios_text[scenario], scenario, "scenarios")["title"]
            if scenario in corridor.scenarios_text
            else scenario
        )
        names = {part: measures[key].title if (key := part.removeprefix(_OUT)) in measures else key for part in parts}
        found[plan] = {
            "scenario": title,
            "with": [names[part] for part in parts if not part.startswith(_OUT)],
            "without": [names[part] for part in parts if part.startswith(_OUT)],
        }
    return found


def _network(flows: list[Mapping[str, Any]], corridor: Corridor) -> dict[str, Any]:
    """Places, links that carry anything in some future, and boxes that a map opens on."""
    tables = corridor.tables
    most: dict[str, float] = {}
    for row in flows:
        most[row["link_id"]] = max(most.get(row["link_id"], 0.0), row["p90_kt"])
    names = dict(tables["places"].select("place_id", "name").iter_rows())
    turns = turns_of(corridor)
    links = [
        {
            "link_id": row["link_id"], "name": f"{names[row['from_place']]} – {names[row['to_place']]}", "from_place": row["from_place"],
            "to_place": row["to_place"], "mode": str(row["mode"]), "turns": turns.get(row["link_id"], []),
            "forward_kt": [most[row["link_id"]]], "backward_kt": [0.0], "corridor_kt": [most[row["link_id"]]],
        }
        for row in tables["links"].iter_rows(named=True)
        if row["link_id"] in most
    ]  # fmt: skip
    places = places_of(corridor, links, [])
    plain = ("link_id", "name", "from_place", "to_place", "mode", "turns")
    told = [{key: row[key] for key in plain} for row in links]
    return {"places": places, "views": views_of(corridor, places, links) if links else {}, "links": told}
