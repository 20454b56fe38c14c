"""Commands as a user types them, on the two ports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from karvan.cli.main import main
from karvan.corridor.load import corridor_folder
from karvan.results import load_run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict]:
    capsys.readouterr()
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_run_prints_the_contract_and_saves_a_whole_folder(here, capsys):
    code, report = _json(capsys, "run", "--corridor", "two-ports", "--years", "2024:2028")
    assert code == 0
    assert {"run_id", "scenario", "corridor", "years", "baseline_years", "range", "commitments", "report", "seconds"} <= set(report)
    assert [row["year"] for row in report["years"]] == [2024, 2025, 2026, 2027, 2028]
    first = report["years"][0]
    # METHODS check 1a, K = 6: the ferry carries 6 Mt at a price of 11.890697838; 1.310585786 Mt more would come without the limit
    assert first["corridor_mt"] == pytest.approx(6.0, rel=1e-6)
    ferry = first["facilities"][0]
    assert ferry["shadow_price_usd_per_unit"] == pytest.approx(11.890697838, rel=1e-6)
    assert ferry["turned_away"] == pytest.approx(1310.585786, rel=1e-6)
    assert {"facility_id", "flow", "capacity", "unit", "scarcity_wait_h"} <= set(ferry)
    assert report["years"][3]["corridor_mt"] == pytest.approx(7.0, rel=1e-6)
    assert set(report["range"]) == {"low", "high"}
    saved = json.loads((here / "karvan-runs" / report["run_id"] / "report.json").read_text(encoding="utf-8"))
    assert saved == report
    assert {"commitment_id", "target", "unit", "year", "observed", "baseline", "scenario", "verdict"} <= set(report["commitments"][0])
    assert [item["verdict"] for item in report["commitments"]] == ["on_course", "not_measurable"]


def test_an_identical_run_is_reused_and_another_is_refused(here, capsys):
    _, first = _json(capsys, "run", "--corridor", "two-ports", "--years", "2024:2025", "--out", "r")
    _, again = _json(capsys, "run", "--corridor", "two-ports", "--years", "2024:2025", "--out", "r")
    assert again == first
    code, failed = _json(capsys, "run", "--corridor", "two-ports", "--years", "2024:2026", "--out", "r")
    assert code == 2
    assert "holds another run" in failed["error"]["message"]
    code, _ = _json(capsys, "run", "--corridor", "two-ports", "--years", "2024:2026", "--out", "r", "--replace")
    assert code == 0
    assert [path.name for path in here.iterdir()] == ["r"]


def test_options_change_the_run_and_are_listed(here, capsys):
    common = ("run", "--corridor", "two-ports", "--years", "2024:2027")
    _, plain = _json(capsys, *common)
    _, more = _json(capsys, *common, "--with", "joint_timetable", "--without", "bigger_ferry", "--set", "tariffs.sea_bulk.rate=90")
    assert more["run_id"] != plain["run_id"]
    assert len(more["replaced"]) == 3
    assert more["years"][3]["corridor_mt"] == pytest.approx(6.3, rel=1e-6)
    assert more["years"][0]["facilities"][0]["shadow_price_usd_per_unit"] == pytest.approx(21.890697838, rel=1e-6)


def test_a_measure_file_can_be_added(here, capsys):
    text = (
        "id: third_ship\ntitle: Third ship\nfrom_date: 2025-01-01\nstatus: option\nsource: teaching\nconfidence: estimate\ndoc: One more.\n"
        "changes: [{table: facilities, where: {facility_id: ferry}, set: {nominal: 6500.0}}]\n"
    )
    (here / "third_ship.yaml").write_text(text, encoding="utf-8")
    _, report = _json(capsys, "run", "--corridor", "two-ports", "--years", "2024:2025", "--with", "third_ship.yaml")
    assert report["years"][1]["corridor_mt"] == pytest.approx(6.5, rel=1e-6)


def test_the_summary_fits_a_terminal(here, capsys):
    assert main(["run", "--corridor", "two-ports"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert max(len(line) for line in lines) <= 100
    text = "\n".join(lines)
    assert "WHAT STOPS IT, IN ORDER" in text
    assert "The ferry" in text
    assert "Joint timetable" in text


def test_a_run_keeps_its_ladder_when_asked(here, capsys):
    asked = ["run", "--corridor", "two-ports", "--years", "2024:2025", "--with", "joint_timetable", "--out", "r"]
    _, plain = _json(capsys, *asked)
    page = (here / "r" / "report.html").read_text(encoding="utf-8")
    assert not (here / "r" / "ladder.json").exists()
    code, report = _json(capsys, *asked, "--ladder", "9", "--lang", "ru")
    assert code == 0
    assert report == plain
    kept = here / "r" / "ladder.json"
    _, climbed = _json(capsys, "ladder", "--corridor", "two-ports", "--to-mt", "9")
    assert json.loads(kept.read_text(encoding="utf-8")) == climbed
    assert load_run(here / "r").ladder() == climbed
    again = (here / "r" / "report.html").read_text(encoding="utf-8")
    assert again != page
    assert '<html lang="ru">' in again
    written = kept.stat().st_mtime_ns
    assert main([*asked, "--ladder", "9"]) == 0
    assert kept.stat().st_mtime_ns == written
    capsys.readouterr()
    assert main([*asked, "--ladder", "5"]) == 2
    assert "to_mt is 5, must be above" in capsys.readouterr().err
    kept.write_text("{}", encoding="utf-8")
    assert main(["report", "r"]) == 2
    assert "must hold what `karvan ladder --json` prints" in capsys.readouterr().err


def test_ladder_of_the_two_ports(here, capsys):
    code, found = _json(capsys, "ladder", "--corridor", "two-ports", "--to-mt", "9")
    assert code == 0
    rung = found["as_is"][0]
    # free share on the sea is 0.7310585786 at any scale, so 6 Mt bind at 6 / 7.310585786 of today's market: at once, scale 1
    assert rung["facility_id"] == "ferry"
    assert rung["relief_measure_id"] == "joint_timetable"
    keys = {
        "rung",
        "market_scale",
        "latent_mt",
        "realised_mt",
        "facility_id",
        "shadow_price_usd_per_t",
        "relief_measure_id",
        "relief_cost_musd",
        "gain_mt",
        "gain_musd_per_year",
    }
    assert keys <= set(rung)
    assert rung["gain_mt"] == pytest.approx(3.0, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--corridor", "nowhere"), "neither a folder nor a packaged corridor"),
        (("run", "--corridor", "two-ports", "--scenario", "hope"), "there is no scenario hope"),
        (("run", "--corridor", "two-ports", "--years", "soon"), "first and a last year"),
        (("run", "--corridor", "two-ports", "--years", "2020:2024"), "base year 2024"),
        (("run", "--corridor", "two-ports", "--with", "miracle"), "neither a measure of the corridor nor a YAML file"),
        (("run", "--corridor", "two-ports", "--set", "tariffs.sea_bulk.rate"), "TABLE.ID.COLUMN=VALUE"),
        (("run", "--corridor", "two-ports", "--set", "tariffs.sea_bulk.rate=-1"), "0 or more"),
        (("run", "--corridor", "two-ports", "--set", "tariffs.sea_bulk.speed=1"), "no column speed"),
        (("ladder", "--corridor", "two-ports", "--to-mt", "1"), "to_mt"),
        (("explain", "fery", "--corridor", "two-ports"), "did you mean ferry"),
        (("explain", "ferry", "--corridor", "two-ports", "--run", "nowhere"), "nowhere is not a run"),
        (("sources", "teachin", "--corridor", "two-ports"), "did you mean teaching"),
        (("market", "grain_east_wets", "--corridor", "two-ports"), "did you mean grain_east_west"),
        (("select-link", "fery", "--corridor", "two-ports"), "did you mean ferry"),
        (("select-link", "--corridor", "two-ports", "--scenario", "hope"), "there is no scenario hope"),
        (("runn",), "invalid choice"),
    ],
)
def test_wrong_input_gives_exit_code_2_and_leaves_nothing(here, capsys, arguments, words):
    code, failed = _json(capsys, *arguments)
    assert code == 2
    assert words in failed["error"]["message"] + str(failed["error"]["problems"])
    assert set(failed["error"]) == {"kind", "message", "problems"}
    assert list(here.iterdir()) == []


def test_an_unreachable_market_is_named_and_no_run_folder_is_left(here, capsys):
    shutil.copytree(corridor_folder("two-ports"), here / "island")
    places = here / "island" / "places.csv"
    places.write_text(places.read_text(encoding="utf-8") + "island,The Island,XA,9.0,1.0,,,,teaching,estimate\n", encoding="utf-8")
    pairs = here / "island" / "region_places.csv"
    pairs.write_text(pairs.read_text(encoding="utf-8").replace("west,both,any,west_port", "west,both,any,island"), encoding="utf-8")
    for arguments in (("check", "island"), ("run", "--corridor", "island")):
        code, answer = _json(capsys, *arguments)
        assert code == 2
        problems = answer["problems"] if arguments[0] == "check" else answer["error"]["problems"]
        assert problems[0]["table"] == "demand"
        assert problems[0]["row"] == 1
        assert "grain_east_west has no route" in problems[0]["message"]
    assert [path.name for path in here.iterdir()] == ["island"]


def test_check_and_new(here, capsys):
    assert main(["new", "mine"]) == 0
    code, answer = _json(capsys, "check", "mine")
    assert (code, answer) == (0, {"ok": True, "problems": []})
    (here / "mine" / "measures" / "bigger_ferry.yaml").unlink()
    code, answer = _json(capsys, "check", "mine")
    assert code == 2
    assert answer["ok"] is False
    assert "no measure bigger_ferry" in answer["problems"][0]["message"]
    assert main(["new", "mine"]) == 2


def test_explain_and_sources(here, capsys):
    code, answer = _json(capsys, "explain", "ferry", "--corridor", "two-ports")
    assert code == 0
    (match,) = answer["matches"]
    assert {"table", "row", "doc", "values", "sources", "referred_by", "measures", "results"} <= set(match)
    assert match["results"] is None
    _json(capsys, "run", "--corridor", "two-ports", "--years", "2024:2025")
    _, answer = _json(capsys, "explain", "ferry", "--corridor", "two-ports")
    assert answer["matches"][0]["results"]["rows"][0]["flow"] == pytest.approx(6000.0, rel=1e-6)
    code, found = _json(capsys, "sources", "--corridor", "two-ports")
    assert code == 0
    assert found["sources"][0]["source_id"] == "teaching"
    assert main(["explain", "fery", "--corridor", "two-ports"]) == 2
    assert "did you mean ferry" in capsys.readouterr().err


def test_market_and_select_link(here, capsys):
    common = ("--corridor", "two-ports", "--set", "facilities.ferry.nominal=5000")
    code, answer = _json(capsys, "market", "east:west:wheat", *common)
    assert code == 0
    assert answer["families"][0]["flow_kt"] == pytest.approx(5000.0, rel=1e-6)
    assert {"key", "values", "text"} == set(answer["why"][0])
    assert len(answer["replaced"]) == 1
    code, answer = _json(capsys, "select-link", "ferry", *common)
    assert (code, answer["load"]) == (0, pytest.approx(5000.0, rel=1e-6))
    code, answer = _json(capsys, "select-link", *common)
    assert (code, answer["facilities"][0]["facility_id"]) == (0, "ferry")
    for arguments in (
        ("market", "grain_east_west", "--pairs"),
        ("select-link", "ferry"),
        ("select-link", "sea_east_west"),
        ("select-link",),
    ):
        assert main([*arguments, "--corridor", "two-ports"]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert max(len(line) for line in shown) <= 100


def test_explain_and_sources_load_no_compiler():
    program = (
        "import sys; from karvan.cli.main import main; main(['explain', 'ferry', '--corridor', 'two-ports']);"
        "main(['sources', '--corridor', 'two-ports']); print([name for name in ('numba', 'scipy') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True).stdout
    assert shown.splitlines()[-1] == "[]"


def test_route_prints_the_contract(here, capsys):
    code, found = _json(capsys, "route", "East Port", "west_port", "--corridor", "two-ports", "--commodity", "wheat", "--year", "2024")
    assert code == 0
    (option,) = found["options"]
    assert {"labels", "cost_usd_per_t", "time_d", "time_sd_d", "co2e_kg_per_t", "co2e_ttw_kg_per_t", "legs"} <= set(option)
    assert {"mode", "from", "to", "operator", "cost_usd_per_t", "moving_h", "waiting_h", "border_h", "gauge_h", "port_h"} <= set(
        option["legs"][0]
    )
    assert found["rejected"] == []
    assert found["answer"] == "allowed"
    assert found["is_quotation"] is False
    assert option["cost_usd_per_t"] == pytest.approx(100.0)


def test_a_refused_route_names_the_rule(here, capsys):
    shut = ("--set", "permissions.pass_closed_to_grain.in_force=true", "--avoid", "sea_east_west")
    code, found = _json(capsys, "route", "east_port", "west_port", "--corridor", "two-ports", "--commodity", "grain", *shut)
    assert code == 0
    assert found["answer"] == "refused"
    (refused,) = found["rejected"]
    assert refused["reason"] == "ban"
    assert refused["rule"].startswith("Grain may not cross the High Pass")
    assert refused["source"] == "teaching"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("port", "high_pass"), "port may mean east_port (East Port), west_port (West Port)"),
        (("east_port", "atlantis"), "atlantis names no row"),
        (("east_port", "west_port", "--depart", "tomorrow"), "must be a date such as 2025-11-01"),
    ],
)
def test_wrong_words_of_route_are_named(here, capsys, arguments, message):
    code, failed = _json(capsys, "route", *arguments, "--corridor", "two-ports", "--commodity", "grain")
    assert code == 2
    assert message in failed["error"]["message"]


def test_route_speaks_plainly(here, capsys):
    assert main(["route", "east_port", "west_port", "--corridor", "two-ports", "--commodity", "wheat"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "may pass" in shown[0]
    assert "not a quotation" in shown[-1]


def test_a_batch_of_routes_is_written_and_wrong_rows_are_told(here, capsys, tmp_path):
    asked, out = tmp_path / "asked.csv", tmp_path / "options.csv"
    asked.write_text("origin,destination,commodity\neast_port,west_port,wheat\neast_port,atlantis,wheat\n", encoding="utf-8")
    code, found = _json(capsys, "route", "--corridor", "two-ports", "--batch", str(asked), "--out", str(out), "--workers", "1")
    assert code == 2
    assert (found["shipments"], found["answered"], found["kinds"]["option"], found["kinds"]["wrong"]) == (2, 2, 1, 1)
    assert (found["problems"][0]["row"], found["problems"][0]["column"]) == (2, "destination")
    assert found["is_quotation"] is False
    assert out.is_file()
    assert main(["route", "--corridor", "two-ports", "--batch", str(asked), "--out", str(out), "--workers", "1"]) == 2
    shown = capsys.readouterr().out.splitlines()
    assert "2 of 2 shipments answered" in shown[0]
    assert "not a quotation" in shown[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("east_port",), "DESTINATION: is missing"),
        (("east_port", "west_port"), "--commodity: is missing"),
        (("--batch", "asked.csv"), "--out: must name the .csv or .parquet file"),
        (("--batch", "asked.csv", "--out", "a.csv", "--commodity", "wheat"), "--commodity: stands in the file of shipments"),
        (("--batch", "nowhere.csv", "--out", "a.csv"), "nowhere.csv: cannot be read as CSV"),
        (("east_port", "west_port", "--commodity", "wheat", "--quotes", "nowhere.csv"), "nowhere.csv: cannot be read as CSV"),
        (("east_port", "west_port", "--commodity", "wheat", "--value", "-1"), "--value: -1.0 must be above zero"),
        (("east_port", "west_port", "--commodity", "wheat", "--run", "nowhere"), "nowhere is not a run"),
    ],
)
def test_half_a_question_is_named(here, capsys, arguments, message):
    code, failed = _json(capsys, "route", "--corridor", "two-ports", *arguments)
    assert code == 2
    assert message in failed["error"]["message"]


def test_route_tells_who_is_paid_and_what_a_tonne_is_worth(here, capsys):
    code, found = _json(
        capsys, "route", "east_port", "west_port", "--corridor", "two-ports", "--commodity", "wheat", "--depart", "2024-03-01",
        "--deadline", "2024-03-02", "--value", "500", "--tonnes", "10",
    )  # fmt: skip
    assert code == 0
    assert found["cargo"] == {"tonnes": 10.0, "value_usd_per_t": 500.0}
    (option,) = found["options"]
    paid = option["quote"]["administrations"]
    assert sum(item["cost_usd_per_t"] for item in paid) == pytest.approx(option["cost_usd_per_t"])
    assert option["lateness_usd_per_t"] >= 0.0
    assert {"co2e_source", "is_quoted", "scarcity_usd_per_t", "ships"} <= set(option["legs"][0])
    assert "ISO 14083" in found["co2e_method"]
