"""Years of power in steps of some hours, quick enough to hold published sums against them."""

from __future__ import annotations

from collections.abc import Iterable

from karvan.corridor import Corridor
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.network import PowerSystem
from karvan.power import Dispatcher, power_system
from karvan.results import PowerBalance
from karvan.study.progress import Progress, silent

STEP_H = 6
"""Hours of a step: loads, weather and stores are means over them. Sums by technology differ little from those of single hours."""


def power_balances(
    corridor: Corridor, wanted: Iterable[tuple[str, int]], *, progress: Progress | None = None
) -> dict[tuple[str, int], PowerBalance]:
    """What years of power come to in scenarios.

    Args:
        corridor: A corridor with power zones.
        wanted: Scenarios with years.
        progress: Called with a line of text as the work goes on.

    Raises:
        SolverError: There is no dispatch.
    """
    say, found = progress or silent, {}
    for scenario, year in wanted:
        say(f"{scenario}, {year}: power")
        tables = apply(load_scenario(scenario, corridor), corridor, year=year).tables
        found[scenario, year] = power_balance(power_system(tables, year=year).system.in_steps(STEP_H))
    return found


def power_balance(system: PowerSystem) -> PowerBalance:
    """What the dispatch of a system in steps of `STEP_H` hours comes to."""
    solved = Dispatcher(system).solve()
    twh = STEP_H / 1e6
    plants, stores, lines = system.plants, system.stores, system.lines
    made = dict(zip(plants.ids, solved.plant_mw.sum(axis=0) * twh, strict=True))
    made |= dict(zip(stores.ids, (solved.give_mw - solved.take_mw).sum(axis=0) * twh, strict=True))
    homes = [*zip(plants.ids, plants.zone, strict=True), *zip(stores.ids, stores.zone, strict=True)]
    sent = []
    for flows, source, target in ((solved.there_mw, lines.source, lines.target), (solved.back_mw, lines.target, lines.source)):
        total = flows.sum(axis=0) * twh
        for line, (start, end) in enumerate(zip(source, target, strict=True)):
            arrived = float(total[line] * (1.0 - lines.loss_share[line]))
            sent.append((system.zone_ids[start], system.zone_ids[end], float(total[line]), arrived))
    return PowerBalance(
        {name: float(value) for name, value in made.items()}, {name: system.zone_ids[zone] for name, zone in homes}, tuple(sent)
    )
