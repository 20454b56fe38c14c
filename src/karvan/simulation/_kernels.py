"""The compiled event loop: tokens - ships, trains, trucks - that run programs of steps.

Arrays in, arrays and a status out. A token runs until it must wait; then another does. Each hour of a token is booked under a cause, so
that the causes of whatever is carried add up to its time under way.
"""

from __future__ import annotations

import numpy as np

import karvan.simulation._state_kernels as k
from karvan.simulation._random_kernels import EXPONENTIAL, compiled, draw, inlined, uniform
from karvan.simulation._state_kernels import (
    World,
    be,
    change_ban,
    closed_h,
    end,
    free_berth,
    join,
    join_first,
    leave,
    log_stocks,
    new_record,
    note_berth,
    note_line,
    note_pool,
    pop,
    push,
    put,
    replace_first,
    serve_berths,
    stock,
    take_aboard,
    take_berth,
    ticket,
    unload,
    wake,
    wake_blocked,
    write_log,
)

DELAY, SEIZE, RELEASE, OPEN, WINDOW, LOAD, HANDLE, UNLOAD, PUT, END, JUMP, SOURCE, IF_DUE, REPAIR = range(14)
"""Kinds of step; what each reads of its arguments and numbers stands where it is done."""
HOURS_A_YEAR = 8760.0
_MONTH_STARTS = np.array([0.0, 744.0, 1416.0, 2160.0, 2880.0, 3624.0, 4344.0, 5088.0, 5832.0, 6552.0, 7296.0, 8016.0, 8760.0])
_NEVER_H = 1e6


@compiled
def month_at(time_h: float) -> int:
    """Month of an hour counted from New Year, 0 to 11; every year has 8,760 hours."""
    hour = time_h % HOURS_A_YEAR
    month = 0
    while hour >= _MONTH_STARTS[month + 1]:
        month += 1
    return month


@compiled
def ahead(now: float, amount: float, values: np.ndarray, row: int) -> float:
    """When a wait ends that takes `amount` times the mean of each month it passes through; of infinite means, infinity.

    Args:
        now: Its first hour.
        amount: Of a law with mean 1.
        values: Holds the means.
        row: Where, January first.
    """
    time_h = now
    while time_h - now < _NEVER_H:
        month = month_at(time_h)
        mean = values[row + month]
        left = _MONTH_STARTS[month + 1] - time_h % HOURS_A_YEAR
        if mean < np.inf:
            if amount * mean <= left:
                return float(time_h + amount * mean)
            amount -= left / mean
        time_h += left
    return np.inf


@compiled
def _book_closed(values: np.ndarray, where: int, now: float) -> None:
    """Book the hours of a closure, by month."""
    since = values[where + k.W_MARK]
    values[where + k.W_SUM] += now - since
    values[where + k.W_MARK] = now
    while since < now:
        month = month_at(since)
        until = min(now, since + _MONTH_STARTS[month + 1] - since % HOURS_A_YEAR)
        values[where + k.W_MONTH + month] += until - since
        since = until


@compiled
def _turn(w: World, where: int, now: float) -> None:
    """Close or open a port: hold or go on with what is handled there, and let ships in again."""
    counter, things, values = w.counter, w.things, w.values
    for pool in range(counter[k.POOLS], counter[k.POOLS + 1], k.WIDTH):
        if things[pool + k.P_SITE] == where:
            note_pool(things, values, pool, now)
    is_closed = things[where + k.W_CLOSED] == 0
    if is_closed:
        values[where + k.W_MARK] = now
    else:
        _book_closed(values, where, now)
    things[where + k.W_CLOSED] = 1 if is_closed else 0
    write_log(counter, w.log, now, k.LOG_CLOSED if is_closed else k.LOG_OPENED, where, 0, 0.0)
    for who in range(counter[k.TOKENS], counter[k.HIGH], k.WIDTH):
        if things[who + k.T_SITE] == where:
            if is_closed:
                values[who + k.T_END] -= now
                things[who + k.T_VERSION] += 1
            else:
                values[who + k.T_END] += now
                push(counter, w.heap_h, w.heap, values[who + k.T_END], ticket(things, who))
    if not is_closed:
        line = things[where + k.W_QUEUE]
        who = things[line + k.Q_HEAD]
        while who > 0:
            leave(things, line, 0, who)
            values[who + k.T_CAUSE + k.WEATHER] += now - values[who + k.T_SINCE]
            things[who + k.T_STEP] += k.WIDTH
            wake(things, who, k.START)
            who = things[line + k.Q_HEAD]
        for berth in range(counter[k.BERTHS], counter[k.BERTHS + 1], k.WIDTH):
            if things[berth + k.B_SITE] == where:
                serve_berths(counter, things, values, w.log, things[berth + k.B_QUEUE], now)


