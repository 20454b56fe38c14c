"""Work that is quick and known: every future has a number that follows from its own."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from karvan.ensembles.engine import client_of, work_off
from karvan.ensembles.store import FutureStore

COLUMNS = {"future": pl.Int64(), "plan": pl.String(), "status": pl.String(), "answer": pl.Float64()}
FAILS = 7


def answer(index: int) -> float:
    """Drawn from a stream of its own."""
    return float(np.random.default_rng([3, index]).standard_normal())


@dataclass(frozen=True)
class Toy:
    """Each future takes some seconds; one of them fails and says so."""

    seconds: float = 0.0

    @property
    def id(self) -> str:
        return f"toy-{self.seconds}"

    def parts(self) -> list[int]:
        return [1, 2] if self.seconds == 0.0 else []

    def prepared(self) -> Ready:
        return Ready(self.seconds)


@dataclass
class Ready:
    """A worker ready for toys."""

    seconds: float
    made: int = 0

    def make(self, part: int) -> None:
        self.made += part

    def outcomes(self, index: int) -> list[dict[str, Any]]:
        time.sleep(self.seconds)
        if index == FAILS:
            return [{"future": index, "plan": "a", "status": "did not converge", "answer": None}]
        return [{"future": index, "plan": "a", "status": "ok", "answer": answer(index)}]


def store_in(folder: Path) -> FutureStore:
    """An open folder of toy futures."""
    store = FutureStore(folder, COLUMNS)
    store.open("toy", {})
    return store


def expected(count: int) -> list[tuple[int, float | None]]:
    """What so many futures give."""
    return [(index, None if index == FAILS else answer(index)) for index in range(count)]


def kept(store: FutureStore, count: int) -> list[tuple[int, float | None]]:
    """What is kept, in order; each future must be there once."""
    frame = store.scan().filter(pl.col("future") < count).collect().sort("future")
    return list(zip(frame["future"].to_list(), frame["answer"].to_list(), strict=True))


if __name__ == "__main__":
    folder, address = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    with client_of(address, 1) as client:
        work_off(Toy(0.02), range(400), store_in(folder), client, total=400)
