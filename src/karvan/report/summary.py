"""The first minute: answer, reason, doubt, next step, in at most 40 lines of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from karvan.report.words import ENGLISH, Words
from karvan.results.outlook import ROUTE_GAP

WIDTH = 100
HEIGHT = 40
_STOPS_SHOWN = 5
_NAME_WIDTH, _RELIEF_WIDTH = 24, 31
_GAIN_FLOOR_MT = 0.005


def summary_lines(report: Mapping[str, Any], *, words: Words = ENGLISH) -> list[str]:
    """The terminal summary of a report, as lines.

    Args:
        report: What `build_report` gave, fresh or read back from report.json.
        words: The language.
    """
    lines = [_title(report, words), ""]
    lines += _answer(report, words)
    lines += [""]
    lines += _stops(report, words)
    lines += _promises(report, words)
    lines += [""]
    after = ["", *_next(report, words)]
    trust = _trust(report, words)
    if len(lines) + len(trust) + len(after) > HEIGHT:
        trust = _trust(report, words, has_movers=False)
    return [line.rstrip() for line in (*lines, *trust, *after)]


def _title(report: Mapping[str, Any], words: Words) -> str:
    inputs, corridor = report["inputs"], words.called(report["corridor_title"])
    shares = {name: inputs[name] for name in ("sourced_share", "recalled_share", "estimate_share")}
    return words("terminal.title", version=report["version"], corridor=corridor, count=inputs["count"], **shares)


def _answer(report: Mapping[str, Any], words: Words) -> list[str]:
    lines: list[str] = []
    for sentence in answer_sentences(report, words=words):
        lines += textwrap.wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ") if sentence else [""]
    return lines


def answer_sentences(report: Mapping[str, Any], *, words: Words = ENGLISH) -> list[str]:
    """The answer in whole sentences: what was promised and carried, an empty line, what the model finds.

    Args:
        report: What `build_report` gave.
        words: The language.
    """
    headline, first = report["headline"], report["years"][0]
    sentences = []
    if headline is not None:
        dated = {"date": headline["date"]} if headline["date"] else {}
        sentences.append(words("terminal.promised_on" if dated else "terminal.promised", title=words.called(headline["title"]), **dated))
    if report["history"]:
        series = ", ".join(f"{words.number(row['corridor_mt'])} ({row['year']})" for row in report["history"][-5:])
        if first["crude_mt"] > 0.0:
            share = first["crude_mt"] / first["corridor_mt"]
            sentences.append(words("terminal.carried_crude", series=series, crude_share=share, year=first["year"]))
        else:
            sentences.append(words("terminal.carried", series=series))
    if headline is None:
        shown = report["years"][:: max(1, len(report["years"]) // 5)]
        rows = ", ".join(words("terminal.outlook_item", mt=words.number(row["corridor_mt"]), year=row["year"]) for row in shown)
        return [*sentences, "", words("terminal.outlook", series=rows)]
    return [*sentences, "", *_reached(headline, words), *_in_target_year(headline, words), *_not_settled(report, words)]


def _not_settled(report: Mapping[str, Any], words: Words) -> list[str]:
    """Warnings where delays and flows did not fit each other or a route is missing: such years are shown, never taken for answers."""
    rows = [row for part in ("years", "baseline_years") for row in report[part]]
    restless = [row["year"] for row in rows if not row.get("is_settled", True)]
    gaps = {row["year"]: row["route_gap_share"] for row in rows if (row.get("route_gap_share") or 0.0) > ROUTE_GAP}
    sentences = []
    if restless:
        sentences.append(words("terminal.not_settled", years=_years(restless)))
    if gaps:
        sentences.append(words("terminal.route_gap", years=_years(gaps), gap_share=words.percent(max(gaps.values()), 1)))
    return sentences


def _years(years: Iterable[int]) -> str:
    return ", ".join(str(year) for year in sorted(set(years)))


def _reached(headline: Mapping[str, Any], words: Words) -> list[str]:
    last, target, reached = headline["last_year"], round(headline["target_mt"]), headline["reached_year"]
    if reached is None:
        first = words("terminal.not_reached", target_mt=target, last_year=last, last_mt=words.number(headline["last_year_mt"]))
    else:
        first = words("terminal.reached", target_mt=target, year=reached)
    ends = {"high": "reached_year_high", "low": "reached_year_low", "baseline": "reached_year_baseline"}
    return [first, words("terminal.corners", **{name: _when(headline[column], last, words) for name, column in ends.items()})]


def _in_target_year(headline: Mapping[str, Any], words: Words) -> list[str]:
    if headline["in_target_year_mt"] is None:
        return []
    values = {name: words.number(headline[f"in_target_year_{name}"]) for name in ("mt", "low_mt", "high_mt", "baseline_mt")}
    return [words("terminal.in_target_year", year=headline["target_year"], target_mt=round(headline["target_mt"]), **values)]


def _when(year: int | None, last: int, words: Words) -> str:
    return words("terminal.when_not_reached", last_year=last) if year is None else words("terminal.when_reached", year=year)


def _stops(report: Mapping[str, Any], words: Words) -> list[str]:
    stops: Sequence[Mapping[str, Any]] = report["stops"]
    if not stops:
        return [f"  {words('terminal.stops_none')}", ""]
    known = [stop for stop in stops if stop["is_public"]]
    guessed = [words.called(stop["name"]) for stop in stops if not stop["is_public"]]
    shown = known[: _STOPS_SHOWN - bool(guessed)]
    carried = [_counted(stop["carried"], stop["unit"], words) for stop in shown]
    away = [_counted(stop["turned_away"], stop["unit"], words) for stop in shown]
    # Words for units that are longer than the English ones take their room from the names.
    wide = [max([10, *(len(text) + 1 for text in carried)]), max([12, *(len(text) + 1 for text in away)])]
    name = _NAME_WIDTH - (sum(wide) - 22)
    heads = [words(key) for key in ("terminal.stops_from", "terminal.stops_carried", "terminal.stops_away", "terminal.stops_price")]

    def row(first: str, cells: Sequence[str], last: str) -> str:
        return f"  {first:<{name + 3}}{cells[0]:>5}{cells[1]:>{wide[0]}}{cells[2]:>{wide[1]}}{cells[3]:>9}  {last}"

    lines = [row(words("terminal.stops"), heads, words("terminal.stops_relief"))]
    for rank, stop in enumerate(shown, start=1):
        price = words("terminal.price", price=words.number(stop["shadow_price_usd_per_t"], 0))
        cells = (str(stop["from_year"]), carried[rank - 1], away[rank - 1], price)
        lines.append(row(f"{rank} {_cut(words.called(stop['name']), name)}", cells, _relief(stop, words)))
    useless = [str(rank) for rank, stop in enumerate(shown, start=1) if stop["gain_alone_mt"] < _GAIN_FLOOR_MT]
    remark = words("terminal.alone_useless", ranks=", ".join(useless)) if useless else words("terminal.alone_useful")
    lines.append(f"    {remark:<66}{words('terminal.all_rungs')}")
    if guessed:
        lines.append(_guessed(guessed, words))
    return [*lines, ""]


def _counted(value: float, unit: str, words: Words) -> str:
    """Thousands of a unit, without decimals."""
    return words(f"terminal.amount.{unit}", amount=words.number(value, 0))


def _guessed(names: Sequence[str], words: Words) -> str:
    """One line with as many of the names as fit, and how many more there are."""
    line = ""
    for count in range(1, len(names) + 1):
        told, more = "; ".join(names[:count]), len(names) - count
        text = words("terminal.guessed", names=told) if more == 0 else words("terminal.guessed_more", names=told, more_count=more)
        if line and len(text) > WIDTH - 4:
            break
        line = f"    {text}"
    return line


def _cut(text: str, width: int) -> str:
    """Text of at most so many characters; three dots say that it was longer."""
    return text if len(text) <= width else text[: width - 3].rstrip() + "..."


def _relief(stop: Mapping[str, Any], words: Words) -> str:
    relief = stop["relief"]
    if relief is None:
        return words("relief.none")
    cost = words("relief.cost_not_known")
    if relief["is_operating"]:
        cost = words("relief.no_building")
    elif relief["cost_musd"] is not None:
        cost = words("relief.cost", cost_musd=words.number(relief["cost_musd"], 0))
    return words("terminal.relief", relief=_cut(words.called(relief["title"]), _RELIEF_WIDTH - len(cost)), cost=cost)


def _promises(report: Mapping[str, Any], words: Words) -> list[str]:
    rows = sorted(
        (item for item in report["commitments"] if item["is_headline"]), key=lambda row: (row["promise"] or 0, row["commitment_id"])
    )
    if not rows:
        return []
    cells = [(known_text(item, words), given_text(item, words), words(f"terminal.verdict.{item['verdict']}")) for item in rows]
    known, given = (max([least, *(len(row[place]) + 1 for row in cells)]) for place, least in ((0, 20), (1, 26)))
    heads = [words(key) for key in ("terminal.promises", "terminal.promises_known", "terminal.promises_given", "terminal.promises_verdict")]
    lines = [f"  {heads[0]:<28}{heads[1]:<{known}}{heads[2]:<{given}}{heads[3]}"]
    for item, row in zip(rows, cells, strict=True):
        label = words.called(item["short"] or item["title"])[:24]
        lines.append(f"   {label:<27}{row[0]:<{known}}{row[1]:<{given}}{row[2]}")
    return lines


def known_text(item: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """Last observed value of a promise with its year, or two dashes."""
    if item["observed"] is None:
        return "--"
    year = item["observed_year"]
    if item["metric"] == "link_open":
        is_open = item["observed"] >= 1
        if not year:
            return words("promise.is_open" if is_open else "promise.not_open")
        return words("terminal.known_open" if is_open else "terminal.known_closed", year=year)
    amount = _amount(item["observed"], item["unit"], words)
    return words("terminal.known_in", amount=amount, year=year) if year else amount


def given_text(item: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """What the scenario gives for a promise in its year, or two dashes."""
    if item["scenario"] is None:
        return "--"
    if item["metric"] == "link_open":
        return words("terminal.given_open" if item["scenario"] >= 1 else "terminal.given_closed", year=item["year"])
    if item["metric"] == "family_shift_mt":
        amount = words(f"terminal.amount.{item['unit']}", amount=words.signed(item["scenario"]))
        return words("terminal.given_shift", amount=amount, year=item["year"])
    return words("terminal.given_in", amount=_amount(item["scenario"], item["unit"], words), year=item["year"])


def _amount(value: float, unit: str | None, words: Words) -> str:
    """A value with its unit; a unit without words of its own stands as the tables write it."""
    key = f"terminal.amount.{unit}"
    return words(key, amount=float(value)) if words.has(key) else f"{words.amount(float(value))} {unit or ''}".strip()


def _trust(report: Mapping[str, Any], words: Words, *, has_movers: bool = True) -> list[str]:
    trust, calibration = report["trust"], report["calibration"]
    base = calibration["base_year"]
    fitted = words(
        "terminal.fitted",
        constants=calibration["constants"],
        observations=calibration["observations"],
        base_year=base,
        tonnes_share=trust["estimated_shares"]["tonnes"],
    )
    heading = textwrap.wrap(f"{words('terminal.trust')}   {fitted}", WIDTH, initial_indent="  ", subsequent_indent="    ")
    simulated = words("capacities.note") if report.get("capacities", {}).get("source") == "simulated" else ""
    told = [simulated, outturn_sentence(report, words), validation_sentence(report, words)]
    missed = [block for block in report["blocks"] if abs(block["error_share"]) > 0.10]
    if missed:
        names = ", ".join(f"{words.called(block['title'])} {words.percent(block['error_share'], is_signed=True)}" for block in missed)
        told.append(words("terminal.missed", base_year=base, names=names))
    if report["movers"] and has_movers:
        widest: dict[str, Mapping[str, Any]] = {}  # of a facility with two uncertain columns the one that moves most
        for item in report["movers"]:
            widest.setdefault(item["name"], item)
        ends = ("low_mt", "high_mt")
        moves = "; ".join(
            words("terminal.mover", name=words.called(name), **{end: words.number(item[end]) for end in ends})
            for name, item in widest.items()
        )
        told.append(words("terminal.movers", year=report["movers"][0]["year"], moves=moves))
    text = " ".join(sentence for sentence in told if sentence)
    return [*heading, *textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")]


def outturn_sentence(report: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """The year after the base year from it and its dated events, against what was observed; empty if that year is not in the run.

    Args:
        report: What `build_report` gave.
        words: The language.
    """
    trust, base = report["trust"], report["calibration"]["base_year"]
    if trust["model_mt"] is None or trust["observed_mt"] is None:
        return ""
    values = {"year": trust["year"], "base_year": base}
    values |= {name: words.number(trust[name]) for name in ("model_mt", "observed_mt")}
    outturn = (report["validation"] or {}).get("outturn")
    wrong = [row for row in outturn["rows"] if not row["is_sign_right"]] if outturn else []
    if not wrong:
        return words("terminal.outturn", **values)
    pairs = [(words.amount(float(row["model"])), _amount(row["published"], row["unit"], words)) for row in wrong]
    names = ", ".join(words("terminal.model_against", model=model, published=published) for model, published in pairs)
    return words("terminal.outturn_wrong", **values, names=names)


def validation_sentence(report: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """How many published values the model was held against and how well it did; empty without any.

    Args:
        report: What `build_report` gave.
        words: The language.
    """
    found = report["validation"]
    if not found or not found["not_used"]:
        return ""
    return words("terminal.validation", count=found["not_used"], error_share=found["median_abs_error_of_all"])


def _next(report: Mapping[str, Any], words: Words) -> list[str]:
    lines = []
    if report["report"] is not None:
        lines.append(f"  {words('terminal.report', path=report['report'], seconds=words.number(report['seconds']))}")
    option = next((stop["relief"]["measure_id"] for stop in report["stops"] if stop["relief"]), None)
    example = f"karvan run --with {option}     " if option else ""
    lines.append(f"  {words('terminal.try', commands=f'{example}karvan ladder     karvan --help')}")
    return lines
