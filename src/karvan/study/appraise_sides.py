"""Outlooks that an appraisal compares: years of scenarios cleared, with what each party has in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal.present import by_year
from karvan.corridor import Corridor, Snapshot
from karvan.measures import Scenario
from karvan.measures.apply import apply, apply_years
from karvan.routing import arc_flows
from karvan.study.accounts import (
    SHIPPERS,
    STATED,
    SURPLUS,
    VENTURES,
    WORLD,
    emitted_kt,
    region_countries,
    year_accounts,
)  # fmt: skip
from karvan.study.clear import Cleared, clear, clear_on, kept_of, year_key
from karvan.study.common_routes import CommonRoutes, common_routes
from karvan.study.full_loop import TRADE, Answered, Demand, Loop, answered, demand_of, not_gained, without_answers
from karvan.study.new_ways import new_ways
from karvan.study.power_accounts import EMITTED, PowerSides, account_rows
from karvan.study.progress import Progress, line
from karvan.study.route_memory import Kept, RouteMemory, YearKey
from karvan.study.trade_market import base_costs
from karvan.study.trade_table import trade_table
from karvan.study.works import carbon_price, valued_ventures
from karvan.study.year import as_queue, year_result

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_KEY = ["party", "country", "item", "who"]
MARKET_ITEMS = (SURPLUS, "empties", "scarcity rent", "tax on scarcity rent")
"""Items that add up to the market's own welfare."""


@dataclass(frozen=True)
class SideYear:
    """What is kept of a cleared year.

    Attributes:
        year: The year.
        accounts: Who has what, kUSD; see `year_accounts`.
        regions: Flows between regions.
        demand, queued: What shippers have, market by market, where scarcity is a price and where it is a queue.
        queue_kusd: Welfare of the market where scarcity is a queue.
        gross_kt, all_kt, power_kt: CO2e of goods over the headline cordon, of all goods, of power plants.
        ratio: Margins over today's by administration, where tariffs answer.
        moved, is_settled: By answer, how far it still moved at the end, and whether that is near enough to none.
    """

    year: int
    accounts: pl.DataFrame
    regions: pl.DataFrame
    demand: Demand
    queued: Demand
    queue_kusd: float
    gross_kt: float
    all_kt: float
    power_kt: float
    ratio: Mapping[str, float]
    moved: Mapping[str, float]
    is_settled: Mapping[str, bool]


NO_SHIFT = pl.DataFrame(schema={"region": pl.String, "is_origin": pl.Boolean, "value_kusd": pl.Float64})
"""Nothing that surplus differs by for another reason than what it costs to carry goods."""


