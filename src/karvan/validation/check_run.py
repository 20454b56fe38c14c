"""A finished run checked against its inputs, without the code that computed it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from karvan.corridor import Corridor
from karvan.measures import Scenario, load_scenario
from karvan.results import SavedRun
from karvan.validation.audit_capacities import UsedCapacities, capacity_check
from karvan.validation.audit_costs import cost_checks
from karvan.validation.audit_delays import delay_check
from karvan.validation.audit_market import demand_check, empties_check, facility_checks, share_checks
from karvan.validation.audit_routes import route_checks
from karvan.validation.audit_totals import total_checks
from karvan.validation.read_book import read_book
from karvan.validation.tally import BoolArray, Check, Tally


def check_run(
    saved: SavedRun, corridor: Corridor, *, scenarios: Mapping[str, Scenario] | None = None, capacities: UsedCapacities | None = None
) -> tuple[Check, ...]:
    """Derive everything that can be derived anew from the corridor, its measures and the saved ledger, and compare.

    Nothing of `routing` and `assignment` is used: rules are read from the declarations and documents of the tables. The corner
    runs, whose routes are not kept, are held only against their own crossings. How far route sets hold all good routes is not checked.

    Args:
        saved: The run.
        corridor: Its corridor, with the run's options laid over it.
        scenarios: Scenario of the cases `scenario` and `baseline`; by default those that the report names, as the corridor has them.
        capacities: What the run used in place of nominal capacities; everything else is then checked against those.

    Returns:
        One entry for each check. Where the ledger cannot be read, that is the only one.

    Raises:
        DataError: A file of the run is missing or broken.
    """
    report = saved.report
    if scenarios is None:
        scenarios = {case: load_scenario(report[case], corridor) for case in ("scenario", "baseline")}
    book, problems = read_book(saved, corridor, scenarios, over=None if capacities is None else capacities.over)
    ledger = Tally("ledger", "the saved frames hold the years of the report, and every reference in them leads somewhere")
    if book is None:
        ledger.claim(_none_of(len(problems)), say=lambda at: problems[at])
        return (ledger.done(),)
    ledger.claim(~_none_of(len(book.years)), say=lambda at: "")
    return (
        ledger.done(),
        *(() if capacities is None else (capacity_check(book, capacities),)),
        *route_checks(book),
        *cost_checks(book),
        demand_check(book),
        *share_checks(book),
        *facility_checks(book),
        empties_check(book),
        delay_check(book),
        *total_checks(book),
    )


def _none_of(count: int) -> BoolArray:
    return np.zeros(count, dtype=np.bool_)
