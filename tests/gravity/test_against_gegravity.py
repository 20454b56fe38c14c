"""The answer of trade beside gegravity, an independent general-equilibrium gravity program (PyPI, test only: `pip install -e .[peer]`).

Its numbers stand here with its version, so that the comparison runs without it. Version 0.3 holds each country's share of world output in
the equation of factory-gate prices, where hat algebra lets it move, and what a country sells adds up to its output to 0.2% only. So
incomes are compared to a hundredth of the largest gain, and trade as a share of the world's to 0.3%.
"""

from __future__ import annotations

import numpy as np
import pytest

from karvan.gravity import balanced_base, respond

SHARE = np.array([[0.75, 0.04, 0.015], [0.05, 0.80, 0.035], [0.20, 0.16, 0.95]])
ELASTICITY = 5.0
REAL_INCOME = (1.0 / 0.988073086, 1.0 / 1.000255260, 1.0 / 0.999133471)  # gegravity 0.3, gme 1.3.1: 1 / welfare statistic
TRADE = (
    (0.050915978, 0.006126000, 0.014995292),
    (0.003433997, 0.123949299, 0.027389670),
    (0.017689656, 0.024703108, 0.740832263),
)  # "experiment trade", world output 1 before


def _change():
    change = np.ones((3, 3))
    change[0, 2] = change[2, 0] = 0.95
    return change


def _agrees(real_income, trade):
    ours = respond(balanced_base(SHARE, elasticity=ELASTICITY), _change()[None])
    assert np.asarray(real_income) == pytest.approx(ours.real_income, abs=1.2e-4)
    value = (ours.base.trade_musd * ours.trade)[0]
    assert np.asarray(trade) / np.sum(trade) == pytest.approx(value / value.sum(), rel=3e-3)


def test_what_gegravity_gave_is_what_we_give():
    _agrees(REAL_INCOME, TRADE)


@pytest.mark.filterwarnings("ignore")  # of a peer's own making
def test_gegravity_still_gives_what_stands_here():
    peer = pytest.importorskip("gegravity", reason="the peer is optional: pip install -e .[peer]", exc_type=ImportError)
    pandas = pytest.importorskip("pandas")
    base = balanced_base(SHARE, elasticity=ELASTICITY)
    trade, names = base.trade_musd[0], ("a", "b", "c")
    made, bought = trade.sum(axis=1), trade.sum(axis=0)
    rows = [
        {"exporter": names[i], "importer": names[j], "year": "2024", "trade": trade[i, j], "Y": made[i], "E": bought[j],
         "before": np.log(trade[i, j] / (made[i] * bought[j])), "change": 0.0}
        for i in range(3) for j in range(3)
    ]  # fmt: skip
    frame = pandas.DataFrame(rows)
    data = peer.BaselineData(
        frame, imp_var_name="importer", exp_var_name="exporter", year_var_name="year", trade_var_name="trade", expend_var_name="E",
        output_var_name="Y",
    )  # fmt: skip
    cost = [{"var": "before", "coeff": 1.0, "ste": 0.0}, {"var": "change", "coeff": -ELASTICITY, "ste": 0.0}]
    model = peer.OneSectorGE(
        data, year="2024", expend_var_name="E", output_var_name="Y", cost_variables=["before", "change"], reference_importer="a",
        cost_coeff_values=peer.CostCoeffs(pandas.DataFrame(cost), identifier_col="var", coeff_col="coeff", stderr_col="ste"),
        sigma=ELASTICITY + 1.0,
    )  # fmt: skip
    model.build_baseline()
    model.define_experiment(frame.assign(change=np.log(_change()).ravel()))
    model.simulate()
    found = model.bilateral_trade_results["experiment trade"].to_numpy().reshape(3, 3)
    _agrees(1.0 / model.country_results["welfare statistic"].to_numpy(), found)
    assert found / found.sum() == pytest.approx(np.array(TRADE) / np.sum(TRADE), rel=1e-5)
