"""A finished run follows from its inputs, and one that was spoilt is told from one that was not."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.corridor import Corridor, with_value
from karvan.errors import SolverError
from karvan.report.checked import checked_lines
from karvan.results import SavedRun, load_run
from karvan.study import ScenarioOptions, run
from karvan.study.checking import check_saved, refuse_wrong
from karvan.validation import Check, check_run

YEARS = (2024, 2026, 2027)
Edit = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture(scope="module")
def saved_folder(tmp_path_factory: pytest.TempPathFactory, two_ports: Corridor) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(two_ports, years=YEARS, out=folder)
    return folder


@pytest.fixture
def folder(saved_folder: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may spoil."""
    return Path(shutil.copytree(saved_folder, tmp_path / "spoilt"))


def by_name(checks: tuple[Check, ...]) -> Mapping[str, Check]:
    return {check.name: check for check in checks}


def failing(checks: tuple[Check, ...]) -> set[str]:
    return {check.name for check in checks if not check.is_passed}


def spoil(folder: Path, name: str, edit: Edit) -> SavedRun:
    path = folder / f"{name}.parquet"
    edit(pl.read_parquet(path)).write_parquet(path)
    return load_run(folder)


def replaced(column: str, value: object, *conditions: pl.Expr) -> Edit:
    """Set a column where all conditions hold."""
    return lambda frame: frame.with_columns(pl.when(*conditions).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))


def times(column: str, factor: float, *conditions: pl.Expr) -> Edit:
    return lambda frame: frame.with_columns(
        pl.when(True, *conditions).then(pl.col(column) * factor).otherwise(pl.col(column)).alias(column)
    )


def test_a_run_follows_from_its_inputs(two_ports: Corridor, saved_folder: Path) -> None:
    checks = check_run(load_run(saved_folder), two_ports)
    assert failing(checks) == set()
    assert {check.name for check in checks if check.compared == 0} == {"empties"}  # nothing must come back here
    assert {"chains", "elements", "permissions", "conservation", "limits", "shares", "money", "headline"} <= set(by_name(checks))
    # two routes in three years of two cases, and as many shares of what stays at home
    assert by_name(checks)["shares"].compared == 2 * 3 * (2 + 1)


def test_the_ledger_holds_the_routes_as_they_go(saved_folder: Path) -> None:
    saved = load_run(saved_folder)
    routes, steps = saved.frame("routes"), saved.frame("route_steps")
    assert sorted(routes["family_id"]) == ["land", "sea"]
    land = steps[routes.filter(pl.col("family_id") == "land")["steps"].explode().to_list()]
    assert land["kind"].to_list() == ["access", "link", "terminal", "link", "access"]
    assert land["element_id"].to_list()[1:4] == ["rail_east_pass", "border_high_pass", "rail_pass_west"]
    assert land["from_state"].to_list()[0] == "origin:east/both/any/east_port"
    # between the link and its border post goods are in the place, but behind the link only
    assert land["to_state"].to_list()[1:3] == ["high_pass/rail/1520/wagon/rail_east_pass forward", "high_pass/rail/1520/wagon"]
    flows = saved.frame("route_flows")
    assert set(flows["case"]) == {"scenario", "baseline"}
    assert flows.filter((pl.col("case") == "baseline") & (pl.col("year") == 2024))["flow_kt"].sum() == pytest.approx(10_000.0, rel=1e-6)


