"""The ladder on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from karvan.report.words import ENGLISH, Words
from karvan.results import Ladder, LadderRung

_NAME_WIDTH = 26
_RELIEF_WIDTH = 26
_PAYERS_SHOWN = 3
# A gain that rounds to nothing on the corridor, and one in money that is worth a word all the same.
_NO_GAIN_MT = 0.005
_MUCH_MUSD = 100.0


def ladder_lines(ladder: Ladder, *, words: Words = ENGLISH) -> list[str]:
    """Both ladders as lines of at most 100 columns."""
    heading = words(
        "rungs.heading",
        scenario=ladder.scenario_id,
        year=ladder.year,
        today=words.number(ladder.today_mt, 2),
        scale=words.number(ladder.market_scale, 3),
        to=words.shortest(ladder.to_mt),
    )
    return [
        heading,
        "",
        words("rungs.relieved"),
        *_table(ladder.relieved, words),
        "",
        words("rungs.as_is"),
        *_table(ladder.as_is, words),
        *_remarks(ladder.as_is, words),
    ]


def _table(rungs: Sequence[LadderRung], words: Words) -> list[str]:
    if not rungs:
        return [f"  {words('rungs.none')}"]
    first = [words(key) for key in ("rungs.latent_1", "rungs.realised_1", "rungs.price_1", "rungs.gain_1", "rungs.worth_1")]
    second = [words(key) for key in ("rungs.latent_2", "rungs.realised_2", "rungs.price_2", "rungs.gain_2")]
    worth = [words(key) for key in ("rungs.worth_price", "rungs.worth_queue")]
    head = f"{words('rungs.facility'):<27}{second[0]:>6}{second[1]:>6}{second[2]:>9}{second[3]:>6}{worth[0]:>7}{worth[1]:>6}"
    lines = [
        f"     {'':<27}{first[0]:>6}{first[1]:>6}{first[2]:>9}{first[3]:>6}{first[4]:>13}",
        f"     {head}  {words('rungs.relief')}",
    ]
    for rung in (rung for rung in rungs if rung.is_on_corridor):
        price = words.number(rung.shadow_price_usd_per_t, 1) if rung.is_public else words("ladder.unsure")
        gains = (
            f"{_plain(rung.gain_mt, 2, words):>6}{_plain(rung.gain_musd_per_year, 0, words):>7}"
            f"{_plain(rung.gain_queue_musd_per_year, 0, words):>6}"
        )
        lines.append(
            f"  {rung.rung:>2} {_cut(words.called(rung.facility_name), _NAME_WIDTH):<27}{words.number(rung.latent_mt, 2):>6}"
            f"{words.number(rung.realised_mt, 2):>6}{price:>9}{gains}  {_cut(_relief(rung, words), _RELIEF_WIDTH)}"
        )
    elsewhere = [words.called(rung.facility_name) for rung in rungs if not rung.is_on_corridor]
    if elsewhere:
        told = words("rungs.elsewhere", names="; ".join(elsewhere))
        lines += textwrap.wrap(told, 96, initial_indent="     ", subsequent_indent="     ")
    return lines


def _remarks(rungs: Sequence[LadderRung], words: Words) -> list[str]:
    """What the table of standing limits does not say: who pays, ties, useless reliefs, guesses."""
    here = [rung for rung in rungs if rung.is_on_corridor]
    remarks = []
    for rung in [rung for rung in here if rung.is_public and rung.paid_by][:_PAYERS_SHOWN]:
        bundles = "; ".join(
            f"{item['commodity_group']} {item['origin_region']}-{item['destination_region']} {words.percent(item['share'])}"
            for item in rung.paid_by
        )
        remarks.append(words("rungs.paid_by", rung=rung.rung, bundles=bundles, operator=rung.earned_by))
    useless = [str(rung.rung) for rung in here if rung.is_alone_useless]
    if useless:
        remarks.append(words("terminal.alone_useless", ranks=", ".join(useless)))
    elsewhere = [str(rung.rung) for rung in here if abs(rung.gain_mt) < _NO_GAIN_MT and rung.gain_musd_per_year >= _MUCH_MUSD]
    if elsewhere:
        remarks.append(words("rungs.elsewhere_gain", rungs=", ".join(elsewhere)))
    remarks += [words("rungs.tied", rung=rung.rung, names=", ".join(rung.tied_facility_ids)) for rung in here if rung.tied_facility_ids]
    remarks += [
        words("rungs.guess", rung=rung.rung, note=rung.rests_on["note"]) for rung in here if not rung.is_public and rung.rests_on["note"]
    ]
    remarks.append(words("rungs.queue"))
    wrapped = [textwrap.wrap(remark, 98, initial_indent="  ", subsequent_indent="    ") for remark in remarks]
    return ["", *(line for lines in wrapped for line in lines)]


def _plain(value: float, decimals: int, words: Words) -> str:
    """A number to some decimals, without groups, never a negative zero."""
    return words.number(round(value, decimals) + 0.0, decimals, is_grouped=False)


def _cut(text: str, width: int) -> str:
    """Text of at most so many characters; three dots say that it was longer."""
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."


def _relief(rung: LadderRung, words: Words) -> str:
    if rung.relief_measure_id is None:
        return words("relief.none")
    if rung.relief_is_operating:
        cost = words("relief.no_building")
    elif rung.relief_cost_musd is None:
        cost = words("relief.cost_not_known")
    else:
        cost = words("relief.cost", cost_musd=words.number(rung.relief_cost_musd, 0))
    return words("terminal.relief", relief=rung.relief_measure_id, cost=cost)
