import pytest

from karvan.ensembles.store import FutureStore
from karvan.errors import DataError
from tests.ensembles.toy import COLUMNS, store_in


def _row(index):
    return {"future": index, "plan": "a", "status": "ok", "answer": index / 7}


def test_what_was_half_written_is_not_there(tmp_path):
    store = store_in(tmp_path / "ensemble")
    store.append([_row(0), _row(1)])
    half = tmp_path / "ensemble" / "parts" / ".000000002-a.parquet.part"
    half.write_bytes(b"PAR1")
    assert store_in(tmp_path / "ensemble").finished() == {0, 1}
    assert not half.exists()


def test_gathering_changes_no_row_and_a_future_told_twice_is_read_once(tmp_path):
    store = store_in(tmp_path / "ensemble")
    for index in range(80):
        store.append([_row(index)])
    store.append([_row(3)])
    before = store.column(["answer"], first=80)
    store.gather()
    assert store.column(["answer"], first=80).equals(before)
    assert before["future"].to_list() == list(range(80))
    assert len(list((tmp_path / "ensemble" / "parts").glob("*.parquet"))) < 80


def test_a_folder_of_something_else_is_refused(tmp_path):
    store_in(tmp_path / "ensemble")
    with pytest.raises(DataError, match="holds another ensemble"):
        FutureStore(tmp_path / "ensemble", COLUMNS).open("other", {})
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(DataError, match="is no ensemble"):
        FutureStore(tmp_path / "notes", COLUMNS).open("toy", {})
