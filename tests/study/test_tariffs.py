"""The game of tariffs on small markets, and once on the packaged case."""

from __future__ import annotations

import datetime
import importlib
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.assignment import ClearOptions, part_of
from karvan.assignment import clear as clear_market
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.measures import load_scenario, scenario_ids, with_measures
from karvan.measures.apply import apply
from karvan.pricing import stability_share
from karvan.report.names import titles
from karvan.report.tariffs import rule_lines, tariff_lines
from karvan.report.words import Words
from karvan.study import TariffOptions, clear, tariffs
from karvan.study.tariff import tariff
from karvan.study.tariff_market import route_charges, tariff_market
from karvan.study.tariffs import played


@pytest.fixture(scope="module")
def market(two_ports):
    cleared = clear(apply(load_scenario("baseline", two_ports), two_ports, year=2024))
    return tariff_market(cleared, headline_cordon="sea_crossing", group="grain")


@pytest.fixture(scope="module")
def answer(two_ports):
    return tariffs(two_ports, how=TariffOptions(commodity="grain", years=(2024,)))


def test_charges_of_a_route_go_to_whoever_runs_it(market):
    paid = route_charges(market.cleared)
    assert np.sort(paid.sum(axis=1)) == pytest.approx([100.0, 120.0])  # README of two-ports: 100 by sea, 1200 km at 0.1 by land
    assert market.today_usd_per_t == pytest.approx([20.0])  # a fifth of 100 is margin


def test_gains_add_up_to_what_the_price_integral_says(market):
    """Shippers and owners lose the integral of what is carried over the margin; a way to the sum that knows nothing of surplus."""
    low, high = market.today_usd_per_t[0], 31.0
    nodes, weights = np.polynomial.legendre.leggauss(24)
    at = 0.5 * (high - low) * nodes + 0.5 * (high + low)
    carried = [float(market.outcome(np.array([m]), market.cleared_at(np.array([m])), market.cleared_at(np.array([m])).route_flow_kt, 0.0)
                     .carried_kt[0]) for m in at]  # fmt: skip
    lost = 0.5 * (high - low) * float(np.array(carried) @ weights)
    before, after = market.cleared.clearing, market.cleared_at(np.array([high]))
    assert before.welfare_kusd - after.welfare_kusd == pytest.approx(lost, rel=2e-5)


def test_gains_of_all_parties_are_the_change_of_welfare(answer):
    for row in answer.regimes.to_dicts():
        assert row["gains_musd"] == pytest.approx(row["welfare_change_musd"], abs=1e-6)
        gains = answer.parties.filter(answer.parties["regime"] == row["regime"])["gain_musd"].sum()
        assert gains == pytest.approx(row["welfare_change_musd"], abs=1e-6)


def test_nobody_gains_by_leaving_and_the_best_for_all_is_best(answer):
    by_regime = {row["regime"]: row for row in answer.regimes.to_dicts()}
    assert answer.checks["gain_alone_share"][0] <= 2e-3
    assert by_regime["welfare"]["welfare_change_musd"] >= max(row["welfare_change_musd"] for row in by_regime.values()) - 1e-3
    assert by_regime["through"]["profit_musd"] >= by_regime["national"]["profit_musd"] - 1e-6
    assert answer.splits["payment_musd"].sum() == pytest.approx(0.0, abs=1e-9)


def test_a_part_at_the_prices_of_the_whole_flows_as_the_whole(market):
    problem, clearing = market.cleared.problem, market.cleared.clearing
    is_in = np.ones(problem.market_flow_kt.shape[0], dtype=np.bool_)
    for own_share in (0.0, 2.0):  # rows keep their limits, or only their prices
        part, routes = part_of(problem, clearing, is_in, own_share=own_share)
        again = clear_market(part, start=clearing.row_price_usd_per_unit, options=ClearOptions())
        assert again.route_flow_kt == pytest.approx(clearing.route_flow_kt[routes], rel=1e-5, abs=1e-6)


