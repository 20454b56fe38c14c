"""A run that a notebook shows: its map, its charts, its ladder."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from karvan.errors import DataError, Problem
from karvan.markup import html_paragraphs, html_table
from karvan.report import Words, screen
from karvan.report.page import render_map
from karvan.report.plots import facilities_plot, families_plot, outlook_plot
from karvan.report.summary import answer_sentences
from karvan.results import Outlook, Run, load_run
from karvan.results.outlook import CORRIDOR_FLOOR_SHARE, PRICE_FLOOR_USD_PER_T
from karvan.study.climb import ladder
from karvan.study.drawing import Drawing, MapPage, ShownLadder
from karvan.study.options import Prepared, ScenarioOptions
from karvan.study.progress import Progress

_FACILITIES_SHOWN = 12


@dataclass(frozen=True)
class RunPlots:
    """Charts of a run.

    Attributes:
        run: The run.
    """

    run: ShownRun

    def outlook(self, *, language: str = "en") -> Drawing:
        """History and outlook with the range of growth, million tonnes a year."""
        words = Words(language)
        return Drawing(outlook_plot(self.run.report, words=words), words("notebook.untrusted"))

    def facilities(self, year: int | None = None, *, language: str = "en") -> Drawing:
        """Use of what can be full on the corridor, fullest first.

        Args:
            year: Year of the run; by default its last.
            language: `en` or `ru`; others fall back to English.

        Raises:
            DataError: The run has no such year.
        """
        outlook = self.run.scenario
        years = [result.year for result in outlook.years]
        chosen = years[-1] if year is None else year
        if chosen not in years:
            raise DataError(Problem("year", None, None, f"{chosen} is not in the run, must be one of {', '.join(map(str, years))}"))
        names = self.run.prepared.corridor.tables["facilities"].select("facility_id", "name")
        share = pl.col("flow") / pl.col("capacity")
        frame = outlook.in_year(chosen).facilities.filter((pl.col("capacity") > 0) & (pl.col("corridor_share") >= CORRIDOR_FLOOR_SHARE))
        rows = (
            frame.join(names, on="facility_id", validate="1:1")
            .with_columns((pl.col("shadow_price_usd_per_t") > PRICE_FLOOR_USD_PER_T).alias("is_full"))
            .sort([pl.col("is_full"), share], descending=True, maintain_order=True)
        )
        words = Words(language)
        return Drawing(facilities_plot(rows.head(_FACILITIES_SHOWN).to_dicts(), year=chosen, words=words), words("notebook.untrusted"))

    def families(self, goods: str | None = None, *, language: str = "en") -> Drawing:
        """Tonnes by route family in every year of the run, all markets of the case; families that the scenario moves most come first.

        Args:
            goods: A commodity group; by default all but crude oil, which would dwarf the rest.
            language: `en` or `ru`; others fall back to English.

        Raises:
            DataError: The case has no such goods.
        """
        tables, words = self.run.prepared.corridor.tables, Words(language)
        known = dict(tables["commodities"].select(pl.col("commodity_group").cast(pl.String), "name").iter_rows())
        if goods is not None and goods not in known:
            raise DataError(Problem("goods", None, None, f"{goods} is not in the case, must be one of {', '.join(known)}"))
        names = dict(tables["route_families"].select("family_id", "name").iter_rows())
        crude = self.run.prepared.corridor.manifest.crude_commodity
        chosen = [goods] if goods is not None else [name for name in known if name != crude]
        ours, base = (_family_mt(outlook, chosen) for outlook in (self.run.scenario, self.run.baseline))

        def weight(family: str) -> tuple[float, float]:
            moved = max(abs(value - base.get(family, {}).get(year, 0.0)) for year, value in ours[family].items())
            return -round(moved, 6), -max(ours[family].values())

        values = {names.get(family, family): list(ours[family].items()) for family in sorted(ours, key=weight)}
        title = words("plot.but_crude") if goods is None else known[goods]
        return Drawing(families_plot(values, goods=title, words=words), words("notebook.untrusted"))


def _family_mt(outlook: Outlook, goods: list[str]) -> dict[str, dict[int, float]]:
    """Million tonnes by family and year."""
    frame = outlook.frame("families").filter(pl.col("commodity_group").cast(pl.String).is_in(goods))
    summed = frame.group_by("family_id", "year", maintain_order=True).agg(pl.col("flow_kt").sum()).sort("year", maintain_order=True)
    found: dict[str, dict[int, float]] = {}
    for family, year, flow_kt in summed.iter_rows():
        found.setdefault(family, {})[year] = flow_kt / 1e3
    return found


@dataclass(frozen=True)
class ShownRun(Run):
    """A run as `run` returns it: what a Run holds, and how it is shown.

    Attributes:
        prepared: Corridor and scenario with the run's options laid over them.
    """

    prepared: Prepared

    @property
    def plot(self) -> RunPlots:
        """Charts: outlook, facilities, families."""
        return RunPlots(self)

    def map(self, *, language: str = "en") -> MapPage:
        """The map of flows with its year slider, offline.

        Args:
            language: `en` or `ru`; others fall back to English.

        Raises:
            DataError: The run was not saved, or the screen's files are not in the installation.
        """
        if self.folder is None:
            message = "the run was not saved, and the map reads its routes from the run folder; run again without save=False"
            raise DataError(Problem("run", None, None, message))
        page = render_map(screen(load_run(self.folder), self.prepared.corridor), language=language)
        return MapPage(page, Words(language)("notebook.untrusted"))

    def ladder(self, *, to_mt: float = 10.0, year: int | None = None, progress: Progress | None = None) -> ShownLadder:
        """The ladder of the run's baseline, with the values that the run set; see `karvan.ladder`.

        Args:
            to_mt: Tonnes over the headline cordon without limits at which it ends, million.
            year: Calendar year; by default the base year.
            progress: Called with a line of text as the work goes on.
        """
        options = ScenarioOptions(capacities=self.prepared.capacities)
        return ladder(self.prepared.corridor, to_mt=to_mt, year=year, options=options, progress=progress)

    def _repr_html_(self) -> str:
        words = Words()
        report = self.report
        told = [sentence for sentence in answer_sentences(report, words=words) if sentence]
        low, high = ({row["year"]: row for row in report["range"][end]} for end in ("low", "high"))
        base = {row["year"]: row for row in report["baseline_years"]}
        rows = [
            (
                str(row["year"]),
                words.number(row["corridor_mt"], 2),
                *(words.number(other[row["year"]]["corridor_mt"], 2) for other in (low, high, base)),
                words.number(row["containers_teu"], 0),
                words.number(row["crude_mt"], 2),
            )
            for row in report["years"]
        ]
        head = ["year", "Mt", "growth low", "growth high", "baseline", "boxes, TEU", "crude, Mt"]
        caption = f"{report['corridor_title']}: {report['scenario_title']} (run {self.run_id})"
        return html_paragraphs(told) + html_table(caption, head, rows)
