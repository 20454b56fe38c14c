"""Shippers' questions on the packaged case and on the two ports."""

from __future__ import annotations

import datetime
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.errors import DataError
from karvan.results import ShippingAnswer
from karvan.routing import SearchOptions, pareto_ways
from karvan.routing.limits import Cargo
from karvan.study import ScenarioOptions, ShippingDesk, route
from karvan.study.names import plain

LIFTED = datetime.date(2025, 10, 21)
HOURS = ("moving", "waiting", "border", "gauge", "port")


@pytest.fixture(scope="module")
def real():
    return load_corridor("middle-corridor")


@pytest.fixture(scope="module")
def desk(real):
    return ShippingDesk(real)


def wheat(desk, day, **more) -> ShippingAnswer:
    return desk.answer("Kostanay", "Yerevan", commodity="wheat", depart=datetime.date.fromisoformat(day), **more)


def links_of(option):
    return {link for leg in option.legs for link in leg["links"]}


def test_wheat_through_azerbaijan_is_refused_with_its_rule_before_the_ban_is_lifted(desk):
    found = wheat(desk, "2025-10-01")
    assert found.answer == "allowed"  # round Azerbaijan: by road over the Caucasus, or by Iran
    assert all("r_boyuk_kesik__gardabani" not in links_of(option) for option in found.options)
    (refusal,) = found.rejected
    assert refusal.reason == "ban"
    assert refusal.rules[0].rule == "Azerbaijan lets no goods pass to or from Armenia."
    assert refusal.rules[0].source == "am_transit_lifted_2025"
    assert (refusal.rules[0].until_date, refusal.rules[0].until_measure_id) == (LIFTED, "armenia_transit_lifted")
    assert "r_boyuk_kesik__gardabani" in links_of(refusal.opens)
    assert refusal.opens.cost_usd_per_t < min(option.cost_usd_per_t for option in found.options)


def test_wheat_through_azerbaijan_is_allowed_after(desk):
    before, after = wheat(desk, "2025-10-01"), wheat(desk, "2025-11-01")
    cheapest = next(option for option in after.options if "cheapest" in option.labels)
    assert "r_boyuk_kesik__gardabani" in links_of(cheapest)
    assert cheapest.permission == "allowed"
    assert cheapest.cost_usd_per_t == pytest.approx(before.rejected[0].opens.cost_usd_per_t)  # its tariffs did not move in between
    assert after.rejected == ()
    assert [(rule.until_date, rule.until_measure_id) for rule in after.lifted] == [(LIFTED, "armenia_transit_lifted")]


def test_the_railway_alone_is_refused_outright(desk):
    only_rail = {"via": ["r_boyuk_kesik__gardabani"]}
    assert wheat(desk, "2025-10-20", **only_rail).answer == "refused"
    assert wheat(desk, "2025-10-20", **only_rail).options == ()
    assert wheat(desk, "2025-10-21", **only_rail).answer == "allowed"


@pytest.mark.parametrize(
    ("ends", "goods"),
    [(("xian", "duisburg"), "containers"), (("shanghai", "baku"), "machinery"), (("almaty", "poti"), "metals")],
)
def test_legs_add_up(desk, ends, goods):
    found = desk.answer(*ends, commodity=goods, year=2026)
    assert found.options
    for option in (*found.options, *(item.opens for item in found.rejected)):
        legs = option.legs
        assert sum(leg["cost_usd_per_t"] for leg in legs) == pytest.approx(option.cost_usd_per_t)
        assert sum(leg["time_h"] for leg in legs) == pytest.approx(option.time_h)
        assert sum(leg["variance_h2"] for leg in legs) == pytest.approx(option.variance_h2)
        assert sum(leg["variance_share"] for leg in legs) == pytest.approx(1.0)
        assert sum(leg["co2e_kg_per_t"] for leg in legs) == pytest.approx(option.co2e_kg_per_t)
        assert sum(leg["co2e_ttw_kg_per_t"] for leg in legs) == pytest.approx(option.co2e_ttw_kg_per_t)
        for heading in HOURS:
            assert sum(leg[f"{heading}_h"] for leg in legs) == pytest.approx(option.hours[heading])
        assert legs[0]["from"] == ends[0]
        assert legs[-1]["to"] == ends[1]
        assert all(leg["to"] == following["from"] for leg, following in pairwise(legs))
        assert option.time_p50_d < option.time_p80_d < option.time_p95_d


