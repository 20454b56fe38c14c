"""Portfolios valued one at a time, projects by themselves, and what ranking them one by one gives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from karvan.appraisal import PortfolioProblem
from karvan.appraisal.portfolio import NEVER, is_within

IntArray = npt.NDArray[np.int64]


class Single:
    """Portfolios valued one at a time, and projects by themselves."""

    def __init__(self, problem: PortfolioProblem) -> None:
        self.problem = problem
        self.count = len(problem.projects)
        self._alone: dict[int, tuple[float, int]] = {}

    def value(self, start: IntArray) -> float:
        """Present value of a portfolio."""
        return self.problem.plan(start).value

    def alone(self, project: int) -> tuple[float, int]:
        """What a project is worth by itself with what it requires, at its best start, and that start."""
        if project not in self._alone:
            best = (-np.inf, NEVER)
            for year in self.starts(project):
                start = self.with_needed(np.full(self.count, NEVER), project, year)
                if start is not None:
                    best = max(best, (self.value(start), -year))
            self._alone[project] = best[0], -best[1] if best[1] != NEVER else NEVER
        return self._alone[project]

    def starts(self, project: int) -> range:
        """Years in which a project may be started so as to be open within the search."""
        last = self.problem.years - self.problem.projects[project].lead_years
        return range(last if self.problem.last_start is None else min(last, self.problem.last_start + 1))

    def with_needed(self, start: IntArray, project: int, year: int) -> IntArray | None:
        """A portfolio with a project started in a year and what it requires started so as to be open by then; None if that is too late."""
        names = [item.project_id for item in self.problem.projects]
        found = start.copy()
        found[project] = year
        for other in self.problem.projects[project].requires:
            place = names.index(other)
            latest = year + self.problem.projects[project].lead_years - self.problem.projects[place].lead_years
            if found[place] == NEVER or found[place] > latest:
                if latest < 0:
                    return None
                nested = self.with_needed(found, place, latest)
                if nested is None:
                    return None
                found = nested
        return found

    def is_allowed(self, start: IntArray) -> bool:
        """Within budgets and exclusions."""
        problem = self.problem
        names = [item.project_id for item in problem.projects]
        inside = {names[j] for j in np.flatnonzero(start != NEVER)}
        if any(name in inside and other in inside for name in inside for other in problem.projects[names.index(name)].excludes):
            return False
        return is_within(problem, start)

    def ranking(self) -> IntArray:
        """What planners do: projects by what each is worth alone over its capital, each at the first start that budgets allow."""
        worth = [self.alone(project) for project in range(self.count)]
        ratio = [value / max(sum(self.problem.projects[j].spend), 1e-9) for j, (value, _) in enumerate(worth)]
        start = np.full(self.count, NEVER)
        for project in sorted(range(self.count), key=lambda j: (-ratio[j], j)):
            if worth[project][0] <= 0.0 or start[project] != NEVER:
                continue
            for year in self.starts(project):
                tried = self.with_needed(start, project, year)
                if tried is not None and self.is_allowed(tried):
                    start = tried
                    break
        return start
