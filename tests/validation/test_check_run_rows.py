"""Limits of other kinds in a finished run: what must come back, what a contract asks for, quotas, fleets, delays and queues."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import polars as pl
import pytest

import karvan as kv
from karvan.corridor import Corridor, new_corridor, with_value
from karvan.corridor.tables import header_of
from karvan.results import SavedRun, load_run
from karvan.study import run
from karvan.study.clear import Market
from karvan.validation import Check, check_run

YEARS = (2024, 2026)
EAST_WEST = {"commodity_group": "grain", "form": "loose", "growth_id": "steady", "source": "teaching", "confidence": "estimate"}
SECTION = {
    "facility_id": "section", "name": "The pass", "kind": "rail_section", "operator_id": "land_railway", "unit": "kwagons", "nominal": 60,
    "source": "teaching", "confidence": "estimate",
}  # fmt: skip
USE = {"direction": "both", "commodity_group": "any", "loading_unit": "any", "source": "teaching", "confidence": "estimate"}
WAGONS = {
    "return_id": "wagons", "name": "Wagons over the pass", "link_id": "rail_east_pass", "loading_unit": "wagon", "commodities": "any",
    "empty_usd_per_unit": 60, "operator_id": "land_railway", "source": "teaching", "confidence": "estimate",
}  # fmt: skip


def add_row(folder: Path, table: str, **values: object) -> None:
    """Add a row to a table of a corridor, with the columns that it lacks."""
    path = folder / f"{table}.csv"
    old = pl.read_csv(path, infer_schema=False) if path.exists() else pl.DataFrame(schema=dict.fromkeys(header_of(table), pl.String))
    row = {name: str(value) for name, value in values.items() if name in header_of(table)}
    pl.concat([old, pl.DataFrame([row])], how="diagonal").write_csv(path)


def set_values(corridor: Corridor, **values: object) -> Corridor:
    """A corridor with other values; keys are table__row__column."""
    for path, value in values.items():
        corridor, _ = with_value(corridor, path.replace("__", "."), str(value))
    return corridor


def run_of(corridor: Corridor, folder: Path) -> SavedRun:
    """A run whose own check has passed, else it would not be there."""
    run(corridor, scenario="baseline", years=YEARS, out=folder)
    return load_run(folder)


def by_name(saved: SavedRun, corridor: Corridor) -> Mapping[str, Check]:
    return {check.name: check for check in check_run(saved, corridor)}


def spoilt(saved: SavedRun, corridor: Corridor, frame: str, column: str, factor: float, *conditions: pl.Expr) -> Mapping[str, Check]:
    """Checks of a run in which a column of 2026 was multiplied where the conditions hold."""
    path = saved.folder / f"{frame}.parquet"
    whole = pl.read_parquet(path)
    mine = pl.all_horizontal(pl.col("year") == 2026, pl.col("case") == "scenario", *conditions)
    whole.with_columns(pl.when(mine).then(pl.col(column) * factor).otherwise(pl.col(column))).write_parquet(path)
    checks = by_name(saved, corridor)
    whole.write_parquet(path)
    return checks


def rows_in(saved: SavedRun, frame: str, year: int = 2026) -> pl.DataFrame:
    return saved.frame(frame).filter((pl.col("year") == year) & (pl.col("case") == "scenario"))


@pytest.fixture(scope="module")
def wagons(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corridor, SavedRun]:
    """Grain goes west by rail, little comes back, and the wagons must; loaded and empty ones share a section that is full."""
    folder = tmp_path_factory.mktemp("wagons")
    place = new_corridor(folder / "corridor")
    add_row(place, "demand", **EAST_WEST, market_id="grain_west_east", origin_region="west", destination_region="east", flow_kt=2000)
    add_row(place, "facilities", **SECTION)
    add_row(place, "facility_uses", **USE, use_id="section_use", facility_id="section", link_id="rail_east_pass")
    add_row(place, "returns", **WAGONS)
    corridor = set_values(kv.load_corridor(place), facilities__ferry__nominal=12000)
    return corridor, run_of(corridor, folder / "run")


def test_wagons_come_back_empty_and_take_room(wagons: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = wagons
    checks = by_name(saved, corridor)
    assert {name for name, check in checks.items() if not check.is_passed} == set()
    assert checks["empties"].compared > 0
    forward, backward, idle = rows_in(saved, "empty_flows").select("forward", "backward", "idle").row(0)
    assert backward > 10.0
    assert forward < 0.01 * backward
    assert idle > 0.0
    rows = {(row["kind"], row["row_id"]): row for row in rows_in(saved, "row_results").to_dicts()}
    assert rows["return", "wagons"]["sense"] == "exactly"
    assert rows["return", "wagons"]["flow"] == pytest.approx(0.0, abs=1e-6 * backward)
    assert rows["return", "wagons"]["price"] > 60.0  # the charge and the room in the full section
    section = rows["facility", "section"]
    assert section["price"] > 0.0
    # 60 thousand wagons: what carries grain both ways, and the empties
    land = pl.col("family_id") == "land"
    routes = saved.frame("routes").filter(land)["route_id"].implode()
    loaded = rows_in(saved, "route_flows").filter(pl.col("route_id").is_in(routes))["flow_kt"].sum() / 60.0
    assert loaded + backward + forward == pytest.approx(60.0, rel=1e-5)
    told = rows_in(saved, "facilities").filter(pl.col("facility_id") == "section")
    assert told["empty_flow"].item() == pytest.approx(backward + forward, rel=1e-9)
    # the railway earns 0.1 USD/t-km over 1200 km of loaded grain, and 60 USD for an empty wagon
    revenue = rows_in(saved, "operators").filter(pl.col("operator_id") == "land_railway")["revenue_musd"].item()
    assert revenue == pytest.approx(loaded * 60.0 * 0.12 + (forward + backward) * 0.06, rel=1e-9)


@pytest.mark.parametrize(
    ("frame", "column", "factor", "check", "words"),
    [
        ("empty_flows", "backward", 1.01, "empties", "backward of wagons in 2026 (scenario)"),
        ("empty_flows", "backward", 1.01, "facility use", "flow of facility section"),
        ("empty_flows", "backward", 1.01, "money", "is"),
        ("empty_flows", "idle", 1.01, "empties", "idle of wagons"),
        ("row_results", "price", 1.01, "empties", "by what the ways cost at the prices"),
        ("operators", "revenue_musd", 1.01, "money", "revenue_musd of"),
        ("facilities", "empty_flow", 1.01, "facility use", "empty_flow of section"),
    ],
)
def test_wagons_that_do_not_come_back(
    frame: str, column: str, factor: float, check: str, words: str, wagons: tuple[Corridor, SavedRun]
) -> None:
    corridor, saved = wagons
    found = spoilt(saved, corridor, frame, column, factor)[check]
    assert not found.is_passed
    assert words in found.message


def test_empties_turned_round(wagons: tuple[Corridor, SavedRun]) -> None:
    """As many take room in the section as before, but a thousand more go along the link than come back."""
    corridor, saved = wagons
    path = saved.folder / "empty_flows.parquet"
    whole = pl.read_parquet(path)
    whole.with_columns(pl.col("forward") + 0.5, pl.col("backward") - 0.5).write_parquet(path)
    checks = by_name(saved, corridor)
    whole.write_parquet(path)
    assert "lets 1" in checks["limits"].message
    assert "more cross its link along than against it" in checks["limits"].message


def test_a_balance_left_out(wagons: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = wagons
    path = saved.folder / "row_results.parquet"
    whole = pl.read_parquet(path)
    whole.filter(pl.col("kind") != "return").write_parquet(path)
    checks = by_name(saved, corridor)
    whole.write_parquet(path)
    assert "lacks return wagons" in checks["limits"].message


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corridor, SavedRun]:
    """The sea costs more than the land, and a contract pays for four million tonnes over it all the same."""
    folder = tmp_path_factory.mktemp("contract")
    corridor = set_values(
        kv.load_corridor("two-ports"), facilities__ferry__minimum=4000, tariffs__sea_bulk__rate=140, commodities__grain__time_value_factor=1
    )
    return corridor, run_of(corridor, folder / "run")


def test_a_contract_pays_goods_to_come(contract: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = contract
    assert {name for name, check in by_name(saved, corridor).items() if not check.is_passed} == set()
    rows = {row["kind"]: row for row in rows_in(saved, "row_results").to_dicts()}
    assert rows["minimum"]["row_id"] == "ferry"
    assert rows["minimum"]["sense"] == "at_least"
    assert rows["minimum"]["flow"] == pytest.approx(4000.0, rel=1e-6)
    assert rows["minimum"]["price"] < -5.0
    assert rows["facility"]["price"] == 0.0


@pytest.mark.parametrize(
    ("column", "factor", "check", "words"),
    [
        ("price", -1.0, "limits", "must be zero or less"),
        ("price", 1.01, "shares", "by its share at the prices"),
        ("limit", 1.01, "limits", "must have the contract's 4000"),
        ("flow", 1.01, "money", "what goods and empties are paid for coming"),
    ],
)
def test_a_contract_that_is_not_met(column: str, factor: float, check: str, words: str, contract: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = contract
    found = spoilt(saved, corridor, "row_results", column, factor, pl.col("kind") == "minimum")[check]
    assert not found.is_passed
    assert words in found.message


@pytest.mark.parametrize(("minimum", "words"), [(6000, "must carry at least"), (1000, "is met by")])
def test_a_contract_that_asks_for_something_else(minimum: float, words: str, contract: tuple[Corridor, SavedRun]) -> None:
    """The contract of another corridor, and a run told as if it had been made for it."""
    corridor, saved = contract
    other = set_values(corridor, facilities__ferry__minimum=minimum)
    path = saved.folder / "row_results.parquet"
    whole = pl.read_parquet(path)
    told = pl.when(pl.col("kind") == "minimum").then(pl.lit(float(minimum))).otherwise(pl.col("limit")).alias("limit")
    whole.with_columns(told).write_parquet(path)
    checks = by_name(saved, other)
    whole.write_parquet(path)
    assert words in checks["limits"].message


def test_delays_follow_from_use_and_cost_time(contract: tuple[Corridor, SavedRun]) -> None:
    """4 x / (1 - x) is 8 h at a use of two thirds; the tangent gives 156 h at the full ferry, where the hours of the case hold."""
    corridor, saved = contract
    hours = rows_in(saved, "facilities")["delay_h"].item()
    assert hours == pytest.approx(8.0 - 156.0, rel=0.01)
    checks = spoilt(saved, corridor, "facilities", "delay_h", 1.05)
    assert "delay of ferry in 2026 (scenario), h, is" in checks["delays"].message
    assert "by its share at the prices" in checks["shares"].message


def test_a_year_that_did_not_converge_must_be_told(contract: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = contract
    other = set_values(corridor, delay_curves__ferry__service_time_h=5)
    assert not by_name(saved, other)["delays"].is_passed
    told = {
        key: [{**entry, "is_settled": False} for entry in saved.report[key]] for key in ("years", "baseline_years")
    }  # fmt: skip
    assert by_name(dataclasses.replace(saved, report={**saved.report, **told}), other)["delays"].is_passed


@pytest.fixture(scope="module")
def quota(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corridor, SavedRun]:
    """Grain from the east may cross the sea up to three million tonnes; what comes from the west is free."""
    folder = tmp_path_factory.mktemp("quota")
    place = new_corridor(folder / "corridor")
    add_row(place, "demand", **EAST_WEST, market_id="grain_west_east", origin_region="west", destination_region="east", flow_kt=2000)
    add_row(place, "facilities", **SECTION | {"facility_id": "quota", "kind": "quota", "unit": "kt", "nominal": 3000})
    add_row(
        place, "facility_uses", **USE, use_id="quota_use", facility_id="quota", link_id="sea_east_west", origin_region="east",
        destination_region="west",
    )  # fmt: skip
    return kv.load_corridor(place), run_of(kv.load_corridor(place), folder / "run")


def test_a_quota_counts_the_goods_of_its_regions_only(quota: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = quota
    assert {name for name, check in by_name(saved, corridor).items() if not check.is_passed} == set()
    flow = dict(rows_in(saved, "row_results").select("row_id", "flow").iter_rows())
    assert flow["quota"] == pytest.approx(3000.0, rel=1e-6)
    assert flow["ferry"] > 4000.0


def test_a_quota_for_other_goods(quota: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = quota
    other = set_values(corridor, facility_uses__quota_use__origin_region="west", facility_uses__quota_use__destination_region="east")
    found = by_name(saved, other)["facility use"]
    assert "flow of facility quota" in found.message


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corridor, SavedRun]:
    """Six million ship-days, a tonne a ship: 30 h over the sea are 1.25 days."""
    folder = tmp_path_factory.mktemp("fleet")
    corridor = set_values(kv.load_corridor("two-ports"), facilities__ferry__unit="kshipdays")
    return corridor, run_of(corridor, folder / "run")


def test_a_fleet_is_held_for_the_days_of_the_passage(fleet: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = fleet
    assert {name for name, check in by_name(saved, corridor).items() if not check.is_passed} == set()
    told = rows_in(saved, "facilities")
    assert told["modelled_flow"].item() == pytest.approx(6000.0, rel=1e-6)
    assert told["modelled_kt"].item() == pytest.approx(4800.0, rel=1e-6)


def test_a_fleet_on_a_longer_passage(fleet: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = fleet
    checks = by_name(saved, set_values(corridor, links__sea_east_west__time_h=40))
    assert "flow of facility ferry" in checks["facility use"].message
    assert "carries 8000" in checks["limits"].message


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corridor, SavedRun]:
    """A full ferry that is waited for. Runs are made with prices, so this one is made by a market of the other regime and told as such."""
    folder = tmp_path_factory.mktemp("waiting")
    corridor = set_values(kv.load_corridor("two-ports"), commodities__grain__time_value_factor=1)
    module = importlib.import_module("karvan.study.run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Market", partial(Market, regime="queue"))
        patch.setattr(module, "refuse_wrong", lambda saved, **_: None)
        saved = run_of(corridor, folder / "run")
    return corridor, dataclasses.replace(saved, report={**saved.report, "regime": "queue"})


def test_hours_of_a_queue_are_worth_what_time_is(waiting: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = waiting
    assert {name for name, check in by_name(saved, corridor).items() if not check.is_passed} == set()
    # 250 USD/t times a tenth a year, by the hour
    weight = rows_in(saved, "market_results")["price_weight"].item()
    assert weight == pytest.approx(250.0 * 0.1 / 365.0 / 24.0, rel=1e-12)
    assert rows_in(saved, "row_results")["price"].item() > 1000.0


@pytest.mark.parametrize(
    ("frame", "column", "check", "words"),
    [
        ("market_results", "price_weight", "composites", "price weight of market grain_east_west"),
        ("row_results", "price", "shares", "by its share at the prices"),
    ],
)
def test_hours_of_a_queue_spoilt(frame: str, column: str, check: str, words: str, waiting: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = waiting
    found = spoilt(saved, corridor, frame, column, 1.01)[check]
    assert not found.is_passed
    assert words in found.message


def test_a_queue_is_no_price(waiting: tuple[Corridor, SavedRun]) -> None:
    corridor, saved = waiting
    checks = by_name(dataclasses.replace(saved, report={**saved.report, "regime": "price"}), corridor)
    assert not checks["shares"].is_passed
    assert not checks["composites"].is_passed
