"""What a cleared market says about facilities, cordons, families and operators: the result of a year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import Clearing, effective_capacity, flows_at, queued, turned_away
from karvan.assignment import clear as clear_market
from karvan.assignment.assembly import NOT_SHIPPED
from karvan.results import YearResult
from karvan.routing import COMPONENTS, arc_flows, estimated_rows, operator_revenue
from karvan.study.clear import Cleared, time_values_usd_per_t_h
from karvan.sums import weighted_sum

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def year_result(cleared: Cleared, *, headline_cordon: str, crude_commodity: str, has_queue: bool = True) -> YearResult:
    """Everything the results keep of a cleared snapshot.

    Args:
        cleared: The snapshot.
        headline_cordon: Cordon whose flow is the corridor's tonnage.
        crude_commodity: Goods told apart as crude oil.
        has_queue: Tell what a queue would make of it too.
    """
    snapshot, sets = cleared.routed.snapshot, cleared.routed.sets
    assembly, clearing = cleared.assembly, cleared.clearing
    flow = np.where(assembly.route_of >= 0, clearing.route_flow_kt, 0.0)
    set_flow, shipped = cleared.set_flow_kt, assembly.route_of >= 0
    headline_kt, headline_kteu = cleared.routed.cordons[headline_cordon]
    is_crude = np.array([name == crude_commodity for name in assembly.market_commodity], dtype=np.bool_)[sets.route_market]
    latent = flows_at(cleared.problem, np.zeros_like(cleared.problem.row_capacity))
    latent_flow = assembly.over_sets(latent.route_flow_kt, sets.route_count)
    arc_flow = arc_flows(cleared.routed.space, sets, set_flow)
    waited = as_queue(cleared) if has_queue else None
    return YearResult(
        year=snapshot.year,
        corridor_mt=weighted_sum(set_flow, headline_kt) / 1e3,
        containers_teu=weighted_sum(set_flow, headline_kteu) * 1e3,
        crude_mt=float((set_flow * headline_kt)[is_crude].sum()) / 1e3,
        corridor_latent_mt=weighted_sum(latent_flow, headline_kt) / 1e3,
        crossings=_crossings(cleared, set_flow, headline_kt),
        facilities=_facilities(cleared, set_flow, headline_kt),
        families=_families(cleared),
        blocks=_blocks(cleared, set_flow, headline_kt),
        links=_links(cleared, arc_flow),
        operators=_operators(cleared, arc_flow),
        regions=_regions(cleared),
        components=_components(cleared, set_flow),
        open_links=snapshot.links_open_at_end,
        shipped_share=_shipped_share(cleared, flow),
        estimated_shares=_estimated_shares(cleared, set_flow, headline_kt),
        max_violation=float(clearing.max_violation),
        complementarity=float(clearing.complementarity),
        welfare_musd=float(clearing.welfare_kusd) / 1e3,
        rent_musd=float(clearing.rent_kusd) / 1e3,
        route_gap=cleared.route_gap,
        is_settled=cleared.is_settled,
        queue=None
        if waited is None
        else {
            "corridor_mt": weighted_sum(waited.route_flow_kt[shipped], headline_kt[assembly.route_of[shipped]]) / 1e3,
            "welfare_musd": waited.welfare_kusd / 1e3,
            "waiting_musd": waited.waiting_kusd / 1e3,
        },
    )


def as_queue(cleared: Cleared) -> Clearing:
    """The same market if scarcity were a queue, on the routes and with the delays that were found with prices."""
    if cleared.regime == "queue":
        return cleared.clearing
    hours = time_values_usd_per_t_h(cleared.assembly, cleared.routed.snapshot.tables)
    # A queue is about as long as the price divided by what an hour is worth to those who pay it.
    problem, flow = cleared.problem, cleared.clearing.route_flow_kt
    used = np.repeat(flow, np.diff(problem.route_first_entry)) * np.abs(problem.entry_units_per_t)
    value = np.repeat(hours[cleared.assembly.market_of_route], np.diff(problem.route_first_entry))
    rows = problem.row_capacity.shape[0]
    whole = np.bincount(problem.entry_row, weights=used, minlength=rows)
    worth = np.bincount(problem.entry_row, weights=used * value, minlength=rows)
    per_h = np.divide(worth, whole, out=np.full(rows, float(np.median(hours))), where=whole > 0.0)
    return clear_market(queued(problem, hours), start=cleared.clearing.row_price_usd_per_unit / per_h)


def _row_tonnes(cleared: Cleared, set_flow: FloatArray, weight: FloatArray) -> FloatArray:
    """Kilotonnes of the weighted routes that use each facility, shape (facilities,)."""
    entries, facilities = cleared.routed.entries, cleared.assembly.facility_count
    on_entry = np.repeat(set_flow * weight, np.diff(entries.route_first_entry))
    return np.asarray(np.bincount(entries.entry_row, weights=on_entry, minlength=cleared.assembly.row_count)[:facilities], dtype=np.float64)


def _crossings(cleared: Cleared, set_flow: FloatArray, headline_kt: FloatArray) -> pl.DataFrame:
    """Flow over each cordon by who sends what where; cordons that nothing crosses have one row of zero."""
    sets = cleared.routed.sets
    of_market = list(
        zip(sets.market_origin_region, sets.market_destination_region, sets.market_commodity, sets.market_form, strict=True)
    )  # fmt: skip
    trades = sorted(set(of_market))
    place = {trade: number for number, trade in enumerate(trades)}
    trade_of_route = np.array([place[trade] for trade in of_market], dtype=np.int64)[sets.route_market]
    rows: list[tuple[str, tuple[str | None, ...]]] = []
    sums = []
    for name in sorted(cleared.routed.cordons):
        kt, kteu = cleared.routed.cordons[name]
        crossing = np.flatnonzero(kt > 0.0)
        trade, on = trade_of_route[crossing], set_flow[crossing]
        flow = on * kt[crossing]
        amounts = (flow, on * kteu[crossing], flow * headline_kt[crossing])
        used = np.flatnonzero(np.bincount(trade, minlength=len(trades)))
        rows += [(name, trades[number]) for number in used.tolist()] or [(name, (None,) * 4)]
        totals = np.stack([np.bincount(trade, weights=each, minlength=len(trades))[used] for each in amounts], axis=1)
        sums.append(totals if used.shape[0] else np.zeros((1, 3)))
    table = np.concatenate(sums) if sums else np.zeros((0, 3))
    keys = ("origin_region", "destination_region", "commodity_group", "form")
    named = {"cordon_id": [name for name, _ in rows], **{key: [trade[column] for _, trade in rows] for column, key in enumerate(keys)}}
    amounts_of = {key: table[:, column] for column, key in enumerate(("flow_kt", "flow_kteu", "on_corridor_kt"))}
    return pl.DataFrame({**named, **amounts_of}, schema_overrides=dict.fromkeys(("cordon_id", *keys), pl.String))


def facilities_of(cleared: Cleared) -> pl.DataFrame:
    """Flow, capacity, price and equal wait of every facility of a cleared market; see `YearResult.facilities`."""
    set_flow = cleared.set_flow_kt
    return _facilities(cleared, set_flow, np.zeros_like(set_flow))


def link_flows(cleared: Cleared) -> pl.DataFrame:
    """Flow over every link of a cleared market; see `YearResult.links`."""
    return _links(cleared, arc_flows(cleared.routed.space, cleared.routed.sets, cleared.set_flow_kt))


def _facilities(cleared: Cleared, set_flow: FloatArray, headline_kt: FloatArray) -> pl.DataFrame:
    clearing, problem, count = cleared.clearing, cleared.problem, cleared.assembly.facility_count
    table = cleared.routed.snapshot.tables["facilities"]
    other = np.array(table["other_load"].to_numpy())
    entries, flow = cleared.routed.entries, clearing.row_flow[:count]
    on_entry = np.repeat(set_flow, np.diff(entries.route_first_entry)) * entries.entry_units_per_t
    loaded = np.bincount(entries.entry_row, weights=on_entry, minlength=cleared.assembly.row_count)[:count]
    tonnes = _row_tonnes(cleared, set_flow, np.ones_like(set_flow))
    crossing = _row_tonnes(cleared, set_flow, headline_kt)
    price = cleared.row_price[:count]
    with np.errstate(divide="ignore", invalid="ignore"):
        units_per_t = np.where(tonnes > 0, loaded / tonnes, 0.0)
        corridor_share = np.where(tonnes > 0, crossing / tonnes, 0.0)
    value_of_time = _value_of_time(cleared, set_flow)
    price_per_t = price * units_per_t
    wait = np.where(value_of_time > 0, price_per_t / np.maximum(value_of_time, 1e-12), 0.0)
    return pl.DataFrame(
        {
            "facility_id": table["facility_id"],
            "unit": table["unit"].cast(pl.String),
            "flow": np.minimum(flow, problem.row_capacity[:count]) + other,
            "capacity": effective_capacity(table),
            "modelled_flow": flow,
            "empty_flow": np.maximum(flow - loaded, 0.0) * (flow - loaded > 1e-9 * np.maximum(flow, 1e-9)),
            "modelled_kt": tonnes,
            "turned_away": turned_away(problem, clearing)[:count],
            "shadow_price_usd_per_unit": price,
            "shadow_price_usd_per_t": price_per_t,
            "scarcity_wait_h": wait,
            "delay_h": cleared.delay_h,
            "corridor_share": corridor_share,
        }
    )


def _value_of_time(cleared: Cleared, set_flow: FloatArray) -> FloatArray:
    """Mean value of an hour to the tonnes that use each facility, USD/t-h, shape (facilities,)."""
    by_market = time_values_usd_per_t_h(cleared.assembly, cleared.routed.snapshot.tables)
    value = by_market[cleared.routed.sets.route_market]
    tonnes = _row_tonnes(cleared, set_flow, np.ones_like(set_flow))
    total = _row_tonnes(cleared, set_flow, value)
    return np.divide(total, tonnes, out=np.zeros_like(total), where=tonnes > 0)


def _sums(columns: Sequence[str], labels: Sequence[tuple[str, ...]], of: IntArray, flow: FloatArray) -> pl.DataFrame:
    """Sums of flows by label, sorted; a label that no flow has is left out.

    Args:
        columns: Names of the parts of a label.
        labels: Labels, each once.
        of: Position in labels of the label of each flow.
        flow: The flows, kt.
    """
    total = np.bincount(of, weights=flow, minlength=len(labels))
    used = sorted(np.flatnonzero(np.bincount(of, minlength=len(labels))).tolist(), key=labels.__getitem__)
    named = {name: [labels[place][part] for place in used] for part, name in enumerate(columns)}
    return pl.DataFrame({**named, "flow_kt": total[used]}, schema_overrides=dict.fromkeys(columns, pl.String))


def _nest_sums(cleared: Cleared, columns: Sequence[str], label_of_market: Sequence[tuple[str, ...]]) -> pl.DataFrame:
    """Sums of flows by the label of the market and the family of a nest."""
    assembly = cleared.assembly
    families = (*cleared.routed.sets.family_ids, NOT_SHIPPED)
    labels = sorted(set(label_of_market))
    place = {label: number for number, label in enumerate(labels)}
    code_of_market = np.array([place[label] for label in label_of_market], dtype=np.int64)
    is_goods = assembly.market_of_nest < assembly.goods_count
    code = code_of_market[assembly.market_of_nest[is_goods]] * len(families) + assembly.family_code[is_goods]
    flow = np.bincount(assembly.nest_of_route, weights=cleared.clearing.route_flow_kt, minlength=is_goods.shape[0])
    of_goods = np.asarray(flow[is_goods], dtype=np.float64)
    return _sums([*columns, "family_id"], [(*label, family) for label in labels for family in families], code, of_goods)


def _families(cleared: Cleared) -> pl.DataFrame:
    return _nest_sums(cleared, ["commodity_group"], list(zip(cleared.assembly.market_commodity, strict=True)))


def _regions(cleared: Cleared) -> pl.DataFrame:
    assembly = cleared.assembly
    labels = list(zip(assembly.market_origin, assembly.market_destination, assembly.market_commodity, strict=True))
    return _nest_sums(cleared, ["origin_region", "destination_region", "commodity_group"], labels)


def _blocks(cleared: Cleared, set_flow: FloatArray, headline_kt: FloatArray) -> pl.DataFrame:
    blocks = cleared.assembly.market_block
    weights = set_flow * headline_kt
    flow = np.asarray(np.bincount(cleared.routed.sets.route_market, weights=weights, minlength=len(blocks)), dtype=np.float64)
    labels = sorted({(block,) for block in blocks if block is not None})
    of = np.array([labels.index((block,)) for block in blocks if block is not None], dtype=np.int64)
    return _sums(["block"], labels, of, flow[[block is not None for block in blocks]])


def _links(cleared: Cleared, arc_flow: FloatArray) -> pl.DataFrame:
    graph, links = cleared.routed.graph, cleared.routed.snapshot.tables["links"]
    is_link = graph.arc_kind == 0
    place = graph.arc_element[is_link] * 2 + graph.arc_direction[is_link]
    totals = np.bincount(place, weights=arc_flow.sum(axis=0)[is_link], minlength=2 * links.height).reshape(-1, 2)
    return pl.DataFrame({"link_id": links["link_id"], "forward_kt": totals[:, 0], "backward_kt": totals[:, 1]})


def empty_flows(cleared: Cleared) -> FloatArray:
    """Empties of each balance that go along its link, against it, or stay, thousands of loading units, shape (returns, 3)."""
    count = cleared.problem.market_flow_kt.shape[0] - cleared.assembly.goods_count
    return cleared.clearing.route_flow_kt[cleared.clearing.route_flow_kt.shape[0] - 3 * count :].reshape(count, 3)


def _operators(cleared: Cleared, arc_flow: FloatArray) -> pl.DataFrame:
    """What operators are paid by goods, and for empties."""
    tables = cleared.routed.snapshot.tables
    revenue = operator_revenue(tables, cleared.routed.rates, arc_flow)
    charges = tables["returns"].select("operator_id", "empty_usd_per_unit").iter_rows()
    for (operator, usd_per_unit), (along, against, _) in zip(charges, empty_flows(cleared).tolist(), strict=True):
        revenue[operator] += usd_per_unit * (along + against)
    return pl.DataFrame({"operator_id": list(revenue), "revenue_musd": [value / 1e3 for value in revenue.values()]}).sort("operator_id")


def _components(cleared: Cleared, set_flow: FloatArray) -> pl.DataFrame:
    """Mean cost by component and mean days of each family's goods."""
    space, sets = cleared.routed.space, cleared.routed.sets
    families, names = len(sets.family_ids), space.names
    pair = sets.route_family * len(names) + sets.market_goods[sets.route_market]

    def total(weights: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(pair, weights=weights * set_flow, minlength=families * len(names)), dtype=np.float64)

    flow = total(np.ones_like(set_flow))
    used = np.flatnonzero(np.bincount(pair, minlength=families * len(names)))
    mean = np.maximum(flow[used], 1e-300)
    days = sets.sums(cleared.routed.rates.hours) / 24.0
    columns = {
        f"{name}_usd_per_t": np.where(flow[used] > 0, total(np.ascontiguousarray(sets.components[:, index]))[used] / mean, 0.0)
        for index, name in enumerate(COMPONENTS)
    }
    frame = pl.DataFrame(
        {
            "family_id": [sets.family_ids[code // len(names)] for code in used.tolist()],
            "commodity_group": [names[code % len(names)] for code in used.tolist()],
            "flow_kt": flow[used],
            **columns,
            "transit_d": np.where(flow[used] > 0, total(days)[used] / mean, 0.0),
        }
    )
    return frame.sort("family_id", "commodity_group")


def _shipped_share(cleared: Cleared, flow: FloatArray) -> float:
    """Lowest share of a market's demand that is shipped."""
    assembly = cleared.assembly
    demand = cleared.clearing.market_demand_kt[: assembly.goods_count]
    carried = np.bincount(assembly.market_of_route, weights=flow, minlength=cleared.clearing.market_demand_kt.shape[0])[: demand.shape[0]]
    wanted = demand > 1e-9
    return float((carried[wanted] / demand[wanted]).min()) if wanted.any() else 1.0


def _estimated_shares(cleared: Cleared, set_flow: FloatArray, headline_kt: FloatArray) -> dict[str, float]:
    """Shares of what crosses the headline cordon that rest on estimated rows; see YearResult."""
    tables, sets, rates = cleared.routed.snapshot.tables, cleared.routed.sets, cleared.routed.rates
    crossing = set_flow * headline_kt
    by_market = estimated_rows(tables, "demand")[cleared.assembly.market_row][sets.route_market]
    on_arc = arc_flows(cleared.routed.space, sets, crossing)
    count = cleared.assembly.facility_count
    rent = np.maximum(cleared.row_price[:count], 0.0) * cleared.clearing.row_flow[:count]
    return {
        "tonnes": _share(crossing, by_market),
        "charges": _share(on_arc * rates.rate_usd_per_t, rates.charge_is_estimate),
        "hours": _share(on_arc.sum(axis=0) * rates.hours, rates.time_is_estimate),
        "rent": _share(rent, estimated_rows(tables, "facilities")[:-1]),
    }


def _share(weight: FloatArray, is_in: npt.NDArray[np.bool_]) -> float:
    total = float(weight.sum())
    return float(weight[is_in].sum()) / total if total > 0 else 0.0
