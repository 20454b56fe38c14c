"""What a saved run adds up: flow on links, families, regions and cordons, money by party, and the headline of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.schema import ANY
from karvan.validation.audit_costs import payloads, rates_of
from karvan.validation.audit_market import violation
from karvan.validation.audit_use import Rows, rows_of
from karvan.validation.book import CONTAINER, LINK, NOT_SHIPPED, Book, Tables, Year, numbered_from_zero, sums
from karvan.validation.tally import LEAST_KT, REPORT_TOLERANCE, SOLVER_TOLERANCE, SUM_TOLERANCE, Check, Tally, compare_frames

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_CASES = ("scenario", "baseline")


def total_checks(book: Book) -> list[Check]:
    """Conservation, sums, money and headline."""
    return [_conservation(book), *_sums(book), _money(book), _headline(book)]


def _conservation(book: Book) -> Check:
    tally = Tally(
        "conservation", "what enters a state leaves it, market by market; demand is shipped or not shipped", tolerance=SUM_TOLERANCE
    )
    steps, count = book.steps, len(book.markets)
    is_end = np.array([state.startswith(("origin:", "destination:")) for state in steps.states], dtype=np.bool_)
    width = len(steps.states)
    for year in book.years:
        epoch = year.epoch
        into, out_of, places, pairs = book.memory.once(("passages", year.epoch_number), _passages, book, year, is_end)
        entering, leaving = (sums(ends, year.pair_flow, places.shape[0]) for ends in (into, out_of))

        def say(at: int, *, pairs: IntArray = places[pairs], when: str = year.when) -> str:
            market, state = divmod(int(pairs[at]), width)
            return f"what leaves {steps.states[state]} of {book.say_market(market)} {when}, kt,"

        tally.compare(leaving[pairs], entering[pairs], say=say, because="what enters it")
        there = np.flatnonzero(~np.isnan(year.column("demand_kt")))
        shipped = sums(epoch.market, year.flow, count)
        wanted = (shipped + year.column("not_shipped_kt"))[there]

        def say_market(at: int, *, there: IntArray = there, when: str = year.when) -> str:
            return f"demand of {book.say_market(int(there[at]))} {when}, kt,"

        tally.compare(year.column("demand_kt")[there], wanted, say=say_market, because="what is shipped and not shipped")
        for word, amounts in (("leaves its origin", leaving), ("reaches its destination", entering)):
            at_end = is_end[places % width]
            ends = sums(places[at_end] // width, amounts[at_end], count)

            def say_end(at: int, *, word: str = word, when: str = year.when) -> str:
                return f"what {word} of {book.say_market(at)} {when}, kt,"

            tally.compare(ends, shipped, say=say_end, because="what its routes carry")
        tally.claim(
            (year.flow >= 0.0) & np.isfinite(year.flow),
            say=partial(_say_flow, year),
        )
    return tally.done()


def _say_flow(year: Year, at: int) -> str:
    return f"flow of route {year.epoch.routes[at]} is {year.flow[at]:.9g} kt {year.when}, must be zero or more"


def _saying(text: str) -> Callable[[int], str]:
    return lambda _: text


def _passages(book: Book, year: Year, is_end: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Place that each nest and step of an epoch enters and leaves, market x number of states + state of each place, and those of them that
    are no ends of markets.
    """
    epoch, width = year.epoch, len(book.steps.states)
    ends = [epoch.pair_market * width + states[epoch.pair_step] for states in (book.steps.head, book.steps.tail)]
    places, number_of = numbered_from_zero(np.concatenate(ends), len(book.markets) * width)
    return number_of[ends[0]], number_of[ends[1]], places, np.flatnonzero(~is_end[places % width])


