"""Trade and market answering each other on two-ports with two economies."""

from __future__ import annotations

import json
import math

import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.report.trade import outlook_lines, trade_lines
from karvan.report.words import Words
from karvan.study import TradeOptions, commitments, trade
from karvan.study.trade_table import UNSPLIT, trade_table
from tests.study.trade_case import add_trade


@pytest.fixture
def folder(two_ports_folder):
    """two-ports whose markets answer to cost, with two economies that trade grain."""
    add_trade(two_ports_folder)
    measure = """id: cheap_land
title: Half the charge by land
from_date: 2024-01-01
status: option
is_operating: true
source: teaching
confidence: estimate
doc: A what-if.
changes:
  - {table: tariffs, where: {operator_id: land_railway}, scale: {rate: 0.5}}
"""
    (two_ports_folder / "measures" / "cheap_land.yaml").write_text(measure, encoding="utf-8")
    return two_ports_folder


def test_totals_are_split_by_goods_and_the_rest_stays_apart(folder):
    table = trade_table(kv.load_corridor(folder).tables, 2024)
    value = {(row["exporter"], row["commodity_group"]): row["value_musd"] for row in table.rows.to_dicts()}
    assert value == {("east", "grain"): 2500.0, ("east", UNSPLIT): 400.0, ("west", UNSPLIT): 1500.0}
    assert table.base.output_musd == pytest.approx([20000.0, 40000.0])
    assert table.base.deficit_musd == pytest.approx([-1400.0, 1400.0])


def test_parts_add_up_and_a_scenario_that_changes_nothing_moves_nothing(folder):
    found = trade(kv.load_corridor(folder), scenario="baseline", how=TradeOptions(years=(2024, 2026)))
    markets = kv.load_corridor(folder).tables["demand"]
    for row in found.demand.to_dicts():
        assert row["low_kt"] <= row["mid_kt"] <= row["high_kt"]
        assert row["base_kt"] == pytest.approx(markets.filter(markets["growth_id"] == row["growth_id"])["flow_kt"].sum())
        assert row["with_trade_kt"] == pytest.approx(row["mid_kt"] * row["trade_factor"])
        assert row["year"] != 2024 or row["trade_factor"] == pytest.approx(1.0, abs=1e-4)
    for row in found.outlook.to_dicts():
        parts = math.fsum(row[f"{key}_musd"] for key in ("base", "growth", "transport", "tariffs", "ventures"))
        assert parts == pytest.approx(row["value_musd"], rel=1e-9)
    assert found.outlook["value_musd"][0] == pytest.approx(4400.0, rel=1e-9)
    assert found.corridor["corridor_with_trade_mt"][0] == pytest.approx(found.corridor["corridor_mt"][0], rel=1e-6)


def test_cheaper_charges_create_trade_that_is_told_as_that_of_tariffs(folder):
    how, cheap = TradeOptions(years=(2024, 2025)), kv.ScenarioOptions(with_measures=("cheap_land",))
    corridor = kv.load_corridor(folder)
    measure = (folder / "measures" / "cheap_land.yaml").read_text(encoding="utf-8").replace("2024-01-01", "2025-01-01")
    (folder / "measures" / "cheap_land.yaml").write_text(measure, encoding="utf-8")
    first, second = trade(kv.load_corridor(folder), scenario="baseline", how=how, options=cheap).outlook.to_dicts()
    assert first["tariffs_musd"] == pytest.approx(0.0, abs=1e-6)
    assert second["tariffs_musd"] > 1.0
    assert second["transport_musd"] == pytest.approx(0.0, abs=1e-6)
    assert second["created_musd"] + second["diverted_musd"] == pytest.approx(second["tariffs_musd"], rel=1e-6)
    assert second["created_musd"] > 0.0
    calm = trade(corridor, scenario="baseline", how=how).outlook.to_dicts()[1]
    assert second["value_musd"] > calm["value_musd"]


def test_joint_ventures_add_what_they_trade(folder):
    rows = "venture_id: mill, name: Mill, exporter: east, importer: west, commodity_group: grain, output_musd: 100.0, traded_share: 0.4"
    measure = f"""id: mill
title: A mill
from_date: 2025-01-01
status: option
source: teaching
confidence: estimate
doc: A what-if.
changes:
  - table: joint_ventures
    add:
      - {{{rows}, source: teaching, confidence: estimate}}
"""
    (folder / "measures" / "mill.yaml").write_text(measure, encoding="utf-8")
    corridor = kv.load_corridor(folder)
    found = trade(corridor, scenario="baseline", how=TradeOptions(years=(2026,)), options=kv.ScenarioOptions(with_measures=("mill",)))
    assert found.outlook["ventures_musd"].to_list() == [40.0]
    assert found.ventures["adds_musd"].to_list() == [40.0]


def test_lines_json_and_refusals(folder, two_ports, capsys):
    found = trade(kv.load_corridor(folder), scenario="baseline", how=TradeOptions(years=(2026,), target_musd=9000.0))
    assert "9,000" in "\n".join(trade_lines(found))
    assert "East land" in "\n".join(trade_lines(found, names={"east": "East land"}))
    for language in ("en", "ru"):
        assert max(map(len, trade_lines(found, words=Words(language)))) <= 100
        assert max(map(len, outlook_lines(found, words=Words(language)))) <= 100
    assert main(["trade", "--corridor", str(folder), "--scenario", "baseline", "--year", "2024", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pair"] == ["east", "west"]
    assert main(["trade", "--corridor", str(folder), "--pair", "east"]) == 2
    with pytest.raises(DataError, match="what countries make"):
        trade(two_ports, how=TradeOptions(years=(2024,)))


def test_a_promise_of_trade_is_judged_by_the_register_and_open_in_a_run(folder):
    head = (folder / "commitments.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    row = {
        "commitment_id": "trade_promised", "is_headline": "false", "title": "More trade", "metric": "trade_musd", "element_id": "east;west",
        "target": "4000", "unit": "MUSD", "year": "2026", "status": "told", "source": "teaching", "confidence": "estimate",
    }  # fmt: skip
    with (folder / "commitments.csv").open("a", encoding="utf-8") as file:
        file.write(",".join(row.get(name, "") for name in head) + "\n")
    corridor = kv.load_corridor(folder)
    item = next(item for item in commitments(corridor)["commitments"] if item["commitment_id"] == "trade_promised")
    told = trade(corridor, scenario="agreed", how=TradeOptions(years=(2026,), pair=("east", "west"), has_causes=False))
    assert item["scenarios"]["agreed"] == pytest.approx(told.outlook["value_musd"][0], rel=1e-6)
    assert item["by_year"]["agreed"] == {"2026": item["scenarios"]["agreed"]}
    assert item["verdict"] == "on_course"
    assert kv.run(corridor, scenario="agreed", years=(2026,), save=False).report["commitments"][-1]["verdict"] == "open"
    (folder / "commitments.csv").write_text(
        (folder / "commitments.csv").read_text(encoding="utf-8").replace("east;west", "east;north"), encoding="utf-8"
    )
    with pytest.raises(DataError, match="two regions of economies"):
        kv.load_corridor(folder)
