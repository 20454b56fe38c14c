"""The page without a browser: whole in itself, and shut."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

import karvan.report.page as page_module
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.report import render_page, screen
from karvan.report.pdf import find_chromium

MESSAGES = Path(page_module.__file__).parent / "messages"
UI = Path(__file__).resolve().parents[2] / "ui" / "src"


@pytest.fixture(scope="module")
def html(small_run, two_ports):
    return render_page(screen(small_run, two_ports))


def test_script_and_style_are_let_in_by_their_hashes_only(html):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    script = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "script-src 'unsafe" not in policy


def test_nothing_in_the_head_points_elsewhere(html):
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", html)
    assert "@import" not in html[: html.index("</style>")]


def test_the_document_in_the_page_is_the_one_that_was_given(html, small_run, two_ports):
    packed = re.search(r'<script type="text/plain" id="screen">([^<]+)</script>', html)[1]
    assert json.loads(gzip.decompress(base64.b64decode(packed))) == screen(small_run, two_ports)


def test_the_same_run_gives_the_same_page(html, small_run, two_ports):
    assert render_page(screen(small_run, two_ports)) == html


def test_without_the_bundle_the_message_says_what_to_do(monkeypatch, small_run, capsys):
    monkeypatch.setattr(page_module, "_STATIC", Path("nowhere"))
    with pytest.raises(DataError, match="make ui"):
        page_module.require_bundle()
    assert main(["report", str(small_run.folder)]) == 2
    assert "make ui" in capsys.readouterr().err


def test_without_a_chromium_the_message_says_what_to_do(monkeypatch, small_run, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert main(["report", str(small_run.folder), "--pdf"]) == 2
    assert "CHROMIUM" in capsys.readouterr().err
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(DataError, match="no-such-browser"):
        find_chromium()


@pytest.mark.parametrize("options", [["--out", "no/such/folder/x.html"], ["--ladder", "no-such-file.json"], ["--against", "no-such-run"]])
def test_wrong_options_are_told(options, small_run, capsys):
    assert main(["report", str(small_run.folder), *options]) == 2
    assert "karvan:" in capsys.readouterr().err


def test_the_command_says_where_the_page_is(small_run, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["report", str(small_run.folder), "--out", str(out), "--lang", "ru", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"run_id": small_run.report["run_id"], "against": None, "report": str(out), "pdf": None}
    assert '<html lang="ru">' in out.read_text(encoding="utf-8")


def catalogue(language):
    return json.loads((MESSAGES / f"{language}.json").read_text(encoding="utf-8"))


def test_every_message_that_the_screen_asks_for_is_there():
    asked = set()
    for source in UI.rglob("*.js"):
        asked |= set(re.findall(r'\bt\("([\w.]+)"', source.read_text(encoding="utf-8")))
    assert asked
    assert asked <= set(catalogue("en"))
