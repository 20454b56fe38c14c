"""A year moved on its own routes, against the same year computed as any other."""

from __future__ import annotations

import pytest

from karvan.corridor import with_value
from karvan.errors import DataError, MeasureError
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.routing import repriced
from karvan.study import ScenarioOptions
from karvan.study.live import BASE, MEASURED, SEARCHED, Case, LiveStudy, Move, compared, moved_snapshot
from karvan.study.route_memory import RouteMemory
from karvan.study.run import run

CLOSE = {"rel": 1e-5}  # the solver's own tolerance is 1e-6


@pytest.fixture(scope="module")
def study(two_ports):
    return LiveStudy(two_ports, RouteMemory())


def case(year=2024):
    return Case("agreed", ScenarioOptions(), year)


def facility(told):
    return told.facilities.row(0, named=True)


def test_a_move_of_nothing_is_the_base(study):
    answer = study.answer(case(), Move())
    assert answer.now is answer.base
    assert answer.routes == BASE
    assert answer.now.corridor_mt == pytest.approx(6.0, **CLOSE)  # METHODS check 1a, K = 6


def test_the_first_answer_is_not_warm_and_the_next_is(two_ports):
    fresh = LiveStudy(two_ports, RouteMemory())
    assert not fresh.answer(case(), Move()).is_warm
    assert fresh.answer(case(), Move(set_values=("facilities.ferry.nominal=6100",))).is_warm


def test_a_capacity_moved_gives_what_a_run_with_it_gives(study, two_ports):
    moved = study.answer(case(), Move(set_values=("facilities.ferry.nominal=6500",)))
    changed, _ = with_value(two_ports, "facilities.ferry.nominal", "6500")
    whole = run(changed, years=(2024,), save=False).scenario.years[0]
    assert moved.routes == BASE
    assert moved.now.corridor_mt == pytest.approx(whole.corridor_mt, **CLOSE)
    assert facility(moved.now)["shadow_price_usd_per_t"] == pytest.approx(whole.facilities["shadow_price_usd_per_t"][0], **CLOSE)
    assert moved.now.links["flow_kt"].to_list() == pytest.approx(
        (whole.links["forward_kt"] + whole.links["backward_kt"]).to_list(), **CLOSE
    )
    told = moved.as_dict()
    assert told["difference"]["corridor_mt"] == pytest.approx(0.5, **CLOSE)
    assert told["facilities"][0]["difference"]["flow"] == pytest.approx(500.0, **CLOSE)
    assert told["replaced"] == [{"table": "facilities", "row": "ferry", "column": "nominal", "old": 6000.0, "new": 6500.0}]


def test_a_charge_moved_measures_the_same_routes_anew(study, two_ports):
    moved = study.answer(case(), Move(set_values=("tariffs.sea_bulk.rate=90",)))
    changed, _ = with_value(two_ports, "tariffs.sea_bulk.rate", "90")
    whole = run(changed, years=(2024,), save=False).scenario.years[0]
    assert moved.routes == MEASURED
    assert facility(moved.now)["shadow_price_usd_per_t"] == pytest.approx(whole.facilities["shadow_price_usd_per_t"][0], **CLOSE)


def test_demand_moved_by_goods_or_all(study, two_ports):
    by_goods = study.answer(case(), Move(demand_factor={"grain": 1.3}))
    by_all = study.answer(case(), Move(demand_factor={"any": 1.3}))
    changed, _ = with_value(two_ports, "demand.grain_east_west.flow_kt", "13000")
    whole = run(changed, years=(2024,), save=False).scenario.years[0]
    assert by_goods.now.facilities.equals(by_all.now.facilities)
    assert facility(by_goods.now)["shadow_price_usd_per_t"] == pytest.approx(whole.facilities["shadow_price_usd_per_t"][0], **CLOSE)


def test_an_answer_does_not_depend_on_what_was_asked_before(study):
    move = Move(set_values=("facilities.ferry.nominal=6300",))
    study.answer(case(), Move())  # warm
    first = study.answer(case(), move).as_dict()
    study.answer(case(), Move(set_values=("facilities.ferry.nominal=2000",)))
    assert study.answer(case(), move).as_dict() == first


def test_a_measure_on_the_same_network_keeps_the_routes(study):
    answer = study.answer(case(2026), Move(with_measures=("joint_timetable",)))
    assert answer.routes == BASE
    assert answer.now.corridor_mt == pytest.approx(6.3, **CLOSE)
    assert answer.as_dict()["replaced"][0]["new"] == "with"


