"""`GET /api/ensembles`: answers of many futures that are kept beside the runs, and their pages."""

from __future__ import annotations

import pytest

from karvan.ensembles.definition import columns_of_futures
from karvan.ensembles.futures import Futures
from karvan.ensembles.run import EnsembleOptions, answered, ensemble_of
from karvan.ensembles.store import FutureStore
from karvan.results.ensemble_store import keep_answer, kept_answers, kept_page

YEARS = (2026,)


@pytest.fixture(scope="module")
def kept(two_ports, tmp_path_factory):
    """Folder of folders with one answer, and the answer."""
    folder = tmp_path_factory.mktemp("kept")
    how = EnsembleOptions(futures=8)
    made = ensemble_of(two_ports, years=YEARS, how=how)
    store = FutureStore(folder / "one", columns_of_futures(made))
    store.open(made.id, {})
    futures = Futures(made)
    for index in range(made.count):
        store.append(futures.outcomes(index))
    found = answered(made, store, made.count, how=how, stopped=None)
    keep_answer(store.folder, found, {"en": "<p>in English</p>", "ru": "<p>по-русски</p>"})
    return folder, found


def test_answers_are_listed_with_what_they_rest_on(kept, tmp_path):
    folder, found = kept
    (row,) = kept_answers([folder, tmp_path / "nothing"], "two-ports")
    assert (row["ensemble_id"], row["futures"], row["wanted"], row["plans"]) == (found.ensemble_id, 8, 8, ["agreed"])
    assert row["failed_count"] == 0
    assert kept_answers([folder], "another-corridor") == []


def test_what_cannot_be_read_is_left_out(kept, tmp_path):
    folder, found = kept
    for name, text in (("half", '{"corridor_id": "two-ports"'), ("odd", '{"corridor_id": "two-ports", "ensemble_id": "../../etc"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "answer.json").write_text(text)
    assert [row["ensemble_id"] for row in kept_answers([tmp_path, folder], "two-ports")] == [found.ensemble_id]


def test_a_page_is_in_the_language_or_english(kept):
    folder, found = kept
    assert kept_page([folder], found.ensemble_id, "ru") == "<p>по-русски</p>".encode()
    assert kept_page([folder], found.ensemble_id, "de") == b"<p>in English</p>"
    assert kept_page([folder], "0" * 16, "en") is None


def test_the_server_lists_them_and_hands_out_pages_that_call_nobody(opened, kept):
    assert opened.client.get("/api/ensembles").json() == {"ensembles": []}
    folder, found = kept
    runs = opened.server.settings.runs
    runs.mkdir(parents=True, exist_ok=True)
    (runs / "many").symlink_to(folder / "one")
    (row,) = opened.client.get("/api/ensembles").json()["ensembles"]
    assert row["ensemble_id"] == found.ensemble_id
    answer = opened.client.get(f"/api/ensembles/{found.ensemble_id}/page?language=ru")
    assert answer.text == "<p>по-русски</p>"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    missing = opened.client.get("/api/ensembles/0123456789abcdef/page")
    assert missing.status_code == 404
    assert "0123456789abcdef" in missing.text
    assert opened.client.get("/api/ensembles/..%2F..%2Fetc/page").status_code in (404, 422)
