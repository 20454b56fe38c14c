"""User equilibrium against what can be worked out by hand, a convex solver, and plain Python."""

import dataclasses
import math

import clarabel
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from karvan.assignment import EquilibriumOptions, equilibrium, road_layout
from karvan.assignment._balance_kernels import AKCELIK, CONICAL, MARGINAL, link_cost
from karvan.demand import ElasticDemand
from karvan.errors import ConvergenceError, DataError
from karvan.network import road_network, time_integral, travel_time
from tests.assignment.road_cases import BRAESS, grid, linear, one_class, plain_costs, plain_distances, plain_gap

FINE = EquilibriumOptions(gap=1e-11)


def test_braess_costs_more_with_its_bridge():
    """METHODS 1i: 92 for everyone with the bridge, flows 2, 2, 2; 83 without, 3 and 3."""
    trips = one_class((1, 4, 6.0))
    with_bridge = equilibrium(linear(BRAESS, zones=[1, 4]), trips, options=FINE)
    assert with_bridge.volume == pytest.approx([4, 2, 2, 4, 2], rel=1e-8)  # tolerances here follow from the gap, 1e-11
    assert with_bridge.pairs["cost"][0] == pytest.approx(92.0, rel=1e-9)
    assert with_bridge.paths["flow"].to_list() == pytest.approx([2, 2, 2], rel=1e-7)
    without = equilibrium(linear(BRAESS[:4], zones=[1, 4]), trips, options=FINE)
    assert without.volume == pytest.approx([3, 3, 3, 3], rel=1e-8)
    assert without.pairs["cost"][0] == pytest.approx(83.0, rel=1e-9)


def test_system_optimum_leaves_the_bridge_of_braess_alone():
    found = equilibrium(linear(BRAESS, zones=[1, 4]), one_class((1, 4, 6.0)), is_system_optimum=True, options=FINE)
    assert found.volume == pytest.approx([3, 3, 3, 3, 0], abs=1e-7)
    assert found.objective == pytest.approx(498.0, rel=1e-9)
    assert found.total_travel_time == found.objective


def test_elastic_demand_meets_its_closed_form():
    """One road, time 10 + v, 20 trips at 20: v = 20 ((5 + 10 + v)/(5 + 20))^-1 has v^2 + 15 v = 500, v = 16.0849."""
    network = linear([(1, 2, 10.0, 1.0)], zones=[1, 2])
    elastic = ElasticDemand(base_cost=20.0, elasticity=1.0, price=5.0)
    found = equilibrium(network, one_class((1, 2, 20.0), elastic=elastic), options=FINE)
    made = (-15.0 + math.sqrt(15.0**2 + 4 * 500.0)) / 2
    assert found.pairs["trips"][0] == pytest.approx(made, rel=1e-9)
    assert found.pairs["cost"][0] == pytest.approx(10.0 + made, rel=1e-9)
    # Objective: 10 v + v^2/2 less the integral of 500/q - 5 from 20 to v.
    assert found.objective == pytest.approx(10 * made + made**2 / 2 - (500 * math.log(made / 20) - 5 * (made - 20)), rel=1e-9)


def test_exponential_demand_meets_its_closed_form():
    """Trips e exp(-(10 + v - 20)/10) with v = 10 at cost 20: 10 trips at base cost 20 stay 10."""
    network = linear([(1, 2, 10.0, 1.0)], zones=[1, 2])
    elastic = ElasticDemand(base_cost=20.0, elasticity=0.1, function="exponential")
    found = equilibrium(network, one_class((1, 2, 10.0), elastic=elastic), options=FINE)
    assert found.pairs["trips"][0] == pytest.approx(10.0, rel=1e-9)


