"""A system of a case simulated: what is told, what is refused, and that the market's digits stay."""

from __future__ import annotations

import json

import polars as pl
import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError, MeasureError
from karvan.report import Words
from karvan.report.queues import queues_lines, sizes_lines, water_lines
from karvan.results import Queues
from karvan.simulation import CAUSES, ExperimentOptions, HandoverOptions
from karvan.study.crossing_loads import crossing_loads
from karvan.study.crossing_years import fleet_sizes, water
from karvan.study.simulate import simulate

HOW = ExperimentOptions(seed=4, half_width_share=0.5, least=20, most=20)
FEW = HandoverOptions(replications=3, warm_d=30, loads=(0.4, 0.8), variants=("as it is",))


@pytest.fixture(scope="module")
def two_ports() -> kv.Corridor:
    return kv.load_corridor("two-ports")


@pytest.fixture(scope="module")
def found(two_ports: kv.Corridor) -> Queues:
    return simulate(
        two_ports, "strait", loads={"east_trains": 2e6}, how=HOW, curves=FEW, capacity_of=["ferry"],
        tries=["ships.sea_ships.ships_count=3", "berths.east_berth.servers_count=0", "sea_level_m=-2.0"], has_log=True,
    )  # fmt: skip


def test_the_answer_holds_together(found: Queues) -> None:
    stream = found.streams.row(0, named=True)
    assert stream["is_stable"]
    assert stream["out_per_year"] == pytest.approx(2e6, rel=0.03)
    causes = dict(found.causes.select("cause", "mean_d").rows())
    assert set(causes) == set(CAUSES)
    assert sum(causes.values()) == pytest.approx(stream["transit_d"], rel=1e-9)
    at_p95 = found.causes["at_p95_d"].sum()
    assert at_p95 == pytest.approx(stream["transit_p95_d"], rel=0.1)
    # Little's law: inside = out x transit.
    assert stream["inside"] == pytest.approx(stream["out_per_year"] / 365.0 * stream["transit_d"], rel=0.05)
    shares = found.ships.select(pl.col("^.*_share$")).row(0)
    assert sum(shares) == pytest.approx(1.0, abs=0.02)
    line = found.lines.row(0, named=True)
    assert line["each_way_per_year"] <= line["never_waiting_per_year"]


def test_closures_are_as_long_as_the_table_says(found: Queues) -> None:
    days = found.months.filter((pl.col("kind") == "closed") & (pl.col("name") == "east_wind")).sort("month")
    winter = days.filter(pl.col("month").is_in([1, 2, 11, 12]))["value_d"].sum()
    assert winter == pytest.approx(0.2 * 120.0, abs=6.0)


def test_designs_are_compared_under_the_same_chance(found: Queues) -> None:
    rows = {row["design"]: row for row in found.designs.rows(named=True)}
    same, more, none = rows["as it is"], rows["ships.sea_ships.ships_count=3"], rows["berths.east_berth.servers_count=0"]
    assert (same["difference_d"], same["difference_d_half"]) == (0.0, 0.0)
    assert more["difference_d"] < -more["difference_d_half"] < 0.0
    assert not none["is_stable"]
    assert none["out_per_year"] == 0.0
    assert none["backlog_growth_per_year"] == pytest.approx(2e6, rel=0.01)


def test_designs_tell_what_facilities_can_do(found: Queues) -> None:
    rows = {row["design"]: row for row in found.design_capacities.rows(named=True)}
    same, more, low = (rows[name] for name in ("as it is", "ships.sea_ships.ships_count=3", "sea_level_m=-2.0"))
    assert (same["more"], same["more_half"], same["unit"]) == (0.0, 0.0, "kt")
    assert more["saturation"] > 1.2 * same["saturation"]
    assert more["more"] == pytest.approx(more["saturation"] - same["saturation"])
    assert low["more"] < -low["more_half"] < 0.0
    assert any("more)" in line for line in queues_lines(found))


