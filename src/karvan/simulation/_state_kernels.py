"""What the compiled event loop reads and writes, and what happens to waiting lines, berths and stocks.

Arrays in, arrays out. Every thing - token, lot, berth, stock, site, step - has WIDTH cells in two arrays: `things` holds its whole
numbers, `values` its hours and units, in the order named below; things refer to each other by their first cell. Whole numbers have no
sign, so that the compiler need not ask whether a place is counted from the end. What waits for time stands in a binary heap,
equal times in the order in which they were set; what waits for something else stands in a waiting line, which is a row, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from karvan.simulation._random_kernels import compiled, inlined

CAUSES = 11
SAILING, HANDLING, CUSTOMS, SORTING, NO_SHIP, FILLING, BERTH, WEATHER, CHANNEL, STORAGE, REPAIRING = range(CAUSES)
"""Causes of hours."""
HEAP, SEQUENCE, FREE_TOKEN, FREE_LOT, HIGH, RECORDS, LOGGED, EVENTS, STEPS, STATUS = range(10)
BERTHS, POOLS, SITES, BANS, LINES, PROGRAM, TOKENS = 10, 12, 14, 16, 18, 20, 22
LOG_FROM, LOG_UNTIL, ROOMS = 24, 25, 26
"""Places in `counter`; from BERTHS on, the first row of a kind of thing and the row after its last. HIGH: row after the last token ever
in use. LOG_FROM, LOG_UNTIL: first hour that is logged, and the hour after the last."""
READY = 0
"""The line of tokens that can run on. Nothing refers to it, so that 0 says of what is referred to: none."""
ELSEWHERE, QUEUED, HANDLED, FILLED = range(4)
"""What a ship does at the port of a stock: it waits for a berth, is handled, waits for goods; or it is not there."""
START, RESUMED, NEWBORN = range(3)
"""How a token comes to its step: to begin it, to go on with it after hours, or as one that has just come."""
DONE, TOKENS_FULL, LOTS_FULL, RECORDS_FULL, HEAP_FULL = range(5)
"""What STATUS can say."""
LOG_GRANTED, LOG_RELEASED, LOG_SAILED, LOG_ARRIVED, LOG_CLOSED, LOG_OPENED, LOG_WAITS, LOG_HELD, LOG_FILLS, LOG_OFF, LOG_STOCK = range(11)
"""Kinds of row in the log: a berth given and left, a passage begun and ended, weather that closes and opens a site; a token that begins
to wait for a berth, for weather, for goods, or goes off hire; and what lies in a stock from now on."""

Q_HEAD, Q_TAIL = range(2)
T_STEP, T_PHASE, T_VERSION, T_NEXT, T_LOT, T_POOL, T_PRESENCE, T_SITE, T_HELD = range(9)
T_UNITS, T_BORN, T_SINCE, T_CLOSED, T_END, T_PLAN, T_DUE, T_CAUSE = range(8)
L_NEXT, L_LINE = range(2)
L_UNITS, L_BORN, L_CAUSE = range(3)
B_SERVERS, B_SITE, B_QUEUE, B_FREE = range(4)
B_BUSY, B_MARK = range(2)
P_LINE, P_SITE, P_ENDLESS, P_BAN, P_QUEUE, P_HEAD, P_TAIL, P_FIRST_SET, P_LAST_SET, P_PRESENT = range(10)
P_LIMIT, P_UNITS, P_MARK, P_CAUSE = range(4)
W_LEADER, W_STREAM, W_QUEUE, W_CLOSED, W_DRAWS, W_KIND = range(6)
W_SCALE, W_SHAPE, W_MARK, W_SUM = range(4)
C_FIRST, C_LAST, C_QUEUE, C_WAITING = range(4)
C_SLOT = 0
M_MEMBER = M_WEIGHT = 0
A_KIND = 0
A_SCALE, A_SHAPE = range(2)
N_ABOVE, N_BELOW, N_UNITS, N_ON, N_MARK, N_SUM, N_REFUSED = range(7)
G_INSIDE, G_MARK, G_INTEGRAL, G_TICK, G_OUT = range(5)
S_KIND, S_STREAM, S_COUNT, S_WAITED, S_ARG, S_DRAWS = 0, 1, 2, 3, 4, 10
S_WAIT, S_UNITS, S_NUM = range(3)
"""Columns of waiting lines, tokens, lots, berths, stocks, sites, sets, their members, laws, bans, lines and steps: of the whole numbers
first, then of hours and units. A site has W_ROWS rows: itself, and by month hours open, hours closed, share of the leader's closures that
it follows, and hours it was closed; W_OPEN_H and so on say how far below itself."""
WIDTH = 18
W_OPEN_H, W_CLOSED_H, W_FOLLOWS, W_MONTH, W_ROWS = (row * WIDTH for row in range(1, 6))
TOKEN_BITS = 28
TOKEN_MASK = (1 << TOKEN_BITS) - 1


class World(NamedTuple):
    """Everything the loop reads and writes.

    Attributes:
        counter: Counts and bounds.
        things: Whole numbers of every thing, shape (rows, THING_COLUMNS).
        values: Its hours and units, shape (rows, VALUE_COLUMNS).
        heap_h: Hours of what is to come.
        heap: Its order and load (a token and its version, or a site as -1 - row), shape (events, 2).
        start: First step and stream of each token that is there from the start, shape (starts, 2).
        start_h: When it begins, and mean hours until its first repair, shape (starts, 2).
        base_h: Hours by cause of those tokens when counting began, shape (starts, CAUSES).
        series: Mean units inside each line by sample, shape (lines, samples).
        record: What arrived: hour, row of its line, units, hour in which it came, hours by cause, shape (rows, 4 + CAUSES).
        log: Hour, kind, token or site, berth or link, units, shape (rows, 5).
    """

    counter: np.ndarray
    things: np.ndarray
    values: np.ndarray
    heap_h: np.ndarray
    heap: np.ndarray
    start: np.ndarray
    start_h: np.ndarray
    base_h: np.ndarray
    series: np.ndarray
    record: np.ndarray
    log: np.ndarray


@compiled
def ticket(things: np.ndarray, who: int) -> int:
    """Load of an event of a token: it holds until the token's version is another."""
    return (int(np.int64(things[who + T_VERSION])) << TOKEN_BITS) + int(np.int64(who))