IN_2026 = (pl.col("year") == 2026, pl.col("case") == "scenario")
SPOILT: dict[str, tuple[str, Edit, str, str]] = {
    "a flow moved": ("route_flows", times("flow_kt", 1.001, *IN_2026), "shares", "flow of route"),
    "a flow moved, demand": ("route_flows", times("flow_kt", 1.001, *IN_2026), "conservation", "demand of market grain_east_west"),
    "a flow moved, links": ("route_flows", times("flow_kt", 1.001, *IN_2026), "link flows", "must be"),
    "a flow below zero": ("route_flows", times("flow_kt", -1.0, *IN_2026), "conservation", "must be zero or more"),
    "a price changed": ("row_results", times("price", 1.01, *IN_2026), "shares", "by its share at the prices"),
    "a price changed, composite": ("row_results", times("price", 1.01, *IN_2026), "composites", "composite cost of market grain_east_west"),
    "a price below zero": ("row_results", times("price", -1.0, *IN_2026), "limits", "must be zero or more"),
    "a limit raised": ("row_results", times("limit", 2.0, *IN_2026), "facility use", "limit of ferry in 2026 (scenario)"),
    "a facility overloaded": ("route_flows", times("flow_kt", 2.0, *IN_2026), "limits", "carries"),
    "a row that is no facility": ("row_results", replaced("kind", "wish", *IN_2026), "limits", "nothing else can be checked"),
    "another sense": ("row_results", replaced("sense", "at_least", *IN_2026), "limits", "must have at_most"),
    "use misreported": ("facilities", times("modelled_flow", 0.9, *IN_2026), "facility use", "modelled_flow of ferry in 2026 (scenario)"),
    "demand changed": ("market_results", times("demand_kt", 1.1, *IN_2026), "composites", "demand of market grain_east_west"),
    "base flow changed": ("market_results", times("base_flow_kt", 1.1, *IN_2026), "demand", "by demand, factors and shares"),
    "a market lost": ("market_results", lambda frame: frame.with_columns(market_id=pl.lit("no_market")), "ledger", "not in market_results"),
    "a year lost": ("market_results", lambda frame: frame.filter(pl.col("year") != 2026), "ledger", "lacks 2026"),
    "a route lost": ("route_flows", lambda frame: frame.slice(1), "shares", "by its share at the prices"),
    "a route lost, demand": ("route_flows", lambda frame: frame.slice(1), "conservation", "demand of market grain_east_west"),
    "a year of routes lost": ("route_flows", lambda frame: frame.filter(pl.col("year") != 2026), "ledger", "lacks 2026"),
    "a route twice": ("route_flows", lambda frame: pl.concat([frame, frame]), "ledger", "stands there twice"),
    "a charge changed": ("route_costs", times("tariff_usd_per_t", 0.5), "costs", "tariff of route"),
    "a charge changed, money": ("route_costs", times("tariff_usd_per_t", 0.5), "money", "what goods pay in all"),
    "a path size changed": ("route_costs", times("path_size", 0.5), "path sizes", "path size of route"),
    "another family": ("routes", replaced("family_id", "sea", pl.col("family_id") == "land"), "families", "must be of family land"),
    "a link that is not": ("route_steps", replaced("element_id", "nowhere", pl.col("kind") == "link"), "elements", "does not exist"),
    "a chain broken": ("route_steps", replaced("to_state", "moon/rail/1520/wagon", pl.col("kind") == "link"), "chains", "do not meet"),
    "a step elsewhere": (
        "route_steps",
        lambda frame: frame.with_columns(pl.col("from_state", "to_state").str.replace("/rail/", "/road/")),
        "elements",
        "rail of gauge 1520, not road",
    ),
    "against the link": (
        "route_steps",
        replaced("direction", "backward", pl.col("element_id") == "sea_east_west"),
        "elements",
        "lead from",
    ),
    "an origin elsewhere": (
        "route_steps",
        lambda frame: frame.with_columns(pl.col("from_state").str.replace("origin:east", "origin:west")),
        "chains",
        "no place of its region",
    ),
    "revenue changed": ("operators", times("revenue_musd", 1.01, *IN_2026), "money", "revenue_musd of"),
    "an operator lost": ("operators", lambda frame: frame.filter(pl.col("operator_id") != "sea_line"), "money", "sea_line in"),
    "a link misreported": ("links", times("forward_kt", 1.1, *IN_2026), "link flows", "forward_kt of"),
    "a family misreported": ("families", times("flow_kt", 1.1, *IN_2026), "family flows", "families: flow_kt of grain"),
    "a region misreported": ("regions", times("flow_kt", 1.1, *IN_2026), "family flows", "regions: flow_kt of east, west, grain"),
    "a cordon misreported": ("crossings", times("flow_kt", 1.1, *IN_2026), "crossings", "flow_kt of sea_crossing"),
    "a row told twice": ("crossings", lambda frame: pl.concat([frame, frame]), "crossings", "stands there twice"),
}


