"""A cleared year: routes that enter by price, delays that fit, queues, what must come back, and limits that cannot hold together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.corridor import Corridor, load_corridor, with_value
from karvan.errors import DataError, SolverError
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.results.outlook import ROUTE_GAP
from karvan.study import Market, run
from karvan.study.clear import clear, two_starts
from karvan.study.route_memory import RouteMemory
from karvan.study.year import as_queue, year_result
from tests.study.edits import with_rows


def snapshot_of(corridor: Corridor, year: int = 2024, scenario: str = "baseline"):
    return apply(load_scenario(scenario, corridor), corridor, year=year)


@pytest.fixture(scope="module")
def packaged() -> Corridor:
    return load_corridor("middle-corridor")


@pytest.fixture(scope="module")
def memory() -> RouteMemory:
    return RouteMemory()


@pytest.fixture(scope="module")
def cleared_2028(packaged: Corridor, memory: RouteMemory):
    return clear(snapshot_of(packaged, 2028, "agreed"), routes=memory, is_strict=False)


def test_nothing_is_left_out_that_would_take_a_thousandth(cleared_2028) -> None:
    assert cleared_2028.route_gap <= ROUTE_GAP
    assert cleared_2028.routed.sets.route_count > cleared_2028.routed.rest.sets.route_count  # prices have called routes in
    assert cleared_2028.is_settled


def test_delays_from_two_starts_agree(cleared_2028) -> None:
    assert two_starts(cleared_2028, Market()) < 0.01


def test_a_year_does_not_depend_on_what_was_cleared_before(packaged: Corridor, cleared_2028) -> None:
    """The routes at rest are kept, but a year's own routes are its own; threads make no difference either."""
    alone = clear(snapshot_of(packaged, 2028, "agreed"), market=Market(threads=2), routes=RouteMemory(threads=2), is_strict=False)
    assert np.array_equal(alone.routed.sets.route_arc, cleared_2028.routed.sets.route_arc)
    assert np.array_equal(alone.clearing.row_price_usd_per_unit, cleared_2028.clearing.row_price_usd_per_unit)
    assert np.array_equal(alone.delay_h, cleared_2028.delay_h)


def test_a_year_written_down_comes_back_with_the_same_digits(two_ports: Corridor, tmp_path) -> None:
    """Routes, prices and delays are read, not sought: the solver finds nothing left to do."""
    snapshot = snapshot_of(two_ports, 2025)
    asked = clear(snapshot, routes=RouteMemory(folder=tmp_path), is_strict=False)
    again = clear(snapshot, routes=RouteMemory(folder=tmp_path), is_strict=False)
    assert again.clearing.iterations == 0
    for name in ("row_price_usd_per_unit", "route_flow_kt", "row_flow", "market_cost", "route_cost_usd_per_t"):
        assert np.array_equal(getattr(again.clearing, name), getattr(asked.clearing, name))
    assert np.array_equal(again.delay_h, asked.delay_h)
    assert (again.is_settled, again.route_gap) == (asked.is_settled, asked.route_gap)
    rests = [memory.routed(snapshot, co2_price_usd_per_t=0.0).rest for memory in (RouteMemory(), RouteMemory(folder=tmp_path))]
    for name in ("gap", "share", "composite"):
        assert np.array_equal(getattr(rests[0], name), getattr(rests[1], name))
    assert np.array_equal(rests[0].pool.is_in, rests[1].pool.is_in)
    assert np.array_equal(rests[0].sets.path_size, rests[1].sets.path_size)
    assert np.array_equal(rests[0].entries.entry_units_per_t, rests[1].entries.entry_units_per_t)


def test_a_file_that_cannot_be_read_is_as_good_as_none(two_ports: Corridor, tmp_path) -> None:
    snapshot = snapshot_of(two_ports, 2025)
    asked = clear(snapshot, routes=RouteMemory(folder=tmp_path), is_strict=False)
    for path in tmp_path.iterdir():
        path.write_bytes(b"not an archive")
    again = clear(snapshot, routes=RouteMemory(folder=tmp_path), is_strict=False)
    assert np.array_equal(again.clearing.row_price_usd_per_unit, asked.clearing.row_price_usd_per_unit)