@inlined
def push(counter: np.ndarray, heap_h: np.ndarray, heap: np.ndarray, time_h: float, load: int) -> None:
    """Set an event. Behind the last stands one that never comes."""
    place = counter[HEAP]
    if place + 1 >= heap_h.shape[0]:
        counter[STATUS] = HEAP_FULL
        return
    counter[HEAP] = place + 1
    counter[SEQUENCE] += 1
    while place > 0:
        above = (place - 1) >> 1
        if heap_h[above] <= time_h:
            break
        heap_h[place], heap[2 * place], heap[2 * place + 1] = heap_h[above], heap[2 * above], heap[2 * above + 1]
        place = above
    heap_h[place], heap[2 * place], heap[2 * place + 1] = time_h, counter[SEQUENCE], load


@inlined
def pop(counter: np.ndarray, heap_h: np.ndarray, heap: np.ndarray) -> None:
    """Take the first event off the heap."""
    size = counter[HEAP] - 1
    counter[HEAP] = size
    time_h = heap_h[size]
    heap_h[size] = np.inf
    if size > 0:
        _sift(heap_h, heap, size, time_h, heap[2 * size], heap[2 * size + 1])


@inlined
def replace_first(counter: np.ndarray, heap_h: np.ndarray, heap: np.ndarray, time_h: float, load: int) -> None:
    """Take the first event off the heap and set another: in one go."""
    counter[SEQUENCE] += 1
    _sift(heap_h, heap, counter[HEAP], time_h, counter[SEQUENCE], load)


