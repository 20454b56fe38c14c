"""Where numbers come from, on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from karvan.report.summary import WIDTH

Entry = Mapping[str, Any]
_IDS_SHOWN = 8
_MEASURES_SHOWN = 10
_YEARS_SHOWN = 6
_FAMILIES_SHOWN = 3
_ROWS_SHOWN = 12
_SOURCES_SHOWN = 10
_TABLES_SHOWN = 9
_ON_SOURCE_SHOWN = 32
_LEAST_DOC = 26
_WORDS_OF_ANY = ("any", "both")
_UNITS = {
    "usd_per_t": "USD/t", "usd_per_t_km": "USD/t-km", "usd_per_teu": "USD/TEU", "usd_per_teu_km": "USD/TEU-km", "kteu": "kTEU",
    "share": "", "share/year": "a year",
}  # fmt: skip
_DEEDS = {"add": "adds the row", "open": "opens it", "close": "closes it"}


def explain_lines(answer: Entry) -> list[str]:
    """What `explain` gave, as lines of at most 100 columns: of an id that stands in several tables the row of the first of them, places,
    links and facilities before what is simulated or priced there, and where else it stands.

    Args:
        answer: What `karvan.validation.explain` gave.
    """
    first, *others = answer["matches"]
    lines = _match_lines(first)
    if others:
        named = ", ".join(f"{match['table']}.{match['row']}" for match in others)
        lines += ["", *_wrapped(f"{answer['id']} also stands in other tables; ask for {named}.", indent=2)]
    return [line.rstrip() for line in lines]


def _match_lines(match: Entry) -> list[str]:
    name = f"{match['table']}.{match['row']}" + (f".{match['column']}" if match["column"] else "")
    title = match["title"] if match["table"] != "sources" else None
    lines = _wrapped(f"{name}   {title}" if title else name, hang=4)
    lines += _wrapped(match["doc"], indent=2)
    if match["added_by"]:
        lines += _wrapped(f"The tables do not have this row; it is there once a measure adds it: {', '.join(match['added_by'])}.", indent=2)
    numbers = {source["source_id"]: rank for rank, source in enumerate(match["sources"], start=1)}
    lines += ["", *_value_lines(match, numbers), *_source_lines(match["sources"]), *_note_lines(match)]
    lines += _enters_lines(match)
    return [*lines, *_result_lines(match["results"], match["table"])]


def _value_lines(match: Entry, numbers: Mapping[str, int]) -> list[str]:
    """Every filled value with range, trust, source and meaning; what is empty is told in one line."""
    values: Sequence[Entry] = match["values"]
    if not values:
        return []
    if len(match["rows"]) > 1:
        return _group_lines(match, numbers)
    shown = [item for item in values if item["value"] is not None and (match["column"] or not _is_told_elsewhere(item, match))]
    cells = [(item["column"], _value_text(item), _trust_text(item, numbers), item["doc"] or "") for item in shown]
    lines = _table_lines(cells)
    empty = [item["column"] for item in values if item["value"] is None]
    return [*lines, *(_wrapped(f"Empty: {', '.join(empty)}.", indent=2) if empty else []), ""]


def _is_told_elsewhere(item: Entry, match: Entry) -> bool:
    """The header says it, or it is the note, which stands among the notes."""
    return (
        item["column"] == "note" or item["value"] == match["row"] or (item["column"] in ("name", "title") and match["table"] != "sources")
    )


def _table_lines(cells: Sequence[tuple[str, str, str, str]]) -> list[str]:
    if not cells:
        return []
    name_width = max(len(cell[0]) for cell in cells)
    trust_width = max(len(cell[2]) for cell in cells)
    value_room = WIDTH - 2 - name_width - trust_width - _LEAST_DOC - 6
    value_width = min(max(len(cell[1]) for cell in cells), value_room)
    doc_width = WIDTH - 2 - name_width - trust_width - value_width - 6
    lines = []
    for name, value, trust, doc in cells:
        columns = [[name], textwrap.wrap(value, value_width) or [""], [trust], textwrap.wrap(doc, doc_width) or [""]]
        for row in range(max(len(column) for column in columns)):
            part = [column[row] if row < len(column) else "" for column in columns]
            lines.append(f"  {part[0]:<{name_width}}  {part[1]:<{value_width}}  {part[2]:<{trust_width}}  {part[3]}")
    return lines


def _group_lines(match: Entry, numbers: Mapping[str, int]) -> list[str]:
    """Rows that share the first part of their key: what they have in common, then one entry a row."""
    by_column: dict[str, list[Entry]] = {}
    for item in match["values"]:
        by_column.setdefault(item["column"], []).append(item)
    texts = {column: {(_value_text(item), _trust_text(item, numbers)) for item in items} for column, items in by_column.items()}
    common = [items[0] for column, items in by_column.items() if len(texts[column]) == 1 and items[0]["value"] not in (None, match["row"])]
    varying = [column for column in by_column if len(texts[column]) > 1]
    lines = _table_lines([(item["column"], _value_text(item), _trust_text(item, numbers), item["doc"] or "") for item in common])
    if len(varying) == 1:
        trusts = list(dict.fromkeys(_trust_text(item, numbers) for item in by_column[varying[0]]))
        words = ", ".join(_value_text(item) for item in by_column[varying[0]])
        return [
            *lines,
            "",
            *_wrapped(f"{len(match['rows'])} rows, one for each {varying[0]} ({', '.join(trusts)}): {words}", indent=2, hang=2),
            "",
        ]
    lines += ["", *_wrapped(f"{len(match['rows'])} rows, which differ in {_listed(varying)}:", indent=2)]
    for number, key in enumerate(match["rows"][:_ROWS_SHOWN]):
        parts = [(column, by_column[column][number]) for column in varying]
        told = ", ".join(f"{column} {_value_text(item)}" for column, item in parts if item["value"] is not None)
        trusts = list(dict.fromkeys(_trust_text(item, numbers) for _, item in parts))
        lines += _wrapped(f"{told or key}  ({', '.join(trusts)})", indent=4, hang=2)
    left = len(match["rows"]) - _ROWS_SHOWN
    return [*lines, *([f"    and {left} more"] if left > 0 else []), ""]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _value_text(item: Entry) -> str:
    text = _plain(item["value"])
    if item["low"] is not None or item["high"] is not None:
        text += f" ({_plain(item['low'])} .. {_plain(item['high'])})"
    if item["unit"]:
        text += f" {_UNITS.get(item['unit'], item['unit'])}".rstrip()
    return f"{text}, by default" if item["is_default"] else text


def _plain(value: Any) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.6g}" if isinstance(value, float) and abs(value) < 1e6 else f"{value:,.0f}" if isinstance(value, float) else str(value)


def _trust_text(item: Entry, numbers: Mapping[str, int]) -> str:
    rank = numbers.get(item["source"])
    return f"{item['confidence'] or ''} [{rank}]" if rank is not None else item["confidence"] or ""


def _source_lines(sources: Sequence[Entry]) -> list[str]:
    lines: list[str] = []
    for rank, source in enumerate(sources, start=1):
        when = f", published {source['published']}" if source["published"] else ""
        lines += _wrapped(f"[{rank}] {source['title']}{when}. ({source['source_id']})", indent=2, hang=4)
        lines += [f"      {source['url']}"] if source["url"] else []
    return ["Sources", *lines, ""] if lines else []


def _note_lines(match: Entry) -> list[str]:
    """Notes on single values: what other sources give, why a range is as wide as it is."""
    told: dict[str, list[str]] = {}
    lines: list[str] = []
    for item in match["values"]:
        if item["column"] == "note" and item["value"] is not None and len(match["rows"]) == 1 and match["column"] is None:
            lines += _wrapped(str(item["value"]), indent=2)
        if item["note"] is not None:
            start = f"Range of every estimate of {match['table']}.{item['column']}: " if item["is_default_range"] else ""
            told.setdefault(f"{start}{item['note']}", []).append(item["column"])
    for note, columns in list(told.items())[:_ROWS_SHOWN]:
        lines += _wrapped(f"{', '.join(dict.fromkeys(columns))}: {note}", indent=2, hang=2)
    return ["Notes", *lines, ""] if lines else []


def _enters_lines(match: Entry) -> list[str]:
    lines: list[str] = []
    for item in match["referred_by"]:
        if item["table"] == "corridor.yaml":
            lines.append(f"  corridor.yaml names it as {item['column']}.")
            continue
        ids = [_short(key, match["row"]) for key in item["ids"]]
        lines += _wrapped(f"{item['table']}.{item['column']}, {_rows(item['count'])}: {_cut(list(dict.fromkeys(ids)))}", indent=2, hang=4)
    if match["facilities"]:
        lines += _wrapped(f"It uses up facilities: {_cut(match['facilities'])}", indent=2, hang=4)
    for change in match["changes"]:
        lines += _wrapped(_change_text(change), indent=2, hang=4)
    if match["table"] == "scenarios":
        lines += ["  Measures, by date"]
    elif match["measures"]:
        lines += ["  Measures that change it, by date"]
    for measure in match["measures"][: None if match["table"] == "scenarios" else _MEASURES_SHOWN]:
        lines += _measure_lines(measure, match["table"])
    left = len(match["measures"]) - _MEASURES_SHOWN
    if left > 0 and match["table"] != "scenarios":
        lines += [f"    and {left} more; --json lists all"]
    return ["Where it enters", *(lines or ["  Nothing in the case refers to it or changes it."]), ""]


def _measure_lines(measure: Entry, table: str) -> list[str]:
    until = f" until {measure['until_date']}" if measure["until_date"] else ""
    head = f"{measure['from_date']}{until}  {measure['measure_id']}, {measure['status'].replace('_', ' ')}"
    if table == "scenarios":
        return _wrapped(f"{head}: {measure['title']}", indent=4, hang=4)
    deeds = "; ".join(_deed(change) for change in measure["changes"])
    holding = ", ".join(item["scenario_id"] for item in measure["scenarios"])
    return _wrapped(f"{head}: {deeds}. {f'In {holding}.' if holding else 'In no scenario.'}", indent=4, hang=4)


def _deed(change: Entry) -> str:
    """What a change does, as the rest of a sentence."""
    if change["kind"] in _DEEDS:
        return _DEEDS[change["kind"]]
    word = "sets {} to {}" if change["kind"] == "set" else "multiplies {} by {}"
    return " and ".join(word.format(column, "empty" if value is None else _plain(value)) for column, value in change["columns"].items())


def _change_text(change: Entry) -> str:
    """What a measure does to which rows, as a sentence."""
    rows = f"{_rows(change['count'])} of {change['table']}: {_cut(change['rows'])}"
    if change["kind"] in _DEEDS:
        return f"It {change['kind']}s {rows}"
    return f"It {_deed(change)} in {rows}"


def _rows(count: int) -> str:
    return _counted(count, "row")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _short(key: str, own: str) -> str:
    """A key without the parts that are known or say nothing."""
    if "|" not in key:
        return key
    parts = [part for part in key.split("|") if part != own and part not in _WORDS_OF_ANY]
    return " ".join(parts) or key


def _cut(words: Sequence[str]) -> str:
    left = len(words) - _IDS_SHOWN
    return ", ".join(words[:_IDS_SHOWN]) + (f" and {left} more" if left > 0 else "")


def _result_lines(results: Entry | None, table: str) -> list[str]:
    if results is None:
        return ["`karvan run` would add what the model makes of it."] if table in _HAS_RESULTS else []
    lines = _wrapped(f"Run {results['run_id']}, scenario {results['scenario']} against {results['baseline']}. {results['what']}")
    if not results["is_of_this_corridor"]:
        lines += _wrapped("The run is of another edition of this corridor, so its numbers need not fit the values above.", indent=2)
    elif results["replaced"]:
        lines += _wrapped("Options of the run replaced values or measures of the case; report.json lists them.", indent=2)
    rows = _few(results["rows"])
    if not rows:
        return [*lines, "  The run holds no number for it."]
    if len(rows) == 1:
        told = [f"{key.replace('_', ' ')} {_result_text(value)}" for key, value in rows[0].items() if value is not None]
        return [*lines, *_wrapped(f"{'; '.join(told)}.", indent=2)]
    columns = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    heads = {key: textwrap.wrap(key.replace("_", " "), 11) for key in columns}
    widths = {key: max(*(len(word) for word in heads[key]), *(len(_result_text(row[key])) for row in rows)) for key in columns}
    for line in range(max(len(words) for words in heads.values())):
        words = {key: heads[key][line] if line < len(heads[key]) else "" for key in columns}
        lines.append("  " + "  ".join(f"{words[key]:>{widths[key]}}" for key in columns))
    lines += ["  " + "  ".join(f"{_result_text(row[key]):>{widths[key]}}" for key in columns) for row in rows]
    return [*lines, *(["  Not all years and families are shown; --json holds them."] if len(rows) < len(results["rows"]) else [])]


_HAS_RESULTS = (
    "facilities", "links", "demand", "regions", "commodities", "route_families", "cordons", "operators", "commitments", "journeys",
    "observations", "measures", "scenarios",
)  # fmt: skip


def _few(rows: Sequence[Entry]) -> list[Entry]:
    """Rows of a few years, first and last among them, and of each year the families that carry most."""
    years = sorted({row["year"] for row in rows if row.get("year") is not None})
    if len(years) <= 1:
        return list(rows[:_ROWS_SHOWN])
    step = (len(years) - 1) / (_YEARS_SHOWN - 1)
    chosen = sorted({years[round(number * step)] for number in range(_YEARS_SHOWN)}) if len(years) > _YEARS_SHOWN else years
    if "family_id" not in rows[0]:
        return [row for row in rows if row["year"] in chosen]
    weight: dict[str, float] = {}
    for row in rows:
        weight[row["family_id"]] = weight.get(row["family_id"], 0.0) + row["scenario_kt"]
    kept = sorted(weight, key=lambda name: (-weight[name], name))[:_FAMILIES_SHOWN]
    return [row for name in kept for row in rows if row["family_id"] == name and row["year"] in chosen]


def _result_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"
    return _plain(value).replace("_", " ") if not isinstance(value, str) or " " in value else value


def sources_lines(answer: Entry, *, is_whole: bool = False) -> list[str]:
    """What `sources` gave, as lines of at most 100 columns.

    Args:
        answer: What `karvan.validation.sources` gave.
        is_whole: Everything instead of a screen of it.
    """
    lines = _one_source(answer, is_whole=is_whole) if "source" in answer else _all_sources(answer, is_whole=is_whole)
    return [line.rstrip() for line in lines]


def _all_sources(answer: Entry, *, is_whole: bool) -> list[str]:
    entries, rows, numbers = answer["sources"], answer["rows"], answer["numbers"]
    used = [entry for entry in entries if entry["source_id"] not in answer["unused"]]
    unused = f"; listed and not used: {len(answer['unused'])}" if answer["unused"] else ""
    lines = _wrapped(f"{answer['corridor']}: {_counted(rows['count'], 'row')} from {_counted(len(used), 'source')}{unused}.")
    lines += _wrapped(
        f"Of {numbers['count']:,} numbers put in, {numbers['sourced_share']:.0%} are sourced (seen in the source),"
        f" {numbers['recalled_share']:.0%} recalled (source named, not seen) and {numbers['estimate_share']:.0%} our estimates."
    )
    lines += ["", *_confidence_lines(rows, is_whole=is_whole), "", f"  {'rows':>5}{'values':>8}  source"]
    for entry in used if is_whole else used[:_SOURCES_SHOWN]:
        lines += _source_entry(entry, is_whole=is_whole)
    left = len(used) - _SOURCES_SHOWN
    if is_whole and answer["unused"]:
        lines += ["", *_wrapped(f"Not used: {', '.join(answer['unused'])}.", hang=2)]
    elif left > 0:
        lines += ["", f"  and {left} more: karvan sources --all; all that rests on one: karvan sources {used[0]['source_id']}"]
    return lines


def _confidence_lines(rows: Entry, *, is_whole: bool) -> list[str]:
    by_table = sorted(rows["by_table"].items(), key=lambda item: (-item[1]["count"], item[0]))
    shown = by_table if is_whole else by_table[:_TABLES_SHOWN]
    lines = [f"  {'rows of':<22}{'count':>7}{'sourced':>9}{'recalled':>10}{'estimate':>10}"]
    for table, counts in [*shown, ("all tables", rows)]:
        lines.append(f"  {table:<22}{counts['count']:>7,}{counts['sourced']:>9,}{counts['recalled']:>10,}{counts['estimate']:>10,}")
    return lines


def _source_entry(entry: Entry, *, is_whole: bool) -> list[str]:
    when = f" ({entry['published']})" if entry["published"] else ""
    head = f"  {entry['rows']:>5,}{entry['values']:>8,}  {entry['source_id']}: "
    room = max(WIDTH - len(head), 20)
    title = f"{entry['title']}{when}"
    tables = ", ".join(f"{table} {count}" for table, count in entry["by_table"].items())
    below = [tables or "single values only", *([entry["url"]] if entry["url"] and is_whole else [])]
    if is_whole:
        return [*_wrapped(head.lstrip() + title, indent=2, hang=15), *(line for text in below for line in _wrapped(text, indent=17))]
    shown = title if len(title) <= room else f"{title[: room - 3].rstrip()}..."
    return [head + shown, " " * 17 + textwrap.shorten(tables or "single values only", WIDTH - 17, placeholder=" ...")]


def _one_source(answer: Entry, *, is_whole: bool) -> list[str]:
    source = answer["source"]
    when = f", published {source['published']}" if source["published"] else ""
    lines = _wrapped(f"{source['source_id']}: {source['title']}{when}.", hang=2)
    lines += [f"  {source['url']}"] if source["url"] else ["  The case holds no address for it."]
    entries = [_row_entry(row) for row in answer["rows"]] + [_value_entry(value) for value in answer["values"]]
    entries += [f"measures.{item['measure_id']}  {item['title']} ({item['confidence']})" for item in answer["measures"]]
    if not entries:
        return [*lines, "", "Nothing in the case rests on it."]
    counts = (_counted(len(answer[key]), noun) for key, noun in (("rows", "row"), ("values", "single value"), ("measures", "measure")))
    lines += ["", f"What rests on it: {', '.join(counts)}."]
    body = [line for entry in entries for line in _wrapped(entry, indent=2, hang=4)]
    if is_whole or len(body) <= _ON_SOURCE_SHOWN:
        return [*lines, *body]
    return [*lines, *body[:_ON_SOURCE_SHOWN], "", f"  and more: karvan sources {source['source_id']} --all"]


def _row_entry(row: Entry) -> str:
    name = f"  {row['name']}" if row["name"] else ""
    return f"{row['table']}.{row['row']}{name} ({row['confidence']})"


def _value_entry(value: Entry) -> str:
    item = {**value, "is_default": False}
    return f"{value['table']}.{value['row']}.{value['column']}  {_value_text(item)} ({value['confidence']})"


def _wrapped(text: str, *, indent: int = 0, hang: int = 0) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + hang), break_on_hyphens=False)