def test_two_classes_part_by_their_value_of_time():
    """A toll of 6 on the quick road, times 10 + v and 20 + v, 10 cars each: values 1 and 0.25 make the toll 6 and 24 in time.

    The poor class (24) takes the slow road, the rich splits the rest: 10 + a + 6 = 20 + (20 - a), a = 12 above its 10: all rich quick.
    """
    network = linear([(1, 2, 10.0, 1.0), (1, 2, 20.0, 1.0)], zones=[1, 2], toll=[6.0, 0.0])
    rich, poor = one_class((1, 2, 10.0), name="rich", value_of_time=1.0), one_class((1, 2, 10.0), name="poor", value_of_time=0.25)
    found = equilibrium(network, [rich, poor], options=FINE)
    assert found.links["flow_rich"].to_list() == pytest.approx([10, 0], abs=1e-8)
    assert found.links["flow_poor"].to_list() == pytest.approx([0, 10], abs=1e-8)
    richer = equilibrium(network, [dataclasses.replace(rich, value_of_time=6.0), poor], options=FINE)
    assert richer.volume == pytest.approx([10, 10], abs=1e-8)


def test_a_truck_takes_the_room_of_its_unit_equivalents():
    """Times 10 + v and 16 + v: 8 cars and 2 trucks of 3 make 14 units; 10 + v = 16 + 14 - v gives 10 and 4."""
    network = linear([(1, 2, 10.0, 1.0), (1, 2, 16.0, 1.0)], zones=[1, 2])
    classes = [one_class((1, 2, 8.0), name="cars"), one_class((1, 2, 2.0), name="trucks", unit_equivalent=3.0)]
    found = equilibrium(network, classes, options=FINE)
    assert found.volume == pytest.approx([10, 4], rel=1e-9)
    carried = found.links["flow_cars"].to_numpy() + 3.0 * found.links["flow_trucks"].to_numpy()
    assert carried == pytest.approx(found.volume, rel=1e-12)


def test_a_class_keeps_off_links_it_may_not_use():
    network = linear([(1, 2, 10.0, 1.0), (1, 2, 50.0, 1.0)], zones=[1, 2])
    trucks = one_class((1, 2, 5.0), name="trucks", is_allowed=np.array([False, True]))
    found = equilibrium(network, [one_class((1, 2, 5.0), name="cars"), trucks], options=FINE)
    assert found.links["flow_trucks"].to_list() == [0.0, 5.0]
    assert found.links["flow_cars"].to_list() == [5.0, 0.0]


@pytest.mark.parametrize("seed", range(3))
def test_a_convex_solver_finds_the_same_objective_and_volumes(seed):
    """Power 1 makes Beckmann's program quadratic: arc flows by origin, solved by Clarabel."""
    network, trips = grid(seed)
    links = network.links.with_columns(power=pl.lit(1.0), factor=pl.lit(1.0))
    network = road_network(links, zones=network.node_ids[: network.zone_count])
    found = equilibrium(network, one_class(*trips.iter_rows()), options=FINE)
    volume, objective = by_convex_solver(network, trips)
    assert found.objective == pytest.approx(objective, rel=1e-8)  # what the solver is asked for
    assert found.volume == pytest.approx(volume, abs=1e-3)


