"""A dispatch that starts every later solve from where its first one ended, and room for one of them."""

from __future__ import annotations

from threading import Lock

from karvan.network import PowerSystem
from karvan.power.dispatcher import Dispatcher, Solved, Stand


class ReturningDispatcher(Dispatcher):
    """A dispatch of many designs whose digits do not depend on which was solved before which.

    Where several answers are equally good, a solver gives the one that is nearest to where it stood; here it always stands where the first
    dispatch ended.

    Args:
        system: What is dispatched first.
        stand: Where the first dispatch of an earlier one of the same systems ended; this one goes on in its place.
    """

    def __init__(self, system: PowerSystem, stand: Stand | None = None) -> None:
        super().__init__(system)
        self._first = stand
        self._is_fresh = stand is None

    @property
    def stand(self) -> Stand | None:
        """Where the first dispatch ended; None before it."""
        return self._first

    def solve(self, near: Stand | None = None) -> Solved:
        """Least cost of all hours; see `Dispatcher.solve`.

        Args:
            near: Where to start from; by default where the first dispatch ended.
        """
        start = near or self._first
        if start is not None and not self._is_fresh:
            self._return_to(start)
        found = super().solve()
        if self._first is None:
            self._first = self.stand_now()
        return found


class OneDispatcher:
    """Room for one dispatcher, which takes more than a gigabyte: that of one year is let go before that of another is made.

    Where the first dispatch of a year ended is kept, so that the year goes on from there when it comes back, with the same digits.
    """

    def __init__(self) -> None:
        self.guard = Lock()
        self._year: int | None = None
        self._dispatcher: ReturningDispatcher | None = None
        self._stands: dict[int, Stand] = {}

    def of(self, year: int, everything: PowerSystem) -> ReturningDispatcher:
        """The dispatcher of a year, which stands where the first dispatch of everything ended; to be called with the guard held."""
        if self._dispatcher is None or self._year != year:
            self._dispatcher, self._year = None, year
            self._dispatcher = ReturningDispatcher(everything, self._stands.get(year))
            if year not in self._stands:
                self._dispatcher.solve()
                stand = self._dispatcher.stand
                assert stand is not None  # it has been solved
                self._stands[year] = stand
        return self._dispatcher
