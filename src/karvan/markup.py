"""Tables as HTML, for nouns that show themselves in a notebook. Imports nothing of ours.

A notebook's page sets fonts and colours; these tables take them as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column names the rows.

    Args:
        caption: What it shows, as plain text.
        head: Names of the columns.
        rows: Cells as plain text.
    """
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    title = f'<caption style="text-align:left">{escape(caption)}</caption>'
    return f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def html_paragraphs(texts: Iterable[str]) -> str:
    """Paragraphs of plain text."""
    return "".join(f"<p>{escape(text)}</p>" for text in texts)