def test_options_told_are_the_extremes_of_the_search(desk):
    found = desk.answer("chongqing", "duisburg", commodity="containers", year=2027)
    by_label = {label: option for option in found.options for label in option.labels if label != "balanced"}
    assert by_label["cheapest"].cost_usd_per_t == min(option.cost_usd_per_t for option in found.options)
    assert by_label["fastest"].time_h == min(option.time_h for option in found.options)
    assert by_label["most_reliable"].variance_h2 == min(option.variance_h2 for option in found.options)
    assert by_label["cleanest"].co2e_kg_per_t == min(option.co2e_kg_per_t for option in found.options)


@pytest.mark.parametrize(
    ("start", "end", "goods"),
    [
        ("tashkent", "istanbul_halkali", "metals"), ("chongqing", "duisburg", "container_general"), ("kostanay", "yerevan", "grain"),
        ("almaty", "poti", "other"),
    ],
)  # fmt: skip
def test_nothing_passes_what_is_closed(desk, start, end, goods):
    """Ten thousand random closures of a quarter of the links: no way passes a closed arc, and nothing gets better."""
    day = desk._day(datetime.date(2026, 7, 1), is_departure=False)
    costs, criteria = day.goods(goods)
    ends, _ = day.asked(day.places.rows[start], day.places.rows[end], goods, (), ())
    search = SearchOptions(epsilon=0.3)
    free = pareto_ways(day.graph, criteria, costs.allowed, ends).values.min(axis=0)
    rng = np.random.default_rng(11)
    links, on_link = int(day.graph.arc_link.max()) + 1, day.graph.arc_link >= 0
    ways_found = 0
    for _ in range(2500):
        mask = costs.allowed & ~(on_link & (rng.random(links) < 0.25)[day.graph.arc_link])
        ways = pareto_ways(day.graph, criteria, mask, ends, options=search)
        if ways.arcs:
            ways_found += 1
            assert mask[np.concatenate(ways.arcs)].all()
            assert (ways.values.min(axis=0) >= free * (1.0 - 1e-9)).all()
    assert 100 < ways_found < 2500  # some closures leave a way, some none


def test_a_winter_crossing_waits_longer_than_a_summer_one(desk):
    """The year's wait for a ship at Aktau, times 2.45 for goods that leave in December and 0.34 in July."""

    def waiting(day):
        found = desk.answer("altynkol", "absheron", commodity="containers", via=["c_aktau__alat"], depart=datetime.date.fromisoformat(day))
        return next(leg["waiting_h"] for leg in found.options[0].legs if leg["from"] == leg["to"] == "aktau")

    year = desk.answer("altynkol", "absheron", commodity="containers", via=["c_aktau__alat"], year=2024).options[0]
    (mean,) = (leg["waiting_h"] for leg in year.legs if leg["from"] == leg["to"] == "aktau")
    assert (waiting("2024-12-10"), waiting("2024-07-01")) == pytest.approx((2.45 * mean, 0.34 * mean))


def test_cabotage_is_refused_or_to_be_checked_with_its_rule(desk):
    def asked(ends, goods, day, carrier):
        cargo = Cargo(carrier=carrier)
        return desk.answer(*ends, commodity=goods, depart=datetime.date.fromisoformat(day), cargo=cargo, has_legs=False)

    ships = asked(("mersin", "ambarli"), "containers", "2026-03-01", "GE")
    assert "turkish_cabotage_law_815" in {rule.source for item in ships.rejected if item.reason == "ban" for rule in item.rules}
    assert asked(("mersin", "ambarli"), "containers", "2026-03-01", "TR").rejected == ()
    for day, reason, source in (
        ("2024-12-31", "ban", "eaeu_cabotage_24_kg_2020"),
        ("2025-01-01", "needs_check", "timesca_cabotage_eaeu_2025"),
    ):
        (refusal,) = asked(("almaty", "astana"), "machinery", day, "RU").rejected
        assert (refusal.reason, {rule.source for rule in refusal.rules}) == (reason, {source})
    assert asked(("almaty", "astana"), "machinery", "2025-01-01", "KZ").rejected == ()
    with pytest.raises(DataError, match="two capital letters"):
        asked(("almaty", "astana"), "machinery", "2025-01-01", "Russia")


