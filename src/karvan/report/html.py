"""Pieces of a page: sections, tables, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def section(title: str, body: str) -> str:
    """A heading and what stands below it."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def table(header: Sequence[tuple[str, bool]], rows: Iterable[Sequence[Any]]) -> str:
    """A table; each header is its text and whether the column holds numbers."""
    head = "".join(f'<th class="n">{escape(text)}</th>' if is_number else f"<th>{escape(text)}</th>" for text, is_number in header)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{escape(str(cell))}</td>' if is_number else f"<td>{escape(str(cell))}</td>"
            for cell, (_, is_number) in zip(row, header, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def number(value: float | None, digits: int = 1) -> str:
    """A number with so many decimals, or two dashes where there is none."""
    return "--" if value is None else f"{value:,.{digits}f}"