def by_convex_solver(network, trips):
    nodes, count = network.node_ids.shape[0], network.links.height
    tail, head = (network.node_index(network.links[name].to_numpy()) for name in ("from_node", "to_node"))
    places = (np.concatenate([tail, head]), np.tile(np.arange(count), 2))
    incidence = sparse.coo_array((np.repeat([1.0, -1.0], count), places), (nodes, count))
    origins = trips["origin"].unique(maintain_order=True).to_list()
    supply = np.zeros((len(origins), nodes))
    for origin, destination, amount in trips.iter_rows():
        row = origins.index(origin)
        supply[row, network.node_index([origin])[0]] += amount
        supply[row, network.node_index([destination])[0]] -= amount
    free, room = network.links["free_time"].to_numpy(), network.links["capacity"].to_numpy()
    total = sparse.hstack([sparse.identity(count)] * len(origins))
    hessian = sparse.csc_matrix(total.T @ sparse.diags_array(free / room) @ total)
    size = count * len(origins)
    conserve = sparse.block_diag([incidence.tocsr()[:-1]] * len(origins))
    matrix = sparse.csc_matrix(sparse.vstack([conserve, -sparse.identity(size)]))
    bound = np.concatenate([supply[:, :-1].ravel(), np.zeros(size)])
    options = clarabel.DefaultSettings()
    options.verbose = False
    options.tol_gap_rel = options.tol_gap_abs = options.tol_feas = 1e-10
    cones = [clarabel.ZeroConeT(conserve.shape[0]), clarabel.NonnegativeConeT(size)]
    solver = clarabel.DefaultSolver(sparse.triu(hessian, format="csc"), np.tile(free, len(origins)), matrix, bound, cones, options)
    answer = solver.solve()
    return total @ np.array(answer.x), answer.obj_val


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    side=st.integers(2, 5),
    zones=st.integers(2, 4),
    is_system_optimum=st.booleans(),
    unit=st.sampled_from([1.0, 2.5]),
)
def test_any_grid_reaches_its_gap_as_plain_python_counts_it(seed, side, zones, is_system_optimum, unit):
    network, trips = grid(seed, side=side, zones=zones, functions=("bpr", "conical", "akcelik"))
    found = equilibrium(
        network,
        one_class(*trips.iter_rows(), unit_equivalent=unit),
        is_system_optimum=is_system_optimum,
        options=EquilibriumOptions(gap=1e-9),
    )
    time = plain_costs(network, found.volume)
    assert found.time == pytest.approx(time, rel=1e-12)
    step = 1e-6 * network.links["capacity"].to_numpy()
    rise = (plain_costs(network, found.volume + step) - plain_costs(network, np.maximum(found.volume - step, 0.0))) / np.where(
        found.volume > step, 2 * step, step + found.volume
    )
    cost = time + found.volume * rise if is_system_optimum else time
    least = plain_distances(network, found.cost, trips["origin"][0])
    told = found.pairs.filter(pl.col("origin") == trips["origin"][0])
    assert told["cost"].to_list() == pytest.approx([least[end] for end in told["destination"]], rel=1e-12)
    vehicles = trips.with_columns(pl.col("trips") * unit)
    bound = 1e-6 if is_system_optimum else 2e-9  # the slope is a difference quotient
    assert plain_gap(network, vehicles, cost, found.volume) == pytest.approx(0.0, abs=bound)
    for origin in trips["origin"].unique().to_list():
        sent = found.origin_flows(origin)
        net = sum(flow if tail == origin else -flow if head == origin else 0.0 for _, tail, head, flow in sent.iter_rows())
        assert net == pytest.approx(trips.filter(pl.col("origin") == origin)["trips"].sum(), rel=1e-9)


def test_paths_add_up_to_volumes_and_trips():
    network, trips = grid(5, side=5, zones=5)
    found = equilibrium(network, one_class(*trips.iter_rows(), unit_equivalent=2.0))
    paths = found.paths
    by_link = np.zeros(network.links.height)
    for flow, links in paths.select("flow", "links").iter_rows():
        by_link[links] += 2.0 * flow
        ends = network.links[links].select("from_node", "to_node")
        assert ends["from_node"][1:].to_list() == ends["to_node"][:-1].to_list()
    assert by_link == pytest.approx(found.volume, rel=1e-12)
    summed = paths.group_by("origin", "destination").agg(pl.col("flow").sum()).sort("origin", "destination")
    assert summed["flow"].to_list() == pytest.approx(trips.sort("origin", "destination")["trips"].to_list(), rel=1e-12)


def test_select_link_names_the_users_of_a_road():
    found = equilibrium(linear(BRAESS, zones=[1, 2, 4]), one_class((1, 4, 6.0), (1, 2, 1.0)), options=FINE)
    users = found.select_link(1, 2)
    assert users.filter(pl.col("destination") == 2)["flow"].to_list() == [1.0]
    assert users["flow"].sum() == pytest.approx(found.volume[0], rel=1e-12)
    with pytest.raises(DataError, match="no road leads from 4 to 1"):
        found.select_link(4, 1)


def test_a_start_gives_the_same_answer_in_fewer_searches():
    network, trips = grid(8, side=6, zones=8)
    base = equilibrium(network, one_class(*trips.iter_rows()), options=FINE)
    more = one_class(*trips.with_columns(pl.col("trips") * 1.05).iter_rows())
    cold = equilibrium(network, more, options=FINE)
    warm = equilibrium(network, more, options=FINE, start=base)
    assert warm.objective == pytest.approx(cold.objective, rel=1e-10)
    assert warm.volume == pytest.approx(cold.volume, abs=1e-4)
    assert len(warm.iterations) < len(cold.iterations)
    assert base.volume.sum() < warm.volume.sum()  # the start stays as it was
    again = equilibrium(network, one_class(*trips.iter_rows()), options=FINE, start=base)
    assert again.objective == pytest.approx(base.objective, rel=1e-12)


