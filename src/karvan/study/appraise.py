"""What a set of measures is worth: the market with it and without it, told by year, party and country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal.bank import Flows, Loan, Works, debt_cover, flows_of, grant_to_hurdle, usual_tests, worth_of
from karvan.appraisal.cash import internal_rate, net_present_value
from karvan.appraisal.present import by_year
from karvan.corridor import Corridor, Snapshot
from karvan.errors import DataError, Problem
from karvan.measures import Scenario, load_scenario, with_measures, without_measures
from karvan.measures.apply import apply_years, require_fitting
from karvan.power import HOURS
from karvan.results import Appraisal
from karvan.routing import arc_flows
from karvan.study.accounts import OPERATORS, SHIPPERS, STATED, STATES, VENTURES, WORLD, emitted_kt, year_accounts
from karvan.study.clear import clear
from karvan.study.diverted import traffic_by_kind
from karvan.study.options import ScenarioOptions, laid_over
from karvan.study.power_accounts import EMITTED, PowerSides, account_rows, changes_power, power_sponsors
from karvan.study.progress import Progress, line, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.works import appraisal_values, carbon_price, discount_rate, valued_ventures, works_of
from karvan.study.year import as_queue, year_result

FloatArray = npt.NDArray[np.float64]

BUILDERS = "builders"
_KEY = ["party", "country", "item", "who"]
_SAMPLES = (2030, 2035, 2040)
_LAST_SAMPLE = 2040
MARKET_ITEMS = ("surplus", "empties", "scarcity rent", "tax on scarcity rent")
"""Items that add up to the market's own welfare."""


@dataclass(frozen=True)
class AppraisalOptions:
    """How a set is appraised.

    Attributes:
        rate_id: Economic discount rate; by default the case's.
        carbon_path: Path of the carbon price; by default the case's.
        sample_years: Years in which both outlooks are cleared; by default those in which a measure opens, the ones after them, 2030, 2035
            and 2040.
        has_members: Tell what each measure adds put in alone and taken out last.
        power_hours: First hours of a year that are dispatched for measures of power; they stand for all of it.
        from_year: First year that counts; by default that in which building begins.
    """

    rate_id: str | None = None
    carbon_path: str | None = None
    sample_years: tuple[int, ...] = ()
    has_members: bool = True
    power_hours: int = HOURS
    from_year: int | None = None


