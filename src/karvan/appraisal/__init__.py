"""What projects are worth, and which to build when under the budgets of funds.

Goes in: yearly costs and benefits; projects, funds, and the market's welfare as a function of what is open. Comes out: net present value
and its kin, and a dated portfolio with a proof of how near to the best it is. May import: errors.
"""

from karvan.appraisal.cash import (
    annuity_factor,
    benefit_cost_ratio,
    best_start,
    internal_rate,
    net_present_value,
    payback_years,
    rule_of_half,
    switching_factor,
)
from karvan.appraisal.portfolio import Fund, Plan, PortfolioProblem, Project, SectorLimit, Worth
from karvan.appraisal.present import by_year
from karvan.appraisal.search import PortfolioSearch, best_plans

__all__ = [
    "Fund", "Plan", "PortfolioProblem", "PortfolioSearch", "Project", "SectorLimit", "Worth", "annuity_factor", "benefit_cost_ratio",
    "best_plans", "best_start", "by_year", "internal_rate", "net_present_value", "payback_years", "rule_of_half", "switching_factor",
]  # fmt: skip