@inlined
def _sift(heap_h: np.ndarray, heap: np.ndarray, size: int, time_h: float, order: int, load: int) -> None:
    """Put an event into the heap in place of its first. Which of two comes first is reckoned, not branched on: nobody could guess it."""
    place, child = 0, 1
    while child < size:
        left, right = heap_h[child], heap_h[child + 1]
        child += int((right < left) | ((right == left) & (heap[2 * child + 2] < heap[2 * child])))
        if time_h < heap_h[child] or (time_h == heap_h[child] and order < heap[2 * child]):
            break
        heap_h[place], heap[2 * place], heap[2 * place + 1] = heap_h[child], heap[2 * child], heap[2 * child + 1]
        place = child
        child = 2 * place + 1
    heap_h[place], heap[2 * place], heap[2 * place + 1] = time_h, order, load


@compiled
def join(things: np.ndarray, line: int, who: int) -> None:
    """Put a token at the end of a waiting line."""
    things[who + T_NEXT] = 0
    if things[line + Q_HEAD] == 0:
        things[line + Q_HEAD] = who
    else:
        things[things[line + Q_TAIL] + T_NEXT] = who
    things[line + Q_TAIL] = who


@compiled
def join_first(things: np.ndarray, line: int, who: int) -> None:
    """Put a token at the head of a waiting line."""
    things[who + T_NEXT] = things[line + Q_HEAD]
    if things[line + Q_HEAD] == 0:
        things[line + Q_TAIL] = who
    things[line + Q_HEAD] = who


@compiled
def leave(things: np.ndarray, line: int, before: int, who: int) -> None:
    """Take a token out of a waiting line; `before` stands before it there, 0: it is first."""
    if before == 0:
        things[line + Q_HEAD] = things[who + T_NEXT]
    else:
        things[before + T_NEXT] = things[who + T_NEXT]
    if things[line + Q_TAIL] == who:
        things[line + Q_TAIL] = before


@compiled
def wake(things: np.ndarray, who: int, phase: int) -> None:
    """Let a token, in no line now, run on as soon as the one that runs must wait."""
    join(things, READY, who)
    things[who + T_VERSION] += 1
    things[who + T_PHASE] = phase


@compiled
def closed_h(things: np.ndarray, values: np.ndarray, where: int, now: float) -> float:
    """Hours that a site has been closed until now."""
    if where == 0:
        return 0.0
    return float(values[where + W_SUM]) + (now - values[where + W_MARK] if things[where + W_CLOSED] == 1 else 0.0)


@inlined
def note_pool(things: np.ndarray, values: np.ndarray, pool: int, now: float) -> None:
    """Book the hours since the last change of a stock under what its goods waited for."""
    hours = now - values[pool + P_MARK]
    values[pool + P_MARK] = now
    where = things[pool + P_SITE]
    if where > 0 and things[where + W_CLOSED] == 1:
        cause = WEATHER
    elif things[pool + P_PRESENT + FILLED] > 0:
        cause = FILLING
    elif things[pool + P_PRESENT + HANDLED] > 0:
        cause = HANDLING
    elif things[pool + P_PRESENT + QUEUED] > 0:
        cause = BERTH
    else:
        cause = NO_SHIP
    values[pool + P_CAUSE + cause] += hours


@inlined
def be(things: np.ndarray, values: np.ndarray, who: int, pool: int, presence: int, now: float) -> None:
    """Say what a ship does at the port of a stock: QUEUED, HANDLED, FILLED or ELSEWHERE."""
    old = things[who + T_PRESENCE]
    if old != ELSEWHERE:
        note_pool(things, values, things[who + T_POOL], now)
        things[things[who + T_POOL] + P_PRESENT + old] -= 1
        things[who + T_PRESENCE] = ELSEWHERE
    if presence != ELSEWHERE:
        note_pool(things, values, pool, now)
        things[pool + P_PRESENT + presence] += 1
        things[who + T_POOL], things[who + T_PRESENCE] = pool, presence