def test_more_than_can_leave_is_told_and_not_averaged(two_ports: kv.Corridor) -> None:
    told = simulate(two_ports, "strait", loads={"east_trains": 8e6}, how=HOW, has_curves=False)
    row = told.streams.row(0, named=True)
    assert told.unstable == ("east_trains",)
    assert row["transit_d"] is None
    assert row["backlog_growth_per_year"] == pytest.approx(8e6 - row["out_per_year"], rel=0.05)
    assert told.causes.is_empty()
    assert "! Unstable: east_trains." in "\n".join(queues_lines(told))
    assert "! Неустойчиво: east_trains." in "\n".join(queues_lines(told, words=Words("ru")))


def test_the_year_hour_by_hour(found: Queues) -> None:
    visits, ways = found.log["berth_visits"], found.log["voyages"]
    assert (visits["until_h"] >= visits["from_h"]).all()
    one = visits.filter(pl.col("berth_id") == "east_berth").sort("from_h")
    assert (one["from_h"][1:] >= one["until_h"][:-1] - 1e-9).all()
    assert set(ways["from_place"]) == {"east_port", "west_port"}
    assert ways["units"].max() == 30_000.0
    assert found.log["closed_times"].height > 10


def test_same_digits_for_any_workers_and_again(two_ports: kv.Corridor) -> None:
    def told(workers: int) -> str:
        how = ExperimentOptions(seed=4, half_width_share=0.5, least=20, most=20, workers=workers)
        return json.dumps(simulate(two_ports, "strait", loads={"east_trains": 2e6}, how=how, has_curves=False, month="stormiest").as_dict())

    assert told(1) == told(2)


def test_the_market_sends_the_loads(two_ports: kv.Corridor) -> None:
    snapshot = kv.apply(kv.load_scenario("baseline", two_ports), two_ports, year=2024)
    cleared = kv.clear(snapshot)
    assert crossing_loads(cleared, "strait") == {"east_trains": pytest.approx(6e6)}


def test_water_by_year_and_path(two_ports: kv.Corridor) -> None:
    rows = water(two_ports, "strait", years=[2024, 2034], loads={"east_trains": 1e6}, curves=FEW)
    by = {(row["path_id"], row["year"]): row for row in rows.rows(named=True)}
    assert by["as_it_is", 2024]["saturation"] == by["as_it_is", 2034]["saturation"] == by["falling", 2024]["saturation"]
    assert by["falling", 2024]["lost"] == by["as_it_is", 2034]["lost"] == 0.0
    fallen = by["falling", 2034]
    assert fallen["lost"] == pytest.approx(by["falling", 2024]["saturation"] - fallen["saturation"])
    assert fallen["lost"] > fallen["lost_half"]
    assert fallen["lost_per_m"] == pytest.approx(fallen["lost"] / (by["falling", 2024]["level_m"] - fallen["level_m"]))
    assert by["as_it_is", 2034]["lost_per_m"] is None
    for language in ("en", "ru"):
        lines = water_lines(rows, words=Words(language))
        assert any("falling" in line for line in lines)
        assert [line for line in lines if len(line) > 100] == []


def test_ships_that_a_line_needs(two_ports: kv.Corridor) -> None:
    def sized(load: float, path: str = "as_it_is") -> dict:
        asked = {"loads": {"east_trains": load}, "how": FEW, "paths": [path]}
        return fleet_sizes(two_ports, "strait", years=[2034], **asked).row(0, named=True)

    now = sized(1e6)
    small, large, low = sized(0.3 * now["most_per_year"]), sized(1.2 * now["most_per_year"]), sized(0.89 * now["most_per_year"], "falling")
    assert small["ships_needed"] < now["ships_count"] < large["ships_needed"]
    assert large["most_needed_per_year"] >= large["load_per_year"] / 0.9
    assert low["room_count"] < now["room_count"]
    assert low["ships_needed"] > sized(0.89 * now["most_per_year"])["ships_needed"]
    none = sized(2.0 * now["berth_most_per_year"])
    assert none["ships_needed"] is None
    for language in ("en", "ru"):
        lines = sizes_lines(pl.DataFrame([none]), use_share=0.9, words=Words(language))
        assert [line for line in lines if len(line) > 100] == []
    assert any("berths bind" in line for line in sizes_lines(pl.DataFrame([none]), use_share=0.9))


