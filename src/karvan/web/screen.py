"""The document from which the page draws a run, and what differs between two; see `docs/reference/screen.md`."""

from karvan.report.screen import compare_screens as compared_documents
from karvan.report.screen import screen as screen_document

__all__ = ["compared_documents", "screen_document"]
