import json
import pickle
import runpy
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from karvan.cli.main import main
from karvan.corridor import with_value
from karvan.ensembles.answers import Sample
from karvan.ensembles.definition import OK, columns_of_futures
from karvan.ensembles.factors import Factor, Shock, unknowns
from karvan.ensembles.futures import Futures
from karvan.ensembles.moved import Growth
from karvan.ensembles.run import EnsembleOptions, answered, ensemble_of
from karvan.ensembles.store import FutureStore
from karvan.errors import DataError
from karvan.measures import load_scenario
from karvan.measures.apply import apply, growth_factors
from karvan.report import Words, futures_screen, render_answer
from karvan.report.many_futures import ensemble_lines
from karvan.study.clear import clear
from karvan.study.sensitivity import Estimate, with_estimate

YEARS = (2024, 2026)
TOOL = Path(__file__).parents[2] / "tools" / "ensemble.py"


@pytest.fixture(scope="module")
def made(two_ports):
    return ensemble_of(two_ports, years=YEARS, how=EnsembleOptions(futures=80, plans=("baseline",)))


@pytest.fixture(scope="module")
def told(made, tmp_path_factory):
    store = FutureStore(tmp_path_factory.mktemp("futures") / "ensemble", columns_of_futures(made))
    store.open(made.id, {})
    futures = Futures(made)
    for index in range(made.count):
        store.append(futures.outcomes(index))
    return store


def test_triangles_have_their_ends_and_their_mode():
    factor = Factor("tariffs", "a", "rate", 4.0, 2.0, 10.0, "a")
    assert [factor.at(position) for position in (0.0, 0.25, 1.0)] == pytest.approx([2.0, 4.0, 10.0])
    drawn = [factor.at((number + 0.5) / 4000) for number in range(4000)]
    assert np.mean(drawn) == pytest.approx((2 + 4 + 10) / 3, rel=1e-3)


def test_a_shock_happens_as_often_as_it_says_and_each_year_is_as_likely():
    shock = Shock("storm", "A storm", 0.4, 2027, 2030, 1, ("a",), ())
    begun = [shock.begins((number + 0.5) / 1000) for number in range(1000)]
    assert sum(year is not None for year in begun) == 400
    assert {year: begun.count(year) for year in range(2027, 2031)} == dict.fromkeys(range(2027, 2031), 100)


def test_an_ensemble_of_the_values_of_the_case_is_the_case(two_ports):
    table = pl.DataFrame({"facilities.ferry.nominal": [None, 3000.0]}, schema={"facilities.ferry.nominal": pl.Float64})
    how = EnsembleOptions(only=("facilities.ferry.nominal",), table=table)
    found = Futures(ensemble_of(two_ports, years=YEARS, how=how))
    plain, full = found.outcomes(0)[0], found.outcomes(1)[0]
    for row, corridor in ((plain, two_ports), (full, with_value(two_ports, "facilities.ferry.nominal", "3000")[0])):
        cleared = clear(apply(load_scenario("agreed", corridor), corridor, year=2026))
        carried = float((cleared.set_flow_kt * cleared.routed.cordons["sea_crossing"][0]).sum()) / 1e3
        assert row["corridor_mt_2026"] == pytest.approx(carried, rel=1e-4)
    assert plain["corridor_mt_2026"] != pytest.approx(full["corridor_mt_2026"], rel=1e-3)


def test_growth_is_drawn_as_when_it_is_written_into_the_case(two_ports):
    wanted = unknowns(two_ports, has_shocks=False)
    factors = [item for item in wanted.factors if item.table == "growth"]
    assert factors
    values = [item.low for item in factors]
    ratio = Growth(two_ports, factors, (2024, 2030)).over_stored(values)
    changed = two_ports
    for item, value in zip(factors, values, strict=True):
        changed = with_estimate(changed, Estimate(item.table, item.row, item.column, item.value, item.low, item.high), value)
    before, after = (growth_factors(each.tables["growth"], base_year=2024, year=2030, growth_range="mid") for each in (two_ports, changed))
    assert ratio[2030] == pytest.approx({name: after[name] / before[name] for name in before})
    assert set(ratio[2024].values()) == {1.0}


def test_a_future_depends_on_its_number_alone(made):
    one, other = Futures(made), Futures(pickle.loads(pickle.dumps(made)))
    first = [one.outcomes(index) for index in (3, 5)]
    assert [other.outcomes(index) for index in (5, 3)][::-1] == first
    assert made.id == pickle.loads(pickle.dumps(made)).id
    assert first[0][0]["status"] == OK


def test_the_answer_is_told_in_both_languages_and_on_a_page(made, told, two_ports):
    answer = answered(made, told, made.count, how=EnsembleOptions(futures=80, plans=("baseline",)), stopped=None)
    assert answer.failed.is_empty()
    assert answer.drivers.filter(pl.col("plan") == "agreed")["factor"][0] == "facilities.ferry.nominal"
    last = answer.distributions.filter((pl.col("metric") == "corridor_mt") & (pl.col("plan") == "agreed")).row(-1, named=True)
    _, values = Sample(made, told, made.count).column("corridor_mt_2026", "agreed")
    assert last["p90"] == pytest.approx(np.quantile(values, 0.9))
    assert last["p10"] < last["p50"] < last["p90"]
    for language in ("en", "ru"):
        assert all(len(line) <= 100 for line in ensemble_lines(answer, words=Words(language)))
    document = futures_screen(answer.as_dict(), two_ports, version="0")
    assert (document["kind"], document["plans"], document["factors_count"]) == (
        "karvan-futures",
        ["agreed", "baseline"],
        len(answer.factors),
    )
    assert {row["link_id"] for row in document["flows"]} == {row["link_id"] for row in document["links"]}
    assert 'id="futures"' in render_answer("futures", document, language="ru")
    found = json.loads(json.dumps(answer.as_dict(), allow_nan=False))
    page = runpy.run_path(str(TOOL))["page"](found)
    assert f"{made.count} futures, design sobol, seed 1; 0 of {2 * made.count} outlooks gave no answer." in page
    assert "Capacity of The ferry | more of it: more tonnes |" in page
    assert "| `facilities.ferry.nominal` |" in page
    assert "nan" not in page


def test_what_cannot_be_drawn_is_said(two_ports):
    for wrong, message in (
        ("facilities.ferry.nominal=5", "must read TABLE.ID.COLUMN=LOW:HIGH"),
        ("facilities.ferri.nominal=5:6", "has no row ferri"),
        ("facilities.ferry.nominal=6:5", "must run from a lower to a higher number"),
        ("links.a.mode=1:2", "cannot be drawn"),
    ):
        with pytest.raises(DataError, match=message):
            unknowns(two_ports, vary=(wrong,))
    with pytest.raises(DataError, match="there is no factor or shock"):
        unknowns(two_ports, only=("nothing",))


def test_the_command_says_what_is_wrong(capsys):
    assert main(["ensemble", "--corridor", "two-ports", "--until", "p90 of it", "--json"]) == 2
    assert "must read like" in capsys.readouterr().out
