"""A run with simulated capacities: what it is given, what it says of them, and that its check follows them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from karvan.cli.main import main
from karvan.corridor import Corridor, load_corridor, new_corridor
from karvan.errors import DataError
from karvan.report import screen
from karvan.results import SavedRun, load_run
from karvan.simulation import FacilityCurve, HandoverOptions
from karvan.study import ScenarioOptions, ShippingDesk, handed_over, market, run
from karvan.study.checking import check_saved
from karvan.study.report import screen_of_run
from karvan.study.run import run_id_of
from karvan.study.used_capacities import LaidOver
from karvan.validation import explain

YEARS = (2024, 2025)
FEW = HandoverOptions(replications=3, warm_d=30, loads=(0.4, 0.8), variants=("as it is",))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two ports, with hours that hold when the ferry is less than full, so that it delays when it is."""
    folder = new_corridor(tmp_path_factory.mktemp("strait") / "corridor")
    curves = folder / "delay_curves.csv"
    curves.write_text(curves.read_text(encoding="utf-8").replace("ferry,1,4,1,1,", "ferry,1,4,1,0.4,"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def strait(place: Path) -> Corridor:
    return load_corridor(str(place))


@pytest.fixture(scope="module")
def simulated(strait: Corridor, tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    folder = tmp_path_factory.mktemp("simulated") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handed_over, "RUN_OPTIONS", FEW)
        run(strait, years=YEARS, capacities="simulated", out=folder)
    return load_run(folder)


@pytest.fixture
def spoilt(simulated: SavedRun, place: Path, tmp_path: Path) -> Callable[[Callable[[pl.DataFrame], pl.DataFrame]], set[str]]:
    """Changes the run's frame of capacities and tells which checks then fail."""

    def spoil(change: Callable[[pl.DataFrame], pl.DataFrame]) -> set[str]:
        folder = tmp_path / "run"
        shutil.copytree(simulated.folder, folder, dirs_exist_ok=True)
        change(pl.read_parquet(folder / "capacities.parquet")).write_parquet(folder / "capacities.parquet")
        return {check.name for check in check_saved(folder, corridor=str(place)) if not check.is_passed}

    return spoil


def test_the_market_is_given_what_was_simulated(simulated: SavedRun) -> None:
    used = simulated.frame("capacities")
    assert set(used.select("case", "year", "facility_id").rows()) == {
        (case, year, "ferry") for case in ("scenario", "baseline") for year in YEARS
    }
    assert set(used["source"]) == {"simulated"}
    assert (used["saturation_half"] > 0.0).all()
    assert (used["configuration"].str.len_chars() == 64).all()
    for case in ("scenario", "baseline"):
        told = simulated.frame("facilities").filter(pl.col("case") == case, pl.col("facility_id") == "ferry").sort("year")
        assert told["capacity"].to_list() == used.filter(pl.col("case") == case).sort("year")["saturation"].to_list()
        assert (told["flow"] <= told["capacity"] * (1.0 + 1e-6)).all()


def test_its_check_knows_them(simulated: SavedRun, place: Path) -> None:
    checks = {check.name: check for check in check_saved(simulated.folder, corridor=str(place))}
    assert [name for name, check in checks.items() if not check.is_passed] == []
    assert checks["capacities"].compared > 0


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (pl.col("saturation") * 1.01, "limits"),
        (pl.col("eta_s_h") + 100.0, "delays"),
        (pl.col("configuration").str.replace("^.", "x"), "capacities"),
        (pl.lit("nominal").alias("source"), "capacities"),
    ],
)
def test_a_capacity_that_is_not_the_runs_is_found(
    spoilt: Callable[[Callable[[pl.DataFrame], pl.DataFrame]], set[str]], change: pl.Expr, fails: str
) -> None:
    found = spoilt(lambda frame: frame.with_columns(change))
    assert fails in found or (fails == "limits" and "facility use" in found)


def test_a_capacity_that_is_lost_is_found(spoilt: Callable[[Callable[[pl.DataFrame], pl.DataFrame]], set[str]]) -> None:
    assert "capacities" in spoilt(lambda frame: frame.filter(pl.col("year") == YEARS[0]))


