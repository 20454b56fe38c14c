"""TNTP files: what goes out comes in again, and whatever is broken says where."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from karvan.errors import DataError
from karvan.exchange import (
    read_tntp_flows,
    read_tntp_network,
    read_tntp_trips,
    write_tntp_flows,
    write_tntp_network,
    write_tntp_trips,
)
from karvan.network import road_network

NET = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 4
<FIRST THRU NODE> 3
<NUMBER OF LINKS> 3
<TOLL FACTOR> 0.02
<END OF METADATA>

~ init term capacity length time b power speed toll type ;
\t1\t3\t100\t1.5\t2\t0.15\t4\t0\t5\t1\t;
\t3\t2\t80\t1\t3\t0.15\t4\t0\t0\t1\t;
\t2\t1\t50\t1\t1\t0\t0\t0\t0\t1\t;
"""
TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 17.5
<END OF METADATA>

Origin 1
    1 :   0.0;  2 :  12.5;
Origin 2
    1 :   5.0;
"""


def net(tmp_path, text=NET):
    path = tmp_path / "a_net.tntp"
    path.write_text(text, encoding="utf-8")
    return path


def trips(tmp_path, text=TRIPS):
    path = tmp_path / "a_trips.tntp"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_network_is_read(tmp_path):
    found = read_tntp_network(net(tmp_path))
    assert (found.toll_factor, found.distance_factor) == (0.02, 0.0)
    assert found.network.zone_count == 2
    assert found.network.is_through.tolist() == [False, False, True]
    assert found.network.links.select("from_node", "to_node", "capacity", "length", "free_time", "toll").row(0) == (
        1,
        3,
        100.0,
        1.5,
        2.0,
        5.0,
    )


def test_trips_are_read(tmp_path):
    assert read_tntp_trips(trips(tmp_path), zone_count=2).rows() == [(1, 2, 12.5), (2, 1, 5.0)]


def test_what_is_written_is_read_again(tmp_path):
    network, demand = read_tntp_network(net(tmp_path)).network, read_tntp_trips(trips(tmp_path))
    write_tntp_network(network, tmp_path / "b_net.tntp", toll_factor=0.02)
    again = read_tntp_network(tmp_path / "b_net.tntp")
    assert again.network.links.equals(network.links)
    assert (again.toll_factor, again.network.is_through.tolist()) == (0.02, network.is_through.tolist())
    write_tntp_trips(demand, tmp_path / "b_trips.tntp", zone_count=2)
    assert read_tntp_trips(tmp_path / "b_trips.tntp").equals(demand)
    flows = pl.DataFrame({"from_node": [1, 3], "to_node": [3, 2], "flow": [1 / 3, 2.0], "cost": [2.5, 0.1]})
    write_tntp_flows(flows, tmp_path / "b_flow.tntp")
    assert read_tntp_flows(tmp_path / "b_flow.tntp").equals(flows)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("\t3\t2\t80", "\t3\t9\t80", 10, "must be a node from 1 to 4"),
        ("\t3\t2\t80", "\t3\t2\t8O", 10, "'8O' is no number"),
        ("\t3\t2\t80", "\t3\t2\tnan", 10, "'nan' is no number"),
        ("\t3\t2\t80", "\t3\t2\t1e999", 10, "too large"),
        ("\t3\t2\t80", "\t3\t2\t0", 10, "must be above 0"),
        ("\t3\t2\t80", "\t3\t2\t-80", 10, "must be above 0"),
        ("\t3\t2\t80\t1\t", "\t3\t2\t80\t", 10, "holds 9 values, must hold 10"),
        ("\t3\t2\t80\t1\t3\t0.15\t4\t0\t0\t1\t;\n", "", 4, "the file has 2 links"),
        ("<NUMBER OF ZONES> 2", "<NUMBER OF ZONES> 5", 1, "must be 1 to the number of nodes, 4"),
        ("<NUMBER OF ZONES> 2", "<NUMBER OF ZONES> two", 1, "is no whole number"),
        ("<FIRST THRU NODE> 3", "<FIRST THRU NODE> 9", 3, "must be 1 to 5"),
        ("<FIRST THRU NODE> 3\n", "", None, "has no line <FIRST THRU NODE>"),
        ("<END OF METADATA>", "", 9, "stands before <END OF METADATA>"),
        ("<TOLL FACTOR> 0.02", "<TOLL FACTOR> -1", 5, "must be 0 or more"),
        ("<TOLL FACTOR> 0.02", "<NUMBER OF ZONES> 2", 5, "stands twice"),
    ],
)
def test_a_broken_network_says_where(tmp_path, old, new, line, message):
    assert old in NET
    with pytest.raises(DataError, match=message) as caught:
        read_tntp_network(net(tmp_path, NET.replace(old, new, 1)))
    assert caught.value.problems[0].row == line
    assert line is None or f"line {line}" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("Origin 2", "Origin 3", 7, "must be a zone from 1 to 2"),
        ("Origin 2", "Origin 1", 7, "stands in line 5 already"),
        ("Origin 1\n", "", 5, "before the line of their origin"),
        ("2 :  12.5", "2   12.5", 6, "must read destination : trips"),
        ("2 :  12.5", "1 :  12.5", 6, "stand twice"),
        ("2 :  12.5", "2 : -12.5", 6, "must be 0 or more"),
        ("2 :  12.5;", "2 :  12.5", 6, "does not end with ';'"),
        ("12.5", "12.6", 2, "add up to 17.6"),
        ("12.5", "12,5", 6, "is no number"),
    ],
)
def test_broken_trips_say_where(tmp_path, old, new, line, message):
    assert old in TRIPS
    with pytest.raises(DataError, match=message) as caught:
        read_tntp_trips(trips(tmp_path, TRIPS.replace(old, new, 1)))
    assert line in [problem.row for problem in caught.value.problems]


def test_zones_of_trips_are_those_of_the_network(tmp_path):
    with pytest.raises(DataError, match="but the network has 3"):
        read_tntp_trips(trips(tmp_path), zone_count=3)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04\xff\xfe", b"<END OF METADATA>\n\xff\xfe 1 2\n"])
def test_files_of_another_kind_are_refused(tmp_path, content):
    path = tmp_path / "x.tntp"
    path.write_bytes(content)
    for read in (read_tntp_network, read_tntp_trips):
        with pytest.raises(DataError):
            read(path)
    with pytest.raises(DataError, match="there is no file"):
        read_tntp_network(tmp_path / "none.tntp")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_fuzzed_file_is_an_error_with_its_line_or_means_what_it_says(tmp_path_factory, data):
    """Cut, repeat, swap or overwrite a part of a file: it is refused, or every number that is read stands in it."""
    text, read = data.draw(st.sampled_from([(NET, read_tntp_network), (TRIPS, read_tntp_trips)]))
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin, min(len(text), begin + 12)))
    put = data.draw(st.one_of(st.text(alphabet="0123456789.:;<>~-+eE \t\nxnaif", max_size=6), st.just(text[begin:end] * 2)))
    path = tmp_path_factory.mktemp("fuzz") / "f.tntp"
    broken = text[:begin] + put + text[end:]
    path.write_text(broken, encoding="utf-8", newline="\n")
    try:
        found = read(path)
    except DataError as error:
        found = error
    if isinstance(found, DataError):
        has_line = [problem.row is not None and 1 <= problem.row <= broken.count("\n") + 1 for problem in found.problems]
        is_of_whole = ["no line <" in problem.message or "empty" in problem.message for problem in found.problems]
        assert all(line or whole for line, whole in zip(has_line, is_of_whole, strict=True))
        return
    cells = {cell for line in broken.splitlines() for cell in line.partition("~")[0].replace(";", " ").replace(":", " ").split()}
    numbers = {float(cell) for cell in cells if plain(cell)}
    frame = found if isinstance(found, pl.DataFrame) else found.network.links.select(pl.col(pl.Float64).exclude("period"))
    for column in frame.iter_columns():
        assert set(column.cast(pl.Float64).to_list()) <= numbers
    if isinstance(found, pl.DataFrame):
        assert found["trips"].min() is None or found["trips"].min() > 0.0


def plain(cell):
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False


def test_a_network_that_the_format_cannot_hold_is_refused(tmp_path):
    links = pl.DataFrame({"from_node": [1, 7], "to_node": [7, 1], "free_time": [1.0, 1.0], "capacity": [1.0, 1.0]})
    with pytest.raises(DataError, match="zones must be the first nodes"):
        write_tntp_network(road_network(links, zones=[7]), tmp_path / "x.tntp")
    conical = links.with_columns(function=pl.lit("conical"))
    with pytest.raises(DataError, match="BPR"):
        write_tntp_network(road_network(conical, zones=np.array([1])), tmp_path / "x.tntp")
    assert not list(tmp_path.iterdir())