@compiled
def note_berth(things: np.ndarray, values: np.ndarray, berth: int, now: float) -> None:
    """Book the hours of busy berths since the last change."""
    values[berth + B_BUSY] += (things[berth + B_SERVERS] - things[berth + B_FREE]) * (now - values[berth + B_MARK])
    values[berth + B_MARK] = now


@compiled
def note_line(values: np.ndarray, line: int, now: float, change: float) -> None:
    """Units inside a line change."""
    values[line + G_INTEGRAL] += values[line + G_INSIDE] * (now - values[line + G_MARK])
    values[line + G_MARK] = now
    values[line + G_INSIDE] += change


@compiled
def write_log(counter: np.ndarray, log: np.ndarray, now: float, kind: int, who: int, place: int, units: float) -> None:
    """A row of the log, in the hours that are logged and while there is room."""
    row = counter[LOGGED]
    if row < log.shape[0] and counter[LOG_FROM] <= now < counter[LOG_UNTIL]:
        log[row, 0], log[row, 1], log[row, 2], log[row, 3], log[row, 4] = now, kind, who, place, units
        counter[LOGGED] = row + 1


@compiled
def log_stocks(counter: np.ndarray, things: np.ndarray, values: np.ndarray, log: np.ndarray, chosen: int, now: float) -> None:
    """Log what lies in the stocks of a set."""
    for place in range(things[chosen + C_FIRST], things[chosen + C_LAST], WIDTH):
        pool = things[place + M_MEMBER]
        write_log(counter, log, now, LOG_STOCK, -1, pool, values[pool + P_UNITS])


@inlined
def free_berth(things: np.ndarray, chosen: int) -> int:
    """First berth of a set that is free and whose port is open; 0 if none."""
    for place in range(things[chosen + C_FIRST], things[chosen + C_LAST], WIDTH):
        berth = things[place + M_MEMBER]
        if things[berth + B_FREE] > 0:
            where = things[berth + B_SITE]
            if where == 0 or things[where + W_CLOSED] == 0:
                return int(berth)
    return 0


@inlined
def take_berth(
    counter: np.ndarray, things: np.ndarray, values: np.ndarray, log: np.ndarray, who: int, step: int, berth: int, now: float
) -> None:
    """Give a berth to a token at a SEIZE step, and book its wait."""
    note_berth(things, values, berth, now)
    things[berth + B_FREE] -= 1
    things[who + T_HELD + things[step + S_ARG]] = berth
    waited = now - values[who + T_SINCE]
    things[step + S_COUNT] += 1
    if waited > 0.0:
        where = things[things[things[things[step + S_ARG + 1] + C_FIRST] + M_MEMBER] + B_SITE]
        closed = closed_h(things, values, where, now) - values[who + T_CLOSED]
        values[who + T_CAUSE + WEATHER] += closed
        values[who + T_CAUSE + things[step + S_ARG + 2]] += waited - closed
        things[step + S_WAITED] += 1
        values[step + S_WAIT] += waited
    if things[step + S_ARG + 4] > 0:
        be(things, values, who, things[step + S_ARG + 4], HANDLED, now)
    if log.shape[0] > 0:
        write_log(counter, log, now, LOG_GRANTED, who, berth, values[who + T_UNITS])


@compiled
def serve_berths(counter: np.ndarray, things: np.ndarray, values: np.ndarray, log: np.ndarray, line: int, now: float) -> None:
    """Give free berths to those who wait, first come first served among those that fit."""
    before, who = 0, things[line + Q_HEAD]
    while who > 0:
        behind, step = things[who + T_NEXT], things[who + T_STEP]
        berth = free_berth(things, things[step + S_ARG + 1])
        if berth > 0:
            leave(things, line, before, who)
            take_berth(counter, things, values, log, who, step, berth, now)
            things[who + T_STEP] = step + WIDTH
            wake(things, who, START)
        else:
            before = who
        who = behind