def test_a_start_whose_road_was_closed_leaves_it():
    network, trips = grid(8, side=4, zones=4)
    base = equilibrium(network, one_class(*trips.iter_rows()), options=FINE)
    is_allowed = np.ones(network.links.height, dtype=np.bool_)
    is_allowed[np.argmax(base.volume)] = False
    closed = one_class(*trips.iter_rows(), is_allowed=is_allowed)
    warm = equilibrium(network, closed, options=FINE, start=base)
    assert warm.volume[~is_allowed] == [0.0]
    assert warm.objective == pytest.approx(equilibrium(network, closed, options=FINE).objective, rel=1e-10)


def test_a_start_of_other_pairs_is_refused():
    network, trips = grid(8)
    base = equilibrium(network, one_class(*trips.iter_rows()))
    with pytest.raises(DataError, match="other links or pairs"):
        equilibrium(network, one_class(*trips[1:].iter_rows()), start=base)


def test_threads_change_no_digit(monkeypatch):
    monkeypatch.setattr(road_layout, "_BLOCK_STEPS", 500)  # so that a small network has several blocks
    network, trips = grid(3, side=5, zones=18)
    found = [
        equilibrium(network, one_class(*trips.iter_rows()), options=EquilibriumOptions(gap=1e-6, threads=threads)) for threads in (1, 2)
    ]
    assert len(found[0].problem.blocks) > 1
    assert found[0].volume.tobytes() == found[1].volume.tobytes()
    assert found[0].relative_gap == found[1].relative_gap
    assert found[0].paths.equals(found[1].paths)


def test_zones_that_may_not_be_passed_are_not():
    """Zone 3 would be a short cut from 1 to 2."""
    links = [(1, 3, 1.0, 0.0), (3, 2, 1.0, 0.0), (1, 4, 5.0, 0.0), (4, 2, 5.0, 0.0)]
    frame = linear(links, zones=[1, 2, 3]).links
    closed = road_network(frame, zones=[1, 2, 3], closed_zones=[1, 2, 3])
    found = equilibrium(closed, one_class((1, 2, 2.0), (1, 3, 1.0), (3, 2, 1.0)))
    assert found.volume.tolist() == [1.0, 1.0, 2.0, 2.0]
    assert plain_distances(closed, found.time, 1)[2] == pytest.approx(10.0)


def test_pairs_that_no_road_joins_are_named():
    network = linear([(1, 2, 1.0, 1.0), (3, 2, 1.0, 1.0)], zones=[1, 2, 3])
    with pytest.raises(DataError, match="leads from 1 to 3") as caught:
        equilibrium(network, one_class((1, 2, 1.0), (1, 3, 1.0), (2, 1, 1.0), name="lorries"))
    assert [problem.row for problem in caught.value.problems] == [2, 3]
    assert "lorries" in str(caught.value)
    with pytest.raises(DataError, match="leads from 1 to 3"):
        equilibrium(network, one_class((1, 3, 1.0), elastic=ElasticDemand(base_cost=1.0, elasticity=0.5)))


def test_no_trips_are_an_answer_too():
    found = equilibrium(linear(BRAESS, zones=[1, 4]), one_class((1, 1, 5.0), (1, 4, 0.0)))
    assert found.volume.tolist() == [0.0] * 5
    assert (found.relative_gap, found.objective, found.paths.height) == (0.0, 0.0, 0)


def test_a_gap_that_is_not_reached_is_an_error_with_the_best_answer():
    network, trips = grid(8, side=6, zones=8)
    with pytest.raises(ConvergenceError, match="after 2 iterations") as caught:
        equilibrium(network, one_class(*trips.iter_rows()), options=EquilibriumOptions(gap=1e-14, max_iterations=2))
    assert 0.0 < caught.value.best.relative_gap < 1.0


