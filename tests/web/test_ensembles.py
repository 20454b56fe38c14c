"""`GET /api/ensembles`: answers of many futures that are kept beside the runs, what the room draws of them, and their pages."""

from __future__ import annotations

import json

import pytest

from karvan.ensembles.definition import columns_of_futures
from karvan.ensembles.futures import Futures
from karvan.ensembles.run import EnsembleOptions, answered, ensemble_of
from karvan.ensembles.store import FutureStore
from karvan.report.document import cut
from karvan.results.ensemble_store import keep_answer, kept_answer, kept_answers

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
    keep_answer(store.folder, found)
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


def test_an_answer_is_found_whole_by_its_id(kept, tmp_path):
    folder, found = kept
    told = kept_answer([folder], found.ensemble_id, "two-ports")
    assert told == json.loads(json.dumps(found.as_dict()))
    assert kept_answer([folder], found.ensemble_id, "another-corridor") is None
    assert kept_answer([folder], "0" * 16, "two-ports") is None
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "answer.json").write_text(json.dumps({key: value for key, value in told.items() if key != "called"}))
    assert kept_answer([tmp_path], found.ensemble_id, "two-ports") is None


def test_the_server_lists_them_tells_one_whole_and_hands_out_pages_that_call_nobody(opened, kept):
    assert opened.client.get("/api/ensembles").json() == {"ensembles": []}
    folder, found = kept
    runs = opened.server.settings.runs
    runs.mkdir(parents=True, exist_ok=True)
    (runs / "many").symlink_to(folder / "one")
    (row,) = opened.client.get("/api/ensembles").json()["ensembles"]
    assert row["ensemble_id"] == found.ensemble_id
    told = opened.client.get(f"/api/ensembles/{found.ensemble_id}").json()
    printed = json.loads(json.dumps(found.as_dict()))
    same = ("futures", "design", "promises", "distributions", "failed", "regret", "pairs", "peace", "left_out", "routes")
    assert {key: told[key] for key in same} == cut({key: printed[key] for key in same})
    assert told["flows"] == cut(printed["links"])
    assert "folder" not in told
    assert told["titles"]["agreed"] == {"scenario": "What is announced, at the date announced", "with": [], "without": []}
    assert {row["factor"] for row in told["drivers"]} <= set(told["called"])
    assert {row["link_id"] for row in told["flows"]} <= {row["link_id"] for row in told["links"]}
    answer = opened.client.get(f"/api/ensembles/{found.ensemble_id}/page?language=ru")
    assert '<html lang="ru">' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in ("0123456789abcdef", "0123456789abcdef/page"):
        missing = opened.client.get(f"/api/ensembles/{path}")
        assert missing.status_code == 404
        assert "0123456789abcdef" in missing.text
    assert opened.client.get("/api/ensembles/..%2F..%2Fetc/page").status_code in (404, 422)
