"""Catalogues of words: whole, used, and the same for the page and the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import karvan.report.words as words_module
from karvan.cli.main import main
from karvan.report import ENGLISH, LANGUAGES, Words, summary_lines
from karvan.report.words import catalogue, plural

REPORT = Path(words_module.__file__).parent
STUDY = REPORT.parent / "study"
UI = Path(__file__).resolve().parents[2] / "ui" / "src"
PLACEHOLDER = re.compile(r"\{(\w+)(?:, plural, (?:\s*\w+ \{[^{}]*\})+)?\}")
PLURAL = re.compile(r"\{\w+, plural, ((?:\s*\w+ \{[^{}]*\})+)\}")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in [*sorted(UI.rglob("*.js")), *sorted(REPORT.glob("*.py")), *sorted(STUDY.glob("*.py"))]
)
QUOTED = set(re.findall(r"[\"'`](?=([\w.]+)[\"'`])", SOURCES))
BUILT = set(re.findall(r"[\"'`]([a-z_]+(?:\.[a-z_]+)*[._])[${]", SOURCES)) | {f"{kind}." for kind in re.findall(r'term\("(\w+)"', SOURCES)}
"""Beginnings of keys whose end is put together: `verdict.${...}` there, f"terminal.amount.{...}" here."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_holds_no_key_that_english_lacks_and_names_the_same_values(language):
    english, own = catalogue("en"), catalogue(language)
    assert set(own) <= set(english)
    wrong = [key for key, text in own.items() if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(english[key]))]
    assert wrong == []
    assert [key for key, text in own.items() if "{" in PLACEHOLDER.sub("", text)] == []


def test_russian_is_whole():
    assert list(catalogue("ru")) == list(catalogue("en"))


@pytest.mark.parametrize(
    ("language", "kinds"),
    [("en", {"one", "other"}), ("ru", {"one", "few", "many", "other"}), *((x, {"one", "other"}) for x in ("de", "kk", "az"))],
)
def test_every_kind_of_number_has_a_form(language, kinds):
    for key, text in catalogue(language).items():
        for forms in PLURAL.findall(text):
            named = set(re.findall(r"(\w+) \{", forms))
            assert named <= kinds, key
            assert {"one", "other"} <= named, key


def test_no_message_is_unused():
    unused = [key for key in catalogue("en") if key not in QUOTED and not any(key.startswith(start) for start in BUILT)]
    assert unused == []


def test_every_message_that_the_terminal_asks_for_is_there():
    asked = {key for path in REPORT.glob("*.py") for key in re.findall(r'words\("([\w.]+)"', path.read_text(encoding="utf-8"))}
    assert asked
    assert asked <= set(catalogue("en"))


@pytest.mark.parametrize(
    ("count", "told"), [(1, "1 объект"), (2, "2 объекта"), (5, "5 объектов"), (11, "11 объектов"), (21, "21 объект"), (2.5, "2,5 объекта")]
)
def test_russian_words_follow_their_numbers(count, told):
    assert Words("ru")("terminal.amount.facilities", amount=count) == told


def test_kinds_of_numbers():
    assert [plural(count, "ru") for count in (1, 4, 12, 22, 111)] == ["one", "few", "many", "few", "many"]
    assert [plural(count, "en") for count in (0, 1, 2, 1.5, "1")] == ["other", "one", "other", "other", "other"]


def test_numbers_are_written_as_the_language_does():
    assert [Words(language).number(1234.5) for language in LANGUAGES] == ["1,234.5", "1\u00a0234,5", "1.234,5", "1\u00a0234,5", "1.234,5"]
    assert [Words(language).percent(0.305) for language in ("en", "ru")] == ["30%", "30\u00a0%"]
    assert [ENGLISH.amount(value) for value in (72912.0, 600.4, 4.119, 0.0, 2582)] == ["72,900", "600", "4.12", "0", "2,582"]


def test_what_a_language_lacks_is_said_in_english_with_its_own_numbers():
    assert "terminal.reached" not in catalogue("kk")
    assert Words("kk")("terminal.outlook_item", mt=4.5, year=2024) == "4,5 Mt in 2024"


def test_the_summary_in_russian(small_run):
    lines = summary_lines(small_run.report, words=Words("ru"))
    text = " ".join(" ".join(lines).split())
    assert "Факт, млн т:" in text or "млн т" in text
    assert not re.search(r"\d\.\d+ (млн|тыс)|[{}]|promised|carried|verdict", text)


def test_the_command_takes_its_language_from_option_and_variable(small_run, monkeypatch, capsys):
    options = ["run", "--corridor", "two-ports", "--years", "2024:2026", "--out", str(small_run.folder)]

    def said(*more):
        assert main([*options, *more]) == 0
        return capsys.readouterr().out

    english = said()
    assert "HOW FAR TO TRUST IT" in english
    assert "НАСКОЛЬКО ВЕРИТЬ" in said("--lang", "ru")
    monkeypatch.setenv("KARVAN_LANG", "ru")
    assert "НАСКОЛЬКО ВЕРИТЬ" in said()
    assert said("--lang", "en") == english
    assert json.loads(said("--json"))["run_id"] == small_run.report["run_id"]
    monkeypatch.setenv("KARVAN_LANG", "xx")
    assert main(options) == 2
    assert "KARVAN_LANG: is xx, must be one of en, ru" in capsys.readouterr().err
