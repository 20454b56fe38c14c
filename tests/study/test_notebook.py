"""What a notebook shows of the nouns: numbers of the run, no request, few bytes."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from xml.etree import ElementTree

import pytest

import karvan as kv
from karvan.errors import DataError

NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.fixture(scope="module")
def shown(two_ports, tmp_path_factory):
    return kv.run(two_ports, years=(2024, 2026), out=tmp_path_factory.mktemp("notebook") / "run")


@pytest.fixture(scope="module")
def climbed(shown):
    return shown.ladder(to_mt=9.0)


def texts(drawing):
    return [each.text for each in ElementTree.fromstring(drawing._repr_svg_()).iter(f"{{{NAMESPACE}}}text")]


def titles(drawing):
    return [each.text for each in ElementTree.fromstring(drawing._repr_svg_()).iter(f"{{{NAMESPACE}}}title")]


def asks_nobody(text):
    return "http" not in text.replace(NAMESPACE, "") and not re.search(r"<(script|link|img)\b|\bsrc=|@import|url\(", text)


def test_tables_of_the_nouns_hold_their_numbers(shown, climbed, two_ports):
    year = shown.scenario.in_year(2026)
    for noun, told in (
        (shown, f"{year.corridor_mt:.2f}"),
        (shown, f"{shown.baseline.in_year(2026).corridor_mt:.2f}"),
        (climbed, "The ferry"),
        (year, f"{year.containers_teu:,.0f} TEU"),
        (year, "ferry"),
        (two_ports, "Two Ports"),
        (two_ports, f"<td>{two_ports.tables['links'].height}</td>"),
    ):
        text = noun._repr_html_()
        assert told in text, told
        assert asks_nobody(text)
        assert len(text) < 20_000
        ElementTree.fromstring(f"<div>{text}</div>")


def test_charts_hold_the_numbers_of_the_run(shown):
    outlook = titles(shown.plot.outlook())
    for case in (shown.scenario, shown.baseline):
        assert {f"{result.year}: {result.corridor_mt:.2f} Mt" for result in case.years} <= set(outlook)
    used = {item["facility_id"]: item for item in shown.scenario.in_year(2024).facilities.iter_rows(named=True)}["ferry"]
    assert f"{used['flow']:,.1f} of {used['capacity']:,.1f} kt" in titles(shown.plot.facilities(2024))
    assert "100%" in texts(shown.plot.facilities(2024))
    total = sum(float(re.search(r": ([\d.]+) Mt", told)[1]) for told in titles(shown.plot.families()) if ", 2026:" in told)
    assert total == pytest.approx(shown.scenario.in_year(2026).families["flow_kt"].sum() / 1e3, abs=0.02)  # each is told to 0.01


def test_charts_are_small_and_ask_nobody(shown, climbed, tmp_path):
    for drawing in (shown.plot.outlook(), shown.plot.facilities(), shown.plot.families(), climbed.plot(), climbed.plot("as_is")):
        assert asks_nobody(drawing.svg)
        assert len(drawing.svg) < 40_000
        drawing.save(tmp_path / "chart.svg")
        assert (tmp_path / "chart.svg").read_text(encoding="utf-8") == drawing.svg


def test_the_chart_of_a_ladder_has_every_rung_on_the_corridor(climbed):
    for kind in ("relieved", "as_is"):
        rungs = [rung for rung in getattr(climbed, kind) if rung.is_on_corridor]
        assert rungs
        assert titles(climbed.plot(kind)) == [f"{rung.latent_mt:.2f} Mt" for rung in rungs]
        assert {f"{rung.shadow_price_usd_per_t:.1f} USD" for rung in rungs} <= set(texts(climbed.plot(kind)))


def test_charts_speak_russian(shown, climbed):
    assert "Сколько перевозится" in texts(shown.plot.outlook(language="ru"))
    assert any("млн т" in told for told in titles(climbed.plot(language="ru")))


def test_a_year_that_is_not_in_the_run_is_told(shown):
    with pytest.raises(DataError, match="2025 is not in the run, must be one of 2024, 2026"):
        shown.plot.facilities(2025)
    with pytest.raises(DataError, match="gold is not in the case, must be one of"):
        shown.plot.families("gold")


def test_the_map_is_a_frame_whole_in_itself(shown, tmp_path):
    page = shown.map()
    frame = page._repr_html_()
    assert len(frame) < 900_000
    assert frame.count("<") == 2  # the frame and its end: the page inside is an attribute
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == page.html
    assert "allow-same-origin" not in frame
    assert frame.endswith(
        ">Hidden until the notebook is trusted or the cell is run again.</iframe>"
    )  # all that a notebook not trusted keeps
    assert "default-src 'none'" in page.html
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page.html)
    packed = re.search(r'<script type="text/plain" id="screen">([^<]+)</script>', page.html)[1]
    document = json.loads(gzip.decompress(base64.b64decode(packed)))
    sea = next(row for row in document["facilities"] if row["facility_id"] == "ferry")
    flows = [shown.scenario.in_year(year).facilities.filter(facility_id="ferry")["flow"].item() for year in (2024, 2026)]
    assert sea["scenario"]["flow"] == pytest.approx(flows, rel=1e-5)  # the screen cuts to six digits
    page.save(tmp_path / "map.html")
    assert (tmp_path / "map.html").read_text(encoding="utf-8") == page.html


def test_the_plain_text_of_a_drawing_is_a_sentence(shown, climbed):
    for drawn in (shown.plot.outlook(language="ru"), climbed.plot(language="ru"), shown.map(language="ru")):
        assert repr(drawn) == "Скрыто, пока блокнот не объявлен доверенным или ячейка не выполнена снова."


def test_a_run_that_was_not_saved_has_no_map_but_charts(two_ports):
    passing = kv.run(two_ports, years=(2024,), save=False)
    assert passing.plot.outlook().svg
    with pytest.raises(DataError, match="run again without save=False"):
        passing.map()


def test_a_language_that_is_not_ours_is_told(shown):
    with pytest.raises(DataError, match="xx must be one of en, ru"):
        shown.map(language="xx")
    with pytest.raises(DataError, match="xx must be one of en, ru"):
        shown.plot.outlook(language="xx")
