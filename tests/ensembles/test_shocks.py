"""Years under sets of shocks: routes found under each alone serve every set, as when they are looked for anew."""

from itertools import chain, combinations

import numpy as np
import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.corridor.load import new_corridor
from karvan.ensembles import prepared as prepared_years
from karvan.ensembles.futures import GAP_EVERY, Futures
from karvan.ensembles.prepared import APART, UNITED
from karvan.ensembles.run import EnsembleOptions, ensemble_of
from karvan.routing import build_graph, route_space, united
from karvan.routing.united import arcs_among
from karvan.study.clear import clear

YEARS = (2024, 2026, 2028)
SHOCKS = """shock_id,name,chance_share,first_year,last_year,lasts_count,measures,ends,note,source,confidence
shut,The pass is shut,0.5,2026,2026,9,pass_closed,,,teaching,estimate
south,A southern sea way opens,0.5,2026,2028,9,south_opens,,,teaching,estimate
dear,The railway asks for more,0.5,2026,2028,9,dear_rail,,,teaching,estimate
tunnel,A tunnel is dug,0.5,2026,2028,9,tunnel,,,teaching,estimate
small,The ferry stays small,0.5,2026,2028,9,,bigger_ferry,,teaching,estimate
"""
MEASURE = """id: {0}
title: {0}
from_date: 2026-01-01
status: option
source: teaching
confidence: estimate
doc: Invented.
changes:
  - {1}
"""
MEASURES = {
    "south_opens": "{table: links, where: {link_id: sea_south}, open: true}",
    "dear_rail": "{table: tariffs, where: {tariff_id: land_wagons}, scale: {rate: 1.1}}",
    "tunnel": "{table: links, add: [{link_id: tunnel, from_place: east_port, to_place: west_port, mode: rail, gauge: '1520', "
    "length_km: 1250, time_h: 60, one_way: false, is_open: true, operator_id: land_railway, note: null, source: teaching, "
    "confidence: estimate}]}",
}


@pytest.fixture(scope="module")
def corridor(tmp_path_factory):
    folder = new_corridor(tmp_path_factory.mktemp("shocks") / "corridor")
    (folder / "shocks.csv").write_text(SHOCKS, encoding="utf-8")
    links = folder / "links.csv"
    more = "sea_south,east_port,west_port,dry_ship,none,500,40,false,false,sea_line,,teaching,estimate\n"
    links.write_text(links.read_text(encoding="utf-8").rstrip("\n") + "\n" + more, encoding="utf-8")
    for name, change in MEASURES.items():
        (folder / "measures" / f"{name}.yaml").write_text(MEASURE.format(name, change), encoding="utf-8")
    return load_corridor(folder)


@pytest.fixture(scope="module")
def futures(corridor):
    return Futures(ensemble_of(corridor, years=YEARS, how=EnsembleOptions(futures=GAP_EVERY, has_ranges=False)))


SETS = list(chain.from_iterable(combinations(("shut", "south", "dear", "small"), count) for count in range(5)))


def test_each_set_of_shocks_is_cleared_as_when_its_routes_are_looked_for_anew(futures, monkeypatch):
    searched, alone = [], futures.prepared._cleared
    monkeypatch.setattr(futures.prepared, "_cleared", lambda snapshot: searched.append(snapshot.year) or alone(snapshot))
    told = {}
    for active in SETS:
        begun = dict.fromkeys(active, 2026)
        fit = futures._refit([])
        row = futures._outlook("agreed", 0, [], begun, fit, {})
        snapshot = futures._drawn(futures.prepared.state("agreed", active, 2028), [], fit, None)
        anew = clear(snapshot, is_strict=False)
        carried = float((anew.set_flow_kt * anew.routed.cordons["sea_crossing"][0]).sum()) / 1e3
        assert row["corridor_mt_2028"] == pytest.approx(carried, rel=2e-4), active
        assert row["route_gap_mt"] == pytest.approx(abs(row["corridor_mt_2028"] - carried), abs=1e-3)
        told[active] = row["corridor_mt_2028"]
    assert len({round(value, 2) for value in told.values()}) >= 5  # the ferry is full in many
    assert len(searched) == len(futures.prepared.searches()) == len(YEARS) + 2 * 2  # no more for sixteen sets than for each shock alone


def test_a_shut_route_carries_nothing_and_a_shock_that_adds_a_row_has_routes_of_its_own(futures):
    prepared = futures.prepared
    assert [prepared._kind("agreed", name, 2028) for name in ("shut", "south", "tunnel")] == [UNITED, UNITED, APART]
    state = prepared.state("agreed", ("shut",), 2028)
    assert state.is_open is not None
    assert not state.is_open.all()
    sets = state.layout.model.routed.sets
    ids = [{sets.graph.arc_element_id[arc] for arc in sets.arcs_of(route)} for route in range(sets.route_count)]
    assert [is_open for is_open, names in zip(state.is_open.tolist(), ids, strict=True) if "rail_east_pass" in names] == [False]
    both = prepared.state("agreed", ("south", "tunnel"), 2028)
    assert both.ready.snapshot.tables["links"].height == state.snapshot.tables["links"].height + 1
    assert both.is_open is None
    assert both.layout.model.routed.sets.route_count == 4


def test_routes_of_two_networks_are_told_by_what_they_pass(futures):
    plain, open_south = (futures.prepared._snapshot("agreed", active, 2028) for active in ((), ("south",)))
    small, large = (build_graph(item.tables) for item in (plain, open_south))
    place = arcs_among(small, large)
    assert [large.arc_element_id[arc] for arc in place] == list(small.arc_element_id)
    back = arcs_among(large, small)
    assert {large.arc_element_id[arc] for arc in np.flatnonzero(back < 0)} == {"sea_south"}
    parts = [futures.prepared._cleared(item).routed.sets for item in (plain, open_south)]
    space = route_space(large, open_south.tables, date=plain.state_date, co2_price_usd_per_t=0.0)
    sets, entries, has = united(space, parts)
    assert has.sum(axis=1).tolist() == [part.route_count for part in parts]
    assert sets.route_count == parts[1].route_count == entries.route_first_entry.shape[0] - 1
    narrow = route_space(small, plain.tables, date=plain.state_date, co2_price_usd_per_t=0.0)
    assert united(narrow, parts)[0].route_count == parts[0].route_count


def test_searches_made_beforehand_are_all_that_futures_ask_for(corridor, tmp_path):
    made = ensemble_of(corridor, years=YEARS, how=EnsembleOptions(futures=4, only=("shut", "south"), has_ranges=False))
    first = Futures(made, tmp_path)
    for part in first.prepared.searches():
        first.make(part)
    kept = {path.name for path in tmp_path.iterdir()}
    other = Futures(made, tmp_path)
    rows = [other.outcomes(index) for index in range(made.count)]
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert rows == [Futures(made).outcomes(index) for index in range(made.count)]
    assert prepared_years.UNITED in other.prepared._kinds.values()


def test_a_shock_that_is_written_out_may_begin_in_any_year(corridor):
    table = pl.DataFrame({"shut": [2024, None], "south": [2024, 2026]}, schema={"shut": pl.Int64, "south": pl.Int64})
    made = ensemble_of(corridor, years=YEARS, how=EnsembleOptions(table=table, has_ranges=False))
    futures = Futures(made)
    assert [futures.outcomes(index)[0]["status"] for index in range(2)] == ["ok", "ok"]
    assert list(futures.prepared._span("shut")) == list(range(2024, 2033))
