"""What a simulation is made of: berths, stocks, weather and the programs that ships, trains and trucks run.

A port, border or yard is put together from these pieces; nothing of it stands in the event loop. Names of pieces and steps choose the
streams of chance, so that a piece that is added leaves the chance of the others alone.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from karvan.simulation import _kernels as kinds
from karvan.simulation import _state_kernels as k
from karvan.simulation.laws import Law, exponential, varying

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
CountArray = npt.NDArray[np.uint32]
_MONTHS = 12


@dataclass(frozen=True)
class Names:
    """What the rows of a compiled model are called.

    Attributes:
        berths, pools, sites, lines, bans: Names in the order of their arrays.
        steps: Name of each step, several may share one.
        starts: Name of each token that is there from the start.
    """

    berths: tuple[str, ...]
    pools: tuple[str, ...]
    sites: tuple[str, ...]
    lines: tuple[str, ...]
    bans: tuple[str, ...]
    steps: tuple[str, ...]
    starts: tuple[str, ...]


@dataclass(frozen=True)
class System:
    """A compiled model: every thing in it has cells in two arrays, as the event loop wants them.

    Attributes:
        things, values: The arrays before anything happens, without tokens and lots; cells as in `_state_kernels`.
        first_row: First cell of each kind of thing, and after the last.
        start: First step and stream of each token that is there from the start, shape (starts, 2).
        start_h: When it begins, and mean hours until its first repair, shape (starts, 2).
        names: What the rows are called.
    """

    things: CountArray
    values: FloatArray
    first_row: Mapping[str, tuple[int, int]]
    start: IntArray
    start_h: FloatArray
    names: Names

    def row(self, kind: str, name: str) -> int:
        """First cell of a thing by its kind - berth, pool, site, line, ban, step - and name."""
        first, _ = self.first_row[kind]
        found: int = getattr(self.names, f"{kind}s").index(name)
        return first + found * (k.W_ROWS if kind == "site" else k.WIDTH)


_REFERENCES: dict[int, tuple[str | None, ...]] = {
    kinds.DELAY: ("law",),
    kinds.SEIZE: (None, "set", None, None, "pool"),
    kinds.OPEN: ("site",),
    kinds.LOAD: ("set", "pool"),
    kinds.HANDLE: ("law", "site"),
    kinds.PUT: ("pool",),
    kinds.END: ("line",),
    kinds.JUMP: ("step",),
    kinds.SOURCE: ("law", "law", "law", "ban", "line", "step"),
    kinds.IF_DUE: ("step",),
    kinds.REPAIR: ("law", "law"),
}
"""What the arguments of each kind of step refer to."""


@dataclass
class Builder:
    """Collects pieces and steps; `build` makes a System of them. Every method returns the position of what it added."""

    _berths: list[tuple[str, int, int]] = field(default_factory=list)
    _pools: list[tuple[str, int, int, float, bool, int]] = field(default_factory=list)
    _sites: list[tuple[str, FloatArray, FloatArray, float, int, FloatArray]] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _bans: list[tuple[str, float, float]] = field(default_factory=list)
    _sets: list[tuple[tuple[int, ...], tuple[float, ...], bool]] = field(default_factory=list)
    _laws: list[Law] = field(default_factory=list)
    _steps: list[tuple[int, str, list[int], list[float]]] = field(default_factory=list)
    _starts: list[tuple[str, int, float, float]] = field(default_factory=list)

    def line(self, name: str) -> int:
        """Goods that are counted together from coming to going."""
        self._lines.append(name)
        return len(self._lines) - 1

    def site(
        self,
        name: str,
        open_h: Sequence[float],
        closed_h: Sequence[float],
        *,
        variability: float = 1.0,
        leader: int | None = None,
        follows_share: Sequence[float] = (1.0,) * _MONTHS,
    ) -> int:
        """A place that weather closes: mean hours open and closed by month, shape (12,). With a leader it closes with it, if at all, in
        so many of a hundred closures, and opens with it.
        """
        here = len(self._sites)
        arrays = (np.array(open_h, dtype=np.float64), np.array(closed_h, dtype=np.float64))
        follows = np.array(follows_share, dtype=np.float64)
        self._sites.append((name, *arrays, variability, here if leader is None else leader, follows))
        return here

    def berth(self, name: str, servers: int, *, site: int = -1) -> int:
        """Berths, ramps, cranes, tracks or crews of one kind; none is given out while its site is closed."""
        self._berths.append((name, servers, site))
        return len(self._berths) - 1

    def ban(self, name: str, above: float, below: float) -> int:
        """A ban on loading while more units than `above` are on the way or wait, until `below` are left."""
        self._bans.append((name, above, below))
        return len(self._bans) - 1

    def pool(self, name: str, line: int, *, site: int = -1, limit: float = math.inf, is_endless: bool = False, ban: int = -1) -> int:
        """A stock of goods that wait for ships."""
        self._pools.append((name, line, site, limit, is_endless, ban))
        return len(self._pools) - 1

    def choice(self, berths: Sequence[int]) -> int:
        """Berths to choose from, the best first."""
        return self._set(tuple(berths), (1.0,) * len(berths), is_stock=False)

    def stocks(self, pools: Sequence[int], room_per_unit: Sequence[float] | None = None) -> int:
        """Stocks to load from, first those that go first, and how much room a unit of each takes aboard."""
        return self._set(tuple(pools), tuple(room_per_unit or (1.0,) * len(pools)), is_stock=True)

    def _set(self, members: tuple[int, ...], weights: tuple[float, ...], *, is_stock: bool) -> int:
        found = (members, weights, is_stock)
        if found not in self._sets:
            self._sets.append(found)
        return self._sets.index(found)

    def _law(self, law: Law | None) -> int:
        if law is None:
            return -1
        self._laws.append(law)
        return len(self._laws) - 1

    def _step(self, kind: int, name: str, arg: Sequence[int] = (), num: Sequence[float] = ()) -> int:
        self._steps.append((kind, name, [*arg, *([0] * (6 - len(arg)))], [*num, *([0.0] * (5 - len(num)))]))
        return len(self._steps) - 1

    @property
    def here(self) -> int:
        """Position of the next step."""
        return len(self._steps)

    def source(
        self,
        name: str,
        line: int,
        between: Law,
        *,
        units: float | Law = 1.0,
        late: Law | None = None,
        ban: int = -1,
        bunch: int = 1,
        first_h: float = 0.0,
    ) -> int:
        """Something that sends goods: `bunch` at once every `bunch` times the time between, each late by a law. What it sends begins at
        the step after it.
        """
        amount = units if isinstance(units, Law) else None
        arg = [self._law(between), self._law(amount), self._law(late), ban, line, self.here + 1]
        self._starts.append((name, self.here, first_h, 0.0))
        return self._step(kinds.SOURCE, name, arg, [float(bunch), 1.0 if isinstance(units, Law) else units])

    def token(self, name: str, step: int, *, at_h: float = 0.0, mean_due_h: float = 0.0) -> int:
        """A ship, crew or other thing that is there from the start; its first repair is due after up to `mean_due_h`."""
        self._starts.append((name, step, at_h, mean_due_h))
        return len(self._starts) - 1

    def delay(self, name: str, law: Law | None, cause: int, *, hours_per_unit: float = 0.0, link: int = -1) -> int:
        """Takes time; with a `link` it is logged as a passage."""
        return self._step(kinds.DELAY, name, [self._law(law), cause, link + 1], [hours_per_unit])

    def seize(self, name: str, choice: int, *, cause: int = k.BERTH, slot: int = 0, pool: int = -1, is_first: bool = False) -> int:
        """Wait for a berth of a choice; meanwhile goods of `pool` wait for that too."""
        return self._step(kinds.SEIZE, name, [slot, choice, cause, int(is_first), pool])

    def release(self, *, slot: int = 0) -> int:
        """Leave the berth."""
        return self._step(kinds.RELEASE, "release", [slot])

    def open(self, site: int) -> int:
        """Wait until the weather lets a ship in or out."""
        return self._step(kinds.OPEN, "open", [site])

    def window(self, period_h: float, open_h: float, first_h: float = 0.0) -> int:
        """Wait for the hours in which the channel is open."""
        return self._step(kinds.WINDOW, "window", [], [period_h, open_h, first_h])

    def load(
        self, name: str, stocks: int, room: float, *, least: float = 0.0, wait_h: float = math.inf, timetable_h: float = 0.0,
        first_h: float = 0.0, pool: int = -1,
    ) -> int:  # fmt: skip
        """Load: as soon as `least` is there, or after `wait_h`, or at the next departure of a timetable. With more than `room` as the least
        the ship leaves by the clock alone, at the next departure that no other ship has.
        """
        return self._step(kinds.LOAD, name, [stocks, pool], [room, least, wait_h, timetable_h, first_h])

    def handle(self, name: str, law: Law | None, *, hours_per_unit: float = 0.0, site: int = -1, cause: int = k.HANDLING) -> int:
        """Load or unload, with a time per unit; held while `site` is closed."""
        return self._step(kinds.HANDLE, name, [self._law(law), site, cause], [hours_per_unit])

    def unload(self) -> int:
        """What is aboard has arrived."""
        return self._step(kinds.UNLOAD, "unload")

    def put(self, pool: int) -> int:
        """Lay goods into a stock; ends their token."""
        return self._step(kinds.PUT, "put", [pool])

    def end(self, line: int = -1) -> int:
        """The token's end; with a line its goods have arrived."""
        return self._step(kinds.END, "end", [line])

    def jump(self, step: int) -> int:
        """Go on at another step."""
        return self._step(kinds.JUMP, "jump", [step])

    def if_due(self) -> int:
        """Go on elsewhere if a repair is due; `lead` says where."""
        return self._step(kinds.IF_DUE, "if due")

    def lead(self, step: int, target: int) -> None:
        """Say where a step leads."""
        self._steps[step][2][0] = target

    def repair(self, name: str, law: Law, until_next: Law) -> int:
        """Off hire, and how long until the next time."""
        return self._step(kinds.REPAIR, name, [self._law(law), self._law(until_next)])

    def build(self) -> System:
        """The compiled model."""
        of_pool = [[place for place, found in enumerate(self._sets) if found[2] and pool in found[0]] for pool in range(len(self._pools))]
        counts = {
            "queue": 1 + len(self._berths) + len(self._sets) + len(self._sites) + len(self._pools),
            "berth": len(self._berths), "pool": len(self._pools), "site": k.W_ROWS * len(self._sites), "set": len(self._sets),
            "member": sum(len(found[0]) for found in self._sets), "pool_set": sum(len(found) for found in of_pool),
            "law": len(self._laws), "ban": len(self._bans), "line": len(self._lines), "step": len(self._steps),
        }  # fmt: skip
        ends = (k.WIDTH * np.cumsum(list(counts.values()))).tolist()
        first_row = {name: (end - k.WIDTH * count, end) for (name, count), end in zip(counts.items(), ends, strict=True)}

        def row(kind: str, place: int) -> int:
            return 0 if place < 0 else first_row[kind][0] + place * (k.W_ROWS if kind == "site" else k.WIDTH)

        things, values = np.zeros(ends[-1], dtype=np.uint32), np.zeros(ends[-1])

        def put(place: int, found: Sequence[int]) -> None:
            things[place : place + len(found)] = found

        line_of = [k.WIDTH * (1 + root) for root in _components([found[0] for found in self._sets if not found[2]], len(self._berths))]
        set_line = k.WIDTH * (1 + len(self._berths))
        site_line = set_line + k.WIDTH * len(self._sets)
        pool_line = site_line + k.WIDTH * len(self._sites)
        for place, (_, servers, site) in enumerate(self._berths):
            put(row("berth", place), (servers, row("site", site), line_of[place], servers))
        member, pool_set = first_row["member"][0], first_row["pool_set"][0]
        for place, (members, weights, is_stock) in enumerate(self._sets):
            line = set_line + place * k.WIDTH if is_stock else line_of[members[0]]
            put(row("set", place), (member, member + k.WIDTH * len(members), line))
            values[row("set", place) + k.C_SLOT] = -1e18
            for found, weight in zip(members, weights, strict=True):
                things[member + k.M_MEMBER], values[member + k.M_WEIGHT] = row("pool" if is_stock else "berth", found), weight
                member += k.WIDTH
        for place, (_, line, site, limit, is_endless, ban) in enumerate(self._pools):
            here, sets = row("pool", place), [row("set", found) for found in of_pool[place]]
            queue, last_set = pool_line + place * k.WIDTH, pool_set + k.WIDTH * len(sets)
            put(here, (row("line", line), row("site", site), is_endless, row("ban", ban), queue, 0, 0, pool_set, last_set))
            values[here + k.P_LIMIT] = limit
            things[pool_set + k.M_MEMBER : last_set : k.WIDTH] = sets
            pool_set = last_set
        for place, (name, open_h, closed_h, variability, leader, follows) in enumerate(self._sites):
            here = row("site", place)
            law = exponential(1.0) if variability == 1.0 else varying(1.0, variability)
            put(here, (row("site", leader), _stream(f"weather {name}"), site_line + place * k.WIDTH))
            things[here + k.W_KIND] = law.kind
            values[here + k.W_SCALE], values[here + k.W_SHAPE] = law.scale, law.shape
            for part, months in ((k.W_OPEN_H, open_h), (k.W_CLOSED_H, closed_h), (k.W_FOLLOWS, follows)):
                values[here + part : here + part + _MONTHS] = months
        for place, law in enumerate(self._laws):
            here = row("law", place)
            things[here + k.A_KIND], values[here + k.A_SCALE], values[here + k.A_SHAPE] = law.kind, law.scale, law.shape
        for place, (_, above, below) in enumerate(self._bans):
            values[row("ban", place) + k.N_ABOVE], values[row("ban", place) + k.N_BELOW] = above, below
        for place, (kind, name, arg, num) in enumerate(self._steps):
            here = row("step", place)
            refers = (*_REFERENCES.get(kind, ()), *([None] * len(arg)))
            things[here + k.S_KIND], things[here + k.S_STREAM] = kind, _stream(name)
            put(here + k.S_ARG, [found if what is None else row(what, found) for found, what in zip(arg, refers, strict=False)])
            values[here + k.S_NUM : here + k.S_NUM + len(num)] = num
        starts = self._starts
        return System(
            things,
            values,
            first_row,
            start=np.array([(row("step", start[1]), _stream(f"start {start[0]}")) for start in starts], dtype=np.int64).reshape(-1, 2),
            start_h=np.array([start[2:] for start in starts], dtype=np.float64).reshape(-1, 2),
            names=Names(
                berths=tuple(berth[0] for berth in self._berths),
                pools=tuple(pool[0] for pool in self._pools),
                sites=tuple(site[0] for site in self._sites),
                lines=tuple(self._lines),
                bans=tuple(ban[0] for ban in self._bans),
                steps=tuple(step[1] for step in self._steps),
                starts=tuple(start[0] for start in starts),
            ),
        )


def _stream(name: str) -> int:
    """The stream of a name; steps use it and the two that follow."""
    return zlib.crc32(name.encode("utf-8")) & 0xFFFFFFF8


def _components(groups: Sequence[tuple[int, ...]], count: int) -> list[int]:
    """Which members hang together, by the lowest member of each component: berths that somebody may choose between share a line."""
    root = list(range(count))

    def find(member: int) -> int:
        while root[member] != member:
            member = root[member]
        return member

    for group in groups:
        low = min(find(member) for member in group)
        for member in group:
            root[find(member)] = low
    return [find(member) for member in range(count)]
