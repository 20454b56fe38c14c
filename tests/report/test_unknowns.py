"""Names of unknowns: made of the case's own, whole in every table and column that may be drawn, told alike wherever they are told."""

from __future__ import annotations

import re

import pytest

from karvan.corridor import key_texts, load_corridor
from karvan.ensembles.factors import ACTS, unknowns
from karvan.report import Words
from karvan.report.unknowns import box_line, called_of, effect_of, told


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("middle-corridor")


def test_every_row_and_column_that_may_be_drawn_has_a_name_in_english_and_russian(corridor):
    for table, columns in ACTS.items():
        if table == "growth":
            continue
        frame = corridor.tables[table]
        rows = key_texts(table, frame)
        names = [f"{table}.{key}.{column}" for column in columns for key in (*rows, "*")]
        called = called_of(corridor, names, shocks={})
        for language in ("en", "ru"):
            words = Words(language, corridor.names.get(language, {}))
            texts = [told(called[name], words) for name in names]
            assert [text for text in texts if re.search(r"[{}|]|\w_\w|:\s*$", text)] == []


def test_what_the_answer_of_the_packaged_case_speaks_of_is_told_plainly(corridor):
    wanted = unknowns(corridor)
    called = called_of(corridor, [*wanted.seeds, *wanted.left_out], shocks={item.shock_id: item.name for item in wanted.shocks})
    assert set(called) == {*wanted.seeds, *wanted.left_out}
    words = Words("en")
    assert [name for name in called if re.search(r"[{}|]|\w_\w", told(called[name], words))] == []
    assert told(called["region_places.world_oil|destination|crude_oil|supsa|any.access_cost_usd_per_t"], words) == (
        "Cost of the way on from Supsa terminal to Buyers of crude oil: Crude oil"
    )
    assert told(called["growth"], words) == "growth of trade, all markets together"
    shock = wanted.shocks[0]
    assert told(called[shock.shock_id], words) == shock.name
    name = told(called["facilities.kuryk_ferry_west.nominal"], words)
    rows = dict(corridor.tables["facilities"].select("facility_id", "name").iter_rows())
    assert name == f"Capacity of {rows['kuryk_ferry_west']}"
    tariff = told(called["tariffs.azerbaijan_oil_pipelines__p_sangachal__supsa__crude_oil__liquid.rate"], words)
    assert re.fullmatch(r"Tariff of .+, Sangachal[^:]* – Supsa[^:]*: Crude oil, liquid", tariff)


def test_a_tariff_one_way_names_its_ends_in_order(corridor):
    frame = corridor.tables["tariffs"]
    row = next(row for row in frame.iter_rows(named=True) if str(row["direction"]) == "backward" and row["link_id"] != "any")
    name = told(called_of(corridor, [f"tariffs.{row['tariff_id']}.rate"], shocks={})[f"tariffs.{row['tariff_id']}.rate"], Words("en"))
    link = next(link for link in corridor.tables["links"].iter_rows(named=True) if link["link_id"] == row["link_id"])
    places = dict(corridor.tables["places"].select("place_id", "name").iter_rows())
    assert f"{places[link['to_place']]} to {places[link['from_place']]}" in name


@pytest.mark.parametrize(
    ("kind", "low", "high", "text"),
    [
        ("value", 7.0, 6.0, "more of it: fewer tonnes"),
        ("several", 6.0, 7.0, "more of it: more tonnes"),
        ("shock", 7.0, 6.0, "if it comes: fewer tonnes"),
    ],
)
def test_a_driver_says_which_way_it_works(kind, low, high, text):
    assert effect_of({"kind": kind, "low_mean": low, "high_mean": high, "metric": "corridor_mt"}, Words("en")) == text


@pytest.mark.parametrize(
    ("side", "text"),
    [
        ({"holds": "below", "low": 1.0, "high": 6000.0, "low_share": 0.0, "high_share": 0.4},
         "Tariffs, all estimates together: below 6,000"),
        ({"holds": "above", "low": None, "high": None, "low_share": 0.7, "high_share": 1.0},
         "Tariffs, all estimates together: in the highest 30% of what was drawn"),
        ({"holds": "shock", "comes_share": 0.9, "chance_share": 0.3},
         "Tariffs, all estimates together: it comes in 90% of them, and in 30% of all futures"),
    ],
)  # fmt: skip
def test_a_side_of_a_box_is_a_sentence(side, text):
    called = {"tariffs.*.rate": {"key": "unknown_all.tariffs.rate", "values": {}}}
    assert box_line({"factor": "tariffs.*.rate", **side}, called, Words("en")) == text
