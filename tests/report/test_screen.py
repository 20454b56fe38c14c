"""The screen's document against the tables of the run it was made from."""

from __future__ import annotations

import json

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.report import compare_screens, screen
from karvan.report.network import short

SIX_DIGITS = 1e-5  # numbers of the document are cut to six significant digits


@pytest.fixture(scope="module")
def small(small_run, two_ports):
    return screen(small_run, two_ports)


@pytest.fixture(scope="module")
def real(real_run):
    return screen(real_run, load_corridor("middle-corridor"))


def test_it_is_json_and_says_which_schema_it_follows(small):
    assert (small["kind"], small["schema"]) == ("karvan-screen", 1)
    assert json.loads(json.dumps(small, allow_nan=False)) == small


def test_every_link_carries_what_the_run_says(small, small_run):
    links = small_run.frame("links").filter(pl.col("case") == "scenario")
    for link in small["links"]:
        for index, year in enumerate(small["years"]):
            row = links.row(by_predicate=(pl.col("link_id") == link["link_id"]) & (pl.col("year") == year), named=True)
            assert link["forward_kt"][index] == pytest.approx(row["forward_kt"], rel=SIX_DIGITS)
            assert link["backward_kt"][index] == pytest.approx(row["backward_kt"], rel=SIX_DIGITS)


def test_goods_on_a_link_add_up_to_what_it_carries(real):
    for link in real["links"]:
        for index in range(len(real["years"])):
            summed = sum(kt[index] for kt in link["goods_kt"].values())
            whole = link["forward_kt"][index] + link["backward_kt"][index]
            assert summed == pytest.approx(whole, rel=1e-3, abs=0.7)  # four digits each, groups below 0.05 kt left out


def test_what_the_corridor_carries_on_a_link_is_part_of_all(real):
    for link in real["links"]:
        for index in range(len(real["years"])):
            whole = link["forward_kt"][index] + link["backward_kt"][index]
            assert link["corridor_kt"][index] <= whole * (1 + 1e-4) + 0.01  # both are cut to six digits


def test_flows_of_the_headline_cordon_add_up_to_the_headline(real):
    for index, row in enumerate(real["outlook"]["scenario"]):
        assert sum(flow["scenario_kt"][index] for flow in real["flows"]) / 1e3 == pytest.approx(row["corridor_mt"], rel=SIX_DIGITS)


def test_use_never_exceeds_capacity(real):
    for facility in real["facilities"]:
        for case in ("scenario", "baseline"):
            for flow, capacity in zip(facility[case]["flow"], facility[case]["capacity"], strict=True):
                assert flow <= capacity * (1 + 1e-5) + 1e-6  # the solver's tolerance


def test_figures_are_those_of_the_focus_year(real, real_run):
    year = real["focus_year"]
    ours = next(row for row in real_run.report["years"] if row["year"] == year)
    figures = {row["figure_id"]: row for row in real["figures"]}
    assert year == 2028
    assert figures["corridor"]["value"] == ours["corridor_mt"]
    assert figures["boxes"]["value"] == ours["containers_teu"]
    assert figures["corridor"]["low"] <= figures["corridor"]["value"] <= figures["corridor"]["high"]


def test_every_named_source_is_told(real):
    told = {row["source_id"] for row in real["sources"]}
    named = {value["source"] for part in ("links", "facilities") for row in real[part] for value in row["values"]}
    assert named <= told


def test_estimates_are_marked_and_have_a_range(real):
    nominal = [value for row in real["facilities"] for value in row["values"] if value["column"] == "nominal"]
    estimates = [value for value in nominal if value["confidence"] == "estimate"]
    assert estimates
    assert all(value["low"] is not None or value["high"] is not None for value in estimates)


def test_a_corridor_without_a_headline_promise_still_has_an_answer(small):
    assert small["answer"][0]["key"].startswith("answer.")


def test_a_run_held_against_itself_differs_nowhere(small):
    found = compare_screens(small, small)
    assert found["links"] == found["facilities"] == []
    assert all(row["change"] == 0.0 for row in found["figures"])


def test_a_ladder_is_carried_along_as_it_was_printed(small_run, two_ports):
    rungs = {"as_is": [], "relieved": [], "year": 2024, "scenario_id": "baseline", "to_mt": 10.0}
    assert screen(small_run, two_ports, ladder=rungs)["ladder"] == rungs
    assert screen(small_run, two_ports)["ladder"] is None


@pytest.mark.parametrize(("value", "cut"), [(None, 0), (0.0, 0), (-0.0, 0), (1234567.0, 1234570), (0.1234567, 0.123457), (2.0, 2)])
def test_numbers_are_cut_to_six_digits(value, cut):
    assert short(value) == cut
    assert str(short(value)) == str(cut)
