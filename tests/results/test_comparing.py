"""Two runs of the two ports beside each other."""

from __future__ import annotations

import pytest

from karvan.errors import DataError
from karvan.results import compare_runs, load_run
from karvan.study import ScenarioOptions
from karvan.study.run import run


@pytest.fixture(scope="module")
def saved(two_ports, tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    plain = run(two_ports, years=(2024, 2027), out=place / "a")
    options = ScenarioOptions(without_measures=("bigger_ferry",), set_values=("tariffs.sea_bulk.rate=90",))
    other = run(two_ports, years=(2024, 2027, 2028), options=options, out=place / "b")
    return [load_run(item.folder) for item in (plain, other)]


def test_what_was_asked_differs(saved):
    asked = compare_runs(*saved)["inputs"]
    assert not asked["is_same_corridor"]
    assert [item["measure_id"] for item in asked["only_a"]] == ["bigger_ferry"]
    assert asked["only_b"] == []
    assert asked["options"]["b"]["set"] == ["tariffs.sea_bulk.rate=90"]


def test_differences_are_b_less_a(saved):
    found = compare_runs(*saved)
    assert found["year"] == 2027
    assert found["years"] == [2024, 2027]
    ferry = found["facilities"][0]
    assert ferry["difference"]["capacity"] == -1000.0
    assert ferry["difference"]["flow"] == pytest.approx(-1000.0, rel=1e-6)  # both are full
    sea = {row["link_id"]: row for row in found["links"]}["sea_east_west"]
    assert sea["difference_kt"] == pytest.approx(sea["b_kt"] - sea["a_kt"], rel=1e-8)
    assert [abs(row["difference_kt"]) for row in found["links"]] == sorted(
        (abs(row["difference_kt"]) for row in found["links"]), reverse=True
    )
    at = {row["year"]: row for row in found["outlook"]}
    assert at[2027]["difference"]["corridor_mt"] == pytest.approx(-1.0, rel=1e-6)
    assert at[2028]["a"] is None
    assert at[2028]["difference"] is None


def test_a_run_beside_itself_differs_in_nothing(saved):
    found = compare_runs(saved[0], saved[0], case="baseline", year=2024)
    assert {row["difference_kt"] for row in found["links"]} == {0.0}
    assert {value for row in found["facilities"] for value in row["difference"].values()} == {0.0}
    assert found["inputs"]["only_a"] == found["inputs"]["only_b"] == found["inputs"]["dates"] == []


@pytest.mark.parametrize(("asked", "words"), [({"case": "best"}, "one of scenario"), ({"year": 2028}, "2024 to 2027")])
def test_what_is_not_there_is_told(saved, asked, words):
    with pytest.raises(DataError, match=words):
        compare_runs(*saved, **asked)
