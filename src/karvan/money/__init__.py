"""What things cost and who pays: prices of time and carbon, cost classes, project costs, funds and joint ventures.

Goes in: nothing. Comes out: one declared table per noun. May import: schema, errors.
"""

from karvan.money.costs import SECTORS, CostClasses, ProjectCosts
from karvan.money.funds import FundLimits, FundPartners, Funds, Ventures
from karvan.money.prices import APPRAISAL_VALUES, AppraisalValues, CarbonPrices, DiscountRates, ExternalCosts

__all__ = [
    "APPRAISAL_VALUES",
    "SECTORS",
    "AppraisalValues",
    "CarbonPrices",
    "CostClasses",
    "DiscountRates",
    "ExternalCosts",
    "FundLimits",
    "FundPartners",
    "Funds",
    "ProjectCosts",
    "Ventures",
]  # fmt: skip
