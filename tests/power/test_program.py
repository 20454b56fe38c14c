"""The dispatch against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from karvan.errors import SolverError
from karvan.network import Lines, Plants, PowerSystem, Stores
from karvan.power.dispatcher import Dispatcher
from karvan.power.levels import held_hours
from karvan.power.money import annuity, earnings, surpluses_musd
from karvan.power.program import linear_program
from karvan.power.returning import OneDispatcher, ReturningDispatcher
from karvan.power.solver import model_of, silent_solver


def no_stores(hours: int) -> Stores:
    none = np.empty(0)
    return Stores((), (), np.empty(0, dtype=np.int64), none, none, none, none, none, none, np.empty((hours, 0)))


def plants(hours: int, *rows: tuple[str, int, float, float]) -> Plants:
    """Each row: id, zone, cost, capacity."""
    capacity = np.array([row[3] for row in rows])
    return Plants(
        ids=tuple(row[0] for row in rows), technologies=("gas",) * len(rows), zone=np.array([row[1] for row in rows]),
        cost_usd_per_mwh=np.array([row[2] for row in rows]), co2_t_per_mwh=np.full(len(rows), 0.5), capacity_mw=capacity,
        most_mw=np.tile(capacity, (hours, 1)), least_mw=np.zeros((hours, len(rows))), is_weather=np.zeros(len(rows), dtype=np.bool_),
    )  # fmt: skip


def line(capacity: float, loss: float) -> Lines:
    return Lines(
        ("cable",), np.array([0]), np.array([1]), np.array([capacity]), np.array([loss]), np.array([0.0]), np.zeros((2, 1))
    )  # fmt: skip


def two_zones(capacity: float = 1000.0, loss: float = 0.03) -> PowerSystem:
    """A 5000 MW at 20; B 3000 at 50 and 4000 at 90; loads A 3000, 4700 and B 4500, 2500."""
    return PowerSystem(
        ("a", "b"), np.array([[3000.0, 4500.0], [4700.0, 2500.0]]), np.array([3000.0, 3000.0]),
        plants(2, ("a_gas", 0, 20.0, 5000.0), ("b_gas", 1, 50.0, 3000.0), ("b_peak", 1, 90.0, 4000.0)), no_stores(2), line(capacity, loss),
    )  # fmt: skip


def test_a_lossy_cable_between_two_zones() -> None:
    system = two_zones()
    solved = Dispatcher(system).solve()
    np.testing.assert_allclose(solved.price_usd_per_mwh, [[20.0, 90.0], [48.5, 50.0]], atol=1e-9)
    np.testing.assert_allclose(solved.there_mw[:, 0], [1000.0, 300.0], atol=1e-9)
    np.testing.assert_allclose(earnings(system, solved).rent[:, 0], [67300.0, 0.0], atol=1e-6)
    assert solved.objective_usd == pytest.approx(488150.0, abs=1e-6)
    # An unconstrained flow makes p_A = (1 - loss) p_B; at the limit the rent is what one more megawatt saves.
    assert solved.line_value_usd_per_mw(0) == pytest.approx(0.97 * 90.0 - 20.0, abs=1e-9)


def test_another_size_is_solved_from_where_it_stood_as_from_nothing() -> None:
    kept = Dispatcher(two_zones())
    kept.solve()
    kept.resize("cable", 400.0)
    fresh = Dispatcher(two_zones(400.0))
    assert kept.solve().objective_usd == pytest.approx(fresh.solve().objective_usd, rel=1e-12)
    other = replace(two_zones(400.0), demand_mw=np.array([[2000.0, 4000.0], [4000.0, 3000.0]]))
    kept.renew(other)
    assert kept.solve().objective_usd == pytest.approx(Dispatcher(other).solve().objective_usd, rel=1e-12)
    with pytest.raises(SolverError, match="a dispatch of its own"):
        kept.renew(two_zones(400.0, loss=0.05))


def test_a_plant_that_was_not_there_can_come_and_go() -> None:
    whole = two_zones(400.0)
    gone = np.where(np.array(whole.plants.ids) == "b_gas", 0.0, whole.plants.most_mw)
    without = replace(whole, plants=replace(whole.plants, most_mw=gone))
    kept = Dispatcher(without)
    for system in (without, whole, without):
        kept.renew(system)
        kept.resize("cable", 900.0)
        solved, fresh = kept.solve(), Dispatcher(system.with_capacity("cable", 900.0)).solve()
        assert solved.objective_usd == pytest.approx(fresh.objective_usd, rel=1e-12)
        np.testing.assert_allclose(solved.plant_mw, fresh.plant_mw, atol=1e-9)
        np.testing.assert_allclose(solved.there_mw, fresh.there_mw, atol=1e-9)
    assert not solved.plant_mw[:, 1].any()


def test_what_parties_gain_is_what_costs_fall() -> None:
    without, with_cable = two_zones(0.0), two_zones()
    sums = []
    for system in (without, with_cable):
        solved = Dispatcher(system).solve()
        parties = surpluses_musd(system, solved, countries=("A", "B"), owners=("Owner",))
        sums.append((parties, solved.objective_usd))
    gain = sum(sums[1][0].values()) - sum(sums[0][0].values())
    assert gain * 1e6 == pytest.approx(sums[0][1] - sums[1][1], rel=1e-9)
    assert sums[1][0]["Owner", "lines"] == pytest.approx(0.0673)
    # The second hour's price in A rises from 20 to 48.5: its consumers pay more, its plants earn as much.
    assert sums[0][0]["A", "consumers"] - sums[1][0]["A", "consumers"] == pytest.approx(4700.0 * 28.5 / 1e6)
    assert sums[1][0]["A", "producers"] - sums[0][0]["A", "producers"] == pytest.approx(5000.0 * 28.5 / 1e6)


def test_flows_back_lose_too_and_border_charges_stop_them() -> None:
    turned = two_zones()
    turned = replace(turned, lines=replace(turned.lines, source=np.array([1]), target=np.array([0])))
    solved = Dispatcher(turned).solve()
    assert solved.objective_usd == pytest.approx(488150.0, abs=1e-6)
    np.testing.assert_allclose(solved.back_mw[:, 0], [1000.0, 300.0], atol=1e-9)
    charged = replace(turned, lines=replace(turned.lines, border_usd_per_mwh=np.array([[0.0], [40.0]])))
    solved = Dispatcher(charged).solve()
    np.testing.assert_allclose(solved.back_mw[:, 0], [1000.0, 0.0], atol=1e-9)


def test_never_both_ways_at_once_and_power_balances() -> None:
    rng = np.random.default_rng(3)
    hours = 48
    base = plants(hours, ("a_gas", 0, 30.0, 900.0), ("b_gas", 1, 40.0, 900.0), ("a_wind", 0, 0.0, 800.0), ("b_wind", 1, 0.0, 700.0))
    weather = np.array([False, False, True, True])
    base = replace(base, most_mw=np.where(weather, base.most_mw * rng.random((hours, 4)), base.most_mw), is_weather=weather)
    stores = Stores(
        ("battery", "lake"), ("battery", "reservoir"), np.array([0, 1]), np.array([200.0, 150.0]), np.array([200.0, 0.0]),
        np.array([800.0, 9000.0]), np.array([0.9, 1.0]), np.array([0.9, 1.0]), np.array([1.0, 2.0]),
        np.column_stack((np.zeros(hours), np.full(hours, 40.0))),
    )  # fmt: skip
    system = PowerSystem(
        ("a", "b"), 500.0 + 400.0 * rng.random((hours, 2)), np.array([3000.0, 3000.0]), base, stores,
        replace(line(150.0, 0.03), running_usd_per_mwh=np.array([0.01])),
    )  # fmt: skip
    solved = Dispatcher(system).solve()
    assert (np.minimum(solved.there_mw, solved.back_mw) < 1e-9).all()
    given = np.zeros((hours, 2))
    for plant, zone in enumerate(system.plants.zone):
        given[:, zone] += solved.plant_mw[:, plant]
    for store, zone in enumerate(stores.zone):
        given[:, zone] += solved.give_mw[:, store] - solved.take_mw[:, store]
    given[:, 0] += 0.97 * solved.back_mw[:, 0] - solved.there_mw[:, 0]
    given[:, 1] += 0.97 * solved.there_mw[:, 0] - solved.back_mw[:, 0]
    np.testing.assert_allclose(given + solved.lost_mw, system.demand_mw, atol=1e-6)
    level = solved.level_mwh
    change = level - np.roll(level, 1, axis=0)
    expected = solved.take_mw * stores.into_share - solved.give_mw / stores.out_share + stores.inflow_mw - solved.spill_mw
    np.testing.assert_allclose(change, expected, atol=1e-6)
    assert (level <= stores.energy_mwh + 1e-9).all()


def test_stretches_joined_give_what_one_solve_gives() -> None:
    rng = np.random.default_rng(5)
    hours = 300
    base = plants(
        hours,
        ("a_gas", 0, 30.0, 500.0),
        ("a_peak", 0, 90.0, 500.0),
        ("b_gas", 1, 45.0, 900.0),
        ("a_wind", 0, 0.0, 900.0),
        ("a_sun", 0, 0.0, 400.0),
    )
    weather = np.array([False, False, False, True, True])
    base = replace(base, most_mw=np.where(weather, base.most_mw * rng.random((hours, 5)), base.most_mw), is_weather=weather)
    stores = Stores(
        ("lake",), ("reservoir",), np.array([0]), np.array([150.0]), np.array([50.0]), np.array([20000.0]), np.array([0.9]),
        np.array([0.9]), np.array([2.0]), np.full((hours, 1), 40.0),
    )  # fmt: skip
    system = PowerSystem(("a", "b"), 300.0 + 500.0 * rng.random((hours, 2)), np.array([3000.0, 3000.0]), base, stores, line(150.0, 0.03))
    solver = silent_solver()
    solver.passModel(model_of(linear_program(system)))
    solver.run()
    solved = Dispatcher(system).solve()
    assert solved.objective_usd == pytest.approx(solver.getInfo().objective_function_value, rel=1e-10)
    assert (solved.plant_mw <= system.plants.most_mw + 1e-7).all()


def dry_and_wet(hours: int = 720) -> PowerSystem:
    """A lake that lasts for weeks, full after the wet half and empty after the dry one, with loads that swing within the day."""
    rng = np.random.default_rng(11)
    hour = np.arange(hours)
    base = plants(hours, ("a_gas", 0, 30.0, 700.0), ("a_peak", 0, 90.0, 500.0), ("b_gas", 1, 45.0, 900.0), ("b_wind", 1, 0.0, 400.0))
    weather = np.array([False, False, False, True])
    base = replace(base, most_mw=np.where(weather, base.most_mw * rng.random((hours, 4)), base.most_mw), is_weather=weather)
    inflow = np.where(hour < hours // 2, 200.0, 0.0)[:, None]
    lake = Stores(
        ("lake",), ("reservoir",), np.array([0]), np.array([150.0]), np.array([50.0]), np.array([60000.0]), np.array([0.9]),
        np.array([0.9]), np.array([2.0]), inflow,
    )  # fmt: skip
    swing = 300.0 * np.sin(2.0 * np.pi * hour / 24.0)[:, None]
    loads = 700.0 + swing + 100.0 * rng.random((hours, 2))
    return PowerSystem(("a", "b"), loads, np.array([3000.0, 3000.0]), base, lake, line(150.0, 0.03))


def whole_cost(system: PowerSystem) -> float:
    """Least cost with every level of every hour."""
    solver = silent_solver()
    solver.passModel(model_of(linear_program(system)))
    solver.run()
    return float(solver.getInfo().objective_function_value)


def test_levels_held_once_a_day_give_the_dispatch_of_all_levels() -> None:
    system = dry_and_wet()
    kept = Dispatcher(system)
    assert held_hours(system).sum() == 30
    solved = kept.solve()
    limited = kept.limited
    assert limited, "no level went beyond its limits within a day: the test tells nothing"
    assert solved.objective_usd == pytest.approx(whole_cost(system), rel=1e-10)
    level, stores = solved.level_mwh, system.stores
    change = solved.take_mw * stores.into_share - solved.give_mw / stores.out_share + stores.inflow_mw - solved.spill_mw
    np.testing.assert_allclose(level - np.roll(level, 1, axis=0), change, atol=1e-3)
    assert level.min() >= 0.0
    assert level.max() <= stores.energy_mwh[0]
    # Another size, other water and what stands in between: limits of hours hold in them too.
    wetter = replace(system, stores=replace(stores, inflow_mw=stores.inflow_mw * 1.3))
    for other in (system.with_capacity("cable", 500.0), wetter, wetter.with_capacity("cable", 0.0)):
        kept.renew(other)
        assert kept.solve().objective_usd == pytest.approx(whole_cost(other), rel=1e-10)
    assert kept.limited[: len(limited)] == limited


def test_where_it_returns_to_does_not_depend_on_what_was_solved_between() -> None:
    system = dry_and_wet()
    one, other = ReturningDispatcher(system), ReturningDispatcher(system)
    one.solve()
    other.solve()
    for size in (0.0, 900.0):
        one.resize("cable", size)
        one.solve()
    one.resize("cable", 400.0)
    other.resize("cable", 400.0)
    told, expected = one.solve(), other.solve()
    np.testing.assert_array_equal(told.plant_mw, expected.plant_mw)
    np.testing.assert_array_equal(told.level_mwh, expected.level_mwh)
    third = ReturningDispatcher(system, other.stand)
    third.resize("cable", 400.0)
    np.testing.assert_array_equal(third.solve().plant_mw, expected.plant_mw)


def test_a_dispatcher_that_was_let_go_comes_back_with_the_same_digits() -> None:
    """Two years share the room of one; the first goes on from where its first dispatch ended."""
    system, room = dry_and_wet(), OneDispatcher()
    found = []
    for _ in range(2):
        dispatcher = room.of(2030, system)
        dispatcher.resize("cable", 400.0)
        found.append((dispatcher, dispatcher.solve()))
        room.of(2034, replace(system, demand_mw=1.05 * system.demand_mw))
    assert found[0][0] is not found[1][0]
    np.testing.assert_array_equal(found[0][1].plant_mw, found[1][1].plant_mw)
    np.testing.assert_array_equal(found[0][1].price_usd_per_mwh, found[1][1].price_usd_per_mwh)


def test_no_answer_names_zone_hour_and_limit() -> None:
    system = two_zones()
    must = np.zeros((2, 3))
    must[1, 0] = 5000.0 - 1.0
    system = replace(system, plants=replace(system.plants, least_mw=must), demand_mw=np.array([[3000.0, 4500.0], [700.0, 2500.0]]))
    with pytest.raises(SolverError, match=r"zone a, hour 1, plants that must run give 4,999.0 MW, 3,299.0 MW more"):
        Dispatcher(system).solve()


def test_rising_costs_as_a_quadratic_program() -> None:
    """Costs 20 + .01 g with 4000 MW and 30 + .02 g with 5000 MW of load: prices, rent, gain and the size that pays."""
    import highspy
    from scipy.sparse import csc_matrix

    def solve(size: float, cost_per_h: float = 0.0) -> tuple[float, list[float], list[float]]:
        # columns: g_A, g_B, flow from A to B and back, size
        solver, inf = silent_solver(), highspy.kHighsInf
        model = highspy.HighsModel()
        lp = model.lp_
        lp.num_col_, lp.num_row_ = 5, 4
        lp.col_cost_, lp.col_lower_ = np.array([20.0, 30.0, 0.0, 0.0, cost_per_h]), np.zeros(5)
        lp.col_upper_ = np.array([inf, inf, inf, inf, size])
        lp.row_lower_, lp.row_upper_ = np.array([4000.0, 5000.0, -inf, -inf]), np.array([4000.0, 5000.0, 0.0, 0.0])
        a = csc_matrix([[1, 0, -1, 1, 0], [0, 1, 1, -1, 0], [0, 0, 1, 0, -1], [0, 0, 0, 1, -1]], dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = a.indptr, a.indices, a.data
        model.hessian_.dim_ = 5
        model.hessian_.format_ = highspy.HessianFormat.kTriangular
        model.hessian_.start_, model.hessian_.index_ = np.array([0, 1, 2, 2, 2, 2]), np.array([0, 1])
        model.hessian_.value_ = np.array([0.01, 0.02])
        solver.setOptionValue("qp_regularization_value", 0.0)
        solver.passModel(model)
        solver.run()
        found = solver.getSolution()
        return solver.getInfo().objective_function_value, list(found.col_value), list(found.row_dual)[:2]

    alone, _, price = solve(0.0)
    assert price == pytest.approx([60.0, 130.0], abs=1e-4)
    _, x, price = solve(9000.0)
    assert (x[2] - x[3], price[0]) == (pytest.approx(2333.333333, rel=1e-6), pytest.approx(83.333333, rel=1e-6))
    joined, x, price = solve(1000.0)
    assert price == pytest.approx([70.0, 110.0], abs=1e-4)
    assert (price[1] - price[0]) * (x[2] - x[3]) == pytest.approx(40000.0, rel=1e-6)
    assert alone - joined == pytest.approx(55000.0, rel=1e-6)
    _, x, _ = solve(9000.0, cost_per_h=60000.0 / 8760.0)
    assert x[4] == pytest.approx(2105.022831, rel=1e-6)


def test_annuity() -> None:
    assert annuity(0.08, 40.0) == pytest.approx(0.0838602, abs=1e-7)
    assert annuity(0.0, 40.0) == pytest.approx(0.025)
