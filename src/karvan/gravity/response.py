"""Trade response by exact hat algebra: what changes, in factors, when delivered prices change by factors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.optimize

from karvan.errors import ConvergenceError, DataError, Problem

FloatArray = npt.NDArray[np.float64]

_SHARE_TOLERANCE = 1e-9
_BALANCE_TOLERANCE = 1e-10
_MOST_ROUNDS = 50


@dataclass(frozen=True)
class TradeBase:
    """Who buys what from whom, before anything changes.

    Attributes:
        share: Part of what a country spends on goods of a sector that it spends on those of a seller, its own among them, shape (sectors,
            sellers, buyers); sums over sellers are 1.
        spending_share: Part of a country's spending that goes to a sector, shape (sectors, buyers); sums over sectors are 1.
        output_musd: Value of what each country makes, shape (countries,).
        deficit_musd: What each country spends beyond that, shape (countries,); they add up to zero.
        elasticity: By what per cent trade falls when delivered prices rise by one per cent, shape (sectors,).
    """

    share: FloatArray
    spending_share: FloatArray
    output_musd: FloatArray
    deficit_musd: FloatArray
    elasticity: FloatArray

    @property
    def trade_musd(self) -> FloatArray:
        """What each buyer spends on goods of each seller, shape (sectors, sellers, buyers)."""
        found: FloatArray = self.share * (self.spending_share * (self.output_musd + self.deficit_musd))[:, None, :]
        return found


@dataclass(frozen=True)
class TradeAnswer:
    """By what factors things change; money is counted so that the world's income stays the same.

    Attributes:
        base: What it was.
        delivered_price: Given change of delivered prices beside wages, shape (sectors, sellers, buyers).
        share: Shares after the change, shape (sectors, sellers, buyers).
        wage: shape (countries,).
        price: Price of what a country buys, shape (countries,).
        trade: Value of trade, 1 where there was none, shape (sectors, sellers, buyers).
    """

    base: TradeBase
    delivered_price: FloatArray
    share: FloatArray
    wage: FloatArray
    price: FloatArray
    trade: FloatArray

    @property
    def real_income(self) -> FloatArray:
        """What a wage buys, shape (countries,)."""
        found: FloatArray = self.wage / self.price
        return found

    @property
    def tonnes(self) -> FloatArray:
        """Tonnes delivered: value over what a tonne costs at the buyer's door, shape (sectors, sellers, buyers)."""
        found: FloatArray = self.trade / (self.wage[None, :, None] * self.delivered_price)
        return found


def balanced_base(share: FloatArray, *, elasticity: float) -> TradeBase:
    """One sector without deficits, with the outputs that these shares call for and that add up to 1 M USD.

    Args:
        share: Part of a buyer's spending by seller, shape (sellers, buyers).
        elasticity: Trade elasticity.
    """
    values, vectors = np.linalg.eig(np.asarray(share, dtype=np.float64))
    output = np.real(vectors[:, int(np.argmin(np.abs(values - 1.0)))])
    count = output.shape[0]
    return TradeBase(
        share=np.asarray(share, dtype=np.float64)[None],
        spending_share=np.ones((1, count)),
        output_musd=output / output.sum(),
        deficit_musd=np.zeros(count),
        elasticity=np.array([elasticity]),
    )


def delivered_price_factor(price_usd_per_t: FloatArray, before_usd_per_t: FloatArray, after_usd_per_t: FloatArray) -> FloatArray:
    """Factor on delivered prices when carrying goods costs `after` in place of `before`: (p + C') / (p + C).

    Costs are those of the whole market over all its route families: those of one route would count goods that change routes as new trade.
    """
    found: FloatArray = (price_usd_per_t + after_usd_per_t) / (price_usd_per_t + before_usd_per_t)
    return found


