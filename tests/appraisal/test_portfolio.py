"""Portfolios against enumeration and the instances of the methods."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from karvan.appraisal import Fund, PortfolioProblem, PortfolioSearch, Project, SectorLimit, Worth, best_plans
from karvan.appraisal.portfolio import NEVER, is_within, sector_shares
from karvan.assignment import clear
from karvan.errors import DataError
from tests.assignment.market_cases import Family, Market, Route, one_nest, program

FLOWS = (8.0, 10.0, 12.0, 14.0)
BASE = np.array([6.0, 6.0, 7.0])
ADDS = ((0, 2.0), (1, 2.0), (2, 3.0), (0, 1.0), (1, 1.5))
COSTS = (60.0, 40.0, 80.0, 25.0, 35.0)
SHARES = ((0.0, 1.0), (1.0, 0.0), (0.5, 0.5), (0.5, 0.5), (0.2, 0.8))
CHEAPER_USD_PER_T = 8.0


def a_project(name: str, cost: float, shares: tuple[float, ...], **more) -> Project:
    return Project(name, (cost,), {f"fund{number}": share for number, share in enumerate(shares)}, **more)


class Corridor:
    """Ferry, berth and rail in series against a dearer way; a project may also make the way cheaper. Counts what it solves."""

    def __init__(self, adds=ADDS, cheaper: tuple[bool, ...] = (), flows=FLOWS) -> None:
        self.adds, self.cheaper, self.flows, self.solved = adds, cheaper, flows, 0
        none = np.zeros(len(adds) + len(cheaper), dtype=bool)
        self.without = [self._cleared(none, year).welfare_kusd for year in range(len(flows))]

    def _cleared(self, is_open, year):
        self.solved += 1
        capacity = BASE.copy()
        for (row, more), is_built in zip(self.adds, is_open, strict=False):
            capacity[row] += more * is_built
        cost = 100.0 - CHEAPER_USD_PER_T * bool(is_open[len(self.adds) :].any())
        return clear(program([one_nest([Route(cost, {0: 1.0, 1: 1.0, 2: 1.0}), Route(120.0)], 0.05, self.flows[year])], capacity.tolist()))

    def worth(self, is_open, year) -> Worth:
        cleared = self._cleared(is_open, year)
        slope = [cleared.row_price_usd_per_unit[row] * more for row, more in self.adds]
        most = CHEAPER_USD_PER_T * min(BASE[row] + sum(more for own, more in self.adds if own == row) for row in range(3))
        slope += [0.0 if is_built else most for is_built in is_open[len(self.adds) :]]
        return Worth(cleared.welfare_kusd - self.without[year], np.array(slope))


FUNDS = (Fund("fund0", (50.0, 60.0, 60.0, 60.0)), Fund("fund1", (50.0, 60.0, 60.0, 60.0)))
WEIGHT = np.array([1.0, 1.0, 1.0, 4.0])


def five(corridor: Corridor) -> PortfolioProblem:
    projects = [a_project(f"p{number}", cost, shares) for number, (cost, shares) in enumerate(zip(COSTS, SHARES, strict=True))]
    return PortfolioProblem(tuple(projects), FUNDS, corridor.worth, 0.08, WEIGHT)


def enumerated(problem: PortfolioProblem) -> tuple[float, tuple[int, ...]]:
    """The best of all plans that the funds can pay, one by one."""
    best = (-np.inf, ())
    known: dict[tuple[int, bytes], float] = {}
    for start in product(range(NEVER, problem.years), repeat=len(problem.projects)):
        starts = np.array(start)
        spend = np.zeros((len(problem.funds), problem.years))
        for number, project in enumerate(problem.projects):
            if start[number] != NEVER:
                spend += np.outer(
                    [project.fund_shares.get(fund.fund_id, 0.0) for fund in problem.funds], problem.spent(project, start[number])
                )
        budget = np.array([fund.budget for fund in problem.funds])
        if (np.cumsum(spend, axis=1) > np.cumsum(budget, axis=1) + 1e-9).any():
            continue
        opened = problem.is_open(starts)
        value = -float((problem.discount * spend.sum(axis=0)).sum())
        for year in range(problem.years):
            key = (year, opened[year].tobytes())
            if key not in known:
                known[key] = problem.worth(opened[year], year).welfare
            value += problem.discount[year] * problem.year_weight[year] * known[key]
        best = max(best, (value, start))
    return best


def test_five_projects_over_four_years():
    corridor = Corridor()
    problem = five(corridor)
    (plan,) = best_plans(problem)
    assert plan.value == pytest.approx(38.339853, abs=5e-7)
    assert plan.start.tolist() == [NEVER, NEVER, NEVER, 1, 1]
    assert plan.gap <= 1e-6
    solved = corridor.solved
    value, start = enumerated(problem)
    assert (value, list(start)) == (pytest.approx(plan.value, rel=1e-9), plan.start.tolist())
    assert solved < corridor.solved - solved  # far fewer markets than one by one
    assert plan.spend.sum() == pytest.approx(60.0)


def test_each_of_the_five_alone_is_worth_nothing():
    problem = five(Corridor())
    for number in range(5):
        (plan,) = best_plans(
            replace(problem, projects=tuple(p for n, p in enumerate(problem.projects) if n == number), worth=one_of(problem, number))
        )
        assert (plan.start.tolist(), plan.value) == ([NEVER], 0.0)


def one_of(problem: PortfolioProblem, number: int):
    def worth(is_open, year):
        whole = np.zeros(len(problem.projects), dtype=bool)
        whole[number] = is_open[0]
        found = problem.worth(whole, year)
        return Worth(found.welfare, found.slope[[number]])

    return worth


def test_a_sixth_project_that_makes_the_way_cheaper():
    problem = five(Corridor(cheaper=(True,)))
    problem = replace(problem, projects=(*problem.projects, a_project("cheaper", 45.0, (0.5, 0.5))))
    (plan,) = best_plans(problem)
    assert plan.value == pytest.approx(329.536308, abs=5e-6)
    assert plan.start.tolist() == [2, 2, 2, 1, 1, 0]
    value, start = enumerated(problem)
    assert (value, list(start)) == (pytest.approx(plan.value, rel=1e-9), plan.start.tolist())


def test_complements_are_worth_something_together_only():
    projects = (a_project("ferry", 0.0, (1.0,)), a_project("berth", 0.0, (1.0,)))
    corridor = Corridor(adds=((0, 2.0), (1, 2.0)), flows=(12.0,))
    ferry_only = np.array([True, False])
    assert corridor.worth(ferry_only, 0).welfare == pytest.approx(0.0, abs=1e-6)
    assert corridor.worth(~ferry_only, 0).welfare == pytest.approx(0.0, abs=1e-6)
    problem = PortfolioProblem(projects, (Fund("fund0", (1.0,)),), corridor.worth, 0.08, np.ones(1))
    (plan,) = best_plans(problem)
    assert plan.start.tolist() == [0, 0]


def test_complements_of_the_methods():
    def market(ferry: float, berth: float):
        return clear(program([one_nest([Route(100.0, {0: 1.0, 1: 1.0}), Route(120.0)], 0.05, 12.0)], [ferry, berth]))

    base = market(6.0, 6.0)
    assert market(8.0, 6.0).welfare_kusd - base.welfare_kusd == pytest.approx(0.0, abs=1e-6)
    assert market(8.0, 8.0).welfare_kusd - base.welfare_kusd == pytest.approx(26.408077, abs=5e-6)
    assert base.row_price_usd_per_unit.sum() * 2.0 == pytest.approx(40.0, abs=1e-5)


def test_knapsack():
    values = np.array([60.0, 100.0, 120.0])
    projects = tuple(replace(a_project(f"p{number}", weight, (1.0,))) for number, weight in enumerate((10.0, 20.0, 30.0)))

    def worth(is_open, year):
        return Worth(float(values @ is_open), values)

    problem = PortfolioProblem(projects, (Fund("fund0", (50.0,)),), worth, 0.0, np.ones(1))
    (plan,) = best_plans(problem)
    assert plan.welfare.tolist() == [220.0]
    assert plan.start.tolist() == [NEVER, 0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_random_nested_instances_equal_enumeration(seed):
    rng = np.random.default_rng(seed)
    years, rows = 2, 6
    base = rng.uniform(4.0, 8.0, rows)
    adds = [(int(rng.integers(rows)), float(rng.uniform(1.0, 4.0))) for _ in range(6)]
    made = []
    for _ in range(10):
        nests = [Family([Route(float(rng.uniform(80, 110)), {2 * way: 1.0, 2 * way + 1: 1.0}) for _ in range(3)], 0.1) for way in range(3)]
        made.append((nests, float(rng.uniform(1.0, 3.0))))

    def solved(is_open, year):
        capacity = base.copy()
        for (row, more), is_built in zip(adds, is_open, strict=True):
            capacity[row] += more * is_built
        markets = [Market([*nests, Family([Route(140.0)], 0.1)], 0.05, flow * (1.0 + 0.3 * year)) for nests, flow in made]
        return clear(program(markets, capacity.tolist()))

    none = [solved(np.zeros(6, dtype=bool), year).welfare_kusd for year in range(years)]

    def worth(is_open, year):
        found = solved(is_open, year)
        return Worth(found.welfare_kusd - none[year], np.array([found.row_price_usd_per_unit[row] * more for row, more in adds]))

    projects = tuple(a_project(f"p{n}", float(rng.uniform(5, 40)), (share := float(rng.uniform()), 1.0 - share)) for n in range(6))
    funds = (Fund("fund0", (25.0, 25.0)), Fund("fund1", (25.0, 25.0)))
    problem = PortfolioProblem(projects, funds, worth, 0.08, np.array([1.0, 5.0]))
    one, two = best_plans(problem), best_plans(problem, threads=2)
    value, _ = enumerated(problem)
    assert one[0].value == pytest.approx(value, rel=2e-6)
    assert one[0].start.tolist() == two[0].start.tolist()
    assert one[0].value == two[0].value


def test_next_best_plans_come_in_order():
    problem = five(Corridor())
    plans = best_plans(problem, count=4)
    values = [plan.value for plan in plans]
    assert values == sorted(values, reverse=True)
    assert len({plan.start.tobytes() for plan in plans}) == 4
    assert all(plan.value <= plan.bound + 1e-9 for plan in plans)


def test_an_interrupt_gives_the_best_plan_met_and_how_far_it_may_be_off():
    problem, proved = five(Corridor()), best_plans(five(Corridor()))[0]

    def stop(value, bound):
        raise KeyboardInterrupt

    plans = best_plans(problem, count=4, progress=stop)
    assert len(plans) == 1
    assert plans[0].value <= proved.value <= plans[0].bound
    assert plans[0].gap > 1e-6


def test_needs_exclusions_lead_and_later_costs():
    values = np.array([10.0, 50.0, 45.0])

    def worth(is_open, year):
        return Worth(float(values @ is_open), values)

    base = a_project("base", 20.5, (1.0,))
    top = replace(a_project("top", 1.0, (1.0,)), requires=("base",), lead_years=1)
    rival = replace(a_project("rival", 1.0, (1.0,)), excludes=("top",))
    problem = PortfolioProblem((base, top, rival), (Fund("fund0", (5.0, 30.0, 0.0)),), worth, 0.0, np.ones(3))
    (plan,) = best_plans(problem)
    assert plan.start.tolist() == [NEVER, NEVER, 0]
    spread = replace(base, spend=(3.0, 17.0))
    (plan,) = best_plans(replace(problem, projects=(spread, top, replace(rival, spend=(200.0,)))))
    assert plan.start.tolist() == [0, 0, NEVER]
    assert plan.spend.tolist() == [[4.0, 17.0, 0.0]]
    assert plan.welfare.tolist() == [10.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fund_shares": {"fund0": 0.5}}, "add up to 1"),
        ({"fund_shares": {"nobody": 1.0}}, "funds that are there"),
        ({"requires": ("nothing",)}, "no project"),
        ({"spend": (-1.0,)}, "zero or more"),
    ],
)
def test_what_makes_no_sense_is_refused(change, words):
    project = replace(a_project("one", 1.0, (1.0,)), **change)
    problem = PortfolioProblem((project,), (Fund("fund0", (5.0,)),), lambda is_open, year: Worth(0.0, np.zeros(1)), 0.08, np.ones(1))
    with pytest.raises(DataError, match=words):
        best_plans(problem)
    with pytest.raises(DataError, match="must have 1"):
        best_plans(replace(problem, projects=(), funds=(Fund("fund0", ()),)))


def with_limits(limit: SectorLimit):
    """Six projects of two sectors over two years, two funds; values that act on each other only through budgets."""
    rng = np.random.default_rng(7)
    values = rng.uniform(5.0, 40.0, 6)
    names = ("rail", "power", "rail", "power", "port", "power")
    projects = tuple(
        a_project(f"p{n}", float(rng.uniform(5, 30)), (share := float(rng.uniform(0.3, 0.7)), 1.0 - share), sector=name)
        for n, name in enumerate(names)
    )
    funds = (Fund("fund0", (20.0, 15.0)), Fund("fund1", (20.0, 15.0)))

    def worth(is_open, year):
        return Worth(float(values @ is_open), values)

    return PortfolioProblem(projects, funds, worth, 0.08, np.array([1.0, 2.0]), limits=(limit,))


@pytest.mark.parametrize("shares", [(0.6, 1.0), (0.0, 0.3), (0.45, 0.55)])
def test_limits_of_sectors_equal_enumeration(shares):
    """At least, and at most, a part of what one fund spends goes to power."""
    problem = with_limits(SectorLimit("fund0", ("power",), *shares))
    free = best_plans(replace(problem, limits=()))[0]
    (plan,) = best_plans(problem)
    best = -np.inf
    for start in product(range(NEVER, 2), repeat=6):
        starts = np.array(start)
        paid = np.array([[p.fund_shares[name] * p.spend[0] * (at == y) for p, at in zip(problem.projects, start, strict=True)]
                         for name in ("fund0", "fund1") for y in range(2)]).reshape(2, 2, 6)  # fmt: skip
        if (np.cumsum(paid.sum(axis=2), axis=1) > np.array([[20.0, 35.0]] * 2) + 1e-9).any():
            continue
        of_fund = paid[0].sum(axis=0)
        power = of_fund[[1, 3, 5]].sum() / of_fund.sum() if of_fund.sum() > 0.0 else None
        if power is None or shares[0] - 1e-9 <= power <= shares[1] + 1e-9:
            best = max(best, problem.plan(starts).value)
    assert plan.value == pytest.approx(best, rel=1e-9)
    assert plan.value < free.value - 1e-6
    assert is_within(problem, plan.start)
    assert not is_within(problem, free.start)
    ((_, share),) = sector_shares(problem, plan.start)
    assert share is None or shares[0] - 1e-9 <= share <= shares[1] + 1e-9


def test_a_limit_of_a_fund_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="must name a fund"):
        best_plans(with_limits(SectorLimit("nobody", ("power",), 0.5)))


@pytest.mark.parametrize("seed", range(4))
def test_what_has_no_bounds_is_in_the_best_of_all_plans(seed):
    """Values that count beside bounded ones and act on each other: the search ends at the plan that trying all of them finds."""
    rng = np.random.default_rng(seed)
    values, costs = rng.uniform(10.0, 40.0, 5), rng.uniform(10.0, 40.0, 5)
    own, pairs = rng.uniform(-6.0, 6.0, 5), np.triu(rng.uniform(-1.0, 1.0, (5, 5)), 1)

    def worth(is_open, year):
        z = is_open.astype(float)
        return Worth(float(values @ z), values, float((1.0 + 0.2 * year) * (own @ z + z @ pairs @ z)))

    projects = tuple(a_project(f"p{n}", float(cost), (1.0,)) for n, cost in enumerate(costs))
    problem = PortfolioProblem(projects, (Fund("fund0", (30.0, 30.0)),), worth, 0.08, np.array([1.0, 1.5]))
    (plan,) = best_plans(problem)
    starts = [np.array(start) for start in product(range(NEVER, 2), repeat=5)]
    best = max(problem.plan(start).value for start in starts if is_within(problem, start))
    assert plan.value == pytest.approx(best, rel=1e-9)
    assert plan.value == pytest.approx(problem.plan(plan.start).value)


def test_two_that_are_worth_something_beside_bounds_only_together_are_found():
    """A berth and its ferries: each alone adds nothing that a line about nothing could see."""
    projects = tuple(a_project(name, 3.0, (1.0,)) for name in ("berth", "ferries", "other"))

    def worth(is_open, year):
        return Worth(1.0 * float(is_open[2]), np.array([0.0, 0.0, 1.0]), 10.0 if is_open[0] and is_open[1] else 0.0)

    problem = PortfolioProblem(projects, (Fund("fund0", (20.0, 0.0)),), worth, 0.0, np.ones(2))
    best = best_plans(problem)[0]
    assert best.start.tolist() == [0, 0, NEVER]
    assert best.value == pytest.approx(2 * 10.0 - 6.0)


def test_a_plan_found_elsewhere_is_never_beaten_by_a_worse_one():
    """Pairs that act on each other more than most are worth alone, where lines about single plans may lead past the best."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        values, costs = rng.uniform(10.0, 40.0, 5), rng.uniform(10.0, 40.0, 5)
        own, pairs = rng.uniform(-6.0, 6.0, 5), np.triu(rng.uniform(-20.0, 20.0, (5, 5)), 1)

        def worth(is_open, year, values=values, own=own, pairs=pairs):
            z = is_open.astype(float)
            return Worth(float(values @ z), values, float((1.0 + 0.2 * year) * (own @ z + z @ pairs @ z)))

        projects = tuple(a_project(f"p{n}", float(cost), (1.0,)) for n, cost in enumerate(costs))
        problem = PortfolioProblem(projects, (Fund("fund0", (60.0, 30.0)),), worth, 0.08, np.array([1.0, 1.5]))
        search = PortfolioSearch(problem)
        first = search.best()[0]
        best = max(
            (problem.plan(np.array(start)) for start in product(range(NEVER, 2), repeat=5) if is_within(problem, np.array(start))),
            key=lambda plan: plan.value,
        )
        if first.value < best.value - 1e-9:
            break
    else:
        pytest.fail("no instance is hard enough")
    search.meet(best.start)
    assert search.best()[0].value == pytest.approx(best.value)


