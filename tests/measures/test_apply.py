"""Scenario and year to Snapshot, on the two ports."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.errors import DataError, MeasureError
from karvan.measures import apply, check_scenario, load_scenario, read_measure, with_measures, without_measures
from karvan.measures.scenario import DatedMeasure, Scenario

HEAD = "title: T\nstatus: option\nsource: teaching\nconfidence: estimate\ndoc: D\n"


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("two-ports")


def _scenario(*texts: str) -> Scenario:
    dated = []
    for number, text in enumerate(texts):
        measure = read_measure(f"id: m{number}\n{HEAD}{text}", f"m{number}")
        dated.append(DatedMeasure(measure, measure.from_date, measure.until_date))
    dated.sort(key=lambda item: item.from_date)
    return Scenario("test", "Test", tuple(dated))


def _ferry(snapshot, column="nominal"):
    return snapshot.tables["facilities"].filter(pl.col("facility_id") == "ferry")[column].item()


def test_an_empty_scenario_changes_nothing(corridor):
    snapshot = apply(load_scenario("history", corridor), corridor, year=2024)
    for name, frame in corridor.tables.items():
        assert snapshot.tables[name].equals(frame), name


def test_a_capacity_takes_its_day_weighted_mean(corridor):
    scenario = _scenario("from_date: 2026-04-01\nchanges: [{table: facilities, where: {facility_id: ferry}, set: {nominal: 7000.0}}]")
    # 90 days at 6000 and 275 at 7000; tolerance: rounding of doubles
    assert _ferry(apply(scenario, corridor, year=2026)) == pytest.approx((90 * 6000 + 275 * 7000) / 365, rel=1e-12)
    assert _ferry(apply(scenario, corridor, year=2025)) == 6000.0
    assert _ferry(apply(scenario, corridor, year=2027)) == 7000.0


def test_a_temporary_change_ends_by_itself(corridor):
    change = "{table: facilities, where: {facility_id: ferry}, scale: {availability_share: 0.5}}"
    text = f"from_date: 2026-01-01\nuntil_date: 2026-02-01\nchanges: [{change}]"
    scenario = _scenario(text)
    assert _ferry(apply(scenario, corridor, year=2026), "availability_share") == pytest.approx((31 * 0.5 + 334) / 365, rel=1e-12)
    assert _ferry(apply(scenario, corridor, year=2027), "availability_share") == 1.0


def test_open_and_closed_are_as_on_the_first_of_july(corridor):
    scenario = _scenario("from_date: 2026-07-02\nchanges: [{table: links, where: {link_id: rail_east_pass}, close: true}]")
    is_open = pl.col("link_id") == "rail_east_pass"
    assert apply(scenario, corridor, year=2026).tables["links"].filter(is_open)["is_open"].item() is True
    assert apply(scenario, corridor, year=2027).tables["links"].filter(is_open)["is_open"].item() is False


def test_a_ramp_is_linear(corridor):
    text = "from_date: 2026-01-01\nramp_years: 2\nchanges: [{table: facilities, where: {facility_id: ferry}, set: {nominal: 8000.0}}]"
    scenario = _scenario(text)
    # mean over the first of two years is a quarter of the way; tolerance: half a day of a two-year ramp
    assert _ferry(apply(scenario, corridor, year=2026)) == pytest.approx(6500.0, rel=1e-3)
    assert _ferry(apply(scenario, corridor, year=2027)) == pytest.approx(7500.0, rel=1e-3)
    assert _ferry(apply(scenario, corridor, year=2028)) == pytest.approx(8000.0, rel=1e-6)


def test_changes_apply_by_date_whatever_the_order_they_are_listed_in(corridor):
    later = "from_date: 2027-01-01\nchanges: [{table: facilities, where: {facility_id: ferry}, set: {nominal: 9000.0}}]"
    earlier = "from_date: 2026-01-01\nchanges: [{table: facilities, where: {facility_id: ferry}, scale: {nominal: 0.5}}]"
    assert _ferry(apply(_scenario(later, earlier), corridor, year=2027)) == 9000.0
    assert _ferry(apply(_scenario(later, earlier), corridor, year=2026)) == 3000.0


def test_demand_grows_by_its_group_and_range(corridor):
    scenario = load_scenario("history", corridor, growth="high")
    flow = apply(scenario, corridor, year=2026).tables["demand"]["flow_kt"].item()
    assert flow == pytest.approx(10000 * 1.02**2, rel=1e-12)


def test_a_row_can_be_added(corridor):
    text = (
        "from_date: 2026-01-01\n"
        "changes: [{table: facilities, add: [{facility_id: pass, name: The pass, kind: rail_section, operator_id: land_railway,"
        " unit: kt, nominal: 3000.0, source: teaching, confidence: estimate}]}]"
    )
    scenario = _scenario(text)
    assert check_scenario(scenario, corridor) == []
    added = apply(scenario, corridor, year=2026).tables["facilities"].filter(pl.col("facility_id") == "pass")
    assert added["availability_share"].item() == 1.0
    assert apply(scenario, corridor, year=2025).tables["facilities"].height == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("{table: ferries, where: {facility_id: ferry}, set: {nominal: 1.0}}", "no table ferries"),
        ("{table: facilities, where: {facility_id: fery}, set: {nominal: 1.0}}", "no row of facilities has facility_id = fery"),
        ("{table: facilities, where: {facility_id: ferry}, set: {nominal: -5.0}}", "must be a finite number, 0 or more"),
        ("{table: facilities, where: {facility_id: ferry}, set: {unit: TEU}}", "must be one of kt, kteu"),
        ("{table: facilities, where: {facility_id: ferry}, set: {nominal: lots}}", "must be a finite number"),
        ("{table: facilities, where: {facility_id: ferry}, set: {nominal: 6000.0}}", "changes nothing"),
        ("{table: facilities, where: {facility_id: ferry}, set: {facility_id: boat}}", "a key cannot be set"),
        ("{table: facilities, where: {facility_id: ferry}, close: true}", "cannot be opened or closed"),
        ("{table: facilities, where: {facility_id: ferry}, scale: {name: 2.0}}", "only numbers can be scaled"),
        ("{table: facilities, where: {colour: red}, scale: {nominal: 2.0}}", "no column colour"),
        ("{table: links, where: {link_id: rail_east_pass}, open: true}", "changes nothing"),
        ("{table: facilities, add: [{facility_id: pass}]}", "name is missing"),
    ],
)
def test_a_change_that_does_not_fit_is_told(corridor, change, words):
    problems = check_scenario(_scenario(f"from_date: 2026-01-01\nchanges: [{change}]"), corridor)
    assert any(words in problem.message for problem in problems), problems
    assert all("m0, change 1" in problem.message for problem in problems)


def test_all_problems_of_a_scenario_are_told_at_once(corridor):
    bad = "from_date: 2026-01-01\nchanges: [{table: a, where: {b: c}, open: true}, {table: links, where: {link_id: z}, close: true}]"
    assert len(check_scenario(_scenario(bad, bad), corridor)) >= 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from_date: 2026-01-01\nchanges: [{table: links, where: {link_id: a}, open: true, close: true}]", "exactly one of"),
        ("from_date: 2026-01-01\nchanges: [{table: links, open: true}]", "needs a 'where'"),
        ("from_date: 2026-01-01\nuntil_date: 2025-01-01\nchanges: [{table: links, where: {link_id: a}, open: true}]", "must be after"),
        ("from_date: 2026-01-01\nchanges: [{table: links, where: {link_id: a}, opne: true}]", "unknown key"),
        ("from_date: soon\nchanges: [{table: links, where: {link_id: a}, open: true}]", "valid date"),
        ("from_date: 2026-01-01\nchanges: []", "at least 1 item"),
    ],
)
def test_a_measure_that_cannot_be_read_is_told(text, words):
    with pytest.raises(MeasureError) as caught:
        _scenario(text)
    assert words in str(caught.value)


def test_a_measure_file_must_carry_its_own_name():
    with pytest.raises(MeasureError, match="must be the file's name other"):
        read_measure(f"id: m0\n{HEAD}from_date: 2026-01-01\nchanges: [{{table: links, where: {{link_id: a}}, open: true}}]", "other")


def _edited(corridor, **texts):
    return replace(corridor, measures_text={**corridor.measures_text, **texts})


def _requiring(name: str, other: str) -> str:
    change = "{table: links, where: {link_id: sea_east_west}, close: true}"
    return f"id: {name}\n{HEAD}from_date: 2026-01-01\nrequires: [{other}]\nchanges: [{change}]"


def test_measures_that_require_each_other_in_a_circle_are_told(corridor):
    edited = _edited(corridor, a=_requiring("a", "b"), b=_requiring("b", "c"), c=_requiring("c", "a"))
    with pytest.raises(MeasureError, match="a -> b -> c -> a"):
        load_scenario("agreed", edited)


def test_requires_and_excludes_hold(corridor):
    edited = _edited(corridor, a=_requiring("a", "joint_timetable"))
    scenario = load_scenario("agreed", edited)
    with pytest.raises(MeasureError, match="requires joint_timetable"):
        with_measures(scenario, edited, ["a"])
    assert set(with_measures(scenario, edited, ["a", "joint_timetable"]).measure_ids) == {"a", "joint_timetable", "bigger_ferry"}


def test_with_and_without_are_opposites(corridor):
    scenario = load_scenario("agreed", corridor)
    assert without_measures(with_measures(scenario, corridor, ["joint_timetable"]), ["joint_timetable"]) == scenario
    with pytest.raises(MeasureError, match="is in scenario agreed already"):
        with_measures(scenario, corridor, ["bigger_ferry"])
    with pytest.raises(MeasureError, match="is not in scenario"):
        without_measures(scenario, ["joint_timetable"])


def test_a_shift_moves_openings_after_the_date_and_an_end_ends_them(corridor):
    late = "id: late\ntitle: Late\nextends: agreed\nshift: {opening_after: 2026-06-01, years: 2}\n"
    ended = "id: ended\ntitle: Ended\nextends: agreed\nuntil: {bigger_ferry: 2028-01-01}\n"
    edited = replace(corridor, scenarios_text={**corridor.scenarios_text, "late": late, "ended": ended})
    assert load_scenario("late", edited).dated[0].from_date == date(2029, 1, 1)
    assert load_scenario("ended", edited).dated[0].until_date == date(2028, 1, 1)
    assert _ferry(apply(load_scenario("ended", edited), edited, year=2028)) == 6000.0


def test_unknown_scenarios_and_circles_of_scenarios_are_told(corridor):
    with pytest.raises(MeasureError, match="there is no scenario hope; the corridor has: agreed, baseline, history"):
        load_scenario("hope", corridor)
    loop = replace(corridor, scenarios_text={"a": "id: a\ntitle: A\nextends: b\n", "b": "id: b\ntitle: B\nextends: a\n"})
    with pytest.raises(MeasureError, match="a -> b -> a"):
        load_scenario("a", loop)


def test_a_year_before_the_base_year_is_refused(corridor):
    with pytest.raises(MeasureError, match="base year 2024"):
        apply(load_scenario("history", corridor), corridor, year=2023)


def _months(corridor, *factors: float, peak: float = 1.0):
    """The corridor with a season of grain, and the ferry's busiest month over its mean one."""
    rows = [{"commodity_group": "grain", "month_number": month, "season_factor": factor} for month, factor in enumerate(factors, start=1)]
    seasons = pl.DataFrame(
        [{**row, "source": "teaching", "confidence": "estimate"} for row in rows], schema=corridor.tables["seasons"].schema
    )
    facilities = corridor.tables["facilities"].with_columns(peak_factor=pl.lit(peak))
    return replace(corridor, tables={**corridor.tables, "seasons": seasons, "facilities": facilities})