def test_a_nominal_run_is_another_and_has_no_such_frame(two_ports: Corridor, small_run: SavedRun) -> None:
    ids = {
        run_id_of(two_ports, scenario=None, years=YEARS, options=ScenarioOptions(capacities=name)) for name in ("nominal", "simulated")
    }  # fmt: skip
    assert len(ids) == 2
    assert small_run.report["capacities"] == {"source": "nominal", "simulated": []}
    assert not (small_run.folder / "capacities.parquet").exists()
    assert "capacities" not in {check.name for check in check_saved(small_run.folder)}


def test_it_says_that_they_are_simulated_and_how_surely(simulated: SavedRun, strait: Corridor) -> None:
    told = simulated.report["capacities"]
    assert told["source"] == "simulated"
    row = next(row for row in told["simulated"] if row["case"] == "scenario" and row["year"] == 2024)
    assert row["nominal"] == pytest.approx(6000.0)
    stop = next(item for item in simulated.report["stops"] if item["facility_id"] == "ferry")
    assert stop["years"][0]["rests_on"]["low"] == pytest.approx(row["saturation"] - row["saturation_half"])
    assert "Simulated" in stop["rests_on"]["note"]
    found = explain(strait, "ferry", table="facilities", saved=simulated)["matches"][0]["results"]
    assert "simulated" in found["what"]
    assert found["rows"][0]["capacity_half"] == row["saturation_half"]


def test_a_market_of_the_run_is_explained_at_the_same_flows(simulated: SavedRun, strait: Corridor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_over, "RUN_OPTIONS", FEW)
    found = market(strait, "grain_east_west", scenario="agreed", options=ScenarioOptions(capacities="simulated")).as_dict()
    families = simulated.frame("families").filter(
        pl.col("case") == "scenario", pl.col("year") == 2024, pl.col("commodity_group").cast(pl.String) == "grain"
    )
    flows = dict(families.select("family_id", "flow_kt").rows())
    for row in found["families"]:
        assert row["flow_kt"] == pytest.approx(flows[row["family_id"]], rel=1e-5)


def test_routes_take_the_simulated_spread() -> None:
    """The variance of a line stands half at each of its ports, in place of that of the tables."""
    real = load_corridor("middle-corridor")
    curve = FacilityCurve("feeder_aktau_alat_west", "kteu", False, 80.0, 1.0, 10.0, 5.0, 2.0, 0.1, 90.0, ())
    over = partial(LaidOver({("scenario", 2024): {curve.facility_id: curve}}, {curve.facility_id: 1.0}), "scenario")
    way = ShippingDesk(real, over=over).answer("almaty", "tbilisi", commodity="containers", year=2024, via=[curve.facility_id]).options[0]
    at_ports = {leg["from"]: leg["sd_h"] for leg in way.legs if leg["mode"] == "port"}
    assert at_ports == {name: pytest.approx(90.0 / 2.0**0.5) for name in ("aktau", "alat")}
    assert (24.0 * way.time_sd_d) ** 2 == pytest.approx(sum(leg["sd_h"] ** 2 for leg in way.legs))


def test_wrong_words_and_a_case_without_systems_are_refused(two_ports: Corridor) -> None:
    with pytest.raises(DataError, match="guessed must be one of nominal, simulated"):
        run_id_of(two_ports, scenario=None, years=YEARS, options=ScenarioOptions(capacities="guessed"))
    assert main(["run", "--corridor", "two-ports", "--capacities", "guessed"]) == 2


def test_the_page_of_the_run_holds_a_month_of_ships(simulated: SavedRun, strait: Corridor, place: Path) -> None:
    told = screen_of_run(simulated.folder, corridor=str(place))["crossings"]
    assert (told["system_id"], told["year"]) == ("strait", screen(simulated, strait)["focus_year"])
    assert told["month"]["berths"]
    links = simulated.frame("links").filter((pl.col("case") == "scenario") & (pl.col("year") == told["year"]))
    tonnes = 1e3 * links.filter(pl.col("link_id").is_in(list(told["lines_of"].values())))["forward_kt"].sum()
    assert sum(row["demand_per_year"] for row in told["streams"]) == pytest.approx(tonnes, rel=1e-5)  # six digits are told
    assert "crossings" not in screen_of_run(simulated.folder, corridor=str(place), has_shipments=False)