@pytest.mark.parametrize(
    ("pairs", "options", "message"),
    [
        ([(1, 9, 1.0)], {}, "is 9, must be a zone"),
        ([(1, 2, 1.0)], {}, "is 2, must be a zone"),
        ([(1, 4, -1.0)], {}, "must be 0 or more"),
        ([(1, 4, math.nan)], {}, "must be 0 or more"),
        ([(1, 4, 1.0), (1, 4, 2.0)], {}, "more than one row"),
        ([(1, 4, 1.0)], {"unit_equivalent": 0.0}, "must be above 0"),
        ([(1, 4, 1.0)], {"value_of_time": 0.0}, "must be above 0"),
        ([(1, 4, 1.0)], {"own_time": np.full(5, -1.0)}, "must be finite and 0 or more"),
        ([(1, 4, 1.0)], {"elastic": ElasticDemand(1.0, 0.0)}, "elasticity"),
        ([(1, 4, 1.0)], {"elastic": ElasticDemand(1.0, 1.0, function="linear")}, "isoelastic or exponential"),
        ([(1, 4, 1.0)], {"elastic": ElasticDemand(-1.0, 1.0)}, "must be above 0 for every pair"),
    ],
)
def test_wrong_traffic_is_refused(pairs, options, message):
    with pytest.raises(DataError, match=message):
        equilibrium(linear(BRAESS, zones=[1, 4]), one_class(*pairs, **options))


@pytest.mark.parametrize("kind", [CONICAL, AKCELIK, CONICAL + MARGINAL, AKCELIK + MARGINAL, 0])
def test_slopes_are_the_derivatives_of_costs(kind):
    numbers = (kind, 3.0, 40.0, 2.0, 2.5)
    for volume in (5.0, 39.0, 80.0):
        up, down = link_cost(*numbers, volume + 1e-5)[0], link_cost(*numbers, volume - 1e-5)[0]
        assert link_cost(*numbers, volume)[1] == pytest.approx((up - down) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("kind", [CONICAL, AKCELIK])
def test_marginal_costs_are_the_derivatives_of_volume_times_time(kind):
    numbers = (3.0, 40.0, 2.0, 2.5)
    for volume in (5.0, 39.0, 80.0):
        ends = [(volume + step) * link_cost(kind, *numbers, volume + step)[0] for step in (1e-5, -1e-5)]
        assert link_cost(kind + MARGINAL, *numbers, volume)[0] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-8)


@pytest.mark.parametrize("function", ["bpr", "conical", "akcelik"])
def test_integrals_are_those_of_the_times(function):
    ends = {"from_node": [1], "to_node": [2], "function": [function]}
    numbers = {"free_time": [4.0], "capacity": [30.0], "power": [3.0], "factor": [0.4], "period": [60.0]}
    network = road_network(pl.DataFrame(ends | numbers), zones=[1, 2])
    volumes = np.linspace(0.0, 50.0, 201)
    times = np.array([travel_time(network, np.array([volume]))[0] for volume in volumes])
    assert times == pytest.approx(np.array([plain_costs(network, np.array([volume]))[0] for volume in volumes]), rel=1e-12)
    by_simpson = 0.25 / 3 * (times[0] + times[-1] + 4 * times[1:-1:2].sum() + 2 * times[2:-1:2].sum())
    assert time_integral(network, np.array([50.0]))[0] == pytest.approx(by_simpson, rel=1e-6)  # the rule's own error


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("capacity", 0.0, "must be above 0"),
        ("free_time", -1.0, "must be 0 or more"),
        ("free_time", math.nan, "must be a finite number"),
        ("function", "cubic", "must be one of"),
        ("power", -1.0, "must be 0 or more"),
        ("toll", -1.0, "must be 0 or more"),
    ],
)
def test_wrong_links_are_refused_with_their_row(column, value, message):
    links = pl.DataFrame({"from_node": [1, 2], "to_node": [2, 1], "free_time": [1.0, 1.0], "capacity": [1.0, 1.0]})
    default = {"function": "bpr", "power": 4.0, "toll": 0.0}
    kept = links[column].to_list() if column in links.columns else [default[column]] * 2
    with pytest.raises(DataError, match=message) as caught:
        road_network(links.with_columns(pl.Series(column, [kept[0], value])), zones=[1, 2])
    assert (caught.value.problems[0].row, caught.value.problems[0].column) == (2, column)
