"""Oil of a small case: netbacks, flows, earners and interruptions that add up."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.report import Words
from karvan.report.oil import oil_lines
from karvan.results import Oil
from karvan.simulation import simulated_facilities
from karvan.study import OilOptions, oil

T = "teaching,estimate"
HALF = """id: half_a_ferry
title: "The ferry at half its strength"
from_date: 2024-01-01
status: option
source: teaching
confidence: estimate
doc: "One ship of two is in the yard."
changes:
  - {table: facilities, where: {facility_id: ferry}, scale: {nominal: 0.5}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two ports whose grain is taken for crude oil."""
    made = kv.new_corridor(tmp_path_factory.mktemp("oil") / "case")
    manifest = (made / "corridor.yaml").read_text(encoding="utf-8")
    (made / "corridor.yaml").write_text(manifest.replace("crude_commodity: crude_oil", "crude_commodity: grain"), encoding="utf-8")
    (made / "crude_prices.csv").write_text(
        f"year,price_usd_per_bbl,bbl_per_t,note,source,confidence\n2024,80,7.5,,{T}\n2034,60,7.5,,{T}\n", encoding="utf-8"
    )
    head = "family_id,outlet,grade,bbl_per_t,loss_share,storage_kt,note,source,confidence"
    (made / "crude_outlets.csv").write_text(
        f"{head}\nsea,West port,Light,7.5,0.001,100,,{T}\nland,West yard,Blend,7.3,0.002,,,{T}\n", encoding="utf-8"
    )
    head = "disruption_id,name,measure_id,period,second_family_id,without_measure_id,per_year,lasts_d,note,source,confidence"
    (made / "oil_disruptions.csv").write_text(
        f"{head}\nferry,Half a ferry,half_a_ferry,2025,land,pass_closed,0.1,30,,{T}\n", encoding="utf-8"
    )
    (made / "measures" / "half_a_ferry.yaml").write_text(HALF, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def small(folder: Path) -> kv.Corridor:
    return kv.load_corridor(str(folder))


@pytest.fixture(scope="module")
def found(small: kv.Corridor) -> Oil:
    return oil(small, year=2025, how=OilOptions(years=(2025, 2026), tries=("half_a_ferry",), disruptions=("ferry",)))


def test_netbacks_are_price_less_charges(found: Oil) -> None:
    assert found.reference_usd_per_bbl == pytest.approx(78.0)
    assert found.reference_usd_per_t == pytest.approx(78.0 * 7.5)
    for row in found.ladder.filter(pl.col("family_id") != "not_shipped").rows(named=True):
        kept = 1.0 - (0.001 if row["family_id"] == "sea" else 0.002)
        charges = row["tariffs_usd_per_t"] + row["handling_usd_per_t"]
        assert row["netback_usd_per_t"] == pytest.approx(585.0 * kept - charges, rel=1e-12)
        assert row["netback_usd_per_bbl"] == pytest.approx(row["netback_usd_per_t"] / (7.5 if row["family_id"] == "sea" else 7.3))
    best = found.ladder["netback_usd_per_t"].to_list()
    assert best == sorted(best, reverse=True)
    sea = found.ladder.filter(pl.col("family_id") == "sea").row(0, named=True)
    assert sea["buffer_d"] == pytest.approx(100.0 / sea["flow_kt"] * 365.0)
    assert sea["scarcity_usd_per_t"] > 0.0
    assert found.limits["facility_id"].to_list() == ["ferry"]


def test_an_interruption_is_solved_again(found: Oil) -> None:
    row = found.disruptions.row(0, named=True)
    families = {item["family_id"]: item for item in row["families"]}
    assert families["sea"]["after_mt"] == pytest.approx(3.0, rel=1e-6)
    lost = families["sea"]["before_mt"] - families["sea"]["after_mt"]
    assert lost == pytest.approx(row["rerouted_mt"] + row["shut_in_mt"], rel=1e-6)
    assert row["second_after_mt"] > row["second_before_mt"]
    assert row["lost_musd"] > 0.0
    assert row["expected_loss_musd_per_year"] == pytest.approx(row["lost_musd"] / 365.0 * 30.0 * 0.1, rel=1e-9)
    saved = row["expected_loss_without_second_musd_per_year"] - row["expected_loss_musd_per_year"]
    assert row["avoided_by_second_musd_per_year"] == pytest.approx(saved, rel=1e-12)
    assert saved > 0.0  # without the way round, what the ferry cannot take stays at home
    designs = {(item["design"], item["family_id"]): item["flow_mt"] for item in found.designs.rows(named=True)}
    assert designs["half_a_ferry", "sea"] == pytest.approx(families["sea"]["after_mt"], rel=1e-6)


def test_flows_and_earners(found: Oil) -> None:
    assert found.flows["year"].unique().sort().to_list() == [2025, 2026]
    here = found.flows.filter(pl.col("year") == 2025)
    assert here["flow_mt"].sum() == pytest.approx(found.ladder["flow_kt"].sum() / 1e3, rel=1e-9)
    assert (found.earners["paid_musd"] > 0.0).all()
    text = "\n".join(oil_lines(found))
    assert "netback" in text
    assert "saves" in text
    russian = oil_lines(found, words=Words("ru"))
    assert max(len(line) for line in [*text.splitlines(), *russian]) <= 100
    assert "сберегает" in "\n".join(russian)
    json.dumps(found.as_dict(), allow_nan=False)


def test_the_command_and_what_it_refuses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["oil", "--corridor", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ladder"][0]["family_id"] in ("sea", "land")
    assert main(["oil", "--corridor", str(folder), "--disrupt", "flood"]) == 2
    assert "must be one of ferry" in capsys.readouterr().err
    with pytest.raises(DataError, match="no crude oil to tell of"):
        oil(kv.load_corridor("two-ports"))


def test_all_crude_of_the_sea_shares_the_simulated_oil_berths_of_aktau_and_nothing_else_does() -> None:
    """So `--capacities simulated` gives crude one berth capacity for Baku and Makhachkala, with the weather and water of that year."""
    tables = kv.load_corridor("middle-corridor").tables
    calls = tables["calls"].filter(pl.col("berths").str.contains("aktau_oil_berths"))
    assert sorted(calls["crossing_id"]) == ["other_tankers", "tankers"]
    berth = tables["berths"].filter(pl.col("berth_id") == "aktau_oil_berths").row(0, named=True)
    dry = tables["berths"].filter(pl.col("facility_id") == "aktau_dry_berths").row(0, named=True)
    assert (berth["facility_id"], berth["closure_id"]) == ("aktau_oil_berths", dry["closure_id"])
    assert {"aktau_oil_berths", "tankers_aktau_baku"} <= set(simulated_facilities(tables, "caspian"))
    used = tables["facility_uses"].filter(pl.col("facility_id") == "aktau_oil_berths")["terminal_id"]
    modes = tables["terminals"].filter(pl.col("terminal_id").is_in(used.to_list()))
    to_ships = tables["terminals"].filter((pl.col("place_id") == "aktau") & pl.col("terminal_id").str.contains("tanker"))
    assert sorted(modes["terminal_id"]) == sorted(to_ships["terminal_id"]) != []
