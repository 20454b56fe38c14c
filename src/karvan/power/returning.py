"""A dispatch that starts every later solve from where its first one ended."""

from __future__ import annotations

from karvan.network import PowerSystem
from karvan.power.program import Dispatcher, Solved
from karvan.power.solver import basis_of, set_basis


class ReturningDispatcher(Dispatcher):
    """A dispatch of many designs whose digits do not depend on which was solved before which.

    Where several answers are equally good, a solver gives the one that is nearest to where it stood; here it always stands where the first
    dispatch ended.

    Args:
        system: What is dispatched first.
        stand: Where the first dispatch of an earlier one of the same systems ended; this one goes on in its place.
    """

    def __init__(self, system: PowerSystem, stand: tuple[bytes, bytes] | None = None) -> None:
        super().__init__(system)
        self._first = stand
        self._is_fresh = stand is None

    @property
    def stand(self) -> tuple[bytes, bytes] | None:
        """Where the first dispatch ended: a byte for each column and row; None before it."""
        return self._first

    def solve(self) -> Solved:
        """Least cost of all hours; see `Dispatcher.solve`."""
        if self._first is not None and not self._is_fresh:
            set_basis(self._solver, *self._first)
        found = super().solve()
        if self._first is None:
            self._first = basis_of(self._solver)
        return found