@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_what_is_spoilt_fails_the_check_that_is_for_it(spoilt: str, two_ports: Corridor, folder: Path) -> None:
    name, edit, check, words = SPOILT[spoilt]
    found = by_name(check_run(spoil(folder, name, edit), two_ports))[check]
    assert not found.is_passed
    assert found.wrong > 0
    assert words in found.message


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("corridor_mt", "report: corridor_mt in 2026 (scenario) is 7, must be"),
        ("containers_teu", "report: containers_teu in 2026"),
        ("crude_mt", "report: crude_mt in 2026"),
        ("max_violation", "report: max_violation in 2026"),
    ],
)
def test_a_headline_number_changed(key: str, words: str, two_ports: Corridor, saved_folder: Path) -> None:
    saved = load_run(saved_folder)
    years = [{**entry, key: 7.0} if entry["year"] == 2026 else entry for entry in saved.report["years"]]
    spoilt = dataclasses.replace(saved, report={**saved.report, "years": years})
    found = by_name(check_run(spoilt, two_ports))["headline"]
    assert not found.is_passed
    assert words in found.message


def test_the_ends_of_the_growth_ranges_are_held_against_their_crossings(two_ports: Corridor, saved_folder: Path) -> None:
    saved = load_run(saved_folder)
    low = [{**entry, "corridor_mt": 1.0} for entry in saved.report["range"]["low"]]
    spoilt = dataclasses.replace(saved, report={**saved.report, "range": {**saved.report["range"], "low": low}})
    assert "of the low end of the growth ranges" in by_name(check_run(spoilt, two_ports))["headline"].message


@pytest.mark.parametrize(
    ("path", "value", "check", "words"),
    [
        ("permissions.pass_closed_to_grain.in_force", "true", "permissions", "pass_closed_to_grain bans"),
        ("links.sea_east_west.is_open", "false", "elements", "link sea_east_west, which is closed"),
        ("links.rail_east_pass.gauge", "1435", "elements", "is rail of gauge 1435"),
        ("terminals.border_high_pass.is_open", "false", "elements", "is closed"),
        ("tariffs.land_wagons.rate", "0.2", "costs", "must be 240, what its steps cost"),
        ("commodities.grain.time_value_factor", "1", "costs", "time of route"),
        ("tariffs.sea_bulk.rate", "90", "money", "revenue_musd of sea_line"),
        ("facilities.ferry.nominal", "5000", "limits", "must carry at most 5000"),
        ("facilities.ferry.nominal", "500000", "limits", "are free, must be zero"),
        ("demand.grain_east_west.flow_kt", "9000", "demand", "must be 9000"),
    ],
)
def test_a_run_does_not_follow_from_other_inputs(
    path: str, value: str, check: str, words: str, two_ports: Corridor, saved_folder: Path
) -> None:
    other, _ = with_value(two_ports, path, value)
    found = by_name(check_run(load_run(saved_folder), other))[check]
    assert not found.is_passed
    assert words in found.message


def test_options_of_a_run_are_laid_over_its_corridor_again(tmp_path: Path, two_ports: Corridor) -> None:
    options = ScenarioOptions(without_measures=("bigger_ferry",), set_values=("tariffs.sea_bulk.rate=90",))
    run(two_ports, scenario="agreed", years=(2024, 2027), options=options, out=tmp_path / "run")
    assert failing(check_saved(tmp_path / "run")) == set()