def cordons_of(book: Book, tables: Tables) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Tonnes and TEU that each cordon counts of a tonne on each route, by own reading of cordons, each of shape (routes,)."""
    key = ("cordons", *book.memory.key(tables, ("cordons", "commodity_units")))
    found: dict[str, tuple[FloatArray, FloatArray]] = book.memory.once(key, _cordons, book, tables)
    return found


def _cordons(book: Book, tables: Tables) -> dict[str, tuple[FloatArray, FloatArray]]:
    steps = book.steps
    per_teu = np.nan_to_num(1.0 / payloads(book, tables)[:, CONTAINER])[book.commodity[book.market]]
    found = {name: (np.zeros(book.market.shape[0]), np.zeros(book.market.shape[0])) for name in sorted(set(tables["cordons"]["cordon_id"]))}
    for row in tables["cordons"].iter_rows(named=True):
        on = steps.of(LINK, row["link_id"])
        if row["direction"] != "both":
            on = on[steps.is_backward[on] == (row["direction"] == "backward")]
        counted = np.ones(len(book.markets), dtype=np.bool_)
        for column in ("commodity_group", "origin_region", "destination_region"):
            if row[column] not in (None, ANY):
                counted &= book.trait(column) == row[column]
        tonnes, boxes = found[row["cordon_id"]]
        crossing = book.routes_with(on)
        tonnes[crossing[counted[book.market[crossing]]]] = 1.0
        in_box = book.routes_with(on[steps.before[on] == CONTAINER])
        in_box = in_box[counted[book.market[in_box]]]
        boxes[in_box] = per_teu[in_box]
    return found


@dataclass(frozen=True)
class Crossings:
    """Routes of an epoch that cross cordons, one entry for each route and cordon.

    Attributes:
        route: Position in the epoch's routes, shape (crossings,).
        cordon: Position among the names of the run's cordons, shape (crossings,).
        teu_per_t: Thousand TEU that are counted per kt, shape (crossings,).
        on_corridor: 1 where the route crosses the headline cordon too, shape (crossings,).
    """

    route: IntArray
    cordon: IntArray
    teu_per_t: FloatArray
    on_corridor: FloatArray


def crossings_of(book: Book, year: Year) -> Crossings:
    """Routes of a year over every cordon."""
    key = ("crossings", year.epoch_number, *book.memory.key(year.tables, ("cordons", "commodity_units")))
    found: Crossings = book.memory.once(key, _crossings, book, year)
    return found


def cordon_ids(book: Book) -> list[str]:
    """Cordons of all years, sorted."""
    found: list[str] = book.memory.once(
        "cordon ids", lambda: sorted({name for year in book.years for name in cordons_of(book, year.tables)})
    )
    return found


def _crossings(book: Book, year: Year) -> Crossings:
    routes, names = year.epoch.routes, cordon_ids(book)
    cordons = cordons_of(book, year.tables)
    on_corridor = cordons[book.corridor.manifest.headline_cordon][0][routes]
    found = {names.index(name): np.flatnonzero(tonnes[routes]) for name, (tonnes, _) in cordons.items()}
    nothing = np.zeros(0, dtype=np.int64)
    route = np.concatenate([nothing, *found.values()])
    boxes = [cordons[names[cordon]][1][routes[on]] for cordon, on in found.items()]
    return Crossings(
        route=route,
        cordon=np.concatenate([nothing, *(np.full(on.shape[0], cordon) for cordon, on in found.items())]),
        teu_per_t=np.concatenate([np.zeros(0), *boxes]),
        on_corridor=on_corridor[route],
    )


def _saved(book: Book, name: str) -> pl.DataFrame:
    return book.saved.frame(name).filter(pl.col("case").is_in(_CASES)).with_columns(pl.col("year").cast(pl.Int64))


class _Sums:
    """Amounts added up by year and labels.

    Args:
        book: The run.
        columns: Labels of markets that tell sums apart.
        name, names: One more label and what it can be.
    """

    def __init__(self, book: Book, columns: Sequence[str], name: str, names: Sequence[str]) -> None:
        labels = pl.DataFrame({column: book.traits[column] for column in columns}, schema=dict.fromkeys(columns, pl.String))
        self._labels = labels.unique(maintain_order=True) if columns else pl.DataFrame({"": [0]})
        numbered = self._labels.with_row_index("number")
        known = (
            labels.join(numbered, on=list(columns), how="left", nulls_equal=True, validate="m:1", maintain_order="left")
            if columns
            else None
        )
        self._of_market = np.zeros(len(book.markets), dtype=np.int64) if known is None else known["number"].to_numpy().astype(np.int64)
        self._names = pl.Series(name, list(names), dtype=pl.String)
        self._years = pl.DataFrame([year.key for year in book.years], schema={"case": pl.String, "year": pl.Int64}, orient="row")
        self._parts: list[dict[str, npt.NDArray[Any]]] = []

    def add(self, at_year: int, market: IntArray, name: IntArray, **amounts: FloatArray) -> None:
        """Add up amounts of a year by their markets and the position of their other label."""
        width = len(self._names)
        place = self._of_market[market] * width + name
        whole = {key: sums(place, values, self._labels.height * width) for key, values in amounts.items()}
        used = np.flatnonzero(np.logical_or.reduce([values != 0.0 for values in whole.values()]))
        self._parts.append(
            {"at_year": np.full(used.shape[0], at_year), "place": used, **{key: values[used] for key, values in whole.items()}}
        )

    def frame(self) -> pl.DataFrame:
        """Case, year, labels and amounts that are not zero."""
        whole = {key: np.concatenate([part[key] for part in self._parts]) for key in self._parts[0]}
        place, width = whole.pop("place"), max(len(self._names), 1)
        labels = self._labels[place // width].select(pl.exclude(""))
        frames = [self._years[whole.pop("at_year")], labels, self._names[place % width].to_frame(), pl.DataFrame(whole)]
        return pl.concat([frame for frame in frames if frame.width], how="horizontal")


def _sums(book: Book) -> list[Check]:
    ends = ("origin_region", "destination_region", "commodity_group")
    families, names, manifest = [*book.families, NOT_SHIPPED], cordon_ids(book), book.corridor.manifest
    headline = names.index(manifest.headline_cordon)
    by_link = _Sums(book, (), "link_id", book.steps.element)
    by_family, by_region = _Sums(book, ("commodity_group",), "family_id", families), _Sums(book, ends, "family_id", families)
    by_cordon, by_block = _Sums(book, (*ends, "form"), "cordon_id", names), _Sums(book, ("block",), "cordon_id", names)
    for at, year in enumerate(book.years):
        epoch, steps = year.epoch, book.steps
        step_flow = np.where(steps.kind == LINK, sums(epoch.pair_step, year.pair_flow, steps.count), 0.0)
        along = {"forward_kt": step_flow * ~steps.is_backward, "backward_kt": step_flow * steps.is_backward}
        by_link.add(at, np.zeros(steps.count, dtype=np.int64), np.arange(steps.count), **along)
        home = np.flatnonzero(~np.isnan(year.column("not_shipped_kt")))
        market = np.concatenate([epoch.nest_market, home])
        family = np.concatenate([epoch.nest_family, np.full(home.shape[0], len(book.families))])
        shipped = np.concatenate([sums(epoch.nest, year.flow, epoch.nest_market.shape[0]), year.column("not_shipped_kt")[home]])
        for each in (by_family, by_region):
            each.add(at, market, family, flow_kt=shipped)
        crossings = crossings_of(book, year)
        flow, market = year.flow[crossings.route], epoch.market[crossings.route]
        amounts = {"flow_kt": flow, "flow_kteu": flow * crossings.teu_per_t, "on_corridor_kt": flow * crossings.on_corridor}
        by_cordon.add(at, market, crossings.cordon, **amounts)
        on = np.flatnonzero(crossings.cordon == headline)
        by_block.add(at, market[on], crossings.cordon[on], flow_kt=flow[on])

    links = Tally("link flows", "tonnes on every link, each way, as its routes carry", tolerance=SUM_TOLERANCE)
    shares = Tally(
        "family flows", "tonnes by route family, goods and regions, and over the headline cordon by block", tolerance=SUM_TOLERANCE
    )
    cordons = Tally("crossings", "tonnes and boxes over every cordon by who sends what where", tolerance=SUM_TOLERANCE)
    wanted = (
        (links, "links", by_link.frame().group_by("case", "year", "link_id").agg(pl.col("forward_kt", "backward_kt").sum()), ("link_id",)),
        (shares, "families", by_family.frame(), ("commodity_group", "family_id")),
        (shares, "regions", by_region.frame(), (*ends, "family_id")),
        (shares, "blocks", by_block.frame().filter(pl.col("block").is_not_null()), ("block",)),
        (cordons, "crossings", by_cordon.frame(), ("cordon_id", *ends, "form")),
    )
    for tally, name, frame, labels in wanted:
        keys = ("case", "year", *labels)
        columns = [column for column in frame.columns if column.endswith(("_kt", "_kteu"))]
        saved = _saved(book, name).filter(pl.any_horizontal(pl.col(columns) != 0.0))
        compare_frames(tally, saved, frame, name=name, keys=keys, columns=columns, because="the sum of its routes")
    return [links.done(), shares.done(), cordons.done()]


def _money(book: Book) -> Check:
    """Money in is money out, M USD; places that are waited for instead of paid for earn nobody anything.

    Goods pay tariffs and charges to operators, limits to owners, and for loading units that must come back to those who bring them; holders
    of contracts pay goods to come. Who brings empties pays for their room and a charge, and keeps what is left.
    """
    tally = Tally(
        "money",
        "what goods pay, less what contracts pay them, is what operators, owners of scarce facilities and those who bring empties receive",
        tolerance=SUM_TOLERANCE,
    )
    parts: list[pl.DataFrame] = []
    is_paid = book.saved.report["regime"] == "price"
    reported = {(case, entry["year"]): entry for case, entry in _report_years(book)}
    for year in book.years:
        epoch, rates, rows = year.epoch, rates_of(book, year.tables), rows_of(book, year)
        cell = book.commodity[epoch.pair_market] * book.steps.count + epoch.pair_step
        moved = sums(cell, year.pair_flow, len(book.commodities) * book.steps.count).reshape(-1, book.steps.count)
        received = (moved * rates.charge).sum(axis=0)
        operators = year.tables["operators"]["operator_id"].to_list()
        takes = rates.operator >= 0
        by_goods = sums(rates.operator[takes], received[takes], len(operators)) / 1e3
        charges = np.zeros(len(operators))
        for way, (along, against, _) in zip(rows.ways, rows.empties.tolist(), strict=True):
            charges[operators.index(way.operator_id)] += way.usd_per_unit * (along + against) / 1e3
        labels = [pl.lit(year.case).alias("case"), pl.lit(year.snapshot.year, dtype=pl.Int64).alias("year")]
        parts.append(pl.DataFrame({"operator_id": operators, "revenue_musd": by_goods + charges}).select(*labels, pl.all()))
        access = float((moved * rates.access).sum()) / 1e3
        paid = float((year.flow * (epoch.components[:, 0] + epoch.components[:, 1])).sum()) / 1e3
        if not is_paid:
            whole = f"{by_goods.sum():.9g} to operators and {access:.9g} of access paid to nobody"
            say_all = _saying(f"what goods pay in all {year.when}, M USD,")
            tally.compare([paid], [float(by_goods.sum()) + access], say=say_all, because=whole)
            continue
        _judge_prices(tally, year, rows, paid=paid, revenue=float(by_goods.sum()), access=access, charges=float(charges.sum()))
        tally.compare(
            [reported[year.key]["rent_musd"]],
            [_held_rent(year) / 1e3],
            say=_saying(f"report: rent_musd {year.when}"),
            least=max(abs(paid), 1.0) * REPORT_TOLERANCE / SUM_TOLERANCE,
            because="price times limit of every facility",
        )
    compare_frames(
        tally,
        _saved(book, "operators"),
        pl.concat(parts),
        name="operators",
        keys=("case", "year", "operator_id"),
        columns=("revenue_musd",),
        because="tariffs and charges times flow",
    )
    return tally.done()


def _judge_prices(tally: Tally, year: Year, rows: Rows, *, paid: float, revenue: float, access: float, charges: float) -> None:
    """What is paid for places and for coming back, and everything that goods pay, M USD."""
    limits, minimums, balances = ((rows.paid_per_t * year.flow).sum(axis=1) / 1e3).tolist()
    room, gift = (float(prices @ rows.room) / 1e3 for prices in (rows.limit_price, rows.minimum_price))
    held = [[year.rows[kind, name].flow if (kind, name) in year.rows else 0.0 for name in rows.ids] for kind in ("facility", "minimum")]
    to_owners = float(rows.limit_price @ np.array(held[0])) / 1e3
    from_contracts = -float(rows.minimum_price @ np.array(held[1])) / 1e3
    brought = float(rows.balance_price @ (rows.empties[:, 1] - rows.empties[:, 0])) / 1e3
    # The program keeps balances to a millionth of what crosses, so that what is paid for them agrees to that only.
    slack = float(np.abs(rows.balance_price) @ rows.size[len(rows.ids) :]) / 1e3 * SOLVER_TOLERANCE / SUM_TOLERANCE
    kept = brought - room - gift - charges
    whole = (
        f"{revenue:.9g} to operators, {to_owners - room:.9g} to owners of scarce facilities, {brought:.9g} to those who bring empties (who "
        f"keep {kept:.9g} of it) and {access:.9g} of access paid to nobody, less {from_contracts + gift:.9g} from holders of contracts"
    )
    everything = revenue + to_owners - room + brought + access - from_contracts - gift
    for word, found, wanted, least, because in (
        ("scarcity paid by goods and for empties", limits + room, to_owners, LEAST_KT, "what owners receive"),
        ("what goods and empties are paid for coming", -minimums - gift, from_contracts, LEAST_KT, "what holders of contracts pay"),
        ("what goods pay for loading units to come back", balances, brought, max(slack, LEAST_KT), "what those who bring empties receive"),
        ("what goods pay in all", paid + limits + minimums + balances, everything, max(slack, LEAST_KT), whole),
    ):
        tally.compare([found], [wanted], say=_saying(f"{word} {year.when}, M USD,"), least=least, because=because)


def _held_rent(year: Year) -> float:
    """Price times limit over all rows, thousand USD."""
    return sum(row.price * row.limit for row in year.rows.values() if row.price != 0.0)


def _report_years(book: Book) -> Sequence[tuple[str, Mapping[str, Any]]]:
    report = book.saved.report
    return [("scenario", entry) for entry in report["years"]] + [("baseline", entry) for entry in report["baseline_years"]]


def _headline(book: Book) -> Check:
    tally = Tally(
        "headline",
        "numbers of the report: corridor, boxes, crude, cordons, blocks, operators, facilities, excess",
        tolerance=REPORT_TOLERANCE,
    )
    manifest = book.corridor.manifest
    entries = {(case, int(entry["year"])): entry for case, entry in _report_years(book)}
    for year in book.years:
        entry = entries[year.case, year.snapshot.year]
        crossings, names = crossings_of(book, year), cordon_ids(book)
        crossing = year.flow[crossings.route]
        by_cordon = sums(crossings.cordon, crossing, len(names))
        on = np.flatnonzero(crossings.cordon == names.index(manifest.headline_cordon))
        tonnes = crossing[on]
        is_crude = (book.trait("commodity_group") == manifest.crude_commodity)[year.epoch.market[crossings.route[on]]]
        rows = rows_of(book, year)
        wanted: dict[str, float] = {
            "corridor_mt": float(tonnes.sum()) / 1e3,
            "containers_teu": float(tonnes @ crossings.teu_per_t[on]) * 1e3,
            "crude_mt": float(tonnes[is_crude].sum()) / 1e3,
        }
        cordons = cordons_of(book, year.tables)
        wanted |= {f"cordons_kt.{name}": float(by_cordon[names.index(name)]) for name in cordons}
        found = {name: entry[name] for name in ("corridor_mt", "containers_teu", "crude_mt")}
        found |= {f"cordons_kt.{name}": entry["cordons_kt"].get(name, np.nan) for name in cordons}
        names = list(wanted)

        def say(at: int, *, names: list[str] = names, when: str = year.when) -> str:
            return f"report: {names[at]} {when}"

        tally.compare([found[name] for name in names], [wanted[name] for name in names], say=say, because="the sum of its routes")
        held = {item["facility_id"]: item for item in entry["facilities"]}
        for key, values in (
            ("flow", np.minimum(rows.use, rows.limit) + year.tables["facilities"]["other_load"].to_numpy()),
            ("shadow_price_usd_per_unit", rows.price),
        ):
            least = np.maximum(rows.size[: len(rows.ids)], 1.0) * SOLVER_TOLERANCE if key == "flow" else 1e-3

            def say_facility(at: int, *, key: str = key, ids: tuple[str, ...] = rows.ids, when: str = year.when) -> str:
                return f"report: {key} of {ids[at]} {when}"

            tally.compare(
                [held[name][key] if name in held else np.nan for name in rows.ids],
                values,
                say=say_facility,
                least=least,
                because="by its routes and row",
            )
        tally.compare(
            [entry["max_violation"]], [violation(rows)], say=_saying(f"report: max_violation {year.when}"), least=1e-3,
            because="the largest excess of use over limit",
        )  # fmt: skip
    _corners(book, tally)
    return tally.done()


def _corners(book: Book, tally: Tally) -> None:
    """Corner runs, whose routes are not kept, against their crossings."""
    crossings = book.saved.frame("crossings").filter(pl.col("cordon_id") == book.corridor.manifest.headline_cordon)
    for case, entries in book.saved.report["range"].items():
        held = crossings.filter(pl.col("case") == case)
        total = dict(held.group_by("year").agg(pl.col("flow_kt").sum() / 1e3).iter_rows())
        years = [int(entry["year"]) for entry in entries]
        found, wanted = [entry["corridor_mt"] for entry in entries], [total.get(year, np.nan) for year in years]

        def say(at: int, *, case: str = case, years: list[int] = years) -> str:
            return f"report: corridor_mt of the {case} end of the growth ranges in {years[at]}"

        tally.compare(found, wanted, say=say, least=LEAST_KT, because="the sum of its crossings")
