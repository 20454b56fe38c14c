"""Results to read: the report's content, the screen and its page, the first minute on a terminal.

Goes in: a corridor's tables and outlooks, or a saved run. Comes out: dictionaries (report.json, the screen), HTML, PDF, lines of text.
May import: results and what lies below it.
"""

from karvan.report.content import build_report
from karvan.report.crossings_screen import crossings_screen
from karvan.report.energy_screen import oil_screen, power_screen
from karvan.report.futures_screen import futures_screen
from karvan.report.money_screen import appraisal_screen, plan_screen
from karvan.report.page import (
    is_bundled,
    render_answer,
    render_page,
)
from karvan.report.route_screen import route_screen
from karvan.report.screen import compare_screens, screen
from karvan.report.summary import summary_lines
from karvan.report.trading_screen import tariffs_screen, trade_screen
from karvan.report.words import ENGLISH, Words
from karvan.schema import LANGUAGES

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "Words",
    "appraisal_screen",
    "build_report",
    "compare_screens",
    "crossings_screen",
    "futures_screen",
    "is_bundled",
    "oil_screen",
    "plan_screen",
    "power_screen",
    "render_answer",
    "render_page",
    "route_screen",
    "screen",
    "summary_lines",
    "tariffs_screen",
    "trade_screen",
]  # fmt: skip