def test_later_starts_and_costs_by_year_are_kept():
    """A project whose cost falls to nothing in the third year, in which none may be started any more."""
    project = Project("one", (1.0,), {"fund0": 1.0}, costs=(30.0, 12.0, 0.0))
    problem = PortfolioProblem(
        (project,), (Fund("fund0", (5.0, 0.0, 0.0)),), lambda is_open, year: Worth(10.0 * is_open[0], np.array([10.0])), 0.0, np.ones(3)
    )
    assert best_plans(problem)[0].start.tolist() == [2]
    (plan,) = best_plans(replace(problem, last_start=1))
    assert (plan.start.tolist(), plan.value) == ([1], 8.0)


@pytest.mark.parametrize("scale", [0.5, 1.1, 1.6])
def test_other_budgets_begin_with_what_is_known_and_end_where_a_new_search_does(scale):
    corridor = Corridor()
    search = PortfolioSearch(five(corridor))
    (before,) = search.best()
    funds = tuple(Fund(fund.fund_id, tuple(scale * amount for amount in fund.budget)) for fund in FUNDS)
    known = corridor.solved
    (plan,) = search.under(funds).best()
    more = corridor.solved - known
    other = Corridor()
    without = other.solved
    (fresh,) = best_plans(replace(five(other), funds=funds))
    assert plan.value == pytest.approx(fresh.value, rel=1e-9)
    assert plan.start.tolist() == fresh.start.tolist()
    assert is_within(replace(five(other), funds=funds), plan.start)
    assert more < other.solved - without
    assert search.best(count=1)[0].value <= before.value  # the first search goes on where it was


def test_a_line_that_is_right_to_within_the_gap_is_not_drawn_again():
    """Pairs count beside bounded welfare: with a wide gap fewer lines are drawn, and what is told of a plan is exact still."""
    rng = np.random.default_rng(3)
    values, costs = rng.uniform(10.0, 40.0, 6), rng.uniform(10.0, 40.0, 6)
    pairs = np.triu(rng.uniform(-1.0, 1.0, (6, 6)), 1)

    def worth(is_open, year):
        z = is_open.astype(float)
        return Worth(float(values @ z), values, float(z @ pairs @ z))

    projects = tuple(a_project(f"p{n}", float(cost), (1.0,)) for n, cost in enumerate(costs))
    problem = PortfolioProblem(projects, (Fund("fund0", (60.0, 60.0)),), worth, 0.08, np.array([1.0, 1.5]))
    wide, narrow = PortfolioSearch(problem), PortfolioSearch(problem)
    (rough,), (best,) = wide.best(gap=0.05), narrow.best()
    assert len(wide.lines) < len(narrow.lines)
    assert rough.value == pytest.approx(problem.plan(rough.start).value)
    assert best.value * 0.9 <= rough.value <= best.value
