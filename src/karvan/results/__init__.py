"""What comes out: outlooks, runs, ladders; saving and loading them.

Goes in: plain numbers and frames from the engines. Comes out: frozen results and run folders. May import: corridor, schema, errors.
"""

from karvan.results.appraisal import Appraisal
from karvan.results.comparing import CASES, compare_runs
from karvan.results.dispatch import Dispatch
from karvan.results.element_use import (
    Bundle,
    ClosedElement,
    CriticalFacility,
    Criticality,
    ElementUse,
    FamilyUse,
    RentPaid,
    TakenUp,
)
from karvan.results.ensemble import EnsembleAnswer
from karvan.results.explained_market import ExplainedFamily, ExplainedPair, ExplainedRoute, MarketExplanation, PairFamily, PricePaid
from karvan.results.journeys import LEG_SCHEMA, carec_indicators, journey_profile, journey_totals
from karvan.results.ladder import Ladder, LadderRung
from karvan.results.live import LiveAnswer, LiveYear
from karvan.results.oil import Oil
from karvan.results.outlook import Outlook, YearResult
from karvan.results.plan import PortfolioPlan
from karvan.results.power_balance import PowerBalance
from karvan.results.queues import Queues
from karvan.results.rounding import rounded
from karvan.results.run import Run
from karvan.results.sentences import Sentence, Value
from karvan.results.shipping import NOT_A_QUOTATION, SPREAD_METHOD, Refusal, RuleTold, ShippingAnswer, ShippingEnd, ShippingOption
from karvan.results.shipping_batch import BATCH_SCHEMA, ShippingBatch
from karvan.results.store import (
    FRAMES,
    LADDER_FILE,
    LEDGER,
    RUNS_FOLDER,
    SavedRun,
    existing_run,
    load_ladder,
    load_manifest,
    load_run,
    newest_run,
    save_ladder,
    save_run,
    write_text_whole,
)
from karvan.results.tariffs import Tariffs
from karvan.results.trade import Trade

__all__ = [
    "BATCH_SCHEMA",
    "CASES",
    "FRAMES",
    "LADDER_FILE",
    "LEDGER",
    "LEG_SCHEMA",
    "NOT_A_QUOTATION",
    "RUNS_FOLDER",
    "SPREAD_METHOD",
    "Appraisal",
    "Bundle",
    "ClosedElement",
    "CriticalFacility",
    "Criticality",
    "Dispatch",
    "ElementUse",
    "EnsembleAnswer",
    "ExplainedFamily",
    "ExplainedPair",
    "ExplainedRoute",
    "FamilyUse",
    "Ladder",
    "LadderRung",
    "LiveAnswer",
    "LiveYear",
    "MarketExplanation",
    "Oil",
    "Outlook",
    "PairFamily",
    "PortfolioPlan",
    "PowerBalance",
    "PricePaid",
    "Queues",
    "Refusal",
    "RentPaid",
    "RuleTold",
    "Run",
    "SavedRun",
    "Sentence",
    "ShippingAnswer",
    "ShippingBatch",
    "ShippingEnd",
    "ShippingOption",
    "TakenUp",
    "Tariffs",
    "Trade",
    "Value",
    "YearResult",
    "carec_indicators",
    "compare_runs",
    "existing_run",
    "journey_profile",
    "journey_totals",
    "load_ladder",
    "load_manifest",
    "load_run",
    "newest_run",
    "rounded",
    "save_ladder",
    "save_run",
    "write_text_whole",
]  # fmt: skip