@compiled
def _next_turn(w: World, where: int, now: float, key: int) -> None:
    """Set when the weather at a site turns next."""
    things, values = w.things, w.values
    if things[where + k.W_CLOSED] == 1:
        kind, scale, shape = things[where + k.W_KIND], values[where + k.W_SCALE], values[where + k.W_SHAPE]
        amount = draw(kind, scale, shape, things[where + k.W_STREAM], key, things, where + k.W_DRAWS)
        until = ahead(now, amount, values, where + k.W_CLOSED_H)
    else:
        amount = draw(EXPONENTIAL, 1.0, 0.0, things[where + k.W_STREAM], key, things, where + k.W_DRAWS)
        until = ahead(now, amount, values, where + k.W_OPEN_H)
    if until < np.inf:
        push(w.counter, w.heap_h, w.heap, until, -int(np.int64(where)))


@compiled
def _change_weather(w: World, where: int, now: float, key: int) -> None:
    """The weather at a site turns, and at those that follow it; the next turn is set."""
    things = w.things
    is_closing = things[where + k.W_CLOSED] == 0
    _turn(w, where, now)
    for other in range(w.counter[k.SITES], w.counter[k.SITES + 1], k.W_ROWS):
        if things[other + k.W_LEADER] == where and other != where:
            if is_closing:
                lot = uniform(things[other + k.W_STREAM], key, things, other + k.W_DRAWS)
                if lot < w.values[other + k.W_FOLLOWS + month_at(now)]:
                    _turn(w, other, now)
            elif things[other + k.W_CLOSED] == 1:
                _turn(w, other, now)
    _next_turn(w, where, now, key)


@inlined
def _hours(things: np.ndarray, values: np.ndarray, law: int, step: int, part: int, key: int) -> float:
    """A duration of a law, from the stream of a step."""
    if law == 0:
        return 0.0
    stream = things[step + k.S_STREAM] + part
    return draw(things[law + k.A_KIND], values[law + k.A_SCALE], values[law + k.A_SHAPE], stream, key, things, step + k.S_DRAWS + part)


@compiled
def _send(
    counter: np.ndarray, things: np.ndarray, values: np.ndarray, heap_h: np.ndarray, heap: np.ndarray, step: int, now: float, key: int
) -> None:
    """Send off what a source sends now.

    Arguments: law of the time between arrivals, of units (or the second number), of the delay, ban, line, first step; numbers:
    how many come at once, units.
    """
    ban, line = things[step + k.S_ARG + 3], things[step + k.S_ARG + 4]
    for _ in range(int(values[step + k.S_NUM])):
        units = values[step + k.S_NUM + 1]
        if things[step + k.S_ARG + 1] > 0:
            units = _hours(things, values, things[step + k.S_ARG + 1], step, 1, key)
        late = _hours(things, values, things[step + k.S_ARG + 2], step, 2, key)
        if ban > 0:
            if values[ban + k.N_ON] == 1.0:
                values[ban + k.N_REFUSED] += units
                continue
            change_ban(values, ban, units, now)
        who = counter[k.FREE_TOKEN]
        if things[who + k.T_NEXT] == 0:
            counter[k.STATUS] = k.TOKENS_FULL
            return
        counter[k.FREE_TOKEN] = things[who + k.T_NEXT]
        counter[k.HIGH] = max(counter[k.HIGH], who + k.WIDTH)
        things[who + k.T_STEP], things[who + k.T_PHASE], things[who + k.T_POOL] = things[step + k.S_ARG + 5], k.NEWBORN, line
        things[who + k.T_PRESENCE], things[who + k.T_SITE], things[who + k.T_LOT] = k.ELSEWHERE, 0, 0
        values[who + k.T_UNITS], values[who + k.T_BORN] = units, now + late
        for cause in range(k.CAUSES):
            values[who + k.T_CAUSE + cause] = 0.0
        if late > 0.0:
            push(counter, heap_h, heap, now + late, ticket(things, who))
        else:
            wake(things, who, k.NEWBORN)