def test_lines_and_json_say_the_same(answer, two_ports, monkeypatch, capsys):
    asked = []

    def known(corridor, **given):
        asked.append((given["scenario"], given["how"]))
        return answer

    monkeypatch.setattr(importlib.import_module("karvan.study.tariffs"), "tariffs", known)
    verb = ["tariffs", "--corridor", "two-ports", "--commodity", "grain", "--year", "2024", "--scenario", "baseline"]
    assert main([*verb, "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["regime"] for row in told["regimes"]] == ["national", "nash", "through", "welfare"]
    assert told == json.loads(json.dumps(answer.as_dict()))
    for language in ("en", "ru"):
        assert main([*verb, "--lang", language]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= 100
        assert Words(language, two_ports.names.get(language, {})).called(titles(two_ports)["grain"]) in lines[0]
    assert asked[0] == ("baseline", TariffOptions(commodity="grain", years=(2024,), has_alliances=False))
    assert asked[1][1].has_alliances


def test_many_years_are_a_table_and_the_last_of_them_in_full(answer):
    names = ("regimes", "parties", "splits", "checks", "full", "alliances")
    years = range(2024, 2031)
    many = replace(answer, **{name: _in_years(getattr(answer, name), years) for name in names})
    for language in ("en", "ru"):
        lines = tariff_lines(many, words=Words(language))
        assert max(map(len, lines)) <= 100
        assert len([line for line in lines if line.startswith("  2027")]) == 3  # volume, revenue, welfare
        assert len([line for line in lines if line.startswith("  2030")]) == 4  # and in full
    assert len(answer.regimes) == 4


def _in_years(frame, years):
    return frame if frame.is_empty() else pl.concat([frame.with_columns(pl.lit(year, dtype=pl.Int64).alias("year")) for year in years])


def test_a_quick_market_is_right_where_it_was_laid(market):
    """Laid anew at other margins the small market tells there what the whole one does; a nearby margin is close."""
    margin = market.today_usd_per_t * 1.4
    near = market.around(margin)
    for tried in (margin, margin * 1.02):
        quick, whole = near(tried), market.whole(tried)
        assert quick.carried_kt == pytest.approx(whole.carried_kt, rel=2e-3)
        assert quick.surplus_kusd == pytest.approx(whole.surplus_kusd, rel=2e-3, abs=2.0)


def test_years_that_begin_with_the_year_before_end_alike(market, answer):
    found = played(market, has_alliances=False, start=dict.fromkeys(("nash", "through", "welfare"), 1.3 * market.today_usd_per_t))
    welfare = dict(answer.regimes.select("regime", "welfare_change_musd").iter_rows())
    for row in found.rows["regimes"]:
        assert row["welfare_change_musd"] == pytest.approx(welfare[row["regime"]], abs=0.05)


def test_goods_and_parties_that_are_not_there_are_named(two_ports, two_ports_folder):
    with pytest.raises(DataError, match="rice names no row"):
        tariffs(two_ports, how=TariffOptions(commodity="rice", years=(2024,)))
    (two_ports_folder / "administrations.csv").unlink()
    with pytest.raises(DataError, match="needs who sets them"):
        tariffs(kv.load_corridor(two_ports_folder), how=TariffOptions(commodity="grain", years=(2024,)))


def test_a_way_has_the_charges_of_the_model_where_no_rule_is_known(two_ports, two_ports_folder, capsys):
    ends = ["tariff", "east_port", "west_port", "--date", "2024-07-01", "--commodity", "grain", "--json"]
    assert main([*ends, "--corridor", "two-ports"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sum_usd_per_t"] == pytest.approx(100.0)
    assert told["estimate_usd_per_t"] == pytest.approx(100.0)
    head = "rule_id,operator_id,from_place,to_place,commodity_group,loading_unit,basis,rate,currency,source,confidence"
    rows = ["sea,sea_line,,,any,bulk,per_t,90,USD,teaching,sourced"]
    (two_ports_folder / "tariff_rules.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    assert main([*ends, "--corridor", str(two_ports_folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sum_usd_per_t"], told["model_usd_per_t"], told["estimate_usd_per_t"]) == pytest.approx((90.0, 100.0, 0.0))
    assert main(["tariff", "east_port", "west_port", "--date", "soon", "--corridor", "two-ports"]) == 2


def test_a_way_is_of_the_corridors_own_family_unless_another_is_asked(two_ports):
    day = datetime.date(2024, 7, 1)
    own, land, cheapest = (
        tariff(two_ports, "east_port", "west_port", date=day, commodity="grain", family=family) for family in (None, "land", "any")
    )  # fmt: skip
    assert (own["family_id"], land["family_id"], cheapest["family_id"]) == ("sea", "land", "sea")
    assert own["sum_usd_per_t"] == pytest.approx(100.0)
    assert land["sum_usd_per_t"] == pytest.approx(120.0)
    for found in (own, land):
        assert sum(row["usd_per_t"] for row in found["operators"]) == pytest.approx(found["sum_usd_per_t"])
    for language in ("en", "ru"):
        lines = rule_lines(own, words=Words(language))
        assert max(map(len, lines)) <= 100
        names = titles(two_ports)
        for key in ("east_port", "west_port", "sea_line", "grain"):
            assert any(names[key] in line for line in lines), key
            assert not any(key in line for line in lines), key
        assert len(lines) > len(own["legs"]) + len(own["operators"])
    with pytest.raises(DataError, match="air names no row"):
        tariff(two_ports, "east_port", "west_port", date=day, commodity="grain", family="air")


@pytest.fixture(scope="module")
def packaged():
    return kv.load_corridor("middle-corridor")


def test_every_operator_of_the_packaged_corridor_has_a_rule(packaged):
    rules = packaged.tables["tariff_rules"]
    ours = {
        "ktz",
        "ady",
        "gr",
        "tcdd",
        "asco",
        "kmtf",
        "aktau_port",
        "kuryk_port",
        "baku_port",
        "poti_port",
        "batumi_port",
        "cpc",
        "btc_co",
    }
    assert ours <= set(rules["operator_id"].drop_nulls())
    assert set(rules.filter(rules["is_through"])["operator_id"]) == {None}
    chinese, sourced = rules.filter(rules["rule_id"] == "ktz_boxes"), rules.filter(rules["rule_id"] == "gr_ores_2016")
    assert (str(chinese["confidence"][0]), str(sourced["confidence"][0])) == ("estimate", "sourced")


def test_harmonising_measures_change_charges_as_they_say(packaged):
    """What the texts of the measures say, worked out from the case; none of them is in a scenario."""
    names = ("flat_wagon_fees", "through_tariff_half", "fixed_tariff", "single_currency", "one_border_charge", "ktz_tariff_reform")
    assert not {name for scenario in scenario_ids(packaged) for name in load_scenario(scenario, packaged).measure_ids} & set(names)
    baseline, links = load_scenario("baseline", packaged), packaged.tables["links"]
    port_line = sum(links.filter(links["link_id"].is_in(["r_shalkar__beineu", "r_beineu__mangystau", "r_mangystau__aktau"]))["length_km"])

    def rates(*measures):
        tables = apply(with_measures(baseline, packaged, list(measures)), packaged, year=2028).tables
        return dict(tables["tariffs"].select("tariff_id", "rate").iter_rows()), tables

    before, _ = rates()
    ktz, whole = before["ktz__container"], before["ktz__container"] * 3169.0  # Altynkol-Aktau
    premium = stability_share(deviation_share_per_year=0.16, years=3, reliability_ratio=0.4)
    assert premium == pytest.approx(0.09, abs=0.005)
    for measure, saved_usd_per_teu in (
        ("flat_wagon_fees", 37.5), ("through_tariff_half", 0.5 * ktz * port_line), ("fixed_tariff", premium * whole),
        ("single_currency", 0.01 * whole),
    ):  # fmt: skip
        found, _ = rates(measure)
        assert (ktz - found["ktz__r_shalkar__beineu__container"]) * port_line == pytest.approx(saved_usd_per_teu, rel=0.02), measure
        assert found["ady__container"] < before["ady__container"]
    every, _ = rates(*names)  # they act on one another's rates, so that all can be taken
    assert every["ktz__r_shalkar__beineu__container"] == pytest.approx(ktz * 0.794 * 0.5 * 0.69 * 0.9655)
    asked, _ = rates("ktz_tariff_reform")
    assert asked["ktz_asked__grain__wagon"] / before["ktz__wagon"] == pytest.approx(2.6)
    assert asked["ktz__crude_oil__wagon"] / before["ktz__crude_oil__wagon"] == pytest.approx(1.8)
    _, tables = rates("one_border_charge")
    costs = dict(tables["terminals"].select("terminal_id", "cost_usd_per_teu").iter_rows())
    assert (costs["altynkol__border_container"], costs["khorgos_cn__border_container"]) == (0.0, 25.0)
