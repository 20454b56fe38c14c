"""Measures as cards and inputs as a list, on the two ports."""

from __future__ import annotations

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.validation import inputs, measure_cards, references_of, scenario_entries, sources


@pytest.fixture(scope="module")
def cards(two_ports):
    return {card["measure_id"]: card for card in measure_cards(references_of(two_ports))}


def test_a_card_says_what_changes_when_at_whose_cost(cards):
    card = cards["bigger_ferry"]
    assert card["size"] == "The ferry: capacity from 6,000 to 7,000 kt"
    assert card["capital_musd"] == 40.0
    assert card["sponsors"] == [{"operator_id": "sea_line", "name": "Sea Line", "share": 1.0}]
    assert card["source"]["title"] == "Invented for teaching"
    assert card["scenarios"] == ["agreed"]
    assert cards["joint_timetable"]["size"] == "The ferry: capacity times 1.05"
    assert cards["pass_closed"]["changes"][0]["kind"] == "open"


def test_what_a_measure_costs_is_null_where_it_is_not_known(cards):
    assert cards["pass_closed"]["capital_musd"] is None


def test_scenarios_give_dates(two_ports):
    found = {item["scenario_id"]: item for item in scenario_entries(references_of(two_ports))}
    assert found["agreed"]["measures"] == [{"measure_id": "bigger_ferry", "from_date": "2027-01-01", "until_date": None}]


def test_every_measure_of_the_packaged_case_has_a_card():
    corridor = load_corridor("middle-corridor")
    found = measure_cards(references_of(corridor))
    assert {card["measure_id"] for card in found} == set(corridor.measures_text)
    assert [card["measure_id"] for card in found if not card["size"]] == []


def test_inputs_are_the_numbers_that_sources_count(two_ports):
    # growth keeps its range in two number columns of its own, which are no inputs beside the rate
    ends = 2 * two_ports.tables["growth"].height
    assert inputs(two_ports).height == sources(two_ports)["numbers"]["count"] - ends


def test_an_input_has_its_range_and_can_be_named(two_ports):
    found = inputs(two_ports)
    rate = found.filter(pl.col("table") == "growth").row(0, named=True)
    assert rate["ref"] == "growth.steady|2025.rate_share_per_year"
    assert (rate["low"], rate["high"]) == tuple(two_ports.tables["growth"].select("low_share_per_year", "high_share_per_year").row(0))
    assert found["ref"].n_unique() == found.height
