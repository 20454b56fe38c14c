"""Pages of power and of crude oil in a real browser."""

from __future__ import annotations

import polars as pl
import pytest
from playwright.sync_api import expect

import karvan as kv
from karvan.report import oil_screen, power_screen, render_answer
from karvan.results import Oil
from karvan.study import DispatchOptions, dispatch
from tests.power.small import add_power
from tests.ui.test_app import axe

SERIES = "(id) => karvan.chartOf(document.getElementById(`chart-${id}`)).getOption().series"


@pytest.fixture(scope="module")
def power(tmp_path_factory):
    folder = tmp_path_factory.mktemp("power")
    corridor = kv.load_corridor(str(add_power(kv.new_corridor(folder / "case"))))
    how = DispatchOptions(line="strait", sizes_mw=(100.0, 400.0), tries=("no_border_charge",), hours=24 * 14)
    told = power_screen(dispatch(corridor, year=2034, how=how), corridor, version="0")
    (folder / "power.html").write_text(render_answer("power", told), encoding="utf-8")
    return folder / "power.html", told


def test_a_week_a_curve_who_gains_and_sizes(open_page, power):
    file, told = power
    page = open_page(file)
    page.locator("#power-week").fill("1")
    first = [value for _, value in page.evaluate(f"({SERIES})('power-week-chart')")[0]["data"]]
    assert first == told["hourly"]["price_east"][168:336]
    flow = [value for _, value in page.evaluate(f"({SERIES})('power-curve')")[2]["data"]]
    assert flow == sorted(flow, reverse=True)
    assert (max(flow), min(flow)) == (max(told["hourly"]["flow_strait"]), min(told["hourly"]["flow_strait"]))
    bars = page.evaluate(f"({SERIES})('power-gains')")
    asked = [row for row in told["parties"] if row["design"] == "as it is"]
    assert sum(sum(row["data"]) for row in bars) == pytest.approx(sum(row["total_musd"] for row in asked), abs=0.3)
    assert [value for value, _ in page.evaluate(f"({SERIES})('power-sweep')")[0]["data"]] == [0, 100, 400]
    expect(page.locator("#table-power-worth tbody tr")).to_have_count(2)
    assert axe(page) == []
    assert page.locator("#power-storms").count() == 0


def test_an_answer_by_the_storms_says_so(open_page, power, tmp_path):
    (tmp_path / "storms.html").write_text(render_answer("power", {**power[1], "draw": 3, "storms": []}), encoding="utf-8")
    expect(open_page(tmp_path / "storms.html").locator("#power-storms")).to_contain_text("replication 3")


def test_oil_tells_netbacks_and_flows_by_route(open_page, two_ports, tmp_path):
    rung = {
        "market_id": "oil_out", "outlet": "a port", "grade": "a grade", "share": 0.5, "netback_usd_per_bbl": 60.0,
        "scarcity_usd_per_t": 0.0,
        "constant_usd_per_t": 0.0, "full": "", "buffer_d": None, "tariffs_usd_per_t": 50.0, "handling_usd_per_t": 20.0,
    }  # fmt: skip
    ladder = [{**rung, "family_id": "sea", "flow_kt": 3000.0, "netback_usd_per_t": 460.0}]
    ladder += [{**rung, "family_id": "land", "flow_kt": 1000.0, "netback_usd_per_t": 430.0}]
    flows = [
        {"year": year, "family_id": name, "flow_mt": mt, "netback_musd": 0.0}
        for year in (2024, 2030)
        for name, mt in (("sea", 3.0), ("land", 1.0))
    ]
    none = pl.DataFrame()
    found = Oil(2024, "baseline", 70.0, 530.0, pl.DataFrame(ladder), none, pl.DataFrame(flows), none, none, none, ())
    file = tmp_path / "oil.html"
    file.write_text(render_answer("oil", oil_screen(found, two_ports, version="0")), encoding="utf-8")
    page = open_page(file)
    assert [row["data"] for row in page.evaluate(f"({SERIES})('oil-ladder')")] == [[460, 430], [50, 50], [20, 20]]
    assert [row["data"] for row in page.evaluate(f"({SERIES})('oil-flows')")] == [[3, 3], [1, 1]]
    assert axe(page) == []
