"""Limits of a market program that cannot all hold: the fewest of them that contradict each other, and that in words.

Not loaded with the package, since it needs a solver that no clearing needs: import it where clearing has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY
from karvan.assignment.market import MarketProblem, check_problem, limited_rows, row_reference
from karvan.errors import SolverError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Limits hold together if some flows miss them by no more than this share of their size in all, as the solver asks of its answer.
_TOLERANCE = 1e-6
# Rounds of the search for the fewest rows; above it an irreducible set is told that may not be the smallest.
_MOST_ROUNDS = 200
# Branches of one of its covering programs.
_MOST_NODES = 10_000
# A market takes part if its demand has at least this share of the weight of the row that has most.
_LEAST_WEIGHT = 1e-7
_SOLVED = 0

CONFLICT_SENTENCES = {
    "minimum_and_limit": (
        "{minimum} asks for at least {least} {least_unit} a year, but through {limit} at most {most} {most_unit} a year can pass."
    ),
    "minimum_and_closure": "{minimum} asks for at least {least} {least_unit} a year, but {limit} is closed.",
    "minimum_and_demand": (
        "{minimum} asks for at least {least} {least_unit} a year, but there are goods for no more than {could} {least_unit} a year."
    ),
    "minimum_without_way": "{minimum} asks for at least {least} {least_unit} a year, but nothing can pass it.",
    "limit_and_demand": (
        "Through {limit} at most {most} {most_unit} a year can pass, but {could} {most_unit} a year have no other way and cannot stay."
    ),
    "balance_and_limit": ("{balance}: as much must come back as goes out, but through {limit} at most {most} {most_unit} a year can pass."),
    "balance_and_closure": "{balance}: as much must come back as goes out, but {limit} is closed.",
    "balance_alone": "{balance}: as much must come back as goes out, but goods that cannot stay leave no way to do it.",
    "many": "Limits that cannot all hold ({count}):",
    "at_least": "{row}: at least {size} {unit} a year; with the others no more than {could} {unit}.",
    "at_most": "{row}: at most {size} {unit} a year; with the others no less than {could} {unit}.",
    "exactly": "{row}: exactly {size} {unit} a year; with the others no nearer than {could} {unit}.",
    "balance": "{row}: as much must come back as goes out; with the others {could} {unit} a year would be left over or missing.",
    "too_few_goods": "{market}: its goods are no more than its demand.",
    "bound_goods": "{market}: all its goods must take one of the routes it has.",
}
"""Every sentence that `conflict_words` can give; each stands alone, so that it can be translated as it is."""


@dataclass(frozen=True)
class Conflict:
    """The fewest rows whose limits cannot all hold; none if all limits can.

    Attributes:
        rows: Rows of the program, in order. Without any one of them the others can hold.
        could_hold: What each of them would have to allow for the others to hold, thousands of its unit, shape (len(rows),): a lower
            minimum, a higher limit. Of a balance, the flow that would be left over.
        markets: Markets whose demand takes part, in order.
        has_too_few: For each of them whether its goods are too few; if false all of them must take some route.
        is_smallest: No conflict of fewer rows exists. False if the search for it was cut short.
    """

    rows: tuple[int, ...]
    could_hold: FloatArray
    markets: tuple[int, ...]
    has_too_few: tuple[bool, ...]
    is_smallest: bool


@dataclass(frozen=True)
class _Limits:
    """The limits over columns: routes of one market that use the same rows alike are one. Flows are shares of the market's base flow and
    rows shares of their reference, so that all numbers are near one.

    Attributes:
        row: Rows of the program with a limit, shape (n,).
        sense: Their senses, shape (n,).
        limit: Their limits, shape (n,).
        reference: Size of each, thousands of units, shape (n,).
        use: Use of each row by each column, shape (n, columns).
        market: Markets with goods, shape (m,).
        of_market: 1 where a column belongs to a market, shape (m, columns).
        least, most: Bounds on the goods of each market, shape (m,).
    """

    row: IntArray
    sense: IntArray
    limit: FloatArray
    reference: FloatArray
    use: sp.csr_array
    market: IntArray
    of_market: sp.csr_array
    least: FloatArray
    most: FloatArray


def demand_at_no_cost(problem: MarketProblem) -> FloatArray:
    """Most that each market would ship if moving it cost nothing, A q0 (p/(p + C0))^(-sigma), kt; infinity if its goods have no price.

    Markets with fixed demand ship A q0 whatever it costs. Shape (markets,).
    """
    base = problem.market_flow_kt * problem.market_factor
    most = base.copy()
    is_elastic = problem.market_elasticity > 0.0
    price = problem.market_price_usd_per_t[is_elastic]
    with np.errstate(divide="ignore"):
        ratio = (price + problem.market_base_cost_usd_per_t[is_elastic]) / price
    most[is_elastic] *= np.where(price > 0.0, ratio, np.inf) ** problem.market_elasticity[is_elastic]
    return most


def smallest_conflict(problem: MarketProblem, *, most_demand_kt: FloatArray | None = None) -> Conflict:
    """The fewest limits that cannot all hold, whatever the prices.

    Flows are zero or more on every route; a market with fixed demand sends exactly A q0 over its routes, of which "not shipped" may be
    one. Elastic demand can be anything up to `most_demand_kt`; it has no bound by default, since at row prices far enough below zero
    the market program lets p + C fall towards zero and demand grow without end. `demand_at_no_cost` is a bound with more sense.

    A set of rows conflicts if and only if it meets every correction set, that is every set without which the rest can hold. So the
    smallest set that meets those found so far is tried: if its limits can hold, the most limits that hold with it leave out one more
    correction set; if they cannot, it is the answer (200 rounds at most; then rows are left out one by one while the rest conflicts).

    Args:
        problem: The program.
        most_demand_kt: Most goods of each market with elastic demand, shape (markets,).

    Raises:
        DataError: The program makes no sense.
        SolverError: HiGHS failed.

    Source:
        Chinneck & Dravnieks (1991), Locating minimal infeasible constraint sets in linear programs (deletion filter); Ignatiev, Previti,
        Liffiton & Marques-Silva (2015), Smallest MUS extraction with minimal hitting set dualization; Gleeson & Ryan (1990), Identifying
        minimally infeasible subsystems of inequalities (certificate).
    """
    check_problem(problem)
    limits = _limits(problem, most_demand_kt)
    everything = np.arange(limits.row.shape[0])
    if _can_hold(limits, everything):
        return Conflict((), np.zeros(0), (), (), is_smallest=True)
    found = _smallest(limits)
    members = _thinned(limits, everything if found is None else found)
    could_hold = np.array([_could_hold(limits, members, int(member)) for member in members])
    weight = _demand_weight(limits, members)
    markets = np.flatnonzero(weight)
    return Conflict(
        rows=tuple(int(row) for row in limits.row[members]),
        could_hold=could_hold,
        markets=tuple(int(market) for market in limits.market[markets]),
        has_too_few=tuple(bool(value > 0.0) for value in weight[markets]),
        is_smallest=found is not None,
    )


def conflict_words(
    problem: MarketProblem, conflict: Conflict, *, row_names: Sequence[str], row_units: Sequence[str], market_names: Sequence[str]
) -> tuple[str, ...]:
    """The conflict in sentences: one where a pair or a single row says it all, else a heading and a line for each limit and market.

    Args:
        problem: The program.
        conflict: Its conflict.
        row_names: Name of every row.
        row_units: Unit of every row's capacity as read: kt, kTEU.
        market_names: Name of every market.
    """
    if not conflict.rows:
        return ()
    sense = problem.row_sense[list(conflict.rows)]
    by_sense = {kind: [position for position in range(len(conflict.rows)) if sense[position] == kind] for kind in (0, 1, 2)}
    minimums, limits, balances = by_sense[AT_LEAST], by_sense[AT_MOST], by_sense[EXACTLY]
    parts: dict[str, str] = {}

    def add(position: int, name: str, size: str) -> None:
        row = conflict.rows[position]
        parts.update({name: row_names[row], size: _number(problem.row_capacity[row]), f"{size}_unit": row_units[row]})
        parts["could"] = _number(float(conflict.could_hold[position]))

    for position in balances:
        add(position, "balance", "size")
    for position in minimums:
        add(position, "minimum", "least")
    for position in limits:
        add(position, "limit", "most")
    counts = (len(minimums), len(limits), len(balances))
    is_closed = len(limits) == 1 and problem.row_capacity[conflict.rows[limits[0]]] == 0.0
    are_balanced = bool(np.all(problem.row_capacity[list(conflict.rows)][sense == EXACTLY] == 0.0))
    case = {
        (1, 1, 0): "minimum_and_closure" if is_closed else "minimum_and_limit",
        (1, 0, 0): "minimum_and_demand" if conflict.could_hold[0] > 0.0 else "minimum_without_way",
        (0, 1, 0): "limit_and_demand",
        (0, 1, 1): "balance_and_closure" if is_closed else "balance_and_limit",
        (0, 0, 1): "balance_alone",
    }.get(counts)
    says_all = case is not None and are_balanced and not (counts == (1, 1, 0) and conflict.markets)
    if case is not None and says_all:
        return (CONFLICT_SENTENCES[case].format(**parts),)
    lines = [CONFLICT_SENTENCES["many"].format(count=len(conflict.rows))]
    for position, row in enumerate(conflict.rows):
        size = float(problem.row_capacity[row])
        kind = {AT_LEAST: "at_least", AT_MOST: "at_most", EXACTLY: "exactly" if size else "balance"}[int(sense[position])]
        could = _number(abs(float(conflict.could_hold[position])))
        lines.append(CONFLICT_SENTENCES[kind].format(row=row_names[row], size=_number(size), unit=row_units[row], could=could))
    for market, has_too_few in zip(conflict.markets, conflict.has_too_few, strict=True):
        lines.append(CONFLICT_SENTENCES["too_few_goods" if has_too_few else "bound_goods"].format(market=market_names[market]))
    return tuple(lines)


def _number(value: float) -> str:
    """As read: whole from 100 on, else three digits."""
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.3g}"


def _limits(problem: MarketProblem, most_demand_kt: FloatArray | None) -> _Limits:
    rows = limited_rows(problem)
    reference = row_reference(problem)[rows]
    base = problem.market_flow_kt * problem.market_factor
    is_elastic = problem.market_elasticity > 0.0
    most = np.full(base.shape[0], np.inf) if most_demand_kt is None else most_demand_kt
    markets = np.flatnonzero(base > 0.0)
    routes = problem.route_cost_usd_per_t.shape[0]
    families = problem.family_first_route[problem.market_first_family]
    market_of_route = np.repeat(np.arange(base.shape[0]), np.diff(families))
    route_of_entry = np.repeat(np.arange(routes), np.diff(problem.route_first_entry))
    position = np.full(problem.row_capacity.shape[0], -1, dtype=np.int64)
    position[rows] = np.arange(rows.shape[0])
    kept = np.flatnonzero(position[problem.entry_row] >= 0)
    row, route = position[problem.entry_row[kept]], route_of_entry[kept]
    share = problem.entry_units_per_t[kept] * base[market_of_route[route]] / reference[row]
    use = sp.csc_array((share, (row, route)), shape=(rows.shape[0], routes))
    use.sum_duplicates()
    seen: dict[tuple[int, bytes, bytes], int] = {}
    for index in np.flatnonzero(base[market_of_route] > 0.0):
        inside = slice(use.indptr[index], use.indptr[index + 1])
        seen.setdefault((int(market_of_route[index]), use.indices[inside].tobytes(), use.data[inside].tobytes()), int(index))
    columns = np.array(list(seen.values()), dtype=np.int64)
    owner = np.searchsorted(markets, market_of_route[columns])
    count = columns.shape[0]
    return _Limits(
        row=rows,
        sense=problem.row_sense[rows],
        limit=problem.row_capacity[rows] / reference,
        reference=reference,
        use=sp.csr_array(use[:, columns]),
        market=markets,
        of_market=sp.csr_array((np.ones(count), (owner, np.arange(count))), shape=(markets.shape[0], count)),
        least=np.where(is_elastic[markets], 0.0, 1.0),
        most=np.where(is_elastic[markets], most[markets] / base[markets], 1.0),
    )


def _missed(limits: _Limits, members: IntArray, *, kept: IntArray) -> FloatArray:
    """By how much each member misses its limit where the flows miss least in all; `kept` ones by no more than the tolerance.

    Shares of their references: above zero by which the flow is too high, below zero too low; shape (len(members),).
    """
    columns, count = limits.use.shape[1], members.shape[0]
    sense, limit = limits.sense[members], limits.limit[members]
    over_most = np.where(sense == AT_LEAST, 0.0, np.inf)
    under_most = np.where(sense == AT_MOST, 0.0, np.inf)
    is_kept = np.isin(members, kept)
    over_most[is_kept] = np.minimum(over_most[is_kept], _TOLERANCE)
    under_most[is_kept] = np.minimum(under_most[is_kept], _TOLERANCE)
    is_same = limits.least == limits.most
    nothing = sp.csr_array((limits.market.shape[0], 2 * count))
    slack = sp.hstack([-sp.eye_array(count), sp.eye_array(count)])
    rows = sp.csr_array(sp.hstack([limits.use[members], slack]))
    goods = sp.csr_array(sp.hstack([limits.of_market, nothing]))
    is_upper, is_lower, is_exact = sense == AT_MOST, sense == AT_LEAST, sense == EXACTLY
    is_bounded = ~is_same & np.isfinite(limits.most)
    found = linprog(
        np.concatenate([np.zeros(columns), np.where(np.tile(is_kept, 2), 1e-3, 1.0)]),
        A_ub=sp.vstack([rows[is_upper], -rows[is_lower], goods[is_bounded]]),
        b_ub=np.concatenate([limit[is_upper], -limit[is_lower], limits.most[is_bounded]]),
        A_eq=sp.vstack([rows[is_exact], goods[is_same]]),
        b_eq=np.concatenate([limit[is_exact], limits.most[is_same]]),
        bounds=np.stack([np.zeros(columns + 2 * count), np.concatenate([np.full(columns, np.inf), over_most, under_most])], axis=1),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    if found.status != _SOLVED:
        raise SolverError(f"HiGHS gave no answer on {count} limits of the market program: {found.message}")
    over, under = found.x[columns : columns + count], found.x[columns + count :]
    return np.asarray(over - under, dtype=np.float64)


def _can_hold(limits: _Limits, members: IntArray) -> bool:
    return bool(np.abs(_missed(limits, members, kept=members[:0])).sum() <= _TOLERANCE) if members.size else True


def _smallest(limits: _Limits) -> IntArray | None:
    """The fewest rows that conflict, of several the first in the order of rows; None if the search is cut short."""
    count = limits.row.shape[0]
    corrections: list[IntArray] = []
    tried = np.zeros(0, dtype=np.int64)
    for _ in range(_MOST_ROUNDS):
        corrections.append(_correction(limits, tried))
        # Ties fall to the first rows: all these small weights together stay below one row.
        weight = 1.0 + np.arange(count) / (2.0 * count * count)
        where = np.repeat(np.arange(len(corrections)), [one.shape[0] for one in corrections])
        cover = sp.csr_array((np.ones(where.shape[0]), (where, np.concatenate(corrections))), shape=(len(corrections), count))
        found = milp(
            weight, constraints=LinearConstraint(cover, 1.0, np.inf), bounds=Bounds(0.0, 1.0), integrality=np.ones(count),
            options={"node_limit": _MOST_NODES, "mip_rel_gap": 0.0},
        )  # fmt: skip
        if found.status != _SOLVED:
            return None
        tried = np.flatnonzero(found.x > 0.5)
        if not _can_hold(limits, tried):
            return tried
    return None


def _correction(limits: _Limits, held: IntArray) -> IntArray:
    """Rows that the most limits holding together with `held` leave out; none of them can be added."""
    everything = np.arange(limits.row.shape[0])
    missed = np.abs(_missed(limits, everything, kept=held))
    others = np.setdiff1d(everything, held)
    met = np.union1d(held, others[missed[others] <= _TOLERANCE / (2.0 * everything.shape[0])])
    inside = met if _can_hold(limits, met) else held
    for other in np.setdiff1d(everything, inside):
        wider = np.union1d(inside, [other])
        if _can_hold(limits, wider):
            inside = wider
    return np.setdiff1d(everything, inside)


def _thinned(limits: _Limits, members: IntArray) -> IntArray:
    """The members less those without which the rest still conflicts, tried from the last to the first."""
    for member in members[::-1]:
        rest = members[members != member]
        if not _can_hold(limits, rest):
            members = rest
    return members


def _could_hold(limits: _Limits, members: IntArray, member: int) -> float:
    """Limit of a member at which the others could hold, thousands of units."""
    missed = _missed(limits, members, kept=members[members != member])[members == member]
    value = float((limits.limit[member] + missed[0]) * limits.reference[member])
    return value if abs(value) > _TOLERANCE * limits.reference[member] else 0.0


def _demand_weight(limits: _Limits, members: IntArray) -> FloatArray:
    """Weight of each market's demand in the proof of the conflict: above zero as an upper bound, below zero as a lower one, shape (m,).

    The proof is a weight u for each row (zero or more where it is an upper limit, zero or less where it is a minimum) and z for each
    market with sum_a e_ra u_a + z_w >= 0 on every route and sum_a K_a u_a + sum_w q_w z_w = -1: no flows can meet limits that add up
    to that. Of the proofs with these rows the one that leans least on demand is taken.
    """
    count, markets, columns = members.shape[0], limits.market.shape[0], limits.use.shape[1]
    sense = limits.sense[members]
    lower = np.concatenate([np.where(sense == AT_MOST, 0.0, -np.inf), np.zeros(2 * markets)])
    upper = np.concatenate([np.where(sense == AT_LEAST, 0.0, np.inf), np.full(2 * markets, np.inf)])
    is_open = ~np.isfinite(limits.most)
    upper[count : count + markets][is_open] = 0.0
    upper[count + markets :][limits.least == 0.0] = 0.0
    most = np.where(is_open, 0.0, limits.most)
    of_market = limits.of_market.T
    proof = sp.csr_array(sp.hstack([limits.use[members].T, of_market, -of_market]))
    found = linprog(
        np.concatenate([np.zeros(count), np.tile(most, 2)]),
        A_ub=-proof,
        b_ub=np.zeros(columns),
        A_eq=sp.csr_array(np.concatenate([limits.limit[members], most, -most])[None, :]),
        b_eq=np.array([-1.0]),
        bounds=np.stack([lower, upper], axis=1),
        method="highs",
    )
    if found.status != _SOLVED:
        raise SolverError(f"HiGHS found no proof for a conflict of {count} limits of the market program: {found.message}")
    weight = found.x[count : count + markets] - found.x[count + markets :]
    return np.where(np.abs(weight) > _LEAST_WEIGHT * np.abs(found.x[:count]).max(), weight, 0.0)
