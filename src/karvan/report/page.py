"""The report as one HTML file that asks nobody for anything: bundle, basemap and document in one page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from karvan.errors import DataError, Problem
from karvan.report.words import require_language

_HERE = resources.files("karvan.report")
_STATIC = _HERE.joinpath("static")
_NO_BUNDLE = (
    "the files of the screen are not in this installation, so no page can be written; in a clone run `make ui`,"
    " else install karvan from a wheel"
)


def is_bundled() -> bool:
    """Whether the screen's files were built."""
    return _STATIC.joinpath("report.js").is_file() and _STATIC.joinpath("report.css").is_file()


def require_bundle() -> None:
    """Raise unless the screen's files were built.

    Raises:
        DataError: They were not.
    """
    if not is_bundled():
        raise DataError(Problem("installation", None, None, _NO_BUNDLE))


def render_page(
    screen: Mapping[str, Any],
    *,
    against: Mapping[str, Any] | None = None,
    comparison: Mapping[str, Any] | None = None,
    language: str = "en",
) -> str:
    """A page for a browser, whole in itself.

    Args:
        screen: What `screen` gave.
        against: The screen of the run it is held against, if any; what maps and ladder draw of it goes into the page.
        comparison: What `compare_screens` gave for the two.
        language: Language it opens in, a code of two letters.

    Raises:
        DataError: The screen's files were not built, or the language is none of ours.
    """
    run = screen["run"]
    title = f"{run['corridor_title']}: {run['scenario_title']} – Karvan {run['run_id']}"
    theirs = None if against is None else _drawn(against, (*_NOTEBOOK_KEYS, "stops"), ("values", "note"))
    return _page(title, {"screen": screen, "against": theirs, "comparison": comparison}, language=language)


_TITLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "route": lambda told: f"{told['commodity_name']}: {told['origin']['name']} – {told['destination']['name']}, {told['date']}",
    "crossings": lambda told: f"{told['name']}, {told['year']}: {told['scenario_title']}",
    "power": lambda told: f"{told['corridor_title']}, {told['year']}: {told['scenario_title']}",
    "oil": lambda told: f"{told['corridor_title']}, {told['year']}: {told['scenario_title']}",
    "tariffs": lambda told: f"{told['corridor_title']}: {told['scenario_title']}",
    "trade": lambda told: f"{told['corridor_title']}: {told['scenario_title']}",
    "appraisal": lambda told: f"{told['corridor_title']}: {', '.join(told['measure_ids'])}",
    "futures": lambda told: f"{told['corridor_title']}: {told['futures']:,}",
    "plan": lambda told: f"{told['corridor_title']}, {told['from_year']}–{told['to_year']}: {told['scenario_title']}",
}
"""Title of the page of an answer, by its kind, which is also the id of its document in the page."""


def render_answer(kind: str, document: Mapping[str, Any], *, language: str = "en") -> str:
    """A page of one answer, whole in itself like that of a run.

    Args:
        kind: route, crossings, power, oil, tariffs, trade, appraisal, futures or plan.
        document: What the function of that kind that ends in `_screen` gave.
        language: Language it opens in, a code of two letters.

    Raises:
        DataError: The screen's files were not built, or the language is none of ours.
    """
    return _page(f"{_TITLES[kind](document)} – Karvan", {kind: document}, language=language)


def _page(title: str, documents: Mapping[str, Any], *, language: str) -> str:
    require_language(language)
    require_bundle()
    script, style = _read("report.js"), _read("report.css")
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    # Styles of elements are set by the chart library; the page's own sheet and script are let in by their hashes and nothing else is.
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src-elem {_hash(style)}; style-src-attr 'unsafe-inline';"
        " font-src data:; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    packed = {
        **documents,
        "basemap": json.loads(_HERE.joinpath("basemap.json").read_text(encoding="utf-8")),
        "licences": _read("LICENCES.txt"),
    }
    data = "\n".join(f'<script type="text/plain" id="{name}">{_packed(content)}</script>' for name, content in packed.items())
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<div id="page"></div>\n{data}\n<script>{script}</script>\n</body>\n</html>\n'
    )


_NOTEBOOK_KEYS = ("names", "run", "years", "focus_year", "figures", "goods", "places", "views", "links", "facilities")
_STARTER = (
    '(async()=>{const e=document.getElementById("code"),b=Uint8Array.from(atob(e.textContent),c=>c.charCodeAt(0)),'
    's=document.createElement("script");s.textContent=await new Response(new Blob([b]).stream().pipeThrough('
    'new DecompressionStream("gzip"))).text();document.body.append(s)})()'
)


def render_map(screen: Mapping[str, Any], *, language: str = "en") -> str:
    """The map of a run alone, whole in itself like the page, its script packed so that the output of a notebook's cell stays small.

    Args:
        screen: What `screen` gave.
        language: Code of two letters.

    Raises:
        DataError: The screen's files were not built, or the language is none of ours.
    """
    require_language(language)
    require_bundle()
    script, style = _read("notebook.js"), _read("notebook.css")
    policy = (
        f"default-src 'none'; script-src {_hash(_STARTER)} {_hash(script)}; style-src-elem {_hash(style)};"
        " style-src-attr 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    drawn = _drawn(screen, _NOTEBOOK_KEYS, ("values", "note", "baseline"))
    basemap = json.loads(_HERE.joinpath("basemap.json").read_text(encoding="utf-8"))
    parts = {"screen": _packed(drawn), "basemap": _packed(basemap), "code": _zipped(script)}
    data = "\n".join(f'<script type="text/plain" id="{name}">{content}</script>' for name, content in parts.items())
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}</style>\n</head>\n<body>\n'
        f'<div id="page"></div>\n{data}\n<script>{_STARTER}</script>\n</body>\n</html>\n'
    )


def _drawn(screen: Mapping[str, Any], keys: Sequence[str], without: Sequence[str]) -> dict[str, Any]:
    """What a map draws of a run: some keys of its document, links and facilities without what only stands behind them."""
    found = {name: screen[name] for name in keys}
    for name in ("links", "facilities"):
        found[name] = [{key: value for key, value in row.items() if key not in without} for row in screen[name]]
    return found


def document_in(page: str) -> dict[str, Any] | None:
    """The screen's document that a page holds, or None where it holds none.

    Args:
        page: What `render_page` gave.
    """
    found = re.search(r'<script type="text/plain" id="screen">([^<]+)</script>', page)
    if found is None:
        return None
    document: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return document


def _read(name: str) -> str:
    return _STATIC.joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _packed(content: Any) -> str:
    """JSON, compressed so that a long run beside another stays a file to mail, in letters that no browser takes for markup."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _zipped(text)


def _zipped(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")
