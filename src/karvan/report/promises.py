"""The promises on a terminal and as a page: said, known, model, measures, verdict, source."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH

_WORDS = {"met": "met", "on_course": "on course", "behind": "behind", "open": "open", "not_measurable": "not judged"}
_MEASURES_NAMED = 5
_URL_SAFE = ":/?#[]@!$&'*+,;=%~"

Item = Mapping[str, Any]


def promise_lines(tracked: Item, *, is_whole: bool = False) -> list[str]:
    """The promises as lines of at most 100 columns.

    Args:
        tracked: What `study.commitments` gave.
        is_whole: List the whole register too.
    """
    names = [scenario["scenario_id"] for scenario in tracked["scenarios"]]
    items = tracked["commitments"]
    headlines, register = _headlines(items), [item for item in items if not item["is_headline"]]
    columns = "".join(f"{name:>{_width(name)}}" for name in names)
    lines = [
        f"{tracked['corridor_title']}, facts until {tracked['facts_until']}",
        "",
        f"{'THE PROMISES':<24}{'target':<13}{'year':<5}{'known':<12}{columns}  verdict",
    ]
    for item in headlines:
        values = "".join(f"{_cell(item, name):>{_width(name)}}" for name in names)
        lines.append(
            f"{_cut(_short(item), 23):<24}{_cut(_target(item), 12):<13}{item['year'] or '--':<5}{_cut(_known(item), 11):<12}{values}"
            f"  {_WORDS[item['verdict']]}"
        )
    lines += ["", *_wrapped(f"Verdicts are those of {tracked['headline_scenario']}. {_NOT_JUDGED}")]
    for item in headlines:
        if item["shared"] is not None and not _is_told_before(item, headlines):
            lines += _wrapped(_shared_sentence(item, items, mark=""))
    if is_whole:
        lines += ["", *_register_lines(register, tracked["headline_scenario"])]
    lines += ["", *_wrapped(f"The register, {len(register)} more: {_counts(register)}.")]
    if not is_whole:
        lines.append("All of it: karvan commitments --all")
    return [line.rstrip() for line in lines]


_NOT_JUDGED = "Not judged: the model has no such quantity; --page and --json tell what is known."


def _headlines(items: Sequence[Item]) -> list[Item]:
    chosen = [item for item in items if item["is_headline"]]
    return sorted(chosen, key=lambda item: (item["promise"] or 0, item["commitment_id"]))


def _width(name: str) -> int:
    return max(len(name), 7) + 1


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."


def _short(item: Item) -> str:
    return str(item["short"] or item["title"])


def _target(item: Item) -> str:
    if item["target"] is None:
        return "--"
    return "open" if item["metric"] == "link_open" else _exact(item["target"], item["unit"])


def _target_by(item: Item) -> str:
    """Target and year; a target that is a year itself is told once."""
    parts = [] if item["target"] is None or item["unit"] == "year" else [_target(item)]
    year = item["year"] if item["unit"] != "year" or item["target"] is None else f"{item['target']:.0f}"
    return " ".join([*parts, str(year)] if year else parts) or "--"


def _exact(value: float, unit: str | None) -> str:
    """A published number as it was published."""
    return f"{value:.0f}" if unit == "year" else f"{value:,.10g} {unit or ''}".strip()


def _amount(value: float, unit: str | None) -> str:
    """A number of the model, with as many digits as a reader needs."""
    return f"{ENGLISH.amount(float(value))} {unit or ''}".strip()


def _known(item: Item) -> str:
    if item["observed"] is None:
        return "--"
    value = _is_open(item["observed"]) if item["metric"] == "link_open" else _exact(item["observed"], None)
    return f"{value} {item['observed_year'] or ''}".strip()


def _is_open(value: float) -> str:
    return "open" if value >= 1.0 else "closed"


def _cell(item: Item, scenario: str) -> str:
    value = item["scenarios"][scenario]
    if value is None:
        return "--"
    if item["metric"] == "link_open":
        return _is_open(value)
    return f"{_zeroed(value):+.2g}" if item["metric"] == "family_shift_mt" else ENGLISH.amount(float(value))


def _zeroed(value: float) -> float:
    """A shift without the solver's dust, and without minus zero."""
    return value if abs(value) >= 5e-4 else 0.0


