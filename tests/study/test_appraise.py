"""Appraisals of a small case: rows that add up, by hand and by whoever gains."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.appraisal import net_present_value
from karvan.cli.main import main
from karvan.errors import DataError, MeasureError
from karvan.exchange.workbook import write_workbook
from karvan.measures import measures_of
from karvan.report import Words
from karvan.report.appraised import appraisal_lines
from karvan.results import Appraisal
from karvan.study import AppraisalOptions, appraise
from karvan.study.appraise_sides import benefit_of, held_to_openings
from karvan.study.diverted import traffic_by_kind
from karvan.study.works import works_of
from tests.study.money_case import money_case

SAMPLES = (2027, 2030)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return money_case(tmp_path_factory.mktemp("money") / "case", link="rail_east_pass")


@pytest.fixture(scope="module")
def small(folder: Path) -> kv.Corridor:
    return kv.load_corridor(str(folder))


@pytest.fixture(scope="module")
def found(small: kv.Corridor) -> Appraisal:
    return appraise(small, measures=("second_ferry", "faster_track"), how=AppraisalOptions(sample_years=SAMPLES))


def test_rows_add_up_to_the_total(found):
    assert found.parties["npv_musd"].sum() == pytest.approx(found.npv_musd, abs=1e-9)
    gained = found.accounts.group_by("year").agg(pl.col("gain_musd").sum()).sort("year")
    told = found.flows.filter(pl.col("year").is_in(SAMPLES)).sort("year")
    assert gained["gain_musd"].to_list() == pytest.approx(told["benefit_musd"].to_list(), abs=1e-9)
    assert set(found.parties["party"]) >= {"shippers", "operators", "states", "neighbours", "climate", "builders"}


def test_market_items_are_the_change_of_the_markets_welfare(small):
    """Surplus, rent and its tax are what the market itself gains: case 1a of the method, 6 to 7 Mt, 7.570527 M USD a year (kt x USD/t)."""
    plain = appraise(small, measures=("bigger_ferry",), how=AppraisalOptions(sample_years=(2030,)))
    market = plain.accounts.filter(pl.col("item").is_in(["surplus", "scarcity rent", "tax on scarcity rent"]))
    outlooks = [
        kv.clear(kv.apply(kv.load_scenario(name, small), small, year=2030)).clearing.welfare_kusd / 1e3 for name in ("baseline", "agreed")
    ]
    assert market["gain_musd"].sum() == pytest.approx(outlooks[1] - outlooks[0], rel=1e-6)
    assert plain.estimated_capital_share == 0.0


def test_taxes_are_a_fifth_of_profit_and_rent(found):
    rows = found.accounts.group_by("item").agg(pl.col("gain_musd").sum())
    by_item = dict(rows.iter_rows())
    assert by_item["tax on profit"] == pytest.approx(0.25 * by_item["profit"])
    assert by_item["tax on scarcity rent"] == pytest.approx(0.25 * by_item["scarcity rent"])
    states = by_item["tax on profit"] + by_item["tax on scarcity rent"] + by_item.get("border charges", 0.0)
    assert found.fiscal["gain_musd"].sum() == pytest.approx(states)


def test_a_queue_nobody_earns_makes_relief_worth_more(found):
    assert found.npv_queue_musd > found.npv_musd


def test_last_of_two_is_the_whole_less_the_other_alone(found):
    alone = dict(found.members.select("measure_id", "npv_alone_musd").iter_rows())
    last = dict(found.members.select("measure_id", "npv_last_musd").iter_rows())
    assert last["second_ferry"] == pytest.approx(found.npv_musd - alone["faster_track"], abs=1e-9)
    assert last["faster_track"] == pytest.approx(found.npv_musd - alone["second_ferry"], abs=1e-9)


def test_the_same_set_taken_out_of_a_scenario_is_worth_the_same(small):
    put_in = appraise(small, measures=("bigger_ferry",), scenario="baseline", how=AppraisalOptions(sample_years=(2030,)))
    taken_out = appraise(small, measures=("bigger_ferry",), scenario="agreed", how=AppraisalOptions(sample_years=(2030,)))
    assert taken_out.npv_musd == pytest.approx(put_in.npv_musd, rel=1e-9)


def test_traffic_is_told_by_where_it_comes_from():
    class Year:
        year = 2030

        def __init__(self, *flows):
            names = ["sea", "land", "round", "not_shipped"]
            trade = {"origin_region": ["a"] * 4, "destination_region": ["b"] * 4, "commodity_group": ["c"] * 4}
            self.regions = pl.DataFrame({**trade, "family_id": names, "flow_kt": flows})

    rows = traffic_by_kind([Year(10.0, 6.0, 2.0, 3.0)], [Year(20.0, 3.0, 1.0, 1.0)])
    found = {(row["kind"], row["from_family"]): row["flow_kt"] for row in rows.iter_rows(named=True)}
    assert found == pytest.approx({("normal", None): 10.0, ("diverted", "land"): 3.0, ("diverted", "round"): 1.0, ("generated", None): 6.0})
    assert set(rows["to_family"]) == {"sea"}


def test_it_is_told_in_two_languages(found):
    for language in ("en", "ru"):
        lines = appraisal_lines(found, words=Words(language))
        assert any("second_ferry" in line for line in lines)
        assert max(len(line) for line in lines) <= 110


def test_the_command_prints_one_object(folder, capsys):
    arguments = ["appraise", "--corridor", str(folder), "--with", "second_ferry", "--sample", "2030", "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["measure_ids"] == ["second_ferry"]
    assert sum(row["npv_musd"] for row in told["parties"]) == pytest.approx(told["npv_musd"], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "at least one measure"),
        (["--with", "second_ferry", "--sample", "soon"], "years joined by commas"),
        (["--with", "second_ferry", "--rate", "owner"], "economic rate"),
        (["--with", "second_ferry", "--carbon", "two"], "one path two"),
        (["--with", "pass_closed"], "project_costs"),
    ],
)
def test_wrong_input_is_named(folder, capsys, arguments, words):
    assert main(["appraise", "--corridor", str(folder), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_values_that_are_missing_are_named(two_ports):
    with pytest.raises(DataError, match="evaluation_years"):
        appraise(two_ports, measures=("bigger_ferry",))


def test_an_unknown_measure_is_refused(small):
    with pytest.raises((DataError, MeasureError)):
        appraise(small, measures=("no_such",))


@pytest.mark.filterwarnings("ignore")  # of the spreadsheet engine, which is for tests only
def test_the_workbook_recomputes_to_the_models_numbers(found, tmp_path):
    """Formulas are worked out by a spreadsheet engine, once as written and once with another rate and dearer building."""
    formulas = pytest.importorskip("formulas")
    path = tmp_path / "bank.xlsx"
    write_workbook(found, path)
    model = formulas.ExcelModel().loads(str(path)).finish()

    def answer(row, changed=None):
        solution = model.calculate(inputs=changed)
        return float(solution[f"'[bank.xlsx]ANSWER'!B{row}"].value[0, 0])

    assert answer(4) == pytest.approx(found.npv_musd, rel=1e-9)
    assert answer(6) == pytest.approx(found.bcr_ratio, rel=1e-9)
    assert answer(7) == pytest.approx(found.switching["benefits"], rel=1e-9)
    net = found.flows["net_musd"].to_numpy()
    dearer = net - 0.2 * (found.flows["capital_musd"] - found.flows["residual_musd"]).to_numpy()
    changed = {"'[bank.xlsx]INPUTS'!B2": 0.05, "'[bank.xlsx]INPUTS'!B4": 1.2}
    assert answer(4, changed) == pytest.approx(net_present_value(dearer, 0.05), rel=1e-9)


def test_parties_of_every_year_add_up_to_its_gain(found):
    gained = found.yearly.group_by("year").agg(pl.col("gain_musd").sum()).sort("year")["gain_musd"].to_list()
    assert gained == pytest.approx(found.flows.sort("year")["benefit_musd"].to_list(), abs=1e-9)


@pytest.mark.parametrize("name", ["bank.xls", "nowhere/bank.xlsx"])
def test_a_workbook_that_cannot_be_written_is_refused(found, tmp_path, name):
    with pytest.raises(DataError):
        write_workbook(found, tmp_path / name)


def test_a_stated_cost_has_the_range_of_its_class(small):
    """Stated 40 for bigger_ferry: from what is announced to what four in five ships do not exceed, 20% more; estimates keep their class."""
    measures = measures_of(small)
    stated, estimate = works_of(small, [(measures[name], date(2027, 1, 1)) for name in ("bigger_ferry", "second_ferry")])
    assert (stated.capital_musd, stated.low_musd, stated.high_musd) == pytest.approx((40.0, 40.0, 48.0))
    assert (stated.is_estimate, estimate.is_estimate) == (False, True)
    assert (estimate.low_musd, estimate.high_musd) == pytest.approx((10.0, 40.0))


def test_a_venture_is_told_in_two_languages(small):
    told = appraise(small, measures=("joint_mill",), how=AppraisalOptions(sample_years=(2030,), has_members=False))
    tests = dict(told.tests.select("test", "npv_musd").iter_rows())
    assert tests["cost_high"] < tests["as_stated"] < tests["cost_low"]
    assert tests["class_delay"] < tests["as_stated"]
    for language in ("en", "ru"):
        words = Words(language)
        assert words("appraisal.item.stated benefit") in " ".join(appraisal_lines(told, words=words))


def test_nothing_is_gained_by_what_is_not_open_yet():
    """10 in 2027, 40 in 2031 when something more opens: 10 until 2030, not a straight line to 40; a year before that is a sample stays."""
    gains = pl.DataFrame({"year": [2027, 2031, 2032], "gain_musd": [10.0, 40.0, 44.0]})
    years = np.arange(2026, 2034)
    held = held_to_openings(gains, (2027, 2031, 2032), (2027, 2031, 2032))
    assert benefit_of(held, years).tolist() == [0.0, 10.0, 10.0, 10.0, 10.0, 40.0, 44.0, 44.0]
    assert held_to_openings(gains, (2027, 2031, 2032), (2027,)).height == 3
