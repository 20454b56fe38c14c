"""GMNS folders, OMX matrices, long tables."""

import importlib.util

import numpy as np
import polars as pl
import pytest

from karvan.errors import DataError
from karvan.exchange import read_gmns, read_links, read_omx, read_trips, write_gmns, write_links, write_omx, write_trips
from karvan.network import road_network

LINKS = pl.DataFrame(
    {
        "from_node": [1, 2, 5],
        "to_node": [2, 5, 1],
        "free_time": [3.0, 0.5, 1 / 3],
        "capacity": [100.0, 50.0, 70.0],
        "factor": [0.15, 0.2, 0.0],
        "power": [4.0, 2.5, 1.0],
        "length": [2.0, 0.0, 1.0],
        "toll": [0.0, 1.5, 0.0],
    }
)
TRIPS = pl.DataFrame({"origin": [1, 2], "destination": [2, 1], "trips": [10.0, 1 / 3]})


def network():
    return road_network(LINKS, zones=[1, 2])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_come_back_as_they_went(tmp_path, suffix):
    write_links(network(), tmp_path / f"links{suffix}")
    assert read_links(tmp_path / f"links{suffix}", zones=[1, 2]).links.equals(network().links)
    write_trips(TRIPS, tmp_path / f"trips{suffix}")
    assert read_trips(tmp_path / f"trips{suffix}").equals(TRIPS)


@pytest.mark.parametrize(
    ("text", "message", "row"),
    [
        ("origin,destination\n1,2\n", "trips: is missing", None),
        ("origin,destination,trips\n1,2,x\n", "is no number", 1),
        ("origin,destination,trips\n1,2,1\n1,2.5,1\n", "must be a whole number", 2),
        ("origin,destination,trips\n1,2,\n", "is empty", 1),
        ("origin,destination,trips\n1,2,-3\n", "must be 0 or more", 1),
        ("origin,destination,trips\n1,2,3\n1,2,4\n", "repeats a pair", 2),
        ("origin,destination,trips\n1,2\n", "has 2 cells, must have 3", 1),
        ("origin,origin,trips\n1,2,3\n", "stands twice", None),
    ],
)
def test_broken_trips_say_where(tmp_path, text, message, row):
    path = tmp_path / "trips.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_trips(path)
    assert caught.value.problems[0].row == row


def test_parquet_that_is_none_is_refused(tmp_path):
    (tmp_path / "trips.parquet").write_bytes(b"no")
    with pytest.raises(DataError, match="is no Parquet file"):
        read_trips(tmp_path / "trips.parquet")
    with pytest.raises(DataError, match="there is no file"):
        read_trips(tmp_path / "none.parquet")


def test_gmns_comes_back_in_hours(tmp_path):
    write_gmns(network(), tmp_path / "gmns", hours_per_time=1 / 60)
    found = read_gmns(tmp_path / "gmns")
    assert found.node_ids.tolist() == [1, 2, 3]  # node 5 is no zone and is numbered after them
    assert found.links["free_time"].to_list() == pytest.approx([value / 60 for value in LINKS["free_time"]], rel=1e-15)
    for column in ("capacity", "factor", "power", "length", "toll"):
        assert found.links[column].to_list() == LINKS[column].to_list()


def test_gmns_by_length_speed_lanes_and_both_ways(tmp_path):
    (tmp_path / "node.csv").write_text("node_id,x_coord,y_coord,zone_id\n10,0,0,1\n20,1,0,2\n30,2,0,\n", encoding="utf-8")
    head = "link_id,from_node_id,to_node_id,directed,length,free_speed,capacity,lanes\n"
    (tmp_path / "link.csv").write_text(head + "a,10,30,false,30,60,1000,2\nb,30,20,true,10,50,800,1\n", encoding="utf-8")
    links = read_gmns(tmp_path).links
    assert links.select("from_node", "to_node").rows() == [(1, 3), (3, 2), (3, 1)]
    assert links["free_time"].to_list() == [0.5, 0.2, 0.5]
    assert links["capacity"].to_list() == [2000.0, 800.0, 2000.0]
    (tmp_path / "link.csv").write_text(head + "a,10,99,perhaps,30,0,1000,2\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_gmns(tmp_path)
    assert {problem.column for problem in caught.value.problems} == {"to_node_id", "free_speed", "directed"}


def test_omx_comes_back(tmp_path):
    pytest.importorskip("h5py")
    path = tmp_path / "trips.omx"
    write_omx(TRIPS, path, zones=[1, 2, 7])
    assert read_omx(path).equals(TRIPS)
    with pytest.raises(DataError, match="both must be zones"):
        write_omx(TRIPS, path, zones=[1])
    assert read_omx(path, matrix="trips", lookup="zone").equals(TRIPS)  # the file that was there is whole
    with pytest.raises(DataError, match="there are: trips"):
        read_omx(path, matrix="cars")


def test_omx_that_is_wrong_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.omx"
    for values, message in ((np.zeros((2, 3)), "must be square"), (np.array([[0.0, -1.0], [0.0, 0.0]]), "from 1 to 2 is -1")):
        with h5py.File(path, "w") as file:
            file.create_group("data").create_dataset("m", data=values)
        with pytest.raises(DataError, match=message):
            read_omx(path)
    path.write_bytes(b"no")
    with pytest.raises(DataError, match="is no OMX file"):
        read_omx(path)


def test_without_its_package_omx_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"karvan\[exchange\]"):
        read_omx(tmp_path / "x.omx")
