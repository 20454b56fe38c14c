"""Who gains by a portfolio, country by country, and what partners of a fund owe each other so that both would agree to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from karvan.appraisal import Plan, PortfolioProblem
from karvan.appraisal.bank import nash_split
from karvan.corridor import Corridor
from karvan.results import Appraisal

COUNTRY_SCHEMA = {"country": pl.String, "gain_musd": pl.Float64, "paid_musd": pl.Float64, "is_partner": pl.Boolean}
_SPLIT_SCHEMA = {
    "fund_id": pl.String, "partner_id": pl.String,
    **dict.fromkeys(("gain_musd", "paid_musd", "net_musd", "payment_musd"), pl.Float64),
}  # fmt: skip
_BUILDERS = "builders"


def country_gains(appraisal: Appraisal | None) -> dict[str, float]:
    """What all parties in each country gain by a portfolio before what building costs, million USD, present."""
    if appraisal is None:
        return {}
    by_country = appraisal.parties.filter(pl.col("party") != _BUILDERS).group_by("country").agg(pl.col("npv_musd").sum())
    return dict(by_country.sort("country").iter_rows())


def split_frame(corridor: Corridor, problem: PortfolioProblem, best: Plan, gains: Mapping[str, float]) -> pl.DataFrame:
    """Partners of each fund: what their countries gain, what they pay in, and payments that leave all with an equal part of both.

    Of what a country gains, a fund is told the part that it bears of all capital; what it pays in is that part of all costs, present.

    Args:
        corridor: The corridor.
        problem: Funds and costs.
        best: The portfolio.
        gains: What each country gains by it, million USD, present; empty: not known, so that nothing is told.

    Returns:
        fund_id, partner_id, gain_musd, paid_musd, net_musd, payment_musd.
    """
    total, cost = float(best.spend.sum()), problem.cost(best.start)
    rows: list[tuple[object, ...]] = []
    if total <= 0.0 or not gains:
        return pl.DataFrame(schema=_SPLIT_SCHEMA)
    for place, fund in enumerate(problem.funds):
        partners = corridor.tables["fund_partners"].filter(pl.col("fund_id") == fund.fund_id).rows(named=True)
        part = float(best.spend[place].sum()) / total
        if not partners or part <= 0.0:
            continue
        gained = part * np.array([gains.get(partner["country"], 0.0) for partner in partners])
        paid = part * cost * np.array([partner["contribution_share"] for partner in partners])
        net, payment = nash_split(gained, paid)
        for number, partner in enumerate(partners):
            rows.append((fund.fund_id, partner["partner_id"], gained[number], paid[number], net[number], payment[number]))
    return pl.DataFrame(rows, schema=_SPLIT_SCHEMA, orient="row")


def country_frame(corridor: Corridor, split: pl.DataFrame, gains: Mapping[str, float]) -> pl.DataFrame:
    """What each country gains by a portfolio and what its partners of funds pay in, the largest gain first.

    Args:
        corridor: The corridor.
        split: Of `split_frame`.
        gains: What each country gains, million USD, present.

    Returns:
        country, gain_musd, paid_musd, is_partner.
    """
    partners = corridor.tables["fund_partners"].select("fund_id", "partner_id", "country")
    by_country = split.join(partners, on=("fund_id", "partner_id"), how="left", validate="1:1")
    paid = dict(by_country.group_by("country").agg(pl.col("paid_musd").sum()).iter_rows())
    rows = [(country, gain, paid.get(country, 0.0), country in paid) for country, gain in gains.items()]
    return pl.DataFrame(rows, schema=COUNTRY_SCHEMA, orient="row").sort(-pl.col("gain_musd"), "country")