@inlined
def stock(things: np.ndarray, values: np.ndarray, chosen: int) -> float:
    """Room that what lies in the stocks of a set would take aboard; endless stock is told as infinity."""
    total = 0.0
    for place in range(things[chosen + C_FIRST], things[chosen + C_LAST], WIDTH):
        pool = things[place + M_MEMBER]
        if things[pool + P_ENDLESS] == 1:
            return np.inf
        total += values[pool + P_UNITS] * values[place + M_WEIGHT]
    return total


@compiled
def new_lot(counter: np.ndarray, things: np.ndarray) -> int:
    """A lot that is free."""
    lot = counter[FREE_LOT]
    if things[lot + L_NEXT] == 0:
        counter[STATUS] = LOTS_FULL
        return int(lot)
    counter[FREE_LOT] = things[lot + L_NEXT]
    return int(lot)


@inlined
def change_ban(values: np.ndarray, ban: int, change: float, now: float) -> None:
    """Units on the way to a stock or in it have changed; the ban on loading starts above one number and ends below another."""
    values[ban + N_UNITS] += change
    if values[ban + N_ON] == 0.0 and values[ban + N_UNITS] > values[ban + N_ABOVE]:
        values[ban + N_ON], values[ban + N_MARK] = 1.0, now
    elif values[ban + N_ON] == 1.0 and values[ban + N_UNITS] <= values[ban + N_BELOW]:
        values[ban + N_ON] = 0.0
        values[ban + N_SUM] += now - values[ban + N_MARK]


@compiled
def wake_blocked(things: np.ndarray, line: int) -> None:
    """Let the first of those who wait for room in a stock try again."""
    who = things[line + Q_HEAD]
    if who > 0:
        leave(things, line, 0, who)
        wake(things, who, RESUMED)


@compiled
def take_aboard(counter: np.ndarray, things: np.ndarray, values: np.ndarray, who: int, step: int, now: float) -> None:
    """Load a ship from the stocks of its set, oldest lots first; the last lot is split where room ends."""
    chosen, room, waited = things[step + S_ARG], values[step + S_NUM], now - values[who + T_SINCE]
    values[who + T_CAUSE + FILLING] += waited
    for place in range(things[chosen + C_FIRST], things[chosen + C_LAST], WIDTH):
        pool, weight = things[place + M_MEMBER], values[place + M_WEIGHT]
        is_endless = things[pool + P_ENDLESS] == 1
        note_pool(things, values, pool, now)
        while room > 1e-9 and (is_endless or things[pool + P_HEAD] > 0):
            units = room / weight
            lot = things[pool + P_HEAD]
            if is_endless:
                lot = new_lot(counter, things)
                things[lot + L_LINE], values[lot + L_BORN] = things[pool + P_LINE], now
                note_line(values, things[pool + P_LINE], now, units)
            elif values[lot + L_UNITS] > units * (1.0 + 1e-12):
                rest = lot
                lot = new_lot(counter, things)
                things[lot + L_LINE], values[lot + L_BORN] = things[rest + L_LINE], values[rest + L_BORN]
                for cause in range(CAUSES):
                    values[lot + L_CAUSE + cause] = values[rest + L_CAUSE + cause]
                values[rest + L_UNITS] -= units
            else:
                units = values[lot + L_UNITS]
                things[pool + P_HEAD] = things[lot + L_NEXT]
            values[lot + L_UNITS] = units
            if is_endless:
                for cause in range(CAUSES):
                    values[lot + L_CAUSE + cause] = -values[who + T_CAUSE + cause]
            else:
                values[pool + P_UNITS] -= units
                for cause in range(CAUSES):
                    values[lot + L_CAUSE + cause] += values[pool + P_CAUSE + cause] - values[who + T_CAUSE + cause]
                if things[pool + P_BAN] > 0:
                    change_ban(values, things[pool + P_BAN], -units, now)
            things[lot + L_NEXT] = things[who + T_LOT]
            things[who + T_LOT] = lot
            values[who + T_UNITS] += units
            room -= units * weight
        if things[pool + P_HEAD] == 0 and not is_endless:
            values[pool + P_UNITS] = 0.0
        wake_blocked(things, things[pool + P_QUEUE])
    things[step + S_COUNT] += 1
    values[step + S_WAIT] += waited
    if waited > 0.0:
        things[step + S_WAITED] += 1
    values[step + S_UNITS] += values[step + S_NUM] - room
    if things[step + S_ARG + 1] > 0:
        be(things, values, who, things[step + S_ARG + 1], HANDLED, now)


