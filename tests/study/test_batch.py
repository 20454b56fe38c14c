"""Many shipments at once."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.errors import DataError
from karvan.results import BATCH_SCHEMA
from karvan.study import ShippingDesk, batch, route_batch

DAY = "2025-10-01"
ASKED = [
    ("kostanay", "yerevan", "wheat"), ("xian", "poti", "containers"), ("almaty", "poti", "metals"), ("xian", "duisburg", "containers"),
    ("tashkent", "istanbul_halkali", "metals"), ("kostanay", "tashkent", "wheat"), ("almaty", "yerevan", "wheat"),
    ("shanghai", "rotterdam", "containers"),
]  # fmt: skip


def table(rows, **more):
    frame = pl.DataFrame(rows, schema=["origin", "destination", "commodity"], orient="row")
    return frame.with_columns(depart=pl.lit(DAY), **{name: pl.Series(values) for name, values in more.items()})


@pytest.fixture(scope="module")
def real():
    return load_corridor("middle-corridor")


@pytest.fixture(scope="module")
def found(real):
    return route_batch(real, table(ASKED, shipment_id=[f"s{number}" for number in range(8)]))


def test_a_batch_says_what_single_answers_say(real, found):
    desk = ShippingDesk(real)
    assert dict(found.frame.schema) == dict(BATCH_SCHEMA)
    for number, (origin, destination, goods) in enumerate(ASKED, start=1):
        answer = desk.answer(origin, destination, commodity=goods, depart=datetime.date.fromisoformat(DAY))
        rows = found.frame.filter(pl.col("row") == number)
        told, refused = (rows.filter(pl.col("kind") == kind) for kind in ("option", "refused"))
        assert rows["shipment_id"].unique().to_list() == [f"s{number - 1}"]
        assert rows["answer"].unique().to_list() == [answer.answer]
        for name in ("cost_usd_per_t", "time_d", "time_p95_d", "co2e_kg_per_t", "length_km", "way"):
            assert told[name].to_list() == [getattr(option, name) for option in answer.options]
        assert told["labels"].to_list() == [";".join(option.labels) for option in answer.options]
        assert refused["rule"].to_list() == [" ".join(rule.rule for rule in item.rules) for item in answer.rejected]
    assert (found.shipments, found.answered, found.is_whole, found.problems) == (8, 8, True, ())


def test_the_number_of_workers_changes_nothing(real, found):
    assert route_batch(real, table(ASKED, shipment_id=[f"s{number}" for number in range(8)]), workers=2).frame.equals(found.frame)


def test_the_order_of_shipments_changes_nothing_else(real, found):
    turned = route_batch(real, table(ASKED[::-1], shipment_id=[f"s{number}" for number in range(7, -1, -1)])).frame
    assert turned.drop("row").sort("shipment_id", maintain_order=True).equals(found.frame.drop("row"))


def test_wrong_rows_are_told_by_row_and_column_and_the_rest_is_answered(two_ports, tmp_path):
    path = tmp_path / "shipments.csv"
    path.write_text(
        "shipment_id,origin,destination,commodity,depart,deadline,max_options\n"
        "a,east_port,west_port,wheat,2024-03-01,,\n"
        "b,east_port,atlantis,wheat,2024-03-01,,\n"
        "c,east_port,west_port,wheat,tomorrow,,\n"
        "d,,west_port,wheat,2024-03-01,,\n"
        "e,east_port,west_port,unobtainium,2024-03-01,,\n"
        "f,east_port,west_port,wheat,2024-03-01,2024-02-01,\n"
        "g,east_port,west_port,wheat,2024-03-01,,few\n",
        encoding="utf-8",
    )
    out = tmp_path / "options.csv"
    batch_found = route_batch(two_ports, path, out=out)
    assert [(item.row, item.column) for item in batch_found.problems] == [
        (2, "destination"), (3, "depart"), (4, "origin"), (5, "commodity"), (6, "deadline"), (7, "max_options"),
    ]  # fmt: skip
    assert batch_found.frame["kind"].to_list() == ["option", *["wrong"] * 6]
    assert "atlantis names no row" in batch_found.frame["problem"][1]
    assert pl.read_csv(out)["shipment_id"].to_list() == list("abcdefg")
    assert batch_found.as_dict()["kinds"] == {"option": 1, "refused": 0, "none": 0, "wrong": 6}


def test_parquet_keeps_every_digit(two_ports, tmp_path):
    out = tmp_path / "options.parquet"
    found = route_batch(two_ports, table([("east_port", "west_port", "wheat")]).with_columns(depart=pl.lit("2024-03-01")), out=out)
    assert pl.read_parquet(out).equals(found.frame)


def test_stopping_keeps_what_is_done(two_ports, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_TOGETHER", 2)
    asked = [("east_port", "west_port", "wheat")] * 5
    out = tmp_path / "options.csv"

    def stop(line):
        if line.startswith("4 "):
            raise KeyboardInterrupt

    found = route_batch(two_ports, table(asked).with_columns(depart=pl.lit("2024-03-01")), out=out, progress=stop)
    assert (found.answered, found.shipments, found.is_whole) == (4, 5, False)
    assert pl.read_csv(out)["row"].to_list() == [1, 2, 3, 4]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame({"origin": ["a"], "destination": ["b"]}), "column commodity: must be there"),
        (pl.DataFrame({"origin": ["a"], "destination": ["b"], "commodity": ["c"], "departs": ["d"]}), "did you mean depart"),
    ],
)
def test_wrong_columns_are_named(two_ports, frame, message):
    with pytest.raises(DataError, match=message):
        route_batch(two_ports, frame)


def test_other_endings_are_refused(two_ports, tmp_path):
    with pytest.raises(DataError, match=r"must end in \.csv or \.parquet"):
        route_batch(two_ports, table(ASKED), out=tmp_path / "options.xlsx")


def test_traits_of_a_shipment_are_columns(two_ports):
    asked = table([("east_port", "west_port", "wheat")] * 3).with_columns(
        depart=pl.lit("2024-03-01"), deadline=pl.lit("2024-03-02"), value_usd_per_t=pl.Series(["", "2150", "dear"]),
        reefer=pl.Series(["false", "true", "maybe"]),
    )  # fmt: skip
    found = route_batch(two_ports, asked)
    usual, dear = found.frame.filter(pl.col("kind") == "option")["lateness_usd_per_t"].to_list()
    assert dear == pytest.approx(usual * 2150.0 / 215.0)
    assert [(item.row, item.column) for item in found.problems] == [(3, "reefer"), (3, "value_usd_per_t")]
    assert "must be true or false" in found.problems[0].message
