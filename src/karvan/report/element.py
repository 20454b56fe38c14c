"""What rests on a facility or a link, on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from karvan.report.summary import WIDTH
from karvan.results import Bundle, ClosedElement, Criticality, ElementUse, FamilyUse

_BUNDLES_SHOWN = 10
_FAMILIES_SHOWN = 5
_TAKERS_SHOWN = 5
_RENTS_SHOWN = 4
_NAME_WIDTH = 40
_LEAST_KT = 0.05
_TOLD_SHARE = 0.01
_WIDER = "Ways round that count only now are rivals on both sides of this comparison, so less goes over it than above."
_HOW = "Scarcity settled by price; waits as in the year, although fewer or more would pass."


def element_lines(found: ElementUse) -> list[str]:
    """One element as lines of at most 100 columns.

    Args:
        found: What `karvan.select_link` gave.
    """
    lines = [*_title(found), "", *_bundle_lines(found), *_way_lines(found.families, "By"), *_rent_lines(found), ""]
    return [line.rstrip() for line in [*lines, *_closed_lines(found.if_closed, found.flow_kt)]]


def _title(found: ElementUse) -> list[str]:
    carried = f"{found.load:,.1f} {found.unit}"
    if found.capacity is not None:
        room = found.capacity - found.other_load
        carried += f" of {room:,.1f}" + (f" ({found.other_load:,.1f} more is traffic outside the case)" if found.other_load > 0.0 else "")
    boxes = f", {found.flow_teu:,.0f} TEU" if found.flow_teu >= 1.0 else ""
    tonnes = boxes if found.unit == "kt" else f"; {found.flow_kt:,.1f} kt{boxes}"
    lines = textwrap.wrap(f"{found.name}, {found.year}, {found.scenario_id}: {carried}{tonnes}", WIDTH)
    if found.forward_kt is not None and found.backward_kt is not None:
        lines.append(f"  {found.element_id}: {found.forward_kt:,.1f} kt one way, {found.backward_kt:,.1f} kt the other")
    if found.empty_load > 0.0:
        lines.append(f"  {found.empty_load:,.1f} {found.unit} of it are empties")
    return lines


def _bundle_lines(found: ElementUse) -> list[str]:
    if not found.bundles:
        return ["  No goods of the case pass it."]
    lines = [f"  {'what goes where':<54}{'kt':>10}{'share':>8}{'pays USD/t':>12}{'M USD':>10}"]
    for item in found.bundles[:_BUNDLES_SHOWN]:
        lines.append(
            f"  {_bundle_name(item):<54}{item.flow_kt:>10,.1f}{item.load_share:>8.1%}{item.price_usd_per_t:>12,.1f}{item.paid_musd:>10,.1f}"
        )
    left = found.bundles[_BUNDLES_SHOWN:]
    if left:
        kt, paid, share = (sum(getattr(item, name) for item in left) for name in ("flow_kt", "paid_musd", "load_share"))
        price = paid * 1e3 / kt if kt > 0.0 else 0.0
        lines.append(f"  {f'and {len(left)} more':<54}{kt:>10,.1f}{share:>8.1%}{price:>12,.1f}{paid:>10,.1f}")
    return lines


def _bundle_name(item: Bundle) -> str:
    return _cut(f"{item.commodity_group} {item.form}: {item.origin_region} - {item.destination_region}", 53)


def _way_lines(families: Sequence[FamilyUse], word: str) -> list[str]:
    told = [item for item in families if abs(item.flow_kt) >= _LEAST_KT]
    if not told:
        return []
    parts = [f"{item.name} {item.flow_kt:,.1f} kt" for item in told[:_FAMILIES_SHOWN]]
    left = told[_FAMILIES_SHOWN:]
    parts += [f"{len(left)} {'other' if len(left) == 1 else 'others'} {sum(item.flow_kt for item in left):,.1f} kt"] if left else []
    return textwrap.wrap(f"{word}: {'; '.join(parts)}.", WIDTH, initial_indent="  ", subsequent_indent="    ")


def _rent_lines(found: ElementUse) -> list[str]:
    if not found.rents:
        return ["  Nothing here is full, so nobody pays for the place."]
    lines: list[str] = []
    for item in found.rents[:_RENTS_SHOWN]:
        guess = "" if item.is_public else " Its limit is a guess."
        text = f"{item.name}: {item.paid_musd:,.1f} M USD a year for the place, earned by {item.operator_name}.{guess}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    if found.empties_paid_musd > 0.0:
        lines.append(f"  Of it empties pay {found.empties_paid_musd:,.1f} M USD.")
    return lines


def _closed_lines(closed: ClosedElement, flow_kt: float) -> list[str]:
    lines = ["IF IT CLOSED FOR THE YEAR"]
    if closed.carried_kt == 0.0:
        return [*lines, "  Nothing would change."]
    text = (
        f"Of {closed.carried_kt:,.1f} kt, {_plain(closed.rerouted_kt, 1)} go another way and"
        f" {_plain(closed.kept_home_kt, 1)} stay at home. It would cost {_plain(closed.loss_usd_per_day, 0)} USD a day"
        f" ({_plain(closed.loss_musd, 1)} M USD a year)."
    )
    lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")
    if abs(closed.carried_kt - flow_kt) > _TOLD_SHARE * flow_kt:
        lines += textwrap.wrap(_WIDER, WIDTH, initial_indent="  ", subsequent_indent="  ")
    lines.append(f"  The headline cordon would lose {_plain(closed.headline_lost_mt, 2)} Mt.")
    lines += _way_lines(closed.families, "More by")
    takers = [item for item in closed.taken_up if item.more_kt >= _LEAST_KT][:_TAKERS_SHOWN]
    if takers:
        told = "; ".join(f"{item.name} {item.more_kt:+,.1f} kt (then {item.use_share:.0%} full)" for item in takers)
        lines += textwrap.wrap(f"Taken up at: {told}.", WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, f"  {_HOW}"]


def criticality_lines(found: Criticality) -> list[str]:
    """All facilities as lines of at most 100 columns, the costliest to lose first.

    Args:
        found: What `karvan.criticality` gave.
    """
    title = f"What closing each facility for a year would cost, {found.year}, {found.scenario_id}"
    lines = [
        f"{title}; {found.headline_mt:.2f} Mt on the headline cordon",
        "",
        f"  {'facility':<{_NAME_WIDTH}}{'carried':>19}{'other way':>10}{'at home':>9}{'USD a day':>12}{'Mt':>6}",
        f"  {'':<{_NAME_WIDTH}}{'':>19}{'kt':>10}{'kt':>9}{'':>12}{'lost':>6}",
    ]
    used = [item for item in found.facilities if item.load > 0.0]
    for item in used:
        carried = f"{item.load:,.1f} {item.unit}"
        mark = "" if item.is_public else " ?"
        name = _cut(item.name, _NAME_WIDTH - 3) + mark
        lines.append(
            f"  {name:<{_NAME_WIDTH}}{carried:>19}{_plain(item.rerouted_kt, 0):>10}{_plain(item.kept_home_kt, 0):>9}"
            f"{_plain(item.loss_usd_per_day, 0):>12}{_plain(item.headline_lost_mt, 2):>6}"
        )
    idle = [item.name for item in found.facilities if item.load == 0.0]
    guessed = sum(item.confidence == "estimate" for item in used)
    lines += ["", f"  {guessed} of {len(used)} capacities are estimates; ? marks a limit that is a guess. {_HOW.partition(';')[0]}."]
    lines += textwrap.wrap(f"Not used: {'; '.join(idle)}.", WIDTH, initial_indent="  ", subsequent_indent="    ") if idle else []
    return [line.rstrip() for line in [*lines, "  One of them in full: karvan select-link ID"]]


def _plain(value: float, digits: int) -> str:
    """A number without a minus before zero."""
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 3].rstrip()}..."