def test_loads_of_more_than_the_market_sends(two_ports: kv.Corridor) -> None:
    cleared = kv.clear(kv.apply(kv.load_scenario("baseline", two_ports), two_ports, year=2024))
    carried_mt = kv.study.year.year_result(
        cleared, headline_cordon=two_ports.manifest.headline_cordon, crude_commodity=two_ports.manifest.crude_commodity
    ).corridor_mt
    found = simulate(two_ports, "strait", how=HOW, has_curves=False, to_mt=0.25 * carried_mt)
    assert found.load_factor == pytest.approx(0.25)
    assert found.streams["demand_per_year"][0] == pytest.approx(0.25 * 6e6)


def test_lines_fit_the_screen(found: Queues) -> None:
    for language in ("en", "ru"):
        lines = queues_lines(found, words=Words(language))
        assert [line for line in lines if len(line) > 100] == []
        assert any(line.startswith("  east_trains") for line in lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"system_id": "ocean"}, "has no ocean, must be one of strait, pass"),
        ({"sea_level_path": "rising"}, "has no path rising, must be one of as_it_is, falling"),
        ({"loads": {"west_trains": 1.0}}, "west_trains is no stream of strait"),
        ({"capacity_of": ["bridge"]}, "bridge is not simulated in strait"),
        ({"tries": ["ships.sea_ships.ships_count=2.5"]}, "of sea_ships is 2.5, must be a whole number"),
        ({"tries": ["sea_level_m=low"]}, "must name a level in metres"),
        ({"to_mt": 10.0}, "needs the market, but all loads are given"),
        ({"tries": ["calls.strait_line|east_port.fixed_h=-1"]}, "must be a finite number, 0 or more"),
    ],
)
def test_wrong_questions_are_refused(two_ports: kv.Corridor, options: dict, message: str) -> None:
    asked = {"system_id": "strait", "loads": {"east_trains": 1e6}, "how": HOW, "has_curves": False, **options}
    with pytest.raises(DataError, match=message):
        simulate(two_ports, asked.pop("system_id"), **asked)


def test_an_unknown_measure_is_refused(two_ports: kv.Corridor) -> None:
    with pytest.raises(MeasureError, match="more_of_all"):
        simulate(two_ports, "strait", loads={"east_trains": 1e6}, how=HOW, has_curves=False, tries=["more_of_all"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--half-width", "wide"], "must be a share such as 5%"),
        (["--half-width", "0%"], "must lie between"),
        (["--sweep", "ships.sea_ships.ships_count=5:2"], "from a lower to a higher"),
        (["--sweep", "ships.sea_ships.ships_count"], "must read TABLE.ID.COLUMN"),
        (["--load", "east_trains=many"], "must read STREAM=UNITS"),
        (["--load-factor", "0"], "must be above zero"),
        (["--to-mt", "0"], "must be above zero"),
        (["--fleet-sizing", "2025:2040:0"], "FIRST:LAST:STEP"),
        (["--fleet-sizing", "2030", "--use", "120%"], "must lie between"),
        (["--fleet-sizing", "2030", "--line", "canal"], "must be one of strait_line"),
        (["--most", "3"], "must be 20 or more"),
        (["--workers", "0"], "must be 1 or more"),
    ],
)
def test_wrong_options_end_with_two(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "strait", "--corridor", "two-ports", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_command_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["simulate", "pass", "--corridor", "two-ports", "--load", "pass_trains=1000000", "--half-width", "30%", "--json"]
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["passages"][0]["simulated_wait_h"] == pytest.approx(told["passages"][0]["approximate_wait_h"], rel=0.4)
    assert {"streams", "causes", "berths", "ships", "capacities", "designs", "unstable"} <= set(told)