def appraise(
    corridor: Corridor,
    *,
    measures: Sequence[str],
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: AppraisalOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> Appraisal:
    """A set of measures against a scenario without them.

    Args:
        corridor: The corridor.
        measures: The set: ids, or paths of YAML files. Those that are in the scenario are taken out of it for the comparison.
        scenario: Scenario id; by default the corridor's baseline.
        options: Other measures added or taken out on both sides, values set, an overlay.
        how: Rates and years.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input, or a measure whose cost nothing tells.
        ConvergenceError: A year did not clear.
    """
    how, tell = how or AppraisalOptions(), progress or silent
    if not measures or len(set(measures)) != len(measures):
        raise DataError(Problem("--with", None, None, "must name at least one measure, and each once"))
    asked = options or ScenarioOptions()
    corridor, replaced = laid_over(corridor, asked)
    without, with_set = both_scenarios(corridor, scenario or corridor.manifest.baseline, measures, asked)
    memory = routes or RouteMemory(folder=cache_folder())
    found = appraised(corridor, without, with_set, how=how, memory=memory, tell=tell)
    return replace(found, replaced=tuple(replaced))


def appraised(
    corridor: Corridor, without: Scenario, with_set: Scenario, *, how: AppraisalOptions, memory: RouteMemory, tell: Progress
) -> Appraisal:
    """A scenario against another that lacks some of its measures.

    Args:
        corridor: The corridor.
        without: The scenario without the set.
        with_set: The same with it, dated.
        how: Rates and years.
        memory: Routes to share.
        tell: Called with a line of text as the work goes on.
    """
    own = [item for item in with_set.dated if item.measure.id not in without.measure_ids]
    works = [
        each if each.sponsors else replace(each, sponsors=power_sponsors(item.measure))
        for each, item in zip(works_of(corridor, [(item.measure, item.from_date) for item in own]), own, strict=True)
    ]
    values = appraisal_values(corridor)
    rate_id, rate = discount_rate(corridor, how.rate_id, "economic")
    samples = how.sample_years or _sample_years(works)
    power = None
    if any(changes_power(item.measure) for item in own):
        ends = (samples[0], samples[-1])
        power = PowerSides(corridor, without, with_set, ends, hours=how.power_hours, memory=memory, tell=tell)
    sides = _Sides(corridor, values, how.carbon_path, samples, memory, tell, power)
    before, after = sides.of(without), sides.of(with_set)
    gains = _gains(before, after)
    first = min(*(item.first_build_year for item in works), *samples)
    first = how.from_year or max(first, corridor.manifest.facts_until.year)
    years = np.arange(first, first + round(values["evaluation_years"]))
    ratios = {"capital_ratio": values["construction_conversion_ratio"], "running_ratio": values["running_conversion_ratio"]}
    benefit = _benefit(gains, years)
    flows = flows_of(works, benefit, first, **ratios)
    full_year = max(item.open_year for item in works) + 1
    found = worth_of(flows, rate, first_full_year=full_year)
    tests = usual_tests(works, benefit, first, **ratios)
    capital = sum(item.capital_musd for item in works)
    parties = _parties(gains, flows, years, rate)
    surplus = parties.filter((pl.col("party") == SHIPPERS) & (pl.col("item") == "surplus"))["npv_musd"].sum()
    return Appraisal(
        measure_ids=tuple(item.measure_id for item in works),
        scenario_id=without.scenario_id,
        from_year=first,
        last_year=int(years[-1]),
        rate_id=rate_id,
        rate_share=rate,
        sample_years=tuple(samples),
        npv_musd=found.npv_musd,
        npv_queue_musd=net_present_value(flows.net - benefit + _benefit(_as_queue(gains, before, after), years), rate),
        err_share=found.err_share,
        bcr_ratio=found.bcr_ratio,
        first_year_share=found.first_year_share,
        payback_year_count=found.payback_year_count,
        residual_musd=found.residual_musd,
        switching=found.switching,
        estimated_capital_share=sum(item.capital_musd for item in works if item.is_estimate) / capital if capital > 0.0 else 0.0,
        costs=_costs(works),
        accounts=gains.filter(pl.col("gain_musd") != 0.0),
        flows=_flow_frame(flows),
        yearly=_yearly(gains, years),
        parties=parties,
        tests=_tests(tests, rate),
        sponsors=_sponsors(works, gains, years, first, discount_rate(corridor, None, "financial")[1], values),
        members=_members(sides, without, with_set, works, before, after, flows, rate, ratios) if how.has_members else _no_members(),
        traffic=traffic_by_kind(before, after),
        emissions=_emissions(before, after),
        fiscal=_fiscal(gains),
        wider=pl.DataFrame({"what": ["imperfect_competition"], "npv_musd": [values["imperfect_competition_share"] * float(surplus)]}),
        replaced=(),
    )


def both_scenarios(corridor: Corridor, scenario_id: str, measures: Sequence[str], asked: ScenarioOptions) -> tuple[Scenario, Scenario]:
    """A scenario without a set of measures, and with it.

    Raises:
        MeasureError: A measure is unknown or does not fit.
    """
    base = load_scenario(scenario_id, corridor, growth=asked.growth)
    if asked.without_measures:
        base = without_measures(base, list(asked.without_measures))
    others = [name for name in asked.with_measures if name not in measures]
    if others:
        base = with_measures(base, corridor, others)
    inside = [name for name in measures if name in base.measure_ids]
    outside = [name for name in measures if name not in base.measure_ids]
    with_set = with_measures(base, corridor, outside) if outside else base
    without = without_measures(base, inside) if inside else base
    for each in (without, with_set):
        require_fitting(each, corridor)
    return without, with_set


def _sample_years(works: Sequence[Works]) -> tuple[int, ...]:
    opening = min(item.open_year for item in works)
    own = {year for item in works for year in (item.open_year, item.open_year + 1)}
    return tuple(sorted(year for year in own | set(_SAMPLES) if opening <= year <= _LAST_SAMPLE)) or (_LAST_SAMPLE,)


class _Sides:
    """Outlooks of the scenarios that are compared, in the sample years."""

    def __init__(
        self, corridor: Corridor, values: dict[str, float], path: str | None, samples: Sequence[int], memory: RouteMemory, tell: Progress,
        power: PowerSides | None,
    ) -> None:  # fmt: skip
        self.corridor, self.values, self.path, self.samples, self.memory, self.tell = corridor, values, path, samples, memory, tell
        self.power = power
        self.known: dict[tuple[str, ...], tuple[_Year, ...]] = {}

    def of(self, scenario: Scenario) -> tuple[_Year, ...]:
        """Years of a scenario."""
        key = scenario.measure_ids
        if key not in self.known:
            self.known[key] = tuple(self._year(scenario, snapshot) for snapshot in apply_years(scenario, self.corridor, self.samples))
        return self.known[key]

    def _year(self, scenario: Scenario, snapshot: Snapshot) -> _Year:
        manifest = self.corridor.manifest
        cleared = clear(snapshot, routes=self.memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
        year = cleared.routed.snapshot.year
        self.tell(line("appraising", year=year))
        price = carbon_price(self.corridor, self.path, year)
        accounts = year_accounts(cleared, self.values, self.corridor.tables["external_costs"], price)
        result = year_result(cleared, headline_cordon=manifest.headline_cordon, crude_commodity=manifest.crude_commodity, has_queue=False)
        queue = as_queue(cleared).welfare_kusd
        sets = cleared.routed.sets
        crossing = cleared.routed.cordons[manifest.headline_cordon][0] > 0.0
        gross = emitted_kt(cleared, arc_flows(cleared.routed.space, sets, np.where(crossing, cleared.set_flow_kt, 0.0)))
        net = emitted_kt(cleared, arc_flows(cleared.routed.space, sets, cleared.set_flow_kt))
        power_kt = 0.0
        if self.power is not None:
            raw = self.power.raw(scenario, year)
            power_kt = sum(amount for item, *_, amount in raw if item == EMITTED)
            rows = account_rows(raw, tax_share=self.values["profit_tax_share"], co2_usd_per_t=price)
            accounts = pl.concat([accounts, pl.DataFrame(rows, schema=accounts.schema, orient="row")])
        stated = _stated(self.corridor, scenario, year)
        accounts = pl.concat([accounts, pl.DataFrame(stated, schema=accounts.schema, orient="row")])
        return _Year(year, accounts, result.regions, queue, gross, net, power_kt)


def _stated(corridor: Corridor, scenario: Scenario, year: int) -> list[tuple[str, str, str, str, float]]:
    """What joint ventures of measures that are open on 1 July say that they add in a year, the part of it that counts."""
    day = date(year, 7, 1)
    return [
        (VENTURES, row["country"] or WORLD, STATED, row["venture_id"], 1e3 * row["stated_musd_per_year"] * row["counted_share"])
        for item in scenario.dated
        if item.is_in_force(day)
        for row in valued_ventures(corridor, item.measure.id)
    ]


@dataclass(frozen=True)
class _Year:
    """What is kept of a cleared year."""

    year: int
    accounts: pl.DataFrame
    regions: pl.DataFrame
    queue_kusd: float
    gross_kt: float
    all_kt: float
    power_kt: float


def _gains(before: Sequence[_Year], after: Sequence[_Year]) -> pl.DataFrame:
    """What every account gains in every sample year, million USD."""
    frames = []
    for one, other in zip(before, after, strict=True):
        both = one.accounts.join(other.accounts, on=_KEY, how="full", coalesce=True, suffix="_with", validate="1:1")
        gain = (pl.col("value_kusd_with").fill_null(0.0) - pl.col("value_kusd").fill_null(0.0)) / 1e3
        frames.append(both.select(pl.lit(one.year, dtype=pl.Int64).alias("year"), *_KEY, gain_musd=gain))
    return pl.concat(frames).sort("year", *_KEY)


def _as_queue(gains: pl.DataFrame, before: Sequence[_Year], after: Sequence[_Year]) -> pl.DataFrame:
    """Gains with what the market gains where scarcity is a queue in place of surplus and rent; all else as with prices."""
    rest = gains.filter(~pl.col("item").is_in(MARKET_ITEMS))
    rows = [
        (one.year, SHIPPERS, "all", "queue", "all", (other.queue_kusd - one.queue_kusd) / 1e3)
        for one, other in zip(before, after, strict=True)
    ]
    return pl.concat([rest, pl.DataFrame(rows, schema=rest.schema, orient="row")])


def _benefit(gains: pl.DataFrame, years: npt.NDArray[np.int64]) -> FloatArray:
    return by_year(gains.group_by("year").agg(pl.col("gain_musd").sum()).sort("year"), "gain_musd", years)


def _parties(gains: pl.DataFrame, flows: Flows, years: npt.NDArray[np.int64], rate: float) -> pl.DataFrame:
    rows: list[tuple[object, ...]] = []
    for keys, frame in gains.group_by(["party", "country", "item"], maintain_order=True):
        yearly = by_year(frame.group_by("year").agg(pl.col("gain_musd").sum()), "gain_musd", years)
        rows.append((*keys, net_present_value(yearly, rate)))
    for item, amount in (("building", -flows.capital), ("upkeep", -flows.running), ("residual value", flows.residual)):
        rows.append((BUILDERS, "all", item, net_present_value(amount, rate)))
    schema = {"party": pl.String, "country": pl.String, "item": pl.String, "npv_musd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").filter(pl.col("npv_musd") != 0.0)


def _tests(tests: Mapping[str, Flows], rate: float) -> pl.DataFrame:
    rows = [
        {"test": name, "npv_musd": net_present_value(flows.net, rate), "err_share": internal_rate(flows.net)}
        for name, flows in tests.items()
    ]
    return pl.DataFrame(rows, schema={"test": pl.String, "npv_musd": pl.Float64, "err_share": pl.Float64})


def _costs(works: Sequence[Works]) -> pl.DataFrame:
    names = (
        "measure_id", "title", "capital_musd", "low_musd", "high_musd", "running_musd_per_year", "open_year", "build_year_count",
        "life_year_count", "overrun_share", "overrun_high_share", "delay_share", "delay_high_share", "is_estimate",
    )  # fmt: skip
    return pl.DataFrame([{name: getattr(item, name) for name in names} for item in works])


def _yearly(gains: pl.DataFrame, years: npt.NDArray[np.int64]) -> pl.DataFrame:
    """What each party gains in every year."""
    parts = [
        pl.DataFrame({"year": years, "party": [party] * years.shape[0], "gain_musd": _benefit(frame, years)})
        for (party,), frame in gains.group_by(["party"], maintain_order=True)
    ]
    return pl.concat(parts).sort("year", "party")


def _flow_frame(flows: Flows) -> pl.DataFrame:
    columns = {name: getattr(flows, name) for name in ("benefit", "capital", "running", "residual", "net")}
    return pl.DataFrame({"year": flows.years, **{f"{name}_musd": values for name, values in columns.items()}})


def _sponsors(
    works: Sequence[Works], gains: pl.DataFrame, years: npt.NDArray[np.int64], first: int, hurdle: float, values: Mapping[str, float]
) -> pl.DataFrame:
    """What each operator that earns by the set spends and gains, capital of a measure in equal parts to its sponsors.

    Debt cover, grant and charge count what it charges, not scarcity rent, which vanishes as works relieve what is full.
    """
    rows = []
    loan = Loan(values["debt_share"], values["debt_rate_share"], round(values["debt_years"]))
    for sponsor in sorted({name for item in works for name in item.sponsors}):
        own = [
            replace(item, **{name: getattr(item, name) / len(item.sponsors) for name in ("capital_musd", "running_musd_per_year")})
            for item in works
            if sponsor in item.sponsors
        ]
        mine = gains.filter((pl.col("party") == OPERATORS) & (pl.col("who") == sponsor))
        capital, opened = sum(item.capital_musd for item in own), max(min(item.open_year for item in own) - first, 0)
        row: dict[str, object] = {"operator_id": sponsor, "capital_musd": capital}
        for name, kept in (("", mine), ("_without_rent", mine.filter(pl.col("item") != "scarcity rent"))):
            income = _benefit(kept, years) if kept.height else np.zeros(years.shape[0])
            flows = flows_of(own, income, first)
            row |= {f"npv{name}_musd": net_present_value(flows.net, hurdle), f"firr{name}_share": internal_rate(flows.net)}
        grant = grant_to_hurdle(flows.net, hurdle)
        is_open = np.arange(years.shape[0]) >= opened
        row |= {
            "debt_cover_ratio": debt_cover(flows.benefit - flows.running, capital, loan, opened),
            "grant_musd": grant,
            "charge_musd_per_year": grant / net_present_value(is_open.astype(np.float64), hurdle) if is_open.any() else None,
        }
        rows.append(row)
    names = (
        "capital_musd", "npv_musd", "firr_share", "npv_without_rent_musd", "firr_without_rent_share", "debt_cover_ratio", "grant_musd",
        "charge_musd_per_year",
    )  # fmt: skip
    return pl.DataFrame(rows, schema={"operator_id": pl.String, **dict.fromkeys(names, pl.Float64)})


def _no_members() -> pl.DataFrame:
    return pl.DataFrame(schema={"measure_id": pl.String, "npv_alone_musd": pl.Float64, "npv_last_musd": pl.Float64})


def _members(
    sides: _Sides, without: Scenario, with_set: Scenario, works: Sequence[Works], before: Sequence[_Year], after: Sequence[_Year],
    flows: Flows, rate: float, ratios: dict[str, float],
) -> pl.DataFrame:  # fmt: skip
    """Each measure put in alone, and what is lost if it is taken out; null where what it requires or is required by would be missing."""
    if len(works) < 2:
        return _no_members()
    years, whole = flows.years, net_present_value(flows.net, rate)
    rows = []
    for item in works:
        rest = [other for other in works if other is not item]
        alone = _kept(with_set, [other.measure_id for other in rest])
        last = _kept(with_set, [item.measure_id])
        row: dict[str, object] = {"measure_id": item.measure_id, "npv_alone_musd": None, "npv_last_musd": None}
        if alone is not None:
            benefit = _benefit(_gains(before, sides.of(alone)), years)
            row["npv_alone_musd"] = net_present_value(flows_of([item], benefit, flows.first_year, **ratios).net, rate)
        if last is not None:
            benefit = _benefit(_gains(before, sides.of(last)), years)
            row["npv_last_musd"] = whole - net_present_value(flows_of(rest, benefit, flows.first_year, **ratios).net, rate)
        rows.append(row)
    return pl.DataFrame(rows, schema=_no_members().schema)


def _kept(scenario: Scenario, names: Sequence[str]) -> Scenario | None:
    """A scenario without some measures, None where others need them."""
    needed = {name for item in scenario.dated if item.measure.id not in names for name in item.measure.requires}
    return None if needed & set(names) else without_measures(scenario, list(names))


def _emissions(before: Sequence[_Year], after: Sequence[_Year]) -> pl.DataFrame:
    rows = [
        {
            "year": one.year,
            "gross_kt": other.gross_kt,
            "net_kt": other.all_kt - one.all_kt,
            "power_kt": other.power_kt - one.power_kt,
        }
        for one, other in zip(before, after, strict=True)
    ]
    return pl.DataFrame(rows, schema={"year": pl.Int64, **dict.fromkeys(("gross_kt", "net_kt", "power_kt"), pl.Float64)})


def _fiscal(gains: pl.DataFrame) -> pl.DataFrame:
    states = gains.filter(pl.col("party") == STATES)
    return states.group_by("year", "country").agg(pl.col("gain_musd").sum()).sort("year", "country").filter(pl.col("gain_musd") != 0.0)
