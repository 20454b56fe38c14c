"""What it would take: for each promise that is not met, the fewest and the cheapest measures of the case that meet it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.corridor import Corridor
from karvan.measures import Measure, load_scenario, measures_of
from karvan.results import rounded
from karvan.results.outlook import REACHED_TOLERANCE
from karvan.study.plan_market import YearMarket, year_market
from karvan.study.progress import Progress, line, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.validation import KT_PER_UNIT

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MOST_MEASURES = 2
_SETS_TOLD = 100
_LEAST_PRICE = 1e-7
_LEAST_DELAY_H = 5e-3
"""As near as delays are found."""
_HAPPENED = "happened"
_UNITS = {"corridor_mt": 1e3, "crude_mt": 1e3, **KT_PER_UNIT}
"""Quantities that are tonnes over a cordon, and kilotonnes in a unit of them."""


@dataclass(frozen=True)
class _Goal:
    """A promise of tonnes or boxes over a cordon: weight of each route of the program, and what they must add up to."""

    row: Mapping[str, Any]
    weight: FloatArray
    target: float

    def value(self, flow: FloatArray) -> float:
        return float((self.weight * flow).sum())

    def is_met(self, flow: FloatArray) -> bool:
        return self.value(flow) >= self.target * (1.0 - REACHED_TOLERANCE)


def needed(
    corridor: Corridor, *, scenario: str | None = None, most: int = _MOST_MEASURES, progress: Progress | None = None
) -> dict[str, Any]:
    """For each promise of tonnes over a cordon that a scenario does not meet, which measures beyond it would.

    A measure whose capacities all have room, and that changes no route, changes nothing: the prices that clear the market still do. So
    sets are built up one measure at a time, only by measures that act where the set before stands; every set without a needless measure is
    reached, and none of up to `most` measures is missed. Each set has the delays that follow from it; a measure that changes none by more
    than they are found to (`Answering.changes_h`) leaves them as they are.

    Args:
        corridor: The corridor.
        scenario: Scenario id; by default the headline scenario.
        most: Most measures in a set.
        progress: Called with a line of text as the work goes on.

    Returns:
        `scenario`, `most`, `measures` (how many) and `commitments`: commitment_id, title, metric, target, unit, year, value, is_met, tried
        (sets solved), size_tried (no set of up to so many is missed), smallest and cheapest (measures, value, capital_musd, is_estimate;
        None where no set does), with_everything (value with all measures).
    """
    tell, memory = progress or silent, RouteMemory(folder=cache_folder())
    base = load_scenario(scenario or corridor.manifest.headline_scenario, corridor)
    rows = [row for row in corridor.tables["commitments"].iter_rows(named=True) if _is_searched(row, corridor)]
    projects = _projects(corridor, base.measure_ids)
    found = []
    for year in sorted({row["year"] for row in rows}):
        tell(line("plan_market", year=year))
        market = year_market(corridor, base, projects, year, memory)
        goals = [_goal(row, market, corridor) for row in rows if row["year"] == year]
        found += _searched(corridor, market, projects, goals, most, tell)
    return {"scenario": base.scenario_id, "most": most, "measures": len(projects), "commitments": rounded(found)}


def _is_searched(row: Mapping[str, Any], corridor: Corridor) -> bool:
    has_target = row["target"] is not None and row["year"] is not None and row["year"] > corridor.manifest.facts_until.year
    is_met = row["observed"] is not None and row["target"] is not None and row["observed"] >= row["target"]
    return has_target and not is_met and row["metric"] in (*_UNITS, "containers_teu")


def _projects(corridor: Corridor, inside: Sequence[str]) -> list[Measure]:
    """Measures that somebody can take: without building, or with a cost; those that others require before them."""
    costed = set(corridor.tables["project_costs"]["measure_id"])
    own = {
        item.id: item
        for item in measures_of(corridor).values()
        if item.id not in inside and item.status != _HAPPENED and (item.is_operating or item.id in costed)
    }
    ordered: list[Measure] = []

    def put(item: Measure) -> None:
        if item in ordered:
            return
        for name in item.requires:
            if name in own:
                put(own[name])
        ordered.append(item)

    for name in sorted(own):
        if all(other in own or other in inside for other in own[name].requires):
            put(own[name])
    return ordered


def _goal(row: Mapping[str, Any], market: YearMarket, corridor: Corridor) -> _Goal:
    manifest = corridor.manifest
    cordon = row["element_id"] if row["metric"] in KT_PER_UNIT else manifest.headline_cordon
    tonnes, boxes = market.cordons[cordon]
    if row["metric"] == "containers_teu":
        return _Goal(row, boxes * 1e3, float(row["target"]))
    weight = tonnes / _UNITS[row["metric"]]
    if row["metric"] == "crude_mt":
        weight = np.where(market.is_of_goods(manifest.crude_commodity), weight, 0.0)
    return _Goal(row, weight, float(row["target"]))


@dataclass(frozen=True)
class _State:
    """A set that was solved.

    Attributes:
        members: Places of its measures.
        prices: Of each row, shape (rows,).
        flow: On each route, shape (routes,).
        delaying: Measures that would change delays where it stands, shape (measures,).
    """

    members: frozenset[int]
    prices: FloatArray
    flow: FloatArray
    delaying: BoolArray


def _searched(
    corridor: Corridor, market: YearMarket, projects: Sequence[Measure], goals: Sequence[_Goal], most: int, tell: Progress
) -> list[dict[str, Any]]:
    count = len(projects)
    costs = _costs(corridor, projects)
    position = {item.id: place for place, item in enumerate(projects)}
    acts_anyway = (market.saving > 0.0).any(axis=1) | market.is_gated.any(axis=1) | _curving(market, projects, position)

    def solved(members: frozenset[int], near: FloatArray) -> _State:
        opened = np.isin(np.arange(count), list(members))
        cleared = market.answered(opened, near)
        delaying = market.answering.changes_h(cleared.row_flow, market.limits(opened), market.capacity) > _LEAST_DELAY_H
        return _State(members, cleared.row_price_usd_per_unit, cleared.route_flow_kt, delaying)

    def may_join(place: int, members: frozenset[int]) -> bool:
        own = projects[place]
        if any(name in position and position[name] not in members for name in own.requires):
            return False
        inside = {projects[other].id for other in members}
        return not inside & set(own.excludes) and not any(own.id in projects[other].excludes for other in members)

    first = solved(frozenset(), market.start)
    everything = solved(frozenset(range(count)), first.prices)
    layers = [[first]]
    hits: dict[int, list[_State]] = {place: [] for place, goal in enumerate(goals) if not goal.is_met(first.flow)}
    tried = {first.members}
    while len(layers) <= most and any(not states for states in hits.values()):
        asked: list[tuple[_State, frozenset[int]]] = []
        for state in layers[-1]:
            priced = np.abs(state.prices) > _LEAST_PRICE
            acting = acts_anyway | state.delaying | (np.abs(market.capacity[:, priced]).max(axis=1, initial=0.0) > 0.0)
            for place in np.flatnonzero(acting).tolist():
                members = state.members | {place}
                if place in state.members or members in tried or not may_join(place, state.members):
                    continue
                tried.add(members)
                asked.append((state, members))
        following = []
        for number, (state, members) in enumerate(asked):
            if number % _SETS_TOLD == 0:
                tell(line("needed_sets", size=len(layers), done=number, count=len(asked)))
            reached = solved(members, state.prices)
            following.append(reached)
            for place, states in hits.items():
                if goals[place].is_met(reached.flow):
                    states.append(reached)
        layers.append(following)
    found = []
    for number, goal in enumerate(goals):
        states = hits.get(number, [])
        smallest = min(states, key=lambda item: (len(item.members), _costs_of(item, costs)), default=None)
        cheapest = min(states, key=lambda item: (_costs_of(item, costs), len(item.members)), default=None)
        row = goal.row
        found.append(
            {
                **{name: row[name] for name in ("commitment_id", "title", "metric", "target", "unit", "year")},
                "value": goal.value(first.flow),
                "is_met": number not in hits,
                "tried": len(tried),
                "size_tried": len(layers) - 1,
                "smallest": None if smallest is None else _told(smallest, goal, projects, costs),
                "cheapest": None if cheapest is None else _told(cheapest, goal, projects, costs),
                "with_everything": goal.value(everything.flow),
            }
        )
    return found


def _curving(market: YearMarket, projects: Sequence[Measure], position: Mapping[str, int]) -> BoolArray:
    """Measures that change delay curves, shape (measures,)."""
    none = np.zeros(len(projects), dtype=np.bool_)
    found, before = none.copy(), market.answering.curves(none)
    for place, item in enumerate(projects):
        needs = {position[name] for name in item.requires if name in position}
        found[place] = market.answering.curves(np.isin(np.arange(len(projects)), [place, *needs])) != before
    return found


def _costs_of(state: _State, costs: FloatArray) -> tuple[float, tuple[int, ...]]:
    """Capital of a set, and its members so that ties have an order."""
    return float(costs[list(state.members)].sum()) if state.members else 0.0, tuple(sorted(state.members))


def _costs(corridor: Corridor, projects: Sequence[Measure]) -> FloatArray:
    units = dict(corridor.tables["cost_classes"].select("class_id", "unit_musd").iter_rows())
    rows = {row["measure_id"]: row for row in corridor.tables["project_costs"].iter_rows(named=True)}
    return np.array([
        item.capital_musd if item.capital_musd is not None else rows[item.id]["quantity"] * units[rows[item.id]["class_id"]]
        for item in projects
    ], dtype=np.float64)  # fmt: skip


def _told(state: _State, goal: _Goal, projects: Sequence[Measure], costs: FloatArray) -> dict[str, Any]:
    places = sorted(state.members)
    return {
        "measures": [projects[place].id for place in places],
        "value": goal.value(state.flow),
        "capital_musd": float(costs[places].sum()),
        "is_estimate": any(projects[place].capital_musd is None for place in places),
    }