def _is_told_before(item: Item, headlines: Sequence[Item]) -> bool:
    other = next((each for each in headlines if each["commitment_id"] == item["shared"]["with"]), None)
    if other is None or other["shared"] is None or other["shared"]["with"] != item["commitment_id"]:
        return False
    return headlines.index(other) < headlines.index(item)


def _shared_sentence(item: Item, items: Sequence[Item], *, mark: str) -> str:
    """How much a promise has in common with another, known and by scenario."""
    shared = item["shared"]
    other = next(each for each in items if each["commitment_id"] == shared["with"])
    told = []
    if shared["observed"] is not None:
        told.append(f"{_exact(shared['observed'], shared['unit'])} observed in {shared['observed_year']}")
    amounts = [f"{ENGLISH.amount(float(value))} by {mark}{name}{mark}" for name, value in shared["scenarios"].items() if value is not None]
    if amounts:
        told.append(f"in {shared['year']}, in {shared['unit']}, {', '.join(amounts)}")
    return f'Counted both in "{_short(item)}" and in "{_short(other)}": {"; ".join(told) or "how much is not known"}.'


def _counts(items: Sequence[Item]) -> str:
    counts = {word: sum(item["verdict"] == name for item in items) for name, word in _WORDS.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none"


def _register_lines(register: Sequence[Item], scenario: str) -> list[str]:
    lines = [f"{'THE REGISTER':<14}{'':<46}{'target':<18}{_cut(scenario, 10):>10}  verdict"]
    for item in register:
        lines.append(
            f"{_cut(item['commitment_id'], 13):<14}{_cut(item['title'], 45):<46}{_cut(_target_by(item), 17):<18}{_cell(item, scenario):>10}"
            f"  {_WORDS[item['verdict']]}"
        )
    return lines


def promises_page(tracked: Item) -> str:
    """The promises as a page of Markdown, one after the other, and the register as a table.

    Args:
        tracked: What `study.commitments` gave.
    """
    items = tracked["commitments"]
    headlines, register = _headlines(items), [item for item in items if not item["is_headline"]]
    parts = [f"# {tracked['corridor_title']}: what was promised, and what the model says", _introduction(tracked, headlines, register)]
    parts.append(_table(("Scenario", "What opens"), [(f"`{item['scenario_id']}`", item["title"]) for item in tracked["scenarios"]]))
    for item in headlines:
        number = f"{item['promise']}. " if item["promise"] else ""
        parts += [f"## {number}{item['title']}", *_promise(item, tracked)]
    if register:
        parts += ["## The register", f"The verdicts are {_counts(register)}.", _register_table(register, tracked)]
    parts.append(f"*Written by `karvan commitments --page`, version {tracked['version']}; do not edit by hand.*")
    return "\n\n".join(parts) + "\n"


def _introduction(tracked: Item, headlines: Sequence[Item], register: Sequence[Item]) -> str:
    scenario = tracked["headline_scenario"]
    lines = f" and {len(register)} lines of the register of agreements" if register else ""
    return (
        f"This page holds {len(headlines)} promises{lines} against the model; facts are taken in until {tracked['facts_until']}."
        f" Each is judged by the scenario `{scenario}`, and what the other scenarios give stands beside it."
        f" The verdicts are {_counts(headlines)}; a promise is not judged where the model has no such quantity, and then the page"
        " tells what is known."
    )


def _promise(item: Item, tracked: Item) -> list[str]:
    parties = f" ({', '.join(part for part in (item['date'], (item['parties'] or '').replace(';', ', ')) if part)})"
    said = _sentence(item["said"] or item["title"])
    parts = [f"**Said.** {said}{parties if parties != ' ()' else ''}", f"**Known.** {_known_sentences(item)}"]
    if item["metric"] == "none":
        parts.append("**Model.** The model has no such quantity.")
    elif item["metric"] == "power_line":
        told = "dispatches power hour by hour and tells what it earns, who gains, and the size that pays; a run of the market does not."
        parts.append(f"**Model.** `karvan power --year 2035 --scenario agreed --sweep` {told}")
    else:
        parts.append(f"**Model.** {_question(item, tracked['baseline'])}")
        parts.append("\n".join(f"- `{name}`: {_said_by_model(item, name, tracked['baseline'])}" for name in item["scenarios"]))
        if tracked["years"]:
            parts.append(_year_table(item, tracked["years"]))
    if item["shared"] is not None:
        parts.append(_shared_sentence(item, tracked["commitments"], mark="`"))
    parts.append(_measures(item, tracked))
    parts.append(f"**Verdict.** {_verdict_sentences(item, tracked['headline_scenario'])}")
    parts.append(f"**Source.** {_source(item)}, {item['confidence']}.")
    return parts


def _sentence(text: str) -> str:
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def _known_sentences(item: Item) -> str:
    sentences = [_sentence(item["status"])]
    if item["observed"] is not None:
        when = f" in {item['observed_year']}" if item["observed_year"] else ""
        if item["metric"] == "link_open":
            sentences.append(f"It was {_is_open(item['observed'])}{when}.")
        else:
            sentences.append(f"The last observed value is {_exact(item['observed'], item['unit'])}{when}.")
    return " ".join(sentences)


_QUESTIONS = {
    "corridor_mt": "Tonnes a year. {counted}",
    "containers_teu": "Loaded boxes a year. {counted}",
    "crude_mt": "Crude oil a year. {counted}",
    "cordon_mt": "Tonnes a year. {counted}",
    "cordon_kt": "Tonnes a year. {counted}",
    "link_open": "Whether every link of the line is open at the end of the year: {element}.",
    "link_kt": "Tonnes a year over the link {element}, both ways.",
    "family_shift_mt": "Tonnes a year by the route family {element} ({counted}), against `{baseline}`.",
    "full_facilities": "Facilities on the corridor that are full in a year; fewer is better.",
    "trade_musd": "Trade of {element}, both ways, in a year at prices of the base year: growth of demand and what trade answers to the cost"
    " of carrying goods, as `karvan trade` tells it.",
}


def _question(item: Item, baseline: str) -> str:
    """What the model was asked for."""
    element = ", ".join(f"`{part.strip()}`" for part in (item["element_id"] or "").split(";"))
    counted = item["counted"] or ""
    if item["metric"] != "family_shift_mt" and counted:
        counted = _sentence(counted)
    return _QUESTIONS[item["metric"]].format(element=element, counted=counted, baseline=baseline).strip()


def _said_by_model(item: Item, name: str, baseline: str) -> str:
    """What one scenario gives in the promised year, in words."""
    value, year, metric = item["scenarios"][name], item["year"], item["metric"]
    if value is None:
        return "no year was named that the model could be asked for."
    if metric == "link_open":
        return f"{'open' if value >= 1.0 else 'not open'} at the end of {year}."
    if metric == "family_shift_mt":
        if name == baseline:
            return "what the others are compared with."
        value = _zeroed(value)
        more = f"{_amount(abs(value), item['unit'])} {'more' if value > 0.0 else 'less'}" if value != 0.0 else "no more and no less"
        return f"{more} in {year} than in `{baseline}`."
    if metric == "full_facilities":
        names = item["full_facilities"][name]
        return f"{len(names)} full in {year}: {'; '.join(names)}." if names else f"none full in {year}."
    share = f", {value / item['target']:.0%} of the target" if item["target"] else ""
    return f"{_amount(value, item['unit'])} in {year}{share}."


def _year_table(item: Item, years: Sequence[int]) -> str:
    unit = "" if item["metric"] == "link_open" else f", {item['unit'] or ''}".rstrip(" ,")
    rows = []
    for name, values in item["by_year"].items():
        cells = [_cell({**item, "scenarios": {name: values.get(str(year))}}, name) for year in years]
        rows.append((f"`{name}`", *cells))
    return _table((f"Scenario{unit}", *(str(year) for year in years)), rows, numbers=len(years))


def _measures(item: Item, tracked: Item) -> str:
    if not item["measures"]:
        return "**Measures that serve it.** None in the case."
    names = [scenario["scenario_id"] for scenario in tracked["scenarios"]]
    rows, options = [], []
    for measure in item["measures"]:
        label = f"{measure['title']} (`{measure['measure_id']}`)"
        if measure["scenarios"]:
            dates = [_dates(measure["scenarios"].get(name)) for name in names]
            rows.append((label, measure["status"].replace("_", " "), *dates))
        else:
            options.append(label)
    parts = ["**Measures that serve it.** Each begins on the day that its scenario says."] if rows else []
    if rows:
        parts.append(_table(("Measure", "Status", *(f"`{name}`" for name in names)), rows))
    if options:
        heading = "" if rows else "**Measures that serve it.** "
        parts.append(
            f"{heading}{'More would' if rows else 'These would'} serve it and are in none of these scenarios: {'; '.join(options)}."
        )
    return "\n\n".join(parts)


def _dates(dated: Item | None) -> str:
    if dated is None:
        return "--"
    if dated["until_date"] is None:
        return str(dated["from_date"])
    return f"{dated['from_date']} until {dated['until_date']}" if dated["from_date"] < dated["until_date"] else "taken back before"


def _verdict_sentences(item: Item, scenario: str) -> str:
    same = {name: word for name, word in item["verdict_by_scenario"].items() if word != item["verdict"]}
    others = [f"By `{name}` it is {_WORDS[word]}." for name, word in same.items()]
    return " ".join([_verdict_sentence(item, scenario), *others])


def _verdict_sentence(item: Item, scenario: str) -> str:
    verdict, value, year = item["verdict"], item["scenarios"][scenario], item["year"]
    if verdict == "not_measurable":
        return "Not for this model to judge."
    if verdict == "met":
        return "Met: the last observed value reaches the target."
    if verdict == "open":
        if item["target"] is None:
            return "Open: no target was set."
        return "Open: no year was named for the target." if year is None else f"Open: the model has no year {year}."
    if verdict == "on_course":
        return f"On course: `{scenario}` reaches the target in {year}."
    if item["metric"] == "link_open":
        return f"Behind: by `{scenario}` it is not open at the end of {year}."
    gap = _amount(abs(item["target"] - value), item["unit"])
    return f"Behind: `{scenario}` misses the target of {year} by {gap}."


def _source(item: Item) -> str:
    source = item["source"]
    return f"[{_plain(source['title'])}]({quote(source['url'], safe=_URL_SAFE)})" if source["url"] else _plain(source["title"])


def _plain(text: str) -> str:
    return text.replace("[", "(").replace("]", ")")


def _register_table(register: Sequence[Item], tracked: Item) -> str:
    scenario = tracked["headline_scenario"]
    rows = []
    for item in register:
        named = [f"`{measure['measure_id']}`" for measure in item["measures"]]
        more = [f"{len(named) - _MEASURES_NAMED} more"] if len(named) > _MEASURES_NAMED else []
        where = item["status"]
        if item["shared"] is not None:
            where += f"; the same goods as `{item['shared']['with']}`"
        rows.append(
            (
                f"`{item['commitment_id']}`",
                item["title"],
                str(item["promise"] or "--"),
                item["date"] or "--",
                _target_by(item),
                where,
                _known(item),
                _cell(item, scenario),
                _WORDS[item["verdict"]],
                ", ".join([*named[:_MEASURES_NAMED], *more]) or "--",
                _source(item),
            )
        )
    header = ("Id", "What", "Promise", "Date", "Target", "Status", "Known", f"`{scenario}`", "Verdict", "Measures", "Source")
    return _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> str:
    """A Markdown table; its last `numbers` columns are set to the right."""
    rule = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    lines = [header, *rows]
    told = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([told[0], "|" + "|".join(rule) + "|", *told[1:]])