def test_wagons_and_boxes_that_went_out_came_back(cleared_2028) -> None:
    assembly, clearing = cleared_2028.assembly, cleared_2028.clearing
    balances = clearing.row_flow[assembly.facility_count : assembly.row_count]
    assert balances.shape == (5,)
    assert np.abs(balances).max() <= 1e-6 * clearing.row_flow[: assembly.facility_count].max()
    empties = clearing.market_demand_kt[assembly.goods_count :]
    assert np.all(empties > 0.0)


def test_a_queue_is_never_worth_more_than_prices(cleared_2028) -> None:
    waited = as_queue(cleared_2028)
    assert waited.welfare_kusd < cleared_2028.clearing.welfare_kusd
    assert waited.rent_kusd == 0.0
    assert waited.waiting_kusd > 0.0
    result = year_result(cleared_2028, headline_cordon="titr_kz", crude_commodity="crude_oil")
    assert result.queue is not None
    assert result.queue["welfare_musd"] == pytest.approx(waited.welfare_kusd / 1e3, rel=1e-12)


def test_a_corridor_cleared_by_queues(two_ports: Corridor) -> None:
    """Time is worth nothing to the grain of two-ports, so the wait for the ferry has no end that a number could tell."""
    with pytest.raises(DataError, match="must be price or queue"):
        Market(regime="lottery")
    slow = with_value(two_ports, "commodities.grain.time_value_factor", "2")[0]
    priced, waited = (clear(snapshot_of(slow), market=Market(regime=regime)) for regime in ("price", "queue"))
    hour_usd_per_t = 2.0 * 250.0 * 0.1 / 365.0 / 24.0
    wait_h = waited.clearing.row_price_usd_per_unit[0]
    assert wait_h * hour_usd_per_t == pytest.approx(priced.clearing.row_price_usd_per_unit[0], rel=1e-6)  # one class: the same cost, lost
    assert waited.clearing.rent_kusd == 0.0
    assert waited.clearing.waiting_kusd == pytest.approx(priced.clearing.rent_kusd, rel=1e-6)


def test_a_contract_that_pays_for_what_does_not_come(two_ports: Corridor) -> None:
    """Eight and a half of ten million tonnes must take the ferry, which is given room for them."""
    wide = with_value(two_ports, "facilities.ferry.nominal", "9000")[0]
    bound = with_value(wide, "facilities.ferry.minimum", "8500")[0]
    cleared = clear(snapshot_of(bound))
    assert cleared.clearing.row_flow[0] == pytest.approx(8500.0, rel=1e-8)
    assert cleared.row_price[0] < 0.0
    assert cleared.clearing.rent_kusd < 0.0


def test_impossible_limits_name_the_fewest_that_conflict(two_ports: Corridor) -> None:
    bound = with_value(two_ports, "facilities.ferry.minimum", "8000")[0]
    with pytest.raises(SolverError, match="at least 8,000 kt") as caught:
        clear(snapshot_of(bound))
    assert "6,000" in str(caught.value)
    assert "ferry" in str(caught.value)
    too_much = with_value(with_value(two_ports, "facilities.ferry.nominal", "30000")[0], "facilities.ferry.minimum", "20000")[0]
    with pytest.raises(SolverError, match="20,000"):
        clear(snapshot_of(too_much))


def test_wagons_that_must_come_back_over_the_pass(two_ports: Corridor) -> None:
    """Every wagon over the pass goes east empty at 600 USD, 10 USD a tonne of 60."""
    wagons = {
        "return_id": "pass_wagons", "name": "Wagons over the pass", "link_id": "rail_pass_west", "loading_unit": "wagon",
        "commodities": "any", "empty_usd_per_unit": 600.0, "operator_id": "land_railway",
    }  # fmt: skip
    corridor = with_rows(two_ports, "returns", wagons)
    cleared = clear(snapshot_of(corridor))
    price = cleared.row_price[cleared.assembly.facility_count]
    assert price == pytest.approx(600.0, rel=0.05)  # to the spread of the pool of empties
    loaded_kt = 10_000.0 - cleared.clearing.row_flow[0]
    along, against, _ = cleared.clearing.route_flow_kt[-3:]
    assert against - along == pytest.approx(loaded_kt / 60.0, rel=1e-6)
    plain = clear(snapshot_of(two_ports))
    gap = cleared.clearing.row_price_usd_per_unit[0] - plain.clearing.row_price_usd_per_unit[0]
    assert gap == pytest.approx(price / 60.0, rel=1e-6)  # the ferry can ask for what the way over the pass costs more


