"""How sure a door-to-door time is: a distribution matched to its mean and variance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True)
class TransitTime:
    """Door-to-door time as a lognormal distribution with the mean and variance of the sum of independent legs.

    A sum of legs that can be late by more than they can be early leans to the right, is never below zero, and has a longer tail than a
    gamma distribution of the same moments; for few hours of spread both are close to normal.

    Attributes:
        mean_h: Mean, hours, above zero.
        variance_h2: Variance, hours squared.

    Source:
        Fenton (1960), IRE Transactions on Communications Systems 8(1): sums of skewed times as lognormal by two moments.
    """

    mean_h: float
    variance_h2: float

    @property
    def _sigma(self) -> float:
        return math.sqrt(math.log1p(self.variance_h2 / self.mean_h**2)) if self.mean_h > 0.0 else 0.0

    @property
    def _mu(self) -> float:
        return math.log(self.mean_h) - self._sigma**2 / 2.0

    def quantile_h(self, share: float) -> float:
        """Hours that are not exceeded in this share of shipments, between 0 and 1."""
        if self._sigma == 0.0:
            return self.mean_h
        return math.exp(self._mu + self._sigma * _NORMAL.inv_cdf(share))

    def excess_h(self, hours: float) -> float:
        """Hours beyond so many that are to be expected: E[max(T - h, 0)].

        Source:
            Mean of a lognormal above a limit, as in Black (1976), Journal of Financial Economics 3.
        """
        if hours <= 0.0:
            return self.mean_h - hours
        if self._sigma == 0.0:
            return max(self.mean_h - hours, 0.0)
        above = (self._mu - math.log(hours)) / self._sigma
        return self.mean_h * _NORMAL.cdf(above + self._sigma) - hours * _NORMAL.cdf(above)

    def on_time_share(self, hours: float) -> float:
        """Share of shipments that take no longer than so many hours."""
        if hours <= 0.0:
            return 0.0
        if self._sigma == 0.0:
            return float(hours >= self.mean_h)
        return _NORMAL.cdf((math.log(hours) - self._mu) / self._sigma)