def test_a_value_set_acts_after_the_measures(study):
    # bigger_ferry makes it 7,000 in 2027; the slider has the last word
    answer = study.answer(case(2027), Move(set_values=("facilities.ferry.nominal=6400",)))
    assert answer.as_dict()["replaced"][0]["old"] == 7000.0
    assert answer.now.corridor_mt == pytest.approx(6.4, **CLOSE)


def test_a_changed_network_is_searched(study):
    answer = study.answer(case(2026), Move(with_measures=("pass_closed",)))
    assert answer.routes == SEARCHED
    again = study.answer(case(2026), Move(with_measures=("pass_closed",), set_values=("facilities.ferry.nominal=5000",)))
    assert again.routes == SEARCHED
    assert again.is_warm
    assert again.now.corridor_mt == pytest.approx(5.0, **CLOSE)
    closed = study.answer(case(2026), Move(set_values=("links.sea_east_west.is_open=false",)))
    assert closed.routes == SEARCHED
    assert closed.now.corridor_mt == 0.0


def test_hours_are_searched_and_notes_are_not(study):
    snapshot = study._year(case(), None).snapshot
    longer, _ = moved_snapshot(snapshot, Move(set_values=("links.sea_east_west.time_h=31",)))
    noted, _ = moved_snapshot(snapshot, Move(set_values=("links.sea_east_west.note=calm",)))
    assert compared(longer.tables, snapshot.tables) == SEARCHED
    assert compared(noted.tables, snapshot.tables) == BASE


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (Move(set_values=("facilities.fery.nominal=1",)), "did you mean ferry"),
        (Move(set_values=("facilities.ferry.nominal=-1",)), "0 or more"),
        (Move(set_values=("facilities.ferry.nominal",)), "TABLE.ID.COLUMN=VALUE"),
        (Move(set_values=("growth.steady|2024.rate_share_per_year=0.1",)), "set it in a run"),
        (Move(demand_factor={"gran": 1.1}), "did you mean grain"),
    ],
)
def test_what_does_not_fit_is_told(study, move, words):
    with pytest.raises(DataError, match=words):
        study.answer(case(), move)


def test_an_unknown_measure_is_told(study):
    with pytest.raises(MeasureError, match="no_such"):
        study.answer(case(), Move(with_measures=("no_such",)))


def test_years_used_longest_ago_are_let_go(two_ports):
    small = LiveStudy(two_ports, RouteMemory())
    for year in range(2024, 2034):
        small.answer(case(year), Move())
    assert not small.answer(case(2024), Move()).is_warm
    assert small.answer(case(2033), Move()).is_warm


def test_a_charge_of_a_terminal_moved_gives_what_a_run_with_it_gives(study, two_ports):
    terminal = two_ports.tables["terminals"]["terminal_id"][0]
    assignment = f"terminals.{terminal}.cost_usd_per_t"
    moved = study.answer(case(), Move(set_values=(f"{assignment}=9",)))
    changed, _ = with_value(two_ports, assignment, "9")
    whole = run(changed, years=(2024,), save=False).scenario.years[0]
    assert moved.routes == MEASURED
    assert facility(moved.now)["shadow_price_usd_per_t"] == pytest.approx(whole.facilities["shadow_price_usd_per_t"][0], **CLOSE)


@pytest.mark.parametrize(("before", "after"), [("100", "80"), ("0", "80"), ("100", "0")])
def test_repriced_charges_are_those_of_the_tables(two_ports, before, after):
    terminal = two_ports.tables["terminals"]["terminal_id"][0]
    old, _ = with_value(two_ports, "tariffs.sea_bulk.rate", before)
    new, _ = with_value(with_value(old, "tariffs.sea_bulk.rate", after)[0], f"terminals.{terminal}.cost_usd_per_t", "7")
    own, other = (RouteMemory().routed(snapshot_of(item), co2_price_usd_per_t=0.0).space for item in (old, new))
    priced = repriced(own, new.tables, before=old.tables)
    assert priced.cost_parts == pytest.approx(other.cost_parts, rel=1e-12)
    assert priced.leg_cost == pytest.approx(other.leg_cost, rel=1e-12)


def snapshot_of(corridor):
    return apply(load_scenario("agreed", corridor), corridor, year=2024)