def test_a_quota_binds_only_the_goods_it_names(two_ports: Corridor) -> None:
    facility = {"facility_id": "quota", "name": "Grain of the east", "kind": "quota", "unit": "kt", "nominal": 4000.0}
    use = {"use_id": "quota_use", "facility_id": "quota", "link_id": "sea_east_west", "commodity_group": "grain", "origin_region": "east"}
    corridor = with_rows(with_rows(two_ports, "facilities", facility), "facility_uses", use)
    cleared = clear(snapshot_of(corridor))
    assert cleared.clearing.row_flow[:2] == pytest.approx([4000.0, 4000.0], rel=1e-8)
    other = replace(corridor, tables={**corridor.tables, "facility_uses": _for_others(corridor)})
    assert clear(snapshot_of(other)).clearing.row_flow[:2] == pytest.approx([6000.0, 0.0], rel=1e-8)


def _for_others(corridor: Corridor):
    import polars as pl

    uses = corridor.tables["facility_uses"]
    is_quota = pl.col("facility_id") == "quota"
    return uses.with_columns(origin_region=pl.when(is_quota).then(pl.lit("west")).otherwise(pl.col("origin_region")))


def test_ships_in_days(two_ports: Corridor) -> None:
    """A ship of 5,000 t at sea for 30 hours: 4,000 kt take 1,000 ship-days; with half the days half as much moves."""
    facility = {"facility_id": "ships", "name": "Ships", "kind": "fleet", "unit": "kshipdays", "nominal": 0.5}
    use = {"use_id": "ships_at_sea", "facility_id": "ships", "link_id": "sea_east_west", "weight_factor": 0.0002}
    cleared = clear(snapshot_of(with_rows(with_rows(two_ports, "facilities", facility), "facility_uses", use)))
    assert cleared.clearing.row_flow[1] == pytest.approx(0.5, rel=1e-8)
    assert cleared.clearing.row_flow[0] == pytest.approx(0.5 / (30.0 / 24.0 / 5000.0), rel=1e-8)


def test_workers_make_no_difference(two_ports: Corridor) -> None:
    reports = [dict(run(two_ports, years=(2024, 2025, 2026), save=False, workers=workers).report) for workers in (1, 3)]
    for report in reports:
        report.pop("seconds")
    assert reports[0] == reports[1]


def test_years_that_did_not_settle_are_told(two_ports: Corridor) -> None:
    from karvan.report import summary_lines

    report = dict(run(two_ports, years=(2024, 2025), save=False).report)
    report["years"] = [{**row, "is_settled": row["year"] != 2025} for row in report["years"]]
    assert "in 2025 delays and flows did not settle" in " ".join(line.strip() for line in summary_lines(report))
    report["years"] = [{**row, "is_settled": True, "route_gap_share": 0.004 if row["year"] == 2024 else 1e-4} for row in report["years"]]
    told = " ".join(line.strip() for line in summary_lines(report))
    assert "did not settle" not in told
    assert "in 2024 a route left out would take up to 0.4% of its market" in told


def test_public_names() -> None:
    assert kv.clear is clear


def test_a_mean_month_clears_like_its_year_and_the_busiest_like_a_year_at_its_peak(two_ports: Corridor) -> None:
    """Methods 1a: where a year has a price, so has a month in which both demand and capacity are a twelfth."""
    history = load_scenario("history", two_ports)
    whole, mean = (clear(apply(history, two_ports, **when)) for when in ({"year": 2024}, {"period": "2024-06"}))
    assert mean.row_price == pytest.approx(whole.row_price, rel=1e-6)  # the solver's tolerance
    assert mean.clearing.row_flow == pytest.approx(whole.clearing.row_flow / 12.0, rel=1e-6)
    at_peak, _ = with_value(two_ports, "facilities.ferry.peak_factor", "1.25")
    seasons = pl.DataFrame(
        {
            "commodity_group": "grain", "month_number": range(1, 13), "season_factor": [1.25, 0.75] * 6, "source": "teaching",
            "confidence": "estimate",
        },
        schema=two_ports.tables["seasons"].schema,
    )  # fmt: skip
    made = replace(at_peak, tables={**at_peak.tables, "seasons": seasons})
    year, busiest = (clear(apply(history, made, **when)) for when in ({"year": 2024}, {"period": "2024-01"}))
    assert busiest.row_price == pytest.approx(year.row_price, rel=1e-6)
    assert clear(apply(history, made, period="2024-02")).row_price.max() < year.row_price.max()