def test_a_baseline_changed_by_options_is_told_from_the_baseline(tmp_path: Path, two_ports: Corridor) -> None:
    """Both cases bear the id of one scenario; `case` keeps them apart."""
    run(
        two_ports,
        scenario="baseline",
        years=(2024, 2027),
        options=ScenarioOptions(with_measures=("joint_timetable",)),
        out=tmp_path / "run",
    )
    checks = check_saved(tmp_path / "run")
    assert failing(checks) == set()
    limits = load_run(tmp_path / "run").frame("row_results").filter(pl.col("year") == 2027)
    assert limits.select("scenario_id").n_unique() == 1
    assert limits.select("limit").n_unique() == 2


def test_a_run_that_fails_is_not_written(tmp_path: Path, two_ports: Corridor, monkeypatch: pytest.MonkeyPatch) -> None:
    other, _ = with_value(two_ports, "tariffs.sea_bulk.rate", "90")

    def with_other_inputs(saved: SavedRun, *, corridor: Corridor, scenarios: Mapping[str, object]) -> None:
        refuse_wrong(saved, corridor=other, scenarios=scenarios)

    monkeypatch.setattr(importlib.import_module("karvan.study.run"), "refuse_wrong", with_other_inputs)
    with pytest.raises(SolverError, match=r"money: .*sea_line") as failed:
        run(two_ports, years=(2024,), out=tmp_path / "run")
    assert failed.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_every_check(saved_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-run", str(saved_folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{saved_folder}: all 20 checks pass"
    assert max(len(line) for line in lines[1:]) <= 100
    assert main(["check-run", str(saved_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert {check["name"] for check in told["checks"]} >= {"shares", "limits", "money"}


def test_the_command_says_what_is_wrong_and_exits_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(folder, "links", times("forward_kt", 1.1, *IN_2026))
    assert main(["check-run", str(folder)]) == 1
    told = capsys.readouterr().out
    assert "1 of 20 checks fail" in told
    assert "LINK FLOWS: tonnes on every link, each way, as its routes carry" in told
    assert main(["check-run", str(folder), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_a_folder_that_is_no_run_exits_with_2(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-run", str(tmp_path / "nothing")]) == 2
    assert "is not a run" in capsys.readouterr().err
    (folder / "route_flows.parquet").unlink()
    assert main(["check-run", str(folder)]) == 2
    assert "route_flows.parquet cannot be read" in capsys.readouterr().err


def test_a_run_of_other_tables_exits_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "corridor_hash": "other"}), encoding="utf-8", newline="\n")
    assert main(["check-run", str(folder)]) == 2
    assert "was made from other tables or measures" in capsys.readouterr().err


def test_lines_of_a_check_that_fails_are_wrapped() -> None:
    check = Check("shares", "flows by shares", 10, 2, 0.5, 1e-6, "flow of route 3", " ".join(["word"] * 60)).as_dict()
    lines = checked_lines("run", [check])
    assert lines[0] == "run: 1 of 1 checks fail"
    assert "FAILS" in lines[3]
    assert max(len(line) for line in lines) <= 100


def test_two_years_of_the_packaged_corridor_follow_from_their_inputs(tmp_path: Path) -> None:
    """Border posts, gauges, boxes and wagons, several cordons and families, fitted constants, and facilities that are full."""
    corridor = kv.load_corridor("middle-corridor")
    run(corridor, scenario="agreed", years=(2024, 2026), out=tmp_path / "run")
    saved = load_run(tmp_path / "run")
    checks = by_name(check_run(saved, corridor))
    assert failing(tuple(checks.values())) == set()
    assert checks["shares"].compared > 40_000
    assert checks["permissions"].compared > 40_000
    # sums of thousands of numbers in another order: a few units of the sixteenth digit, told apart from the tolerance of 1e-9
    # costs are kept once for each network and route, though both cases of both years have it
    costs, flows = saved.frame("route_costs"), saved.frame("route_flows")
    assert costs.height <= flows.select("epoch", "route_id").n_unique() < flows.height
    assert saved.frame("path_sizes").height < 0.1 * flows.height
    assert max(checks[name].worst for name in ("costs", "path sizes", "link flows", "facility use", "crossings")) < 1e-12
