"""What an ensemble is: plans, years, what is drawn and how; and what is kept of its futures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.ensembles.designs import Design
from karvan.ensembles.factors import Unknowns, drawn
from karvan.measures import Scenario, with_measures, without_measures
from karvan.study.accounts import SEVERAL
from karvan.study.options import ScenarioOptions, code_hash, prepare

OK = "ok"
HEADLINES = ("corridor_mt", "containers_teu", "crude_mt", "welfare_musd", "rent_musd")
"""What is kept of every year of every future."""
_CORDON_METRICS = {"cordon_mt": 1e3, "cordon_kt": 1.0}
_OUT = "no-"


@dataclass(frozen=True)
class Ensemble:
    """All that an ensemble's futures depend on.

    Attributes:
        corridor: The corridor, with what is laid over it.
        plans: Scenarios, each perhaps with measures added and `no-` measures taken out, joined by '+'; all see the same draws.
        years: Calendar years.
        unknowns: What is drawn.
        design: How futures are spread.
        explicit: Futures written out, by factor or shock, in place of a design.
        detail_years: Years of which links and income by country are kept, too.
        options: Measures added or taken out of every plan.
    """

    corridor: Corridor
    plans: tuple[str, ...]
    years: tuple[int, ...]
    unknowns: Unknowns
    design: Design
    explicit: tuple[Mapping[str, Any], ...] = ()
    detail_years: tuple[int, ...] = ()
    options: ScenarioOptions = field(default_factory=ScenarioOptions)

    @cached_property
    def id(self) -> str:
        """Hash of what every future depends on, so that futures of the same ensemble can be told from others."""
        design = asdict(self.design)
        if self.design.kind == "sobol":
            del design["count"]  # more futures of it are the same ensemble
        told = [
            self.corridor.hash, self.plans, self.years, [asdict(item) for item in self.unknowns.factors],
            [asdict(item) for item in self.unknowns.shocks], design, [dict(row) for row in self.explicit], self.detail_years,
            self.options.with_measures, self.options.without_measures, code_hash(),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode("utf-8")).hexdigest()[:16]

    @property
    def count(self) -> int:
        """Number of futures."""
        return len(self.explicit) if self.explicit else self.design.count

    def draw(self, index: int) -> tuple[list[float], dict[str, int]]:
        """Value of each factor and years in which shocks begin, in a future."""
        if not self.explicit:
            return drawn(self.unknowns, self.design.point(index).tolist())
        row = self.explicit[index]
        values = [item.value if row.get(item.name) is None else float(row[item.name]) for item in self.unknowns.factors]
        begun = {item.shock_id: int(row[item.shock_id]) for item in self.unknowns.shocks if row.get(item.shock_id) is not None}
        return values, begun


def scenario_of(corridor: Corridor, plan: str, options: ScenarioOptions) -> Scenario:
    """The scenario of a plan: its id, measures added, `no-` measures taken out, joined by '+'.

    Raises:
        MeasureError: The scenario or a measure is unknown or does not fit.
    """
    name, *parts = [part.strip() for part in plan.split("+")]
    scenario = prepare(corridor, name, replace(options, set_values=(), overlay=None)).scenario
    out = [part.removeprefix(_OUT) for part in parts if part.startswith(_OUT)]
    added = [part for part in parts if not part.startswith(_OUT)]
    scenario = without_measures(scenario, out) if out else scenario
    return with_measures(scenario, corridor, added) if added else scenario


def has_money(corridor: Corridor) -> bool:
    """Whether a case holds what an appraisal needs: values, a rate, a carbon price."""
    return all(corridor.tables[name].height for name in ("appraisal_values", "discount_rates", "carbon_prices"))


def promised_cordons(ensemble: Ensemble) -> dict[int, dict[str, tuple[str, float]]]:
    """Cordons that promises are held against: by year, column to cordon and kilotonnes per unit."""
    found: dict[int, dict[str, tuple[str, float]]] = {}
    for row in ensemble.corridor.tables["commitments"].iter_rows(named=True):
        if row["metric"] in _CORDON_METRICS and row["year"] in ensemble.years and row["target"] is not None:
            found.setdefault(row["year"], {})[f"{row['commitment_id']}_{row['year']}"] = (row["element_id"], _CORDON_METRICS[row["metric"]])
    return found


def operator_countries(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Country of each operator that has one; those of several are told together."""
    rows = tables["operators"].select("operator_id", "country").iter_rows()
    return {name: SEVERAL if ";" in country else country for name, country in rows if country is not None}


def columns_of_futures(ensemble: Ensemble) -> dict[str, Any]:
    """Columns of the rows of futures and their types."""
    countries = sorted(set(operator_countries(ensemble.corridor.tables).values()))
    columns: dict[str, Any] = {"future": pl.Int64(), "plan": pl.String(), "status": pl.String()}
    columns |= {f"{name}_{year}": pl.Float64() for name in HEADLINES for year in ensemble.years}
    if has_money(ensemble.corridor):
        columns |= {f"society_musd_{year}": pl.Float64() for year in ensemble.years}
    columns |= {name: pl.Float64() for names in promised_cordons(ensemble).values() for name in names}
    for year in ensemble.detail_years:
        columns |= {f"{kind}_{country}_{year}": pl.Float64() for kind in ("income_musd", "scarcity_musd") for country in countries}
        columns[f"links_kt_{year}"] = pl.List(pl.Float64())
    return columns | {"route_gap_mt": pl.Float64(), "unsettled_count": pl.Int64()}