@compiled
def _forget(w: World, now: float) -> None:
    """Begin to count."""
    counter, things, values = w.counter, w.things, w.values
    for berth in range(counter[k.BERTHS], counter[k.BERTHS + 1], k.WIDTH):
        note_berth(things, values, berth, now)
        values[berth + k.B_BUSY] = 0.0
    for where in range(counter[k.SITES], counter[k.SITES + 1], k.W_ROWS):
        if things[where + k.W_CLOSED] == 1:
            _book_closed(values, where, now)
        for month in range(12):
            values[where + k.W_MONTH + month] = 0.0
    for ban in range(counter[k.BANS], counter[k.BANS + 1], k.WIDTH):
        values[ban + k.N_MARK], values[ban + k.N_SUM], values[ban + k.N_REFUSED] = now, 0.0, 0.0
    for line in range(counter[k.LINES], counter[k.LINES + 1], k.WIDTH):
        values[line + k.G_OUT] = 0.0
    for step in range(counter[k.PROGRAM], counter[k.PROGRAM + 1], k.WIDTH):
        things[step + k.S_COUNT], things[step + k.S_WAITED] = 0, 0
        values[step + k.S_WAIT], values[step + k.S_UNITS] = 0.0, 0.0
    for place in range(w.base_h.shape[0]):
        for cause in range(k.CAUSES):
            w.base_h[place, cause] = values[counter[k.TOKENS] + place * k.WIDTH + k.T_CAUSE + cause]
    counter[k.RECORDS] = 0
    counter[k.LOGGED] = 0


@compiled
def _begin(w: World, key: int) -> None:
    """Set the first turns of the weather and the tokens that are there from the start."""
    counter, things = w.counter, w.things
    for where in range(counter[k.SITES], counter[k.SITES + 1], k.W_ROWS):
        if things[where + k.W_LEADER] == where:
            _next_turn(w, where, 0.0, key)
    for place in range(w.start.shape[0]):
        who = counter[k.TOKENS] + place * k.WIDTH
        things[who + k.T_STEP] = w.start[place, 0]
        w.values[who + k.T_DUE] = np.inf
        if w.start_h[place, 1] > 0.0:
            first, second = uniform(w.start[place, 1], key, things, who + k.T_PHASE), w.start_h[place, 1]
            things[who + k.T_PHASE] = k.START
            w.values[who + k.T_DUE] = first * second
        push(counter, w.heap_h, w.heap, w.start_h[place, 0], who)


@compiled
def _finish(w: World, end_h: float) -> None:
    """Book what is still under way at the end."""
    counter, things, values = w.counter, w.things, w.values
    for berth in range(counter[k.BERTHS], counter[k.BERTHS + 1], k.WIDTH):
        note_berth(things, values, berth, end_h)
    for where in range(counter[k.SITES], counter[k.SITES + 1], k.W_ROWS):
        if things[where + k.W_CLOSED] == 1:
            _book_closed(values, where, end_h)
    for ban in range(counter[k.BANS], counter[k.BANS + 1], k.WIDTH):
        if values[ban + k.N_ON] == 1.0:
            values[ban + k.N_SUM] += end_h - values[ban + k.N_MARK]


