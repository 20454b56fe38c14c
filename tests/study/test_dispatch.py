"""A small power case dispatched: what is told adds up, what is refused, and the files of other programs."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError, MeasureError
from karvan.exchange import read_pypsa, write_pypsa
from karvan.measures.apply import apply
from karvan.network import PowerSystem
from karvan.power import Dispatcher, power_system
from karvan.report import Words
from karvan.report.dispatch import dispatch_lines
from karvan.results import Dispatch, PowerBalance
from karvan.study import DispatchOptions, dispatch
from karvan.study.power_balance import power_balances
from karvan.validation import Outcomes, compare, needed_years, power_years
from tests.power.small import add_power

WEEKS = 24 * 28


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_power(kv.new_corridor(tmp_path_factory.mktemp("power") / "case"))


@pytest.fixture(scope="module")
def small(folder: Path) -> kv.Corridor:
    return kv.load_corridor(str(folder))


@pytest.fixture(scope="module")
def found(small: kv.Corridor) -> Dispatch:
    how = DispatchOptions(hours=WEEKS, size_mw=200.0, sizes_mw=(50.0, 100.0, 200.0, 400.0, 800.0), tries=("no_border_charge",))
    return dispatch(small, year=2034, how=how)


@pytest.fixture(scope="module")
def system(small: kv.Corridor) -> PowerSystem:
    scenario = kv.with_measures(kv.load_scenario("baseline", small), small, ["strait_cable"])
    return power_system(apply(scenario, small, year=2034).tables, year=2034).system.between(0, 168)


def test_zones_balance(found: Dispatch) -> None:
    for row in found.zones.rows(named=True):
        came = row["generation_twh"] + row["imports_twh"] - row["exports_twh"] + row["unserved_gwh"] / 1e3
        assert came == pytest.approx(row["demand_twh"], rel=1e-9)
    line = found.lines.row(0, named=True)
    assert found.zones["exports_twh"].sum() == pytest.approx(line["there_twh"] + line["back_twh"], rel=1e-9)
    assert found.zones["imports_twh"].sum() == pytest.approx(0.97 * found.zones["exports_twh"].sum(), rel=1e-9)


def test_the_cable_goes_to_the_dear_side_and_what_parties_gain_is_the_gain(found: Dispatch) -> None:
    as_it_is, free = found.worth.rows(named=True)
    assert as_it_is["there_twh"] > 2 * as_it_is["back_twh"]
    assert 0.0 <= as_it_is["backwards_share"] < 0.5
    for row in (as_it_is, free):
        parties = found.parties.filter(pl.col("design") == row["design"])
        assert parties["total_musd"].sum() == pytest.approx(row["gain_musd"], rel=1e-6, abs=1e-6)
        owner = parties.filter(pl.col("who") == "Cable company")
        assert owner["lines_musd"][0] == pytest.approx(row["kept_musd"], rel=1e-9)
        assert row["rent_musd"] - row["border_musd"] > row["kept_musd"]
    assert as_it_is["border_musd"] > 0.0 == free["border_musd"]
    assert free["gain_musd"] > as_it_is["gain_musd"]
    assert free["kept_musd"] > as_it_is["kept_musd"]
    # Who keeps nothing pays nothing: break-even costs follow from what is kept and gained, less running costs.
    terms = found.terms
    kept = as_it_is["kept_musd"] - 2.0 * terms["year_share"]
    assert as_it_is["owner_pays_until_usd_per_kw"] == pytest.approx(
        kept / terms["year_share"] / terms["annuity_share"] / 200.0 * 1e3, rel=1e-9
    )
    assert as_it_is["credit_to_mw"] > 0.0


def test_one_more_megawatt_is_worth_less_the_more_there_are(found: Dispatch) -> None:
    worth = found.sweep["value_usd_per_kw"].to_list()
    assert found.sweep["capacity_mw"].to_list() == [0.0, 50.0, 100.0, 200.0, 400.0, 800.0]
    assert all(one >= other - 1e-6 for one, other in pairwise(worth))
    gain = found.sweep["gain_musd"].to_numpy()
    assert gain[0] == pytest.approx(0.0, abs=1e-9)
    assert (np.diff(gain) >= -1e-9).all()
    assert found.sweep.row(3, named=True)["rent_musd"] == pytest.approx(found.worth["rent_musd"][0], rel=1e-6)
    pays = found.pays
    assert pays is not None
    assert 0.0 < pays["size_mw"] <= 800.0


def test_curves_fall_and_series_are_as_asked(found: Dispatch) -> None:
    price = found.curves.filter((pl.col("kind") == "price") & (pl.col("id") == "west"))["value"].to_numpy()
    assert (np.diff(price) <= 1e-9).all()
    assert price[0] == pytest.approx(found.zones.filter(pl.col("zone_id") == "west")["highest_price_usd_per_mwh"][0])
    shares = found.profiles.filter(pl.col("kind") == "profile")
    assert shares.filter((pl.col("mean_share") / pl.col("asked_share") - 1.0).abs() > 0.1).is_empty()


def test_it_is_told_in_words_and_as_json(found: Dispatch) -> None:
    text = "\n".join(dispatch_lines(found))
    assert "What strait is worth over these hours" in text
    assert "The size that pays" in text
    russian = dispatch_lines(found, words=Words("ru"))
    assert max(len(line) for line in [*text.splitlines(), *russian]) <= 100
    assert not re.search(r"\b(the|of|and|is)\b", "\n".join(russian))
    told = found.as_dict(has_hours=True)
    json.dumps(told, allow_nan=False)
    assert len(told["hourly"]["price_west"]) == WEEKS
    assert {"zones", "lines", "curves", "worth", "parties", "sweep", "pays", "terms", "technologies", "profiles"} <= set(told)


def test_sums_in_steps_are_near_those_of_hours_and_are_held_against_what_was_published(small: kv.Corridor) -> None:
    scenario = small.manifest.baseline
    balance = power_balances(small, [(scenario, 2026)])[scenario, 2026]
    hours = dispatch(small, year=2026)
    for row in hours.zones.rows(named=True):
        assert balance.made({row["zone_id"]}) == pytest.approx(row["generation_twh"], rel=1e-3)
    gas = hours.technologies.filter(pl.col("technology") == "gas")["generation_twh"].sum()
    assert balance.made({"east_gas", "west_gas"}) == pytest.approx(gas, rel=0.03)  # means of four hours cut peaks of wind and load
    assert balance.exported({"east"}) == balance.imported({"west"}) == 0.0  # there is no line yet
    old = kv.load_corridor("two-ports").tables["observations"].head(1)
    row = old.with_columns(
        family=pl.lit("power"), quantity=pl.lit("power_made_twh"), element_id=pl.lit("east_gas; west_gas"),
        year=pl.lit(2026, dtype=pl.Int64),
        value=pl.lit(2.0 * gas), low=None, high=None, reason=None, scenario=None,
    )  # fmt: skip
    assert power_years(row, base_year=2024, baseline_id=scenario) == [(scenario, 2026)]
    assert needed_years(row, base_year=2024, baseline_id=scenario) == {scenario: [2024]}
    known = Outcomes(2024, scenario, "sea", {}, {}, {}, small.tables["journeys"], {}, {(scenario, 2026): balance})
    told = compare(row, known)["observations"][0]
    assert told["model"] == balance.made({"east_gas", "west_gas"})
    assert told["error"] == pytest.approx(-0.5, abs=0.02)


def test_exports_are_sent_and_imports_arrive() -> None:
    balance = PowerBalance({"a_gas": 3.0, "b_sun": 1.0}, {"a_gas": "a", "b_sun": "b"}, (("a", "b", 1.0, 0.97), ("b", "c", 0.5, 0.4)))
    assert balance.made({"a", "b_sun"}) == 4.0
    assert (balance.exported({"a"}), balance.imported({"b"})) == (1.0, 0.97)
    assert (balance.exported({"a", "b"}), balance.imported({"a", "b"})) == (0.5, 0.0)


def test_without_the_cable_nothing_is_worth_telling_and_what_is_wrong_is_refused(small: kv.Corridor) -> None:
    alone = dispatch(small, year=2026, how=DispatchOptions(hours=48))
    assert alone.worth.is_empty()
    assert alone.lines.is_empty()
    with pytest.raises(DataError, match="neither a line"):
        dispatch(small, how=DispatchOptions(line="tunnel", hours=48))
    with pytest.raises(DataError, match="changes nothing"):
        dispatch(small, year=2026, how=DispatchOptions(tries=("power_lines.strait.capacity_mw=200",), size_mw=200.0, hours=48))
    with pytest.raises(MeasureError, match="nothing_such"):
        dispatch(small, how=DispatchOptions(tries=("nothing_such",), hours=48))
    with pytest.raises(DataError, match="holds no rows"):
        dispatch(kv.load_corridor("two-ports"))


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask = ["power", "--corridor", str(folder), "--year", "2034", "--hours", "48"]
    assert main([*ask, "--with", "strait_cable", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["line_id"] == "strait"
    assert shown["worth"][0]["capacity_mw"] == 200.0
    assert main([*ask, "--cable", "-5"]) == 2
    assert "--cable: is -5, must be 0 MW or more" in capsys.readouterr().err
    assert main([*ask, "--sweep", "9:1:2"]) == 2
    assert main([*ask, "--profiles", str(tmp_path / "none.csv")]) == 2
    capsys.readouterr()
    assert (
        main([*ask, "--set", "power_plants.east_gas.least_share=1", "--set", "power_capacities.east_gas|2024.capacity_mw=9000", "--json"])
        == 1
    )
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == "solver"
    assert "zone east, hour 0" in error["message"]


def test_export_and_what_comes_back(
    folder: Path, small: kv.Corridor, system: PowerSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net"
    case = ["--corridor", str(folder), "--year", "2034", "--with", "strait_cable"]
    assert main(["export", "--format", "pypsa", *case, "--hours", "168", "--out", str(out)]) == 0
    assert "buses.csv" in {path.name for path in out.iterdir()}
    back = read_pypsa(out)
    here, there = Dispatcher(system).solve(), Dispatcher(back).solve()
    assert there.objective_usd == pytest.approx(here.objective_usd, rel=1e-10)
    again = tmp_path / "again"
    write_pypsa(again, back, year=2034)
    assert (again / "links.csv").read_text() == (out / "links.csv").read_text()
    assert (again / "generators-p_max_pu.csv").is_file()
    with pytest.raises(DataError, match="is there already"):
        write_pypsa(again, back, year=2034)
    capsys.readouterr()


def test_a_plain_program_from_the_files_alone_costs_the_same(system: PowerSystem, tmp_path: Path) -> None:
    """What PyPSA makes of the folder, written out anew from its documented equations and given to another door of the solver."""
    write_pypsa(tmp_path / "net", system, year=2034)
    assert plain_cost(tmp_path / "net") == pytest.approx(Dispatcher(system).solve().objective_usd, rel=1e-9)


@pytest.mark.filterwarnings("ignore")  # PyPSA and pandas warn each other
def test_pypsa_itself_costs_the_same(system: PowerSystem, tmp_path: Path) -> None:
    pytest.importorskip("pypsa", reason="PyPSA is not installed; it is in the extra `pypsa`")
    write_pypsa(tmp_path / "net", system, year=2034)
    assert pypsa_cost(tmp_path / "net") == pytest.approx(Dispatcher(system).solve().objective_usd, rel=1e-6)


def pypsa_cost(folder: Path) -> float:
    """Least cost as PyPSA finds it."""
    import pypsa

    network = pypsa.Network()
    network.import_from_csv_folder(str(folder))
    network.optimize(solver_name="highs", include_objective_constant=False)
    return float(network.objective)


def plain_cost(folder: Path) -> float:
    """Least cost of a PyPSA folder: generators, two-way links, cyclic storage units."""
    read = lambda name: pl.read_csv(folder / f"{name}.csv", infer_schema_length=None)  # noqa: E731
    buses, generators, links, units = (read(name) for name in ("buses", "generators", "links", "storage_units"))
    load, most, inflow = read("loads-p_set"), read("generators-p_max_pu"), read("storage_units-inflow")
    least = read("generators-p_min_pu")
    hours, place = load.height, {bus: number for number, bus in enumerate(buses["name"])}
    cost: list[float] = []
    bounds: list[tuple[float, float]] = []
    entries: list[tuple[int, int, float]] = []
    right = np.zeros(hours * (len(place) + units.height))

    def column(price: float, low: float, high: float, *rows: tuple[int, float]) -> None:
        entries.extend((row, len(cost), value) for row, value in rows)
        cost.append(price)
        bounds.append((low, high))

    for hour in range(hours):
        for row in generators.iter_rows(named=True):
            low = least[row["name"]][hour] if row["name"] in least.columns else 0.0
            column(
                row["marginal_cost"],
                low * row["p_nom"],
                most[row["name"]][hour] * row["p_nom"],
                (hour * len(place) + place[row["bus"]], 1.0),
            )
        for row in links.iter_rows(named=True):
            ends = (hour * len(place) + place[row["bus0"]], -1.0), (hour * len(place) + place[row["bus1"]], row["efficiency"])
            column(row["marginal_cost"], 0.0, row["p_nom"], *ends)
        for bus, number in place.items():
            right[hour * len(place) + number] = load[f"load {bus}"][hour]
        for number, row in enumerate(units.iter_rows(named=True)):
            balance = hour * len(place) + place[row["bus"]]
            here = hours * len(place) + hour * units.height + number
            after = hours * len(place) + ((hour + 1) % hours) * units.height + number
            column(row["marginal_cost"], 0.0, row["p_nom"], (balance, 1.0), (here, 1.0 / row["efficiency_dispatch"]))
            column(0.0, 0.0, -row["p_min_pu"] * row["p_nom"], (balance, -1.0), (here, -row["efficiency_store"]))
            column(0.0, 0.0, inflow[row["name"]][hour], (here, 1.0))
            column(0.0, 0.0, row["max_hours"] * row["p_nom"], (here, 1.0), (after, -1.0))
            right[here] = inflow[row["name"]][hour]
    rows, columns, values = zip(*entries, strict=True)
    matrix = coo_matrix((values, (rows, columns)), shape=(len(right), len(cost))).tocsr()
    return float(linprog(cost, A_eq=matrix, b_eq=right, bounds=bounds, method="highs").fun)


@pytest.mark.filterwarnings("ignore")  # PyPSA and pandas warn each other
def test_a_week_of_the_packaged_zones_costs_the_same_by_the_files_and_by_pypsa(tmp_path: Path) -> None:
    corridor = kv.load_corridor("middle-corridor")
    tables = apply(kv.load_scenario("agreed", corridor), corridor, year=2035).tables
    week = power_system(tables, year=2035).system.between(0, 168)
    assert len(week.zone_ids) >= 8
    assert week.stores.inflow_mw.any()
    write_pypsa(tmp_path / "net", week, year=2035)
    cost = Dispatcher(week).solve().objective_usd
    assert plain_cost(tmp_path / "net") == pytest.approx(cost, rel=1e-9)
    assert Dispatcher(read_pypsa(tmp_path / "net")).solve().objective_usd == pytest.approx(cost, rel=1e-9)
    if find_spec("pypsa") is not None:
        assert pypsa_cost(tmp_path / "net") == pytest.approx(cost, rel=1e-6)
