"""A shipper's question, and a thousand: the packaged Middle Corridor, one process, one core."""

from __future__ import annotations

import datetime
import statistics
import time

import numpy as np

from benchmarks.page import write_section
from karvan.corridor import load_corridor
from karvan.errors import DataError
from karvan.study import ShippingDesk

DEPART = datetime.date(2027, 3, 1)
ASKED = (("chongqing", "duisburg", "containers"), ("kostanay", "yerevan", "wheat"), ("tashkent", "istanbul_halkali", "metals"))
QUESTIONS, REPEATS = 1000, 5


def seconds_of(desk: ShippingDesk, origin: str, destination: str, goods: str) -> float:
    begin = time.perf_counter()
    desk.answer(origin, destination, commodity=goods, depart=DEPART)
    return time.perf_counter() - begin


def batch(desk: ShippingDesk, pairs: list[tuple[str, str, str]]) -> tuple[float, int, int, list[float]]:
    """Seconds in all, questions with a way, options told, and seconds of each."""
    each, answered, options = [], 0, 0
    begin = time.perf_counter()
    for origin, destination, goods in pairs:
        start = time.perf_counter()
        try:
            found = desk.answer(origin, destination, commodity=goods, depart=DEPART)
        except DataError:  # nothing open leads there
            continue
        finally:
            each.append(time.perf_counter() - start)
        answered += bool(found.options)
        options += len(found.options)
    return time.perf_counter() - begin, answered, options, each


def main() -> None:
    corridor = load_corridor("middle-corridor")
    seconds_of(ShippingDesk(corridor), *ASKED[0])  # kernels compiled or read from their cache
    begin = time.perf_counter()
    desk = ShippingDesk(corridor)
    seconds_of(desk, *ASKED[0])
    set_up = time.perf_counter() - begin
    rows = [("set-up: scenario, network of the day, first answer", f"{1e3 * set_up:.0f} ms", "once")]
    for origin, destination, goods in ASKED:
        seconds_of(desk, origin, destination, goods)
        times = [seconds_of(desk, origin, destination, goods) for _ in range(REPEATS)]
        rows.append((f"{origin} to {destination}, {goods}", f"{1e3 * statistics.median(times):.0f} ms", f"{1e3 * max(times):.0f} ms"))
    rng = np.random.default_rng(3)
    places = sorted(corridor.tables["places"]["place_id"])
    goods = ("containers", "grain", "metals", "other")
    pairs = []
    while len(pairs) < QUESTIONS:
        start, end = rng.choice(len(places), size=2, replace=False)
        pairs.append((places[int(start)], places[int(end)], goods[len(pairs) % len(goods)]))
    total, answered, options, each = batch(desk, pairs)
    rows.append(
        (f"{QUESTIONS:,} questions between random places, each", f"{1e3 * statistics.median(each):.0f} ms", f"{1e3 * max(each):.0f} ms")
    )
    rows.append((f"{QUESTIONS:,} questions between random places, all", f"{total:.1f} s", "once"))
    write_section(
        "A shipper's question",
        "`karvan route` warm: four criteria, 1% apart, rules and what they refuse, up to five options with legs and percentiles; Middle "
        f"Corridor, baseline, goods ready on {DEPART}. Of the thousand, {answered} had a way, with {options:,} options in all.",
        rows,
    )
    for row in rows:
        print(*row)


if __name__ == "__main__":
    main()
