"""What a cleared market says about facilities, cordons, families and operators: the result of a year."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import effective_capacity, flows_at, turned_away
from karvan.assignment.assembly import NOT_SHIPPED
from karvan.results import YearResult
from karvan.routing import estimated_rows, operator_revenue
from karvan.study.clear import Cleared, time_values_usd_per_t_h

FloatArray = npt.NDArray[np.float64]


def year_result(cleared: Cleared, *, headline_cordon: str, crude_commodity: str) -> YearResult:
    """Everything the results keep of a cleared snapshot."""
    snapshot, sets = cleared.routed.snapshot, cleared.routed.sets
    assembly, clearing = cleared.assembly, cleared.clearing
    flow = np.where(assembly.route_of >= 0, clearing.route_flow_kt, 0.0)
    set_flow, shipped = cleared.set_flow_kt, assembly.route_of >= 0
    headline_kt, headline_kteu = cleared.routed.cordons[headline_cordon]
    commodity = np.array(assembly.market_commodity)[sets.route_market]
    latent = flows_at(cleared.problem, np.zeros_like(cleared.problem.row_capacity))
    latent_flow = np.zeros_like(set_flow)
    latent_flow[assembly.route_of[shipped]] = latent.route_flow_kt[shipped]
    return YearResult(
        year=snapshot.year,
        corridor_mt=float(set_flow @ headline_kt) / 1e3,
        containers_teu=float(set_flow @ headline_kteu) * 1e3,
        crude_mt=float(set_flow @ (headline_kt * (commodity == crude_commodity))) / 1e3,
        corridor_latent_mt=float(latent_flow @ headline_kt) / 1e3,
        crossings=_crossings(cleared, set_flow, headline_kt),
        facilities=_facilities(cleared, set_flow, headline_kt),
        families=_families(cleared),
        blocks=_blocks(cleared, set_flow, headline_kt),
        links=_links(cleared, set_flow),
        operators=_operators(cleared, set_flow),
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
    )


def _row_tonnes(cleared: Cleared, set_flow: FloatArray, weight: FloatArray) -> FloatArray:
    """Kilotonnes of the weighted routes that use each facility, shape (facilities,)."""
    entries, facilities = cleared.routed.entries, cleared.assembly.facility_count
    on_entry = np.repeat(set_flow * weight, np.diff(entries.route_first_entry))
    return np.asarray(np.bincount(entries.entry_row, weights=on_entry, minlength=cleared.assembly.row_count)[:facilities], dtype=np.float64)


def _crossings(cleared: Cleared, set_flow: FloatArray, headline_kt: FloatArray) -> pl.DataFrame:
    """Flow over each cordon by who sends what where; cordons that nothing crosses have one row of zero."""
    sets = cleared.routed.sets
    market = sets.route_market
    labels = {
        "origin_region": np.array(sets.market_origin_region),
        "destination_region": np.array(sets.market_destination_region),
        "commodity_group": np.array(sets.market_commodity),
        "form": np.array(sets.market_form),
    }
    amounts = ("flow_kt", "flow_kteu", "on_corridor_kt")
    parts: list[pl.DataFrame] = []
    for name, (kt, kteu) in sorted(cleared.routed.cordons.items()):
        crossing = np.flatnonzero(kt != 0.0)
        flow = (set_flow * kt)[crossing]
        sums = [flow, (set_flow * kteu)[crossing], flow * headline_kt[crossing]]
        by_market = {
            key: np.bincount(market[crossing], weights=each, minlength=len(sets.market_ids))
            for key, each in zip(amounts, sums, strict=True)
        }
        used = np.unique(market[crossing])
        columns = {key: values[used] for key, values in labels.items()} | {key: values[used] for key, values in by_market.items()}
        part = pl.DataFrame(columns, schema=dict.fromkeys(labels, pl.String) | dict.fromkeys(amounts, pl.Float64))
        if part.is_empty():
            part = pl.DataFrame([{**dict.fromkeys(labels), **dict.fromkeys(amounts, 0.0)}], schema=part.schema)
        parts.append(part.select(pl.lit(name).alias("cordon_id"), pl.all()))
    keys = ["cordon_id", *labels]
    return pl.concat(parts).group_by(keys, maintain_order=True).agg(pl.col(*amounts).sum()).sort(keys)


def facilities_of(cleared: Cleared) -> pl.DataFrame:
    """Flow, capacity, price and equal wait of every facility of a cleared market; see `YearResult.facilities`."""
    set_flow = cleared.set_flow_kt
    return _facilities(cleared, set_flow, np.zeros_like(set_flow))


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


def _nest_frame(cleared: Cleared, keys: Mapping[str, list[str]]) -> pl.DataFrame:
    """Flow of each nest with labels of its market and family."""
    assembly, clearing = cleared.assembly, cleared.clearing
    nests = np.flatnonzero(assembly.market_of_nest < assembly.goods_count)
    flow = np.bincount(assembly.nest_of_route, weights=clearing.route_flow_kt, minlength=assembly.family_code.shape[0])[nests]
    names = [*cleared.routed.sets.family_ids, NOT_SHIPPED]
    return pl.DataFrame({**keys, "family_id": [names[code] for code in assembly.family_code[nests]], "flow_kt": flow})


def _families(cleared: Cleared) -> pl.DataFrame:
    assembly = cleared.assembly
    commodity = [assembly.market_commodity[market] for market in assembly.market_of_nest if market < assembly.goods_count]
    frame = _nest_frame(cleared, {"commodity_group": commodity})
    return (
        frame.group_by("commodity_group", "family_id", maintain_order=True)
        .agg(pl.col("flow_kt").sum())
        .sort("commodity_group", "family_id")
    )


def _regions(cleared: Cleared) -> pl.DataFrame:
    assembly = cleared.assembly
    nests = assembly.market_of_nest[assembly.market_of_nest < assembly.goods_count]
    keys = {
        "origin_region": [assembly.market_origin[market] for market in nests],
        "destination_region": [assembly.market_destination[market] for market in nests],
        "commodity_group": [assembly.market_commodity[market] for market in nests],
    }
    frame = _nest_frame(cleared, keys)
    columns = [*keys, "family_id"]
    return frame.group_by(columns, maintain_order=True).agg(pl.col("flow_kt").sum()).sort(columns)


def _blocks(cleared: Cleared, set_flow: FloatArray, headline_kt: FloatArray) -> pl.DataFrame:
    labels = [cleared.assembly.market_block[market] for market in cleared.routed.sets.route_market]
    frame = pl.DataFrame({"block": labels, "flow_kt": set_flow * headline_kt}, schema={"block": pl.String, "flow_kt": pl.Float64})
    return frame.filter(pl.col("block").is_not_null()).group_by("block", maintain_order=True).agg(pl.col("flow_kt").sum()).sort("block")


def _links(cleared: Cleared, set_flow: FloatArray) -> pl.DataFrame:
    sets, graph, links = cleared.routed.sets, cleared.routed.graph, cleared.routed.snapshot.tables["links"]
    arc_flow = np.zeros(graph.arc_tail.shape[0])
    np.add.at(arc_flow, sets.route_arc, np.repeat(set_flow, np.diff(sets.route_first_arc)))
    totals = np.zeros((links.height, 2))
    is_link = graph.arc_kind == 0
    np.add.at(totals, (graph.arc_element[is_link], graph.arc_direction[is_link]), arc_flow[is_link])
    return pl.DataFrame({"link_id": links["link_id"], "forward_kt": totals[:, 0], "backward_kt": totals[:, 1]})


def empty_flows(cleared: Cleared) -> FloatArray:
    """Empties of each balance that go along its link, against it, or stay, thousands of loading units, shape (returns, 3)."""
    count = cleared.problem.market_flow_kt.shape[0] - cleared.assembly.goods_count
    return cleared.clearing.route_flow_kt[cleared.clearing.route_flow_kt.shape[0] - 3 * count :].reshape(count, 3)


def _operators(cleared: Cleared, set_flow: FloatArray) -> pl.DataFrame:
    """What operators are paid by goods, and for empties."""
    routed = cleared.routed
    revenue = operator_revenue(routed.snapshot.tables, routed.sets, routed.rates, set_flow)
    charges = routed.snapshot.tables["returns"].select("operator_id", "empty_usd_per_unit").iter_rows()
    for (operator, usd_per_unit), (along, against, _) in zip(charges, empty_flows(cleared).tolist(), strict=True):
        revenue[operator] += usd_per_unit * (along + against)
    return pl.DataFrame({"operator_id": list(revenue), "revenue_musd": [value / 1e3 for value in revenue.values()]}).sort("operator_id")


def _components(cleared: Cleared, set_flow: FloatArray) -> pl.DataFrame:
    sets = cleared.routed.sets
    commodity = np.array(cleared.assembly.market_commodity)[sets.route_market]
    frame = pl.DataFrame(
        {
            "family_id": [sets.family_ids[code] for code in sets.route_family],
            "commodity_group": commodity,
            "flow_kt": set_flow,
            **{
                f"{name}_usd_per_t": sets.components[:, index] * set_flow
                for index, name in enumerate(("tariff", "handling", "time", "waiting", "reliability", "co2"))
            },
            "transit_d": sets.hours.sum(axis=1) / 24.0 * set_flow,
        }
    )
    summed = frame.group_by("family_id", "commodity_group", maintain_order=True).agg(pl.all().sum()).sort("family_id", "commodity_group")
    means = [column for column in summed.columns if column.endswith(("_usd_per_t", "_d"))]
    return summed.with_columns(
        pl.when(pl.col("flow_kt") > 0).then(pl.col(column) / pl.col("flow_kt")).otherwise(0.0).alias(column) for column in means
    )


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
    on_step = crossing[sets.route_of_step]
    count = cleared.assembly.facility_count
    rent = np.maximum(cleared.row_price[:count], 0.0) * cleared.clearing.row_flow[:count]
    return {
        "tonnes": _share(crossing, by_market),
        "charges": _share(on_step * rates.rate_usd_per_t, rates.charge_is_estimate),
        "hours": _share(on_step * rates.hours, rates.time_is_estimate),
        "rent": _share(rent, estimated_rows(tables, "facilities")[:-1]),
    }


def _share(weight: FloatArray, is_in: npt.NDArray[np.bool_]) -> float:
    total = float(weight.sum())
    return float(weight[is_in].sum()) / total if total > 0 else 0.0
