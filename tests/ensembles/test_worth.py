from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from karvan.appraisal import by_year, net_present_value
from karvan.assignment import flows_at
from karvan.corridor import load_corridor
from karvan.ensembles.answers import Sample
from karvan.ensembles.definition import columns_of_futures, operator_countries
from karvan.ensembles.futures import Futures, surplus_at_base_kusd
from karvan.ensembles.run import EnsembleOptions, answered, ensemble_of
from karvan.ensembles.store import FutureStore
from karvan.ensembles.worth import Cost, Worth, pairs_told, regret_told, worth_of
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.report.many_futures import country_told
from karvan.report.words import ENGLISH
from karvan.study.accounts import society_kusd, year_accounts
from karvan.study.appraise import AppraisalOptions, appraise
from karvan.study.clear import clear
from karvan.study.works import appraisal_values
from tests.study.money_case import money_case

YEARS = (2027, 2030)
PLAN = "baseline+second_ferry+faster_track"
COST_MUSD = 36.751781
"""By hand: ship 18 + upkeep 4.030 + renewal 7.148 - 1.391 left; track 9 + 1.007 - 1.043 left."""


@pytest.fixture(scope="module")
def corridor(tmp_path_factory):
    return load_corridor(str(money_case(tmp_path_factory.mktemp("money") / "case", link="rail_east_pass")))


@pytest.fixture(scope="module")
def worth(corridor, tmp_path_factory):
    """Futures of which the first is the case itself."""
    table = pl.DataFrame({"facilities.ferry.nominal": [None, 5200.0]}, schema={"facilities.ferry.nominal": pl.Float64})
    how = EnsembleOptions(only=("facilities.ferry.nominal",), table=table, plans=(PLAN,))
    made = ensemble_of(corridor, scenario="baseline", years=YEARS, how=how)
    store = FutureStore(tmp_path_factory.mktemp("futures") / "ensemble", columns_of_futures(made))
    store.open(made.id, {})
    futures = Futures(made)
    for index in range(made.count):
        store.append(futures.outcomes(index))
    sample = Sample(made, store, made.count)
    assert sample.failed().is_empty()
    return worth_of(sample, against="baseline", rate_share=None)


def test_society_gains_what_the_accounts_add_up_to(corridor):
    values, external = appraisal_values(corridor), corridor.tables["external_costs"]
    for name in ("baseline", "agreed"):
        cleared = clear(apply(load_scenario(name, corridor), corridor, year=2030))
        accounts = year_accounts(cleared, values, external, 90.0)
        assert society_kusd(cleared, values, external, 90.0) == pytest.approx(accounts["value_kusd"].sum(), rel=1e-9)


def test_the_case_itself_is_worth_what_an_appraisal_says(corridor, worth):
    """One arithmetic: the same gains in the cleared years and the same works."""
    found = appraise(
        corridor, measures=("second_ferry", "faster_track"), how=AppraisalOptions(sample_years=YEARS, has_members=False)
    )  # fmt: skip
    gained = found.accounts.group_by("year").agg(pl.col("gain_musd").sum())
    benefit = net_present_value(by_year(gained, "gain_musd", np.arange(worth.first_year, worth.last_year + 1)), found.rate_share)
    assert (worth.rate_share, worth.first_year, worth.last_year) == (found.rate_share, YEARS[0], YEARS[0] + 19)
    assert worth.net_musd[1][0] + worth.costs[1].present_musd == pytest.approx(benefit, rel=2e-3)
    assert worth.costs[1].present_musd == pytest.approx(COST_MUSD, abs=1e-6)
    assert worth.net_musd[0].tolist() == [0.0, 0.0]
    assert worth.costs[1].unknown == ()


def test_plans_are_held_against_each_other_on_the_same_futures():
    """By hand: the second plan gains 0, 10, -10, 20 M USD on the first, the third the same as the second but in the last future."""
    net = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 10.0, -10.0, 20.0], [0.0, 10.0, -10.0, 8.0]])
    worth = Worth(("base", "one", "two"), np.arange(4), net, (Cost(0.0, ()),) * 3, 0.05, 2025, 2044)
    pairs = {(row["plan"], row["other"]): row for row in pairs_told(worth).iter_rows(named=True)}
    assert len(pairs) == 6
    one = pairs["one", "base"]
    assert (one["mean_musd"], one["p50_musd"], one["better_share"], one["alike_share"]) == (5.0, 5.0, 0.5, 0.25)
    assert (pairs["base", "one"]["mean_musd"], pairs["base", "one"]["better_share"]) == (-5.0, 0.25)
    assert (pairs["one", "two"]["better_share"], pairs["one", "two"]["alike_share"]) == (0.25, 0.75)
    regret = {row["plan"]: row for row in regret_told(worth).iter_rows(named=True)}
    assert [regret[plan]["best_share"] for plan in worth.plans] == [0.5, 0.75, 0.5]
    assert [regret[plan]["worst_musd"] for plan in worth.plans] == [20.0, 10.0, 12.0]


def test_a_case_without_money_has_no_values(two_ports, tmp_path):
    made = ensemble_of(two_ports, years=(2026,), how=EnsembleOptions(futures=2, plans=("baseline",)))
    store = FutureStore(tmp_path / "ensemble", columns_of_futures(made))
    store.open(made.id, {})
    futures = Futures(made)
    store.append(futures.outcomes(0))
    found = answered(made, store, 1, how=EnsembleOptions(futures=1, plans=("baseline",)), stopped=None)
    assert (found.rate_share, found.value_years) == (None, None)
    assert found.values.is_empty()
    assert found.regret.is_empty()
    assert found.against == "baseline"


@pytest.mark.parametrize("sigma", [0.5, 0.9999, 1.0, 1.7])
def test_welfare_above_the_base_year_is_the_integral_of_demand_whatever_the_elasticity(two_ports, sigma):
    cleared = clear(apply(load_scenario("agreed", two_ports), two_ports, year=2027))
    count = cleared.assembly.goods_count
    base, none = cleared.clearing.market_cost - 30.0, np.zeros_like(cleared.clearing.market_cost)
    problem = replace(cleared.problem, market_elasticity=none + sigma, market_base_cost_usd_per_t=base)
    found = flows_at(problem, cleared.clearing.row_price_usd_per_unit)
    price, flow, total = problem.market_price_usd_per_t, problem.market_flow_kt, 0.0
    for market in range(count):
        costs = np.linspace(base[market], found.market_cost[market], 2001)
        demand = flow[market] * ((price[market] + costs) / (price[market] + base[market])) ** -sigma
        total -= float(np.trapezoid(demand, costs))
    assert total < -1e5
    assert float(found.consumer_surplus_kusd.sum()) - surplus_at_base_kusd(problem) == pytest.approx(total, rel=1e-6)


def test_operators_of_several_countries_are_told_together():
    operators = pl.DataFrame({"operator_id": ["a", "b", "c"], "country": ["KZ", "KZ;AZ;GE", None]})
    assert operator_countries({"operators": operators}) == {"a": "KZ", "b": "several"}
    assert country_told("several", ENGLISH) == "several countries"
    assert country_told("KZ", ENGLISH) == "KZ"