def test_a_month_has_a_twelfth_of_the_year_times_its_season(corridor):
    made = _months(corridor, *([0.5] * 6 + [1.5] * 6), peak=1.25)
    history = load_scenario("history", made)
    june, december = (apply(history, made, period=period) for period in ("2024-06", "2024-12"))
    assert june.tables["demand"]["flow_kt"].item() == pytest.approx(0.5 * 10000.0 / 12.0, rel=1e-12)
    assert december.tables["demand"]["flow_kt"].item() == pytest.approx(1.5 * 10000.0 / 12.0, rel=1e-12)
    assert (_ferry(june), _ferry(june, "peak_factor")) == (500.0, 1.0)  # the peak stands for months of unlike size, and this is one
    assert (december.period_start, december.state_date, december.period_end) == (date(2024, 12, 1), date(2024, 12, 16), date(2025, 1, 1))
    assert apply(history, corridor, period="2024-06").tables["demand"]["flow_kt"].item() == pytest.approx(10000.0 / 12.0, rel=1e-12)


def test_an_event_of_a_month_is_whole_in_it_and_diluted_in_its_year(corridor):
    closed = (
        "from_date: 2026-03-01\nuntil_date: 2026-03-16\nchanges: [{table: facilities, where: {facility_id: ferry}, set: {nominal: 0.0}}]"
    )
    scenario = _scenario(closed)
    assert _ferry(apply(scenario, corridor, period="2026-03")) == pytest.approx(500.0 * 16.0 / 31.0, rel=1e-12)
    assert _ferry(apply(scenario, corridor, period="2026-04")) == 500.0
    assert _ferry(apply(scenario, corridor, year=2026)) == pytest.approx(6000.0 * 350.0 / 365.0, rel=1e-12)


@pytest.mark.parametrize("period", ["2026", "2026-13", "December", "2026-1"])
def test_a_period_that_is_no_month_is_refused(corridor, period):
    with pytest.raises(DataError, match="must be a month such as 2025-12"):
        apply(load_scenario("history", corridor), corridor, period=period)


def test_one_of_year_and_period_is_given(corridor):
    history = load_scenario("history", corridor)
    for given in ({}, {"year": 2026, "period": "2026-03"}):
        with pytest.raises(DataError, match="either a year or a period"):
            apply(history, corridor, **given)
    with pytest.raises(MeasureError, match="base year 2024"):
        apply(history, corridor, period="2023-12")
