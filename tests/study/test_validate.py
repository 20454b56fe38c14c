"""Published values against the model, on the case that can be solved by hand."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.report.comparison import validation_lines, validation_page, validation_picture
from karvan.results import journey_totals
from karvan.study.journeys import journey_legs


@pytest.fixture(scope="module")
def found():
    return kv.validate(kv.load_corridor("two-ports"))


@pytest.fixture(scope="module")
def rows(found):
    return {row["observation_id"]: row for row in found["observations"]}


def test_journeys_take_their_family_and_add_up_to_what_is_in_the_tables(two_ports) -> None:
    snapshot = apply(load_scenario("history", two_ports), two_ports, year=2024)
    totals = {row["journey_id"]: row for row in journey_totals(journey_legs(snapshot, co2_price_usd_per_t=0.0)).iter_rows(named=True)}
    assert totals["by_sea"]["family_id"] == "sea"
    assert totals["by_sea"]["charge_usd_per_t"] == pytest.approx(100.0)
    assert totals["by_sea"]["time_d"] == pytest.approx(30.0 / 24.0)
    assert totals["by_land"]["family_id"] == "land"
    assert totals["by_land"]["charge_usd_per_t"] == pytest.approx(120.0)
    assert totals["by_land"]["time_d"] == pytest.approx((40.0 + 40.0 + 6.0 + 6.0) / 24.0)


def test_a_closed_link_leaves_a_journey_without_legs(two_ports) -> None:
    closed, _ = kv.with_value(two_ports, "links.sea_east_west.is_open", "false")
    snapshot = apply(load_scenario("history", closed), closed, year=2024)
    assert journey_legs(snapshot, co2_price_usd_per_t=0.0)["journey_id"].unique().to_list() == ["by_land"]


def test_a_volume_is_held_against_its_cordon(rows) -> None:
    assert rows["sea_2024"]["model"] == pytest.approx(6.0, rel=1e-6)
    assert rows["sea_2024"]["error"] == pytest.approx(0.0, abs=1e-6)
    assert rows["sea_2024"]["flag"] == "in_range"


def test_a_time_and_a_border_are_held_against_the_legs(rows) -> None:
    assert rows["land_days"]["model"] == pytest.approx(92.0 / 24.0)
    assert rows["land_days"]["error"] == pytest.approx(92.0 / 24.0 / 4.0 - 1.0)
    assert rows["land_days"]["model_year"] == 2024
    assert rows["border_hours"]["model"] == pytest.approx(12.0)


def test_what_cannot_be_compared_says_why(rows) -> None:
    assert rows["sea_2023"]["model"] is None
    assert rows["sea_2023"]["error"] is None
    assert rows["sea_2023"]["reason"] == "before_base_year"


def test_medians_leave_out_what_calibration_used(two_ports) -> None:
    used, _ = kv.with_value(two_ports, "observations.sea_2024.used_in_calibration", "true")
    found = kv.validate(used)
    assert "volume" not in found["median_abs_error"]
    assert found["compared"] == 3
    assert found["not_used"] == 2


def test_money_of_another_year_is_brought_to_the_price_year(two_ports) -> None:
    import polars as pl

    from karvan.validation import Outcomes, compare

    row = two_ports.tables["observations"].filter(pl.col("observation_id") == "border_hours")
    paid = row.with_columns(quantity=pl.lit("tfi2_border_usd"), value=pl.lit(90.0), year=pl.lit(2020, dtype=pl.Int64), low=None, high=None)
    snapshot = apply(load_scenario("history", two_ports), two_ports, year=2024)
    outcomes = Outcomes(
        base_year=2024, baseline_id="baseline", headline_cordon="sea_crossing", years={},
        legs={2024: journey_legs(snapshot, co2_price_usd_per_t=0.0)}, month_legs={},
        journeys=two_ports.tables["journeys"], deflators={2020: 0.9},
    )  # fmt: skip
    assert compare(paid, outcomes)["observations"][0]["compared_with"] == pytest.approx(100.0)


def test_a_corridor_without_observations_is_refused(two_ports_folder: Path) -> None:
    (two_ports_folder / "observations.csv").unlink()
    with pytest.raises(DataError, match="holds no rows"):
        kv.validate(kv.load_corridor(two_ports_folder))


def test_lines_fit_the_terminal_and_the_picture_is_well_formed(found) -> None:
    assert all(len(line) <= 100 for line in validation_lines(found))
    picture = ElementTree.fromstring(validation_picture(found))
    dots = [dot for dot in picture.findall("{http://www.w3.org/2000/svg}circle") if dot.get("class") != "legend"]
    assert len(dots) == found["compared"]


def test_page_tells_every_value(found) -> None:
    page = validation_page(found, picture="validation.svg")
    assert "(validation.svg)" in page
    for row in found["observations"]:
        assert row["scope"] in page


def test_command_writes_page_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "validation.md"
    assert main(["validate", "--corridor", "two-ports", "--page", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("# Validation")
    assert page.with_suffix(".svg").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["validation.md", "validation.svg"]
    assert "3 compared" in capsys.readouterr().out


def test_command_refuses_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--corridor", "two-ports", "--page", str(tmp_path / "none" / "page.md")]) == 2
    assert "there is no folder" in capsys.readouterr().err