def respond(base: TradeBase, delivered_price: FloatArray) -> TradeAnswer:
    """What changes when delivered prices change: wages, prices and trade at which every country sells what it makes.

    Args:
        base: Who buys what from whom.
        delivered_price: Factors, infinite where trade ends, shape (sectors, sellers, buyers).

    Raises:
        DataError: Shares or deficits do not add up, or a factor is not above zero.
        ConvergenceError: No wages were found.

    Source:
        Dekle, Eaton & Kortum (2008), Global rebalancing with gravity, IMF Staff Papers 55(3); Costinot & Rodriguez-Clare (2014), Trade
        theory with numbers, Handbook of International Economics 4.
    """
    change = np.asarray(delivered_price, dtype=np.float64)
    _check(base, change)
    count, spending = base.output_musd.shape[0], base.spending_share
    power = -base.elasticity[:, None, None]

    def shares(wage: FloatArray) -> tuple[FloatArray, FloatArray]:
        weight = base.share * (wage[None, :, None] * change) ** power
        total = weight.sum(axis=1)
        return weight / total[:, None, :], total

    def unsold(log_wage: FloatArray) -> FloatArray:
        wage = np.exp(np.append(log_wage, 0.0))
        wage *= base.output_musd.sum() / float((wage * base.output_musd).sum())
        bought = spending * (wage * base.output_musd + base.deficit_musd)
        sold = (shares(wage)[0] * bought[:, None, :]).sum(axis=(0, 2))
        return np.asarray((sold / (wage * base.output_musd) - 1.0)[:-1], dtype=np.float64)

    found = scipy.optimize.root(unsold, np.zeros(count - 1), method="hybr", tol=1e-14) if count > 1 else None
    wage = np.ones(count) if found is None else np.exp(np.append(found.x, 0.0))
    wage *= base.output_musd.sum() / float((wage * base.output_musd).sum())
    left = 0.0 if found is None else float(np.abs(unsold(found.x)).max())
    if not left <= _BALANCE_TOLERANCE:
        message = f"{left:.2e} of some output is left unsold at the best wages found, at most {_BALANCE_TOLERANCE:.0e} may be"
        raise ConvergenceError(message, best=wage)
    share, total = shares(wage)
    price = np.exp((spending * np.log(total) / -base.elasticity[:, None]).sum(axis=0))
    income = (wage * base.output_musd + base.deficit_musd) / (base.output_musd + base.deficit_musd)
    trade = np.divide(share, base.share, out=np.ones_like(share), where=base.share > 0.0) * income
    return TradeAnswer(base, change, share, wage, price, trade)


def demand_shifters(tonnes: FloatArray, delivered_price: FloatArray, elasticity: FloatArray) -> FloatArray:
    """Factor on each market's demand that brings it to the tonnes of the trade response.

    A market's own demand answers to its delivered price alone, by the elasticity of trade plus one; the rest of what trade does,
    through wages and through what others sell, comes in by the factor: A = tonnes / (p'/p)^-(elasticity + 1).

    Args:
        tonnes: Factor on delivered tonnes.
        delivered_price: Factor on delivered prices.
        elasticity: Trade elasticity; all three of one shape.
    """
    found: FloatArray = tonnes * delivered_price ** (elasticity + 1.0)
    return found


def settle_trade(
    market: Callable[[FloatArray], FloatArray], response: Callable[[FloatArray], FloatArray], count: int, *, tolerance: float
) -> tuple[FloatArray, int]:
    """Let market and trade answer each other until neither moves.

    Args:
        market: Delivered price factors of markets for factors on their demand, both of shape (count,).
        response: Factors on demand for delivered price factors.
        count: Number of markets.
        tolerance: Largest change of a factor that counts as none.

    Returns:
        Factors on demand, and the rounds it took.

    Raises:
        ConvergenceError: They still moved after 50 rounds; `best` holds the factors.
    """
    shifter = np.ones(count)
    for number in range(1, _MOST_ROUNDS + 1):
        new = response(market(shifter))
        moved = float(np.abs(new - shifter).max(initial=0.0))
        shifter = new
        if moved <= tolerance:
            return shifter, number
    raise ConvergenceError(f"market and trade still move each other by {moved:.2e} after {_MOST_ROUNDS} rounds", best=shifter)


def _check(base: TradeBase, change: FloatArray) -> None:
    problems = []
    if np.abs(base.share.sum(axis=1) - 1.0).max(initial=0.0) > _SHARE_TOLERANCE or (base.share < 0.0).any():
        problems.append(Problem("trade", None, "share", "must be zero or more and add up to 1 over the sellers of each sector and buyer"))
    if np.abs(base.spending_share.sum(axis=0) - 1.0).max(initial=0.0) > _SHARE_TOLERANCE or (base.spending_share < 0.0).any():
        problems.append(Problem("trade", None, "spending_share", "must be zero or more and add up to 1 over the sectors of each buyer"))
    world = float(base.output_musd.sum())
    if not (base.output_musd > 0.0).all():
        problems.append(Problem("trade", None, "output_musd", "must be above zero"))
    elif abs(float(base.deficit_musd.sum())) > _SHARE_TOLERANCE * world:
        problems.append(Problem("trade", None, "deficit_musd", "must add up to zero over all countries"))
    elif not np.allclose((base.trade_musd.sum(axis=(0, 2)) / base.output_musd), 1.0, rtol=1e-6, atol=0.0):
        problems.append(Problem("trade", None, "output_musd", "must be what all countries buy of a country's goods"))
    if not (base.elasticity > 0.0).all():
        problems.append(Problem("trade", None, "elasticity", "must be above zero"))
    if change.shape != base.share.shape or not (change > 0.0).all():
        problems.append(Problem("trade", None, "delivered_price", "must be a factor above zero for every sector, seller and buyer"))
    if problems:
        raise DataError(problems)
