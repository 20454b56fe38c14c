"""The one place where engines meet: scenario x years x engines -> saved run.

Goes in: a corridor and options. Comes out: a Run, a Ladder, a calibration, tracked promises, a market explained, what
rests on a facility, a shipper's options, a crossing simulated, power dispatched, traffic on others' networks,
what measures are worth. May import: everything
below it (report, validation, assignment, simulation, power, appraisal, exchange, routing, measures, results, corridor, network, demand,
evidence, money, schema, errors).
"""

from karvan.routing.limits import Cargo
from karvan.study.appraise import AppraisalOptions, appraise
from karvan.study.assign import Assigned, assign
from karvan.study.batch import route_batch
from karvan.study.calibrate import Calibration, calibrate
from karvan.study.clear import Market, clear
from karvan.study.climb import ladder
from karvan.study.commitments import commitments
from karvan.study.dispatch import DispatchOptions, dispatch
from karvan.study.explain_market import market
from karvan.study.oil import OilOptions, oil
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.plan import PlanOptions, plan
from karvan.study.route import ShippingDesk, route
from karvan.study.run import run
from karvan.study.select_link import criticality, select_link
from karvan.study.simulate import simulate
from karvan.study.tariffs import TariffOptions, tariffs
from karvan.study.trade import TradeOptions, trade
from karvan.study.user_quotes import UserQuotes, read_quotes
from karvan.study.validate import validate

__all__ = [
    "AppraisalOptions",
    "Assigned",
    "Calibration",
    "Cargo",
    "DispatchOptions",
    "Market",
    "OilOptions",
    "PlanOptions",
    "ScenarioOptions",
    "ShippingDesk",
    "TariffOptions",
    "TradeOptions",
    "UserQuotes",
    "appraise",
    "assign",
    "calibrate",
    "clear",
    "commitments",
    "criticality",
    "dispatch",
    "ladder",
    "market",
    "oil",
    "plan",
    "prepare",
    "read_quotes",
    "route",
    "route_batch",
    "run",
    "select_link",
    "simulate",
    "tariffs",
    "trade",
    "validate",
]  # fmt: skip