class Sides:
    """Outlooks of the scenarios that are compared, in the sample years, all on the routes found for the first and for the whole.

    Args:
        corridor: The corridor.
        first: Scenario that the others are held against.
        whole: Scenario with all measures of any of them.
        values: `appraisal_values` by id.
        path: Path of the carbon price.
        samples: The years.
        memory: Routes to share.
        tell: Called with a line of text as the work goes on.
        power: Years dispatched, if something of power is compared.
    """

    def __init__(
        self, corridor: Corridor, first: Scenario, whole: Scenario, values: dict[str, float], path: str | None, samples: Sequence[int],
        memory: RouteMemory, tell: Progress, power: PowerSides | None,
    ) -> None:  # fmt: skip
        self.corridor, self.first, self.whole, self.values, self.path, self.samples = corridor, first, whole, values, path, samples
        self.memory, self.tell, self.power = memory, tell, power
        self._known: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[SideYear, ...]] = {}
        self._more: dict[tuple[tuple[str, ...], tuple[str, ...]], list[pl.DataFrame]] = {}
        self._loops: dict[tuple[str, ...], Loop] = {}
        self._common: dict[int, tuple[CommonRoutes, Mapping[YearKey, Kept]]] = {}

    def of(self, scenario: Scenario, answers: tuple[str, ...] = ()) -> tuple[SideYear, ...]:
        """Years of a scenario, with what answers in them beside delays."""
        key = (scenario.measure_ids, answers)
        if key not in self._known:
            snapshots = apply_years(scenario, self.corridor, self.samples)
            starts = self._starts(scenario, answers)
            self._known[key] = tuple(
                self._year(scenario, snapshot, answers, start) for snapshot, start in zip(snapshots, starts, strict=True)
            )
        return self._known[key]

    def gains(self, scenario: Scenario, answers: tuple[str, ...] = (), *, is_plain: bool = False) -> pl.DataFrame:
        """What every account gains by a scenario in every sample year, million USD: year, party, country, item, who, gain_musd.

        Args:
            scenario: The scenario.
            answers: What answers beside delays.
            is_plain: Leave out what new ways gain more than plain path sizes say, see `NewWays`.
        """
        both = self.of(self.first, answers), self.of(scenario, answers)
        more = [NO_SHIFT] * len(self.samples) if is_plain else self._ways(scenario, answers)
        return _gains(*both, more, tables=self.corridor.tables, origin_share=self.values["origin_share"])

    def queue_gains(self, scenario: Scenario, answers: tuple[str, ...] = ()) -> pl.DataFrame:
        """The same with what the market gains where scarcity is a queue in place of surplus and rent; all else as with prices."""
        both = self.of(self.first, answers), self.of(scenario, answers)
        return _queue_gains(self.gains(scenario, answers), *both, self._ways(scenario, answers))

    def opens_ways(self, scenario: Scenario) -> bool:
        """Whether a scenario opens or closes ways in a sample year."""
        return any((one != other).any() for _, one, other in self._open_ways(scenario))

    def _open_ways(self, scenario: Scenario) -> Iterator[tuple[int, BoolArray, BoolArray]]:
        """By sample year, routes that are open in the first scenario and in another."""
        sides = [apply_years(each, self.corridor, self.samples) for each in (self.first, scenario)]
        for year, *snapshots in zip(self.samples, *sides, strict=True):
            common, _ = self._common_of(year)
            one, other = (common.open_in(snapshot) for snapshot in snapshots)
            yield year, one, other

    def _ways(self, scenario: Scenario, answers: tuple[str, ...]) -> list[pl.DataFrame]:
        """What ways that a scenario opens gain more than plain path sizes say, less what those that it closes did, by sample year:
        region, is_origin, value_kusd.
        """
        key = (scenario.measure_ids, answers)
        if key not in self._more:
            found = []
            for place, (_, one, other) in enumerate(self._open_ways(scenario)):
                sides = ((scenario, one, other, 1.0), (self.first, other, one, -1.0))
                found.append(pl.concat([NO_SHIFT, *(
                    self._way_gains(each, answers, place, without).with_columns(pl.col("value_kusd") * sign)
                    for each, without, within, sign in sides if (within & ~without).any()
                )]))  # fmt: skip
            self._more[key] = found
        return self._more[key]

    def _way_gains(self, scenario: Scenario, answers: tuple[str, ...], place: int, without: BoolArray) -> pl.DataFrame:
        """What routes of a scenario gain in a sample year that are not among some, more than plain path sizes say."""
        snapshot = apply(scenario, self.corridor, year=self.samples[place])
        found, has = self._answered(snapshot, answers, self._starts(scenario, answers)[place], without)
        cleared, is_open = found.cleared, found.cleared.routed.sets.is_open
        assert is_open is not None
        ways = new_ways(cleared.assembly, cleared.routed.sets, is_open, is_open & ~has)
        value = ways.more_kusd(cleared.problem, cleared.clearing.route_cost_usd_per_t)
        ends = ((cleared.assembly.market_origin, True), (cleared.assembly.market_destination, False))
        frames = [
            pl.DataFrame({"region": list(regions), "value_kusd": value[: cleared.assembly.goods_count]}).with_columns(is_origin=pl.lit(at))
            for regions, at in ends
        ]
        grouped = pl.concat(frames).group_by("region", "is_origin", maintain_order=True).agg(pl.col("value_kusd").sum())
        return grouped.cast({"region": pl.String}).select(NO_SHIFT.columns)

    def _starts(self, scenario: Scenario, answers: tuple[str, ...]) -> Sequence[Mapping[str, float]]:
        """Margins that tariffs begin with: those of the same year of the first scenario."""
        if answers and scenario.measure_ids != self.first.measure_ids:
            return [year.ratio for year in self.of(self.first, answers)]
        return [{} for _ in self.samples]

    def _year(self, scenario: Scenario, snapshot: Snapshot, answers: tuple[str, ...], start: Mapping[str, float]) -> SideYear:
        corridor, year = self.corridor, snapshot.year
        manifest = corridor.manifest
        found, _ = self._answered(snapshot, answers, start)
        cleared = found.cleared
        self.tell(line("appraising", year=year))
        price = carbon_price(corridor, self.path, year)
        accounts = year_accounts(cleared, self.values, corridor.tables["external_costs"], price, found.more_kusd)
        result = year_result(cleared, headline_cordon=manifest.headline_cordon, crude_commodity=manifest.crude_commodity, has_queue=False)
        queue = as_queue(cleared)
        sets = cleared.routed.sets
        crossing = cleared.routed.cordons[manifest.headline_cordon][0] > 0.0
        gross = emitted_kt(cleared, arc_flows(cleared.routed.space, sets, np.where(crossing, cleared.set_flow_kt, 0.0)))
        net = emitted_kt(cleared, arc_flows(cleared.routed.space, sets, cleared.set_flow_kt))
        power_kt = 0.0
        if self.power is not None:
            raw = self.power.raw(scenario if year >= self.power.years[0] else self.first, year)
            power_kt = sum(amount for item, *_, amount in raw if item == EMITTED)
            rows = account_rows(raw, tax_share=self.values["profit_tax_share"], co2_usd_per_t=price)
            accounts = pl.concat([accounts, pl.DataFrame(rows, schema=accounts.schema, orient="row")])
        stated = _stated(corridor, scenario, year)
        accounts = pl.concat([accounts, pl.DataFrame(stated, schema=accounts.schema, orient="row")])
        demand, queued = (demand_of(cleared, each.consumer_surplus_kusd) for each in (cleared.clearing, queue))
        return SideYear(
            year, accounts, result.regions, demand, queued, queue.welfare_kusd, gross, net, power_kt, found.ratio, found.moved,
            found.is_settled,
        )  # fmt: skip

    def _answered(
        self, snapshot: Snapshot, answers: tuple[str, ...], start: Mapping[str, float], marked: BoolArray | None = None
    ) -> tuple[Answered, BoolArray]:  # fmt: skip
        """A year on the routes in common, and which of these are marked."""
        common, ends = self._common_of(snapshot.year)
        own = self._key(snapshot)
        routed, has = common.routed(snapshot, np.ones(common.sets.route_count, dtype=np.bool_) if marked is None else marked)
        cleared = clear_on(routed, ends.get(own, list(ends.values())[-1]))
        if not answers:
            return without_answers(cleared), has
        self.tell(line("answering", year=snapshot.year))
        return answered(cleared, self._loop(answers), key=(*own, *ends), start=start, memory=self.memory), has

    def _common_of(self, year: int) -> tuple[CommonRoutes, Mapping[YearKey, Kept]]:
        """Routes of a year found for the first scenario and for the whole, and at what prices and delays those two cleared on their own."""
        if year not in self._common:
            snapshots = [apply(scenario, self.corridor, year=year) for scenario in (self.first, self.whole)]
            cleared = [self._cleared(snapshot) for snapshot in snapshots]
            common = common_routes([each.routed for each in cleared])
            self._common[year] = common, {self._key(snapshot): kept_of(each) for snapshot, each in zip(snapshots, cleared, strict=True)}
        return self._common[year]

    @property
    def _price(self) -> float:
        return self.corridor.manifest.co2_price_usd_per_t

    def _cleared(self, snapshot: Snapshot) -> Cleared:
        return clear(snapshot, routes=self.memory, co2_price_usd_per_t=self._price, is_strict=False)

    def _key(self, snapshot: Snapshot) -> YearKey:
        return year_key(snapshot, routes=self.memory, co2_price_usd_per_t=self._price)

    def _loop(self, answers: tuple[str, ...]) -> Loop:
        if answers not in self._loops:
            corridor, manifest = self.corridor, self.corridor.manifest
            snapshot = apply(self.first, corridor, year=manifest.base_year)
            base = None
            if TRADE in answers:
                base = base_costs(self._cleared(snapshot), trade_table(corridor.tables, manifest.base_year))
            group = str(corridor.tables["commodities"]["commodity_group"][0])
            self._loops[answers] = Loop(answers, base, group, manifest.headline_cordon, self._key(snapshot))
        return self._loops[answers]