@compiled
def run(w: World, key: int, end_h: float, warm_h: float, sample_h: float) -> int:
    """Run a model from hour 0 to `end_h`; statistics but `series` count from `warm_h`, records and log too.

    Args:
        w: The model, with nothing under way; `series` has a column for each sample.
        key: Of the streams of chance.
        end_h: Last hour.
        warm_h: Hour from which is counted.
        sample_h: Hours between samples of what is inside each line; the mean over them is kept.

    Returns:
        DONE, or which array was too short.
    """
    counter, things, values, heap_h, heap, record, log = w.counter, w.things, w.values, w.heap_h, w.heap, w.record, w.log
    first_line, lines, samples = counter[k.LINES], w.series.shape[0], w.series.shape[1]
    is_logged = log.shape[0] > 0
    _begin(w, key)
    now, tick, sample, is_warm, is_taken, events, steps = 0.0, sample_h, 0, False, False, 0, 0
    while counter[k.STATUS] == k.DONE:
        who = things[k.READY + k.Q_HEAD]
        if who > 0:
            leave(things, k.READY, 0, who)
        else:
            if is_taken:  # the event that is done still stands first, unless another has taken its place
                pop(counter, heap_h, heap)
                is_taken = False
            now = heap_h[0] if counter[k.HEAP] > 0 else np.inf
            if now >= tick or (not is_warm and now >= warm_h):
                while now >= tick and sample < samples:
                    for line in range(lines):
                        note_line(values, first_line + line * k.WIDTH, tick, 0.0)
                        inside = values[first_line + line * k.WIDTH + k.G_INTEGRAL]
                        w.series[line, sample] = (inside - values[first_line + line * k.WIDTH + k.G_TICK]) / sample_h
                        values[first_line + line * k.WIDTH + k.G_TICK] = inside
                    sample += 1
                    tick += sample_h
                if not is_warm and now >= warm_h:
                    is_warm = True
                    _forget(w, warm_h)
            if now > end_h:
                break
            load, is_taken = heap[1], True
            if load < 0:
                events += 1
                _change_weather(w, -load, now, key)
                continue
            who = load & k.TOKEN_MASK
            if load >> k.TOKEN_BITS != things[who + k.T_VERSION]:
                continue
            events += 1
        here, phase, wait_h = things[who + k.T_STEP], things[who + k.T_PHASE], -1.0
        things[who + k.T_PHASE] = k.START
        if phase == k.NEWBORN:
            note_line(values, things[who + k.T_POOL], now, values[who + k.T_UNITS])
            phase = k.START
        while True:
            kind, first = things[here + k.S_KIND], things[here + k.S_ARG]
            steps += 1
            if kind == DELAY:  # arguments: law, cause, link to log; numbers: hours a unit
                if phase == k.START:
                    wait_h = _hours(things, values, first, here, 0, key) + values[here + k.S_NUM] * values[who + k.T_UNITS]
                    if is_logged and things[here + k.S_ARG + 2] > 0:
                        write_log(counter, log, now, k.LOG_SAILED, who, things[here + k.S_ARG + 2] - 1, values[who + k.T_UNITS])
                    if wait_h > 0.0:
                        break
                else:
                    values[who + k.T_CAUSE + things[here + k.S_ARG + 1]] += now - values[who + k.T_SINCE]
                if is_logged and things[here + k.S_ARG + 2] > 0:
                    write_log(counter, log, now, k.LOG_ARRIVED, who, things[here + k.S_ARG + 2] - 1, values[who + k.T_UNITS])
            elif kind == SEIZE:  # arguments: slot, set of berths, cause, 1: before all others, stock whose goods wait
                values[who + k.T_SINCE] = now
                chosen = things[here + k.S_ARG + 1]
                berth = free_berth(things, chosen)
                if berth == 0:
                    where = things[things[things[chosen + k.C_FIRST] + k.M_MEMBER] + k.B_SITE]
                    values[who + k.T_CLOSED] = closed_h(things, values, where, now)
                    if things[here + k.S_ARG + 4] > 0:
                        be(things, values, who, things[here + k.S_ARG + 4], k.QUEUED, now)
                    if things[here + k.S_ARG + 3] == 1:
                        join_first(things, things[chosen + k.C_QUEUE], who)
                    else:
                        join(things, things[chosen + k.C_QUEUE], who)
                    things[who + k.T_STEP], wait_h = here, 0.0
                    if is_logged:
                        write_log(
                            counter, log, now, k.LOG_WAITS, who, things[things[chosen + k.C_FIRST] + k.M_MEMBER], values[who + k.T_UNITS]
                        )
                    break
                take_berth(counter, things, values, log, who, here, berth, now)
            elif kind == RELEASE:  # arguments: slot
                berth = things[who + k.T_HELD + first]
                note_berth(things, values, berth, now)
                things[berth + k.B_FREE] += 1
                if first == 0 and things[who + k.T_PRESENCE] != k.ELSEWHERE:
                    be(things, values, who, 0, k.ELSEWHERE, now)
                if is_logged:
                    write_log(counter, log, now, k.LOG_RELEASED, who, berth, values[who + k.T_UNITS])
                if things[things[berth + k.B_QUEUE] + k.Q_HEAD] > 0:
                    serve_berths(counter, things, values, log, things[berth + k.B_QUEUE], now)
            elif kind == OPEN:  # arguments: site
                if things[first + k.W_CLOSED] == 1:
                    values[who + k.T_SINCE], things[who + k.T_STEP], wait_h = now, here, 0.0
                    join(things, things[first + k.W_QUEUE], who)
                    if is_logged:
                        write_log(counter, log, now, k.LOG_HELD, who, first, values[who + k.T_UNITS])
                    break
            elif kind == WINDOW:  # numbers: period, hours open in it, first opening
                if phase == k.START:
                    place = (now - values[here + k.S_NUM + 2]) % values[here + k.S_NUM]
                    if place > values[here + k.S_NUM + 1]:
                        wait_h = values[here + k.S_NUM] - place
                        break
                else:
                    values[who + k.T_CAUSE + k.CHANNEL] += now - values[who + k.T_SINCE]
            elif kind == LOAD:  # arguments: set of stocks, stock whose goods wait
                # numbers: room, least stock (infinite: it does not leave early), longest wait, period of a timetable, first departure
                period, least = values[here + k.S_NUM + 3], values[here + k.S_NUM + 1]
                leaves_early = least < np.inf
                if phase == k.START:
                    values[who + k.T_SINCE] = now
                    longest = values[here + k.S_NUM + 2]
                    if period > 0.0:
                        coming = now + (values[here + k.S_NUM + 4] - now) % period
                        if not leaves_early:
                            coming = max(coming, values[first + k.C_SLOT] + period)
                            values[first + k.C_SLOT] = coming
                        longest = coming - now
                    if longest > 0.0 and (not leaves_early or stock(things, values, first) < least):
                        if things[here + k.S_ARG + 1] > 0:
                            be(things, values, who, things[here + k.S_ARG + 1], k.FILLED, now)
                        if leaves_early:
                            join(things, things[first + k.C_QUEUE], who)
                            things[first + k.C_WAITING] += 1
                        things[who + k.T_STEP], wait_h = here, 0.0
                        if longest < np.inf:
                            wait_h = longest
                        if is_logged:
                            write_log(counter, log, now, k.LOG_FILLS, who, -1, values[who + k.T_UNITS])
                        break
                elif leaves_early:
                    before, other = 0, things[things[first + k.C_QUEUE] + k.Q_HEAD]
                    while other != who:
                        before, other = other, things[other + k.T_NEXT]
                    leave(things, things[first + k.C_QUEUE], before, who)
                    things[first + k.C_WAITING] -= 1
                take_aboard(counter, things, values, who, here, now)
                if is_logged:
                    log_stocks(counter, things, values, log, first, now)
            elif kind == HANDLE:  # arguments: law, site whose closing holds it, cause; numbers: hours a unit
                if phase == k.START:
                    hours = _hours(things, values, first, here, 0, key) + values[here + k.S_NUM] * values[who + k.T_UNITS]
                    if hours > 0.0:
                        where = things[here + k.S_ARG + 1]
                        values[who + k.T_PLAN], things[who + k.T_SITE] = hours, where
                        if where > 0 and things[where + k.W_CLOSED] == 1:
                            values[who + k.T_END], values[who + k.T_SINCE] = hours, now
                            things[who + k.T_STEP], things[who + k.T_PHASE], wait_h = here, k.RESUMED, 0.0
                        else:
                            values[who + k.T_END], wait_h = now + hours, hours
                        break
                else:
                    things[who + k.T_SITE] = 0
                    things[here + k.S_COUNT] += 1
                    values[here + k.S_WAIT] += values[who + k.T_PLAN]
                    values[who + k.T_CAUSE + things[here + k.S_ARG + 2]] += values[who + k.T_PLAN]
                    values[who + k.T_CAUSE + k.WEATHER] += max(0.0, now - values[who + k.T_SINCE] - values[who + k.T_PLAN])
            elif kind == UNLOAD:
                unload(counter, things, values, record, who, now)
            elif kind == PUT:  # arguments: stock
                line = things[first + k.P_QUEUE]
                if phase == k.RESUMED:
                    values[who + k.T_CAUSE + k.STORAGE] += now - values[who + k.T_SINCE]
                units, wait_h = values[first + k.P_UNITS], 0.0
                is_full = units > 0.0 and units + values[who + k.T_UNITS] > values[first + k.P_LIMIT]
                if is_full or (phase == k.START and things[line + k.Q_HEAD] > 0):
                    values[who + k.T_SINCE], things[who + k.T_STEP] = now, here
                    if phase == k.RESUMED:
                        join_first(things, line, who)
                    else:
                        join(things, line, who)
                    break
                put(counter, things, values, who, first, now)
                if is_logged:
                    write_log(counter, log, now, k.LOG_STOCK, -1, first, values[first + k.P_UNITS])
                    for place in range(things[first + k.P_FIRST_SET], things[first + k.P_LAST_SET], k.WIDTH):
                        log_stocks(counter, things, values, log, things[place + k.M_MEMBER], now)
                if phase == k.RESUMED:
                    wake_blocked(things, line)
                break
            elif kind == END:  # arguments: line or none
                if first > 0:
                    row = new_record(counter, values, record, now, first, values[who + k.T_UNITS], values[who + k.T_BORN])
                    if row >= 0:
                        for cause in range(k.CAUSES):
                            record[row, 4 + cause] = values[who + k.T_CAUSE + cause]
                end(counter, things, who)
                wait_h = 0.0
                break
            elif kind == SOURCE:
                _send(counter, things, values, heap_h, heap, here, now, key)
                wait_h = _hours(things, values, first, here, 0, key) * values[here + k.S_NUM]
                break
            elif kind == JUMP:  # arguments: step
                here = first - k.WIDTH
            elif kind == IF_DUE:  # arguments: step where repair begins
                if now >= values[who + k.T_DUE]:
                    here = first - k.WIDTH
            elif kind == REPAIR:  # arguments: law of the repair, law of the time until the next
                if phase == k.START:
                    wait_h = _hours(things, values, first, here, 0, key)
                    if is_logged:
                        write_log(counter, log, now, k.LOG_OFF, who, -1, values[who + k.T_UNITS])
                    break
                values[who + k.T_CAUSE + k.REPAIRING] += now - values[who + k.T_SINCE]
                values[who + k.T_DUE] = now + _hours(things, values, things[here + k.S_ARG + 1], here, 1, key)
            here, phase = here + k.WIDTH, k.START
        if wait_h > 0.0:
            things[who + k.T_STEP] = here
            if kind != SOURCE:
                values[who + k.T_SINCE], things[who + k.T_PHASE] = now, k.RESUMED
            if is_taken:
                replace_first(counter, heap_h, heap, now + wait_h, ticket(things, who))
                is_taken = False
            else:
                push(counter, heap_h, heap, now + wait_h, ticket(things, who))
    counter[k.EVENTS], counter[k.STEPS] = events, steps
    _finish(w, end_h)
    return int(counter[k.STATUS])