def test_a_closed_link_is_on_no_way_by_any_option(real):
    closed = ShippingDesk(real, options=ScenarioOptions(set_values=("links.r_samur__yalama.is_open=false",)))
    for goods in ("grain", "metals", "containers"):
        found = closed.answer("moscow", "baku", commodity=goods, year=2026)
        assert all("r_samur__yalama" not in links_of(option) for option in found.options)
        assert all("r_samur__yalama" not in links_of(item.opens) for item in found.rejected)


def test_the_order_of_rows_does_not_matter(real, desk):
    turned = ShippingDesk(replace(real, tables={name: frame.reverse() for name, frame in real.tables.items()}))
    for ends, goods in ((("kostanay", "yerevan"), "grain"), (("xian", "poti"), "containers")):
        one, other = (asked.answer(*ends, commodity=goods, depart=datetime.date(2025, 10, 1)).as_dict() for asked in (desk, turned))
        assert one["options"] == other["options"]
        assert [item["opens"] for item in one["rejected"]] == [item["opens"] for item in other["rejected"]]


def test_avoid_and_via(desk):
    middle = desk.answer("xian", "poti", commodity="containers", year=2026, via=["middle"])
    assert {option.family_id for option in middle.options} == {"middle"}
    away = desk.answer("xian", "poti", commodity="containers", year=2026, avoid=["middle", "RU"])
    assert away.options
    assert not {option.family_id for option in away.options} & {"middle", "northern"}
    by_kuryk = desk.answer("almaty", "poti", commodity="metals", year=2026, via=["kuryk"], max_options=2)
    assert 1 <= len(by_kuryk.options) <= 2
    assert all("kuryk" in {leg["from"] for leg in option.legs} for option in by_kuryk.options)  # not there and back by rail


def test_a_later_deadline_is_met_more_often(desk):
    shares = [wheat(desk, "2025-11-01", deadline=datetime.date(2025, 11, day), max_options=1).options[0].on_time_share for day in (5, 7, 9)]
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < shares[2]


def test_a_market_definition_does_not_bind_a_shipper(desk):
    """Coastal China to the Caucasus is counted by sea only; a shipper may go by rail all the same."""
    found = desk.answer("shanghai", "baku", commodity="containers", year=2026)
    assert any(option.family_id == "middle" for option in found.options)


@pytest.mark.parametrize(
    ("word", "message"),
    [("istanbul", None), ("Xi'an", None), ("cnsia", None), ("an", "may mean"), ("duisburgh", "did you mean duisburg")],
)
def test_places_by_name(desk, word, message):
    if message is None:
        assert desk.answer(word, "poti", commodity="boxes", year=2026).options
        return
    with pytest.raises(DataError, match=message):
        desk.answer(word, "poti", commodity="boxes", year=2026)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"year": 2026, "depart": datetime.date(2026, 1, 1)}, "either a year or a day"),
        ({"deadline": datetime.date(2026, 1, 1)}, "give --depart too"),
        ({"depart": datetime.date(2026, 1, 2), "deadline": datetime.date(2026, 1, 1)}, "must not be before"),
        ({"max_options": 0}, "must be 1 or more"),
        ({"year": 1999}, "must be the base year"),
        ({"avoid": ["nowhere"]}, "no link, terminal, facility"),
        ({"via": ["cpc"]}, "route family of other goods"),
        ({"commodity": "unobtainium"}, "names no row"),
    ],
)
def test_wrong_questions_are_named(desk, asked, message):
    with pytest.raises(DataError, match=message):
        desk.answer("xian", "poti", **({"commodity": "boxes"} | asked))


def test_accents_and_case_do_not_matter():
    assert plain("  Türkiye ") == plain("TURKIYE")
    assert plain("CN SIA") == plain("cnsia")


