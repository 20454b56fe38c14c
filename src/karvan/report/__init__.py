"""Results to read: the report's content, the page, the first minute on a terminal.

Goes in: a corridor's tables and outlooks, or a saved report. Comes out: a dictionary (report.json), HTML, lines of text.
May import: results and what lies below it.
"""

from karvan.report.content import build_report
from karvan.report.page import render_html
from karvan.report.summary import summary_lines

__all__ = ["build_report", "render_html", "summary_lines"]
