"""Money of a way: who is paid, what dwell adds, quoted rates, limits of a shipment, scarcity of a run; on the two ports, by hand."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace

import polars as pl
import pytest

import karvan as kv
from karvan.errors import DataError
from karvan.network import sea_level_m
from karvan.routing import TransitTime
from karvan.simulation import build
from karvan.study import Cargo, ShippingDesk, read_quotes

DAY = datetime.date(2024, 3, 1)
WHO = {"source": "teaching", "confidence": "estimate"}


def with_rows(corridor, **tables):
    """The corridor with rows added to tables; columns that are left out are empty."""
    found = dict(corridor.tables)
    for name, rows in tables.items():
        schema = found[name].schema
        full = [dict.fromkeys(schema) | WHO | row for row in rows]
        found[name] = pl.concat([found[name], pl.DataFrame(full, schema=schema)])
    return replace(corridor, tables=found)


def ask(corridor, *, desk=None, **more):
    asked = {"commodity": "wheat", "depart": DAY, "max_options": 1} | more
    return ShippingDesk(corridor, **(desk or {})).answer("east_port", "west_port", **asked)


def surcharge(kind, **row):
    return {"surcharge_id": kind, "kind": kind, "commodity_group": "any", "loading_unit": "any", "free_d": 0.0} | row


def test_an_expected_excess_is_the_mean_above_a_limit():
    """Against the sum over many quantiles; without spread it is what is left."""
    time = TransitTime(100.0, 900.0)
    draws = [time.quantile_h((number + 0.5) / 20000.0) for number in range(20000)]
    for limit in (50.0, 100.0, 160.0):
        assert time.excess_h(limit) == pytest.approx(sum(max(draw - limit, 0.0) for draw in draws) / 20000.0, rel=2e-3)
    assert time.excess_h(-5.0) == 105.0
    assert (TransitTime(10.0, 0.0).excess_h(4.0), TransitTime(10.0, 0.0).excess_h(12.0)) == (6.0, 0.0)


def test_money_by_administration_adds_up_in_dollars_and_at_the_last_rate_of_exchange(two_ports):
    operators = two_ports.tables["operators"]
    countries = sorted({country.strip() for cell in operators["country"] for country in cell.split(";")})
    money = [
        {"currency": "AAA", "date": datetime.date(2024, 1, 1), "countries": ";".join(countries), "per_usd": 2.0},
        {"currency": "AAA", "date": datetime.date(2024, 2, 1), "countries": ";".join(countries), "per_usd": 3.0},
        {"currency": "AAA", "date": datetime.date(2024, 9, 1), "countries": ";".join(countries), "per_usd": 9.0},
    ]
    made = with_rows(two_ports, currencies=money)
    (option,) = ask(replace(made, tables={**made.tables, "currencies": made.tables["currencies"].tail(3)})).options
    paid = option.quote.administrations
    assert sum(item["cost_usd_per_t"] for item in paid) == pytest.approx(option.cost_usd_per_t)
    assert all(item["cost_local_per_t"] == pytest.approx(3.0 * item["cost_usd_per_t"]) for item in paid)
    assert {item["rate_date"] for item in paid} == {"2024-02-01"}
    (plain,) = ask(replace(made, tables={**made.tables, "currencies": made.tables["currencies"].clear()})).options
    assert {item["currency"] for item in plain.quote.administrations} == {None}


def test_insurance_and_guarantee_follow_value_and_countries(two_ports):
    made = with_rows(two_ports, surcharges=[surcharge("insurance", rate=0.01, basis="value_share")])
    (usual,) = ask(made).options
    value = two_ports.tables["commodities"].filter(pl.col("commodity_group") == "grain")["value_usd_per_t"][0]
    assert usual.quote.surcharges_expected_usd_per_t == pytest.approx(0.01 * value)
    (dear,) = ask(made, cargo=Cargo(value_usd_per_t=900.0)).options
    assert dear.quote.surcharges_expected_usd_per_t == dear.quote.surcharges_p90_usd_per_t == pytest.approx(9.0)


def test_detention_counts_standing_wagons_beyond_free_days_and_grows_with_the_spread(two_ports):
    """By land 12 h at the border with sd 4 h: nothing is left beyond a free day but the tail, all of it without one."""
    payload = two_ports.tables["commodity_units"].filter(
        (pl.col("commodity_group") == "grain") & (pl.col("loading_unit").cast(pl.String) == "wagon")
    )["payload_t_per_unit"][0]

    def land(free_d):
        row = surcharge("wagon_detention", rate=24.0, basis="usd_per_unit_d", free_d=free_d)
        (option,) = ask(with_rows(two_ports, surcharges=[row]), avoid=["sea_east_west"]).options
        return option, option.quote.surcharges[0]

    option, charged = land(0.0)
    assert charged["expected_usd_per_t"] == pytest.approx(12.0 / payload)
    border = next(leg for leg in option.legs if leg["mode"] == "border")
    tail = TransitTime(12.0, border["variance_h2"])
    assert charged["p90_usd_per_t"] == pytest.approx(tail.quantile_h(0.9) / payload)
    _, spared = land(0.5)
    assert spared["expected_usd_per_t"] == pytest.approx(tail.excess_h(12.0) / payload)
    assert 0.0 < spared["expected_usd_per_t"] < charged["expected_usd_per_t"]


def test_the_most_specific_surcharge_wins_and_old_ones_are_gone(two_ports):
    rows = [
        surcharge("insurance", rate=0.01, basis="value_share"),
        surcharge("insurance", rate=0.02, basis="value_share") | {"surcharge_id": "grain", "commodity_group": "grain"},
        surcharge("insurance", rate=0.5, basis="value_share")
        | {"surcharge_id": "old", "commodity_group": "grain", "loading_unit": "bulk", "until_date": DAY},
    ]
    (option,) = ask(with_rows(two_ports, surcharges=rows)).options
    assert [item["surcharge_id"] for item in option.quote.surcharges] == ["grain"]


def test_a_through_rate_stands_beside_the_sum_of_tariffs(two_ports):
    (plain,) = ask(two_ports).options
    unit = plain.legs[-1]["loading_unit"]
    row = {
        "through_rate_id": "alliance", "from_place": "east_port", "to_place": "west_port", "loading_unit": unit, "rate": 80.0,
        "basis": "usd_per_t", "quoted_date": datetime.date(2024, 1, 1), "offered_by": "the alliance", "includes": "all",
    }  # fmt: skip
    (option,) = ask(with_rows(two_ports, through_rates=[row])).options
    (rate,) = option.quote.through_rates
    assert rate["rate_usd_per_t"] == pytest.approx(80.0)
    assert rate["sum_over_through"] == pytest.approx(option.cost_usd_per_t / 80.0)
    assert option.cost_usd_per_t == plain.cost_usd_per_t  # nothing is computed from it


def test_lateness_is_priced_at_the_value_of_the_goods(two_ports):
    asked = {"deadline": datetime.date(2024, 3, 2)}
    (usual,) = ask(two_ports, **asked).options
    late = TransitTime(usual.time_h, usual.variance_h2).excess_h(48.0)
    assert usual.late_h == pytest.approx(late)
    (dear,) = ask(two_ports, cargo=Cargo(value_usd_per_t=2150.0), **asked).options
    value = two_ports.tables["commodities"].filter(pl.col("commodity_group") == "grain")["value_usd_per_t"][0]
    assert dear.lateness_usd_per_t == pytest.approx(usual.lateness_usd_per_t * 2150.0 / value)
    assert dear.cost_usd_per_t == usual.cost_usd_per_t
    assert (ask(two_ports).options[0].late_h, ask(two_ports).options[0].lateness_usd_per_t) == (None, None)


def quotes(tmp_path, corridor, text):
    path = tmp_path / "quotes.csv"
    path.write_text(text, encoding="utf-8")
    return read_quotes(path, corridor)


def test_quoted_rates_take_the_place_of_the_models_and_are_marked(two_ports, tmp_path):
    operator = two_ports.tables["links"].filter(pl.col("link_id") == "sea_east_west")["operator_id"][0]
    own = quotes(tmp_path, two_ports, f"operator_id,link_id,basis,rate\n{operator},sea_east_west,usd_per_t,61.5\n")
    (option,) = ask(two_ports, desk={"quotes": own}).options
    sea = next(leg for leg in option.legs if leg["links"] == ["sea_east_west"])
    assert (sea["tariff_usd_per_t"], sea["quoted_usd_per_t"], sea["is_quoted"]) == (61.5, 61.5, True)
    assert option.quote.quoted_share == pytest.approx(61.5 / option.cost_usd_per_t)
    (plain,) = ask(two_ports).options
    assert not any(leg["is_quoted"] for leg in plain.legs)
    assert plain.quote.quoted_share == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("operator_id,basis\na,usd_per_t\n", "column rate: must be there"),
        ("operator_id,basis,rate,price\na,usd_per_t,1,2\n", "price: is no column of quotes"),
        ("operator_id,basis,rate\nnobody,usd_per_t,1\n", "row 1, column operator_id: nobody is not known"),
        ("operator_id,terminal_id,basis,rate\n,,usd_per_t,1\n", "give either an operator_id or a terminal_id"),
        ("operator_id,basis,rate\n,usd_per_t,cheap\n", "cheap must be a number of 0 or more"),
    ],
)
def test_wrong_quotes_are_named(two_ports, tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        quotes(tmp_path, two_ports, text)


def limit(**row):
    return {"limit_id": "limit", "loading_unit": "any", "effect": "ban", "rule": "It is not taken."} | row


@pytest.mark.parametrize(
    ("row", "cargo", "is_closed"),
    [
        ({"limited": "hazardous"}, Cargo(hazard_class="3"), True),
        ({"limited": "hazardous"}, Cargo(), False),
        ({"limited": "hazardous", "classes": "1;7"}, Cargo(hazard_class="3"), False),
        ({"limited": "hazardous", "classes": "1;5"}, Cargo(hazard_class="5.1"), True),
        ({"limited": "reefer"}, Cargo(is_reefer=True), True),
        ({"limited": "out_of_gauge"}, Cargo(is_out_of_gauge=True), True),
        ({"limited": "piece_t", "most": 40.0}, Cargo(piece_t=40.0), False),
        ({"limited": "piece_t", "most": 40.0}, Cargo(piece_t=41.0), True),
        ({"limited": "load_t_per_unit", "most": 90.0}, Cargo(unit_t=91.0), True),
        ({"limited": "load_t_per_unit", "most": 90.0}, Cargo(unit_t=89.0), False),
        ({"limited": "reefer", "from_date": DAY + datetime.timedelta(1)}, Cargo(is_reefer=True), False),
        ({"limited": "reefer", "until_date": DAY}, Cargo(is_reefer=True), False),
    ],
)
def test_a_limit_closes_what_a_shipment_goes_beyond(two_ports, row, cargo, is_closed):
    made = with_rows(two_ports, limits=[limit(link_id="sea_east_west", **row)])
    found = ask(made, cargo=cargo)
    uses_sea = any("sea_east_west" in leg["links"] for leg in found.options[0].legs)
    assert uses_sea is not is_closed
    assert [item.rules[0].rule for item in found.rejected] == (["It is not taken."] if is_closed else [])


def test_what_needs_a_check_is_told_so(two_ports):
    made = with_rows(two_ports, limits=[limit(limited="hazardous", effect="needs_check")])
    found = ask(made, cargo=Cargo(hazard_class="3"))
    assert found.answer == "needs_check"
    assert found.options[0].rules[0].effect == "needs_check"


def test_a_quota_needs_a_share_where_it_holds(two_ports):
    facility = two_ports.tables["facilities"].row(0, named=True) | {
        "facility_id": "grain_quota", "name": "Grain by sea", "kind": "quota", "unit": "kt", "nominal": 500.0,
    }  # fmt: skip
    use = {
        "use_id": "quota", "facility_id": "grain_quota", "link_id": "sea_east_west", "direction": "both", "commodity_group": "grain",
        "loading_unit": "any", "weight_factor": 1.0,
    }  # fmt: skip
    held = ask(with_rows(two_ports, facilities=[facility], facility_uses=[use]))
    assert all("sea_east_west" not in leg["links"] for leg in held.options[0].legs)
    assert [item.reason for item in held.rejected] == ["needs_check"]
    assert held.rejected[0].rules[0].rule == "Grain by sea: 500 kt a year are agreed, and a shipment needs a share."
    elsewhere = ask(with_rows(two_ports, facilities=[facility], facility_uses=[use | {"origin_region": "nowhere"}]))
    assert elsewhere.rejected == ()


def at_sea(corridor, east_m, west_m, *levels):
    """One coaster of 5,000 t that needs 6 m and loses 2,000 t a metre, water at both ports by place, and levels of the sea."""
    tables = dict(corridor.tables)
    depths = {"east_port": east_m, "west_port": west_m}
    depth = pl.col("place_id").replace_strict(depths, default=None, return_dtype=pl.Float64)
    tables["berths"] = tables["berths"].with_columns(depth_m=depth, depth_level_m=pl.lit(0.0))
    ship = {
        "name": "Coaster", "room_count": 5000.0, "deadweight_t": 5000.0, "tpc_t_per_cm": 20.0, "draught_m": 5.5, "clearance_m": 0.5,
    }  # fmt: skip
    tables["ships"] = tables["ships"].with_columns(**{name: pl.lit(value) for name, value in ship.items()})
    rows = [
        {"path_id": "measured", "date": datetime.date.fromisoformat(day), "level_m": level, "source": "made", "confidence": "estimate"}
        for day, level in levels
    ]
    tables["sea_levels"] = pl.DataFrame(rows, schema=tables["sea_levels"].schema)
    return replace(corridor, tables=tables)


def coaster(found):
    return next(leg["ships"] for leg in found.options[0].legs if leg["links"] == ["sea_east_west"])


@pytest.mark.parametrize(
    ("day", "load_t", "sailings"),
    [("2024-01-01", 5000.0, 2), ("2025-01-01", 4000.0, 3), ("2024-07-02", 4500.0, 2), ("2040-01-01", 4000.0, 3)],
)
def test_ships_load_less_as_the_sea_falls(two_ports, day, load_t, sailings):
    """6 m of water at first, half a metre less a year later: 1,000 t; between the days on a line, after the last as on it. The port
    that is 8 m deep does not matter."""
    made = at_sea(two_ports, 6.0, 8.0, ("2024-01-01", 0.0), ("2025-01-01", -0.5))
    found = ask(made, depart=datetime.date.fromisoformat(day), cargo=Cargo(tonnes=9000.0))
    (told,) = coaster(found)
    assert told["load_t"] == pytest.approx(load_t, abs=1.0)
    assert told["sailings_needed"] == sailings == math.ceil(9000.0 / told["load_t"])


def test_dredging_lets_ships_load_more(two_ports):
    shallow, deep = (at_sea(two_ports, depth, 8.0, ("2024-01-01", 0.0)) for depth in (4.0, 7.0))
    assert [coaster(ask(made))[0]["load_t"] for made in (shallow, deep)] == [1000.0, 5000.0]


def test_shippers_and_the_simulation_read_one_water(two_ports):
    made = at_sea(two_ports, 5.0, 8.0, ("2024-01-01", -0.5))
    built = build(made.tables, "strait", {"east_trains": 1e6}, level_m=sea_level_m(made.tables["sea_levels"], None, 2024))
    (told,) = coaster(ask(made, depart=datetime.date(2024, 7, 1)))
    assert told["load_t"] == 2000.0
    assert {call.room / call.room_count for call in built.calls} == {told["load_t"] / told["full_load_t"]}


def test_a_ship_that_may_load_nothing_does_not_sail(two_ports):
    found = ask(at_sea(two_ports, 3.0, 8.0, ("2024-01-01", 0.0)))
    assert all("sea_east_west" not in leg["links"] for leg in found.options[0].legs)
    assert "Coaster" in found.rejected[0].rules[0].rule
    assert found.rejected[0].reason == "ban"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    corridor = kv.load_corridor("two-ports")
    kv.run(corridor, years=(2024, 2026), out=folder)
    from karvan.results.store import load_run

    return corridor, load_run(folder)


def test_a_run_adds_the_price_of_full_facilities(saved):
    corridor, run = saved
    scenario = str(run.report["scenario"])
    frame = run.frame("facilities").filter((pl.col("case") == "scenario") & (pl.col("year") == 2026))
    uses = corridor.tables["facility_uses"].filter(pl.col("link_id") == "sea_east_west")
    price = frame.filter(pl.col("facility_id").is_in(uses["facility_id"]))["shadow_price_usd_per_t"].sum()
    asked = {"via": ["sea_east_west"], "depart": datetime.date(2026, 3, 1)}
    plain, priced, queued = (
        ask(corridor, desk={"scenario": scenario} | more, **asked).options[0]
        for more in ({}, {"run": run}, {"run": run, "scarcity": "queue"})
    )
    assert priced.cost_usd_per_t - plain.cost_usd_per_t == pytest.approx(price)
    assert sum(leg["scarcity_usd_per_t"] for leg in priced.legs) == pytest.approx(price)
    assert queued.cost_usd_per_t == plain.cost_usd_per_t
    assert price > 0.0
    assert queued.time_h > priced.time_h


def test_a_run_without_the_year_or_of_another_scenario_is_refused(saved):
    corridor, run = saved
    with pytest.raises(DataError, match="has the years 2024 to 2026, not 2031"):
        ask(corridor, desk={"run": run, "scenario": str(run.report["scenario"])}, depart=datetime.date(2031, 3, 1))
    with pytest.raises(DataError, match="must be one of price, queue"):
        ask(corridor, desk={"run": run, "scenario": str(run.report["scenario"]), "scarcity": "luck"})
    with pytest.raises(DataError, match="is a run of two-ports"):
        ShippingDesk(kv.load_corridor("middle-corridor"), run=run)
