"""`karvan assign`."""

import json

import polars as pl
import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.exchange import write_tntp_network, write_tntp_trips, write_trips
from tests.assignment.road_cases import BRAESS, linear


@pytest.fixture
def braess(tmp_path):
    network = linear(BRAESS, zones=[1, 2, 3, 4])
    trips = pl.DataFrame({"origin": [1], "destination": [4], "trips": [6.0]})
    write_tntp_network(network, tmp_path / "net.tntp")
    write_tntp_trips(trips, tmp_path / "trips.tntp", zone_count=4)
    write_trips(trips, tmp_path / "trips.csv")
    return tmp_path


def test_json_is_what_the_contract_says(braess, capsys):
    flows = braess / "flows.csv"
    arguments = ["assign", str(braess / "net.tntp"), str(braess / "trips.tntp"), "--method", "ue", "--gap", "1e-10", "--json"]
    assert main([*arguments, "--flows", str(flows), "--threads", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["relative_gap", "objective", "total_travel_time", "seconds", "threads"]
    assert told["relative_gap"] <= 1e-10
    assert told["total_travel_time"] == pytest.approx(552.0, rel=1e-8)  # 6 trips at 92
    assert told["threads"] == 2
    written = pl.read_csv(flows)
    assert written.columns == ["from", "to", "flow", "cost"]
    assert written["flow"].to_list() == pytest.approx([4, 2, 2, 4, 2], rel=1e-6)


def test_people_are_told_in_lines(braess, capsys):
    assert main(["assign", str(braess / "net.tntp"), str(braess / "trips.csv"), "--method", "so"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("System optimum: 6 trips between 4 zones on 5 links")
    assert "498.00" in out


def test_wrong_input_ends_with_2_and_says_where(braess, capsys):
    text = (braess / "net.tntp").read_text(encoding="utf-8").replace("\t50.0\t", "\tfifty\t", 1)
    (braess / "net.tntp").write_text(text, encoding="utf-8")
    assert main(["assign", str(braess / "net.tntp"), str(braess / "trips.tntp"), "--json"]) == 2
    problem = json.loads(capsys.readouterr().out)["error"]["problems"][0]
    assert (problem["table"], problem["row"]) == ("net.tntp", 9)
    assert main(["assign", str(braess / "none.tntp"), str(braess / "trips.tntp")]) == 2
    assert main(["assign", str(braess / "net.tntp"), str(braess / "trips.tntp"), "--gap", "2"]) == 2


def test_a_gap_that_is_not_reached_ends_with_1(braess, capsys):
    arguments = ["assign", str(braess / "net.tntp"), str(braess / "trips.tntp"), "--gap", "1e-9", "--iterations", "1", "--json"]
    assert main(arguments) == 1
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "convergence"


def test_python_has_the_same(braess):
    found = kv.assign(braess / "net.tntp", braess / "trips.tntp", gap=1e-9)
    assert found.equilibrium.pairs["cost"][0] == pytest.approx(92.0, rel=1e-7)
    assert found.as_dict()["relative_gap"] <= 1e-9