def test_the_two_ports_by_hand(two_ports):
    """By sea 100 USD/t in 30 h, sd 3 h, 450 km at 12 g; no boarding terminal: half of the 8.4 h between 20 sailings a week is waited.
    By land, if the sea is to be avoided, 120 USD/t in 80 h, and 12 h at the border, sd^2 = 4^2 + 2 x 4^2, 1,200 km at 15 g."""
    found = route(two_ports, "East Port", "west_port", commodity="wheat", year=2024)
    (sea,) = found.options  # better than the land in every way
    (land,) = route(two_ports, "East Port", "west_port", commodity="wheat", year=2024, avoid=["sea_east_west"]).options
    assert sea.labels == ("balanced", "cheapest", "fastest", "most_reliable", "cleanest")
    assert (sea.cost_usd_per_t, sea.time_h, sea.co2e_kg_per_t) == pytest.approx((100.0, 34.2, 5.4))
    assert sea.variance_h2 == pytest.approx(9.0 + 8.4**2 / 12.0)
    assert sea.hours["waiting"] == pytest.approx(4.2)
    assert (land.cost_usd_per_t, land.time_h, land.variance_h2, land.co2e_kg_per_t) == pytest.approx((120.0, 92.0, 48.0, 18.0))
    assert (land.hours["border"], land.hours["waiting"]) == (6.0, 6.0)


@pytest.mark.parametrize(("effect", "answer"), [("ban", "refused"), ("needs_check", "needs_check"), ("allow", "allowed")])
def test_what_a_rule_means_to_a_shipper(two_ports, effect, answer):
    """Both ways closed to grain by one rule."""
    rows = two_ports.tables["permissions"]
    both = pl.concat([rows, rows.with_columns(permission_id=pl.lit("sea_closed"), link_id=pl.lit("sea_east_west"))]).with_columns(
        in_force=pl.lit(value=True), effect=pl.lit(effect).cast(rows["effect"].dtype)
    )
    found = route(replace(two_ports, tables={**two_ports.tables, "permissions": both}), "east_port", "west_port", commodity="grain")
    assert found.answer == answer
    assert {option.permission for option in found.options} == (set() if answer == "refused" else {answer})
    assert all(bool(option.rules) == (answer == "needs_check") for option in found.options)
    assert [item.reason for item in found.rejected] == (["ban"] if answer == "refused" else [])


def test_goods_wait_for_the_next_dated_sailing(two_ports):
    """Ready on 1 March for sailings at noon of the 5th and the 9th: 108 h of waiting and 30 h at sea; by land if no ship leaves in time."""
    rows = two_ports.tables["sailings"]
    dated = pl.DataFrame(
        {
            "sailing_id": ["first", "second"], "link_id": ["sea_east_west"] * 2, "direction": ["forward"] * 2,
            "departs_date": [datetime.date(2024, 3, 9), datetime.date(2024, 3, 5)], "note": [None, None], "source": ["teaching"] * 2,
            "confidence": ["estimate"] * 2,
        },
        schema=rows.schema,
    )  # fmt: skip
    desk = ShippingDesk(replace(two_ports, tables={**two_ports.tables, "sailings": dated}))
    asked = {"commodity": "wheat", "max_options": 3}
    found = desk.answer("east_port", "west_port", depart=datetime.date(2024, 3, 1), **asked)
    sea = next(option for option in found.options if "cheapest" in option.labels)
    assert (sea.time_h, sea.hours["waiting"], sea.legs[0]["waiting_h"]) == (138.0, 108.0, 108.0)
    assert {option.cost_usd_per_t for option in found.options} == {100.0, 120.0}  # the land is now the faster
    (late,) = desk.answer("east_port", "west_port", depart=datetime.date(2024, 3, 10), **asked).options
    assert late.cost_usd_per_t == pytest.approx(120.0)
    (any_day,) = desk.answer("east_port", "west_port", year=2024, **asked).options
    assert any_day.hours["waiting"] == pytest.approx(4.2)


def test_what_is_not_open_is_told_when_nothing_leads_there(desk):
    found = desk.answer("shanghai", "rotterdam", commodity="containers", year=2026, via=["suez"])
    assert (found.answer, found.options) == ("refused", ())
    (refusal,) = found.rejected
    assert refusal.reason == "closed"
    assert refusal.rules[0].rule == "Link o_bab_el_mandeb__suez is not open. The measure suez_return would open it."
    assert "o_bab_el_mandeb__suez" in links_of(refusal.opens)