def _stated(corridor: Corridor, scenario: Scenario, year: int) -> list[tuple[str, str, str, str, float]]:
    """What joint ventures of measures that are open on 1 July say that they add in a year, the part of it that counts."""
    day = date(year, 7, 1)
    return [
        (VENTURES, row["country"] or WORLD, STATED, row["venture_id"], 1e3 * row["counted_musd_per_year"])
        for item in scenario.dated
        if item.is_in_force(day)
        for row in valued_ventures(corridor, item.measure.id)
    ]


def _gains(
    before: Sequence[SideYear], after: Sequence[SideYear], more: Sequence[pl.DataFrame], *, tables: Mapping[str, pl.DataFrame],
    origin_share: float,
) -> pl.DataFrame:  # fmt: skip
    """What every account gains; where demand has answered, what surplus moves by for that alone is no gain, see `not_gained`."""
    countries, frames = region_countries(tables), []
    for one, other, ways in zip(before, after, more, strict=True):
        both = one.accounts.join(other.accounts, on=_KEY, how="full", coalesce=True, suffix="_with", validate="1:1")
        shifts = pl.concat([not_gained(one.demand, other.demand), ways.with_columns(-pl.col("value_kusd"))])
        shifted = shifts.select(
            pl.lit(SHIPPERS).alias("party"), country=pl.col("region").replace_strict(countries, return_dtype=pl.String),
            item=pl.lit(SURPLUS), who="region",
            shift=pl.col("value_kusd") * pl.when("is_origin").then(origin_share).otherwise(1.0 - origin_share),
        ).group_by(_KEY).agg(pl.col("shift").sum())  # fmt: skip
        both = both.join(shifted, on=_KEY, how="left", validate="1:1")
        gain = pl.col("value_kusd_with").fill_null(0.0) - pl.col("value_kusd").fill_null(0.0) - pl.col("shift").fill_null(0.0)
        frames.append(both.select(pl.lit(one.year, dtype=pl.Int64).alias("year"), *_KEY, gain_musd=gain / 1e3))
    return pl.concat(frames).sort("year", *_KEY)