@inlined
def serve_loaders(counter: np.ndarray, things: np.ndarray, values: np.ndarray, chosen: int, now: float) -> None:
    """Let ships that wait for goods load, first come first served, while there is enough for the first."""
    line = things[chosen + C_QUEUE]
    who = things[line + Q_HEAD]
    while who > 0 and stock(things, values, chosen) >= values[things[who + T_STEP] + S_NUM + 1]:
        leave(things, line, 0, who)
        things[chosen + C_WAITING] -= 1
        take_aboard(counter, things, values, who, things[who + T_STEP], now)
        things[who + T_STEP] += WIDTH
        wake(things, who, START)
        who = things[line + Q_HEAD]


@inlined
def put(counter: np.ndarray, things: np.ndarray, values: np.ndarray, who: int, pool: int, now: float) -> None:
    """Lay what a token brings into a stock, and end the token."""
    note_pool(things, values, pool, now)
    lot = new_lot(counter, things)
    things[lot + L_NEXT], things[lot + L_LINE] = 0, things[pool + P_LINE]
    values[lot + L_UNITS], values[lot + L_BORN] = values[who + T_UNITS], values[who + T_BORN]
    for cause in range(CAUSES):
        values[lot + L_CAUSE + cause] = values[who + T_CAUSE + cause] - values[pool + P_CAUSE + cause]
    if things[pool + P_HEAD] == 0:
        things[pool + P_HEAD] = lot
    else:
        things[things[pool + P_TAIL] + L_NEXT] = lot
    things[pool + P_TAIL] = lot
    values[pool + P_UNITS] += values[who + T_UNITS]
    end(counter, things, who)
    for place in range(things[pool + P_FIRST_SET], things[pool + P_LAST_SET], WIDTH):
        chosen = things[place + M_MEMBER]
        if things[chosen + C_WAITING] > 0:
            serve_loaders(counter, things, values, chosen, now)


@compiled
def end(counter: np.ndarray, things: np.ndarray, who: int) -> None:
    """The end of a token."""
    things[who + T_VERSION] += 1
    things[who + T_NEXT] = counter[FREE_TOKEN]
    counter[FREE_TOKEN] = who


@inlined
def new_record(counter: np.ndarray, values: np.ndarray, record: np.ndarray, now: float, line: int, units: float, born_h: float) -> int:
    """A row for goods that have arrived; -1 where none are kept."""
    note_line(values, line, now, -units)
    values[line + G_OUT] += units
    row = counter[RECORDS]
    if row >= record.shape[0]:
        if record.shape[0] > 0:
            counter[STATUS] = RECORDS_FULL
        return -1
    counter[RECORDS] = row + 1
    record[row, 0], record[row, 1], record[row, 2], record[row, 3] = now, line, units, born_h
    return int(row)


@inlined
def unload(counter: np.ndarray, things: np.ndarray, values: np.ndarray, record: np.ndarray, who: int, now: float) -> None:
    """What is aboard has arrived."""
    lot = things[who + T_LOT]
    while lot > 0:
        behind = things[lot + L_NEXT]
        row = new_record(counter, values, record, now, things[lot + L_LINE], values[lot + L_UNITS], values[lot + L_BORN])
        if row >= 0:
            for cause in range(CAUSES):
                record[row, 4 + cause] = values[lot + L_CAUSE + cause] + values[who + T_CAUSE + cause]
        things[lot + L_NEXT] = counter[FREE_LOT]
        counter[FREE_LOT] = lot
        lot = behind
    things[who + T_LOT], values[who + T_UNITS] = 0, 0.0