def held_to_openings(gains: pl.DataFrame, samples: Sequence[int], openings: Sequence[int]) -> pl.DataFrame:
    """Gains of sample years, and of the year before each opening those of the sample before it.

    Years between samples lie on a straight line, which would count part of what opens in the later one before it does.

    Args:
        gains: year and what is gained, of sample years.
        samples: The years.
        openings: Years in which something opens.
    """
    frames = [gains]
    for opening in sorted(set(openings) & set(samples)):
        before = [year for year in samples if year < opening]
        if before and before[-1] < opening - 1:
            frames.append(gains.filter(pl.col("year") == before[-1]).with_columns(year=pl.lit(opening - 1, dtype=pl.Int64)))
    return pl.concat(frames)


def settled_frame(before: Sequence[SideYear], after: Sequence[SideYear]) -> pl.DataFrame:
    """Of every year, side and answer, how far it still moved at the end, and whether that is near enough to none."""
    rows = [
        (of.year, side, name, of.moved.get(name), is_settled)
        for pair in zip(before, after, strict=True)
        for side, of in zip(("without", "with"), pair, strict=True)
        for name, is_settled in of.is_settled.items()
    ]
    schema = {"year": pl.Int64, "side": pl.String, "answer": pl.String, "moved": pl.Float64, "is_settled": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _queue_gains(
    gains: pl.DataFrame, before: Sequence[SideYear], after: Sequence[SideYear], more: Sequence[pl.DataFrame]
) -> pl.DataFrame:  # fmt: skip
    """Gains with what the market gains where scarcity is a queue in place of surplus and rent; all else as with prices."""
    rest = gains.filter(~pl.col("item").is_in(MARKET_ITEMS))
    rows = []
    for one, other, ways in zip(before, after, more, strict=True):
        shift, way = (0.5 * float(each["value_kusd"].sum()) for each in (not_gained(one.queued, other.queued), ways))  # at both ends
        rows.append((one.year, SHIPPERS, "all", "queue", "all", (other.queue_kusd - one.queue_kusd - shift + way) / 1e3))
    return pl.concat([rest, pl.DataFrame(rows, schema=rest.schema, orient="row")])


def benefit_of(gains: pl.DataFrame, years: npt.NDArray[np.int64]) -> FloatArray:
    """What all parties gain in every year, million USD, shape (years,)."""
    return by_year(gains.group_by("year").agg(pl.col("gain_musd").sum()).sort("year"), "gain_musd", years)
